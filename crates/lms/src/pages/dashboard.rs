//! My courses.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use courseware::access::Action;
use courseware::catalog::CatalogViewer;
use identity::Viewer;
use opaque_keys::{CourseKey, UsageKey};
use records::course_overviews::CourseOverview;
use records::enrollment::CourseEnrollment;
use web_kit::{Locale, Page, WebError};

use super::contexts::{CourseCard, CourseState, DashboardPage, DashboardResume};
use super::frame::{block_url, home_url};
use crate::auth::SignedIn;
use crate::clock::Now;
use crate::form::query_form;
use crate::state::LmsState;

/// Characters of a message that came with the address.
const MAX_NOTICE: usize = 300;

/// Completions that are looked at for the one in a course that the person is still in.
const LATEST: i64 = 50;

/// `GET /dashboard`
pub async fn show(
    State(state): State<LmsState>,
    SignedIn(user): SignedIn,
    Now(now): Now,
    page: Page,
    uri: Uri,
) -> Result<Response, WebError> {
    let viewer = Viewer::from(&user);
    let db = &state.db;
    let mut enrollments = records::enrollment::of_user(db, user.id)
        .await
        .map_err(WebError::internal)?;
    enrollments.retain(|row| row.is_active);
    enrollments.sort_by_key(|row| std::cmp::Reverse((row.created, row.id)));
    let ids: Vec<String> = enrollments
        .iter()
        .map(|row| row.course_id.clone())
        .collect();
    let overviews = records::course_overviews::get_many(db, &ids)
        .await
        .map_err(WebError::internal)?;
    let overviews: HashMap<&str, &CourseOverview> = overviews
        .iter()
        .map(|overview| (overview.id.as_str(), overview))
        .collect();
    let person = CatalogViewer::load(db, &viewer)
        .await
        .map_err(WebError::internal)?;
    let certificates = records::certificates::of_user(db, user.id)
        .await
        .map_err(WebError::internal)?;
    let mut courses = Vec::with_capacity(enrollments.len());
    for row in &enrollments {
        let Some(overview) = overviews.get(row.course_id.as_str()) else {
            continue;
        };
        let may_open = person.may(Action::Load, overview, state.settings.rules(), now);
        let certificate = certificates
            .iter()
            .find(|certificate| {
                certificate.course_id == row.course_id && certificate.status == "downloadable"
            })
            .map(|certificate| format!("/certificates/{}", certificate.verify_uuid));
        courses.push(card(&state, row, overview, may_open, certificate, now));
    }
    let resume = resume(&state, &enrollments, user.id).await?;
    page.render(&DashboardPage {
        resume,
        courses,
        notice: notice(&uri, page.locale()),
    })
}

fn card(
    state: &LmsState,
    row: &CourseEnrollment,
    overview: &CourseOverview,
    may_open: bool,
    certificate_url: Option<String>,
    now: DateTime<Utc>,
) -> CourseCard {
    let url = CourseKey::parse(&overview.id)
        .ok()
        .filter(|_| may_open)
        .map(|key| home_url(state, &key));
    CourseCard {
        key: row.course_id.clone(),
        org: overview.display_org_with_default.clone(),
        number: overview.display_number_with_default.clone(),
        title: overview.display_name.clone().unwrap_or_default(),
        url,
        image_url: image(overview),
        state: course_state(overview, now),
        starts: utc(overview.start),
        ends: utc(overview.end),
        sections: Vec::new(),
        is_passing: None,
        can_leave: certificate_url.is_none(),
        certificate_url,
    }
}

pub(super) fn utc(moment: Option<NaiveDateTime>) -> Option<DateTime<Utc>> {
    moment.map(|moment| moment.and_utc())
}

/// The course's own image; none where it has only the name of the default one.
pub(super) fn image(overview: &CourseOverview) -> Option<String> {
    let url = overview.course_image_url.as_str();
    let is_own = !url.is_empty() && !url.ends_with("@images_course_image.jpg");
    is_own.then(|| url.to_owned())
}

fn course_state(overview: &CourseOverview, now: DateTime<Utc>) -> CourseState {
    let passed = |moment: Option<NaiveDateTime>| moment.is_some_and(|at| at <= now.naive_utc());
    if passed(overview.end) {
        CourseState::Ended
    } else if overview.start.is_some() && !passed(overview.start) {
        CourseState::Upcoming
    } else {
        CourseState::Current
    }
}

/// Where the person stopped last, in any of their courses.
async fn resume(
    state: &LmsState,
    enrollments: &[CourseEnrollment],
    user_id: i64,
) -> Result<Option<DashboardResume>, WebError> {
    let rows = records::completion::latest_of_user(&state.db, user_id, LATEST)
        .await
        .map_err(WebError::internal)?;
    let Some(row) = rows.into_iter().find(|row| {
        enrollments
            .iter()
            .any(|enrollment| enrollment.course_id == row.course_key)
    }) else {
        return Ok(None);
    };
    let (Ok(course), Ok(usage)) = (
        CourseKey::parse(&row.course_key),
        UsageKey::parse(&row.block_key),
    ) else {
        return Ok(None);
    };
    let snapshot = state
        .store
        .snapshot(&course, modulestore::Branch::Published)
        .await
        .map_err(WebError::internal)?;
    let Some(snapshot) = snapshot else {
        return Ok(None);
    };
    let block = snapshot
        .find_usage(&usage)
        .map(|idx| snapshot.block(idx))
        .and_then(courseware::resume::Place::of)
        .and_then(|place| place.unit.or(place.sequence));
    Ok(block.map(|block| DashboardResume {
        unit_title: block.display_name().into_owned(),
        course_title: snapshot.course().display_name().into_owned(),
        url: block_url(state, block),
        when: Some(row.modified.and_utc()),
    }))
}

/// The message that a redirect brought along (courseware.md §7.2).
fn notice(uri: &Uri, locale: &Locale) -> Option<String> {
    let query = query_form(uri.query());
    if let Some(day) = query.get("notlive")
        && NaiveDate::parse_from_str(day, "%b %d, %Y").is_ok()
    {
        let text = locale
            .gettext("The course you are looking for does not start until {date}.")
            .replace("{date}", day);
        return Some(text);
    }
    query
        .get("access_response_error")
        .filter(|text| !text.is_empty())
        .map(|text| text.chars().take(MAX_NOTICE).collect())
}
