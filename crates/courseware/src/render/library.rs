//! Which blocks of a library a learner gets (courseware.md §11).

use std::collections::HashMap;

use course_model::{BlockIdx, BlockKey, BlockRef};
use serde_json::{Value, json};

use super::plan::{Child, Node};
use crate::Result;
use crate::runtime::Runtime;
use crate::selection;
use crate::states::{Change, State, UserStates};
use crate::view::CourseView;

/// The chosen children of library blocks.
type Chosen = HashMap<BlockIdx, Vec<BlockKey>>;

/// Cuts every library and randomizer of a tree down to what the learner gets. Selections that changed are stored; the
/// choices of randomizers are given back to be.
pub(crate) async fn select<'a>(
    runtime: &Runtime,
    root: &mut Node<'a>,
    view: &'a CourseView,
    states: &UserStates,
) -> Result<Vec<Change>> {
    let mut chosen = Chosen::new();
    let mut stale = Vec::new();
    let libraries: Vec<BlockRef<'a>> = super::plan::blocks(root)
        .into_iter()
        .filter(|block| is_library(block.block_type()))
        .collect();
    for block in libraries {
        let row = states.row(&block.usage_key().to_string());
        let stored = selection::read(row.and_then(|row| row.state.as_deref()));
        let children: Vec<BlockKey> = block.children().map(BlockRef::key).collect();
        let max_count = block.integer("max_count").unwrap_or(1);
        let made = selection::select(&stored, &children, max_count);
        if made.is_changed() {
            stale.push(block);
        }
        chosen.insert(block.idx(), made.selected);
    }
    if !stale.is_empty() {
        let stored = selection::of_blocks(&runtime.db, &view.learner, &stale, view.now).await?;
        for block in stale {
            if let Some(made) = stored.get(&block.key()) {
                chosen.insert(block.idx(), made.selected.clone());
            }
        }
    }
    let mut changes = Vec::new();
    cut(root, view, states, &chosen, &mut changes);
    Ok(changes)
}

fn is_library(block_type: &str) -> bool {
    matches!(block_type, "library_content" | "itembank")
}

fn cut(
    node: &mut Node<'_>,
    view: &CourseView,
    states: &UserStates,
    chosen: &Chosen,
    changes: &mut Vec<Change>,
) {
    if let Some(chosen) = chosen.get(&node.block.idx()) {
        keep(node, chosen);
    } else if node.block.block_type() == "randomize" {
        changes.extend(choose(node, view, states));
    }
    for child in &mut node.children {
        if let Child::Node(child) = child {
            cut(child, view, states, chosen, changes);
        }
    }
}

/// Keeps the chosen children, in the order of the selection.
fn keep(node: &mut Node<'_>, chosen: &[BlockKey]) {
    let mut children = std::mem::take(&mut node.children);
    for key in chosen {
        let position = children.iter().position(|child| {
            let block = match child {
                Child::Node(node) => node.block,
                Child::Denied(block, _) => *block,
            };
            block.key() == *key
        });
        if let Some(position) = position {
            node.children.push(children.remove(position));
        }
    }
}

/// Keeps the one child that a randomizer gives the learner, and says so when it is given for the first time.
fn choose(node: &mut Node<'_>, view: &CourseView, states: &UserStates) -> Option<Change> {
    let usage = node.block.usage_key();
    let text = usage.to_string();
    let count = i64::try_from(node.children.len()).unwrap_or(0);
    let stored = states
        .state(&text)
        .get("choice")
        .and_then(Value::as_i64)
        .filter(|choice| (0..=count).contains(choice));
    let choice = stored.unwrap_or_else(|| {
        let seed = view.learner.user_id().unwrap_or_default();
        seed.checked_rem_euclid(count).unwrap_or_default()
    });
    let change = (stored.is_none() && count > 0).then(|| {
        let mut keys = State::new();
        keys.insert("choice".to_owned(), json!(choice));
        Change::new(usage.clone(), states.row(&text), keys)
    });
    let choice = usize::try_from(choice).unwrap_or(usize::MAX);
    let children = std::mem::take(&mut node.children);
    node.children = children.into_iter().skip(choice).take(1).collect();
    change
}
