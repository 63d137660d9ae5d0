//! The relational system of record.
