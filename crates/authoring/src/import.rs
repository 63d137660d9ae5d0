//! Import: archive → blocks → store, atomic (olx.md §11, design.md "Import").

use std::fs::File;
use std::path::Path;

use blobs::Blobs;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use course_model::fields::Clock;
use course_model::{Block, CourseContent};
use db::Db;
use modulestore::ModuleStore;
use modulestore::contentstore::{AssetData, NewAsset};
use modulestore::documents::Stamp;
use modulestore::split::CourseImport;
use olx::{ArchiveFiles, Environment, FileData, ImportedCourse, Limits};
use opaque_keys::CourseKey;
use serde_json::Value;

use crate::error::Error;
use crate::summary::{ImportSummary, Remark};
use crate::{Result, libraries, videos};

/// Editor of what a command writes (courseware.md §2.4).
pub const COMMAND_USER: i64 = -1;

/// How to import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Course or library to import into; `None`: the one that the archive names.
    pub into: Option<CourseKey>,
    /// Whether a missing course is made.
    pub create: bool,
    /// User id of the editor.
    pub user_id: i64,
    /// Now.
    pub now: DateTime<Utc>,
    /// What an archive may hold.
    pub limits: Limits,
}

/// What an import is at, for those who watch it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Unpacking and checking the archive.
    Unpack,
    /// Making blocks of its files.
    Read,
    /// Writing documents and moving the pointer.
    Store,
    /// Rebuilding what is derived from the course.
    Follow,
}

/// The key of the course that an archive names, in the form in which it is imported.
pub fn target_key(files: &ArchiveFiles) -> Result<CourseKey> {
    let source = olx::source_key(files)?;
    Ok(source.course_key()?)
}

/// Reads a folder or an archive by its path.
fn read_files(path: &Path, limits: &Limits, spool: &Path) -> Result<ArchiveFiles> {
    let failed = |source| Error::File {
        path: path.display().to_string(),
        source,
    };
    let files = if path.is_dir() {
        olx::read_folder(path, limits)
    } else {
        let file = File::open(path).map_err(failed)?;
        olx::read_archive(std::io::BufReader::new(file), limits, Some(spool))
    };
    Ok(files.map_err(olx::Error::from)?)
}

/// Imports a folder, `.tar.gz` or `.zip`. Nothing of it is visible until all of it is.
///
/// `spool` is an empty folder that large files may be unpacked into; the caller removes it.
pub async fn import_course(
    db: &Db,
    store: &ModuleStore,
    blobs: &Blobs,
    path: &Path,
    spool: &Path,
    options: &ImportOptions,
    report: &(dyn Fn(Step) + Sync),
) -> Result<ImportSummary> {
    report(Step::Unpack);
    let files = read_files(path, &options.limits, spool)?;
    let target = match &options.into {
        Some(key) => key.clone(),
        None => target_key(&files)?,
    };
    report(Step::Read);
    let known = videos::known(db).await?;
    let mut new_video_id = || uuid::Uuid::new_v4().to_string();
    let imported = olx::read_course(
        &files,
        &target,
        &mut Environment {
            clock: Clock::at(options.now.date_naive()),
            // The store adds the overview page of a course that it makes.
            new_course: false,
            new_video_id: &mut new_video_id,
            video_known: &|id| known.contains(id),
        },
    )?;
    report(Step::Store);
    let summary = summarise(&target, &imported);
    let stamp = Stamp::new(options.user_id, options.now);
    let ImportedCourse {
        mut published,
        mut draft,
        assets,
        videos,
        ..
    } = imported;
    name_entrance_exam(&target, &mut published, &mut draft);
    let from_libraries = libraries::wanted(store, &target, &mut published, &mut draft).await?;
    store_course(
        store,
        &target,
        options.create,
        &published,
        &draft,
        assets,
        stamp,
    )
    .await?;
    libraries::copy(store, &target, &from_libraries, stamp).await?;
    videos::store(db, blobs, &target, &videos, options.now).await?;
    Ok(summary)
}

async fn store_course(
    store: &ModuleStore,
    target: &CourseKey,
    create: bool,
    published: &CourseContent,
    draft: &CourseContent,
    assets: Vec<olx::ImportedAsset>,
    stamp: Stamp,
) -> Result<()> {
    let assets = assets.into_iter().map(new_asset).collect();
    store
        .import_course(
            CourseImport {
                target,
                create,
                published,
                draft,
                assets,
            },
            stamp,
        )
        .await?;
    Ok(())
}

/// The course names its entrance exam by usage key, which follows the course (olx.md §11).
fn name_entrance_exam(
    target: &CourseKey,
    published: &mut CourseContent,
    draft: &mut CourseContent,
) {
    let exam = draft
        .blocks
        .values()
        .find(|block| is_entrance_exam(block))
        .and_then(|block| {
            let key = &block.key;
            target.make_usage_key(&key.block_type, &key.block_id).ok()
        });
    let Some(exam) = exam else { return };
    for content in [published, draft] {
        let root = content.root.clone();
        if let Some(root) = content.blocks.get_mut(&root) {
            let name = "entrance_exam_id".to_owned();
            root.settings.insert(name, Value::from(exam.to_string()));
        }
    }
}

fn is_entrance_exam(block: &Block) -> bool {
    &*block.key.block_type == "chapter"
        && block.settings.get("is_entrance_exam") == Some(&Value::Bool(true))
}

fn new_asset(asset: olx::ImportedAsset) -> NewAsset {
    NewAsset {
        path: asset.import_path,
        display_name: asset.displayname,
        content_type: asset.content_type,
        locked: asset.locked,
        imported: true,
        data: match asset.data {
            FileData::Memory(bytes) => AssetData::Bytes(Bytes::from_owner(bytes)),
            FileData::Disk { path, .. } => AssetData::File(path),
        },
    }
}

fn summarise(target: &CourseKey, imported: &ImportedCourse) -> ImportSummary {
    let dropped = imported.dead_links.iter().map(|link| Remark {
        file: link.clone(),
        line: 0,
        text: "this link leads nowhere and was dropped".to_owned(),
    });
    let noticed = imported.warnings.iter().map(|warning| Remark {
        file: warning.fault.file.to_string(),
        line: warning.fault.line,
        text: warning.fault.text.clone(),
    });
    let unread = [
        (
            "tags.csv",
            imported.tags_csv.is_some(),
            "tags are not imported",
        ),
        (
            "assets/assets.xml",
            imported
                .assets_xml
                .as_deref()
                .is_some_and(|text| text.contains("<asset>") || text.contains("<asset ")),
            "records of assets are not imported; their files are",
        ),
    ]
    .into_iter()
    .filter(|(_, there, _)| *there)
    .map(|(file, _, text)| Remark {
        file: file.to_owned(),
        line: 0,
        text: text.to_owned(),
    });
    ImportSummary {
        course_key: target.to_string(),
        blocks: imported.counts(),
        assets: imported.assets.len(),
        warnings: dropped.chain(noticed).chain(unread).collect(),
    }
}
