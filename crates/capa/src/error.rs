//! What can go wrong in loading, rendering and grading.

use crate::xml::XmlError;

/// A failure of the engine. The three kinds with a message for the learner are those that the
/// problem block turns into the `success` text of a reply (contract §11); every other one is generic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The problem's XML is malformed.
    #[error("malformed problem: {0}")]
    Xml(#[from] XmlError),
    /// An error in the problem's specification (`LoncapaProblemError`).
    #[error("{0}")]
    Problem(String),
    /// A grader failed (`ResponseError`).
    #[error("{0}")]
    Response(String),
    /// The learner's answer cannot be read (`StudentInputError`).
    #[error("{0}")]
    StudentInput(String),
    /// The problem's state is not what the request supposes (`NotFoundError`).
    #[error("{0}")]
    NotFound(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// A generic error.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }

    /// The text that a learner sees, for the three kinds that have one: a jail failure's message is cut
    /// down to the error of its last line (contract §11).
    #[must_use]
    pub fn learner_message(&self) -> Option<String> {
        let (Self::Problem(message) | Self::Response(message) | Self::StudentInput(message)) = self
        else {
            return None;
        };
        let pieces: Vec<&str> = message.split("\\n").collect();
        let last_line = pieces.len().checked_sub(2).and_then(|i| pieces.get(i));
        let cut = last_line
            .and_then(|line| line.split_once(": "))
            .map(|(_, rest)| rest);
        Some(cut.unwrap_or(message).to_owned())
    }
}

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
