//! Numbers (contract §3.5).

use std::cell::Cell;

use calc::{CalcError, Complex, DEFAULT_TOLERANCE, Functions, Number, Tolerance, Variables};
use serde_json::Value;

use super::hints::{Hint, hint_html, html_escape, joined};
use super::{Responder, required_text, tolerance};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::{float_repr, parse_complex, parse_float, strip};

const STAFF: &str = "There was a problem with the staff answer to this problem";

/// A range: its bounds as written, and whether each belongs to it.
#[derive(Clone, Debug)]
struct Range {
    bounds: Vec<String>,
    inclusive: [bool; 2],
}

/// The right number.
#[derive(Clone, Debug)]
pub(crate) struct Numerical {
    correct: String,
    range: Option<Range>,
    tolerance: String,
    additional: Vec<Option<String>>,
    /// The additional answer that the last grading matched.
    matched: Cell<Option<usize>>,
}

impl Numerical {
    /// What Show Answer shows.
    pub fn displayed(&self) -> String {
        let mut all = vec![self.correct.as_str()];
        all.extend(
            self.additional
                .iter()
                .map(|text| text.as_deref().unwrap_or("None")),
        );
        joined(&all)
    }
}

pub(super) fn setup(problem: &Problem<'_>, responder: &Responder) -> Result<Numerical> {
    let tree = &problem.tree;
    let answer = tree.get(responder.node, "answer").unwrap_or_default();
    let additional = tree
        .find_all(responder.node, "additional_answer")
        .into_iter()
        .map(|node| tree.get(node, "answer").map(str::to_owned))
        .collect();
    let mut numerical = Numerical {
        correct: String::new(),
        range: None,
        tolerance: DEFAULT_TOLERANCE.to_owned(),
        additional,
        matched: Cell::new(None),
    };
    if answer.starts_with(['[', '(']) && answer.ends_with([']', ')']) {
        let inside = answer.get(1..answer.len() - 1).unwrap_or_default();
        let bounds: Vec<String> = inside
            .split(',')
            .map(|x| problem.contextualize(x))
            .collect();
        let (Some(low), Some(high)) = (bounds.first(), bounds.get(1)) else {
            return Err(Error::StudentInput(format!("{STAFF}.")));
        };
        let (open, close) = (answer.get(..1), answer.get(answer.len() - 1..));
        numerical.correct = format!(
            "{}{low}, {high}{}",
            open.unwrap_or_default(),
            close.unwrap_or_default()
        );
        let inclusive = [open == Some("["), close == Some("]")];
        numerical.range = Some(Range { bounds, inclusive });
    } else {
        numerical.correct = problem.contextualize(answer);
        if let Some(text) = tolerance(problem, responder.node) {
            strip(&text).clone_into(&mut numerical.tolerance);
        }
    }
    Ok(numerical)
}

/// Evaluates without variables.
fn evaluate(expression: &str) -> Result<Number, CalcError> {
    calc::evaluate(expression, &Variables::new(), &Functions::new(), false)
}

/// A staff answer: Python's complex literal, else an expression.
fn staff_answer(text: &str) -> Result<Number> {
    if let Some((re, im)) = parse_complex(text) {
        return Ok(Number::Complex(Complex { re, im }));
    }
    evaluate(text).map_err(|_| Error::StudentInput(format!("{STAFF}.")))
}

/// The learner's number, with the messages of contract §3.5.
fn student_answer(text: &str) -> Result<Number> {
    let shown = html_escape(text);
    evaluate(text).map_err(|error| {
        Error::StudentInput(match error {
            CalcError::UndefinedVariable(message) | CalcError::UnmatchedParenthesis(message) => {
                message
            }
            CalcError::Factorial => {
                format!("Factorial function evaluated outside its domain:'{shown}'")
            }
            CalcError::Parse => format!("Invalid math syntax: '{shown}'"),
            _ => format!("Could not interpret '{shown}' as a number."),
        })
    })
}

fn generic(error: &CalcError) -> Error {
    Error::Other(error.to_string())
}

/// A comparison whose own failure is a generic error.
pub(super) fn near(
    student: &Number,
    instructor: &Number,
    tolerance: &Tolerance<'_>,
) -> Result<bool> {
    calc::within_tolerance(student, instructor, tolerance, false).map_err(|error| generic(&error))
}

fn real(number: &Number) -> Result<f64> {
    number
        .to_complex()
        .map(|(re, _)| re)
        .map_err(|error| generic(&error))
}

pub(super) fn score(
    problem: &Problem<'_>,
    responder: &Responder,
    numerical: &Numerical,
    answers: &Answers,
) -> Result<CorrectMap> {
    let id = responder.answer_id();
    numerical.matched.set(None);
    if !answers.contains_key(id) {
        return Ok(CorrectMap::one(id, Entry::mark("incorrect")));
    }
    let words = responder.partial_credit.as_deref().unwrap_or_default();
    if words.iter().any(|word| word != "list" && word != "close") {
        return Err(Error::Problem(
            "partial_credit attribute should be one of: list,close".to_owned(),
        ));
    }
    let student = student_answer(required_text(answers, id)?)?;
    let tree = &problem.tree;
    let params = tree.find_all(responder.node, "responseparam");
    let param = |name: &str| params.iter().find_map(|node| tree.get(*node, name));
    let widening = match param("partial_range") {
        Some(text) => parse_float(text).ok_or_else(|| Error::other("partial_range"))?,
        None => 2.0,
    };
    let mut alternatives = None;
    if let Some(text) = param("partial_answers") {
        let all: Result<Vec<Number>> = text
            .split(',')
            .map(|word| staff_answer(strip(word)))
            .collect();
        alternatives = Some(all?);
    }
    let has = |word: &str| words.iter().any(|other| other == word);
    let partial = match &numerical.range {
        Some(range) => score_range(range, &student, has("close").then_some(widening))?,
        None => score_number(numerical, &student, widening, alternatives, &has)?,
    };
    let entry = match partial {
        Some(1.0) => Entry::mark("correct"),
        Some(points) => Entry::points("partially-correct", points),
        None => Entry::mark("incorrect"),
    };
    if entry.correctness.as_deref() == Some("incorrect") {
        for (index, additional) in numerical.additional.iter().enumerate() {
            let text = additional
                .as_deref()
                .ok_or_else(|| Error::other("no answer"))?;
            let value = staff_answer(text)?
                .to_complex()
                .map_err(|error| generic(&error))?;
            if value == student.to_complex().map_err(|error| generic(&error))? {
                numerical.matched.set(Some(index));
                return Ok(CorrectMap::one(id, Entry::mark("correct")));
            }
        }
    }
    Ok(CorrectMap::one(id, entry))
}

/// Credit in a range: 1, ½ in the widened range, or none.
fn score_range(range: &Range, student: &Number, widening: Option<f64>) -> Result<Option<f64>> {
    if student.is_complex() {
        return Err(Error::StudentInput(
            "You may not use complex numbers in range tolerance problems".to_owned(),
        ));
    }
    let mut bounds = Vec::new();
    for (inclusive, text) in range.inclusive.iter().zip(&range.bounds) {
        let bound = staff_answer(text)?;
        let (re, im) = bound.to_complex().map_err(|error| generic(&error))?;
        if im != 0.0 {
            return Err(Error::StudentInput(format!("{STAFF}: complex boundary.")));
        }
        if re.is_nan() || im.is_nan() {
            return Err(Error::StudentInput(format!("{STAFF}: empty boundary.")));
        }
        bounds.push(re);
        let epsilon = Tolerance::Value(Number::Float(f64::EPSILON));
        if calc::within_tolerance(student, &bound, &epsilon, true)
            .map_err(|error| generic(&error))?
        {
            return Ok(inclusive.then_some(1.0));
        }
    }
    let (Some(low), Some(high)) = (bounds.first().copied(), bounds.get(1).copied()) else {
        return Ok(None);
    };
    let student = real(student)?;
    if low < student && student < high {
        return Ok(Some(1.0));
    }
    if let Some(widening) = widening {
        let margin = widening * (high - low);
        if low - margin < student && student < high + margin {
            return Ok(Some(0.5));
        }
    }
    Ok(None)
}

/// Credit near a number: 1, ½, ¼ or none.
fn score_number(
    numerical: &Numerical,
    student: &Number,
    widening: f64,
    alternatives: Option<Vec<Number>>,
    has: &dyn Fn(&str) -> bool,
) -> Result<Option<f64>> {
    let correct = staff_answer(&numerical.correct)?;
    let tolerance = numerical.tolerance.as_str();
    let number = |text: &str| parse_float(text).ok_or_else(|| Error::other("tolerance"));
    let widened_text;
    let widened = if let Some(percent) = tolerance.strip_suffix('%') {
        widened_text = format!("{}%", float_repr(widening * number(percent)?));
        Tolerance::Text(&widened_text)
    } else {
        Tolerance::Value(Number::Float(widening * number(tolerance)?))
    };
    let exact = Tolerance::Text(tolerance);
    if near(student, &correct, &exact)? {
        return Ok(Some(1.0));
    }
    if has("list") {
        let alternatives = alternatives.ok_or_else(|| Error::other("no partial answers"))?;
        for alternative in &alternatives {
            if near(student, alternative, &exact)? {
                return Ok(Some(0.5));
            }
            if has("close") {
                if near(student, &correct, &widened)? {
                    return Ok(Some(0.5));
                }
                if near(student, alternative, &widened)? {
                    return Ok(Some(0.25));
                }
            }
        }
    } else if has("close") && near(student, &correct, &widened)? {
        return Ok(Some(0.5));
    }
    Ok(None)
}

/// Hints of right answers only.
pub(super) fn extended_hints(
    problem: &mut Problem<'_>,
    responder: &Responder,
    numerical: &Numerical,
    answers: &Answers,
    map: &mut CorrectMap,
) {
    let id = responder.answer_id();
    let Some(value) = answers.get(id).cloned() else {
        return;
    };
    if map.get(id).and_then(|entry| entry.correctness.as_deref()) != Some("correct") {
        return;
    }
    let tree = &problem.tree;
    let holder = match numerical.matched.get() {
        Some(index) => tree
            .find_all(responder.node, "additional_answer")
            .get(index)
            .copied(),
        None => Some(responder.node),
    };
    let node = holder.and_then(|node| tree.find(node, "correcthint"));
    if node.is_some() {
        let value = Value::Array(vec![value]);
        let html = hint_html(problem, responder, Hint::of(node, true, &value));
        if let Some(entry) = map.entries.get_mut(id) {
            entry.append_message(&html);
        }
    }
}
