//! Course index documents (courseware.md §2.1): the copy of the SQL row beside the other documents.

use bson::raw::cstr;
use bson::{DateTime, RawDocument, RawDocumentBuf, oid::ObjectId};

use super::{SCHEMA_VERSION, append_integer, date, integer, malformed, optional_id};
use crate::error::Result;

/// A document of `modulestore.active_versions`. The SQL row is the truth; this copy is written beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct CourseIndexDocument {
    /// Its id, `objectid` of the SQL row.
    pub id: ObjectId,
    /// Organisation.
    pub org: String,
    /// Course number; of a library its code.
    pub course: String,
    /// Run; `library` of a library.
    pub run: String,
    /// Who created the course.
    pub edited_by: i64,
    /// When it was created.
    pub edited_on: DateTime,
    /// When a branch last moved: the token of the optimistic lock.
    pub last_update: DateTime,
    /// Branch name and active structure, in stored order.
    pub versions: Vec<(String, ObjectId)>,
    /// `wiki_slug`, where it is set.
    pub wiki_slug: Option<String>,
}

impl CourseIndexDocument {
    /// The document, keys in the platform's order.
    pub fn to_document(&self) -> Result<RawDocumentBuf> {
        let mut versions = RawDocumentBuf::new();
        for (branch, id) in &self.versions {
            versions.append(<&bson::raw::CStr>::try_from(branch.as_str())?, *id);
        }
        let mut targets = RawDocumentBuf::new();
        if let Some(slug) = &self.wiki_slug {
            targets.append(cstr!("wiki_slug"), slug.as_str());
        }
        let mut doc = RawDocumentBuf::new();
        doc.append(cstr!("_id"), self.id);
        doc.append(cstr!("org"), self.org.as_str());
        doc.append(cstr!("course"), self.course.as_str());
        doc.append(cstr!("run"), self.run.as_str());
        append_integer(&mut doc, cstr!("edited_by"), self.edited_by);
        doc.append(cstr!("edited_on"), self.edited_on);
        doc.append(cstr!("last_update"), self.last_update);
        doc.append(cstr!("versions"), versions);
        doc.append(cstr!("schema_version"), SCHEMA_VERSION);
        doc.append(cstr!("search_targets"), targets);
        Ok(doc)
    }

    /// Reads a stored document.
    pub fn from_document(doc: &RawDocument) -> Result<Self> {
        let id = doc
            .get_object_id("_id")
            .map_err(|error| malformed("course index", "?", error))?;
        let epoch = DateTime::from_millis(0);
        let mut index = Self {
            id,
            org: String::new(),
            course: String::new(),
            run: String::new(),
            edited_by: 0,
            edited_on: epoch,
            last_update: epoch,
            versions: Vec::new(),
            wiki_slug: None,
        };
        for element in doc {
            let (key, value) = element.map_err(|error| malformed("course index", id, error))?;
            let text = || value.as_str().unwrap_or_default().to_owned();
            match key.as_str() {
                "org" => index.org = text(),
                "course" => index.course = text(),
                "run" => index.run = text(),
                "edited_by" => index.edited_by = integer(value).unwrap_or_default(),
                "edited_on" => index.edited_on = date(value).unwrap_or(epoch),
                "last_update" => index.last_update = date(value).unwrap_or(epoch),
                "versions" => {
                    for entry in value.as_document().into_iter().flat_map(RawDocument::iter) {
                        let (branch, version) =
                            entry.map_err(|error| malformed("course index", id, error))?;
                        if let Some(version) = optional_id(version) {
                            index.versions.push((branch.as_str().to_owned(), version));
                        }
                    }
                }
                "search_targets" => {
                    index.wiki_slug = value
                        .as_document()
                        .and_then(|targets| targets.get_str("wiki_slug").ok())
                        .map(str::to_owned);
                }
                _ => {}
            }
        }
        Ok(index)
    }
}
