//! Signing in and out over HTTP: login_session, login_ajax, login_refresh, CSRF tokens, the OAuth2 endpoints and `me`
//! (identity.md §3, §4, §5.1, §6).
//!
//! Crate `identity` decides and words every answer; here it is carried over the wire.

mod oauth;
mod session;

pub use session::sign_in;

use axum::Router;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use web_kit::{ErrorStyle, WebError, csrf};

use crate::routes::{either, slashed, styled};
use crate::state::LmsState;

/// The routes.
pub fn router(state: &LmsState) -> Router<LmsState> {
    styled(rest(), state, ErrorStyle::Detail)
        .merge(protected(state))
        .merge(free())
}

/// Views of REST framework.
fn rest() -> Router<LmsState> {
    Router::new()
        .route("/csrf/api/v1/token", get(session::csrf_token))
        .route("/api/user/v1/me", get(session::me))
}

/// Plain views that refuse unsafe requests without a CSRF token.
fn protected(state: &LmsState) -> Router<LmsState> {
    let mut router = Router::new().route(
        "/login_ajax",
        post(session::login_ajax).get(|| async { not_allowed("POST") }),
    );
    for prefix in ["/api/user", "/user_api"] {
        let path = format!("{prefix}/{{version}}/account/login_session/");
        let methods = get(session::login_form).post(session::login_session);
        router = slashed(router, &path, methods);
    }
    router = either(
        router,
        "/oauth2/authorize/",
        get(oauth::authorize).post(oauth::consent),
    );
    router.layer(from_fn_with_state(state.kit.clone(), csrf::protect))
}

/// Plain views that other programs call with their own credentials.
fn free() -> Router<LmsState> {
    let post_only = "POST, OPTIONS";
    let mut router = Router::new()
        .route(
            "/login_refresh",
            post(session::login_refresh).get(|| async { not_allowed("POST") }),
        )
        .route("/auth/jwks.json", get(oauth::jwks));
    router = either(
        router,
        "/oauth2/access_token/",
        post(oauth::access_token).get(move || async move { not_allowed(post_only) }),
    );
    either(
        router,
        "/oauth2/revoke_token/",
        post(oauth::revoke_token).get(move || async move { not_allowed(post_only) }),
    )
}

/// Django's 405 of a plain view: no body.
fn not_allowed(allowed: &'static str) -> Response {
    WebError::empty(StatusCode::METHOD_NOT_ALLOWED)
        .header(ALLOW, HeaderValue::from_static(allowed))
        .header(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        )
        .into_response()
}
