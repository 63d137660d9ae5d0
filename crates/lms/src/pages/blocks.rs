//! The page layer's one pass over the HTML of a block (design: "Author content is inline").
//!
//! What `capa` and the blocks render stays as recorded; here it is made fit to stand in a page of ours: content that the
//! platform's own script would fill in is put in place, so that pages work without script, and accessible names that an
//! author left out are added.

use std::fmt::Write as _;

use serde::Serialize;
use web_kit::Locale;

/// Which script bundles a unit needs. Each loads only when something of its blocks asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// Formulas that the browser cannot show by itself.
    pub math: bool,
    /// A video player.
    pub video: bool,
    /// The XBlock runtime with jQuery: blocks with an initialiser of their own, or authors' scripts.
    pub runtime: bool,
}

/// Initialisers that the page's own script covers, by `xmodule-type` of the shim.
const COVERED_SHIMS: [&str; 5] = ["Problem", "HTMLModule", "Video", "Sequence", "VideoBlock"];

/// Looks through prepared HTML of all blocks of a unit.
pub fn needs<'a>(blocks: impl Iterator<Item = &'a str>) -> Needs {
    let mut needs = Needs::default();
    for html in blocks {
        needs.math |= ["\\(", "\\[", "[mathjaxinline]", "[mathjax]"]
            .iter()
            .any(|mark| html.contains(mark));
        for tag in Tags::new(html) {
            needs.video |= tag.name == "video" || tag.attribute("data-metadata").is_some();
            let kind = tag.attribute("type").unwrap_or_default();
            needs.runtime |= match tag.name {
                "script" => kind.is_empty() || kind.contains("javascript") || kind == "module",
                _ => tag
                    .attribute("data-init")
                    .is_some_and(|init| needs_runtime(init, html)),
            };
        }
    }
    needs
}

fn needs_runtime(initialiser: &str, html: &str) -> bool {
    if initialiser != "XBlockToXModuleShim" {
        return true;
    }
    let is_covered = |kind: &str| {
        html.contains(&format!("\"xmodule-type\": \"{kind}\""))
            || html.contains(&format!("\"xmodule-type\":\"{kind}\""))
    };
    !COVERED_SHIMS.iter().any(|kind| is_covered(kind))
}

/// Prepares a block's HTML, with the added names in the page's language.
#[must_use]
pub fn prepare(html: &str, locale: &Locale) -> String {
    let placed = place_content(html);
    add_names(&placed, locale)
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

/// A start tag.
struct Tag<'a> {
    name: &'a str,
    /// Offset just after the name.
    name_end: usize,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.attribute(name).is_some())
    }
}

/// Start tags of HTML in order, without comments and the insides of scripts and styles. Lower-case names only: the
/// blocks' renderers write no others, and an author's upper-case tag merely gets no added name.
struct Tags<'a> {
    html: &'a str,
    at: usize,
}

impl<'a> Tags<'a> {
    fn new(html: &'a str) -> Self {
        Self { html, at: 0 }
    }

    fn skip_past(&mut self, end: &str) {
        let rest = self.html.get(self.at..).unwrap_or_default();
        self.at = rest
            .find(end)
            .map_or(self.html.len(), |found| self.at + found + end.len());
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let rest = self.html.get(self.at..)?;
            let open = rest.find('<')?;
            let after = rest.get(open + 1..)?;
            self.at += open + 1;
            if after.starts_with("!--") {
                self.skip_past("-->");
                continue;
            }
            let length = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(length)?;
            if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
                continue;
            }
            let name_end = self.at + length;
            let (attributes, consumed) = read_attributes(tail);
            self.at = name_end + consumed;
            if matches!(name, "script" | "style") {
                self.skip_past(if name == "script" {
                    "</script"
                } else {
                    "</style"
                });
            }
            return Some(Tag {
                name,
                name_end,
                attributes,
            });
        }
    }
}

/// Attributes up to the tag's `>`, and how many bytes they took.
fn read_attributes(text: &str) -> (Vec<(&str, &str)>, usize) {
    let mut attributes = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            break;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len());
        let Some((name, tail)) = rest.split_at_checked(end) else {
            break;
        };
        let Some(value) = tail.trim_start().strip_prefix('=') else {
            if name.is_empty() {
                break;
            }
            attributes.push((name, ""));
            rest = tail;
            continue;
        };
        let value = value.trim_start();
        let quoted = value
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''));
        let (value, tail) = if let Some(quote) = quoted {
            let inner = value.get(1..).unwrap_or_default();
            inner.split_once(quote).unwrap_or((inner, ""))
        } else {
            let end = value
                .find(|c: char| c.is_ascii_whitespace() || c == '>')
                .unwrap_or(value.len());
            value.split_at_checked(end).unwrap_or((value, ""))
        };
        attributes.push((name, value));
        rest = tail;
    }
    (attributes, text.len() - rest.len())
}

pub(crate) mod samples {
    //! Blocks of the sample unit, with the markup of capa.md §4 and courseware.md §10.3.

    /// Type, id and HTML of each.
    pub(crate) fn blocks() -> Vec<(&'static str, &'static str, String)> {
        let html = "<div class=\"xblock xblock-student_view xblock-student_view-html xmodule_display xmodule_HtmlBlock\" \
            data-block-type=\"html\" data-usage-id=\"block-v1:HarbourX+TID101+2027_T1+type@html+block@h\" \
            data-course-id=\"course-v1:HarbourX+TID101+2027_T1\" data-mark-completed-on-view-after-delay=\"5000\">\
            <p>The Moon pulls on every drop of the sea, but <em>not on every drop alike</em>. Water on the near side is about six \
            thousand kilometres closer to it than the Earth’s middle is.</p>\
            <p>The pull is \\(F = G\\,m_1 m_2 / d^2\\).</p><iframe src=\"about:blank\" width=\"300\" height=\"40\"></iframe>\
            <table><tr><th scope=\"col\">Port</th><th scope=\"col\">High water</th></tr><tr><td>Ellery</td><td>12:40</td></tr></table></div>";
        vec![
            ("html", "h", html.to_owned()),
            ("video", "v", video()),
            (
                "problem",
                "p1",
                problem(
                    "p1",
                    "The second bulge",
                    &choices("p1"),
                    &notice("error", "fa-close", "Incorrect (0/1 point)"),
                ),
            ),
            (
                "problem",
                "p2",
                problem("p2", "The next high water", &number("p2"), ""),
            ),
        ]
    }

    fn video() -> String {
        let metadata = "{&#34;sources&#34;: [], &#34;saveStateUrl&#34;: &#34;/x&#34;, &#34;showCaptions&#34;: &#34;true&#34;}";
        format!(
            "<div class=\"xblock xblock-student_view xblock-student_view-video xmodule_display xmodule_VideoBlock\" data-block-type=\"video\" \
             data-usage-id=\"block-v1:HarbourX+TID101+2027_T1+type@video+block@v\" data-course-id=\"course-v1:HarbourX+TID101+2027_T1\">\
             <h3 class=\"hd hd-3\">The far side of the water</h3>\
             <div id=\"video_v\" class=\"s-video\" data-metadata=\"{metadata}\"><div class=\"s-video__in\"><div><div class=\"s-video__stage\">\
             <video controls preload=\"none\" width=\"640\" height=\"360\"><source src=\"/static/none.mp4\" type=\"video/mp4\"></video></div></div>\
             <section class=\"s-transcript\" aria-label=\"Transcript\"><header><h4>Transcript</h4></header><ol tabindex=\"0\" aria-label=\"Lines\">\
             <li><button type=\"button\" data-start=\"0\"><time datetime=\"PT0M00S\">0:00</time><span>Stand on the quay at noon.</span></button></li>\
             <li><button type=\"button\" data-start=\"9\"><time datetime=\"PT0M09S\">0:09</time><span>The water under it is drawn up a little.</span></button></li>\
             </ol></section></div></div></div>"
        )
    }

    fn problem(id: &str, title: &str, body: &str, notice: &str) -> String {
        let usage = format!("block-v1:HarbourX+TID101+2027_T1+type@problem+block@{id}");
        let inner = format!(
            "<h3 class=\"hd hd-3 problem-header\" id=\"{id}-problem-title\" aria-describedby=\"{usage}-problem-progress\" tabindex=\"-1\">{title}</h3>\
             <div class=\"problem-progress\" id=\"{usage}-problem-progress\"></div>\
             <div class=\"problem\"><div>{body}</div><div class=\"action\"><input type=\"hidden\" name=\"problem_id\" value=\"{title}\">\
             <div class=\"problem-hint\"><div class=\"notification problem-hint notification-hint is-hidden\" tabindex=\"-1\">\
             <span class=\"icon fa fa-question\" aria-hidden=\"true\"></span><span class=\"notification-message\" aria-describedby=\"{id}-problem-title\"></span>\
             <div class=\"notification-btn-wrapper\"><button type=\"button\" class=\"btn btn-default btn-small notification-btn hint-button\">Next Hint</button></div></div></div>\
             <div class=\"problem-action-buttons-wrapper\"><span class=\"problem-action-button-wrapper\">\
             <button type=\"button\" class=\"hint-button problem-action-btn btn-link btn-small\" data-value=\"Hint\">Hint</button></span>\
             <span class=\"problem-action-button-wrapper\"><button type=\"button\" class=\"save problem-action-btn btn-link btn-small\" data-value=\"Save\">\
             <span aria-hidden=\"true\">Save</span><span class=\"sr\">Save your answer</span></button></span>\
             <span class=\"problem-action-button-wrapper\"><button type=\"button\" class=\"show problem-action-btn btn-link btn-small\" aria-describedby=\"{id}-problem-title\">\
             <span class=\"show-label\">Show answer</span></button></span></div>\
             <div class=\"submit-attempt-container\"><button type=\"button\" class=\"submit btn-brand\" data-submitting=\"Submitting\" data-value=\"Submit\" \
             data-should-enable-submit-button=\"True\" aria-describedby=\"submission_feedback_{id}\"><span class=\"submit-label\">Submit</span></button>\
             <div class=\"submission-feedback\" id=\"submission_feedback_{id}\">You have used 1 of 3 attempts<span class=\"sr\">Some problems have options such as \
             save, reset, hints, or show answer. These options follow the Submit button.</span></div></div></div>\
             <div class=\"notification warning notification-gentle-alert is-hidden\" tabindex=\"-1\"><span class=\"icon fa fa-exclamation-circle\" aria-hidden=\"true\"></span>\
             <span class=\"notification-message\" aria-describedby=\"{id}-problem-title\"></span></div>{notice}</div>"
        );
        let content = inner
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;");
        format!(
            "<div class=\"xblock xblock-student_view xblock-student_view-problem xmodule_display xmodule_ProblemBlock\" data-block-type=\"problem\" \
             data-usage-id=\"{usage}\" data-course-id=\"course-v1:HarbourX+TID101+2027_T1\" data-init=\"XBlockToXModuleShim\" data-runtime-class=\"LmsRuntime\">\
             <script type=\"json/xblock-args\" class=\"xblock-json-init-args\">{{\"xmodule-type\": \"Problem\"}}</script>\
             <div id=\"problem_{id}\" class=\"problems-wrapper\" role=\"group\" aria-labelledby=\"{id}-problem-title\" data-problem-id=\"{usage}\" \
             data-url=\"/courses/course-v1:HarbourX+TID101+2027_T1/xblock/{usage}/handler/xmodule_handler\" data-problem-score=\"0.0\" \
             data-problem-total-possible=\"1.0\" data-attempts-used=\"1\" data-content=\"{content}\" data-graded=\"False\">\
             <p class=\"loading-spinner\"><i class=\"fa fa-spinner fa-pulse fa-2x fa-fw\"></i><span class=\"sr\">Loading…</span></p></div></div>"
        )
    }

    fn notice(kind: &str, icon: &str, text: &str) -> String {
        format!(
            "<div class=\"notification {kind} notification-submit\" tabindex=\"-1\"><span class=\"icon fa {icon}\" aria-hidden=\"true\"></span>\
             <span class=\"notification-message\">{text}</span></div>"
        )
    }

    fn choices(id: &str) -> String {
        let choice = |index: u8, text: &str, classes: &str, checked: &str| {
            format!(
                "<div class=\"field\"><input type=\"radio\" name=\"input_{id}_2_1\" id=\"input_{id}_2_1_choice_{index}\" class=\"field-input input-radio\" \
                 value=\"choice_{index}\"{checked}><label id=\"{id}_2_1-choice_{index}-label\" for=\"input_{id}_2_1_choice_{index}\" \
                 class=\"response-label field-label label-inline{classes}\" aria-describedby=\"status_{id}_2_1\"><div>{text}</div></label></div>"
            )
        };
        format!(
            "<div class=\"wrapper-problem-response\" tabindex=\"-1\" aria-label=\"Question 1\" role=\"group\"><div class=\"choicegroup capa_inputtype\" id=\"inputtype_{id}_2_1\">\
             <fieldset aria-describedby=\"status_{id}_2_1\"><legend id=\"{id}_2_1-legend\" class=\"response-fieldset-legend field-group-hd\">Why does the sea also stand high \
             on the far side?</legend>{}{}<span id=\"answer_{id}_2_1\"></span></fieldset><div class=\"indicator-container\"><span class=\"status incorrect\" id=\"status_{id}_2_1\" \
             data-tooltip=\"This answer is incorrect.\"><span class=\"sr\">incorrect</span><span class=\"status-icon\" aria-hidden=\"true\"></span></span></div></div></div>",
            choice(
                0,
                "The Sun pulls it up from the other side.",
                " choicegroup_incorrect",
                " checked=\"true\""
            ),
            choice(
                1,
                "The Moon pulls that water less than it pulls the Earth’s centre.",
                "",
                ""
            ),
        )
    }

    fn number(id: &str) -> String {
        format!(
            "<div class=\"wrapper-problem-response\" tabindex=\"-1\" aria-label=\"Question 1\" role=\"group\"><p>Two bulges pass in 24 hours and 50 minutes.</p>\
             <div id=\"formulaequationinput_{id}_2_1\" class=\"inputtype formulaequationinput\"><div class=\"unanswered\">\
             <input type=\"text\" name=\"input_{id}_2_1\" id=\"input_{id}_2_1\" data-input-id=\"{id}_2_1\" value=\"\" aria-describedby=\"status_{id}_2_1\" size=\"20\">\
             <span class=\"trailing_text\" id=\"trailing_text_{id}_2_1\">hours</span><span class=\"status unanswered\" id=\"status_{id}_2_1\" data-tooltip=\"Not yet answered.\">\
             <span class=\"sr\">unanswered</span><span class=\"status-icon\" aria-hidden=\"true\"></span></span><p id=\"answer_{id}_2_1\" class=\"answer\"></p>\
             <div id=\"input_{id}_2_1_preview\" class=\"equation\"></div></div></div></div>"
        )
    }
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
        assert!(found("<div data-init=\"WordCloud\"></div>").runtime);
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
