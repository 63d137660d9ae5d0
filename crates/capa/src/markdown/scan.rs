//! Finding spans and feedback in lines.

/// What JavaScript's `\s` matches.
pub(super) fn is_space(char: char) -> bool {
    char.is_whitespace() || char == '\u{feff}'
}

/// Replaces the shortest spans between `open` and `close` with something in between. Where `replaced` gives
/// nothing the span stays.
pub(super) fn replace_spans(
    text: &str,
    open: &str,
    close: &str,
    mut replaced: impl FnMut(&str) -> Option<String>,
) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(open) {
        let inner_from = start + open.len();
        // At least one character stands between.
        let skip = rest
            .get(inner_from..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        let end = rest
            .get(inner_from + skip..)
            .and_then(|rest| rest.find(close))
            .map(|at| inner_from + skip + at);
        let Some(end) = end.filter(|_| skip > 0) else {
            break;
        };
        out.push_str(rest.get(..start).unwrap_or_default());
        let inner = rest.get(inner_from..end).unwrap_or_default();
        match replaced(inner) {
            Some(new) => out.push_str(&new),
            None => out.push_str(rest.get(start..end + close.len()).unwrap_or_default()),
        }
        rest = rest.get(end + close.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// A line with its feedback `{{ label:: text }}` taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Feedback {
    /// The line without it.
    pub(super) line: String,
    /// The text, empty where there is none.
    pub(super) hint: String,
    /// ` label="…"`, or empty.
    pub(super) label: String,
}

/// Takes the first feedback out of a line.
pub(super) fn feedback(line: &str) -> Feedback {
    let found = line.find("{{").and_then(|start| {
        let inner = line.get(start + 2..)?;
        let end = inner.find("}}")?;
        Some((
            line.get(..start)?.trim_end_matches(is_space),
            inner.get(..end)?,
            inner.get(end + 2..)?,
        ))
    });
    let Some((before, inner, after)) = found else {
        return Feedback {
            line: line.to_owned(),
            ..Feedback::default()
        };
    };
    let hint = inner.trim_matches(is_space);
    let (label, hint) = match hint.split_once("::") {
        Some((label, hint)) => (
            format!(" label=\"{}\"", label.trim_matches(is_space)),
            hint.trim_matches(is_space),
        ),
        None => (String::new(), hint),
    };
    Feedback {
        line: format!("{before}{after}"),
        hint: hint.to_owned(),
        label,
    }
}

/// Replaces runs of lines. `belongs` says whether a line is part of a run; blank lines before it, between its
/// lines and behind it go with it.
pub(super) fn replace_runs<E>(
    text: &str,
    belongs: impl Fn(&str) -> bool,
    mut replaced: impl FnMut(&[&str]) -> Result<String, E>,
) -> Result<String, E> {
    let blank = |line: &&&str| line.trim_matches(is_space).is_empty();
    let lines: Vec<&str> = text.split('\n').collect();
    let mut out = String::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let rest = lines.get(at..).unwrap_or_default();
        let before = rest.iter().take_while(blank).count();
        let run = rest.get(before..).unwrap_or_default();
        if !run.first().is_some_and(|line| belongs(line)) {
            out.push_str(line);
            at += 1;
            if at < lines.len() {
                out.push('\n');
            }
            continue;
        }
        let length = run
            .iter()
            .take_while(|line| belongs(line) || blank(line))
            .count();
        out.push_str(&replaced(run.get(..length).unwrap_or_default())?);
        at += before + length;
    }
    Ok(out)
}
