//! Checkboxes (contract §3.2).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Responder;
use super::hints::{Hint, hint_html};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::{round_away_from_zero, strip};

/// Names of the choices that must and must not be selected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub correct: BTreeSet<String>,
    incorrect: BTreeSet<String>,
}

pub(super) fn setup(problem: &mut Problem<'_>, responder: &Responder) -> Result<Choice> {
    let mut choices = Choice::default();
    let nodes = problem
        .tree
        .descendants(responder.node, &|tag| tag == "choice");
    for (index, node) in nodes.into_iter().enumerate() {
        let name = format!("choice_{index}");
        problem.tree.set(node, "name", &name);
        if problem.tree.get(node, "id").is_none_or(str::is_empty) {
            let letter = char::from_u32(u32::from('A') + index as u32).unwrap_or('?');
            problem.tree.set(node, "id", &letter.to_string());
        }
        let correct = problem
            .tree
            .get(node, "correct")
            .ok_or_else(|| Error::other("no correct"))?;
        match problem.contextualize(correct).to_uppercase().as_str() {
            "TRUE" => choices.correct.insert(name),
            "FALSE" => choices.incorrect.insert(name),
            _ => false,
        };
    }
    Ok(choices)
}

pub(super) fn score(
    responder: &Responder,
    choices: &Choice,
    answers: &Answers,
) -> Result<CorrectMap> {
    let id = responder.answer_id();
    let given: BTreeSet<String> = match answers.get(id) {
        None => BTreeSet::new(),
        Some(Value::Array(items)) => items.iter().map(crate::pyvalue::py_str).collect(),
        Some(other) => BTreeSet::from([crate::pyvalue::py_str(other)]),
    };
    if given.is_empty() {
        return Ok(CorrectMap::one(id, Entry::mark("incorrect")));
    }
    let mut style = "false";
    if let Some(words) = &responder.partial_credit {
        if words.len() > 1 {
            return Err(Error::Problem(
                "Only one type of partial credit is allowed for Checkbox problems.".to_owned(),
            ));
        }
        style = words.first().map_or("", String::as_str);
    }
    let max = responder.max_score() as f64;
    let all: BTreeSet<&String> = choices.correct.union(&choices.incorrect).collect();
    let unselected = || all.iter().filter(|name| !given.contains(**name));
    let entry = match style {
        "false" => Entry::mark(if given == choices.correct {
            "correct"
        } else {
            "incorrect"
        }),
        "edc" => {
            let good = given.intersection(&choices.correct).count()
                + unselected()
                    .filter(|name| choices.incorrect.contains(**name))
                    .count();
            if good == all.len() {
                Entry::mark("correct")
            } else if good > 0 {
                let points = max * good as f64 / all.len() as f64;
                Entry::points("partially-correct", round_away_from_zero(points, 2))
            } else {
                Entry::int_points("incorrect", 0)
            }
        }
        "halves" => {
            let errors = given.intersection(&choices.incorrect).count()
                + unselected()
                    .filter(|name| choices.correct.contains(**name))
                    .count();
            match errors {
                0 => Entry::int_points("correct", responder.max_score()),
                1 if all.len() > 2 => {
                    Entry::points("partially-correct", round_away_from_zero(max / 2.0, 2))
                }
                2 if all.len() > 4 => {
                    Entry::points("partially-correct", round_away_from_zero(max / 4.0, 2))
                }
                _ => Entry::mark("incorrect"),
            }
        }
        _ => {
            return Err(Error::Problem(
                "partial_credit attribute should be one of: edc,halves,false".to_owned(),
            ));
        }
    };
    Ok(CorrectMap::one(id, entry))
}

/// A compound hint, or the hints of the single choices.
pub(super) fn extended_hints(
    problem: &mut Problem<'_>,
    responder: &Responder,
    answers: &Answers,
    map: &mut CorrectMap,
) -> Result<()> {
    let id = responder.answer_id();
    let tree = &problem.tree;
    let Some(input) = responder
        .inputs
        .first()
        .filter(|i| tree.tag(i.node) == "checkboxgroup")
    else {
        return Ok(());
    };
    let group = input.node;
    let correct = map.get(id).and_then(|e| e.correctness.as_deref()) == Some("correct");
    let given = answers.get(id).cloned();
    // A single text is walked letter by letter by the reference, so it never names a choice here.
    let names: Vec<String> = match &given {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    let student = given.clone().unwrap_or_else(|| json!([]));
    if !names.is_empty() {
        let mut selected = BTreeSet::new();
        let mut triggers = Vec::new();
        for name in &names {
            let choices = tree.find_all(group, "choice");
            let choice = choices
                .into_iter()
                .find(|c| tree.get(*c, "name") == Some(name));
            if let Some(choice) = choice {
                selected.insert(tree.get(choice, "id").unwrap_or_default().to_uppercase());
                triggers.push(json!({"choice": name, "selected": true}));
            }
        }
        for compound in tree.find_all(group, "compoundhint") {
            let wanted = tree
                .get(compound, "value")
                .ok_or_else(|| Error::other("no value"))?;
            let wanted: BTreeSet<String> = wanted
                .to_uppercase()
                .split_whitespace()
                .map(str::to_owned)
                .collect();
            if wanted == selected {
                let text = tree.node(compound).text.as_deref();
                let text = strip(text.ok_or_else(|| Error::other("no hint text"))?).to_owned();
                let mut hint = Hint::of(Some(compound), correct, &student);
                hint.log = Some(vec![json!({"text": text, "trigger": triggers})]);
                hint.extra = Map::from_iter([("trigger_type".to_owned(), json!("compound"))]);
                let html = hint_html(problem, responder, hint);
                if let Some(entry) = map.entries.get_mut(id) {
                    entry.append_message(&html);
                }
                return Ok(());
            }
        }
    }
    let mut log = Vec::new();
    let mut label = None;
    let mut labels = 0;
    let mut all = Vec::new();
    for choice in tree.find_all(group, "choice") {
        let name = tree.get(choice, "name").unwrap_or_default();
        all.push(name.to_owned());
        let is_selected = match &given {
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(name)),
            Some(Value::String(text)) => text.contains(name),
            _ => false,
        };
        let wanted = if is_selected { "TRUE" } else { "FALSE" };
        for hint in tree.find_all(choice, "choicehint") {
            if tree
                .get(hint, "selected")
                .unwrap_or_default()
                .to_uppercase()
                != wanted
            {
                continue;
            }
            let text = tree.inner_ascii_with_tail(hint);
            if !text.is_empty() {
                log.push(json!({
                    "text": text, "trigger": [{"choice": name, "selected": is_selected}],
                }));
                if let Some(own) = tree.get(hint, "label") {
                    label = Some(own.to_owned());
                    labels += 1;
                }
            }
        }
    }
    if log.is_empty() {
        return Ok(());
    }
    let mut hint = Hint::of(None, correct, &student);
    hint.label = label.as_deref().filter(|_| labels == 1);
    hint.log = Some(log);
    hint.multiline = true;
    hint.extra = Map::from_iter([("choice_all".to_owned(), json!(all))]);
    let html = hint_html(problem, responder, hint);
    if let Some(entry) = map.entries.get_mut(id) {
        entry.append_message(&html);
    }
    Ok(())
}
