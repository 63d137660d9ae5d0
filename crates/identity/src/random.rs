//! The one place of this layer that draws random secrets.

use crate::{Error, Result};

const LETTERS_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LOWER_DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

fn draw(length: usize, alphabet: &[u8]) -> Result<String> {
    // Bytes beyond the last whole multiple would favour the alphabet's beginning.
    let limit = 256 - 256 % alphabet.len();
    let mut out = String::with_capacity(length);
    let mut buffer = [0u8; 64];
    while out.len() < length {
        getrandom::fill(&mut buffer).map_err(|error| Error::Random(error.to_string()))?;
        for byte in buffer {
            let index = usize::from(byte);
            if index < limit
                && let Some(&letter) = alphabet.get(index % alphabet.len())
            {
                out.push(char::from(letter));
                if out.len() == length {
                    break;
                }
            }
        }
    }
    Ok(out)
}

/// Letters and digits: salts, tokens, CSRF secrets (contracts/identity.md §1).
pub fn text(length: usize) -> Result<String> {
    draw(length, LETTERS_DIGITS)
}

/// Lower-case letters and digits: session keys.
pub fn lower(length: usize) -> Result<String> {
    draw(length, LOWER_DIGITS)
}

/// Hexadecimal digits: activation keys.
pub fn hex(length: usize) -> Result<String> {
    draw(length, b"0123456789abcdef")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_alphabets() {
        assert_eq!(text(30).unwrap().len(), 30);
        assert!(
            lower(32)
                .unwrap()
                .bytes()
                .all(|b| LOWER_DIGITS.contains(&b))
        );
        assert!(hex(32).unwrap().bytes().all(|b| b.is_ascii_hexdigit()));
        assert_ne!(text(40).unwrap(), text(40).unwrap());
    }
}
