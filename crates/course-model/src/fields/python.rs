//! How Python reads and prints numbers, texts and JSON, where stored values depend on it.

use std::fmt::Write as _;
use std::sync::LazyLock;

use opaque_keys::decimal_value;
use regex::Regex;
use serde_json::Value;

/// White space that Python strips and splits at.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// A number as `int()` reads it: whole, or beyond 64 bits an approximation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Int {
    Exact(i64),
    Large(f64),
}

impl Int {
    pub(crate) fn value(self) -> Value {
        match self {
            Self::Exact(value) => Value::from(value),
            Self::Large(value) => Value::from(value),
        }
    }
}

/// Text with its digits as ASCII and without underscores between digits; `None` when one stands elsewhere.
fn plain_digits(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut after_digit = false;
    let mut underscore = false;
    for c in text.trim_matches(is_space).chars() {
        if c == '_' {
            if !after_digit || underscore {
                return None;
            }
            underscore = true;
            continue;
        }
        let digit = decimal_value(c);
        if underscore && digit.is_none() {
            return None;
        }
        underscore = false;
        after_digit = digit.is_some();
        match digit.and_then(|value| char::from_digit(value, 10)) {
            Some(c) => out.push(c),
            None => out.push(c),
        }
    }
    (!underscore).then_some(out)
}

/// `int(text)`.
pub(crate) fn parse_int(text: &str) -> Option<Int> {
    let text = plain_digits(text)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) || digits.len() > 4300 {
        return None;
    }
    match text.parse() {
        Ok(value) => Some(Int::Exact(value)),
        Err(_) => text.parse().ok().map(Int::Large),
    }
}

/// `float(text)`.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = plain_digits(text)?;
    // Rust reads all that Python reads and nothing else, once digits are plain.
    text.parse().ok()
}

/// `int(number)`: cut off towards zero; `None` for a number that is not finite.
pub(crate) fn truncate(number: f64) -> Option<Int> {
    if !number.is_finite() {
        return None;
    }
    let whole = number.trunc();
    // The largest doubles below 2^63 are whole multiples of 1024.
    if whole.abs() < 9.2e18 {
        Some(Int::Exact(whole as i64))
    } else {
        Some(Int::Large(whole))
    }
}

/// `repr(number)`.
#[must_use]
pub fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let text = format!("{number}");
    if text.contains('.') {
        text
    } else {
        text + ".0"
    }
}

/// `repr(text)`.
#[must_use]
#[expect(clippy::expect_used, reason = "the pattern is constant and tested")]
pub fn text_repr(text: &str) -> String {
    static HIDDEN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[\p{C}\p{Z}]$").expect("constant pattern"));
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            c if HIDDEN.is_match(c.encode_utf8(&mut [0; 4])) => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// A text as `json.dumps` writes it.
fn json_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// How `json.dumps` lays JSON out.
#[derive(Clone, Copy)]
enum Layout {
    /// `, ` and `: ` on one line.
    Line,
    /// Two blanks a level, keys sorted.
    Indented,
}

fn json_value(out: &mut String, value: &Value, layout: Layout, level: usize) {
    let open = |out: &mut String, first: bool| match layout {
        Layout::Line if first => {}
        Layout::Line => out.push_str(", "),
        Layout::Indented => {
            out.push_str(if first { "\n" } else { ",\n" });
            out.push_str(&"  ".repeat(level + 1));
        }
    };
    let close = |out: &mut String| {
        if matches!(layout, Layout::Indented) {
            out.push('\n');
            out.push_str(&"  ".repeat(level));
        }
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), _, _) => out.push_str(&value.to_string()),
            (_, Some(value), _) => out.push_str(&value.to_string()),
            (_, _, Some(value)) => out.push_str(&float_repr(value)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => json_text(out, text),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                open(out, index == 0);
                json_value(out, item, layout, level + 1);
            }
            close(out);
            out.push(']');
        }
        Value::Object(items) if items.is_empty() => out.push_str("{}"),
        Value::Object(items) => {
            let mut items: Vec<_> = items.iter().collect();
            if matches!(layout, Layout::Indented) {
                items.sort_by_key(|(key, _)| *key);
            }
            out.push('{');
            for (index, (key, item)) in items.into_iter().enumerate() {
                open(out, index == 0);
                json_text(out, key);
                out.push_str(": ");
                json_value(out, item, layout, level + 1);
            }
            close(out);
            out.push('}');
        }
    }
}

/// `json.dumps(value)`: `, ` and `: `, order of keys kept, everything outside ASCII escaped.
#[must_use]
pub fn json_dumps(value: &Value) -> String {
    let mut out = String::new();
    json_value(&mut out, value, Layout::Line, 0);
    out
}

/// `json.dumps(value, indent=2, sort_keys=True, separators=(',', ': '))`.
#[must_use]
pub fn json_dumps_indented(value: &Value) -> String {
    let mut out = String::new();
    json_value(&mut out, value, Layout::Indented, 0);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // olx.md §4
    #[test]
    fn numbers_print_like_python() {
        for (number, text) in [
            (1.0, "1.0"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (1e-5, "1e-05"),
            (12345.678, "12345.678"),
            (-0.0, "-0.0"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(float_repr(number), text);
        }
    }

    // courseware.md §18
    #[test]
    fn numbers_read_like_python() {
        assert_eq!(parse_int(" 1_000\n"), Some(Int::Exact(1000)));
        assert_eq!(parse_int("٣"), Some(Int::Exact(3)));
        for text in ["", "1.0", "_1", "1_", "1__0", "--1", "0x10", "½"] {
            assert_eq!(parse_int(text), None, "{text}");
        }
        assert_eq!(parse_float("1_0.5"), Some(10.5));
        assert_eq!(parse_float("1._5"), None);
    }

    // olx.md §4
    #[test]
    fn json_prints_like_python() {
        let value = json!({"b": [1, 2.0, null, true], "a": "é\u{7f}😀"});
        assert_eq!(
            json_dumps(&value),
            r#"{"b": [1, 2.0, null, true], "a": "\u00e9\u007f\ud83d\ude00"}"#
        );
        assert_eq!(text_repr("it's\n"), "\"it's\\n\"");
        assert_eq!(text_repr("\u{a0}"), "'\\xa0'");
    }
}
