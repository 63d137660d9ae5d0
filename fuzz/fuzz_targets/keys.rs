//! cargo-fuzz entry of the target in `crates/opaque-keys/tests/fuzz/target.rs`.
#![no_main]

#[path = "../../crates/opaque-keys/tests/fuzz/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
