//! A course as its definitions and policies say, before it has a place in a target (olx.md §§2–5).

use std::collections::HashMap;

use chrono::{DateTime, FixedOffset, TimeDelta};
use course_model::block_types::{block_type_or_hidden, inheritable_names};
use course_model::{Block, BlockKey, CourseContent, Fields};
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Map, Value};

use crate::archive::ArchiveFiles;
use crate::error::{Error, Fault, Warning};
use crate::read::{Environment, Loader};
use crate::show;
use crate::source::{SourceKey, find_folder, read_root};
use crate::values;

/// A course as loaded, its blocks by their names in the archive.
#[derive(Debug, Clone)]
pub struct LoadedCourse {
    /// The key the archive gives itself.
    pub source: SourceKey,
    /// The blocks, those without parent included; drafts and extra content are not loaded.
    pub content: CourseContent,
    /// What was noticed and survived.
    pub warnings: Vec<Warning>,
}

/// Loads the definitions of a course.
pub fn load_course(
    files: &ArchiveFiles,
    environment: &mut Environment<'_>,
) -> Result<LoadedCourse, Error> {
    let folder = find_folder(files, false)?;
    let root = read_root(&folder, false)?;
    let source = root.key.clone();
    let bad_key = |error: opaque_keys::InvalidKeyError| {
        Error::Root(Fault::new(&"course.xml".into(), 0, error.to_string()))
    };
    let SourceKey {
        org, course, run, ..
    } = &source;
    let target = CourseKey::new_deprecated(org, course, run).map_err(bad_key)?;
    let mut loader = Loader::new(folder, &source, &target, environment);
    let root = loader.load(root)?;
    let (modules, warnings, ..) = loader.finish()?;
    let mut content = CourseContent::new(root);
    for (key, module) in modules {
        let mut block = Block::new(key.clone());
        block.settings = module.settings;
        block.content = module.content;
        block.children = module.children;
        content.blocks.insert(key, block);
    }
    Ok(LoadedCourse {
        source: source.clone(),
        content,
        warnings,
    })
}

/// For each block the inheritable values that differ from the defaults of its type, after its own values
/// and those of its ancestors.
#[must_use]
pub fn effective_fields(content: &CourseContent) -> HashMap<BlockKey, Map<String, Value>> {
    let parents = show::parents(content);
    let settled = show::settle_all(content, &parents);
    let mut out = HashMap::new();
    for key in content.blocks.keys() {
        let kind = block_type_or_hidden(&key.block_type);
        let empty = Fields::new();
        let values = settled.get(key).unwrap_or(&empty);
        let mut effective = Map::new();
        for name in inheritable_names() {
            if let (Some(field), Some(value)) = (kind.field(name), values.get(name)) {
                let value = values::reread(field.kind, value);
                if value != field.default {
                    effective.insert(name.to_owned(), value);
                }
            }
        }
        out.insert(key.clone(), effective);
    }
    out
}

/// The name by which a policy file speaks of a block.
#[must_use]
pub fn policy_key(usage: &UsageKey) -> String {
    format!("{}/{}", usage.block_type(), usage.block_id())
}

/// When answers are no longer taken: the due date and the grace period after it.
#[must_use]
pub fn close_date(
    due: Option<DateTime<FixedOffset>>,
    grace_period: Option<TimeDelta>,
) -> Option<DateTime<FixedOffset>> {
    let due = due?;
    Some(grace_period.map_or(due, |grace| due.checked_add_signed(grace).unwrap_or(due)))
}
