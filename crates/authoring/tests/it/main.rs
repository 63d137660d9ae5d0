//! Tests of imports, exports and what follows a publish, over embedded stores.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod checks;
mod follow;
mod support;
mod world;
