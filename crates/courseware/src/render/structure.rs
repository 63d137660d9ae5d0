//! Blocks that hold other blocks (courseware.md §10.3, §11).

use std::fmt::Write as _;

use course_model::BlockRef;
use course_model::block_types::Completion;
use serde_json::{Value, json};

use super::plan::{Child, Node};
use super::wrapper::{Body, escape, truth};
use super::{Renderer, ViewName};
use crate::completion;
use crate::runtime::handler_url;
use crate::states::{Change, State, UserStates};
use crate::view::CourseView;

/// The function that frames the page may call to send a message to the page around it; authors' scripts use it too.
const EMIT_EVENT: &str = "<script>\n    function emit_event(message) {\n        parent.postMessage(message, '*');\n    }\n</script>";

/// Whether a block is shown as a plain sequence of its children.
pub(crate) fn is_vertical(block_type: &str) -> bool {
    matches!(
        block_type,
        "vertical" | "unit" | "wrapper" | "problemset" | "videosequence"
    )
}

/// Whether a block shows its children.
pub(crate) fn shows_children(block_type: &str) -> bool {
    is_vertical(block_type)
        || matches!(
            block_type,
            "sequential"
                | "chapter"
                | "course"
                | "library_content"
                | "itembank"
                | "split_test"
                | "randomize"
        )
}

/// The child that a content experiment gives the learner, by the text of its usage key.
pub(crate) fn experiment_child(view: &CourseView, block: BlockRef<'_>) -> Option<String> {
    view.experiments.get(&block.idx()).cloned()
}

/// The stored position of a sequence that is entered for the first time (courseware.md §11): the first unit.
pub(crate) fn first_position(root: &Node<'_>, states: &UserStates) -> Option<Change> {
    if root.block.block_type() != "sequential" {
        return None;
    }
    let usage = root.block.usage_key();
    let text = usage.to_string();
    if states
        .state(&text)
        .get("position")
        .is_some_and(|position| !position.is_null())
    {
        return None;
    }
    let mut changes = State::new();
    changes.insert("position".to_owned(), json!(1));
    Some(Change::new(usage.clone(), states.row(&text), changes))
}

/// What stands in the place of a block that is closed to the learner with a word for them.
pub(super) fn denied(message: &str) -> String {
    format!(
        "<div class=\"content-paywall\"><p>{}</p></div>",
        escape(message)
    )
}

/// What a unit's icon stands for: the weightiest of what is in it.
pub(crate) fn icon(node: &Node<'_>) -> &'static str {
    match heaviest(node) {
        2 => "problem",
        1 => "video",
        _ => "other",
    }
}

fn heaviest(node: &Node<'_>) -> u8 {
    let own = match node.block.block_type() {
        "problem" => 2,
        "video" => 1,
        _ => 0,
    };
    node.shown().map(heaviest).chain([own]).max().unwrap_or(own)
}

/// Names of a block and those above it, but the course.
fn path_to(block: BlockRef<'_>) -> String {
    let mut names: Vec<String> = block
        .ancestors()
        .filter(|above| above.block_type() != "course")
        .map(|above| above.display_name().into_owned())
        .collect();
    names.reverse();
    names.push(block.display_name().into_owned());
    names.join(" > ")
}

impl<'a> Renderer<'a> {
    pub(super) fn vertical(&self, node: &Node<'a>) -> Body {
        let title = self.options.show_title;
        let bookmark = self.options.show_bookmark_button;
        Body::with(self.unit_html(node, title, bookmark), "VerticalStudentView")
    }

    /// A unit's heading, due line and blocks.
    fn unit_html(&self, node: &Node<'a>, title: bool, bookmark: bool) -> String {
        let block = node.block;
        let mut out = String::new();
        if title {
            let _ = writeln!(
                out,
                "<h2 class=\"hd hd-2 unit-title\">{}</h2>",
                escape(&block.display_name())
            );
        }
        out.push_str(&self.due_line(node));
        if bookmark && self.view.learner.user_id().is_some() {
            out.push_str(&self.bookmark_button(block));
        }
        out.push_str(&self.items(node));
        out.push_str(EMIT_EVENT);
        out
    }

    /// The children of a block, each in its place.
    fn items(&self, node: &Node<'a>) -> String {
        let mut out = String::from("<div class=\"vert-mod\">\n");
        for (index, child) in node.children.iter().enumerate() {
            let (usage, html) = match child {
                Child::Node(child) => (child.block.usage_key().to_string(), self.block(child)),
                Child::Denied(block, message) => (block.usage_key().to_string(), denied(message)),
            };
            let usage = escape(&usage);
            let _ = write!(
                out,
                "<div class=\"vert vert-{index}\" data-id=\"{usage}\" id=\"{usage}\">\n{html}</div>\n"
            );
        }
        out.push_str("</div>\n");
        out
    }

    /// The line with the due date, for units that hold assignments (courseware.md §10.3).
    fn due_line(&self, node: &Node<'a>) -> String {
        let mut leaves = Vec::new();
        collect_leaves(node, &mut leaves);
        let assignments: Vec<BlockRef<'_>> = leaves
            .into_iter()
            .filter(|block| Self::is_assignment(*block))
            .collect();
        let Some(due) = self.view.date(node.block, "due") else {
            return String::new();
        };
        if assignments.is_empty() || self.options.view == ViewName::Public {
            return String::new();
        }
        let is_complete = assignments
            .iter()
            .all(|block| self.completions.is_complete(&block.usage_key().to_string()));
        let (class, text) = if is_complete {
            ("completed", "Completed")
        } else if due < self.view.now {
            ("past-due", "Past due")
        } else {
            ("", "")
        };
        let pill = if class.is_empty() {
            String::new()
        } else {
            format!("<span class=\"pill {class}\">{text}</span>\n")
        };
        let what = match &self.options.format {
            Some(format) if !format.is_empty() => format!("{format} due {{date}}"),
            _ => "due {date}".to_owned(),
        };
        format!(
            "<div class=\"vert-due-date\">\n<span class=\"localized-datetime\" data-datetime=\"{}\" data-string=\"{}\" data-timezone=\"\"></span>\n{pill}</div>\n",
            due.format("%Y-%m-%d %H:%M:%S+00:00"),
            escape(&what)
        )
    }

    fn bookmark_button(&self, block: BlockRef<'_>) -> String {
        let usage = block.usage_key().to_string();
        let is_on = self.bookmarks.contains(&usage);
        let username = &self.view.learner.viewer.username;
        format!(
            "<div class=\"bookmark-button-wrapper\">\n<button class=\"btn btn-link bookmark-button {}\" aria-pressed=\"{is_on}\" data-bookmark-id=\"{},{}\" data-bookmarks-api-url=\"/api/bookmarks/v1/bookmarks/\">\n<span class=\"bookmark-text\">{}</span>\n</button>\n</div>\n",
            if is_on { "bookmarked" } else { "" },
            escape(username),
            escape(&usage),
            if is_on {
                "Bookmarked"
            } else {
                "Bookmark this page"
            }
        )
    }

    pub(super) fn sequential(&self, node: &Node<'a>) -> Body {
        let block = node.block;
        let usage = block.usage_key().to_string();
        let position = self
            .states
            .state(&usage)
            .get("position")
            .and_then(Value::as_i64)
            .unwrap_or(1);
        let units: Vec<&Node<'a>> = node.shown().collect();
        let signed_in = self.view.learner.user_id().is_some();
        let mut out = String::new();
        let _ = writeln!(
            out,
            "<div id=\"sequence_{}\" class=\"sequence\" data-id=\"{}\" data-position=\"{position}\" data-next-url=\"None\" data-prev-url=\"None\" data-save-position=\"{signed_in}\" data-show-completion=\"{signed_in}\">",
            escape(&block.usage_key().html_id()),
            escape(&usage)
        );
        out.push_str(
            "<div class=\"sequence-nav\">\n<button class=\"sequence-nav-button button-previous\"><span class=\"icon fa fa-chevron-prev\" aria-hidden=\"true\"></span> <span class=\"sequence-nav-button-label\">Previous</span></button>\n<button class=\"sequence-nav-button button-next\"><span class=\"sequence-nav-button-label\">Next</span> <span class=\"icon fa fa-chevron-next\" aria-hidden=\"true\"></span></button>\n<nav class=\"sequence-list-wrapper\" aria-label=\"Sequence\">\n<ol id=\"sequence-list\" role=\"tablist\">\n",
        );
        let path = path_to(block);
        for (index, unit) in units.iter().enumerate() {
            out.push_str(&self.sequence_tab(index, unit, &path));
        }
        out.push_str(
            "</ol>\n</nav>\n</div>\n<div class=\"sr-is-focusable\" tabindex=\"-1\"></div>\n",
        );
        for (index, unit) in units.iter().enumerate() {
            let content = self.sequence_unit(unit);
            let _ = write!(
                out,
                "<div id=\"seq_contents_{index}\" aria-labelledby=\"tab_{index}\" aria-hidden=\"true\" class=\"seq_contents tex2jax_ignore asciimath2jax_ignore\">\n{}\n</div>\n",
                escape(&content)
            );
        }
        out.push_str(
            "<div id=\"seq_content\" role=\"tabpanel\"></div>\n<nav class=\"sequence-bottom\" aria-label=\"Section\">\n<button class=\"sequence-nav-button button-previous\"><span class=\"icon fa fa-chevron-prev\" aria-hidden=\"true\"></span> <span>Previous</span></button>\n<button class=\"sequence-nav-button button-next\"><span>Next</span> <span class=\"icon fa fa-chevron-next\" aria-hidden=\"true\"></span></button>\n</nav>\n</div>\n",
        );
        Body::shimmed(out, "Sequence")
    }

    /// A unit as it stands in its sequence: with title and bookmark button.
    fn sequence_unit(&self, unit: &Node<'a>) -> String {
        if !is_vertical(unit.block.block_type()) {
            return self.block(unit);
        }
        let body = Body::with(self.unit_html(unit, true, true), "VerticalStudentView");
        super::wrapper::wrap(
            unit.block,
            &body,
            super::wrapper::Wrapping {
                view: self.options.view.name(),
                request_token: &self.request_token,
                mark_on_view: false,
            },
        )
    }

    fn sequence_tab(&self, index: usize, unit: &Node<'a>, path: &str) -> String {
        let block = unit.block;
        let usage = block.usage_key().to_string();
        let name = block.display_name();
        let kind = icon(unit);
        let is_complete = self.is_complete(unit);
        let is_bookmarked = self.bookmarks.contains(&usage);
        let hidden = |shown: bool| if shown { "" } else { " is-hidden" };
        let sound = match kind {
            "other" => String::new(),
            kind => format!("<span class=\"sr\">{kind}&nbsp;</span>"),
        };
        format!(
            "<li role=\"presentation\">\n<button class=\"seq_{kind} inactive nav-item tab\" role=\"tab\" tabindex=\"-1\" aria-selected=\"false\" aria-expanded=\"false\" aria-controls=\"seq_content\" data-index=\"{index}\" data-id=\"{usage}\" data-element=\"{element}\" data-page-title=\"{name}\" data-path=\"{path}\" data-graded=\"{graded}\" id=\"tab_{index}\">\n<span class=\"icon fa seq_{kind}\" aria-hidden=\"true\"></span>\n<span class=\"check-circle{check}\"><span class=\"fa fa-check-circle\" style=\"color:green\" aria-hidden=\"true\"></span></span>\n<span class=\"bookmark-icon{mark}\"><span class=\"fa fa-fw fa-bookmark\" aria-hidden=\"true\"></span></span>\n<div class=\"sequence-tooltip sr\">{sound}{name}<span class=\"sr bookmark-icon-sr\">&nbsp;{bookmarked}</span></div>\n</button>\n</li>\n",
            usage = escape(&usage),
            element = index + 1,
            name = escape(&name),
            path = escape(&format!("{path} > {name}")),
            graded = truth(block.flag("graded")),
            check = hidden(is_complete),
            mark = hidden(is_bookmarked),
            bookmarked = if is_bookmarked { "Bookmarked" } else { "" },
        )
    }

    /// Whether everything that can be completed in a tree is.
    fn is_complete(&self, node: &Node<'a>) -> bool {
        match node.block.kind().completion {
            Completion::Excluded => true,
            Completion::Completable => self
                .completions
                .is_complete(&node.block.usage_key().to_string()),
            Completion::Aggregator => node.shown().all(|child| self.is_complete(child)),
        }
    }

    /// A chapter or course: the names of what is in it.
    pub(super) fn container(&self, node: &Node<'a>) -> Body {
        let course = self.view.course.course_key();
        let mut out = format!(
            "<h2 class=\"hd hd-2\">{}</h2>\n<ol class=\"course-outline\">\n",
            escape(&node.block.display_name())
        );
        for child in node.shown() {
            let usage = child.block.usage_key();
            let _ = writeln!(
                out,
                "<li><a href=\"/courses/{course}/jump_to/{}\">{}</a></li>",
                escape(&opaque_keys::quote_slashes(&usage.to_string())),
                escape(&child.block.display_name())
            );
        }
        out.push_str("</ol>\n");
        Body::shimmed(out, "Sequence")
    }

    pub(super) fn library(&self, node: &Node<'a>) -> Body {
        let mut html = self.items(node);
        if node.block.flag("allow_resetting_children") && self.view.learner.user_id().is_some() {
            html.push_str(
                "<button type=\"button\" class=\"problem-reset-btn btn btn-link\" data-value=\"Reset Problems\">Reset Problems</button>\n",
            );
        }
        html.push_str(EMIT_EVENT);
        Body::with(html, "LibraryContentReset")
    }

    pub(super) fn split_test(&self, node: &Node<'a>) -> Body {
        if !self.view.learner.is_staff() {
            let Some(child) = node.shown().next() else {
                return Body::plain(String::new());
            };
            let id = escape(&child.block.usage_key().to_string());
            let html = format!(
                "<div class=\"split-test-child\" data-child-id=\"{id}\">{}</div>\n",
                self.block(child)
            );
            return Body::with(html, "SplitTestStudentView");
        }
        let block = node.block;
        let partition = self
            .any_field(block, "user_partition_id")
            .and_then(Value::as_i64)
            .and_then(|id| self.view.groups.partition(id));
        let Some(partition) = partition else {
            return Body::plain(
                "<div class=\"xblock-message warning\">This content experiment names a group configuration that the course does not have. Learners see nothing here.</div>".to_owned(),
            );
        };
        let children: Vec<&Node<'a>> = node.shown().collect();
        let mut options = String::new();
        let mut contents = String::new();
        for child in &children {
            let usage = child.block.usage_key().to_string();
            let group = self
                .any_field(block, "group_id_to_child")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .find(|(_, value)| value.as_str() == Some(usage.as_str()))
                .and_then(|(id, _)| partition.group(id.parse().ok()?));
            let name = group.map_or_else(
                || format!("{} (inactive)", child.block.display_name()),
                |group| group.name.clone(),
            );
            let id = escape(&child.block.usage_key().html_id());
            let _ = writeln!(options, "<option value=\"{id}\">{}</option>", escape(&name));
            let _ = writeln!(
                contents,
                "<div class=\"split-test-child\" data-child-id=\"{id}\"><h3 class=\"hd hd-4\">{}</h3>{}</div>",
                escape(&name),
                self.block(child)
            );
        }
        let html = format!(
            "<div class=\"split-test-view\">\n<p class=\"split-test-explanation\">Only staff see all groups of this content experiment.</p>\n<select class=\"split-test-select\" aria-label=\"Group\">\n{options}</select>\n{contents}</div>\n"
        );
        Body::with(html, "ABTestSelector")
    }

    pub(super) fn randomize(&self, node: &Node<'a>) -> Body {
        let html = node
            .shown()
            .next()
            .map(|child| self.block(child))
            .unwrap_or_default();
        Body::plain(html)
    }

    /// A block that shows its children once its sources are as it wants them: at first a place for them.
    pub(super) fn conditional(&self, block: BlockRef<'_>) -> Body {
        let ids: Vec<String> = condition_sources(self.any_field(block, "sources_list"))
            .iter()
            .filter_map(|source| Some(opaque_keys::UsageKey::parse(source).ok()?.html_id()))
            .collect();
        let id = escape(&block.usage_key().html_id());
        let html = format!(
            "<div id=\"conditional_{id}\" class=\"conditional-wrapper\" data-problem-id=\"{}\" data-url=\"{}\" data-depends=\"{}\"></div>\n",
            escape(&block.usage_key().to_string()),
            escape(&handler_url(block.usage_key(), "xmodule_handler", "")),
            escape(&ids.join(";"))
        );
        Body::shimmed(html, "Conditional")
    }
}

/// Texts of the usage keys that a conditional block depends on.
pub(crate) fn condition_sources(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn collect_leaves<'a>(node: &Node<'a>, found: &mut Vec<BlockRef<'a>>) {
    if !node.block.kind().has_children {
        found.push(node.block);
    }
    for child in node.shown() {
        collect_leaves(child, found);
    }
}

/// Whether everything below a block that the learner may see is complete, for `get_completion`.
pub(crate) fn subtree_complete(node: &Node<'_>, completions: &completion::Completions) -> bool {
    match node.block.kind().completion {
        Completion::Excluded => true,
        Completion::Completable => completions.is_complete(&node.block.usage_key().to_string()),
        Completion::Aggregator => node
            .shown()
            .all(|child| subtree_complete(child, completions)),
    }
}
