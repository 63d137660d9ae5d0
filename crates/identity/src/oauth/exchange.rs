//! Other credentials into tokens or sessions: `/oauth2/exchange_access_token/<backend>/` and `/oauth2/login/`
//! (contracts/identity.md §4.5).

use chrono::{DateTime, Utc};
use django_compat::pyjson::Style;
use serde_json::{Value, json};

use super::store::NewTokens;
use super::token::{Granted, TokenRequest};
use super::{DEFAULT_SCOPES, FURTHER_SCOPES, application_by_client_id};
use crate::session::Session;
use crate::third_party::Backend;
use crate::{Credentials, Identity, Reply, Result, Via, authenticator_sets};

/// Lifetime of a session made from a token, seconds.
const SESSION_AGE: i64 = 1_209_600;

fn refuse(error: &str, description: &str) -> Reply {
    let body = json!({ "error": error, "error_description": description });
    Reply::json(400, body, Style::DEFAULT)
}

impl Identity {
    /// A third party's access token into one of ours. 404 for an unknown backend; always with a refresh token.
    pub async fn exchange_access_token(
        &self,
        backend: &str,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if Backend::by_name(backend).is_none() {
            return Ok(Reply::empty(404));
        }
        let form = request.form;
        let token = form.text("access_token");
        if token.is_empty() {
            return Ok(refuse("invalid_request", "access_token is required"));
        }
        let scope = form.text("scope");
        let unknown = scope
            .split_whitespace()
            .find(|scope| !DEFAULT_SCOPES.contains(scope) && !FURTHER_SCOPES.contains(scope));
        if let Some(unknown) = unknown {
            let text = format!("'{unknown}' is not a valid scope.");
            return Ok(refuse("invalid_request", &text));
        }
        let client_id = form.text("client_id");
        if client_id.is_empty() {
            return Ok(refuse("invalid_request", "client_id is required"));
        }
        if self.provider(backend).await?.is_none() {
            let text = format!("{backend} is not a supported provider");
            return Ok(refuse("invalid_request", &text));
        }
        let Some(client) = application_by_client_id(self.db(), client_id).await? else {
            return Ok(refuse(
                "invalid_client",
                &format!("{client_id} is not a valid client_id"),
            ));
        };
        if !client.is_public() {
            return Ok(refuse(
                "invalid_client",
                &format!("{client_id} is not a public client"),
            ));
        }
        let person = self.person_of_token(backend, token).await?;
        let user = match &person {
            Some(person) => self.linked_user(backend, &person.uid).await?,
            None => None,
        };
        let Some(user) = user else {
            return Ok(refuse("invalid_grant", "access_token is not valid"));
        };
        let account = self.account_by_id(user.id).await?;
        if account.is_none_or(|account| account.is_closed()) {
            let body = json!({
                "error": "account_disabled",
                "error_description": "user account is disabled",
                "error_code": 403,
            });
            return Ok(Reply::json(403, body, Style::DEFAULT));
        }
        let scope = scope.split_whitespace().collect::<Vec<_>>().join(" ");
        let granted = Granted {
            application: client,
            user,
            scope,
            refreshable: true,
        };
        let new: NewTokens = granted.new_tokens(self, request);
        let tokens = self.store_tokens(&new, now).await?;
        self.token_reply(&granted, &tokens, request, now).await
    }

    /// A token into a session: 204 with the session cookie, or 401.
    pub async fn login_with_token(
        &self,
        authorization: Option<&str>,
        session: Option<Session>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let credentials = Credentials {
            authorization,
            ..Credentials::default()
        };
        let set = authenticator_sets::TOKEN_TO_SESSION;
        let found = match self.authenticate_request(&credentials, set, now).await? {
            Ok(found) => found,
            Err(refusal) => return Ok(refusal.reply()),
        };
        let refuse = |code: &str, text: &str| {
            let body = json!({ "error_code": code, "developer_message": text });
            Ok(Reply::rest(401, body))
        };
        if !django_compat::passwords::is_usable(&found.user.password) {
            return refuse("account_disabled", "User account is disabled.");
        }
        let supported = match &found.via {
            Via::Jwt(claims) => {
                if claims.get("grant_type").and_then(Value::as_str) != Some("password") {
                    false
                } else if Self::is_symmetric(authorization) {
                    return refuse(
                        "non_asymmetric_token",
                        "Only an asymmetric token is accepted.",
                    );
                } else {
                    true
                }
            }
            Via::Bearer {
                application_id: Some(id),
                ..
            } => {
                let row = self
                    .db()
                    .read_one(
                        "SELECT authorization_grant_type, skip_authorization \
                         FROM oauth2_provider_application WHERE id = ?",
                        &db::params![*id],
                    )
                    .await?;
                match row {
                    Some(row) => {
                        row.text("authorization_grant_type")? == "password"
                            || row.bool("skip_authorization")?
                    }
                    None => false,
                }
            }
            _ => false,
        };
        if !supported {
            let text = "Only tokens of the password grant are accepted.";
            return refuse("non_supported_token", text);
        }
        let session = self
            .start_login(session, &found.user, SESSION_AGE, now)
            .await?;
        Ok(Reply::empty(204).cookies(self.session_cookie(&session, now)?))
    }

    fn is_symmetric(authorization: Option<&str>) -> bool {
        authorization
            .and_then(|header| header.split_whitespace().nth(1))
            .and_then(|token| django_compat::jwt::header(token).ok())
            .and_then(|header| header.get("alg").and_then(Value::as_str).map(str::to_owned))
            .is_none_or(|algorithm| algorithm.starts_with("HS"))
    }

    /// `GET /auth/jwks.json`: the public keys, or 400.
    #[must_use]
    pub fn jwks(&self) -> Reply {
        match self.jwt_keys().public_set() {
            Some(set) => Reply::platform(200, set.clone()),
            None => Reply::platform(400, json!({ "error": "JWK set is not found" })),
        }
    }
}
