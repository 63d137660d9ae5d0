//! Import, export and publishing of courses, and what follows a publish: overview, outline rows and dates.

mod dates;
mod discussions;
mod error;
mod export;
mod import;
mod libraries;
mod overview;
mod publish;
mod show;
mod summary;
mod videos;

pub use error::Error;
pub use export::export_course;
pub use import::{COMMAND_USER, ImportOptions, Step, import_course, target_key};
pub use publish::{Follower, follow_publishes};
pub use show::show_course;
pub use summary::ImportSummary;

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
