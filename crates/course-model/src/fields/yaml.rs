//! The part of YAML 1.1 in which attributes of pure blocks are written (olx.md §3.2): JSON and other flow
//! forms, plain and quoted scalars, and block lists and mappings. Anchors, tags, block texts and documents
//! are refused.

use std::sync::LazyLock;

use chrono::{NaiveDate, NaiveDateTime};
use regex::Regex;
use serde_json::{Map, Value};

use super::moment::Moment;
use super::python::{Int, float_repr, parse_float, parse_int};
use super::value::{FieldError, FieldValue};

/// Values nest at most this deep.
const MAX_DEPTH: usize = 64;

/// Reads one value; blank text and comments alone are null.
pub(crate) fn load(text: &str) -> Result<FieldValue, FieldError> {
    read(text).ok_or(FieldError::Malformed)
}

fn read(text: &str) -> Option<FieldValue> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // A tab may separate, but not begin a token or indent one.
    let printable = |c: char| matches!(c, '\t' | '\n' | '\u{85}') || !c.is_control();
    if !text.chars().all(printable) {
        return None;
    }
    let mut lines = Lines {
        chars: text.chars().collect(),
        at: 0,
    };
    let Some(indent) = lines.next_content()? else {
        return Some(FieldValue::NULL);
    };
    let value = lines.block(indent, 0)?;
    lines.next_content()?.is_none().then_some(value)
}

struct Lines {
    chars: Vec<char>,
    at: usize,
}

impl Lines {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn column(&self) -> usize {
        let line = self.chars.get(..self.at).unwrap_or_default();
        line.iter().rev().take_while(|c| **c != '\n').count()
    }

    /// Skips blanks, comments and line ends. The column of what follows; `Some(None)` at the end, `None` at a
    /// tab where a token begins.
    #[expect(clippy::option_option, reason = "the end of the text is no error")]
    fn next_content(&mut self) -> Option<Option<usize>> {
        loop {
            match self.peek() {
                None => return Some(None),
                Some(' ' | '\n') => self.at += 1,
                Some('#') if self.at == 0 || matches!(self.before(), Some(' ' | '\n' | '\t')) => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                Some('\t') => {
                    // Fine before a line end or comment, else an error.
                    let rest = self.chars.get(self.at..)?;
                    let next = rest.iter().find(|c| !matches!(c, ' ' | '\t'));
                    match next {
                        Some('\n' | '#') if self.column() > 0 => self.at += 1,
                        _ => return None,
                    }
                }
                Some(_) => return Some(Some(self.column())),
            }
        }
    }

    fn before(&self) -> Option<char> {
        self.at
            .checked_sub(1)
            .and_then(|at| self.chars.get(at))
            .copied()
    }

    fn is_gap(c: Option<char>) -> bool {
        matches!(c, None | Some(' ' | '\t' | '\n'))
    }

    /// A value whose first token stands at column `indent`.
    fn block(&mut self, indent: usize, depth: usize) -> Option<FieldValue> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.peek() == Some('-') && Self::is_gap(self.peek_at(1)) {
            return self.block_list(indent, depth);
        }
        let start = self.at;
        let key = self.scalar_or_flow(false, depth)?;
        self.skip_blanks();
        let one_line = !self
            .chars
            .get(start..self.at)
            .unwrap_or_default()
            .contains(&'\n');
        if self.peek() == Some(':') && Self::is_gap(self.peek_at(1)) && one_line {
            return self.block_map(indent, key, depth);
        }
        // A plain scalar goes on over deeper lines.
        Some(key)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn block_list(&mut self, indent: usize, depth: usize) -> Option<FieldValue> {
        let mut items = Vec::new();
        while self.peek() == Some('-') && Self::is_gap(self.peek_at(1)) && self.column() == indent {
            self.at += 1;
            let item = match self.next_content()? {
                Some(column) if column > indent => self.block(column, depth + 1)?,
                _ => FieldValue::NULL,
            };
            items.push(plain(item));
            match self.next_content()? {
                None => break,
                Some(column) if column == indent => {}
                // The end of this list is for what holds it to judge.
                Some(column) if column < indent => break,
                Some(_) => return None,
            }
        }
        Some(FieldValue::Json(Value::Array(items)))
    }

    fn block_map(&mut self, indent: usize, first: FieldValue, depth: usize) -> Option<FieldValue> {
        let mut out = Map::new();
        let mut key = key_text(first)?;
        loop {
            // At the colon.
            self.at += 1;
            let line = self.line();
            let value = match self.next_content()? {
                Some(column) if column > indent || self.line() == line => {
                    let nested = self.line() != line;
                    if nested {
                        self.block(column, depth + 1)?
                    } else {
                        self.same_line(depth)?
                    }
                }
                Some(column)
                    if column == indent
                        && self.peek() == Some('-')
                        && Self::is_gap(self.peek_at(1)) =>
                {
                    self.block_list(indent, depth + 1)?
                }
                _ => FieldValue::NULL,
            };
            out.insert(key, plain(value));
            match self.next_content()? {
                Some(column) if column == indent => {
                    if self.peek() == Some('-') && Self::is_gap(self.peek_at(1)) {
                        return None;
                    }
                    key = key_text(self.scalar_or_flow(false, depth)?)?;
                    self.skip_blanks();
                    if self.peek() != Some(':') || !Self::is_gap(self.peek_at(1)) {
                        return None;
                    }
                }
                Some(column) if column > indent => return None,
                _ => return Some(FieldValue::Json(Value::Object(out))),
            }
        }
    }

    fn line(&self) -> usize {
        let before = self.chars.get(..self.at).unwrap_or_default();
        before.iter().filter(|c| **c == '\n').count()
    }

    /// A value on the line of its key: no list or mapping of its own.
    fn same_line(&mut self, depth: usize) -> Option<FieldValue> {
        if self.peek() == Some('-') && Self::is_gap(self.peek_at(1)) {
            return None;
        }
        let value = self.scalar_or_flow(false, depth)?;
        self.skip_blanks();
        (self.peek() != Some(':') || !Self::is_gap(self.peek_at(1))).then_some(value)
    }

    fn scalar_or_flow(&mut self, in_flow: bool, depth: usize) -> Option<FieldValue> {
        if depth > MAX_DEPTH {
            return None;
        }
        let value = match self.peek()? {
            '&' => {
                // An anchor names a value for aliases, which are refused.
                self.at += 1;
                let start = self.at;
                while self
                    .peek()
                    .is_some_and(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
                {
                    self.at += 1;
                }
                if self.at == start || !Self::is_gap(self.peek()) {
                    return None;
                }
                return match self.next_content()? {
                    Some(_) => self.scalar_or_flow(in_flow, depth + 1),
                    None => Some(FieldValue::NULL),
                };
            }
            '[' => self.flow_list(depth)?,
            '{' => self.flow_map(depth)?,
            '"' => FieldValue::Json(Value::String(self.double_quoted()?)),
            '\'' => FieldValue::Json(Value::String(self.single_quoted()?)),
            _ => return self.plain_scalar(in_flow),
        };
        Some(value)
    }

    fn flow_list(&mut self, depth: usize) -> Option<FieldValue> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.next_content()??;
            if self.peek() == Some(']') {
                break;
            }
            let item = self.scalar_or_flow(true, depth + 1)?;
            self.next_content()??;
            // A pair alone in a list is a mapping of one.
            let item = if self.peek() == Some(':') {
                self.at += 1;
                let value = self.flow_value(depth)?;
                let mut pair = Map::new();
                pair.insert(key_text(item)?, plain(value));
                Value::Object(pair)
            } else {
                plain(item)
            };
            items.push(item);
            self.next_content()??;
            match self.peek()? {
                ',' => self.at += 1,
                ']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(FieldValue::Json(Value::Array(items)))
    }

    fn flow_map(&mut self, depth: usize) -> Option<FieldValue> {
        self.at += 1;
        let mut out = Map::new();
        loop {
            self.next_content()??;
            if self.peek() == Some('}') {
                break;
            }
            let key = key_text(self.scalar_or_flow(true, depth + 1)?)?;
            self.next_content()??;
            let value = if self.peek() == Some(':') {
                self.at += 1;
                self.flow_value(depth)?
            } else {
                FieldValue::NULL
            };
            out.insert(key, plain(value));
            self.next_content()??;
            match self.peek()? {
                ',' => self.at += 1,
                '}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(FieldValue::Json(Value::Object(out)))
    }

    /// The value after a colon of a flow form, which may be missing.
    fn flow_value(&mut self, depth: usize) -> Option<FieldValue> {
        self.next_content()??;
        if matches!(self.peek(), Some(',' | '}' | ']')) {
            return Some(FieldValue::NULL);
        }
        self.scalar_or_flow(true, depth + 1)
    }

    /// Line breaks inside quotes are folded: one is a blank, more are one less.
    fn fold(&mut self, out: &mut String) {
        while out.ends_with([' ', '\t']) {
            out.pop();
        }
        let mut breaks = 0;
        while matches!(self.peek(), Some(' ' | '\t' | '\n')) {
            breaks += usize::from(self.peek() == Some('\n'));
            self.at += 1;
        }
        if breaks == 1 {
            out.push(' ');
        } else {
            out.push_str(&"\n".repeat(breaks - 1));
        }
    }

    fn single_quoted(&mut self) -> Option<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.peek()? {
                '\'' if self.peek_at(1) == Some('\'') => {
                    out.push('\'');
                    self.at += 2;
                }
                '\'' => break,
                '\n' => self.fold(&mut out),
                c => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Some(out)
    }

    fn double_quoted(&mut self) -> Option<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.peek()? {
                '"' => break,
                '\n' => self.fold(&mut out),
                '\\' => {
                    let code = self.peek_at(1)?;
                    self.at += 2;
                    let c = match code {
                        '0' => '\0',
                        'a' => '\u{7}',
                        'b' => '\u{8}',
                        't' | '\t' => '\t',
                        'n' => '\n',
                        'v' => '\u{b}',
                        'f' => '\u{c}',
                        'r' => '\r',
                        'e' => '\u{1b}',
                        ' ' | '"' | '\\' | '/' => code,
                        'N' => '\u{85}',
                        '_' => '\u{a0}',
                        'L' => '\u{2028}',
                        'P' => '\u{2029}',
                        'x' => self.escape(2)?,
                        'u' => self.escape(4)?,
                        'U' => self.escape(8)?,
                        '\n' => {
                            while matches!(self.peek(), Some(' ' | '\t' | '\n')) {
                                self.at += 1;
                            }
                            continue;
                        }
                        _ => return None,
                    };
                    out.push(c);
                }
                c => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Some(out)
    }

    /// `digits` hex digits; two halves of a character beyond 16 bits, as JSON writes them, are joined.
    fn escape(&mut self, digits: usize) -> Option<char> {
        let code = self.hex(digits)?;
        if digits == 4 && (0xD800..0xDC00).contains(&code) {
            if self.peek()? != '\\' || self.peek_at(1)? != 'u' {
                return None;
            }
            self.at += 2;
            let low = self.hex(4)?;
            let low = (0xDC00..0xE000).contains(&low).then(|| low - 0xDC00)?;
            return char::from_u32(0x10000 + ((code - 0xD800) << 10) + low);
        }
        char::from_u32(code)
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text: String = self.chars.get(self.at..self.at + digits)?.iter().collect();
        self.at += digits;
        u32::from_str_radix(&text, 16).ok()
    }

    fn plain_scalar(&mut self, in_flow: bool) -> Option<FieldValue> {
        let first = self.peek()?;
        let gap = Self::is_gap(self.peek_at(1));
        let flow_end = in_flow && matches!(self.peek_at(1), Some(',' | ']' | '}'));
        match first {
            '-' if gap || (in_flow && flow_end) => return None,
            '?' | ':' if gap || in_flow => return None,
            ',' | '[' | ']' | '{' | '}' | '#' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`' => return None,
            _ => {}
        }
        let mut out = String::new();
        while let Some(c) = self.peek() {
            let stops = match c {
                '\n' => true,
                ':' => {
                    Self::is_gap(self.peek_at(1))
                        || (in_flow && matches!(self.peek_at(1), Some(',' | '[' | ']' | '{' | '}')))
                }
                '#' => matches!(self.before(), Some(' ' | '\t')),
                ',' | '[' | ']' | '{' | '}' => in_flow,
                _ => false,
            };
            if c == '\n' && self.continues(in_flow) {
                self.fold(&mut out);
                continue;
            }
            if stops {
                break;
            }
            out.push(c);
            self.at += 1;
        }
        let text = out.trim_end_matches([' ', '\t']);
        resolve(text)
    }

    /// Whether the line after this line end goes on with a plain scalar of the top or of a flow form.
    fn continues(&self, in_flow: bool) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let Some(skip) = rest.iter().position(|c| !matches!(c, ' ' | '\t' | '\n')) else {
            return false;
        };
        let next = rest.get(skip).copied();
        let after = rest.get(skip + 1).copied();
        match next {
            Some('#') | None => false,
            Some('-' | ':' | '?') if Self::is_gap(after) => false,
            Some(',' | ']' | '}' | '[' | '{') if in_flow => false,
            // Lines of a mapping or list begin at its own column.
            Some(_) if !in_flow => {
                let line: String = rest
                    .get(skip..)
                    .unwrap_or_default()
                    .iter()
                    .take_while(|c| **c != '\n')
                    .collect();
                !(line.contains(": ") || line.ends_with(':'))
            }
            Some(_) => true,
        }
    }
}

/// A key as JSON has it: `json.dumps` of what is no text.
fn key_text(key: FieldValue) -> Option<String> {
    Some(match key {
        FieldValue::Json(Value::String(text)) => text,
        FieldValue::Json(Value::Array(_) | Value::Object(_)) => return None,
        other => match plain(other) {
            Value::String(text) => text,
            Value::Number(number) if number.is_f64() => float_repr(number.as_f64()?),
            other => other.to_string(),
        },
    })
}

/// A value inside another one: what JSON lacks becomes text.
fn plain(value: FieldValue) -> Value {
    match value {
        FieldValue::Json(value) => value,
        FieldValue::NotFinite(number) => Value::String(float_repr(number)),
        FieldValue::Moment(moment) => Value::String(moment.iso()),
        FieldValue::Day(day) => Value::String(day.to_string()),
        FieldValue::Duration(duration) => Value::String(duration.to_string()),
        FieldValue::Set(items) => Value::Array(items),
    }
}

#[expect(clippy::expect_used, reason = "the patterns are constant and tested")]
static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$",
    )
    .expect("constant pattern")
});

#[expect(clippy::expect_used, reason = "the patterns are constant and tested")]
static SIXTIES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$").expect("constant pattern")
});

#[expect(clippy::expect_used, reason = "the patterns are constant and tested")]
static MOMENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?$",
    )
    .expect("constant pattern")
});

/// The value of a plain scalar.
fn resolve(text: &str) -> Option<FieldValue> {
    let json = |value: Value| Some(FieldValue::Json(value));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(FieldValue::NULL),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return json(Value::Bool(true));
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return json(Value::Bool(false));
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(FieldValue::NotFinite(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(FieldValue::NotFinite(f64::NEG_INFINITY)),
        ".nan" | ".NaN" | ".NAN" => return Some(FieldValue::NotFinite(f64::NAN)),
        "=" | "<<" => return None,
        _ => {}
    }
    if let Some(number) = int_scalar(text) {
        return json(number);
    }
    if FLOAT.is_match(text) {
        let digits = text.replace('_', "");
        return parse_float(&digits).map(FieldValue::float);
    }
    if text.contains(':') && SIXTIES.is_match(text) {
        return sixties(text);
    }
    if let Some(parts) = MOMENT.captures(text) {
        return moment(text, &parts);
    }
    json(Value::from(text))
}

fn int_scalar(text: &str) -> Option<Value> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) if text.starts_with('-') => (-1, digits),
        Some(digits) => (1, digits),
        None => (1, text),
    };
    let radix = |digits: &str, base: u32| {
        let plain = digits.replace('_', "");
        i64::from_str_radix(&plain, base)
            .ok()
            .map(|value| Value::from(sign * value))
    };
    let of = |digits: &str, allowed: &str| {
        !digits.is_empty() && digits.chars().all(|c| c == '_' || allowed.contains(c))
    };
    if let Some(bits) = digits.strip_prefix("0b").filter(|bits| of(bits, "01")) {
        return radix(bits, 2);
    }
    if let Some(hex) = digits
        .strip_prefix("0x")
        .filter(|hex| of(hex, "0123456789abcdefABCDEF"))
    {
        return radix(hex, 16);
    }
    if digits == "0" {
        return Some(Value::from(0));
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return if of(octal, "01234567") {
            radix(octal, 8)
        } else {
            None
        };
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !of(digits, "0123456789") {
        return None;
    }
    let plain = digits.replace('_', "");
    parse_int(&if sign < 0 { format!("-{plain}") } else { plain }).map(Int::value)
}

/// Numbers to the base of sixty: `1:30` is 90. An integer's first part begins with no zero.
fn sixties(text: &str) -> Option<FieldValue> {
    let plain = text.replace('_', "");
    let negative = plain.starts_with('-');
    let digits = plain.trim_start_matches(['-', '+']);
    if !digits.contains('.') && digits.starts_with('0') {
        return Some(FieldValue::Json(Value::from(text)));
    }
    let mut value = 0.0;
    for part in digits.split(':') {
        value = value * 60.0 + parse_float(part)?;
    }
    let value = if negative { -value } else { value };
    if digits.contains('.') {
        return Some(FieldValue::float(value));
    }
    super::python::truncate(value).map(|value| FieldValue::Json(value.value()))
}

fn moment(text: &str, parts: &regex::Captures<'_>) -> Option<FieldValue> {
    let number = |group: usize| -> Option<u32> { parts.get(group)?.as_str().parse().ok() };
    let (year, month, day) = (number(1)?, number(2)?, number(3)?);
    let day_of = || NaiveDate::from_ymd_opt(year as i32, month, day).filter(|_| year > 0);
    if parts.get(4).is_none() {
        // Without a time month and day must have two digits, else this is text.
        if text.len() != 10 {
            return Some(FieldValue::Json(Value::from(text)));
        }
        return day_of().map(FieldValue::Day);
    }
    let fraction = parts.get(7).map_or("", |group| group.as_str());
    let fraction = fraction.get(..6).unwrap_or(fraction);
    let micros: u32 = format!("{fraction:0<6}").parse().ok()?;
    let local: NaiveDateTime =
        day_of()?.and_hms_micro_opt(number(4)?, number(5)?, number(6)?, micros)?;
    let offset = match parts.get(9) {
        Some(sign) => {
            let hours = i32::try_from(number(10)?).ok()?;
            let minutes = i32::try_from(number(11).unwrap_or_default()).ok()?;
            let seconds = hours * 3600 + minutes * 60;
            if seconds >= 86_400 {
                return None;
            }
            Some(if sign.as_str() == "-" {
                -seconds
            } else {
                seconds
            })
        }
        None => parts.get(8).map(|_| 0),
    };
    Some(FieldValue::Moment(Moment {
        local,
        offset,
        zone: None,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // olx.md §3.2
    #[test]
    fn attributes_are_yaml() {
        for (text, value) in [
            ("", json!(null)),
            ("# comment", json!(null)),
            (
                "[a, 'b c', {d: 1, e}]",
                json!(["a", "b c", {"d": 1, "e": null}]),
            ),
            ("{\"a\":1,\"a\":2}", json!({"a": 2})),
            ("- a\n- b", json!(["a", "b"])),
            (
                "a: 1\nb:\n  - x\n  - y: z",
                json!({"a": 1, "b": ["x", {"y": "z"}]}),
            ),
            ("0x10", json!(16)),
            ("007", json!(7)),
            ("08", json!("08")),
            ("12:30:45", json!(45045)),
            ("00:00:10", json!("00:00:10")),
            ("1e3", json!("1e3")),
            ("on", json!(true)),
            ("\"\\u00e9\\ud83d\\ude00\"", json!("é😀")),
            ("a b\n  c", json!("a b c")),
            (" 5 ", json!(5)),
        ] {
            assert_eq!(load(text), Ok(FieldValue::Json(value)), "{text:?}");
        }
        for text in [
            "\t",
            "[1,",
            "{} x",
            "*a",
            "!!python/none",
            "\"x",
            "2013-13-05",
            "a: b: c",
            "@a",
        ] {
            assert_eq!(load(text), Err(FieldError::Malformed), "{text:?}");
        }
    }
}
