//! Field types: reading, checking and writing values (courseware.md §3 and §18, olx.md §4).

mod kind;

pub use kind::{FieldType, Scope};
