//! Tokens of password-reset links (contracts/identity.md §1, §7.3).

use chrono::NaiveDateTime;

use crate::encoding::{base36_decode, base36_encode};
use crate::signing::{Keys, constant_time_eq, salted_hmac};

const RESET_SALT: &str = "django.contrib.auth.tokens.PasswordResetTokenGenerator";
/// Unix seconds of 2001-01-01 UTC, from which token timestamps count.
pub const TOKEN_EPOCH: i64 = 978_307_200;

/// What a reset token is bound to: any change of these makes it void.
#[derive(Debug, Clone)]
pub struct ResetUser<'a> {
    /// auth_user.id
    pub id: i64,
    /// auth_user.password, encoded.
    pub password: &'a str,
    /// auth_user.email
    pub email: &'a str,
    /// auth_user.last_login as stored (UTC).
    pub last_login: Option<NaiveDateTime>,
}

fn make(user: &ResetUser<'_>, timestamp: u64, secret: &str) -> String {
    let login = user
        .last_login
        .map(|time| time.format("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default();
    let value = format!(
        "{}{}{login}{timestamp}{}",
        user.id, user.password, user.email
    );
    let digest = hex::encode(salted_hmac(RESET_SALT, value.as_bytes(), secret));
    let half: String = digest.chars().step_by(2).collect();
    format!("{}-{half}", base36_encode(timestamp))
}

/// The token for a link made at `timestamp` (seconds since [`TOKEN_EPOCH`]).
#[must_use]
pub fn reset_token(user: &ResetUser<'_>, timestamp: u64, secret: &str) -> String {
    make(user, timestamp, secret)
}

/// Whether a token is this user's and at most `timeout` seconds old at `now` (seconds since [`TOKEN_EPOCH`]).
#[must_use]
pub fn check_reset_token(
    user: &ResetUser<'_>,
    token: &str,
    keys: Keys<'_>,
    timeout: i64,
    now: i64,
) -> bool {
    let mut parts = token.split('-');
    let (Some(stamp), Some(_), None) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Some(timestamp) = base36_decode(stamp)
        .ok()
        .and_then(|n| u64::try_from(n).ok())
    else {
        return false;
    };
    keys.iter()
        .any(|key| constant_time_eq(&make(user, timestamp, key), token))
        && i128::from(now) - i128::from(timestamp) <= i128::from(timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §1, reset token vector.
    #[test]
    fn contract_vector() {
        let user = ResetUser {
            id: 3,
            password: "pbkdf2_sha256$1000$saltsaltsalt$x",
            email: "alice@example.com",
            last_login: None,
        };
        let key = "contract-secret-key-0123456789abcdef";
        let token = reset_token(&user, 720_000_000, key);
        assert_eq!(token, "bwo3k0-927e2fbb0707b0d73f11cf3d406a246d");
        assert!(check_reset_token(
            &user,
            &token,
            Keys::new(key),
            259_200,
            720_259_200
        ));
        assert!(!check_reset_token(
            &user,
            &token,
            Keys::new(key),
            259_200,
            720_259_201
        ));
        assert!(!check_reset_token(
            &user,
            "x-y-z",
            Keys::new(key),
            259_200,
            0
        ));
    }
}
