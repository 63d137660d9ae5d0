//! Changes by authors: load the heads, apply a pure operation, move the pointer; again if somebody was faster.

use std::collections::HashMap;
use std::sync::Arc;

use bson::oid::ObjectId;
use course_model::block_types::block_type_or_hidden;
use course_model::fields::{Clock, FieldValue, normalise, serialize_attribute};
use course_model::{Block, BlockKey, Fields, Scope};
use opaque_keys::CourseKey;
use records::split_index::{self, CourseIndexRow};
use serde_json::Value;

use super::heads::{Changes, index_key, new_row, next_row, root_of};
use super::{Branch, COURSE_DELETED, ModuleStore};
use crate::busy::busy;
use crate::contentstore::course_text;
use crate::documents::{Definition, Stamp, Structure, values};
use crate::error::{Error, Result};
use crate::operations::{
    BlockValues, CourseEdit, EditOutcome, FirstStructures, first_structures, has_changes,
};

/// How often an edit is applied to new heads before giving up.
const ATTEMPTS: usize = 20;

/// A block to make.
#[derive(Debug, Clone)]
pub struct NewBlock {
    /// Block that lists it; none for detached ones, as static tabs.
    pub parent: Option<BlockKey>,
    /// Place among the parent's children; at the end if none.
    pub position: Option<usize>,
    /// Type.
    pub block_type: String,
    /// Id; drawn if none.
    pub block_id: Option<String>,
    /// Explicitly set values of any scope that documents hold.
    pub fields: Fields,
}

impl ModuleStore {
    /// Makes an empty course or library.
    pub async fn create_course(
        &self,
        course: &CourseKey,
        fields: &Fields,
        stamp: Stamp,
    ) -> Result<()> {
        let root = root_of(course);
        let mut row = new_row(course, stamp)?;
        let mut changes = Changes::default();
        let first = first_structures(course, &root, stamp)?;
        let draft = Arc::new(first.draft.clone());
        let published = first.published.clone().map(Arc::new);
        let definitions = first.definitions.clone();
        changes.add(&mut row, &outcome_of(first));
        if !fields.is_empty() {
            let mut edit = CourseEdit::new(stamp, draft, published);
            let old = definition_of(edit.draft(), &root, &definitions)?;
            let values = merged(course, edit.draft(), &root, &old, fields, stamp)?;
            edit.set_block(&root, values, &old)?;
            changes.add(&mut row, &edit.finish());
        }
        if let Some(slug) = fields.get("wiki_slug").and_then(Value::as_str) {
            slug.clone_into(&mut row.wiki_slug);
        }
        self.commit(None, &row, &changes, stamp).await?;
        Ok(())
    }

    /// Sets explicit values of a block and leaves its others alone.
    pub async fn update_fields(
        &self,
        course: &CourseKey,
        key: &BlockKey,
        fields: &Fields,
        stamp: Stamp,
    ) -> Result<()> {
        self.edit(
            course,
            stamp,
            std::slice::from_ref(key),
            |edit, definitions| {
                let old = old_definition(edit.draft(), key, definitions)?;
                let values = merged(course, edit.draft(), key, old, fields, stamp)?;
                edit.set_block(key, values, old).map(|_| ())
            },
        )
        .await
    }

    /// Takes explicit values away, so that inherited and default ones show.
    pub async fn clear_fields(
        &self,
        course: &CourseKey,
        key: &BlockKey,
        names: &[&str],
        stamp: Stamp,
    ) -> Result<()> {
        self.edit(
            course,
            stamp,
            std::slice::from_ref(key),
            |edit, definitions| {
                let old = old_definition(edit.draft(), key, definitions)?;
                let stored = edit.draft().block(key).ok_or_else(|| missing(key))?;
                let without = |doc: &bson::RawDocumentBuf| {
                    doc.iter()
                        .flatten()
                        .filter(|(name, _)| !names.contains(&name.as_str()))
                        .fold(bson::RawDocumentBuf::new(), |mut doc, (name, value)| {
                            doc.append(name, value);
                            doc
                        })
                };
                let values = BlockValues {
                    settings: without(&stored.fields),
                    content: without(&old.fields),
                    children: stored.children.clone(),
                    asides: stored.asides.clone(),
                };
                edit.set_block(key, values, old).map(|_| ())
            },
        )
        .await
    }

    /// Makes a block; returns its address.
    pub async fn create_block(
        &self,
        course: &CourseKey,
        block: &NewBlock,
        stamp: Stamp,
    ) -> Result<BlockKey> {
        let (settings, content) = split_scopes(&block.block_type, &block.fields, stamp)?;
        let values = BlockValues {
            settings: values::to_stored(&block.block_type, &settings)?,
            content: values::to_stored(&block.block_type, &content)?,
            ..BlockValues::default()
        };
        self.edit(course, stamp, &[], |edit, _| {
            let parent = block.parent.as_ref().map(|parent| (parent, block.position));
            let id = block.block_id.as_deref();
            edit.create_block(parent, &block.block_type, id, values.clone())
        })
        .await
    }

    /// Deletes a block and what is below it.
    pub async fn delete_block(
        &self,
        course: &CourseKey,
        key: &BlockKey,
        stamp: Stamp,
    ) -> Result<()> {
        self.edit(course, stamp, &[], |edit, _| edit.delete_block(key))
            .await
    }

    /// Sets the children of a block.
    pub async fn set_children(
        &self,
        course: &CourseKey,
        key: &BlockKey,
        children: &[BlockKey],
        stamp: Stamp,
    ) -> Result<()> {
        self.edit(course, stamp, &[], |edit, _| {
            edit.set_children(key, children.to_vec())
        })
        .await
    }

    /// Publishes a block and what is below it.
    pub async fn publish(&self, course: &CourseKey, key: &BlockKey, stamp: Stamp) -> Result<()> {
        self.edit(course, stamp, &[], |edit, _| edit.publish(key))
            .await
    }

    /// Removes a block from the published branch.
    pub async fn unpublish(&self, course: &CourseKey, key: &BlockKey, stamp: Stamp) -> Result<()> {
        self.edit(course, stamp, &[], |edit, _| edit.unpublish(key))
            .await
    }

    /// Puts back what is published of a block.
    pub async fn discard_changes(
        &self,
        course: &CourseKey,
        key: &BlockKey,
        stamp: Stamp,
    ) -> Result<()> {
        self.edit(course, stamp, &[], |edit, _| edit.discard_changes(key))
            .await
    }

    /// Whether a block or anything below it differs from what is published.
    pub async fn has_changes(&self, course: &CourseKey, key: &BlockKey) -> Result<bool> {
        let draft = self.structure(course, Branch::Draft).await?;
        let published = self.structure(course, Branch::Published).await?;
        match (draft, published) {
            (Some(draft), Some(published)) => Ok(has_changes(&draft, &published, key)),
            _ => Err(Error::CourseNotFound(course.to_string())),
        }
    }

    /// Removes a course with its assets. Its structures and definitions stay until the doctor finds that
    /// nothing names them. Returns whether there was one.
    pub async fn delete_course(&self, course: &CourseKey, stamp: Stamp) -> Result<bool> {
        let Ok(course_id) = index_key(course) else {
            return Ok(false);
        };
        let course_id = &course_id;
        let row = self
            .inner
            .db
            .write(|mut tx| async move {
                let row = split_index::delete(&mut tx, course_id).await?;
                if row.is_some() {
                    let now = chrono::DateTime::from_timestamp_millis(stamp.now.timestamp_millis())
                        .unwrap_or_default()
                        .naive_utc();
                    let payload =
                        serde_json::json!({ "course_key": course_id, "user_id": stamp.user_id });
                    records::outbox::put(&mut tx, COURSE_DELETED, course_id, &payload, now, now)
                        .await?;
                }
                Ok::<_, Error>(row)
            })
            .await?;
        let Some(row) = row else { return Ok(false) };
        if let Ok(id) = ObjectId::parse_str(&row.objectid) {
            self.inner.store.delete_course_index(id).await?;
        }
        let removed = self.contentstore().delete_all(course).await?;
        tracing::info!(
            course = course_text(course)?,
            assets = removed,
            "course removed"
        );
        Ok(true)
    }

    /// Runs one bulk operation of [`CourseEdit`] on a course: the heads are loaded, `work` is applied, and
    /// the pointer moved; if somebody else moved it meanwhile, all of this again. `work` gets the definitions
    /// of the draft blocks in `needs`.
    pub async fn edit<T>(
        &self,
        course: &CourseKey,
        stamp: Stamp,
        needs: &[BlockKey],
        mut work: impl FnMut(&mut CourseEdit, &HashMap<ObjectId, Arc<Definition>>) -> Result<T>,
    ) -> Result<T> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tracing::debug!(%course, attempt, "course was changed meanwhile");
            }
            let missing = || Error::CourseNotFound(course.to_string());
            let row = self.course_index(course).await?.ok_or_else(missing)?;
            let draft = self
                .head_structure(&row, Branch::Draft)
                .await?
                .ok_or_else(missing)?;
            let published = if course.is_library() {
                None
            } else {
                Some(
                    self.head_structure(&row, Branch::Published)
                        .await?
                        .ok_or_else(missing)?,
                )
            };
            let ids: Vec<ObjectId> = needs
                .iter()
                .filter_map(|key| Some(draft.block(key)?.definition))
                .collect();
            let definitions = self.load_definitions(&ids).await?;
            let mut edit = CourseEdit::new(stamp, draft, published);
            let result = busy(|| work(&mut edit, &definitions))?;
            let outcome = edit.finish();
            if outcome.draft.is_none() && outcome.published.is_none() {
                return Ok(result);
            }
            let mut new = next_row(&row, stamp);
            let mut changes = Changes::default();
            busy(|| changes.add(&mut new, &outcome));
            refresh_wiki_slug(&mut new, &outcome);
            if self.commit(Some(&row), &new, &changes, stamp).await? {
                return Ok(result);
            }
        }
        Err(Error::Conflict(course.to_string()))
    }

    /// Definitions by id; those that do not exist are logged and left out.
    pub(super) async fn load_definitions(
        &self,
        ids: &[ObjectId],
    ) -> Result<HashMap<ObjectId, Arc<Definition>>> {
        let mut found = HashMap::with_capacity(ids.len());
        for doc in self.inner.store.definitions(ids).await? {
            let definition = Definition::from_document(&doc)?;
            found.insert(definition.id, Arc::new(definition));
        }
        for id in ids.iter().filter(|id| !found.contains_key(id)) {
            tracing::error!(definition = %id, "definition is missing");
        }
        Ok(found)
    }
}

pub(super) fn outcome_of(first: FirstStructures) -> EditOutcome {
    EditOutcome {
        draft: Some(first.draft),
        published: first.published,
        definitions: first.definitions,
    }
}

/// The index names the wiki of the root block, where that changed.
fn refresh_wiki_slug(row: &mut CourseIndexRow, outcome: &EditOutcome) {
    let Some(draft) = &outcome.draft else { return };
    let Some(block) = draft.block(&draft.root) else {
        return;
    };
    let made = outcome
        .definitions
        .iter()
        .find(|it| it.id == block.definition);
    if let Some(definition) = made
        && let Ok(Some(slug)) = definition.fields.get("wiki_slug")
    {
        slug.as_str()
            .unwrap_or_default()
            .clone_into(&mut row.wiki_slug);
    }
}

fn missing(key: &BlockKey) -> Error {
    Error::BlockNotFound(key.clone())
}

fn definition_of(
    structure: &Structure,
    key: &BlockKey,
    definitions: &[Definition],
) -> Result<Definition> {
    let id = structure.block(key).ok_or_else(|| missing(key))?.definition;
    definitions
        .iter()
        .find(|it| it.id == id)
        .cloned()
        .ok_or_else(|| missing(key))
}

fn old_definition<'a>(
    structure: &Structure,
    key: &BlockKey,
    definitions: &'a HashMap<ObjectId, Arc<Definition>>,
) -> Result<&'a Definition> {
    let id = structure.block(key).ok_or_else(|| missing(key))?.definition;
    definitions
        .get(&id)
        .map(Arc::as_ref)
        .ok_or_else(|| Error::Malformed {
            kind: "definition",
            id: id.to_hex(),
            reason: format!("named by {key} but missing"),
        })
}

/// The values of a block with some of them set anew.
fn merged(
    course: &CourseKey,
    structure: &Structure,
    key: &BlockKey,
    old: &Definition,
    fields: &Fields,
    stamp: Stamp,
) -> Result<BlockValues> {
    let stored = structure.block(key).ok_or_else(|| missing(key))?;
    let block_type = &key.block_type;
    let (new_settings, new_content) = split_scopes(block_type, fields, stamp)?;
    let mut settings = values::from_stored(course, block_type, &stored.fields)?;
    settings.extend(new_settings);
    let mut content = values::from_stored(course, block_type, &old.fields)?;
    content.extend(new_content);
    Ok(BlockValues {
        settings: values::to_stored(block_type, &settings)?,
        content: values::to_stored(block_type, &content)?,
        children: stored.children.clone(),
        asides: stored.asides.clone(),
    })
}

/// Values of settings scope and values of content scope, as their fields store them. What the type does not
/// know is a setting; learners' values are in no document and left out.
fn split_scopes(block_type: &str, fields: &Fields, stamp: Stamp) -> Result<(Fields, Fields)> {
    let mut block = Block::new(BlockKey::new(block_type, ""));
    let known = block_type_or_hidden(block_type);
    let today = chrono::DateTime::from_timestamp_millis(stamp.now.timestamp_millis());
    let clock = Clock::at(today.unwrap_or_default().date_naive());
    for (name, value) in fields {
        let Some(field) = known.field(name) else {
            block.settings.insert(name.clone(), value.clone());
            continue;
        };
        let target = match field.scope {
            Scope::Content => &mut block.content,
            Scope::Settings => &mut block.settings,
            _ => continue,
        };
        let stored = normalise(field.kind, FieldValue::Json(value.clone()), clock);
        let stored = match stored {
            Ok(FieldValue::Json(value)) => value,
            Ok(FieldValue::Set(items)) => Value::Array(items),
            Ok(other) => Value::String(serialize_attribute(&other)),
            Err(error) => {
                return Err(Error::BadValue {
                    field: name.clone(),
                    reason: error.to_string(),
                });
            }
        };
        target.insert(name.clone(), stored);
    }
    Ok((block.settings, block.content))
}
