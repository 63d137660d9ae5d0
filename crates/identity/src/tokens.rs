//! JSON web tokens: keys, making and verifying (contracts/identity.md §5).

use chrono::{DateTime, Utc};
use django_compat::jwt::{self, ClaimsRequest, JwtUser, Key, SigningKey, build_claims, header_for};
use records::users;
use serde_json::{Map, Value};

use crate::oauth::{Application, NewTokens};
use crate::{Error, Identity, JwtSettings, Result, User};

/// Scopes of login cookies.
const COOKIE_SCOPES: [&str; 3] = ["user_id", "email", "profile"];

/// Keys of JSON web tokens.
#[derive(Debug)]
pub struct JwtKeys {
    symmetric: SigningKey,
    asymmetric: Option<SigningKey>,
    public: Vec<Key>,
    public_set: Option<Value>,
}

impl JwtKeys {
    /// Reads the configured keys. A private key without a public set publishes its own public half.
    ///
    /// # Errors
    /// [`Error::Settings`] when the private JWK is unusable.
    pub fn from_settings(settings: &JwtSettings) -> Result<Self> {
        let asymmetric = settings
            .private_signing_jwk
            .as_ref()
            .map(SigningKey::from_private_jwk)
            .transpose()
            .map_err(|_| {
                Error::Settings("JWT_PRIVATE_SIGNING_JWK: not a complete private RSA JWK".into())
            })?;
        let public_set = settings.public_signing_jwk_set.clone().or_else(|| {
            let private = settings.private_signing_jwk.as_ref()?;
            Some(serde_json::json!({ "keys": [jwt::public_jwk(private)] }))
        });
        Ok(Self {
            symmetric: SigningKey::Secret(settings.secret_key.as_bytes().to_vec()),
            asymmetric,
            public: public_set.as_ref().map(jwt::key_set).unwrap_or_default(),
            public_set,
        })
    }

    /// `GET /auth/jwks.json`: the set, or none for 400 `{"error":"JWK set is not found"}`.
    #[must_use]
    pub fn public_set(&self) -> Option<&Value> {
        self.public_set.as_ref()
    }

    fn signing(&self, asymmetric: bool) -> &SigningKey {
        match (&self.asymmetric, asymmetric) {
            (Some(key), true) => key,
            _ => &self.symmetric,
        }
    }
}

/// What a token is to say beyond its user.
#[derive(Debug, Clone)]
pub(crate) struct JwtRequest<'a> {
    pub scopes: &'a [String],
    pub grant_type: &'a str,
    pub filters: &'a [String],
    pub is_restricted: bool,
    pub asymmetric: bool,
    pub expires_in: Option<i64>,
}

impl Identity {
    /// Makes and signs a token for a user.
    pub(crate) async fn make_jwt(
        &self,
        user: &User,
        request: &JwtRequest<'_>,
        now: DateTime<Utc>,
    ) -> Result<String> {
        let settings = &self.settings().jwt;
        let sub = self.anonymous_user_id(user.id, None).await?;
        let name = if request.scopes.iter().any(|scope| scope == "profile") {
            users::profile(self.db(), user.id)
                .await?
                .map(|profile| profile.name)
        } else {
            None
        };
        let key = self.jwt_keys().signing(
            request.asymmetric || request.is_restricted || settings.force_create_asymmetric,
        );
        let claims = build_claims(&ClaimsRequest {
            user: JwtUser {
                id: user.id,
                username: &user.username,
                email: &user.email,
                first_name: &user.first_name,
                last_name: &user.last_name,
                name: name.as_deref(),
                is_staff: user.is_staff,
                is_superuser: user.is_superuser,
                is_active: user.is_active,
            },
            scopes: Some(request.scopes),
            grant_type: request.grant_type,
            expires_in: request.expires_in,
            default_expiration: settings.access_token_expire_seconds,
            is_restricted: request.is_restricted,
            filters: Some(request.filters),
            roles: &[],
            sub: &sub,
            audience: &settings.audience,
            issuer: &settings.issuer,
            now: now.timestamp(),
        });
        Ok(jwt::encode(
            &header_for(key, settings.add_kid_header),
            &claims,
            key,
        )?)
    }

    /// The token of login cookies, with its access and refresh rows.
    pub(crate) async fn cookie_jwt(
        &self,
        user: &User,
        application: &Application,
        now: DateTime<Utc>,
    ) -> Result<String> {
        let scopes = COOKIE_SCOPES.map(str::to_owned);
        let tokens = NewTokens {
            application_id: application.id,
            user_id: user.id,
            scope: scopes.join(" "),
            expires_in: self.settings().jwt.in_cookie_expiration,
            refreshable: true,
            expired: false,
        };
        self.store_tokens(&tokens, now).await?;
        let request = JwtRequest {
            scopes: &scopes,
            grant_type: "password",
            filters: &["user:me".to_owned()],
            is_restricted: false,
            asymmetric: true,
            expires_in: None,
        };
        self.make_jwt(user, &request, now).await
    }

    /// Verifies a token as every service of the platform does, and gives its claims.
    ///
    /// # Errors
    /// The class of the failed check; clients see one and the same refusal.
    pub fn verify_jwt(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<Map<String, Value>, jwt::TokenError> {
        let settings = &self.settings().jwt;
        let mut issuers = vec![settings.issuer.as_str()];
        issuers.extend(settings.issuers.iter().map(String::as_str));
        jwt::verify(
            token,
            &self.jwt_keys().public,
            settings.secret_key.as_bytes(),
            &settings.audience,
            &issuers,
            now.timestamp_micros() as f64 / 1e6,
        )
    }
}
