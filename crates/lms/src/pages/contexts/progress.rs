//! A learner's progress (`/learning/course/{key}/progress`; lms-api facts of courseware.md §15.8).

use chrono::{DateTime, Utc};
use serde::Serialize;
use web_kit::PageContext;

use super::{CourseFrame, sample_moment};

/// Grades and completion.
#[derive(Debug, Clone, Serialize)]
pub struct ProgressPage {
    /// The course around it.
    pub course: CourseFrame,
    /// Whose progress, when it is not the viewer's own.
    pub learner: Option<String>,
    /// Course grade so far, 0 to 1.
    pub grade: f64,
    /// Letter, or `Pass`.
    pub letter: Option<String>,
    /// Whether the grade passes.
    pub is_passing: bool,
    /// Least grade that passes, 0 to 1; `None` when nothing is graded.
    pub pass_mark: Option<f64>,
    /// Marks of the scale, best first: letter and least grade.
    pub scale: Vec<(String, f64)>,
    /// Completed units.
    pub units_done: usize,
    /// Units to come.
    pub units_open: usize,
    /// Units that are locked.
    pub units_locked: usize,
    /// Address of the certificate.
    pub certificate_url: Option<String>,
    /// How the grade is made.
    pub types: Vec<AssignmentType>,
    /// Scores by section.
    pub sections: Vec<SectionScores>,
}

/// A row of the grading policy.
#[derive(Debug, Clone, Serialize)]
pub struct AssignmentType {
    /// Name.
    pub name: String,
    /// Weight, 0 to 1.
    pub weight: f64,
    /// Average that counts, 0 to 1; `None` without a score.
    pub average: Option<f64>,
    /// How many of the lowest are dropped.
    pub dropped: usize,
}

/// Scores of a section.
#[derive(Debug, Clone, Serialize)]
pub struct SectionScores {
    /// Title.
    pub title: String,
    /// Its subsections that have scores.
    pub rows: Vec<ScoreRow>,
}

/// Scores of a subsection.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreRow {
    /// Title.
    pub title: String,
    /// Address; `None` when it cannot be opened.
    pub url: Option<String>,
    /// Assignment type, when graded.
    pub format: Option<String>,
    /// Effective due date.
    pub due: Option<DateTime<Utc>>,
    /// Points earned; `None` when results are hidden.
    pub earned: Option<f64>,
    /// Points possible.
    pub possible: f64,
    /// Points of each problem: earned and possible.
    pub problems: Vec<(f64, f64)>,
    /// A grade given by hand.
    pub is_overridden: bool,
}

impl PageContext for ProgressPage {
    const TEMPLATE: &'static str = "progress.html";

    fn samples() -> Vec<Self> {
        let row = |title: &str, earned, possible, problems: &[(f64, f64)]| ScoreRow {
            title: title.to_owned(),
            url: Some("/learning/course/c/s".to_owned()),
            format: Some("Quiz".to_owned()),
            due: Some(sample_moment(16, 22)),
            earned,
            possible,
            problems: problems.to_vec(),
            is_overridden: false,
        };
        let empty = Self {
            course: CourseFrame::staff_sample(),
            learner: Some("amara".to_owned()),
            grade: 0.0,
            letter: None,
            is_passing: false,
            pass_mark: None,
            scale: Vec::new(),
            units_done: 0,
            units_open: 0,
            units_locked: 0,
            certificate_url: None,
            types: Vec::new(),
            sections: Vec::new(),
        };
        let full = Self {
            course: CourseFrame::sample(),
            learner: None,
            grade: 0.72,
            letter: Some("B".to_owned()),
            is_passing: true,
            pass_mark: Some(0.6),
            scale: vec![
                ("A".to_owned(), 0.9),
                ("B".to_owned(), 0.75),
                ("C".to_owned(), 0.6),
            ],
            units_done: 12,
            units_open: 30,
            units_locked: 1,
            certificate_url: Some("/certificates/0123".to_owned()),
            types: vec![
                AssignmentType {
                    name: "Quizzes".to_owned(),
                    weight: 0.4,
                    average: Some(0.9),
                    dropped: 1,
                },
                AssignmentType {
                    name: "Exam".to_owned(),
                    weight: 0.6,
                    average: None,
                    dropped: 0,
                },
            ],
            sections: vec![
                SectionScores {
                    title: "A week at the quay".to_owned(),
                    rows: vec![
                        row("Quiz 1", Some(4.0), 5.0, &[(2.0, 2.0), (2.0, 3.0)]),
                        ScoreRow {
                            is_overridden: true,
                            ..row("Quiz 2", Some(4.5), 5.0, &[])
                        },
                        ScoreRow {
                            url: None,
                            due: None,
                            format: None,
                            ..row("Practice", None, 3.0, &[])
                        },
                    ],
                },
                SectionScores {
                    title: "Springs and neaps".to_owned(),
                    rows: Vec::new(),
                },
            ],
        };
        vec![full, empty]
    }
}
