//! The page layer's one pass over the HTML of a block (design: "Author content is inline").
//!
//! What `capa` and the blocks render stays as recorded; here it is made fit to stand in a page of ours: content that the
//! platform's own script would fill in is put in place, so that pages work without script, and accessible names that an
//! author left out are added.

mod chrome;
pub(crate) mod samples;
mod tags;

use std::fmt::Write as _;

use serde::Serialize;
use web_kit::Locale;

pub use chrome::localise;
use tags::{Tag, Tags};

/// Which script bundles a unit needs. Each loads only when something of its blocks asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Formulas that the browser cannot show by itself.
    pub math: bool,
    /// A video player.
    pub video: bool,
    /// Conditional content, polls, surveys, word clouds.
    pub interactive: bool,
    /// jQuery and the XBlock runtime: authors' scripts.
    pub runtime: bool,
}

/// Initialisers and shimmed types that the bundle of small interactive blocks serves.
const INTERACTIVE: [&str; 3] = ["DoneXBlock", "PollBlock", "SurveyBlock"];
const INTERACTIVE_SHIMS: [&str; 3] = ["Conditional", "Poll", "WordCloud"];

/// Looks through prepared HTML of all blocks of a unit.
///
/// An initialiser alone needs no runtime: the functions that ours name are in our bundles, and any other comes with a
/// script of the block or its author.
pub fn needs<'a>(blocks: impl Iterator<Item = &'a str>) -> Needs {
    let mut needs = Needs::default();
    for html in blocks {
        needs.math |= ["\\(", "\\[", "[mathjaxinline]", "[mathjax]"]
            .iter()
            .any(|mark| html.contains(mark));
        let is_shimmed = |kind: &&str| html.contains(&format!("\"xmodule-type\": \"{kind}\""));
        needs.interactive |= INTERACTIVE_SHIMS.iter().any(is_shimmed);
        for tag in Tags::new(html) {
            let kind = tag.attribute("type").unwrap_or_default();
            let is_code = kind.is_empty() || kind.contains("javascript") || kind == "module";
            needs.video |= tag.name == "video" || tag.attribute("data-metadata").is_some();
            needs.runtime |= tag.name == "script" && is_code;
            needs.interactive |= tag
                .attribute("data-init")
                .is_some_and(|init| INTERACTIVE.contains(&init));
        }
    }
    needs
}

/// Prepares a block's HTML: content in place, names added, the engine's own words in the page's language.
#[must_use]
pub fn prepare(html: &str, locale: &Locale) -> String {
    let placed = without_frame_scripts(&place_content(html));
    let named = add_names(&placed, locale);
    localise(&named, locale)
}

/// Puts a problem's `data-content` (capa.md §4.4) where the platform's script would put it.
fn place_content(html: &str) -> String {
    let mut placed = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once(" data-content=\"") {
        let parts = after.split_once('"').and_then(|(content, tail)| {
            let (attributes, inner) = tail.split_once('>')?;
            // Between the tag and its end stands only the spinner, which holds no other `div`.
            let (_, end) = inner.split_once("</div>")?;
            Some((content, attributes, end))
        });
        let Some((content, attributes, end)) = parts else {
            break;
        };
        placed.push_str(before);
        placed.push_str(attributes);
        placed.push('>');
        placed.push_str(&unescape(content));
        placed.push_str("</div>");
        rest = end;
    }
    placed.push_str(rest);
    placed
}

/// Drops the script by which blocks speak to a page around their frame: here there is none, and it would load the runtime.
fn without_frame_scripts(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once("<script>") {
        let Some((script, tail)) = after.split_once("</script>") else {
            break;
        };
        kept.push_str(before);
        if !script
            .trim_start()
            .starts_with("function emit_event(message)")
        {
            kept.push_str("<script>");
            kept.push_str(script);
            kept.push_str("</script>");
        }
        rest = tail;
    }
    kept.push_str(rest);
    kept
}

/// Undoes the escaping of an attribute's value.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn add_names(html: &str, locale: &Locale) -> String {
    let mut named = String::with_capacity(html.len() + 64);
    let mut copied = 0;
    for tag in Tags::new(html) {
        let name = match tag.name {
            "iframe"
                if !tag.has_any(&["title", "aria-label", "aria-labelledby", "aria-hidden"]) =>
            {
                Some(("title", locale.gettext("Embedded content")))
            }
            "img"
                if !tag.has_any(&[
                    "alt",
                    "aria-label",
                    "aria-labelledby",
                    "role",
                    "aria-hidden",
                ]) =>
            {
                Some((
                    "alt",
                    tag.attribute("title")
                        .unwrap_or(locale.gettext("Image without a description")),
                ))
            }
            "input" | "select" | "textarea" if is_nameless_field(&tag, html) => {
                Some(("aria-label", locale.gettext("Your answer")))
            }
            _ => None,
        };
        if let Some((attribute, text)) = name
            && let Some(before) = html.get(copied..tag.name_end)
        {
            named.push_str(before);
            let _ = write!(named, " {attribute}=\"{}\"", escape(text));
            copied = tag.name_end;
        }
    }
    named.push_str(html.get(copied..).unwrap_or_default());
    named
}

fn is_nameless_field(tag: &Tag<'_>, html: &str) -> bool {
    let kind = tag.attribute("type").unwrap_or("text");
    let is_field =
        tag.name != "input" || !["hidden", "submit", "button", "reset", "image"].contains(&kind);
    let is_labelled = tag.has_any(&["aria-label", "aria-labelledby", "title", "aria-hidden"])
        || tag
            .attribute("id")
            .is_some_and(|id| html.contains(&format!("for=\"{id}\"")));
    is_field && !is_labelled
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prepared(html: &str) -> String {
        prepare(html, &Locale::english())
    }

    /// capa.md §4.4: the problem's content travels in an attribute.
    #[test]
    fn puts_content_in_place() {
        let html = "<div id=\"a\"><div class=\"problems-wrapper\" data-content=\"&lt;p title=&#34;x&#34;&gt;1 &amp;lt; 2&lt;/p&gt;\" \
            data-graded=\"False\"><p class=\"loading-spinner\"></p></div>after</div>";
        assert_eq!(
            prepared(html),
            "<div id=\"a\"><div class=\"problems-wrapper\" data-graded=\"False\"><p title=\"x\">1 &lt; 2</p></div>after</div>"
        );
    }

    #[test]
    fn adds_only_missing_names() {
        let cases = [
            (
                "<iframe src=x></iframe>",
                "<iframe title=\"Embedded content\" src=x></iframe>",
            ),
            (
                "<iframe title='t' src=x></iframe>",
                "<iframe title='t' src=x></iframe>",
            ),
            (
                "<img src=\"a>b\">",
                "<img alt=\"Image without a description\" src=\"a>b\">",
            ),
            ("<img alt>", "<img alt>"),
            (
                "<img title=\"A &amp; B\">",
                "<img alt=\"A &amp;amp; B\" title=\"A &amp; B\">",
            ),
            (
                "<label for=\"q\">Q</label><input id=\"q\">",
                "<label for=\"q\">Q</label><input id=\"q\">",
            ),
            (
                "<input type=\"hidden\"><input id=\"r\"/>",
                "<input type=\"hidden\"><input aria-label=\"Your answer\" id=\"r\"/>",
            ),
            (
                "<!-- <img> --><script>'<img>'</script>",
                "<!-- <img> --><script>'<img>'</script>",
            ),
        ];
        for (html, expected) in cases {
            assert_eq!(prepared(html), expected);
        }
    }

    #[test]
    fn finds_what_a_unit_needs() {
        let found = |html: &str| needs([html].into_iter());
        assert_eq!(found("<p>text</p>"), Needs::default());
        assert!(found("<p>\\(x\\)</p>").math);
        assert!(found("<script>x</script>").runtime);
        assert!(!found("<script type=\"json/xblock-args\">{}</script>").runtime);
        assert!(found("<div data-init=\"PollBlock\"></div>").interactive);
        assert!(found("<script>{\"xmodule-type\": \"Conditional\"}</script>").interactive);
        let frame = "<script>\n    function emit_event(message) {\n        parent.postMessage(message, '*');\n    }\n</script>";
        assert_eq!(found(&prepared(frame)), Needs::default());
        let shim = "<div data-init=\"XBlockToXModuleShim\"><script type=\"json/xblock-args\">{\"xmodule-type\": \"Problem\"}</script></div>";
        assert!(!found(shim).runtime);
        assert!(found("<div data-metadata=\"{}\"></div>").video);
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_the_text(html in "(<|>|\"|'|=|/|img|input|iframe|script|!--|-->| |a|é|data-content=\"){0,40}") {
            let _ = prepared(&html);
            let _ = needs([html.as_str()].into_iter());
        }
    }
}
