//! Completion in the tree (courseware.md §5, §8.1 last row).

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use course_model::block_types::Completion;
use course_model::{BlockIdx, BlockRef};
use db::Db;
use opaque_keys::UsageKey;

use super::tree::Tree;
use crate::Result;
use crate::view::CourseView;

/// What is known of a learner's completion.
#[derive(Debug, Default)]
pub(crate) struct Completions {
    values: HashMap<BlockIdx, f64>,
    complete: HashSet<BlockIdx>,
    resume: HashSet<BlockIdx>,
    loaded: bool,
    newest: Option<String>,
}

impl Completions {
    /// Loads the learner's completions, with one statement.
    pub async fn load(db: &Db, view: &CourseView, tree: &Tree<'_>) -> Result<Self> {
        let mut latest: Option<(NaiveDateTime, i64, BlockIdx)> = None;
        let mut newest: Option<(NaiveDateTime, i64)> = None;
        let mut found = Self {
            loaded: true,
            ..Self::default()
        };
        if let Some(user) = view.learner.user_id() {
            let rows = records::completion::of_course(db, user, &view.learner.course).await?;
            for row in rows {
                if newest.is_none_or(|known| known < (row.modified, row.id)) {
                    newest = Some((row.modified, row.id));
                    found.newest = Some(row.block_key.clone());
                }
                let idx = UsageKey::parse(&row.block_key)
                    .ok()
                    .and_then(|usage| view.course.find_usage(&usage));
                let Some(idx) = idx else {
                    continue;
                };
                found.values.insert(idx, row.completion);
                let newer = latest.is_none_or(|(at, id, _)| (at, id) < (row.modified, row.id));
                if row.completion == 1.0 && newer {
                    latest = Some((row.modified, row.id, idx));
                }
            }
        }
        if let Some((_, _, idx)) = latest {
            found.mark(tree, view, idx);
        }
        Ok(found)
    }

    /// Marks what is complete, and the way to the block where the learner goes on.
    fn mark(&mut self, tree: &Tree<'_>, view: &CourseView, latest: BlockIdx) {
        for idx in tree.postorder() {
            let block = view.course.block(idx);
            let complete = match block.kind().completion {
                Completion::Excluded => false,
                Completion::Completable => self.values.get(&idx) == Some(&1.0),
                Completion::Aggregator => tree.children(idx).iter().all(|child| {
                    self.complete.contains(child)
                        || view.course.block(*child).kind().completion == Completion::Excluded
                }),
            };
            if complete {
                self.complete.insert(idx);
            }
            let here = idx == latest
                || tree
                    .children(idx)
                    .iter()
                    .any(|child| self.resume.contains(child));
            if here {
                self.resume.insert(idx);
            }
        }
    }

    /// `completion` of a block.
    pub fn value(&self, block: BlockRef<'_>) -> Option<f64> {
        let completable = block.kind().completion == Completion::Completable;
        (self.loaded && completable)
            .then(|| self.values.get(&block.idx()).copied().unwrap_or_default())
    }

    /// The stored value of a block, none where nothing is stored.
    pub fn stored(&self, idx: BlockIdx) -> Option<f64> {
        self.values.get(&idx).copied()
    }

    /// Text of the key of the block whose completion changed last, whatever its value (courseware.md §5, resume).
    pub fn newest(&self) -> Option<&str> {
        self.newest.as_deref()
    }

    pub fn is_complete(&self, idx: BlockIdx) -> bool {
        self.complete.contains(&idx)
    }

    pub fn is_resume(&self, idx: BlockIdx) -> bool {
        self.resume.contains(&idx)
    }
}
