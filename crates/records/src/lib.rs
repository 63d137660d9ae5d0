//! The relational system of record.
pub mod split_index;
