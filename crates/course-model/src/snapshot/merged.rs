//! Values merged along all ancestors, which access decisions use beside the inherited ones
//! (courseware.md §7.3, §8.1).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{BlockIdx, BlockRef, CourseSnapshot};

/// Which groups of a partition have access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupRule {
    /// These group ids.
    Groups(Vec<i64>),
    /// Nobody: the lists of two ancestors have no group in common.
    Nobody,
}

/// Rules by partition id; a partition without rule restricts nobody.
pub type GroupRules = BTreeMap<i64, GroupRule>;

/// The non-empty lists of one stored `group_access` value.
fn own_rules(value: Option<&Value>) -> Vec<(i64, Vec<i64>)> {
    let groups = |value: &Value| {
        value
            .as_array()
            .map(|groups| groups.iter().filter_map(Value::as_i64).collect::<Vec<_>>())
    };
    let rules = value.and_then(Value::as_object).into_iter().flatten();
    rules
        .filter_map(|(partition, value)| Some((partition.trim().parse().ok()?, groups(value)?)))
        .filter(|(_, groups)| !groups.is_empty())
        .collect()
}

/// Adds the rules of a block to those of its ancestors: both must let a group pass.
fn restrict(rules: &mut GroupRules, own: Vec<(i64, Vec<i64>)>) {
    for (partition, groups) in own {
        let rule = match rules.remove(&partition) {
            None => GroupRule::Groups(groups),
            Some(GroupRule::Nobody) => GroupRule::Nobody,
            Some(GroupRule::Groups(above)) => {
                let both: Vec<_> = groups.into_iter().filter(|id| above.contains(id)).collect();
                if both.is_empty() {
                    GroupRule::Nobody
                } else {
                    GroupRule::Groups(both)
                }
            }
        };
        rules.insert(partition, rule);
    }
}

impl BlockRef<'_> {
    /// Group rules along the chain of parents, by which a block is loaded (courseware.md §7.3).
    #[must_use]
    pub fn merged_group_access(self) -> GroupRules {
        let mut chain: Vec<_> = self.ancestors().collect();
        chain.reverse();
        chain.push(self);
        let mut rules = GroupRules::new();
        for block in chain {
            restrict(&mut rules, own_rules(block.field("group_access")));
        }
        rules
    }
}

/// Values of all blocks of the course tree merged over all ways from the root (courseware.md §8.1), in one
/// table a field with an entry a block. Blocks outside the tree have the values of a course's root.
#[derive(Debug, Clone)]
pub struct MergedFields {
    visible_to_staff_only: Vec<bool>,
    hide_from_toc: Vec<bool>,
    start: Vec<DateTime<Utc>>,
    group_access: Vec<GroupRules>,
}

/// Start of a course that has none: 2030.
const FAR: i64 = 1_893_456_000;

impl MergedFields {
    /// Computes the table of a snapshot.
    #[must_use]
    pub fn of(snapshot: &CourseSnapshot) -> Self {
        let far = DateTime::from_timestamp(FAR, 0).unwrap_or_default();
        let mut merged = Self {
            visible_to_staff_only: vec![false; snapshot.len()],
            hide_from_toc: vec![false; snapshot.len()],
            start: vec![far; snapshot.len()],
            group_access: vec![GroupRules::new(); snapshot.len()],
        };
        for idx in snapshot.topological() {
            merged.add(snapshot.block(idx), far);
        }
        merged
    }

    fn add(&mut self, block: BlockRef<'_>, far: DateTime<Utc>) {
        let parents: Vec<BlockIdx> = block.parents().map(BlockRef::idx).collect();
        let at = block.idx().index();
        // Hidden when hidden itself or on every way from the root.
        let flag = |table: &[bool], name: &str| {
            let above = !parents.is_empty()
                && parents
                    .iter()
                    .all(|parent| table.get(parent.index()) == Some(&true));
            above || (block.own(name).is_some() && block.flag(name))
        };
        let staff_only = flag(&self.visible_to_staff_only, "visible_to_staff_only");
        let hide_from_toc = flag(&self.hide_from_toc, "hide_from_toc");
        // The latest start on a way from the root; of several ways the earliest.
        let own = block.own_date("start");
        let above = parents
            .iter()
            .filter_map(|parent| self.start.get(parent.index()))
            .min();
        let start = match (above, own) {
            (Some(above), Some(own)) => own.max(*above),
            (Some(above), None) => *above,
            (None, own) => own.unwrap_or(far),
        };
        // A group passes where some way from the root lets it pass.
        let mut rules = self.any_way(&parents);
        restrict(&mut rules, own_rules(block.own("group_access")));
        let set = |slot: Option<&mut bool>, value: bool| {
            if let Some(slot) = slot {
                *slot = value;
            }
        };
        set(self.visible_to_staff_only.get_mut(at), staff_only);
        set(self.hide_from_toc.get_mut(at), hide_from_toc);
        if let Some(slot) = self.start.get_mut(at) {
            *slot = start;
        }
        if let Some(slot) = self.group_access.get_mut(at) {
            *slot = rules;
        }
    }

    fn any_way(&self, parents: &[BlockIdx]) -> GroupRules {
        let mut ways = parents
            .iter()
            .filter_map(|parent| self.group_access.get(parent.index()));
        let mut rules = ways.next().cloned().unwrap_or_default();
        for way in ways {
            rules.retain(|partition, _| way.contains_key(partition));
            for (partition, rule) in &mut rules {
                match (&mut *rule, way.get(partition)) {
                    (GroupRule::Groups(groups), Some(GroupRule::Groups(more))) => {
                        groups.extend(
                            more.iter()
                                .filter(|id| !groups.contains(id))
                                .copied()
                                .collect::<Vec<_>>(),
                        );
                    }
                    (GroupRule::Nobody, Some(other)) => *rule = other.clone(),
                    _ => {}
                }
            }
        }
        rules
    }

    /// Whether the block is hidden from learners on every way from the root.
    #[must_use]
    pub fn visible_to_staff_only(&self, idx: BlockIdx) -> bool {
        self.visible_to_staff_only
            .get(idx.index())
            .copied()
            .unwrap_or_default()
    }

    /// Whether the block is left out of the table of contents on every way from the root.
    #[must_use]
    pub fn hide_from_toc(&self, idx: BlockIdx) -> bool {
        self.hide_from_toc
            .get(idx.index())
            .copied()
            .unwrap_or_default()
    }

    /// When the block opens: the latest start among its ancestors and itself.
    #[must_use]
    pub fn start(&self, idx: BlockIdx) -> DateTime<Utc> {
        self.start.get(idx.index()).copied().unwrap_or_default()
    }

    /// Group rules of the block and its ancestors.
    #[must_use]
    pub fn group_access(&self, idx: BlockIdx) -> &GroupRules {
        static NONE: GroupRules = GroupRules::new();
        self.group_access.get(idx.index()).unwrap_or(&NONE)
    }
}
