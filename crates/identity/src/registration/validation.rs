//! `POST /api/user/v1/validation/registration` (contracts/identity.md §7.2).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::rules::{MAX_EMAIL, MAX_NAME, has_markup, is_valid_email, username_error};
use super::{COUNTRY, EMAIL_TAKEN, USERNAME_TAKEN, WEEK};
use crate::passwords::{Attributes, broken_rules};
use crate::{Identity, Reply, Result};

/// Calls an address in seven days.
const VALIDATIONS_PER_IP: u32 = 30;

/// Fields to judge, as JSON values (a form's fields are texts).
#[derive(Debug, Clone, Copy)]
pub struct ValidationRequest<'a> {
    /// The body.
    pub fields: &'a Map<String, Value>,
    /// Address of the client.
    pub ip: &'a str,
}

/// A field's text, or the sentence about its type.
fn text<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
    label: &str,
) -> Option<Result<&'a str, String>> {
    match fields.get(name)? {
        Value::String(text) => Some(Ok(text)),
        _ => Some(Err(format!("{label} must be a string"))),
    }
}

impl Identity {
    /// 200 `{"validation_decisions": {field: sentence or ""}, "username_suggestions"?}`; 403 beyond the limit.
    pub async fn validate_registration(
        &self,
        request: &ValidationRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let limit = self
            .settings()
            .validations_per_ip
            .unwrap_or(VALIDATIONS_PER_IP);
        if self
            .limiter()
            .exceeded("validation", request.ip, limit, WEEK, now.timestamp())
        {
            let body = json!({ "detail": "You do not have permission to perform this action." });
            return Ok(Reply::rest(403, body));
        }
        let fields = request.fields;
        let only = fields.get("form_field_key").and_then(Value::as_str);
        let asked = |name: &str| only.is_none_or(|only| only == name);
        let mut decisions = Map::new();
        let mut suggestions = Vec::new();
        if let Some(name) = text(fields, "name", "Full Name").filter(|_| asked("name")) {
            let decision = match name {
                Ok(name) => {
                    let error = name_error(name);
                    if error.is_empty() {
                        suggestions = self.username_suggestions(name).await?;
                    }
                    error.to_owned()
                }
                Err(sentence) => sentence,
            };
            decisions.insert("name".into(), decision.into());
        }
        let username = text(fields, "username", "Username");
        if let Some(username) = username.clone().filter(|_| asked("username")) {
            let decision = match username {
                Ok(username) => match username_error(username, self.settings()) {
                    Some(sentence) => sentence.to_owned(),
                    None if self.username_is_taken(username).await? => {
                        suggestions = self.username_suggestions(username).await?;
                        USERNAME_TAKEN.to_owned()
                    }
                    None => String::new(),
                },
                Err(sentence) => sentence,
            };
            decisions.insert("username".into(), decision.into());
        }
        let email = text(fields, "email", "Email");
        if let Some(email) = email.clone().filter(|_| asked("email")) {
            let decision = match email {
                Ok(email) => match email_error(email) {
                    Some(sentence) => sentence.to_owned(),
                    None if self.email_is_taken(email).await? => EMAIL_TAKEN.to_owned(),
                    None => String::new(),
                },
                Err(sentence) => sentence,
            };
            decisions.insert("email".into(), decision.into());
        }
        if let Some(confirm) =
            text(fields, "confirm_email", "Email").filter(|_| asked("confirm_email"))
        {
            let same = matches!((&confirm, &email), (Ok(a), Some(Ok(b))) if a == b);
            let decision = if same {
                ""
            } else {
                "The email addresses do not match"
            };
            decisions.insert("confirm_email".into(), decision.into());
        }
        if let Some(password) = text(fields, "password", "Password").filter(|_| asked("password")) {
            let decision = match password {
                Ok(password) => {
                    let username = username.and_then(std::result::Result::ok);
                    let email = email.and_then(std::result::Result::ok).unwrap_or_default();
                    let attributes = username
                        .filter(|name| username_error(name, self.settings()).is_none())
                        .map(|username| Attributes {
                            username,
                            email,
                            ..Attributes::default()
                        });
                    broken_rules(&django_compat::ids::nfkc(password), attributes).join(" ")
                }
                Err(sentence) => sentence,
            };
            decisions.insert("password".into(), decision.into());
        }
        if let Some(country) = text(fields, "country", "Country").filter(|_| asked("country")) {
            let decision = match country {
                Ok("" | "--") => COUNTRY.to_owned(),
                Ok(_) => String::new(),
                Err(sentence) => sentence,
            };
            decisions.insert("country".into(), decision.into());
        }
        let mut body = Map::new();
        body.insert("validation_decisions".into(), Value::Object(decisions));
        if !suggestions.is_empty() {
            body.insert("username_suggestions".into(), suggestions.into());
        }
        Ok(Reply::rest(200, Value::Object(body)))
    }
}

fn name_error(name: &str) -> &'static str {
    if name.trim().is_empty() {
        "Enter your full name"
    } else if name.chars().count() > MAX_NAME {
        "Full name can't be longer than 255 symbols"
    } else if has_markup(name) || name.contains("://") {
        "Enter a valid name"
    } else {
        ""
    }
}

fn email_error(email: &str) -> Option<&'static str> {
    let length = email.chars().count();
    if length < 3 {
        Some("Enter a valid email address that contains at least 3 characters.")
    } else if length > MAX_EMAIL {
        Some("Email cannot be more than 254 characters long")
    } else if !is_valid_email(email) {
        Some("Enter a valid email address")
    } else {
        None
    }
}
