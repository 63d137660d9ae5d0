//! The courses API (lms-api.md §3.1–3.3).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use courseware::access::{Action, Rules};
use courseware::catalog::{self, CatalogViewer, Links};
use identity::{RequestUser, Viewer};
use opaque_keys::CourseKey;
use records::course_overviews::{self, CourseOverview, Filter};
use records::keys::course_text;
use serde_json::Value;
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::DrfJson;

use crate::api::params::{Asked, FieldErrors, PageOf, Params};
use crate::api::throttle::{self, Rate};
use crate::auth::{AnyUserApi, Authenticated, Caller, ClientAddress};
use crate::clock::Now;
use crate::routes::{either, read_only, slashed, styled, with_course_key};
use crate::state::LmsState;

const LIST: Rate = Rate {
    group: "courses",
    user: 20,
    staff: 40,
};
const IDS: Rate = Rate {
    group: "course_ids",
    user: 20,
    staff: 40,
};

/// Courses on one page at most.
const MAX_PAGE: usize = 100;
/// Keys on one page at most.
const MAX_IDS: usize = 1000;

/// Routes under `/api/courses/v1/`.
pub fn router(state: &LmsState) -> Router<LmsState> {
    let router = slashed(Router::new(), "/api/courses/v1/courses/", read_only(list));
    let router = slashed(router, "/api/courses/v1/course_ids/", read_only(course_ids));
    let lists = styled(router, state, ErrorStyle::DeveloperMessage);
    let detail = either(
        Router::new(),
        "/api/courses/v1/courses/{course}",
        read_only(detail),
    );
    let detail = with_course_key(styled(detail, state, ErrorStyle::DeveloperMessage));
    lists.merge(detail)
}

/// The person whose courses are asked for: nobody for no name, the caller for their own, anybody for global staff.
async fn effective_user(
    state: &LmsState,
    caller: Option<&RequestUser>,
    username: &str,
) -> Result<Viewer, WebError> {
    if username.is_empty() {
        return Ok(Viewer::anonymous());
    }
    match caller {
        Some(caller) if caller.user.username == username => Ok(caller.viewer()),
        Some(caller) if caller.user.is_staff => {
            let user = records::users::by_username(&state.db, username)
                .await
                .map_err(WebError::internal)?;
            user.map(|user| Viewer::from(&user))
                .ok_or_else(|| WebError::not_found_with("User matching query does not exist."))
        }
        _ => Err(WebError::permission_denied()),
    }
}

fn rules(state: &LmsState) -> Rules {
    state.settings.rules()
}

/// The action that a setting names; one that it does not know shows nothing.
fn visibility(name: &str) -> Option<Action> {
    Action::named(name)
}

async fn list(
    State(state): State<LmsState>,
    caller: Caller<AnyUserApi>,
    address: ClientAddress,
    Now(now): Now,
    asked: Asked,
    params: Params,
) -> Result<Response, WebError> {
    throttle::count(&state, LIST, &caller.viewer(), &address, now).await?;
    let mut errors = FieldErrors::default();
    let mobile = params.boolean("mobile", &mut errors);
    let active_only = params.boolean("active_only", &mut errors);
    params.boolean("mobile_search", &mut errors);
    let mut keys = Vec::new();
    for key in params.list("course_keys") {
        match CourseKey::parse(key) {
            Ok(key) => keys.push(course_text(&key)),
            Err(_) => errors.add("course_keys", format!("'{key}' is not a valid course key.")),
        }
    }
    errors.check()?;
    let username = params.get("username").unwrap_or_default();
    let viewer = effective_user(&state, caller.user.as_ref(), username).await?;
    let filter = Filter {
        org: params.filled("org"),
        mobile_available: mobile,
        active_at: active_only.filter(|only| *only).map(|_| now.naive_utc()),
        course_ids: (!keys.is_empty()).then_some(keys.as_slice()),
    };
    let mut overviews = course_overviews::list(&state.db, &filter)
        .await
        .map_err(WebError::internal)?;
    catalog::sort(&mut overviews);
    if let Some(term) = params.filled("search_term") {
        overviews
            .retain(|overview| state.settings.enable_courseware_search && mentions(overview, term));
    }
    let who = CatalogViewer::load(&state.db, &viewer)
        .await
        .map_err(WebError::internal)?;
    let shown = visibility(&state.settings.course_catalog_visibility_permission);
    let wanted: Vec<Option<Action>> = std::iter::once(shown)
        .chain(params.list("permissions").map(Action::named))
        .collect();
    let rules = rules(&state);
    overviews.retain(|overview| {
        let may = |action: &Option<Action>| {
            action.is_some_and(|action| who.may(action, overview, rules, now))
        };
        wanted.iter().all(may)
    });
    let page = PageOf::read(&params, overviews.len(), MAX_PAGE)?;
    let overviews = page.of(&overviews);
    let images = catalog::images(&state.db, overviews)
        .await
        .map_err(WebError::internal)?;
    let links = Links { base: &asked.base };
    let items: Vec<Value> = overviews
        .iter()
        .map(|overview| Value::Object(catalog::item(overview, images.get(&overview.id), links)))
        .collect();
    Ok(DrfJson(StatusCode::OK, page.envelope(&items, &params, &asked)).into_response())
}

/// Whether an overview speaks of all words of a search.
fn mentions(overview: &CourseOverview, term: &str) -> bool {
    let text = [
        overview.display_name.as_deref().unwrap_or_default(),
        overview.display_number_with_default.as_str(),
        overview.display_org_with_default.as_str(),
        overview.short_description.as_deref().unwrap_or_default(),
    ]
    .join(" ")
    .to_lowercase();
    term.to_lowercase()
        .split_whitespace()
        .all(|word| text.contains(word))
}

async fn detail(
    State(state): State<LmsState>,
    Path(course): Path<String>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
    params: Params,
) -> Result<Response, WebError> {
    let Ok(course) = CourseKey::parse(&course) else {
        let text = format!("'{course}' is not a valid course key.");
        return Err(WebError::invalid_field("course_key", &text));
    };
    let username = params.get("username").unwrap_or_default();
    let viewer = effective_user(&state, caller.user.as_ref(), username).await?;
    let overview = visible_overview(&state, &viewer, &course, now).await?;
    let images = catalog::images(&state.db, std::slice::from_ref(&overview))
        .await
        .map_err(WebError::internal)?;
    let links = Links { base: &asked.base };
    let mut item = catalog::item(&overview, images.get(&overview.id), links);
    let switches = records::waffle::switches(&state.db)
        .await
        .map_err(WebError::internal)?;
    let auto = switches
        .iter()
        .any(|switch| switch.name == "certificates.auto_certificate_generation" && switch.active);
    catalog::add_detail(&mut item, &overview, auto, &state.store)
        .await
        .map_err(WebError::internal)?;
    if let Some(id) = viewer.id {
        let place = records::enrollment::get(&state.db, id, &course)
            .await
            .map_err(WebError::internal)?;
        let is_enrolled = place.is_some_and(|place| place.is_active);
        item.insert("is_enrolled".into(), is_enrolled.into());
    }
    Ok(DrfJson(StatusCode::OK, item).into_response())
}

/// The overview of a course that a person may know of.
async fn visible_overview(
    state: &LmsState,
    viewer: &Viewer,
    course: &CourseKey,
    now: DateTime<Utc>,
) -> Result<CourseOverview, WebError> {
    let missing = || WebError::not_found_with("Course not found.");
    let overview = course_overviews::get(&state.db, course)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(missing)?;
    let who = CatalogViewer::load(&state.db, viewer)
        .await
        .map_err(WebError::internal)?;
    let action = visibility(&state.settings.course_about_visibility_permission);
    let visible = action.is_some_and(|action| who.may(action, &overview, rules(state), now));
    visible.then_some(overview).ok_or_else(missing)
}

async fn course_ids(
    State(state): State<LmsState>,
    caller: Authenticated<AnyUserApi>,
    address: ClientAddress,
    Now(now): Now,
    asked: Asked,
    params: Params,
) -> Result<Response, WebError> {
    throttle::count(&state, IDS, &caller.viewer(), &address, now).await?;
    let Some(role) = params.filled("role") else {
        return Err(WebError::invalid_field("role", "This field is required."));
    };
    let username = params.get("username").unwrap_or_default();
    let viewer = effective_user(&state, Some(&caller.user), username).await?;
    let mut overviews = course_overviews::list(&state.db, &Filter::default())
        .await
        .map_err(WebError::internal)?;
    catalog::sort(&mut overviews);
    let who = CatalogViewer::load(&state.db, &viewer)
        .await
        .map_err(WebError::internal)?;
    if !who.roles().is_global_staff() {
        let action = Action::named(role);
        let rules = rules(&state);
        overviews.retain(|overview| {
            if role == "staff" {
                // Explicit rows of the course alone; a role in the whole organization does not count here.
                return who.roles().rows().iter().any(|row| {
                    row.course_id == overview.id
                        && matches!(row.role.as_str(), "staff" | "instructor")
                });
            }
            action.is_some_and(|action| who.may(action, overview, rules, now))
        });
    }
    let page = PageOf::read(&params, overviews.len(), MAX_IDS)?;
    let ids: Vec<Value> = page
        .of(&overviews)
        .iter()
        .map(|overview| Value::from(overview.id.as_str()))
        .collect();
    Ok(DrfJson(StatusCode::OK, page.envelope(&ids, &params, &asked)).into_response())
}
