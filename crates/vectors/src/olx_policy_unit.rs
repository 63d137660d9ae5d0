//! Unit `olx_policy`.

use chrono::{DateTime, TimeDelta};
use course_model::block_types::block_type_or_hidden;
use course_model::fields::Clock;
use course_model::inheritance::{effective_fields, explicit_names};
use course_model::object_id::ObjectId;
use course_model::snapshot::{CourseSnapshot, SnapshotBlock, SnapshotInfo};
use course_model::{BlockKey, Fields};
use olx::policy::{close_date, load_course, policy_key};
use olx::xml::{self, XmlLimits};
use olx::{ArchiveFiles, Environment, Limits, is_pointer, name_to_pathname};
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Map, Value, json};

use crate::Answer;

fn error(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Gathers the blocks of a recorded tree, parents first.
fn blocks(tree: &Value, out: &mut Vec<SnapshotBlock>) -> Option<BlockKey> {
    let text = |key: &str| tree.get(key).and_then(Value::as_str);
    let fields = |key: &str| -> Fields {
        tree.get(key)
            .cloned()
            .and_then(|fields| serde_json::from_value(fields).ok())
            .unwrap_or_default()
    };
    let key = BlockKey::new(text("type")?, text("id")?);
    let at = out.len();
    out.push(SnapshotBlock {
        fields: fields("fields"),
        defaults: fields("defaults"),
        ..SnapshotBlock::new(key.clone())
    });
    let nested = tree
        .get("children")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for child in nested {
        let child = blocks(&child, out)?;
        if let Some(block) = out.get_mut(at) {
            block.children.push(child);
        }
    }
    Some(key)
}

fn runtime(tree: &Value) -> Answer {
    let mut all = Vec::new();
    let root = blocks(tree, &mut all).ok_or("no tree")?;
    let course_key = CourseKey::new("Acme", "Bio", "R1").map_err(|error| error.to_string())?;
    let info = SnapshotInfo {
        course_key,
        version: ObjectId::default(),
        edited_on: None,
        edited_by: None,
        root,
    };
    let snapshot = CourseSnapshot::build(info, all).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    for block in snapshot.course().subtree() {
        let effective =
            effective_fields(block, Clock::of_year(2026)).map_err(|error| error.to_string())?;
        out.push(json!({
            "type": block.block_type(),
            "id": block.block_id(),
            "effective": effective,
            "explicit": explicit_names(block),
            "format": block.field("format"),
        }));
    }
    Ok(Value::Array(out))
}

fn loaded(input: &Value) -> Answer {
    let folder = input.get("dir").and_then(Value::as_str).unwrap_or_default();
    let files = input.get("files").and_then(Value::as_object);
    let files = files.into_iter().flatten().map(|(path, text)| {
        let text = text.as_str().unwrap_or_default();
        (format!("{folder}/{path}"), text.as_bytes())
    });
    let files = ArchiveFiles::from_files(files, &Limits::default());
    let mut environment = Environment {
        clock: Clock::of_year(2026),
        new_course: false,
        new_video_id: &mut String::new,
        video_known: &|_| false,
    };
    let course = load_course(&files, &mut environment).map_err(error)?;
    let effective = olx::policy::effective_fields(&course.content);
    let mut blocks: Vec<_> = course.content.blocks.values().collect();
    blocks.sort_by(|a, b| a.key.cmp(&b.key));
    let blocks: Vec<Value> = blocks
        .into_iter()
        .map(|block| {
            let kind = block_type_or_hidden(&block.key.block_type);
            let name = block.settings.get("display_name").cloned();
            let default = || {
                kind.field("display_name")
                    .map(|field| field.default.clone())
            };
            let set: Map<String, Value> = block
                .settings
                .iter()
                .filter(|(name, _)| {
                    !matches!(
                        name.as_str(),
                        "tabs" | "discussion_topics" | "xml_attributes"
                    )
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            let mut out = json!({
                "type": &*block.key.block_type, "id": &*block.key.block_id,
                "display_name": name.or_else(default), "set": set,
                "effective": effective.get(&block.key),
            });
            if let Some(Value::Object(attributes)) = block.settings.get("xml_attributes") {
                let mut attributes = attributes.clone();
                attributes.shift_remove("filename");
                out["xml_attributes"] = Value::Object(attributes);
            }
            if kind.has_children {
                let children = block.children.iter();
                let children = children.map(|key| json!([&*key.block_type, &*key.block_id]));
                out["children"] = children.collect();
            }
            out
        })
        .collect();
    let source = &course.source;
    Ok(json!({
        "course": {"org": source.org, "course": source.course, "run": source.run},
        "blocks": blocks,
        "problems": course.warnings.iter().filter(|warning| warning.tracked).count(),
    }))
}

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    match op {
        "effective_fields" => runtime(&input["tree"]),
        "load_course" => loaded(input),
        "is_pointer" => {
            let element = xml::parse(text("xml"), &XmlLimits::default()).map_err(error)?;
            Ok(json!(is_pointer(&element)))
        }
        "pathname" => Ok(json!(name_to_pathname(text("name")))),
        "policy_key" => Ok(json!(policy_key(
            &UsageKey::parse(text("usage")).map_err(error)?
        ))),
        "close_date" => {
            let due = input.get("due").and_then(Value::as_str);
            let due = due
                .map(DateTime::parse_from_rfc3339)
                .transpose()
                .map_err(error)?;
            let grace = input.get("graceperiod").and_then(Value::as_i64);
            let close = close_date(due, grace.map(TimeDelta::seconds));
            Ok(json!(close.map(|close| close.to_rfc3339())))
        }
        _ => Err(format!("no operation {op}")),
    }
}
