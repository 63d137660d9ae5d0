//! Python pickles as data: what Django's sessions and caches hold (contracts/identity.md §2).
//!
//! Reading knows dicts, lists, tuples, texts, bytes, numbers, booleans, None and datetimes. No global is ever
//! looked up, so no opcode can run anything; objects of other classes become [`Value::Opaque`], and a dict drops
//! the keys that hold one (`masquerade_settings`, for example).

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Timelike, Utc};
use serde_json::json;

use crate::Error;
use crate::encoding::b64_encode;

/// Largest pickle that is read, bytes.
const MAX_BYTES: usize = 4 << 20;
/// Most values a pickle may make, shared ones counted each time.
const MAX_VALUES: usize = 200_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// A value of a session or cache entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// None
    None,
    /// bool
    Bool(bool),
    /// int within 64 bits
    Int(i64),
    /// int beyond 64 bits: little-endian two's complement, as pickles hold it
    BigInt(Vec<u8>),
    /// float
    Float(f64),
    /// str
    Text(String),
    /// bytes
    Bytes(Vec<u8>),
    /// list, or a set
    List(Vec<Value>),
    /// tuple
    Tuple(Vec<Value>),
    /// dict, in its order
    Dict(Vec<(Value, Value)>),
    /// datetime; `true` when it carried a time zone (always taken as UTC)
    DateTime(NaiveDateTime, bool),
    /// An object of a class that is not read.
    Opaque,
}

impl Value {
    /// The text inside, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON: datetimes as `{"datetime": ISO}`, bytes as `{"bytes": base64}`, tuples as lists, keys
    /// as texts; what is opaque is left out.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::None | Self::Opaque => serde_json::Value::Null,
            Self::Bool(flag) => json!(flag),
            Self::Int(number) => json!(number),
            Self::BigInt(bytes) => big_int_json(bytes),
            Self::Float(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Bytes(bytes) => json!({ "bytes": b64_encode(bytes) }),
            Self::List(items) | Self::Tuple(items) => {
                items.iter().map(Self::to_json).collect::<Vec<_>>().into()
            }
            Self::Dict(items) => items
                .iter()
                .map(|(key, value)| (key.key_text(), value.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Self::DateTime(time, aware) => {
                let mut text = time.format("%Y-%m-%dT%H:%M:%S").to_string();
                if time.nanosecond() > 0 {
                    let micro = time.nanosecond() / 1000;
                    let _ = write!(text, ".{micro:06}");
                }
                if *aware {
                    text.push_str("+00:00");
                }
                json!({ "datetime": text })
            }
        }
    }

    fn key_text(&self) -> String {
        match self.to_json() {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// JSON as a value: lists stay lists, whole numbers ints, `{"datetime": …}` and `{"bytes": …}` plain dicts.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::None,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => number.as_i64().map_or_else(
                || {
                    number.as_u64().map_or_else(
                        || Self::Float(number.as_f64().unwrap_or_default()),
                        |n| {
                            let mut bytes = n.to_le_bytes().to_vec();
                            bytes.push(0);
                            Self::BigInt(bytes)
                        },
                    )
                },
                Self::Int,
            ),
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(map) => Self::Dict(
                map.iter()
                    .map(|(key, item)| (Self::Text(key.clone()), Self::from_json(item)))
                    .collect(),
            ),
        }
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(time: DateTime<Utc>) -> Self {
        Self::DateTime(time.naive_utc(), true)
    }
}

fn big_int_json(bytes: &[u8]) -> serde_json::Value {
    if bytes.len() <= 16 {
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 16];
        for (slot, byte) in wide.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        let number = i128::from_le_bytes(wide);
        if let Ok(number) = u64::try_from(number) {
            return json!(number);
        }
        return json!(number as f64);
    }
    json!(
        bytes
            .iter()
            .rev()
            .fold(0f64, |sum, byte| sum * 256.0 + f64::from(*byte))
    )
}

/// One value while reading; containers hold indexes, since pickles share and mutate them.
#[derive(Debug, Clone)]
enum Node {
    Plain(Value),
    List(Vec<usize>),
    Tuple(Vec<usize>),
    Dict(Vec<(usize, usize)>),
    Global(String, String),
    Mark,
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<usize>,
    memo: std::collections::HashMap<u64, usize>,
}

/// Reads a pickle of protocol 0 to 5.
///
/// # Errors
/// Anything that is no such pickle, or exceeds the size, count or depth limits.
pub fn loads(data: &[u8]) -> Result<Value, Error> {
    if data.len() > MAX_BYTES {
        return Err(bad("too large"));
    }
    let mut reader = Reader {
        data,
        at: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        memo: std::collections::HashMap::new(),
    };
    let root = reader.run()?;
    let mut budget = MAX_VALUES;
    reader.build(root, 0, &mut budget)
}

fn bad(what: &str) -> Error {
    Error::malformed(format!("pickle: {what}"))
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(count).ok_or_else(|| bad("length"))?;
        let part = self
            .data
            .get(self.at..end)
            .ok_or_else(|| bad("cut short"))?;
        self.at = end;
        Ok(part)
    }

    fn unsigned(&mut self, width: usize) -> Result<u64, Error> {
        let bytes = self.take(width)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte)))
    }

    fn length(&mut self, width: usize) -> Result<usize, Error> {
        usize::try_from(self.unsigned(width)?).map_err(|_| bad("length"))
    }

    fn line(&mut self) -> Result<&'a str, Error> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|&byte| byte == b'\n')
            .ok_or_else(|| bad("cut short"))?;
        let text = rest.get(..end).unwrap_or_default();
        self.at += end + 1;
        std::str::from_utf8(text).map_err(|_| bad("text"))
    }

    fn add(&mut self, node: Node) -> Result<usize, Error> {
        if self.nodes.len() >= MAX_VALUES {
            return Err(bad("too many values"));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn push(&mut self, node: Node) -> Result<(), Error> {
        let index = self.add(node)?;
        self.stack.push(index);
        Ok(())
    }

    fn push_value(&mut self, value: Value) -> Result<(), Error> {
        self.push(Node::Plain(value))
    }

    fn push_text(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // Lone surrogates cannot be kept in a Rust text; a replacement character can.
        self.push_value(Value::Text(String::from_utf8_lossy(bytes).into_owned()))
    }

    fn pop(&mut self) -> Result<usize, Error> {
        self.stack.pop().ok_or_else(|| bad("empty stack"))
    }

    fn top(&self) -> Result<usize, Error> {
        self.stack.last().copied().ok_or_else(|| bad("empty stack"))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<usize>, Error> {
        let mark = self
            .stack
            .iter()
            .rposition(|&index| matches!(self.nodes.get(index), Some(Node::Mark)))
            .ok_or_else(|| bad("no mark"))?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn remember(&mut self, key: u64) -> Result<(), Error> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Result<(), Error> {
        let index = *self.memo.get(&key).ok_or_else(|| bad("memo"))?;
        self.stack.push(index);
        Ok(())
    }

    fn append(&mut self, items: &[usize]) -> Result<(), Error> {
        let top = self.top()?;
        match self.nodes.get_mut(top) {
            Some(Node::List(list)) => {
                list.extend_from_slice(items);
                Ok(())
            }
            Some(Node::Plain(Value::Opaque)) => Ok(()),
            _ => Err(bad("append to no list")),
        }
    }

    fn set_items(&mut self, items: &[usize]) -> Result<(), Error> {
        let top = self.top()?;
        match self.nodes.get_mut(top) {
            Some(Node::Dict(dict)) => {
                let (pairs, rest) = items.as_chunks::<2>();
                if !rest.is_empty() {
                    return Err(bad("odd items"));
                }
                dict.extend(pairs.iter().map(|[key, value]| (*key, *value)));
                Ok(())
            }
            Some(Node::Plain(Value::Opaque)) => Ok(()),
            _ => Err(bad("set on no dict")),
        }
    }

    fn text_of(&self, index: usize) -> Option<String> {
        match self.nodes.get(index) {
            Some(Node::Plain(Value::Text(text))) => Some(text.clone()),
            _ => None,
        }
    }

    fn long(&mut self, count: usize) -> Result<(), Error> {
        let bytes = self.take(count)?;
        self.push_value(long_value(bytes))
    }

    fn run(&mut self) -> Result<usize, Error> {
        loop {
            let [op] = *self.take(1)? else {
                return Err(bad("cut short"));
            };
            match op {
                0x80 => {
                    if self.unsigned(1)? > 5 {
                        return Err(bad("protocol"));
                    }
                }
                0x95 => {
                    self.take(8)?;
                }
                b'.' => return self.pop(),
                b'(' => self.push(Node::Mark)?,
                b'0' => {
                    self.pop()?;
                }
                b'1' => {
                    self.pop_to_mark()?;
                }
                b'2' => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                b'N' => self.push_value(Value::None)?,
                0x88 => self.push_value(Value::Bool(true))?,
                0x89 => self.push_value(Value::Bool(false))?,
                b'K' => {
                    let number = self.unsigned(1)?;
                    self.push_value(Value::Int(number as i64))?;
                }
                b'M' => {
                    let number = self.unsigned(2)?;
                    self.push_value(Value::Int(number as i64))?;
                }
                b'J' => {
                    let number = self.unsigned(4)? as u32 as i32;
                    self.push_value(Value::Int(i64::from(number)))?;
                }
                0x8a => {
                    let count = self.length(1)?;
                    self.long(count)?;
                }
                0x8b => {
                    let count = self.length(4)?;
                    self.long(count)?;
                }
                b'I' => {
                    let value = match self.line()? {
                        "00" => Value::Bool(false),
                        "01" => Value::Bool(true),
                        text => Value::Int(text.parse().map_err(|_| bad("int"))?),
                    };
                    self.push_value(value)?;
                }
                b'L' => {
                    let text = self.line()?.trim_end_matches('L');
                    let number: i128 = text.parse().map_err(|_| bad("long"))?;
                    self.push_value(i64::try_from(number).map_or_else(
                        |_| Value::BigInt(number.to_le_bytes().to_vec()),
                        Value::Int,
                    ))?;
                }
                b'G' => {
                    let bits = self
                        .take(8)?
                        .iter()
                        .fold(0u64, |n, b| (n << 8) | u64::from(*b));
                    self.push_value(Value::Float(f64::from_bits(bits)))?;
                }
                b'F' => {
                    let number = self.line()?.parse().map_err(|_| bad("float"))?;
                    self.push_value(Value::Float(number))?;
                }
                0x8c | b'X' | 0x8d => {
                    let width = match op {
                        0x8c => 1,
                        b'X' => 4,
                        _ => 8,
                    };
                    let count = self.length(width)?;
                    let bytes = self.take(count)?;
                    self.push_text(bytes)?;
                }
                b'V' => {
                    let text = self.line()?.to_owned();
                    self.push_text(text.as_bytes())?;
                }
                b'U' | b'T' => {
                    let count = self.length(if op == b'U' { 1 } else { 4 })?;
                    let bytes = self.take(count)?;
                    self.push_text(bytes)?;
                }
                b'C' | b'B' | 0x8e | 0x96 => {
                    let width = match op {
                        b'C' => 1,
                        b'B' => 4,
                        _ => 8,
                    };
                    let count = self.length(width)?;
                    let bytes = self.take(count)?.to_vec();
                    self.push_value(Value::Bytes(bytes))?;
                }
                b'}' => self.push(Node::Dict(Vec::new()))?,
                b']' | 0x8f => self.push(Node::List(Vec::new()))?,
                b')' => self.push(Node::Tuple(Vec::new()))?,
                b'l' | 0x91 => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::List(items))?;
                }
                b't' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Tuple(items))?;
                }
                b'd' => {
                    let items = self.pop_to_mark()?;
                    self.push(Node::Dict(Vec::new()))?;
                    self.set_items(&items)?;
                }
                0x85..=0x87 => {
                    let count = usize::from(op - 0x84);
                    let start = self
                        .stack
                        .len()
                        .checked_sub(count)
                        .ok_or_else(|| bad("empty stack"))?;
                    let items = self.stack.split_off(start);
                    self.push(Node::Tuple(items))?;
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(&[item])?;
                }
                b'e' | 0x90 => {
                    let items = self.pop_to_mark()?;
                    self.append(&items)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.set_items(&[key, value])?;
                }
                b'u' => {
                    let items = self.pop_to_mark()?;
                    self.set_items(&items)?;
                }
                0x94 => {
                    let key = self.memo.len() as u64;
                    self.remember(key)?;
                }
                b'q' | b'r' => {
                    let key = self.unsigned(if op == b'q' { 1 } else { 4 })?;
                    self.remember(key)?;
                }
                b'p' => {
                    let key = self.line()?.parse().map_err(|_| bad("memo"))?;
                    self.remember(key)?;
                }
                b'h' | b'j' => {
                    let key = self.unsigned(if op == b'h' { 1 } else { 4 })?;
                    self.recall(key)?;
                }
                b'g' => {
                    let key = self.line()?.parse().map_err(|_| bad("memo"))?;
                    self.recall(key)?;
                }
                b'c' => {
                    let module = self.line()?.to_owned();
                    let name = self.line()?.to_owned();
                    self.push(Node::Global(module, name))?;
                }
                0x93 => {
                    let name = self.pop()?;
                    let module = self.pop()?;
                    let node = match (self.text_of(module), self.text_of(name)) {
                        (Some(module), Some(name)) => Node::Global(module, name),
                        _ => return Err(bad("global")),
                    };
                    self.push(node)?;
                }
                b'R' | 0x81 => {
                    let arguments = self.pop()?;
                    let callable = self.pop()?;
                    let node = self.reduce(callable, arguments);
                    self.push(node)?;
                }
                0x92 => {
                    self.pop()?;
                    self.pop()?;
                    self.pop()?;
                    self.push_value(Value::Opaque)?;
                }
                b'b' => {
                    // State of an object that is not kept.
                    self.pop()?;
                }
                _ => return Err(bad("opcode")),
            }
        }
    }

    /// The few calls that stand for plain data; every other one makes an opaque value and calls nothing.
    fn reduce(&self, callable: usize, arguments: usize) -> Node {
        let opaque = Node::Plain(Value::Opaque);
        let (Some(Node::Global(module, name)), Some(Node::Tuple(arguments))) =
            (self.nodes.get(callable), self.nodes.get(arguments))
        else {
            return opaque;
        };
        let argument = |at: usize| arguments.get(at).and_then(|&index| self.nodes.get(index));
        match (module.as_str(), name.as_str()) {
            ("datetime", "datetime") => {
                let packed: Vec<u8> = match argument(0) {
                    Some(Node::Plain(Value::Bytes(bytes))) => bytes.clone(),
                    Some(Node::Plain(Value::Text(text))) => {
                        text.chars().map(|ch| ch as u32 as u8).collect()
                    }
                    _ => return opaque,
                };
                unpack_datetime(&packed).map_or(opaque, |time| {
                    Node::Plain(Value::DateTime(time, arguments.len() > 1))
                })
            }
            ("_codecs", "encode") => match argument(0) {
                Some(Node::Plain(Value::Text(text))) => Node::Plain(Value::Bytes(
                    text.chars().map(|ch| ch as u32 as u8).collect(),
                )),
                _ => opaque,
            },
            ("builtins" | "__builtin__", "set" | "frozenset") => match argument(0) {
                Some(Node::List(items)) => Node::List(items.clone()),
                _ => opaque,
            },
            ("collections", "OrderedDict") if arguments.is_empty() => Node::Dict(Vec::new()),
            _ => opaque,
        }
    }

    fn build(&self, index: usize, depth: usize, budget: &mut usize) -> Result<Value, Error> {
        *budget = budget
            .checked_sub(1)
            .ok_or_else(|| bad("too many values"))?;
        if depth > MAX_DEPTH {
            return Err(bad("too deep"));
        }
        let sequence = |items: &[usize], budget: &mut usize| {
            items
                .iter()
                .map(|&item| self.build(item, depth + 1, budget))
                .collect::<Result<Vec<_>, _>>()
        };
        match self.nodes.get(index) {
            Some(Node::Plain(value)) => Ok(value.clone()),
            Some(Node::List(items)) => sequence(items, budget).map(Value::List),
            Some(Node::Tuple(items)) => sequence(items, budget).map(Value::Tuple),
            Some(Node::Dict(items)) => {
                let mut dict: Vec<(Value, Value)> = Vec::with_capacity(items.len().min(64));
                for &(key, item) in items {
                    let key = self.build(key, depth + 1, budget)?;
                    let item = self.build(item, depth + 1, budget)?;
                    if key.has_opaque() || item.has_opaque() {
                        continue;
                    }
                    match dict.iter_mut().find(|(known, _)| *known == key) {
                        Some(slot) => slot.1 = item,
                        None => dict.push((key, item)),
                    }
                }
                Ok(Value::Dict(dict))
            }
            Some(Node::Global(..)) => Ok(Value::Opaque),
            Some(Node::Mark) | None => Err(bad("mark as value")),
        }
    }
}

impl Value {
    fn has_opaque(&self) -> bool {
        match self {
            Self::Opaque => true,
            Self::List(items) | Self::Tuple(items) => items.iter().any(Self::has_opaque),
            // Dicts have dropped theirs already.
            _ => false,
        }
    }
}

fn long_value(bytes: &[u8]) -> Value {
    if bytes.len() > 8 {
        return Value::BigInt(bytes.to_vec());
    }
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = [if negative { 0xff } else { 0 }; 8];
    for (slot, byte) in wide.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    Value::Int(i64::from_le_bytes(wide))
}

fn unpack_datetime(packed: &[u8]) -> Option<NaiveDateTime> {
    let &[
        year_high,
        year_low,
        month,
        day,
        hour,
        minute,
        second,
        us2,
        us1,
        us0,
    ] = packed
    else {
        return None;
    };
    let year = i32::from(year_high) * 256 + i32::from(year_low);
    let micro = (u32::from(us2) << 16) | (u32::from(us1) << 8) | u32::from(us0);
    NaiveDate::from_ymd_opt(year, u32::from(month & 0x7f), u32::from(day))?.and_hms_micro_opt(
        u32::from(hour),
        u32::from(minute),
        u32::from(second),
        micro,
    )
}

/// Writes a pickle of protocol 4 or 5 that Python reads as the same value. [`Value::Opaque`] becomes None.
#[must_use]
pub fn dumps(value: &Value, protocol: u8) -> Vec<u8> {
    let mut body = Vec::new();
    write(&mut body, value);
    body.push(b'.');
    let mut out = vec![0x80, protocol];
    // Python frames what is at least four bytes long.
    if body.len() >= 4 {
        out.push(0x95);
        out.extend_from_slice(&(body.len() as u64).to_le_bytes());
    }
    out.append(&mut body);
    out
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::None | Value::Opaque => out.push(b'N'),
        Value::Bool(true) => out.push(0x88),
        Value::Bool(false) => out.push(0x89),
        Value::Int(number) => write_int(out, *number),
        Value::BigInt(bytes) => {
            let bytes = bytes.get(..bytes.len().min(255)).unwrap_or_default();
            out.push(0x8a);
            out.push(bytes.len() as u8);
            out.extend_from_slice(bytes);
        }
        Value::Float(number) => {
            out.push(b'G');
            out.extend_from_slice(&number.to_bits().to_be_bytes());
        }
        Value::Text(text) => write_text(out, text),
        Value::Bytes(bytes) => {
            if let Ok(short) = u8::try_from(bytes.len()) {
                out.extend_from_slice(&[b'C', short]);
            } else {
                out.push(b'B');
                out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            }
            out.extend_from_slice(bytes);
            out.push(0x94);
        }
        Value::List(items) => {
            out.extend_from_slice(&[b']', 0x94]);
            match items.as_slice() {
                [] => {}
                [item] => {
                    write(out, item);
                    out.push(b'a');
                }
                items => {
                    out.push(b'(');
                    for item in items {
                        write(out, item);
                    }
                    out.push(b'e');
                }
            }
        }
        Value::Tuple(items) => {
            match items.len() {
                0 => {
                    out.push(b')');
                    return;
                }
                count @ 1..=3 => {
                    for item in items {
                        write(out, item);
                    }
                    out.push(0x84 + count as u8);
                }
                _ => {
                    out.push(b'(');
                    for item in items {
                        write(out, item);
                    }
                    out.push(b't');
                }
            }
            out.push(0x94);
        }
        Value::Dict(items) => {
            out.extend_from_slice(&[b'}', 0x94]);
            match items.as_slice() {
                [] => {}
                [(key, item)] => {
                    write(out, key);
                    write(out, item);
                    out.push(b's');
                }
                items => {
                    out.push(b'(');
                    for (key, item) in items {
                        write(out, key);
                        write(out, item);
                    }
                    out.push(b'u');
                }
            }
        }
        Value::DateTime(time, aware) => write_datetime(out, *time, *aware),
    }
}

fn write_int(out: &mut Vec<u8>, number: i64) {
    if let Ok(byte) = u8::try_from(number) {
        out.extend_from_slice(&[b'K', byte]);
    } else if let Ok(short) = u16::try_from(number) {
        out.push(b'M');
        out.extend_from_slice(&short.to_le_bytes());
    } else if let Ok(word) = i32::try_from(number) {
        out.push(b'J');
        out.extend_from_slice(&word.to_le_bytes());
    } else {
        out.extend_from_slice(&[0x8a, 8]);
        out.extend_from_slice(&number.to_le_bytes());
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    if let Ok(short) = u8::try_from(text.len()) {
        out.extend_from_slice(&[0x8c, short]);
    } else {
        out.push(b'X');
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    out.extend_from_slice(text.as_bytes());
    out.push(0x94);
}

fn write_datetime(out: &mut Vec<u8>, time: NaiveDateTime, aware: bool) {
    use chrono::Datelike;
    write_text(out, "datetime");
    write_text(out, "datetime");
    out.extend_from_slice(&[0x93, 0x94]);
    let year = u16::try_from(time.year()).unwrap_or(1);
    let micro = (time.nanosecond() / 1000).min(999_999).to_be_bytes();
    let [_, us2, us1, us0] = micro;
    let [year_high, year_low] = year.to_be_bytes();
    let packed = [
        year_high,
        year_low,
        time.month() as u8,
        time.day() as u8,
        time.hour() as u8,
        time.minute() as u8,
        time.second() as u8,
        us2,
        us1,
        us0,
    ];
    out.extend_from_slice(&[b'C', 10]);
    out.extend_from_slice(&packed);
    out.push(0x94);
    if aware {
        // datetime.timezone(datetime.timedelta(0)) is timezone.utc.
        write_text(out, "datetime");
        write_text(out, "timezone");
        out.extend_from_slice(&[0x93, 0x94]);
        write_text(out, "datetime");
        write_text(out, "timedelta");
        out.extend_from_slice(&[
            0x93, 0x94, b'K', 0, b'K', 0, b'K', 0, 0x87, 0x94, b'R', 0x94,
        ]);
        out.extend_from_slice(&[0x85, 0x94, b'R', 0x94, 0x86, 0x94, b'R', 0x94]);
    } else {
        out.extend_from_slice(&[0x85, 0x94, b'R', 0x94]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::None),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-1e9..1e9f64).prop_map(Value::Float),
            ".{0,300}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
            (0i64..4_000_000_000, 0u32..1_000_000, any::<bool>()).prop_map(|(s, us, aware)| {
                Value::DateTime(
                    DateTime::from_timestamp(s, us * 1000).unwrap().naive_utc(),
                    aware,
                )
            }),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Tuple),
                proptest::collection::btree_map("[a-z]{1,4}", inner, 0..5).prop_map(|map| {
                    Value::Dict(map.into_iter().map(|(k, v)| (Value::Text(k), v)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn round_trip(value in value(), protocol in 4u8..=5) {
            prop_assert_eq!(loads(&dumps(&value, protocol)).unwrap(), value);
        }

        #[test]
        fn garbage_never_panics(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = loads(&data);
        }
    }

    /// contracts/identity.md §2: an object is never made, its key is dropped.
    #[test]
    fn objects_are_dropped() {
        // {'a': 1, 'm': os.system('x')} as protocol 4 would hold it.
        let mut data = vec![0x80, 4, b'}', b'('];
        data.extend_from_slice(
            b"\x8c\x01aK\x01\x8c\x01m\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85Ru.",
        );
        assert_eq!(loads(&data).unwrap().to_json(), json!({"a": 1}));
    }

    /// A few bytes that stand for millions of values are refused.
    #[test]
    fn shared_lists_do_not_explode() {
        let mut data = vec![0x80, 4, b']', 0x94];
        for index in 0..40u8 {
            data.extend_from_slice(&[b']', 0x94, b'(', b'h', index, b'h', index, b'e']);
        }
        data.push(b'.');
        assert!(loads(&data).is_err());
    }
}
