//! Dropdowns, single and several choices (contract §14, 5 to 7).

use std::fmt::Write as _;

use super::MarkdownError;
use super::scan::{feedback, is_space, replace_runs, replace_spans};

/// `[[a, (b), c]]` on one line, or an option a line.
pub(super) fn dropdowns(text: &str) -> Result<String, MarkdownError> {
    let mut blank = false;
    let replaced = replace_spans(text, "[[", "]]", |inner| {
        let options = if inner.contains('\n') {
            dropdown_lines(inner, &mut blank)
        } else {
            dropdown_list(inner, &mut blank)
        };
        Some(format!(
            "\n<optionresponse>\n{options}</optionresponse>\n\n"
        ))
    });
    if blank {
        return Err(MarkdownError::BlankOption);
    }
    Ok(replaced)
}

/// The text in parentheses, if that is all of it.
fn in_parentheses(text: &str) -> Option<&str> {
    text.strip_prefix('(')?.strip_suffix(')')
}

fn dropdown_list(inner: &str, blank: &mut bool) -> String {
    let options: Vec<&str> = inner
        .split(',')
        .enumerate()
        .map(|(index, option)| match index {
            0 => option,
            _ => option.trim_start_matches(is_space),
        })
        .collect();
    let mut correct = None;
    let names: Vec<String> = options
        .iter()
        .map(|option| {
            let bare = option.trim_matches(is_space);
            let name = match in_parentheses(bare) {
                Some(name) => {
                    correct.get_or_insert(name);
                    name
                }
                None => option,
            };
            *blank |= name.trim_matches(is_space).is_empty();
            format!("'{name}'")
        })
        .collect();
    format!(
        "  <optioninput options=\"({})\" correct=\"{}\"></optioninput>\n",
        names.join(","),
        correct.unwrap_or_default()
    )
}

fn dropdown_lines(inner: &str, blank: &mut bool) -> String {
    let mut options = "  <optioninput>\n".to_owned();
    for line in inner.split('\n') {
        let line = line.trim_matches(is_space);
        if line.is_empty() {
            continue;
        }
        let found = feedback(line);
        let (name, correct) = match in_parentheses(&found.line) {
            Some(name) => (name, "True"),
            None => (found.line.as_str(), "False"),
        };
        *blank |= name.trim_matches(is_space).is_empty();
        let hint = if found.hint.is_empty() {
            String::new()
        } else {
            format!(" <optionhint{}>{}</optionhint>", found.label, found.hint)
        };
        let _ = writeln!(
            options,
            "    <option correct=\"{correct}\">{name}{hint}</option>"
        );
    }
    options.push_str("  </optioninput>\n");
    options
}

/// What stands in the brackets at the beginning of a line, at most `longest` characters, and the rest.
fn bracket(line: &str, open: char, close: char, longest: usize) -> Option<(&str, &str)> {
    let inner = line.trim_start_matches(is_space).strip_prefix(open)?;
    // The longest pair counts, as `(a)b)` may begin.
    let end = inner
        .char_indices()
        .take(longest + 1)
        .filter(|(_, char)| *char == close)
        .last()?
        .0;
    let rest = inner.get(end + close.len_utf8()..)?;
    Some((inner.get(..end)?, rest.trim_matches(is_space)))
}

/// Lines `( )` and `(x)`.
pub(super) fn single(text: &str) -> Result<String, MarkdownError> {
    replace_runs(
        text,
        |line| bracket(line, '(', ')', 3).is_some(),
        |lines| {
            let (mut choices, mut shuffle) = (String::new(), "");
            for (marks, value) in lines.iter().filter_map(|line| bracket(line, '(', ')', 3)) {
                if value.is_empty() {
                    return Err(MarkdownError::BlankOption);
                }
                let correct = marks.contains(['x', 'X']);
                let fixed = if marks.contains('@') {
                    " fixed=\"true\""
                } else {
                    ""
                };
                if marks.contains('!') {
                    shuffle = " shuffle=\"true\"";
                }
                let found = feedback(value);
                let hint = if found.hint.is_empty() {
                    String::new()
                } else {
                    format!(" <choicehint{}>{}</choicehint>", found.label, found.hint)
                };
                let value = if hint.is_empty() { value } else { &found.line };
                let _ = writeln!(
                    choices,
                    "    <choice correct=\"{correct}\"{fixed}>{value}{hint}</choice>"
                );
            }
            Ok(format!(
                "<multiplechoiceresponse>\n  <choicegroup type=\"MultipleChoice\"{shuffle}>\n{choices}\
                 \x20 </choicegroup>\n</multiplechoiceresponse>\n\n"
            ))
        },
    )
}

/// `{{ ((A B)) text }}`: the choices and the text.
fn compound(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim_start_matches(is_space).strip_prefix("{{")?;
    let inner = inner.trim_start_matches(is_space).strip_prefix("((")?;
    let (choices, rest) = inner.split_once("))")?;
    let (text, _) = rest.split_once("}}")?;
    Some((choices.trim_matches(is_space), text.trim_matches(is_space)))
}

fn is_check(line: &str) -> bool {
    let feedback = line.trim_start_matches(is_space).starts_with("{{") && line.contains("}}");
    bracket(line, '[', ']', 1).is_some() || feedback
}

/// Lines `[ ]` and `[x]`.
pub(super) fn several(text: &str) -> Result<String, MarkdownError> {
    replace_runs(text, is_check, |lines| {
        let (mut choices, mut ends) = (String::new(), String::new());
        for line in lines {
            if let Some((names, text)) = compound(line) {
                let _ = writeln!(
                    ends,
                    "    <compoundhint value=\"{names}\">{text}</compoundhint>"
                );
                continue;
            }
            let Some((mark, value)) = bracket(line, '[', ']', 1) else {
                continue;
            };
            if value.is_empty() {
                return Err(MarkdownError::BlankOption);
            }
            let correct = mark.eq_ignore_ascii_case("x");
            let found = feedback(value);
            let inner = format!("{{{}}}", found.hint);
            let mut hints = String::new();
            for (names, selected) in [
                (["s:", "selected:"], "true"),
                (["u:", "unselected:"], "false"),
            ] {
                if let Some(text) = part(&inner, names) {
                    let _ = write!(
                        hints,
                        "\n      <choicehint selected=\"{selected}\">{text}</choicehint>"
                    );
                }
            }
            let value = if hints.is_empty() { value } else { &found.line };
            let _ = writeln!(
                choices,
                "    <choice correct=\"{correct}\">{value}{hints}</choice>"
            );
        }
        Ok(format!(
            "<choiceresponse>\n  <checkboxgroup>\n{choices}{ends}  </checkboxgroup>\n</choiceresponse>\n\n"
        ))
    })
}

/// The text of the first `{name: text}` in feedback.
fn part<'a>(inner: &'a str, names: [&str; 2]) -> Option<&'a str> {
    inner.match_indices('{').find_map(|(at, _)| {
        let rest = inner.get(at + 1..)?.trim_start_matches(is_space);
        let text = names.iter().find_map(|name| {
            let begin = rest.get(..name.len())?;
            begin
                .eq_ignore_ascii_case(name)
                .then(|| rest.get(name.len()..))?
        })?;
        Some(text.split_once('}')?.0.trim_matches(is_space))
    })
}
