//! What the learner's front end shows of a course: home, outline, dates, progress (courseware.md §15).
//!
//! Each part is made of a [`crate::CourseView`] and [`Facts`], both loaded with one statement, plus the one or two
//! statements that the part needs.

pub mod certificates;
pub mod course_outline;
pub mod course_page;
pub mod dates;
pub mod facts;
pub mod goals;
pub mod grades;
pub mod outline;
pub mod progress;
pub mod published_outline;
pub mod sequence;
pub mod tabs;
pub mod upgrade;

pub use facts::Facts;

/// Addresses that answers name, without a slash at their end.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// Where the client reached us.
    pub base: &'a str,
    /// LMS_ROOT_URL.
    pub lms: &'a str,
    /// Base of the learner's front end.
    pub learning: &'a str,
    /// CMS_BASE: host and port of Studio, empty without one.
    pub studio_host: &'a str,
    /// Account settings front end, empty without one.
    pub account: &'a str,
}

impl Links<'_> {
    /// The address that leads to a block wherever the learner's front end is.
    #[must_use]
    pub fn jump_to(&self, usage: &opaque_keys::UsageKey) -> String {
        format!(
            "{}/courses/{}/jump_to/{usage}",
            self.base,
            usage.course_key()
        )
    }

    /// A page of the learner's front end.
    #[must_use]
    pub fn learning(&self, course: &opaque_keys::CourseKey, page: &str) -> String {
        format!("{}/course/{course}/{page}", self.learning)
    }
}
