//! Settings of accounts, sessions and tokens, under the platform's names in lower case.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::cookies;
use crate::third_party::ThirdPartySettings;

/// Settings of accounts and sessions. Secrets never appear in `Debug`.
#[derive(Clone, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// SECRET_KEY
    pub secret_key: String,
    /// SECRET_KEY_FALLBACKS
    pub secret_key_fallbacks: Vec<String>,
    /// PLATFORM_NAME
    pub platform_name: String,
    /// LMS_ROOT_URL, without a slash at its end.
    pub lms_root_url: String,
    /// STATIC_URL, absolute or a path of the LMS; with a slash at its end.
    pub static_url: String,
    /// SESSION_COOKIE_NAME
    pub session_cookie_name: String,
    /// SESSION_COOKIE_AGE, seconds: lifetime of anonymous sessions and of the cookie's signature.
    pub session_cookie_age: i64,
    /// Lifetime of a login, seconds.
    pub login_session_age: i64,
    /// SESSION_COOKIE_DOMAIN and SHARED_COOKIE_DOMAIN
    pub session_cookie_domain: Option<String>,
    /// AUTHENTICATION_BACKENDS that a session may name.
    pub authentication_backends: Vec<String>,
    /// PBKDF2 rounds of new password hashes.
    pub password_iterations: u32,
    /// FEATURES.PREVENT_CONCURRENT_LOGINS
    pub prevent_concurrent_logins: bool,
    /// FEATURES.ENABLE_MAX_FAILED_LOGIN_ATTEMPTS
    pub enable_max_failed_login_attempts: bool,
    /// MAX_FAILED_LOGIN_ATTEMPTS_ALLOWED
    pub max_failed_login_attempts_allowed: i64,
    /// MAX_FAILED_LOGIN_ATTEMPTS_LOCKOUT_PERIOD_SECS
    pub max_failed_login_attempts_lockout_period_secs: i64,
    /// LOGISTRATION_PER_EMAIL_RATELIMIT_RATE: attempts an account in five minutes.
    pub login_attempts_per_account: u32,
    /// LOGISTRATION_RATELIMIT_RATE: attempts an address in five minutes.
    pub login_attempts_per_ip: u32,
    /// Whether the sign-in pages are a micro-frontend (ENABLE_AUTHN_MICROFRONTEND).
    pub enable_authn_microfrontend: bool,
    /// LOGIN_REDIRECT_WHITELIST
    pub login_redirect_whitelist: Vec<String>,
    /// ACTIVATION_EMAIL_SUPPORT_LINK
    pub activation_email_support_link: String,
    /// ACCOUNT_MICROFRONTEND_URL
    pub account_microfrontend_url: String,
    /// PROFILE_MICROFRONTEND_URL
    pub profile_microfrontend_url: String,
    /// PROFILE_IMAGE_HASH_SEED
    pub profile_image_hash_seed: String,
    /// Base address of uploaded profile images, with a slash at its end.
    pub profile_image_base_url: String,
    /// RETIRED_USER_SALTS, oldest first.
    pub retired_user_salts: Vec<String>,
    /// RETIRED_USERNAME_FMT, with `{}`.
    pub retired_username_fmt: String,
    /// RETIRED_EMAIL_FMT, with `{}`.
    pub retired_email_fmt: String,
    /// FEATURES.ENABLE_UNICODE_USERNAME
    pub enable_unicode_username: bool,
    /// FEATURES.ALLOW_PUBLIC_ACCOUNT_CREATION
    pub allow_public_account_creation: bool,
    /// REGISTRATION_EXTRA_FIELDS: `required`, `optional` or `hidden`; what is not listed has the platform's default.
    pub registration_extra_fields: HashMap<String, String>,
    /// REGISTRATION_VALIDATION_RATELIMIT: calls an address in seven days.
    pub validations_per_ip: Option<u32>,
    /// FEATURES.SKIP_EMAIL_VALIDATION
    pub skip_email_validation: bool,
    /// ACCESS_TOKEN_EXPIRE_SECONDS of the OAuth provider.
    pub access_token_expire_seconds: i64,
    /// EDX_API_KEY; unset accepts nobody.
    pub edx_api_key: Option<String>,
    /// Site configuration `extended_profile_fields`.
    pub extended_profile_fields: Vec<String>,
    /// Waffle switch `enable_secondary_email_feature`.
    pub enable_secondary_email: bool,
    /// FEATURES.ALLOW_EMAIL_ADDRESS_CHANGE
    pub allow_email_address_change: bool,
    /// PARENTAL_CONSENT_AGE_LIMIT
    pub parental_consent_age_limit: i64,
    /// FEATURES.ENABLE_ACCOUNT_DELETION
    pub enable_account_deletion: bool,
    /// RETIREMENT_STATES, in order.
    pub retirement_states: Vec<String>,
    /// RETIREMENT_SERVICE_WORKER_USERNAME
    pub retirement_service_worker_username: String,
    /// USERNAME_REPLACEMENT_WORKER
    pub username_replacement_worker: String,
    /// Names of the cookies of a login.
    pub cookie_names: CookieNames,
    /// Schemes of redirect URIs that OAuth clients may have.
    pub allowed_redirect_uri_schemes: Vec<String>,
    /// Sign-in with other providers.
    pub third_party: ThirdPartySettings,
    /// JWT_AUTH
    pub jwt: JwtSettings,
}

/// Names of the cookies of a login; installations on one domain tell them apart.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub struct CookieNames {
    /// EDXMKTG_LOGGED_IN_COOKIE_NAME
    pub logged_in: String,
    /// EDXMKTG_USER_INFO_COOKIE_NAME
    pub user_info: String,
    /// JWT_AUTH_COOKIE_HEADER_PAYLOAD
    pub jwt_header_payload: String,
    /// JWT_AUTH_COOKIE_SIGNATURE
    pub jwt_signature: String,
    /// JWT_AUTH_COOKIE: both halves joined.
    pub jwt: String,
    /// CSRF_COOKIE_NAME
    pub csrf: String,
}

impl Default for CookieNames {
    fn default() -> Self {
        Self {
            logged_in: cookies::LOGGED_IN.into(),
            user_info: cookies::USER_INFO.into(),
            jwt_header_payload: cookies::JWT_HEADER_PAYLOAD.into(),
            jwt_signature: cookies::JWT_SIGNATURE.into(),
            jwt: cookies::JWT.into(),
            csrf: cookies::CSRF.into(),
        }
    }
}

/// JWT_AUTH and its neighbours.
#[derive(Clone, Deserialize)]
#[serde(default)]
pub struct JwtSettings {
    /// JWT_SECRET_KEY: signs and verifies HS256.
    pub secret_key: String,
    /// JWT_ISSUER
    pub issuer: String,
    /// JWT_AUDIENCE
    pub audience: String,
    /// Further issuers of JWT_ISSUERS whose tokens are accepted.
    pub issuers: Vec<String>,
    /// JWT_PRIVATE_SIGNING_JWK; without it RS512 tokens fall back to HS256.
    pub private_signing_jwk: Option<Value>,
    /// JWT_PUBLIC_SIGNING_JWK_SET, `{"keys": […]}`.
    pub public_signing_jwk_set: Option<Value>,
    /// JWT_ACCESS_TOKEN_EXPIRE_SECONDS
    pub access_token_expire_seconds: i64,
    /// JWT_IN_COOKIE_EXPIRATION
    pub in_cookie_expiration: i64,
    /// JWT_AUTH_ADD_KID_HEADER
    pub add_kid_header: bool,
    /// JWT_AUTH_FORCE_CREATE_ASYMMETRIC
    pub force_create_asymmetric: bool,
    /// JWT_LOGIN_CLIENT_ID
    pub login_client_id: String,
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self {
            secret_key: String::new(),
            issuer: "http://localhost:18000/oauth2".into(),
            audience: "openedx".into(),
            issuers: Vec::new(),
            private_signing_jwk: None,
            public_signing_jwk_set: None,
            access_token_expire_seconds: 3600,
            in_cookie_expiration: 3600,
            add_kid_header: false,
            force_create_asymmetric: false,
            login_client_id: "login-service-client-id".into(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            secret_key: String::new(),
            secret_key_fallbacks: Vec::new(),
            platform_name: "Your Platform Name Here".into(),
            lms_root_url: "http://localhost:18000".into(),
            static_url: "/static/".into(),
            session_cookie_name: "sessionid".into(),
            session_cookie_age: 1_209_600,
            login_session_age: 2_419_200,
            session_cookie_domain: None,
            authentication_backends: vec![
                crate::session::PASSWORD_BACKEND.into(),
                "openedx.core.djangoapps.oauth_dispatch.dot_overrides.backends.EdxRateLimitedAllowAllUsersModelBackend".into(),
                "django.contrib.auth.backends.ModelBackend".into(),
            ],
            password_iterations: django_compat::passwords::DEFAULT_ITERATIONS,
            prevent_concurrent_logins: true,
            enable_max_failed_login_attempts: true,
            max_failed_login_attempts_allowed: 6,
            max_failed_login_attempts_lockout_period_secs: 1800,
            login_attempts_per_account: 30,
            login_attempts_per_ip: 100,
            enable_authn_microfrontend: false,
            login_redirect_whitelist: Vec::new(),
            activation_email_support_link: String::new(),
            account_microfrontend_url: "http://localhost:1997".into(),
            profile_microfrontend_url: "http://localhost:1995".into(),
            profile_image_hash_seed: "placeholder_secret_key".into(),
            profile_image_base_url: "/media/profile-images/".into(),
            retired_user_salts: vec!["abc".into(), "123".into()],
            retired_username_fmt: "retired__user_{}".into(),
            retired_email_fmt: "retired__user_{}@retired.invalid".into(),
            enable_unicode_username: false,
            allow_public_account_creation: true,
            registration_extra_fields: HashMap::new(),
            validations_per_ip: None,
            skip_email_validation: false,
            access_token_expire_seconds: 36_000,
            edx_api_key: None,
            extended_profile_fields: Vec::new(),
            enable_secondary_email: false,
            allow_email_address_change: true,
            parental_consent_age_limit: 13,
            enable_account_deletion: true,
            retirement_states: crate::retirement::DEFAULT_STATES.map(str::to_owned).to_vec(),
            retirement_service_worker_username: "RETIREMENT_SERVICE_USER".into(),
            username_replacement_worker: String::new(),
            cookie_names: CookieNames::default(),
            allowed_redirect_uri_schemes: vec!["http".into(), "https".into()],
            third_party: ThirdPartySettings::default(),
            jwt: JwtSettings::default(),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("platform_name", &self.platform_name)
            .field("lms_root_url", &self.lms_root_url)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for JwtSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtSettings")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// SECRET_KEY and its fallbacks for verifying.
    #[must_use]
    pub fn signing_keys(&self) -> django_compat::signing::Keys<'_> {
        django_compat::signing::Keys {
            secret: &self.secret_key,
            fallbacks: &self.secret_key_fallbacks,
        }
    }

    /// An address of the LMS: what is absolute stays, a path gets LMS_ROOT_URL in front.
    #[must_use]
    pub fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') && !url.starts_with("//") {
            format!("{}{url}", self.lms_root_url)
        } else {
            url.to_owned()
        }
    }

    /// What registration does with a further field: `required`, `optional` or `hidden`.
    #[must_use]
    pub fn extra_field(&self, name: &str) -> &str {
        self.registration_extra_fields.get(name).map_or_else(
            || match name {
                "honor_code" => "required",
                "level_of_education" | "gender" | "year_of_birth" | "mailing_address" | "goals" => {
                    "optional"
                }
                _ => "hidden",
            },
            String::as_str,
        )
    }

    /// Whether the LMS is served over https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.lms_root_url.starts_with("https://")
    }
}
