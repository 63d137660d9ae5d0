//! Answers that are typed: numbers and texts (contract §14, 8).

use std::fmt::Write as _;

use super::scan::{Feedback, feedback, is_space};

/// How an answer line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `=`.
    First,
    /// `s=`: a text whatever it looks like.
    Text,
    /// `or=`.
    Or,
    /// `not=`.
    Not,
}

fn mark(line: &str) -> Option<(Mark, &str)> {
    let marks = [
        ("s=", Mark::Text),
        ("=", Mark::First),
        ("or=", Mark::Or),
        ("not=", Mark::Not),
    ];
    marks.into_iter().find_map(|(text, mark)| {
        let rest = line.strip_prefix(text)?;
        Some((mark, rest.trim_start_matches(is_space)))
    })
}

/// Replaces answers, each a first line with those that belong to it.
pub(super) fn replace(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let Some((first @ (Mark::First | Mark::Text), answer)) = mark(line) else {
            out.push_str(line);
            at += 1;
            if at < lines.len() {
                out.push('\n');
            }
            continue;
        };
        at += 1;
        let mut more = Vec::new();
        loop {
            // Blank lines may stand between an answer and the next that belongs to it.
            let blank = lines.get(at..).unwrap_or_default();
            let blank = blank.iter().take_while(|line| line.is_empty()).count();
            match lines.get(at + blank).and_then(|line| mark(line)) {
                Some((kind @ (Mark::Or | Mark::Not), answer)) => {
                    more.push((kind, answer));
                    at += blank + 1;
                }
                _ => break,
            }
        }
        let numeric = (first == Mark::First)
            .then(|| numerical(answer, &more))
            .flatten();
        out.push_str(&numeric.unwrap_or_else(|| string(answer, &more)));
        if at < lines.len() {
            out.push('\n');
        }
    }
    out
}

fn is_range(answer: &str) -> bool {
    answer.starts_with(['[', '(']) && answer.ends_with([']', ')'])
}

/// Whether a text begins with a number, and has no letters but those of an exponent.
fn is_number(text: &str) -> bool {
    begins_with_number(text)
        && !text.contains(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E')
}

/// Whether JavaScript's `parseFloat` finds a number.
fn begins_with_number(text: &str) -> bool {
    let text = text.trim_start_matches(is_space);
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = text.strip_prefix('.').unwrap_or(text);
    digits.starts_with(|char: char| char.is_ascii_digit()) || text.starts_with("Infinity")
}

/// An answer and its tolerance.
fn with_tolerance(answer: &str) -> Option<(&str, &str)> {
    let (answer, tolerance) = answer.split_once("+-")?;
    Some((answer, tolerance.trim_start_matches(is_space)))
}

fn correct_hint(found: &Feedback) -> String {
    if found.hint.is_empty() {
        return String::new();
    }
    format!("<correcthint{}>{}</correcthint>", found.label, found.hint)
}

fn numerical(first: &str, more: &[(Mark, &str)]) -> Option<String> {
    let found = feedback(first);
    let answer = found.line.as_str();
    let range = is_range(answer);
    if !range && !is_number(with_tolerance(answer).map_or(answer, |(answer, _)| answer)) {
        return None;
    }
    let mut out = String::new();
    if range {
        let _ = writeln!(out, "<numericalresponse answer=\"{answer}\">");
    } else {
        let (answer, tolerance) = match with_tolerance(answer) {
            Some((answer, tolerance)) => (answer, tolerance),
            None => (answer, ""),
        };
        let answer: String = answer.chars().filter(|char| !is_space(*char)).collect();
        let _ = writeln!(out, "<numericalresponse answer=\"{answer}\">");
        if !tolerance.is_empty() {
            let _ = writeln!(
                out,
                "  <responseparam type=\"tolerance\" default=\"{tolerance}\" />"
            );
        }
    }
    for (kind, answer) in more {
        let other = feedback(answer);
        let line = other.line.as_str();
        let fits = *kind == Mark::Or
            && begins_with_number(line)
            && !is_range(line)
            && with_tolerance(line).is_none();
        if fits {
            let hint = correct_hint(&other);
            let _ = writeln!(
                out,
                "  <additional_answer answer=\"{line}\">{hint}</additional_answer>"
            );
        }
    }
    out.push_str("  <formulaequationinput />\n");
    hint_line(&mut out, &found);
    out.push_str("</numericalresponse>\n\n");
    Some(out)
}

fn hint_line(out: &mut String, found: &Feedback) {
    let hint = correct_hint(found);
    if !hint.is_empty() {
        let _ = writeln!(out, "  {hint}");
    }
}

fn string(first: &str, more: &[(Mark, &str)]) -> String {
    let found = feedback(first);
    let (kind, answer) = match found.line.strip_prefix('|') {
        Some(pattern) => ("ci regexp", pattern.trim_matches(is_space)),
        None => ("ci", found.line.as_str()),
    };
    let mut out = format!("<stringresponse answer=\"{answer}\" type=\"{kind}\" >\n");
    hint_line(&mut out, &found);
    for (kind, answer) in more {
        let other = feedback(answer);
        let line = &other.line;
        let _ = match kind {
            Mark::Not => writeln!(
                out,
                "  <stringequalhint answer=\"{line}\"{}>{}</stringequalhint>",
                other.label, other.hint
            ),
            _ => writeln!(
                out,
                "  <additional_answer answer=\"{line}\">{}</additional_answer>",
                correct_hint(&other)
            ),
        };
    }
    out.push_str("  <textline size=\"20\"/>\n</stringresponse>\n\n");
    out
}
