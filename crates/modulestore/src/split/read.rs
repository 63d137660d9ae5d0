//! Reading courses.

use std::collections::HashMap;
use std::sync::Arc;

use bson::oid::ObjectId;
use course_model::{Aside, Block, CourseContent, Fields};
use opaque_keys::CourseKey;

use super::{Branch, CachedDefinition, ModuleStore, weight};
use crate::documents::{Definition, RawDocument, values};
use crate::error::Result;

/// Definitions fetched with one call to the store at most.
const TOGETHER: usize = 512;

impl ModuleStore {
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

fn read_aside(course: &CourseKey, doc: &RawDocument) -> Option<Aside> {
    let aside_type = doc.get_str("aside_type").ok()?;
    let fields = doc.get_document("fields").ok()?;
    Some(Aside {
        aside_type: aside_type.to_owned(),
        fields: values::from_stored(course, aside_type, fields).ok()?,
    })
}
