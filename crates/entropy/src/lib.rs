//! The one place that draws random secrets: keys, tokens, session names, masks (design.md, principle 10).

/// Letters of both cases and digits.
pub const LETTERS_AND_DIGITS: &[u8] =
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Small letters and digits.
pub const LOWER_AND_DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// Lower-case hexadecimal digits.
pub const HEX: &[u8] = b"0123456789abcdef";

/// The system gives no randomness: nothing safe can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no randomness: {0}")]
pub struct NoRandomness(String);

/// Draws `length` characters of an ASCII alphabet of 1 to 256 characters, each equally likely.
pub fn draw(length: usize, alphabet: &[u8]) -> Result<String, NoRandomness> {
    if alphabet.is_empty() {
        return Ok(String::new());
    }
    // Bytes beyond the last whole multiple would favour the alphabet's beginning.
    let limit = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes).map_err(|error| NoRandomness(error.to_string()))?;
        let fair = bytes
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < limit);
        let letters = fair.filter_map(|byte| alphabet.get(byte % alphabet.len()));
        let missing = length - text.len();
        text.extend(letters.take(missing).map(|letter| char::from(*letter)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn draws_the_asked_length_of_the_alphabet_and_differs() {
        for alphabet in [LETTERS_AND_DIGITS, LOWER_AND_DIGITS, HEX, b"x"] {
            let text = draw(33, alphabet).unwrap();
            assert_eq!(text.len(), 33);
            assert!(text.bytes().all(|byte| alphabet.contains(&byte)));
        }
        assert_ne!(draw(32, HEX).unwrap(), draw(32, HEX).unwrap());
        assert_eq!(draw(3, b"").unwrap(), "");
    }

    #[test]
    fn every_letter_is_about_equally_likely() {
        let mut counts: HashMap<char, u32> = HashMap::new();
        for letter in draw(62_000, LETTERS_AND_DIGITS).unwrap().chars() {
            *counts.entry(letter).or_default() += 1;
        }
        assert_eq!(counts.len(), 62);
        // A thousand each are expected; six standard deviations are 190.
        assert!(
            counts.values().all(|count| (800..1200).contains(count)),
            "{counts:?}"
        );
    }
}
