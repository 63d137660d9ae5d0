//! Values in code, and the rules of each field type for reading, setting and writing them
//! (courseware.md §3 and §18, olx.md §4).

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use serde_json::{Value, json};

use super::dateparse::{self, Defaults};
use super::duration;
use super::kind::FieldType;
use super::moment::{Duration, Moment};
use super::python::{Int, float_repr, json_dumps, json_dumps_indented};
use super::python::{parse_float, parse_int, truncate};
use super::structured::{group_access, partition, score};
use super::yaml;

/// A value does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The value's type or form is not that of the field.
    #[error("the value does not fit a field of type {0:?}")]
    Mismatch(FieldType),
    /// A number or duration beyond what the field holds.
    #[error("the value is too large")]
    Overflow,
    /// A bad position in a video; the text is shown to authors.
    #[error("{0}")]
    RelativeTime(String),
    /// The text is no YAML.
    #[error("the text is not well-formed")]
    Malformed,
}

/// A field value as code works with it.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// Null, a bool, a finite number, a text, a list or an object.
    Json(Value),
    /// A number that is not finite.
    NotFinite(f64),
    /// A moment.
    Moment(Moment),
    /// A day without time, as YAML reads it; no field takes one.
    Day(NaiveDate),
    /// A duration.
    Duration(Duration),
    /// A set, in order of the JSON texts of its elements.
    Set(Vec<Value>),
}

impl FieldValue {
    /// The null value.
    pub const NULL: Self = Self::Json(Value::Null);

    /// A number, finite or not.
    #[must_use]
    pub fn float(number: f64) -> Self {
        if number.is_finite() {
            Self::Json(Value::from(number))
        } else {
            Self::NotFinite(number)
        }
    }

    fn is_true(&self) -> bool {
        match self {
            Self::Json(Value::Null) => false,
            Self::Json(Value::Bool(value)) => *value,
            Self::Json(Value::Number(number)) => number.as_f64() != Some(0.0),
            Self::Json(Value::String(text)) => !text.is_empty(),
            Self::Json(Value::Array(items)) | Self::Set(items) => !items.is_empty(),
            Self::Json(Value::Object(items)) => !items.is_empty(),
            Self::NotFinite(_) | Self::Moment(_) | Self::Day(_) => true,
            Self::Duration(duration) => *duration != Duration::default(),
        }
    }
}

/// What dates without a year, and two-digit years, are completed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Today, in UTC.
    pub today: NaiveDate,
    /// Two-digit years are taken within 50 years of this one.
    pub pivot: i32,
}

impl Clock {
    /// The clock of a day.
    #[must_use]
    pub fn at(today: NaiveDate) -> Self {
        Self {
            today,
            pivot: today.year(),
        }
    }

    /// The first of January of a year.
    #[must_use]
    pub fn of_year(year: i32) -> Self {
        let today = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
        Self { today, pivot: year }
    }
}

/// Reads a stored value (or a value in code, which most types take as well).
pub fn from_json(
    kind: FieldType,
    value: FieldValue,
    clock: Clock,
) -> Result<FieldValue, FieldError> {
    let mismatch = || FieldError::Mismatch(kind);
    let is_null = value == FieldValue::NULL;
    let is_empty_text = matches!(&value, FieldValue::Json(Value::String(text)) if text.is_empty());
    match kind {
        FieldType::Boolean => Ok(FieldValue::Json(Value::Bool(match &value {
            FieldValue::Json(Value::String(text)) => text.to_lowercase() == "true",
            other => other.is_true(),
        }))),
        FieldType::Integer | FieldType::Float if is_null || is_empty_text => Ok(FieldValue::NULL),
        FieldType::Integer => match &value {
            FieldValue::Json(Value::String(text)) => parse_int(text),
            FieldValue::Json(Value::Bool(value)) => Some(Int::Exact(i64::from(*value))),
            FieldValue::Json(Value::Number(number)) if number.is_i64() || number.is_u64() => {
                return Ok(value);
            }
            FieldValue::Json(Value::Number(number)) => number.as_f64().and_then(truncate),
            FieldValue::NotFinite(number) if number.is_infinite() => {
                return Err(FieldError::Overflow);
            }
            _ => None,
        }
        .map(|number| FieldValue::Json(number.value()))
        .ok_or_else(mismatch),
        FieldType::Float => match &value {
            FieldValue::Json(Value::String(text)) => parse_float(text),
            FieldValue::Json(Value::Bool(value)) => Some(f64::from(u8::from(*value))),
            FieldValue::Json(Value::Number(number)) => number.as_f64(),
            FieldValue::NotFinite(number) => Some(*number),
            _ => None,
        }
        .map(FieldValue::float)
        .ok_or_else(mismatch),
        FieldType::List | FieldType::TabList => match &value {
            FieldValue::Json(Value::Null | Value::Array(_)) => Ok(value),
            _ => Err(mismatch()),
        },
        FieldType::Dict | FieldType::TeamsConfig => match &value {
            FieldValue::Json(Value::Null | Value::Object(_)) => Ok(value),
            _ => Err(mismatch()),
        },
        FieldType::GroupAccess => group_access(value),
        FieldType::Set => to_set(value),
        FieldType::String | FieldType::XmlString | FieldType::ProctoringProvider => match value {
            FieldValue::Json(Value::String(text)) => Ok(FieldValue::Json(clean_text(text))),
            FieldValue::Json(Value::Null) => Ok(value),
            _ => Err(mismatch()),
        },
        FieldType::EmailString => match value {
            value if !value.is_true() => Ok(FieldValue::NULL),
            FieldValue::Json(Value::String(text)) if is_email(&text) => {
                Ok(FieldValue::Json(Value::String(text)))
            }
            _ => Err(mismatch()),
        },
        FieldType::Any
        | FieldType::Reference
        | FieldType::ReferenceList
        | FieldType::ReferenceValueDict => Ok(value),
        FieldType::Randomization => Ok(match &value {
            FieldValue::Json(Value::String(text)) => match text.as_str() {
                "" | "true" => FieldValue::Json(json!("always")),
                "false" => FieldValue::Json(json!("per_student")),
                _ => value,
            },
            _ => value,
        }),
        FieldType::Date => date(value, clock),
        FieldType::StringOrDate => match date(value.clone(), clock) {
            Ok(FieldValue::Json(Value::Null)) | Err(FieldError::Mismatch(_)) => Ok(value),
            result => result,
        },
        FieldType::Datetime => datetime(value, clock),
        FieldType::Timedelta => match &value {
            FieldValue::Json(Value::Null) | FieldValue::Duration(_) => Ok(value),
            FieldValue::Json(Value::String(text)) => {
                Ok(duration::parse_words(text)?.map_or(FieldValue::NULL, FieldValue::Duration))
            }
            _ => Err(mismatch()),
        },
        FieldType::RelativeTime => match &value {
            value if !value.is_true() => Ok(FieldValue::Duration(Duration::default())),
            FieldValue::Duration(_) => Ok(value),
            FieldValue::Json(Value::Number(number)) if number.is_f64() => number
                .as_f64()
                .and_then(Duration::from_seconds)
                .map(FieldValue::Duration)
                .ok_or(FieldError::Overflow),
            FieldValue::Json(Value::String(text)) => {
                duration::parse_clock(text).map(FieldValue::Duration)
            }
            _ => Err(mismatch()),
        },
        FieldType::Score => match &value {
            FieldValue::Json(value) => score(value).map(FieldValue::Json).ok_or_else(mismatch),
            _ => Err(mismatch()),
        },
        FieldType::ListScore => match &value {
            FieldValue::Json(Value::Null) => Ok(value),
            FieldValue::Json(Value::Array(items)) => items
                .iter()
                .map(score)
                .collect::<Option<Vec<_>>>()
                .map(|scores| FieldValue::Json(Value::Array(scores)))
                .ok_or_else(mismatch),
            _ => Err(mismatch()),
        },
        FieldType::UserPartitionList => match &value {
            FieldValue::Json(Value::Array(items)) => items
                .iter()
                .map(partition)
                .collect::<Option<Vec<_>>>()
                .map(|items| FieldValue::Json(Value::Array(items)))
                .ok_or_else(mismatch),
            _ => Err(mismatch()),
        },
        FieldType::TextbookList => match &value {
            FieldValue::Json(Value::Array(items))
                if items
                    .iter()
                    .all(|item| item.as_array().is_some_and(|pair| pair.len() == 2)) =>
            {
                Ok(value)
            }
            _ => Err(mismatch()),
        },
    }
}

/// Checks and converts a value that code sets.
pub fn enforce(kind: FieldType, value: FieldValue, clock: Clock) -> Result<FieldValue, FieldError> {
    let string_like = match kind {
        FieldType::Randomization | FieldType::EmailString => FieldType::String,
        FieldType::GroupAccess => FieldType::Dict,
        FieldType::UserPartitionList | FieldType::TextbookList => FieldType::List,
        kind => kind,
    };
    match string_like {
        FieldType::RelativeTime if value == FieldValue::NULL => Ok(value),
        kind => from_json(kind, value, clock),
    }
}

/// The stored form of a value in code.
pub fn to_json(kind: FieldType, value: FieldValue) -> Result<FieldValue, FieldError> {
    let mismatch = || FieldError::Mismatch(kind);
    match kind {
        FieldType::Date => match value {
            FieldValue::Json(Value::Null) => Ok(value),
            FieldValue::Moment(moment) => Ok(FieldValue::Json(Value::String(date_text(&moment)))),
            _ => Err(mismatch()),
        },
        FieldType::StringOrDate => Ok(match value {
            FieldValue::Moment(moment) => FieldValue::Json(Value::String(date_text(&moment))),
            value => value,
        }),
        FieldType::Datetime => match value {
            FieldValue::Json(Value::Null) => Ok(value),
            FieldValue::Moment(moment) => {
                let micros = moment.local.nanosecond() / 1000;
                let text = moment.local.format("-%m-%dT%H:%M:%S");
                let text = format!("{}{text}.{micros:06}", moment.local.year());
                Ok(FieldValue::Json(Value::String(text)))
            }
            FieldValue::Duration(duration) => Ok(FieldValue::float(duration.seconds())),
            _ => Err(mismatch()),
        },
        FieldType::Timedelta => match value {
            FieldValue::Json(Value::Null) => Ok(value),
            FieldValue::Duration(duration) => {
                Ok(FieldValue::Json(Value::String(duration::words(duration))))
            }
            _ => Err(mismatch()),
        },
        FieldType::RelativeTime => {
            let text = match &value {
                value if !value.is_true() => "00:00:00".to_owned(),
                FieldValue::Duration(duration) => duration::clock(*duration)?,
                FieldValue::Json(Value::Number(number)) if number.is_f64() => {
                    let seconds = number.as_f64().unwrap_or_default().min(86_400.0);
                    duration::clock(Duration::from_seconds(seconds).ok_or(FieldError::Overflow)?)?
                }
                _ => return Err(mismatch()),
            };
            Ok(FieldValue::Json(Value::String(text)))
        }
        FieldType::Randomization => from_json(kind, value, Clock::of_year(1970)),
        _ => Ok(value),
    }
}

/// What is stored of a stored value once it has been read and written.
pub fn normalise(
    kind: FieldType,
    value: FieldValue,
    clock: Clock,
) -> Result<FieldValue, FieldError> {
    to_json(kind, from_json(kind, value, clock)?)
}

/// Reads the attribute text of a pure block: a text field takes it raw, any other reads it as YAML
/// (olx.md §3.2).
pub fn from_string(kind: FieldType, text: &str, clock: Clock) -> Result<FieldValue, FieldError> {
    if kind.is_text() {
        return from_json(kind, FieldValue::Json(Value::from(text)), clock);
    }
    enforce(kind, yaml::load(text)?, clock)
}

/// Writes the attribute value of a pure block: text and dates raw, anything else as indented JSON.
pub fn to_string(kind: FieldType, value: FieldValue) -> Result<FieldValue, FieldError> {
    if kind.is_text() || kind == FieldType::Datetime {
        return to_json(kind, value);
    }
    let text = match to_json(kind, value)? {
        FieldValue::Json(value) => json_dumps_indented(&value),
        FieldValue::NotFinite(number) => not_finite_json(number).to_owned(),
        FieldValue::Set(_) | FieldValue::Moment(_) | FieldValue::Day(_) => {
            return Err(FieldError::Mismatch(kind));
        }
        FieldValue::Duration(_) => return Err(FieldError::Mismatch(kind)),
    };
    Ok(FieldValue::Json(Value::String(text)))
}

fn not_finite_json(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Reads a settings attribute of a file-based block into its stored value: JSON where the field takes it,
/// else the raw text (olx.md §4).
pub fn deserialize_attribute(
    kind: FieldType,
    text: &str,
    clock: Clock,
) -> Result<FieldValue, FieldError> {
    let raw = || FieldValue::Json(Value::from(text));
    let Some(value) = json_loads(text) else {
        return Ok(raw());
    };
    if value == FieldValue::NULL {
        return Ok(value);
    }
    match from_json(kind, value.clone(), clock) {
        Ok(_) => Ok(value),
        Err(FieldError::Overflow) => Err(FieldError::Overflow),
        Err(_) => Ok(raw()),
    }
}

/// Like [`deserialize_attribute`] with the result as JSON. A number that is not finite, which JSON lacks,
/// stays text.
#[must_use]
pub fn stored_attribute(kind: FieldType, text: &str, clock: Clock) -> Value {
    match deserialize_attribute(kind, text, clock) {
        Ok(FieldValue::Json(value)) => value,
        _ => Value::from(text),
    }
}

/// Writes a stored value as a settings attribute of a file-based block (olx.md §4).
#[must_use]
pub fn serialize_attribute(value: &FieldValue) -> String {
    match value {
        FieldValue::Json(Value::String(text)) => text.clone(),
        FieldValue::Json(value) => json_dumps(value),
        FieldValue::NotFinite(number) => not_finite_json(*number).to_owned(),
        FieldValue::Moment(moment) => moment.iso(),
        FieldValue::Day(day) => day.to_string(),
        FieldValue::Duration(duration) => float_repr(duration.seconds()),
        FieldValue::Set(items) => json_dumps(&Value::Array(items.clone())),
    }
}

/// Python's `json.loads`, which also takes `NaN` and `Infinity` at the top.
fn json_loads(text: &str) -> Option<FieldValue> {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
    match trimmed {
        "NaN" => return Some(FieldValue::NotFinite(f64::NAN)),
        "Infinity" => return Some(FieldValue::NotFinite(f64::INFINITY)),
        "-Infinity" => return Some(FieldValue::NotFinite(f64::NEG_INFINITY)),
        "-0" => return Some(FieldValue::Json(Value::from(0))),
        _ => {}
    }
    serde_json::from_str(trimmed).ok().map(FieldValue::Json)
}

/// Text without the characters that XML cannot hold.
fn clean_text(text: String) -> Value {
    let bad = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    Value::String(if text.contains(bad) {
        text.replace(bad, "")
    } else {
        text
    })
}

/// Whether a text looks like an e-mail address: a local part and a domain with a dot.
fn is_email(text: &str) -> bool {
    let Some((user, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let user_ok = !user.is_empty()
        && !user.starts_with('.')
        && !user.ends_with('.')
        && user
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{}|~.-".contains(c));
    let labels: Vec<_> = domain.split('.').collect();
    let label_ok = |label: &&str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    user_ok && labels.len() > 1 && labels.iter().all(label_ok)
}

fn date(value: FieldValue, clock: Clock) -> Result<FieldValue, FieldError> {
    let mismatch = FieldError::Mismatch(FieldType::Date);
    match value {
        FieldValue::Json(Value::Null) => Ok(FieldValue::NULL),
        FieldValue::Moment(_) => Ok(value),
        FieldValue::Json(Value::String(text)) if text.is_empty() => Ok(FieldValue::NULL),
        FieldValue::Json(Value::String(text)) => match parse_date(&text, clock) {
            Some(moment) => Ok(moment.map_or(FieldValue::NULL, FieldValue::Moment)),
            None => Err(mismatch),
        },
        FieldValue::Json(Value::Bool(value)) => epoch(f64::from(u8::from(value))),
        FieldValue::Json(Value::Number(number)) => epoch(number.as_f64().unwrap_or(f64::NAN)),
        FieldValue::NotFinite(number) if number.is_infinite() => Err(FieldError::Overflow),
        _ => Err(mismatch),
    }
}

/// The moment of a number of milliseconds since 1970.
fn epoch(millis: f64) -> Result<FieldValue, FieldError> {
    let mismatch = FieldError::Mismatch(FieldType::Date);
    let seconds = millis / 1000.0;
    if seconds.is_nan() {
        return Err(mismatch);
    }
    if seconds.abs() >= 9.2e18 {
        return Err(FieldError::Overflow);
    }
    let whole = seconds.floor();
    let mut micros = ((seconds - whole) * 1e6).round_ties_even() as u32;
    let mut whole = whole as i64;
    if micros == 1_000_000 {
        whole += 1;
        micros = 0;
    }
    match DateTime::from_timestamp(whole, micros * 1000) {
        Some(moment) if (1..=9999).contains(&moment.year()) => {
            Ok(FieldValue::Moment(Moment::utc(moment.naive_utc())))
        }
        _ => Err(mismatch),
    }
}

const DAY_SECONDS: i32 = 86_400;

/// Reads a date as fields do: month and day must be written, naive is UTC. The outer `None` means that the
/// text is no date, the inner one that it lacks month or day.
#[must_use]
pub fn parse_date(text: &str, clock: Clock) -> Option<Option<Moment>> {
    let year = clock.today.year();
    let read = |month, day| {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        dateparse::parse(
            text,
            Defaults {
                date,
                pivot: clock.pivot,
            },
        )
    };
    let moment = read(1, 1)?;
    if read(2, 2)? != moment {
        return Some(None);
    }
    let offset = moment.offset.unwrap_or_default();
    // A zone a day or more away is found out last.
    (offset.abs() < DAY_SECONDS).then_some(Some(Moment {
        offset: Some(offset),
        ..moment
    }))
}

fn date_text(moment: &Moment) -> String {
    if moment.offset.unwrap_or_default() != 0 || moment.local.year() < 1900 {
        return moment.iso();
    }
    moment.local.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn datetime(value: FieldValue, clock: Clock) -> Result<FieldValue, FieldError> {
    let mismatch = FieldError::Mismatch(FieldType::Datetime);
    let moment = match value {
        FieldValue::Json(Value::Null) | FieldValue::Duration(_) => return Ok(value),
        FieldValue::Json(Value::String(text)) if text.is_empty() => return Ok(FieldValue::NULL),
        FieldValue::Json(Value::String(text)) => {
            let defaults = Defaults {
                date: clock.today,
                pivot: clock.pivot,
            };
            dateparse::parse(&text, defaults)
                .filter(|moment| moment.offset.unwrap_or_default().abs() < DAY_SECONDS)
                .ok_or(mismatch)?
        }
        FieldValue::Json(Value::Bool(value)) => return seconds(f64::from(u8::from(value))),
        FieldValue::Json(Value::Number(number)) => {
            return seconds(number.as_f64().unwrap_or(f64::NAN));
        }
        FieldValue::Moment(moment) => moment,
        _ => return Err(mismatch),
    };
    Ok(FieldValue::Moment(Moment::utc(moment.to_utc().naive_utc())))
}

fn seconds(seconds: f64) -> Result<FieldValue, FieldError> {
    Duration::from_seconds(seconds)
        .map(FieldValue::Duration)
        .ok_or(FieldError::Overflow)
}

fn to_set(value: FieldValue) -> Result<FieldValue, FieldError> {
    let items: Vec<Value> = match value {
        FieldValue::Json(Value::Null) | FieldValue::Set(_) => return Ok(value),
        FieldValue::Json(Value::String(text)) => {
            text.chars().map(|c| Value::String(c.into())).collect()
        }
        FieldValue::Json(Value::Array(items)) => items,
        FieldValue::Json(Value::Object(items)) => {
            items.into_iter().map(|item| item.0.into()).collect()
        }
        _ => return Err(FieldError::Mismatch(FieldType::Set)),
    };
    let mut set: Vec<Value> = Vec::new();
    for item in items {
        if item.is_array() || item.is_object() {
            return Err(FieldError::Mismatch(FieldType::Set));
        }
        let number = |value: &Value| match value {
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            value => value.as_f64(),
        };
        let known = set.iter().any(|other| {
            *other == item || number(other).is_some_and(|other| Some(other) == number(&item))
        });
        if !known {
            set.push(item);
        }
    }
    set.sort_by_cached_key(json_dumps);
    Ok(FieldValue::Set(set))
}
