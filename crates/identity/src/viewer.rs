//! Who asks: the value that permissions and pages are decided by.

use serde_json::{Map, Value};

use crate::User;

/// Who looks at something; small and cheap to pass to domain functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// auth_user.id; none for an anonymous visitor.
    pub id: Option<i64>,
    /// Username, empty for an anonymous visitor.
    pub username: String,
    /// Global staff.
    pub is_staff: bool,
    /// Superuser.
    pub is_superuser: bool,
    /// Active account.
    pub is_active: bool,
}

impl Viewer {
    /// Someone who is not signed in.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            id: None,
            username: String::new(),
            is_staff: false,
            is_superuser: false,
            is_active: false,
        }
    }

    /// Whether nobody is signed in.
    #[must_use]
    pub const fn is_anonymous(&self) -> bool {
        self.id.is_none()
    }
}

impl From<&User> for Viewer {
    fn from(user: &User) -> Self {
        Self {
            id: Some(user.id),
            username: user.username.clone(),
            is_staff: user.is_staff,
            is_superuser: user.is_superuser,
            is_active: user.is_active,
        }
    }
}

/// How a request was authenticated.
#[derive(Debug, Clone)]
pub enum Via {
    /// A session cookie.
    Session,
    /// A JSON web token, with its verified claims.
    Jwt(Map<String, Value>),
    /// An opaque token.
    Bearer {
        /// oauth2_provider_application.id
        application_id: Option<i64>,
        /// Granted scopes.
        scopes: Vec<String>,
    },
}

/// An authenticated user with the credential that showed who it is.
#[derive(Debug, Clone)]
pub struct RequestUser {
    /// The user, as in the database now: claims of a token never win over it.
    pub user: User,
    /// The credential.
    pub via: Via,
}

impl RequestUser {
    /// The viewer.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        Viewer::from(&self.user)
    }

    /// Whether a restricted application's JWT speaks: views that do not name such applications refuse it
    /// (contracts/identity.md §4.6).
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        match &self.via {
            Via::Jwt(claims) => claims
                .get("is_restricted")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            _ => false,
        }
    }

    /// Scopes of the token; none for a session.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        match &self.via {
            Via::Session => Vec::new(),
            Via::Bearer { scopes, .. } => scopes.iter().map(String::as_str).collect(),
            Via::Jwt(claims) => strings(claims.get("scopes")),
        }
    }

    /// Filters of the token (`content_org:X`, `user:me`, `tpa_provider:X`).
    #[must_use]
    pub fn filters(&self) -> Vec<&str> {
        match &self.via {
            Via::Jwt(claims) => strings(claims.get("filters")),
            _ => Vec::new(),
        }
    }
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    value
        .and_then(Value::as_array)
        .map(|items| items.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}
