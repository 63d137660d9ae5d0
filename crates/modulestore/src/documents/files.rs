//! GridFS documents of the contentstore (courseware.md §2.6).

use bson::raw::{RawArrayBuf, RawBsonRef, cstr};
use bson::spec::BinarySubtype;
use bson::{Bson, DateTime, RawBson, RawDocument, RawDocumentBuf, oid::ObjectId};

use super::{append_integer, append_text, date, integer, malformed};
use crate::error::Result;

/// Bytes in a chunk: 255 KiB, the driver's default.
pub const CHUNK_SIZE: usize = 261_120;

/// Parts of an asset key as old courses' queries expect them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentSon {
    /// `asset` or `thumbnail`.
    pub category: String,
    /// Block id of the asset key.
    pub name: String,
    /// Course number.
    pub course: String,
    /// Organisation.
    pub org: String,
    /// Revision; never set by courses of today.
    pub revision: Option<String>,
    /// Run of the course.
    pub run: Option<String>,
}

/// A document of `fs.files`.
#[derive(Debug, Clone, PartialEq)]
pub struct FileDocument {
    /// Its id: the asset key's text, or an ordered document for deprecated keys.
    pub id: Bson,
    /// Text of the asset key without branch.
    pub filename: String,
    /// Name for people.
    pub display_name: Option<String>,
    /// Parts of the key.
    pub content_son: ContentSon,
    /// `[c4x, org, course, thumbnail, path, null]` where there is a thumbnail.
    pub thumbnail_location: Option<Vec<Option<String>>>,
    /// Path below `static/` of the archive it came from.
    pub import_path: Option<String>,
    /// Only for enrolled learners and staff.
    pub locked: bool,
    /// MIME type.
    pub content_type: Option<String>,
    /// Bytes in each chunk but the last.
    pub chunk_size: i32,
    /// MD5 of all bytes, lower-case hex.
    pub custom_md5: Option<String>,
    /// Number of bytes.
    pub length: i64,
    /// When it was saved: its Last-Modified.
    pub upload_date: DateTime,
}

impl FileDocument {
    /// The MD5 that versioned paths carry.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        self.custom_md5.as_deref()
    }

    /// The document, keys in the platform's order.
    pub fn to_document(&self) -> Result<RawDocumentBuf> {
        let son = &self.content_son;
        let mut content_son = RawDocumentBuf::new();
        content_son.append(cstr!("category"), son.category.as_str());
        content_son.append(cstr!("name"), son.name.as_str());
        content_son.append(cstr!("course"), son.course.as_str());
        content_son.append(cstr!("tag"), "c4x");
        content_son.append(cstr!("org"), son.org.as_str());
        append_text(&mut content_son, cstr!("revision"), son.revision.as_deref());
        append_text(&mut content_son, cstr!("run"), son.run.as_deref());

        let mut doc = RawDocumentBuf::new();
        doc.append(cstr!("_id"), RawBson::try_from(self.id.clone())?);
        doc.append(cstr!("filename"), self.filename.as_str());
        append_text(&mut doc, cstr!("displayname"), self.display_name.as_deref());
        doc.append(cstr!("content_son"), content_son);
        match &self.thumbnail_location {
            Some(parts) => {
                let mut list = RawArrayBuf::new();
                for part in parts {
                    match part {
                        Some(text) => list.push(text.as_str()),
                        None => list.push(RawBson::Null),
                    }
                }
                doc.append(cstr!("thumbnail_location"), list);
            }
            None => doc.append(cstr!("thumbnail_location"), RawBson::Null),
        }
        append_text(&mut doc, cstr!("import_path"), self.import_path.as_deref());
        doc.append(cstr!("locked"), self.locked);
        append_text(&mut doc, cstr!("contentType"), self.content_type.as_deref());
        append_integer(&mut doc, cstr!("chunkSize"), i64::from(self.chunk_size));
        append_text(&mut doc, cstr!("custom_md5"), self.custom_md5.as_deref());
        // The driver writes lengths as 64-bit numbers, also small ones.
        doc.append(cstr!("length"), self.length);
        doc.append(cstr!("uploadDate"), self.upload_date);
        Ok(doc)
    }

    /// Reads a stored document; `md5` of older drivers stands in where `custom_md5` is missing.
    pub fn from_document(doc: &RawDocument) -> Result<Self> {
        let wrong = |error: bson::error::Error| malformed("file", "?", error);
        let mut file = Self {
            id: Bson::Null,
            filename: String::new(),
            display_name: None,
            content_son: ContentSon {
                category: String::new(),
                name: String::new(),
                course: String::new(),
                org: String::new(),
                revision: None,
                run: None,
            },
            thumbnail_location: None,
            import_path: None,
            locked: false,
            content_type: None,
            chunk_size: CHUNK_SIZE as i32,
            custom_md5: None,
            length: 0,
            upload_date: DateTime::from_millis(0),
        };
        let mut md5 = None;
        for element in doc {
            let (key, value) = element.map_err(wrong)?;
            let text = || value.as_str().map(str::to_owned);
            match key.as_str() {
                "_id" => file.id = Bson::try_from(value).map_err(wrong)?,
                "filename" => file.filename = text().unwrap_or_default(),
                "displayname" => file.display_name = text(),
                "content_son" => {
                    if let Some(son) = value.as_document() {
                        file.content_son = read_son(son).map_err(wrong)?;
                    }
                }
                "thumbnail_location" => file.thumbnail_location = read_location(value),
                "import_path" => file.import_path = text(),
                "locked" => file.locked = value.as_bool().unwrap_or_default(),
                "contentType" => file.content_type = text(),
                "chunkSize" => {
                    file.chunk_size = integer(value)
                        .and_then(|size| i32::try_from(size).ok())
                        .filter(|size| *size > 0)
                        .unwrap_or(CHUNK_SIZE as i32);
                }
                "custom_md5" => file.custom_md5 = text(),
                "md5" => md5 = text(),
                "length" => file.length = integer(value).unwrap_or_default(),
                "uploadDate" => file.upload_date = date(value).unwrap_or(file.upload_date),
                _ => {}
            }
        }
        file.custom_md5 = file.custom_md5.or(md5);
        Ok(file)
    }
}

fn read_son(doc: &RawDocument) -> bson::error::Result<ContentSon> {
    let mut son = ContentSon {
        category: String::new(),
        name: String::new(),
        course: String::new(),
        org: String::new(),
        revision: None,
        run: None,
    };
    for element in doc {
        let (key, value) = element?;
        let text = || value.as_str().map(str::to_owned);
        match key.as_str() {
            "category" => son.category = text().unwrap_or_default(),
            "name" => son.name = text().unwrap_or_default(),
            "course" => son.course = text().unwrap_or_default(),
            "org" => son.org = text().unwrap_or_default(),
            "revision" => son.revision = text(),
            "run" => son.run = text(),
            _ => {}
        }
    }
    Ok(son)
}

fn read_location(value: RawBsonRef<'_>) -> Option<Vec<Option<String>>> {
    let list = value.as_array()?;
    Some(
        list.into_iter()
            .flatten()
            .map(|part| part.as_str().map(str::to_owned))
            .collect(),
    )
}

/// A document of `fs.chunks`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkDocument {
    /// Its id.
    pub id: ObjectId,
    /// `_id` of the file.
    pub files_id: Bson,
    /// Number of the chunk, from 0.
    pub n: i32,
    /// The bytes.
    pub data: Vec<u8>,
}

impl ChunkDocument {
    /// The document, keys in the driver's order.
    pub fn to_document(&self) -> Result<RawDocumentBuf> {
        let mut doc = RawDocumentBuf::new();
        doc.append(cstr!("_id"), self.id);
        doc.append(cstr!("files_id"), RawBson::try_from(self.files_id.clone())?);
        doc.append(cstr!("n"), self.n);
        doc.append(
            cstr!("data"),
            bson::raw::RawBinaryRef {
                subtype: BinarySubtype::Generic,
                bytes: &self.data,
            },
        );
        Ok(doc)
    }

    /// Reads a stored document.
    pub fn from_document(doc: &RawDocument) -> Result<Self> {
        let wrong = |error: bson::error::Error| malformed("chunk", "?", error);
        let missing = |key: &str| malformed("chunk", "?", format!("no {key}"));
        let mut id = None;
        let mut files_id = None;
        let mut n = None;
        let mut data = None;
        for element in doc {
            let (key, value) = element.map_err(wrong)?;
            match key.as_str() {
                "_id" => id = value.as_object_id(),
                "files_id" => files_id = Some(Bson::try_from(value).map_err(wrong)?),
                "n" => n = integer(value).and_then(|n| i32::try_from(n).ok()),
                "data" => data = value.as_binary().map(|binary| binary.bytes.to_vec()),
                _ => {}
            }
        }
        Ok(Self {
            id: id.ok_or_else(|| missing("_id"))?,
            files_id: files_id.ok_or_else(|| missing("files_id"))?,
            n: n.ok_or_else(|| missing("n"))?,
            data: data.ok_or_else(|| missing("data"))?,
        })
    }
}
