//! A learner's scores and course grade, computed when they are read (async-and-events.md §8.2).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use course_model::snapshot::CourseSnapshot;
use course_model::{BlockIdx, BlockRef, Fields, ObjectId};
use db::Db;
use grading::{GradingPolicy, Subsection};
use modulestore::ModuleStore;
use records::grades::{self, SubsectionGradeOverride};
use records::student_modules::{self, StudentModule};
use serde_json::Value;

use crate::Result;
use crate::access::has_score;
use crate::blocks_api::{self, Allowed, Query, Tree};
use crate::view::CourseView;

/// Versions whose points are remembered.
const REMEMBERED: usize = 64;

/// Points of each scored block of a version, before its weight. What is in memory never changes, as versions do not.
type Points = Arc<HashMap<BlockIdx, f64>>;

static POINTS: LazyLock<Mutex<Vec<(ObjectId, Points)>>> = LazyLock::new(Mutex::default);

/// Types whose points stand in their definition.
const BY_CONTENT: [&str; 2] = ["problem", "openassessment"];

/// Points of the scored blocks of a version: read once, with the definitions of its problems.
async fn points(store: &ModuleStore, course: &CourseSnapshot) -> Result<Points> {
    let version = course.version_id();
    let lock = || POINTS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = lock()
        .iter()
        .find(|(id, _)| *id == version)
        .map(|(_, points)| Arc::clone(points));
    if let Some(points) = known {
        return Ok(points);
    }
    let mut found = HashMap::new();
    let mut wanted = Vec::new();
    for block in course.course().subtree() {
        if !has_score(block) {
            continue;
        }
        if BY_CONTENT.contains(&block.block_type()) {
            wanted.push(block.idx());
        } else {
            found.insert(block.idx(), fixed(block));
        }
    }
    let bodies = store.definitions(course, &wanted).await?;
    for (idx, body) in wanted.into_iter().zip(bodies) {
        if let Some(points) = by_content(course.block(idx), &body) {
            found.insert(idx, points);
        }
    }
    let points = Arc::new(found);
    let mut remembered = lock();
    if remembered.len() >= REMEMBERED {
        remembered.remove(0);
    }
    remembered.push((version, Arc::clone(&points)));
    Ok(points)
}

/// Points of blocks that say them in their settings.
fn fixed(block: BlockRef<'_>) -> f64 {
    match block.block_type() {
        "edx_sga" => block.float("points").unwrap_or(100.0),
        "lti" | "lti_consumer" => block.float("weight").unwrap_or(1.0),
        _ => 1.0,
    }
}

fn by_content(block: BlockRef<'_>, body: &Fields) -> Option<f64> {
    if block.block_type() == "problem" {
        let text = body.get("data").and_then(Value::as_str)?;
        return capa::max_score(text, &|_| None)
            .ok()
            .map(|points| points as f64);
    }
    let criteria = body
        .get("rubric_criteria")
        .or_else(|| block.field("rubric_criteria"))
        .and_then(Value::as_array)?;
    let best = |criterion: &Value| -> Option<f64> {
        let options = criterion.get("options")?.as_array()?;
        options
            .iter()
            .filter_map(|option| option.get("points")?.as_f64())
            .fold(None, |best: Option<f64>, points| {
                Some(best.map_or(points, |best| best.max(points)))
            })
    };
    Some(criteria.iter().filter_map(best).sum())
}

/// A problem's weighted score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Points earned.
    pub earned: f64,
    /// Points possible.
    pub possible: f64,
    /// Whether it counts for the graded total.
    pub graded: bool,
    /// Whether the learner tried it.
    pub attempted: bool,
}

/// A subsection's scores.
#[derive(Debug, Clone)]
pub struct SubsectionScores<'a> {
    /// The subsection: mostly a sequence, else whatever stands directly in a section.
    pub block: BlockRef<'a>,
    /// Scores of its problems in their order.
    pub problems: Vec<Score>,
    /// Points of all problems, or of the override.
    pub all: (f64, f64),
    /// Points of the graded problems, or of the override.
    pub graded: (f64, f64),
    /// What a person gave in place of the computed grade.
    pub given: Option<SubsectionGradeOverride>,
}

impl SubsectionScores<'_> {
    /// Percent of the graded points, 0 to 1.
    #[must_use]
    pub fn percent(&self) -> f64 {
        grading::subsection_percent(self.graded.0, self.graded.1)
    }

    /// Whether anything was tried or given.
    #[must_use]
    pub fn is_attempted(&self) -> bool {
        self.given.is_some() || self.problems.iter().any(|score| score.attempted)
    }

    /// Whether the viewer may see its scores now (`show_correctness`).
    #[must_use]
    pub fn is_shown(&self, view: &CourseView, to_staff: bool) -> bool {
        match self.block.text("show_correctness") {
            Some("never") => false,
            Some("past_due") => {
                to_staff
                    || view
                        .date(self.block, "due")
                        .is_none_or(|due| due < view.now)
            }
            _ => true,
        }
    }
}

/// All scores of a learner in a course.
pub struct CourseScores<'a> {
    /// Sections with their subsections, in course order.
    pub sections: Vec<(BlockRef<'a>, Vec<SubsectionScores<'a>>)>,
    /// The course's policy; the platform's default where its own cannot be read.
    pub policy: GradingPolicy,
    /// The same as stored.
    pub raw_policy: Value,
}

/// The stored policy of a course; an empty one is the platform's default.
async fn raw_policy(store: &ModuleStore, course: &CourseSnapshot) -> Result<Value> {
    let content = store.definition(course, course.root()).await?;
    let stored = content
        .get("grading_policy")
        .or_else(|| course.course().field("grading_policy"))
        .filter(|policy| policy.as_object().is_some_and(|it| !it.is_empty()))
        .cloned()
        .unwrap_or_default();
    Ok(grading::merge_policy(&stored, &Value::Null).unwrap_or_else(|_| grading::default_policy()))
}

/// Whether a block counts for the graded total: `graded` where it is set on the block or between it and the
/// sequence, else yes (async-and-events.md §8.2).
fn counts(block: BlockRef<'_>) -> bool {
    let mut unset = true;
    for one in std::iter::once(block).chain(block.ancestors()) {
        if matches!(one.block_type(), "sequential" | "chapter" | "course") {
            break;
        }
        if one.own("graded").is_some() {
            if one.flag("graded") {
                return true;
            }
            unset = false;
        }
    }
    unset
}

/// The weighted score of a block; none where it has no points to give.
fn score(
    block: BlockRef<'_>,
    module: Option<&StudentModule>,
    points: Option<f64>,
) -> Option<Score> {
    let (earned, possible, attempted) = match module.and_then(|row| Some((row, row.max_grade?))) {
        Some((row, possible)) => (row.grade.unwrap_or_default(), possible, row.grade.is_some()),
        None => (0.0, points?, false),
    };
    let (earned, possible) =
        grading::weighted_score(Some(earned), possible, block.float("weight")).ok()?;
    Some(Score {
        earned: earned?,
        possible,
        graded: possible > 0.0 && counts(block),
        attempted,
    })
}

impl<'a> CourseScores<'a> {
    /// Computes the scores of the view's learner: states of the scored blocks and overrides are read with one
    /// statement each.
    pub async fn load(db: &Db, store: &ModuleStore, allowed: Allowed<'a>) -> Result<Self> {
        let view = allowed.view();
        let root = view.course.root();
        let seen = blocks_api::seen(db, store, allowed, root, &Query::default()).await?;
        let points = points(store, &view.course).await?;
        let mut modules: HashMap<String, StudentModule> = HashMap::new();
        let mut given: HashMap<String, SubsectionGradeOverride> = HashMap::new();
        if let Some(user) = view.learner.user_id() {
            let keys: Vec<String> = seen
                .tree
                .postorder()
                .into_iter()
                .map(|idx| view.course.block(idx))
                .filter(|block| has_score(*block))
                .map(|block| block.usage_key().to_string())
                .collect();
            let course = view.course.course_key();
            if !keys.is_empty() {
                let rows = student_modules::get_many(db, user, course, &keys).await?;
                modules.extend(rows.into_iter().map(|row| (row.module_id.clone(), row)));
            }
            given.extend(grades::overrides(db, user, course).await?);
        }
        let mut scores_of = |idx: BlockIdx| -> SubsectionScores<'a> {
            let block = view.course.block(idx);
            let problems: Vec<Score> = below(&seen.tree, idx)
                .into_iter()
                .map(|idx| view.course.block(idx))
                .filter(|block| has_score(*block))
                .filter_map(|block| {
                    let module = modules.get(&block.usage_key().to_string());
                    score(block, module, points.get(&block.idx()).copied())
                })
                .collect();
            let given = given.remove(&block.usage_key().to_string());
            subsection(block, problems, given)
        };
        let sections = seen
            .tree
            .children(root)
            .iter()
            .map(|section| {
                let subsections = seen.tree.children(*section).iter();
                (
                    view.course.block(*section),
                    subsections.map(|idx| scores_of(*idx)).collect(),
                )
            })
            .collect();
        let raw_policy = raw_policy(store, &view.course).await?;
        let policy = GradingPolicy::parse(&raw_policy)
            .or_else(|_| GradingPolicy::parse(&grading::default_policy()))
            .map_err(crate::Error::Grading)?;
        Ok(Self {
            sections,
            policy,
            raw_policy,
        })
    }

    /// All subsections in course order.
    pub fn subsections(&self) -> impl Iterator<Item = &SubsectionScores<'a>> {
        self.sections
            .iter()
            .flat_map(|(_, subsections)| subsections)
    }

    /// The course grade over the subsections that `counted` lets pass.
    #[must_use]
    pub fn course_grade(
        &self,
        counted: impl Fn(&SubsectionScores<'a>) -> bool,
    ) -> grading::CourseGrade {
        let mut listed = HashSet::new();
        let names: Vec<(&SubsectionScores<'a>, String)> = self
            .subsections()
            .filter(|one| one.block.block_type() == "sequential" && counted(one))
            .filter(|one| listed.insert(one.block.idx()))
            .map(|one| (one, one.block.display_name().into_owned()))
            .collect();
        let subsections: Vec<Subsection<'_>> = names
            .iter()
            .map(|(one, name)| Subsection {
                format: one.block.text("format").unwrap_or_default(),
                graded: one.block.flag("graded"),
                display_name: name,
                earned: one.graded.0,
                possible: one.graded.1,
            })
            .collect();
        grading::grade_course(&self.policy, &subsections)
    }
}

/// Blocks below and including one, children before parents.
fn below(tree: &Tree<'_>, root: BlockIdx) -> Vec<BlockIdx> {
    let mut out = Vec::new();
    let mut seen = HashSet::from([root]);
    let mut stack = vec![(root, 0)];
    while let Some((idx, done)) = stack.pop() {
        let Some(child) = tree.children(idx).get(done).copied() else {
            out.push(idx);
            continue;
        };
        stack.push((idx, done + 1));
        if seen.insert(child) {
            stack.push((child, 0));
        }
    }
    out
}

fn subsection(
    block: BlockRef<'_>,
    problems: Vec<Score>,
    given: Option<SubsectionGradeOverride>,
) -> SubsectionScores<'_> {
    let sum = |graded: bool| {
        let counted = problems.iter().filter(|score| !graded || score.graded);
        counted.fold((0.0, 0.0), |(earned, possible), score| {
            (earned + score.earned, possible + score.possible)
        })
    };
    let (mut all, mut graded) = (sum(false), sum(true));
    if let Some(row) = &given {
        all.0 = row.earned_all_override.unwrap_or(all.0);
        all.1 = row.possible_all_override.unwrap_or(all.1);
        graded.0 = row.earned_graded_override.unwrap_or(graded.0);
        graded.1 = row.possible_graded_override.unwrap_or(graded.1);
    }
    SubsectionScores {
        block,
        problems,
        all,
        graded,
        given,
    }
}

/// Whether a moment that may be missing has passed.
#[must_use]
pub fn is_past(moment: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    moment.is_some_and(|moment| moment < now)
}
