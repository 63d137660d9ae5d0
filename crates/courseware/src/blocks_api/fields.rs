//! The JSON of a block (courseware.md §8.2).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use course_model::{BlockIdx, BlockRef, Fields, Scope};
use modulestore::ModuleStore;
use serde_json::{Map, Value, json};

use super::completion::Completions;
use super::transform::Refusal;
use super::tree::{Counts, Tree};
use super::video::Encodings;
use super::{Answered, Query};
use crate::Result;
use crate::access::{MergedView, has_score};
use crate::catalog::rest_date;
use crate::index_dictionary::problem_types;
use crate::view::CourseView;

/// Types whose view works on every device.
const MULTI_DEVICE: &[&str] = &[
    "html",
    "about",
    "static_tab",
    "course_info",
    "drag-and-drop-v2",
    "poll",
    "survey",
];

/// Responses whose inputs work on every device.
const MULTI_DEVICE_RESPONSES: &[&str] = &[
    "choiceresponse",
    "choicetextresponse",
    "formularesponse",
    "multiplechoiceresponse",
    "numericalresponse",
    "optionresponse",
    "stringresponse",
    "truefalseresponse",
];

/// What html blocks say where their text is not given out.
const HTML_DISABLED: &str = "To enable, set FEATURES[\"ENABLE_HTML_XBLOCK_STUDENT_VIEW_DATA\"]";

/// Fields that a denied block keeps.
const DENIED_FIELDS: &[&str] = &[
    "display_name",
    "block_id",
    "student_view_url",
    "student_view_multi_device",
    "lms_web_url",
    "legacy_web_url",
    "type",
    "id",
    "block_counts",
    "graded",
    "descendants",
    "contains_gated_content",
    "authorization_denial_reason",
    "authorization_denial_message",
];

/// Addresses in answers, without a slash at their end.
#[derive(Debug, Clone, Copy)]
pub struct Links<'a> {
    /// Where the client reached us.
    pub base: &'a str,
    /// Where blocks say that they are reached.
    pub blocks: &'a str,
}

impl Links<'_> {
    /// Address of a handler that needs no sign-in.
    pub(super) fn handler_noauth(&self, block: BlockRef<'_>, path: &str) -> String {
        let usage = block.usage_key();
        format!(
            "{}/courses/{}/xblock/{usage}/handler_noauth/{path}",
            self.blocks,
            usage.course_key()
        )
    }
}

/// Bodies of the blocks whose answer is not in the structure alone.
pub(super) async fn definitions(
    store: &ModuleStore,
    tree: &Tree<'_>,
    query: &Query,
) -> Result<HashMap<BlockIdx, Arc<Fields>>> {
    let asked = |name: &str| query.student_view_data.iter().any(|one| one == name);
    let multi_device = query.wants("student_view_multi_device");
    let wanted: Vec<BlockRef<'_>> = tree
        .blocks()
        .filter(|block| match block.block_type() {
            "discussion" => asked("discussion"),
            "problem" => multi_device,
            _ => FROM_STRUCTURE.iter().any(|name| is_content(*block, name)),
        })
        .collect();
    let Some(first) = wanted.first() else {
        return Ok(HashMap::new());
    };
    let places: Vec<BlockIdx> = wanted.iter().map(|block| block.idx()).collect();
    let bodies = store.definitions(first.snapshot(), &places).await?;
    Ok(places.into_iter().zip(bodies).collect())
}

/// Fields that nearly all types keep in the structure.
const FROM_STRUCTURE: &[&str] = &["display_name", "weight"];

/// Whether a type keeps a field in its definition.
fn is_content(block: BlockRef<'_>, name: &str) -> bool {
    block
        .kind()
        .field(name)
        .is_some_and(|field| field.scope == Scope::Content)
}

/// Everything that a block's JSON is made of.
pub(super) struct Writer<'a> {
    pub view: &'a CourseView,
    pub query: &'a Query,
    pub links: &'a Links<'a>,
    pub tree: &'a Tree<'a>,
    pub root: BlockIdx,
    pub counts: Option<&'a Counts<'a>>,
    pub descendants: Option<&'a HashMap<BlockIdx, Vec<BlockIdx>>>,
    pub completion: &'a Completions,
    pub denials: &'a HashMap<BlockIdx, Refusal>,
    pub gated: &'a HashSet<BlockIdx>,
    pub scheduled: bool,
    pub videos: &'a Encodings,
    pub definitions: &'a HashMap<BlockIdx, Arc<Fields>>,
    pub merged: &'a MergedView,
}

impl Writer<'_> {
    pub fn block(&self, block: BlockRef<'_>) -> Answered {
        let id = block.usage_key().to_string();
        let course = block.usage_key().course_key();
        let jump = format!("{}/courses/{course}/jump_to/{id}", self.links.base);
        let mut out = Map::new();
        out.insert("id".into(), id.as_str().into());
        out.insert("block_id".into(), block.block_id().into());
        out.insert("lms_web_url".into(), jump.as_str().into());
        out.insert(
            "legacy_web_url".into(),
            format!("{jump}?experience=legacy").into(),
        );
        out.insert(
            "student_view_url".into(),
            format!("{}/xblock/{id}", self.links.base).into(),
        );
        out.insert("type".into(), block.block_type().into());
        let name = self.field(block, "display_name").cloned();
        let name = name.filter(|name| !name.is_null());
        out.insert("display_name".into(), name.unwrap_or_else(|| "".into()));
        self.settings(block, &mut out);
        self.computed(block, &mut out);
        if let Some(refusal) = self.denials.get(&block.idx()) {
            out.insert(
                "authorization_denial_reason".into(),
                refusal.reason.as_str().into(),
            );
            out.insert(
                "authorization_denial_message".into(),
                refusal.message.as_str().into(),
            );
            out.retain(|name, _| DENIED_FIELDS.contains(&name.as_str()));
        }
        Answered {
            id,
            block_type: block.block_type().to_owned(),
            fields: out,
        }
    }

    /// Fields that the block has or inherits; null ones are left out.
    fn settings(&self, block: BlockRef<'_>, out: &mut Map<String, Value>) {
        let mut put = |name: &str, value: Value| {
            if self.query.wants(name) && !value.is_null() {
                out.insert(name.to_owned(), value);
            }
        };
        put("graded", block.flag("graded").into());
        put("format", block.field("format").cloned().unwrap_or_default());
        for name in ["start", "due"] {
            if self.query.wants(name) {
                let date = self.view.date(block, name);
                put(name, date.map(rest_date).into());
            }
        }
        put("has_score", has_score(block).into());
        let weight = if is_content(block, "weight") {
            self.field(block, "weight").and_then(Value::as_f64)
        } else {
            block.float("weight")
        };
        put("weight", weight.into());
        let show = block.field("show_correctness").cloned();
        put("show_correctness", show.unwrap_or_default());
        put("hide_from_toc", block.flag("hide_from_toc").into());
        let idx = block.idx();
        put("hide_after_due", self.merged.hide_after_due(idx).into());
        put(
            "visible_to_staff_only",
            self.merged.visible_to_staff_only(idx).into(),
        );
        if block.block_type() == "course" {
            let other = block
                .field("other_course_settings")
                .filter(|value| value.as_object().is_some_and(|object| !object.is_empty()));
            put("other_course_settings", other.cloned().unwrap_or_default());
        }
    }

    /// Fields that come out of the pipeline.
    fn computed(&self, block: BlockRef<'_>, out: &mut Map<String, Value>) {
        let idx = block.idx();
        let wants = |name: &str| self.query.wants(name);
        let keys = |places: &[BlockIdx]| -> Vec<Value> {
            let text = |idx: &BlockIdx| self.view.course.block(*idx).usage_key().to_string();
            places.iter().map(|idx| text(idx).into()).collect()
        };
        if wants("children") {
            let children = self.tree.children(idx);
            if !children.is_empty() {
                out.insert("children".into(), keys(children).into());
            }
        }
        if wants("student_view_data")
            && let Some(data) = self.view_data(block)
        {
            out.insert("student_view_data".into(), data);
        }
        if wants("student_view_multi_device") {
            let works = match block.block_type() {
                "problem" => self.problem_works_everywhere(idx),
                other => MULTI_DEVICE.contains(&other),
            };
            out.insert("student_view_multi_device".into(), works.into());
        }
        if let Some(counts) = self.counts {
            let own = counts.get(&idx);
            let counted: Map<String, Value> = self
                .query
                .block_counts
                .iter()
                .map(|name| {
                    let count = own.and_then(|own| own.get(name.as_str()));
                    (name.clone(), count.copied().unwrap_or_default().into())
                })
                .collect();
            out.insert("block_counts".into(), counted.into());
        }
        if let Some(list) = self.descendants.and_then(|lists| lists.get(&idx)) {
            out.insert("descendants".into(), keys(list).into());
        }
        if wants("completion") {
            if let Some(value) = self.completion.value(block) {
                out.insert("completion".into(), value.into());
            }
            if wants("complete") && self.completion.is_complete(idx) {
                out.insert("complete".into(), true.into());
            }
            if wants("resume_block") && self.completion.is_resume(idx) {
                out.insert("resume_block".into(), true.into());
            }
        }
        if wants("contains_gated_content") && self.gated.contains(&idx) {
            out.insert("contains_gated_content".into(), true.into());
        }
        if wants("has_scheduled_content") && idx == self.root && self.scheduled {
            out.insert("has_scheduled_content".into(), true.into());
        }
    }

    /// A field as the block's type keeps it: in the structure or in the definition.
    fn field<'b>(&'b self, block: BlockRef<'b>, name: &str) -> Option<&'b Value> {
        is_content(block, name)
            .then(|| self.definitions.get(&block.idx())?.get(name))
            .flatten()
            .or_else(|| block.field(name))
    }

    fn problem_works_everywhere(&self, idx: BlockIdx) -> bool {
        let body = self.definitions.get(&idx);
        let data = body
            .and_then(|body| body.get("data"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        problem_types(data)
            .iter()
            .all(|name| MULTI_DEVICE_RESPONSES.contains(name))
    }

    fn view_data(&self, block: BlockRef<'_>) -> Option<Value> {
        let name = block.block_type();
        if !self.query.student_view_data.iter().any(|one| one == name) {
            return None;
        }
        match name {
            "html" => Some(json!({"enabled": false, "message": HTML_DISABLED})),
            "video" => Some(self.videos.view_data(block, self.links)),
            "discussion" => {
                let body = self.definitions.get(&block.idx());
                let topic = body
                    .and_then(|body| body.get("discussion_id"))
                    .or_else(|| block.field("discussion_id"))
                    .cloned();
                Some(json!({"topic_id": topic}))
            }
            _ => None,
        }
    }
}
