//! Calls to a provider: discovery, token, userinfo, keys.

use chrono::{DateTime, Utc};
use db::params;
use django_compat::encoding::{b64_encode, b64u_encode, sha256};
use django_compat::jwt::{self, Algorithm, Key, Requirements};
use django_compat::signing::constant_time_eq;
use serde_json::{Map, Value, json};

use super::config::{Backend, Provider};
use super::http::HttpRequest;
use super::storage::Pipeline;
use crate::{Identity, Result};

/// Oldest id token that is accepted, seconds.
const ID_TOKEN_MAX_AGE: f64 = 600.0;
/// Characters of a nonce.
pub(super) const NONCE_LENGTH: usize = 64;

/// Addresses of a provider.
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoints {
    pub authorization: String,
    token: String,
    userinfo: String,
    jwks: String,
    issuer: String,
    /// Ways in which the token endpoint wants the client to show who it is.
    token_auth_methods: Vec<String>,
}

/// Why a provider could not be used; the text is shown to the user.
pub(super) type Failure = String;

impl Identity {
    async fn fetch(&self, request: HttpRequest) -> std::result::Result<Value, Failure> {
        let Some(outgoing) = self.outgoing() else {
            tracing::error!("no outgoing HTTP client is set");
            return Err("Authentication failed: the provider cannot be reached.".into());
        };
        let url = request.url.clone();
        let response = outgoing.send(request).await.map_err(|error| {
            tracing::warn!(%url, %error, "identity provider not reached");
            "Authentication failed: the provider cannot be reached.".to_owned()
        })?;
        let body = serde_json::from_slice::<Value>(&response.body).unwrap_or(Value::Null);
        if !(200..300).contains(&response.status) {
            tracing::warn!(%url, status = response.status, "identity provider refused");
            let code = body
                .get("error")
                .and_then(Value::as_str)
                .unwrap_or("refused")
                .to_owned();
            return Err(format!("Token error: {code}"));
        }
        Ok(body)
    }

    fn get(url: &str, bearer: Option<&str>) -> HttpRequest {
        let mut headers = vec![("Accept", "application/json".to_owned())];
        if let Some(token) = bearer {
            headers.push(("Authorization", format!("Bearer {token}")));
        }
        HttpRequest {
            url: url.to_owned(),
            headers,
            form: None,
        }
    }

    /// The provider's addresses: configured ones win over discovered ones.
    pub(super) async fn endpoints(
        &self,
        provider: &Provider,
    ) -> std::result::Result<Endpoints, Failure> {
        let discovery = provider
            .setting("DISCOVERY_URL")
            .map(str::to_owned)
            .or_else(|| {
                let base = provider.setting("OIDC_ENDPOINT")?;
                Some(format!(
                    "{}/.well-known/openid-configuration",
                    base.trim_end_matches('/')
                ))
            });
        let document = match discovery {
            Some(url) => self.fetch(Self::get(&url, None)).await?,
            None => Value::Null,
        };
        let found = |setting: &str, name: &str| {
            provider
                .setting(setting)
                .or_else(|| document.get(name).and_then(Value::as_str))
                .unwrap_or_default()
                .to_owned()
        };
        let mut endpoints = Endpoints {
            authorization: found("AUTHORIZATION_URL", "authorization_endpoint"),
            token: found("ACCESS_TOKEN_URL", "token_endpoint"),
            userinfo: found("USERINFO_URL", "userinfo_endpoint"),
            jwks: found("JWKS_URI", "jwks_uri"),
            issuer: found("ID_TOKEN_ISSUER", "issuer"),
            token_auth_methods: document
                .get("token_endpoint_auth_methods_supported")
                .and_then(Value::as_array)
                .map(|list| {
                    list.iter()
                        .filter_map(|m| m.as_str().map(str::to_owned))
                        .collect()
                })
                .unwrap_or_default(),
        };
        if endpoints.userinfo.is_empty()
            && let Some(root) = provider.setting("API_ROOT")
        {
            endpoints.userinfo = format!("{root}api/users/me");
        }
        if endpoints.authorization.is_empty() || endpoints.token.is_empty() {
            return Err("Authentication failed: the provider is not configured.".into());
        }
        Ok(endpoints)
    }

    /// Where the provider sends the browser back to.
    pub(super) fn complete_url(&self, backend: Backend, state: &str) -> String {
        let base = self
            .settings()
            .absolute(&format!("/auth/complete/{}/", backend.name()));
        match backend {
            Backend::OlOauth2 => format!("{base}?redirect_state={state}"),
            Backend::Oidc => base,
        }
    }

    /// Redeems a code and asks who it stands for.
    pub(super) async fn redeem(
        &self,
        provider: &Provider,
        backend: Backend,
        code: &str,
        state: &str,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<Pipeline, Failure>> {
        let endpoints = match self.endpoints(provider).await {
            Ok(endpoints) => endpoints,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut form = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", self.complete_url(backend, state)),
        ];
        let mut headers = vec![("Accept", "application/json".to_owned())];
        if backend == Backend::Oidc && uses_basic(provider, &endpoints) {
            let quote = django_compat::encoding::quote_plus;
            let pair = format!("{}:{}", quote(&provider.key), quote(&provider.secret));
            headers.push((
                "Authorization",
                format!("Basic {}", b64_encode(pair.as_bytes())),
            ));
        } else {
            form.push(("client_id", provider.key.clone()));
            form.push(("client_secret", provider.secret.clone()));
        }
        let request = HttpRequest {
            url: endpoints.token.clone(),
            headers,
            form: Some(form),
        };
        let answer = match self.fetch(request).await {
            Ok(answer) => answer,
            Err(failure) => return Ok(Err(failure)),
        };
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
        let access = text("access_token").to_owned();
        if access.is_empty() {
            return Ok(Err("Token error: no access token".into()));
        }
        let mut claims = Map::new();
        if backend == Backend::Oidc {
            match self
                .id_token(provider, &endpoints, text("id_token"), &access, now)
                .await?
            {
                Ok(verified) => claims = verified,
                Err(failure) => return Ok(Err(failure)),
            }
        }
        let mut pipeline = match self
            .who(&endpoints, backend, provider, &access, &claims)
            .await
        {
            Ok(pipeline) => pipeline,
            Err(failure) => return Ok(Err(failure)),
        };
        pipeline.extra_data = json!({
            "auth_time": now.timestamp(),
            "id": pipeline.uid,
            "access_token": access,
            "refresh_token": answer.get("refresh_token"),
            "token_type": answer.get("token_type"),
            "expires": answer.get("expires_in"),
            "id_token": answer.get("id_token"),
        });
        if let Value::Object(data) = &mut pipeline.extra_data {
            data.retain(|_, value| !value.is_null());
        }
        Ok(Ok(pipeline))
    }

    /// Asks the userinfo address who a token stands for.
    pub(super) async fn who(
        &self,
        endpoints: &Endpoints,
        backend: Backend,
        provider: &Provider,
        access_token: &str,
        claims: &Map<String, Value>,
    ) -> std::result::Result<Pipeline, Failure> {
        let answer = if endpoints.userinfo.is_empty() {
            Value::Null
        } else {
            self.fetch(Self::get(&endpoints.userinfo, Some(access_token)))
                .await?
        };
        if backend == Backend::Oidc
            && let (Some(a), Some(b)) = (answer.get("sub"), claims.get("sub"))
            && a != b
        {
            return Err("Token error: userinfo is of somebody else".into());
        }
        let text = |name: &str| {
            answer
                .get(name)
                .or_else(|| claims.get(name))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (id_key, username_key) = match backend {
            Backend::OlOauth2 => ("username", "username"),
            Backend::Oidc => (
                provider.setting("ID_KEY").unwrap_or("sub"),
                provider
                    .setting("USERNAME_KEY")
                    .unwrap_or("preferred_username"),
            ),
        };
        let pipeline = Pipeline {
            backend: backend.name().to_owned(),
            uid: text(id_key),
            username: text(username_key),
            email: text("email"),
            // MIT's backend gives `name`, which the profile's sync does not look at (mitxonline.md §2.2).
            fullname: if backend == Backend::Oidc {
                text("name")
            } else {
                String::new()
            },
            first_name: text("given_name"),
            last_name: text("family_name"),
            extra_data: json!({}),
            auth_entry: None,
            user_id: None,
        };
        if pipeline.uid.is_empty() || pipeline.uid.len() > 255 {
            return Err("Authentication failed: the provider does not say who you are.".into());
        }
        Ok(pipeline)
    }

    /// Verifies an id token: signature by a key of the provider, issuer, audience, times, nonce and at_hash.
    async fn id_token(
        &self,
        provider: &Provider,
        endpoints: &Endpoints,
        token: &str,
        access_token: &str,
        now: DateTime<Utc>,
    ) -> Result<std::result::Result<Map<String, Value>, Failure>> {
        let bad = |what: &str| Ok(Err(format!("Token error: {what}")));
        let Ok(header) = jwt::header(token) else {
            return bad("Invalid id_token");
        };
        let set = match self.fetch(Self::get(&endpoints.jwks, None)).await {
            Ok(set) => set,
            Err(failure) => return Ok(Err(failure)),
        };
        let kid = header.get("kid").and_then(Value::as_str);
        let keys: Vec<Key> = set
            .get("keys")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|key| {
                let id = key.get("kid").and_then(Value::as_str);
                kid.is_none() || id.is_none() || id == kid
            })
            .filter(|key| key.get("kty").and_then(Value::as_str) == Some("RSA"))
            .filter_map(|key| Key::from_jwk(key).ok())
            .collect();
        let algorithms: Vec<Algorithm> = provider
            .other
            .get("JWT_ALGORITHMS")
            .and_then(Value::as_array)
            .map(|names| {
                names
                    .iter()
                    .filter_map(|n| Algorithm::by_name(n.as_str()?))
                    .collect::<Vec<_>>()
            })
            .filter(|list| !list.is_empty())
            .unwrap_or_else(|| vec![Algorithm::Rs256]);
        let seconds = now.timestamp_micros() as f64 / 1e6;
        let requirements = Requirements {
            algorithms: &algorithms,
            audience: &provider.key,
            issuer: Some(&endpoints.issuer),
            leeway: 0.0,
            now: seconds,
            require: &["exp", "iat", "sub"],
        };
        let verified = keys
            .iter()
            .find_map(|key| jwt::verify_with_key(token, key, &requirements).ok());
        let Some(claims) = verified else {
            return bad("Signature verification failed");
        };
        let issued = claims
            .get("iat")
            .and_then(Value::as_f64)
            .unwrap_or_default();
        if issued < seconds - ID_TOKEN_MAX_AGE {
            return bad("Incorrect id_token: iat");
        }
        if let Some(hash) = claims.get("at_hash").and_then(Value::as_str) {
            let digest = sha256(access_token.as_bytes());
            let half = b64u_encode(digest.get(..16).unwrap_or_default());
            // The hash is the signature's; only SHA-256 ones can be compared here.
            if header.get("alg").and_then(Value::as_str) == Some("RS256")
                && !constant_time_eq(hash, &half)
            {
                return bad("Invalid access token");
            }
        }
        let nonce = claims
            .get("nonce")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if nonce.is_empty() || !self.consume_nonce(&endpoints.authorization, nonce).await? {
            return bad("Incorrect id_token: nonce");
        }
        Ok(Ok(claims))
    }

    /// Stores the nonce of a sign-in.
    pub(super) async fn save_nonce(&self, server_url: &str, nonce: &str) -> Result<()> {
        self.db()
            .execute(
                "INSERT INTO social_auth_association (server_url, handle, secret, issued, \
                 lifetime, assoc_type) VALUES (?, ?, '', 0, 0, ?)",
                &params![server_url, nonce, "state"],
            )
            .await?;
        Ok(())
    }

    /// Takes a nonce away; whether it was there. A second use finds none.
    async fn consume_nonce(&self, server_url: &str, nonce: &str) -> Result<bool> {
        let taken = self
            .db()
            .execute(
                "DELETE FROM social_auth_association WHERE server_url = ? AND handle = ?",
                &params![server_url, nonce],
            )
            .await?;
        Ok(taken > 0)
    }
}

/// Whether the token endpoint wants the client's id and secret in the Authorization header.
fn uses_basic(provider: &Provider, endpoints: &Endpoints) -> bool {
    match provider.setting("TOKEN_ENDPOINT_AUTH_METHOD") {
        Some(method) => method == "client_secret_basic",
        None => {
            endpoints.token_auth_methods.is_empty()
                || endpoints
                    .token_auth_methods
                    .iter()
                    .any(|m| m == "client_secret_basic")
        }
    }
}
