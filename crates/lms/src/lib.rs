//! Routers, handlers and templates of the LMS.
//!
//! [`app`] is what a server listens with; [`router`] the same routes without the layers around them. Each area adds
//! its routes with one line in [`router`]; handlers extract (see [`auth`]), call one domain function and answer.

pub mod api;
pub mod assets;
pub mod auth;
pub mod clock;
pub mod form;
pub mod heartbeat;
pub mod identity_api;
pub mod pages;
pub mod routes;
pub mod state;
pub mod xblock;

pub use state::{LmsSettings, LmsState};

use axum::Router;
use axum::routing::get;
use web_kit::ErrorStyle;

/// The routes of the LMS, with their state given.
pub fn router(state: LmsState) -> Router {
    let kit = state.kit.clone();
    let switches = web_kit::pages::router()
        .layer(axum::middleware::from_fn_with_state(
            kit.clone(),
            web_kit::csrf::protect,
        ))
        .with_state(kit);
    Router::new()
        // What a request costs before any handler: benchmarks divide by it.
        .route("/stoa/empty", get(|| async { "ok" }))
        .merge(api::courses::router(&state))
        .merge(api::blocks::router(&state))
        .merge(api::bookmarks::router(&state))
        .merge(api::completion::router(&state))
        .merge(api::course_home::router(&state))
        .merge(api::courseware::router(&state))
        .merge(api::learning_sequences::router(&state))
        .merge(api::mfe_config::router(&state))
        .merge(heartbeat::router())
        .merge(identity_api::router(&state))
        .merge(pages::router(&state))
        .merge(xblock::router())
        .fallback(assets::fallback)
        .layer(axum::middleware::from_fn(auth::send_cookies))
        .with_state(state)
        .merge(switches)
}

/// The LMS as it is served: routes with request numbers, limits, compression, headers, languages and error pages.
pub fn app(state: LmsState) -> Router {
    let kit = state.kit.clone();
    web_kit::stack::serve_whole(&kit, ErrorStyle::Page, router(state))
}
