//! Checks for tests: templates say nothing untranslated, and catalogues lack nothing that is said.

use std::collections::BTreeSet;

use super::Catalogues;

/// Attributes that people hear or see.
const SPOKEN: [&str; 7] = [
    "aria-label",
    "aria-valuetext",
    "aria-roledescription",
    "alt",
    "title",
    "placeholder",
    "label",
];
/// Elements whose insides are no prose.
const SILENT: [&str; 6] = ["script", "style", "svg", "code", "pre", "kbd"];

/// Texts in templates that do not go through translation, each with its template and line.
#[must_use]
pub fn bare_texts(sources: &[(String, String)]) -> Vec<String> {
    sources
        .iter()
        .flat_map(|(name, source)| {
            let plain = blank_out_expressions(source);
            texts_of(&plain)
                .into_iter()
                .filter(|(_, text)| text.chars().any(char::is_alphabetic))
                .map(|(line, text)| format!("{name}:{line}: not translated: {text:?}"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Replaces everything between template delimiters by blanks, lines kept.
fn blank_out_expressions(source: &str) -> String {
    let mut plain = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = ["{{", "{%", "{#"]
        .iter()
        .filter_map(|open| rest.find(open))
        .min()
    {
        let (before, after) = rest.split_at(start);
        plain.push_str(before);
        let close = match after.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            _ => "#}",
        };
        let end = after.find(close).map_or(after.len(), |end| end + 2);
        let (expression, tail) = after.split_at(end);
        plain.extend(
            expression
                .chars()
                .map(|letter| if letter == '\n' { '\n' } else { ' ' }),
        );
        rest = tail;
    }
    plain.push_str(rest);
    plain
}

/// Line and text of what stands between tags and in spoken attributes.
fn texts_of(html: &str) -> Vec<(usize, String)> {
    let mut texts = Vec::new();
    let mut rest = html;
    let line_at = |rest: &str| {
        html.len().checked_sub(rest.len()).map_or(1, |at| {
            html.get(..at).unwrap_or_default().matches('\n').count() + 1
        })
    };
    while !rest.is_empty() {
        let open = rest.find('<').unwrap_or(rest.len());
        let (text, tail) = rest.split_at(open);
        let without_entities: String = strip_entities(text);
        if !without_entities.trim().is_empty() {
            let leading = text.len() - text.trim_start().len();
            texts.push((
                line_at(rest.get(leading..).unwrap_or(rest)),
                without_entities.trim().to_owned(),
            ));
        }
        let Some(end) = tail.find('>') else { break };
        let (tag, after) = tail.split_at(end + 1);
        for attribute in SPOKEN {
            if let Some((_, value)) = tag.split_once(&format!(" {attribute}=\""))
                && let Some((value, _)) = value.split_once('"')
                && !tag.starts_with("<meta name=\"viewport\"")
            {
                texts.push((line_at(tail), value.trim().to_owned()));
            }
        }
        rest = after;
        let name: String = tag
            .chars()
            .skip(1)
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if SILENT.contains(&name.as_str()) && !tag.ends_with("/>") {
            let close = format!("</{name}>");
            let end = rest
                .find(&close)
                .map_or(rest.len(), |end| end + close.len());
            rest = rest.get(end..).unwrap_or_default();
        }
    }
    texts
}

fn strip_entities(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        rest = after.split_once(';').map_or(after, |(_, tail)| tail);
    }
    plain.push_str(rest);
    plain
}

/// A text that a source asks for: context, text, plural.
type Message = (Option<String>, String, Option<String>);

/// Texts that templates or Rust sources ask a catalogue for.
#[must_use]
pub fn messages(source: &str) -> BTreeSet<Message> {
    let mut found = BTreeSet::new();
    for (call, arguments) in [
        ("ngettext(", 2),
        ("pgettext(", 2),
        ("_(", 1),
        (".gettext(", 1),
    ] {
        for (at, _) in source.match_indices(call) {
            let before = source.get(..at).and_then(|head| head.chars().next_back());
            if call != ".gettext(" && before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            {
                continue;
            }
            let rest = source.get(at + call.len()..).unwrap_or_default();
            let texts = literals(rest, arguments);
            match (call, texts.as_slice()) {
                ("ngettext(", [one, many]) => found.insert((None, one.clone(), Some(many.clone()))),
                ("pgettext(", [context, text]) => {
                    found.insert((Some(context.clone()), text.clone(), None))
                }
                ("_(" | ".gettext(", [text]) => found.insert((None, text.clone(), None)),
                _ => false,
            };
        }
    }
    found
}

/// The first `count` string literals of an argument list.
fn literals(text: &str, count: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while found.len() < count {
        let Some(quote) = rest
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''))
        else {
            break;
        };
        let Some((literal, tail)) = rest.get(1..).and_then(|inner| inner.split_once(quote)) else {
            break;
        };
        found.push(literal.to_owned());
        rest = tail.trim_start().trim_start_matches(',').trim_start();
    }
    found
}

/// Messages of sources that a language other than English does not have, as entries ready to be filled in.
#[must_use]
pub fn missing_translations(sources: &[(String, String)], catalogues: &Catalogues) -> Vec<String> {
    let mut missing = Vec::new();
    let all: BTreeSet<Message> = sources
        .iter()
        .flat_map(|(_, source)| messages(source))
        .collect();
    for locale in catalogues.iter().filter(|locale| locale.code() != "en") {
        for (context, text, plural) in &all {
            if locale.lookup(context.as_deref(), text).is_some() {
                continue;
            }
            let context = context
                .as_ref()
                .map(|context| format!("msgctxt \"{context}\"\n"))
                .unwrap_or_default();
            let plural = plural
                .as_ref()
                .map(|plural| format!("\nmsgid_plural \"{plural}\""))
                .unwrap_or_default();
            missing.push(format!(
                "{}: {context}msgid \"{text}\"{plural}",
                locale.code()
            ));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_bare_texts() {
        let source = "<p>{{ _(\"Fine\") }} · 3</p>\n<a title=\"Bad\" href=\"/good\">&nbsp;</a>\n<b>Also bad</b><code>ok</code>";
        let found = bare_texts(&[("x.html".to_owned(), source.to_owned())]);
        assert_eq!(
            found,
            [
                "x.html:2: not translated: \"Bad\"",
                "x.html:3: not translated: \"Also bad\""
            ]
        );
    }

    #[test]
    fn finds_messages() {
        let source = "{{ _('A {n}', n=1) }}{{ ngettext(\"{count} x\", \"{count} xs\", n) }}{{ pgettext('c', 'B') }} locale.gettext(\"C\") foo_(\"no\")";
        let found: Vec<_> = messages(source)
            .into_iter()
            .map(|(_, text, _)| text)
            .collect();
        assert_eq!(found, ["A {n}", "C", "{count} x", "B"]);
    }
}
