//! cargo-fuzz entry of the target in `crates/olx/tests/fuzz/archive.rs`.
#![no_main]

#[path = "../../crates/olx/tests/fuzz/archive.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
