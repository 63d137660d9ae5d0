//! Runs recorded cases of the pure crates: reads one JSON case a line, `{"unit","op","in"}`, calls the
//! crate's public function and answers with one JSON line, `{"out": …}` or `{"error": "text"}`.
//! No part of the product; `make vectors` drives it.

mod calc_unit;
mod capa_unit;
mod django_compat_unit;
mod fields_unit;
mod grading_unit;
mod jwt_unit;
mod olx_policy_unit;
mod opaque_keys_unit;

use std::io::{BufRead, Write};

use serde_json::{Value, json};

/// What an operation answers: a value, or the text of its error.
type Answer = Result<Value, String>;

fn answer(case: &Value) -> Answer {
    let text = |key: &str| case.get(key).and_then(Value::as_str).unwrap_or_default();
    let input = case.get("in").cloned().unwrap_or(Value::Null);
    let op = text("op");
    match text("unit") {
        "calc" => calc_unit::call(op, &input),
        "capa" => capa_unit::call(op, &input),
        "django_compat" => django_compat_unit::call(op, &input),
        "fields" => fields_unit::call(op, &input),
        "grading" => grading_unit::call(op, &input),
        "jwt" => jwt_unit::call(op, &input),
        "olx_policy" => olx_policy_unit::call(op, &input),
        "opaque_keys" => opaque_keys_unit::call(op, &input),
        unit => Err(format!("no unit {unit}")),
    }
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let reply = match serde_json::from_str::<Value>(&line?) {
            Ok(case) => match answer(&case) {
                Ok(value) => json!({ "out": value }),
                Err(text) => json!({ "error": text }),
            },
            Err(error) => json!({ "error": format!("not a case: {error}") }),
        };
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}
