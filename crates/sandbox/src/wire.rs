//! Frames between the server and a script's process, and Python values as JSON.

use std::fmt::Write as _;
use std::io::{Read, Write};

use capa::pyvalue::{PyValue, float_repr};
use capa::script::Globals;

/// Writes one frame: a letter, the length, the bytes.
pub(crate) fn write_frame(to: &mut impl Write, kind: u8, data: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(data.len()).map_err(|_| std::io::ErrorKind::InvalidInput)?;
    let mut head = [kind, 0, 0, 0, 0];
    head[1..].copy_from_slice(&length.to_le_bytes());
    to.write_all(&head)?;
    to.write_all(data)
}

/// Reads one frame of at most `most` bytes; none at the end of the stream.
pub(crate) fn read_frame(
    from: &mut impl Read,
    most: usize,
) -> std::io::Result<Option<(u8, Vec<u8>)>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let [kind, length @ ..] = head;
    let length = u32::from_le_bytes(length) as usize;
    if length > most {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    // The length is the script's word: memory is taken as bytes come.
    let mut data = Vec::new();
    let got = from.take(length as u64).read_to_end(&mut data)?;
    if got < length {
        return Ok(None);
    }
    Ok(Some((kind, data)))
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn write_value(out: &mut String, value: &PyValue) {
    match value {
        PyValue::None => out.push_str("null"),
        PyValue::Bool(true) => out.push_str("true"),
        PyValue::Bool(false) => out.push_str("false"),
        PyValue::Int(number) => {
            let _ = write!(out, "{number}");
        }
        PyValue::Big(digits) => out.push_str(digits),
        PyValue::Float(number) if number.is_nan() => out.push_str("NaN"),
        PyValue::Float(number) if number.is_infinite() => {
            out.push_str(if *number > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            });
        }
        PyValue::Float(number) => out.push_str(&float_repr(*number)),
        PyValue::Str(text) => write_text(out, text),
        PyValue::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        PyValue::Dict(map) => write_map(out, map.iter()),
    }
}

fn write_map<'a>(out: &mut String, items: impl Iterator<Item = (&'a String, &'a PyValue)>) {
    out.push('{');
    for (i, (key, value)) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        write_text(out, key);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

/// Globals as the JSON that Python reads: every float to its last bit, integers of any length.
pub(crate) fn globals_json(globals: &Globals) -> String {
    let mut out = String::new();
    write_map(&mut out, globals.iter());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // capa.md §6.1: globals in and out are the same values
    #[test]
    fn values_survive_the_way_to_python_and_back() {
        let text = "{\"a\": [1, -2.5, 1e+300, 123456789012345678901234567890, true, null], \"b\": {\"c\": \"\\u00e9\\\"\\\\\\n\\u0001\"}, \"d\": 0.1}";
        let Some(PyValue::Dict(globals)) = PyValue::parse_json(text) else {
            panic!("json");
        };
        let written = globals_json(&globals);
        assert_eq!(PyValue::parse_json(&written), Some(PyValue::Dict(globals)));
    }

    #[test]
    fn frames_are_bounded() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, b'O', b"hello").expect("write");
        assert_eq!(
            read_frame(&mut bytes.as_slice(), 10).expect("read"),
            Some((b'O', b"hello".to_vec()))
        );
        assert!(read_frame(&mut bytes.as_slice(), 4).is_err());
        assert_eq!(read_frame(&mut &bytes[..7], 10).expect("read"), None);
        assert_eq!(read_frame(&mut &b"O\xff\xff\xff\xff"[..], 10).ok(), None);
    }
}
