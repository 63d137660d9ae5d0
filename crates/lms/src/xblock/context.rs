//! What the page of a block shows.

use serde::Serialize;
use web_kit::{Locale, PageContext, PagePolicy};

use crate::pages::blocks::{self, Needs};

/// The page of one block without anything around it (courseware.md §10.2).
#[derive(Debug, Clone, Serialize)]
pub struct XBlockPage {
    /// Number of the course, for the title.
    pub course_number: String,
    /// Key of the course.
    pub course_key: String,
    /// Language of the course's content; none leaves it to the text.
    pub course_language: Option<String>,
    /// The block with its wrapper.
    pub html: String,
    /// Whether the block itself is to be marked complete once it was in view.
    pub mark_on_view: bool,
    /// Whether a learning front end frames the page.
    pub is_framed: bool,
    /// Scripts that the content needs.
    pub needs: Needs,
}

impl XBlockPage {
    /// Scripts that a block's HTML needs, which is shown as it is and filled in by the page's own script.
    #[must_use]
    pub fn needs_of(html: &str) -> Needs {
        let filled = blocks::prepare(html, &Locale::english());
        let mut needs = blocks::needs(std::iter::once(filled.as_str()));
        // Blocks with programs of their own are started, or told to say that there is none, by the runtime.
        needs.runtime |= filled.contains("data-init=\"DragAndDropBlock\"")
            || filled.contains("data-init=\"OpenAssessmentBlock\"");
        needs
    }
}

impl PageContext for XBlockPage {
    const TEMPLATE: &'static str = "xblock.html";

    fn policy(&self) -> PagePolicy {
        PagePolicy::Framed(Vec::new())
    }

    fn samples() -> Vec<Self> {
        let page = |html: &str, is_framed: bool| Self {
            course_number: "TID101".to_owned(),
            course_key: "course-v1:HarbourX+TID101+2027_T1".to_owned(),
            course_language: is_framed.then(|| "en".to_owned()),
            html: html.to_owned(),
            mark_on_view: is_framed,
            is_framed,
            needs: Self::needs_of(html),
        };
        vec![
            page("<div class=\"xblock\"><p>Only text.</p></div>", false),
            page(
                "<div class=\"xblock\" data-init=\"PollBlock\"><script>x()</script>\\(a\\)<video></video></div>",
                true,
            ),
        ]
    }
}

/// Stands in a frame for a block that is not there, or not for the person.
#[derive(Debug, Clone, Serialize)]
pub struct MissingBlockPage {}

impl PageContext for MissingBlockPage {
    const TEMPLATE: &'static str = "xblock_missing.html";

    fn policy(&self) -> PagePolicy {
        PagePolicy::Framed(Vec::new())
    }

    fn samples() -> Vec<Self> {
        vec![Self {}]
    }
}
