//! External graders (contract §3.10).

use serde_json::Value;

use super::Responder;
use crate::correct_map::CorrectMap;
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};

/// What goes to the grader.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub initial_display: Value,
}

/// A grader's reply.
#[derive(Clone, Debug)]
pub struct GraderReply;

impl Code {
    pub fn displayed(&self) -> String {
        String::new()
    }
}

pub(super) fn setup(_problem: &Problem<'_>, _responder: &Responder) -> Result<Code> {
    Ok(Code {
        initial_display: Value::Null,
    })
}

pub(super) fn score(
    _problem: &mut Problem<'_>,
    _responder: &Responder,
    _code: &Code,
    _answers: &Answers,
) -> Result<CorrectMap> {
    Err(Error::other("not yet"))
}

pub(crate) fn queue_key(_problem: &Problem<'_>, _time: &str, _id: &str) -> String {
    String::new()
}

pub(crate) fn student_info(_problem: &Problem<'_>, _time: &str, _seed: bool) -> String {
    String::new()
}

impl Problem<'_> {
    /// Takes an external grader's reply.
    pub fn score_update(&mut self, _message: &str, _key: &str) -> Result<()> {
        Err(Error::other("not yet"))
    }

    /// Takes the result of a run that is not graded.
    pub fn ungraded_response(&mut self, _message: &str, _key: &str) -> Result<()> {
        Err(Error::other("not yet"))
    }
}
