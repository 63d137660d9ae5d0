//! The problem engine's own words in the page's language.
//!
//! The engine renders English, byte for byte as recorded (capa.md §4). Only the words of its chrome are translated here,
//! told from authors' words by the class of the element that holds them.

use web_kit::Locale;
use web_kit::i18n::fill;

use super::tags::{Tag, Tags};

/// Words that stand alone in an element of the chrome.
pub(super) const PHRASES: [&str; 31] = [
    "Submit",
    "Submitting",
    "Save",
    "Save your answer",
    "Reset",
    "Reset your answer",
    "Hint",
    "Next Hint",
    "Show answer",
    "Review",
    "Answer",
    "correct",
    "incorrect",
    "unanswered",
    "partially correct",
    "processing",
    "incomplete",
    "submitted",
    "Correct",
    "Incorrect",
    "Partially Correct",
    "Correct:",
    "Incorrect:",
    "Answer submitted.",
    "Answer received.",
    "Answers are displayed within the problem",
    "Loading…",
    "Select an option",
    "Your answers were previously saved. Click 'Submit' to grade them.",
    "Your answers have been saved but not graded. Click 'Submit' to grade them.",
    "Some problems have options such as save, reset, hints, or show answer. These options follow the Submit button.",
];

/// Classes of elements whose words are the engine's.
const CHROME: [&str; 14] = [
    "submit-label",
    "show-label",
    "hint-button",
    "review-btn",
    "submission-feedback",
    "notification-message",
    "sr",
    "hint-label",
    "explanation-title",
    "capa_alert",
    "save",
    "reset",
    "show",
    "submit",
];

/// Translates the chrome in HTML of a problem; English HTML is returned as it is.
#[must_use]
pub fn localise(html: &str, locale: &Locale) -> String {
    if locale.code() == "en" || !html.contains("problem") {
        return html.to_owned();
    }
    let mut shown = String::with_capacity(html.len());
    let mut copied = 0;
    for tag in Tags::new(html) {
        let Some(rest) = html.get(tag.end..) else {
            break;
        };
        let length = rest.find('<').unwrap_or(rest.len());
        let text = rest.get(..length).unwrap_or_default();
        if tag.end < copied || text.trim().is_empty() || !is_chrome(&tag) {
            continue;
        }
        let Some(translated) = translate(text.trim(), locale) else {
            continue;
        };
        let (before, after) = margins(text);
        shown.push_str(html.get(copied..tag.end).unwrap_or_default());
        shown.push_str(before);
        shown.push_str(&escape(&translated));
        shown.push_str(after);
        copied = tag.end + length;
    }
    shown.push_str(html.get(copied..).unwrap_or_default());
    shown
}

fn is_chrome(tag: &Tag<'_>) -> bool {
    let has_class = tag.attribute("class").is_some_and(|classes| {
        classes
            .split_whitespace()
            .any(|class| CHROME.contains(&class))
    });
    // The visible half of Save and Reset, and the first line of a list of options, have no class.
    let is_half = tag.name == "span" && tag.attribute("aria-hidden") == Some("true");
    let is_first_option = tag.name == "option"
        && tag
            .attribute("value")
            .is_some_and(|value| value.ends_with("_dummy_default"));
    has_class || is_half || is_first_option
}

fn margins(text: &str) -> (&str, &str) {
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    (
        text.get(..start).unwrap_or_default(),
        text.get(end..).unwrap_or_default(),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn translate(text: &str, locale: &Locale) -> Option<String> {
    let plain = text.replace("&#39;", "'").replace("&#8230;", "…");
    if PHRASES.contains(&plain.as_str()) {
        return Some(locale.gettext(&plain).to_owned());
    }
    attempts(&plain, locale).or_else(|| verdict(&plain, locale))
}

/// `You have used 1 of 3 attempts`.
fn attempts(text: &str, locale: &Locale) -> Option<String> {
    let rest = text.strip_prefix("You have used ")?;
    let rest = rest
        .strip_suffix(" attempts")
        .or_else(|| rest.strip_suffix(" attempt"))?;
    let (used, most) = rest.split_once(" of ")?;
    let pattern = locale.ngettext(
        "You have used {used} of {count} attempt",
        "You have used {used} of {count} attempts",
        most.parse().ok()?,
    );
    Some(fill(pattern, &[("used", used), ("count", most)]).into_owned())
}

/// `Partially correct (1/2 points)`.
fn verdict(text: &str, locale: &Locale) -> Option<String> {
    let (word, rest) = text.split_once(" (")?;
    let points = rest
        .strip_suffix(" points)")
        .or_else(|| rest.strip_suffix(" point)"))?;
    let (earned, possible) = points.split_once('/')?;
    let (one, many) = match word {
        "Correct" => (
            "Correct ({earned}/{possible} point)",
            "Correct ({earned}/{possible} points)",
        ),
        "Incorrect" => (
            "Incorrect ({earned}/{possible} point)",
            "Incorrect ({earned}/{possible} points)",
        ),
        "Partially correct" => (
            "Partially correct ({earned}/{possible} point)",
            "Partially correct ({earned}/{possible} points)",
        ),
        _ => return None,
    };
    let count = possible.parse::<f64>().ok()?.ceil() as u64;
    let pattern = locale.ngettext(one, many, count);
    Some(fill(pattern, &[("earned", earned), ("possible", possible)]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use web_kit::i18n::Catalogues;

    #[test]
    fn every_phrase_has_its_translations() {
        let catalogues = Catalogues::load(None).unwrap();
        for locale in catalogues.iter().filter(|locale| locale.code() != "en") {
            let missing: Vec<_> = PHRASES
                .iter()
                .filter(|phrase| locale.gettext(phrase) == **phrase)
                .collect();
            assert!(missing.is_empty(), "{}: {missing:?}", locale.code());
        }
    }

    /// capa.md §4.4: the chrome's words, and none of the author's.
    #[test]
    fn translates_the_chrome_alone() {
        let catalogues = Catalogues::load(None).unwrap();
        let spanish = catalogues.get("es").unwrap();
        let html = "<div class=\"problem\"><p>Submit</p><span class=\"submit-label\">Submit</span>\
            <div class=\"submission-feedback\">\n  You have used 1 of 3 attempts<span class=\"sr\">x</span></div>\
            <span class=\"notification-message\" aria-describedby=\"y\">Partially correct (1/2 points)</span></div>";
        let shown = localise(html, spanish);
        assert_eq!(
            shown,
            "<div class=\"problem\"><p>Submit</p><span class=\"submit-label\">Enviar</span>\
            <div class=\"submission-feedback\">\n  Ha usado 1 de 3 intentos<span class=\"sr\">x</span></div>\
            <span class=\"notification-message\" aria-describedby=\"y\">Parcialmente correcto (1/2 puntos)</span></div>"
        );
        assert_eq!(localise(html, &Locale::english()), html);
    }
}
