//! Masks of Django's CSRF secret (contracts/identity.md §3).

use crate::signing::constant_time_eq;

const CHARS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Characters of a secret.
pub const SECRET_LENGTH: usize = 32;
/// Characters of a masked token: the mask, then the masked secret.
pub const TOKEN_LENGTH: usize = 64;

/// Why a cookie or token is no CSRF token; the text completes Django's sentences
/// ("CSRF cookie …", "CSRF token from POST …").
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Neither 32 nor 64 characters.
    #[error("has incorrect length")]
    Length,
    /// Something else than letters and digits.
    #[error("has invalid characters")]
    Characters,
}

/// Checks length and characters of a secret or masked token.
///
/// # Errors
/// The first of the two that is wrong.
pub fn check_format(token: &str) -> Result<(), FormatError> {
    let length = token.chars().count();
    if length != SECRET_LENGTH && length != TOKEN_LENGTH {
        return Err(FormatError::Length);
    }
    if token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(())
    } else {
        Err(FormatError::Characters)
    }
}

fn shift(a: &[u8], b: &[u8], back: bool) -> Option<String> {
    let index = |byte: &u8| CHARS.iter().position(|c| c == byte);
    a.iter()
        .zip(b)
        .map(|(x, y)| {
            let (x, y) = (index(x)?, index(y)?);
            let sum = if back { x + CHARS.len() - y } else { x + y };
            CHARS.get(sum % CHARS.len()).map(|&byte| char::from(byte))
        })
        .collect()
}

/// Masks a secret with 32 random characters: the 64-character token that pages and `/csrf/api/v1/token` give out.
///
/// # Errors
/// Secret or mask is not 32 letters and digits.
pub fn mask(secret: &str, mask: &str) -> Result<String, FormatError> {
    for part in [secret, mask] {
        if part.len() != SECRET_LENGTH {
            return Err(FormatError::Length);
        }
    }
    let masked = shift(secret.as_bytes(), mask.as_bytes(), false).ok_or(FormatError::Characters)?;
    Ok(format!("{mask}{masked}"))
}

/// The secret inside a 64-character token; a 32-character one is its own secret.
///
/// # Errors
/// The token's form is wrong.
pub fn unmask(token: &str) -> Result<String, FormatError> {
    check_format(token)?;
    match token.split_at_checked(SECRET_LENGTH) {
        Some((mask, masked)) if !masked.is_empty() => {
            shift(masked.as_bytes(), mask.as_bytes(), true).ok_or(FormatError::Characters)
        }
        _ => Ok(token.to_owned()),
    }
}

/// Whether a request's token belongs to the secret of its cookie.
///
/// # Errors
/// The token's form is wrong.
pub fn matches(request_token: &str, secret: &str) -> Result<bool, FormatError> {
    Ok(constant_time_eq(&unmask(request_token)?, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// contracts/identity.md §1, CSRF vector.
    #[test]
    fn contract_vector() {
        let token = mask("abcdefghijklmnopqrstuvwxyzABCDEF", &"B".repeat(32)).unwrap();
        assert_eq!(
            token,
            format!("{}BCDEFGHIJKLMNOPQRSTUVWXYZ0123456", "B".repeat(32))
        );
    }

    proptest! {
        #[test]
        fn a_masked_secret_matches(secret in "[a-zA-Z0-9]{32}", pad in "[a-zA-Z0-9]{32}") {
            let token = mask(&secret, &pad).unwrap();
            prop_assert_eq!(unmask(&token).unwrap(), secret.clone());
            prop_assert!(matches(&token, &secret).unwrap());
        }

        #[test]
        fn never_panics(token in ".{0,70}") {
            let _ = (unmask(&token), matches(&token, "x"), mask(&token, &token));
        }
    }
}
