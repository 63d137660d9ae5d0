//! What an outcome is on the wire, without any HTTP library.

use django_compat::pyjson::{Style, dumps};
use serde_json::Value;

use crate::cookies::Cookie;

/// Body of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// `application/json` in one of the platform's styles.
    Json(Value, Style),
    /// `text/html; charset=utf-8` that is plain text.
    Text(String),
    /// No body.
    Empty,
}

/// Status, body, extra headers and cookies of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Body,
    /// Headers beyond Content-Type.
    pub headers: Vec<(&'static str, String)>,
    /// Cookies to set or delete.
    pub cookies: Vec<Cookie>,
}

impl Reply {
    /// A JSON answer in a style.
    #[must_use]
    pub fn json(status: u16, body: Value, style: Style) -> Self {
        Self {
            status,
            body: Body::Json(body, style),
            headers: Vec::new(),
            cookies: Vec::new(),
        }
    }

    /// REST framework's JSON.
    #[must_use]
    pub fn rest(status: u16, body: Value) -> Self {
        Self::json(status, body, Style::REST)
    }

    /// The platform's indented JSON.
    #[must_use]
    pub fn platform(status: u16, body: Value) -> Self {
        Self::json(status, body, Style::PLATFORM)
    }

    /// A plain text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self {
            status,
            body: Body::Text(text.into()),
            headers: Vec::new(),
            cookies: Vec::new(),
        }
    }

    /// A status alone.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            body: Body::Empty,
            headers: Vec::new(),
            cookies: Vec::new(),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds cookies.
    #[must_use]
    pub fn cookies(mut self, cookies: impl IntoIterator<Item = Cookie>) -> Self {
        self.cookies.extend(cookies);
        self
    }

    /// The body's text.
    #[must_use]
    pub fn body_text(&self) -> String {
        match &self.body {
            Body::Json(value, style) => dumps(value, *style),
            Body::Text(text) => text.clone(),
            Body::Empty => String::new(),
        }
    }

    /// The body's media type, if there is a body.
    #[must_use]
    pub const fn content_type(&self) -> Option<&'static str> {
        match self.body {
            Body::Json(..) => Some("application/json"),
            Body::Text(_) => Some("text/html; charset=utf-8"),
            Body::Empty => None,
        }
    }
}
