//! A page that an author added to a course (`/courses/{key}/{slug}/`).

use serde::Serialize;
use web_kit::{PageContext, PagePolicy};

use super::CourseFrame;

/// One such page.
#[derive(Debug, Clone, Serialize)]
pub struct StaticTabPage {
    /// The course around it.
    pub course: CourseFrame,
    /// Its title in the list of pages.
    pub title: String,
    /// Authors' HTML.
    pub html: String,
}

impl PageContext for StaticTabPage {
    const TEMPLATE: &'static str = "static_tab.html";

    fn policy(&self) -> PagePolicy {
        PagePolicy::AuthorContent
    }

    fn samples() -> Vec<Self> {
        vec![Self {
            course: CourseFrame::sample(),
            title: "Syllabus & <reading>".to_owned(),
            html: "<p>Week one: <em>tides</em>.</p>".to_owned(),
        }]
    }
}
