//! The learning-sequence outline (courseware.md §8.3).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use courseware::CourseView;
use courseware::home::{course_outline, published_outline};
use identity::{Roles, Viewer};
use opaque_keys::CourseKey;
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::DrfJson;

use crate::api::params::Params;
use crate::auth::{Caller, RestApi};
use crate::clock::Now;
use crate::routes::{either, styled};
use crate::state::LmsState;

/// `/api/learning_sequences/v1/course_outline/C`
pub fn router(state: &LmsState) -> Router<LmsState> {
    let router = either(
        Router::new(),
        "/api/learning_sequences/v1/course_outline/{course}",
        get(outline),
    );
    styled(router, state, ErrorStyle::Detail)
}

/// Whose outline is asked for: one's own, or for the course's staff anybody's.
async fn subject(
    state: &LmsState,
    caller: &Viewer,
    course: &CourseKey,
    params: &Params,
) -> Result<Viewer, WebError> {
    let Some(name) = params.get("user") else {
        return Ok(caller.clone());
    };
    if !caller.is_anonymous() && name == caller.username {
        return Ok(caller.clone());
    }
    let roles = Roles::load(&state.db, caller)
        .await
        .map_err(WebError::internal)?;
    if !roles.has_staff_access(course) {
        return Err(WebError::permission_denied());
    }
    if name.is_empty() {
        return Ok(Viewer::anonymous());
    }
    records::users::by_username(&state.db, name)
        .await
        .map_err(WebError::internal)?
        .map(|user| Viewer::from(&user))
        .ok_or_else(WebError::not_found)
}

async fn outline(
    State(state): State<LmsState>,
    Path(course): Path<String>,
    caller: Caller<RestApi>,
    Now(now): Now,
    params: Params,
) -> Result<Response, WebError> {
    let Ok(key) = CourseKey::parse(&course) else {
        return Err(WebError::validation(serde_json::json!([format!(
            "{course} is not a valid CourseKey"
        )])));
    };
    let viewer = caller.viewer();
    let subject = subject(&state, &viewer, &key, &params).await?;
    let rules = state.settings.rules();
    let view = CourseView::open(&state.db, &state.store, &key, &subject, rules, now)
        .await
        .map_err(WebError::internal)?;
    let Some(view) = view else {
        return Err(if viewer.is_anonymous() {
            WebError::not_authenticated()
        } else {
            WebError::not_found()
        });
    };
    let listed = published_outline::outline(&view.course, now.naive_utc());
    let seen = course_outline::of_view(&view, &listed);
    let exams = state.settings.enable_special_exams;
    let body = course_outline::to_json(&view, &listed, &seen, exams);
    Ok(DrfJson(StatusCode::OK, body).into_response())
}
