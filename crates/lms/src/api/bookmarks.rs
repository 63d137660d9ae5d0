//! The bookmarks API (lms-api.md §10, courseware.md §15.5).

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use course_model::CourseSnapshot;
use courseware::bookmarks::{self, Added, MOST_PER_COURSE, Wanted};
use identity::Viewer;
use modulestore::Branch;
use opaque_keys::{CourseKey, UsageKey};
use records::bookmarks::Kept;
use serde_json::{Value, json};
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::DrfJson;

use crate::api::data::Data;
use crate::api::params::{Asked, PageOf, Params};
use crate::auth::{Authenticated, BearerOrSession};
use crate::clock::Now;
use crate::routes::{slashed, styled};
use crate::state::LmsState;

/// Bookmarks on one page at most.
const MAX_PAGE: usize = 100;

/// What people are told where there is nothing that they could do.
const GENERIC: &str = "An error has occurred. Please try again.";

/// Routes under `/api/bookmarks/v1/bookmarks/`.
pub fn router(state: &LmsState) -> Router<LmsState> {
    let base = "/api/bookmarks/v1/bookmarks/";
    let router = slashed(Router::new(), base, get(list).post(create));
    let router = slashed(
        router,
        &format!("{base}{{user_and_usage}}/"),
        get(one).delete(remove),
    );
    styled(router, state, ErrorStyle::Detail)
}

fn refusal(status: StatusCode, developer: &str, user: &str) -> WebError {
    WebError::json(
        status,
        json!({"developer_message": developer, "user_message": user}),
    )
}

fn bad(developer: &str) -> WebError {
    refusal(StatusCode::BAD_REQUEST, developer, GENERIC)
}

fn missing(usage: &str) -> WebError {
    let text = format!("Bookmark with usage_id: {usage} does not exist.");
    refusal(StatusCode::NOT_FOUND, &text, &text)
}

fn wanted(params: &Params) -> Wanted {
    Wanted {
        display_name: params.list("fields").any(|field| field == "display_name"),
        path: params.list("fields").any(|field| field == "path"),
    }
}

/// The published versions of the courses of some bookmarks, where names or paths are asked for.
async fn courses(
    state: &LmsState,
    kept: &[Kept],
    wanted: Wanted,
) -> Result<HashMap<String, Arc<CourseSnapshot>>, WebError> {
    let mut found = HashMap::new();
    if wanted == Wanted::default() {
        return Ok(found);
    }
    for one in kept {
        let id = &one.bookmark.course_key;
        if found.contains_key(id) {
            continue;
        }
        let Ok(course) = CourseKey::parse(id) else {
            continue;
        };
        let snapshot = state
            .store
            .snapshot(&course, Branch::Published)
            .await
            .map_err(WebError::internal)?;
        if let Some(snapshot) = snapshot {
            found.insert(id.clone(), snapshot);
        }
    }
    Ok(found)
}

async fn rows(
    state: &LmsState,
    kept: &[Kept],
    viewer: &Viewer,
    wanted: Wanted,
) -> Result<Vec<Value>, WebError> {
    let courses = courses(state, kept, wanted).await?;
    Ok(kept
        .iter()
        .map(|one| {
            let course = courses.get(&one.bookmark.course_key).map(Arc::as_ref);
            bookmarks::to_json(one, &viewer.username, wanted, course)
        })
        .collect())
}

async fn list(
    State(state): State<LmsState>,
    caller: Authenticated<BearerOrSession>,
    asked: Asked,
    params: Params,
) -> Result<Response, WebError> {
    let viewer = caller.viewer();
    let user = viewer.id.unwrap_or_default();
    let course = params.filled("course_id").map(CourseKey::parse);
    let course = match course {
        Some(Err(_)) => {
            let page = PageOf::read(&params, 0, MAX_PAGE)?;
            return Ok(
                DrfJson(StatusCode::OK, page.default_envelope(&[], &params, &asked))
                    .into_response(),
            );
        }
        Some(Ok(course)) => Some(course),
        None => None,
    };
    let count = records::bookmarks::count(&state.db, user, course.as_ref())
        .await
        .map_err(WebError::internal)?;
    let page = PageOf::read(
        &params,
        usize::try_from(count).unwrap_or_default(),
        MAX_PAGE,
    )?;
    let (first, size) = page.window();
    let kept = records::bookmarks::list(&state.db, user, course.as_ref(), first, size)
        .await
        .map_err(WebError::internal)?;
    let results = rows(&state, &kept, &viewer, wanted(&params)).await?;
    let body = page.default_envelope(&results, &params, &asked);
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn create(
    State(state): State<LmsState>,
    caller: Authenticated<BearerOrSession>,
    Now(now): Now,
    data: Data,
) -> Result<Response, WebError> {
    if data.is_empty() {
        return Err(bad("No data provided."));
    }
    let Some(id) = data.get("usage_id").filter(|id| !id.is_null() && *id != "") else {
        return Err(bad("Parameter usage_id not provided."));
    };
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let Ok(usage) = UsageKey::parse(&id) else {
        return Err(bad(&format!("Invalid usage_id: {id}.")));
    };
    let unknown = || bad(&format!("Block with usage_id: {usage} not found."));
    let snapshot = state
        .store
        .snapshot(usage.course_key(), Branch::Published)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(unknown)?;
    let idx = snapshot.find_usage(&usage).ok_or_else(unknown)?;
    let viewer = caller.viewer();
    let user = viewer.id.unwrap_or_default();
    let added = bookmarks::add(&state.db, user, snapshot.block(idx), now)
        .await
        .map_err(WebError::internal)?;
    match added {
        Added::TooMany => {
            let text = format!(
                "You can create up to {MOST_PER_COURSE} bookmarks. You must remove some bookmarks before you can add \
                 new ones."
            );
            Err(refusal(StatusCode::BAD_REQUEST, &text, &text))
        }
        Added::Kept(kept) => {
            let body = bookmarks::to_json(&kept, &viewer.username, Wanted::ALL, Some(&snapshot));
            Ok(DrfJson(StatusCode::CREATED, body).into_response())
        }
    }
}

/// The bookmark that a path names: 404, or 403 for global staff, unless it is one's own.
fn named<'a>(path: &'a str, viewer: &Viewer) -> Result<(UsageKey, &'a str), WebError> {
    let (username, usage) = path.split_once(',').ok_or_else(WebError::not_found)?;
    if username != viewer.username {
        return Err(WebError::permission_denied());
    }
    let key = UsageKey::parse(usage).map_err(|_| {
        let text = format!("Invalid usage_id: {usage}.");
        refusal(StatusCode::NOT_FOUND, &text, &text)
    })?;
    Ok((key, usage))
}

async fn one(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Authenticated<BearerOrSession>,
    params: Params,
) -> Result<Response, WebError> {
    let viewer = caller.viewer();
    let (usage, id) = named(&path, &viewer)?;
    let kept = records::bookmarks::get(&state.db, viewer.id.unwrap_or_default(), &usage)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(|| missing(id))?;
    let mut rows = rows(
        &state,
        std::slice::from_ref(&kept),
        &viewer,
        wanted(&params),
    )
    .await?;
    let body = rows.pop().unwrap_or_default();
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn remove(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Authenticated<BearerOrSession>,
) -> Result<Response, WebError> {
    let viewer = caller.viewer();
    let (usage, id) = named(&path, &viewer)?;
    let removed = bookmarks::remove(&state.db, viewer.id.unwrap_or_default(), &usage)
        .await
        .map_err(WebError::internal)?;
    if removed {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(missing(id))
    }
}
