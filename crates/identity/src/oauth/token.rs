//! `POST /oauth2/access_token` (contracts/identity.md §4.3).

use chrono::{DateTime, Utc};
use db::params;
use django_compat::encoding::b64u_encode;
use django_compat::jwt::granted_scopes;
use django_compat::pyjson::Style;
use django_compat::signing::constant_time_eq;
use serde_json::{Map, Value, json};

use super::store::{
    NewTokens, Tokens, delete_access_token, draw_tokens, grant, insert_tokens, refresh_token,
};
use super::{Application, DEFAULT_SCOPES, OAuthError, no_store};
use crate::tokens::JwtRequest;
use crate::{Form, Identity, Reply, Result, User};

/// A POST to the token endpoint.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// Form fields; a JSON body acts as an empty form.
    pub form: &'a Form,
    /// Authorization header.
    pub authorization: Option<&'a str>,
    /// Whether the URL has a query string, which is refused.
    pub has_query: bool,
    /// Header X-Token-Type.
    pub token_type: Option<&'a str>,
}

/// What was granted, before it is stored.
pub(super) struct Granted {
    pub application: Application,
    pub user: User,
    pub scope: String,
    pub refreshable: bool,
}

impl Identity {
    /// The token endpoint: 200 with the token, or [`OAuthError`]'s reply. 405 for other methods (Allow: POST,
    /// OPTIONS) is the router's.
    pub async fn access_token(
        &self,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        Ok(match self.grant_token(request, now).await? {
            Ok(reply) => reply,
            Err(error) => error.reply(),
        })
    }

    async fn grant_token(
        &self,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<Reply, OAuthError>> {
        if request.has_query {
            return Ok(Err(OAuthError::described(
                "invalid_request",
                "URL query parameters are not allowed",
            )));
        }
        match request.form.text("grant_type") {
            "client_credentials" => self.by_client_credentials(request, now).await,
            "password" => self.by_password(request, now).await,
            "authorization_code" => self.by_code(request, now).await,
            "refresh_token" => self.by_refresh_token(request, now).await,
            _ => Ok(Err(OAuthError::new("unsupported_grant_type"))),
        }
    }

    async fn by_client_credentials(
        &self,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<Reply, OAuthError>> {
        let client = match self
            .client(request.authorization, request.form, false)
            .await?
        {
            Ok(client) => client,
            Err(error) => return Ok(Err(error)),
        };
        if client.grant_type != "client-credentials" {
            return Ok(Err(OAuthError::UNAUTHORIZED_CLIENT));
        }
        let mut scope = match scope_of(request.form, &client) {
            Ok(scope) => scope,
            Err(error) => return Ok(Err(error)),
        };
        if client.access_scopes.iter().any(|s| s == "user_id")
            && !scope.split(' ').any(|s| s == "user_id")
        {
            scope.push_str(" user_id");
        }
        let owner = match client.user_id {
            Some(id) => records::users::by_id(self.db(), id).await?,
            None => None,
        };
        let Some(user) = owner else {
            return Ok(Err(OAuthError::INVALID_GRANT));
        };
        let granted = Granted {
            application: client,
            user,
            scope,
            refreshable: false,
        };
        let tokens = self
            .store_tokens(&granted.new_tokens(self, request), now)
            .await?;
        Ok(Ok(self
            .token_reply(&granted, &tokens, request, now)
            .await?))
    }

    async fn by_password(
        &self,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<Reply, OAuthError>> {
        let client = match self
            .client(request.authorization, request.form, true)
            .await?
        {
            Ok(client) => client,
            Err(error) => return Ok(Err(error)),
        };
        let (name, password) = (request.form.text("username"), request.form.text("password"));
        if name.is_empty() {
            return Ok(Err(missing("Request is missing username parameter.")));
        }
        if password.is_empty() {
            return Ok(Err(missing("Request is missing password parameter.")));
        }
        let Some(user) = self.authenticate(name, password).await? else {
            return Ok(Err(OAuthError::described(
                "invalid_grant",
                "Invalid credentials given.",
            )));
        };
        if client.grant_type != "password" {
            return Ok(Err(OAuthError::UNAUTHORIZED_CLIENT));
        }
        let scope = match scope_of(request.form, &client) {
            Ok(scope) => scope,
            Err(error) => return Ok(Err(error)),
        };
        let granted = Granted {
            application: client,
            user,
            scope,
            refreshable: true,
        };
        let tokens = self
            .store_tokens(&granted.new_tokens(self, request), now)
            .await?;
        Ok(Ok(self
            .token_reply(&granted, &tokens, request, now)
            .await?))
    }

    async fn by_code(
        &self,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<Reply, OAuthError>> {
        let code = request.form.text("code");
        if code.is_empty() {
            return Ok(Err(missing("Missing code parameter.")));
        }
        let client = match self
            .client(request.authorization, request.form, true)
            .await?
        {
            Ok(client) => client,
            Err(error) => return Ok(Err(error)),
        };
        if client.grant_type != "authorization-code" {
            return Ok(Err(OAuthError::UNAUTHORIZED_CLIENT));
        }
        let Some(stored) = grant(self.db(), code, client.id, now).await? else {
            return Ok(Err(OAuthError::INVALID_GRANT));
        };
        if !stored.code_challenge.is_empty() {
            let verifier = request.form.text("code_verifier");
            if verifier.is_empty() {
                return Ok(Err(missing("Code verifier required.")));
            }
            let given = match stored.code_challenge_method.as_str() {
                "S256" => b64u_encode(&django_compat::encoding::sha256(verifier.as_bytes())),
                _ => verifier.to_owned(),
            };
            if !constant_time_eq(&given, &stored.code_challenge) {
                return Ok(Err(OAuthError::INVALID_GRANT));
            }
        }
        match request
            .form
            .get("redirect_uri")
            .filter(|uri| !uri.is_empty())
        {
            Some(uri) if uri != stored.redirect_uri => {
                return Ok(Err(missing("Mismatching redirect URI.")));
            }
            None if client.redirect_uris.split_whitespace().count() != 1 => {
                return Ok(Err(missing("Missing redirect URI.")));
            }
            _ => {}
        }
        let Some(user) = records::users::by_id(self.db(), stored.user_id).await? else {
            return Ok(Err(OAuthError::INVALID_GRANT));
        };
        let granted = Granted {
            application: client,
            user,
            scope: stored.scope.clone(),
            refreshable: true,
        };
        let new = granted.new_tokens(self, request);
        let tokens = draw_tokens(true)?;
        let (new, shared, grant_id) = (&new, &tokens, stored.id);
        let redeemed = self
            .db()
            .write(|mut tx| async move {
                // Whoever deletes the row has the code; a second use finds nothing to delete.
                let deleted = tx
                    .execute(
                        "DELETE FROM oauth2_provider_grant WHERE id = ?",
                        &params![grant_id],
                    )
                    .await?;
                if deleted == 1 {
                    insert_tokens(&mut tx, new, shared, None, now).await?;
                }
                Ok::<_, db::Error>(deleted == 1)
            })
            .await?;
        if !redeemed {
            return Ok(Err(OAuthError::INVALID_GRANT));
        }
        Ok(Ok(self
            .token_reply(&granted, &tokens, request, now)
            .await?))
    }

    async fn by_refresh_token(
        &self,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<Reply, OAuthError>> {
        let token = request.form.text("refresh_token");
        if token.is_empty() {
            return Ok(Err(missing("Missing refresh token parameter.")));
        }
        let client = match self
            .client(request.authorization, request.form, true)
            .await?
        {
            Ok(client) => client,
            Err(error) => return Ok(Err(error)),
        };
        if !matches!(
            client.grant_type.as_str(),
            "authorization-code" | "password" | "client-credentials"
        ) {
            return Ok(Err(OAuthError::UNAUTHORIZED_CLIENT));
        }
        let Some(old) = refresh_token(self.db(), token, client.id).await? else {
            return Ok(Err(OAuthError::INVALID_GRANT));
        };
        let scope = match request.form.get("scope").filter(|scope| !scope.is_empty()) {
            Some(scope) => {
                let allowed: Vec<&str> = old.scope.split(' ').collect();
                if !scope.split(' ').all(|part| allowed.contains(&part)) {
                    return Ok(Err(OAuthError::INVALID_SCOPE));
                }
                scope.to_owned()
            }
            None => old.scope.clone(),
        };
        let Some(account) = self.account_by_id(old.user_id).await? else {
            return Ok(Err(OAuthError::INVALID_GRANT));
        };
        if account.is_closed() {
            return Ok(Err(OAuthError::INVALID_GRANT));
        }
        let granted = Granted {
            application: client,
            user: account.user,
            scope,
            refreshable: true,
        };
        let new = granted.new_tokens(self, request);
        let tokens = draw_tokens(true)?;
        let (new, shared, old) = (&new, &tokens, &old);
        let rotated = self
            .db()
            .write(|mut tx| async move {
                let revoked = tx
                    .execute(
                        "UPDATE oauth2_provider_refreshtoken SET revoked = ?, updated = ? \
                         WHERE id = ? AND revoked IS NULL",
                        &params![now.naive_utc(), now.naive_utc(), old.id],
                    )
                    .await?;
                if revoked == 1 {
                    delete_access_token(&mut tx, old.access_token_id).await?;
                    insert_tokens(&mut tx, new, shared, Some(old.id), now).await?;
                }
                Ok::<_, db::Error>(revoked == 1)
            })
            .await?;
        if !rotated {
            return Ok(Err(OAuthError::INVALID_GRANT));
        }
        Ok(Ok(self
            .token_reply(&granted, &tokens, request, now)
            .await?))
    }

    pub(super) async fn token_reply(
        &self,
        granted: &Granted,
        tokens: &Tokens,
        request: &TokenRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let settings = self.settings();
        let application = &granted.application;
        let mut body = Map::new();
        if wants_jwt(request) {
            let scopes: Vec<String> = granted.scope.split(' ').map(str::to_owned).collect();
            let scopes = granted_scopes(&scopes, &application.grant_type);
            let token = self
                .make_jwt(
                    &granted.user,
                    &JwtRequest {
                        scopes: &scopes,
                        grant_type: &application.grant_type,
                        filters: &application.filters(),
                        is_restricted: application.is_restricted,
                        asymmetric: !request.form.text("asymmetric_jwt").is_empty(),
                        expires_in: None,
                    },
                    now,
                )
                .await?;
            body.insert("access_token".into(), token.into());
            body.insert(
                "expires_in".into(),
                json!(settings.jwt.access_token_expire_seconds),
            );
            body.insert("token_type".into(), "JWT".into());
            body.insert("scope".into(), scopes.join(" ").into());
        } else {
            body.insert("access_token".into(), tokens.access.clone().into());
            let expires_in = if application.is_restricted {
                json!(-(now.timestamp_micros() as f64 / 1e6))
            } else {
                json!(settings.access_token_expire_seconds)
            };
            body.insert("expires_in".into(), expires_in);
            body.insert("token_type".into(), "Bearer".into());
            body.insert("scope".into(), granted.scope.clone().into());
        }
        if let Some(refresh) = &tokens.refresh {
            body.insert("refresh_token".into(), refresh.clone().into());
        }
        Ok(no_store(Reply::json(
            200,
            Value::Object(body),
            Style::DEFAULT,
        )))
    }
}

impl Granted {
    pub(super) fn new_tokens(&self, identity: &Identity, request: &TokenRequest<'_>) -> NewTokens {
        NewTokens {
            application_id: self.application.id,
            user_id: self.user.id,
            scope: self.scope.clone(),
            expires_in: identity.settings().access_token_expire_seconds,
            refreshable: self.refreshable,
            expired: self.application.is_restricted
                && !request.form.text("token_type").eq_ignore_ascii_case("jwt"),
        }
    }
}

const fn missing(description: &'static str) -> OAuthError {
    OAuthError::described("invalid_request", description)
}

fn wants_jwt(request: &TokenRequest<'_>) -> bool {
    let asked = request.form.get("token_type").or(request.token_type);
    asked.is_some_and(|kind| kind.eq_ignore_ascii_case("jwt"))
}

/// The scope of a request: absent means all defaults; it is kept as sent.
fn scope_of(form: &Form, client: &Application) -> Result<String, OAuthError> {
    let Some(scope) = form.get("scope") else {
        return Ok(DEFAULT_SCOPES.join(" "));
    };
    if client.allows_scopes(scope.split(' ')) {
        Ok(scope.to_owned())
    } else {
        Err(OAuthError::INVALID_SCOPE)
    }
}
