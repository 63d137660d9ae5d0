//! Which blocks an answer shows: the tree below the block that was asked for, as far as the learner may see it.

use course_model::BlockRef;

use super::structure;
use crate::access::Denied;
use crate::view::CourseView;

/// Blocks that one answer shows at most.
const MOST_BLOCKS: usize = 4000;

/// A block with those of its children that are shown.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// The block.
    pub block: BlockRef<'a>,
    /// Its children in order.
    pub children: Vec<Child<'a>>,
}

/// A child of a block.
#[derive(Debug)]
pub(crate) enum Child<'a> {
    /// One that is shown.
    Node(Node<'a>),
    /// One that is not, with something to say about it.
    Denied(BlockRef<'a>, String),
}

impl<'a> Node<'a> {
    /// Its children that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Node<'a>> {
        self.children.iter().filter_map(|child| match child {
            Child::Node(node) => Some(node),
            Child::Denied(..) => None,
        })
    }
}

/// The tree below a block. All children of libraries are in it; which of them a learner gets is decided later.
pub(crate) fn collect<'a>(view: &'a CourseView, block: BlockRef<'a>, depth: u32) -> Node<'a> {
    let mut left = MOST_BLOCKS;
    // Below a course or a chapter only names are shown.
    let depth = match block.block_type() {
        "course" | "chapter" => 1,
        _ => depth,
    };
    walk(view, block, depth, &mut left)
}

/// The tree below a block, with all its levels.
pub(crate) fn plan_tree<'a>(view: &'a CourseView, block: BlockRef<'a>) -> Node<'a> {
    let mut left = MOST_BLOCKS;
    walk(view, block, super::DEEPEST, &mut left)
}

fn walk<'a>(view: &'a CourseView, block: BlockRef<'a>, depth: u32, left: &mut usize) -> Node<'a> {
    let mut node = Node {
        block,
        children: Vec::new(),
    };
    if depth == 0 || !structure::shows_children(block.block_type()) {
        return node;
    }
    for child in children_of(view, block) {
        if *left == 0 {
            break;
        }
        *left -= 1;
        match view.block(child) {
            Ok(_) => node
                .children
                .push(Child::Node(walk(view, child, depth - 1, left))),
            Err(Denied {
                user_message: Some(message),
                ..
            }) => node.children.push(Child::Denied(child, message)),
            Err(_) => {}
        }
    }
    node
}

/// Children of a block; of a content experiment, those of the learner's group.
fn children_of<'a>(view: &'a CourseView, block: BlockRef<'a>) -> Vec<BlockRef<'a>> {
    let all: Vec<BlockRef<'a>> = block.children().collect();
    if block.block_type() != "split_test" || view.learner.is_staff() {
        return all;
    }
    let chosen = structure::experiment_child(view, block);
    all.into_iter()
        .filter(|child| chosen.as_deref() == Some(child.usage_key().to_string().as_str()))
        .collect()
}

/// All blocks of a tree, parents first.
pub(crate) fn blocks<'a>(root: &Node<'a>) -> Vec<BlockRef<'a>> {
    let mut found = vec![root.block];
    for child in root.shown() {
        found.extend(blocks(child));
    }
    found
}

/// Texts of the usage keys of a tree.
pub(crate) fn usages(root: &Node<'_>) -> Vec<String> {
    let mut found: Vec<String> = blocks(root)
        .iter()
        .map(|block| block.usage_key().to_string())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
