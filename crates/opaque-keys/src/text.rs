//! Character classes of keys, cleaning of names, quoting of slashes (courseware.md §1.3–§1.5).

use std::sync::LazyLock;

use regex::Regex;

/// Whether `c` is a word character of Python's `\w`: a letter, a number of any kind, or `_`.
///
/// Unlike [`char::is_alphanumeric`] this leaves out combining marks and enclosed letters.
#[must_use]
#[expect(clippy::expect_used, reason = "the pattern is constant and tested")]
pub fn is_word_char(c: char) -> bool {
    static WORD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}]").expect("constant pattern"));
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    // Most other characters are settled by the standard library; its set is a superset of `\w`.
    c.is_alphanumeric() && WORD.is_match(c.encode_utf8(&mut [0; 4]))
}

/// Whether `c` may stand in a part of a key: `[\w\-~.:]`.
pub(crate) fn is_id_char(c: char) -> bool {
    matches!(c, '-' | '~' | '.' | ':') || is_word_char(c)
}

/// Whether `c` may stand in an asset's or a deprecated block's name: `[\w\-~.:%]`.
pub(crate) fn is_name_char(c: char) -> bool {
    c == '%' || is_id_char(c)
}

/// Whether `c` may stand in a part of a deprecated course key: `[\w.%-]`.
pub(crate) fn is_deprecated_char(c: char) -> bool {
    matches!(c, '-' | '.' | '%') || is_word_char(c)
}

/// Whether `text` is one or more characters that `allowed` accepts.
pub(crate) fn all_of(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

/// Like [`all_of`], but one newline at the end passes: v2 library keys are checked with Python's `$`.
pub(crate) fn all_of_line(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    all_of(text.strip_suffix('\n').unwrap_or(text), allowed)
}

/// Whether `text` is 24 lower-case hex digits: the print of a document id.
pub(crate) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn replace_others(text: &str, allowed: impl Fn(char) -> bool, collapse: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if allowed(c) { c } else { '_' };
        if !(collapse && c == '_' && out.ends_with('_')) {
            out.push(c);
        }
    }
    out
}

/// `text` as a name of deprecated keys: characters outside `[\w.%-]` become `_`, runs of `_` one.
#[must_use]
pub fn clean(text: &str) -> String {
    replace_others(text, is_deprecated_char, true)
}

/// Like [`clean`] without collapsing `_`: for asset names, where video ids may hold several.
#[must_use]
pub fn clean_keeping_underscores(text: &str) -> String {
    replace_others(text, is_deprecated_char, false)
}

/// Like [`clean`], and colons stay: for `url_name`s (olx.md §2).
#[must_use]
pub fn clean_for_url_name(text: &str) -> String {
    replace_others(text, |c| c == ':' || is_deprecated_char(c), true)
}

/// `text` as an HTML id: characters outside `[\w-]` become `_`, runs of `_` one.
#[must_use]
pub fn clean_for_html(text: &str) -> String {
    replace_others(text, |c| c == '-' || is_word_char(c), true)
}

/// `text` without slashes, for use in one path segment: `;` becomes `;;`, `/` becomes `;_`.
#[must_use]
pub fn quote_slashes(text: &str) -> String {
    text.replace(';', ";;").replace('/', ";_")
}

/// Undoes [`quote_slashes`]; a `;` before any other character stays.
#[must_use]
pub fn unquote_slashes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(';') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let (replacement, taken) = match tail.as_bytes().get(1) {
            Some(b';') => (';', 2),
            Some(b'_') => ('/', 2),
            _ => (';', 1),
        };
        out.push(replacement);
        rest = tail.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
