//! What can go wrong.

/// Why somebody cannot be enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrollError {
    /// There is no such course.
    #[error("the course does not exist")]
    NoCourse,
    /// Enrollment is by invitation, or its window is shut.
    #[error("enrollment is closed")]
    Closed,
    /// As many learners as the course takes are in it.
    #[error("the course is full")]
    Full,
    /// The learner is in the course already.
    #[error("already enrolled")]
    AlreadyEnrolled,
}

/// Failure of this crate's functions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused or failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The learner cannot be enrolled.
    #[error(transparent)]
    Refused(#[from] EnrollError),
}
