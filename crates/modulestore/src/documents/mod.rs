//! The documents as the platform writes them (courseware.md §2, schema/mongo-collections.md).
//!
//! Structures and definitions keep field values as raw BSON: publishing and copying move bytes, and only
//! what is really read is decoded. [`values`] turns them into the JSON form of the course model and back.

mod course_index;
mod definition;
mod files;
mod structure;
#[cfg(test)]
pub(crate) mod tests;
pub mod values;

pub use course_index::CourseIndexDocument;
pub use definition::Definition;
pub use files::{CHUNK_SIZE, ChunkDocument, ContentSon, FileDocument};
pub use structure::{EditInfo, Structure, StructureBlock};

pub use bson::oid::ObjectId;
pub use bson::{DateTime, RawDocument, RawDocumentBuf};

use bson::raw::RawBsonRef;

use crate::error::{Error, Result};

/// Version of the form of structures, definitions and indexes that is read and written.
pub const SCHEMA_VERSION: i32 = 1;

/// Who does something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Id of the user, or one of the reserved ids (−1 management command … −4 system, courseware.md §2.4).
    pub user_id: i64,
    /// The time, with the milliseconds that BSON keeps.
    pub now: DateTime,
}

impl Stamp {
    /// What `user_id` does at `now`.
    #[must_use]
    pub fn new(user_id: i64, now: chrono::DateTime<chrono::Utc>) -> Self {
        Self {
            user_id,
            now: DateTime::from_millis(now.timestamp_millis()),
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "callers hand over what they have just made"
)]
fn malformed(kind: &'static str, id: impl ToString, reason: impl ToString) -> Error {
    Error::Malformed {
        kind,
        id: id.to_string(),
        reason: reason.to_string(),
    }
}

/// An object id, or none for null; drivers of other languages have also written its text form.
fn optional_id(value: RawBsonRef<'_>) -> Option<ObjectId> {
    match value {
        RawBsonRef::ObjectId(id) => Some(id),
        RawBsonRef::String(text) => ObjectId::parse_str(text).ok(),
        _ => None,
    }
}

fn integer(value: RawBsonRef<'_>) -> Option<i64> {
    match value {
        RawBsonRef::Int32(number) => Some(i64::from(number)),
        RawBsonRef::Int64(number) => Some(number),
        RawBsonRef::Double(number) => Some(number as i64),
        _ => None,
    }
}

/// A date in either of its stored forms: BSON date or ISO text (courseware.md §2.2).
fn date(value: RawBsonRef<'_>) -> Option<DateTime> {
    match value {
        RawBsonRef::DateTime(date) => Some(date),
        RawBsonRef::String(text) => values::parse_date(text),
        _ => None,
    }
}

fn append_id(doc: &mut RawDocumentBuf, key: &bson::raw::CStr, id: Option<ObjectId>) {
    match id {
        Some(id) => doc.append(key, id),
        None => doc.append(key, bson::RawBson::Null),
    }
}

/// User ids fit 32 bits and are written so, as the platform's driver does.
fn append_integer(doc: &mut RawDocumentBuf, key: &bson::raw::CStr, number: i64) {
    match i32::try_from(number) {
        Ok(small) => doc.append(key, small),
        Err(_) => doc.append(key, number),
    }
}

fn append_text(doc: &mut RawDocumentBuf, key: &bson::raw::CStr, text: Option<&str>) {
    match text {
        Some(text) => doc.append(key, text),
        None => doc.append(key, bson::RawBson::Null),
    }
}

/// Bytes of an owned raw document, checked for form on the outside.
pub(crate) fn raw_document(kind: &'static str, bytes: Vec<u8>) -> Result<RawDocumentBuf> {
    RawDocumentBuf::from_bytes(bytes).map_err(|error| malformed(kind, "?", error))
}
