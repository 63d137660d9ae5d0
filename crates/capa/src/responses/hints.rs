//! Hints that depend on the answer (contract §3.12).

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{
    Kind, Responder, choice, custom, formula, multiplechoice, numerical, option, properties, string,
};
use crate::correct_map::CorrectMap;
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem, escape_markup};
use crate::xml::NodeId;

/// Escapes as Python's `html.escape`.
#[must_use]
pub fn html_escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
}

/// Escaped answers joined as Show Answer shows alternatives.
pub(crate) fn joined<T: AsRef<str>>(answers: &[T]) -> String {
    let escaped: Vec<String> = answers
        .iter()
        .map(|text| escape_markup(text.as_ref()))
        .collect();
    escaped.join(" <b>or</b> ")
}

/// Adds the hints to a graded map.
pub(crate) fn add(
    problem: &mut Problem<'_>,
    responder: &Responder,
    answers: &Answers,
    mut map: CorrectMap,
    old: &CorrectMap,
) -> Result<CorrectMap> {
    let group = problem.tree.find(responder.node, "hintgroup");
    if let Some(group) = group {
        if problem.tree.get(group, "hintfn").is_some() {
            return custom::hint_function(problem, responder, group, answers, &map, old);
        }
        let tag = properties(&responder.tag).and_then(|kind| kind.hint_tag);
        let nodes = tag
            .map(|tag| problem.tree.find_all(group, tag))
            .unwrap_or_default();
        if !nodes.is_empty() {
            hint_group(problem, responder, group, &nodes, answers, &mut map)?;
            return Ok(map);
        }
    }
    extended(problem, responder, answers, &mut map)?;
    Ok(map)
}

/// `hintgroup` with conditions and parts.
fn hint_group(
    problem: &Problem<'_>,
    responder: &Responder,
    group: NodeId,
    nodes: &[NodeId],
    answers: &Answers,
    map: &mut CorrectMap,
) -> Result<()> {
    let shown = match &responder.kind {
        Kind::String(kind) => Some(string::hints_to_show(
            problem, responder, kind, nodes, answers,
        )?),
        Kind::Formula(kind) => Some(formula::hints_to_show(
            problem, responder, kind, nodes, answers,
        )?),
        _ => None,
    };
    let tree = &problem.tree;
    let mode = tree.get(group, "mode").unwrap_or("always");
    for part in tree.find_all(group, "hintpart") {
        // The other response types have conditions but no way to check them.
        let shown = shown
            .as_ref()
            .ok_or_else(|| Error::other("no hint condition"))?;
        let on = tree.get(part, "on").map(str::to_owned);
        if !shown.contains(&on) {
            continue;
        }
        let text = tree
            .find(part, "text")
            .ok_or_else(|| Error::other("a hintpart without text"))?;
        let last = responder
            .inputs
            .last()
            .map_or("", |input| input.id.as_str());
        if let Some(entry) = map.entries.get_mut(last) {
            tree.text(text).clone_into(&mut entry.hint);
            entry.hintmode = Some(mode.to_owned());
        }
    }
    Ok(())
}

fn extended(
    problem: &mut Problem<'_>,
    responder: &Responder,
    answers: &Answers,
    map: &mut CorrectMap,
) -> Result<()> {
    match &responder.kind {
        Kind::MultipleChoice(_) | Kind::TrueFalse(_) => {
            multiplechoice::extended_hints(problem, responder, answers, map)
        }
        Kind::Choice(_) => choice::extended_hints(problem, responder, answers, map),
        Kind::Option => option::extended_hints(problem, responder, answers, map),
        Kind::String(kind) => string::extended_hints(problem, responder, kind, answers, map),
        Kind::Numerical(kind) => {
            numerical::extended_hints(problem, responder, kind, answers, map);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A hint to be shown in the message of an input.
#[derive(Debug)]
pub(crate) struct Hint<'a> {
    /// Element that carries the text and perhaps the label.
    pub node: Option<NodeId>,
    /// Styled as correct.
    pub correct: bool,
    /// The learner's answer, for the event.
    pub student_answer: Value,
    /// Label that overrides the element's.
    pub label: Option<&'a str>,
    /// Texts with their triggers; none: the element's inner HTML.
    pub log: Option<Vec<Value>>,
    /// Several texts in one box.
    pub multiline: bool,
    /// More for the event.
    pub extra: Map<String, Value>,
}

impl<'a> Hint<'a> {
    /// A hint whose text is the element's.
    pub fn of(node: Option<NodeId>, correct: bool, student_answer: &Value) -> Hint<'a> {
        let student_answer = match student_answer {
            Value::Array(_) => student_answer.clone(),
            other => Value::Array(vec![other.clone()]),
        };
        Hint {
            node,
            correct,
            student_answer,
            label: None,
            log: None,
            multiline: false,
            extra: Map::new(),
        }
    }
}

/// The hint as HTML, empty when there is nothing to say; records the event.
pub(crate) fn hint_html(
    problem: &mut Problem<'_>,
    responder: &Responder,
    hint: Hint<'_>,
) -> String {
    let log = if let Some(log) = hint.log {
        log
    } else {
        {
            let Some(node) = hint.node else {
                return String::new();
            };
            let text = problem.tree.inner_ascii_with_tail(node);
            if problem.tree.node(node).text.is_none() && problem.tree.children(node).is_empty() {
                return String::new();
            }
            if text.is_empty() {
                return String::new();
            }
            vec![json!({"text": text})]
        }
    };
    let own = hint
        .node
        .and_then(|node| problem.tree.get(node, "label"))
        .map(str::to_owned);
    let label = hint
        .label
        .filter(|label| !label.is_empty())
        .map(str::to_owned)
        .or(own);
    let label = label.unwrap_or_else(|| {
        if hint.correct {
            "Correct:"
        } else {
            "Incorrect:"
        }
        .to_owned()
    });
    let mut texts = String::new();
    for entry in &log {
        let text = entry
            .get("text")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let _ = write!(texts, "<div class=\"hint-text\">{text}</div>");
    }
    let texts = if hint.multiline {
        format!("<div class=\"feedback-hint-multi\">{texts}</div>")
    } else {
        texts
    };
    let shown = if label.is_empty() {
        String::new()
    } else {
        format!(
            "<span class=\"hint-label\">{} </span>",
            escape_markup(&label)
        )
    };
    let mut event = json!({
        "problem_part_id": responder.id,
        "trigger_type": "single",
        "hint_label": label,
        "hints": log,
        "correctness": hint.correct,
        "student_answer": hint.student_answer,
        "question_type": responder.tag,
    });
    if let Some(map) = event.as_object_mut() {
        map.extend(hint.extra);
    }
    problem.hint_events.push(event);
    let style = if hint.correct { "correct" } else { "incorrect" };
    format!(
        "<div class=\"feedback-hint-{style}\"><div class=\"explanation-title\">Answer</div>{shown}{texts}</div>"
    )
}
