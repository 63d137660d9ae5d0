//! What pages of one course share: opening it, the bar with its name and pages, addresses.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use course_model::BlockRef;
use courseware::CourseView;
use courseware::access::{Denial, Denied};
use courseware::links::Wanted;
use courseware::outline::{Count, OutlineRules};
use courseware::resume::Place;
use identity::Viewer;
use opaque_keys::CourseKey;
use serde_json::Value;
use url::form_urlencoded;
use web_kit::WebError;

use super::contexts::{CourseFrame, Mark, StaffBar, Tab};
use crate::state::LmsState;

/// 302 to an address; one that cannot be a header goes to the start page.
pub fn found(target: &str) -> Response {
    let target = HeaderValue::from_str(target).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::FOUND, [(LOCATION, target)]).into_response()
}

/// A path with query values, encoded.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{query}")
}

/// Reads a course key of a path; what is none is no page.
pub fn course_key(text: &str) -> Result<CourseKey, WebError> {
    CourseKey::parse(text)
        .ok()
        .filter(|key| !key.is_library())
        .and_then(|key| key.for_branch(None).ok())
        .ok_or_else(WebError::not_found)
}

/// Opens the published version of a course for a person.
pub async fn open(
    state: &LmsState,
    course: &CourseKey,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> Result<CourseView, WebError> {
    let rules = state.settings.rules();
    CourseView::open(&state.db, &state.store, course, viewer, rules, now)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)
}

/// Where a page of the courseware sends people who may not see it (courseware.md §7.2).
pub fn turn_away(denied: &Denied, course: &CourseKey) -> Result<Response, WebError> {
    let target = match &denied.reason {
        Some(Denial::AuthenticationRequired) => return Err(WebError::not_authenticated()),
        Some(Denial::NotStarted { start }) => {
            with_query("/dashboard", &[("notlive", &short_date(*start))])
        }
        Some(Denial::AuditExpired { .. } | Denial::OldMongo { .. }) => {
            let text = denied.user_message.as_deref().unwrap_or_default();
            with_query("/dashboard", &[("access_response_error", text)])
        }
        Some(Denial::UnfulfilledMilestones) => "/dashboard".to_owned(),
        Some(Denial::EnrollmentRequired) => about_url(course),
        Some(Denial::SurveyRequired) => format!("/courses/{course}/survey"),
        _ => return Err(WebError::not_found()),
    };
    Ok(found(&target))
}

/// `Jan 05, 2027`
fn short_date(moment: DateTime<Utc>) -> String {
    moment.format("%b %d, %Y").to_string()
}

/// Address of the about page.
pub fn about_url(course: &CourseKey) -> String {
    format!("/courses/{course}/about")
}

/// Address of a page of the learning pages, our own or the configured front end's.
pub fn learning_url(state: &LmsState, path: &str) -> String {
    format!("{}{path}", state.kit.settings().site.learning_url)
}

/// Address of a course's home.
pub fn home_url(state: &LmsState, course: &CourseKey) -> String {
    learning_url(state, &format!("/course/{course}/home"))
}

/// Address of the page of a block.
pub fn block_url(state: &LmsState, block: BlockRef<'_>) -> String {
    match Place::of(block) {
        Some(place) => learning_url(state, &place.path()),
        None => home_url(state, block.snapshot().course_key()),
    }
}

/// Switches that outlines depend on.
pub fn outline_rules(state: &LmsState) -> OutlineRules {
    OutlineRules {
        special_exams: state.settings.enable_special_exams,
    }
}

/// The mark of a count. Where there is nothing to complete, it is full once the learner has begun at all
/// (courseware.md §8.1, completion).
pub fn mark(count: Count, has_begun: bool) -> Mark {
    if count.total == 0 {
        return if has_begun { Mark::Done } else { Mark::None };
    }
    Mark::of(count.done, count.total)
}

/// The bar of a course; `current` is the type of the page shown.
pub fn frame(state: &LmsState, view: &CourseView, current: &str) -> CourseFrame {
    let root = view.course.course();
    let course = view.course.course_key();
    let text = |name: &str| root.text(name).filter(|text| !text.is_empty());
    CourseFrame {
        key: course.to_string(),
        title: root.display_name().into_owned(),
        org: text("display_organization")
            .unwrap_or(course.org())
            .to_owned(),
        number: text("display_coursenumber")
            .unwrap_or(course.course())
            .to_owned(),
        language: text("language").map(str::to_owned),
        home_url: home_url(state, course),
        tabs: tabs(state, view, current),
        staff: view.learner.is_staff().then_some(StaffBar {
            studio_url: None,
            viewing_as: None,
        }),
    }
}

/// The course's pages that the viewer may open (courseware.md §11, tabs).
fn tabs(state: &LmsState, view: &CourseView, current: &str) -> Vec<Tab> {
    let root = view.course.course();
    let course = view.course.course_key();
    let is_inside = view.learner.is_staff() || view.learner.is_enrolled();
    let builtin = |title: &str, kind: &str, url: String| Tab {
        title: title.to_owned(),
        is_builtin: true,
        url,
        is_current: kind == current,
    };
    let mut tabs = vec![builtin("Course", "courseware", home_url(state, course))];
    let listed = root.field("tabs").and_then(Value::as_array);
    let entry = |kind: &str| {
        listed.and_then(|tabs| {
            tabs.iter()
                .find(|tab| tab.get("type").and_then(Value::as_str) == Some(kind))
        })
    };
    let is_hidden = |kind: &str| {
        entry(kind)
            .and_then(|tab| tab.get("is_hidden")?.as_bool())
            .unwrap_or_default()
    };
    // Our own progress page is not there yet; a configured front end has one.
    let has_progress = state.settings.learning_url.is_some();
    if has_progress && is_inside && !root.flag("hide_progress_tab") && !is_hidden("progress") {
        let url = learning_url(state, &format!("/course/{course}/progress"));
        tabs.push(builtin("Progress", "progress", url));
    }
    if is_inside {
        let url = learning_url(state, &format!("/course/{course}/dates"));
        tabs.push(builtin("Dates", "dates", url));
    }
    for tab in listed.into_iter().flatten() {
        let text = |name: &str| tab.get(name).and_then(Value::as_str);
        let is_staff_only = tab.get("course_staff_only").and_then(Value::as_bool) == Some(true);
        if is_staff_only && !view.learner.is_staff() {
            continue;
        }
        let (Some(kind), Some(title)) = (text("type"), text("name")) else {
            continue;
        };
        let url = match kind {
            "static_tab" => text("url_slug").map(|slug| format!("/courses/{course}/{slug}/")),
            "external_link" => text("link").map(str::to_owned),
            _ => None,
        };
        let Some(url) = url.filter(|url| is_link(url)) else {
            continue;
        };
        tabs.push(Tab {
            title: title.to_owned(),
            is_builtin: false,
            is_current: url.trim_end_matches('/').ends_with(&format!("/{current}")),
            url,
        });
    }
    tabs
}

/// Whether an author's address is a page and no script.
fn is_link(url: &str) -> bool {
    url.starts_with('/') || url.starts_with("https://") || url.starts_with("http://")
}

/// Leads the addresses in authors' texts to the course's files and pages (courseware.md §2.6).
pub async fn rewrite_links(
    state: &LmsState,
    view: &CourseView,
    texts: &mut [&mut String],
) -> Result<(), WebError> {
    let mut wanted = Wanted::default();
    for text in texts.iter() {
        wanted.add(text);
    }
    let contents = state.store.contentstore();
    let links = wanted
        .find(view.course.course_key(), &contents)
        .await
        .map_err(WebError::internal)?;
    let folder = view.course.course().text("static_asset_path");
    for text in texts.iter_mut() {
        **text = links.rewrite(text, folder.unwrap_or_default());
    }
    Ok(())
}
