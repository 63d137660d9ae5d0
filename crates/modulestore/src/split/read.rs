//! Reading courses.

use std::collections::HashMap;
use std::sync::Arc;

use bson::oid::ObjectId;
use course_model::snapshot::{CourseSnapshot, EditInfo, SnapshotBlock, SnapshotInfo};
use course_model::{Aside, Block, BlockIdx, CourseContent, Fields};
use opaque_keys::CourseKey;

use super::heads::head;
use super::{Branch, CachedDefinition, ModuleStore, weight};
use crate::busy::busy;
use crate::documents::{Definition, RawDocument, Structure, values};
use crate::error::{Error, Result};

/// Why there is no snapshot.
#[derive(Debug)]
enum Absent {
    Missing,
    Failed(Error),
}

impl From<Error> for Absent {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Definitions fetched with one call to the store at most.
const TOGETHER: usize = 512;

impl ModuleStore {
    /// The active version of a branch: one statement reads which it is, the version itself comes from memory
    /// or, once, from the store. None if there is no such course, or its structure is missing (logged).
    ///
    /// The key's branch and version say nothing.
    pub async fn snapshot(
        &self,
        course: &CourseKey,
        branch: Branch,
    ) -> Result<Option<Arc<CourseSnapshot>>> {
        let Some(row) = self.course_index(course).await? else {
            return Ok(None);
        };
        let Some(version) = head(&row, branch) else {
            return Ok(None);
        };
        let snapshot = self.snapshot_at(course, version).await?;
        if snapshot.is_none() {
            tracing::error!(course = row.course_id, structure = %version, "structure is missing");
        }
        Ok(snapshot)
    }

    /// A version of a course by the id of its structure, which may be an old one. That the version is one of
    /// this course is not checked.
    pub async fn snapshot_at(
        &self,
        course: &CourseKey,
        version: ObjectId,
    ) -> Result<Option<Arc<CourseSnapshot>>> {
        let course = course
            .for_branch(None)
            .map_err(|error| Error::BadKey(error.to_string()))?;
        let key = (course.clone(), version);
        // Whoever asks meanwhile for the same version waits for this one load.
        let loaded = self
            .inner
            .snapshots
            .try_get_with(key, async {
                let doc = self
                    .inner
                    .store
                    .structure(version)
                    .await?
                    .ok_or(Absent::Missing)?;
                let built = tokio::task::spawn_blocking(move || build_snapshot(&course, &doc));
                let built = built
                    .await
                    .map_err(|error| Error::Engine(error.to_string()))?;
                Ok::<_, Absent>(Arc::new(built?))
            })
            .await;
        match loaded {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(absent) => match &*absent {
                Absent::Missing => Ok(None),
                Absent::Failed(error) => Err(Error::Engine(error.to_string())),
            },
        }
    }

    /// The content fields of a block of a snapshot.
    pub async fn definition(
        &self,
        snapshot: &CourseSnapshot,
        idx: BlockIdx,
    ) -> Result<Arc<Fields>> {
        Ok(self
            .definitions(snapshot, &[idx])
            .await?
            .pop()
            .unwrap_or_default())
    }

    /// The content fields of blocks of a snapshot, in the order of `blocks`: those that are not in memory
    /// come with one statement.
    pub async fn definitions(
        &self,
        snapshot: &CourseSnapshot,
        blocks: &[BlockIdx],
    ) -> Result<Vec<Arc<Fields>>> {
        let ids: Vec<ObjectId> = blocks
            .iter()
            .map(|idx| ObjectId::from_bytes(snapshot.block(*idx).definition_id().0))
            .collect();
        self.definition_fields(snapshot.course_key(), &ids).await
    }

    /// All blocks of a branch with their content, for export and display. None if there is no such course.
    pub async fn content(
        &self,
        course: &CourseKey,
        branch: Branch,
    ) -> Result<Option<CourseContent>> {
        let Some(structure) = self.structure(course, branch).await? else {
            return Ok(None);
        };
        let mut content = CourseContent {
            root: structure.root.clone(),
            blocks: indexmap::IndexMap::new(),
        };
        let definitions = self.load_definitions(&structure.definition_ids()).await?;
        busy(|| {
            for (key, stored) in &structure.blocks {
                let block_type = &key.block_type;
                let mut block = Block::new(key.clone());
                block.settings = values::from_stored(course, block_type, &stored.fields)?;
                if let Some(definition) = definitions.get(&stored.definition) {
                    block.content = values::from_stored(course, block_type, &definition.fields)?;
                }
                block.children = stored.children().to_vec();
                block.asides = stored
                    .asides
                    .iter()
                    .filter_map(|aside| read_aside(course, aside))
                    .collect();
                content.blocks.insert(key.clone(), block);
            }
            Ok::<_, Error>(())
        })?;
        Ok(Some(content))
    }

    /// The content fields of definitions, read for `course`, in the order of `ids`; a definition that does
    /// not exist has none. Those that are not in memory come with one statement for every 512 of them.
    pub async fn definition_fields(
        &self,
        course: &CourseKey,
        ids: &[ObjectId],
    ) -> Result<Vec<Arc<Fields>>> {
        let mut cached: HashMap<ObjectId, Arc<CachedDefinition>> = HashMap::new();
        let mut wanted = Vec::new();
        for id in ids {
            match self.inner.definitions.get(id).await {
                Some(definition) => drop(cached.insert(*id, definition)),
                None => wanted.push(*id),
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        for chunk in wanted.chunks(TOGETHER) {
            for (id, definition) in self.load_definitions(chunk).await? {
                let definition = Arc::new(cache_form(course, &definition)?);
                self.inner
                    .definitions
                    .insert(id, Arc::clone(&definition))
                    .await;
                cached.insert(id, definition);
            }
        }
        ids.iter()
            .map(|id| match cached.get(id) {
                Some(definition) => match &definition.stored {
                    None => Ok(Arc::clone(&definition.fields)),
                    Some(stored) => {
                        let fields =
                            values::from_stored(course, &stored.block_type, &stored.fields)?;
                        Ok(Arc::new(fields))
                    }
                },
                None => Ok(Arc::default()),
            })
            .collect()
    }
}

fn cache_form(course: &CourseKey, definition: &Definition) -> Result<CachedDefinition> {
    let stored = definition.fields.as_bytes().len();
    if values::has_references(&definition.block_type, &definition.fields) {
        return Ok(CachedDefinition {
            fields: Arc::default(),
            stored: Some(definition.clone()),
            bytes: weight(stored + 256),
        });
    }
    Ok(CachedDefinition {
        fields: Arc::new(values::from_stored(
            course,
            &definition.block_type,
            &definition.fields,
        )?),
        stored: None,
        // Decoded, values take some more room than in storage; long texts, which matter, do not.
        bytes: weight(stored + stored / 4 + 256),
    })
}

fn build_snapshot(course: &CourseKey, doc: &RawDocument) -> Result<CourseSnapshot> {
    let structure = Structure::from_document(doc)?;
    let plain = |id: ObjectId| course_model::ObjectId(id.bytes());
    let info = SnapshotInfo {
        course_key: course.clone(),
        version: plain(structure.id),
        edited_on: Some(structure.edited_on.timestamp_millis()),
        edited_by: Some(structure.edited_by),
        root: structure.root.clone(),
    };
    let mut blocks = Vec::with_capacity(structure.blocks.len());
    for (key, stored) in &structure.blocks {
        let block_type = &key.block_type;
        let history = &stored.edit_info;
        blocks.push(SnapshotBlock {
            key: key.clone(),
            definition: plain(stored.definition),
            fields: values::from_stored(course, block_type, &stored.fields)?,
            defaults: values::from_stored(course, block_type, &stored.defaults)?,
            children: stored.children().to_vec(),
            asides: stored
                .asides
                .iter()
                .filter_map(|aside| read_aside(course, aside))
                .collect(),
            edit_info: EditInfo {
                edited_on: history.edited_on.map(bson::DateTime::timestamp_millis),
                edited_by: history.edited_by,
                previous_version: history.previous_version.map(plain),
                update_version: history.update_version.map(plain),
                source_version: history.source_version.map(plain),
                original_usage: history.original_usage.as_deref().map(Box::from),
                original_usage_version: history.original_usage_version.map(plain),
            },
        });
    }
    CourseSnapshot::build(info, blocks).map_err(|error| Error::Malformed {
        kind: "structure",
        id: structure.id.to_hex(),
        reason: error.to_string(),
    })
}

fn read_aside(course: &CourseKey, doc: &RawDocument) -> Option<Aside> {
    let aside_type = doc.get_str("aside_type").ok()?;
    let fields = doc.get_document("fields").ok()?;
    Some(Aside {
        aside_type: aside_type.to_owned(),
        fields: values::from_stored(course, aside_type, fields).ok()?,
    })
}
