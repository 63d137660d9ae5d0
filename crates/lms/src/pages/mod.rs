//! Pages of the LMS: their typed contexts and the templates they fill.
//!
//! A handler gathers facts, fills a context of [`contexts`] and calls [`web_kit::Page::render`]. What a person may see
//! is decided by `courseware::access` alone.

pub mod blocks;
mod catalog;
pub mod contexts;
mod course_home;
mod dashboard;
mod dates;
mod frame;
mod redirects;
mod sign_in;
mod static_tab;
mod unit;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use rust_embed::RustEmbed;
use web_kit::csrf;
use web_kit::render::TemplateSet;

use crate::routes::slashed;
use crate::state::LmsState;

#[derive(RustEmbed)]
#[folder = "templates/"]
struct Templates;

/// The templates of this crate, for [`web_kit::WebKit::new`].
#[must_use]
pub fn templates() -> TemplateSet {
    TemplateSet::of::<Templates>()
}

/// The routes of the pages; unsafe requests need a CSRF token.
pub fn router(state: &LmsState) -> Router<LmsState> {
    let router = Router::new()
        .route("/", get(sign_in::root))
        .route("/dashboard", get(dashboard::show))
        .route("/courses", get(catalog::list))
        .route("/courses/{course}/about", get(catalog::about))
        .route("/courses/{course}/", get(catalog::about))
        .route("/change_enrollment", post(catalog::change_enrollment))
        .route("/learning/course/{course}/home", get(course_home::home))
        .route("/learning/course/{course}/dates", get(dates::show))
        .route("/learning/course/{course}/{sequence}", get(unit::sequence))
        .route(
            "/learning/course/{course}/{sequence}/{unit}",
            get(unit::unit).post(unit::act),
        )
        .merge(redirects::router())
        .merge(sign_in::router());
    slashed(router, "/courses/{course}/{slug}/", get(static_tab::show))
        .layer(from_fn_with_state(state.kit.clone(), csrf::protect))
}
