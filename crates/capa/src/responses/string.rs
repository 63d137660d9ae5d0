//! Text answers (contract §3.4).

use super::Responder;
use super::hints::{Hint, hint_html};
use super::pyregex::PyRegex;
use super::required_text;
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::strip;
use crate::xml::NodeId;

/// How a text is compared, and with what.
#[derive(Clone, Debug)]
pub(crate) struct StringAnswer {
    /// Right answers, substituted and trimmed.
    pub correct: Vec<String>,
    /// `_or_` in the answer: alternatives, no patterns.
    backward: bool,
    regexp: bool,
    case_insensitive: bool,
}

pub(super) fn setup(problem: &Problem<'_>, responder: &Responder) -> Result<StringAnswer> {
    let tree = &problem.tree;
    let answer = tree.get(responder.node, "answer").unwrap_or_default();
    let kind = tree
        .get(responder.node, "type")
        .unwrap_or_default()
        .to_lowercase();
    let word = |wanted: &str| kind.split(' ').any(|word| word == wanted);
    let backward = answer.to_lowercase().contains("_or_");
    let read = |text: &str| strip(&problem.contextualize(text)).to_owned();
    let mut correct = Vec::new();
    if backward {
        correct.extend(answer.split("_or_").map(read));
    } else {
        correct.push(read(answer));
        for additional in tree.find_all(responder.node, "additional_answer") {
            let text = tree.get(additional, "answer");
            correct.push(read(
                text.ok_or_else(|| Error::other("no additional answer"))?,
            ));
        }
    }
    Ok(StringAnswer {
        correct,
        backward,
        regexp: word("regexp"),
        case_insensitive: word("ci"),
    })
}

impl StringAnswer {
    fn plain<T: AsRef<str>>(&self, expected: &[T], given: &str) -> bool {
        if self.case_insensitive {
            let given = given.to_lowercase();
            expected
                .iter()
                .any(|text| text.as_ref().to_lowercase() == given)
        } else {
            expected.iter().any(|text| text.as_ref() == given)
        }
    }

    fn check<T: AsRef<str>>(&self, expected: &[T], given: &str) -> Result<bool> {
        if given.is_empty() {
            return Ok(false);
        }
        if self.backward || !self.regexp {
            return Ok(self.plain(expected, given));
        }
        let joined: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
        let pattern = format!("^{}$", joined.join("|"));
        PyRegex::new(&pattern, self.case_insensitive)
            .and_then(|regex| regex.is_match(given))
            .map_err(|message| {
                Error::Response(format!(
                    "[courseware.capa.responsetypes.stringresponse] error: {message}"
                ))
            })
    }

    /// Whether a hint element's `answer` matches.
    fn matches(&self, problem: &Problem<'_>, node: NodeId, given: &str, regexp: bool) -> bool {
        let answer = strip(problem.tree.get(node, "answer").unwrap_or_default());
        if answer.is_empty() {
            return false;
        }
        if !regexp {
            return self.plain(&[answer], given);
        }
        PyRegex::new(&format!("^{answer}$"), self.case_insensitive)
            .and_then(|regex| regex.is_match(given))
            .unwrap_or(false)
    }
}

pub(super) fn score(
    responder: &Responder,
    string: &StringAnswer,
    answers: &Answers,
) -> Result<CorrectMap> {
    let id = responder.answer_id();
    let right = answers.contains_key(id)
        && string.check(&string.correct, strip(required_text(answers, id)?))?;
    Ok(CorrectMap::one(
        id,
        Entry::mark(if right { "correct" } else { "incorrect" }),
    ))
}

/// Names of the `stringhint`s that match.
pub(super) fn hints_to_show(
    problem: &Problem<'_>,
    responder: &Responder,
    string: &StringAnswer,
    nodes: &[NodeId],
    answers: &Answers,
) -> Result<Vec<Option<String>>> {
    let given = strip(required_text(answers, responder.answer_id())?);
    let mut shown = Vec::new();
    for node in nodes {
        let answer = problem
            .tree
            .get(*node, "answer")
            .ok_or_else(|| Error::other("no answer"))?;
        let hinted = problem.contextualize(answer);
        if string.check(&[strip(&hinted)], given)? {
            shown.push(problem.tree.get(*node, "name").map(str::to_owned));
        }
    }
    Ok(shown)
}

pub(super) fn extended_hints(
    problem: &mut Problem<'_>,
    responder: &Responder,
    string: &StringAnswer,
    answers: &Answers,
    map: &mut CorrectMap,
) -> Result<()> {
    let id = responder.answer_id();
    let Some(value) = answers.get(id).cloned() else {
        return Ok(());
    };
    let given = required_text(answers, id)?;
    let tree = &problem.tree;
    let expected = strip(tree.get(responder.node, "answer").unwrap_or_default());
    let found = if string.check(&[expected], given)? {
        Some((tree.find(responder.node, "correcthint"), true))
    } else {
        let of = |tag: &str, regexp: bool| {
            let nodes = tree.find_all(responder.node, tag);
            nodes
                .into_iter()
                .find(|node| string.matches(problem, *node, given, regexp))
        };
        of("additional_answer", string.regexp)
            .map(|node| (tree.find(node, "correcthint"), true))
            .or_else(|| of("stringequalhint", false).map(|node| (Some(node), false)))
            .or_else(|| of("regexphint", true).map(|node| (Some(node), false)))
    };
    if let Some((node, correct)) = found {
        let html = hint_html(problem, responder, Hint::of(node, correct, &value));
        if let Some(entry) = map.entries.get_mut(id) {
            entry.append_message(&html);
        }
    }
    Ok(())
}
