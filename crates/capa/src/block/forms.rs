//! Forms as the client serialises them (contract §11, answer decoding).

use serde_json::Value;

use crate::error::{Error, Result};
use crate::problem::Answers;

/// Names and values in the order sent; a file counts with its name as value.
pub type Form = [(String, String)];

/// The last value of a field.
pub(super) fn last<'a>(form: &'a Form, key: &str) -> Option<&'a str> {
    form.iter()
        .rfind(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
}

/// Answers of a form, in the order of their first appearance.
pub fn decode_answers(form: &Form) -> Result<Answers> {
    let mut answers = Answers::new();
    let mut seen = Vec::new();
    for (key, _) in form {
        if seen.contains(&key.as_str()) {
            continue;
        }
        seen.push(key.as_str());
        let name = key.split_once('_').map_or("", |(_, name)| name);
        if name.is_empty() {
            return Err(Error::Other(format!(
                "{key} must contain at least one underscore"
            )));
        }
        let value = last(form, key).unwrap_or_default();
        let (name, value) = if let Some(name) = name.strip_suffix("[]") {
            let all = form.iter().filter(|(other, _)| other == key);
            (
                name,
                all.map(|(_, value)| Value::String(value.clone())).collect(),
            )
        } else if let Some(name) = name.strip_suffix("{}") {
            let parsed = serde_json::from_str(value)
                .map_err(|_| Error::Other(format!("Invalid submission: {value} for {key}")))?;
            (name, parsed)
        } else {
            (name, Value::String(value.to_owned()))
        };
        if answers.contains_key(name) {
            return Err(Error::Other(format!(
                "Key {name} already exists in answers dict"
            )));
        }
        answers.insert(name.to_owned(), value);
    }
    Ok(answers)
}
