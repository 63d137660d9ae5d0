//! Values merged over all ways from the root (courseware.md §8.1), for one request.

use chrono::{DateTime, Utc};
use course_model::snapshot::{GroupRules, MergedFields};
use course_model::{BlockIdx, BlockRef};

use crate::view::CourseView;

/// The merged values of a view's version.
#[derive(Debug, Clone)]
pub struct MergedView {
    fields: MergedFields,
    hide_after_due: Vec<bool>,
}

impl MergedView {
    /// Computes them in one walk of the course.
    #[must_use]
    pub fn of(view: &CourseView) -> Self {
        let snapshot = &view.course;
        let mut hide_after_due = vec![false; snapshot.len()];
        for idx in snapshot.topological() {
            let block = snapshot.block(idx);
            let mut parents = block.parents().map(BlockRef::idx).peekable();
            let above = parents.peek().is_some()
                && parents.all(|parent| hide_after_due.get(parent.index()) == Some(&true));
            if let Some(slot) = hide_after_due.get_mut(idx.index()) {
                *slot = above || block.flag("hide_after_due");
            }
        }
        Self {
            fields: MergedFields::of(snapshot),
            hide_after_due,
        }
    }

    /// Whether a block is hidden from learners on every way from the root.
    #[must_use]
    pub fn visible_to_staff_only(&self, idx: BlockIdx) -> bool {
        self.fields.visible_to_staff_only(idx)
    }

    /// Whether a block disappears when its due date has passed.
    #[must_use]
    pub fn hide_after_due(&self, idx: BlockIdx) -> bool {
        self.hide_after_due
            .get(idx.index())
            .copied()
            .unwrap_or_default()
    }

    /// When a block opens: the latest start among its ancestors and itself.
    #[must_use]
    pub fn start(&self, idx: BlockIdx) -> DateTime<Utc> {
        self.fields.start(idx)
    }

    /// Group rules of a block and its ancestors.
    #[must_use]
    pub fn group_access(&self, idx: BlockIdx) -> &GroupRules {
        self.fields.group_access(idx)
    }
}
