//! The pages of the OAuth2 authorization endpoint (`identity.md` §4.4).

use serde::Serialize;
use web_kit::PageContext;

/// Asks whether a client may act for the person: `POST /oauth2/authorize`, with `allow` for yes.
#[derive(Debug, Clone, Serialize)]
pub struct AuthorizePage {
    /// Name of the client.
    pub client: String,
    /// Scopes asked for.
    pub scopes: Vec<String>,
    /// Hidden fields to send back, in order.
    pub hidden: Vec<(String, String)>,
}

impl PageContext for AuthorizePage {
    const TEMPLATE: &'static str = "authorize.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            client: "Harbour <App>".to_owned(),
            scopes: vec!["read".to_owned(), "email".to_owned()],
            hidden: vec![("state".to_owned(), "\"x\"&y".to_owned())],
        }]
    }
}

/// Says what is wrong with a request that has no address to go back to.
#[derive(Debug, Clone, Serialize)]
pub struct AuthorizeErrorPage {
    /// Code of the error.
    pub error: &'static str,
    /// Its sentence.
    pub sentence: String,
}

impl PageContext for AuthorizeErrorPage {
    const TEMPLATE: &'static str = "authorize_error.html";

    fn samples() -> Vec<Self> {
        vec![Self {
            error: "invalid_request",
            sentence: "Invalid client_id parameter value.".to_owned(),
        }]
    }
}
