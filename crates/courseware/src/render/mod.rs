//! How blocks look to learners (courseware.md §10 to §12).
//!
//! [`Runtime::render_unit`] shows a block with everything below it: it reads what all of its blocks need with one
//! statement of a kind, shows them, and stores what looking changes (seeds, positions, selections).

mod debug;
mod leaves;
mod library;
mod plan;
mod structure;
mod tools;
mod video;
pub(crate) mod wrapper;

use std::collections::HashMap;
use std::sync::Arc;

use capa::block::{Block as ProblemBlock, View as ProblemView};
use course_model::{BlockIdx, BlockRef, Fields};
use opaque_keys::UsageKey;
use serde_json::Value;

pub(crate) use leaves::{labelled, pairs, poll_answers};
pub(crate) use plan::{Child, Node, plan_tree, usages as usages_of};
pub(crate) use structure::{condition_sources, experiment_child, subtree_complete};
pub(crate) use video::{default_language, edx_video_id, transcript_files};
use wrapper::{Body, Wrapping, wrap};

use crate::access::Loadable;
use crate::completion::{self, Completions};
use crate::handlers::problem::ProblemJob;
use crate::links::{Links, Wanted};
use crate::runtime::Runtime;
use crate::states::{self, Change, Preferences, UserStates};
use crate::view::CourseView;
use crate::{Result, access};

/// Levels of blocks that are shown below the one that was asked for.
const DEEPEST: u32 = 8;

/// Which view of a block is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ViewName {
    /// `student_view`
    #[default]
    Student,
    /// `public_view`, for visitors of public courses.
    Public,
}

impl ViewName {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Student => "student_view",
            Self::Public => "public_view",
        }
    }
}

/// How a block is to be shown.
#[derive(Debug, Clone, Default)]
pub struct RenderOptions {
    /// Which view.
    pub view: ViewName,
    /// Whether a unit starts with its title.
    pub show_title: bool,
    /// Whether a unit has a button to bookmark it.
    pub show_bookmark_button: bool,
    /// Assignment type for the line with the due date.
    pub format: Option<String>,
    /// Whether staff get their debug dialogs; they also need the setting.
    pub staff_debug: bool,
    /// Whether a unit's blocks are wanted one by one, without the whole.
    pub in_pieces: bool,
}

/// What was read before, so that it is not read again.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// States of the blocks, and maybe of others.
    pub states: Option<UserStates>,
    /// Completions of the blocks, and maybe of others.
    pub completions: Option<Completions>,
    /// Texts of the usage keys that the learner bookmarked.
    pub bookmarks: Option<Vec<String>>,
}

/// A block with its wrapper.
#[derive(Debug, Clone)]
pub struct RenderedBlock {
    /// Its key.
    pub usage: UsageKey,
    /// Its type.
    pub block_type: String,
    /// The whole `div.xblock`.
    pub html: String,
}

/// A block that was asked for, with everything in it.
#[derive(Debug, Clone)]
pub struct RenderedUnit {
    /// The whole `div.xblock` of the block; empty for a unit in pieces.
    pub html: String,
    /// For a unit that was asked for in pieces: its blocks in order. Empty otherwise.
    pub children: Vec<RenderedBlock>,
    /// Whether the block is a unit.
    pub is_unit: bool,
    /// Whether the block that was asked for is itself to be marked complete once it was in view.
    pub mark_on_view: bool,
}

/// Everything that showing the blocks of one answer depends on; made once, then nothing is read any more.
pub(crate) struct Renderer<'a> {
    pub runtime: &'a Runtime,
    pub view: &'a CourseView,
    pub options: &'a RenderOptions,
    pub request_token: String,
    pub states: UserStates,
    pub completions: Completions,
    pub definitions: HashMap<BlockIdx, Arc<Fields>>,
    pub links: Arc<Links>,
    pub problems: HashMap<BlockIdx, ProblemView>,
    pub video: Option<video::VideoFacts>,
    pub bookmarks: Vec<String>,
    pub anonymous_id: Option<String>,
}

impl Runtime {
    /// Shows a block that the learner may see, with everything below it that they may see. A unit page and the page
    /// `/xblock/{usage}` both come from here.
    ///
    /// Reads, on a warm snapshot: states, completions, assets, and where blocks need them the learner's preferences,
    /// bookmarks and anonymous id. Writes what the platform writes on looking (docs/get-writes.md): seeds of problems,
    /// selections of libraries, the first position of a sequence.
    pub async fn render_unit(
        &self,
        view: &CourseView,
        block: Loadable<'_>,
        options: &RenderOptions,
    ) -> Result<RenderedUnit> {
        self.render_known(view, block, options, Known::default())
            .await
    }

    /// [`Self::render_unit`] for who has read some of it already.
    pub async fn render_known(
        &self,
        view: &CourseView,
        block: Loadable<'_>,
        options: &RenderOptions,
        known: Known,
    ) -> Result<RenderedUnit> {
        let mut root = plan::collect(view, block.block(), DEEPEST);
        let user_id = view.learner.user_id();
        let course = view.course.course_key();
        let states = match known.states {
            Some(states) => states,
            None => UserStates::load(&self.db, user_id, course, &plan::usages(&root)).await?,
        };
        let mut changes = library::select(self, &mut root, view, &states).await?;
        changes.extend(structure::first_position(&root, &states));
        let shown = plan::blocks(&root);
        let completions = match known.completions {
            Some(completions) => completions,
            None => Completions::load(&self.db, user_id, course, &plan::usages(&root)).await?,
        };
        let definitions = self.definitions_of(view, &shown).await?;
        let links = self.links_of(view, &shown, &definitions).await?;
        let anonymous_id = self.anonymous_id(view, &shown, &definitions).await?;
        let has = |kind: &str| shown.iter().any(|block| block.block_type() == kind);
        let video = if has("video") {
            let preferences = Preferences::load(&self.db, user_id, "video", true).await?;
            Some(video::VideoFacts::load(self, &shown, preferences).await?)
        } else {
            None
        };
        let wants_bookmarks = options.show_bookmark_button || has("sequential");
        let bookmarks = match (known.bookmarks, user_id) {
            (Some(bookmarks), _) => bookmarks,
            (None, Some(id)) if wants_bookmarks => {
                records::bookmarks::usage_keys(&self.db, id, course).await?
            }
            _ => Vec::new(),
        };
        let mut renderer = Renderer {
            runtime: self,
            view,
            options,
            request_token: uuid::Uuid::new_v4().simple().to_string(),
            states,
            completions,
            definitions,
            links: Arc::new(links),
            problems: HashMap::new(),
            video,
            bookmarks,
            anonymous_id,
        };
        changes.extend(renderer.load_problems(&shown).await?);
        if let Some(user_id) = user_id {
            states::write_views(&self.db, user_id, &changes, view.now).await?;
        }
        Ok(renderer.unit(&root))
    }

    async fn definitions_of(
        &self,
        view: &CourseView,
        blocks: &[BlockRef<'_>],
    ) -> Result<HashMap<BlockIdx, Arc<Fields>>> {
        let indices: Vec<BlockIdx> = blocks.iter().map(|block| block.idx()).collect();
        let found = self.store.definitions(&view.course, &indices).await?;
        Ok(indices.into_iter().zip(found).collect())
    }

    /// Digests of all assets that the blocks name.
    async fn links_of(
        &self,
        view: &CourseView,
        blocks: &[BlockRef<'_>],
        definitions: &HashMap<BlockIdx, Arc<Fields>>,
    ) -> Result<Links> {
        let mut wanted = Wanted::default();
        for block in blocks {
            for value in definitions
                .get(&block.idx())
                .into_iter()
                .flat_map(|fields| fields.values())
            {
                add_texts(&mut wanted, value, 6);
            }
            for (_, value) in block.own_fields() {
                add_texts(&mut wanted, value, 6);
            }
        }
        let contents = self.store.contentstore();
        wanted.find(view.course.course_key(), &contents).await
    }

    /// The learner's anonymous id, if any of the blocks shows or sends it.
    async fn anonymous_id(
        &self,
        view: &CourseView,
        blocks: &[BlockRef<'_>],
        definitions: &HashMap<BlockIdx, Arc<Fields>>,
    ) -> Result<Option<String>> {
        let Some(user_id) = view.learner.user_id() else {
            return Ok(None);
        };
        let mentions = |block: &BlockRef<'_>| {
            let data = definitions
                .get(&block.idx())
                .and_then(|fields| fields.get("data"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            match block.block_type() {
                // Scripts are given the id.
                "problem" => data.contains("<script") || data.contains("anonymous_student_id"),
                _ => data.contains("%%USER_ID%%"),
            }
        };
        if !blocks.iter().any(mentions) {
            return Ok(None);
        }
        let id = self.identity.anonymous_user_id(user_id, None).await?;
        Ok(Some(id))
    }
}

/// Takes up the addresses in a field's value.
fn add_texts(wanted: &mut Wanted, value: &Value, depth: u32) {
    match value {
        Value::String(text) => {
            if let Some(path) = text.strip_prefix("/static/") {
                wanted.add_path(path);
            }
            wanted.add(text);
        }
        Value::Array(items) if depth > 0 => {
            for item in items {
                add_texts(wanted, item, depth - 1);
            }
        }
        Value::Object(map) if depth > 0 => {
            for item in map.values() {
                add_texts(wanted, item, depth - 1);
            }
        }
        _ => {}
    }
}

impl<'a> Renderer<'a> {
    /// Loads and shows all problems, off the request threads: their scripts and trees may take long.
    async fn load_problems(&mut self, blocks: &[BlockRef<'a>]) -> Result<Vec<Change>> {
        let mut jobs = Vec::new();
        let scripts = self.runtime.scripts_of_request();
        for block in blocks
            .iter()
            .filter(|block| block.block_type() == "problem")
        {
            let usage = block.usage_key().to_string();
            let fields = self.definitions.get(&block.idx());
            let job = ProblemJob::new(
                self.view,
                *block,
                fields.map(Arc::as_ref),
                self.states.state(&usage),
                self.anonymous_id.as_deref(),
                Arc::clone(&self.links),
                scripts.clone(),
            );
            jobs.push((block.idx(), job));
        }
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let shown = tokio::task::spawn_blocking(move || {
            jobs.into_iter()
                .map(|(idx, job)| (idx, job.with(ProblemBlock::view)))
                .collect::<Vec<_>>()
        })
        .await
        .map_err(|error| crate::Error::Task(error.to_string()))?;
        let mut changes = Vec::new();
        for (idx, view) in shown {
            let block = self.view.course.block(idx);
            if let Some(error) = &view.error {
                tracing::warn!(usage = %block.usage_key(), %error, "a problem does not load");
            }
            if !view.changes.is_empty() {
                let usage = block.usage_key().clone();
                let row = self.states.row(&usage.to_string());
                changes.push(Change::new(usage, row, view.changes.clone()));
            }
            self.problems.insert(idx, view);
        }
        Ok(changes)
    }

    fn unit(&self, root: &Node<'a>) -> RenderedUnit {
        let mark_on_view = self.marks_on_view(root.block);
        let is_unit = structure::is_vertical(root.block.block_type());
        let piece = |child: &Child<'a>| {
            let (block, html) = match child {
                Child::Node(node) => (node.block, self.block(node)),
                Child::Denied(block, message) => (*block, structure::denied(message)),
            };
            RenderedBlock {
                usage: block.usage_key().clone(),
                block_type: block.block_type().to_owned(),
                html,
            }
        };
        let pieces = is_unit && self.options.in_pieces;
        RenderedUnit {
            html: if pieces {
                String::new()
            } else {
                self.block(root)
            },
            children: if pieces {
                root.children.iter().map(piece).collect()
            } else {
                Vec::new()
            },
            is_unit,
            mark_on_view,
        }
    }

    /// A block with its wrapper and, for staff, its debug dialogs.
    pub(crate) fn block(&self, node: &Node<'a>) -> String {
        let body = self.body(node);
        let how = Wrapping {
            view: self.options.view.name(),
            request_token: &self.request_token,
            mark_on_view: self.marks_on_view(node.block),
        };
        let mut html = wrap(node.block, &body, how);
        if self.shows_debug() && !node.block.kind().has_children {
            html.push_str(&debug::dialogs(self, node.block));
        }
        html
    }

    fn marks_on_view(&self, block: BlockRef<'_>) -> bool {
        let learner = &self.view.learner;
        learner.user_id().is_some()
            && completion::is_tracked(learner)
            && completion::on_view(block)
            && !self.completions.is_complete(&block.usage_key().to_string())
    }

    fn shows_debug(&self) -> bool {
        self.options.staff_debug
            && self.runtime.settings.staff_debug
            && self.view.learner.is_staff()
    }

    /// Content fields of a block.
    pub(crate) fn content(&self, block: BlockRef<'_>, name: &str) -> Option<&Value> {
        self.definitions.get(&block.idx())?.get(name)
    }

    /// A field of a block, from its content, its settings or its type's default.
    pub(crate) fn any_field<'s>(&'s self, block: BlockRef<'s>, name: &str) -> Option<&'s Value> {
        self.content(block, name).or_else(|| block.field(name))
    }

    /// A text field; empty when it is none.
    pub(crate) fn text<'s>(&'s self, block: BlockRef<'s>, name: &str) -> &'s str {
        self.any_field(block, name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Authors' HTML with its addresses rewritten.
    pub(crate) fn author_html(&self, block: BlockRef<'_>, html: &str) -> String {
        let path = block.text("static_asset_path").unwrap_or_default();
        self.links.rewrite(html, path)
    }

    fn body(&self, node: &Node<'a>) -> Body {
        let block = node.block;
        match block.block_type() {
            kind if structure::is_vertical(kind) => self.vertical(node),
            "sequential" => self.sequential(node),
            "chapter" | "course" => self.container(node),
            "library_content" | "itembank" => self.library(node),
            "split_test" => self.split_test(node),
            "randomize" => self.randomize(node),
            "conditional" => self.conditional(block),
            "html" | "about" | "static_tab" | "course_info" => self.html(block),
            "problem" => self.problem(block),
            "video" => self.video(block),
            "discussion" => self.discussion(block),
            "annotatable" => self.annotatable(block),
            "poll_question" => self.poll_question(block),
            "word_cloud" => self.word_cloud(block),
            "lti" => self.lti(block),
            "lti_consumer" => tools::lti_consumer(block),
            "drag-and-drop-v2" => self.drag_and_drop(block),
            "openassessment" => self.open_assessment(block),
            "staffgradedxblock" => self.staff_graded(block),
            "edx_sga" => self.staff_graded_assignment(block),
            "done" => self.done(block),
            "poll" => self.poll(block),
            "survey" => self.survey(block),
            "google-calendar" | "google-document" => self.google(block),
            _ => self.unsupported(block),
        }
    }

    fn problem(&self, block: BlockRef<'_>) -> Body {
        let html = self
            .problems
            .get(&block.idx())
            .map(|view| view.html.clone())
            .unwrap_or_default();
        Body::shimmed(html, "Problem")
    }

    /// Whether a leaf block counts among assignments.
    pub(crate) fn is_assignment(block: BlockRef<'_>) -> bool {
        access::has_score(block) && block.flag("graded")
    }
}
