//! Enrollment of learners in course runs (contracts/lms-api.md §1, §2).
//!
//! [`enroll`], [`unenroll`] and [`change`] write the row with its history, schedule, forum role and outbox events in
//! one transaction; [`access`] says who may enrol; [`modes`] is the arithmetic of course modes; [`api`] is the
//! enrollment API's logic with its exact answers.

pub mod access;
pub mod api;
pub mod details;
mod error;
pub mod modes;
mod write;

pub use error::{EnrollError, Error};
pub use write::{Access, Change, change, enroll, enroll_allowed, unenroll};

/// The row that says who is in which course.
pub use records::enrollment::CourseEnrollment;

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
