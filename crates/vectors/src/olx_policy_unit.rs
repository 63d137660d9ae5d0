//! Unit `olx_policy`.

use course_model::fields::{Clock, Moment};
use course_model::inheritance::{effective_fields, explicit_names};
use course_model::object_id::ObjectId;
use course_model::snapshot::{CourseSnapshot, SnapshotBlock, SnapshotInfo};
use course_model::{BlockKey, Fields};
use opaque_keys::{AnyUsageKey, CourseKey};
use serde_json::{Value, json};

use crate::Answer;

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

/// Due date plus grace period.
fn close_date(input: &Value) -> Answer {
    let Some(due) = input["due"].as_str().and_then(Moment::from_iso) else {
        return Ok(Value::Null);
    };
    let seconds = input["graceperiod"].as_i64().unwrap_or_default();
    let local = due.local + chrono::TimeDelta::seconds(seconds);
    Ok(json!(Moment { local, ..due }.iso()))
}

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    match op {
        "effective_fields" => runtime(&input["tree"]),
        "close_date" => close_date(input),
        "pathname" => Ok(json!(text("name").replace(':', "/"))),
        "policy_key" => {
            let key = AnyUsageKey::parse(text("usage")).map_err(|error| error.to_string())?;
            Ok(json!(format!("{}/{}", key.block_type(), key.block_id())))
        }
        _ => Err(format!("no operation {op}")),
    }
}
