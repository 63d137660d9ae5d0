//! Providers as configured: the newest row of a backend counts.

use db::{Row, params};
use serde_json::Value;

use crate::{Identity, Result};

/// Ways to speak to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// MIT's `ol-oauth2`: plain OAuth2 with a userinfo call; uid = username.
    OlOauth2,
    /// `oidc`: OpenID Connect with a verified id token; uid = sub.
    Oidc,
}

impl Backend {
    /// The backend of a name in the path.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            "ol-oauth2" => Some(Self::OlOauth2),
            "oidc" => Some(Self::Oidc),
            _ => None,
        }
    }

    /// The name in paths and rows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OlOauth2 => "ol-oauth2",
            Self::Oidc => "oidc",
        }
    }
}

/// A configured provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Backend name.
    pub backend_name: String,
    /// Shown name.
    pub name: String,
    /// Short name.
    pub slug: String,
    /// Client id.
    pub key: String,
    pub(super) secret: String,
    pub(super) other: Value,
    /// Class of the icon.
    pub icon_class: String,
    /// Address of the icon's image, or empty.
    pub icon_image: String,
    /// Shown on the sign-in page.
    pub visible: bool,
    /// Shown among the institutions.
    pub secondary: bool,
    /// The registration form is sent at once.
    pub skip_registration_form: bool,
    /// The provider's addresses are trusted.
    pub skip_email_verification: bool,
    /// The hinted sign-in goes to the provider at once.
    pub skip_hinted_login_dialog: bool,
    /// New users are sent to the registration page.
    pub send_to_registration_first: bool,
    /// The profile follows the provider at every sign-in.
    pub sync_learner_profile_data: bool,
    /// A sign-in verifies the identity.
    pub enable_sso_id_verification: bool,
    /// Lifetime of sessions, seconds; 0 for browser sessions.
    pub max_session_length: Option<i64>,
}

impl Provider {
    fn from_row(row: &Row) -> db::Result<Self> {
        Ok(Self {
            backend_name: row.text("backend_name")?,
            name: row.text("name")?,
            slug: row.text("slug")?,
            key: row.text("key")?,
            secret: row.text("secret")?,
            other: serde_json::from_str(&row.text("other_settings")?).unwrap_or(Value::Null),
            icon_class: row.text("icon_class")?,
            icon_image: row.text("icon_image")?,
            visible: row.bool("visible")?,
            secondary: row.bool("secondary")?,
            skip_registration_form: row.bool("skip_registration_form")?,
            skip_email_verification: row.bool("skip_email_verification")?,
            skip_hinted_login_dialog: row.bool("skip_hinted_login_dialog")?,
            send_to_registration_first: row.bool("send_to_registration_first")?,
            sync_learner_profile_data: row.bool("sync_learner_profile_data")?,
            enable_sso_id_verification: row.bool("enable_sso_id_verification")?,
            max_session_length: row.opt_int("max_session_length")?,
        })
    }

    /// Id in APIs: `oa2-<backend>`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("oa2-{}", self.backend_name)
    }

    /// A text of `other_settings`.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.other
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }
}

impl Identity {
    /// The enabled provider of a backend name; none when third-party sign-in is off, the backend is unknown, or its
    /// newest row is not enabled.
    pub async fn provider(&self, backend_name: &str) -> Result<Option<Provider>> {
        let settings = &self.settings().third_party;
        if !settings.enabled || Backend::by_name(backend_name).is_none() {
            return Ok(None);
        }
        let rows = self
            .db()
            .read(
                "SELECT * FROM third_party_auth_oauth2providerconfig \
                 WHERE site_id = ? AND backend_name = ? ORDER BY change_date DESC, id DESC LIMIT 1",
                &params![settings.site_id, backend_name],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        if !row.bool("enabled")? {
            return Ok(None);
        }
        let mut provider = Provider::from_row(row)?;
        if provider.secret.is_empty()
            && let Some(secret) = settings.secrets.get(backend_name)
        {
            provider.secret.clone_from(secret);
        }
        Ok(Some(provider))
    }

    /// Every enabled provider.
    pub async fn providers(&self) -> Result<Vec<Provider>> {
        let mut out = Vec::new();
        for backend in [Backend::OlOauth2, Backend::Oidc] {
            out.extend(self.provider(backend.name()).await?);
        }
        Ok(out)
    }
}
