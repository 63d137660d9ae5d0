//! Python values as scripts leave them, and how Python prints them.

use indexmap::IndexMap;
use serde_json::Value;

/// A JSON-like Python value. Unlike [`serde_json::Value`] it keeps integers and floats apart and
/// integers of any length.
#[derive(Clone, Debug, PartialEq)]
pub enum PyValue {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// A longer integer, as decimal digits.
    Big(String),
    /// A float, also NaN and the infinities.
    Float(f64),
    /// A text.
    Str(String),
    /// A list (tuples come out of scripts as lists).
    List(Vec<PyValue>),
    /// A dict with text keys, in order.
    Dict(IndexMap<String, PyValue>),
}

impl From<&Value> for PyValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => n.as_i64().map_or_else(
                || {
                    n.as_u64().map_or_else(
                        || Self::Float(n.as_f64().unwrap_or(f64::NAN)),
                        |big| Self::Big(big.to_string()),
                    )
                },
                Self::Int,
            ),
            Value::String(s) => Self::Str(s.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(map) => Self::Dict(
                map.iter()
                    .map(|(k, v)| (k.clone(), Self::from(v)))
                    .collect(),
            ),
        }
    }
}

impl From<&str> for PyValue {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl PyValue {
    /// Reads JSON as Python writes it: floats to the last bit, integers of any length, `NaN` and the
    /// infinities. None when it is not JSON or nests deeper than 200.
    #[must_use]
    pub fn parse_json(text: &str) -> Option<Self> {
        let mut reader = JsonReader { rest: text };
        let value = reader.value(0)?;
        reader.skip();
        reader.rest.is_empty().then_some(value)
    }

    /// As JSON; long integers become floats and what JSON lacks becomes null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::None => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::from(*i),
            Self::Big(digits) => digits
                .parse::<u64>()
                .map(Value::from)
                .or_else(|_| digits.parse::<f64>().map(Value::from))
                .unwrap_or(Value::Null),
            Self::Float(f) => Value::from(*f),
            Self::Str(s) => Value::String(s.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Self::Dict(map) => {
                Value::Object(map.iter().map(|(k, v)| (k.clone(), v.to_json())).collect())
            }
        }
    }

    /// Python's truth of the value.
    #[must_use]
    pub fn truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Big(_) => true,
            Self::Float(f) => *f != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Dict(map) => !map.is_empty(),
        }
    }

    /// `str(value)`.
    #[must_use]
    pub fn str(&self) -> String {
        match self {
            Self::Str(s) => s.clone(),
            other => other.repr(),
        }
    }

    /// `repr(value)`.
    #[must_use]
    pub fn repr(&self) -> String {
        match self {
            Self::None => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(i) => i.to_string(),
            Self::Big(digits) => digits.clone(),
            Self::Float(f) => float_repr(*f),
            Self::Str(s) => str_repr(s),
            Self::List(items) => {
                format!(
                    "[{}]",
                    items.iter().map(Self::repr).collect::<Vec<_>>().join(", ")
                )
            }
            Self::Dict(map) => {
                let pairs: Vec<_> = map
                    .iter()
                    .map(|(k, v)| format!("{}: {}", str_repr(k), v.repr()))
                    .collect();
                format!("{{{}}}", pairs.join(", "))
            }
        }
    }

    /// `float(value)` of numbers and number texts.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Bool(b) => Some(f64::from(u8::from(*b))),
            Self::Int(i) => Some(*i as f64),
            Self::Big(digits) => digits.parse().ok().filter(|f: &f64| f.is_finite()),
            Self::Float(f) => Some(*f),
            Self::Str(s) => parse_float(s),
            Self::None | Self::List(_) | Self::Dict(_) => None,
        }
    }
}

/// Reads JSON without going through a double's shorter approximations.
struct JsonReader<'a> {
    rest: &'a str,
}

impl JsonReader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn string(&mut self) -> Option<String> {
        let mut escaped = false;
        let inside = self.rest.get(1..)?;
        let end = inside.char_indices().find(|(_, c)| {
            let end = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            end
        });
        let (end, _) = end?;
        let whole = self.rest.get(..end + 2)?;
        self.rest = self.rest.get(end + 2..)?;
        // A lone surrogate is no text here; Python keeps it.
        serde_json::from_str(whole).ok()
    }

    fn value(&mut self, depth: usize) -> Option<PyValue> {
        if depth > 200 {
            return None;
        }
        self.skip();
        for (token, value) in [
            ("null", PyValue::None),
            ("true", PyValue::Bool(true)),
            ("false", PyValue::Bool(false)),
            ("NaN", PyValue::Float(f64::NAN)),
            ("Infinity", PyValue::Float(f64::INFINITY)),
            ("-Infinity", PyValue::Float(f64::NEG_INFINITY)),
        ] {
            if self.eat(token) {
                return Some(value);
            }
        }
        match self.rest.chars().next()? {
            '"' => self.string().map(PyValue::Str),
            '[' => {
                self.eat("[");
                let mut items = Vec::new();
                if self.eat("]") {
                    return Some(PyValue::List(items));
                }
                loop {
                    items.push(self.value(depth + 1)?);
                    if self.eat("]") {
                        return Some(PyValue::List(items));
                    }
                    self.eat(",").then_some(())?;
                }
            }
            '{' => {
                self.eat("{");
                let mut map = IndexMap::new();
                if self.eat("}") {
                    return Some(PyValue::Dict(map));
                }
                loop {
                    self.skip();
                    self.rest.starts_with('"').then_some(())?;
                    let key = self.string()?;
                    self.eat(":").then_some(())?;
                    map.insert(key, self.value(depth + 1)?);
                    if self.eat("}") {
                        return Some(PyValue::Dict(map));
                    }
                    self.eat(",").then_some(())?;
                }
            }
            _ => {
                let number =
                    |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
                let end = self.rest.find(|c| !number(c)).unwrap_or(self.rest.len());
                let text = self.rest.get(..end)?;
                self.rest = self.rest.get(end..)?;
                let digits = text.strip_prefix('-').unwrap_or(text);
                if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Some(
                        text.parse()
                            .map_or_else(|_| PyValue::Big(text.to_owned()), PyValue::Int),
                    );
                }
                text.parse().ok().map(PyValue::Float)
            }
        }
    }
}

/// `str(value)` of a JSON value.
#[must_use]
pub fn py_str(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => PyValue::from(other).repr(),
    }
}

/// `repr` of a float: shortest digits, exponent from 1e16 and below 1e-4.
#[must_use]
pub fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let shortest = format!("{value:e}");
    // Between two shortest texts Python takes the one with the even last digit.
    let digits = shortest
        .bytes()
        .take_while(|b| *b != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    let even = format!("{value:.*e}", digits.saturating_sub(1));
    let scientific = if even.parse() == Ok(value) {
        even
    } else {
        shortest
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    let Ok(before) = usize::try_from(exponent + 1) else {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    };
    if before == 0 {
        return format!("{sign}0.{digits}");
    }
    let whole = digits.get(..before).unwrap_or(&digits);
    let zeros = "0".repeat(before - whole.len());
    let part = digits
        .get(before..)
        .filter(|part| !part.is_empty())
        .unwrap_or("0");
    format!("{sign}{whole}{zeros}.{part}")
}

/// Format characters and private ones, which Python does not print as they are.
const fn is_unprintable(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{e000}'..='\u{f8ff}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}'
    )
}

/// `repr` of a text.
#[must_use]
pub fn str_repr(text: &str) -> String {
    use std::fmt::Write as _;
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
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
            c if (c.is_control() || c == '\u{a0}' || c == '\u{ad}') && u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if c != ' '
                && (c.is_whitespace() || is_unprintable(c))
                && u32::from(c) < 0x1_0000 =>
            {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// White space that Python's `strip()` removes.
#[must_use]
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// Python's `text.strip()`.
#[must_use]
pub fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Digits with single underscores between them removed, as Python's number literals allow.
fn without_underscores(text: &str) -> Option<String> {
    if !text.contains('_') {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    for (i, byte) in bytes.iter().enumerate() {
        if *byte == b'_' && !(digit(i.checked_sub(1)) && digit(Some(i + 1))) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

/// Other scripts' decimal digits as ASCII ones, as `float()` and `int()` read them.
fn ascii_digits(text: &str) -> String {
    text.chars()
        .map(|c| match u32::from(c) {
            code @ 0x660..=0x669 => char::from(b'0' + (code - 0x660) as u8),
            code @ 0x6f0..=0x6f9 => char::from(b'0' + (code - 0x6f0) as u8),
            code @ 0x966..=0x96f => char::from(b'0' + (code - 0x966) as u8),
            code @ 0xff10..=0xff19 => char::from(b'0' + (code - 0xff10) as u8),
            _ => c,
        })
        .collect()
}

fn unsigned_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return Some(f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let text = without_underscores(text)?;
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !text.chars().all(plain) {
        return None;
    }
    text.parse().ok()
}

/// `float(text)`.
#[must_use]
pub fn parse_float(text: &str) -> Option<f64> {
    let text = ascii_digits(strip(text));
    match text.strip_prefix('-') {
        Some(rest) => unsigned_float(rest).map(|f| -f),
        None => unsigned_float(text.strip_prefix('+').unwrap_or(&text)),
    }
}

/// `int(text)` where it fits 64 bits.
#[must_use]
pub fn parse_int(text: &str) -> Option<i64> {
    let text = without_underscores(&ascii_digits(strip(text)))?;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(&text).parse().ok()
}

/// `complex(text)` as real and imaginary part.
#[must_use]
pub fn parse_complex(text: &str) -> Option<(f64, f64)> {
    let mut text = ascii_digits(strip(text));
    if text.starts_with('(') && text.ends_with(')') {
        text = strip(text.get(1..text.len() - 1)?).to_owned();
    }
    if text.is_empty() || text.contains(is_space) {
        return None;
    }
    if let Some(real) = parse_float(&text) {
        return Some((real, 0.0));
    }
    let body = text.strip_suffix(['j', 'J'])?;
    // The sign that starts the imaginary part is the last one that is not an exponent's.
    let bytes = body.as_bytes();
    let split = (1..bytes.len())
        .rev()
        .find(|i| matches!(bytes[*i], b'+' | b'-') && !matches!(bytes[*i - 1], b'e' | b'E'));
    let (real, imaginary) = match split {
        Some(at) => (parse_float(body.get(..at)?)?, body.get(at..)?),
        None => (0.0, body),
    };
    let imaginary = match imaginary {
        "" | "+" => 1.0,
        "-" => -1.0,
        other => parse_float(other)?,
    };
    Some((real, imaginary))
}

/// Python's `round(x * 10**digits) / 10**digits` with halves away from zero.
#[must_use]
pub fn round_away_from_zero(number: f64, digits: i32) -> f64 {
    let p = 10_f64.powi(digits);
    if number >= 0.0 {
        (number * p + 0.5).floor() / p
    } else {
        (number * p - 0.5).ceil() / p
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // §6.3: what substitution prints
    #[test]
    fn prints_as_python() {
        for (value, text) in [
            (PyValue::Float(std::f64::consts::PI), "3.141592653589793"),
            (PyValue::Float(5.0), "5.0"),
            (PyValue::Float(1e16), "1e+16"),
            (PyValue::Float(1e-5), "1e-05"),
            (PyValue::Float(-0.0), "-0.0"),
            (
                PyValue::Float(581_643_098_372_034.0 + 0.25),
                "581643098372034.2",
            ),
            (PyValue::Float(0.000_12), "0.00012"),
            (PyValue::Float(120.0), "120.0"),
            (PyValue::Float(123_456_789_012_345.6), "123456789012345.6"),
            (PyValue::Bool(true), "True"),
            (
                PyValue::List(vec![PyValue::Int(1), PyValue::from("a'b")]),
                "[1, \"a'b\"]",
            ),
        ] {
            assert_eq!(value.str(), text);
        }
    }

    // §6.1: what comes out of a script keeps its last bit
    #[test]
    fn reads_json_exactly() {
        let text = "{\"a\": [12.576369506310925, -3, 123456789012345678901234567890], \"b\": {\"c\": NaN}, \"d\": \"\\u00e9\\\\\"}";
        let value = PyValue::parse_json(text).expect("json");
        assert_eq!(
            value.repr(),
            "{'a': [12.576369506310925, -3, 123456789012345678901234567890], 'b': {'c': nan}, 'd': 'é\\\\'}"
        );
        for bad in ["", "[1,]", "{\"a\" 1}", "\"open", "1 2", "nope"] {
            assert_eq!(PyValue::parse_json(bad), None, "{bad}");
        }
    }

    #[test]
    fn reads_python_numbers() {
        assert_eq!(parse_float(" 1_000.5 "), Some(1000.5));
        assert_eq!(parse_float("1__0"), None);
        assert_eq!(parse_float("0x10"), None);
        assert_eq!(parse_float("-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_complex("2+3j"), Some((2.0, 3.0)));
        assert_eq!(parse_complex("(1e-3-j)"), Some((0.001, -1.0)));
        assert_eq!(parse_complex("2 + 3j"), None);
        assert_eq!(parse_int("+07"), Some(7));
        assert_eq!(parse_int("7.0"), None);
    }
}
