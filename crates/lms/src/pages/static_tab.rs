//! Pages that authors added to a course (`/courses/{key}/{slug}/`; courseware.md §11, §14).

use axum::extract::{Path, State};
use axum::response::Response;
use course_model::BlockKey;
use courseware::render::RenderOptions;
use serde_json::Value;
use web_kit::{Page, WebError};

use super::blocks::prepare;
use super::contexts::StaticTabPage;
use super::frame::{course_key, frame, open, turn_away};
use crate::auth::Visitor;
use crate::clock::Now;
use crate::state::LmsState;

/// `GET /courses/{course}/{slug}/`
pub async fn show(
    State(state): State<LmsState>,
    Path((course, slug)): Path<(String, String)>,
    visitor: Visitor,
    Now(now): Now,
    page: Page,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let view = open(&state, &key, &visitor.viewer(), now).await?;
    let tabs = view.course.course().field("tabs").and_then(Value::as_array);
    let tab = tabs.into_iter().flatten().find(|tab| {
        let text = |name: &str| tab.get(name).and_then(Value::as_str);
        text("type") == Some("static_tab") && text("url_slug") == Some(slug.as_str())
    });
    let tab = tab.ok_or_else(WebError::not_found)?;
    if let Err(denied) = view.page() {
        return turn_away(&denied, &key);
    }
    let is_staff_only = tab.get("course_staff_only").and_then(Value::as_bool) == Some(true);
    if is_staff_only && !view.learner.is_staff() {
        return Err(WebError::not_found());
    }
    let idx = view
        .course
        .find(&BlockKey::new("static_tab", slug.as_str()))
        .ok_or_else(WebError::not_found)?;
    let block = view
        .block(view.course.block(idx))
        .map_err(|_| WebError::not_found())?;
    let rendered = state
        .runtime
        .render_unit(&view, block, &RenderOptions::default())
        .await
        .map_err(WebError::internal)?;
    page.render(&StaticTabPage {
        course: frame(&state, &view, &slug),
        title: tab
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        html: prepare(&rendered.html, page.locale()),
    })
}
