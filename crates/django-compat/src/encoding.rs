//! Number and byte encodings: base 62, base 36, URL-safe base64 as Python reads it, `quote_plus`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::Error;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

fn encode_radix(number: u128, alphabet: &[u8]) -> String {
    let radix = alphabet.len() as u128;
    let mut digits = Vec::new();
    let mut rest = number;
    loop {
        let digit = (rest % radix) as usize;
        digits.push(alphabet.get(digit).copied().unwrap_or(b'0'));
        rest /= radix;
        if rest == 0 {
            break;
        }
    }
    digits.iter().rev().map(|&byte| char::from(byte)).collect()
}

/// Base 62 as Django's signed timestamps use it; a negative number gets a leading `-`.
#[must_use]
pub fn base62_encode(number: i64) -> String {
    let text = encode_radix(u128::from(number.unsigned_abs()), BASE62);
    if number < 0 { format!("-{text}") } else { text }
}

/// Reads [`base62_encode`]'s text.
///
/// # Errors
/// A character outside the alphabet, an empty text, or a number beyond 128 bits.
pub fn base62_decode(text: &str) -> Result<i128, Error> {
    let bad = || Error::malformed("not a base 62 number");
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if text.is_empty() {
        return Err(bad());
    }
    let mut number: i128 = 0;
    for byte in digits.bytes() {
        let digit = BASE62.iter().position(|&b| b == byte).ok_or_else(bad)?;
        number = number
            .checked_mul(62)
            .and_then(|n| n.checked_add(digit as i128))
            .ok_or_else(bad)?;
    }
    Ok(if negative { -number } else { number })
}

/// Lower-case base 36, as in reset links.
#[must_use]
pub fn base36_encode(number: u64) -> String {
    encode_radix(u128::from(number), BASE36)
}

/// Reads base 36 as Python's `int(text, 36)` does: blanks around, a sign, upper case and single underscores
/// between digits are all right; more than 13 characters are not (contracts/identity.md §1, §14).
///
/// # Errors
/// Anything else.
pub fn base36_decode(text: &str) -> Result<i128, Error> {
    let bad = || Error::malformed("not a base 36 number");
    if text.chars().count() > 13 {
        return Err(Error::malformed("Base36 input too large"));
    }
    let trimmed = text.trim_matches(is_python_space);
    let (negative, digits) = match trimmed.as_bytes().first() {
        Some(b'-') => (true, trimmed.get(1..).unwrap_or_default()),
        Some(b'+') => (false, trimmed.get(1..).unwrap_or_default()),
        _ => (false, trimmed),
    };
    let mut number: i128 = 0;
    let mut after_digit = false;
    for ch in digits.chars() {
        if ch == '_' {
            if !after_digit {
                return Err(bad());
            }
            after_digit = false;
            continue;
        }
        let digit = ch.to_digit(36).ok_or_else(bad)?;
        number = number
            .checked_mul(36)
            .and_then(|n| n.checked_add(i128::from(digit)))
            .ok_or_else(bad)?;
        after_digit = true;
    }
    if !after_digit {
        return Err(bad());
    }
    Ok(if negative { -number } else { number })
}

/// Whether Python's `str.strip()` removes this character.
#[must_use]
pub fn is_python_space(ch: char) -> bool {
    ch.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&ch)
}

/// URL-safe base64 without padding (`b64u` of contracts/identity.md §1).
#[must_use]
pub fn b64u_encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Standard base64 with padding.
#[must_use]
pub fn b64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base64 as Python's `binascii.a2b_base64` does in its lenient mode: characters outside the alphabet are
/// skipped, both alphabets are read, and reading ends at the first complete padding.
///
/// # Errors
/// The padding is incomplete.
pub fn a2b_base64(text: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let mut quad = 0u8;
    let mut left = 0u8;
    let mut pads = 0u8;
    for &byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                if quad >= 2 {
                    pads = pads.saturating_add(1);
                    if quad.saturating_add(pads) >= 4 {
                        return Ok(out);
                    }
                }
                continue;
            }
            _ => continue,
        };
        pads = 0;
        match quad {
            0 => left = digit,
            1 => {
                out.push((left << 2) | (digit >> 4));
                left = digit & 0x0f;
            }
            2 => {
                out.push((left << 4) | (digit >> 2));
                left = digit & 0x03;
            }
            _ => out.push((left << 6) | digit),
        }
        quad = (quad + 1) % 4;
    }
    if quad == 0 {
        Ok(out)
    } else {
        Err(Error::malformed("Incorrect padding"))
    }
}

/// Pads URL-safe base64 and reads it leniently, as Django's signing and PyJWT do.
///
/// # Errors
/// The number of characters cannot be padded to whole bytes.
pub fn b64u_decode(text: &str) -> Result<Vec<u8>, Error> {
    let mut padded = text.as_bytes().to_vec();
    while !padded.len().is_multiple_of(4) {
        padded.push(b'=');
    }
    a2b_base64(&padded)
}

/// `urlsafe_base64_encode` of a text: the user id of a reset link of plain Django.
#[must_use]
pub fn uidb64_encode(text: &str) -> String {
    b64u_encode(text.as_bytes())
}

/// `urlsafe_base64_decode`: pads by `len % 4`, skips characters outside the alphabet (§14).
///
/// # Errors
/// Wrong padding, or bytes that are no UTF-8.
pub fn uidb64_decode(text: &str) -> Result<String, Error> {
    let mut padded = text.as_bytes().to_vec();
    let missing = padded.len() % 4;
    padded.extend(std::iter::repeat_n(b'=', missing));
    String::from_utf8(a2b_base64(&padded)?).map_err(|_| Error::malformed("not UTF-8"))
}

/// Python's `urllib.parse.quote_plus`: letters, digits and `_.-~` stay, a blank becomes `+`.
#[must_use]
pub fn quote_plus(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push_str(&hex::encode_upper([byte]));
            }
        }
    }
    out
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(bytes)).into()
}

/// Python's `urllib.parse.quote` with its default: letters, digits and `_.-~/` stay.
#[must_use]
pub fn quote_path(text: &str) -> String {
    text.split('/')
        .map(|part| quote_plus(part).replace('+', "%20"))
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn base62_round_trip(number in any::<i64>()) {
            prop_assert_eq!(base62_decode(&base62_encode(number)).unwrap(), i128::from(number));
        }

        #[test]
        fn base64_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(b64u_decode(&b64u_encode(&bytes)).unwrap(), bytes.clone());
            prop_assert_eq!(a2b_base64(b64_encode(&bytes).as_bytes()).unwrap(), bytes);
        }

        #[test]
        fn readers_never_panic(text in ".{0,40}") {
            let _ = (base62_decode(&text), base36_decode(&text), b64u_decode(&text), uidb64_decode(&text));
        }
    }

    /// contracts/identity.md §14: what base 36 reading lets through.
    #[test]
    fn base36_oddities() {
        assert_eq!(base36_decode("1_0").unwrap(), 36);
        assert_eq!(base36_decode("a ").unwrap(), 10);
        assert_eq!(base36_decode("-1").unwrap(), -1);
        assert!(base36_decode("1__0").is_err());
        assert!(base36_decode("").is_err());
        assert!(base36_decode("00000000000001").is_err());
    }
}
