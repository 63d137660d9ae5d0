//! cargo-fuzz entry of the target in `crates/calc/tests/fuzz/target.rs`.
#![no_main]

#[path = "../../crates/calc/tests/fuzz/target.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
