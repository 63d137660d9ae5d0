//! A working copy of a subtree, out of which blocks are taken.

use std::collections::{BTreeMap, HashMap, HashSet};

use course_model::{BlockIdx, BlockRef, CourseSnapshot};

/// Links of the blocks that are left. Blocks may have several parents.
pub(super) struct Tree<'a> {
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

    /// Takes one block out; its children become the last children of its parents.
    pub fn dissolve(&mut self, idx: BlockIdx) {
        let Some(orphans) = self.children.remove(&idx) else {
            return;
        };
        for children in self.children.values_mut() {
            let Some(place) = children.iter().position(|child| *child == idx) else {
                continue;
            };
            children.remove(place);
            for orphan in &orphans {
                if !children.contains(orphan) {
                    children.push(*orphan);
                }
            }
        }
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
