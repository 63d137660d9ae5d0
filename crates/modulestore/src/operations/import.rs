//! Storing the content of an archive (olx.md §9, §11).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bson::oid::ObjectId;
use course_model::{Block, BlockKey, CourseContent, Fields};
use opaque_keys::CourseKey;
use serde_json::Value;

use super::course_edit::{BlockValues, CourseEdit, EditOutcome};
use super::is_direct_only;
use crate::documents::{Definition, RawDocumentBuf, Stamp, Structure, StructureBlock, values};
use crate::error::{Error, Result};

/// The first structures of a course: the root, and an overview page (courseware.md §2.4).
#[derive(Debug)]
pub struct FirstStructures {
    /// Draft branch; of a library its only branch.
    pub draft: Structure,
    /// Published branch, not of a library.
    pub published: Option<Structure>,
    /// Their definitions.
    pub definitions: Vec<Definition>,
}

/// Makes the first structures of a course or library.
pub fn first_structures(
    course: &CourseKey,
    root: &BlockKey,
    stamp: Stamp,
) -> Result<FirstStructures> {
    let mut definitions = Vec::new();
    let root_definition = Definition::new(&root.block_type, RawDocumentBuf::new(), stamp);
    let draft_id = ObjectId::new();
    let block =
        |version| StructureBlock::new(root_definition.id, RawDocumentBuf::new(), version, stamp);
    let mut draft = Structure::first(draft_id, root.clone(), block(draft_id), stamp);
    let published = if course.is_library() {
        None
    } else {
        let id = ObjectId::new();
        let mut published = Structure::first(id, root.clone(), block(id), stamp);
        let overview = BlockKey::new("about", "overview");
        let content = Fields::from_iter([(
            "data".to_owned(),
            Value::from(course_model::DEFAULT_OVERVIEW),
        )]);
        let settings = Fields::from_iter([("display_name".to_owned(), Value::from("overview"))]);
        let definition = Definition::new("about", values::to_stored("about", &content)?, stamp);
        let settings = values::to_stored("about", &settings)?;
        let block = StructureBlock::new(definition.id, settings.clone(), draft_id, stamp);
        draft.blocks.insert(overview.clone(), Arc::new(block));
        let mut copy = StructureBlock::new(definition.id, settings, id, stamp);
        copy.children = Some(Vec::new());
        copy.edit_info.source_version = Some(draft_id);
        published.blocks.insert(overview, Arc::new(copy));
        definitions.push(definition);
        Some(published)
    };
    definitions.push(root_definition);
    Ok(FirstStructures {
        draft,
        published,
        definitions,
    })
}

/// What an import starts from.
#[derive(Debug, Clone, Copy)]
pub struct ImportInput<'a> {
    /// Course or library that is imported into.
    pub course: &'a CourseKey,
    /// The archive's main tree with its detached blocks.
    pub published: &'a CourseContent,
    /// The draft branch as it shall be: the main tree with the drafts put in. Blocks equal to those of
    /// `published` have no draft of their own.
    pub draft: &'a CourseContent,
    /// Definitions of the blocks that the course has already.
    pub definitions: &'a HashMap<ObjectId, Arc<Definition>>,
}

impl ImportInput<'_> {
    /// Stores the archive over the given heads. Returns what both steps made: first the main tree on both
    /// branches, then the drafts; each step is a structure of its own, so that drafts differ in version
    /// from what is published.
    pub fn run(
        &self,
        draft: Arc<Structure>,
        published: Option<Arc<Structure>>,
        stamp: Stamp,
    ) -> Result<Vec<EditOutcome>> {
        let mut edit = CourseEdit::new(stamp, Arc::clone(&draft), published.clone());
        let mut written = self.definitions.clone();
        for block in self.published.blocks.values() {
            self.store(&mut edit, block, &written)?;
        }
        self.publish_all(&mut edit)?;
        let first = edit.finish();

        let drafts: Vec<&Block> = self
            .draft
            .blocks
            .values()
            .filter(|block| self.published.blocks.get(&block.key) != Some(block))
            .collect();
        if drafts.is_empty() {
            return Ok(vec![first]);
        }
        for definition in &first.definitions {
            written.insert(definition.id, Arc::new(definition.clone()));
        }
        let head = first.draft.clone().map_or(draft, Arc::new);
        let published_head = first.published.clone().map(Arc::new).or(published);
        let mut edit = CourseEdit::new(stamp, head, published_head);
        for block in &drafts {
            self.store(&mut edit, block, &written)?;
        }
        for block in &drafts {
            if is_direct_only(&block.key.block_type) {
                edit.auto_publish(&block.key)?;
            }
        }
        Ok(vec![first, edit.finish()])
    }

    /// Writes one block to the draft branch: new, or over what is there.
    fn store(
        &self,
        edit: &mut CourseEdit,
        block: &Block,
        definitions: &HashMap<ObjectId, Arc<Definition>>,
    ) -> Result<()> {
        let values = block_values(block).map_err(|error| {
            tracing::warn!(block = %block.key, %error, "block cannot be stored");
            not_storable(self.course, block)
        })?;
        match edit.draft().block(&block.key) {
            None => edit.insert_block(block.key.clone(), values),
            Some(stored) => {
                let old = definitions.get(&stored.definition).map(Arc::as_ref);
                let mut values = values;
                // An archive that gives no content leaves the stored content alone.
                if values.content.is_empty()
                    && let Some(old) = old
                {
                    values.content = old.fields.clone();
                }
                edit.store_values(&block.key, values, old)?;
            }
        }
        Ok(())
    }

    /// Publishes the tree and every detached block of the archive.
    fn publish_all(&self, edit: &mut CourseEdit) -> Result<()> {
        let root = edit.draft().root.clone();
        edit.publish(&root)?;
        let tree: HashSet<BlockKey> = edit.draft().subtree(&root).into_iter().collect();
        for key in self.published.blocks.keys() {
            if !tree.contains(key) {
                match edit.publish(key) {
                    // Below an orphan of the draft branch there is nothing to publish.
                    Ok(()) | Err(Error::NeverPublished(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        edit.note_double_publication(&root, self.published.blocks.keys());
        Ok(())
    }
}

impl CourseEdit {
    /// Puts a block into the draft branch that was not there.
    fn insert_block(&mut self, key: BlockKey, values: BlockValues) {
        let stamp = self.stamp;
        let definition = Definition::new(&key.block_type, values.content, stamp);
        let structure = self.draft.next(stamp);
        let mut block = StructureBlock::new(definition.id, values.settings, structure.id, stamp);
        block.children = values.children;
        block.asides = values.asides;
        structure.blocks.insert(key, Arc::new(block));
        self.definitions.push(definition);
    }

    /// The platform publishes direct-only blocks twice within an import: with their edit and with their
    /// tree. Their published copies therefore name the same version as the one before.
    fn note_double_publication<'a>(
        &mut self,
        root: &BlockKey,
        keys: impl Iterator<Item = &'a BlockKey>,
    ) {
        let stamp = self.stamp;
        let Some(published) = &mut self.published else {
            return;
        };
        let structure = published.next(stamp);
        let version = structure.id;
        for key in keys.filter(|key| *key != root && is_direct_only(&key.block_type)) {
            if let Ok(block) = structure.block_mut(key) {
                block.edit_info.previous_version = Some(version);
            }
        }
    }
}

/// The stored form of a block.
pub(crate) fn block_values(block: &Block) -> Result<BlockValues> {
    let block_type = &block.key.block_type;
    Ok(BlockValues {
        settings: values::to_stored(block_type, &block.settings)?,
        content: values::to_stored(block_type, &block.content)?,
        children: (!block.children.is_empty()).then(|| block.children.clone()),
        asides: block
            .asides
            .iter()
            .map(|aside| {
                let mut doc = RawDocumentBuf::new();
                doc.append(bson::raw::cstr!("aside_type"), aside.aside_type.as_str());
                doc.append(
                    bson::raw::cstr!("fields"),
                    values::to_stored(&aside.aside_type, &aside.fields)?,
                );
                Ok(doc)
            })
            .collect::<Result<_>>()?,
    })
}

fn not_storable(course: &CourseKey, block: &Block) -> Error {
    let key = &block.key;
    let location = course
        .make_usage_key(&key.block_type, &key.block_id)
        .map_or_else(|_| key.to_string(), |usage| usage.to_string());
    let name = block
        .settings
        .get("display_name")
        .and_then(Value::as_str)
        .map_or_else(|| key.block_id.to_string(), str::to_owned);
    Error::BlockNotStorable { name, location }
}
