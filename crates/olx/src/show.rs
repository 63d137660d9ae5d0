//! A stored course as one JSON object: what `stoa course show KEY --json` prints.
//!
//! It shows explicitly set values, what blocks inherit, and where the draft branch differs from the
//! published one, so that two stores of one course can be compared.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use chrono::Timelike;
use course_model::block_types::{block_type_or_hidden, inheritable_names};
use course_model::fields::{Clock, parse_date};
use course_model::{Block, BlockKey, CourseContent, FieldType, Fields};
use opaque_keys::CourseKey;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use crate::read::default_grading_policy;
use crate::values;

/// What is shown of an asset.
#[derive(Debug, Clone)]
pub struct ShownAsset {
    /// Block id of its key.
    pub name: String,
    /// Name shown and exported.
    pub displayname: String,
    /// Whether only enrolled learners get it.
    pub locked: bool,
    /// MIME type.
    pub content_type: Option<String>,
    /// Path below `static/`.
    pub import_path: Option<String>,
    /// SHA-256 of the bytes, in lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// The course as JSON: `{"course": …, "blocks": […]}`.
#[must_use]
pub fn course(
    key: &CourseKey,
    published: &CourseContent,
    draft: &CourseContent,
    assets: &[ShownAsset],
) -> Value {
    json!({
        "course": course_facts(key, draft, assets),
        "blocks": blocks(key, published, draft),
    })
}

fn course_facts(key: &CourseKey, draft: &CourseContent, assets: &[ShownAsset]) -> Value {
    let root = draft.blocks.get(&draft.root);
    let field = |name: &str| {
        let root = root?;
        root.settings
            .get(name)
            .or_else(|| root.content.get(name))
            .cloned()
    };
    let library = key.is_library();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in draft.blocks.keys() {
        *counts.entry(&key.block_type).or_default() += 1;
    }
    let assets: Map<String, Value> = assets
        .iter()
        .map(|asset| {
            let shown = json!({
                "displayname": asset.displayname, "locked": asset.locked,
                "contentType": asset.content_type, "import_path": asset.import_path,
                "sha256": asset.sha256, "size": asset.size,
            });
            (asset.name.clone(), shown)
        })
        .collect();
    json!({
        "course_key": key.to_string(),
        "grading_policy": if library { Value::Null } else {
            field("grading_policy").unwrap_or_else(default_grading_policy)
        },
        "tabs": if library { Value::Null } else { field("tabs").unwrap_or_else(|| json!([])) },
        "counts": counts,
        "assets": assets,
    })
}

/// Parents by child: of several the last one in a depth-first walk; then those of blocks outside the tree.
#[must_use]
pub fn parents(content: &CourseContent) -> HashMap<BlockKey, BlockKey> {
    let mut parents = HashMap::new();
    let mut seen = HashSet::new();
    walk(content, &content.root, &mut seen, &mut parents);
    for key in content.blocks.keys() {
        if seen.contains(key) {
            continue;
        }
        let mut more = HashMap::new();
        walk(content, key, &mut seen, &mut more);
        for (child, parent) in more {
            parents.entry(child).or_insert(parent);
        }
    }
    parents.remove(&content.root);
    parents
}

fn walk(
    content: &CourseContent,
    root: &BlockKey,
    seen: &mut HashSet<BlockKey>,
    parents: &mut HashMap<BlockKey, BlockKey>,
) {
    let mut waiting = vec![(root, None)];
    while let Some((key, parent)) = waiting.pop() {
        if let Some(parent) = parent {
            parents.insert(BlockKey::clone(key), BlockKey::clone(parent));
        }
        if !seen.insert(key.clone()) {
            continue;
        }
        if let Some(block) = content.blocks.get(key) {
            waiting.extend(block.children.iter().rev().map(|child| (child, Some(key))));
        }
    }
}

fn blocks(key: &CourseKey, published: &CourseContent, draft: &CourseContent) -> Vec<Value> {
    let parents = parents(draft);
    let inherited = settle_all(draft, &parents);
    let mut out = Vec::with_capacity(draft.blocks.len());
    for (address, block) in &draft.blocks {
        let parent = parents.get(address).map(|parent| usage(key, parent));
        let Value::Object(mut shown) = version(key, block) else {
            continue;
        };
        shown.insert("usage".to_owned(), Value::from(usage(key, address)));
        shown.insert("type".to_owned(), Value::from(&*address.block_type));
        let name = block
            .settings
            .get("display_name")
            .or_else(|| block.content.get("display_name"));
        shown.insert("display_name".to_owned(), name.cloned().unwrap_or_default());
        shown.insert("parent".to_owned(), Value::from(parent));
        let effective = inherited.get(address);
        shown.insert("inherited".to_owned(), effective_values(block, effective));
        let live = published.blocks.get(address);
        let changed = live != Some(block);
        shown.insert("draft".to_owned(), Value::Bool(changed));
        if changed {
            let live = live.map_or(Value::Null, |live| version(key, live));
            shown.insert("published".to_owned(), live);
        }
        out.push(Value::Object(shown));
    }
    out
}

fn usage(course: &CourseKey, key: &BlockKey) -> String {
    match course.make_usage_key(&key.block_type, &key.block_id) {
        Ok(usage) => usage.to_string(),
        Err(_) => key.to_string(),
    }
}

/// Children and fields of one version.
fn version(course: &CourseKey, block: &Block) -> Value {
    let kind = block_type_or_hidden(&block.key.block_type);
    let children: Vec<String> = block
        .children
        .iter()
        .map(|child| usage(course, child))
        .collect();
    let fields: Map<String, Value> = block
        .settings
        .iter()
        .chain(&block.content)
        .filter(|(name, value)| !is_reference_default(&block.key, name, value))
        .map(|(name, value)| {
            let kind = kind.field(name).map(|field| field.kind);
            let value = kind.map_or_else(|| value.clone(), |kind| shown_value(kind, value));
            (name.clone(), value)
        })
        .collect();
    json!({"children": children, "fields": fields})
}

/// Dates are shown in UTC whatever form they are stored in; other values as they are.
fn shown_value(kind: FieldType, value: &Value) -> Value {
    let Value::String(text) = value else {
        return value.clone();
    };
    if !kind.is_date() {
        return value.clone();
    }
    match parse_date(text, Clock::of_year(2000)) {
        Some(Some(moment)) => {
            let utc = moment.to_utc();
            let whole = utc.nanosecond() == 0;
            let form = if whole {
                "%Y-%m-%dT%H:%M:%SZ"
            } else {
                "%Y-%m-%dT%H:%M:%S%.6fZ"
            };
            Value::from(utc.format(form).to_string())
        }
        _ => value.clone(),
    }
}

/// What each block hands down: its own inheritable values over those of its ancestors.
pub(crate) fn settle_all<'c>(
    content: &'c CourseContent,
    parents: &'c HashMap<BlockKey, BlockKey>,
) -> HashMap<&'c BlockKey, Fields> {
    let mut settled = HashMap::new();
    for key in content.blocks.keys() {
        settle(key, content, parents, &mut settled);
    }
    settled
}

/// Works out what a block hands down: its own inheritable values over those of its ancestors.
fn settle<'c>(
    key: &'c BlockKey,
    content: &'c CourseContent,
    parents: &'c HashMap<BlockKey, BlockKey>,
    settled: &mut HashMap<&'c BlockKey, Fields>,
) {
    let mut path = vec![key];
    while let Some(parent) = path.last().and_then(|last| parents.get(*last)) {
        if settled.contains_key(parent) || path.contains(&parent) {
            break;
        }
        path.push(parent);
    }
    for key in path.into_iter().rev() {
        if settled.contains_key(key) {
            continue;
        }
        let above = parents.get(key).and_then(|parent| settled.get(parent));
        let mut values = above.cloned().unwrap_or_default();
        if let Some(block) = content.blocks.get(key) {
            for name in inheritable_names() {
                if let Some(value) = block.settings.get(name) {
                    values.insert(name.to_owned(), value.clone());
                }
            }
        }
        settled.insert(key, values);
    }
}

/// The inheritable values of a block that differ from the platform's defaults, and its own `format`.
fn effective_values(block: &Block, values: Option<&Fields>) -> Value {
    let kind = block_type_or_hidden(&block.key.block_type);
    let plain = block_type_or_hidden("hidden");
    let mut out = Map::new();
    for (name, value) in values.into_iter().flatten() {
        let (Some(field), Some(default)) = (kind.field(name), plain.field(name)) else {
            continue;
        };
        let value = match field.kind {
            FieldType::Randomization => values::reread(field.kind, value),
            _ => shown_value(default.kind, value),
        };
        if value != default.default {
            out.insert(name.clone(), value);
        }
    }
    if let Some(format) = block
        .settings
        .get("format")
        .filter(|format| !matches!(format, Value::Null))
        && format != ""
    {
        out.insert("format".to_owned(), format.clone());
    }
    Value::Object(out)
}

/// Texts of open response blocks which the reference does not count as set, since they are its own
/// defaults: SHA-1 of field name, colon and text.
const REFERENCE_DEFAULTS: [&str; 3] = [
    "46bd7ce19ceda5130755f59ab5fc3ec3aad7a3c5",
    "2ebf5214f176ab0d32a8f8243280169e332e8aed",
    "f8c4e7911504aee0ab5bdb2977ca4e16852da652",
];

fn is_reference_default(key: &BlockKey, name: &str, value: &Value) -> bool {
    let ("openassessment", Value::String(text)) = (&*key.block_type, value) else {
        return false;
    };
    let mut hash = Sha1::new();
    hash.update(name);
    hash.update(":");
    hash.update(text);
    let digest = hash.finalize();
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    REFERENCE_DEFAULTS.contains(&hex.as_str())
}
