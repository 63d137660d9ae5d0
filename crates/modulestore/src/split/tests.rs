use std::sync::Arc;

use chrono::{TimeZone, Utc};
use course_model::{Block, BlockKey, CourseContent, Fields};
use db::{Db, Options, params};
use opaque_keys::{AssetKey, CourseKey};
use records::testing::TestDb;
use serde_json::{Value, json};

use super::*;
use crate::Error;
use crate::contentstore::{AssetData, NewAsset};
use crate::documents::Stamp;
use crate::store::{EmbeddedStore, FileOrder, FileQuery};

struct World {
    store: ModuleStore,
    db: Db,
    _folders: Option<(TestDb, tempfile::TempDir)>,
}

/// Everything in one database.
async fn world() -> World {
    let test = records::testing::sqlite().await.unwrap();
    let db = test.db.clone();
    let store = ModuleStore::embedded(db.clone(), CacheSizes::default())
        .await
        .unwrap();
    World {
        store,
        db,
        _folders: Some((test, tempfile::tempdir().unwrap())),
    }
}

/// Index rows in one database, documents in another.
async fn two_engines() -> World {
    let test = records::testing::sqlite().await.unwrap();
    let db = test.db.clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("documents.db");
    let documents = Db::open_file(&path, &Options::default()).await.unwrap();
    let documents = EmbeddedStore::open(documents).await.unwrap();
    let store = ModuleStore::over(db.clone(), Arc::new(documents), CacheSizes::default());
    World {
        store,
        db,
        _folders: Some((test, folder)),
    }
}

/// Everything in one MySQL schema of its own, where `STOA_TEST_MYSQL_URL` names a server.
async fn mysql() -> Option<World> {
    let Ok(server) = std::env::var("STOA_TEST_MYSQL_URL") else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "CI needs STOA_TEST_MYSQL_URL"
        );
        eprintln!("skipped on MySQL, STOA_TEST_MYSQL_URL is not set");
        return None;
    };
    let server = server.trim_end_matches('/');
    let options = Options::default();
    let admin = Db::connect(&format!("{server}/mysql"), &options)
        .await
        .unwrap();
    let name = "stoa_test_modulestore";
    admin
        .execute(&format!("DROP DATABASE IF EXISTS `{name}`"), &[])
        .await
        .unwrap();
    let create =
        format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
    admin.execute(&create, &[]).await.unwrap();
    let db = Db::connect(&format!("{server}/{name}"), &options)
        .await
        .unwrap();
    records::migrate(&db).await.unwrap();
    let store = ModuleStore::embedded(db.clone(), CacheSizes::default())
        .await
        .unwrap();
    Some(World {
        store,
        db,
        _folders: None,
    })
}

/// What SQLite does in tests of their own, MySQL does in one, since making its schema takes a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mysql_does_the_same() {
    let Some(world) = mysql().await else { return };
    imported_courses_read_back_in(&world).await;
    world.clear().await;
    edits_at_the_same_time_survive_in(&world).await;
    world.clear().await;
    keys_are_unique_in(&world).await;
    world.clear().await;
    let store = EmbeddedStore::open(world.db.clone()).await.unwrap();
    crate::conformance::run(&store).await;
}

impl World {
    async fn clear(&self) {
        for row in self.store.list_courses().await.unwrap() {
            let course = CourseKey::parse(&row.course_id).unwrap();
            self.store.delete_course(&course, stamp(0)).await.unwrap();
        }
        let left = self.store.unreferenced(i64::MAX).await.unwrap();
        self.store.remove_unreferenced(&left).await.unwrap();
    }
}

fn stamp(seconds: i64) -> Stamp {
    Stamp::new(3, Utc.timestamp_opt(1_700_000_000 + seconds, 0).unwrap())
}

fn course() -> CourseKey {
    CourseKey::parse("course-v1:Acme+Bio+R1").unwrap()
}

fn key(text: &str) -> BlockKey {
    text.parse().unwrap()
}

fn fields(value: Value) -> Fields {
    serde_json::from_value(value).unwrap()
}

fn block(name: &str, settings: Value, content: Value, children: &[&str]) -> Block {
    let mut block = Block::new(key(name));
    block.settings = fields(settings);
    block.content = fields(content);
    block.children = children.iter().map(|child| key(child)).collect();
    block
}

fn archive(html: &str) -> CourseContent {
    let mut content = CourseContent::new(BlockKey::course_root());
    let root = json!({ "display_name": "T", "start": "2015-07-17T12:00:00Z" });
    for block in [
        block(
            "course@course",
            root,
            json!({ "wiki_slug": "w" }),
            &["chapter@c"],
        ),
        block("chapter@c", json!({}), json!({}), &["sequential@s"]),
        block("sequential@s", json!({}), json!({}), &["vertical@v"]),
        block(
            "vertical@v",
            json!({}),
            json!({}),
            &["html@h", "split_test@t"],
        ),
        block("html@h", json!({}), json!({ "data": html }), &[]),
        block(
            "split_test@t",
            json!({}),
            json!({ "group_id_to_child": { "0": "block-v1:Acme+Bio+R1+type@html+block@h" } }),
            &[],
        ),
    ] {
        content.blocks.insert(block.key.clone(), block);
    }
    content
}

fn asset(path: &str, data: &'static [u8]) -> NewAsset {
    NewAsset {
        path: path.to_owned(),
        display_name: path.to_owned(),
        content_type: Some("text/plain".to_owned()),
        locked: false,
        imported: true,
        data: AssetData::Bytes(data.into()),
    }
}

fn import<'a>(
    target: &'a CourseKey,
    content: &'a CourseContent,
    assets: Vec<NewAsset>,
) -> CourseImport<'a> {
    CourseImport {
        target,
        create: true,
        published: content,
        draft: content,
        assets,
    }
}

async fn read_asset(store: &ModuleStore, path: &str) -> Option<bytes::Bytes> {
    let key = AssetKey::for_path(&course(), path).unwrap();
    let contents = store.contentstore();
    let file = contents.find(&key).await.unwrap()?;
    Some(contents.read(&file).await.unwrap())
}

// courseware.md §2, olx.md §15.1: what is imported is what is read.
#[tokio::test]
async fn imported_courses_read_back() {
    imported_courses_read_back_in(&world().await).await;
    imported_courses_read_back_in(&two_engines().await).await;
}

async fn imported_courses_read_back_in(world: &World) {
    let store = &world.store;
    let content = archive("<p>1</p>");
    let assets = vec![asset("a/b.txt", b"text"), asset("empty.txt", b"")];
    let done = store
        .import_course(import(&course(), &content, assets), stamp(0))
        .await
        .unwrap();
    assert!(done.created);
    assert_eq!(done.assets, 2);

    for branch in [Branch::Draft, Branch::Published] {
        let read = store.content(&course(), branch).await.unwrap().unwrap();
        for (key, block) in &content.blocks {
            assert_eq!(&read.blocks[key], block, "{key}");
        }
        // The overview page of a new course is there too.
        assert_eq!(read.blocks.len(), content.blocks.len() + 1);
    }
    assert_eq!(read_asset(store, "a_b.txt").await.unwrap(), "text");
    assert_eq!(read_asset(store, "empty.txt").await.unwrap(), "");

    let row = store.course_index(&course()).await.unwrap().unwrap();
    assert_eq!(row.wiki_slug, "w");
    assert_eq!(row.published_version, done.version);
    assert_eq!(store.list_courses().await.unwrap(), [row]);
    assert!(
        !store
            .has_changes(&course(), &BlockKey::course_root())
            .await
            .unwrap()
    );
    // Nothing is left over: every document is named.
    assert!(store.unreferenced(i64::MAX).await.unwrap().is_empty());
}

// olx.md §15.36: importing again; bytes that have not changed stay where they are.
#[tokio::test]
async fn importing_again_replaces() {
    let world = world().await;
    let store = &world.store;
    let first = archive("1");
    let assets = vec![asset("same.txt", b"same"), asset("other.txt", b"old")];
    store
        .import_course(import(&course(), &first, assets), stamp(0))
        .await
        .unwrap();
    let mut second = archive("2");
    second.blocks[&key("sequential@s")].children.clear();
    second.blocks.shift_remove(&key("vertical@v"));
    let assets = vec![asset("same.txt", b"same"), asset("other.txt", b"new")];
    let done = store
        .import_course(import(&course(), &second, assets), stamp(1))
        .await
        .unwrap();
    assert!(!done.created);
    assert_eq!(read_asset(store, "same.txt").await.unwrap(), "same");
    assert_eq!(read_asset(store, "other.txt").await.unwrap(), "new");
    let published = store
        .content(&course(), Branch::Published)
        .await
        .unwrap()
        .unwrap();
    assert!(!published.blocks.contains_key(&key("vertical@v")));
    let draft = store
        .content(&course(), Branch::Draft)
        .await
        .unwrap()
        .unwrap();
    assert!(
        draft.blocks.contains_key(&key("vertical@v")),
        "orphans stay in the draft branch"
    );
    assert!(store.unreferenced(i64::MAX).await.unwrap().is_empty());
}

// design.md, "Import": a failure at any step leaves the course as it was.
#[tokio::test]
async fn failed_imports_change_nothing() {
    for world in [world().await, two_engines().await] {
        let store = &world.store;
        let one_database = store.inner.one_database;
        let old = archive("old");
        let assets = vec![asset("a.txt", b"old")];
        store
            .import_course(import(&course(), &old, assets), stamp(0))
            .await
            .unwrap();
        let before = store.course_index(&course()).await.unwrap();
        let documents = store.documents().as_embedded().unwrap().db().clone();

        // A trigger for each table, that refuses what the import writes there.
        for table in [
            "stoa_chunk",
            "stoa_structure",
            "stoa_definition",
            "stoa_file",
            "split_modulestore_django_historicalsplitmodulestorecourseindex",
            "stoa_outbox",
        ] {
            let owner = if table.starts_with("stoa_") && table != "stoa_outbox" {
                &documents
            } else {
                &world.db
            };
            let trigger = format!(
                "CREATE TRIGGER refuse BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"
            );
            owner.execute(&trigger, &[]).await.unwrap();
            let new = archive("new");
            let assets = vec![asset("a.txt", b"new"), asset("b.txt", b"new")];
            let failed = store
                .import_course(import(&course(), &new, assets), stamp(1))
                .await;
            assert!(failed.is_err(), "{table}");
            owner.execute("DROP TRIGGER refuse", &[]).await.unwrap();

            assert_eq!(
                store.course_index(&course()).await.unwrap(),
                before,
                "{table}"
            );
            let read = store
                .content(&course(), Branch::Published)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                read.blocks[&key("html@h")].content["data"],
                "old",
                "{table}"
            );
            // Across two engines files come before the pointer; all else is beside it.
            if one_database
                || ![
                    "stoa_outbox",
                    "split_modulestore_django_historicalsplitmodulestorecourseindex",
                ]
                .contains(&table)
            {
                assert_eq!(read_asset(store, "a.txt").await.unwrap(), "old", "{table}");
                assert_eq!(read_asset(store, "b.txt").await, None, "{table}");
            }
        }
        let lost = store.unreferenced(i64::MAX).await.unwrap();
        assert!(lost.uploads.is_empty(), "staged bytes are removed at once");
        assert_eq!(one_database, lost.is_empty());
        store.remove_unreferenced(&lost).await.unwrap();
        assert!(store.unreferenced(i64::MAX).await.unwrap().is_empty());
        assert!(
            store
                .content(&course(), Branch::Draft)
                .await
                .unwrap()
                .is_some()
        );
    }
}

// olx.md §11: a date that is none fails the import with the platform's text.
#[tokio::test]
async fn blocks_that_cannot_be_stored_fail_the_import() {
    let world = world().await;
    let mut content = archive("x");
    content.blocks[&key("chapter@c")].settings =
        fields(json!({ "display_name": "Week", "start": "soon" }));
    let error = world
        .store
        .import_course(
            import(&course(), &content, vec![asset("a.txt", b"a")]),
            stamp(0),
        )
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Failed to import block: Week at location: block-v1:Acme+Bio+R1+type@chapter+block@c"
    );
    assert!(world.store.course_index(&course()).await.unwrap().is_none());
    assert!(read_asset(&world.store, "a.txt").await.is_none());
    assert!(world.store.unreferenced(i64::MAX).await.unwrap().is_empty());
}

// courseware.md §2.1: no two courses whose keys differ only in case; no key of another kind.
#[tokio::test]
async fn keys_are_unique_whatever_their_case() {
    keys_are_unique_in(&world().await).await;
}

async fn keys_are_unique_in(world: &World) {
    let store = &world.store;
    store
        .create_course(&course(), &Fields::new(), stamp(0))
        .await
        .unwrap();
    for text in ["course-v1:acme+bio+r1", "course-v1:Acme+Bio+R1"] {
        let again = CourseKey::parse(text).unwrap();
        let error = store
            .create_course(&again, &Fields::new(), stamp(0))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::DuplicateCourse { .. }),
            "{text}: {error}"
        );
    }
    let old = CourseKey::parse("Acme/Bio/R1").unwrap();
    assert!(
        store
            .create_course(&old, &Fields::new(), stamp(0))
            .await
            .is_err()
    );
    assert!(store.course_index(&old).await.unwrap().is_none());
    let missing = CourseKey::parse("course-v1:No+Such+Course").unwrap();
    assert!(
        store
            .content(&missing, Branch::Draft)
            .await
            .unwrap()
            .is_none()
    );
    let content = archive("x");
    let no = CourseImport {
        create: false,
        ..import(&missing, &content, Vec::new())
    };
    let error = store.import_course(no, stamp(0)).await.unwrap_err();
    assert!(matches!(error, Error::CourseNotFound(_)));
}

// golden/README.md: rows whose structure is missing are listed and never fail.
#[tokio::test]
async fn dangling_rows_are_no_errors() {
    let world = world().await;
    let store = &world.store;
    store
        .create_course(&course(), &Fields::new(), stamp(0))
        .await
        .unwrap();
    world
        .db
        .execute("DELETE FROM stoa_structure", &params![])
        .await
        .unwrap();
    assert_eq!(store.list_courses().await.unwrap().len(), 1);
    assert!(
        store
            .structure(&course(), Branch::Published)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        store
            .content(&course(), Branch::Draft)
            .await
            .unwrap()
            .is_none()
    );
    let found = store.unreferenced(i64::MAX).await.unwrap();
    assert_eq!(found.dangling, ["course-v1:Acme+Bio+R1"]);
    // An import repairs the course.
    let content = archive("x");
    store
        .import_course(import(&course(), &content, Vec::new()), stamp(1))
        .await
        .unwrap();
    assert!(
        store
            .content(&course(), Branch::Draft)
            .await
            .unwrap()
            .is_some()
    );
}

// courseware.md §2.1, §17.15; design.md principle 2: edits at the same time all survive.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn edits_at_the_same_time_all_survive() {
    edits_at_the_same_time_survive_in(&world().await).await;
    edits_at_the_same_time_survive_in(&two_engines().await).await;
}

async fn edits_at_the_same_time_survive_in(world: &World) {
    let store = world.store.clone();
    store
        .import_course(import(&course(), &archive("x"), Vec::new()), stamp(0))
        .await
        .unwrap();
    let mut tasks = Vec::new();
    for n in 0..8 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let new = NewBlock {
                parent: Some(key("vertical@v")),
                position: None,
                block_type: "html".to_owned(),
                block_id: Some(format!("new{n}")),
                fields: fields(json!({ "display_name": "N", "data": "d" })),
            };
            store.create_block(&course(), &new, stamp(n)).await
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let unit = key("vertical@v");
    let draft = store
        .structure(&course(), Branch::Draft)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(draft.block(&unit).unwrap().children().len(), 10);
    assert!(store.has_changes(&course(), &unit).await.unwrap());
    store.publish(&course(), &unit, stamp(9)).await.unwrap();
    assert!(!store.has_changes(&course(), &unit).await.unwrap());
    let read = store
        .content(&course(), Branch::Published)
        .await
        .unwrap()
        .unwrap();
    let block = &read.blocks[&key("html@new3")];
    assert_eq!(
        (&block.settings["display_name"], &block.content["data"]),
        (&json!("N"), &json!("d"))
    );
}

// courseware.md §2.4, §17.14
#[tokio::test]
async fn fields_are_set_and_cleared() {
    let world = world().await;
    let store = &world.store;
    store
        .import_course(import(&course(), &archive("x"), Vec::new()), stamp(0))
        .await
        .unwrap();
    let chapter = key("chapter@c");
    let due = fields(json!({ "due": "2026-01-01T00:00:00Z", "display_name": "C" }));
    store
        .update_fields(&course(), &chapter, &due, stamp(1))
        .await
        .unwrap();
    let read = store
        .content(&course(), Branch::Published)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.blocks[&chapter].settings, due);
    assert_eq!(read.blocks[&chapter].children, [key("sequential@s")]);
    store
        .clear_fields(&course(), &chapter, &["due"], stamp(2))
        .await
        .unwrap();
    let read = store
        .content(&course(), Branch::Published)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        read.blocks[&chapter].settings,
        fields(json!({ "display_name": "C" }))
    );

    let bad = fields(json!({ "graceperiod": 7 }));
    let error = store
        .update_fields(&course(), &chapter, &bad, stamp(3))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::BadValue { .. }));
    let loose = fields(json!({ "graceperiod": "1 day 5 hours", "due": "Feb 5 2026" }));
    store
        .update_fields(&course(), &chapter, &loose, stamp(3))
        .await
        .unwrap();
    let read = store
        .content(&course(), Branch::Draft)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        read.blocks[&chapter].settings["graceperiod"],
        "1 days 18000 seconds"
    );
    assert_eq!(
        read.blocks[&chapter].settings["due"],
        "2026-02-05T00:00:00Z"
    );

    let html = key("html@h");
    let body = fields(json!({ "data": "draft" }));
    store
        .update_fields(&course(), &html, &body, stamp(3))
        .await
        .unwrap();
    let ids =
        |structure: &crate::documents::Structure| vec![structure.block(&html).unwrap().definition];
    for (branch, text) in [(Branch::Draft, "draft"), (Branch::Published, "x")] {
        let structure = store.structure(&course(), branch).await.unwrap().unwrap();
        let got = store
            .definition_fields(&course(), &ids(&structure))
            .await
            .unwrap();
        assert_eq!(got[0]["data"], text);
    }
    store
        .delete_block(&course(), &html, stamp(4))
        .await
        .unwrap();
    let again = store
        .delete_block(&course(), &html, stamp(5))
        .await
        .unwrap_err();
    assert!(matches!(again, Error::BlockNotFound(_)));
    let wiki = fields(json!({ "wiki_slug": "new.slug" }));
    store
        .update_fields(&course(), &BlockKey::course_root(), &wiki, stamp(6))
        .await
        .unwrap();
    assert_eq!(
        store
            .course_index(&course())
            .await
            .unwrap()
            .unwrap()
            .wiki_slug,
        "new.slug"
    );
}

// courseware.md §2.2: references in shared definitions are read for the course that asks.
#[tokio::test]
async fn definitions_are_read_for_their_course() {
    let world = world().await;
    let store = &world.store;
    store
        .import_course(import(&course(), &archive("x"), Vec::new()), stamp(0))
        .await
        .unwrap();
    let structure = store
        .structure(&course(), Branch::Published)
        .await
        .unwrap()
        .unwrap();
    let id = structure.block(&key("split_test@t")).unwrap().definition;
    for (text, child) in [
        (
            "course-v1:Acme+Bio+R1",
            "block-v1:Acme+Bio+R1+type@html+block@h",
        ),
        ("course-v1:X+Y+Z", "block-v1:X+Y+Z+type@html+block@h"),
    ] {
        let course = CourseKey::parse(text).unwrap();
        let got = store.definition_fields(&course, &[id, id]).await.unwrap();
        assert_eq!(got.len(), 2);
        assert_eq!(got[1]["group_id_to_child"]["0"], child);
    }
}

#[tokio::test]
async fn libraries_have_one_branch() {
    let world = world().await;
    let store = &world.store;
    let library = CourseKey::parse("library-v1:Acme+Lib").unwrap();
    let mut content = CourseContent::new(key("library@library"));
    let root = block(
        "library@library",
        json!({ "display_name": "L" }),
        json!({}),
        &["html@h"],
    );
    for block in [
        root,
        block("html@h", json!({}), json!({ "data": "x" }), &[]),
    ] {
        content.blocks.insert(block.key.clone(), block);
    }
    store
        .import_course(import(&library, &content, Vec::new()), stamp(0))
        .await
        .unwrap();
    for branch in [Branch::Draft, Branch::Published] {
        assert_eq!(
            store.content(&library, branch).await.unwrap().unwrap(),
            content
        );
    }
    assert!(store.list_courses().await.unwrap().is_empty());
    assert_eq!(store.list_libraries().await.unwrap().len(), 1);
}

#[tokio::test]
async fn deleted_courses_leave_nothing_after_the_doctor() {
    let world = world().await;
    let store = &world.store;
    let assets = vec![asset("a.txt", b"a")];
    store
        .import_course(import(&course(), &archive("x"), assets), stamp(0))
        .await
        .unwrap();
    assert!(store.delete_course(&course(), stamp(1)).await.unwrap());
    assert!(!store.delete_course(&course(), stamp(1)).await.unwrap());
    assert!(store.course_index(&course()).await.unwrap().is_none());
    assert!(read_asset(store, "a.txt").await.is_none());
    // Young documents are left alone: a write may be on its way.
    assert!(store.unreferenced(0).await.unwrap().is_empty());
    let found = store.unreferenced(i64::MAX).await.unwrap();
    assert!(!found.structures.is_empty() && !found.definitions.is_empty());
    store.remove_unreferenced(&found).await.unwrap();
    let left = store.documents().list_structures(None, 10).await.unwrap();
    assert!(left.is_empty());
}

// olx.md §15.40; courseware.md §2.6
#[tokio::test]
async fn thumbnails_follow_their_image() {
    let world = world().await;
    let store = &world.store;
    let mut png = Vec::new();
    image::DynamicImage::new_rgb8(400, 200)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    let picture = NewAsset {
        content_type: Some("image/png".to_owned()),
        data: AssetData::Bytes(png.into()),
        ..asset("Abacus.png", b"")
    };
    let content = archive("x");
    let assets = vec![picture.clone(), asset("a.txt", b"a")];
    store
        .import_course(import(&course(), &content, assets), stamp(0))
        .await
        .unwrap();
    let row = world
        .db
        .read_one(
            "SELECT `key` FROM stoa_outbox WHERE topic = ?",
            &params![THUMBNAIL_WANTED],
        )
        .await
        .unwrap()
        .unwrap();
    let key = AssetKey::parse(&row.text("key").unwrap()).unwrap();
    let contents = store.contentstore();
    assert!(contents.refresh_thumbnail(&key, stamp(1)).await.unwrap());
    let thumbnail =
        AssetKey::parse("asset-v1:Acme+Bio+R1+type@thumbnail+block@Abacus-png.jpg").unwrap();
    let file = contents.find(&thumbnail).await.unwrap().unwrap();
    assert_eq!(file.document.content_son.category, "thumbnail");
    assert_eq!(file.document.content_type.as_deref(), Some("image/jpeg"));
    let owner = contents.find(&key).await.unwrap().unwrap();
    let location = owner.document.thumbnail_location.unwrap();
    assert_eq!(location[4].as_deref(), Some("Abacus-png.jpg"));
    assert_eq!(location[5], None);

    // The same picture again keeps its thumbnail.
    let again = vec![picture, asset("a.txt", b"a")];
    store
        .import_course(import(&course(), &content, again), stamp(2))
        .await
        .unwrap();
    assert!(
        contents
            .find(&key)
            .await
            .unwrap()
            .unwrap()
            .document
            .thumbnail_location
            .is_some()
    );
    let text = AssetKey::for_path(&course(), "a.txt").unwrap();
    assert!(!contents.refresh_thumbnail(&text, stamp(1)).await.unwrap());
    assert!(contents.delete(&key).await.unwrap());
    assert!(contents.find(&thumbnail).await.unwrap().is_none());
}

// courseware.md §2.6
#[tokio::test]
async fn assets_are_saved_from_files_and_memory() {
    let world = world().await;
    let contents = world.store.contentstore();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let bytes: Vec<u8> = (0..9_000_000_u32).map(|n| (n % 253) as u8).collect();
    std::fs::write(&path, &bytes).unwrap();
    let large = NewAsset {
        data: AssetData::File(path),
        ..asset("large.bin", b"")
    };
    let file = contents.save(&course(), large, stamp(0)).await.unwrap();
    assert_eq!(file.document.length, 9_000_000);
    assert_eq!(contents.read(&file).await.unwrap(), bytes);
    let part = contents
        .read_range(&file, 8_999_990..u64::MAX)
        .await
        .unwrap();
    assert_eq!(part, bytes[8_999_990..]);

    let small = NewAsset {
        imported: false,
        ..asset("My Pic (1).png", b"x")
    };
    let file = contents.save(&course(), small, stamp(0)).await.unwrap();
    assert_eq!(
        file.document.filename,
        "asset-v1:Acme+Bio+R1+type@asset+block@My_Pic__1_.png"
    );
    assert_eq!(
        file.document.digest(),
        Some("9dd4e461268c8034f5c8564e155c67a6")
    );
    assert_eq!(file.document.import_path, None);
    let key = AssetKey::parse(&file.document.filename).unwrap();
    assert!(contents.set_locked(&key, true).await.unwrap());
    assert!(contents.find(&key).await.unwrap().unwrap().document.locked);
    let missing = AssetKey::for_path(&course(), "missing").unwrap();
    let found = contents
        .find_many(&[key.clone(), missing, key.clone()])
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[&key].document.locked);
    let query = FileQuery {
        course: course().to_string(),
        category: "asset".to_owned(),
        offset: 0,
        limit: 10,
        order: FileOrder::Name,
    };
    assert_eq!(contents.list(&query).await.unwrap().total, 2);

    let picture = NewAsset {
        content_type: Some("image/png".to_owned()),
        ..asset("p.png", b"p")
    };
    world
        .store
        .save_asset(&course(), picture, stamp(0))
        .await
        .unwrap();
    assert_eq!(contents.list(&query).await.unwrap().total, 3);
    let wanted = "SELECT COUNT(*) FROM stoa_outbox WHERE topic = ?";
    assert_eq!(
        world
            .db
            .read_int(wanted, &params![THUMBNAIL_WANTED])
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn the_embedded_engine_conforms() {
    let db = records::testing::sqlite().await.unwrap();
    let store = EmbeddedStore::open(db.db.clone()).await.unwrap();
    crate::conformance::run(&store).await;
}

/// Puts the recorded documents into a store, as if the platform had written them there.
async fn load_recorded(world: &World, docs: &[(String, bson::RawDocumentBuf)]) {
    let store = world.store.documents();
    let mut batch = crate::store::DocumentBatch::default();
    let mut files = Vec::new();
    let mut chunks = Vec::new();
    for (collection, doc) in docs {
        match collection.as_str() {
            "modulestore.structures" => {
                batch.add_structure(&crate::documents::Structure::from_document(doc).unwrap());
            }
            "modulestore.definitions" => {
                batch.add_definition(&Definition::from_document(doc).unwrap());
            }
            "fs.files" => files.push(crate::store::StoredFile {
                document: crate::documents::FileDocument::from_document(doc).unwrap(),
                upload: ObjectId::new(),
            }),
            "fs.chunks" => {
                chunks.push(crate::documents::ChunkDocument::from_document(doc).unwrap());
            }
            _ => {
                let index = crate::documents::CourseIndexDocument::from_document(doc).unwrap();
                let course = CourseKey::new(&index.org, &index.course, &index.run).unwrap();
                let mut row = heads::new_row(&course, stamp(0)).unwrap();
                row.draft_version = index.versions[0].1.to_hex();
                row.published_version = index.versions[1].1.to_hex();
                row.objectid = index.id.to_hex();
                let row = &row;
                world
                    .db
                    .write(|mut tx| async move { records::split_index::insert(&mut tx, row).await })
                    .await
                    .unwrap();
            }
        }
    }
    store.put(&batch).await.unwrap();
    for chunk in chunks {
        let file = files
            .iter()
            .find(|file| file.document.id == chunk.files_id)
            .unwrap();
        let chunk = crate::store::NewChunk {
            upload: file.upload,
            n: chunk.n,
            data: chunk.data.into(),
        };
        store.put_chunks(&[chunk]).await.unwrap();
    }
    store.publish_files(&files).await.unwrap();
}

// golden/README.md: a course that the platform has written is read, edited and imported over.
#[tokio::test]
async fn the_recorded_course_is_at_home() {
    let Some(docs) = crate::documents::tests::golden() else {
        println!("skipped: no recorded documents beside the repository");
        return;
    };
    let world = world().await;
    load_recorded(&world, &docs).await;
    let store = &world.store;
    let toy = CourseKey::parse("course-v1:edX+toy+2012_Fall").unwrap();
    let root = BlockKey::course_root();
    assert!(!store.has_changes(&toy, &root).await.unwrap());
    let published = store
        .content(&toy, Branch::Published)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        published.blocks[&root].settings["start"],
        "2015-07-17T12:00:00Z"
    );
    assert_eq!(
        published.blocks[&root].content["license"],
        "creative-commons: BY"
    );
    assert_eq!(published.blocks[&root].children.len(), 5);
    let draft = store.content(&toy, Branch::Draft).await.unwrap().unwrap();
    assert_eq!(draft.blocks, published.blocks);

    let file = AssetKey::for_path(&toy, "textbook.pdf").unwrap();
    let file = store.contentstore().find(&file).await.unwrap().unwrap();
    let bytes = store.contentstore().read(&file).await.unwrap();
    assert_eq!((bytes.len(), &bytes[..5]), (9478, &b"%PDF-"[..]));

    // Importing what is there writes no new definitions, and everything stays published.
    let import = CourseImport {
        target: &toy,
        create: false,
        published: &published,
        draft: &published,
        assets: Vec::new(),
    };
    store.import_course(import, stamp(1)).await.unwrap();
    let again = store.content(&toy, Branch::Draft).await.unwrap().unwrap();
    assert_eq!(again.blocks, published.blocks);
    let ids = store
        .documents()
        .list_definitions(None, 1000)
        .await
        .unwrap();
    assert_eq!(ids.len(), 37);
    assert!(!store.has_changes(&toy, &root).await.unwrap());
}

// courseware.md §2.5, design.md principle 2: one statement a request for the version, the rest from memory,
// and a publish by anybody is seen at once.
#[tokio::test]
async fn snapshots_follow_the_pointer() {
    let world = world().await;
    let store = &world.store;
    store
        .import_course(import(&course(), &archive("x"), Vec::new()), stamp(0))
        .await
        .unwrap();
    let (first, cold) = db::counting(store.snapshot(&course(), Branch::Published)).await;
    let first = first.unwrap().unwrap();
    assert_eq!(cold.reads, 2);
    let branch = course().for_branch(Some("published-branch")).unwrap();
    let (again, warm) = db::counting(store.snapshot(&branch, Branch::Published)).await;
    assert_eq!(warm.reads, 1);
    assert!(Arc::ptr_eq(&first, &again.unwrap().unwrap()));

    let row = store.course_index(&course()).await.unwrap().unwrap();
    assert_eq!(first.version(), row.published_version);
    assert_eq!(first.course_key(), &course());
    assert_eq!(first.len(), 7);
    let root = first.course();
    assert_eq!(root.display_name(), "T");
    // §17.18: inherited from the course.
    let html = first.find(&key("html@h")).unwrap();
    assert_eq!(
        first.block(html).field("start").unwrap(),
        "2015-07-17T12:00:00Z"
    );
    let split_test = first.find(&key("split_test@t")).unwrap();
    let (bodies, reads) = db::counting(store.definitions(&first, &[html, split_test, html])).await;
    let bodies = bodies.unwrap();
    assert_eq!(reads.reads, 1);
    assert_eq!(bodies[2]["data"], "x");
    assert_eq!(
        bodies[1]["group_id_to_child"]["0"],
        "block-v1:Acme+Bio+R1+type@html+block@h"
    );
    let (body, reads) = db::counting(store.definition(&first, html)).await;
    assert_eq!(
        (body.unwrap()["data"].as_str(), reads.reads),
        (Some("x"), 0)
    );

    // Another process, with caches of its own.
    let other = ModuleStore::embedded(world.db.clone(), CacheSizes::default())
        .await
        .unwrap();
    let named = fields(json!({ "display_name": "C" }));
    other
        .update_fields(&course(), &key("chapter@c"), &named, stamp(1))
        .await
        .unwrap();
    let second = store
        .snapshot(&course(), Branch::Published)
        .await
        .unwrap()
        .unwrap();
    assert_ne!(first.version(), second.version());
    let chapter = second.find(&key("chapter@c")).unwrap();
    assert_eq!(second.block(chapter).display_name(), "C");
    let old = ObjectId::parse_str(first.version()).unwrap();
    let old = store.snapshot_at(&course(), old).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &old));
    let missing = CourseKey::parse("course-v1:No+Such+Course").unwrap();
    assert!(
        store
            .snapshot(&missing, Branch::Draft)
            .await
            .unwrap()
            .is_none()
    );
}

// Whoever asks at the same time waits for one load.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_snapshot_is_loaded_once() {
    let world = world().await;
    let store = world.store.clone();
    store
        .import_course(import(&course(), &archive("x"), Vec::new()), stamp(0))
        .await
        .unwrap();
    let before = world.db.totals().reads;
    let mut tasks = Vec::new();
    for _ in 0..16 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            store.snapshot(&course(), Branch::Draft).await
        }));
    }
    for task in tasks {
        assert!(task.await.unwrap().unwrap().is_some());
    }
    assert_eq!(world.db.totals().reads - before, 17);
}
