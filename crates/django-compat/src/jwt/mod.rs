//! JSON web tokens as the platform makes and reads them (contracts/identity.md §5, §5.1).
//!
//! Signatures are ring's; the checks and their order are PyJWT's, so that every refusal has the class of error that
//! a Python service would see. A token without a verified signature is never accepted (§14).

mod claims;
mod keys;
mod verify;

pub use claims::{ClaimsRequest, JwtUser, build_claims, granted_scopes, header_for};
pub use keys::{Algorithm, Key, SigningKey, key_set, public_jwk};
pub use verify::{Requirements, header, verify, verify_with_key};

use serde_json::{Map, Value};

use crate::encoding::b64u_encode;
use crate::pyjson::{Style, dumps};

/// Why a token is refused; the names are PyJWT's classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token or its payload is not of the form.
    #[error("DecodeError")]
    Decode,
    /// The algorithm is not one of those allowed, or missing.
    #[error("InvalidAlgorithmError")]
    Algorithm,
    /// The signature is not the key's.
    #[error("InvalidSignatureError")]
    Signature,
    /// A required claim is absent or null.
    #[error("MissingRequiredClaimError")]
    MissingClaim,
    /// iat is not a number.
    #[error("InvalidIssuedAtError")]
    IssuedAt,
    /// iat or nbf lies ahead.
    #[error("ImmatureSignatureError")]
    Immature,
    /// exp has passed.
    #[error("ExpiredSignatureError")]
    Expired,
    /// iss is another issuer.
    #[error("InvalidIssuerError")]
    Issuer,
    /// aud does not hold the audience.
    #[error("InvalidAudienceError")]
    Audience,
    /// sub is no text.
    #[error("InvalidSubjectError")]
    Subject,
    /// jti is no text.
    #[error("InvalidJTIError")]
    Jti,
    /// The key is no key.
    #[error("InvalidKeyError")]
    Key,
    /// Another defect: a kid that is no text, a version that is not served.
    #[error("InvalidTokenError")]
    Token,
    /// A claim has a type that Python's arithmetic refuses.
    #[error("TypeError")]
    Type,
    /// A claim is an infinite number.
    #[error("OverflowError")]
    Overflow,
}

/// Signs claims and returns the compact token.
///
/// # Errors
/// [`TokenError::Key`] when the key cannot sign.
pub fn encode(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &SigningKey,
) -> Result<String, TokenError> {
    let part = |map: &Map<String, Value>| {
        b64u_encode(dumps(&Value::Object(map.clone()), Style::COMPACT).as_bytes())
    };
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(message.as_bytes())?;
    Ok(format!("{message}.{}", b64u_encode(&signature)))
}

/// The two cookies of a token: `header.payload` and the signature (§2.1). None when it has fewer than three parts.
#[must_use]
pub fn split(token: &str) -> Option<(String, String)> {
    let mut parts = token.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    Some((format!("{header}.{payload}"), signature.to_owned()))
}

/// Joins the two cookies again; none when one is absent or empty.
#[must_use]
pub fn join(header_payload: Option<&str>, signature: Option<&str>) -> Option<String> {
    match (header_payload, signature) {
        (Some(left), Some(right)) if !left.is_empty() && !right.is_empty() => {
            Some(format!("{left}.{right}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §5.1: the two halves of a token.
    #[test]
    fn halves() {
        assert_eq!(split("a.b.c"), Some(("a.b".into(), "c".into())));
        assert_eq!(split("a.b"), None);
        assert_eq!(join(Some("a.b"), Some("c")).as_deref(), Some("a.b.c"));
        assert_eq!(join(Some(""), Some("c")), None);
        assert_eq!(join(Some("a.b"), None), None);
    }
}
