//! Python's conversions and texts, as far as policies and summaries show them.

use std::fmt::Write as _;

use serde_json::Value;

/// `int(value)`: whole part of numbers, digits of texts.
pub(crate) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Number(number) => number.as_i64().or_else(|| truncated(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// `float(value)`.
pub(crate) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number (or a truth value, which is one in Python) and nothing else.
pub(crate) fn number(value: &Value) -> Option<f64> {
    if value.is_string() {
        None
    } else {
        float(value)
    }
}

/// The whole part; out of range the nearest integer that there is.
pub(crate) fn truncated(value: f64) -> Option<i64> {
    value.is_finite().then_some(value as i64)
}

/// `bool(value)`.
pub(crate) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(entries) => !entries.is_empty(),
    }
}

/// `'{:.2%}'.format(value)`.
pub(crate) fn percent(value: f64) -> String {
    let value = value * 100.0;
    if value.is_finite() {
        format!("{value:.2}%")
    } else {
        format!("{}%", calc::float_text(value))
    }
}

/// `'{:.3n}'.format(value)`: three significant digits, no trailing zeros, scientific where it is shorter.
pub(crate) fn three_digits(value: f64) -> String {
    if !value.is_finite() {
        return calc::float_text(value);
    }
    let scientific = format!("{value:.2e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..3).contains(&exponent) {
        return without_zeros(&format!(
            "{value:.*}",
            (2 - exponent).unsigned_abs() as usize
        ));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
}

fn without_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// `json.dumps(value, sort_keys=True, separators=(',', ':'))`: ASCII only, numbers as Python prints them.
pub(crate) fn sorted_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&calc::float_text(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_json(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a text cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three significant digits as C's `%g` gives them.
    #[test]
    fn three_digits_as_python() {
        for (value, text) in [
            (0.0, "0"),
            (100.0, "100"),
            (1000.0, "1e+03"),
            (999.6, "1e+03"),
            (2.0 / 3.0, "0.667"),
            (0.00616, "0.00616"),
            (0.000_012_34, "1.23e-05"),
            (12.5, "12.5"),
            (-4.0, "-4"),
        ] {
            assert_eq!(three_digits(value), text);
        }
    }

    /// Halves that doubles hold exactly go to the even digit, as in Python.
    #[test]
    fn percent_rounds_half_to_even() {
        assert_eq!(percent(0.5), "50.00%");
        assert_eq!(percent(0.000_625), "0.06%");
        assert_eq!(percent(0.001_875), "0.19%");
        assert_eq!(percent(1.0 / 3.0), "33.33%");
    }
}
