//! A working copy of a subtree, out of which blocks are taken.

use std::collections::{BTreeMap, HashMap, HashSet};

use course_model::{BlockIdx, BlockRef, CourseSnapshot};

/// Links of the blocks that are left. Blocks may have several parents.
pub(crate) struct Tree<'a> {
    snapshot: &'a CourseSnapshot,
    root: BlockIdx,
    children: HashMap<BlockIdx, Vec<BlockIdx>>,
}

/// How often each type stands below and including a block.
pub(super) type Counts<'a> = HashMap<BlockIdx, BTreeMap<&'a str, u64>>;

impl<'a> Tree<'a> {
    /// The block and everything below it.
    pub fn of(root: BlockRef<'a>) -> Self {
        let children = root
            .subtree()
            .map(|block| {
                let mut children: Vec<BlockIdx> = Vec::new();
                for child in block.child_indices() {
                    // A child that is listed twice is one child.
                    if !children.contains(child) {
                        children.push(*child);
                    }
                }
                (block.idx(), children)
            })
            .collect();
        Self {
            snapshot: root.snapshot(),
            root: root.idx(),
            children,
        }
    }

    pub fn contains(&self, idx: BlockIdx) -> bool {
        self.children.contains_key(&idx)
    }

    pub fn children(&self, idx: BlockIdx) -> &[BlockIdx] {
        self.children.get(&idx).map_or(&[], Vec::as_slice)
    }

    pub fn set_children(&mut self, idx: BlockIdx, children: Vec<BlockIdx>) {
        if let Some(slot) = self.children.get_mut(&idx) {
            *slot = children;
        }
    }

    /// The blocks that are left, in no order.
    pub fn blocks(&self) -> impl Iterator<Item = BlockRef<'a>> {
        let snapshot = self.snapshot;
        self.children.keys().map(move |idx| snapshot.block(*idx))
    }

    /// Children before parents, in order of children, each block once.
    pub fn postorder(&self) -> Vec<BlockIdx> {
        let mut out = Vec::with_capacity(self.children.len());
        if !self.contains(self.root) {
            return out;
        }
        let mut seen = HashSet::from([self.root]);
        let mut stack = vec![(self.root, 0)];
        while let Some((idx, done)) = stack.pop() {
            let Some(child) = self.children(idx).get(done).copied() else {
                out.push(idx);
                continue;
            };
            stack.push((idx, done + 1));
            if self.contains(child) && seen.insert(child) {
                stack.push((child, 0));
            }
        }
        out
    }

    /// Parents before children.
    pub fn topological(&self) -> Vec<BlockIdx> {
        let mut order = self.postorder();
        order.reverse();
        order
    }

    /// Takes blocks out, with whatever is below them and below nothing else.
    pub fn remove(&mut self, unwanted: impl Fn(BlockRef<'a>) -> bool) {
        let snapshot = self.snapshot;
        self.children
            .retain(|idx, _| !unwanted(snapshot.block(*idx)));
        let reachable: HashSet<BlockIdx> = self.postorder().into_iter().collect();
        self.children.retain(|idx, _| reachable.contains(idx));
        let left: HashSet<BlockIdx> = self.children.keys().copied().collect();
        for children in self.children.values_mut() {
            children.retain(|child| left.contains(child));
        }
    }

    /// Takes blocks out and leaves what is below them: it comes after what their parents keep.
    pub fn dissolve(&mut self, unwanted: impl Fn(BlockRef<'a>) -> bool) {
        let snapshot = self.snapshot;
        let gone: HashSet<BlockIdx> = self
            .children
            .keys()
            .copied()
            .filter(|idx| unwanted(snapshot.block(*idx)))
            .collect();
        if gone.is_empty() {
            return;
        }
        // Children stand before parents, so that the lists below are done when they are wanted.
        for idx in self.postorder() {
            let old = self.children.remove(&idx).unwrap_or_default();
            let (orphaned, kept): (Vec<BlockIdx>, Vec<BlockIdx>) =
                old.into_iter().partition(|child| gone.contains(child));
            let mut seen: HashSet<BlockIdx> = kept.iter().copied().collect();
            let mut children = kept;
            for child in orphaned {
                let moved = self.children.get(&child).into_iter().flatten().copied();
                children.extend(moved.filter(|moved| seen.insert(*moved)));
            }
            self.children.insert(idx, children);
        }
        self.children.retain(|idx, _| !gone.contains(idx));
    }

    /// Level of each block below the root, along its shortest way.
    pub fn depths(&self) -> HashMap<BlockIdx, i64> {
        let mut depths = HashMap::with_capacity(self.children.len());
        depths.insert(self.root, 0);
        for idx in self.topological() {
            let below = depths.get(&idx).copied().unwrap_or_default() + 1;
            for child in self.children(idx) {
                let depth = depths.entry(*child).or_insert(below);
                *depth = below.min(*depth);
            }
        }
        depths
    }

    /// How often each type stands in each subtree.
    pub fn counts(&self) -> Counts<'a> {
        let mut counts: Counts<'a> = HashMap::with_capacity(self.children.len());
        for idx in self.postorder() {
            let mut own = BTreeMap::from([(self.snapshot.block(idx).block_type(), 1)]);
            for child in self.children(idx) {
                for (name, count) in counts.get(child).into_iter().flatten() {
                    *own.entry(name).or_default() += count;
                }
            }
            counts.insert(idx, own);
        }
        counts
    }

    /// What each block lists as its descendants: above `nav_depth` its children, on that level its whole subtree,
    /// below nothing; subtrees hidden from the table of contents are in no list (courseware.md §8.2).
    pub fn descendants(
        &self,
        depths: &HashMap<BlockIdx, i64>,
        nav_depth: i64,
    ) -> HashMap<BlockIdx, Vec<BlockIdx>> {
        let mut lists: HashMap<BlockIdx, Vec<BlockIdx>> = HashMap::new();
        // In whose lists the children of a block are put.
        let mut into: HashMap<BlockIdx, Vec<BlockIdx>> = HashMap::new();
        for idx in self.preorder() {
            let is_root = idx == self.root;
            let targets = into.get(&idx).cloned().unwrap_or_default();
            if self.snapshot.block(idx).flag("hide_from_toc") || (targets.is_empty() && !is_root) {
                continue;
            }
            for target in &targets {
                let list = lists.entry(*target).or_default();
                if !list.contains(&idx) {
                    list.push(idx);
                }
            }
            let own = if depths.get(&idx).is_some_and(|depth| *depth > nav_depth) {
                targets
            } else {
                lists.entry(idx).or_default();
                vec![idx]
            };
            for child in self.children(idx) {
                let slot = into.entry(*child).or_default();
                for target in &own {
                    if !slot.contains(target) {
                        slot.push(*target);
                    }
                }
            }
        }
        lists
    }

    /// Parents before children, siblings in order: every block after all of its parents.
    fn preorder(&self) -> Vec<BlockIdx> {
        let mut waiting: HashMap<BlockIdx, usize> = HashMap::new();
        for children in self.children.values() {
            for child in children {
                *waiting.entry(*child).or_default() += 1;
            }
        }
        let mut out = Vec::with_capacity(self.children.len());
        let mut stack = vec![self.root];
        while let Some(idx) = stack.pop() {
            if !self.contains(idx) {
                continue;
            }
            out.push(idx);
            for child in self.children(idx).iter().rev() {
                let left = waiting.entry(*child).or_default();
                *left = left.saturating_sub(1);
                if *left == 0 {
                    stack.push(*child);
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use course_model::snapshot::{SnapshotBlock, SnapshotInfo};
    use course_model::{BlockKey, ObjectId};
    use opaque_keys::CourseKey;
    use proptest::prelude::*;

    use super::*;

    /// A course of `html` blocks, each listing those later ones whose bit is set.
    fn course(links: &[u16]) -> CourseSnapshot {
        let key = |at: usize| {
            if at == 0 {
                BlockKey::course_root()
            } else {
                BlockKey::new(
                    if at.is_multiple_of(3) {
                        "split_test"
                    } else {
                        "html"
                    },
                    at.to_string(),
                )
            }
        };
        let blocks = links.iter().enumerate().map(|(at, bits)| SnapshotBlock {
            children: (at + 1..links.len())
                .filter(|child| bits >> child & 1 == 1)
                .map(key)
                .collect(),
            ..SnapshotBlock::new(key(at))
        });
        let info = SnapshotInfo {
            course_key: CourseKey::parse("course-v1:A+B+C").unwrap(),
            version: ObjectId::default(),
            edited_on: None,
            edited_by: None,
            root: BlockKey::course_root(),
        };
        CourseSnapshot::build(info, blocks).unwrap()
    }

    proptest! {
        /// Whatever is taken out, orders stay orders and nothing points to what is gone.
        #[test]
        fn trees_stay_whole(
            links in proptest::collection::vec(any::<u16>(), 1..14),
            removed in any::<u16>(),
        ) {
            let course = course(&links);
            let mut tree = Tree::of(course.course());
            let before: HashSet<BlockIdx> = tree.postorder().into_iter().collect();
            prop_assert_eq!(before.len(), tree.blocks().count());
            tree.dissolve(|block| block.block_type() == "split_test");
            let dissolved: HashSet<BlockIdx> = tree.postorder().into_iter().collect();
            let expected: HashSet<BlockIdx> = before
                .into_iter()
                .filter(|idx| course.block(*idx).block_type() != "split_test")
                .collect();
            prop_assert_eq!(&dissolved, &expected);
            tree.remove(|block| removed >> block.idx().index() & 1 == 1);
            let order = tree.postorder();
            prop_assert_eq!(order.len(), tree.blocks().count());
            let place: HashMap<BlockIdx, usize> =
                order.iter().enumerate().map(|(at, idx)| (*idx, at)).collect();
            for idx in &order {
                prop_assert!(dissolved.contains(idx));
                for child in tree.children(*idx) {
                    prop_assert!(place[child] < place[idx]);
                }
            }
            let depths = tree.depths();
            let all = tree.descendants(&depths, i64::from(u16::MAX));
            for idx in &order {
                let mut listed = all.get(idx).cloned().unwrap_or_default();
                let mut children = tree.children(*idx).to_vec();
                listed.sort_unstable();
                children.sort_unstable();
                prop_assert_eq!(listed, children);
            }
        }
    }
}
