//! Unit `jwt`.

use django_compat::jwt::{
    self, Algorithm, ClaimsRequest, JwtUser, Key, Requirements, SigningKey, build_claims,
    granted_scopes, header_for,
};
use serde_json::{Value, json};

use crate::Answer;

fn fail(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    let items = value?.as_array()?;
    Some(
        items
            .iter()
            .filter_map(|t| t.as_str().map(str::to_owned))
            .collect(),
    )
}

fn claims(input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let flag = |key: &str| input.get(key).and_then(Value::as_bool).unwrap_or(false);
    let user = input.get("user").unwrap_or(&Value::Null);
    let field = |key: &str| user.get(key).and_then(Value::as_str).unwrap_or_default();
    let bit = |key: &str| user.get(key).and_then(Value::as_bool).unwrap_or(false);
    let mut scopes = texts(input.get("scopes"));
    if flag("granted") {
        scopes = scopes.map(|scopes| granted_scopes(&scopes, text("grant_type")));
    }
    let filters = texts(input.get("filters"));
    let roles = texts(input.get("roles")).unwrap_or_default();
    let key = if flag("asymmetric") || flag("is_restricted") {
        SigningKey::from_private_jwk(input.get("private_key").unwrap_or(&Value::Null))
            .map_err(fail)?
    } else {
        SigningKey::Secret(text("secret").as_bytes().to_vec())
    };
    let request = ClaimsRequest {
        user: JwtUser {
            id: user.get("id").and_then(Value::as_i64).unwrap_or_default(),
            username: field("username"),
            email: field("email"),
            first_name: field("first_name"),
            last_name: field("last_name"),
            name: user.get("name").and_then(Value::as_str),
            is_staff: bit("is_staff"),
            is_superuser: bit("is_superuser"),
            is_active: bit("is_active"),
        },
        scopes: scopes.as_deref(),
        grant_type: text("grant_type"),
        expires_in: input.get("expires_in").and_then(Value::as_i64),
        default_expiration: input
            .get("default_expiration")
            .and_then(Value::as_i64)
            .unwrap_or(3600),
        is_restricted: flag("is_restricted"),
        filters: filters.as_deref(),
        roles: &roles,
        sub: text("sub"),
        audience: text("audience"),
        issuer: text("issuer"),
        now: input.get("now").and_then(Value::as_f64).unwrap_or_default() as i64,
    };
    let token = jwt::encode(
        &header_for(&key, flag("kid_header")),
        &build_claims(&request),
        &key,
    )
    .map_err(fail)?;
    // What the token itself says, not what it was made from.
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = django_compat::encoding::b64u_decode(payload).map_err(fail)?;
    let payload: Value = serde_json::from_slice(&payload).map_err(fail)?;
    Ok(json!({ "header": jwt::header(&token).map_err(fail)?, "claims": payload }))
}

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| input.get(key).and_then(Value::as_f64).unwrap_or_default();
    match op {
        "verify" => {
            let set = json!({ "keys": input.get("public_keys") });
            let issuers = texts(input.get("issuers")).unwrap_or_default();
            jwt::verify(
                text("token"),
                &jwt::key_set(&set),
                text("secret").as_bytes(),
                text("audience"),
                &issuers,
                number("now"),
            )
            .map(Value::Object)
            .map_err(fail)
        }
        "verify_with_key" => {
            let key = Key::from_jwk(input.get("key").unwrap_or(&Value::Null)).map_err(fail)?;
            let algorithms: Vec<Algorithm> = texts(input.get("algorithms"))
                .unwrap_or_default()
                .iter()
                .filter_map(|name| Algorithm::by_name(name))
                .collect();
            let require = texts(input.get("require")).unwrap_or_default();
            let require: Vec<&str> = require.iter().map(String::as_str).collect();
            let requirements = Requirements {
                algorithms: &algorithms,
                audience: text("audience"),
                issuer: input.get("issuer").and_then(Value::as_str),
                leeway: number("leeway"),
                now: number("now"),
                require: &require,
            };
            jwt::verify_with_key(text("token"), &key, &requirements)
                .map(Value::Object)
                .map_err(fail)
        }
        "header" => jwt::header(text("token")).map(Value::Object).map_err(fail),
        "claims" => claims(input),
        "split" => {
            let (header_payload, signature) = jwt::split(text("token")).ok_or("too few parts")?;
            Ok(json!({ "header_payload": header_payload, "signature": signature }))
        }
        "join" => {
            let part = |key: &str| input.get(key).and_then(Value::as_str);
            Ok(json!(jwt::join(part("header_payload"), part("signature"))))
        }
        _ => Err(format!("no operation {op}")),
    }
}
