//! Plain course data, as it passes between archives and the store.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Field values by field name in stored JSON form, in the order in which they were set.
pub type Fields = IndexMap<String, Value>;

/// The address of a block inside one course: its type and its id (courseware.md §2.2).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BlockKey {
    /// Block type, as `problem`.
    pub block_type: Arc<str>,
    /// Block id, unique among the blocks of one type.
    pub block_id: Arc<str>,
}

impl BlockKey {
    /// The address of `block_id` of type `block_type`.
    pub fn new(block_type: impl Into<Arc<str>>, block_id: impl Into<Arc<str>>) -> Self {
        Self {
            block_type: block_type.into(),
            block_id: block_id.into(),
        }
    }

    /// The address of the root of a course: type and id `course` (olx.md §2).
    #[must_use]
    pub fn course_root() -> Self {
        Self::new("course", "course")
    }
}

impl From<&opaque_keys::UsageKey> for BlockKey {
    /// The address that a usage key names in its course.
    fn from(key: &opaque_keys::UsageKey) -> Self {
        let (block_type, block_id) = key.shared_parts();
        Self {
            block_type,
            block_id,
        }
    }
}

impl fmt::Display for BlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.block_type, self.block_id)
    }
}

impl fmt::Debug for BlockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no `type@id`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no block address: {0:?}")]
pub struct BadBlockKey(String);

impl FromStr for BlockKey {
    type Err = BadBlockKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('@') {
            Some((block_type, block_id)) if !block_type.is_empty() && !block_id.is_empty() => {
                Ok(Self::new(block_type, block_id))
            }
            _ => Err(BadBlockKey(text.to_owned())),
        }
    }
}

/// Fields that an aside has set on a block (olx.md §3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aside {
    /// Type of the aside, as `tagging_aside`.
    pub aside_type: String,
    /// Its explicitly set values.
    pub fields: Fields,
}

/// One block with its explicitly set values in stored JSON form.
///
/// References inside `settings` and `content` are full usage key texts of the target course; the store
/// turns them into `[type, id]` pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Address in its course.
    pub key: BlockKey,
    /// Values of settings scope.
    pub settings: Fields,
    /// Values of content scope: the definition.
    pub content: Fields,
    /// Children in order.
    pub children: Vec<BlockKey>,
    /// Asides with set values.
    pub asides: Vec<Aside>,
}

impl Block {
    /// A block without values or children.
    #[must_use]
    pub fn new(key: BlockKey) -> Self {
        Self {
            key,
            settings: Fields::new(),
            content: Fields::new(),
            children: Vec::new(),
            asides: Vec::new(),
        }
    }
}

/// The blocks of one branch of a course.
#[derive(Debug, Clone, PartialEq)]
pub struct CourseContent {
    /// Address of the root block.
    pub root: BlockKey,
    /// All blocks, orphans included.
    pub blocks: IndexMap<BlockKey, Block>,
}

impl CourseContent {
    /// A course of one empty root block.
    #[must_use]
    pub fn new(root: BlockKey) -> Self {
        let mut blocks = IndexMap::new();
        blocks.insert(root.clone(), Block::new(root.clone()));
        Self { root, blocks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // courseware.md §2.2: blocks are addressed by type and id.
    #[test]
    fn block_key_prints_and_parses() {
        let key = BlockKey::new("problem", "p1");
        assert_eq!(key.to_string(), "problem@p1");
        assert_eq!("problem@p1".parse::<BlockKey>().unwrap(), key);
        assert!("problem".parse::<BlockKey>().is_err());
    }
}
