//! Errors and warnings, each with file and line.

use std::fmt;
use std::sync::Arc;

use crate::archive::ArchiveError;

/// Why an import or export as a whole fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive is refused or unreadable.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// No root file (olx.md §11).
    #[error("Could not find the {0} file in the package.")]
    NoRoot(&'static str),
    /// The root of the course or library cannot be read: file, line and reason.
    #[error("{0}")]
    Root(Fault),
    /// More XML than one import may parse.
    #[error("{0}: more than {1} bytes of XML to read")]
    TooMuchXml(Arc<str>, u64),
    /// A block that cannot be written: its usage key and why.
    #[error("Unable to create xml for block {usage}: {reason}")]
    Unserialisable {
        /// Usage key of the block.
        usage: String,
        /// Usage key of its parent, empty for the root.
        parent: String,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// The message of olx.md §11 for people who watch an import.
    #[must_use]
    pub fn import_message(&self) -> String {
        match self {
            Self::Archive(error) if error.is_unsafe() => {
                "Unsafe archive file. Aborting import.".to_owned()
            }
            Self::TooMuchXml(..) => "Unsafe archive file. Aborting import.".to_owned(),
            Self::Archive(_) => "An Unknown error occurred during the unpacking step.".to_owned(),
            Self::NoRoot(_) => self.to_string(),
            Self::Root(_) | Self::Unserialisable { .. } => {
                "Unknown error while importing course.".to_owned()
            }
        }
    }
}

/// A place in a file and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path below the course folder.
    pub file: Arc<str>,
    /// Line, counted from 1; 0 when the fault is not in a line.
    pub line: u32,
    /// What is wrong, in a sentence or in the reference's words.
    pub text: String,
    /// Whether the reference raises a syntax error here: some parents survive nothing else.
    pub(crate) syntax: bool,
}

impl Fault {
    pub(crate) fn new(file: &Arc<str>, line: u32, text: impl Into<String>) -> Self {
        Self {
            file: Arc::clone(file),
            line,
            text: text.into(),
            syntax: false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

/// Something that an import noticed and survived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where and what.
    pub fault: Fault,
    /// Whether the reference's error tracker holds it as well; the others are Stoa's own remarks.
    pub tracked: bool,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}
