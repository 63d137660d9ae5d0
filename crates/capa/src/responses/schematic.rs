//! Circuits (contract §3.11).

use serde_json::Value;

use super::{Responder, required_text};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::PyValue;
use crate::xml::{NodeId, Tree};

/// The checking code.
pub(super) fn code(tree: &Tree, node: NodeId) -> Result<String> {
    let answers = tree.descendants(node, &|tag| tag == "answer");
    let answer = answers
        .first()
        .ok_or_else(|| Error::other("a schematic without answer"))?;
    if tree.get(*answer, "src").is_some() {
        return Err(Error::other("a schematic's answer in a file"));
    }
    Ok(tree.text(*answer).to_owned())
}

pub(super) fn score(
    problem: &mut Problem<'_>,
    responder: &Responder,
    answers: &Answers,
) -> Result<CorrectMap> {
    let mut ids: Vec<&str> = responder
        .inputs
        .iter()
        .map(|input| input.id.as_str())
        .collect();
    ids.sort_unstable();
    let mut submission = Vec::new();
    for id in &ids {
        let value: Value = serde_json::from_str(required_text(answers, id)?)
            .map_err(|_| Error::other("a schematic that is not JSON"))?;
        submission.push(PyValue::from(&value));
    }
    problem
        .context
        .insert("submission".to_owned(), PyValue::List(submission));
    let code = code(&problem.tree, responder.node)?;
    let globals = problem.context.clone();
    let out = problem
        .run_code(&code, &globals, &responder.id, true)
        .map_err(|error| {
            Error::Response(format!(
                "Error in evaluating SchematicResponse. The error was: {error}"
            ))
        })?;
    problem.context.extend(out);
    let Some(PyValue::List(correct)) = problem.context.get("correct") else {
        return Err(Error::other("no list correct"));
    };
    let mut map = CorrectMap::default();
    for (id, mark) in ids.iter().zip(correct) {
        let entry = match mark {
            PyValue::Dict(_) => Entry::from_stored(&mark.to_json()),
            PyValue::None => Entry::default(),
            other => Entry::mark(&other.str()),
        };
        map.entries.insert((*id).to_owned(), entry);
    }
    Ok(map)
}
