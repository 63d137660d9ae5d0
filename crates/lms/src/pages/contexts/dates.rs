//! Dates of a course (`/learning/course/{key}/dates`).

use chrono::{DateTime, Utc};
use serde::Serialize;
use web_kit::PageContext;

use super::{CourseFrame, sample_moment};

/// All dates, soonest first.
#[derive(Debug, Clone, Serialize)]
pub struct DatesPage {
    /// The course around it.
    pub course: CourseFrame,
    /// What has been.
    pub past: Vec<DateEntry>,
    /// What comes.
    pub coming: Vec<DateEntry>,
    /// Whether the learner can shift missed due dates (`reset_course_deadlines`).
    pub can_shift: bool,
}

/// One date.
#[derive(Debug, Clone, Serialize)]
pub struct DateEntry {
    /// When.
    pub when: DateTime<Utc>,
    /// What.
    pub title: String,
    /// Where, if it can be opened.
    pub url: Option<String>,
    /// Assignment type.
    pub format: Option<String>,
    /// More words, plain text.
    pub note: String,
    /// How it stands.
    pub state: DateState,
}

/// How a date stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DateState {
    /// Only a date.
    Plain,
    /// The work is complete.
    Done,
    /// The due date has passed without.
    Missed,
    /// Due next.
    Due,
    /// Cannot be opened yet.
    Locked,
}

impl PageContext for DatesPage {
    const TEMPLATE: &'static str = "dates.html";

    fn samples() -> Vec<Self> {
        let entry = |day, title: &str, state| DateEntry {
            when: sample_moment(day, 22),
            title: title.to_owned(),
            url: (state != DateState::Locked).then(|| "/learning/course/c/s".to_owned()),
            format: None,
            note: String::new(),
            state,
        };
        vec![
            Self {
                course: CourseFrame::sample(),
                past: vec![
                    DateEntry {
                        url: None,
                        ..entry(12, "Course starts", DateState::Plain)
                    },
                    DateEntry {
                        format: Some("Quiz".to_owned()),
                        ..entry(16, "Quiz 1", DateState::Done)
                    },
                    entry(19, "Lab 1", DateState::Missed),
                ],
                coming: vec![
                    DateEntry {
                        format: Some("Homework".to_owned()),
                        note: "You can hand in late.".to_owned(),
                        ..entry(23, "Homework 1", DateState::Due)
                    },
                    entry(26, "Springs & neaps", DateState::Locked),
                ],
                can_shift: true,
            },
            Self {
                course: CourseFrame::staff_sample(),
                past: Vec::new(),
                coming: Vec::new(),
                can_shift: false,
            },
        ]
    }
}
