//! Field types, block types, inheritance and the course snapshot.

pub mod block_types;
pub mod course;
pub mod fields;
pub mod inheritance;
pub mod object_id;
pub mod snapshot;

pub use block_types::{BlockType, Family, Field, block_type};
pub use course::{Aside, Block, BlockKey, CourseContent, Fields};
pub use fields::{FieldType, Scope};
pub use object_id::ObjectId;
pub use snapshot::{BlockIdx, BlockRef, CourseSnapshot};
