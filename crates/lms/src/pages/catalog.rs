//! The catalogue, a course's about page, and the way in and out.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use course_model::BlockKey;
use courseware::CourseView;
use courseware::access::{self, Action};
use courseware::catalog::{self as lists, CatalogViewer};
use enrollment::access::Policy;
use enrollment::{Access, modes};
use identity::User;
use opaque_keys::CourseKey;
use records::course_overviews::{self, CourseOverview, Filter};
use records::history::Author;
use web_kit::redirect::{Allowed, safe_target};
use web_kit::{Origin, Page, WebError};

use super::contexts::{CatalogCard, CatalogPage, CourseAboutPage, EnrollState, Pages};
use super::dashboard::{image, utc};
use super::frame::{about_url, course_key, found, home_url, rewrite_links, with_query};
use crate::auth::Visitor;
use crate::clock::Now;
use crate::form::{FormBody, query_form};
use crate::state::LmsState;

/// Courses on one page.
const PAGE_SIZE: usize = 24;

/// `GET /courses`
pub async fn list(
    State(state): State<LmsState>,
    visitor: Visitor,
    Now(now): Now,
    page: Page,
    uri: Uri,
) -> Result<Response, WebError> {
    let fields = query_form(uri.query());
    let query = fields.text("q").trim().to_owned();
    let number = fields.text("page").parse().unwrap_or(1_usize).max(1);
    let viewer = visitor.viewer();
    let mut overviews = course_overviews::list(&state.db, &Filter::default())
        .await
        .map_err(WebError::internal)?;
    let person = CatalogViewer::load(&state.db, &viewer)
        .await
        .map_err(WebError::internal)?;
    let rules = state.settings.rules();
    overviews.retain(|overview| {
        matches(overview, &query)
            && person.may(Action::SeeInCatalog, overview, rules, now)
            && person.may(Action::SeeExists, overview, rules, now)
    });
    lists::sort(&mut overviews);
    let enrolled: Vec<String> = match viewer.id {
        Some(user) => records::enrollment::of_user(&state.db, user)
            .await
            .map_err(WebError::internal)?
            .into_iter()
            .filter(|row| row.is_active)
            .map(|row| row.course_id)
            .collect(),
        None => Vec::new(),
    };
    let total = overviews.len();
    let count = total.div_ceil(PAGE_SIZE).max(1);
    let number = number.min(count);
    let address = |number: usize| {
        let number = number.to_string();
        let mut pairs = Vec::new();
        if !query.is_empty() {
            pairs.push(("q", query.as_str()));
        }
        pairs.push(("page", number.as_str()));
        with_query("/courses", &pairs)
    };
    let pages = (count > 1).then(|| Pages {
        current: number,
        count,
        previous_url: (number > 1).then(|| address(number - 1)),
        next_url: (number < count).then(|| address(number + 1)),
    });
    let courses = overviews
        .iter()
        .skip((number - 1) * PAGE_SIZE)
        .take(PAGE_SIZE)
        .map(|overview| card(overview, enrolled.contains(&overview.id), now))
        .collect();
    page.render(&CatalogPage {
        query,
        courses,
        total,
        pages,
    })
}

/// Whether every word of a search stands in what the catalogue shows of a course.
fn matches(overview: &CourseOverview, query: &str) -> bool {
    let text = [
        overview.display_name.as_deref().unwrap_or_default(),
        overview.short_description.as_deref().unwrap_or_default(),
        &overview.display_org_with_default,
        &overview.display_number_with_default,
    ]
    .join(" ")
    .to_lowercase();
    query
        .to_lowercase()
        .split_whitespace()
        .all(|word| text.contains(word))
}

fn card(overview: &CourseOverview, is_enrolled: bool, now: DateTime<Utc>) -> CatalogCard {
    CatalogCard {
        key: overview.id.clone(),
        org: overview.display_org_with_default.clone(),
        number: overview.display_number_with_default.clone(),
        title: overview.display_name.clone().unwrap_or_default(),
        short_description: overview.short_description.clone().unwrap_or_default(),
        url: format!("/courses/{}/about", overview.id),
        image_url: image(overview),
        starts: utc(overview.start).filter(|start| *start > now),
        is_enrolled,
    }
}

/// `GET /courses/{course}/about`
pub async fn about(
    State(state): State<LmsState>,
    Path(course): Path<String>,
    visitor: Visitor,
    Now(now): Now,
    page: Page,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let view = super::frame::open(&state, &key, &visitor.viewer(), now).await?;
    let learner = &view.learner;
    let rules = state.settings.rules();
    access::course(Action::SeeAboutPage, &view.facts, learner, rules, now)
        .map_err(|_| WebError::not_found())?;
    let overview = course_overviews::get(&state.db, &key)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)?;
    let overview_html = overview_of(&state, &view).await?;
    let enroll = if learner.is_enrolled() || learner.is_staff() {
        EnrollState::Enrolled
    } else if !access::may_enroll(&view.facts, learner, now) {
        EnrollState::Closed
    } else if visitor.user().is_none() {
        EnrollState::SignIn
    } else {
        EnrollState::Open
    };
    page.render(&CourseAboutPage {
        key: key.to_string(),
        org: overview.display_org_with_default.clone(),
        number: overview.display_number_with_default.clone(),
        title: overview.display_name.clone().unwrap_or_default(),
        short_description: overview.short_description.clone().unwrap_or_default(),
        overview_html,
        image_url: image(&overview),
        starts: utc(overview.start),
        ends: utc(overview.end),
        effort: overview.effort.clone().filter(|effort| !effort.is_empty()),
        enroll,
        home_url: home_url(&state, &key),
    })
}

/// The overview that the author wrote, of the version that the page shows.
async fn overview_of(state: &LmsState, view: &CourseView) -> Result<String, WebError> {
    let Some(idx) = view.course.find(&BlockKey::new("about", "overview")) else {
        return Ok(String::new());
    };
    let content = state
        .store
        .definition(&view.course, idx)
        .await
        .map_err(WebError::internal)?;
    let text = content.get("data").and_then(serde_json::Value::as_str);
    let mut text = text.unwrap_or_default().to_owned();
    rewrite_links(state, view, &mut [&mut text]).await?;
    Ok(text)
}

/// `POST /change_enrollment` (lms-api.md §1.5). A form of our own pages also sends `next`, and is led there.
pub async fn change_enrollment(
    State(state): State<LmsState>,
    visitor: Visitor,
    Now(now): Now,
    origin: axum::Extension<Origin>,
    FormBody(fields): FormBody,
) -> Result<Response, WebError> {
    let Some(user) = visitor.user() else {
        return Ok(StatusCode::FORBIDDEN.into_response());
    };
    let Some(course) = fields.get("course_id") else {
        return Ok(refuse("Course id not specified"));
    };
    let Ok(key) = CourseKey::parse(course) else {
        return Ok(refuse("Invalid course id"));
    };
    let settings = state.kit.settings();
    let allowed = Allowed {
        host: &origin.host,
        secure: origin.secure,
        hosts: &settings.redirect_hosts,
    };
    let next = safe_target(fields.get("next"), allowed);
    let answer = match fields.text("enrollment_action") {
        "enroll" => enroll(&state, user, &key, now).await?,
        "unenroll" => unenroll(&state, user, &key, now).await?,
        _ => Err("Enrollment action is invalid"),
    };
    Ok(match (answer, next) {
        (Ok(_), Some(next)) => found(next),
        (Ok(elsewhere), None) => page_text(StatusCode::OK, elsewhere.unwrap_or_default()),
        (Err(_), Some(_)) => found(&about_url(&key)),
        (Err(text), None) => refuse(text),
    })
}

fn page_text(status: StatusCode, text: String) -> Response {
    (status, axum::response::Html(text)).into_response()
}

fn refuse(text: &'static str) -> Response {
    page_text(StatusCode::BAD_REQUEST, text.to_owned())
}

/// Where the client must go after enrolling, or why not.
type Changed = Result<Option<String>, &'static str>;

async fn enroll(
    state: &LmsState,
    user: &User,
    key: &CourseKey,
    now: DateTime<Utc>,
) -> Result<Changed, WebError> {
    let overview = course_overviews::get(&state.db, key)
        .await
        .map_err(WebError::internal)?;
    if overview.is_none() {
        return Ok(Err("Course id is invalid"));
    }
    let rows = records::course_modes::of_course(&state.db, key)
        .await
        .map_err(WebError::internal)?;
    let (id, moment) = (key.to_string(), now.naive_utc());
    if let Some(mode) = modes::auto_enroll_slug(&rows, &id, moment) {
        let author = Author::user(moment, user.id);
        let access = Access::Checked(Policy::default());
        match enrollment::enroll(&state.db, user, key, mode, access, &author).await {
            Ok(_) | Err(enrollment::Error::Refused(enrollment::EnrollError::AlreadyEnrolled)) => {}
            Err(enrollment::Error::Refused(_)) => return Ok(Err("Could not enroll")),
            Err(error) => return Err(WebError::internal(error)),
        }
    }
    let elsewhere = modes::has_payment_choice(&rows, &id, moment)
        .then(|| format!("/course_modes/choose/{id}/"));
    Ok(Ok(elsewhere))
}

async fn unenroll(
    state: &LmsState,
    user: &User,
    key: &CourseKey,
    now: DateTime<Utc>,
) -> Result<Changed, WebError> {
    let certificate = records::certificates::get(&state.db, user.id, key)
        .await
        .map_err(WebError::internal)?;
    if certificate.is_some_and(|row| matches!(row.status.as_str(), "generating" | "downloadable")) {
        return Ok(Err(
            "Your certificate prevents you from unenrolling from this course",
        ));
    }
    let author = Author::user(now.naive_utc(), user.id);
    let row = enrollment::unenroll(&state.db, user.id, key, &author)
        .await
        .map_err(WebError::internal)?;
    Ok(match row {
        Some(_) => Ok(None),
        None => Err("You are not enrolled in this course"),
    })
}
