//! A course as one person sees it now: what every page and call of the courseware starts from.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use course_model::{BlockIdx, BlockRef, CourseSnapshot};
use db::Db;
use identity::Viewer;
use modulestore::{Branch, ModuleStore};
use opaque_keys::{CourseKey, UsageKey};

use crate::Result;
use crate::access::{self, CourseFacts, Denied, Loadable, OpenCourse, Rules};
use crate::learner::Learner;
use crate::partitions::Groups;

/// A version of a course, a learner, their groups and the clock. Made with two statements.
#[derive(Debug, Clone)]
pub struct CourseView {
    /// The version.
    pub course: Arc<CourseSnapshot>,
    /// What access to the course as a whole depends on.
    pub facts: CourseFacts,
    /// Who looks.
    pub learner: Learner,
    /// Their groups.
    pub groups: Groups,
    /// Switches.
    pub rules: Rules,
    /// When.
    pub now: DateTime<Utc>,
    /// Text of the usage key of the child that each content experiment gives the learner; see
    /// [`CourseView::load_experiments`].
    pub experiments: HashMap<BlockIdx, String>,
}

impl CourseView {
    /// Opens the published version of a course for a person; none if there is no such course. Groups that had to be
    /// drawn are stored (docs/get-writes.md).
    pub async fn open(
        db: &Db,
        store: &ModuleStore,
        course: &CourseKey,
        viewer: &Viewer,
        rules: Rules,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>> {
        let Some(snapshot) = store.snapshot(course, Branch::Published).await? else {
            return Ok(None);
        };
        let learner = Learner::load(db, viewer, snapshot.course_key()).await?;
        let mut view = Self::of(snapshot, learner, rules, now);
        view.groups.save_drawn(db, &view.learner).await?;
        view.load_experiments(store).await?;
        Ok(Some(view))
    }

    /// Puts a view together from parts that are at hand, such as the draft version or a learner who is masqueraded.
    #[must_use]
    pub fn of(
        course: Arc<CourseSnapshot>,
        learner: Learner,
        rules: Rules,
        now: DateTime<Utc>,
    ) -> Self {
        let groups = Groups::decide(&course, &learner, now);
        Self {
            facts: CourseFacts::of_snapshot(&course),
            course,
            learner,
            groups,
            rules,
            now,
            experiments: HashMap::new(),
        }
    }

    /// Finds out which child each content experiment of the course gives the learner. Their groups stand in
    /// definitions, which are in memory but for the first time.
    pub async fn load_experiments(&mut self, store: &ModuleStore) -> Result<()> {
        let experiments: Vec<BlockIdx> = self
            .course
            .blocks_of_type("split_test")
            .map(BlockRef::idx)
            .collect();
        if experiments.is_empty() {
            return Ok(());
        }
        let contents = store.definitions(&self.course, &experiments).await?;
        for (idx, content) in experiments.into_iter().zip(contents) {
            let block = self.course.block(idx);
            let field = |name: &str| content.get(name).or_else(|| block.field(name));
            let child = field("user_partition_id")
                .and_then(serde_json::Value::as_i64)
                .and_then(|partition| self.groups.of(partition))
                .and_then(|group| field("group_id_to_child")?.get(group.to_string())?.as_str());
            if let Some(child) = child {
                self.experiments.insert(idx, child.to_owned());
            }
        }
        Ok(())
    }

    /// Whether the course's content is open.
    pub fn load(&self) -> Result<OpenCourse<'_>, Denied> {
        access::course_load(&self.facts, &self.learner, self.rules, self.now)
    }

    /// The full check of a page.
    pub fn page(&self) -> Result<OpenCourse<'_>, Denied> {
        access::course_page(&self.facts, &self.learner, self.rules, self.now)
    }

    /// Whether the learner may see a block.
    pub fn block<'a>(&'a self, block: BlockRef<'a>) -> Result<Loadable<'a>, Denied> {
        access::block_load(block, &self.learner, &self.groups, self.rules, self.now)
    }

    /// A block by its key, if the course has it.
    #[must_use]
    pub fn find(&self, usage: &UsageKey) -> Option<BlockRef<'_>> {
        self.course
            .find_usage(usage)
            .map(|idx| self.course.block(idx))
    }

    /// A date of a block as it counts for the learner: their own or relative one, else the stored one
    /// (courseware.md §6).
    #[must_use]
    pub fn date(&self, block: BlockRef<'_>, field: &str) -> Option<DateTime<Utc>> {
        if !self.learner.dates.is_empty() {
            let usage = block.usage_key().to_string();
            if let Some(date) = self.learner.date(&usage, field, self.facts.end) {
                return Some(date);
            }
        }
        block.date(field)
    }
}
