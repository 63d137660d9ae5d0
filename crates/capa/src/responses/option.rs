//! Dropdowns (contract §3.3).

use serde_json::Value;

use super::Responder;
use super::hints::{Hint, hint_html};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::strip;

pub(super) fn answers(problem: &Problem<'_>, responder: &Responder) -> Vec<(String, Value)> {
    let answer = |input: &super::InputField| {
        let correct = problem.tree.get(input.node, "correct");
        correct.map_or(Value::Null, |text| {
            Value::String(problem.contextualize(text))
        })
    };
    responder
        .inputs
        .iter()
        .map(|input| (input.id.clone(), answer(input)))
        .collect()
}

pub(super) fn score(problem: &Problem<'_>, responder: &Responder, given: &Answers) -> CorrectMap {
    let mut map = CorrectMap::default();
    for (id, correct) in answers(problem, responder) {
        let answer = given.get(&id);
        let right = answer.is_some_and(|answer| *answer == correct);
        let mut entry = Entry::mark(if right { "correct" } else { "incorrect" });
        if let Some(Value::String(text)) = answer {
            let variable = problem
                .context
                .iter()
                .find(|(_, value)| value.str() == *text);
            entry.answervariable = variable.map(|(name, _)| format!("${name}"));
        }
        map.entries.insert(id, entry);
    }
    map
}

/// The hint of the chosen option; only of the first input.
pub(super) fn extended_hints(
    problem: &mut Problem<'_>,
    responder: &Responder,
    given: &Answers,
    map: &mut CorrectMap,
) -> Result<()> {
    let Some(input) = responder.inputs.first() else {
        return Err(Error::other("a response without input"));
    };
    let Some(answer) = given.get(&input.id).cloned() else {
        return Ok(());
    };
    let tree = &problem.tree;
    let mut chosen = None;
    for option in tree.find_all(input.node, "option") {
        let text = tree.node(option).text.as_deref();
        let text = strip(text.ok_or_else(|| Error::other("an option without text"))?);
        if chosen.is_none() && answer.as_str() == Some(text) {
            chosen = Some(option);
        }
    }
    if let Some(option) = chosen
        && let Some(node) = tree.find(option, "optionhint")
    {
        let correct = tree
            .get(option, "correct")
            .unwrap_or_default()
            .to_uppercase()
            == "TRUE";
        let html = hint_html(problem, responder, Hint::of(Some(node), correct, &answer));
        if let Some(entry) = map.entries.get_mut(&input.id) {
            entry.append_message(&html);
        }
    }
    Ok(())
}
