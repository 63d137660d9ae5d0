//! Which blocks a learner completed, and how that comes about (courseware.md §5).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use course_model::BlockRef;
use course_model::block_types::Completion;
use db::{Db, Tx};
use opaque_keys::{CourseKey, UsageKey};

use crate::learner::{Learner, flags};
use crate::{Result, access};

/// Milliseconds that a block must be in view before it counts as seen.
pub const VIEW_DELAY: u32 = 5000;

/// Types that report their completion themselves.
const CUSTOM: [&str; 5] = ["video", "poll", "survey", "drag-and-drop-v2", "done"];

/// Whether completion is tracked at all.
#[must_use]
pub fn is_tracked(learner: &Learner) -> bool {
    learner.flag(flags::COMPLETION_TRACKING)
}

/// Whether a block reports its completion itself.
#[must_use]
pub fn is_custom(block_type: &str) -> bool {
    CUSTOM.contains(&block_type)
}

/// Whether a block is complete once it was seen: it gives no points and does not report by itself.
#[must_use]
pub fn on_view(block: BlockRef<'_>) -> bool {
    block.kind().completion == Completion::Completable
        && !access::has_score(block)
        && !is_custom(block.block_type())
}

/// Whether a grade completes a block.
#[must_use]
pub fn on_grade(block: BlockRef<'_>) -> bool {
    block.kind().completion == Completion::Completable
        && access::has_score(block)
        && !is_custom(block.block_type())
}

/// The completions of one learner for some blocks.
#[derive(Debug, Clone, Default)]
pub struct Completions {
    values: HashMap<String, f64>,
}

impl Completions {
    /// Loads the completions of blocks (texts of usage keys) with one statement; none for anonymous visitors.
    pub async fn load(
        db: &Db,
        user_id: Option<i64>,
        course: &CourseKey,
        usages: &[String],
    ) -> Result<Self> {
        let Some(user_id) = user_id else {
            return Ok(Self::default());
        };
        if usages.is_empty() {
            return Ok(Self::default());
        }
        let rows = records::completion::of_blocks(db, user_id, course, usages).await?;
        Ok(Self::of(&rows))
    }

    /// Takes stored rows.
    #[must_use]
    pub fn of(rows: &[records::completion::BlockCompletion]) -> Self {
        Self {
            values: rows
                .iter()
                .map(|row| (row.block_key.clone(), row.completion))
                .collect(),
        }
    }

    /// Takes values by texts of usage keys.
    #[must_use]
    pub fn of_values(values: impl IntoIterator<Item = (String, f64)>) -> Self {
        Self {
            values: values.into_iter().collect(),
        }
    }

    /// Whether nothing at all is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether a leaf is complete.
    #[must_use]
    pub fn is_complete(&self, usage: &str) -> bool {
        self.values.get(usage).is_some_and(|value| *value >= 1.0)
    }

    /// How far a leaf is complete; none without a record.
    #[must_use]
    pub fn value(&self, usage: &str) -> Option<f64> {
        self.values.get(usage).copied()
    }
}

/// Whether every leaf that can be completed is, among blocks that the learner may see. `children` gives those of a
/// block; a container with nothing to complete counts as complete.
pub fn subtree_is_complete<'a>(
    block: BlockRef<'a>,
    completions: &Completions,
    children: &dyn Fn(BlockRef<'a>) -> Vec<BlockRef<'a>>,
    depth: u32,
) -> bool {
    match block.kind().completion {
        Completion::Excluded => true,
        Completion::Completable => completions.is_complete(&block.usage_key().to_string()),
        Completion::Aggregator => {
            depth == 0
                || children(block)
                    .into_iter()
                    .all(|child| subtree_is_complete(child, completions, children, depth - 1))
        }
    }
}

/// Stores one completion inside a transaction.
pub async fn submit(
    tx: &mut Tx,
    user_id: i64,
    usage: &UsageKey,
    value: f64,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let blocks = [(usage.clone(), value)];
    let course = usage.course_key();
    records::completion::submit(tx, user_id, course, &blocks, now.naive_utc()).await?;
    Ok(())
}
