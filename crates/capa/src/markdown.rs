//! The simple editor's Markdown as problem XML (contract §14).
//!
//! The order of the steps matters: each turns one kind of line into elements, and what is left in the end is
//! wrapped in paragraphs.

use std::fmt::Write as _;

use crate::xml::{self, NodeId};

mod answers;
mod choices;
mod scan;

use scan::{is_space, replace_spans};

/// Elements that ask something.
const RESPONSES: &[&str] = &[
    "optionresponse",
    "multiplechoiceresponse",
    "stringresponse",
    "numericalresponse",
    "choiceresponse",
];
/// Elements whose lines are no paragraphs.
const AS_THEY_ARE: &[&str] = &["script", "pre", "label", "description"];
/// Markdown longer than this is refused, in bytes.
const LONGEST: usize = 1 << 20;

/// Why Markdown is no problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkdownError {
    /// A line of a choice without text.
    #[error("An answer option has been left blank. Please review and edit the component.")]
    BlankOption,
    /// More text than a problem can be.
    #[error("The text is too long for a problem.")]
    TooLong,
}

/// The problem that Markdown stands for.
///
/// # Errors
/// A blank answer option, or too much text.
pub fn to_olx(markdown: &str) -> Result<String, MarkdownError> {
    if markdown.len() > LONGEST {
        return Err(MarkdownError::TooLong);
    }
    let markdown = markdown.replace("\r\n", "\n");
    let mut hints = String::new();
    let mut questions = Vec::new();
    for question in split_questions(&markdown) {
        let text = convert(&question, &mut hints)?;
        questions.push(gathered(&text).unwrap_or(text));
    }
    let mut problem = format!("<problem>\n{}", questions.join("\n\n"));
    if !hints.is_empty() {
        let _ = write!(problem, "\n<demandhint>\n{hints}</demandhint>");
    }
    problem.push_str("\n</problem>");
    Ok(problem)
}

/// Parts between lines of three dashes.
fn split_questions(markdown: &str) -> Vec<String> {
    let mut parts = vec![Vec::new()];
    for line in markdown.split('\n') {
        if line.trim_end() == "---" {
            parts.push(Vec::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(line);
        }
    }
    parts.iter().map(|lines| lines.join("\n")).collect()
}

/// One question, as far as text alone goes.
fn convert(question: &str, hints: &mut String) -> Result<String, MarkdownError> {
    let text = headings(question);
    let text = labels(&text);
    let text = demand_hints(&text, hints);
    let text = joined_feedback(&text);
    let text = choices::dropdowns(&text)?;
    let text = choices::single(&text)?;
    let text = choices::several(&text)?;
    let text = answers::replace(&text);
    let text = explanations(&text);
    let text = bracketed(&text, "code", |inner| {
        format!("<pre><code>{inner}</code></pre>")
    });
    let text = paragraphs(&text);
    Ok(text.replace("\n\n\n", "\n"))
}

/// A line over a line of `==` is a heading.
fn headings(text: &str) -> String {
    let rule = |line: &str| line.len() >= 2 && line.bytes().all(|byte| byte == b'=');
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        match lines.last_mut() {
            Some(title) if rule(line) => {
                if !title.starts_with("<h3 ") {
                    *title = format!(r#"<h3 class="hd hd-2 problem-header">{title}</h3>"#);
                }
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// `>>question||description<<`.
fn labels(text: &str) -> String {
    replace_spans(text, ">>", "<<", |inner| {
        let mut parts = inner.split("||");
        let mut label = format!("<label>{}</label>\n", parts.next().unwrap_or_default());
        if let Some(description) = parts.next().filter(|text| !text.is_empty()) {
            let _ = writeln!(label, "<description>{description}</description>");
        }
        Some(label)
    })
}

/// Lines `|| hint ||` go to the end of the problem.
fn demand_hints(text: &str, hints: &mut String) -> String {
    let hint = |line: &str| -> Option<String> {
        let rest = line.trim_matches(is_space).strip_prefix("||")?;
        let inner = rest.strip_suffix("||")?;
        Some(inner.trim_matches(is_space).to_owned())
    };
    let run = |lines: &[&str]| {
        for hint in lines.iter().filter_map(|line| hint(line)) {
            let _ = writeln!(hints, "  <hint>{hint}</hint>");
        }
        Ok::<_, std::convert::Infallible>(String::new())
    };
    let Ok(text) = scan::replace_runs(text, |line| hint(line).is_some(), run);
    text
}

/// Feedback in `{{…}}` comes onto one line.
fn joined_feedback(text: &str) -> String {
    replace_spans(text, "{{", "}}", |inner| {
        let mut lines = inner.split('\n');
        let mut joined = format!("{{{{{}", lines.next().unwrap_or_default());
        for line in lines {
            joined.push(' ');
            joined.push_str(line.trim_start_matches([' ', '\t']));
        }
        joined.push_str("}}");
        Some(joined)
    })
}

/// `[explanation]…[explanation]`.
fn explanations(text: &str) -> String {
    bracketed(text, "explanation", |inner| {
        format!(
            "<solution>\n<div class=\"detailed-solution\">\nExplanation\n\n{inner}\n</div>\n</solution>"
        )
    })
}

/// What stands between `[name]` and `[name]` or `[/name]`, whatever the case, without a bracket between.
fn bracketed(text: &str, name: &str, replaced: impl Fn(&str) -> String) -> String {
    let lower = text.to_ascii_lowercase();
    let open = format!("[{name}]");
    let closings = [open.clone(), format!("[/{name}]")];
    let mut out = String::new();
    let mut from = 0;
    while let Some(start) = find_from(&lower, &open, from) {
        let inner_from = start + open.len();
        let inner_to = find_from(&lower, "]", inner_from)
            .and_then(|end| lower.get(inner_from..=end))
            .and_then(|inner| {
                let closing = closings.iter().find(|closing| inner.ends_with(*closing))?;
                Some((inner_from + inner.len() - closing.len(), closing.len()))
            });
        if let Some((end, closing)) = inner_to {
            out.push_str(text.get(from..start).unwrap_or_default());
            let inner = text.get(inner_from..end).unwrap_or_default();
            out.push_str(&replaced(inner.strip_prefix('\n').unwrap_or(inner)));
            from = end + closing;
        } else {
            out.push_str(text.get(from..inner_from).unwrap_or_default());
            from = inner_from;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

fn find_from(text: &str, needle: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find(needle).map(|at| at + from)
}

/// Lines that begin no element become paragraphs, but in scripts, code, labels and descriptions.
fn paragraphs(text: &str) -> String {
    let mut out = String::new();
    let (mut rest, mut open) = (text, false);
    while !rest.is_empty() {
        let (before, tag) = match next_tag(rest) {
            Some((start, end)) => (rest.get(..start), rest.get(start..end)),
            None => (Some(rest), None),
        };
        let before = before.unwrap_or_default();
        if open {
            out.push_str(before);
        } else {
            let lines: Vec<String> = before.split('\n').map(paragraph).collect();
            out.push_str(&lines.join("\n"));
        }
        let tag = tag.unwrap_or_default();
        out.push_str(tag);
        if !tag.is_empty() {
            open = !tag.starts_with("</");
        }
        rest = rest.get(before.len() + tag.len()..).unwrap_or_default();
    }
    out
}

fn paragraph(line: &str) -> String {
    if line.is_empty() || line.trim_start_matches(is_space).starts_with('<') {
        line.to_owned()
    } else {
        format!("<p>{line}</p>")
    }
}

/// Where the next tag of an element that stays as it is begins and ends.
fn next_tag(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(start) = find_from(text, "<", from) {
        let name = text.get(start + 1..).unwrap_or_default();
        let name = name.strip_prefix('/').unwrap_or(name);
        if AS_THEY_ARE.iter().any(|known| name.starts_with(known)) {
            let line = text.get(start..).unwrap_or_default();
            let line = line.split('\n').next().unwrap_or_default();
            if let Some(end) = line.find('>') {
                return Some((start, start + end + 1));
            }
        }
        from = start + 1;
    }
    None
}

/// A question with exactly one response has everything inside it; `None` where it has several, or is no XML.
fn gathered(text: &str) -> Option<String> {
    let mut tree = xml::parse(&format!("<prob>{text}</prob>")).ok()?;
    let root = tree.root();
    let responses = tree.descendants(root, &|tag| RESPONSES.contains(&tag));
    let &[response] = responses.as_slice() else {
        return None;
    };
    let siblings: Vec<NodeId> = tree
        .children(root)
        .iter()
        .copied()
        .filter(|child| tree.is_element(*child))
        .collect();
    let input = tree
        .children(response)
        .iter()
        .copied()
        .find(|child| tree.is_element(*child));
    let mut before = true;
    for sibling in siblings {
        if tree.tag(sibling) == tree.tag(response) {
            before = false;
            continue;
        }
        tree.node_mut(sibling).tail = None;
        match input.filter(|_| before).and_then(|input| tree.index(input)) {
            Some(place) => tree.insert(response, place, sibling),
            None => tree.append(response, sibling),
        }
    }
    Some(one_tag_a_line(&tree.to_text(response, false)))
}

/// A tag that follows an end tag at once gets a line of its own.
fn one_tag_a_line(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let mut out = String::new();
        let mut rest = line;
        while let Some((start, end)) = closing_before_tag(rest) {
            out.push_str(rest.get(..start).unwrap_or_default());
            out.push('\n');
            // The tag that follows is taken along: it is not looked at as an end tag again.
            out.push_str(rest.get(start..end).unwrap_or_default());
            rest = rest.get(end..).unwrap_or_default();
        }
        out.push_str(rest);
        out
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Behind an end tag: where a tag begins that follows some `>` at once, and where it ends.
fn closing_before_tag(line: &str) -> Option<(usize, usize)> {
    let closing = line.find("</")?;
    let start = find_from(line, "><", closing)? + 1;
    let end = find_from(line, ">", start)? + 1;
    Some((start, end))
}

#[cfg(test)]
mod tests;
