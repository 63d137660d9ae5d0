//! Unit `django_compat`.

use chrono::NaiveDateTime;
use django_compat::encoding::{
    a2b_base64, base36_decode, base36_encode, base62_decode, base62_encode, uidb64_decode,
    uidb64_encode,
};
use django_compat::passwords::Algorithm;
use django_compat::sessions::{SafeCookie, Serializer};
use django_compat::signing::Keys;
use django_compat::{csrf, ids, passwords, pickle, redirect, sessions, signing, tokens};
use serde_json::{Value, json};

use crate::Answer;

fn fail(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn whole(number: i128) -> Value {
    i64::try_from(number)
        .map(|n| json!(n))
        .or_else(|_| u64::try_from(number).map(|n| json!(n)))
        .unwrap_or_else(|_| json!(number as f64))
}

/// `str(value)` of Python for the values that stand for a user id.
fn python_str(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "None".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| input.get(key).and_then(Value::as_f64).unwrap_or_default();
    let int = |key: &str| input.get(key).and_then(Value::as_i64).unwrap_or_default();
    let texts = |key: &str| -> Vec<String> {
        input
            .get(key)
            .and_then(Value::as_array)
            .map(|items| {
                items
                    .iter()
                    .filter_map(|t| t.as_str().map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default()
    };
    let fallbacks = texts("fallback_keys");
    let keys = Keys {
        secret: text("key"),
        fallbacks: &fallbacks,
    };
    let max_age = input.get("max_age").and_then(Value::as_f64);
    let flag = |key: &str| input.get(key).and_then(Value::as_bool).unwrap_or(false);
    let serializer = if text("serializer") == "pickle" {
        Serializer::Pickle
    } else {
        Serializer::Json
    };

    match op {
        "make_password" => {
            let algorithm = match text("algorithm") {
                "pbkdf2_sha1" => Algorithm::Pbkdf2Sha1,
                _ => Algorithm::Pbkdf2Sha256,
            };
            passwords::make_password(
                algorithm,
                text("password"),
                text("salt"),
                u32::try_from(int("iterations")).map_err(fail)?,
            )
            .map(Value::from)
            .map_err(fail)
        }
        "check_password" => passwords::check_password(text("password"), text("encoded"))
            .map(Value::from)
            .map_err(fail),
        "password_info" => Ok(json!({
            "usable": passwords::is_usable(text("encoded")),
            "algorithm": Algorithm::of(text("encoded")).map(Algorithm::name),
        })),
        "sign_dumps" => Ok(json!(signing::dumps(
            input.get("value").unwrap_or(&Value::Null),
            text("salt"),
            text("key"),
            flag("compress"),
            int("time"),
        ))),
        "sign_loads" => {
            signing::loads(text("text"), text("salt"), keys, max_age, number("now")).map_err(fail)
        }
        "timestamp_sign" => Ok(json!(signing::timestamp_sign(
            text("value"),
            text("salt"),
            text("key"),
            int("time")
        ))),
        "timestamp_unsign" => {
            signing::timestamp_unsign(text("text"), text("salt"), keys, max_age, number("now"))
                .map(Value::from)
                .map_err(fail)
        }
        "signer_sign" => Ok(json!(signing::sign(
            text("value"),
            text("salt"),
            text("key")
        ))),
        "signer_unsign" => signing::unsign(text("text"), text("salt"), keys)
            .map(Value::from)
            .map_err(fail),
        "salted_hmac" => {
            let (salt, value, secret) = (text("key_salt"), text("value"), text("secret"));
            Ok(json!(match text("algorithm") {
                "sha1" => hex::encode(signing::salted_hmac_sha1(salt, value.as_bytes(), secret)),
                _ => hex::encode(signing::salted_hmac(salt, value.as_bytes(), secret)),
            }))
        }
        "base62_encode" => Ok(json!(base62_encode(int("number")))),
        "base62_decode" => base62_decode(text("text")).map(whole).map_err(fail),
        "base36_encode" => Ok(json!(base36_encode(
            input
                .get("number")
                .and_then(Value::as_u64)
                .ok_or("negative")?
        ))),
        "base36_decode" => base36_decode(text("text")).map(whole).map_err(fail),
        "uidb64_encode" => Ok(json!(uidb64_encode(text("text")))),
        "uidb64_decode" => uidb64_decode(text("text")).map(Value::from).map_err(fail),
        "session_encode" => {
            let session = pickle::Value::from_json(input.get("session").unwrap_or(&Value::Null));
            Ok(json!(sessions::encode(
                &session,
                serializer,
                text("key"),
                int("time")
            )))
        }
        "session_decode" => Ok(sessions::decode(text("text"), serializer, keys).to_json()),
        "pickle_decode" => {
            let data = a2b_base64(text("base64").as_bytes()).map_err(fail)?;
            pickle::loads(&data)
                .map(|value| value.to_json())
                .map_err(fail)
        }
        "safe_session_cookie" => {
            let session_id = match input.get("session_id") {
                Some(Value::String(id)) => id.clone(),
                _ => String::new(),
            };
            let user_id = python_str(input.get("user_id"));
            sessions::safe_cookie(
                &session_id,
                &user_id,
                text("salt"),
                text("key"),
                int("time"),
            )
            .map(Value::from)
            .map_err(|error| {
                // A missing key is the text None in the reference's sentence.
                let text = error.to_string();
                if input.get("session_id").is_none_or(Value::is_null) {
                    text.replacen("session_id ''", "session_id 'None'", 1)
                } else {
                    text
                }
            })
        }
        "safe_session_verify" => {
            let cookie = SafeCookie::parse(text("cookie")).map_err(fail)?;
            let user_id = python_str(input.get("user_id"));
            let valid = cookie.verify(
                &user_id,
                keys,
                max_age.unwrap_or(f64::INFINITY),
                number("now"),
            );
            Ok(json!({ "session_id": cookie.session_id, "valid": valid }))
        }
        "csrf_mask" => csrf::mask(text("secret"), text("mask"))
            .map(Value::from)
            .map_err(fail),
        "csrf_unmask" => csrf::unmask(text("token")).map(Value::from).map_err(fail),
        "csrf_match" => csrf::matches(text("request_token"), text("secret"))
            .map(Value::from)
            .map_err(fail),
        "csrf_cookie" => {
            csrf::check_format(text("cookie")).map_err(fail)?;
            Ok(json!(text("cookie")))
        }
        "reset_token" | "reset_token_check" => {
            let user = input.get("user").unwrap_or(&Value::Null);
            let field = |key: &str| user.get(key).and_then(Value::as_str).unwrap_or_default();
            let last_login = user
                .get("last_login")
                .and_then(Value::as_str)
                .and_then(|t| t.get(..19))
                .and_then(|t| NaiveDateTime::parse_from_str(t, "%Y-%m-%dT%H:%M:%S").ok());
            let user = tokens::ResetUser {
                id: user.get("id").and_then(Value::as_i64).unwrap_or_default(),
                email: field("email"),
                password: field("password"),
                last_login,
            };
            if op == "reset_token" {
                let timestamp = u64::try_from(int("timestamp")).map_err(fail)?;
                Ok(json!(tokens::reset_token(&user, timestamp, text("key"))))
            } else {
                Ok(json!(tokens::check_reset_token(
                    &user,
                    text("token"),
                    keys,
                    int("timeout"),
                    int("now")
                )))
            }
        }
        "session_auth_hash" => Ok(json!(sessions::auth_hash(text("password"), text("key")))),
        "cache_key" => Ok(json!(ids::cache_key(
            &python_str(input.get("key")),
            text("prefix"),
            &python_str(input.get("version"))
        ))),
        "anonymous_user_id" => Ok(json!(ids::anonymous_user_id(
            text("secret"),
            int("user_id"),
            input.get("course_id").and_then(Value::as_str)
        ))),
        "retired_username" | "retired_email" => {
            let original = if op == "retired_username" {
                text("username")
            } else {
                text("email")
            };
            let all = ids::all_retired_values(original, &texts("salts"), text("format"));
            let current = all.last().cloned();
            Ok(json!([all, current]))
        }
        "normalize_email" => Ok(json!(ids::normalize_email(text("email")))),
        "normalize_username" => Ok(json!(ids::nfkc(text("username")))),
        "safe_redirect" => Ok(json!(redirect::is_safe(
            text("url"),
            &texts("allowed_hosts"),
            flag("require_https")
        ))),
        _ => Err(format!("no operation {op}")),
    }
}
