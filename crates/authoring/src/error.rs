//! What can go wrong while importing, exporting and publishing.

use opaque_keys::{CourseKey, InvalidKeyError};

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file or folder cannot be read.
    #[error("{path}: {source}")]
    File {
        /// What was to be read or written.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The archive is refused, or its root cannot be read.
    #[error(transparent)]
    Olx(#[from] olx::Error),
    /// The archive names its course by a key that is none.
    #[error(transparent)]
    Key(#[from] InvalidKeyError),
    /// There is no such course.
    #[error("there is no course {0}")]
    NoCourse(CourseKey),
    /// The course store failed.
    #[error(transparent)]
    Store(#[from] modulestore::Error),
    /// The store of files failed.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
    /// The system of record failed.
    #[error(transparent)]
    Records(#[from] db::Error),
}
