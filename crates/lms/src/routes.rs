//! Small helpers for tables of routes.

use axum::Router;
use axum::extract::{OriginalUri, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use web_kit::WebError;
use web_kit::error::{self, ErrorStyle};

use crate::auth::{AnyUserApi, Caller};
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

/// A REST view that is only read: other methods are 405 with a body in the tree's style, after the caller's
/// credentials have been checked as for any other request (lms-api.md §0.2).
pub fn read_only<H, T>(handler: H) -> MethodRouter<LmsState>
where
    H: axum::handler::Handler<T, LmsState>,
    T: 'static,
{
    get(handler).fallback(not_readable)
}

async fn not_readable(method: axum::http::Method, _caller: Caller<AnyUserApi>) -> WebError {
    WebError::method_not_allowed(&method, "GET, HEAD, OPTIONS")
}

/// Gives the errors of a tree of routes their style (lms-api.md §0.2).
pub fn styled(router: Router<LmsState>, state: &LmsState, style: ErrorStyle) -> Router<LmsState> {
    router.layer(axum::middleware::from_fn_with_state(
        (state.kit.clone(), style),
        error::style,
    ))
}

/// Lets only paths through whose `{course}` looks like a course key, as the platform's patterns do: anything else is
/// the 404 of the whole site, whatever style the tree of routes has (lms-api.md §0.2). Add it outside of [`styled`].
pub fn with_course_key(router: Router<LmsState>) -> Router<LmsState> {
    router.layer(middleware::from_fn(check_course_key))
}

async fn check_course_key(params: RawPathParams, request: Request, next: Next) -> Response {
    let fits = params
        .iter()
        .filter(|(name, _)| *name == "course")
        .all(|(_, value)| looks_like_course_key(value));
    if fits {
        next.run(request).await
    } else {
        WebError::not_found().into_response()
    }
}

/// `[^/+]+(/|\+)[^/+]+(/|\+)[^/?]+`
fn looks_like_course_key(text: &str) -> bool {
    let mut parts = text.splitn(3, ['/', '+']);
    let (org, course, run) = (parts.next(), parts.next(), parts.next());
    let filled = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    filled(org)
        && filled(course)
        && run.is_some_and(|run| !run.is_empty() && !run.contains(['/', '?']))
}

#[cfg(test)]
mod tests {
    use super::looks_like_course_key;

    /// lms-api.md §0.2: what the router takes for a course key.
    #[test]
    fn course_keys_in_paths() {
        for good in ["course-v1:A+B+C", "A/B/C", "course-v1:A+B+C+D", "x+y+z"] {
            assert!(looks_like_course_key(good), "{good}");
        }
        for bad in ["nonsense", "course-v1:A+B", "A/B", "A+B+", "++", "A/B/C/D"] {
            assert!(!looks_like_course_key(bad), "{bad}");
        }
    }
}
