//! Copies of library content in courses (courseware.md §2.4).

use course_model::BlockKey;
use opaque_keys::CourseKey;
use sha1::{Digest, Sha1};
use std::fmt::Write as _;
use std::sync::Arc;

use super::course_edit::CourseEdit;
use crate::documents::{EditInfo, RawDocumentBuf, Structure, StructureBlock};
use crate::error::{Error, Result};

/// Block id of the copy of `source_id` from `context` below the block with id `parent_id`.
///
/// The context key is hashed in the form of a Python bytes literal, as stored ids demand.
#[must_use]
pub fn library_copy_id(context: &str, source_id: &str, parent_id: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("b'{context}':{source_id}:{parent_id}"));
    let mut hex = String::with_capacity(40);
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(20);
    hex
}

/// What to copy, and from where.
#[derive(Debug, Clone, Copy)]
pub struct LibraryCopy<'a> {
    /// Key of the library.
    pub library: &'a CourseKey,
    /// Its structure.
    pub source: &'a Structure,
    /// Blocks to copy with all below them, in the order that the copies shall have.
    pub blocks: &'a [BlockKey],
}

impl CourseEdit {
    /// Makes `parent`'s children copies of blocks of a library. Copies that exist keep what the course has
    /// set on them; what the library supplies goes to their defaults; the definitions are shared. Children
    /// of `parent` that are no longer copied are removed.
    pub fn copy_from_library(&mut self, copy: LibraryCopy<'_>, parent: &BlockKey) -> Result<()> {
        let stamp = self.stamp;
        let context = copy.library.to_string();
        let former = self
            .draft()
            .block(parent)
            .ok_or_else(|| Error::BlockNotFound(parent.clone()))?
            .children()
            .to_vec();
        let structure = self.draft.next(stamp);
        let version = structure.id;
        let mut children = Vec::new();
        let mut work: Vec<(BlockKey, BlockKey)> = Vec::new();
        for source_key in copy.blocks {
            let key = copy_key(&context, source_key, parent);
            work.push((source_key.clone(), key.clone()));
            children.push(key);
        }
        let mut copied = std::collections::HashSet::new();
        while let Some((source_key, key)) = work.pop() {
            if !copied.insert(key.clone()) {
                continue;
            }
            let source = copy
                .source
                .block(&source_key)
                .ok_or_else(|| Error::BlockNotFound(source_key.clone()))?;
            let below: Vec<(BlockKey, BlockKey)> = source
                .children()
                .iter()
                .map(|child| (child.clone(), copy_key(&context, child, &key)))
                .collect();
            let mut block = match structure.block(&key) {
                Some(existing) => existing.clone(),
                None => StructureBlock {
                    children: None,
                    edit_info: EditInfo::default(),
                    ..StructureBlock::new(source.definition, RawDocumentBuf::new(), version, stamp)
                },
            };
            block.definition = source.definition;
            block.defaults = supplied_defaults(&source_key, source);
            block.children = Some(below.iter().map(|(_, key)| key.clone()).collect());
            block.touch(version, stamp);
            block.edit_info.original_usage = copy
                .library
                .make_usage_key(&source_key.block_type, &source_key.block_id)
                .map(|usage| usage.to_string())
                .ok();
            block.edit_info.original_usage_version = source.edit_info.update_version;
            structure.blocks.insert(key, Arc::new(block));
            work.extend(below);
        }
        let stays: std::collections::HashSet<&BlockKey> = children.iter().collect();
        for gone in former.iter().filter(|child| !stays.contains(child)) {
            super::course_edit::remove_subtree(structure, gone);
        }
        let parent = structure.block_mut(parent)?;
        parent.touch(version, stamp);
        parent.children = Some(children);
        Ok(())
    }
}

fn copy_key(context: &str, source: &BlockKey, parent: &BlockKey) -> BlockKey {
    BlockKey::new(
        Arc::clone(&source.block_type),
        library_copy_id(context, &source.block_id, &parent.block_id),
    )
}

/// The library's settings: its defaults overlaid with its own values. The editor source of a problem is
/// dropped, since it would hide edits made in the course.
fn supplied_defaults(key: &BlockKey, source: &StructureBlock) -> RawDocumentBuf {
    let mut defaults = RawDocumentBuf::new();
    let own = |name: &bson::raw::CStr| source.fields.get(name).ok().flatten().is_some();
    for (name, value) in source.defaults.iter().flatten() {
        if !own(name) {
            defaults.append(name, value);
        }
    }
    for (name, value) in source.fields.iter().flatten() {
        if !(&*key.block_type == "problem" && name.as_str() == "markdown") {
            defaults.append(name, value);
        }
    }
    defaults
}
