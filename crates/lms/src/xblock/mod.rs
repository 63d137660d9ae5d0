//! Blocks over HTTP: the page that front ends frame, and the handlers of blocks (courseware.md §9.1, §10).

mod context;
mod handlers;
mod page;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::any;

pub use context::{MissingBlockPage, XBlockPage};

use crate::state::LmsState;

/// Largest body of a request to a handler: twenty files of the largest size, and their form.
const LARGEST_BODY: usize = 84_000_000;

/// The routes. Handlers check cross-site requests by their own authentication, see [`handlers`].
pub fn router() -> Router<LmsState> {
    let handler = "/courses/{course}/xblock/{usage}/handler/{name}";
    let open = "/courses/{course}/xblock/{usage}/handler_noauth/{name}";
    Router::new()
        .route("/xblock/{usage}", any(page::show))
        .route("/xblock/{usage}/", any(page::show))
        .route(handler, any(handlers::answer))
        .route(&format!("{handler}/"), any(handlers::answer))
        .route(&format!("{handler}/{{*suffix}}"), any(handlers::answer))
        .route(open, any(handlers::answer_anybody))
        .route(&format!("{open}/"), any(handlers::answer_anybody))
        .route(
            &format!("{open}/{{*suffix}}"),
            any(handlers::answer_anybody),
        )
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}
