//! The relational system of record: one module per table group of edxapp.
//!
//! Row structs carry every column under its own name. Functions that only read take
//! `impl db::Source`, so `&Db` and `&mut Tx` both fit; functions that write take `&mut Tx`, so that
//! writes that belong together are one transaction of the caller. No function here decides anything
//! but what a table demands: rules live in the domain crates. Moments come from the caller.

pub mod bookmarks;
pub mod certificates;
pub mod cohorts;
pub mod completion;
pub mod config;
pub mod course_modes;
pub mod course_overviews;
pub mod dates;
pub mod discussions;
pub mod enrollment;
pub mod goals;
pub mod grades;
pub mod history;
pub mod keys;
pub mod learning_sequences;
mod migrations;
pub mod milestones;
pub mod organizations;
pub mod outbox;
pub mod preferences;
pub mod roles;
pub mod schedules;
pub mod sessions;
pub mod split_index;
pub mod student_modules;
pub mod table;
#[cfg(feature = "testing")]
pub mod testing;
pub mod users;
pub mod videos;
pub mod waffle;

pub use db::{Error, Result};
pub use migrations::{PLAN, migrate};
