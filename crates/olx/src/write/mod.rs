//! From blocks to the files of an archive (olx.md §§1, 3–9, 12).

mod assets;
mod blocks;
mod kinds;
mod openassessment;
mod video;

use std::collections::{HashMap, HashSet};

use course_model::block_types::block_type_or_hidden;
use course_model::{Block, BlockKey, CourseContent, Fields};
use opaque_keys::CourseKey;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::read::default_grading_policy;
use crate::show::parents;
use crate::xml::{self, Element};

pub use assets::{AssetFile, ExportedAsset};
pub(crate) use blocks::Writer;
pub use video::{ExportedTranscript, ExportedVideo};

/// Types that are never drafts (olx.md §9).
const DIRECT_ONLY: [&str; 6] = [
    "course",
    "chapter",
    "sequential",
    "about",
    "static_tab",
    "course_info",
];

/// A course or library to write.
pub struct Export<'e> {
    /// Its key.
    pub key: &'e CourseKey,
    /// The published branch; a library's only one.
    pub published: &'e CourseContent,
    /// The draft branch.
    pub draft: &'e CourseContent,
    /// What the video store holds of a video.
    pub video: &'e dyn Fn(&str) -> Option<ExportedVideo>,
    /// The files of the course, without their bytes.
    pub assets: &'e [ExportedAsset],
    /// `assets/assets.xml`, when there are records.
    pub assets_xml: Option<&'e str>,
    /// `tags.csv`, when anything is tagged.
    pub tags_csv: Option<&'e str>,
}

/// What an export consists of.
#[derive(Debug, Default)]
pub struct Exported {
    /// Name of the folder in the archive: `course` or `library`.
    pub folder: &'static str,
    /// Files with their bytes, by path below the folder.
    pub files: Vec<(String, Vec<u8>)>,
    /// Where the bytes of assets go.
    pub assets: Vec<AssetFile>,
}

/// Writes all files of a course or library; asset bytes are left to the caller.
pub fn write_course(export: &Export<'_>) -> Result<Exported, Error> {
    let library = export.key.is_library();
    let mut files = Files::default();
    let root = export.published.blocks.get(&export.published.root);
    let mut writer = Writer::new(export, export.published, "", &mut files);
    let name = if library { "library" } else { "course" };
    let mut pointer = Element::new(name);
    pointer.set(
        "url_name",
        if library { "library" } else { export.key.run() },
    );
    if let Some(root) = root {
        writer.block(root, &mut pointer)?;
    }
    if library {
        pointer.set("org", export.key.org());
        pointer.set("library", export.key.course());
        files.add("library.xml", xml::to_pretty(&pointer));
    } else {
        pointer.set("org", export.key.org());
        pointer.set("course", export.key.course());
        files.add("course.xml", xml::to_text(&pointer));
        files.add(
            "assets/assets.xml",
            export.assets_xml.unwrap_or("<assets/>"),
        );
        extra_content(export.published, &mut files);
        if let Some(root) = root {
            policies(export.key, root, &mut files);
        }
        drafts(export, &mut files)?;
        if let Some(tags) = export.tags_csv {
            files.add("tags.csv", tags);
        }
    }
    files.add(
        "policies/assets.json",
        assets::policy(export.key, export.assets),
    );
    let image = root.and_then(|root| root.settings.get("course_image"));
    let default_image = !library && image.is_none_or(|image| image == assets::DEFAULT_IMAGE);
    Ok(Exported {
        folder: name,
        files: files.list,
        assets: assets::files(export.assets, default_image),
    })
}

/// The files written so far; of one path the last wins, at its first place.
#[derive(Default)]
pub(crate) struct Files {
    list: Vec<(String, Vec<u8>)>,
    places: HashMap<String, usize>,
}

impl Files {
    pub(crate) fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        let path = path.into();
        let bytes = bytes.into();
        if let Some(slot) = self.places.get(&path).and_then(|&at| self.list.get_mut(at)) {
            slot.1 = bytes;
        } else {
            self.places.insert(path.clone(), self.list.len());
            self.list.push((path, bytes));
        }
    }
}

/// Sorted keys, four blanks a level: the form of policy files.
pub(crate) fn json_text(value: &Value) -> String {
    let mut out = String::new();
    json_write(&mut out, value, 0);
    out
}

fn json_write(out: &mut String, value: &Value, level: usize) {
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", level));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                line(out, level + 1);
                json_write(out, item, level + 1);
            }
            line(out, level);
            out.push(']');
        }
        Value::Object(map) if !map.is_empty() => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (at, key) in keys.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                line(out, level + 1);
                out.push_str(&course_model::fields::json_dumps(&Value::from(
                    key.as_str(),
                )));
                out.push_str(": ");
                json_write(out, map.get(key).unwrap_or(&Value::Null), level + 1);
            }
            line(out, level);
            out.push('}');
        }
        plain => out.push_str(&course_model::fields::json_dumps(plain)),
    }
}

fn object(fields: &Fields) -> Map<String, Value> {
    fields
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// `policy.json` and `grading_policy.json` (olx.md §5).
fn policies(key: &CourseKey, root: &Block, files: &mut Files) {
    let run = key.run();
    let policy = root
        .content
        .get("grading_policy")
        .or_else(|| root.settings.get("grading_policy"))
        .cloned()
        .unwrap_or_else(default_grading_policy);
    files.add(
        format!("policies/{run}/grading_policy.json"),
        json_text(&policy),
    );
    let mut whole = Map::new();
    whole.insert(
        format!("course/{run}"),
        Value::Object(object(&root.settings)),
    );
    files.add(
        format!("policies/{run}/policy.json"),
        json_text(&Value::Object(whole)),
    );
}

/// About pages, updates, tabs, tag templates (olx.md §6).
fn extra_content(content: &CourseContent, files: &mut Files) {
    for (folder, kind) in crate::read::EXTRA_FOLDERS {
        let suffix = if folder == "custom_tags" { "" } else { ".html" };
        let default = block_type_or_hidden(kind)
            .field("data")
            .map(|field| &field.default);
        for (key, block) in content
            .blocks
            .iter()
            .filter(|(key, _)| &*key.block_type == kind)
        {
            let data = block
                .content
                .get("data")
                .or(default)
                .and_then(Value::as_str);
            let path = format!("{folder}/{}{suffix}", key.block_id);
            files.add(path, data.unwrap_or_default());
            for (name, value) in &block.content {
                if !matches!(name.as_str(), "data" | "metadata") {
                    let path = format!("{folder}/{}.{name}.json", key.block_id);
                    files.add(path, json_text(value));
                }
            }
        }
    }
}

/// Changed subtrees in their draft state, each root marked with its place (olx.md §9).
fn drafts(export: &Export<'_>, files: &mut Files) -> Result<(), Error> {
    let parents = parents(export.draft);
    let mut changed: HashSet<&BlockKey> = HashSet::new();
    for (key, block) in &export.draft.blocks {
        if export.published.blocks.get(key) == Some(block) {
            continue;
        }
        // A changed block changes what holds it.
        let mut at = Some(key);
        while let Some(key) = at {
            if !changed.insert(key) {
                break;
            }
            at = parents.get(key);
        }
    }
    changed.retain(|key| !DIRECT_ONLY.contains(&&*key.block_type));
    for (key, block) in &export.draft.blocks {
        if !changed.contains(key) {
            continue;
        }
        let Some(parent) = parents.get(key).filter(|parent| !changed.contains(parent)) else {
            continue;
        };
        let Some(index) = export
            .draft
            .blocks
            .get(parent)
            .and_then(|parent| parent.children.iter().position(|child| child == key))
        else {
            continue;
        };
        if !in_tree(parent, &export.draft.root, &parents) {
            continue;
        }
        let Ok(url) = export
            .key
            .make_usage_key(&parent.block_type, &parent.block_id)
        else {
            continue;
        };
        let mut marked = block.clone();
        let mut attributes = match marked.settings.get("xml_attributes") {
            Some(Value::Object(attributes)) => attributes.clone(),
            _ => Map::new(),
        };
        attributes.insert("parent_url".to_owned(), Value::from(url.to_string()));
        attributes.insert(
            "index_in_children_list".to_owned(),
            Value::from(index.to_string()),
        );
        marked
            .settings
            .insert("xml_attributes".to_owned(), Value::Object(attributes));
        let mut writer = Writer::new(export, export.draft, "drafts/", files);
        writer.block(&marked, &mut Element::new("unknown"))?;
    }
    Ok(())
}

/// Whether a block hangs on the root.
fn in_tree(key: &BlockKey, root: &BlockKey, parents: &HashMap<BlockKey, BlockKey>) -> bool {
    let mut at = key;
    for _ in 0..=parents.len() {
        if at == root {
            return true;
        }
        match parents.get(at) {
            Some(parent) => at = parent,
            None => return false,
        }
    }
    false
}
