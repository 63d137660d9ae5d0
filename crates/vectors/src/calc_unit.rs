//! Unit `calc`.

use calc::{CalcError, Complex, Function, Functions, Number, Tolerance, Variables, chem};
use serde_json::{Value, json};

use crate::Answer;

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let flag = |key: &str| input.get(key).and_then(Value::as_bool).unwrap_or_default();
    match op {
        "evaluate" => {
            let variables: Variables = entries(input.get("variables"))
                .map(|(name, value)| Ok((name, number(value)?)))
                .collect::<Result<_, String>>()?;
            let functions: Functions = entries(input.get("functions"))
                .filter_map(|(name, value)| {
                    Some((name, Function::named(value.as_str().unwrap_or_default())?))
                })
                .collect();
            calc::evaluate(
                text("expression"),
                &variables,
                &functions,
                flag("case_sensitive"),
            )
            .and_then(|value| value.to_complex())
            .map(|(re, im)| json!({ "re": float(re), "im": float(im) }))
            .map_err(|error| error_text(&error))
        }
        "calculate_text" => Ok(json!({ "result": calc::calculate(text("expression")) })),
        "latex" => calc::latex(text("expression"))
            .map(|latex| json!({ "latex": latex }))
            .map_err(|error| error_text(&error)),
        "chem_render" => chem::render_to_html(text("equation"))
            .map(|html| json!({ "html": html }))
            .map_err(|error| error_text(&error)),
        "chem_equations_equal" => {
            chem::chemical_equations_equal(text("a"), text("b"), flag("exact"))
                .map(Value::from)
                .map_err(|error| error_text(&error))
        }
        "chem_divide" => {
            chem::divide_chemical_expression(text("a"), text("b"), flag("ignore_state"))
                .map(|ratio| ratio.map_or(Value::Bool(false), float))
                .map_err(|error| error_text(&error))
        }
        "chem_compare" => {
            chem::compare_chemical_expression(text("a"), text("b"), flag("ignore_state"))
                .map(Value::from)
                .map_err(|error| error_text(&error))
        }
        "within_tolerance" => {
            let value = |key: &str| number(input.get(key).unwrap_or(&Value::Null));
            let tolerance = match input.get("tolerance") {
                None => Tolerance::Text(calc::DEFAULT_TOLERANCE),
                Some(Value::String(text)) => Tolerance::Text(text),
                Some(other) => Tolerance::Value(number(other)?),
            };
            calc::within_tolerance(
                &value("student")?,
                &value("instructor")?,
                &tolerance,
                flag("relative"),
            )
            .map(Value::from)
            .map_err(|error| error_text(&error))
        }
        _ => Err(format!("no operation {op}")),
    }
}

fn entries(value: Option<&Value>) -> impl Iterator<Item = (String, &Value)> {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value))
}

fn number(value: &Value) -> Result<Number, String> {
    match value {
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .map(Number::Float)
            .ok_or_else(|| "not a double".to_owned()),
        Value::Number(number) => number
            .to_string()
            .parse()
            .map(Number::Int)
            .map_err(|_| "not an integer".to_owned()),
        Value::Object(parts) => {
            let part = |key: &str| match parts.get(key) {
                Some(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
                Some(Value::String(text)) => text.parse().unwrap_or(f64::NAN),
                _ => 0.0,
            };
            Ok(Number::Complex(Complex::new(part("re"), part("im"))))
        }
        Value::String(text) => text
            .parse()
            .map(Number::Float)
            .map_err(|_| "not a number".to_owned()),
        _ => Err("not a number".to_owned()),
    }
}

fn float(value: f64) -> Value {
    if value.is_finite() {
        json!(value)
    } else {
        json!(calc::float_text(value))
    }
}

fn error_text(error: &CalcError) -> String {
    match error {
        CalcError::UndefinedVariable(message) | CalcError::UnmatchedParenthesis(message) => {
            format!("{}: {message}", error.class())
        }
        CalcError::Factorial => "ValueError: factorial".to_owned(),
        _ => error.class().to_owned(),
    }
}
