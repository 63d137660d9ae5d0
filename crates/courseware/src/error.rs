//! What can go wrong below the outcomes that people see.

/// Failure of a store; never something a person did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database refused or failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The course store failed.
    #[error(transparent)]
    Store(#[from] modulestore::Error),
    /// A grading policy cannot be used.
    #[error(transparent)]
    Grading(grading::Error),
    /// Accounts failed.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// Work beside the request ended without a result.
    #[error("a task failed: {0}")]
    Task(String),
}

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
