//! The course as its home page lists it: sections and subsections with what the learner did and when things open
//! (courseware.md §5, §8.3, §11).
//!
//! Made of one version and facts that are loaded beforehand; nothing here reads a store.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use course_model::block_types::Completion;
use course_model::{BlockKey, BlockRef};
use records::keys::usage_text;

use crate::access::Loadable;
use crate::completion::Completions;
use crate::render::experiment_child;
use crate::view::CourseView;

/// Levels that are looked through below a unit.
const DEEPEST: u32 = 8;

/// What a learner completed and, of libraries, which children are theirs.
#[derive(Debug, Clone, Default)]
pub struct Done {
    completions: Completions,
    selections: HashMap<BlockKey, Vec<BlockKey>>,
}

impl Done {
    /// From completions.
    #[must_use]
    pub fn of(completions: Completions) -> Self {
        Self {
            completions,
            selections: HashMap::new(),
        }
    }

    /// Adds the children that the learner has of a library's block.
    pub fn select(&mut self, library: BlockKey, children: Vec<BlockKey>) {
        self.selections.insert(library, children);
    }
}

/// How many of the leaves that can be completed are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Complete ones.
    pub done: usize,
    /// All.
    pub total: usize,
}

impl Count {
    /// Whether nothing is left to do; so too where there is nothing at all (courseware.md §5).
    #[must_use]
    pub fn is_complete(self) -> bool {
        self.done >= self.total
    }

    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.total += other.total;
    }
}

/// Whether a subsection can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It can.
    Open,
    /// It opens later.
    NotStarted {
        /// When.
        opens: DateTime<Utc>,
    },
    /// It is hidden since its due date, or the course's end, has passed.
    PastDue,
    /// Something else must be passed first.
    Prerequisite,
    /// It is a timed exam.
    Exam,
}

/// A section (chapter).
#[derive(Debug, Clone)]
pub struct Section<'a> {
    /// The chapter.
    pub block: BlockRef<'a>,
    /// Its subsections in order.
    pub subsections: Vec<Subsection<'a>>,
    /// When it opens, if that lies ahead.
    pub opens: Option<DateTime<Utc>>,
}

/// A subsection (sequential).
#[derive(Debug, Clone)]
pub struct Subsection<'a> {
    /// The sequential.
    pub block: BlockRef<'a>,
    /// Whether it can be opened.
    pub gate: Gate,
    /// Its units, those that the learner may see.
    pub units: Vec<Unit<'a>>,
    /// Over all its units.
    pub count: Count,
    /// Effective due date.
    pub due: Option<DateTime<Utc>>,
}

/// A unit: what stands directly in a subsection.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// The block.
    pub block: BlockRef<'a>,
    /// Over everything in it.
    pub count: Count,
    /// What it mostly is.
    pub kind: UnitKind,
}

/// What a unit mostly is, for its icon (courseware.md §11: a problem before a video before anything else).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitKind {
    /// It has something to answer.
    Problem,
    /// It has a video.
    Video,
    /// It is a place to talk.
    Discussion,
    /// It is there to be read.
    Text,
    /// It is something else.
    Other,
}

impl Subsection<'_> {
    /// Whether the learner may not go in now.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        matches!(
            self.gate,
            Gate::NotStarted { .. } | Gate::Prerequisite | Gate::PastDue
        )
    }
}

/// Switches of the installation that an outline depends on.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutlineRules {
    /// FEATURES.ENABLE_SPECIAL_EXAMS
    pub special_exams: bool,
}

/// The sections that a person may know of. Who may not open the course sees none: ask [`CourseView::page`] first.
#[must_use]
pub fn sections<'a>(view: &'a CourseView, done: &Done, rules: OutlineRules) -> Vec<Section<'a>> {
    view.course
        .course()
        .children()
        .filter(|block| block.block_type() == "chapter" && is_listed(view, *block))
        .map(|block| section(view, block, done, rules))
        .collect()
}

/// One section.
#[must_use]
pub fn section<'a>(
    view: &'a CourseView,
    chapter: BlockRef<'a>,
    done: &Done,
    rules: OutlineRules,
) -> Section<'a> {
    let subsections: Vec<Subsection<'a>> = chapter
        .children()
        .filter(|block| is_sequence(*block) && is_listed(view, *block))
        .map(|block| subsection(view, block, done, rules))
        .collect();
    Section {
        block: chapter,
        opens: opens(view, chapter),
        subsections,
    }
}

/// One subsection.
#[must_use]
pub fn subsection<'a>(
    view: &'a CourseView,
    sequence: BlockRef<'a>,
    done: &Done,
    rules: OutlineRules,
) -> Subsection<'a> {
    let units: Vec<Unit<'a>> = units(view, sequence)
        .map(|block| unit(view, block, done))
        .collect();
    let mut count = Count::default();
    for unit in &units {
        count.add(unit.count);
    }
    Subsection {
        block: sequence,
        gate: gate(view, sequence, rules),
        units,
        count,
        due: view.date(sequence, "due"),
    }
}

/// Types whose children are turned over one by one.
#[must_use]
pub fn is_sequence(block: BlockRef<'_>) -> bool {
    matches!(
        block.block_type(),
        "sequential" | "videosequence" | "problemset"
    )
}

/// The units of a sequence that the learner may see, or may see a word about (courseware.md §15.4).
pub fn units<'a>(
    view: &'a CourseView,
    sequence: BlockRef<'a>,
) -> impl Iterator<Item = BlockRef<'a>> {
    sequence.children().filter(|unit| match view.block(*unit) {
        Ok(_) => true,
        Err(denied) => denied.user_message.is_some(),
    })
}

/// Whether a section or subsection is named at all: not to learners while hidden, nor to groups it is not for. What
/// opens later is named (courseware.md §8.3).
#[must_use]
pub fn is_listed(view: &CourseView, block: BlockRef<'_>) -> bool {
    if view.learner.is_staff() {
        return true;
    }
    if block.flag("hide_from_toc") {
        return false;
    }
    match view.block(block) {
        Ok(_) => true,
        Err(denied) => {
            denied.user_message.is_some()
                || matches!(
                    denied.reason,
                    Some(crate::access::Denial::NotStarted { .. })
                )
        }
    }
}

/// When a block opens for the learner, if that lies ahead.
fn opens(view: &CourseView, block: BlockRef<'_>) -> Option<DateTime<Utc>> {
    match view.block(block).err()?.reason {
        Some(crate::access::Denial::NotStarted { start }) => Some(start),
        _ => None,
    }
}

/// Whether a subsection can be opened (courseware.md §8.1, §8.3).
#[must_use]
pub fn gate(view: &CourseView, sequence: BlockRef<'_>, rules: OutlineRules) -> Gate {
    if view.learner.is_staff() {
        return Gate::Open;
    }
    if let Some(opens) = opens(view, sequence) {
        return Gate::NotStarted { opens };
    }
    let milestones = &view.learner.milestones;
    let key = usage_text(sequence.usage_key());
    if milestones.gated.contains(&key) || is_behind_exam(&milestones.entrance_exams, sequence) {
        return Gate::Prerequisite;
    }
    if is_hidden_after_due(view, sequence) {
        return Gate::PastDue;
    }
    if rules.special_exams && sequence.flag("is_time_limited") {
        return Gate::Exam;
    }
    Gate::Open
}

/// Whether an entrance exam must be passed before a sequence opens: it is not in the exam itself.
fn is_behind_exam(exams: &[String], sequence: BlockRef<'_>) -> bool {
    !exams.is_empty()
        && !sequence
            .ancestors()
            .any(|block| exams.contains(&usage_text(block.usage_key())))
}

/// Whether a sequence is hidden since its due date, in a self-paced course the course's end, has passed.
fn is_hidden_after_due(view: &CourseView, sequence: BlockRef<'_>) -> bool {
    if !sequence.flag("hide_after_due") {
        return false;
    }
    let limit = if view.course.course().flag("self_paced") {
        view.facts.end
    } else {
        view.date(sequence, "due")
    };
    limit.is_some_and(|limit| limit < view.now)
}

fn unit<'a>(view: &'a CourseView, block: BlockRef<'a>, done: &Done) -> Unit<'a> {
    let mut kinds = Kinds::default();
    let count = match view.block(block) {
        Ok(block) => count(view, block, done, DEEPEST, &mut kinds),
        Err(_) => Count::default(),
    };
    Unit {
        block,
        count,
        kind: kinds.kind(),
    }
}

/// Types met in a unit.
#[derive(Default)]
struct Kinds {
    problem: bool,
    video: bool,
    discussion: bool,
    text: bool,
    other: bool,
}

impl Kinds {
    fn meet(&mut self, block: BlockRef<'_>) {
        match block.block_type() {
            "video" => self.video = true,
            "discussion" => self.discussion = true,
            "html" => self.text = true,
            _ if crate::access::has_score(block) => self.problem = true,
            _ => self.other = true,
        }
    }

    fn kind(&self) -> UnitKind {
        if self.problem {
            UnitKind::Problem
        } else if self.video {
            UnitKind::Video
        } else if self.other || !(self.text || self.discussion) {
            UnitKind::Other
        } else if self.text {
            UnitKind::Text
        } else {
            UnitKind::Discussion
        }
    }
}

/// Counts the leaves below a block that the learner may see.
fn count<'a>(
    view: &'a CourseView,
    block: Loadable<'a>,
    done: &Done,
    depth: u32,
    kinds: &mut Kinds,
) -> Count {
    let block = block.block();
    match block.kind().completion {
        Completion::Excluded => {
            kinds.meet(block);
            Count::default()
        }
        Completion::Completable => {
            kinds.meet(block);
            Count {
                done: usize::from(done.completions.is_complete(&usage_text(block.usage_key()))),
                total: 1,
            }
        }
        Completion::Aggregator => {
            let mut sum = Count::default();
            if depth > 0 {
                for child in shown_children(view, block, done) {
                    if let Ok(child) = view.block(child) {
                        sum.add(count(view, child, done, depth - 1, kinds));
                    }
                }
            }
            sum
        }
    }
}

/// Children of a block that are the learner's: of an experiment those of their group, of a library those that were
/// drawn for them.
fn shown_children<'a>(view: &'a CourseView, block: BlockRef<'a>, done: &Done) -> Vec<BlockRef<'a>> {
    let children = block.children();
    match block.block_type() {
        "split_test" if !view.learner.is_staff() => {
            let chosen = experiment_child(view, block);
            children
                .filter(|child| chosen.as_deref() == Some(&usage_text(child.usage_key())))
                .collect()
        }
        "library_content" | "itembank" => match done.selections.get(&block.key()) {
            Some(selected) => children
                .filter(|child| selected.contains(&child.key()))
                .collect(),
            None => children.collect(),
        },
        _ => children.collect(),
    }
}

/// The blocks below some block whose completion or selection its counts depend on: texts of usage keys of leaves, and
/// the libraries.
#[must_use]
pub fn counted(block: BlockRef<'_>) -> (Vec<String>, Vec<BlockRef<'_>>) {
    let mut leaves = Vec::new();
    let mut libraries = Vec::new();
    for inner in block.subtree() {
        match inner.kind().completion {
            Completion::Completable => leaves.push(usage_text(inner.usage_key())),
            Completion::Aggregator
                if matches!(inner.block_type(), "library_content" | "itembank") =>
            {
                libraries.push(inner);
            }
            _ => {}
        }
    }
    (leaves, libraries)
}
