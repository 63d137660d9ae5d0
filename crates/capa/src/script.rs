//! The port to the sandbox that runs authors' Python (contract §6).

use indexmap::IndexMap;

use crate::pyvalue::PyValue;

/// Names and values that go into a script and come out of it, in order.
pub type Globals = IndexMap<String, PyValue>;

/// One run of a script.
#[derive(Clone, Copy, Debug)]
pub struct ScriptRun<'a> {
    /// Python source.
    pub code: &'a str,
    /// Values visible to it at the top level.
    pub globals: &'a Globals,
    /// The course's `python_lib.zip`, put on the path when present.
    pub python_lib: Option<&'a [u8]>,
    /// Seed of `random`.
    pub seed: i64,
    /// What is run, for logs: the problem's or response's id.
    pub slug: &'a str,
    /// Whether the same code, globals and seed may be answered from a cache (contract §6.1, last line).
    pub cacheable: bool,
}

/// A failed run: the text that the jail gives (contract §6.1, failure text).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScriptError(pub String);

/// Runs scripts. Implementations confine the code and bound its time and memory.
pub trait ScriptRunner {
    /// Runs the code; gives the surviving globals (contract §6.1, globals out) in the order in which they
    /// were defined.
    fn run(&self, run: &ScriptRun<'_>) -> Result<Globals, ScriptError>;
}
