//! The tree of the course home and of the navigation beside a unit (courseware.md §15.5, §15.6).

use std::collections::{HashMap, HashSet};

use course_model::block_types::Completion;
use course_model::{BlockIdx, BlockRef};
use db::Db;
use modulestore::ModuleStore;
use serde_json::{Map, Value, json};

use super::Links;
use super::course_outline::{self, SeenOutline};
use super::published_outline;
use crate::Result;
use crate::access::has_score;
use crate::blocks_api::{self, Allowed, Completions, Query, Tree};
use crate::catalog::rest_date;
use crate::view::CourseView;

/// Types that give points elsewhere and are no question.
const TOOLS: [&str; 2] = ["lti", "lti_consumer"];

/// Icon of whatever is graded.
const GRADED_ICON: &str = "fa-pencil-square-o";

/// The blocks of a course as one person sees them in outlines.
pub struct OutlineTree<'a> {
    view: &'a CourseView,
    tree: Tree<'a>,
    seen: SeenOutline,
    completions: Completions,
    scheduled: Option<bool>,
    gated: HashSet<BlockIdx>,
    /// Graded and scored blocks below and including each block.
    questions: HashMap<BlockIdx, u64>,
    scored: HashSet<BlockIdx>,
}

impl<'a> OutlineTree<'a> {
    /// Loads the tree that outlines show: completions and, for courses with libraries, selections are read.
    pub async fn load(
        db: &Db,
        store: &ModuleStore,
        allowed: Allowed<'a>,
        special_exams: bool,
    ) -> Result<Self> {
        let query = Query {
            special_exams,
            ..Query::default()
        };
        let mut tree = Self::read(db, store, allowed, query).await?;
        tree.count();
        tree.filter();
        Ok(tree)
    }

    /// Loads everything that the learner can or will be able to open.
    pub async fn load_all(db: &Db, store: &ModuleStore, allowed: Allowed<'a>) -> Result<Self> {
        let query = Query {
            allow_future: true,
            ..Query::default()
        };
        Self::read(db, store, allowed, query).await
    }

    async fn read(
        db: &Db,
        store: &ModuleStore,
        allowed: Allowed<'a>,
        mut query: Query,
    ) -> Result<Self> {
        let view = allowed.view();
        for field in [
            "special_exam_info",
            "show_gated_sections",
            "has_scheduled_content",
        ] {
            query.fields.insert(field.to_owned());
        }
        let seen = blocks_api::seen(db, store, allowed, view.course.root(), &query).await?;
        let scheduled = (!view.learner.is_staff()).then_some(seen.scheduled);
        let completions = Completions::load(db, view, &seen.tree).await?;
        let listed = published_outline::outline(&view.course, view.now.naive_utc());
        Ok(Self {
            view,
            tree: seen.tree,
            seen: course_outline::of_view(view, &listed),
            completions,
            scheduled,
            gated: seen.gated,
            questions: HashMap::new(),
            scored: HashSet::new(),
        })
    }

    /// Counts questions and marks what gives points.
    fn count(&mut self) {
        for idx in self.tree.postorder() {
            let block = self.block(idx);
            let weighs = block.float("weight").is_none_or(|weight| weight > 0.0);
            let scored = has_score(block) && weighs;
            let question = scored && block.flag("graded") && !TOOLS.contains(&block.block_type());
            let children = self.tree.children(idx);
            let below: u64 = children
                .iter()
                .filter_map(|child| self.questions.get(child))
                .sum();
            if scored || children.iter().any(|child| self.scored.contains(child)) {
                self.scored.insert(idx);
            }
            self.questions.insert(idx, below + u64::from(question));
        }
    }

    /// Leaves sections and sequences that the learning-sequence outline lists; other children of sections stay.
    fn filter(&mut self) {
        let listed = self.seen.section_keys();
        let sequences: HashSet<&str> = self
            .seen
            .sequences()
            .map(|sequence| sequence.usage_key.as_str())
            .collect();
        let root = self.view.course.root();
        let sections: Vec<BlockIdx> = self
            .tree
            .children(root)
            .iter()
            .copied()
            .filter(|idx| listed.contains(key(self.block(*idx)).as_str()))
            .collect();
        for section in &sections {
            let kept = self
                .tree
                .children(*section)
                .iter()
                .copied()
                .filter(|idx| {
                    let block = self.block(*idx);
                    block.block_type() != "sequential" || sequences.contains(key(block).as_str())
                })
                .collect();
            self.tree.set_children(*section, kept);
        }
        self.tree.set_children(root, sections);
    }

    fn block(&self, idx: BlockIdx) -> BlockRef<'a> {
        self.view.course.block(idx)
    }

    /// Whether the viewer sees any of the course.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.tree.contains(self.view.course.root())
    }

    /// The block that the learner goes on with: the last one whose completion changed, else the first leaf; and
    /// whether they were there at all.
    #[must_use]
    pub fn resume(&self, links: &Links<'_>) -> (bool, Option<String>) {
        if let Some(newest) = self.completions.newest() {
            let course = &self.view.facts.key;
            let url = format!("{}/courses/{course}/jump_to/{newest}", links.base);
            return (true, Some(url));
        }
        if self.is_empty() {
            return (false, None);
        }
        let mut idx = self.view.course.root();
        while let Some(first) = self.tree.children(idx).first() {
            idx = *first;
        }
        (false, Some(links.jump_to(self.block(idx).usage_key())))
    }

    /// What both answers say of a block.
    fn common(
        &self,
        idx: BlockIdx,
        children: &[BlockIdx],
        links: Option<&Links<'_>>,
    ) -> Map<String, Value> {
        let block = self.block(idx);
        let children: Vec<Value> = children
            .iter()
            .map(|child| key(self.block(*child)).into())
            .collect();
        let mut name = match block.field("display_name") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(name)) => name.clone(),
            Some(other) => other.to_string(),
        };
        let questions = self.questions.get(&idx).copied().unwrap_or_default();
        if block.block_type() == "sequential" && questions > 0 {
            let noun = if questions == 1 {
                "Question"
            } else {
                "Questions"
            };
            name = format!("{name} ({questions} {noun})");
        }
        let graded = block.flag("graded") && self.scored.contains(&idx);
        let is_root = idx == self.view.course.root();
        let mut out = Map::new();
        out.insert("children".into(), children.into());
        out.insert("complete".into(), self.completions.is_complete(idx).into());
        out.insert(
            "description".into(),
            block.field("format").cloned().unwrap_or_default(),
        );
        out.insert("display_name".into(), name.into());
        out.insert(
            "due".into(),
            self.view.date(block, "due").map(rest_date).into(),
        );
        out.insert("effort_activities".into(), Value::Null);
        out.insert("effort_time".into(), Value::Null);
        out.insert("icon".into(), graded.then_some(GRADED_ICON).into());
        out.insert("id".into(), key(block).into());
        out.insert(
            "lms_web_url".into(),
            links.map(|links| links.jump_to(block.usage_key())).into(),
        );
        out.insert(
            "resume_block".into(),
            self.completions.is_resume(idx).into(),
        );
        out.insert("type".into(), block.block_type().into());
        out.insert(
            "has_scheduled_content".into(),
            self.scheduled.filter(|_| is_root).into(),
        );
        out.insert("hide_from_toc".into(), block.flag("hide_from_toc").into());
        out
    }

    /// `course_blocks` of the outline: down to sequences. `links` where the viewer may follow them.
    #[must_use]
    pub fn outline_json(&self, links: Option<&Links<'_>>) -> Value {
        let mut blocks = Map::new();
        let mut stack = vec![self.view.course.root()];
        while let Some(idx) = stack.pop() {
            if !self.tree.contains(idx) {
                continue;
            }
            let children: &[BlockIdx] = if self.block(idx).block_type() == "sequential" {
                &[]
            } else {
                self.tree.children(idx)
            };
            blocks.insert(
                key(self.block(idx)),
                self.common(idx, children, links).into(),
            );
            stack.extend(children.iter().rev());
        }
        json!({ "blocks": blocks })
    }

    /// The navigation beside a unit: down to units, with how much of each is complete.
    #[must_use]
    pub fn navigation_json(&self) -> Value {
        let open: HashSet<&str> = self
            .seen
            .sequences()
            .filter(|sequence| sequence.accessible)
            .map(|sequence| sequence.usage_key.as_str())
            .collect();
        let root = self.view.course.root();
        let sequences: HashSet<BlockIdx> = self
            .tree
            .children(root)
            .iter()
            .flat_map(|section| self.tree.children(*section))
            .copied()
            .collect();
        let stats = self.stats();
        let mut blocks = Map::new();
        let mut stack = vec![root];
        while let Some(idx) = stack.pop() {
            if !self.tree.contains(idx) {
                continue;
            }
            let block = self.block(idx);
            let children: &[BlockIdx] = if block.block_type() == "vertical" {
                &[]
            } else {
                self.tree.children(idx)
            };
            let mut out = self.common(idx, children, None);
            let stat = stats.get(&idx).cloned().unwrap_or_default();
            out.insert("complete".into(), stat.complete.into());
            out.insert(
                "completion_stat".into(),
                json!({"completion": stat.completion, "completable_children": stat.children}),
            );
            if sequences.contains(&idx) && !open.contains(key(block).as_str()) {
                out.insert("type".into(), "lock".into());
            }
            if block.block_type() == "vertical" {
                out.insert("icon".into(), self.unit_icon(idx).into());
            }
            blocks.insert(key(block), out.into());
            stack.extend(children.iter().rev());
        }
        json!({ "blocks": blocks })
    }

    fn unit_icon(&self, unit: BlockIdx) -> &'static str {
        let has = |name: &str| {
            self.tree
                .children(unit)
                .iter()
                .any(|child| self.block(*child).block_type() == name)
        };
        if has("problem") {
            "problem"
        } else if has("video") {
            "video"
        } else {
            "other"
        }
    }

    /// How much of each block is complete (courseware.md §15.5, navigation).
    fn stats(&self) -> HashMap<BlockIdx, Stat> {
        let mut stats: HashMap<BlockIdx, Stat> = HashMap::new();
        for idx in self.tree.postorder() {
            let block = self.block(idx);
            let children: Vec<(BlockIdx, &Stat)> = self
                .tree
                .children(idx)
                .iter()
                .filter(|child| self.block(**child).kind().completion != Completion::Excluded)
                .filter_map(|child| Some((*child, stats.get(child)?)))
                .collect();
            let is_container = block.kind().has_children;
            let stored = self.completions.stored(idx);
            let complete = if self.tree.children(idx).is_empty() {
                stored.is_some_and(|value| value != 0.0)
                    || (is_container
                        && matches!(
                            block.block_type(),
                            "course" | "chapter" | "sequential" | "vertical"
                        ))
            } else {
                children.iter().all(|(_, stat)| stat.complete)
            };
            let mut count = children.len() as u64;
            let completion: Value = match block.block_type() {
                "course" | "sequential" => children
                    .iter()
                    .filter(|(_, stat)| stat.complete)
                    .count()
                    .into(),
                "chapter" => {
                    count = children.iter().map(|(_, stat)| stat.children).sum();
                    let done: u64 = children
                        .iter()
                        .filter_map(|(_, stat)| stat.completion.as_u64())
                        .sum();
                    done.into()
                }
                "vertical" => self.sum(&children),
                _ => 0.into(),
            };
            let stat = Stat {
                complete,
                completion,
                children: count,
            };
            stats.insert(idx, stat);
        }
        stats
    }

    /// Sum of the completions of a unit's children: a whole number as long as nothing is stored.
    fn sum(&self, children: &[(BlockIdx, &Stat)]) -> Value {
        let mut sum = 0.0;
        let mut stored = false;
        for (idx, stat) in children {
            if self.block(*idx).kind().completion == Completion::Aggregator {
                sum += f64::from(u8::from(stat.complete));
            } else if let Some(value) = self.completions.stored(*idx) {
                sum += value;
                stored = true;
            }
        }
        if stored {
            sum.into()
        } else {
            (sum as u64).into()
        }
    }

    /// Sequences that are due, for dates and banners: each with whether all of its graded, scored leaves are
    /// complete and whether it holds gated content, in course order.
    #[must_use]
    pub fn assignments(&self) -> Vec<Assignment<'a>> {
        let mut found = Vec::new();
        for section in self.tree.children(self.view.course.root()) {
            for idx in self.tree.children(*section) {
                let block = self.block(*idx);
                if block.block_type() != "sequential" || !block.flag("graded") {
                    continue;
                }
                let Some(due) = self.view.date(block, "due") else {
                    continue;
                };
                found.push(Assignment {
                    block,
                    due,
                    complete: self.is_done(*idx),
                    gated: self.gated.contains(idx),
                    first: self.first_component(*idx),
                });
            }
        }
        found
    }

    /// Units that are complete, incomplete and closed by the content gate; what stands at the level of units counts
    /// as one (courseware.md §15.8 `completion_summary`).
    #[must_use]
    pub fn summary(&self) -> (u64, u64, u64) {
        let (mut complete, mut incomplete, mut locked) = (0, 0, 0);
        for section in self.tree.children(self.view.course.root()) {
            for sequence in self.tree.children(*section) {
                for unit in self.tree.children(*sequence) {
                    if self.gated.contains(unit) {
                        locked += 1;
                    } else if self.completions.is_complete(*unit) {
                        complete += 1;
                    } else {
                        incomplete += 1;
                    }
                }
            }
        }
        (complete, incomplete, locked)
    }

    /// Whether some of the course opens later; none for staff.
    #[must_use]
    pub fn has_scheduled_content(&self) -> Option<bool> {
        self.scheduled
    }

    /// Whether the content gate closes some of a block.
    #[must_use]
    pub fn is_gated(&self, idx: BlockIdx) -> bool {
        self.gated.contains(&idx)
    }

    fn first_component(&self, idx: BlockIdx) -> Option<BlockRef<'a>> {
        let unit = self.tree.children(idx).first()?;
        self.tree
            .children(*unit)
            .first()
            .map(|first| self.block(*first))
    }

    fn is_done(&self, sequence: BlockIdx) -> bool {
        let mut stack = vec![sequence];
        let mut any = false;
        while let Some(idx) = stack.pop() {
            let children = self.tree.children(idx);
            stack.extend(children);
            let block = self.block(idx);
            if !children.is_empty() || idx == sequence {
                continue;
            }
            any = true;
            let weighs = block.float("weight") != Some(0.0);
            let counts = block.flag("graded") && has_score(block) && weighs;
            if counts && self.completions.stored(idx) != Some(1.0) {
                return false;
            }
        }
        any
    }
}

/// A graded sequence with a due date.
pub struct Assignment<'a> {
    /// The sequence.
    pub block: BlockRef<'a>,
    /// When it is due for the learner.
    pub due: chrono::DateTime<chrono::Utc>,
    /// Whether everything graded in it is complete.
    pub complete: bool,
    /// Whether the content gate closes some of it.
    pub gated: bool,
    /// Its first component.
    pub first: Option<BlockRef<'a>>,
}

#[derive(Debug, Clone, Default)]
struct Stat {
    complete: bool,
    completion: Value,
    children: u64,
}

fn key(block: BlockRef<'_>) -> String {
    block.usage_key().to_string()
}
