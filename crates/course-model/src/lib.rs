//! Field types, block types, inheritance and the course snapshot.

pub mod block_types;
pub mod course;
pub mod fields;

pub use block_types::{BlockType, Family, Field, block_type};
pub use course::{Aside, Block, BlockKey, CourseContent, Fields};
pub use fields::{FieldType, Scope};
