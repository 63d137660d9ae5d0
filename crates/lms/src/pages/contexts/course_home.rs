//! A course's home: outline, progress, next dates (`/learning/course/{key}/home`).

use chrono::{DateTime, Utc};
use serde::Serialize;
use web_kit::{PageContext, PagePolicy};

use super::{CourseFrame, Mark, sample_moment};

/// The outline page.
#[derive(Debug, Clone, Serialize)]
pub struct CourseHomePage {
    /// The course around it.
    pub course: CourseFrame,
    /// Sections in order.
    pub sections: Vec<OutlineSection>,
    /// Number of subsections, all sections together.
    pub subsections_total: usize,
    /// How many of them are complete.
    pub subsections_done: usize,
    /// Share of completed blocks, 0 to 1; `None` for people without progress of their own.
    pub progress: Option<f64>,
    /// Where to go on.
    pub resume: Option<Resume>,
    /// The newest update that the learner has not put away.
    pub update: Option<Update>,
    /// The next dates, soonest first.
    pub dates: Vec<NextDate>,
    /// Authors' handouts.
    pub handouts_html: Option<String>,
    /// Whether the viewer is enrolled; staff and the public read without.
    pub is_enrolled: bool,
}

/// The button that leads on.
#[derive(Debug, Clone, Serialize)]
pub struct Resume {
    /// Title of the unit.
    pub title: String,
    /// Its address.
    pub url: String,
    /// Whether the learner has begun at all.
    pub has_started: bool,
}

/// A message of the course's staff.
#[derive(Debug, Clone, Serialize)]
pub struct Update {
    /// Its day as the author wrote it.
    pub date: String,
    /// Authors' HTML.
    pub html: String,
}

/// Something with a date.
#[derive(Debug, Clone, Serialize)]
pub struct NextDate {
    /// When.
    pub when: DateTime<Utc>,
    /// What.
    pub title: String,
    /// Where, if it can be opened.
    pub url: Option<String>,
}

/// A section (chapter).
#[derive(Debug, Clone, Serialize)]
pub struct OutlineSection {
    /// Block id, for the anchor.
    pub id: String,
    /// Display name.
    pub title: String,
    /// How far it is.
    pub mark: Mark,
    /// Completed subsections.
    pub done: usize,
    /// All subsections.
    pub total: usize,
    /// When it opens, if that lies ahead.
    pub opens: Option<DateTime<Utc>>,
    /// Whether it is shown open.
    pub is_open: bool,
    /// Its subsections.
    pub items: Vec<OutlineItem>,
}

/// A subsection (sequential).
#[derive(Debug, Clone, Serialize)]
pub struct OutlineItem {
    /// Display name.
    pub title: String,
    /// Its address; `None` while it is locked.
    pub url: Option<String>,
    /// How far it is.
    pub mark: Mark,
    /// Assignment type, when graded.
    pub format: Option<String>,
    /// Effective due date of this learner.
    pub due: Option<DateTime<Utc>>,
    /// Whether the due date is past.
    pub is_past_due: bool,
    /// When it opens, if locked until then.
    pub opens: Option<DateTime<Utc>>,
    /// Points earned, when shown.
    pub earned: Option<f64>,
    /// Points possible, when shown.
    pub possible: Option<f64>,
    /// Whether the learner stopped here.
    pub is_resume: bool,
    /// A timed exam's sentence, such as "Timed exam".
    pub note: Option<String>,
}

impl CourseHomePage {
    fn sample() -> Self {
        let item = |title: &str, mark| OutlineItem {
            title: title.to_owned(),
            url: (mark != Mark::Locked).then(|| "/learning/course/c/s".to_owned()),
            mark,
            format: None,
            due: None,
            is_past_due: false,
            opens: (mark == Mark::Locked).then(|| sample_moment(26, 8)),
            earned: None,
            possible: None,
            is_resume: false,
            note: None,
        };
        Self {
            course: CourseFrame::sample(),
            sections: vec![
                OutlineSection {
                    id: "s1".to_owned(),
                    title: "A week at the quay".to_owned(),
                    mark: Mark::Part,
                    done: 1,
                    total: 3,
                    opens: None,
                    is_open: true,
                    items: vec![
                        item("Welcome, and what a log is", Mark::Done),
                        OutlineItem {
                            format: Some("Homework".to_owned()),
                            due: Some(sample_moment(23, 22)),
                            earned: Some(2.5),
                            possible: Some(5.0),
                            is_resume: true,
                            ..item("Choose your <quay>", Mark::Part)
                        },
                        OutlineItem {
                            format: Some("Exam".to_owned()),
                            due: Some(sample_moment(1, 22)),
                            is_past_due: true,
                            note: Some("Timed exam (60 minutes)".to_owned()),
                            ..item("Lab 1: your first log", Mark::None)
                        },
                    ],
                },
                OutlineSection {
                    id: "s2".to_owned(),
                    title: "Springs and neaps".to_owned(),
                    mark: Mark::None,
                    done: 0,
                    total: 1,
                    opens: Some(sample_moment(26, 8)),
                    is_open: false,
                    items: vec![item("When Sun and Moon agree", Mark::Locked)],
                },
            ],
            subsections_total: 4,
            subsections_done: 1,
            progress: Some(0.26),
            resume: Some(Resume {
                title: "Two bulges, one ocean".to_owned(),
                url: "/learning/course/c/s/u".to_owned(),
                has_started: true,
            }),
            update: Some(Update {
                date: "January 20, 2027".to_owned(),
                html: "<p>The gauge at Port Ellery <strong>froze</strong>.</p>".to_owned(),
            }),
            dates: vec![
                NextDate {
                    when: sample_moment(23, 22),
                    title: "Homework 1".to_owned(),
                    url: Some("/learning/course/c/s".to_owned()),
                },
                NextDate {
                    when: sample_moment(26, 8),
                    title: "Section 3 opens".to_owned(),
                    url: None,
                },
            ],
            handouts_html: Some("<p><a href=\"/x.pdf\">Tide tables</a></p>".to_owned()),
            is_enrolled: true,
        }
    }
}

impl PageContext for CourseHomePage {
    const TEMPLATE: &'static str = "course_home.html";

    fn policy(&self) -> PagePolicy {
        PagePolicy::AuthorContent
    }

    fn samples() -> Vec<Self> {
        let full = Self::sample();
        let empty = Self {
            course: CourseFrame::staff_sample(),
            sections: Vec::new(),
            subsections_total: 0,
            subsections_done: 0,
            progress: None,
            resume: None,
            update: None,
            dates: Vec::new(),
            handouts_html: None,
            is_enrolled: false,
        };
        vec![full, empty]
    }
}
