//! The port behind which documents are kept: a closed list of accesses, with two engines.
//!
//! [`EmbeddedStore`] keeps BSON in tables of the relational layer. The MongoDB engine lives in a crate of its
//! own. Both pass [`crate::conformance`].

mod embedded;
mod schema;

use std::fmt::Debug;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

use bson::RawDocumentBuf;
use bson::oid::ObjectId;
use bytes::Bytes;

pub use embedded::EmbeddedStore;
pub use schema::MIGRATIONS;

use crate::documents::{CourseIndexDocument, Definition, FileDocument, Structure};
use crate::error::Result;

/// An answer that is awaited.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// New structures and definitions.
#[derive(Debug, Clone, Default)]
pub struct DocumentBatch {
    /// Structures with what the lists of the doctor need.
    pub structures: Vec<(StructureLink, RawDocumentBuf)>,
    /// Definitions by id.
    pub definitions: Vec<(ObjectId, RawDocumentBuf)>,
}

impl DocumentBatch {
    /// Adds a structure.
    pub fn add_structure(&mut self, structure: &Structure) {
        let link = StructureLink {
            id: structure.id,
            previous_version: structure.previous_version,
        };
        self.structures.push((link, structure.to_document()));
    }

    /// Adds a definition.
    pub fn add_definition(&mut self, definition: &Definition) {
        self.definitions
            .push((definition.id, definition.to_document()));
    }
}

/// A structure in the chain of its branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StructureLink {
    /// Its id.
    pub id: ObjectId,
    /// The structure that it was made from.
    pub previous_version: Option<ObjectId>,
}

/// A file, and where its bytes are.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFile {
    /// The file's document.
    pub document: FileDocument,
    /// Names the bytes; of an engine that keys chunks by file this is not used.
    pub upload: ObjectId,
}

/// A chunk of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChunk {
    /// The upload.
    pub upload: ObjectId,
    /// Number of the chunk in it, from 0.
    pub n: i32,
    /// The bytes.
    pub data: Bytes,
}

/// Which files to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileQuery {
    /// Key of the course, without branch.
    pub course: String,
    /// `asset` or `thumbnail`.
    pub category: String,
    /// How many to pass over.
    pub offset: u64,
    /// How many to give at most.
    pub limit: u64,
    /// Order.
    pub order: FileOrder,
}

/// Order of a list of files; equal ones by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileOrder {
    /// By key.
    #[default]
    Name,
    /// By display name.
    DisplayName,
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// One page of a list of files.
#[derive(Debug, Clone, PartialEq)]
pub struct FilePage {
    /// The files of the page.
    pub files: Vec<StoredFile>,
    /// How many there are in all.
    pub total: u64,
}

/// Keeps structures, definitions and files. All writes of structures and definitions are inserts: writing
/// the same document again is harmless.
pub trait DocumentStore: Debug + Send + Sync + 'static {
    /// One structure.
    fn structure(&self, id: ObjectId) -> BoxFuture<'_, Result<Option<RawDocumentBuf>>>;

    /// Those of the definitions that exist, in any order.
    fn definitions<'a>(&'a self, ids: &'a [ObjectId])
    -> BoxFuture<'a, Result<Vec<RawDocumentBuf>>>;

    /// Inserts documents.
    fn put<'a>(&'a self, batch: &'a DocumentBatch) -> BoxFuture<'a, Result<()>>;

    /// Writes the copy of a course index row; an engine beside the rows in one database keeps none.
    fn put_course_index<'a>(&'a self, index: &'a CourseIndexDocument) -> BoxFuture<'a, Result<()>>;

    /// Removes the copy of a course index row.
    fn delete_course_index(&self, id: ObjectId) -> BoxFuture<'_, Result<()>>;

    /// Structures with ids above `after` in order of ids, `limit` at most.
    fn list_structures(
        &self,
        after: Option<ObjectId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StructureLink>>>;

    /// Ids of definitions above `after` in order, `limit` at most.
    fn list_definitions(
        &self,
        after: Option<ObjectId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<ObjectId>>>;

    /// Removes structures; those that do not exist are passed over.
    fn delete_structures<'a>(&'a self, ids: &'a [ObjectId]) -> BoxFuture<'a, Result<()>>;

    /// Removes definitions; those that do not exist are passed over.
    fn delete_definitions<'a>(&'a self, ids: &'a [ObjectId]) -> BoxFuture<'a, Result<()>>;

    /// Those of the files that exist, by the texts of their keys, in any order.
    fn files<'a>(&'a self, filenames: &'a [String]) -> BoxFuture<'a, Result<Vec<StoredFile>>>;

    /// A file by the text of its key.
    fn file<'a>(&'a self, filename: &'a str) -> BoxFuture<'a, Result<Option<StoredFile>>> {
        Box::pin(async move { Ok(self.files(&[filename.to_owned()]).await?.pop()) })
    }

    /// Bytes of a file; the range is cut to its length.
    fn file_bytes<'a>(
        &'a self,
        file: &'a StoredFile,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes>>;

    /// Writes chunks of uploads. Nobody sees them before [`Self::publish_files`].
    fn put_chunks<'a>(&'a self, chunks: &'a [NewChunk]) -> BoxFuture<'a, Result<()>>;

    /// Makes uploads the content of their files, replacing files of the same key.
    fn publish_files<'a>(&'a self, files: &'a [StoredFile]) -> BoxFuture<'a, Result<()>>;

    /// Replaces the document of a file, unless its bytes have been replaced meanwhile or it is gone; returns
    /// whether it was written.
    fn update_file<'a>(&'a self, file: &'a StoredFile) -> BoxFuture<'a, Result<bool>>;

    /// Removes a file with its bytes; returns whether there was one.
    fn delete_file<'a>(&'a self, filename: &'a str) -> BoxFuture<'a, Result<bool>>;

    /// One page of a course's files.
    fn list_files<'a>(&'a self, query: &'a FileQuery) -> BoxFuture<'a, Result<FilePage>>;

    /// Uploads that no file has, begun before `before` (seconds since 1970).
    fn abandoned_uploads(&self, before: i64) -> BoxFuture<'_, Result<Vec<ObjectId>>>;

    /// Removes the chunks of uploads that no file has.
    fn delete_uploads<'a>(&'a self, uploads: &'a [ObjectId]) -> BoxFuture<'a, Result<()>>;

    /// The embedded engine, which can write in the transaction of the index row.
    fn as_embedded(&self) -> Option<&EmbeddedStore> {
        None
    }
}
