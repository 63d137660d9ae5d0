//! The one clock of a request.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};

/// The moment at which a request is answered. All parts of one request see the same moment; a layer or a test that
/// puts one into the request's extensions decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now(pub DateTime<Utc>);

impl Now {
    /// The moment of a request, read from the system once.
    pub fn of(parts: &mut Parts) -> Self {
        if let Some(now) = parts.extensions.get::<Self>() {
            return *now;
        }
        let now = Self(Utc::now());
        parts.extensions.insert(now);
        now
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Now {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}
