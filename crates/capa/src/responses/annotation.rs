//! Annotations (contract §3.11).

use serde_json::Value;

use super::{Responder, required_text};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::Answers;
use crate::xml::{NodeId, Tree};

fn options(tree: &Tree, input: NodeId) -> Vec<NodeId> {
    let groups = tree.find_all(input, "options");
    groups
        .into_iter()
        .flat_map(|group| tree.find_all(group, "option"))
        .collect()
}

pub(super) fn answers(tree: &Tree, responder: &Responder) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for input in &responder.inputs {
        let correct = options(tree, input.node)
            .into_iter()
            .find(|option| tree.get(*option, "choice") == Some("correct"));
        if let Some(option) = correct {
            let text = tree.node(option).text.clone();
            all.push((input.id.clone(), text.map_or(Value::Null, Value::String)));
        }
    }
    all
}

pub(super) fn score(tree: &Tree, responder: &Responder, answers: &Answers) -> Result<CorrectMap> {
    let id = responder.answer_id();
    let given: Value = serde_json::from_str(required_text(answers, id)?)
        .map_err(|_| Error::other("an annotation that is not JSON"))?;
    let selected = given.get("options").and_then(Value::as_array);
    let selected = match selected.map(Vec::as_slice) {
        Some([one]) => Some(one),
        _ => None,
    };
    let option = match selected {
        // An unhashable option id fails the reference.
        Some(Value::Array(_) | Value::Object(_)) => return Err(Error::other("option id")),
        Some(Value::Bool(flag)) => Some(usize::from(*flag)),
        Some(value) => value
            .as_u64()
            .or_else(|| {
                value
                    .as_f64()
                    .filter(|f| f.fract() == 0.0 && *f >= 0.0)
                    .map(|f| f as u64)
            })
            .map(|index| index as usize),
        None => None,
    };
    let mut entry = Entry::mark("incorrect");
    let input = responder.inputs.first().map(|input| input.node);
    if let (Some(input), Some(index)) = (input, option)
        && let Some(option) = options(tree, input).get(index)
    {
        entry = match tree.get(*option, "choice") {
            Some("correct") => Entry::int_points("correct", 2),
            Some("partially-correct") => Entry::int_points("partially-correct", 1),
            Some("incorrect") => Entry::int_points("incorrect", 0),
            _ => Entry::default(),
        };
    }
    Ok(CorrectMap::one(id, entry))
}
