//! The completion API (lms-api.md §10, courseware.md §5).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use courseware::completion_api;
use courseware::learner::{Learner, flags};
use identity::Viewer;
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Value, json};
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::DrfJson;

use crate::api::data::Data;
use crate::api::opened::open;
use crate::auth::{AnyUserApi, Authenticated, RestApi};
use crate::clock::Now;
use crate::routes::{either, styled};
use crate::state::LmsState;

/// Routes under `/api/completion/v1/`.
pub fn router(state: &LmsState) -> Router<LmsState> {
    let router = either(
        Router::new(),
        "/api/completion/v1/completion-batch",
        post(batch),
    )
    .route(
        "/api/completion/v1/subsection-completion/{username}/{course}/{usage}",
        get(subsection),
    );
    styled(router, state, ErrorStyle::Detail)
}

/// Whom a batch is about: oneself, or for global staff anybody.
async fn subject(state: &LmsState, caller: &Viewer, data: &Data) -> Result<Viewer, WebError> {
    let named = match data.get("username") {
        Some(Value::String(name)) => Some(name.as_str()),
        _ => None,
    };
    match named {
        Some(name) if name.to_lowercase() == caller.username.to_lowercase() => Ok(caller.clone()),
        Some(name) if caller.is_staff => records::users::by_username(&state.db, name)
            .await
            .map_err(WebError::internal)?
            .map(|user| Viewer::from(&user))
            .ok_or_else(WebError::not_found),
        None if caller.is_staff => Err(WebError::bad_request("Key 'username' not found.")),
        _ => Err(WebError::permission_denied()),
    }
}

async fn batch(
    State(state): State<LmsState>,
    caller: Authenticated<AnyUserApi>,
    Now(now): Now,
    data: Data,
) -> Result<Response, WebError> {
    let viewer = caller.viewer();
    let missing = |name: &str| WebError::bad_request(format!("Key '{name}' not found."));
    let subject = subject(&state, &viewer, &data).await?;
    let course = data
        .get("course_key")
        .ok_or_else(|| missing("course_key"))?;
    let blocks = data.get("blocks").ok_or_else(|| missing("blocks"))?;
    let shown = course
        .as_str()
        .map_or_else(|| course.to_string(), str::to_owned);
    let Ok(course) = CourseKey::parse(&shown) else {
        return Err(WebError::bad_request(format!(
            "Invalid learning context key: {shown}"
        )));
    };
    let learner = Learner::load(&state.db, &subject, &course)
        .await
        .map_err(WebError::internal)?;
    if !learner.flag(flags::COMPLETION_TRACKING) {
        return Err(WebError::bad_request(
            "BlockCompletion.objects.submit_batch_completion should not be called when the feature is disabled.",
        ));
    }
    if !learner.is_enrolled() {
        return Err(WebError::bad_request("User is not enrolled in course."));
    }
    let Some(blocks) = blocks.as_object() else {
        return Err(WebError::bad_request("'blocks' must be an object."));
    };
    let blocks = completion_api::read_blocks(&course, blocks).map_err(WebError::bad_request)?;
    let user = subject.id.unwrap_or_default();
    completion_api::submit(&state.db, user, &course, &blocks, now)
        .await
        .map_err(WebError::internal)?;
    Ok(DrfJson(StatusCode::OK, json!({"detail": "ok"})).into_response())
}

async fn subsection(
    State(state): State<LmsState>,
    Path((username, course, usage)): Path<(String, String, String)>,
    caller: Authenticated<RestApi>,
    Now(now): Now,
) -> Result<Response, WebError> {
    let viewer = caller.viewer();
    if viewer.username != username {
        return Err(if viewer.is_staff {
            WebError::permission_denied()
        } else {
            WebError::not_found()
        });
    }
    let course = CourseKey::parse(&course).map_err(|_| WebError::not_found())?;
    let usage = UsageKey::parse(&usage).map_err(|_| WebError::not_found())?;
    let opened = open(&state, &viewer, &course, now).await?;
    let view = &opened.view;
    let block = view.find(&usage).ok_or_else(WebError::not_found)?;
    let proof = view.block(block).map_err(|_| WebError::not_found())?;
    let complete = completion_api::is_complete(&state.db, &state.store, view, proof)
        .await
        .map_err(WebError::internal)?;
    let body = json!({"completion": i32::from(complete)});
    Ok(DrfJson(StatusCode::OK, body).into_response())
}
