//! A course's about page: what it is, and the way in.

use chrono::{DateTime, Utc};
use serde::Serialize;
use web_kit::{PageContext, PagePolicy};

use super::sample_moment;

/// What the viewer can do about enrolling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrollState {
    /// Enrolled: the button opens the course.
    Enrolled,
    /// May enroll now.
    Open,
    /// Must sign in first.
    SignIn,
    /// Enrollment is closed, full or by invitation.
    Closed,
}

/// The page at `/courses/{key}/about`.
#[derive(Debug, Clone, Serialize)]
pub struct CourseAboutPage {
    /// Course key.
    pub key: String,
    /// Organisation as shown.
    pub org: String,
    /// Number as shown.
    pub number: String,
    /// Display name.
    pub title: String,
    /// Plain text.
    pub short_description: String,
    /// The author's overview.
    pub overview_html: String,
    /// Address of the course image.
    pub image_url: Option<String>,
    /// Start.
    pub starts: Option<DateTime<Utc>>,
    /// End.
    pub ends: Option<DateTime<Utc>>,
    /// Effort as the author wrote it.
    pub effort: Option<String>,
    /// The way in.
    pub enroll: EnrollState,
    /// Address of the course's home.
    pub home_url: String,
}

impl PageContext for CourseAboutPage {
    const TEMPLATE: &'static str = "course_about.html";

    fn policy(&self) -> PagePolicy {
        PagePolicy::AuthorContent
    }

    fn samples() -> Vec<Self> {
        [
            EnrollState::Open,
            EnrollState::SignIn,
            EnrollState::Enrolled,
            EnrollState::Closed,
        ]
        .into_iter()
        .map(|enroll| Self {
            key: "course-v1:HarbourX+TID101+2027_T1".to_owned(),
            org: "HarbourX".to_owned(),
            number: "TID101".to_owned(),
            title: "Introduction to Tides".to_owned(),
            short_description: "Why the sea rises twice a day.".to_owned(),
            overview_html: "<h2>About this course</h2><p>Bring a <em>pencil</em>.</p>".to_owned(),
            image_url: None,
            starts: Some(sample_moment(12, 9)),
            ends: None,
            effort: Some("3 hours a week".to_owned()),
            enroll,
            home_url: "/learning/course/course-v1:HarbourX+TID101+2027_T1/home".to_owned(),
        })
        .collect()
    }
}
