//! Formulas, compared at random points (contract §3.7).

use calc::{CalcError, DEFAULT_TOLERANCE, Functions, Number, Tolerance, Variables};

use super::hints::html_escape;
use super::numerical::near;
use super::{Responder, required_text, tolerance};
use crate::correct_map::{CorrectMap, Entry};
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyrandom::PyRandom;
use crate::pyvalue::{parse_float, parse_int};
use crate::xml::NodeId;

/// Most points that two formulas are compared at.
const MAX_SAMPLES: i64 = 10_000;

/// The right formula.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    pub correct: String,
    samples: String,
    tolerance: String,
    case_sensitive: bool,
}

pub(super) fn setup(problem: &Problem<'_>, responder: &Responder) -> Formula {
    let attribute = |name| problem.tree.get(responder.node, name).unwrap_or_default();
    let words: Vec<&str> = attribute("type").split(',').collect();
    Formula {
        correct: problem.contextualize(attribute("answer")),
        samples: problem.contextualize(attribute("samples")),
        tolerance: tolerance(problem, responder.node)
            .unwrap_or_else(|| DEFAULT_TOLERANCE.to_owned()),
        case_sensitive: !words.contains(&"ci") && words.contains(&"cs"),
    }
}

impl Formula {
    /// Draws the points of `x,y@lo,lo:hi,hi#n`.
    fn draw(problem: &Problem<'_>, samples: &str) -> Result<Vec<Variables>> {
        let bad = || Error::other("samples");
        let mut parts = samples.split('@');
        let names: Vec<&str> = parts.next().unwrap_or_default().split(',').collect();
        let mut rest = parts.next().ok_or_else(bad)?.split('#');
        let ranges = rest.next().unwrap_or_default();
        let count = parse_int(rest.next().ok_or_else(bad)?).ok_or_else(bad)?;
        let mut bounds: Vec<Vec<f64>> = Vec::new();
        for side in ranges.split(':') {
            let side: Option<Vec<f64>> = side.split(',').map(parse_float).collect();
            bounds.push(side.ok_or_else(bad)?);
        }
        if bounds.len() != 2 {
            return Err(bad());
        }
        // The reference draws from a generator that is not seeded; any points do.
        let mut random = PyRandom::new(problem.seed ^ 0x5eed_f0f0);
        let mut points = Vec::new();
        for _ in 0..count.min(MAX_SAMPLES) {
            let mut point = Variables::new();
            for (index, name) in names.iter().enumerate() {
                let at = |side: usize| bounds.get(side).and_then(|side| side.get(index)).copied();
                if let (Some(low), Some(high)) = (at(0), at(1)) {
                    point.insert((*name).to_owned(), Number::Float(random.uniform(low, high)));
                }
            }
            points.push(point);
        }
        Ok(points)
    }

    fn values(&self, expression: &str, points: &[Variables]) -> Result<Vec<Number>> {
        let shown = || html_escape(expression);
        let value =
            |point| calc::evaluate(expression, point, &Functions::new(), self.case_sensitive);
        let values: Result<Vec<Number>, CalcError> = points.iter().map(value).collect();
        values.map_err(|error| {
            Error::StudentInput(match error {
                CalcError::UndefinedVariable(message)
                | CalcError::UnmatchedParenthesis(message) => message,
                CalcError::Factorial => format!(
                    "Factorial function not permitted in answer for this problem. Provided answer was: {}",
                    shown()
                ),
                CalcError::Value => {
                    format!("Invalid input: Could not parse '{}' as a formula.", shown())
                }
                _ => format!("Invalid input: Could not parse '{}' as a formula", shown()),
            })
        })
    }

    fn check(
        &self,
        problem: &Problem<'_>,
        expected: &str,
        given: &str,
        samples: &str,
    ) -> Result<bool> {
        let points = Self::draw(problem, samples)?;
        let student = self.values(given, &points)?;
        let instructor = self.values(expected, &points)?;
        for (ours, theirs) in student.iter().zip(&instructor) {
            if !near(ours, theirs, &Tolerance::Text(&self.tolerance))? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

pub(super) fn score(
    problem: &Problem<'_>,
    responder: &Responder,
    formula: &Formula,
    answers: &Answers,
) -> Result<CorrectMap> {
    let id = responder.answer_id();
    let given = required_text(answers, id)?;
    let right = formula.check(problem, &formula.correct, given, &formula.samples)?;
    Ok(CorrectMap::one(
        id,
        Entry::mark(if right { "correct" } else { "incorrect" }),
    ))
}

/// Names of the `formulahint`s that match.
pub(super) fn hints_to_show(
    problem: &Problem<'_>,
    responder: &Responder,
    formula: &Formula,
    nodes: &[NodeId],
    answers: &Answers,
) -> Result<Vec<Option<String>>> {
    let given = required_text(answers, responder.answer_id())?;
    let mut shown = Vec::new();
    for node in nodes {
        let attribute = |name| problem.tree.get(*node, name);
        let (Some(samples), Some(answer)) = (attribute("samples"), attribute("answer")) else {
            continue;
        };
        let answer = problem.contextualize(answer);
        if formula
            .check(problem, &answer, given, samples)
            .unwrap_or(false)
        {
            shown.push(attribute("name").map(str::to_owned));
        }
    }
    Ok(shown)
}
