//! `/xblock/{usage}`: one block on a page without chrome, for front ends that frame it (courseware.md §10).

use axum::extract::{Path, State};
use axum::http::header::{ALLOW, LOCATION, REFERER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use course_model::BlockRef;
use courseware::render::{RenderOptions, ViewName};
use courseware::{CourseView, Learner};
use identity::Viewer;
use modulestore::Branch;
use opaque_keys::{UsageKey, unquote_slashes};
use url::form_urlencoded;
use web_kit::{Page, WebError};

use super::context::{MissingBlockPage, XBlockPage};
use crate::auth::Visitor;
use crate::clock::Now;
use crate::state::LmsState;

/// The parameters of the page.
#[derive(Debug, Default)]
struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    fn read(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self {
            pairs: pairs.into_owned().take(100).collect(),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A switch: only an exact 1 is on.
    fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| value == "1")
    }
}

pub(super) async fn show(
    State(state): State<LmsState>,
    visitor: Visitor,
    now: Now,
    page: Page,
    Path(usage): Path<String>,
    parts: Parts,
) -> Result<Response, WebError> {
    if !matches!(parts.method, Method::GET | Method::HEAD | Method::POST) {
        let allowed = [(ALLOW, "GET, HEAD, POST")];
        return Ok((StatusCode::METHOD_NOT_ALLOWED, allowed).into_response());
    }
    match answer(&state, &visitor.viewer(), now, &page, &usage, &parts).await {
        // A frame has no room for a whole page of ours.
        Err(error) if error.status() == StatusCode::NOT_FOUND => {
            let mut response = page.render(&MissingBlockPage {})?;
            *response.status_mut() = StatusCode::NOT_FOUND;
            Ok(response)
        }
        answer => answer,
    }
}

async fn answer(
    state: &LmsState,
    viewer: &Viewer,
    now: Now,
    page: &Page,
    usage: &str,
    parts: &Parts,
) -> Result<Response, WebError> {
    let query = Query::read(parts.uri.query());
    let view_name = match query.get("view").unwrap_or("student_view") {
        "student_view" => ViewName::Student,
        "public_view" => ViewName::Public,
        other => return Ok(unknown_view(other)),
    };
    let not_found = WebError::not_found;
    let usage = UsageKey::parse(&unquote_slashes(usage)).map_err(|_| not_found())?;
    let wants_draft = query.flag("preview", false);
    let view = open(state, viewer, &usage, wants_draft, now)
        .await?
        .ok_or_else(not_found)?;
    view.page().map_err(|_| not_found())?;
    let block = view.find(&usage).ok_or_else(not_found)?;
    let loadable = view.block(block).map_err(|_| not_found())?;
    if let Some(sequence) = closed_sequence(state, &view, block) {
        let target = format!("/xblock/{}", sequence.usage_key());
        return Ok((StatusCode::FOUND, [(LOCATION, target)]).into_response());
    }
    let options = RenderOptions {
        view: view_name,
        show_title: query.flag("show_title", true),
        show_bookmark_button: query.flag("show_bookmark_button", false),
        format: query.get("format").map(str::to_owned),
        staff_debug: true,
        in_pieces: false,
    };
    let rendered = state
        .runtime
        .render_unit(&view, loadable, &options)
        .await
        .map_err(WebError::internal)?;
    let root = view.course.course();
    page.render(&XBlockPage {
        course_number: root
            .text("display_coursenumber")
            .filter(|number| !number.is_empty())
            .unwrap_or_else(|| view.course.course_key().course())
            .to_owned(),
        course_key: view.course.course_key().to_string(),
        course_language: root
            .text("language")
            .filter(|language| !language.is_empty())
            .map(str::to_owned),
        mark_on_view: rendered.mark_on_view,
        is_framed: is_framed(state, &parts.headers),
        needs: XBlockPage::needs_of(&rendered.html),
        html: rendered.html,
    })
}

fn unknown_view(name: &str) -> Response {
    let name: String = name
        .chars()
        .take(80)
        .map(|c| match c {
            '<' | '>' | '&' | '"' => ' ',
            c => c,
        })
        .collect();
    let text = format!("Rendering of the xblock view '{name}' is not supported.");
    (StatusCode::BAD_REQUEST, Html(text)).into_response()
}

/// The course as the viewer sees it; of a draft only for staff.
async fn open(
    state: &LmsState,
    viewer: &Viewer,
    usage: &UsageKey,
    wants_draft: bool,
    now: Now,
) -> Result<Option<CourseView>, WebError> {
    let course = usage.course_key();
    let rules = state.settings.rules();
    if wants_draft {
        let draft = state
            .store
            .snapshot(course, Branch::Draft)
            .await
            .map_err(WebError::internal)?;
        if let Some(draft) = draft {
            let learner = Learner::load(&state.db, viewer, draft.course_key())
                .await
                .map_err(WebError::internal)?;
            if learner.is_staff() {
                let mut view = CourseView::of(draft, learner, rules, now.0);
                view.load_experiments(&state.store)
                    .await
                    .map_err(WebError::internal)?;
                return Ok(Some(view));
            }
        }
    }
    CourseView::open(&state.db, &state.store, course, viewer, rules, now.0)
        .await
        .map_err(WebError::internal)
}

/// The sequence that keeps a learner out of one of its units: its prerequisite is not met, or its exam page comes
/// first (courseware.md §10.1).
fn closed_sequence<'a>(
    state: &LmsState,
    view: &'a CourseView,
    block: BlockRef<'a>,
) -> Option<BlockRef<'a>> {
    if block.block_type() == "sequential" || view.learner.is_staff() {
        return None;
    }
    let sequence = block.closest("sequential")?;
    let key = sequence.usage_key().to_string();
    let is_gated = view.learner.milestones.gated.contains(&key);
    let is_exam = state.settings.enable_special_exams && sequence.flag("is_time_limited");
    (is_gated || is_exam).then_some(sequence)
}

/// Whether the learning front end frames the page: it says so by the referrer.
fn is_framed(state: &LmsState, headers: &HeaderMap) -> bool {
    let base = state.settings.learning_base();
    let origin = match base.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            format!("{scheme}://{host}")
        }
        None => return false,
    };
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok());
    referer
        .and_then(|referer| referer.strip_prefix(&origin))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
