//! Which children of a library's block a learner has (courseware.md §11, library_content and itembank).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use course_model::{BlockKey, BlockRef};
use db::Db;
use records::keys::usage_text;
use records::student_modules::{self, StudentModule};
use serde_json::{Map, Value, json};

use crate::Result;
use crate::learner::Learner;
use crate::random;

/// A learner's children of one block, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The children.
    pub selected: Vec<BlockKey>,
    /// Stored ones that are no children any more.
    pub invalid: Vec<BlockKey>,
    /// Stored ones above the limit.
    pub overlimit: Vec<BlockKey>,
    /// New ones.
    pub added: Vec<BlockKey>,
}

impl Selection {
    /// Whether it differs from what is stored.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !(self.invalid.is_empty() && self.overlimit.is_empty() && self.added.is_empty())
    }
}

/// Brings a stored selection in line with the children that there are and with `max_count` (-1 is all of them). Only
/// a changed list is put into a new random order.
#[must_use]
pub fn select(stored: &[BlockKey], children: &[BlockKey], max_count: i64) -> Selection {
    let (mut selected, invalid): (Vec<BlockKey>, Vec<BlockKey>) = stored
        .iter()
        .cloned()
        .partition(|key| children.contains(key));
    let mut made = Selection {
        invalid,
        ..Selection::default()
    };
    let limit = usize::try_from(max_count).unwrap_or(children.len());
    if selected.len() > limit {
        let over = selected.len() - limit;
        made.overlimit = random::take(&mut selected, over);
    }
    if selected.len() < limit {
        let mut pool: Vec<BlockKey> = children
            .iter()
            .filter(|key| !selected.contains(key))
            .cloned()
            .collect();
        made.added = random::take(&mut pool, limit - selected.len());
        selected.extend(made.added.iter().cloned());
    }
    made.selected = selected;
    if made.is_changed() {
        random::shuffle(&mut made.selected);
    } else {
        // Nothing was taken out, so the stored order still stands.
        made.selected = stored.to_vec();
    }
    made
}

/// `selected` of a stored state: pairs of type and id.
#[must_use]
pub fn read(state: Option<&str>) -> Vec<BlockKey> {
    let state: Map<String, Value> = state
        .and_then(|state| serde_json::from_str(state).ok())
        .unwrap_or_default();
    let pairs = state.get("selected").and_then(Value::as_array);
    pairs
        .into_iter()
        .flatten()
        .filter_map(|pair| {
            let block_type = pair.get(0)?.as_str()?;
            let block_id = pair.get(1)?.as_str()?;
            Some(BlockKey::new(block_type, block_id))
        })
        .collect()
}

/// A state with another `selected`; the rest of it stays.
#[must_use]
pub fn write(state: Option<&str>, selected: &[BlockKey]) -> String {
    let mut state: Map<String, Value> = state
        .and_then(|state| serde_json::from_str(state).ok())
        .unwrap_or_default();
    let pairs: Vec<Value> = selected
        .iter()
        .map(|key| json!([&*key.block_type, &*key.block_id]))
        .collect();
    state.insert("selected".into(), pairs.into());
    Value::Object(state).to_string()
}

/// The learner's selections of some blocks, made and stored where they are missing or out of line. One statement
/// reads them; an anonymous visitor's are drawn anew and kept nowhere.
pub async fn of_blocks(
    db: &Db,
    learner: &Learner,
    blocks: &[BlockRef<'_>],
    now: DateTime<Utc>,
) -> Result<HashMap<BlockKey, Selection>> {
    let mut made = HashMap::new();
    if blocks.is_empty() {
        return Ok(made);
    }
    let mut states: HashMap<String, StudentModule> = HashMap::new();
    if let Some(user) = learner.user_id() {
        let ids: Vec<String> = blocks.iter().map(|b| usage_text(b.usage_key())).collect();
        for row in student_modules::get_many(db, user, &learner.course, &ids).await? {
            states.insert(row.module_id.clone(), row);
        }
    }
    for block in blocks {
        let children: Vec<BlockKey> = block.children().map(BlockRef::key).collect();
        if children.is_empty() {
            continue;
        }
        let stored = states.get(&usage_text(block.usage_key()));
        let stored = read(stored.and_then(|row| row.state.as_deref()));
        let max_count = block.integer("max_count").unwrap_or(1);
        let mut selection = select(&stored, &children, max_count);
        if selection.is_changed()
            && let Some(user) = learner.user_id()
        {
            selection = store(db, user, *block, &children, max_count, now).await?;
        }
        made.insert(block.key(), selection);
    }
    Ok(made)
}

/// Makes the selection again over the locked row, so that two requests at once give the learner one selection.
async fn store(
    db: &Db,
    user: i64,
    block: BlockRef<'_>,
    children: &[BlockKey],
    max_count: i64,
    now: DateTime<Utc>,
) -> Result<Selection> {
    let now = now.naive_utc();
    let usage = block.usage_key();
    let selection = db
        .write(|mut tx| async move {
            let row = student_modules::get_locked(&mut tx, user, usage).await?;
            let mut row = row.unwrap_or_else(|| StudentModule::new(user, usage, now));
            let stored = read(row.state.as_deref());
            let selection = select(&stored, children, max_count);
            if selection.is_changed() {
                row.state = Some(write(row.state.as_deref(), &selection.selected));
                row.modified = now;
                student_modules::save(&mut tx, &row, false).await?;
            }
            Ok::<_, db::Error>(selection)
        })
        .await?;
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(id: u8) -> BlockKey {
        BlockKey::new("problem", id.to_string())
    }

    /// courseware.md §17, check 50.
    #[test]
    fn selections_are_sticky() {
        let children: Vec<BlockKey> = (0..5).map(key).collect();
        let first = select(&[], &children, 2);
        assert_eq!((first.selected.len(), first.added.len()), (2, 2));
        let again = select(&first.selected, &children, 2);
        assert_eq!(again.selected, first.selected);
        assert!(!again.is_changed());
        let fewer = select(&first.selected, &children, 1);
        assert_eq!((fewer.selected.len(), fewer.overlimit.len()), (1, 1));
        let without: Vec<BlockKey> = children
            .iter()
            .filter(|key| **key != first.selected[0])
            .cloned()
            .collect();
        let replaced = select(&first.selected, &without, 2);
        assert_eq!((replaced.invalid.len(), replaced.added.len()), (1, 1));
        assert_eq!(select(&[], &children, -1).selected.len(), 5);
    }

    #[test]
    fn states_keep_their_other_fields() {
        let state = write(Some(r#"{"a":1,"selected":[]}"#), &[key(7)]);
        assert_eq!(read(Some(&state)), [key(7)]);
        assert!(state.contains("\"a\":1"));
        assert!(read(Some("no json")).is_empty());
    }

    proptest! {
        /// A selection has as many children as it may, each once, and making it again changes nothing.
        #[test]
        fn selections_fit(
            stored in proptest::collection::btree_set(0_u8..9, 0..9),
            children in proptest::collection::btree_set(0_u8..9, 0..9),
            max_count in -1_i64..9,
        ) {
            let stored: Vec<BlockKey> = stored.into_iter().map(key).collect();
            let children: Vec<BlockKey> = children.into_iter().map(key).collect();
            let made = select(&stored, &children, max_count);
            let limit = usize::try_from(max_count).unwrap_or(children.len());
            prop_assert_eq!(made.selected.len(), limit.min(children.len()));
            prop_assert!(made.selected.iter().all(|key| children.contains(key)));
            let again = select(&made.selected, &children, max_count);
            prop_assert_eq!(again.selected, made.selected);
        }
    }
}
