//! The tree of blocks as one person sees it, and its JSON (courseware.md §8.1, §8.2).
//!
//! A request needs [`Allowed`], the proof that the caller may ask. The pipeline: the subtree is copied into a
//! [`tree::Tree`], access takes blocks out of it, counts, depth and navigation are computed, and what is left is
//! written with the fields asked for.

mod completion;
mod fields;
mod transform;
mod tree;
mod video;

use std::collections::{HashMap, HashSet};

use course_model::{BlockIdx, BlockRef};
use db::Db;
use identity::Roles;
use modulestore::ModuleStore;
use opaque_keys::CourseKey;
use serde_json::{Map, Value};

use crate::access::{self, is_public};
use crate::view::CourseView;
use crate::{Result, selection};

pub(crate) use completion::Completions;
pub use fields::Links;
pub(crate) use tree::Tree;

/// Name of the forum provider whose in-course blocks are not told of.
const NEW_FORUM: &str = "openedx";

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Names of fields.
    pub fields: HashSet<String>,
    /// Levels below the root; none for all.
    pub depth: Option<i64>,
    /// Level down to which blocks list their descendants.
    pub nav_depth: Option<i64>,
    /// Types to count.
    pub block_counts: Vec<String>,
    /// Types whose own data is asked for.
    pub student_view_data: Vec<String>,
    /// Types to keep; empty for all.
    pub block_types_filter: Vec<String>,
    /// Version 1: blocks that are denied with a message are left out.
    pub hide_denied: bool,
    /// FEATURES.ENABLE_SPECIAL_EXAMS.
    pub special_exams: bool,
    /// Blocks that open later are kept too.
    pub allow_future: bool,
}

impl Query {
    fn wants(&self, field: &str) -> bool {
        self.fields.contains(field)
    }
}

/// Proof that somebody may ask for the blocks of a view.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'a> {
    view: &'a CourseView,
    /// Nothing is taken out: all blocks, as no person in particular.
    everything: bool,
}

impl<'a> Allowed<'a> {
    /// One's own view: enrolled, staff, or a public course.
    #[must_use]
    pub fn own(view: &'a CourseView) -> Option<Self> {
        let learner = &view.learner;
        let may = learner.is_enrolled()
            || learner.roles.has_staff_access(&learner.course)
            || is_public(&view.facts, learner);
        may.then_some(Self {
            view,
            everything: false,
        })
    }

    /// The view of nobody in particular, of a public course.
    #[must_use]
    pub fn anonymous(view: &'a CourseView) -> Option<Self> {
        let may = view.learner.viewer.is_anonymous() && is_public(&view.facts, &view.learner);
        may.then_some(Self {
            view,
            everything: false,
        })
    }

    /// The outline of the course home: one's own view, or that of everybody where the course shows it without
    /// enrollment (courseware.md §15.6).
    #[must_use]
    pub fn outline(view: &'a CourseView) -> Option<Self> {
        Self::own(view).or_else(|| {
            let shown = view.facts.course_visibility == "public_outline"
                && view
                    .learner
                    .flag(crate::learner::flags::ANONYMOUS_COURSEWARE);
            shown.then_some(Self {
                view,
                everything: false,
            })
        })
    }

    /// The blocks below one that the view's learner may load.
    #[must_use]
    pub fn below(view: &'a CourseView, _proof: access::Loadable<'_>) -> Self {
        Self {
            view,
            everything: false,
        }
    }

    /// The view that the proof is about.
    pub(crate) fn view(self) -> &'a CourseView {
        self.view
    }

    /// Somebody else's view, for the course's staff.
    #[must_use]
    pub fn of_other(view: &'a CourseView, asking: &Roles) -> Option<Self> {
        may_see_others(asking, &view.learner.course).then_some(Self {
            view,
            everything: false,
        })
    }

    /// All blocks, for the course's staff and data researchers.
    #[must_use]
    pub fn all(view: &'a CourseView, asking: &Roles) -> Option<Self> {
        may_see_all(asking, &view.learner.course).then_some(Self {
            view,
            everything: true,
        })
    }
}

/// Whether somebody may see a course as others see it.
#[must_use]
pub fn may_see_others(asking: &Roles, course: &CourseKey) -> bool {
    asking.has_staff_access(course)
}

/// Whether somebody may see all blocks of a course.
#[must_use]
pub fn may_see_all(asking: &Roles, course: &CourseKey) -> bool {
    asking.has_staff_access(course)
        || asking.in_course(identity::roles::names::DATA_RESEARCHER, course)
}

/// A block that is answered.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Text of its usage key.
    pub id: String,
    /// Its type.
    pub block_type: String,
    /// Its fields.
    pub fields: Map<String, Value>,
}

/// A subtree as somebody sees it, before anything is said about it.
pub(crate) struct Seen<'a> {
    pub tree: Tree<'a>,
    pub denials: HashMap<BlockIdx, transform::Refusal>,
    pub gated: HashSet<BlockIdx>,
    pub scheduled: bool,
    merged: access::MergedView,
}

/// Copies a subtree and takes out of it what the viewer may not see.
pub(crate) async fn seen<'a>(
    db: &Db,
    store: &ModuleStore,
    allowed: Allowed<'a>,
    root: BlockIdx,
    query: &Query,
) -> Result<Seen<'a>> {
    let view = allowed.view;
    let mut seen = Seen {
        tree: Tree::of(view.course.block(root)),
        denials: HashMap::new(),
        gated: HashSet::new(),
        scheduled: false,
        merged: access::MergedView::of(view),
    };
    if allowed.everything {
        return Ok(seen);
    }
    let libraries: Vec<BlockRef<'_>> = seen
        .tree
        .blocks()
        .filter(|block| block.block_type() == "library_content")
        .collect();
    let selections = selection::of_blocks(db, &view.learner, &libraries, view.now).await?;
    let splits = transform::splits(store, &seen.tree, view).await?;
    let access = transform::Access::new(view, query, &splits, &seen.merged);
    access.select(&mut seen.tree, &selections);
    seen.scheduled = access.scheduled(&seen.tree);
    seen.gated = access.gated(&seen.tree);
    access.remove(&mut seen.tree, &mut seen.denials);
    transform::dissolve_splits(&mut seen.tree);
    Ok(seen)
}

/// The blocks below and including `root`, children before their parents.
pub async fn blocks(
    db: &Db,
    store: &ModuleStore,
    allowed: Allowed<'_>,
    root: BlockIdx,
    query: &Query,
    links: &Links<'_>,
) -> Result<Vec<Answered>> {
    let view = allowed.view;
    let snapshot = &view.course;
    let Seen {
        mut tree,
        denials,
        gated,
        scheduled,
        merged,
    } = seen(db, store, allowed, root, query).await?;
    let videos = if query.student_view_data.iter().any(|name| name == "video") {
        video::Encodings::load(db, &tree).await?
    } else {
        video::Encodings::default()
    };
    let definitions = fields::definitions(store, &tree, query).await?;
    let counts = query.wants("block_counts").then(|| tree.counts());
    let depths = tree.depths();
    if let Some(depth) = query.depth {
        let too_deep = |idx: BlockIdx| depths.get(&idx).is_some_and(|found| *found > depth);
        tree.remove(|block| too_deep(block.idx()));
    }
    let descendants = query
        .nav_depth
        .map(|nav_depth| tree.descendants(&depths, nav_depth));
    let completion = if query.wants("completion") && !allowed.everything {
        Completions::load(db, view, &tree).await?
    } else {
        Completions::default()
    };
    let shown = tree.postorder();
    if !query.block_types_filter.is_empty() {
        let kept = |block: BlockRef<'_>| {
            query
                .block_types_filter
                .iter()
                .any(|name| name == block.block_type())
        };
        tree.dissolve(|block| !kept(block));
    }
    let writer = fields::Writer {
        view,
        query,
        links,
        tree: &tree,
        root,
        counts: counts.as_ref(),
        descendants: descendants.as_ref(),
        completion: &completion,
        denials: &denials,
        gated: &gated,
        scheduled,
        videos: &videos,
        definitions: &definitions,
        merged: &merged,
    };
    Ok(shown
        .into_iter()
        .filter(|idx| tree.contains(*idx))
        .map(|idx| writer.block(snapshot.block(idx)))
        .collect())
}

/// Whether in-course discussion blocks are left out of the course's answers.
#[must_use]
pub fn drops_discussions(view: &CourseView) -> bool {
    view.learner.discussion_provider.as_deref() == Some(NEW_FORUM)
}

/// Takes discussion blocks out of an answer, also out of lists of children and descendants.
pub fn drop_discussions(answered: &mut Vec<Answered>) {
    let dropped: HashSet<String> = answered
        .iter()
        .filter(|block| block.block_type == "discussion")
        .map(|block| block.id.clone())
        .collect();
    answered.retain(|block| !dropped.contains(&block.id));
    for block in answered {
        for list in ["children", "descendants"] {
            if let Some(Value::Array(ids)) = block.fields.get_mut(list) {
                ids.retain(|id| id.as_str().is_none_or(|id| !dropped.contains(id)));
            }
        }
    }
}

/// Sets `completion` 0 or 1 on every block that lists children (or else descendants): 1 when all of them but
/// discussions are at 1 (courseware.md §8.2).
pub fn mark_parents(answered: &mut [Answered]) {
    let places: HashMap<String, usize> = answered
        .iter()
        .enumerate()
        .map(|(place, block)| (block.id.clone(), place))
        .collect();
    // Children stand before their parents, so that one pass is enough.
    for place in 0..answered.len() {
        let Some(block) = answered.get(place) else {
            continue;
        };
        let listed = block
            .fields
            .get("children")
            .or_else(|| block.fields.get("descendants"))
            .and_then(Value::as_array)
            .filter(|ids| !ids.is_empty());
        let Some(ids) = listed else {
            continue;
        };
        let complete = ids
            .iter()
            .filter_map(|id| answered.get(*places.get(id.as_str()?)?))
            .filter(|child| child.block_type != "discussion")
            .all(|child| child.fields.get("completion").and_then(Value::as_f64) == Some(1.0));
        if let Some(block) = answered.get_mut(place) {
            block
                .fields
                .insert("completion".into(), i32::from(complete).into());
        }
    }
}
