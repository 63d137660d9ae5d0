//! What a request is called, and where the client thinks it was sent.

use std::sync::Arc;

use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderName, Uri};

use crate::random;

/// Header that carries the request's number in both directions.
pub const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The number of a request: in every log line of it, in the answer's `X-Request-ID` and on error pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Takes the number that a proxy has given, or draws one. Only 1 to 64 letters, digits and `-_.:` are taken, so
    /// that a client cannot write into our logs.
    #[must_use]
    pub fn accept_or_draw(headers: &HeaderMap) -> Self {
        let given = headers
            .get(REQUEST_ID_HEADER)
            .and_then(|value| value.to_str().ok());
        match given {
            Some(text) if is_plain(text) => Self(text.into()),
            _ => Self(uuid::Uuid::new_v4().simple().to_string().into()),
        }
    }

    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_plain(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

/// The nonce that lets this answer's own scripts run under the strict policy.
#[derive(Debug, Clone)]
pub struct Nonce(Arc<str>);

impl Nonce {
    /// Draws a nonce of 22 letters and digits, more than 128 bits.
    #[must_use]
    pub fn draw() -> Self {
        Self(random::alphanumeric(22).into())
    }

    /// The nonce as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Scheme and host under which the client reached us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whether the client speaks https, as far as we may believe the proxy.
    pub secure: bool,
    /// Host and port as in the `Host` header, lower case; empty when the client sent none.
    pub host: Arc<str>,
}

impl Origin {
    /// Reads scheme and host. `X-Forwarded-*` count only when `behind_proxy` says that a proxy of ours sets them.
    #[must_use]
    pub fn read(uri: &Uri, headers: &HeaderMap, behind_proxy: bool) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let first = |value: &str| {
            value
                .split(',')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let forwarded_host = behind_proxy
            .then(|| text("x-forwarded-host"))
            .flatten()
            .map(first);
        let host = forwarded_host
            .or_else(|| {
                headers
                    .get(HOST)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            })
            .or_else(|| {
                uri.authority()
                    .map(|authority| authority.as_str().to_owned())
            })
            .unwrap_or_default()
            .to_ascii_lowercase();
        let secure = behind_proxy
            && text("x-forwarded-proto")
                .map(first)
                .is_some_and(|scheme| scheme == "https");
        Self {
            secure,
            host: host.into(),
        }
    }

    /// `https://host` or `http://host`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}://{}", self.scheme(), self.host)
    }

    /// `https` or `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }
}

/// The value of one cookie of a request; the first of several with one name, as browsers order them.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(axum::http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn keeps_a_plain_number_and_replaces_a_strange_one() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID_HEADER, HeaderValue::from_static("edge-01JM.7"));
        assert_eq!(RequestId::accept_or_draw(&headers).as_str(), "edge-01JM.7");
        headers.insert(REQUEST_ID_HEADER, HeaderValue::from_static("a b\tc"));
        assert_eq!(RequestId::accept_or_draw(&headers).as_str().len(), 32);
    }

    #[test]
    fn believes_forwarded_headers_only_behind_a_proxy() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("Inner:8000"));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https, http"));
        headers.insert("x-forwarded-host", HeaderValue::from_static("lms.example"));
        let uri = Uri::from_static("/x");
        let direct = Origin::read(&uri, &headers, false);
        assert_eq!((direct.secure, direct.host.as_ref()), (false, "inner:8000"));
        assert_eq!(
            Origin::read(&uri, &headers, true).base_url(),
            "https://lms.example"
        );
    }

    #[test]
    fn reads_a_cookie() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "cookie",
            HeaderValue::from_static("a=1; csrftoken=xyz; b=\"2\""),
        );
        assert_eq!(cookie(&headers, "csrftoken"), Some("xyz"));
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "c"), None);
    }
}
