//! The split modulestore: courses by key, over index rows and documents.

#[cfg(test)]
mod archive_tests;
mod doctor;
mod edit;
mod heads;
mod health;
mod import;
mod read;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bson::oid::ObjectId;
use course_model::{CourseSnapshot, Fields};
use db::Db;
use moka::future::Cache;
use opaque_keys::CourseKey;

pub use doctor::Unreferenced;
pub use edit::NewBlock;
pub use import::{CourseImport, Imported};

use crate::contentstore::ContentStore;
use crate::documents::Definition;
use crate::error::Result;
use crate::store::{DocumentStore, EmbeddedStore};

/// Topic of the outbox event that a course was published; its key is the course key.
pub const COURSE_PUBLISHED: &str = "course_published";
/// Topic of the outbox event that a library was changed; its key is the library key.
pub const LIBRARY_UPDATED: &str = "library_updated";
/// Topic of the outbox event that a course was removed; its key is the course key.
pub const COURSE_DELETED: &str = "course_deleted";
/// Topic of the outbox event that an image needs a new thumbnail; its key is the asset key.
pub const THUMBNAIL_WANTED: &str = "thumbnail_wanted";

/// A branch of a course. A library has one branch, which both mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Branch {
    /// What authors edit.
    Draft,
    /// What learners see.
    Published,
}

impl Branch {
    /// Name of the branch, as keys carry it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft-branch",
            Self::Published => "published-branch",
        }
    }
}

/// How much is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSizes {
    /// Bytes of snapshots.
    pub snapshots: u64,
    /// Bytes of definition bodies.
    pub definitions: u64,
}

impl Default for CacheSizes {
    fn default() -> Self {
        Self {
            snapshots: 256 << 20,
            definitions: 64 << 20,
        }
    }
}

/// Courses and libraries. Clones share their caches.
#[derive(Debug, Clone)]
pub struct ModuleStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    store: Arc<dyn DocumentStore>,
    /// Index rows and documents are in one database and commit together.
    one_database: bool,
    snapshots: Cache<SnapshotKey, Arc<CourseSnapshot>>,
    definitions: Cache<ObjectId, Arc<CachedDefinition>>,
}

/// Names a snapshot: versions may be shared by courses, and their keys differ.
type SnapshotKey = (CourseKey, ObjectId);

/// A definition in the form in which it is mostly wanted.
#[derive(Debug)]
struct CachedDefinition {
    /// JSON form. References in it are of no course.
    fields: Arc<Fields>,
    /// The stored form too, where references must be read for each course anew.
    stored: Option<Definition>,
    bytes: u32,
}

impl ModuleStore {
    /// Courses whose documents are beside their index rows in `db`: everything commits together. The
    /// relational schema must be there; the tables of documents are made.
    pub async fn embedded(db: Db, sizes: CacheSizes) -> Result<Self> {
        let store = EmbeddedStore::open(db.clone()).await?;
        Ok(Self::new(db, Arc::new(store), true, sizes))
    }

    /// Courses whose index rows are in `db` and whose documents are in another store: documents are
    /// written first, the index row last.
    #[must_use]
    pub fn over(db: Db, store: Arc<dyn DocumentStore>, sizes: CacheSizes) -> Self {
        Self::new(db, store, false, sizes)
    }

    fn new(db: Db, store: Arc<dyn DocumentStore>, one_database: bool, sizes: CacheSizes) -> Self {
        let snapshots = Cache::builder()
            .max_capacity(sizes.snapshots)
            .weigher(|_, snapshot: &Arc<CourseSnapshot>| weight(snapshot.memory_bytes()))
            .build();
        let definitions = Cache::builder()
            .max_capacity(sizes.definitions)
            .weigher(|_, definition: &Arc<CachedDefinition>| definition.bytes)
            .build();
        Self {
            inner: Arc::new(Inner {
                db,
                store,
                one_database,
                snapshots,
                definitions,
            }),
        }
    }

    /// The assets of the courses.
    #[must_use]
    pub fn contentstore(&self) -> ContentStore {
        ContentStore::new(Arc::clone(&self.inner.store))
    }

    /// The documents behind the courses.
    #[must_use]
    pub fn documents(&self) -> &Arc<dyn DocumentStore> {
        &self.inner.store
    }
}

fn weight(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
