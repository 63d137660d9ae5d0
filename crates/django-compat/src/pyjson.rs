//! JSON texts as Python's `json.dumps` writes them, and `repr()` of a text.
//!
//! Signed values, login cookies and the platform's plain JSON answers are compared byte for byte by their readers'
//! tests, so separators, escapes and number forms follow Python (contracts/identity.md §1, §1.1, §2.1).

use std::fmt::Write as _;

use serde_json::Value;

/// How [`dumps`] lays a value out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Text between items.
    pub item_separator: &'static str,
    /// Text between a key and its value.
    pub key_separator: &'static str,
    /// Blanks a level, or one line.
    pub indent: Option<usize>,
    /// Whether characters beyond ASCII are written as `\uXXXX`.
    pub ensure_ascii: bool,
}

impl Style {
    /// `separators=(",", ":")`, as Django's signing uses.
    pub const COMPACT: Self = Self {
        item_separator: ",",
        key_separator: ":",
        indent: None,
        ensure_ascii: true,
    };
    /// Python's default: `", "` and `": "` on one line.
    pub const DEFAULT: Self = Self {
        item_separator: ", ",
        key_separator: ": ",
        indent: None,
        ensure_ascii: true,
    };
    /// The platform's `JsonResponse`: two blanks a level, `\uXXXX` escapes.
    pub const PLATFORM: Self = Self {
        item_separator: ",",
        key_separator: ": ",
        indent: Some(2),
        ensure_ascii: true,
    };
    /// REST framework's renderer: compact, raw UTF-8.
    pub const REST: Self = Self {
        item_separator: ",",
        key_separator: ":",
        indent: None,
        ensure_ascii: false,
    };
}

/// `json.dumps(value)` in a style.
#[must_use]
pub fn dumps(value: &Value, style: Style) -> String {
    let mut out = String::new();
    write_value(&mut out, value, style, 0);
    out
}

fn write_value(out: &mut String, value: &Value, style: Style, depth: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_text(out, text, style.ensure_ascii),
        Value::Array(items) => {
            if items.is_empty() {
                out.push_str("[]");
                return;
            }
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(out, style, depth + 1, index == 0);
                write_value(out, item, style, depth + 1);
            }
            close(out, style, depth);
            out.push(']');
        }
        Value::Object(map) => {
            if map.is_empty() {
                out.push_str("{}");
                return;
            }
            out.push('{');
            for (index, (key, item)) in map.iter().enumerate() {
                separate(out, style, depth + 1, index == 0);
                write_text(out, key, style.ensure_ascii);
                out.push_str(style.key_separator);
                write_value(out, item, style, depth + 1);
            }
            close(out, style, depth);
            out.push('}');
        }
    }
}

fn separate(out: &mut String, style: Style, depth: usize, first: bool) {
    if !first {
        out.push_str(style.item_separator);
    }
    if let Some(width) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

fn close(out: &mut String, style: Style, depth: usize) {
    if let Some(width) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', width * depth));
    }
}

fn number_text(number: &serde_json::Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    number
        .as_f64()
        .map_or_else(|| number.to_string(), float_repr)
}

/// `repr()` of a Python float: shortest digits, an exponent below `1e-4` and from `1e16` on.
#[must_use]
pub fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{number}");
    if plain.contains('.') {
        plain
    } else {
        format!("{plain}.0")
    }
}

fn write_text(out: &mut String, text: &str, ensure_ascii: bool) {
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ch if (ch as u32) < 0x20 || (ensure_ascii && (ch as u32) > 0x7e) => {
                let mut units = [0u16; 2];
                for unit in ch.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            ch => out.push(ch),
        }
    }
    out.push('"');
}

/// `repr()` of a Python text: single quotes unless only those occur inside.
#[must_use]
pub fn text_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for ch in text.chars() {
        match ch {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ch if ch == quote => {
                out.push('\\');
                out.push(ch);
            }
            ch if (ch as u32) < 0x20
                || ch == '\u{7f}'
                || ('\u{80}'..='\u{a0}').contains(&ch)
                || ch == '\u{ad}' =>
            {
                let _ = write!(out, "\\x{:02x}", ch as u32);
            }
            ch => out.push(ch),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn floats_as_python_writes_them() {
        for (number, text) in [
            (1.5, "1.5"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (0.0, "0.0"),
            (-2.0, "-2.0"),
            (1.25e-9, "1.25e-09"),
        ] {
            assert_eq!(float_repr(number), text);
        }
    }

    /// contracts/identity.md §1.1: the three JSON styles.
    #[test]
    fn styles() {
        let value = json!({"a": [1, "é"], "b": {}});
        assert_eq!(
            dumps(&value, Style::COMPACT),
            r#"{"a":[1,"\u00e9"],"b":{}}"#
        );
        assert_eq!(
            dumps(&value, Style::DEFAULT),
            r#"{"a": [1, "\u00e9"], "b": {}}"#
        );
        assert_eq!(dumps(&value, Style::REST), r#"{"a":[1,"é"],"b":{}}"#);
        assert_eq!(
            dumps(&value, Style::PLATFORM),
            "{\n  \"a\": [\n    1,\n    \"\\u00e9\"\n  ],\n  \"b\": {}\n}"
        );
    }

    #[test]
    fn text_representation() {
        assert_eq!(text_repr("a'b"), "\"a'b\"");
        assert_eq!(text_repr("a'\"b"), "'a\\'\"b'");
    }
}
