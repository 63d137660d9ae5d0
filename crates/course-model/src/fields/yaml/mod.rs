//! The part of YAML 1.1 in which attributes of pure blocks are written (olx.md §3.2): JSON and other flow
//! forms, plain and quoted scalars, and block lists and mappings. Anchors, tags, block texts and documents
//! are refused.

mod scalars;

use serde_json::{Map, Value};

use self::scalars::resolve;

use super::python::float_repr;
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
    let chars = text.chars().collect();
    let mut lines = Lines {
        chars,
        at: 0,
        counted: 0,
        line_ends: 0,
        line_start: 0,
    };
    let Some(indent) = lines.next_content()? else {
        return Some(FieldValue::NULL);
    };
    let value = lines.block(Within::Block(0), indent, 0)?;
    lines.next_content()?.is_none().then_some(value)
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// In brackets or braces.
    Flow,
    /// In block form; lines that go on with a plain scalar begin at this column or later.
    Block(usize),
}

struct Lines {
    chars: Vec<char>,
    at: usize,
    /// Up to where line ends have been counted.
    counted: usize,
    /// Line ends before `counted`.
    line_ends: usize,
    /// Where the line of `counted` begins.
    line_start: usize,
}

impl Lines {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Counts the line ends passed since the last count.
    fn count(&mut self) {
        while self.counted < self.at {
            if self.chars.get(self.counted) == Some(&'\n') {
                self.line_ends += 1;
                self.line_start = self.counted + 1;
            }
            self.counted += 1;
        }
    }

    fn column(&mut self) -> usize {
        self.count();
        self.at - self.line_start
    }

    /// Skips blanks, comments and line ends. The column of what follows; `Some(None)` at the end, `None` at a
    /// tab where a token begins.
    #[expect(clippy::option_option, reason = "the end of the text is no error")]
    fn next_content(&mut self) -> Option<Option<usize>> {
        loop {
            match self.peek() {
                None => return Some(None),
                Some(' ' | '\n') => self.at += 1,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                Some('\t') => return None,
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
    fn block(&mut self, outer: Within, indent: usize, depth: usize) -> Option<FieldValue> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.peek() == Some('-') && Self::is_gap(self.peek_at(1)) {
            return self.block_list(indent, depth);
        }
        let start = self.at;
        let key = self.scalar_or_flow(outer, depth)?;
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
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    fn block_list(&mut self, indent: usize, depth: usize) -> Option<FieldValue> {
        let mut items = Vec::new();
        while self.peek() == Some('-') && Self::is_gap(self.peek_at(1)) && self.column() == indent {
            self.at += 1;
            let item = match self.next_content()? {
                Some(column) if column > indent => {
                    self.block(Within::Block(indent + 1), column, depth + 1)?
                }
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
                        self.block(Within::Block(indent + 1), column, depth + 1)?
                    } else {
                        self.same_line(Within::Block(indent + 1), depth)?
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
                    key = key_text(self.scalar_or_flow(Within::Block(indent + 1), depth)?)?;
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

    fn line(&mut self) -> usize {
        self.count();
        self.line_ends
    }

    /// A value on the line of its key: no list or mapping of its own.
    fn same_line(&mut self, outer: Within, depth: usize) -> Option<FieldValue> {
        if self.peek() == Some('-') && Self::is_gap(self.peek_at(1)) {
            return None;
        }
        let value = self.scalar_or_flow(outer, depth)?;
        self.skip_blanks();
        (self.peek() != Some(':') || !Self::is_gap(self.peek_at(1))).then_some(value)
    }

    fn scalar_or_flow(&mut self, within: Within, depth: usize) -> Option<FieldValue> {
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
                    Some(_) => self.scalar_or_flow(within, depth + 1),
                    None => Some(FieldValue::NULL),
                };
            }
            '[' => self.flow_list(depth)?,
            '{' => self.flow_map(depth)?,
            '"' => FieldValue::Json(Value::String(self.double_quoted()?)),
            '\'' => FieldValue::Json(Value::String(self.single_quoted()?)),
            _ => return self.plain_scalar(within),
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
            let item = self.scalar_or_flow(Within::Flow, depth + 1)?;
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
            let key = key_text(self.scalar_or_flow(Within::Flow, depth + 1)?)?;
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
        self.scalar_or_flow(Within::Flow, depth + 1)
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

    fn plain_scalar(&mut self, within: Within) -> Option<FieldValue> {
        let in_flow = within == Within::Flow;
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
                '\n' | '\t' => true,
                ':' => {
                    Self::is_gap(self.peek_at(1))
                        || (in_flow && matches!(self.peek_at(1), Some(',' | '[' | ']' | '{' | '}')))
                }
                '#' => self.before() == Some(' '),
                ',' | '[' | ']' | '{' | '}' => in_flow,
                _ => false,
            };
            if c == '\n' && self.continues(within) {
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

    /// Whether the line after this line end goes on with a plain scalar: any in a flow form, else one that
    /// is indented deeply enough.
    fn continues(&self, within: Within) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let Some(skip) = rest.iter().position(|c| !matches!(c, ' ' | '\n')) else {
            return false;
        };
        let blanks = rest.get(..skip).unwrap_or_default();
        let column = blanks.iter().rev().take_while(|c| **c == ' ').count();
        let (next, after) = (rest.get(skip).copied(), rest.get(skip + 1).copied());
        match (within, next) {
            (_, None | Some('#' | '\t'))
            | (Within::Flow, Some(',' | ']' | '}' | '[' | '{' | '?')) => false,
            (_, Some(':')) if Self::is_gap(after) => false,
            (Within::Flow, Some(_)) => true,
            (Within::Block(least), Some(_)) => column >= least,
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
