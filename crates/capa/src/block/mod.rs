//! The problem block around the engine: its fields and the learner's state come in, replies, changes of
//! state, grades and events come out (contract §1, §4.4, §7 to §11). Nothing is read or written here.
//!
//! - [`Block::load`] makes a block of one learner; [`Block::view`] shows it, [`Block::handle`] answers
//!   a request, [`Block::rescore`] grades again.
//! - [`Outcome::changes`] holds the keys of the state to write, merged over the stored ones.

mod chrome;
mod fields;
mod forms;
mod gates;
mod handlers;
mod score;
#[cfg(test)]
mod tests;

use std::fmt;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

pub use fields::{ProblemFields, Randomization, per_student_seed};
pub use forms::{Form, decode_answers};
pub use score::{Number, Progress, Score, weighted_score};

use crate::environment::{Environment, GraderQueue, ProblemState};
use crate::error::{Error, Result};
use crate::problem::Problem;
use crate::script::ScriptRunner;

/// A learner's stored state of the block, as in `courseware_studentmodule.state`.
pub type State = Map<String, Value>;

/// A link or form shown beside a Submit button that is switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallToAction {
    /// Where it leads.
    pub link: String,
    /// Text of the link.
    pub link_name: String,
    /// Fields of a form that is posted instead, empty for a plain link.
    pub form_values: Vec<(String, String)>,
    /// What is said of it.
    pub description: String,
}

/// Everything that a request to a problem depends on.
#[derive(Clone, Copy)]
pub struct BlockContext<'a> {
    /// Usage key as text.
    pub usage_key: &'a str,
    /// Html id of the usage key.
    pub html_id: &'a str,
    /// The block's fields.
    pub fields: &'a ProblemFields,
    /// The learner's numeric id, none when anonymous.
    pub user_id: Option<i64>,
    /// The learner's anonymous id that is not specific to a course.
    pub anonymous_student_id: &'a str,
    /// Staff of the course.
    pub is_staff: bool,
    /// Detailed errors instead of the learner's ones, as Studio's preview shows them.
    pub detailed_errors: bool,
    /// Debug mode of the installation.
    pub debug: bool,
    /// Current time.
    pub now: DateTime<Utc>,
    /// A random number from 0 to 999 for a new seed.
    pub random_seed: i64,
    /// Address of the handler, without the trailing slash.
    pub ajax_url: &'a str,
    /// Address of static files.
    pub static_url: &'a str,
    /// Rewrites static addresses in HTML.
    pub replace_urls: &'a dyn Fn(&str) -> String,
    /// Reads a file of the course's static file system.
    pub files: &'a dyn Fn(&str) -> Option<String>,
    /// The course's `python_lib.zip`.
    pub python_lib: Option<&'a [u8]>,
    /// Runs scripts.
    pub scripts: Option<&'a dyn ScriptRunner>,
    /// The external grader's queue.
    pub queue: Option<&'a dyn GraderQueue>,
    /// Seconds between submissions while one is queued.
    pub queue_wait_seconds: i64,
    /// Shown when Submit is off.
    pub call_to_action: Option<&'a CallToAction>,
}

impl fmt::Debug for BlockContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockContext")
            .field("usage_key", &self.usage_key)
            .field("user_id", &self.user_id)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl<'a> BlockContext<'a> {
    /// The engine's surroundings for this request; [`Block::load`] borrows it.
    #[must_use]
    pub fn environment(&self) -> Environment<'a> {
        Environment {
            anonymous_student_id: self.anonymous_student_id,
            user_id: self.user_id,
            static_url: self.static_url,
            debug: self.debug,
            correctness_available: self.correctness_available(),
            files: self.files,
            python_lib: self.python_lib,
            scripts: self.scripts,
            queue: self.queue,
        }
    }
}

/// A tracking event: its name and payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Name, such as `problem_check`.
    pub name: &'static str,
    /// Payload.
    pub payload: Value,
}

/// A grade to publish: raw points.
#[derive(Clone, Debug, PartialEq)]
pub struct GradeEvent {
    /// Points earned.
    pub value: Number,
    /// Points possible.
    pub max_value: Number,
    /// Lower results are not to be taken over.
    pub only_if_higher: Option<bool>,
    /// The result of an external grader.
    pub grader_response: bool,
}

/// The body of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// `application/json`.
    Json(Value),
    /// Plain text, for an unknown dispatch.
    Text(String),
}

/// What a request did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// HTTP status.
    pub status: u16,
    /// Body of the reply.
    pub body: Body,
    /// Keys of the state to write, merged over the stored ones; empty when nothing changed.
    pub changes: State,
    /// Grade to publish.
    pub grade: Option<GradeEvent>,
    /// Tracking events, in order.
    pub events: Vec<Event>,
}

/// A problem as shown on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// HTML with the wrapper of `problem_ajax.html`; the inner HTML is in its `data-content`.
    pub html: String,
    /// The inner HTML alone; empty when the problem does not load.
    pub content: String,
    /// Keys of the state to write.
    pub changes: State,
    /// Why the problem does not load.
    pub error: Option<Error>,
}

/// A problem block of one learner.
#[derive(Debug)]
pub struct Block<'e> {
    cx: &'e BlockContext<'e>,
    env: &'e Environment<'e>,
    problem: Problem<'e>,
    stored: State,
    attempts: i64,
    seed: i64,
    score: Score,
    student_answers_history: Vec<Value>,
    score_history: Vec<Value>,
    last_submission_time: Option<DateTime<Utc>>,
    /// Whether `done`, as stored, was true when the request began.
    done: bool,
    /// The part of the state that the engine wrote last.
    saved: Value,
    events: Vec<Event>,
    grade: Option<GradeEvent>,
}

/// The learner's time of the last submission, as stored.
fn stored_time(state: &State) -> Option<DateTime<Utc>> {
    let text = state.get("last_submission_time")?.as_str()?;
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.with_timezone(&Utc))
}

impl<'e> Block<'e> {
    /// Loads the problem. `env` is [`BlockContext::environment`] of the same context.
    pub fn load(
        cx: &'e BlockContext<'e>,
        env: &'e Environment<'e>,
        stored: &State,
    ) -> Result<Self> {
        let state = ProblemState::from_json(&Value::Object(stored.clone()));
        let seed = state.seed.unwrap_or_else(|| cx.new_seed());
        let problem = Problem::new(&cx.fields.data, cx.html_id, &state, seed, env)?;
        let list = |key: &str| stored.get(key).and_then(Value::as_array).cloned();
        let score = Score::from_json(stored.get("score")).unwrap_or_else(|| Score::of(&problem));
        let saved = problem.state();
        Ok(Self {
            cx,
            env,
            problem,
            attempts: stored
                .get("attempts")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            seed,
            score,
            student_answers_history: list("student_answers_history").unwrap_or_default(),
            score_history: list("score_history").unwrap_or_default(),
            last_submission_time: stored_time(stored),
            done: state.done,
            stored: stored.clone(),
            saved,
            events: Vec::new(),
            grade: None,
        })
    }

    /// The problem.
    #[must_use]
    pub const fn problem(&self) -> &Problem<'e> {
        &self.problem
    }

    /// Attempts so far.
    #[must_use]
    pub const fn attempts(&self) -> i64 {
        self.attempts
    }

    /// The stored score.
    #[must_use]
    pub const fn score(&self) -> &Score {
        &self.score
    }

    /// Takes the engine's state over into the block's fields.
    fn take_state(&mut self) {
        self.saved = self.problem.state();
        self.done = self.problem.is_done();
    }

    /// Computes the score from the correct map.
    fn take_score(&mut self) {
        self.score = Score::of(&self.problem);
    }

    fn event(&mut self, name: &'static str, payload: Value) {
        self.events.push(Event { name, payload });
    }

    /// Keys whose value is not what is stored; a key never stored counts as its field's default.
    fn changes(&self) -> State {
        let mut now = State::new();
        now.insert("attempts".to_owned(), json!(self.attempts));
        now.insert("seed".to_owned(), json!(self.seed));
        let saved = |key: &str| self.saved.get(key).cloned().unwrap_or_default();
        for key in ["done", "student_answers"] {
            now.insert(key.to_owned(), saved(key));
        }
        now.insert(
            "student_answers_history".to_owned(),
            json!(self.student_answers_history),
        );
        for key in ["correct_map", "correct_map_history"] {
            now.insert(key.to_owned(), saved(key));
        }
        // The engine adds an entry for each input that it shows, saved or not.
        now.insert("input_state".to_owned(), json!(self.problem.input_state));
        now.insert("score".to_owned(), self.score.to_json());
        now.insert("score_history".to_owned(), json!(self.score_history));
        if let Some(time) = self.last_submission_time {
            let text = time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            now.insert("last_submission_time".to_owned(), Value::String(text));
        }
        now.insert("has_saved_answers".to_owned(), saved("has_saved_answers"));
        now.into_iter()
            .filter(|(key, value)| {
                let default = match key.as_str() {
                    "attempts" => json!(0),
                    "done" | "has_saved_answers" => json!(false),
                    "student_answers" | "correct_map" | "input_state" => json!({}),
                    "student_answers_history" | "correct_map_history" | "score_history" => {
                        json!([])
                    }
                    _ => Value::Null,
                };
                *value != *self.stored.get(key).unwrap_or(&default)
            })
            .collect()
    }

    /// Shows the problem. Loads it itself, since a problem that does not load is shown as a message.
    #[must_use]
    pub fn view(cx: &BlockContext<'_>, stored: &State) -> View {
        let env = cx.environment();
        let loaded = Block::load(cx, &env, stored).and_then(|mut block| {
            let content = block.problem_html(false)?;
            Ok((block.wrapper(&content), content, block.changes()))
        });
        match loaded {
            Ok((html, content, changes)) => View {
                html,
                content,
                changes,
                error: None,
            },
            Err(error) => View {
                html: chrome::load_failure(cx, &error),
                content: String::new(),
                changes: State::new(),
                error: Some(error),
            },
        }
    }

    /// Answers a request to `xmodule_handler/{dispatch}` with the form's pairs in order.
    #[must_use]
    pub fn handle(cx: &BlockContext<'_>, stored: &State, dispatch: &str, form: &Form) -> Outcome {
        handlers::handle(cx, stored, dispatch, form)
    }
}
