//! Publishing, unpublishing and going back to what is published.

use std::collections::HashSet;
use std::sync::Arc;

use course_model::BlockKey;

use super::course_edit::{CourseEdit, remove_block, remove_subtree};
use super::is_direct_only;
use crate::documents::{Stamp, Structure, StructureBlock};
use crate::error::{Error, Result};

impl CourseEdit {
    /// Copies `root` and all below it from the draft to the published branch.
    pub fn publish(&mut self, root: &BlockKey) -> Result<()> {
        self.copy_to_published(root, true)
    }

    /// Copies one block with the order of those of its children that are published already.
    pub(super) fn auto_publish(&mut self, key: &BlockKey) -> Result<()> {
        self.copy_to_published(key, false)
    }

    fn copy_to_published(&mut self, root: &BlockKey, below: bool) -> Result<()> {
        let stamp = self.stamp;
        // Libraries have one branch and nothing to publish.
        let Some(published) = &mut self.published else {
            return Ok(());
        };
        let source = self.draft.current();
        if source.block(root).is_none() {
            return Err(Error::BlockNotFound(root.clone()));
        }
        let target = published.next(stamp);
        let mut orphans = Vec::new();
        if *root != source.root {
            let parents = source.parents(root);
            let mut found = parents.is_empty();
            for parent in &parents {
                if target.block(parent).is_some() {
                    found = true;
                    place_in_parent(source, target, parent, root, &mut orphans)?;
                }
            }
            if !found {
                return Err(Error::NeverPublished(
                    parents.into_iter().next().unwrap_or_else(|| root.clone()),
                ));
            }
        }
        copy_subtree(source, target, root, below, stamp, &mut orphans);
        for orphan in orphans {
            remove_if_orphan(target, orphan);
        }
        Ok(())
    }

    /// Whether the block or any draft block below it differs from what is published.
    #[must_use]
    pub fn has_changes(&self, key: &BlockKey) -> bool {
        match self.published() {
            Some(published) => has_changes(self.draft(), published, key),
            None => false,
        }
    }

    /// Removes a block from the published branch only.
    pub fn unpublish(&mut self, key: &BlockKey) -> Result<()> {
        if is_direct_only(&key.block_type) {
            return Err(Error::DirectOnly(key.block_type.to_string()));
        }
        let stamp = self.stamp;
        let Some(published) = &mut self.published else {
            return Ok(());
        };
        if published.current().block(key).is_none() {
            return Err(Error::NeverPublished(key.clone()));
        }
        remove_block(published.next(stamp), key, stamp)
    }

    /// Puts the published content of a block and all below it back into the draft branch. Nothing happens
    /// to direct-only blocks, which have no changes to discard.
    pub fn discard_changes(&mut self, key: &BlockKey) -> Result<()> {
        if is_direct_only(&key.block_type) {
            return Ok(());
        }
        let Some(published) = self.published() else {
            return Ok(());
        };
        let subtree = published.subtree(key);
        if subtree.is_empty() {
            return Err(Error::NeverPublished(key.clone()));
        }
        let blocks: Vec<(BlockKey, Arc<StructureBlock>)> = subtree
            .into_iter()
            .filter_map(|key| {
                published
                    .blocks
                    .get(&key)
                    .map(|block| (key, Arc::clone(block)))
            })
            .collect();
        let draft = self.draft.next(self.stamp);
        remove_subtree(draft, key);
        draft.blocks.extend(blocks);
        Ok(())
    }
}

/// Whether `key` or any draft block below it differs between the two branches (courseware.md §2.4).
#[must_use]
pub fn has_changes(draft: &Structure, published: &Structure, key: &BlockKey) -> bool {
    let mut seen = HashSet::new();
    let mut stack = vec![key];
    while let Some(key) = stack.pop() {
        if !seen.insert(key) {
            continue;
        }
        // A child that does not exist counts as a change: publishing is what repairs it.
        let (Some(draft_block), Some(published_block)) = (draft.block(key), published.block(key))
        else {
            return true;
        };
        if draft_block.edit_info.version() != published_block.edit_info.version() {
            return true;
        }
        stack.extend(draft_block.children());
    }
    false
}

/// Gives the published parent the draft's order of children: those that it had already, and `new`.
fn place_in_parent(
    source: &Structure,
    target: &mut Structure,
    parent: &BlockKey,
    new: &BlockKey,
    orphans: &mut Vec<BlockKey>,
) -> Result<()> {
    let source_children = source
        .block(parent)
        .map(StructureBlock::children)
        .unwrap_or_default();
    let block = target.block_mut(parent)?;
    let had = block.children.take().unwrap_or_default();
    let in_source: HashSet<&BlockKey> = source_children.iter().collect();
    let in_target: HashSet<&BlockKey> = had.iter().collect();
    block.children = Some(
        source_children
            .iter()
            .filter(|child| *child == new || in_target.contains(child))
            .cloned()
            .collect(),
    );
    orphans.extend(
        had.iter()
            .filter(|child| !in_source.contains(child))
            .cloned(),
    );
    Ok(())
}

fn copy_subtree(
    source: &Structure,
    target: &mut Structure,
    root: &BlockKey,
    below: bool,
    stamp: Stamp,
    orphans: &mut Vec<BlockKey>,
) {
    let mut seen = HashSet::new();
    let mut stack = vec![root.clone()];
    while let Some(key) = stack.pop() {
        let Some(block) = source.block(&key) else {
            continue;
        };
        if !seen.insert(key.clone()) {
            continue;
        }
        let copy = copy_block(block, target.id, target.block(&key), below, stamp, orphans);
        if below {
            stack.extend(copy.children().iter().rev().cloned());
        }
        target.blocks.insert(key, Arc::new(copy));
    }
}

/// The published copy of a draft block, which replaces `former` if it was published before.
fn copy_block(
    source: &StructureBlock,
    version: bson::oid::ObjectId,
    former: Option<&StructureBlock>,
    below: bool,
    stamp: Stamp,
    orphans: &mut Vec<BlockKey>,
) -> StructureBlock {
    let mut copy = source.clone();
    let had: HashSet<&BlockKey> = former
        .map(StructureBlock::children)
        .unwrap_or_default()
        .iter()
        .collect();
    let mut children = copy.children.take().unwrap_or_default();
    if let Some(former) = former {
        let stays: HashSet<&BlockKey> = children.iter().collect();
        orphans.extend(
            former
                .children()
                .iter()
                .filter(|child| !stays.contains(child))
                .cloned(),
        );
        copy.edit_info.previous_version = former.edit_info.update_version;
    }
    if !below {
        children.retain(|child| had.contains(child));
    }
    copy.children = Some(children);
    // A copy of a copy names the first source.
    copy.edit_info.source_version = source.edit_info.version();
    copy.edit_info.update_version = Some(version);
    copy.edit_info.edited_on = Some(stamp.now);
    copy.edit_info.edited_by = Some(stamp.user_id);
    copy
}

/// Removes a block that no block lists any more, and then what that leaves without parents. Blocks that
/// have moved have a parent and stay.
fn remove_if_orphan(structure: &mut Structure, orphan: BlockKey) {
    let mut stack = vec![orphan];
    while let Some(key) = stack.pop() {
        if key == structure.root || !structure.parents(&key).is_empty() {
            continue;
        }
        if let Some(block) = structure.blocks.shift_remove(&key) {
            stack.extend(block.children().iter().cloned());
        }
    }
}
