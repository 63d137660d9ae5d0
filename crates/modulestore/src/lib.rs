//! Split modulestore and contentstore over a document port (courseware.md §2).
//!
//! * [`documents`] — structures, definitions, indexes and files, byte for byte as the platform writes them.
//! * [`operations`] — what authors do, as pure changes of structures.
//! * [`split`] — courses by key: reading, editing, importing, looking after.
//! * [`contentstore`] — assets.
//! * [`store`] — the port behind which documents are kept, and its embedded engine.

mod busy;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod contentstore;
pub mod documents;
mod error;
mod forms;
pub mod operations;
pub mod split;
pub mod store;

pub use error::{Error, Result};
pub use split::{Branch, CacheSizes, ModuleStore};
