//! From archive to blocks (olx.md §§2–12).
//!
//! The steps are the reference's: all definitions are read into memory, each fault drops its block and
//! leaves a warning; then published blocks, extra content and drafts become the two branches.

mod assets;
mod course;
mod drafts;
mod extra;
mod kinds;
mod loader;
mod mime;
mod names;
mod openassessment;
mod pure;
mod tabs;
mod video;

use std::collections::BTreeMap;
use std::collections::HashSet;

use course_model::fields::Clock;
use course_model::{BlockKey, CourseContent};
use opaque_keys::CourseKey;

use crate::archive::{ArchiveFiles, FileData};
use crate::error::{Error, Warning};
use crate::source::{SourceKey, find_folder, read_root};

pub use course::default_grading_policy;
pub(crate) use extra::FOLDERS as EXTRA_FOLDERS;
pub(crate) use loader::Module;
pub(crate) use loader::{Loader, sanitised};
pub(crate) use pure::OPTION_NAMESPACE;
pub use tabs::default_tabs;
pub use video::{EncodedVideo, NewVideo, VideoRecord, VideoTranscript};

/// What the caller knows and draws for an import: this crate looks nothing up and draws nothing.
pub struct Environment<'e> {
    /// What dates without a year are completed with.
    pub clock: Clock,
    /// Whether the target is created for this import: a new course has an overview page from the start,
    /// which stays when the archive has none.
    pub new_course: bool,
    /// A new identifier for a video that has none; the platform uses UUIDs of version 4.
    pub new_video_id: &'e mut dyn FnMut() -> String,
    /// Whether the video store knows a video.
    pub video_known: &'e dyn Fn(&str) -> bool,
}

/// A file of the course (olx.md §12).
#[derive(Debug, Clone)]
pub struct ImportedAsset {
    /// Block id of its asset key.
    pub name: String,
    /// Name shown and exported.
    pub displayname: String,
    /// Whether only enrolled learners get it.
    pub locked: bool,
    /// MIME type; `None` when unknown.
    pub content_type: Option<String>,
    /// Path below `static/`.
    pub import_path: String,
    /// The bytes.
    pub data: FileData,
}

/// A course or library as read from an archive, its keys those of the target.
#[derive(Debug, Clone)]
pub struct ImportedCourse {
    /// The key the archive gives itself.
    pub source: SourceKey,
    /// The published branch. For libraries it equals the draft: they have one branch.
    pub published: CourseContent,
    /// The draft branch: what was published, with the drafts over it.
    pub draft: CourseContent,
    /// Files of `static/`.
    pub assets: Vec<ImportedAsset>,
    /// What the video store has to take over (olx.md §7.1).
    pub videos: Vec<VideoRecord>,
    /// `assets/assets.xml`, unparsed, when there is one.
    pub assets_xml: Option<String>,
    /// `tags.csv`, unparsed, when there is one.
    pub tags_csv: Option<String>,
    /// What was noticed and survived.
    pub warnings: Vec<Warning>,
    /// Links of the archive that led nowhere.
    pub dead_links: Vec<String>,
}

impl ImportedCourse {
    /// Blocks by type on the draft branch, orphans included.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for key in self.draft.blocks.keys() {
            *counts.entry(key.block_type.to_string()).or_default() += 1;
        }
        counts
    }
}

/// Reads a course or library into the target course or library.
pub fn read_course(
    files: &ArchiveFiles,
    target: &CourseKey,
    environment: &mut Environment<'_>,
) -> Result<ImportedCourse, Error> {
    let library = target.is_library();
    let folder = find_folder(files, library)?;
    let root = read_root(&folder, library)?;
    let policy_run = root.policy_run.clone();
    let source = root.key.clone();
    let mut loader = Loader::new(folder.clone(), &source, target, environment);
    let root_key = loader.load(root)?;
    let run = policy_run.unwrap_or_else(|| source.run.clone());
    if !library {
        loader.load_extra_content(&root_key, &run);
    }
    if !library && loader.environment.new_course {
        loader.default_overview();
    }
    let (modules, mut warnings, xml_bytes, environment, videos) = loader.finish()?;
    let published = assemble(&source, target, &root_key, modules, &mut warnings);
    let mut imported = ImportedCourse {
        draft: published.clone(),
        published,
        assets: assets::read(&folder),
        videos,
        assets_xml: folder.text("assets/assets.xml").ok(),
        tags_csv: folder.text("tags.csv").ok(),
        warnings,
        dead_links: files.dead_links().to_vec(),
        source: source.clone(),
    };
    if !library {
        drafts::read(
            &folder,
            &source,
            target,
            environment,
            xml_bytes,
            &mut imported,
        )?;
    }
    Ok(imported)
}

/// Puts loaded blocks at their places in the target.
fn assemble(
    source: &SourceKey,
    target: &CourseKey,
    root: &BlockKey,
    modules: indexmap::IndexMap<BlockKey, Module>,
    warnings: &mut Vec<Warning>,
) -> CourseContent {
    let place = Placement {
        source,
        target,
        root,
    };
    let root_key = place.key(root);
    let mut content = CourseContent::new(root_key.clone());
    for (key, module) in modules {
        let place_key = place.key(&key);
        if target
            .make_usage_key(&place_key.block_type, &place_key.block_id)
            .is_err()
        {
            warnings.push(module.warning("the course cannot hold a block of this name"));
            continue;
        }
        content.blocks.insert(place_key, place.block(module));
    }
    // Children that no block stands for (a `show` of something that is not there) are not kept.
    let known: HashSet<BlockKey> = content.blocks.keys().cloned().collect();
    for block in content.blocks.values_mut() {
        block.children.retain(|child| known.contains(child));
    }
    if let Some(root) = content.blocks.get_mut(&root_key) {
        course::place_root(root, source, target);
    }
    content
}

/// Where blocks of the source stand in the target.
pub(crate) struct Placement<'p> {
    pub(crate) source: &'p SourceKey,
    pub(crate) target: &'p CourseKey,
    pub(crate) root: &'p BlockKey,
}

impl Placement<'_> {
    pub(crate) fn key(&self, key: &BlockKey) -> BlockKey {
        if key != self.root {
            return key.clone();
        }
        if self.target.is_library() {
            BlockKey::new("library", "library")
        } else {
            BlockKey::course_root()
        }
    }

    pub(crate) fn block(&self, module: Module) -> course_model::Block {
        let mut block = course_model::Block::new(self.key(&module.key));
        block.settings = module.settings;
        block.content = module.content;
        block.children = module.children.iter().map(|key| self.key(key)).collect();
        if let Some(serde_json::Value::String(data)) = block.content.get_mut("data") {
            *data = crate::links::portable(self.source, std::mem::take(data));
        }
        if let Some(serde_json::Value::Object(attributes)) =
            block.settings.get_mut("xml_attributes")
        {
            for wiring in [
                "parent_url",
                "parent_sequential_url",
                "index_in_children_list",
            ] {
                attributes.shift_remove(wiring);
            }
        }
        block
    }
}
