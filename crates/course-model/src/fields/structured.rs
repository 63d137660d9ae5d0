//! Values with parts: scores, group rules, group configurations.

use serde_json::{Map, Value, json};

use super::kind::FieldType;
use super::python::{Int, parse_int};
use super::value::{Clock, FieldError, FieldValue, from_json};

/// Group rules with whole partition ids as keys.
pub(super) fn group_access(value: FieldValue) -> Result<FieldValue, FieldError> {
    let mismatch = || FieldError::Mismatch(FieldType::GroupAccess);
    match value {
        FieldValue::Json(Value::Null) => Ok(value),
        FieldValue::Json(Value::Object(groups)) => groups
            .into_iter()
            .map(|(partition, groups)| match parse_int(&partition) {
                Some(Int::Exact(partition)) => Some((partition.to_string(), groups)),
                _ => None,
            })
            .collect::<Option<Map<_, _>>>()
            .map(|groups| FieldValue::Json(Value::Object(groups)))
            .ok_or_else(mismatch),
        _ => Err(mismatch()),
    }
}

/// A score with earned between 0 and possible; null stays null.
pub(super) fn score(value: &Value) -> Option<Value> {
    if value.is_null() {
        return Some(Value::Null);
    }
    let fields = value.as_object()?;
    let (earned, possible) = (fields.get("raw_earned")?, fields.get("raw_possible")?);
    let number = |value: &Value| match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        value => value.as_f64(),
    };
    let good = fields.len() == 2 && (0.0..=number(possible)?).contains(&number(earned)?);
    good.then(|| json!({"raw_earned": earned, "raw_possible": possible}))
}

/// A group configuration as stored now; `None` when a part is missing, or its scheme is unknown or computed.
pub(super) fn partition(value: &Value) -> Option<Value> {
    let fields = value.as_object()?;
    let (id, name) = (fields.get("id")?, fields.get("name")?);
    let (description, groups) = (
        fields.get("description")?,
        fields.get("groups")?.as_array()?,
    );
    let scheme = match fields.get("version")?.as_f64()? {
        1.0 => "random",
        version if version >= 2.0 => fields.get("scheme")?.as_str()?,
        _ => return None,
    };
    if !matches!(scheme, "random" | "cohort" | "verification" | "team") {
        return None;
    }
    let groups = groups
        .iter()
        .map(partition_group)
        .collect::<Option<Vec<_>>>()?;
    let id = whole(id)?;
    Some(json!({
        "id": id,
        "name": name,
        "scheme": scheme,
        "description": description,
        "parameters": fields.get("parameters").cloned().unwrap_or_else(|| json!({})),
        "groups": groups,
        "active": fields.get("active").cloned().unwrap_or(Value::Bool(true)),
        "version": 3,
    }))
}

fn partition_group(value: &Value) -> Option<Value> {
    let fields = value.as_object()?;
    let (id, name) = (fields.get("id")?, fields.get("name")?);
    if fields.get("version")?.as_f64() != Some(1.0) {
        return None;
    }
    Some(json!({"id": whole(id)?, "name": name, "version": 1}))
}

/// `int(value)` of a number, bool or text.
fn whole(value: &Value) -> Option<Value> {
    match from_json(
        FieldType::Integer,
        FieldValue::Json(value.clone()),
        Clock::of_year(1970),
    ) {
        Ok(FieldValue::Json(value)) if !value.is_null() => Some(value),
        _ => None,
    }
}
