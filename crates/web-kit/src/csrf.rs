//! Cross-site request checks: Django's double submit with masked tokens (`identity.md` §3).
//!
//! [`layer`] reads the cookie of every request and leaves a [`Csrf`] among its extensions. A page or a view that hands
//! out a token calls [`Csrf::token`], which also makes the answer set the cookie. Trees of plain views add [`protect`];
//! views of Django REST framework check by [`Csrf::check`] only when a session or a cookie's JWT has authenticated.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, ORIGIN, REFERER, SET_COOKIE, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{Duration, Utc};
use django_compat::csrf::{SECRET_LENGTH, check_format, mask, matches, unmask};

use crate::error::WebError;
use crate::random;
use crate::request::{Origin, cookie};
use crate::stack::WebKit;

/// Name of the cookie.
pub const COOKIE: &str = "csrftoken";
/// Name of the form field.
pub const FIELD: &str = "csrfmiddlewaretoken";
const MAX_AGE: i64 = 31_449_600; // Django's 52 weeks

/// The cross-site state of one request.
#[derive(Debug, Clone)]
pub struct Csrf(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The cookie as sent, whatever it holds.
    sent: Option<String>,
    state: Mutex<Secret>,
}

#[derive(Debug, Default)]
struct Secret {
    secret: Option<String>,
    set_cookie: bool,
}

/// Why a request was refused; the texts are Django's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    /// The 403 of session authentication in Django REST framework.
    #[must_use]
    pub fn into_api_error(self) -> WebError {
        WebError::forbidden(format!("CSRF Failed: {}", self.0))
    }

    /// The 403 of plain views, an HTML page titled "403 Forbidden".
    #[must_use]
    pub fn into_page_error(self) -> WebError {
        WebError::forbidden(format!(
            "CSRF verification failed. Request aborted. {}",
            self.0
        ))
        .code("csrf")
    }
}

impl Csrf {
    /// Reads the cookie of a request.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let sent = cookie(headers, COOKIE).map(str::to_owned);
        let secret = sent.as_deref().and_then(|sent| unmask(sent).ok());
        Self(Arc::new(Inner {
            sent,
            state: Mutex::new(Secret {
                secret,
                set_cookie: false,
            }),
        }))
    }

    /// A fresh masked token of 64 letters for a form or `/csrf/api/v1/token`. The answer will set the cookie.
    #[must_use]
    pub fn token(&self) -> String {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.set_cookie = true;
        let secret = state
            .secret
            .get_or_insert_with(|| random::alphanumeric(SECRET_LENGTH));
        mask(secret, &random::alphanumeric(SECRET_LENGTH)).unwrap_or_default()
    }

    /// Draws a new secret, as sign-in does, so that a token known before is worth nothing after.
    pub fn rotate(&self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.secret = Some(random::alphanumeric(SECRET_LENGTH));
        state.set_cookie = true;
    }

    /// Makes the answer carry the cookie even if no token was asked for.
    pub fn ensure_cookie(&self) {
        let _ = self.token();
    }

    /// Checks an unsafe request: origin or referer, then cookie, then token. `form_token` is the form's field, which
    /// alone counts when it is not empty; otherwise `X-CSRFToken` is read.
    pub fn check(
        &self,
        method: &Method,
        headers: &HeaderMap,
        origin: &Origin,
        trusted: &[String],
        form_token: Option<&str>,
    ) -> Result<(), Refused> {
        if matches!(
            *method,
            Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
        ) {
            return Ok(());
        }
        check_origin(headers, origin, trusted)?;
        let refuse = |text: &str| Err(Refused(text.to_owned()));
        let Some(sent) = self.0.sent.as_deref() else {
            return refuse("CSRF cookie not set.");
        };
        if let Err(problem) = check_format(sent) {
            return Err(Refused(format!("CSRF cookie {problem}.")));
        }
        let header = headers
            .get("x-csrftoken")
            .and_then(|value| value.to_str().ok());
        let (token, source) = match (form_token.filter(|token| !token.is_empty()), header) {
            (Some(token), _) => (token, "POST"),
            (None, Some(token)) => (token, "the 'X-Csrftoken' HTTP header"),
            (None, None) => return refuse("CSRF token missing."),
        };
        let known = unmask(sent).unwrap_or_default();
        match matches(token, &known) {
            Ok(true) if !known.is_empty() => Ok(()),
            Ok(_) => Err(Refused(format!("CSRF token from {source} incorrect."))),
            Err(problem) => Err(Refused(format!("CSRF token from {source} {problem}."))),
        }
    }

    fn set_cookie(&self, secure: bool) -> Option<HeaderValue> {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = state.secret.as_deref().filter(|_| state.set_cookie)?;
        let expires = (Utc::now() + Duration::seconds(MAX_AGE)).format("%a, %d %b %Y %H:%M:%S GMT");
        let secure = if secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!(
            "{COOKIE}={secret}; expires={expires}; Max-Age={MAX_AGE}; Path=/; SameSite=Lax{secure}"
        ))
        .ok()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Csrf {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

impl Csrf {
    /// The state that [`layer`] has left in the request, or one read anew.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .unwrap_or_else(|| Self::read(&parts.headers))
    }
}

fn check_origin(headers: &HeaderMap, origin: &Origin, trusted: &[String]) -> Result<(), Refused> {
    if let Some(sent) = headers.get(ORIGIN) {
        let sent = sent.to_str().unwrap_or("null");
        if sent == origin.base_url() || trusted.iter().any(|pattern| matches_origin(pattern, sent))
        {
            return Ok(());
        }
        return Err(Refused(format!(
            "Origin checking failed - {sent} does not match any trusted origins."
        )));
    }
    if !origin.secure {
        return Ok(());
    }
    let refuse = |text: String| Err(Refused(format!("Referer checking failed - {text}")));
    let Some(referer) = headers.get(REFERER).and_then(|value| value.to_str().ok()) else {
        return refuse("no Referer.".to_owned());
    };
    let parsed = referer.parse::<Uri>().ok();
    let Some((scheme, host)) = parsed.as_ref().and_then(|uri| {
        Some((
            uri.scheme_str()?,
            uri.authority()?.as_str().to_ascii_lowercase(),
        ))
    }) else {
        return refuse("Referer is malformed.".to_owned());
    };
    if scheme != "https" {
        return refuse("Referer is insecure while host is secure.".to_owned());
    }
    let known = host == *origin.host
        || trusted
            .iter()
            .any(|pattern| matches_origin(pattern, &format!("https://{host}")));
    if known {
        Ok(())
    } else {
        refuse(format!("{referer} does not match any trusted origins."))
    }
}

/// Whether an origin is `pattern`, or under it where the pattern's host starts with `*.`; a pattern without a scheme is
/// taken for https.
fn matches_origin(pattern: &str, origin: &str) -> bool {
    let (scheme, host) = pattern.split_once("://").unwrap_or(("https", pattern));
    let Some((sent_scheme, sent_host)) = origin.split_once("://") else {
        return false;
    };
    if scheme != sent_scheme {
        return false;
    }
    match host.strip_prefix("*.") {
        Some(parent) => sent_host
            .strip_suffix(parent)
            .is_some_and(|head| head.ends_with('.')),
        None => host.eq_ignore_ascii_case(sent_host),
    }
}

/// Middleware that reads the cookie and sets it on answers that hand out a token.
pub async fn layer(mut request: Request, next: Next) -> Response {
    let csrf = Csrf::read(request.headers());
    let secure = request
        .extensions()
        .get::<Origin>()
        .is_some_and(|origin| origin.secure);
    request.extensions_mut().insert(csrf.clone());
    let mut response = next.run(request).await;
    if let Some(cookie) = csrf.set_cookie(secure) {
        response.headers_mut().append(SET_COOKIE, cookie);
        response
            .headers_mut()
            .append(VARY, HeaderValue::from_static("Cookie"));
    }
    response
}

/// Middleware for trees of plain views: refuses unsafe requests without a token. Forms are read to find the field and
/// handed on unchanged.
pub async fn protect(State(kit): State<WebKit>, request: Request, next: Next) -> Response {
    if matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    ) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let kind = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let has_header = parts.headers.contains_key("x-csrftoken");
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    // Uploads with a header are streamed on: buffering a course archive to look for a second token would be waste.
    let is_multipart = kind.starts_with("multipart/form-data") && !has_header;
    let (body, token) = if is_form || is_multipart {
        match axum::body::to_bytes(body, kit.settings().form_limit).await {
            Ok(bytes) if is_form => {
                let token = field_of(&bytes);
                (Body::from(bytes), token)
            }
            Ok(bytes) => {
                let token = multipart_field(&kind, &bytes);
                (Body::from(bytes), token)
            }
            Err(_) => return WebError::too_large().into_response(),
        }
    } else {
        (body, None)
    };
    let origin = crate::render::origin_of(&parts);
    let checked = Csrf::of(&parts).check(
        &parts.method,
        &parts.headers,
        &origin,
        &kit.settings().trusted_origins,
        token.as_deref(),
    );
    match checked {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refused) => {
            tracing::warn!(reason = %refused, status = StatusCode::FORBIDDEN.as_u16(), "cross-site check failed");
            refused.into_page_error().into_response()
        }
    }
}

fn field_of(body: &Bytes) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    // Tokens are letters and digits, so nothing in them is ever percent-encoded.
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| (name == FIELD).then(|| value.to_owned()))
}

/// The field in a multipart body, found without decoding the other parts.
fn multipart_field(_kind: &str, body: &Bytes) -> Option<String> {
    let marker = format!("name=\"{FIELD}\"\r\n\r\n");
    let start = body
        .windows(marker.len())
        .position(|window| window == marker.as_bytes())?;
    let rest = body.get(start + marker.len()..)?;
    let value: Vec<u8> = rest
        .iter()
        .copied()
        .take_while(u8::is_ascii_alphanumeric)
        .take(65)
        .collect();
    String::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "abcdefghijklmnopqrstuvwxyz012345";

    fn headers(cookie: Option<&str>, token: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(cookie) = cookie {
            headers.insert(
                "cookie",
                HeaderValue::from_str(&format!("csrftoken={cookie}")).unwrap(),
            );
        }
        if let Some(token) = token {
            headers.insert("x-csrftoken", HeaderValue::from_str(token).unwrap());
        }
        headers
    }

    fn check(headers: &HeaderMap, secure: bool, form: Option<&str>) -> Result<(), String> {
        let origin = Origin {
            secure,
            host: "lms.example".into(),
        };
        let trusted = ["https://*.mfe.example".to_owned()];
        Csrf::read(headers)
            .check(&Method::POST, headers, &origin, &trusted, form)
            .map_err(|refused| refused.0)
    }

    /// identity.md §3: the reasons, word for word.
    #[test]
    fn reasons_are_djangos() {
        let masked = mask(SECRET, "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ").unwrap();
        let refused =
            |cookie, token, form| check(&headers(cookie, token), false, form).unwrap_err();
        assert_eq!(refused(None, Some(SECRET), None), "CSRF cookie not set.");
        assert_eq!(
            refused(Some("x"), Some(SECRET), None),
            "CSRF cookie has incorrect length."
        );
        assert_eq!(refused(Some(SECRET), None, None), "CSRF token missing.");
        assert_eq!(
            refused(Some(SECRET), Some("short"), None),
            "CSRF token from the 'X-Csrftoken' HTTP header has incorrect length."
        );
        assert_eq!(
            refused(
                Some(SECRET),
                Some(SECRET),
                Some("éééééééééééééééééééééééééééééééé")
            ),
            "CSRF token from POST has invalid characters."
        );
        assert_eq!(
            refused(Some(SECRET), Some("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"), None),
            "CSRF token from the 'X-Csrftoken' HTTP header incorrect."
        );
        assert!(check(&headers(Some(SECRET), Some(&masked)), false, None).is_ok());
        assert!(check(&headers(Some(&masked), Some(SECRET)), false, None).is_ok());
        assert!(check(&headers(Some(SECRET), None), false, Some(&masked)).is_ok());
    }

    #[test]
    fn https_wants_an_origin_or_a_referer() {
        let mut sent = headers(Some(SECRET), Some(SECRET));
        assert_eq!(
            check(&sent, true, None).unwrap_err(),
            "Referer checking failed - no Referer."
        );
        sent.insert(REFERER, HeaderValue::from_static("http://lms.example/"));
        assert_eq!(
            check(&sent, true, None).unwrap_err(),
            "Referer checking failed - Referer is insecure while host is secure."
        );
        sent.insert(REFERER, HeaderValue::from_static("https://a.mfe.example/x"));
        assert!(check(&sent, true, None).is_ok());
        sent.insert(ORIGIN, HeaderValue::from_static("https://evilmfe.example"));
        assert_eq!(
            check(&sent, true, None).unwrap_err(),
            "Origin checking failed - https://evilmfe.example does not match any trusted origins."
        );
    }

    #[test]
    fn a_token_sets_the_cookie_and_unmasks_to_it() {
        let csrf = Csrf::read(&HeaderMap::new());
        assert!(csrf.set_cookie(false).is_none());
        let token = csrf.token();
        let cookie = csrf.set_cookie(false).unwrap();
        let cookie = cookie.to_str().unwrap();
        let secret = unmask(&token).unwrap();
        assert!(cookie.starts_with(&format!("csrftoken={secret}; expires=")));
        assert!(cookie.ends_with("; Max-Age=31449600; Path=/; SameSite=Lax"));
    }

    #[test]
    fn finds_the_field_in_forms() {
        assert_eq!(
            field_of(&Bytes::from_static(b"a=1&csrfmiddlewaretoken=abc&b=2")),
            Some("abc".to_owned())
        );
        let body = b"--x\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\nabc\r\n--x--";
        assert_eq!(
            multipart_field("", &Bytes::from_static(body)),
            Some("abc".to_owned())
        );
    }
}
