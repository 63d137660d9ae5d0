//! What can go wrong in the stores.

use course_model::BlockKey;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a read or a write of course content failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A stored document has not the form of courseware.md §2.
    #[error("malformed {kind} document {id}: {reason}")]
    Malformed {
        /// `structure`, `definition` or `file`.
        kind: &'static str,
        /// Its id, as far as known.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value cannot be written as BSON.
    #[error("value cannot be stored: {0}")]
    Encode(String),
    /// A value does not fit its field.
    #[error("value of {field} does not fit: {reason}")]
    BadValue {
        /// Name of the field.
        field: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// A block cannot be stored (olx.md §11); the text is what the import task shows.
    #[error("Failed to import block: {name} at location: {location}")]
    BlockNotStorable {
        /// Name of the block.
        name: String,
        /// Usage key of the block.
        location: String,
    },
    /// The course (or the branch of it that was asked for) does not exist.
    #[error("no such course: {0}")]
    CourseNotFound(String),
    /// The block does not exist on the branch.
    #[error("no such block: {0}")]
    BlockNotFound(BlockKey),
    /// A block of this type and id exists already (courseware.md §2.4).
    #[error("block exists already: {0}")]
    DuplicateBlock(BlockKey),
    /// A course whose key differs only in letter case exists already (courseware.md §2.1).
    #[error("Course at location {location} exists already as {existing}")]
    DuplicateCourse {
        /// Key that was asked for.
        location: String,
        /// Key that is in the way.
        existing: String,
    },
    /// Direct-only types cannot be unpublished (courseware.md §2.4).
    #[error("blocks of type {0} are always published")]
    DirectOnly(String),
    /// There is no published version to go back to (courseware.md §2.4).
    #[error("block has no published version: {0}")]
    NeverPublished(BlockKey),
    /// Somebody else moved the course's pointer, again and again.
    #[error("the course {0} is being changed by somebody else")]
    Conflict(String),
    /// The key that was given cannot name a stored course or asset.
    #[error("not a key of a stored course: {0}")]
    BadKey(String),
    /// An image cannot be made small.
    #[error("no thumbnail: {0}")]
    Thumbnail(String),
    /// Reading an asset's bytes failed.
    #[error("asset cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The relational layer failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The document engine failed.
    #[error("document store: {0}")]
    Engine(String),
}

impl From<bson::error::Error> for Error {
    fn from(error: bson::error::Error) -> Self {
        Self::Encode(error.to_string())
    }
}
