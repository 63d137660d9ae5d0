//! Archives read and written: safety, rules, laws, recorded courses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod archive;
mod recorded;
mod rules;
mod support;
mod trips;
mod writing;
mod xml;
