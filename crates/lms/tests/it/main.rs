//! Contract tests of the LMS over embedded stores, through its whole router.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking, their helpers too"
)]

mod assets;
mod blocks;
mod corpora;
mod courses;
mod learning;
mod sign_in;
mod world;
mod xblock;
mod xblock_state;
