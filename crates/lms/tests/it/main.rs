//! Contract tests of the LMS over embedded stores, through its whole router.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking, their helpers too"
)]

mod blocks;
mod courses;
mod learning;
mod sign_in;
mod world;
