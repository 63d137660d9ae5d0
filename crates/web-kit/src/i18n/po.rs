//! Reader of gettext's `.po` files.

use std::collections::HashMap;

use super::Error;

/// One message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// `msgctxt`.
    pub context: Option<String>,
    /// `msgid`; empty for the header.
    pub id: String,
    /// `msgid_plural`.
    pub plural: Option<String>,
    /// `msgstr`, or `msgstr[0]…`.
    pub forms: Vec<String>,
    /// Marked fuzzy: a guess that nobody has confirmed, never shown.
    pub fuzzy: bool,
}

impl Entry {
    /// Whether every form has a text.
    #[must_use]
    pub fn is_translated(&self) -> bool {
        !self.forms.is_empty() && self.forms.iter().all(|form| !form.is_empty())
    }
}

/// A parsed file.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// Messages in the order of the file.
    pub entries: Vec<Entry>,
}

impl File {
    /// Fields of the header entry, names in lower case.
    #[must_use]
    pub fn header(&self) -> HashMap<String, String> {
        self.entries
            .iter()
            .find(|entry| entry.id.is_empty() && entry.context.is_none())
            .and_then(|entry| entry.forms.first())
            .map(|text| {
                text.lines()
                    .filter_map(|line| line.split_once(':'))
                    .map(|(name, value)| {
                        (name.trim().to_ascii_lowercase(), value.trim().to_owned())
                    })
                    .collect()
            })
            .unwrap_or_default()
    }
}

/// Which text the following quoted lines continue.
#[derive(Clone, Copy)]
enum Part {
    Context,
    Id,
    Plural,
    Form(usize),
}

/// Reads a file; `name` stands in errors.
pub fn parse(name: &str, text: &str) -> Result<File, Error> {
    let mut file = File::default();
    let mut entry = Entry::default();
    let mut part: Option<Part> = None;
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim_start_matches('\u{feff}').trim();
        let syntax = |text: &str| Error::Syntax {
            file: name.to_owned(),
            line: index + 1,
            text: text.to_owned(),
        };
        if line.is_empty() {
            finish(&mut file, &mut entry, &mut part);
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            if matches!(part, Some(Part::Form(_))) {
                finish(&mut file, &mut entry, &mut part);
            }
            if comment.starts_with(',') && comment.contains("fuzzy") {
                entry.fuzzy = true;
            }
            continue;
        }
        if line.starts_with('"') {
            let current = part.ok_or_else(|| syntax("a text without a keyword"))?;
            append(
                &mut entry,
                current,
                &unquote(line).ok_or_else(|| syntax("bad quotes"))?,
            );
            continue;
        }
        let (keyword, rest) = line
            .split_once(char::is_whitespace)
            .ok_or_else(|| syntax("unknown line"))?;
        let value = unquote(rest.trim()).ok_or_else(|| syntax("bad quotes"))?;
        let next = match keyword {
            "msgctxt" => Part::Context,
            "msgid" => Part::Id,
            "msgid_plural" => Part::Plural,
            "msgstr" => Part::Form(0),
            _ => keyword
                .strip_prefix("msgstr[")
                .and_then(|rest| rest.strip_suffix(']'))
                .and_then(|number| number.parse().ok())
                .filter(|number| *number < 8)
                .map(Part::Form)
                .ok_or_else(|| syntax("unknown keyword"))?,
        };
        let starts_anew = matches!(next, Part::Context)
            || (matches!(next, Part::Id) && !matches!(part, Some(Part::Context)));
        if starts_anew && matches!(part, Some(Part::Form(_))) {
            finish(&mut file, &mut entry, &mut part);
        }
        append(&mut entry, next, &value);
        part = Some(next);
    }
    finish(&mut file, &mut entry, &mut part);
    Ok(file)
}

fn finish(file: &mut File, entry: &mut Entry, part: &mut Option<Part>) {
    if part.take().is_some() {
        file.entries.push(std::mem::take(entry));
    }
}

fn append(entry: &mut Entry, part: Part, text: &str) {
    match part {
        Part::Context => entry.context.get_or_insert_default().push_str(text),
        Part::Id => entry.id.push_str(text),
        Part::Plural => entry.plural.get_or_insert_default().push_str(text),
        Part::Form(index) => {
            while entry.forms.len() <= index {
                entry.forms.push(String::new());
            }
            if let Some(form) = entry.forms.get_mut(index) {
                form.push_str(text);
            }
        }
    }
}

fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter == '"' {
            return None;
        }
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        plain.push(match letters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            other => other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_contexts_plurals_and_continued_texts() {
        let file = parse(
            "x",
            "msgid \"\"\nmsgstr \"A: b\\n\"\n\"C-D: e\\n\"\n\n#, fuzzy\nmsgid \"f\"\nmsgstr \"g\"\nmsgctxt \"c\"\nmsgid \"\"\n\"two \"\n\"parts\"\nmsgstr \"q\\\"q\"\n#~ msgid \"old\"\n",
        )
        .unwrap();
        assert_eq!(file.header().get("c-d").map(String::as_str), Some("e"));
        assert!(file.entries[1].fuzzy);
        assert_eq!(file.entries[2].context.as_deref(), Some("c"));
        assert_eq!(file.entries[2].id, "two parts");
        assert_eq!(file.entries[2].forms, ["q\"q"]);
    }

    #[test]
    fn names_the_line_of_an_error() {
        let error = parse("a.po", "msgid \"x\"\nmsgstr \"y\n")
            .unwrap_err()
            .to_string();
        assert_eq!(error, "a.po:2: bad quotes");
    }

    proptest! {
        #[test]
        fn never_panics(text in "(msgid|msgstr|msgctxt|\\[1\\]|\"|\\\\|\n| |a|#)*") {
            let _ = parse("x", &text);
        }
    }
}
