//! The course home API (lms-api.md §7, courseware.md §15.2, §15.6–15.9).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use courseware::CourseView;
use courseware::blocks_api::Allowed;
use courseware::home::dates::Dates;
use courseware::home::outline::OutlineTree;
use courseware::home::{self, Facts, certificates, course_page, goals, progress, upgrade};
use courseware::updates::{self, News};
use identity::Viewer;
use opaque_keys::CourseKey;
use serde_json::{Value, json};
use web_kit::WebError;
use web_kit::error::ErrorStyle;
use web_kit::json::DrfJson;

use crate::api::data::Data;
use crate::api::opened::{Addresses, Opened, leading_course_key, open};
use crate::api::params::{Asked, Params};
use crate::auth::{AnyUserApi, Authenticated, Caller, RestApi};
use crate::clock::Now;
use crate::routes::styled;
use crate::state::LmsState;

/// Routes under `/api/course_home/`, also under `/api/course_home/v1/`, and those of deadlines.
pub fn router(state: &LmsState) -> Router<LmsState> {
    let mut router = Router::new();
    for base in ["/api/course_home", "/api/course_home/v1"] {
        router = router
            .route(
                &format!("{base}/course_metadata/{{*course}}"),
                get(course_metadata),
            )
            .route(&format!("{base}/outline/{{*course}}"), get(outline))
            .route(&format!("{base}/navigation/{{*course}}"), get(navigation))
            .route(&format!("{base}/dates/{{*course}}"), get(dates))
            .route(&format!("{base}/progress/{{*course}}"), get(progress_page))
            .route(&format!("{base}/save_course_goal"), post(save_goal))
            .route(&format!("{base}/dismiss_welcome_message"), post(dismiss))
            .route(
                &format!("{base}/unsubscribe_from_course_goal/{{token}}"),
                post(unsubscribe),
            );
    }
    let router = router
        .route(
            "/api/course_experience/v1/reset_course_deadlines",
            post(reset_deadlines),
        )
        .route(
            "/api/course_experience/v1/course_deadlines_info/{*course}",
            get(deadlines_info),
        );
    styled(router, state, ErrorStyle::Detail)
}

fn key_of(path: &str) -> Result<(CourseKey, &str), WebError> {
    leading_course_key(path).ok_or_else(WebError::not_found)
}

/// An answer whose `Date` the front end reads.
fn dated(body: Value) -> Response {
    let mut response = DrfJson(StatusCode::OK, body).into_response();
    response.headers_mut().insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Date"),
    );
    response
}

async fn course_metadata(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
) -> Result<Response, WebError> {
    let (course, _) = key_of(&path)?;
    let opened = open(&state, &caller.viewer(), &course, now).await?;
    opened.require_visible(&state)?;
    goals::note_activity(&state.db, &opened.view, &opened.facts)
        .await
        .map_err(WebError::internal)?;
    let addresses = Addresses::of(&state, &asked);
    let links = addresses.links();
    let body = course_page::metadata(&state.store, &opened.view, &opened.facts, &links)
        .await
        .map_err(WebError::internal)?;
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

/// The tools of a course, ordered by title.
fn tools(view: &CourseView, facts: &Facts, info: &News, links: &home::Links<'_>) -> Value {
    let learner = &view.learner;
    let base = format!("{}/courses/{}", links.base, view.facts.key);
    let tool = |id: &str, title: &str, url: String| json!({"analytics_id": id, "title": title, "url": url});
    let mut tools = Vec::new();
    if learner.is_enrolled() || learner.is_staff() {
        tools.push(tool(
            "edx.bookmarks",
            "Bookmarks",
            format!("{base}/bookmarks/"),
        ));
    }
    if learner.is_enrolled() && !info.updates.is_empty() {
        tools.push(tool(
            "edx.updates",
            "Updates",
            format!("{base}/course/updates"),
        ));
    }
    if upgrade::is_shown(view, facts) {
        let url = format!("{}{}", links.base, upgrade::link(view).unwrap_or_default());
        tools.push(tool(
            "edx.tool.verified_upgrade",
            "Upgrade to Verified",
            url,
        ));
    }
    tools.into()
}

/// `enroll_alert`: whether, and why not, somebody outside may come in.
async fn enroll_alert(state: &LmsState, view: &CourseView) -> Result<Value, WebError> {
    let alert = |can: bool, text: Option<String>| json!({"can_enroll": can, "extra_text": text});
    let learner = &view.learner;
    if learner.is_enrolled() || learner.is_staff() {
        return Ok(alert(true, None));
    }
    let masters =
        !learner.modes.is_empty() && learner.modes.iter().all(|mode| mode.slug == "masters");
    if masters {
        let site = &state.settings.platform_name;
        let text = format!(
            "Please contact your degree administrator or {site} Support if you have questions."
        );
        return Ok(alert(false, Some(text)));
    }
    let facts = &view.facts;
    let closed = facts.enrollment_start.is_some_and(|start| view.now < start)
        || facts.enrollment_end.is_some_and(|end| end < view.now);
    if closed {
        return Ok(alert(false, None));
    }
    let limit = view
        .course
        .course()
        .integer("max_student_enrollments_allowed");
    if let Some(limit) = limit {
        let count = records::enrollment::count_learners(&state.db, &facts.key)
            .await
            .map_err(WebError::internal)?;
        if count >= limit {
            return Ok(alert(false, Some("Course is full".to_owned())));
        }
    }
    Ok(alert(true, None))
}

async fn outline(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
) -> Result<Response, WebError> {
    let (course, _) = key_of(&path)?;
    let opened = open(&state, &caller.viewer(), &course, now).await?;
    opened.require_load(false)?;
    let body = outline_of(&state, &opened, &asked)
        .await
        .map_err(WebError::internal)?;
    let mut body = body;
    if let Some(body) = body.as_object_mut() {
        body.insert(
            "enroll_alert".into(),
            enroll_alert(&state, &opened.view).await?,
        );
    }
    Ok(dated(body))
}

async fn outline_of(state: &LmsState, opened: &Opened, asked: &Asked) -> courseware::Result<Value> {
    let Opened { view, facts } = opened;
    let learner = &view.learner;
    let addresses = Addresses::of(state, asked);
    let links = addresses.links();
    let inside = learner.is_enrolled() || learner.is_staff();
    let public = courseware::access::is_public(&view.facts, learner);
    let dates = Dates::load(&state.db, &state.store, view, facts, &links).await?;
    let info = if inside || public {
        News::load(&state.store, view).await?
    } else {
        News::default()
    };
    let (mut blocks, mut resume) = (Value::Null, (false, None));
    if let Some(allowed) = Allowed::outline(view) {
        let exams = state.settings.enable_special_exams;
        let tree = OutlineTree::load(&state.db, &state.store, allowed, exams).await?;
        if !tree.is_empty() {
            blocks = tree.outline_json((inside || public).then_some(&links));
        }
        if inside {
            resume = tree.resume(&links);
        }
    }
    let passed = facts
        .grade
        .as_ref()
        .is_some_and(|grade| !grade.letter.is_empty());
    let certificate = if learner.is_enrolled() {
        certificates::cert_data(view, facts, passed)
    } else {
        Value::Null
    };
    let ahead = if inside { dates.ahead() } else { Vec::new() };
    let nothing_selected = json!({"selected_goal": null, "weekly_learning_goal_enabled": false});
    Ok(json!({
        "dates_banner_info": dates.banner(view),
        "verified_mode": upgrade::verified_mode(view, facts),
        "access_expiration": if inside { upgrade::access_expiration(view, facts) } else { Value::Null },
        "cert_data": certificate,
        "course_blocks": blocks,
        "course_goals": if inside { goals::to_json(view, facts) } else { nothing_selected },
        "course_tools": tools(view, facts, &info, &links),
        "dates_widget": {
            "course_date_blocks": ahead,
            "dates_tab_link": links.learning(&view.facts.key, "dates"),
            "user_timezone": facts.time_zone.as_ref().filter(|_| inside),
        },
        "enrollment_mode": learner.active_enrollment().map(|place| place.mode.as_str()),
        "enable_proctored_exams": view.course.course().flag("enable_proctored_exams"),
        "handouts_html": (inside || public).then(|| info.stored_handouts.clone()),
        "has_ended": home::dates::has_ended(view),
        "offer": null,
        "resume_course": {"has_visited_course": resume.0, "url": resume.1},
        "welcome_message_html": if inside { info.welcome(learner).map(|update| update.content.as_str()) } else { None },
        "user_has_passing_grade": passed,
    }))
}

async fn navigation(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Caller<AnyUserApi>,
    Now(now): Now,
) -> Result<Response, WebError> {
    let (course, _) = key_of(&path)?;
    let opened = open(&state, &caller.viewer(), &course, now).await?;
    opened.require_load(false)?;
    let mut body = json!({});
    if let Some(allowed) = Allowed::outline(&opened.view) {
        let exams = state.settings.enable_special_exams;
        let tree = OutlineTree::load(&state.db, &state.store, allowed, exams)
            .await
            .map_err(WebError::internal)?;
        if !tree.is_empty() {
            body = tree.navigation_json();
        }
    }
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn dates(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Authenticated<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
    params: Params,
) -> Result<Response, WebError> {
    let (course, _) = key_of(&path)?;
    let opened = open(&state, &caller.viewer(), &course, now).await?;
    opened.require_load(params.filled("allow_not_started_courses").is_some())?;
    opened.require_enrolled()?;
    let addresses = Addresses::of(&state, &asked);
    let Opened { view, facts } = &opened;
    let found = Dates::load(&state.db, &state.store, view, facts, &addresses.links())
        .await
        .map_err(WebError::internal)?;
    Ok(DrfJson(StatusCode::OK, home::dates::to_json(view, facts, &found)).into_response())
}

/// The person whose progress is asked for; 404 unless it is one's own or one is on the course's staff.
async fn subject(
    state: &LmsState,
    opened: &Opened,
    viewer: &Viewer,
    id: &str,
) -> Result<Viewer, WebError> {
    let id: i64 = id.parse().map_err(|_| WebError::not_found())?;
    if viewer.id == Some(id) {
        return Ok(viewer.clone());
    }
    if !opened.view.learner.is_staff() {
        return Err(WebError::not_found());
    }
    let user = records::users::by_id(&state.db, id)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)?;
    Ok(Viewer::from(&user))
}

async fn progress_page(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Authenticated<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
) -> Result<Response, WebError> {
    let (course, rest) = key_of(&path)?;
    let viewer = caller.viewer();
    let mut opened = open(&state, &viewer, &course, now).await?;
    if !opened
        .view
        .learner
        .flag(courseware::learner::flags::PROGRESS_PAGE)
    {
        return Err(WebError::not_found());
    }
    let to_staff = opened.view.learner.is_staff();
    opened.require_load(false).or_else(|denied| {
        // Whoever may not see others at all learns nothing of them first.
        if rest.is_empty() { Err(denied) } else { Ok(()) }
    })?;
    let asker = opened.view.learner.clone();
    if !rest.is_empty() {
        let id = rest.split('/').next().unwrap_or_default();
        let subject = subject(&state, &opened, &viewer, id).await?;
        opened.require_load(false)?;
        if subject.id != viewer.id {
            opened = open(&state, &subject, &course, now).await?;
        }
    }
    if !to_staff {
        opened.require_enrolled()?;
    }
    let addresses = Addresses::of(&state, &asked);
    let allowed = Allowed::own(&opened.view)
        .or_else(|| Allowed::of_other(&opened.view, &asker.roles))
        .ok_or_else(WebError::permission_denied)?;
    let body = progress::progress(
        &state.db,
        &state.store,
        allowed,
        &opened.facts,
        to_staff,
        &addresses.links(),
    )
    .await
    .map_err(WebError::internal)?;
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

fn course_of(data: &Data, name: &str) -> Option<CourseKey> {
    CourseKey::parse(data.text(name)?).ok()
}

/// A flag as forms and JSON give it.
fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.to_lowercase().as_str(), "" | "false" | "0"),
        Value::Null => false,
        _ => true,
    }
}

async fn save_goal(
    State(state): State<LmsState>,
    caller: Authenticated<RestApi>,
    Now(now): Now,
    data: Data,
) -> Result<Response, WebError> {
    if data.text("course_id").is_none_or(str::is_empty) {
        return Err(WebError::bad_request("'course_id' is required."));
    }
    let subscribed = match data.get("subscribed_to_reminders") {
        None | Some(Value::Null) => {
            return Err(WebError::bad_request(
                "'subscribed_to_reminders' is required.",
            ));
        }
        Some(value) => truth(value),
    };
    let refused = || WebError::bad_request("Unable to save course goal");
    let course = course_of(&data, "course_id").ok_or_else(refused)?;
    let days = match data.get("days_per_week") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.trim().parse().map_err(|_| refused())?),
        Some(value) => Some(value.as_i64().ok_or_else(refused)?),
    };
    if days.is_some_and(|days: i64| !(0..=i64::from(u32::MAX)).contains(&days)) {
        return Err(refused());
    }
    let user = caller.viewer().id.unwrap_or_default();
    let token = uuid::Uuid::new_v4().simple().to_string();
    goals::save(&state.db, user, &course, days, subscribed, &token, now)
        .await
        .map_err(WebError::internal)?;
    let body = json!({
        "header": "Your course goal has been successfully set.",
        "message": "Course goal updated successfully.",
    });
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn dismiss(
    State(state): State<LmsState>,
    caller: Authenticated<RestApi>,
    Now(now): Now,
    data: Data,
) -> Result<Response, WebError> {
    if data.text("course_id").is_none_or(str::is_empty) {
        return Err(WebError::bad_request("'course_id' is required."));
    }
    if data.fields().is_some_and(|fields| fields.len() > 1) {
        return Err(WebError::bad_request("Only 'course_id' is expected."));
    }
    let refused = || WebError::bad_request("Unable to dismiss welcome message.");
    let course = course_of(&data, "course_id").ok_or_else(refused)?;
    let opened = open(&state, &caller.viewer(), &course, now)
        .await
        .map_err(|_| refused())?;
    opened.require_load(false).map_err(|_| refused())?;
    opened.require_enrolled().map_err(|_| refused())?;
    let info = News::load(&state.store, &opened.view)
        .await
        .map_err(WebError::internal)?;
    updates::dismiss(&state.db, &opened.view.learner, &info)
        .await
        .map_err(WebError::internal)?;
    let body = json!({"message": "Welcome message successfully dismissed."});
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn unsubscribe(
    State(state): State<LmsState>,
    Path(token): Path<String>,
) -> Result<Response, WebError> {
    let token =
        uuid::Uuid::parse_str(token.trim_end_matches('/')).map_err(|_| WebError::not_found())?;
    let token = token.simple().to_string();
    let course = goals::unsubscribe(&state.db, &token)
        .await
        .map_err(WebError::internal)?
        .and_then(|course| CourseKey::parse(&course).ok())
        .ok_or_else(WebError::not_found)?;
    let overview = records::course_overviews::get(&state.db, &course)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)?;
    let body = json!({"course_title": overview.display_name});
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn deadlines(
    state: &LmsState,
    viewer: &Viewer,
    course: &CourseKey,
    asked: &Asked,
    now: DateTime<Utc>,
) -> Result<(Opened, Dates), WebError> {
    let opened = open(state, viewer, course, now).await?;
    let addresses = Addresses::of(state, asked);
    let found = Dates::load(
        &state.db,
        &state.store,
        &opened.view,
        &opened.facts,
        &addresses.links(),
    )
    .await
    .map_err(WebError::internal)?;
    Ok((opened, found))
}

async fn reset_deadlines(
    State(state): State<LmsState>,
    caller: Authenticated<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
    data: Data,
) -> Result<Response, WebError> {
    if data.text("course_key").is_none_or(str::is_empty) {
        return Err(WebError::bad_request("'course_key' is required."));
    }
    let refused = || WebError::bad_request("Unable to reset deadlines.");
    let course = course_of(&data, "course_key").ok_or_else(refused)?;
    let (opened, found) = deadlines(&state, &caller.viewer(), &course, &asked, now)
        .await
        .map_err(|_| refused())?;
    home::dates::reset(&state.db, &opened.view, &found)
        .await
        .map_err(|_| refused())?;
    let addresses = Addresses::of(&state, &asked);
    let link = addresses.links().learning(&course, "dates");
    let body = json!({
        "body": format!("<a href=\"{link}\">View all dates</a>"),
        "header": "Your due dates have been successfully shifted to help you stay on track.",
        "link": link,
        "link_text": "View all dates",
        "message": "Deadlines successfully reset.",
    });
    Ok(DrfJson(StatusCode::OK, body).into_response())
}

async fn deadlines_info(
    State(state): State<LmsState>,
    Path(path): Path<String>,
    caller: Authenticated<AnyUserApi>,
    Now(now): Now,
    asked: Asked,
) -> Result<Response, WebError> {
    let (course, _) = key_of(&path)?;
    let (opened, found) = deadlines(&state, &caller.viewer(), &course, &asked, now).await?;
    let body = json!({
        "dates_banner_info": found.banner(&opened.view),
        "has_ended": home::dates::has_ended(&opened.view),
    });
    Ok(DrfJson(StatusCode::OK, body).into_response())
}
