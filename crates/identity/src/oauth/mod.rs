//! The OAuth2 provider over the oauth2_provider_* tables (contracts/identity.md §4).

mod authorize;
mod exchange;
mod revoke;
mod store;
mod token;

pub use authorize::{AuthorizeOutcome, AuthorizeRequest, ConsentForm};
pub(crate) use store::NewTokens;
pub use store::{Application, application_by_client_id};
pub use token::TokenRequest;

use django_compat::pyjson::Style;
use serde_json::{Map, Value};

use crate::Reply;

/// Scopes that every client may ask for, in the order in which they are granted by default.
pub const DEFAULT_SCOPES: [&str; 4] = ["read", "write", "email", "profile"];
/// Scopes that a client needs an access row for.
pub const FURTHER_SCOPES: [&str; 4] = ["certificates:read", "grades:read", "tpa:read", "user_id"];

/// An error of the token endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OAuthError {
    /// RFC 6749's code.
    pub error: &'static str,
    /// Text, where the reference gives one.
    pub description: Option<&'static str>,
}

impl OAuthError {
    pub(crate) const fn new(error: &'static str) -> Self {
        Self {
            error,
            description: None,
        }
    }

    pub(crate) const fn described(error: &'static str, description: &'static str) -> Self {
        Self {
            error,
            description: Some(description),
        }
    }

    pub(crate) const INVALID_CLIENT: Self = Self::new("invalid_client");
    pub(crate) const INVALID_GRANT: Self = Self::new("invalid_grant");
    pub(crate) const INVALID_SCOPE: Self = Self::new("invalid_scope");
    pub(crate) const UNAUTHORIZED_CLIENT: Self = Self::new("unauthorized_client");

    /// 401 for a bad client, else 400.
    #[must_use]
    pub fn status(&self) -> u16 {
        if self.error == "invalid_client" {
            401
        } else {
            400
        }
    }

    /// `{"error": …, "error_description"?: …}` with the headers of §4.1 and §4.3.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let mut body = Map::new();
        body.insert("error".into(), self.error.into());
        if let Some(description) = self.description {
            body.insert("error_description".into(), description.into());
        }
        let reply = no_store(Reply::json(
            self.status(),
            Value::Object(body),
            Style::DEFAULT,
        ));
        if self.error == "invalid_client" {
            reply.header("WWW-Authenticate", "Bearer error=\"invalid_client\"")
        } else {
            reply
        }
    }
}

pub(crate) fn no_store(reply: Reply) -> Reply {
    reply
        .header("Cache-Control", "no-store")
        .header("Pragma", "no-cache")
}
