//! Symbolic expressions (contract §3.9). Two plain numbers are compared here; everything else goes through
//! the script port, where `symmath` reads and compares expressions.

use super::Responder;
use super::custom::{Custom, score_with};
use super::tidy::clean_message;
use crate::correct_map::CorrectMap;
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::pyvalue::{PyValue, strip};
use crate::script::Globals;

/// Relative difference within which two numbers count as the same.
const THRESHOLD: f64 = 1e-3;

/// A plain decimal number: digits, at most one point, no exponent; its value and how it is printed.
fn plain_number(text: &str) -> Option<(f64, String)> {
    let text = strip(text);
    let (whole, part) = text
        .split_once('.')
        .map_or((text, None), |(w, p)| (w, Some(p)));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    // Longer numbers are printed with rounding that is not repeated here.
    if whole.is_empty() || text.len() > 14 || !digits(whole) || !part.is_none_or(digits) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let shown = match part {
        None => value.to_string(),
        Some(_) => crate::pyvalue::float_repr(value),
    };
    (!shown.contains('e')).then_some((value, shown))
}

/// The verdict on two plain numbers and its message; none when either is more than that.
fn compare_numbers(expect: &str, answer: &str) -> Option<(bool, String)> {
    let (expected, _) = plain_number(expect)?;
    let (given, shown) = plain_number(answer)?;
    let difference = (given - expected).abs();
    let near = if expected == 0.0 {
        difference < THRESHOLD
    } else {
        difference / expected < THRESHOLD
    };
    let message = if near {
        String::new()
    } else {
        format!("<p>You entered: [mathjax]{shown}[/mathjax]<br/></p>")
    };
    Some((near, message))
}

fn run(
    problem: &mut Problem<'_>,
    responder: &Responder,
    expect: Option<&str>,
    answer: &PyValue,
) -> Result<(bool, String)> {
    if let (Some(expect), PyValue::Str(answer)) = (expect, answer)
        && let Some(verdict) = compare_numbers(expect, answer)
    {
        return Ok(verdict);
    }
    let from_context = |name: &str| problem.context.get(name).cloned().unwrap_or(PyValue::None);
    let globals: Globals = [
        (
            "expect".to_owned(),
            expect.map_or(PyValue::None, PyValue::from),
        ),
        ("ans".to_owned(), answer.clone()),
        ("dynamath".to_owned(), from_context("dynamath")),
        ("options".to_owned(), from_context("options")),
        ("debug".to_owned(), from_context("debug")),
    ]
    .into_iter()
    .collect();
    let code = "from symmath import symmath_check\ncfn_return = symmath_check(expect, ans, dynamath=dynamath, options=options, debug=debug)\ncfn_return = {'ok': bool(cfn_return['ok']), 'msg': str(cfn_return['msg'])}\n";
    let out = problem
        .run_code(code, &globals, &responder.id, false)
        .map_err(|error| {
            Error::Other(format!(
                "An error occurred with SymbolicResponse. The error was: {error}"
            ))
        })?;
    let Some(PyValue::Dict(result)) = out.get("cfn_return") else {
        return Err(Error::other("no verdict"));
    };
    let text = result.get("msg").map(PyValue::str).unwrap_or_default();
    Ok((result.get("ok").is_some_and(PyValue::truthy), text))
}

pub(super) fn score(
    problem: &mut Problem<'_>,
    responder: &Responder,
    custom: &Custom,
    answers: &Answers,
) -> Result<CorrectMap> {
    score_with(
        problem,
        responder,
        custom,
        answers,
        &mut |problem, ids, submission| {
            let answer = submission.first().cloned().unwrap_or(PyValue::None);
            let (right, message) = run(problem, responder, custom.expect(), &answer)?;
            let message = PyValue::Str(clean_message(&PyValue::Str(message)));
            let mark = PyValue::from(if right { "correct" } else { "incorrect" });
            problem
                .context
                .insert("messages".to_owned(), PyValue::List(vec![message]));
            problem
                .context
                .insert("correct".to_owned(), PyValue::List(vec![mark; ids.len()]));
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // §3.9: numbers within 1e-3
    #[test]
    fn numbers_are_compared_loosely() {
        assert_eq!(compare_numbers("2", "2.0001"), Some((true, String::new())));
        assert_eq!(
            compare_numbers("2", "3"),
            Some((
                false,
                "<p>You entered: [mathjax]3[/mathjax]<br/></p>".to_owned()
            ))
        );
        assert_eq!(compare_numbers("0", "0.0001"), Some((true, String::new())));
        assert_eq!(compare_numbers("2*x", "2"), None);
    }
}
