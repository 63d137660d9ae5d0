//! Runs a fuzz target on any toolchain for a bounded time: seeded, so that a failure comes again.
//!
//! `tests/fuzz_bounded.rs` of each crate includes this file by path. Iterations end after
//! `STOA_FUZZ_SECONDS` (default 3) or `STOA_FUZZ_ITERATIONS` (default 20,000), whichever comes first;
//! `STOA_FUZZ_SEED` starts elsewhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Largest input that is made, in bytes.
const MAX_LENGTH: usize = 2048;
/// Time that one input may take. Generous: machines that build and test at once are slow.
const SLOW: Duration = Duration::from_secs(10);

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `limit`; 0 when there is none.
    fn below(&mut self, limit: usize) -> usize {
        if limit == 0 {
            0
        } else {
            (self.next() >> 33) as usize % limit
        }
    }

    fn pick<'a>(&mut self, items: &[&'a [u8]]) -> &'a [u8] {
        let index = self.below(items.len());
        items.get(index).copied().unwrap_or_default()
    }
}

/// Calls `target` with the seeds, then with mutations of them made of bytes, pieces of other seeds and the
/// pieces of `words`.
///
/// # Panics
/// When the target does, after printing the input; and when an input takes too long.
pub fn run(name: &str, seeds: &[&[u8]], words: &[&[u8]], target: impl Fn(&[u8])) {
    let setting = |key: &str, default: u64| {
        std::env::var(key)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let iterations = setting("STOA_FUZZ_ITERATIONS", 20_000);
    let end = Instant::now() + Duration::from_secs(setting("STOA_FUZZ_SECONDS", 3));
    let mut random = Random(setting("STOA_FUZZ_SEED", 0x5EED) | 1);
    for seed in seeds {
        one(name, seed, &target);
    }
    let mut input = Vec::new();
    for _ in 0..iterations {
        if Instant::now() > end {
            break;
        }
        // Mutations pile up for a while before the next fresh seed.
        if input.is_empty() || random.below(8) == 0 {
            input = random.pick(seeds).to_vec();
        }
        for _ in 0..=random.below(4) {
            mutate(&mut input, &mut random, seeds, words);
        }
        input.truncate(MAX_LENGTH);
        one(name, &input, &target);
    }
}

fn one(name: &str, input: &[u8], target: &impl Fn(&[u8])) {
    let start = Instant::now();
    if let Err(cause) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        println!(
            "{name} failed on {} bytes: b\"{}\"",
            input.len(),
            input.escape_ascii()
        );
        std::panic::resume_unwind(cause);
    }
    let taken = start.elapsed();
    assert!(
        taken < SLOW,
        "{name} took {taken:?} on b\"{}\"",
        input.escape_ascii()
    );
}

fn mutate(input: &mut Vec<u8>, random: &mut Random, seeds: &[&[u8]], words: &[&[u8]]) {
    let at = random.below(input.len() + 1);
    let until = at + random.below((input.len() - at).min(32) + 1);
    match random.below(8) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => input.insert(at, random.next() as u8),
        2 => drop(input.drain(at..until)),
        3 => {
            let piece: Vec<u8> = input.drain(at..until).collect();
            let to = random.below(input.len() + 1);
            input.splice(to..to, piece);
        }
        4 => {
            let piece: Vec<u8> = input.get(at..until).unwrap_or_default().to_vec();
            for _ in 0..=random.below(4) {
                input.splice(at..at, piece.iter().copied());
            }
        }
        5 => {
            let other = random.pick(seeds);
            let from = random.below(other.len() + 1);
            input.splice(at..until, other.iter().skip(from).take(64).copied());
        }
        _ => {
            let word = random.pick(words);
            input.splice(at..at, word.iter().copied());
        }
    }
}
