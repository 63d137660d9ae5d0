//! Field values between archives and storage, over `course_model::fields`.

use course_model::FieldType;
use serde_json::Value;

/// An attribute of a file-based block as stored JSON (olx.md §4).
pub(crate) fn from_attribute(_kind: FieldType, text: &str) -> Value {
    Value::String(text.to_owned())
}

/// An attribute of a pure block as stored JSON (olx.md §3.2).
pub(crate) fn from_pure_attribute(_kind: FieldType, text: &str) -> Result<Value, String> {
    Ok(Value::String(text.to_owned()))
}

/// A JSON value as the field stores it after reading it.
pub(crate) fn normalise(_kind: FieldType, value: Value) -> Result<Value, String> {
    Ok(value)
}

/// A stored value as an attribute of a file-based block.
pub(crate) fn to_attribute(value: &Value) -> String {
    value.to_string()
}

/// A stored value as an attribute of a pure block.
pub(crate) fn to_pure_attribute(_kind: FieldType, value: &Value) -> String {
    value.to_string()
}
