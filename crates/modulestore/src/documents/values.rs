//! Field values: the JSON form of the course model on one side, stored BSON on the other (courseware.md §2.2).
//!
//! Dates are stored as BSON dates and references as `[type, id]` pairs; both kinds are told by the type of
//! the field. All other values are stored as they are.

use bson::raw::{CString, RawArrayBuf, RawBsonRef};
use bson::{DateTime, RawArray, RawBson, RawDocument, RawDocumentBuf};
use chrono::{NaiveDate, NaiveDateTime};
use course_model::fields::{self, Clock, FieldValue, Moment};
use course_model::{BlockKey, FieldType, Fields};
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Map, Number, Value};

use super::structure::{pair, read_pair};
use crate::error::{Error, Result};
use crate::forms::{Form, field_form};

/// Values nested deeper than this are cut off; no field of the platform comes near.
const MAX_DEPTH: usize = 100;
/// Completes dates without a year. Values that come here are complete; only broken ones are not.
const NO_CLOCK: i32 = 2000;

/// The stored form of values of a block of `block_type`.
///
/// References to blocks become pairs whatever course they name: in storage a reference has no course.
/// `children` is left out; it is not an ordinary value.
pub fn to_stored(block_type: &str, fields: &Fields) -> Result<RawDocumentBuf> {
    let mut doc = RawDocumentBuf::new();
    for (name, value) in fields {
        if name == "children" {
            continue;
        }
        let stored = match field_form(block_type, name) {
            Form::Plain => encode(value, 0)?,
            Form::Date(kind) => encode_date(kind, name, value)?,
            Form::Reference => encode_reference(value)?,
            Form::ReferenceList => match value {
                Value::Array(list) => {
                    let list = list
                        .iter()
                        .map(encode_reference)
                        .collect::<Result<Vec<_>>>()?;
                    RawBson::Array(list.into_iter().collect())
                }
                other => encode(other, 0)?,
            },
            Form::ReferenceMap => match value {
                Value::Object(map) => {
                    let mut stored = RawDocumentBuf::new();
                    for (key, value) in map {
                        stored.append(key_text(key)?, encode_reference(value)?);
                    }
                    RawBson::Document(stored)
                }
                other => encode(other, 0)?,
            },
        };
        doc.append(key_text(name)?, stored);
    }
    Ok(doc)
}

/// The JSON form of stored values; references become usage key texts of `course`.
pub fn from_stored(course: &CourseKey, block_type: &str, doc: &RawDocument) -> Result<Fields> {
    let mut fields = Fields::new();
    for element in doc {
        let (name, value) = element?;
        let name = name.as_str();
        if name == "children" {
            continue;
        }
        let value = match field_form(block_type, name) {
            Form::Plain => decode(value, 0),
            Form::Date(kind) => decode_date(kind, value),
            Form::Reference => decode_reference(course, value),
            Form::ReferenceList => match value.as_array() {
                Some(list) => Value::Array(
                    list.into_iter()
                        .flatten()
                        .map(|item| decode_reference(course, item))
                        .collect(),
                ),
                None => decode(value, 0),
            },
            Form::ReferenceMap => match value.as_document() {
                Some(map) => Value::Object(
                    map.into_iter()
                        .flatten()
                        .map(|(key, item)| {
                            (key.as_str().to_owned(), decode_reference(course, item))
                        })
                        .collect(),
                ),
                None => decode(value, 0),
            },
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(fields)
}

/// True when stored values of this block type may hold references in `fields`.
#[must_use]
pub fn has_references(block_type: &str, doc: &RawDocument) -> bool {
    doc.into_iter().flatten().any(|(name, _)| {
        !matches!(
            field_form(block_type, name.as_str()),
            Form::Plain | Form::Date(_)
        )
    })
}

/// Reads a stored date text: ISO 8601 with or without zone (UTC), or a date alone.
#[must_use]
pub fn parse_date(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let millis = if let Ok(date) = chrono::DateTime::parse_from_rfc3339(text) {
        date.timestamp_millis()
    } else if let Some(date) = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), form).ok())
    {
        date.and_utc().timestamp_millis()
    } else {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp_millis()
    };
    Some(DateTime::from_millis(millis))
}

/// A date as fields write it: `YYYY-MM-DDTHH:MM:SSZ`, with a fraction only where there is one.
#[must_use]
pub fn date_text(date: DateTime) -> String {
    let millis = date.timestamp_millis();
    match chrono::DateTime::from_timestamp_millis(millis) {
        Some(date) if millis.rem_euclid(1000) == 0 => date.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Some(date) => date.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        // Beyond the calendar; such dates only come from broken documents.
        None => String::new(),
    }
}

fn key_text(name: &str) -> Result<CString> {
    CString::try_from(name).map_err(|error| Error::Encode(error.to_string()))
}

fn encode_date(kind: FieldType, name: &str, value: &Value) -> Result<RawBson> {
    // The form that is stored nearly always.
    if let Value::String(text) = value
        && text.ends_with('Z')
        && let Some(date) = parse_date(text)
    {
        return Ok(RawBson::DateTime(date));
    }
    let read = FieldValue::Json(value.clone());
    match fields::from_json(kind, read, Clock::of_year(NO_CLOCK)) {
        Ok(FieldValue::Moment(moment)) => Ok(RawBson::DateTime(DateTime::from_millis(
            moment.to_utc().timestamp_millis(),
        ))),
        Ok(FieldValue::Json(value)) => encode(&value, 0),
        // A duration, which stays the number of seconds that it is written as.
        Ok(_) => encode(value, 0),
        Err(error) => Err(Error::Encode(format!("{name}: {error}"))),
    }
}

fn decode_date(kind: FieldType, value: RawBsonRef<'_>) -> Value {
    let moment = match value {
        RawBsonRef::DateTime(date) => {
            chrono::DateTime::from_timestamp_millis(date.timestamp_millis())
        }
        _ => None,
    };
    let Some(moment) = moment else {
        return decode(value, 0);
    };
    let moment = FieldValue::Moment(Moment::utc(moment.naive_utc()));
    match fields::to_json(kind, moment) {
        Ok(FieldValue::Json(text)) => text,
        _ => decode(value, 0),
    }
}

fn encode_reference(value: &Value) -> Result<RawBson> {
    match value {
        Value::String(text) => Ok(match UsageKey::parse(text) {
            Ok(key) => RawBson::Array(pair(&BlockKey::new(key.block_type(), key.block_id()))),
            // No key: kept as it is, so that the author sees what was written.
            Err(_) => RawBson::String(text.clone()),
        }),
        other => encode(other, 0),
    }
}

fn decode_reference(course: &CourseKey, value: RawBsonRef<'_>) -> Value {
    match read_pair(value) {
        Some((block_type, block_id)) => course
            .make_usage_key(block_type, block_id)
            // An id that no key can hold names nothing; the pair shows what is stored.
            .map_or_else(|_| decode(value, 0), |key| Value::String(key.to_string())),
        None => decode(value, 0),
    }
}

/// The stored form of a JSON value.
pub fn encode(value: &Value, depth: usize) -> Result<RawBson> {
    if depth > MAX_DEPTH {
        return Err(Error::Encode("nested too deeply".to_owned()));
    }
    Ok(match value {
        Value::Null => RawBson::Null,
        Value::Bool(value) => RawBson::Boolean(*value),
        Value::Number(number) => encode_number(number),
        Value::String(text) => RawBson::String(text.clone()),
        Value::Array(list) => {
            let mut array = RawArrayBuf::new();
            for item in list {
                array.push(encode(item, depth + 1)?);
            }
            RawBson::Array(array)
        }
        Value::Object(map) => {
            let mut doc = RawDocumentBuf::new();
            for (key, item) in map {
                doc.append(key_text(key)?, encode(item, depth + 1)?);
            }
            RawBson::Document(doc)
        }
    })
}

/// Whole numbers take 32 bits where they fit, as the platform's driver does.
fn encode_number(number: &Number) -> RawBson {
    match number.as_i64() {
        Some(whole) => i32::try_from(whole).map_or(RawBson::Int64(whole), RawBson::Int32),
        None => RawBson::Double(number.as_f64().unwrap_or_default()),
    }
}

/// The JSON form of a stored value.
#[must_use]
pub fn decode(value: RawBsonRef<'_>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    match value {
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) => Value::String(text.to_owned()),
        RawBsonRef::Boolean(value) => Value::Bool(value),
        RawBsonRef::Int32(number) => Value::from(number),
        RawBsonRef::Int64(number) => Value::from(number),
        RawBsonRef::Double(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        RawBsonRef::Array(list) => decode_list(list, depth),
        RawBsonRef::Document(doc) => Value::Object(
            doc.into_iter()
                .flatten()
                .map(|(key, value)| (key.as_str().to_owned(), decode(value, depth + 1)))
                .collect::<Map<_, _>>(),
        ),
        RawBsonRef::DateTime(date) => Value::String(date_text(date)),
        RawBsonRef::ObjectId(id) => Value::String(id.to_hex()),
        // Null, and kinds that no field is stored as.
        _ => Value::Null,
    }
}

fn decode_list(list: &RawArray, depth: usize) -> Value {
    Value::Array(
        list.into_iter()
            .flatten()
            .map(|value| decode(value, depth + 1))
            .collect(),
    )
}
