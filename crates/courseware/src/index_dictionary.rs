//! What a block says about itself to a search index (search.md §4.1).

use std::sync::LazyLock;

use course_model::{BlockRef, Fields};
use regex::Regex;
use serde_json::{Value, json};

/// Tags of responses.
const RESPONSES: &[&str] = &[
    "annotationresponse",
    "choiceresponse",
    "choicetextresponse",
    "coderesponse",
    "customresponse",
    "externalresponse",
    "formularesponse",
    "imageresponse",
    "multiplechoiceresponse",
    "numericalresponse",
    "optionresponse",
    "schematicresponse",
    "stringresponse",
    "symbolicresponse",
    "truefalseresponse",
];

/// A pattern of this module. The patterns are constants, and a test compiles them all.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

macro_rules! patterns {
    ($($name:ident = $text:literal;)*) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($text));)*

        #[cfg(test)]
        fn all_patterns() -> Vec<&'static Option<Regex>> {
            vec![$(&*$name),*]
        }
    };
}

patterns! {
    OPTIONS = r#"(?s)<optioninput\s[^>]*?options\s*=\s*"\(([^"]*)\)"[^>]*>"#;
    SECRETS = r"(?is)<solution\b.*?</solution\s*>|<solutionset\b.*?</solutionset\s*>|<targetedfeedbackset\b.*?</targetedfeedbackset\s*>|<targetedfeedback\b.*?</targetedfeedback\s*>|<answer\b.*?</answer\s*>|<script\b.*?</script\s*>|<style\b.*?</style\s*>|<[a-z]*hint\b.*?</[a-z]*hint\s*>|<hintpart\b.*?</hintpart\s*>";
    SCRIPTS = r"(?is)<script\b.*?</script\s*>|<style\b.*?</style\s*>";
    COMMENTS = r"(?s)<!--.*?-->|<!\[CDATA\[.*?\]\]>";
    ALT = r#"(?is)<img\b[^>]*?\salt\s*=\s*["']([^"']*)["'][^>]*>"#;
    TAGS = r"(?s)<[^>]*>";
    BLANKS = r"(?:\s|\u{a0}|//)+";
    ENTITY = r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]+));";
}

fn replaced(text: &str, pattern: &LazyLock<Option<Regex>>, with: &str) -> String {
    match &**pattern {
        Some(pattern) => pattern.replace_all(text, with).into_owned(),
        None => text.to_owned(),
    }
}

/// Text of an html body.
#[must_use]
pub fn html_text(html: &str) -> String {
    let text = replaced(html, &SCRIPTS, "");
    let text = replaced(&text, &COMMENTS, "");
    let text = text.replace("&nbsp;", " ");
    let text = replaced(&text, &ALT, " $1 ");
    let text = replaced(&text, &TAGS, " ");
    let text = decoded(&text);
    replaced(&text, &BLANKS, " ").trim().to_owned()
}

/// Text of a problem, without what would give its answers away.
#[must_use]
pub fn problem_text(xml: &str) -> String {
    let text = replaced(xml, &OPTIONS, " $1 ");
    let text = replaced(&text, &SECRETS, "");
    let text = replaced(&text, &COMMENTS, "");
    let text = text.replace("&nbsp;", " ");
    let text = replaced(&text, &TAGS, " ");
    replaced(&text, &BLANKS, " ").trim().to_owned()
}

/// The entities that authors write; others stay as they are.
fn decoded(text: &str) -> String {
    let Some(entity) = &*ENTITY else {
        return text.to_owned();
    };
    entity
        .replace_all(text, |found: &regex::Captures<'_>| {
            let number = |at: usize, radix| {
                let digits = found.get(at)?.as_str();
                char::from_u32(u32::from_str_radix(digits, radix).ok()?)
            };
            let named = || match found.get(3)?.as_str() {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                "copy" => Some('©'),
                "reg" => Some('®'),
                "mdash" => Some('—'),
                "ndash" => Some('–'),
                "hellip" => Some('…'),
                "rsquo" => Some('’'),
                "lsquo" => Some('‘'),
                "rdquo" => Some('”'),
                "ldquo" => Some('“'),
                _ => None,
            };
            let whole = found.get(0).map_or("", |found| found.as_str());
            number(1, 10)
                .or_else(|| number(2, 16))
                .or_else(named)
                .map_or_else(|| whole.to_owned(), String::from)
        })
        .into_owned()
}

/// Tags of the responses in a problem, each once.
#[must_use]
pub fn problem_types(xml: &str) -> Vec<&'static str> {
    RESPONSES
        .iter()
        .copied()
        .filter(|name| {
            xml.match_indices(name).any(|(at, _)| {
                let before = xml.get(..at).is_some_and(|head| head.ends_with('<'));
                let rest = xml.get(at + name.len()..).unwrap_or_default();
                before && rest.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/')
            })
        })
        .collect()
}

/// A block's dictionary; empty for types that are not indexed. Transcripts of videos are not part of it.
#[must_use]
pub fn of_block(block: BlockRef<'_>, body: &Fields) -> Value {
    let name = block.field("display_name").cloned().unwrap_or_default();
    let data = body.get("data").and_then(Value::as_str).unwrap_or_default();
    match block.block_type() {
        "html" | "about" | "static_tab" | "course_info" => json!({
            "content": {"html_content": html_text(data), "display_name": name},
            "content_type": "Text",
        }),
        "problem" => json!({
            "content": {"display_name": name, "capa_content": problem_text(data)},
            "content_type": "CAPA",
            "problem_types": problem_types(data),
        }),
        "video" => json!({"content": {"display_name": name}, "content_type": "Video"}),
        "chapter" | "sequential" | "vertical" | "unit" => {
            json!({"content": {"display_name": name}, "content_type": "Sequence"})
        }
        "word_cloud" => json!({
            "content": {
                "display_name": name,
                "instructions": block.field("instructions").cloned().unwrap_or_default(),
            },
            "content_type": "Word Cloud",
        }),
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_compile() {
        assert!(all_patterns().into_iter().all(Option::is_some));
    }

    /// search.md §4.1.
    #[test]
    fn texts() {
        let html = "<p>A&nbsp;b<img src='x' alt='a cat'></p><script a=1>x()</script><!-- no -->&lt;b&gt;//c";
        assert_eq!(html_text(html), "A b a cat <b> c");
        let xml = "<problem><p>Q &amp; A</p><optionresponse><optioninput options=\"('x','y')\" correct=\"x\"/>\
                   </optionresponse><solution><p>s</p></solution><choicehint>h</choicehint>\
                   <demandhint><hint>d</hint></demandhint></problem>";
        assert_eq!(problem_text(xml), "Q &amp; A 'x','y'");
        assert_eq!(problem_types(xml), ["optionresponse"]);
        assert!(problem_types("<xoptionresponse/> optionresponse").is_empty());
    }
}
