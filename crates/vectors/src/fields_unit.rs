//! Unit `fields`.

use chrono::NaiveDate;
use course_model::fields::{
    self, Clock, Duration, FieldError, FieldType, FieldValue, Moment, float_repr,
};
use serde_json::{Value, json};

use crate::Answer;

/// Two-digit years in the recordings are read as of this year.
const PIVOT: i32 = 2026;

fn error(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A value of the recordings: `{datetime}`, `{seconds}`, or JSON.
fn value_in(value: &Value) -> Option<FieldValue> {
    if let Some(object) = value.as_object().filter(|object| object.len() == 1) {
        if let Some(text) = object.get("datetime").and_then(Value::as_str) {
            return Moment::from_iso(text).map(FieldValue::Moment);
        }
        if let Some(seconds) = object.get("seconds").and_then(Value::as_f64) {
            return Duration::from_seconds(seconds).map(FieldValue::Duration);
        }
    }
    Some(FieldValue::Json(value.clone()))
}

fn value_out(value: FieldValue) -> Value {
    match value {
        FieldValue::Json(value) => value,
        FieldValue::NotFinite(number) => json!(float_repr(number)),
        FieldValue::Moment(moment) => json!({"datetime": moment.iso()}),
        FieldValue::Day(day) => json!({"date": day.to_string()}),
        FieldValue::Duration(duration) => json!({"seconds": duration.seconds()}),
        FieldValue::Set(items) => json!({"set": items}),
    }
}

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = || -> Result<FieldType, String> {
        serde_json::from_value(input.get("type").cloned().unwrap_or(Value::Null)).map_err(error)
    };
    let year = input
        .get("year")
        .and_then(Value::as_i64)
        .map_or(PIVOT, |year| year as i32);
    let clock = Clock {
        today: NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default(),
        pivot: PIVOT,
    };
    let value = || value_in(&input["value"]).ok_or_else(|| "no value".to_owned());
    let out = |result: Result<FieldValue, FieldError>| result.map(value_out).map_err(error);
    let moment = || input["value"].as_str().and_then(Moment::from_iso);
    match op {
        "from_json" => out(fields::from_json(kind()?, value()?, clock)),
        "enforce" => out(fields::enforce(kind()?, value()?, clock)),
        "to_json" => out(fields::to_json(kind()?, value()?)),
        "normalise" => out(fields::normalise(kind()?, value()?, clock)),
        "from_string" => out(fields::from_string(kind()?, text("text"), clock)),
        "to_string" => out(fields::to_string(kind()?, value()?)),
        "deserialize_attribute" => out(fields::deserialize_attribute(kind()?, text("text"), clock)),
        "serialize_attribute" => Ok(json!(fields::serialize_attribute(&value()?))),
        "date_default_display" => Ok(json!(fields::date_default_display(moment().as_ref()))),
        "date_display" => {
            let format = input.get("format").and_then(Value::as_str);
            let zone = input.get("timezone").and_then(Value::as_str);
            let moment = moment().map(|moment| match moment.offset {
                Some(_) => Moment::utc(moment.to_utc().naive_utc()),
                None => moment,
            });
            Ok(json!(fields::date_display(moment.as_ref(), format, zone)))
        }
        "strftime" => {
            let moment = moment().ok_or("no moment")?;
            fields::strftime(&moment, text("format"))
                .map(|text| json!(text))
                .map_err(error)
        }
        "timestamp" => Ok(json!(moment().map(|moment| moment.to_utc().timestamp()))),
        _ => Err(format!("no operation {op}")),
    }
}
