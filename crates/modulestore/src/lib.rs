//! Split modulestore and contentstore over a document port (courseware.md §2).
//!
//! * [`documents`]: structures, definitions, indexes and files, byte for byte as the platform writes them.
//! * [`operations`]: what authors do, as pure changes of structures.
//! * [`store`]: the port behind which documents are kept, and its embedded engine.

pub mod documents;
mod error;
mod forms;
pub mod operations;
pub mod store;

pub use error::{Error, Result};
