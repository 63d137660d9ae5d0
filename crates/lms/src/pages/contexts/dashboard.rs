//! My courses.

use chrono::{DateTime, Utc};
use serde::Serialize;
use web_kit::PageContext;

use super::sample_moment;

/// The learner's home.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DashboardPage {
    /// Where they stopped last, in any course.
    pub resume: Option<DashboardResume>,
    /// Enrollments, most recent first.
    pub courses: Vec<CourseCard>,
    /// A message about what just happened (`?notlive=`, `?access_response_error=`), as text.
    pub notice: Option<String>,
}

/// Where a learner stopped.
#[derive(Debug, Clone, Serialize)]
pub struct DashboardResume {
    /// Title of the unit.
    pub unit_title: String,
    /// Title of its course.
    pub course_title: String,
    /// Address of the unit.
    pub url: String,
    /// When they were there.
    pub when: Option<DateTime<Utc>>,
}

/// Where a course stands in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CourseState {
    /// It has not started.
    Upcoming,
    /// It runs.
    Current,
    /// It has ended; its content stays readable.
    Ended,
}

/// One enrollment.
#[derive(Debug, Clone, Serialize)]
pub struct CourseCard {
    /// Course key.
    pub key: String,
    /// Organisation as shown.
    pub org: String,
    /// Number as shown.
    pub number: String,
    /// Display name.
    pub title: String,
    /// Where the card leads; `None` while the course cannot be opened.
    pub url: Option<String>,
    /// Address of the course image.
    pub image_url: Option<String>,
    /// Where the course stands.
    pub state: CourseState,
    /// Its start.
    pub starts: Option<DateTime<Utc>>,
    /// Its end.
    pub ends: Option<DateTime<Utc>>,
    /// Share of completed blocks per section, 0 to 1; empty when unknown.
    pub sections: Vec<f64>,
    /// Whether the learner passes; `None` when ungraded yet.
    pub is_passing: Option<bool>,
    /// Address of the certificate.
    pub certificate_url: Option<String>,
    /// Whether leaving is possible.
    pub can_leave: bool,
}

impl CourseCard {
    /// A course in each of the three states.
    fn samples() -> Vec<Self> {
        let card = |number: &str, title: &str, state| Self {
            key: format!("course-v1:HarbourX+{number}+2027_T1"),
            org: "HarbourX".to_owned(),
            number: number.to_owned(),
            title: title.to_owned(),
            url: (state != CourseState::Upcoming)
                .then(|| format!("/learning/course/course-v1:HarbourX+{number}+2027_T1/home")),
            image_url: None,
            state,
            starts: Some(sample_moment(12, 9)),
            ends: Some(sample_moment(30, 9)),
            sections: Vec::new(),
            is_passing: None,
            certificate_url: None,
            can_leave: true,
        };
        vec![
            Self {
                sections: vec![1.0, 0.57, 0.0, 0.0],
                image_url: Some(
                    "/asset-v1:HarbourX+TID101+2027_T1+type@asset+block@c.png".to_owned(),
                ),
                ..card("TID101", "Introduction to Tides", CourseState::Current)
            },
            card("NAV110", "Reading a Nautical Chart", CourseState::Upcoming),
            Self {
                is_passing: Some(true),
                certificate_url: Some("/certificates/0123".to_owned()),
                can_leave: false,
                sections: vec![1.0, 1.0],
                ..card("PHY105", "Everyday Acoustics", CourseState::Ended)
            },
        ]
    }
}

impl PageContext for DashboardPage {
    const TEMPLATE: &'static str = "dashboard.html";

    fn samples() -> Vec<Self> {
        vec![
            Self::default(),
            Self {
                resume: Some(DashboardResume {
                    unit_title: "Two bulges, one ocean".to_owned(),
                    course_title: "Introduction to Tides".to_owned(),
                    url: "/learning/course/course-v1:HarbourX+TID101+2027_T1/a/b".to_owned(),
                    when: Some(sample_moment(21, 20)),
                }),
                courses: CourseCard::samples(),
                notice: Some(
                    "The course you are looking for does not start until Jan 12, 2027.".to_owned(),
                ),
            },
        ]
    }
}
