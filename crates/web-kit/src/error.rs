//! One error type for every handler, and the one place that gives it a body (`lms-api.md` §0.2).
//!
//! A handler returns [`WebError`]; which body it gets is decided by the tree of routes it was mounted in:
//! [`ErrorStyle::Detail`] unless a layer says otherwise, [`ErrorStyle::DeveloperMessage`] for the views tagged `[DEV]`,
//! [`ErrorStyle::Page`] for HTML. The innermost layer wins. Causes go to the log with the request's number; no body
//! ever carries them.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::{Value, json};

use crate::pages::ErrorPage;
use crate::redirect::login_url;
use crate::render::Page;
use crate::stack::WebKit;

/// Answers of routes that fail.
///
/// `Clone` shares the cause, so that an outer layer can render again what an inner one has rendered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {}", .0.status, .0.reason)]
pub struct WebError(Box<Inner>);

/// Boxed, so that results of handlers stay small.
#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    reason: Reason,
    code: Option<Cow<'static, str>>,
    headers: HeaderMap,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

#[derive(Debug, Clone)]
enum Reason {
    /// A sentence for the client.
    Text(Cow<'static, str>),
    /// Errors of a serializer: `{"field": ["text"]}`.
    Fields(Value),
    /// A body that is the same in every style, such as `{"message": …}`.
    Json(Value),
    /// A plain text that is the same in every style.
    Plain(Cow<'static, str>),
    /// No body at all, in every style.
    Empty,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) | Self::Plain(text) => f.write_str(text),
            Self::Fields(value) | Self::Json(value) => write!(f, "{value}"),
            Self::Empty => f.write_str("(no body)"),
        }
    }
}

/// How a tree of routes words its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ErrorStyle {
    /// Plain Django REST framework: `{"detail": text}`, `{"field": ["text"]}`.
    #[default]
    Detail,
    /// Views tagged `[DEV]`: `{"developer_message": text}`, `{"field_errors": {…}}`.
    DeveloperMessage,
    /// HTML pages; who is not signed in is sent to the sign-in page.
    Page,
}

impl WebError {
    /// Builds an error of any status with a sentence for the client.
    pub fn new(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self::with_reason(status, Reason::Text(text.into()))
    }

    fn with_reason(status: StatusCode, reason: Reason) -> Self {
        Self(Box::new(Inner {
            status,
            reason,
            code: None,
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// 400 with a sentence.
    pub fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 400 with a serializer's errors, `{"field": ["text", …]}`.
    #[must_use]
    pub fn validation(fields: Value) -> Self {
        Self::with_reason(StatusCode::BAD_REQUEST, Reason::Fields(fields))
    }

    /// 400 with one text for one field.
    #[must_use]
    pub fn invalid_field(field: &str, text: &str) -> Self {
        Self::validation(json!({ field: [text] }))
    }

    /// 401 for a request without credentials, with `WWW-Authenticate` as on views that list JWT first.
    #[must_use]
    pub fn not_authenticated() -> Self {
        Self::authentication_failed("Authentication credentials were not provided.")
    }

    /// 401 for credentials that do not hold.
    pub fn authentication_failed(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text).header(
            WWW_AUTHENTICATE,
            HeaderValue::from_static("JWT realm=\"api\""),
        )
    }

    /// 403 of Django REST framework.
    #[must_use]
    pub fn permission_denied() -> Self {
        Self::forbidden("You do not have permission to perform this action.")
    }

    /// 403 with a sentence of its own.
    pub fn forbidden(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    /// 404; Django REST framework 3.14 says `Not found.` whatever was asked.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found.")
    }

    /// 404 with a sentence, where the contract gives one.
    pub fn not_found_with(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// 404 of a page number that does not exist.
    #[must_use]
    pub fn invalid_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Invalid page.")
    }

    /// 405 with the methods that the route has, such as `GET, HEAD, OPTIONS`.
    #[must_use]
    pub fn method_not_allowed(method: &Method, allowed: &'static str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("Method \"{method}\" not allowed."),
        )
        .header(ALLOW, HeaderValue::from_static(allowed))
    }

    /// 406 of content negotiation.
    #[must_use]
    pub fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "Could not satisfy the request Accept header.",
        )
    }

    /// 413 of a body over the limit.
    #[must_use]
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.")
    }

    /// 415 naming the media type that was sent.
    #[must_use]
    pub fn unsupported_media_type(sent: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("Unsupported media type \"{sent}\" in request."),
        )
    }

    /// 429 with `Retry-After`; `seconds` is the wait, rounded up.
    #[must_use]
    pub fn throttled(seconds: u64) -> Self {
        let unit = if seconds == 1 { "second" } else { "seconds" };
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("Request was throttled. Expected available in {seconds} {unit}."),
        )
        .header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// 503 with `Retry-After` in seconds: the server is busy or a deadline has passed.
    #[must_use]
    pub fn unavailable(retry_after: u64) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The service is busy. Please try again in a moment.",
        )
        .header(RETRY_AFTER, HeaderValue::from(retry_after))
    }

    /// 500; the cause is logged, never answered.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on the server. Please try again.",
        );
        error.0.cause = Some(Arc::from(cause.into()));
        error
    }

    /// Any status with a JSON body that no style changes, such as `{"message": …}`.
    #[must_use]
    pub fn json(status: StatusCode, body: Value) -> Self {
        Self::with_reason(status, Reason::Json(body))
    }

    /// Any status with a plain text body that no style changes.
    pub fn plain(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self::with_reason(status, Reason::Plain(text.into()))
    }

    /// Any status without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self::with_reason(status, Reason::Empty)
    }

    /// Adds `error_code`, which only [`ErrorStyle::DeveloperMessage`] shows.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Adds or replaces a header of the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The JSON body in `style`; `None` for an error without a JSON body.
    #[must_use]
    pub fn body(&self, style: ErrorStyle) -> Option<Value> {
        match (&self.0.reason, style) {
            (Reason::Json(value), _) => Some(value.clone()),
            (Reason::Plain(_) | Reason::Empty, _) => None,
            (Reason::Text(text), ErrorStyle::DeveloperMessage) => {
                let mut body = json!({ "developer_message": text });
                if let (Some(code), Some(object)) = (&self.0.code, body.as_object_mut()) {
                    object.insert("error_code".to_owned(), Value::from(code.as_ref()));
                }
                Some(body)
            }
            (Reason::Text(text), _) => Some(json!({ "detail": text })),
            (Reason::Fields(fields), ErrorStyle::DeveloperMessage) => {
                Some(developer_fields(fields))
            }
            (Reason::Fields(fields), _) => Some(fields.clone()),
        }
    }

    fn into_json_response(self, style: ErrorStyle) -> Response {
        let mut response = match (&self.0.reason, self.body(style)) {
            (_, Some(value)) => {
                let mut response = Response::new(Body::from(value.to_string()));
                let _ = response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                response
            }
            (Reason::Plain(text), None) => text.clone().into_owned().into_response(),
            _ => Response::new(Body::empty()),
        };
        *response.status_mut() = self.0.status;
        response.headers_mut().extend(self.0.headers.clone());
        response
    }

    /// Whether a style can change the answer.
    fn is_styled(&self) -> bool {
        matches!(self.0.reason, Reason::Text(_) | Reason::Fields(_))
    }
}

/// `{"field_errors": {field: {"developer_message": first text}}}`.
fn developer_fields(fields: &Value) -> Value {
    let Some(object) = fields.as_object() else {
        return json!({ "developer_message": fields });
    };
    let fields: serde_json::Map<String, Value> = object
        .iter()
        .map(|(field, texts)| {
            let first = texts.get(0).unwrap_or(texts);
            (field.clone(), json!({ "developer_message": first }))
        })
        .collect();
    json!({ "field_errors": fields })
}

/// Marks an answer that a style layer may still render otherwise.
#[derive(Clone)]
struct Unstyled(WebError);

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.0.cause {
            tracing::error!(status = self.0.status.as_u16(), cause = %chain(cause.as_ref()), "request failed");
        }
        let unstyled = self.is_styled().then(|| Unstyled(self.clone()));
        let mut response = self.into_json_response(ErrorStyle::Detail);
        if let Some(unstyled) = unstyled {
            response.extensions_mut().insert(unstyled);
        }
        response
    }
}

/// The causes of an error, outermost first, for the log.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Answers a method that a route does not have; axum adds `Allow`. For `Router::method_not_allowed_fallback` of a tree
/// of routes, before its [`style`] layer.
pub async fn method_not_allowed(method: Method) -> WebError {
    WebError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("Method \"{method}\" not allowed."),
    )
}

/// Middleware that gives the errors of a tree of routes its style:
/// `router.layer(middleware::from_fn_with_state((kit, ErrorStyle::Page), error::style))`.
pub async fn style(
    axum::extract::State((kit, style)): axum::extract::State<(WebKit, ErrorStyle)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    restyle(&kit, style, &asked, response)
}

/// Renders an answer again in `style`, if it is an error that no inner layer has styled.
pub(crate) fn restyle(
    kit: &WebKit,
    style: ErrorStyle,
    asked: &axum::http::request::Parts,
    mut response: Response,
) -> Response {
    let Some(Unstyled(error)) = response.extensions_mut().remove::<Unstyled>() else {
        return response;
    };
    let mut styled = match style {
        ErrorStyle::Detail | ErrorStyle::DeveloperMessage => {
            error.clone().into_json_response(style)
        }
        ErrorStyle::Page if error.0.status == StatusCode::UNAUTHORIZED => {
            Redirect::to(&login_url(&asked.uri)).into_response_found()
        }
        ErrorStyle::Page => {
            let page = Page::from_parts(kit, asked);
            let mut response = page.render_or_plain(&ErrorPage::new(&error, &asked.uri));
            *response.status_mut() = error.0.status;
            response.headers_mut().extend(error.0.headers.clone());
            response
        }
    };
    // What inner layers have said about this exchange stays said: cookies, cache rules, language.
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && !styled.headers().contains_key(name) {
            styled.headers_mut().append(name.clone(), value.clone());
        }
    }
    *styled.extensions_mut() = std::mem::take(response.extensions_mut());
    styled
}

/// Django answers its redirects with 302; axum's constructor with 303.
trait Found {
    fn into_response_found(self) -> Response;
}

impl Found for Redirect {
    fn into_response_found(self) -> Response {
        let mut response = self.into_response();
        *response.status_mut() = StatusCode::FOUND;
        response
    }
}

impl WebError {
    /// The sentence of the error, for the log and for pages.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.0.reason {
            Reason::Text(text) | Reason::Plain(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// lms-api.md §0.2: bodies of both styles.
    #[test]
    fn bodies_follow_the_style() {
        let cases = [
            (
                WebError::not_found(),
                json!({"detail": "Not found."}),
                json!({"developer_message": "Not found."}),
            ),
            (
                WebError::throttled(1),
                json!({"detail": "Request was throttled. Expected available in 1 second."}),
                json!({"developer_message": "Request was throttled. Expected available in 1 second."}),
            ),
            (
                WebError::invalid_field("mode_slug", "This field is required."),
                json!({"mode_slug": ["This field is required."]}),
                json!({"field_errors": {"mode_slug": {"developer_message": "This field is required."}}}),
            ),
            (
                WebError::json(StatusCode::BAD_REQUEST, json!({"message": "x"})),
                json!({"message": "x"}),
                json!({"message": "x"}),
            ),
            (
                WebError::authentication_failed("no").code("token_expired"),
                json!({"detail": "no"}),
                json!({"developer_message": "no", "error_code": "token_expired"}),
            ),
        ];
        for (error, detail, developer) in cases {
            assert_eq!(error.body(ErrorStyle::Detail), Some(detail));
            assert_eq!(error.body(ErrorStyle::DeveloperMessage), Some(developer));
        }
        assert_eq!(
            WebError::empty(StatusCode::NOT_FOUND).body(ErrorStyle::Detail),
            None
        );
    }

    #[test]
    fn causes_never_reach_the_body() {
        let error = WebError::internal("secret table name");
        let body = error
            .body(ErrorStyle::Detail)
            .map(|body| body.to_string())
            .unwrap_or_default();
        assert!(!body.contains("secret"));
    }

    #[test]
    fn throttled_answers_carry_the_wait() {
        let response = WebError::throttled(12).into_response();
        assert_eq!(
            response.headers().get(RETRY_AFTER),
            Some(&HeaderValue::from_static("12"))
        );
    }
}
