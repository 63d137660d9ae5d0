//! `django.core.signing`: signatures over texts, with or without a timestamp (contracts/identity.md §1).

use std::io::{Read, Write};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Error;
use crate::encoding::{b64u_decode, b64u_encode, base62_decode, base62_encode};
use crate::pyjson;

/// Salt of `signing.dumps` when none is given.
pub const DEFAULT_SALT: &str = "django.core.signing";
/// Salt of a plain signer when none (or an empty one) is given.
pub const SIGNER_SALT: &str = "django.core.signing.Signer";
/// Salt of a signer with timestamps when none (or an empty one) is given.
pub const TIMESTAMP_SIGNER_SALT: &str = "django.core.signing.TimestampSigner";

/// Most bytes that a compressed signed value may unpack to.
const MAX_UNPACKED: u64 = 4 << 20;

/// SECRET_KEY and the older keys that are still accepted when verifying.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// SECRET_KEY: signs, and is tried first.
    pub secret: &'a str,
    /// SECRET_KEY_FALLBACKS, tried in order.
    pub fallbacks: &'a [String],
}

impl<'a> Keys<'a> {
    /// One key, no fallbacks.
    #[must_use]
    pub const fn new(secret: &'a str) -> Self {
        Self {
            secret,
            fallbacks: &[],
        }
    }

    /// The keys in the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        std::iter::once(self.secret).chain(self.fallbacks.iter().map(String::as_str))
    }
}

/// Compares two texts in time that depends on their lengths only.
#[must_use]
pub fn constant_time_eq(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}

/// `salted_hmac(key_salt, value, secret, "sha256")`: key = SHA256(salt ‖ secret).
#[must_use]
pub fn salted_hmac(key_salt: &str, value: &[u8], secret: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(key_salt.as_bytes());
    hasher.update(secret.as_bytes());
    hmac_sha256(&hasher.finalize(), value)
}

/// `salted_hmac` of Django's older default, SHA-1.
#[must_use]
pub fn salted_hmac_sha1(key_salt: &str, value: &[u8], secret: &str) -> [u8; 20] {
    let mut hasher = Sha1::new();
    hasher.update(key_salt.as_bytes());
    hasher.update(secret.as_bytes());
    match Hmac::<Sha1>::new_from_slice(&hasher.finalize()) {
        Ok(mut mac) => {
            mac.update(value);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of every length, so this arm never runs.
        Err(_) => [0; 20],
    }
}

fn hmac_sha256(key: &[u8], value: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(value);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of every length, so this arm never runs.
        Err(_) => [0; 32],
    }
}

fn signature(value: &str, salt: &str, key: &str) -> String {
    b64u_encode(&salted_hmac(
        &format!("{salt}signer"),
        value.as_bytes(),
        key,
    ))
}

fn or_default<'a>(salt: &'a str, default: &'a str) -> &'a str {
    if salt.is_empty() { default } else { salt }
}

/// `Signer(salt).sign(value)`; an empty salt means the class's own.
#[must_use]
pub fn sign(value: &str, salt: &str, secret: &str) -> String {
    sign_with(value, or_default(salt, SIGNER_SALT), secret)
}

fn sign_with(value: &str, salt: &str, secret: &str) -> String {
    format!("{value}:{}", signature(value, salt, secret))
}

/// `Signer(salt).unsign(text)`.
///
/// # Errors
/// [`Error::BadSignature`] when no key made this signature.
pub fn unsign(text: &str, salt: &str, keys: Keys<'_>) -> Result<String, Error> {
    unsign_with(text, or_default(salt, SIGNER_SALT), keys).map(str::to_owned)
}

fn unsign_with<'a>(text: &'a str, salt: &str, keys: Keys<'_>) -> Result<&'a str, Error> {
    let (value, given) = text.rsplit_once(':').ok_or(Error::BadSignature)?;
    for key in keys.iter() {
        if constant_time_eq(given, &signature(value, salt, key)) {
            return Ok(value);
        }
    }
    Err(Error::BadSignature)
}

/// `TimestampSigner(salt).sign(value)` at `time` (Unix seconds).
#[must_use]
pub fn timestamp_sign(value: &str, salt: &str, secret: &str, time: i64) -> String {
    let stamped = format!("{value}:{}", base62_encode(time));
    sign_with(&stamped, or_default(salt, TIMESTAMP_SIGNER_SALT), secret)
}

/// `TimestampSigner(salt).unsign(text, max_age)` at `now`; ages in seconds.
///
/// # Errors
/// [`Error::BadSignature`], [`Error::SignatureExpired`], or a malformed timestamp under a right signature.
pub fn timestamp_unsign(
    text: &str,
    salt: &str,
    keys: Keys<'_>,
    max_age: Option<f64>,
    now: f64,
) -> Result<String, Error> {
    let stamped = unsign_with(text, or_default(salt, TIMESTAMP_SIGNER_SALT), keys)?;
    let (value, stamp) = stamped
        .rsplit_once(':')
        .ok_or_else(|| Error::malformed("no timestamp"))?;
    let time = base62_decode(stamp)?;
    if let Some(max_age) = max_age
        && now - time as f64 > max_age
    {
        return Err(Error::SignatureExpired);
    }
    Ok(value.to_owned())
}

/// `signing.dumps` over bytes that some serialiser made.
#[must_use]
pub fn dumps_bytes(data: &[u8], salt: &str, secret: &str, compress: bool, time: i64) -> String {
    let packed = if compress { deflate(data) } else { None };
    let text = match packed {
        Some(packed) if packed.len() + 1 < data.len() => format!(".{}", b64u_encode(&packed)),
        _ => b64u_encode(data),
    };
    timestamp_sign(&text, salt, secret, time)
}

/// `signing.loads` down to the serialised bytes.
///
/// # Errors
/// As [`timestamp_unsign`], or data that does not decode.
pub fn loads_bytes(
    text: &str,
    salt: &str,
    keys: Keys<'_>,
    max_age: Option<f64>,
    now: f64,
) -> Result<Vec<u8>, Error> {
    let value = timestamp_unsign(text, salt, keys, max_age, now)?;
    match value.strip_prefix('.') {
        Some(packed) => inflate(&b64u_decode(packed)?),
        None => b64u_decode(&value),
    }
}

/// `signing.dumps(value, salt, compress)`.
#[must_use]
pub fn dumps(value: &Value, salt: &str, secret: &str, compress: bool, time: i64) -> String {
    let text = pyjson::dumps(value, pyjson::Style::COMPACT);
    dumps_bytes(text.as_bytes(), salt, secret, compress, time)
}

/// `signing.loads(text, salt, max_age)`.
///
/// # Errors
/// As [`loads_bytes`], or bytes that are no JSON.
pub fn loads(
    text: &str,
    salt: &str,
    keys: Keys<'_>,
    max_age: Option<f64>,
    now: f64,
) -> Result<Value, Error> {
    let bytes = loads_bytes(text, salt, keys, max_age, now)?;
    // The serialiser writes and reads latin-1.
    let latin1: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    serde_json::from_str(&latin1).map_err(|_| Error::malformed("not JSON"))
}

fn deflate(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(data).ok()?;
    encoder.finish().ok()
}

fn inflate(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    flate2::read::ZlibDecoder::new(data)
        .take(MAX_UNPACKED + 1)
        .read_to_end(&mut out)
        .map_err(|_| Error::malformed("not zlib data"))?;
    if out.len() as u64 > MAX_UNPACKED {
        return Err(Error::malformed("unpacks to too much"));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "contract-secret-key-0123456789abcdef";

    /// contracts/identity.md §1, first vector.
    #[test]
    fn contract_vector() {
        let text = dumps(&serde_json::json!({"a": 1}), "x", KEY, false, 1_700_000_000);
        assert_eq!(
            text,
            "eyJhIjoxfQ:1r31eq:Y8n0lWpHK2MUjpmMy1ppzOsEG5ulsE9Ubw3dnAi7Z8Q"
        );
    }

    proptest! {
        #[test]
        fn what_is_signed_is_read(value in ".{0,80}", salt in "[a-z.]{0,8}", compress: bool) {
            let value = Value::String(value);
            let text = dumps(&value, &salt, KEY, compress, 10);
            prop_assert_eq!(loads(&text, &salt, Keys::new(KEY), Some(5.0), 12.0).unwrap(), value);
            prop_assert_eq!(loads(&text, &salt, Keys::new("other"), None, 12.0), Err(Error::BadSignature));
            prop_assert_eq!(
                loads(&text, &salt, Keys::new(KEY), Some(1.0), 12.0),
                Err(Error::SignatureExpired)
            );
        }
    }
}
