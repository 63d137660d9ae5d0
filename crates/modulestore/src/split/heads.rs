//! Index rows, and the structures that they point to.

use std::sync::Arc;

use bson::oid::ObjectId;
use course_model::BlockKey;
use opaque_keys::CourseKey;
use records::outbox;
use records::split_index::{self, CourseIndexRow, Moved};
use serde_json::json;

use super::{Branch, COURSE_PUBLISHED, LIBRARY_UPDATED, ModuleStore, THUMBNAIL_WANTED};
use crate::busy::busy;
use crate::contentstore::NewAsset;
use crate::documents::{CourseIndexDocument, DateTime, Stamp, Structure};
use crate::error::{Error, Result};
use crate::operations::EditOutcome;
use crate::store::{DocumentBatch, StoredFile};

/// What a write brings.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) batch: DocumentBatch,
    pub(super) files: Vec<StoredFile>,
    /// Whether learners see something new.
    pub(super) published: bool,
    /// Whether it comes from an archive, whose settings then go over what was set elsewhere.
    pub(super) imported: bool,
}

impl Changes {
    /// Adds what an operation made and moves the heads in `row` to it.
    pub(super) fn add(&mut self, row: &mut CourseIndexRow, outcome: &EditOutcome) {
        for definition in &outcome.definitions {
            self.batch.add_definition(definition);
        }
        if let Some(draft) = &outcome.draft {
            self.batch.add_structure(draft);
            if is_library(row) {
                row.library_version = draft.id.to_hex();
                self.published = true;
            } else {
                row.draft_version = draft.id.to_hex();
            }
        }
        if let Some(published) = &outcome.published {
            self.batch.add_structure(published);
            row.published_version = published.id.to_hex();
            self.published = true;
        }
    }
}

pub(super) fn is_library(row: &CourseIndexRow) -> bool {
    row.course_id.starts_with("library-v1:")
}

/// Text of the key in the index: without branch and version. Only courses and libraries of today are kept.
pub(super) fn index_key(course: &CourseKey) -> Result<String> {
    let text = course
        .for_branch(None)
        .map_err(|error| Error::BadKey(error.to_string()))?
        .to_string();
    if text.starts_with("course-v1:") || text.starts_with("library-v1:") {
        Ok(text)
    } else {
        Err(Error::BadKey(text))
    }
}

/// Head of a branch.
pub(super) fn head(row: &CourseIndexRow, branch: Branch) -> Option<ObjectId> {
    let text = match branch {
        _ if is_library(row) => &row.library_version,
        Branch::Draft => &row.draft_version,
        Branch::Published => &row.published_version,
    };
    ObjectId::parse_str(text).ok()
}

pub(super) fn root_of(course: &CourseKey) -> BlockKey {
    if course.is_library() {
        BlockKey::new("library", "library")
    } else {
        BlockKey::course_root()
    }
}

impl ModuleStore {
    /// The index row of a course; none for keys that no course of today can have.
    pub async fn course_index(&self, course: &CourseKey) -> Result<Option<CourseIndexRow>> {
        match index_key(course) {
            Ok(key) => Ok(split_index::find(&self.inner.db, &key).await?),
            Err(_) => Ok(None),
        }
    }

    /// Index rows of all courses, in the order in which they were made. Some may point to structures that
    /// do not exist.
    pub async fn list_courses(&self) -> Result<Vec<CourseIndexRow>> {
        self.list(|row| !is_library(row)).await
    }

    /// Index rows of all libraries.
    pub async fn list_libraries(&self) -> Result<Vec<CourseIndexRow>> {
        self.list(is_library).await
    }

    async fn list(&self, wanted: impl Fn(&CourseIndexRow) -> bool) -> Result<Vec<CourseIndexRow>> {
        let mut rows = split_index::list(&self.inner.db, None).await?;
        rows.retain(wanted);
        Ok(rows)
    }

    /// The structure that is the head of a branch. A pointer to a structure that does not exist is logged
    /// and gives none.
    pub async fn structure(
        &self,
        course: &CourseKey,
        branch: Branch,
    ) -> Result<Option<Arc<Structure>>> {
        match self.course_index(course).await? {
            Some(row) => self.head_structure(&row, branch).await,
            None => Ok(None),
        }
    }

    pub(super) async fn head_structure(
        &self,
        row: &CourseIndexRow,
        branch: Branch,
    ) -> Result<Option<Arc<Structure>>> {
        let Some(id) = head(row, branch) else {
            return Ok(None);
        };
        let structure = self.load_structure(id).await?;
        if structure.is_none() {
            tracing::error!(course = row.course_id, structure = %id, "structure is missing");
        }
        Ok(structure)
    }

    pub(super) async fn load_structure(&self, id: ObjectId) -> Result<Option<Arc<Structure>>> {
        match self.inner.store.structure(id).await? {
            Some(doc) => Ok(Some(Arc::new(busy(|| Structure::from_document(&doc))?))),
            None => Ok(None),
        }
    }

    /// Writes documents and moves the pointer of a course from `started_from` (none: a new course) to `row`.
    /// Returns false, having changed nothing that anybody sees, when somebody else moved it first.
    pub(super) async fn commit(
        &self,
        started_from: Option<&CourseIndexRow>,
        row: &CourseIndexRow,
        changes: &Changes,
        stamp: Stamp,
    ) -> Result<bool> {
        let store = &self.inner.store;
        let beside = store.as_embedded().filter(|_| self.inner.one_database);
        if beside.is_none() {
            store.put(&changes.batch).await?;
            store.publish_files(&changes.files).await?;
        }
        let moved = self
            .inner
            .db
            .write(|mut tx| async move {
                if let Some(old) = started_from {
                    match split_index::update(&mut tx, old, row).await? {
                        Moved::Yes => {}
                        Moved::Stale => return Ok(false),
                        Moved::Missing => {
                            return Err(Error::CourseNotFound(row.course_id.clone()));
                        }
                    }
                } else {
                    let existing = split_index::find_ignoring_case(&mut tx, &row.course_id).await?;
                    if let Some(existing) = existing {
                        let location = row.course_id.clone();
                        return Err(Error::DuplicateCourse { location, existing });
                    }
                    split_index::insert(&mut tx, row).await?;
                }
                if let Some(embedded) = beside {
                    embedded.put_in(&mut tx, &changes.batch).await?;
                    embedded.publish_files_in(&mut tx, &changes.files).await?;
                }
                announce(&mut tx, row, changes, stamp).await?;
                Ok::<bool, Error>(true)
            })
            .await?;
        if moved && beside.is_none() {
            // Only a copy: the row is the truth, and the next move writes it again.
            if let Err(error) = self.copy_index(row).await {
                tracing::warn!(course = row.course_id, %error, "copy of the index not written");
            }
        }
        Ok(moved)
    }

    /// Saves an uploaded asset over one of the same key; its thumbnail follows through the outbox.
    pub async fn save_asset(
        &self,
        course: &CourseKey,
        asset: NewAsset,
        stamp: Stamp,
    ) -> Result<StoredFile> {
        let files = self
            .contentstore()
            .stage(course, vec![asset], stamp)
            .await?;
        let store = &self.inner.store;
        let beside = store.as_embedded().filter(|_| self.inner.one_database);
        if beside.is_none() {
            store.publish_files(&files).await?;
        }
        let new = &files;
        self.inner
            .db
            .write(|mut tx| async move {
                if let Some(embedded) = beside {
                    embedded.publish_files_in(&mut tx, new).await?;
                }
                want_thumbnails(&mut tx, new, moment(stamp)).await
            })
            .await?;
        files
            .into_iter()
            .next()
            .ok_or_else(|| Error::Engine("nothing was saved".to_owned()))
    }

    async fn copy_index(&self, row: &CourseIndexRow) -> Result<()> {
        match index_document(row) {
            Some(document) => self.inner.store.put_course_index(&document).await,
            None => Ok(()),
        }
    }
}

/// What must follow the commit.
async fn announce(
    tx: &mut db::Tx,
    row: &CourseIndexRow,
    changes: &Changes,
    stamp: Stamp,
) -> Result<()> {
    let now = row.last_update;
    for file in &changes.files {
        let document = &file.document;
        let is_image = document
            .content_type
            .as_deref()
            .is_some_and(|kind| kind.starts_with("image/"));
        if is_image && document.thumbnail_location.is_none() {
            let payload = json!({ "asset": document.filename });
            outbox::put(tx, THUMBNAIL_WANTED, &document.filename, &payload, now, now).await?;
        }
    }
    if changes.published {
        let topic = if is_library(row) {
            LIBRARY_UPDATED
        } else {
            COURSE_PUBLISHED
        };
        let payload = json!({
            "course_key": row.course_id,
            "version": if is_library(row) { &row.library_version } else { &row.published_version },
            "user_id": stamp.user_id,
            "imported": changes.imported,
        });
        outbox::put(tx, topic, &row.course_id, &payload, now, now).await?;
    }
    Ok(())
}

async fn want_thumbnails(
    tx: &mut db::Tx,
    files: &[StoredFile],
    now: chrono::NaiveDateTime,
) -> Result<()> {
    for file in files {
        let document = &file.document;
        let is_image = document
            .content_type
            .as_deref()
            .is_some_and(|kind| kind.starts_with("image/"));
        if is_image && document.thumbnail_location.is_none() {
            let key = &document.filename;
            let payload = json!({ "asset": key });
            outbox::put(tx, THUMBNAIL_WANTED, key, &payload, now, now).await?;
        }
    }
    Ok(())
}

/// The row of a new course.
pub(super) fn new_row(course: &CourseKey, stamp: Stamp) -> Result<CourseIndexRow> {
    let course_id = index_key(course)?;
    let now = moment(stamp);
    Ok(CourseIndexRow {
        id: 0,
        objectid: ObjectId::new().to_hex(),
        wiki_slug: if course.is_library() {
            String::new()
        } else {
            format!("{}.{}.{}", course.org(), course.course(), course.run())
        },
        course_id,
        org: course.org().to_owned(),
        draft_version: String::new(),
        published_version: String::new(),
        library_version: String::new(),
        base_store: "mongodb".to_owned(),
        edited_on: now,
        last_update: now,
        edited_by_id: Some(stamp.user_id),
    })
}

/// The row that follows `old`: its token is later in any case.
pub(super) fn next_row(old: &CourseIndexRow, stamp: Stamp) -> CourseIndexRow {
    let mut row = old.clone();
    let least = old.last_update + chrono::TimeDelta::microseconds(1);
    row.last_update = moment(stamp).max(least);
    row
}

fn moment(stamp: Stamp) -> chrono::NaiveDateTime {
    chrono::DateTime::from_timestamp_millis(stamp.now.timestamp_millis())
        .unwrap_or_default()
        .naive_utc()
}

fn index_document(row: &CourseIndexRow) -> Option<CourseIndexDocument> {
    let key = CourseKey::parse(&row.course_id).ok()?;
    let date =
        |moment: chrono::NaiveDateTime| DateTime::from_millis(moment.and_utc().timestamp_millis());
    let versions = [
        ("draft-branch", &row.draft_version),
        ("published-branch", &row.published_version),
        ("library", &row.library_version),
    ];
    Some(CourseIndexDocument {
        id: ObjectId::parse_str(&row.objectid).ok()?,
        org: key.org().to_owned(),
        course: key.course().to_owned(),
        run: key.run().to_owned(),
        edited_by: row.edited_by_id.unwrap_or_default(),
        edited_on: date(row.edited_on),
        last_update: date(row.last_update),
        versions: versions
            .into_iter()
            .filter_map(|(branch, text)| Some((branch.to_owned(), ObjectId::parse_str(text).ok()?)))
            .collect(),
        wiki_slug: (!row.wiki_slug.is_empty()).then(|| row.wiki_slug.clone()),
    })
}
