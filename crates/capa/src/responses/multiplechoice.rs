//! Multiple choice and true/false (contract §3.1).

use serde_json::Value;

use super::Responder;
use super::hints::{Hint, hint_html};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::{parse_float, parse_int};
use crate::xml::NodeId;

/// The names of a choice group by what they are worth.
#[derive(Clone, Debug, Default)]
pub(crate) struct MultipleChoice {
    /// Names of correct choices, in document order; null for one that got no name.
    pub correct: Vec<Value>,
    /// Names of partially correct choices with their points.
    partial: Vec<(Value, f64)>,
    /// How the choices were permuted: `shuffle` or `answerpool`.
    pub permuted: Option<&'static str>,
}

/// Gives the choices their names and finds the correct ones.
pub(super) fn setup(
    problem: &mut Problem<'_>,
    responder: &Responder,
    kind: &str,
) -> Result<MultipleChoice> {
    let mut unnamed = 0;
    for group in problem.tree.find_all(responder.node, "choicegroup") {
        problem.tree.set(group, "type", kind);
        for choice in problem.tree.children(group).to_vec() {
            if !problem.tree.is_element(choice) {
                return Err(Error::other("a comment among choices"));
            }
            let name = if let Some(name) = problem.tree.get(choice, "name") {
                format!("choice_{name}")
            } else {
                unnamed += 1;
                format!("choice_{}", unnamed - 1)
            };
            problem.tree.set(choice, "name", &name);
        }
    }
    let mut choices = MultipleChoice::default();
    for choice in problem
        .tree
        .descendants(responder.node, &|tag| tag == "choice")
    {
        let tree = &problem.tree;
        let correct = tree
            .get(choice, "correct")
            .ok_or_else(|| Error::other("no correct"))?;
        let correct = problem.contextualize(correct);
        let name = || {
            let name = tree.get(choice, "name");
            name.map_or(Value::Null, |name| {
                Value::String(problem.contextualize(name))
            })
        };
        if correct.to_uppercase() == "TRUE" {
            choices.correct.push(name());
        } else if responder.partial_credit.is_some() && correct.to_lowercase() == "partial" {
            let value = tree.get(choice, "point_value").unwrap_or("0.5");
            let value = parse_float(value).ok_or_else(|| Error::other("point_value"))?;
            choices.partial.push((name(), value));
        }
    }
    Ok(choices)
}

pub(super) fn score(
    responder: &Responder,
    choices: &MultipleChoice,
    answers: &Answers,
) -> Result<CorrectMap> {
    let mut points = false;
    if let Some(words) = &responder.partial_credit {
        if words.len() > 1 {
            return Err(Error::Problem(
                "Only one type of partial credit is allowed for Multiple Choice problems."
                    .to_owned(),
            ));
        }
        match words.first().map(String::as_str) {
            Some("points") => points = true,
            Some("false") => {}
            _ => {
                return Err(Error::Problem(
                    "partial_credit attribute should be one of: points,false".to_owned(),
                ));
            }
        }
    }
    let id = responder.answer_id();
    let given = answers.get(id);
    let partial = choices.partial.iter().find(|(name, _)| Some(name) == given);
    let entry = if given.is_some_and(|given| choices.correct.contains(given)) {
        Entry::mark("correct")
    } else if let (true, Some((_, value))) = (points, partial) {
        Entry::points("partially-correct", *value)
    } else {
        Entry::mark("incorrect")
    };
    Ok(CorrectMap::one(id, entry))
}

pub(super) fn score_true_false(
    responder: &Responder,
    choices: &MultipleChoice,
    answers: &Answers,
) -> CorrectMap {
    let id = responder.answer_id();
    let given: Vec<&Value> = match answers.get(id) {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().collect(),
        Some(other) => vec![other],
    };
    let right = choices.correct.iter().all(|name| given.contains(&name))
        && given.iter().all(|name| choices.correct.contains(name));
    CorrectMap::one(id, Entry::mark(if right { "correct" } else { "incorrect" }))
}

/// Shuffling and the answer pool, after everything else is set up.
pub(super) fn late_transforms(
    problem: &mut Problem<'_>,
    node: NodeId,
    choices: &mut MultipleChoice,
) -> Result<()> {
    let groups = problem.tree.find_all(node, "choicegroup");
    let shuffled = groups
        .iter()
        .copied()
        .find(|group| problem.tree.get(*group, "shuffle") == Some("true"));
    if let Some(group) = shuffled {
        if problem.tree.get(group, "answer-pool").is_some() {
            return Err(Error::Problem(
                "Do not use shuffle and answer-pool at the same time".to_owned(),
            ));
        }
        choices.permuted = Some("shuffle");
        shuffle(problem, group);
    }
    let pooled = groups
        .iter()
        .copied()
        .find(|group| problem.tree.get(*group, "answer-pool").is_some());
    if let Some(group) = pooled {
        let pool = problem
            .tree
            .get(group, "answer-pool")
            .unwrap_or_default()
            .to_owned();
        if pool != "0" {
            let size = parse_int(&pool).ok_or_else(|| {
                Error::Problem("answer-pool value should be an integer".to_owned())
            })?;
            choices.permuted = Some("answerpool");
            answer_pool(problem, group, size)?;
        }
    }
    Ok(())
}

fn shuffle(problem: &mut Problem<'_>, group: NodeId) {
    let (mut order, mut middle, mut tail) = (Vec::new(), Vec::new(), Vec::new());
    let mut at_head = true;
    for choice in problem.tree.children(group).to_vec() {
        let fixed = problem.tree.get(choice, "fixed") == Some("true");
        at_head &= fixed;
        match (fixed, at_head) {
            (true, true) => order.push(choice),
            (true, false) => tail.push(choice),
            (false, _) => middle.push(choice),
        }
    }
    problem.shared_rng().shuffle(&mut middle);
    order.append(&mut middle);
    order.append(&mut tail);
    problem.tree.set_children(group, order);
}

fn answer_pool(problem: &mut Problem<'_>, group: NodeId, size: i64) -> Result<()> {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for choice in problem.tree.children(group).to_vec() {
        let correct = problem.tree.get(choice, "correct").unwrap_or_default();
        if correct.to_uppercase() == "TRUE" {
            right.push(choice);
        } else {
            wrong.push(choice);
        }
    }
    if right.is_empty() || wrong.is_empty() {
        return Err(Error::Problem(
            "Choicegroup must include at least 1 correct and 1 incorrect choice".to_owned(),
        ));
    }
    let rng = problem.shared_rng();
    let Some(key) = rng.choice(&right).copied() else {
        return Ok(());
    };
    rng.shuffle(&mut wrong);
    // Python's slice: a negative end counts from the end.
    let wanted = size.saturating_sub(1).min(wrong.len() as i64);
    let taken = if wanted < 0 {
        (wrong.len() as i64 + wanted).max(0)
    } else {
        wanted
    };
    wrong.truncate(taken as usize);
    let mut order = vec![key];
    order.append(&mut wrong);
    rng.shuffle(&mut order);
    let explanation = problem.tree.get(key, "explanation-id").map(str::to_owned);
    problem.tree.set_children(group, order);
    let Some(response) = problem.tree.parent(group) else {
        return Ok(());
    };
    let following = problem.tree.following_elements(response);
    let set = following
        .into_iter()
        .find(|sibling| problem.tree.tag(*sibling) == "solutionset");
    if let Some(set) = set {
        for solution in problem.tree.find_all(set, "solution") {
            if problem.tree.get(solution, "explanation-id") != explanation.as_deref() {
                problem.tree.detach(solution);
            }
        }
    }
    Ok(())
}

/// The hint of the chosen choice.
pub(super) fn extended_hints(
    problem: &mut Problem<'_>,
    responder: &Responder,
    answers: &Answers,
    map: &mut CorrectMap,
) -> Result<()> {
    let id = responder.answer_id();
    let given = match answers.get(id) {
        None => return Ok(()),
        Some(Value::Array(items)) => items
            .first()
            .ok_or_else(|| Error::other("an empty list of choices"))?,
        Some(other) => other,
    };
    let given = given.clone();
    let Some(name) = given.as_str() else {
        return Ok(());
    };
    let tree = &problem.tree;
    let chosen = tree
        .find_all(responder.node, "choicegroup")
        .into_iter()
        .filter(|group| tree.get(*group, "id") == Some(id))
        .flat_map(|group| tree.find_all(group, "choice"))
        .find(|choice| tree.get(*choice, "name") == Some(name));
    if let Some(choice) = chosen {
        let node = tree.find(choice, "choicehint");
        let correct = tree
            .get(choice, "correct")
            .unwrap_or_default()
            .to_uppercase()
            == "TRUE";
        let html = hint_html(problem, responder, Hint::of(node, correct, &given));
        if let Some(entry) = map.entries.get_mut(id) {
            entry.append_message(&html);
        }
    }
    Ok(())
}
