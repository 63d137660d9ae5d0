//! The random texts of this layer, by their alphabets.

use crate::{Error, Result};

fn draw(length: usize, alphabet: &[u8]) -> Result<String> {
    entropy::draw(length, alphabet).map_err(|error| Error::Random(error.to_string()))
}

/// Letters and digits: salts, tokens, CSRF secrets (contracts/identity.md §1).
pub fn text(length: usize) -> Result<String> {
    draw(length, entropy::LETTERS_AND_DIGITS)
}

/// Lower-case letters and digits: session keys.
pub fn lower(length: usize) -> Result<String> {
    draw(length, entropy::LOWER_AND_DIGITS)
}

/// Hexadecimal digits: activation keys.
pub fn hex(length: usize) -> Result<String> {
    draw(length, entropy::HEX)
}
