//! Answers checked by the author's Python (contract §3.8).

use serde_json::Value;

use super::Responder;
use crate::correct_map::CorrectMap;
use crate::error::{Error, Result};
use crate::problem::{Answers, Problem};
use crate::xml::NodeId;

/// How answers are checked.
#[derive(Clone, Debug)]
pub(crate) struct Custom {
    expect: Option<String>,
}

impl Custom {
    pub fn answers(&self, _responder: &Responder) -> Vec<(String, Value)> {
        Vec::new()
    }
}

pub(super) fn setup(_problem: &Problem<'_>, _responder: &Responder) -> Custom {
    Custom { expect: None }
}

pub(super) fn score(
    _problem: &mut Problem<'_>,
    _responder: &Responder,
    custom: &Custom,
    _answers: &Answers,
) -> Result<CorrectMap> {
    Err(Error::Other(format!("{:?}", custom.expect)))
}

pub(super) fn hint_function(
    _problem: &mut Problem<'_>,
    _responder: &Responder,
    _group: NodeId,
    _answers: &Answers,
    _map: CorrectMap,
    _old: &CorrectMap,
) -> Result<CorrectMap> {
    Err(Error::other("not yet"))
}
