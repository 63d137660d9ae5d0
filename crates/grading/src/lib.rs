//! Grading policy arithmetic: from the scores of a learner's subsections to the course grade, and the
//! forms in which policies are stored, hashed and edited.
//!
//! The rules are those of contract async-and-events.md §8.2 and §15; floats are added in the reference's
//! order and rounded where it rounds, so that a grade near a cut-off falls on the same side. Pure: no clock,
//! no store.
//!
//! ```
//! use grading::{GradingPolicy, Subsection, grade_course};
//! use serde_json::json;
//! let policy = GradingPolicy::parse(&json!({
//!     "GRADER": [{"type": "Homework", "min_count": 2, "drop_count": 0, "weight": 1.0}],
//!     "GRADE_CUTOFFS": {"Pass": 0.5},
//! }))?;
//! let done = Subsection {
//!     format: "Homework", graded: true, display_name: "Week 1", earned: 4.0, possible: 4.0,
//! };
//! let grade = grade_course(&policy, &[done]);
//! assert_eq!((grade.percent, grade.letter_grade.as_deref()), (0.5, Some("Pass")));
//! # Ok::<(), grading::Error>(())
//! ```

mod course;
mod policy;
mod python;
mod scores;
pub mod studio;
mod visible_blocks;

pub use course::{
    CategoryGrade, CourseGrade, Mark, SectionScore, Subsection, course_percent, grade_course,
};
pub use policy::{
    AssignmentGrader, GradeCutoffs, GradingPolicy, ShortLabels, default_policy, merge_policy,
    policy_hash,
};
pub use scores::{
    AggregatedScore, ProblemScore, aggregate_scores, compare_scores, round_away_from_zero,
    subsection_percent, weighted_score,
};
pub use visible_blocks::{VisibleBlock, VisibleBlocks};

/// Why a policy or a form cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The policy, or a part of it, has another JSON type than it must have.
    #[error("{part} of the grading policy must be {expected}")]
    Shape {
        /// Which part.
        part: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// An assignment type lacks a key or has a value that cannot be reckoned with.
    #[error(
        "Unable to parse grader configuration: {key} of {assignment_type:?} is missing or invalid"
    )]
    Grader {
        /// The assignment type's name, empty when that is what is missing.
        assignment_type: String,
        /// The key.
        key: &'static str,
    },
    /// A cut-off is no number.
    #[error("the cut-off of {0:?} must be a number")]
    Cutoff(String),
    /// A ratio over zero points.
    #[error("division by zero")]
    ZeroDivision,
    /// A value that is needed is null.
    #[error("{0} must not be null")]
    Null(&'static str),
}
