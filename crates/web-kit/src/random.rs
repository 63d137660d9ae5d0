//! Randomness for nonces, masks and request numbers.

/// Draws `length` letters and digits.
///
/// Without a generator nothing safe can be answered, so the text is then empty and every check that uses it fails
/// closed: an empty mask or secret never equals a stored one.
pub(crate) fn alphanumeric(length: usize) -> String {
    entropy::draw(length, entropy::LETTERS_AND_DIGITS).unwrap_or_default()
}
