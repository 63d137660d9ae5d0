//! Access to the blocks of a tree: what is taken out, in the order of courseware.md §8.1.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use course_model::snapshot::{GroupRule, GroupRules};
use course_model::{BlockIdx, BlockKey, BlockRef};
use modulestore::ModuleStore;
use opaque_keys::UsageKey;
use serde_json::Value;

use super::Query;
use super::tree::Tree;
use crate::Result;
use crate::access::{self, MergedView, early_start};
use crate::partitions::{CONTENT_TYPE_GATE, FULL_ACCESS, LIMITED_ACCESS};
use crate::selection::Selection;
use crate::view::CourseView;

/// The partitions' word on a block.
enum GroupVerdict {
    Passes,
    /// Denied without a word.
    Denied,
    /// Denied with something to say.
    Refused(Refusal),
}

/// Why a block that stays is denied.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// Name of the partition.
    pub reason: String,
    /// What the person is told.
    pub message: String,
}

/// Children of split tests and the group for which each is: partition and group; no group for a child that no group
/// has.
pub(super) type Splits = HashMap<BlockIdx, (i64, Option<i64>)>;

/// Reads the split tests of a tree.
pub(super) async fn splits(
    store: &ModuleStore,
    tree: &Tree<'_>,
    view: &CourseView,
) -> Result<Splits> {
    let tests: Vec<BlockIdx> = tree
        .blocks()
        .filter(|block| block.block_type() == "split_test")
        .map(BlockRef::idx)
        .collect();
    let mut found = Splits::new();
    if tests.is_empty() {
        return Ok(found);
    }
    let contents = store.definitions(&view.course, &tests).await?;
    for (test, content) in tests.into_iter().zip(contents) {
        let block = view.course.block(test);
        let field = |name: &str| content.get(name).or_else(|| block.field(name));
        let Some(partition) = field("user_partition_id").and_then(Value::as_i64) else {
            continue;
        };
        let children = field("group_id_to_child").and_then(Value::as_object);
        let group_of: HashMap<BlockKey, i64> = children
            .into_iter()
            .flatten()
            .filter_map(|(group, child)| {
                let child = UsageKey::parse(child.as_str()?).ok()?;
                Some((BlockKey::from(&child), group.parse().ok()?))
            })
            .collect();
        for child in block.children() {
            let group = group_of.get(&child.key()).copied();
            found.insert(child.idx(), (partition, group));
        }
    }
    Ok(found)
}

/// Takes the split tests themselves out; the chosen children move up.
pub(super) fn dissolve_splits(tree: &mut Tree<'_>) {
    tree.dissolve(|block| block.block_type() == "split_test");
}

/// The decisions of one request.
pub(super) struct Access<'a> {
    view: &'a CourseView,
    query: &'a Query,
    splits: &'a Splits,
    merged: &'a MergedView,
    staff: bool,
}

impl<'a> Access<'a> {
    pub fn new(
        view: &'a CourseView,
        query: &'a Query,
        splits: &'a Splits,
        merged: &'a MergedView,
    ) -> Self {
        Self {
            view,
            query,
            splits,
            merged,
            staff: view.learner.is_staff(),
        }
    }

    /// Leaves each library's block the children that the learner has, in their order.
    pub fn select(&self, tree: &mut Tree<'_>, selections: &HashMap<BlockKey, Selection>) {
        let mut unselected = HashSet::new();
        for (key, selection) in selections {
            let Some(library) = self.view.course.find(key) else {
                continue;
            };
            let chosen: Vec<BlockIdx> = selection
                .selected
                .iter()
                .filter_map(|key| self.view.course.find(key))
                .collect();
            let children = tree.children(library);
            unselected.extend(
                children
                    .iter()
                    .filter(|child| !chosen.contains(child))
                    .copied(),
            );
            tree.set_children(library, chosen);
        }
        if !unselected.is_empty() {
            tree.remove(|block| unselected.contains(&block.idx()));
        }
    }

    /// Whether something of the tree opens later.
    pub fn scheduled(&self, tree: &Tree<'_>) -> bool {
        self.query.wants("has_scheduled_content")
            && tree.blocks().any(|block| !self.has_started(block))
    }

    /// Blocks before which the content gate stands for this learner, and all above them.
    pub fn gated(&self, tree: &Tree<'_>) -> HashSet<BlockIdx> {
        let limited = self.view.groups.of(CONTENT_TYPE_GATE) == Some(LIMITED_ACCESS);
        let mut gated = HashSet::new();
        if !limited {
            return gated;
        }
        for idx in tree.postorder() {
            let above = tree.children(idx).iter().any(|child| {
                gated.contains(child) || self.is_gated(self.view.course.block(*child))
            });
            if above {
                gated.insert(idx);
            }
        }
        gated
    }

    fn is_gated(&self, block: BlockRef<'_>) -> bool {
        access::is_gated(block, &self.view.learner, self.view.now)
    }

    /// Takes out whatever the learner may not see. Blocks that are denied with a message stay in version 2, with what
    /// is said about them in `denials`.
    pub fn remove(&self, tree: &mut Tree<'_>, denials: &mut HashMap<BlockIdx, Refusal>) {
        if self.staff {
            return;
        }
        let mut silent = HashSet::new();
        for block in tree.blocks() {
            match self.group_verdict(block) {
                GroupVerdict::Passes => {}
                GroupVerdict::Denied => drop(silent.insert(block.idx())),
                GroupVerdict::Refused(refusal) => drop(denials.insert(block.idx(), refusal)),
            }
        }
        let hide_denied = self.query.hide_denied;
        let denied: HashSet<BlockIdx> = denials.keys().copied().collect();
        tree.remove(|block| {
            !(self.query.allow_future || self.has_started(block))
                || self.merged.visible_to_staff_only(block.idx())
                || silent.contains(&block.idx())
                || (hide_denied && denied.contains(&block.idx()))
                || self.is_milestone_unmet(block)
                || self.is_unshown_exam(block)
                || self.is_hidden_after_due(block)
        });
    }

    fn has_started(&self, block: BlockRef<'_>) -> bool {
        let view = self.view;
        let start = self.merged.start(block.idx());
        if view.rules.disable_start_dates || view.learner.masquerade.is_some() || start <= view.now
        {
            return true;
        }
        let beta = block.float("days_early_for_beta");
        view.learner.roles.is_beta_tester(&view.learner.course)
            && early_start(start, beta) <= view.now
    }

    fn group_verdict(&self, block: BlockRef<'_>) -> GroupVerdict {
        let mut rules: GroupRules = self.merged.group_access(block.idx()).clone();
        if self.is_gated(block) {
            rules
                .entry(CONTENT_TYPE_GATE)
                .or_insert_with(|| GroupRule::Groups(vec![FULL_ACCESS]));
        }
        let mut silent = false;
        for (id, rule) in &rules {
            let Some(partition) = self.view.groups.partition(*id).filter(|one| one.active) else {
                continue;
            };
            let passes = match rule {
                GroupRule::Nobody => false,
                GroupRule::Groups(allowed) => self
                    .view
                    .groups
                    .of(*id)
                    .is_some_and(|group| allowed.contains(&group)),
            };
            if passes {
                continue;
            }
            if *id == CONTENT_TYPE_GATE {
                let denied = access::Denied::of(access::Denial::IncorrectGroup { gate: true });
                return GroupVerdict::Refused(Refusal {
                    reason: partition.name.clone(),
                    message: denied.user_message.unwrap_or_default(),
                });
            }
            silent = true;
        }
        if silent || self.is_other_split(block) {
            GroupVerdict::Denied
        } else {
            GroupVerdict::Passes
        }
    }

    /// Whether the block is the child of a split test that another group has.
    fn is_other_split(&self, block: BlockRef<'_>) -> bool {
        let Some((partition, group)) = self.splits.get(&block.idx()) else {
            return false;
        };
        let groups = &self.view.groups;
        let known = groups.partition(*partition).is_some_and(|one| one.active);
        known && (group.is_none() || groups.of(*partition) != *group)
    }

    /// Whether a gated sequence, or every chapter beside an entrance exam, waits for the learner.
    fn is_milestone_unmet(&self, block: BlockRef<'_>) -> bool {
        let milestones = &self.view.learner.milestones;
        if !milestones.entrance_exams.is_empty() && block.block_type() == "chapter" {
            let usage = block.usage_key().to_string();
            if !milestones.entrance_exams.contains(&usage) {
                return true;
            }
        }
        if milestones.gated.is_empty() || self.query.wants("show_gated_sections") {
            return false;
        }
        milestones.gated.contains(&block.usage_key().to_string())
    }

    fn is_unshown_exam(&self, block: BlockRef<'_>) -> bool {
        self.query.special_exams
            && block.block_type() == "sequential"
            && !self.query.wants("special_exam_info")
            && (block.flag("is_time_limited")
                || block.flag("is_proctored_enabled")
                || block.flag("is_practice_exam"))
    }

    fn is_hidden_after_due(&self, block: BlockRef<'_>) -> bool {
        if !self.merged.hide_after_due(block.idx()) {
            return false;
        }
        let root = self.view.course.course();
        let due: Option<DateTime<Utc>> = if root.flag("self_paced") {
            self.view.facts.end
        } else {
            self.view.date(block, "due")
        };
        due.is_some_and(|due| due < self.view.now)
    }
}
