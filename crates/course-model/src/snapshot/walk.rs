//! Walking a snapshot.

use super::{BlockIdx, BlockRef, CourseSnapshot};

/// Blocks below and including one, each once, parents before their first child's subtree.
#[derive(Debug)]
pub struct Preorder<'a> {
    snapshot: &'a CourseSnapshot,
    stack: Vec<BlockIdx>,
    seen: Vec<bool>,
}

/// Blocks below one, without it.
pub type Descendants<'a> = std::iter::Skip<Preorder<'a>>;

impl<'a> Iterator for Preorder<'a> {
    type Item = BlockRef<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let idx = self.stack.pop()?;
            let Some(seen) = self.seen.get_mut(idx.index()) else {
                continue;
            };
            if std::mem::replace(seen, true) {
                continue;
            }
            let block = self.snapshot.block(idx);
            self.stack.extend(block.child_indices().iter().rev());
            return Some(block);
        }
    }
}

impl<'a> BlockRef<'a> {
    /// The block and all below it, depth first in order of children, each block once.
    #[must_use]
    pub fn subtree(self) -> Preorder<'a> {
        let snapshot = self.snapshot();
        Preorder {
            snapshot,
            stack: vec![self.idx()],
            seen: vec![false; snapshot.len()],
        }
    }

    /// All blocks below this one, depth first in order of children, each once.
    pub fn descendants(self) -> Descendants<'a> {
        self.subtree().skip(1)
    }

    /// The latest change of the block and all below it (`subtree_edited_on`), in milliseconds since 1970.
    #[must_use]
    pub fn subtree_edited_on(self) -> Option<i64> {
        self.subtree()
            .filter_map(|block| block.edit_info().edited_on)
            .max()
    }
}

impl CourseSnapshot {
    /// The blocks of the course tree, each once, every block after all of its parents.
    #[must_use]
    pub fn topological(&self) -> Vec<BlockIdx> {
        // Reversed order of completion of a depth-first walk; children are taken from the last to the first,
        // so that they come out in order.
        let mut out = Vec::with_capacity(self.len());
        let mut seen = vec![false; self.len()];
        let mut stack = vec![(self.root(), 0)];
        if let Some(seen) = seen.get_mut(self.root().index()) {
            *seen = true;
        }
        while let Some((idx, done)) = stack.pop() {
            let children = self.block(idx).child_indices();
            let next = children
                .len()
                .checked_sub(done + 1)
                .and_then(|at| children.get(at));
            let Some(child) = next else {
                out.push(idx);
                continue;
            };
            stack.push((idx, done + 1));
            if let Some(seen) = seen.get_mut(child.index())
                && !std::mem::replace(seen, true)
            {
                stack.push((*child, 0));
            }
        }
        out.reverse();
        out
    }
}
