//! Field values between archives and storage, over `course_model::fields`.

use course_model::FieldType;
use course_model::fields::{self, Clock, FieldError, FieldValue, Moment};
use serde_json::Value;

/// Stored values are complete: no clock is asked for what they leave out.
const NO_CLOCK: i32 = 2000;

fn stored(value: FieldValue) -> Value {
    match value {
        FieldValue::Json(value) => value,
        FieldValue::Set(items) => Value::Array(items),
        other => Value::String(fields::serialize_attribute(&other)),
    }
}

/// An attribute of a file-based block as raw JSON (olx.md §4).
pub(crate) fn from_attribute(kind: FieldType, text: &str, clock: Clock) -> Value {
    fields::stored_attribute(kind, text, clock)
}

/// An attribute of a pure block as stored JSON (olx.md §3.2).
pub(crate) fn from_pure_attribute(
    kind: FieldType,
    text: &str,
    clock: Clock,
) -> Result<Value, FieldError> {
    let value = fields::from_string(kind, text, clock)?;
    fields::to_json(kind, value).map(stored)
}

/// A JSON value as the field stores it once it has read it. The store keeps moments in UTC.
pub(crate) fn normalise(kind: FieldType, value: Value, clock: Clock) -> Result<Value, FieldError> {
    let mut value = fields::from_json(kind, FieldValue::Json(value), clock)?;
    if let (FieldType::Date, FieldValue::Moment(moment)) = (kind, &value) {
        value = FieldValue::Moment(Moment::utc(moment.to_utc().naive_utc()));
    }
    fields::to_json(kind, value).map(stored)
}

/// A stored value as another field of the same name reads it.
pub(crate) fn reread(kind: FieldType, value: &Value) -> Value {
    normalise(kind, value.clone(), Clock::of_year(NO_CLOCK)).unwrap_or_else(|_| value.clone())
}

/// A stored value as an attribute of a file-based block: what the field makes of it, written.
pub(crate) fn to_attribute(kind: FieldType, value: &Value) -> String {
    let read = fields::from_json(
        kind,
        FieldValue::Json(value.clone()),
        Clock::of_year(NO_CLOCK),
    );
    let written = read.and_then(|value| fields::to_json(kind, value));
    fields::serialize_attribute(&written.unwrap_or_else(|_| FieldValue::Json(value.clone())))
}

/// A stored value as an attribute of a pure block.
pub(crate) fn to_pure_attribute(kind: FieldType, value: &Value) -> String {
    let read = fields::from_json(
        kind,
        FieldValue::Json(value.clone()),
        Clock::of_year(NO_CLOCK),
    );
    match read.and_then(|value| fields::to_string(kind, value)) {
        Ok(FieldValue::Json(Value::String(text))) => text,
        Ok(other) => fields::serialize_attribute(&other),
        Err(_) => fields::json_dumps_indented(value),
    }
}
