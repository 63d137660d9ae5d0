//! Symbolic expressions (contract §3.9).

use super::Responder;
use super::custom::Custom;
use crate::correct_map::CorrectMap;
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};

pub(super) fn score(
    _problem: &mut Problem<'_>,
    _responder: &Responder,
    _custom: &Custom,
    _answers: &Answers,
) -> Result<CorrectMap> {
    Err(Error::other("symbolic answers are not available"))
}
