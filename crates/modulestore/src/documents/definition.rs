//! Definition documents: values of content scope (courseware.md §2.3).

use bson::raw::cstr;
use bson::{DateTime, RawDocument, RawDocumentBuf, oid::ObjectId};

use super::{
    SCHEMA_VERSION, Stamp, append_id, append_integer, date, integer, malformed, optional_id,
};
use crate::error::Result;

/// The content of one block or of several. Never changed once stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its id.
    pub id: ObjectId,
    /// Type of the blocks that use it.
    pub block_type: String,
    /// Explicitly set values of content scope.
    pub fields: RawDocumentBuf,
    /// Who wrote it.
    pub edited_by: i64,
    /// When it was written.
    pub edited_on: DateTime,
    /// The definition that it replaces.
    pub previous_version: Option<ObjectId>,
    /// The first definition of the chain.
    pub original_version: ObjectId,
}

impl Definition {
    /// A definition without history.
    #[must_use]
    pub fn new(block_type: &str, fields: RawDocumentBuf, stamp: Stamp) -> Self {
        let id = ObjectId::new();
        Self {
            id,
            block_type: block_type.to_owned(),
            fields,
            edited_by: stamp.user_id,
            edited_on: stamp.now,
            previous_version: None,
            original_version: id,
        }
    }

    /// The definition that follows this one with other values.
    #[must_use]
    pub fn next(&self, fields: RawDocumentBuf, stamp: Stamp) -> Self {
        Self {
            previous_version: Some(self.id),
            original_version: self.original_version,
            ..Self::new(&self.block_type, fields, stamp)
        }
    }

    /// The document, keys in the platform's order.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut edit_info = RawDocumentBuf::new();
        append_integer(&mut edit_info, cstr!("edited_by"), self.edited_by);
        edit_info.append(cstr!("edited_on"), self.edited_on);
        append_id(
            &mut edit_info,
            cstr!("previous_version"),
            self.previous_version,
        );
        edit_info.append(cstr!("original_version"), self.original_version);
        let mut doc = RawDocumentBuf::new();
        doc.append(cstr!("_id"), self.id);
        doc.append(cstr!("block_type"), self.block_type.as_str());
        doc.append(cstr!("fields"), &self.fields);
        doc.append(cstr!("edit_info"), edit_info);
        doc.append(cstr!("schema_version"), SCHEMA_VERSION);
        doc
    }

    /// Reads a stored document.
    pub fn from_document(doc: &RawDocument) -> Result<Self> {
        let id = doc
            .get_object_id("_id")
            .map_err(|error| malformed("definition", "?", error))?;
        let mut definition = Self {
            id,
            block_type: String::new(),
            fields: RawDocumentBuf::new(),
            edited_by: 0,
            edited_on: DateTime::from_millis(0),
            previous_version: None,
            original_version: id,
        };
        for element in doc {
            let (key, value) = element.map_err(|error| malformed("definition", id, error))?;
            match key.as_str() {
                "block_type" => {
                    value
                        .as_str()
                        .unwrap_or_default()
                        .clone_into(&mut definition.block_type);
                }
                "fields" => {
                    if let Some(fields) = value.as_document() {
                        definition.fields = fields.to_owned();
                    }
                }
                "edit_info" => {
                    let info = value.as_document();
                    for element in info.into_iter().flat_map(RawDocument::iter) {
                        let (key, value) =
                            element.map_err(|error| malformed("definition", id, error))?;
                        match key.as_str() {
                            "edited_by" => {
                                definition.edited_by = integer(value).unwrap_or_default();
                            }
                            "edited_on" => {
                                definition.edited_on = date(value).unwrap_or(definition.edited_on);
                            }
                            "previous_version" => definition.previous_version = optional_id(value),
                            "original_version" => {
                                definition.original_version = optional_id(value).unwrap_or(id);
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(definition)
    }
}
