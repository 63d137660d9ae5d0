//! Studio's forms of a policy (studio-api.md, `course_grading`): weights in percent, rows numbered.

use serde_json::{Map, Value, json};

use crate::{Error, python};

/// A row of Studio's form as a stored assignment type: known keys only, weight divided by 100.
///
/// # Errors
/// [`Error::Grader`] when `type` is missing or a number cannot be read.
pub fn parse_grader(row: &Value) -> Result<Value, Error> {
    let invalid = |key| Error::Grader {
        assignment_type: row
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        key,
    };
    let kind = row.get("type").ok_or_else(|| invalid("type"))?;
    let count = |key: &'static str| match row.get(key) {
        None => Ok(0),
        Some(value) => python::int(value).ok_or_else(|| invalid(key)),
    };
    let weight = match row.get("weight") {
        None => 0.0,
        Some(value) => python::float(value).ok_or_else(|| invalid("weight"))?,
    };
    Ok(json!({
        "type": kind,
        "min_count": count("min_count")?,
        "drop_count": count("drop_count")?,
        "short_label": row.get("short_label").unwrap_or(&Value::Null),
        "weight": weight / 100.0,
    }))
}

/// A stored assignment type as the row `index` of Studio's form. The weight is a float, as the older form has
/// it; the newer API shows its whole part.
///
/// # Errors
/// [`Error::Grader`] when it has no type or its weight is no number.
pub fn grader_json(index: usize, grader: &Value) -> Result<Value, Error> {
    let invalid = |key| Error::Grader {
        assignment_type: grader
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        key,
    };
    let or = |key: &str, default: Value| grader.get(key).cloned().unwrap_or(default);
    let weight = match grader.get("weight") {
        None => json!(0),
        Some(weight) => json!(python::number(weight).ok_or_else(|| invalid("weight"))? * 100.0),
    };
    Ok(json!({
        "id": index,
        "type": grader.get("type").ok_or_else(|| invalid("type"))?,
        "min_count": or("min_count", json!(0)),
        "drop_count": or("drop_count", json!(0)),
        "short_label": or("short_label", json!("")),
        "weight": weight,
    }))
}

/// A grace period (seconds) as Studio's form shows it; none and zero are null.
#[must_use]
pub fn grace_period(seconds: Option<u64>) -> Value {
    match seconds {
        Some(total) if total > 0 => json!({
            "hours": total / 3600,
            "minutes": total / 60 % 60,
            "seconds": total % 60,
        }),
        _ => Value::Null,
    }
}

/// Seconds of a grace period out of Studio's form, missing parts zero. Nothing for null.
///
/// # Errors
/// [`Error::Shape`] for another form.
pub fn grace_period_seconds(form: &Value) -> Result<Option<u64>, Error> {
    const SHAPE: Error = Error::Shape {
        part: "grace_period",
        expected: "null or {hours, minutes, seconds}",
    };
    let parts = match form {
        Value::Null => return Ok(None),
        Value::Object(parts) => parts,
        _ => return Err(SHAPE),
    };
    let part = |key: &str, unit: u64| match parts.get(key) {
        None | Some(Value::Null) => Ok(0),
        Some(value) => python::int(value)
            .and_then(|count| u64::try_from(count).ok())
            .and_then(|count| count.checked_mul(unit))
            .ok_or(SHAPE),
    };
    part("hours", 3600)?
        .checked_add(part("minutes", 60)?)
        .and_then(|sum| sum.checked_add(part("seconds", 1).ok()?))
        .map(Some)
        .ok_or(SHAPE)
}

/// The stored policy out of Studio's whole form (`graders` and `grade_cutoffs`).
///
/// # Errors
/// [`Error::Shape`] when one of the two is missing or of another type, [`Error::Grader`] for a row that cannot
/// be read.
pub fn policy_from_form(form: &Value) -> Result<Value, Error> {
    let graders = form
        .get("graders")
        .and_then(Value::as_array)
        .ok_or(Error::Shape {
            part: "graders",
            expected: "a list",
        })?
        .iter()
        .map(parse_grader)
        .collect::<Result<Vec<_>, _>>()?;
    let cutoffs = form
        .get("grade_cutoffs")
        .filter(|cutoffs| cutoffs.is_object())
        .ok_or(Error::Shape {
            part: "grade_cutoffs",
            expected: "an object",
        })?;
    Ok(json!({"GRADER": graders, "GRADE_CUTOFFS": cutoffs}))
}

/// The stored policy as the two parts of Studio's form, `graders` and `grade_cutoffs`.
///
/// # Errors
/// [`Error::Shape`] and [`Error::Grader`] for a stored policy that cannot be shown.
pub fn policy_form(policy: &Value) -> Result<Map<String, Value>, Error> {
    let graders = policy
        .get("GRADER")
        .and_then(Value::as_array)
        .ok_or(Error::Shape {
            part: "GRADER",
            expected: "a list",
        })?
        .iter()
        .enumerate()
        .map(|(index, grader)| grader_json(index, grader))
        .collect::<Result<Vec<_>, _>>()?;
    let mut form = Map::new();
    form.insert("graders".to_owned(), Value::Array(graders));
    form.insert(
        "grade_cutoffs".to_owned(),
        policy
            .get("GRADE_CUTOFFS")
            .cloned()
            .unwrap_or_else(|| json!({})),
    );
    Ok(form)
}
