//! What the crates below want to know, made from the configuration.

use anyhow::Context;
use identity::JwtSettings;

use crate::config::{Config, Secrets};

/// Settings of accounts, sessions and tokens.
pub fn identity(config: &Config, secrets: &Secrets) -> anyhow::Result<identity::Settings> {
    let lms = config.lms_address();
    let issuer = match config.jwt_issuer.as_str() {
        "" => format!("{lms}/oauth2"),
        issuer => issuer.to_owned(),
    };
    let private_signing_jwk = match config.jwt_private_jwk.as_str() {
        "" => None,
        text => Some(serde_json::from_str(text).context("jwt_private_jwk is not JSON")?),
    };
    let address =
        |url: Option<&crate::config::Origin>| url.map(ToString::to_string).unwrap_or_default();
    Ok(identity::Settings {
        secret_key: secrets.secret_key.clone(),
        secret_key_fallbacks: config.secret_key_fallbacks.clone(),
        platform_name: config.platform_name.clone(),
        lms_root_url: lms,
        session_cookie_domain: Some(config.session_cookie_domain.clone())
            .filter(|domain| !domain.is_empty()),
        account_microfrontend_url: address(config.account_url.as_ref()),
        profile_microfrontend_url: address(config.profile_url.as_ref()),
        jwt: JwtSettings {
            secret_key: secrets.jwt_secret_key.clone(),
            issuer,
            audience: config.jwt_audience.clone(),
            private_signing_jwk,
            ..JwtSettings::default()
        },
        ..identity::Settings::default()
    })
}

/// Settings of authors' scripts.
pub fn sandbox(config: &Config) -> sandbox::Settings {
    sandbox::Settings {
        python: config.sandbox_python.clone(),
        user: config.sandbox_user.clone(),
        require: config.sandbox_require.clone(),
        ..sandbox::Settings::default()
    }
}
