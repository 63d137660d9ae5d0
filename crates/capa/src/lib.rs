//! The problem engine: loads a problem, shows it, marks answers, gives hints and keeps the state, as the
//! platform's CAPA does (`contracts/capa.md`). Pure: clock, seed, files and scripts come in as values.
//!
//! - [`Problem`]: a problem for one learner.
//! - [`max_score`]: the points of a problem without loading it in full.
//! - [`script::ScriptRunner`]: the port to the sandbox.
//!
//! To add a response type see `responses`, an input type `inputs`.

pub mod block;
mod context;
mod correct_map;
mod demand;
mod environment;
mod error;
mod html5;
mod inputs;
mod labels;
pub mod markdown;
mod problem;
pub mod pyrandom;
pub mod pyvalue;
mod render;
mod report;
mod responses;
pub mod script;
pub mod xml;

pub use context::{Context, contextualize};
pub use correct_map::{CorrectMap, Entry};
pub use demand::DemandHint;
pub use environment::{Environment, GraderQueue, ProblemState};
pub use error::{Error, Result};
pub use inputs::correct_status_html;
pub use labels::InputData;
pub use problem::{Answers, Problem, escape_markup, max_score};
pub use report::ReportRow;
