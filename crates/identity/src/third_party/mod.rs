//! Signing in with another provider: OAuth2 and OpenID Connect (contracts/identity.md §10, mitxonline.md §2).

mod api;
mod config;
mod http;
mod pipeline;
mod provider;
mod storage;

pub use config::{Backend, Provider};
pub use http::{HttpRequest, HttpResponse, Outgoing};
pub use pipeline::{CompleteRequest, SocialOutcome};
pub use storage::Pipeline;

use serde::Deserialize;
use std::collections::HashMap;

/// Settings of third-party sign-in.
#[derive(Clone, Deserialize)]
#[serde(default)]
pub struct ThirdPartySettings {
    /// FEATURES.ENABLE_THIRD_PARTY_AUTH
    pub enabled: bool,
    /// The site whose provider rows count.
    pub site_id: i64,
    /// SOCIAL_AUTH_OAUTH_SECRETS: secrets by backend, for rows that hold none.
    pub secrets: HashMap<String, String>,
}

impl Default for ThirdPartySettings {
    fn default() -> Self {
        Self {
            enabled: false,
            site_id: 1,
            secrets: HashMap::new(),
        }
    }
}

impl std::fmt::Debug for ThirdPartySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ThirdPartySettings")
            .field("enabled", &self.enabled)
            .field("site_id", &self.site_id)
            .finish_non_exhaustive()
    }
}

/// Where a sign-in was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthEntry {
    /// The login page; the default.
    Login,
    /// The registration page.
    Register,
    /// The account settings of somebody who is signed in.
    AccountSettings,
    /// The login API.
    LoginApi,
    /// The registration API.
    RegisterApi,
}

impl AuthEntry {
    /// Reads the parameter `auth_entry`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "login" => Self::Login,
            "register" => Self::Register,
            "account_settings" => Self::AccountSettings,
            "login_api" => Self::LoginApi,
            "register_api" => Self::RegisterApi,
            _ => return None,
        })
    }

    /// The parameter's text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Register => "register",
            Self::AccountSettings => "account_settings",
            Self::LoginApi => "login_api",
            Self::RegisterApi => "register_api",
        }
    }

    /// The page that shows an error of this entry.
    pub(crate) fn page(entry: Option<&str>) -> &'static str {
        match entry.and_then(Self::by_name) {
            Some(Self::Login) => "/login",
            Some(Self::Register) => "/register",
            Some(Self::AccountSettings) => "/account/settings",
            _ => "/",
        }
    }
}
