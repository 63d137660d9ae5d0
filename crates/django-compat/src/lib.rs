//! Django's encodings, byte for byte: passwords, signing, sessions, CSRF masks, reset tokens, cache keys,
//! the ids that Open edX derives from its secret, and JSON web tokens (contracts/identity.md §1, §2, §3, §5).
//!
//! Everything here is pure: values in, values out. Clock readings, random strings and secrets are arguments.

pub mod csrf;
pub mod encoding;
pub mod ids;
pub mod jwt;
pub mod passwords;
pub mod pickle;
pub mod pyjson;
pub mod redirect;
pub mod sessions;
pub mod signing;
pub mod tokens;

/// What can go wrong while reading Django's encodings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A signature is missing or does not match any key.
    #[error("BadSignature")]
    BadSignature,
    /// A signature is right, its timestamp too old.
    #[error("SignatureExpired")]
    SignatureExpired,
    /// A text, number or stored value is not of the expected form; the text says which.
    #[error("{0}")]
    Malformed(String),
}

impl Error {
    /// Shorthand for [`Error::Malformed`].
    pub(crate) fn malformed(text: impl Into<String>) -> Self {
        Self::Malformed(text.into())
    }
}
