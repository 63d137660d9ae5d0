//! Drafts over the published branch (olx.md §9).

use std::sync::Arc;

use course_model::BlockKey;
use indexmap::IndexMap;
use opaque_keys::{CourseKey, UsageKey};
use serde_json::Value;

use super::loader::{Loader, Module};
use super::{Environment, ImportedCourse, Placement};
use crate::error::{Error, Fault, Warning};
use crate::source::{Folder, SourceKey};
use crate::xml;

/// What marks a file as the root of a draft.
const MARK: &str = "index_in_children_list";

struct Draft {
    key: BlockKey,
    parent: Option<String>,
    index: Option<i64>,
    module: Module,
}

/// Reads `drafts/` and lays what it holds over the draft branch.
pub(super) fn read(
    folder: &Folder<'_>,
    source: &SourceKey,
    target: &CourseKey,
    environment: &mut Environment<'_>,
    xml_bytes: u64,
    imported: &mut ImportedCourse,
) -> Result<(), Error> {
    let drafts_folder = folder.below("drafts/");
    let mut loader = Loader::new(drafts_folder, source, target, environment);
    loader.course_folder = folder.clone();
    loader.draft = true;
    loader.xml_bytes = xml_bytes;
    loader.videos = std::mem::take(&mut imported.videos);
    let mut drafts = Vec::new();
    let names: Vec<String> = folder
        .files("drafts/")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for name in names {
        let file_name = name.rsplit('/').next().unwrap_or_default();
        if file_name.starts_with("._") {
            continue;
        }
        match read_one(&mut loader, &name, file_name) {
            Ok(Some(draft)) => drafts.push(draft),
            Ok(None) => {}
            Err(mut fault) => {
                fault.file = format!("drafts/{}", fault.file).into();
                loader.warnings.push(Warning {
                    fault,
                    tracked: false,
                });
            }
        }
    }
    drafts.sort_by_key(|draft| draft.index);
    let (modules, warnings, _, _, videos) = loader.finish()?;
    imported.videos = videos;
    imported
        .warnings
        .extend(warnings.into_iter().map(|mut warning| {
            if !warning.fault.file.starts_with("drafts/") {
                warning.fault.file = format!("drafts/{}", warning.fault.file).into();
            }
            warning
        }));
    let SourceKey { org, course, .. } = source;
    let urls: Vec<String> = drafts
        .iter()
        .map(|Draft { key, .. }| {
            format!("i4x://{org}/{course}/{}/{}", key.block_type, key.block_id)
        })
        .collect();
    let root = BlockKey::new("course", source.run.as_str());
    let place = Placement {
        source,
        target,
        root: &root,
    };
    for draft in drafts {
        if draft
            .parent
            .as_ref()
            .is_some_and(|parent| urls.contains(parent))
        {
            continue;
        }
        let module = draft.module.clone();
        if let Err(text) = lay_over(draft, &modules, &place, imported) {
            imported.warnings.push(module.warning(&text));
        }
    }
    Ok(())
}

fn read_one(
    loader: &mut Loader<'_, '_, '_>,
    name: &str,
    file_name: &str,
) -> Result<Option<Draft>, Fault> {
    let text = loader.folder.text(name)?;
    if !text.contains(MARK) {
        return Ok(None);
    }
    let file: Arc<str> = name.into();
    let limits = &loader.folder.archive().limits().xml;
    let element =
        xml::parse(&text, limits).map_err(|error| Fault::new(&file, error.line, error.message))?;
    let line = element.line;
    let key = loader.process_element(element, &text, &file, false)?;
    let Some(mut module) = loader.modules.get(&key).cloned() else {
        return Err(Fault::new(&file, line, "the draft is no block"));
    };
    let Some(Value::Object(attributes)) = module.settings.get("xml_attributes") else {
        return Err(Fault::new(
            &file,
            line,
            "a draft of this type cannot say where it belongs",
        ));
    };
    let text = |name: &str| attributes.get(name).and_then(Value::as_str);
    let index = match text(MARK) {
        None => None,
        Some(index) => match index.trim().parse() {
            Ok(index) => Some(index),
            Err(_) => {
                return Err(Fault::new(
                    &file,
                    line,
                    "index_in_children_list is no number",
                ));
            }
        },
    };
    let parent = text("parent_url").or_else(|| text("parent_sequential_url"));
    let parent = parent.map(str::to_owned);
    let stem = file_name
        .rsplit_once('.')
        .map_or(file_name, |(stem, _)| stem);
    // The block is called as its file is.
    let key = BlockKey::new(Arc::clone(&key.block_type), stem);
    module.key = key.clone();
    if module.line == 0 {
        module.line = line;
    }
    Ok(Some(Draft {
        key,
        parent,
        index,
        module,
    }))
}

/// Puts one draft and what it reaches on the draft branch.
fn lay_over(
    draft: Draft,
    modules: &IndexMap<BlockKey, Module>,
    place: &Placement<'_>,
    imported: &mut ImportedCourse,
) -> Result<(), String> {
    let blocks = &mut imported.draft.blocks;
    let key = &draft.key;
    let usage = place.target.make_usage_key(&key.block_type, &key.block_id);
    usage.map_err(|error| error.to_string())?;
    if let (Some(parent), Some(index)) = (&draft.parent, draft.index) {
        let parent = UsageKey::parse(parent).map_err(|error| error.to_string())?;
        let parent = place.key(&BlockKey::new(parent.block_type(), parent.block_id()));
        let parent = blocks
            .get_mut(&parent)
            .ok_or_else(|| format!("its parent {parent} is not in the course"))?;
        if parent
            .children
            .iter()
            .all(|child| child.block_id != key.block_id)
        {
            let count = parent.children.len();
            let at = usize::try_from(index).unwrap_or_else(|_| {
                let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
                count.saturating_sub(back)
            });
            parent.children.insert(at.min(count), key.clone());
        }
    }
    let mut waiting = vec![draft.module];
    let mut placed = Vec::new();
    while let Some(module) = waiting.pop() {
        if placed.contains(&module.key) {
            continue;
        }
        placed.push(module.key.clone());
        let children = module
            .children
            .iter()
            .filter_map(|child| modules.get(child));
        waiting.extend(children.cloned());
        let mut block = place.block(module);
        block
            .children
            .retain(|child| modules.contains_key(child) || blocks.contains_key(child));
        blocks.insert(block.key.clone(), block);
    }
    Ok(())
}
