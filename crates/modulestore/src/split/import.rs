//! Imports: everything is prepared beside the course, then one step shows it (olx.md §11, design.md).

use std::collections::HashMap;
use std::sync::Arc;

use course_model::CourseContent;
use opaque_keys::CourseKey;

use super::edit::outcome_of;
use super::heads::{Changes, index_key, new_row, next_row, root_of};
use super::{Branch, ModuleStore};
use crate::busy::busy;
use crate::contentstore::NewAsset;
use crate::documents::Stamp;
use crate::error::{Error, Result};
use crate::operations::{ImportInput, first_structures};
use crate::store::StoredFile;

/// How often an import is applied to new heads before giving up.
const ATTEMPTS: usize = 5;

/// What to import.
#[derive(Debug, Clone)]
pub struct CourseImport<'a> {
    /// Course or library to import into.
    pub target: &'a CourseKey,
    /// Whether to make it if there is none.
    pub create: bool,
    /// The archive's main tree with its detached blocks. A new course has its overview page from the store;
    /// the reader of the archive need not make one.
    pub published: &'a CourseContent,
    /// The draft branch as it shall be; equal to `published` where the archive has no drafts.
    pub draft: &'a CourseContent,
    /// Assets.
    pub assets: Vec<NewAsset>,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Whether the course was made.
    pub created: bool,
    /// How many blocks the archive's draft branch has.
    pub blocks: usize,
    /// How many assets were saved.
    pub assets: usize,
    /// Head of the published branch, of a library its branch.
    pub version: String,
}

impl ModuleStore {
    /// Imports a course. A failure leaves the course as it was: bytes of assets are written before in small
    /// transactions, but nothing names them until the last one, which moves the pointer.
    pub async fn import_course(&self, import: CourseImport<'_>, stamp: Stamp) -> Result<Imported> {
        let CourseImport {
            target,
            create,
            published,
            draft,
            assets,
        } = import;
        let key = index_key(target)?;
        if self.course_index(target).await?.is_none() && !create {
            return Err(Error::CourseNotFound(key));
        }
        let files = self.contentstore().stage(target, assets, stamp).await?;
        let result = self
            .import_staged(target, create, published, draft, files.clone(), stamp)
            .await;
        if result.is_err() {
            self.drop_staged(&files).await;
        }
        result
    }

    async fn import_staged(
        &self,
        target: &CourseKey,
        create: bool,
        published: &CourseContent,
        draft: &CourseContent,
        files: Vec<StoredFile>,
        stamp: Stamp,
    ) -> Result<Imported> {
        let mut changes = Changes {
            files,
            ..Changes::default()
        };
        for _ in 0..ATTEMPTS {
            changes.batch = crate::store::DocumentBatch::default();
            let old = self.course_index(target).await?;
            let missing = || Error::CourseNotFound(target.to_string());
            let (mut row, heads, known) = match &old {
                Some(row) => {
                    let draft_head = self.head_structure(row, Branch::Draft).await?;
                    let published_head = self.head_structure(row, Branch::Published).await?;
                    match (draft_head, published_head) {
                        (Some(draft), published) if target.is_library() || published.is_some() => {
                            let published = published.filter(|_| !target.is_library());
                            let known = self.load_definitions(&draft.definition_ids()).await?;
                            (next_row(row, stamp), (draft, published), known)
                        }
                        // The row points nowhere: the import makes the course anew behind it.
                        _ => {
                            let mut row = next_row(row, stamp);
                            let heads = first_heads(target, &mut row, &mut changes, stamp)?;
                            (row, (heads.0, heads.1), heads.2)
                        }
                    }
                }
                None if create => {
                    let mut row = new_row(target, stamp)?;
                    let heads = first_heads(target, &mut row, &mut changes, stamp)?;
                    (row, (heads.0, heads.1), heads.2)
                }
                None => return Err(missing()),
            };
            let input = ImportInput {
                course: target,
                published,
                draft,
                definitions: &known,
            };
            busy(|| {
                for outcome in input.run(heads.0, heads.1, stamp)? {
                    changes.add(&mut row, &outcome);
                }
                Ok::<_, Error>(())
            })?;
            changes.published = true;
            changes.imported = true;
            if let Some(slug) = wiki_slug(published) {
                slug.clone_into(&mut row.wiki_slug);
            }
            if self.commit(old.as_ref(), &row, &changes, stamp).await? {
                let version = if target.is_library() {
                    row.library_version
                } else {
                    row.published_version
                };
                return Ok(Imported {
                    created: old.is_none(),
                    blocks: draft.blocks.len().max(published.blocks.len()),
                    assets: changes.files.len(),
                    version,
                });
            }
        }
        Err(Error::Conflict(target.to_string()))
    }

    /// Removes bytes that a failed import has written. What cannot be removed now, the doctor finds.
    async fn drop_staged(&self, files: &[StoredFile]) {
        let mut unused = Vec::new();
        for file in files {
            match self.inner.store.file(&file.document.filename).await {
                // Bytes that the course had already are named by its file.
                Ok(Some(stored)) if stored.upload == file.upload => {}
                Ok(_) => unused.push(file.upload),
                Err(error) => tracing::warn!(%error, "staged asset not removed"),
            }
        }
        if let Err(error) = self.inner.store.delete_uploads(&unused).await {
            tracing::warn!(%error, "staged assets not removed");
        }
    }
}

type Heads = (
    Arc<crate::documents::Structure>,
    Option<Arc<crate::documents::Structure>>,
    HashMap<bson::oid::ObjectId, Arc<crate::documents::Definition>>,
);

/// The first structures of a course, already part of `changes`.
fn first_heads(
    target: &CourseKey,
    row: &mut records::split_index::CourseIndexRow,
    changes: &mut Changes,
    stamp: Stamp,
) -> Result<Heads> {
    let first = first_structures(target, &root_of(target), stamp)?;
    let draft = Arc::new(first.draft.clone());
    let published = first.published.clone().map(Arc::new);
    let known = first
        .definitions
        .iter()
        .map(|it| (it.id, Arc::new(it.clone())))
        .collect::<HashMap<_, _>>();
    changes.add(row, &outcome_of(first));
    Ok((draft, published, known))
}

/// The wiki of the course, as its root block names it.
fn wiki_slug(content: &CourseContent) -> Option<&str> {
    let root = content.blocks.get(&content.root)?;
    root.content
        .get("wiki_slug")
        .or_else(|| root.settings.get("wiki_slug"))?
        .as_str()
}
