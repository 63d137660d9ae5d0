//! Choices with numbers in them (contract §3.11).

use std::collections::BTreeSet;

use calc::{Complex, DEFAULT_TOLERANCE, Functions, Number, Tolerance, Variables};
use indexmap::IndexMap;
use serde_json::Value;

use super::Responder;
use super::hints::html_escape;
use super::numerical::near;
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::parse_complex;

/// The right choices and numbers.
#[derive(Clone, Debug)]
pub(crate) struct ChoiceText {
    correct: BTreeSet<String>,
    /// Input name → answer and tolerance.
    numbers: IndexMap<String, (String, String)>,
    pub answers: Vec<(String, Value)>,
}

pub(super) fn setup(problem: &mut Problem<'_>, responder: &Responder) -> Result<ChoiceText> {
    let id = responder.answer_id();
    let choices = problem
        .tree
        .descendants(responder.node, &|tag| tag == "choice");
    for (index, choice) in choices.iter().enumerate() {
        problem
            .tree
            .set(*choice, "name", &format!("{id}_choiceinput_{index}bc"));
        let mut fields = problem.tree.find_all(*choice, "numtolerance_input");
        if fields.is_empty() {
            fields = problem.tree.find_all(*choice, "decoy_input");
        }
        for (position, field) in fields.into_iter().enumerate() {
            let name = format!("{id}_choiceinput_{index}_numtolerance_input_{position}");
            problem.tree.set(field, "name", &name);
        }
    }
    let tree = &problem.tree;
    let (mut correct, mut numbers) = (BTreeSet::new(), IndexMap::new());
    let (mut names, mut texts) = (Vec::new(), Vec::new());
    for choice in choices
        .iter()
        .filter(|choice| tree.get(**choice, "correct") == Some("true"))
    {
        let name = tree.get(*choice, "name").unwrap_or_default().to_owned();
        let mut shown = Vec::new();
        for child in tree.children(*choice) {
            let answer = tree
                .get(*child, "answer")
                .filter(|answer| !answer.is_empty());
            let answer = answer.ok_or_else(|| {
                Error::Problem("Answer not provided for numtolerance_input".to_owned())
            })?;
            let answer = problem.contextualize(answer);
            let tolerance = tree.get(*child, "tolerance").unwrap_or(DEFAULT_TOLERANCE);
            let tolerance = problem.contextualize(tolerance);
            let field = tree.get(*child, "name").unwrap_or_default().to_owned();
            shown.push(answer.clone());
            numbers.insert(field, (answer, tolerance));
        }
        names.push(Value::String(name.clone()));
        texts.push((name.clone(), Value::String(shown.join(", "))));
        correct.insert(name);
    }
    let mut answers = vec![(id.to_owned(), Value::Array(names))];
    answers.append(&mut texts);
    Ok(ChoiceText {
        correct,
        numbers,
        answers,
    })
}

pub(super) fn score(
    responder: &Responder,
    choices: &ChoiceText,
    answers: &Answers,
) -> Result<CorrectMap> {
    let id = responder.answer_id();
    let empty = Answers::new();
    let given = match answers.get(id) {
        None => &empty,
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) if text.is_empty() => &empty,
        Some(Value::Array(items)) if items.is_empty() => &empty,
        Some(_) => return Err(Error::other("an answer that is no object")),
    };
    let selected: BTreeSet<&str> = given
        .keys()
        .map(String::as_str)
        .filter(|key| key.ends_with("bc"))
        .collect();
    let mut right = selected.len() == choices.correct.len()
        && choices
            .correct
            .iter()
            .all(|name| selected.contains(name.as_str()));
    for (name, value) in given {
        let choice = name
            .split_once("_numtolerance_input_")
            .map_or(name.as_str(), |(head, _)| head);
        if !selected.contains(format!("{choice}bc").as_str()) {
            continue;
        }
        let known = choices.numbers.get(name);
        let (answer, tolerance) = known.map_or(("0", DEFAULT_TOLERANCE), |(answer, tolerance)| {
            (answer, tolerance.as_str())
        });
        let (re, im) = parse_complex(answer).ok_or_else(|| {
            Error::StudentInput("The Staff answer could not be interpreted as a number.".to_owned())
        })?;
        let text = value
            .as_str()
            .ok_or_else(|| Error::other("a number that is no text"))?;
        let fault = || {
            Error::StudentInput(format!(
                "Could not interpret '{}' as a number. (<traceback object at 0x0>)",
                html_escape(text)
            ))
        };
        let number = calc::evaluate(text, &Variables::new(), &Functions::new(), false)
            .map_err(|_| fault())?;
        let instructor = Number::Complex(Complex { re, im });
        let near = near(&number, &instructor, &Tolerance::Text(tolerance)).map_err(|_| fault())?;
        right &= near || known.is_none();
    }
    Ok(CorrectMap::one(
        id,
        Entry::mark(if right { "correct" } else { "incorrect" }),
    ))
}
