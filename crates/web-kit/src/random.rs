//! Randomness for nonces, masks and request numbers.

const ALPHANUMERIC: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Draws `length` letters and digits, each equally likely, from the system's generator.
///
/// Without a generator nothing safe can be answered, so the text is then empty and every check that uses it fails
/// closed: an empty mask or secret never equals a stored one.
pub(crate) fn alphanumeric(length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        if getrandom::fill(&mut bytes).is_err() {
            return String::new();
        }
        for byte in bytes {
            // 248 is the largest multiple of 62 in a byte: beyond it the first letters would be likelier.
            if byte < 248
                && text.len() < length
                && let Some(letter) = ALPHANUMERIC.get(usize::from(byte % 62))
            {
                text.push(char::from(*letter));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::alphanumeric;

    #[test]
    fn draws_the_asked_length_and_differs() {
        let (one, two) = (alphanumeric(32), alphanumeric(32));
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(one, two);
    }
}
