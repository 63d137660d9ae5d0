//! Making a snapshot.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use opaque_keys::UsageKey;
use serde_json::Value;

use super::{BlockIdx, CourseSnapshot, NameId, Node, SnapshotBlock, SnapshotError, SnapshotInfo};
use crate::block_types::block_type_or_hidden;
use crate::course::{BlockKey, Fields};

/// Texts that many blocks share, held once.
#[derive(Default)]
struct Interner(HashSet<Arc<str>>);

impl Interner {
    fn share(&mut self, text: &Arc<str>) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        self.0.insert(Arc::clone(text));
        Arc::clone(text)
    }
}

/// Names of fields by place.
#[derive(Default)]
struct Names {
    names: Vec<Box<str>>,
    ids: HashMap<Box<str>, NameId>,
}

impl Names {
    fn id(&mut self, name: &str) -> Result<NameId, SnapshotError> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let id = NameId::try_from(self.names.len()).map_err(|_| SnapshotError::TooLarge)?;
        self.names.push(name.into());
        self.ids.insert(name.into(), id);
        Ok(id)
    }
}

fn place(len: usize) -> Result<u32, SnapshotError> {
    u32::try_from(len).map_err(|_| SnapshotError::TooLarge)
}

/// Gives back what text and lists have grown too large.
fn shrink(value: &mut Value) {
    match value {
        Value::String(text) => text.shrink_to_fit(),
        Value::Array(items) => {
            items.iter_mut().for_each(shrink);
            items.shrink_to_fit();
        }
        Value::Object(items) => items.values_mut().for_each(shrink),
        _ => {}
    }
}

impl CourseSnapshot {
    /// Makes the snapshot of a version from its blocks in stored order. A block whose type and id make no key
    /// is left out, a child that is no block is not listed; blocks that hold each other in a circle lose the
    /// parent that closes it.
    pub fn build(
        info: SnapshotInfo,
        blocks: impl IntoIterator<Item = SnapshotBlock>,
    ) -> Result<Self, SnapshotError> {
        let mut types = Interner::default();
        let mut names = Names::default();
        let mut nodes: Vec<Node> = Vec::new();
        let mut index: HashMap<BlockKey, BlockIdx> = HashMap::new();
        let mut rows: Vec<(NameId, Value)> = Vec::new();
        let mut child_keys: Vec<Vec<BlockKey>> = Vec::new();
        let mut asides = HashMap::new();
        let mut skipped = 0;
        let mut add_rows = |fields: Fields| -> Result<Range<u32>, SnapshotError> {
            let start = place(rows.len())?;
            for (name, mut value) in fields {
                shrink(&mut value);
                rows.push((names.id(&name)?, value));
            }
            Ok(start..place(rows.len())?)
        };
        for block in blocks {
            let block_type = types.share(&block.key.block_type);
            let key = BlockKey {
                block_type,
                block_id: block.key.block_id,
            };
            let parts = (Arc::clone(&key.block_type), Arc::clone(&key.block_id));
            let Ok(usage_key) = UsageKey::from_parts(info.course_key.clone(), parts.0, parts.1)
            else {
                skipped += 1;
                continue;
            };
            let idx = BlockIdx(place(nodes.len())?);
            if index.contains_key(&key) {
                skipped += 1;
                continue;
            }
            if !block.asides.is_empty() {
                asides.insert(idx, block.asides.into_boxed_slice());
            }
            nodes.push(Node {
                usage_key,
                kind: block_type_or_hidden(&key.block_type),
                parent: None,
                own: add_rows(block.fields)?,
                defaults: add_rows(block.defaults)?,
                children: 0..0,
                parents: 0..0,
                definition: block.definition,
                edit_info: Box::new(block.edit_info),
            });
            index.insert(key, idx);
            child_keys.push(block.children);
        }
        let Some(root) = index.get(&info.root).copied() else {
            return Err(SnapshotError::NoRoot(info.root));
        };
        let mut children = Vec::new();
        for (node, keys) in nodes.iter_mut().zip(child_keys) {
            let start = place(children.len())?;
            children.extend(keys.iter().filter_map(|key| index.get(key).copied()));
            node.children = start..place(children.len())?;
        }
        rows.shrink_to_fit();
        children.shrink_to_fit();
        nodes.shrink_to_fit();
        index.shrink_to_fit();
        let mut snapshot = Self {
            version: info.version.to_string().into(),
            info,
            root,
            nodes,
            index,
            names: names.names,
            name_ids: names.ids,
            rows,
            children,
            parents: Vec::new(),
            asides,
            skipped,
        };
        snapshot.link_parents();
        Ok(snapshot)
    }

    /// Notes for each block its parents in stored order; a circle is opened where it closes.
    fn link_parents(&mut self) {
        let mut lists: Vec<Vec<BlockIdx>> = vec![Vec::new(); self.nodes.len()];
        for (parent, node) in self.nodes.iter().enumerate() {
            let parent = BlockIdx(parent as u32);
            let range = node.children.start as usize..node.children.end as usize;
            for child in self.children.get(range).unwrap_or_default() {
                let Some(list) = lists.get_mut(child.index()) else {
                    continue;
                };
                // A block may list a child twice.
                if *child != parent && *child != self.root && list.last() != Some(&parent) {
                    list.push(parent);
                }
            }
        }
        open_circles(&mut lists);
        for (node, list) in self.nodes.iter_mut().zip(lists) {
            let start = self.parents.len() as u32;
            // Inheritance follows the last parent in stored order (courseware.md §18).
            node.parent = list.last().copied();
            self.parents.extend(list);
            node.parents = start..self.parents.len() as u32;
        }
        self.parents.shrink_to_fit();
    }
}

/// Drops the links to parents that would close a circle: those that lead from a block back to one that
/// is still being visited.
fn open_circles(lists: &mut [Vec<BlockIdx>]) {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; lists.len()];
    for start in 0..lists.len() {
        if marks.get(start) != Some(&Mark::New) {
            continue;
        }
        // Each entry: a block, and how many of its parents have been followed.
        let mut stack = vec![(start, 0)];
        while let Some((at, followed)) = stack.pop() {
            let (Some(list), Some(mark)) = (lists.get_mut(at), marks.get_mut(at)) else {
                break;
            };
            *mark = Mark::Open;
            let Some(parent) = list.get(followed).map(|parent| parent.index()) else {
                *mark = Mark::Done;
                continue;
            };
            match marks.get(parent) {
                Some(Mark::Open) => {
                    list.remove(followed);
                    stack.push((at, followed));
                }
                Some(Mark::New) => {
                    stack.push((at, followed + 1));
                    stack.push((parent, 0));
                }
                _ => stack.push((at, followed + 1)),
            }
        }
    }
}
