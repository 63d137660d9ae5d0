//! Checks of tokens, in PyJWT's order.

use serde_json::{Map, Value};

use super::TokenError;
use super::keys::{Algorithm, Key};
use crate::encoding::b64u_decode;

/// Longest token that is looked at, bytes.
const MAX_TOKEN: usize = 64 << 10;

/// What [`verify_with_key`] demands of the claims.
#[derive(Debug, Clone, Copy)]
pub struct Requirements<'a> {
    /// Accepted algorithms.
    pub algorithms: &'a [Algorithm],
    /// `aud` must hold this.
    pub audience: &'a str,
    /// `iss` must be this; none asks nothing.
    pub issuer: Option<&'a str>,
    /// Tolerance of the clocks, seconds.
    pub leeway: f64,
    /// Unix time now, seconds.
    pub now: f64,
    /// Claims that must be present and not null.
    pub require: &'a [&'a str],
}

struct Parts<'a> {
    message: &'a str,
    header: Map<String, Value>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

fn load(token: &str) -> Result<Parts<'_>, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Decode);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Decode)?;
    let (header, payload) = message.split_once('.').ok_or(TokenError::Decode)?;
    let header = b64u_decode(header).map_err(|_| TokenError::Decode)?;
    let header: Value = serde_json::from_slice(&header).map_err(|_| TokenError::Decode)?;
    let Value::Object(header) = header else {
        return Err(TokenError::Decode);
    };
    let payload = b64u_decode(payload).map_err(|_| TokenError::Decode)?;
    let signature = b64u_decode(signature).map_err(|_| TokenError::Decode)?;
    Ok(Parts {
        message,
        header,
        payload,
        signature,
    })
}

/// `jwt.get_unverified_header`.
///
/// # Errors
/// [`TokenError::Decode`], or [`TokenError::Token`] for a `kid` that is no text.
pub fn header(token: &str) -> Result<Map<String, Value>, TokenError> {
    let header = load(token)?.header;
    match header.get("kid") {
        Some(Value::String(_)) | None => Ok(header),
        Some(_) => Err(TokenError::Token),
    }
}

/// `jwt.decode` with one key.
///
/// # Errors
/// The first check that fails, by PyJWT's class.
pub fn verify_with_key(
    token: &str,
    key: &Key,
    requirements: &Requirements<'_>,
) -> Result<Map<String, Value>, TokenError> {
    let parts = load(token)?;
    check_signature(&parts, std::slice::from_ref(key), requirements.algorithms)?;
    let claims = payload(&parts)?;
    check_claims(&claims, requirements)?;
    Ok(claims)
}

fn check_signature(
    parts: &Parts<'_>,
    keys: &[Key],
    allowed: &[Algorithm],
) -> Result<(), TokenError> {
    if parts.header.get("b64") == Some(&Value::Bool(false)) {
        return Err(TokenError::Decode);
    }
    let algorithm = parts
        .header
        .get("alg")
        .and_then(Value::as_str)
        .and_then(Algorithm::by_name)
        .filter(|algorithm| allowed.contains(algorithm))
        .ok_or(TokenError::Algorithm)?;
    if keys
        .iter()
        .any(|key| key.verifies(algorithm, parts.message.as_bytes(), &parts.signature))
    {
        Ok(())
    } else {
        Err(TokenError::Signature)
    }
}

fn payload(parts: &Parts<'_>) -> Result<Map<String, Value>, TokenError> {
    match serde_json::from_slice(&parts.payload) {
        Ok(Value::Object(claims)) => Ok(claims),
        _ => Err(TokenError::Decode),
    }
}

/// Python's `int(value)`: the number, or the class of error it raises.
fn integer(value: &Value, not_a_number: TokenError) -> Result<f64, TokenError> {
    match value {
        Value::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            if number.is_infinite() {
                Err(TokenError::Overflow)
            } else {
                Ok(number.trunc())
            }
        }
        Value::String(text) => python_int(text).ok_or(not_a_number),
        _ => Err(TokenError::Type),
    }
}

fn python_int(text: &str) -> Option<f64> {
    let text = text.trim_matches(crate::encoding::is_python_space);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let well_formed = !digits.is_empty()
        && !digits.starts_with('_')
        && !digits.ends_with('_')
        && !digits.contains("__")
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_');
    if well_formed {
        text.replace('_', "").parse().ok()
    } else {
        None
    }
}

fn check_claims(
    claims: &Map<String, Value>,
    requirements: &Requirements<'_>,
) -> Result<(), TokenError> {
    let Requirements {
        audience,
        issuer,
        leeway,
        now,
        require,
        ..
    } = *requirements;
    for name in require {
        if claims.get(*name).is_none_or(Value::is_null) {
            return Err(TokenError::MissingClaim);
        }
    }
    if let Some(value) = claims.get("iat")
        && integer(value, TokenError::IssuedAt)? > now + leeway
    {
        return Err(TokenError::Immature);
    }
    if let Some(value) = claims.get("nbf")
        && integer(value, TokenError::Decode)? > now + leeway
    {
        return Err(TokenError::Immature);
    }
    if let Some(value) = claims.get("exp")
        && integer(value, TokenError::Decode)? <= now - leeway
    {
        return Err(TokenError::Expired);
    }
    if let Some(issuer) = issuer {
        match claims.get("iss") {
            None => return Err(TokenError::MissingClaim),
            Some(Value::String(text)) if text == issuer => {}
            Some(_) => return Err(TokenError::Issuer),
        }
    }
    check_audience(claims.get("aud"), audience)?;
    if claims.get("sub").is_some_and(|value| !value.is_string()) {
        return Err(TokenError::Subject);
    }
    if claims.get("jti").is_some_and(|value| !value.is_string()) {
        return Err(TokenError::Jti);
    }
    Ok(())
}

fn check_audience(claim: Option<&Value>, audience: &str) -> Result<(), TokenError> {
    match claim {
        None | Some(Value::Null | Value::Bool(false)) => Err(TokenError::MissingClaim),
        Some(Value::String(text)) if text.is_empty() => Err(TokenError::MissingClaim),
        Some(Value::Array(items)) if items.is_empty() => Err(TokenError::MissingClaim),
        Some(Value::Object(map)) if map.is_empty() => Err(TokenError::MissingClaim),
        Some(Value::Number(number)) if number.as_f64() == Some(0.0) => {
            Err(TokenError::MissingClaim)
        }
        Some(Value::String(text)) if text == audience => Ok(()),
        Some(Value::Array(items)) => {
            if items.iter().all(Value::is_string)
                && items.iter().any(|item| item.as_str() == Some(audience))
            {
                Ok(())
            } else {
                Err(TokenError::Audience)
            }
        }
        Some(_) => Err(TokenError::Audience),
    }
}

/// The platform's verification (edx-drf-extensions): a public key with RS256 or RS512, else the secret with HS256;
/// then issuer and version; absent `version`, `is_restricted` and `filters` get their defaults.
///
/// # Errors
/// Any failure; every one of them is the same 401 "Invalid token." to the client.
pub fn verify(
    token: &str,
    public_keys: &[Key],
    secret: &[u8],
    audience: &str,
    issuers: &[impl AsRef<str>],
    now: f64,
) -> Result<Map<String, Value>, TokenError> {
    let parts = load(token)?;
    let rsa: Vec<Key> = public_keys
        .iter()
        .filter(|key| matches!(key, Key::Rsa { .. }))
        .cloned()
        .collect();
    if check_signature(&parts, &rsa, &[Algorithm::Rs256, Algorithm::Rs512]).is_err() {
        // An empty secret would let anyone sign.
        if secret.is_empty() {
            return Err(TokenError::Signature);
        }
        check_signature(&parts, &[Key::Secret(secret.to_vec())], &[Algorithm::Hs256])?;
    }
    let mut claims = payload(&parts)?;
    let requirements = Requirements {
        algorithms: &[],
        audience,
        issuer: None,
        leeway: 0.0,
        now,
        require: &["exp", "iat"],
    };
    check_claims(&claims, &requirements)?;
    let issuer = claims
        .get("iss")
        .and_then(Value::as_str)
        .ok_or(TokenError::Issuer)?;
    if !issuers.iter().any(|known| known.as_ref() == issuer) {
        return Err(TokenError::Issuer);
    }
    set_defaults(&mut claims)?;
    Ok(claims)
}

fn set_defaults(claims: &mut Map<String, Value>) -> Result<(), TokenError> {
    let version = match claims.get("version") {
        None => {
            claims.insert("version".into(), "1.0.0".into());
            (1, 0)
        }
        Some(Value::String(text)) => semantic_version(text).ok_or(TokenError::Token)?,
        Some(_) => return Err(TokenError::Token),
    };
    if version.0 > 1 {
        return Err(TokenError::Token);
    }
    if !claims.contains_key("is_restricted") {
        claims.insert("is_restricted".into(), Value::Bool(false));
    }
    if !claims.contains_key("filters") {
        claims.insert("filters".into(), Value::Array(Vec::new()));
    }
    Ok(())
}

/// Major and minor number of `x.y.z[-pre][+build]`.
fn semantic_version(text: &str) -> Option<(u64, u64)> {
    let core = text.split(['-', '+']).next()?;
    let mut numbers = core.split('.').map(|part| {
        let plain = part == "0" || !part.starts_with('0');
        if plain && part.bytes().all(|byte| byte.is_ascii_digit()) {
            part.parse().ok()
        } else {
            None
        }
    });
    let (major, minor, patch): (u64, u64, Option<u64>) =
        (numbers.next()??, numbers.next()??, numbers.next()?);
    patch?;
    if numbers.next().is_some() {
        None
    } else {
        Some((major, minor))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SigningKey, encode};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const SECRET: &[u8] = b"lms-secret";

    fn token(claims: &Value) -> String {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        encode(
            header.as_object().unwrap(),
            claims.as_object().unwrap(),
            &SigningKey::Secret(SECRET.to_vec()),
        )
        .unwrap()
    }

    fn claims() -> Value {
        json!({"aud": "lms-key", "iss": "i", "exp": 2000, "iat": 1000, "preferred_username": "a"})
    }

    /// contracts/identity.md §5, §14: no key, no secret, no token.
    #[test]
    fn unsigned_tokens_are_refused() {
        let good = token(&claims());
        let check =
            |token: &str, secret: &[u8]| verify(token, &[], secret, "lms-key", &["i"], 1500.0);
        assert!(check(&good, SECRET).is_ok());
        assert!(check(&good, b"").is_err());
        let (head, _) = good.rsplit_once('.').unwrap();
        assert!(check(&format!("{head}."), SECRET).is_err());
        let none = format!(
            "{}.{}.",
            crate::encoding::b64u_encode(br#"{"alg":"none"}"#),
            good.split('.').nth(1).unwrap()
        );
        assert!(check(&none, SECRET).is_err());
    }

    /// contracts/identity.md §5: times, issuer and version.
    #[test]
    fn claims_are_checked() {
        let check = |claims: Value| {
            verify(&token(&claims), &[], SECRET, "lms-key", &["i"], 1500.0).map(|_| ())
        };
        let with = |name: &str, value: Value| {
            let mut all = claims();
            all[name] = value;
            all
        };
        assert_eq!(check(claims()), Ok(()));
        assert_eq!(check(with("exp", json!(1500))), Err(TokenError::Expired));
        assert_eq!(check(with("iat", json!(1501))), Err(TokenError::Immature));
        assert_eq!(check(with("iss", json!("x"))), Err(TokenError::Issuer));
        assert_eq!(check(with("aud", json!("x"))), Err(TokenError::Audience));
        assert_eq!(
            check(with("version", json!("2.0.0"))),
            Err(TokenError::Token)
        );
        assert_eq!(check(with("version", json!("abc"))), Err(TokenError::Token));
        assert_eq!(check(with("sub", json!(5))), Err(TokenError::Subject));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(text in ".{0,60}") {
            let _ = (header(&text), verify(&text, &[], SECRET, "a", &["i"], 0.0));
        }
    }
}
