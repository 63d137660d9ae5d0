//! What surrounds a problem, and the part of a learner's state that it keeps.

use std::fmt;

use serde_json::{Map, Value};

use crate::problem::Answers;
use crate::script::ScriptRunner;

/// The external grader's queue (contract §3.10).
pub trait GraderQueue {
    /// Sends one submission; gives the error flag and message of the queue's reply. The callback address
    /// belongs to the queue.
    fn send(&self, header: &Value, body: &Value) -> (bool, String);
    /// Address that the queue calls back.
    fn callback_url(&self) -> String;
    /// Current time, `%Y%m%d%H%M%S` in UTC.
    fn time(&self) -> String;
    /// Queue to use when the response names none.
    fn default_queue_name(&self) -> String;
}

/// What surrounds a problem. Everything comes in as a value; the engine itself reads nothing.
#[derive(Clone, Copy)]
pub struct Environment<'e> {
    /// The learner's anonymous id (the one that is not specific to a course).
    pub anonymous_student_id: &'e str,
    /// The learner's numeric id, none when anonymous.
    pub user_id: Option<i64>,
    /// Address of static files, `/static/`.
    pub static_url: &'e str,
    /// Debug mode of the installation.
    pub debug: bool,
    /// Whether correctness may be shown now (contract §8).
    pub correctness_available: bool,
    /// Reads a file of the course's static file system, for `<include>`.
    pub files: &'e dyn Fn(&str) -> Option<String>,
    /// The course's `python_lib.zip`.
    pub python_lib: Option<&'e [u8]>,
    /// Runs scripts; without it a problem with a script does not load.
    pub scripts: Option<&'e dyn ScriptRunner>,
    /// External grader's queue, none when the installation has none.
    pub queue: Option<&'e dyn GraderQueue>,
}

impl fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("anonymous_student_id", &self.anonymous_student_id)
            .field("correctness_available", &self.correctness_available)
            .finish_non_exhaustive()
    }
}

/// No files at all.
fn no_file(_: &str) -> Option<String> {
    None
}

impl Default for Environment<'_> {
    fn default() -> Self {
        Self {
            anonymous_student_id: "",
            user_id: None,
            static_url: "/static/",
            debug: false,
            correctness_available: true,
            files: &no_file,
            python_lib: None,
            scripts: None,
            queue: None,
        }
    }
}

/// The part of a learner's stored state that the engine reads and writes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProblemState {
    /// Seed of the problem's randomness.
    pub seed: Option<i64>,
    /// Answers of the last submit or save.
    pub student_answers: Answers,
    /// Whether the answers were saved after the last submit.
    pub has_saved_answers: bool,
    /// The last grading's decisions.
    pub correct_map: Value,
    /// The decisions of every grading.
    pub correct_map_history: Vec<Value>,
    /// One object per rendered input.
    pub input_state: Map<String, Value>,
    /// Whether the problem was submitted since the last reset.
    pub done: bool,
}

impl ProblemState {
    /// Reads the stored JSON; absent or null keys get their defaults.
    #[must_use]
    pub fn from_json(state: &Value) -> Self {
        let map = |key: &str| state.get(key).and_then(Value::as_object).cloned();
        Self {
            seed: state.get("seed").and_then(|seed| {
                seed.as_i64()
                    .or_else(|| seed.as_f64().map(|float| float as i64))
            }),
            student_answers: map("student_answers").unwrap_or_default(),
            has_saved_answers: state.get("has_saved_answers") == Some(&Value::Bool(true)),
            correct_map: state.get("correct_map").cloned().unwrap_or_default(),
            correct_map_history: state
                .get("correct_map_history")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
            input_state: map("input_state").unwrap_or_default(),
            done: state.get("done") == Some(&Value::Bool(true)),
        }
    }
}
