//! One bulk operation on a course: create, change, delete.

use std::collections::HashSet;
use std::sync::Arc;

use bson::RawDocumentBuf;
use bson::oid::ObjectId;
use course_model::BlockKey;

use super::is_direct_only;
use crate::documents::{Definition, Stamp, Structure, StructureBlock};
use crate::error::{Error, Result};

/// All values of a block, in stored form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BlockValues {
    /// Explicitly set values of settings scope.
    pub settings: RawDocumentBuf,
    /// Explicitly set values of content scope.
    pub content: RawDocumentBuf,
    /// Children; none for a block that has no such field set.
    pub children: Option<Vec<BlockKey>>,
    /// Asides, each `{aside_type, fields}`.
    pub asides: Vec<RawDocumentBuf>,
}

/// One branch while it is edited: its head, and the structure that will follow once something changes.
#[derive(Debug, Clone)]
pub(super) struct BranchEdit {
    head: Arc<Structure>,
    next: Option<Structure>,
}

impl BranchEdit {
    fn new(head: Arc<Structure>) -> Self {
        Self { head, next: None }
    }

    pub(super) fn current(&self) -> &Structure {
        self.next.as_ref().unwrap_or(&self.head)
    }

    /// The structure to change: a copy of the head under a new id, made once.
    pub(super) fn next(&mut self, stamp: Stamp) -> &mut Structure {
        let head = &self.head;
        self.next
            .get_or_insert_with(|| head.next(ObjectId::new(), stamp))
    }
}

/// A bulk operation on one course or library.
#[derive(Debug, Clone)]
pub struct CourseEdit {
    pub(super) stamp: Stamp,
    pub(super) draft: BranchEdit,
    pub(super) published: Option<BranchEdit>,
    pub(super) definitions: Vec<Definition>,
}

/// What a bulk operation made.
#[derive(Debug)]
pub struct EditOutcome {
    /// The new head of the draft branch (of a library, its only branch), if it changed.
    pub draft: Option<Structure>,
    /// The new head of the published branch, if it changed.
    pub published: Option<Structure>,
    /// New definitions that the new structures name.
    pub definitions: Vec<Definition>,
}

impl CourseEdit {
    /// Begins an operation. A library has no published branch: its one branch goes in as the draft.
    #[must_use]
    pub fn new(stamp: Stamp, draft: Arc<Structure>, published: Option<Arc<Structure>>) -> Self {
        Self {
            stamp,
            draft: BranchEdit::new(draft),
            published: published.map(BranchEdit::new),
            definitions: Vec::new(),
        }
    }

    /// The draft branch as it now is.
    #[must_use]
    pub fn draft(&self) -> &Structure {
        self.draft.current()
    }

    /// The published branch as it now is.
    #[must_use]
    pub fn published(&self) -> Option<&Structure> {
        self.published.as_ref().map(BranchEdit::current)
    }

    /// Ends the operation.
    #[must_use]
    pub fn finish(self) -> EditOutcome {
        EditOutcome {
            draft: self.draft.next,
            published: self.published.and_then(|branch| branch.next),
            definitions: self.definitions,
        }
    }

    /// Creates a block, under `parent` at `position` (at the end when absent or beyond) if there is one.
    ///
    /// Without `block_id` it becomes `<type><n>` with the smallest free n.
    pub fn create_block(
        &mut self,
        parent: Option<(&BlockKey, Option<usize>)>,
        block_type: &str,
        block_id: Option<&str>,
        values: BlockValues,
    ) -> Result<BlockKey> {
        let key = match block_id {
            Some(id) => BlockKey::new(block_type, id),
            None => free_key(self.draft(), block_type),
        };
        if self.draft().block(&key).is_some() {
            return Err(Error::DuplicateBlock(key));
        }
        if let Some((parent, _)) = parent
            && self.draft().block(parent).is_none()
        {
            return Err(Error::BlockNotFound(parent.clone()));
        }
        let stamp = self.stamp;
        let definition = Definition::new(block_type, values.content, stamp);
        let structure = self.draft.next(stamp);
        let version = structure.id;
        let mut block = StructureBlock::new(definition.id, values.settings, version, stamp);
        block.children = values.children;
        block.asides = values.asides;
        structure.blocks.insert(key.clone(), Arc::new(block));
        self.definitions.push(definition);
        if let Some((parent, position)) = parent {
            let parent = structure.block_mut(parent)?;
            parent.touch(version, stamp);
            let children = parent.children.get_or_insert_default();
            let position = position.unwrap_or(children.len()).min(children.len());
            children.insert(position, key.clone());
        }
        if is_direct_only(block_type) {
            self.auto_publish(&key)?;
            if let Some((parent, _)) = parent {
                self.auto_publish(parent)?;
            }
        }
        Ok(key)
    }

    /// Replaces all values of a block. `old` is its stored definition; without `values.content` being
    /// different from it the definition stays. Returns whether anything changed.
    ///
    /// Direct-only blocks are published at once.
    pub fn set_block(
        &mut self,
        key: &BlockKey,
        values: BlockValues,
        old: &Definition,
    ) -> Result<bool> {
        let changed = self.store_values(key, values, Some(old))?;
        if changed && is_direct_only(&key.block_type) {
            self.auto_publish(key)?;
        }
        Ok(changed)
    }

    /// As [`Self::set_block`], on the draft branch only.
    pub(super) fn store_values(
        &mut self,
        key: &BlockKey,
        values: BlockValues,
        old: Option<&Definition>,
    ) -> Result<bool> {
        let stamp = self.stamp;
        let block = self
            .draft()
            .block(key)
            .ok_or_else(|| Error::BlockNotFound(key.clone()))?;
        let definition = match old {
            Some(old) if same_fields(&old.fields, &values.content) => None,
            Some(old) => Some(old.next(values.content, stamp)),
            None => Some(Definition::new(&key.block_type, values.content, stamp)),
        };
        if definition.is_none()
            && block.children() == values.children.as_deref().unwrap_or_default()
            && same_fields(&block.fields, &values.settings)
            && block.asides == values.asides
        {
            return Ok(false);
        }
        let structure = self.draft.next(stamp);
        let version = structure.id;
        let block = structure.block_mut(key)?;
        block.touch(version, stamp);
        block.fields = values.settings;
        block.children = values.children;
        block.asides = values.asides;
        if let Some(definition) = definition {
            block.definition = definition.id;
            self.definitions.push(definition);
        }
        Ok(true)
    }

    /// Sets the children of a block, as moving and sorting do. Children that leave stay as orphans.
    pub fn set_children(&mut self, key: &BlockKey, children: Vec<BlockKey>) -> Result<()> {
        let stamp = self.stamp;
        let block = self
            .draft()
            .block(key)
            .ok_or_else(|| Error::BlockNotFound(key.clone()))?;
        if block.children() == children {
            return Ok(());
        }
        let structure = self.draft.next(stamp);
        let version = structure.id;
        let block = structure.block_mut(key)?;
        block.touch(version, stamp);
        block.children = Some(children);
        if is_direct_only(&key.block_type) {
            self.auto_publish(key)?;
        }
        Ok(())
    }

    /// Deletes a block and what is below it: from the draft branch, direct-only types from both. When the
    /// parent is direct-only it is published again, so that learners lose the block at once.
    pub fn delete_block(&mut self, key: &BlockKey) -> Result<()> {
        if self.draft().block(key).is_none() {
            return Err(Error::BlockNotFound(key.clone()));
        }
        if *key == self.draft().root {
            return Err(Error::DirectOnly(key.block_type.to_string()));
        }
        let stamp = self.stamp;
        let parents = self.draft().parents(key);
        remove_block(self.draft.next(stamp), key, stamp)?;
        if is_direct_only(&key.block_type)
            && let Some(published) = &mut self.published
            && published.current().block(key).is_some()
        {
            remove_block(published.next(stamp), key, stamp)?;
        }
        for parent in parents {
            // A parent may have been below the block, in a circle that only archives can draw.
            if is_direct_only(&parent.block_type) && self.draft().block(&parent).is_some() {
                self.auto_publish(&parent)?;
            }
        }
        Ok(())
    }
}

/// `<type><n>` with the smallest n that no block of the branch has.
fn free_key(structure: &Structure, block_type: &str) -> BlockKey {
    let mut number = 1_u64;
    loop {
        let key = BlockKey::new(block_type, format!("{block_type}{number}"));
        if structure.block(&key).is_none() {
            return key;
        }
        number += 1;
    }
}

/// Whether two sets of values are the same; the order of names says nothing.
pub(super) fn same_fields(left: &RawDocumentBuf, right: &RawDocumentBuf) -> bool {
    if left.as_bytes() == right.as_bytes() {
        return true;
    }
    let count = |doc: &RawDocumentBuf| doc.iter().flatten().count();
    count(left) == count(right)
        && left.iter().flatten().all(|(name, value)| {
            right
                .get(name)
                .ok()
                .flatten()
                .is_some_and(|other| bson::RawBson::from(value) == bson::RawBson::from(other))
        })
}

/// Takes `key` out of its parents and removes it with all below it that has no other parent.
pub(super) fn remove_block(structure: &mut Structure, key: &BlockKey, stamp: Stamp) -> Result<()> {
    let version = structure.id;
    for parent in structure.parents(key) {
        let parent = structure.block_mut(&parent)?;
        parent.touch(version, stamp);
        if let Some(children) = &mut parent.children {
            children.retain(|child| child != key);
        }
    }
    remove_subtree(structure, key);
    Ok(())
}

/// Removes `key` and what is below it, except blocks that something outside still lists.
pub(super) fn remove_subtree(structure: &mut Structure, key: &BlockKey) {
    let order = structure.subtree(key);
    let mut doomed: HashSet<BlockKey> = order.iter().cloned().collect();
    // A block that is listed from outside stays, and so does all below it. One pass over the structure
    // finds the outer links; the rest is within the subtree.
    let mut kept: Vec<BlockKey> = structure
        .blocks
        .iter()
        .filter(|(parent, _)| !doomed.contains(*parent))
        .flat_map(|(_, block)| block.children())
        .filter(|child| *child != key && doomed.contains(*child))
        .cloned()
        .collect();
    kept.push(structure.root.clone());
    while let Some(survivor) = kept.pop() {
        if doomed.remove(&survivor)
            && let Some(block) = structure.block(&survivor)
        {
            kept.extend(
                block
                    .children()
                    .iter()
                    .filter(|child| *child != key)
                    .cloned(),
            );
        }
    }
    structure.blocks.retain(|key, _| !doomed.contains(key));
}
