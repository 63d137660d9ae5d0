//! Sessions as Django stores them and the safe-session cookie of edx-platform (contracts/identity.md §2).

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::Error;
use crate::pickle;
use crate::pyjson::{Style, dumps as json_dumps, text_repr};
use crate::signing::{self, Keys, constant_time_eq, salted_hmac};

/// Salt of django_session.session_data.
pub const STORE_SALT: &str = "django.contrib.sessions.SessionStore";
/// What precedes the session key in the key of a cache record, engine `cache`.
pub const CACHE_KEY_PREFIX: &str = "django.contrib.sessions.cache";
/// The same for the engine `cached_db`.
pub const CACHED_DB_KEY_PREFIX: &str = "django.contrib.sessions.cached_db";
/// Version of the safe-session cookie.
pub const COOKIE_VERSION: &str = "1";

const HASH_SALT: &str = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

/// Which serialiser filled the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serializer {
    /// Compact JSON.
    Json,
    /// Pickle of protocol 4, the platform's setting.
    Pickle,
}

/// `_auth_user_hash`: binds a session to the stored password (no fallback keys, §2).
#[must_use]
pub fn auth_hash(password: &str, secret: &str) -> String {
    hex::encode(salted_hmac(HASH_SALT, password.as_bytes(), secret))
}

/// session_data of a session dict.
#[must_use]
pub fn encode(session: &pickle::Value, serializer: Serializer, secret: &str, time: i64) -> String {
    let data = match serializer {
        Serializer::Json => json_dumps(&session.to_json(), Style::COMPACT).into_bytes(),
        Serializer::Pickle => pickle::dumps(session, 4),
    };
    signing::dumps_bytes(&data, STORE_SALT, secret, true, time)
}

/// The session dict of session_data; bad signatures and bad data give an empty one, as in Django.
#[must_use]
pub fn decode(text: &str, serializer: Serializer, keys: Keys<'_>) -> pickle::Value {
    let empty = pickle::Value::Dict(Vec::new());
    let Ok(data) = signing::loads_bytes(text, STORE_SALT, keys, None, 0.0) else {
        return empty;
    };
    match serializer {
        Serializer::Json => {
            let latin1: String = data.iter().map(|&byte| char::from(byte)).collect();
            serde_json::from_str::<Json>(&latin1)
                .map_or(empty, |value| pickle::Value::from_json(&value))
        }
        Serializer::Pickle => pickle::loads(&data).unwrap_or(empty),
    }
}

/// A parsed safe-session cookie: `version|session id|salt|signature`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeCookie {
    /// The session key.
    pub session_id: String,
    salt: String,
    signature: String,
}

/// Makes the cookie's value. `user_id` is the decimal id, or the text `None` for an anonymous session; `salt` is
/// twelve random characters.
///
/// # Errors
/// An empty session key.
pub fn safe_cookie(
    session_id: &str,
    user_id: &str,
    salt: &str,
    secret: &str,
    time: i64,
) -> Result<String, Error> {
    if session_id.is_empty() {
        return Err(Error::malformed(format!(
            "SafeCookieData not created due to invalid value for session_id '{session_id}' for user_id '{user_id}'."
        )));
    }
    let digest = digest(session_id, user_id);
    let signature = signing::dumps(&Json::String(digest), salt, secret, false, time);
    Ok(format!("{COOKIE_VERSION}|{session_id}|{salt}|{signature}"))
}

fn digest(session_id: &str, user_id: &str) -> String {
    let mut hasher = Sha256::new();
    for item in [COOKIE_VERSION, session_id, user_id] {
        hasher.update(item.as_bytes());
        hasher.update(b"|");
    }
    hex::encode(hasher.finalize())
}

impl SafeCookie {
    /// Splits a cookie's value; nothing is verified yet.
    ///
    /// # Errors
    /// Not four parts, or another version; the texts are the platform's.
    pub fn parse(cookie: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = cookie.split('|').collect();
        let &[version, session_id, salt, signature] = parts.as_slice() else {
            return Err(Error::malformed(format!(
                "SafeCookieData BWC parse error: {}.",
                text_repr(cookie)
            )));
        };
        if version != COOKIE_VERSION {
            return Err(Error::malformed(format!(
                "SafeCookieData version {} is not supported. Current version is {COOKIE_VERSION}.",
                text_repr(version)
            )));
        }
        Ok(Self {
            session_id: session_id.to_owned(),
            salt: salt.to_owned(),
            signature: signature.to_owned(),
        })
    }

    /// Whether the cookie was made for this user and is at most `max_age` seconds old.
    #[must_use]
    pub fn verify(&self, user_id: &str, keys: Keys<'_>, max_age: f64, now: f64) -> bool {
        signing::loads(&self.signature, &self.salt, keys, Some(max_age), now).is_ok_and(|value| {
            value
                .as_str()
                .is_some_and(|text| constant_time_eq(text, &digest(&self.session_id, user_id)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "contract-secret-key-0123456789abcdef";

    /// contracts/identity.md §1: cookie, auth hash and session data vectors.
    #[test]
    fn contract_vectors() {
        let cookie = safe_cookie(
            "abcdefghijklmnopqrstuvwxyz012345",
            "3",
            "SALTSALTSALT",
            KEY,
            1_700_000_000,
        )
        .unwrap();
        assert_eq!(
            cookie,
            "1|abcdefghijklmnopqrstuvwxyz012345|SALTSALTSALT|ImI1ZjBjZWI3NzJiYmY0NzJlN2RjNzQ3ZWRjZjIwYmRjYWE2MjhkMTRmNWNmMWUwYjc0MThhOTI1NDhjZjBjMGIi:1r31eq:9U2mBKYVvzH8AcYpFHPi8G1jub8rI6V2kkfHKDBS1W0"
        );
        let parsed = SafeCookie::parse(&cookie).unwrap();
        assert!(parsed.verify("3", Keys::new(KEY), 1_209_600.0, 1_700_000_005.0));
        assert!(!parsed.verify("4", Keys::new(KEY), 1_209_600.0, 1_700_000_005.0));
        assert!(!parsed.verify("3", Keys::new(KEY), 1.0, 1_700_000_005.0));
        assert_eq!(
            auth_hash("pbkdf2_sha256$1000$saltsaltsalt$x", KEY),
            "2c762963c3ad24eab61ccdb1d278d71fda3cc12545758b7a84f42c4906fd7fcd"
        );
        let empty = pickle::Value::Dict(Vec::new());
        let data = encode(&empty, Serializer::Pickle, KEY, 1_700_000_000);
        assert_eq!(
            data,
            "gAR9lC4:1r31eq:CcKcItTpd7GGlN1sqlTCp9vVsUMMrprYAel_7tSQ76o"
        );
        assert_eq!(decode(&data, Serializer::Pickle, Keys::new(KEY)), empty);
    }

    #[test]
    fn a_foreign_signature_gives_an_empty_session() {
        let session =
            pickle::Value::from_json(&serde_json::json!({"_auth_user_id": "3", "email": "a@b.c"}));
        for serializer in [Serializer::Json, Serializer::Pickle] {
            let data = encode(&session, serializer, KEY, 1);
            assert_eq!(decode(&data, serializer, Keys::new(KEY)), session);
            assert_eq!(
                decode(&data, serializer, Keys::new("other")),
                pickle::Value::Dict(Vec::new())
            );
        }
    }
}
