//! Small helpers for tables of routes.

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use web_kit::error::{self, ErrorStyle};

use crate::state::LmsState;

/// A route whose path ends with a slash; without it the client is sent there with 301 (Django's APPEND_SLASH,
/// lms-api.md §0.2).
pub fn slashed(
    router: Router<LmsState>,
    path: &str,
    methods: MethodRouter<LmsState>,
) -> Router<LmsState> {
    debug_assert!(path.ends_with('/'), "{path}");
    router
        .route(path, methods)
        .route(path.trim_end_matches('/'), any(append_slash))
}

/// A route that answers with and without its last slash (`/?` of the platform's patterns).
pub fn either(
    router: Router<LmsState>,
    path: &str,
    methods: MethodRouter<LmsState>,
) -> Router<LmsState> {
    let bare = path.trim_end_matches('/');
    router
        .route(bare, methods.clone())
        .route(&format!("{bare}/"), methods)
}

async fn append_slash(OriginalUri(uri): OriginalUri) -> Response {
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let target = format!("{}/{query}", uri.path());
    (StatusCode::MOVED_PERMANENTLY, [(LOCATION, target)]).into_response()
}

/// Gives the errors of a tree of routes their style (lms-api.md §0.2).
pub fn styled(router: Router<LmsState>, state: &LmsState, style: ErrorStyle) -> Router<LmsState> {
    router.layer(axum::middleware::from_fn_with_state(
        (state.kit.clone(), style),
        error::style,
    ))
}
