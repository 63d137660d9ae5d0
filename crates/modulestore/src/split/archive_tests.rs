//! Real archives, where they stand beside the repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bson::RawDocumentBuf;
use bytes::Bytes;
use chrono::{TimeZone, Utc};
use course_model::BlockKey;
use course_model::fields::Clock;
use olx::{ArchiveFiles, Environment, FileData, ImportedCourse, Limits};
use opaque_keys::CourseKey;

use super::{Branch, CacheSizes, CourseImport, ModuleStore};
use crate::contentstore::{AssetData, NewAsset};
use crate::documents::tests::{golden, shared};
use crate::documents::{Definition, EditInfo, Stamp, Structure};

fn stamp() -> Stamp {
    Stamp::new(-1, Utc.timestamp_opt(1_700_000_000, 0).unwrap())
}

fn open(path: &Path) -> ArchiveFiles {
    let file = std::fs::File::open(path).unwrap();
    olx::read_archive(std::io::BufReader::new(file), &Limits::default(), None).unwrap()
}

fn read(files: &ArchiveFiles, target: &CourseKey) -> ImportedCourse {
    let mut number = 0;
    let mut environment = Environment {
        clock: Clock::of_year(2026),
        // The store gives a new course its overview page.
        new_course: false,
        new_video_id: &mut || {
            number += 1;
            format!("video-{number}")
        },
        video_known: &|_| false,
    };
    olx::read_course(files, target, &mut environment).unwrap()
}

fn assets(course: &ImportedCourse) -> Vec<NewAsset> {
    course
        .assets
        .iter()
        .map(|asset| NewAsset {
            path: asset.import_path.clone(),
            display_name: asset.displayname.clone(),
            content_type: asset.content_type.clone(),
            locked: asset.locked,
            imported: true,
            data: match &asset.data {
                FileData::Memory(bytes) => {
                    AssetData::Bytes(Bytes::from_owner(std::sync::Arc::clone(bytes)))
                }
                FileData::Disk { path, .. } => AssetData::File(path.clone()),
            },
        })
        .collect()
}

fn corpora() -> Vec<PathBuf> {
    let Some(folder) = shared() else {
        println!("skipped: no archives beside the repository");
        return Vec::new();
    };
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder.join("corpora"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".tar.gz"))
        .collect();
    found.sort();
    found
}

// olx.md §15.2, without the files: what is stored reads back as what the archive says.
#[tokio::test]
async fn archives_read_back() {
    for path in corpora() {
        let world = records::testing::sqlite().await.unwrap();
        let store = ModuleStore::embedded(world.db.clone(), CacheSizes::default())
            .await
            .unwrap();
        let library = path.to_string_lossy().contains("library");
        let target = if library {
            "library-v1:A+L"
        } else {
            "course-v1:A+B+C"
        };
        let target = CourseKey::parse(target).unwrap();
        let files = open(&path);
        let course = read(&files, &target);
        let began = Instant::now();
        let import = CourseImport {
            target: &target,
            create: true,
            published: &course.published,
            draft: &course.draft,
            assets: assets(&course),
        };
        let done = store.import_course(import, stamp()).await.unwrap();
        println!("{}: {done:?} in {:?}", path.display(), began.elapsed());
        for (branch, wanted) in [
            (Branch::Published, &course.published),
            (Branch::Draft, &course.draft),
        ] {
            let stored = store.content(&target, branch).await.unwrap().unwrap();
            for (key, block) in &wanted.blocks {
                let Some(read) = stored.blocks.get(key) else {
                    // What only drafts list is not published.
                    assert_eq!(branch, Branch::Published, "{key}");
                    continue;
                };
                assert_eq!(read, block, "{key} of {}", path.display());
            }
        }
        let snapshot = store
            .snapshot(&target, Branch::Published)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(snapshot.skipped(), 0);
        assert!(store.unreferenced(i64::MAX).await.unwrap().is_empty());
    }
}

/// Which parts of a history are there.
fn shape(info: &EditInfo, structure: &Structure) -> [Option<bool>; 3] {
    [
        info.previous_version,
        info.update_version,
        info.source_version,
    ]
    .map(|version| version.map(|version| version == structure.id))
}

/// Values by name; the order in which fields were set says nothing.
fn values(doc: &RawDocumentBuf) -> BTreeMap<String, bson::RawBson> {
    doc.iter()
        .flatten()
        // Drawn at import.
        .filter(|(name, _)| name.as_str() != "edx_video_id")
        .map(|(name, value)| (name.as_str().to_owned(), value.into()))
        .collect()
}

// schema/mongo-collections.md, golden/README.md: the documents of an imported course are those that the
// platform wrote, but for ids and times.
#[tokio::test]
async fn the_toy_course_is_stored_as_recorded() {
    let (Some(docs), Some(folder)) = (golden(), shared()) else {
        println!("skipped: no recorded documents beside the repository");
        return;
    };
    let world = records::testing::sqlite().await.unwrap();
    let store = ModuleStore::embedded(world.db.clone(), CacheSizes::default())
        .await
        .unwrap();
    let target = CourseKey::parse("course-v1:edX+toy+2012_Fall").unwrap();
    let files = open(&folder.join("corpora/edx-platform-toy.tar.gz"));
    let course = read(&files, &target);
    let import = CourseImport {
        target: &target,
        create: true,
        published: &course.published,
        draft: &course.draft,
        assets: assets(&course),
    };
    store.import_course(import, stamp()).await.unwrap();

    let of = |collection: &str| -> Vec<&RawDocumentBuf> {
        docs.iter()
            .filter(|(name, _)| name == collection)
            .map(|(_, doc)| doc)
            .collect()
    };
    let recorded: Vec<Definition> = of("modulestore.definitions")
        .into_iter()
        .map(|doc| Definition::from_document(doc).unwrap())
        .collect();
    let branches = [Branch::Draft, Branch::Published];
    for (branch, doc) in branches.into_iter().zip(of("modulestore.structures")) {
        let theirs = Structure::from_document(doc).unwrap();
        let ours = store.structure(&target, branch).await.unwrap().unwrap();
        let bodies = store
            .load_definitions(&ours.definition_ids())
            .await
            .unwrap();
        assert_eq!(
            ours.previous_version.is_some(),
            theirs.previous_version.is_some()
        );
        assert_ne!(ours.original_version, ours.id);
        // The updates were added later, in Studio.
        assert_eq!(ours.blocks.len() + 1, theirs.blocks.len());
        let import_version = theirs
            .block(&theirs.root)
            .unwrap()
            .edit_info
            .update_version
            .unwrap();
        let as_imported = Structure {
            id: import_version,
            ..theirs.clone()
        };
        for (key, block) in &ours.blocks {
            let recorded_block = theirs.block(key).unwrap();
            assert_eq!(
                values(&block.fields),
                values(&recorded_block.fields),
                "{key}"
            );
            assert_eq!(block.children, recorded_block.children, "{key} {branch:?}");
            assert_eq!(block.defaults, recorded_block.defaults);
            assert_eq!(block.asides, recorded_block.asides);
            assert_eq!(
                shape(&block.edit_info, &ours),
                shape(&recorded_block.edit_info, &as_imported),
                "{key} {branch:?}"
            );
            let body = &bodies[&block.definition];
            let recorded_body = recorded
                .iter()
                .find(|it| it.id == recorded_block.definition);
            let recorded_body = recorded_body.unwrap();
            // The overview page of a new course is a text of our own.
            if *key != BlockKey::new("about", "overview") {
                assert_eq!(values(&body.fields), values(&recorded_body.fields), "{key}");
            }
            assert_eq!(
                body.previous_version.is_some(),
                recorded_body.previous_version.is_some(),
                "{key}"
            );
        }
    }
    for doc in of("fs.files") {
        let theirs = crate::documents::FileDocument::from_document(doc).unwrap();
        if theirs.content_son.category == "thumbnail" {
            continue;
        }
        let mut ours = store
            .documents()
            .file(&theirs.filename)
            .await
            .unwrap()
            .unwrap()
            .document;
        ours.upload_date = theirs.upload_date;
        ours.thumbnail_location
            .clone_from(&theirs.thumbnail_location);
        assert_eq!(ours, theirs);
    }
}
