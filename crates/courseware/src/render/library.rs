//! Which blocks of a library a learner gets (courseware.md §11).

use course_model::BlockRef;
use serde_json::{Value, json};

use super::plan::{Child, Node};
use crate::random;
use crate::states::{Change, State, UserStates};
use crate::view::CourseView;

/// Type and id of a block, as the stored selection names it.
type Entry = (String, String);

/// Cuts every library and randomizer of a tree down to what the learner gets. Gives the selections that changed.
pub(crate) fn select<'a>(
    node: &mut Node<'a>,
    view: &'a CourseView,
    states: &UserStates,
) -> Vec<Change> {
    let mut changes = Vec::new();
    let block = node.block;
    match block.block_type() {
        "library_content" | "itembank" => {
            let usage = block.usage_key();
            let text = usage.to_string();
            let state = states.state(&text);
            let stored = stored_selection(&state);
            let chosen = choose(block, stored.clone());
            if chosen != stored {
                let mut keys = State::new();
                keys.insert("selected".to_owned(), selection_json(&chosen));
                changes.push(Change::new(usage.clone(), states.row(&text), keys));
            }
            keep(node, &chosen);
        }
        "randomize" => {
            let usage = block.usage_key();
            let text = usage.to_string();
            let state = states.state(&text);
            let count = node.children.len() as i64;
            let stored = state
                .get("choice")
                .and_then(Value::as_i64)
                .filter(|choice| *choice <= count);
            let choice = stored.unwrap_or_else(|| {
                let seed = view.learner.user_id().unwrap_or_default();
                seed.checked_rem_euclid(count).unwrap_or_default()
            });
            if stored.is_none() && count > 0 {
                let mut keys = State::new();
                keys.insert("choice".to_owned(), json!(choice));
                changes.push(Change::new(usage.clone(), states.row(&text), keys));
            }
            let choice = usize::try_from(choice).unwrap_or(usize::MAX);
            let children = std::mem::take(&mut node.children);
            node.children = children.into_iter().skip(choice).take(1).collect();
        }
        _ => {}
    }
    for child in &mut node.children {
        if let Child::Node(child) = child {
            changes.extend(select(child, view, states));
        }
    }
    changes
}

/// Keeps the chosen children, in the order of the selection.
fn keep(node: &mut Node<'_>, chosen: &[Entry]) {
    let mut children = std::mem::take(&mut node.children);
    for (block_type, id) in chosen {
        let position = children.iter().position(|child| {
            let block = match child {
                Child::Node(node) => node.block,
                Child::Denied(block, _) => *block,
            };
            block.block_type() == block_type && block.block_id() == id
        });
        if let Some(position) = position {
            node.children.push(children.remove(position));
        }
    }
}

/// The selection of a state.
pub(crate) fn stored_selection(state: &State) -> Vec<Entry> {
    state
        .get("selected")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let text = |at: usize| entry.get(at)?.as_str().map(str::to_owned);
            Some((text(0)?, text(1)?))
        })
        .collect()
}

fn selection_json(chosen: &[Entry]) -> Value {
    chosen.iter().map(|(kind, id)| json!([kind, id])).collect()
}

/// Brings a selection up to date with the library block's children and number: what is gone or too much is dropped,
/// what is missing drawn; a selection that changed is put in a new random order.
pub(crate) fn choose(block: BlockRef<'_>, stored: Vec<Entry>) -> Vec<Entry> {
    let children: Vec<Entry> = block
        .children()
        .map(|child| (child.block_type().to_owned(), child.block_id().to_owned()))
        .collect();
    let wanted = match block.integer("max_count") {
        Some(count) if count >= 0 => usize::try_from(count).unwrap_or(usize::MAX),
        Some(_) => children.len(),
        None => 1,
    };
    choose_among(&children, wanted, stored)
}

fn choose_among(children: &[Entry], wanted: usize, stored: Vec<Entry>) -> Vec<Entry> {
    let before = stored.clone();
    let mut chosen: Vec<Entry> = Vec::with_capacity(stored.len());
    for entry in stored {
        if children.contains(&entry) && !chosen.contains(&entry) {
            chosen.push(entry);
        }
    }
    if chosen.len() > wanted {
        let surplus = chosen.len() - wanted;
        random::take(&mut chosen, surplus);
    } else if chosen.len() < wanted {
        let mut pool: Vec<Entry> = children
            .iter()
            .filter(|child| !chosen.contains(child))
            .cloned()
            .collect();
        let missing = wanted - chosen.len();
        chosen.extend(random::take(&mut pool, missing));
    }
    if chosen != before {
        random::shuffle(&mut chosen);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(n: u8) -> Entry {
        ("problem".to_owned(), format!("p{n}"))
    }

    proptest! {
        /// courseware.md §11 and §17, check 50: as many as wanted and as there are, each once, the stored ones kept.
        #[test]
        fn selections_hold_what_they_should(
            children in prop::collection::hash_set(0u8..30, 0..12),
            stored in prop::collection::vec(0u8..30, 0..8),
            wanted in 0usize..14,
        ) {
            let children: Vec<Entry> = children.into_iter().map(entry).collect();
            let stored: Vec<Entry> = stored.into_iter().map(entry).collect();
            let chosen = choose_among(&children, wanted, stored.clone());
            prop_assert_eq!(chosen.len(), wanted.min(children.len()));
            prop_assert!(chosen.iter().all(|one| children.contains(one)));
            prop_assert_eq!(choose_among(&children, wanted, chosen.clone()), chosen.clone());
            let valid: std::collections::HashSet<_> = stored.iter().filter(|one| children.contains(one)).collect();
            if valid.len() <= wanted {
                prop_assert!(valid.iter().all(|one| chosen.contains(one)));
            }
        }
    }
}
