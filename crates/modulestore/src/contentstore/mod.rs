//! Assets of courses (courseware.md §2.6, olx.md §12).

mod stage;
mod thumbnail;

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use bson::Bson;
use bson::oid::ObjectId;
use bytes::Bytes;
use opaque_keys::{AssetKey, CourseKey, thumbnail_name};

pub use thumbnail::{THUMBNAIL_SIZE, Thumbnail, make_thumbnail};

use crate::documents::{CHUNK_SIZE, ContentSon, DateTime, FileDocument, Stamp};
use crate::error::{Error, Result};
use crate::store::{DocumentStore, FilePage, FileQuery, StoredFile};

/// Images above this many bytes get no thumbnail.
const LARGEST_IMAGE: i64 = 64 << 20;

/// Bytes of a new asset.
#[derive(Debug, Clone)]
pub enum AssetData {
    /// In memory.
    Bytes(Bytes),
    /// In a file, which is read in pieces.
    File(PathBuf),
}

/// An asset to save.
#[derive(Debug, Clone)]
pub struct NewAsset {
    /// Path below `static/`, kept as `import_path`; the key's name is made from it.
    pub path: String,
    /// Name for people.
    pub display_name: String,
    /// MIME type, if any is known.
    pub content_type: Option<String>,
    /// Only for enrolled learners and staff.
    pub locked: bool,
    /// Whether `path` is stored as the path it was imported from; uploads have none.
    pub imported: bool,
    /// The bytes.
    pub data: AssetData,
}

/// Finds, saves and lists assets.
#[derive(Debug, Clone)]
pub struct ContentStore {
    store: Arc<dyn DocumentStore>,
}

impl ContentStore {
    /// The assets in a document store.
    #[must_use]
    pub fn new(store: Arc<dyn DocumentStore>) -> Self {
        Self { store }
    }

    /// The asset of a key; the branch of the key says nothing.
    pub async fn find(&self, key: &AssetKey) -> Result<Option<StoredFile>> {
        self.store.file(&filename(key)?).await
    }

    /// Those of the assets that exist, by key, with one statement: a page asks once for all that its links
    /// name.
    pub async fn find_many(&self, keys: &[AssetKey]) -> Result<HashMap<AssetKey, StoredFile>> {
        let mut wanted: HashMap<String, Vec<&AssetKey>> = HashMap::new();
        for key in keys {
            wanted.entry(filename(key)?).or_default().push(key);
        }
        let names: Vec<String> = wanted.keys().cloned().collect();
        let mut found = HashMap::with_capacity(names.len());
        for file in self.store.files(&names).await? {
            for key in wanted.get(&file.document.filename).into_iter().flatten() {
                found.insert((*key).clone(), file.clone());
            }
        }
        Ok(found)
    }

    /// All bytes of an asset.
    pub async fn read(&self, file: &StoredFile) -> Result<Bytes> {
        self.read_range(file, 0..u64::MAX).await
    }

    /// Some bytes of an asset; the range is cut to its length. Read large assets in pieces.
    ///
    /// Fails if the asset was replaced after `file` was found: find it again.
    pub async fn read_range(&self, file: &StoredFile, range: Range<u64>) -> Result<Bytes> {
        self.store.file_bytes(file, range).await
    }

    /// Saves an asset over one of the same key, and gives the file as stored. Its thumbnail follows, see
    /// [`Self::refresh_thumbnail`].
    pub async fn save(
        &self,
        course: &CourseKey,
        asset: NewAsset,
        stamp: Stamp,
    ) -> Result<StoredFile> {
        let staged = self.stage(course, vec![asset], stamp).await?;
        self.store.publish_files(&staged).await?;
        staged
            .into_iter()
            .next()
            .ok_or_else(|| Error::Engine("nothing was saved".to_owned()))
    }

    /// Locks an asset or opens it; returns whether there is one.
    pub async fn set_locked(&self, key: &AssetKey, locked: bool) -> Result<bool> {
        let Some(mut file) = self.find(key).await? else {
            return Ok(false);
        };
        file.document.locked = locked;
        self.store.update_file(&file).await
    }

    /// Removes an asset and its thumbnail; returns whether there was one.
    pub async fn delete(&self, key: &AssetKey) -> Result<bool> {
        let Some(file) = self.find(key).await? else {
            return Ok(false);
        };
        if let Some(thumbnail) = thumbnail_key(key, &file.document) {
            self.store.delete_file(&filename(&thumbnail)?).await?;
        }
        self.store.delete_file(&file.document.filename).await
    }

    /// One page of a list.
    pub async fn list(&self, query: &FileQuery) -> Result<FilePage> {
        self.store.list_files(query).await
    }

    /// Removes all assets and thumbnails of a course; returns how many.
    pub async fn delete_all(&self, course: &CourseKey) -> Result<u64> {
        let mut removed = 0;
        for category in ["asset", "thumbnail"] {
            loop {
                let page = self
                    .list(&FileQuery {
                        course: course_text(course)?,
                        category: category.to_owned(),
                        offset: 0,
                        limit: 500,
                        order: crate::store::FileOrder::Name,
                    })
                    .await?;
                if page.files.is_empty() {
                    break;
                }
                for file in page.files {
                    self.store.delete_file(&file.document.filename).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Makes the thumbnail of an image, saves it and names it in the image's document. Harmless to repeat.
    /// Returns whether the asset now has one; what is no image or cannot be read has none.
    pub async fn refresh_thumbnail(&self, key: &AssetKey, stamp: Stamp) -> Result<bool> {
        let Some(mut file) = self.find(key).await? else {
            return Ok(false);
        };
        let Some(content_type) = file.document.content_type.clone() else {
            return Ok(false);
        };
        if !content_type.starts_with("image/") || file.document.length > LARGEST_IMAGE {
            return Ok(false);
        }
        let bytes = self.read(&file).await?;
        let made = tokio::task::spawn_blocking(move || make_thumbnail(&content_type, &bytes)).await;
        let thumbnail = match made {
            Ok(Ok(thumbnail)) => thumbnail,
            Ok(Err(error)) => {
                tracing::warn!(asset = %key, %error, "no thumbnail");
                return Ok(false);
            }
            Err(error) => return Err(Error::Engine(error.to_string())),
        };
        let course = key.course_key();
        let name = thumbnail_name(key.path(), None, Some(thumbnail.extension));
        let location = AssetKey::location(course, &name, true)
            .map_err(|error| Error::BadKey(error.to_string()))?;
        let asset = NewAsset {
            path: name.clone(),
            display_name: name.clone(),
            content_type: Some(thumbnail.content_type.to_owned()),
            locked: false,
            imported: false,
            data: AssetData::Bytes(thumbnail.data),
        };
        let staged = self.stage_one(&location, asset, stamp).await?;
        self.store.publish_files(&[staged]).await?;
        file.document.thumbnail_location = Some(
            ["c4x", course.org(), course.course(), "thumbnail", &name]
                .iter()
                .map(|part| Some((*part).to_owned()))
                .chain([None])
                .collect(),
        );
        self.store.update_file(&file).await
    }
}

/// The key text under which an asset is stored: without branch and version.
pub(crate) fn filename(key: &AssetKey) -> Result<String> {
    key.for_branch(None)
        .map(|key| key.to_string())
        .map_err(|error| Error::BadKey(error.to_string()))
}

/// Text of a course key without branch and version.
pub(crate) fn course_text(course: &CourseKey) -> Result<String> {
    course
        .for_branch(None)
        .map(|key| key.to_string())
        .map_err(|error| Error::BadKey(error.to_string()))
}

/// The key of the thumbnail that an asset's document names.
#[must_use]
pub fn thumbnail_key(asset: &AssetKey, file: &FileDocument) -> Option<AssetKey> {
    let name = file.thumbnail_location.as_ref()?.get(4)?.as_deref()?;
    AssetKey::location(asset.course_key(), name, true).ok()
}

/// The document of a new file, still without length and digest.
fn new_document(key: &AssetKey, asset: &NewAsset, stamp: Stamp) -> Result<FileDocument> {
    let course = key.course_key();
    let filename = filename(key)?;
    Ok(FileDocument {
        id: file_id(key, &filename),
        content_son: ContentSon {
            category: key.asset_type().to_owned(),
            name: key.path().to_owned(),
            course: course.course().to_owned(),
            org: course.org().to_owned(),
            revision: None,
            run: Some(course.run().to_owned()),
        },
        filename,
        // Slashes in a display name would make folders when the course is exported.
        display_name: Some(asset.display_name.replace(['/', '\\'], "_")),
        thumbnail_location: None,
        import_path: asset.imported.then(|| asset.path.clone()),
        locked: asset.locked,
        content_type: asset.content_type.clone(),
        chunk_size: CHUNK_SIZE as i32,
        custom_md5: None,
        length: 0,
        upload_date: DateTime::from_millis(stamp.now.timestamp_millis()),
    })
}

/// `_id` of a file: the key's text, or for deprecated keys an ordered document.
fn file_id(key: &AssetKey, filename: &str) -> Bson {
    if !key.is_deprecated() {
        return Bson::String(filename.to_owned());
    }
    let course = key.course_key();
    Bson::Document(bson::doc! {
        "category": key.asset_type(),
        "name": key.path(),
        "course": course.course(),
        "tag": "c4x",
        "org": course.org(),
        "revision": Bson::Null,
    })
}

/// A new upload.
fn new_upload() -> ObjectId {
    ObjectId::new()
}
