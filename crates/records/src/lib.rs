//! The relational system of record: one module per table group of edxapp.
//!
//! Row structs carry every column under its own name. Functions that only read take
//! `impl db::Source`, so `&Db` and `&mut Tx` both fit; functions that write take `&mut Tx`, so that
//! writes that belong together are one transaction of the caller. No function here decides anything
//! but what a table demands: rules live in the domain crates. Moments come from the caller.

pub mod history;
pub mod keys;
mod migrations;
pub mod outbox;
pub mod sessions;
pub mod split_index;
pub mod table;
#[cfg(feature = "testing")]
pub mod testing;
pub mod users;

pub use db::{Error, Result};
pub use migrations::{PLAN, migrate};
