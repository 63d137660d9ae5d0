//! Field types, block types, inheritance and the course snapshot.

pub mod course;

pub use course::{Aside, Block, BlockKey, CourseContent, Fields};
