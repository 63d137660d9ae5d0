//! The courseware API (courseware.md §15.3–15.5).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use courseware::CourseView;
use courseware::home::course_page::{self, Site};
use courseware::home::{goals, sequence};
use courseware::learner::{Learner, flags};
use identity::Viewer;
use modulestore::Branch;
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Value, json};
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::{DrfJson, EdxJson};

use crate::api::data::Data;
use crate::api::opened::{Addresses, leading_course_key, open};
use crate::api::params::{Asked, Params};
use crate::auth::{AnyUserApi, Authenticated, Caller, CourseApi};
use crate::clock::Now;
use crate::routes::styled;
use crate::state::LmsState;

/// Routes under `/api/courseware/`, and the small switches of a course's pages.
pub fn router(state: &LmsState) -> Router<LmsState> {
    let course = Router::new()
        .route("/api/courseware/course/{*course}", get(course))
        .route(
            "/courses/{course}/courseware-navigation-sidebar/toggles/",
            get(toggles),
        )
        .route(
            "/courses/{course}/courseware-search/enabled/",
            get(search_enabled),
        );
    let parts = Router::new()
        .route("/api/courseware/sequence/{*usage}", get(sequence_metadata))
        .route("/api/courseware/resume/{*course}", get(resume))
        .route("/api/courseware/celebration/{*course}", post(celebrate));
    styled(course, state, ErrorStyle::Detail).merge(styled(
        parts,
        state,
        ErrorStyle::DeveloperMessage,
    ))
}

/// Whose view is asked for: one's own, or for global staff anybody's.
async fn subject(state: &LmsState, caller: &Viewer, params: &Params) -> Result<Viewer, WebError> {
    match params.filled("username") {
        Some(name) if caller.is_staff && name != caller.username => {
            records::users::by_username(&state.db, name)
                .await
                .map_err(WebError::internal)?
                .map(|user| Viewer::from(&user))
                .ok_or_else(WebError::not_found)
        }
        _ => Ok(caller.clone()),
    }
}

async fn course(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
    params: Params,
) -> Result<Response, WebError> {
    let (key, _) = leading_course_key(&path).ok_or_else(WebError::not_found)?;
    let subject = subject(&state, &caller.viewer(), &params).await?;
    let opened = open(&state, &subject, &key, now).await?;
    opened.require_visible(&state)?;
    goals::note_activity(&state.db, &opened.view, &opened.facts)
        .await
        .map_err(WebError::internal)?;
    let addresses = Addresses::of(&state, &asked);
    let body = course_page::courseware(
        &state.db,
        &opened.view,
        &opened.facts,
        &addresses.links(),
        Site::default(),
    )
    .await
    .map_err(WebError::internal)?;
    let mut body = body.ok_or_else(WebError::not_found)?;
    if params.filled("requested_fields").is_some()
        && let Some(fields) = body.as_object_mut()
    {
        fields.retain(|name, _| params.list("requested_fields").any(|wanted| wanted == name));
    }
    let mut response = DrfJson(StatusCode::OK, body).into_response();
    response.headers_mut().insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Date"),
    );
    Ok(response)
}

async fn sequence_metadata(
    State(state): State<LmsState>,
    Path(usage): Path<String>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
    params: Params,
) -> Result<Response, WebError> {
    let text = usage.trim_end_matches('/');
    let missing = || WebError::not_found_with(format!("Block not found: {text}"));
    let usage = UsageKey::parse(text)
        .map_err(|_| WebError::not_found_with(format!("Invalid usage key: {text}")))?;
    if !sequence::is_sequence(usage.block_type()) {
        return Err(WebError::empty(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let viewer = caller.viewer();
    let course = usage.course_key();
    let rules = state.settings.rules();
    let view = if params.get("preview") == Some("1") {
        let learner = Learner::load(&state.db, &viewer, course)
            .await
            .map_err(WebError::internal)?;
        let branch = if learner.is_staff() {
            Branch::Draft
        } else {
            Branch::Published
        };
        let snapshot = state
            .store
            .snapshot(course, branch)
            .await
            .map_err(WebError::internal)?;
        snapshot.map(|snapshot| CourseView::of(snapshot, learner, rules, now))
    } else {
        CourseView::open(&state.db, &state.store, course, &viewer, rules, now)
            .await
            .map_err(WebError::internal)?
    };
    let view = view.ok_or_else(missing)?;
    let block = view.find(&usage).ok_or_else(missing)?;
    let proof = view.block(block).map_err(|_| missing())?;
    let body = sequence::metadata(&state.db, &state.store, &view, proof)
        .await
        .map_err(WebError::internal)?;
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn resume(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Authenticated<AnyUserApi>,
    Now(now): Now,
) -> Result<Response, WebError> {
    let (key, _) = leading_course_key(&path).ok_or_else(WebError::not_found)?;
    let rules = state.settings.rules();
    let view = CourseView::open(&state.db, &state.store, &key, &caller.viewer(), rules, now)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)?;
    let body = sequence::resume(&state.db, &view, &key)
        .await
        .map_err(WebError::internal)?;
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn celebrate(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Authenticated<CourseApi>,
    Now(now): Now,
    data: Data,
) -> Result<Response, WebError> {
    let (key, _) = leading_course_key(&path).ok_or_else(WebError::not_found)?;
    let learner = Learner::load(&state.db, &caller.viewer(), &key)
        .await
        .map_err(WebError::internal)?;
    if learner.masquerade.is_some() {
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let fields = data.fields().cloned().unwrap_or_default();
    let mut read = (None, None);
    for (name, value) in &fields {
        let value = match value {
            Value::Bool(value) => *value,
            Value::String(text) => !matches!(text.to_lowercase().as_str(), "" | "false" | "0"),
            other => other.as_f64().is_some_and(|number| number != 0.0),
        };
        match name.as_str() {
            "first_section" => read.0 = Some(value),
            "weekly_goal" => read.1 = Some(value),
            _ => return Err(WebError::empty(StatusCode::BAD_REQUEST)),
        }
    }
    let place = learner
        .enrollment
        .as_ref()
        .ok_or_else(WebError::not_found)?;
    let id = place.id;
    let created = state
        .db
        .write(|mut tx| async move { goals::celebrate(&mut tx, id, read.0, read.1, now).await })
        .await
        .map_err(WebError::internal)?;
    Ok(if created {
        StatusCode::CREATED.into_response()
    } else {
        StatusCode::OK.into_response()
    })
}

async fn toggles(
    State(state): State<LmsState>,
    Path(course): Path<String>,
    caller: Caller<AnyUserApi>,
) -> Result<Response, WebError> {
    let key = CourseKey::parse(&course).map_err(|_| WebError::not_found())?;
    let learner = Learner::load(&state.db, &caller.viewer(), &key)
        .await
        .map_err(WebError::internal)?;
    let body = json!({
        "enable_navigation_sidebar": learner.flag(flags::NAVIGATION_SIDEBAR),
        "always_open_auxiliary_sidebar": learner.flag(flags::AUXILIARY_SIDEBAR),
        "enable_completion_tracking": learner.flag(flags::COMPLETION_TRACKING),
    });
    Ok(EdxJson(StatusCode::OK, body).into_response())
}

async fn search_enabled(
    State(state): State<LmsState>,
    Path(course): Path<String>,
    caller: Caller<AnyUserApi>,
) -> Result<Response, WebError> {
    let key = CourseKey::parse(&course).map_err(|_| WebError::not_found())?;
    let learner = Learner::load(&state.db, &caller.viewer(), &key)
        .await
        .map_err(WebError::internal)?;
    let body = json!({"enabled": learner.flag(flags::COURSEWARE_SEARCH)});
    Ok(EdxJson(StatusCode::OK, body).into_response())
}
