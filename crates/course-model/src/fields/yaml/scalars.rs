//! What plain scalars of YAML 1.1 mean.

use std::sync::LazyLock;

use chrono::{NaiveDate, NaiveDateTime};
use regex::Regex;
use serde_json::Value;

use crate::fields::moment::Moment;
use crate::fields::python::{Int, parse_float, parse_int, truncate};
use crate::fields::value::FieldValue;

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
pub(super) fn resolve(text: &str) -> Option<FieldValue> {
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
    truncate(value).map(|value| FieldValue::Json(value.value()))
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
