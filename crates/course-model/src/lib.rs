//! Field types, block types, inheritance and the course snapshot.

pub mod block_types;
pub mod course;
pub mod fields;
pub mod inheritance;
pub mod object_id;
pub mod snapshot;
mod unique_id;

pub use block_types::{BlockType, Family, Field, block_type};
pub use course::{Aside, Block, BlockKey, CourseContent, Fields};
pub use fields::{FieldType, Scope};
pub use object_id::ObjectId;
pub use snapshot::{BlockIdx, BlockRef, CourseSnapshot};
pub use unique_id::unique_id;

/// Text of the overview page that a new course begins with: the platform's sections, in words of our own
/// (courseware.md §2.4).
pub const DEFAULT_OVERVIEW: &str = include_str!("overview.html");
