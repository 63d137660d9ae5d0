//! Routes of the LMS that lead into the learning pages (courseware.md §14).

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use courseware::resume::{Place, block_by_id};
use identity::Viewer;
use modulestore::Branch;
use opaque_keys::{CourseKey, UsageKey};
use web_kit::WebError;

use super::frame::{course_key, found, learning_url, open, turn_away};
use crate::auth::Visitor;
use crate::clock::Now;
use crate::form::query_form;
use crate::routes::slashed;
use crate::state::LmsState;

/// The routes.
pub fn router() -> Router<LmsState> {
    let router = Router::new()
        .route("/courses/{course}/jump_to/{*usage}", get(jump_to))
        .route("/courses/{course}/jump_to_id/{id}", get(jump_to_id))
        .route("/courses/{course}/dates", get(dates))
        .route("/courses/{course}/progress", get(progress))
        .route("/learning", get(|| async { found("/dashboard") }))
        .route("/learning/", get(|| async { found("/dashboard") }))
        .route("/learning/course/{course}", get(course_home))
        .route("/learning/course/{course}/", get(course_home));
    let router = slashed(router, "/courses/{course}/course/", get(course_home));
    let router = slashed(router, "/courses/{course}/courseware/", get(courseware));
    let router = slashed(
        router,
        "/courses/{course}/courseware/{chapter}/",
        get(chapter),
    );
    let router = slashed(
        router,
        "/courses/{course}/courseware/{chapter}/{section}/",
        get(section),
    );
    slashed(
        router,
        "/courses/{course}/courseware/{chapter}/{section}/{position}/",
        get(position),
    )
}

fn with_raw_query(target: String, query: Option<&str>) -> String {
    match query.filter(|query| !query.is_empty()) {
        Some(query) => format!("{target}?{query}"),
        None => target,
    }
}

/// The query without the parameters that only this server reads.
fn kept_query(query: Option<&str>, dropped: &[&str]) -> Option<String> {
    let kept: Vec<&str> = query?
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !dropped.contains(&name)
        })
        .collect();
    Some(kept.join("&"))
}

async fn course_home(
    State(state): State<LmsState>,
    Path(course): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let target = learning_url(&state, &format!("/course/{key}/home"));
    Ok(found(&with_raw_query(target, query.as_deref())))
}

async fn dates(
    State(state): State<LmsState>,
    Path(course): Path<String>,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    Ok(found(&learning_url(
        &state,
        &format!("/course/{key}/dates"),
    )))
}

async fn progress(
    State(state): State<LmsState>,
    Path(course): Path<String>,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let target = format!("/course/{key}/progress");
    Ok(found(&learning_url(&state, &target)))
}

/// `/courses/{key}/jump_to/{usage}`: neither sign-in nor access is asked for; the page behind it does.
async fn jump_to(
    State(state): State<LmsState>,
    Path((course, usage)): Path<(String, String)>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let usage = usage.trim_end_matches('/');
    let usage = UsageKey::parse(usage).map_err(|_| WebError::not_found())?;
    let usage = usage
        .map_into_course(&key)
        .map_err(|_| WebError::not_found())?;
    lead(
        &state,
        &key,
        &visitor.viewer(),
        query.as_deref(),
        |course| course.find_usage(&usage).map(|idx| course.block(idx)),
    )
    .await
    .map(|(_, response)| response)
}

/// `/courses/{key}/jump_to_id/{block id}`
async fn jump_to_id(
    State(state): State<LmsState>,
    Path((course, id)): Path<(String, String)>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let (is_there, response) = lead(
        &state,
        &key,
        &visitor.viewer(),
        query.as_deref(),
        |course| block_by_id(course, &id),
    )
    .await?;
    if is_there {
        Ok(response)
    } else {
        Err(WebError::not_found())
    }
}

/// Redirects to the page of a block, to the course when the block has none; and whether there is such a block.
async fn lead<'a, F>(
    state: &LmsState,
    key: &CourseKey,
    viewer: &Viewer,
    query: Option<&str>,
    find: F,
) -> Result<(bool, Response), WebError>
where
    F: Fn(&course_model::CourseSnapshot) -> Option<course_model::BlockRef<'_>> + 'a,
{
    let asks_preview = query_form(query).get("preview").is_some();
    let roles = identity::Roles::load(&state.db, viewer);
    let is_preview = asks_preview
        && roles
            .await
            .map_err(WebError::internal)?
            .has_staff_access(key);
    let branch = if is_preview {
        Branch::Draft
    } else {
        Branch::Published
    };
    let course = state
        .store
        .snapshot(key, branch)
        .await
        .map_err(WebError::internal)?;
    let block = course.as_deref().and_then(&find);
    let path = block
        .and_then(Place::of)
        .map_or_else(|| format!("/course/{key}"), |place| place.path());
    let path = if is_preview {
        format!("/preview{path}")
    } else {
        path
    };
    let query = kept_query(query, &["experience", "preview"]);
    let target = with_raw_query(learning_url(state, &path), query.as_deref());
    Ok((block.is_some(), found(&target)))
}

async fn courseware(
    state: State<LmsState>,
    Path(course): Path<String>,
    visitor: Visitor,
    now: Now,
    query: RawQuery,
) -> Result<Response, WebError> {
    legacy(state, &course, [None, None, None], visitor, now, query).await
}

async fn chapter(
    state: State<LmsState>,
    Path((course, chapter)): Path<(String, String)>,
    visitor: Visitor,
    now: Now,
    query: RawQuery,
) -> Result<Response, WebError> {
    legacy(
        state,
        &course,
        [Some(&chapter), None, None],
        visitor,
        now,
        query,
    )
    .await
}

async fn section(
    state: State<LmsState>,
    Path((course, chapter, section)): Path<(String, String, String)>,
    visitor: Visitor,
    now: Now,
    query: RawQuery,
) -> Result<Response, WebError> {
    let parts = [Some(chapter.as_str()), Some(section.as_str()), None];
    legacy(state, &course, parts, visitor, now, query).await
}

async fn position(
    state: State<LmsState>,
    Path((course, chapter, section, position)): Path<(String, String, String, String)>,
    visitor: Visitor,
    now: Now,
    query: RawQuery,
) -> Result<Response, WebError> {
    let parts = [
        Some(chapter.as_str()),
        Some(section.as_str()),
        Some(position.as_str()),
    ];
    legacy(state, &course, parts, visitor, now, query).await
}

/// The old addresses of chapters, sections and positions: after the checks of a page, on to the learning pages.
async fn legacy(
    State(state): State<LmsState>,
    course: &str,
    parts: [Option<&str>; 3],
    visitor: Visitor,
    Now(now): Now,
    RawQuery(query): RawQuery,
) -> Result<Response, WebError> {
    let key = course_key(course)?;
    let view = open(&state, &key, &visitor.viewer(), now).await?;
    if let Err(denied) = view.page() {
        return turn_away(&denied, &key);
    }
    let child = |parent: course_model::BlockRef<'_>, id: &str| {
        parent
            .children()
            .find(|block| block.block_id() == id)
            .map(course_model::BlockRef::idx)
    };
    let [chapter, section, position] = parts;
    let root = view.course.course();
    let chapter = chapter.and_then(|id| child(root, id));
    let mut place = chapter;
    if let (Some(chapter), Some(section)) = (chapter, section) {
        place = child(view.course.block(chapter), section).or(place);
        let number = position.and_then(|position| position.parse::<usize>().ok());
        if let (Some(sequence), Some(number)) = (place, number)
            && let Some(unit) = view
                .course
                .block(sequence)
                .children()
                .nth(number.saturating_sub(1))
        {
            place = Some(unit.idx());
        }
    }
    let query = query.as_deref();
    if let Some(usage) = query_form(query).get("activate_block_id")
        && let Ok(usage) = UsageKey::parse(usage)
        && let Ok(usage) = usage.map_into_course(&key)
        && let Some(unit) = view.course.find_usage(&usage)
    {
        place = Some(unit);
    }
    let path = place
        .and_then(|idx| Place::of(view.course.block(idx)))
        .map_or_else(|| format!("/course/{key}/home"), |place| place.path());
    let query = kept_query(query, &["activate_block_id"]);
    let target = with_raw_query(learning_url(&state, &path), query.as_deref());
    Ok(found(&target))
}
