//! One version of a course in memory: structure and settings, compact and never changed (design.md,
//! principle 2).
//!
//! A [`CourseSnapshot`] holds blocks in one arena; fields are rows of `(name, value)` in another, and texts
//! that repeat are held once. Definition bodies are not part of it. [`BlockRef`] reads a block: own values,
//! inherited ones, library defaults and the defaults of its type, in the order of courseware.md §3.

mod block;
mod build;
mod merged;
mod size;
mod walk;

use std::collections::HashMap;
use std::ops::Range;

use opaque_keys::{CourseKey, UsageKey};
use serde_json::Value;

use crate::block_types::BlockType;
use crate::course::{Aside, BlockKey, Fields};
use crate::object_id::ObjectId;

pub use block::BlockRef;
pub use merged::{GroupRule, GroupRules, MergedFields};
pub use walk::{Descendants, Preorder};

/// Place of a block in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockIdx(u32);

impl BlockIdx {
    /// The place as an index for tables of one entry a block.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// When and by whom a block was changed, and where it was copied from (courseware.md §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditInfo {
    /// Milliseconds since 1970.
    pub edited_on: Option<i64>,
    /// Id of the editor.
    pub edited_by: Option<i64>,
    /// The former `update_version`.
    pub previous_version: Option<ObjectId>,
    /// Structure in which the block last changed.
    pub update_version: Option<ObjectId>,
    /// In copies: version of the block that was copied.
    pub source_version: Option<ObjectId>,
    /// In copies from a library: key of the library's block.
    pub original_usage: Option<Box<str>>,
    /// In copies from a library: version of the library's block.
    pub original_usage_version: Option<ObjectId>,
}

/// A block as it goes into a snapshot.
#[derive(Debug, Clone)]
pub struct SnapshotBlock {
    /// Address.
    pub key: BlockKey,
    /// Id of the definition document.
    pub definition: ObjectId,
    /// Explicitly set values of settings scope, without `children`, as JSON.
    pub fields: Fields,
    /// Settings that a library supplied.
    pub defaults: Fields,
    /// Children in order.
    pub children: Vec<BlockKey>,
    /// Asides with set values.
    pub asides: Vec<Aside>,
    /// History.
    pub edit_info: EditInfo,
}

impl SnapshotBlock {
    /// A block without values, children or history.
    #[must_use]
    pub fn new(key: BlockKey) -> Self {
        Self {
            key,
            definition: ObjectId::default(),
            fields: Fields::new(),
            defaults: Fields::new(),
            children: Vec::new(),
            asides: Vec::new(),
            edit_info: EditInfo::default(),
        }
    }
}

/// Facts of the whole version.
#[derive(Debug, Clone)]
pub struct SnapshotInfo {
    /// Key of the course or library, without branch and version.
    pub course_key: CourseKey,
    /// Id of the structure document.
    pub version: ObjectId,
    /// When the structure was made: milliseconds since 1970.
    pub edited_on: Option<i64>,
    /// Who made it.
    pub edited_by: Option<i64>,
    /// Address of the root block.
    pub root: BlockKey,
}

/// The blocks are no course.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The root is not among the blocks.
    #[error("the structure lacks its root block {0}")]
    NoRoot(BlockKey),
    /// More blocks, children or fields than an index can count.
    #[error("the structure is too large")]
    TooLarge,
}

/// One version of a course.
#[derive(Debug)]
pub struct CourseSnapshot {
    info: SnapshotInfo,
    version: Box<str>,
    root: BlockIdx,
    nodes: Vec<Node>,
    index: HashMap<BlockKey, BlockIdx>,
    /// Names of set fields; rows name them by place.
    names: Vec<Box<str>>,
    name_ids: HashMap<Box<str>, NameId>,
    rows: Vec<(NameId, Value)>,
    children: Vec<BlockIdx>,
    parents: Vec<BlockIdx>,
    asides: HashMap<BlockIdx, Box<[Aside]>>,
    skipped: usize,
}

/// Place of a field name.
type NameId = u16;

#[derive(Debug)]
struct Node {
    usage_key: UsageKey,
    kind: &'static BlockType,
    parent: Option<BlockIdx>,
    /// Own values: rows in order of name ids.
    own: Range<u32>,
    /// Values from a library.
    defaults: Range<u32>,
    children: Range<u32>,
    parents: Range<u32>,
    definition: ObjectId,
    edit_info: Box<EditInfo>,
}

impl CourseSnapshot {
    /// Key of the course or library.
    #[must_use]
    pub fn course_key(&self) -> &CourseKey {
        &self.info.course_key
    }

    /// Id of the structure document, 24 hex digits: the `course_version` of the APIs.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Id of the structure document.
    #[must_use]
    pub fn version_id(&self) -> ObjectId {
        self.info.version
    }

    /// Key, version, time and editor.
    #[must_use]
    pub fn info(&self) -> &SnapshotInfo {
        &self.info
    }

    /// The root block.
    #[must_use]
    pub fn root(&self) -> BlockIdx {
        self.root
    }

    /// The root block, to read.
    #[must_use]
    pub fn course(&self) -> BlockRef<'_> {
        self.block(self.root)
    }

    /// A block by its place. Places belong to one snapshot; that of another gives some other block.
    #[must_use]
    pub fn block(&self, idx: BlockIdx) -> BlockRef<'_> {
        let idx = if idx.index() < self.nodes.len() {
            idx
        } else {
            self.root
        };
        BlockRef::new(self, idx)
    }

    /// The place of a block.
    #[must_use]
    pub fn find(&self, key: &BlockKey) -> Option<BlockIdx> {
        self.index.get(key).copied()
    }

    /// The block of a usage key of this course; `None` for a key of another course and for unknown blocks.
    /// Branch and version of the key are not looked at.
    #[must_use]
    pub fn find_usage(&self, key: &UsageKey) -> Option<BlockIdx> {
        let own = self.course_key();
        let course = key.course_key();
        let same =
            (own.org(), own.course(), own.run()) == (course.org(), course.course(), course.run());
        if !same || own.namespace() != course.namespace() {
            return None;
        }
        self.find(&BlockKey::from(key))
    }

    /// How many blocks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A snapshot always has its root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// How many stored blocks were left out because no key can name them.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// All blocks in stored order, orphans included.
    pub fn blocks(&self) -> impl Iterator<Item = BlockRef<'_>> {
        (0..self.nodes.len() as u32).map(|idx| BlockRef::new(self, BlockIdx(idx)))
    }

    /// The blocks of one type in stored order, as `about`.
    pub fn blocks_of_type<'a>(&'a self, block_type: &'a str) -> impl Iterator<Item = BlockRef<'a>> {
        self.blocks()
            .filter(move |block| block.block_type() == block_type)
    }

    fn node(&self, idx: BlockIdx) -> Option<&Node> {
        self.nodes.get(idx.index())
    }

    fn name_id(&self, name: &str) -> Option<NameId> {
        self.name_ids.get(name).copied()
    }

    fn name(&self, id: NameId) -> &str {
        self.names.get(usize::from(id)).map_or("", |name| name)
    }

    fn rows(&self, range: &Range<u32>) -> &[(NameId, Value)] {
        self.rows
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    fn row(&self, range: &Range<u32>, id: NameId) -> Option<&Value> {
        let rows = self.rows(range);
        // Blocks have few set fields.
        rows.iter().find(|row| row.0 == id).map(|row| &row.1)
    }
}

#[cfg(test)]
mod tests;
