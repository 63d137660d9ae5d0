//! The acceptance checks of olx.md §15 that need stores; each test names its check.

use std::fs::File;
use std::path::Path;

use authoring::Error;
use course_model::BlockKey;
use flate2::Compression;
use flate2::write::GzEncoder;
use modulestore::Branch;
use opaque_keys::{AssetKey, CourseKey};
use serde_json::{Value, json};
use tar::EntryType;

use crate::support::{House, folder, house, shared, unit};

const KEY: &str = "course-v1:A+B+C";

/// A member of an archive: path, kind, target of a link, bytes.
type Member<'a> = (&'a str, EntryType, &'a str, &'a [u8]);

const FILE: EntryType = EntryType::Regular;
const ROOT: &[u8] = br#"<course url_name="R" org="S" course="N"/>"#;
const COURSE: &[u8] = br#"<course display_name="T"/>"#;

/// An archive whose members are written raw, as an attacker would.
fn archive(folder: &Path, members: &[Member<'_>]) -> std::path::PathBuf {
    let path = folder.join("course.tar.gz");
    let gz = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    let mut builder = tar::Builder::new(gz);
    for (name, kind, link, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
    path
}

impl House {
    async fn show(&self, key: &str) -> Value {
        let key = CourseKey::parse(key).unwrap();
        authoring::show_course(&self.store, &key).await.unwrap()
    }

    /// An own or content value of a block; absent: null.
    async fn value(&self, branch: Branch, block: &str, field: &str) -> Value {
        let key = CourseKey::parse(KEY).unwrap();
        let content = self.store.content(&key, branch).await.unwrap().unwrap();
        let block = content.blocks.get(&block.parse::<BlockKey>().unwrap());
        let value = block.and_then(|block| {
            block
                .settings
                .get(field)
                .or_else(|| block.content.get(field))
        });
        value.cloned().unwrap_or_default()
    }

    /// Children of a block as `type@id`; none where there is no block.
    async fn children(&self, key: &str, branch: Branch, block: &str) -> Vec<String> {
        let key = CourseKey::parse(key).unwrap();
        let content = self.store.content(&key, branch).await.unwrap().unwrap();
        let block = content.blocks.get(&block.parse::<BlockKey>().unwrap());
        block
            .map(|block| block.children.iter().map(ToString::to_string).collect())
            .unwrap_or_default()
    }

    async fn asset(&self, name: &str) -> Option<modulestore::store::StoredFile> {
        let key = AssetKey::parse(&format!("asset-v1:A+B+C+type@asset+block@{name}")).unwrap();
        self.store.contentstore().find(&key).await.unwrap()
    }
}

/// The text of olx.md §11 that people are shown.
fn message(error: Error) -> String {
    match error {
        Error::Olx(error) => error.import_message(),
        other => panic!("{other}"),
    }
}

/// What is shown of a course, without what names the course or the place of its files.
fn shape(shown: &Value) -> Value {
    let mut blocks = shown["blocks"].clone();
    for block in blocks.as_array_mut().unwrap() {
        for part in block.as_object_mut().unwrap().values_mut() {
            if let Some(fields) = part.as_object_mut() {
                fields.remove("wiki_slug");
                fields.remove("xml_attributes");
            }
        }
    }
    blocks
}

/// Every file of a folder, by path.
fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_1_2_3_the_demo_course_makes_the_round_trip() {
    let Some(shared) = shared() else {
        println!("skipped: no corpora here (STOA_SHARED)");
        return;
    };
    let house = house().await;
    let demo = shared.join("corpora/openedx-demo-course.tar.gz");
    house.import(&demo, Some(KEY)).await.unwrap();
    let chapters = house
        .children(KEY, Branch::Published, "course@course")
        .await;
    assert_eq!(chapters.len(), 6);
    assert_eq!(chapters[0], "chapter@30b3fbb840024953b2d4b2e700a53002");

    // 3: out, into fresh stores under the same key, and out again.
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    house.export(KEY, first.path()).await;
    let other = crate::support::house().await;
    other.import(first.path(), Some(KEY)).await.unwrap();
    other.export(KEY, second.path()).await;
    let (first_files, second_files) = (files(first.path()), files(second.path()));
    assert_eq!(
        first_files.keys().collect::<Vec<_>>(),
        second_files.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &first_files {
        let again = second_files
            .get(name)
            .map(|bytes| String::from_utf8_lossy(bytes));
        // The file that the course was read from is a setting of it (olx.md §3.1, §16).
        let once = String::from_utf8_lossy(bytes).replace("course/DemoCourse.xml", "course/C.xml");
        assert_eq!(Some(once.into()), again, "{name}");
    }
    assert_eq!(
        first_files["course.xml"],
        br#"<course url_name="C" org="A" course="B"/>"#
    );

    // 2: into another key, the same tree.
    other
        .import(first.path(), Some("course-v1:X+Y+Z"))
        .await
        .unwrap();
    let one = other.show(KEY).await.to_string().replace("A+B+C", "X+Y+Z");
    let one = shape(&serde_json::from_str(&one).unwrap());
    let two = shape(&other.show("course-v1:X+Y+Z").await);
    for (one, two) in one.as_array().unwrap().iter().zip(two.as_array().unwrap()) {
        assert_eq!(one, two);
    }
}

#[tokio::test]
async fn check_6_the_course_may_lie_deep_but_must_be_there() {
    let house = house().await;
    let place = tempfile::tempdir().unwrap();
    let deep = archive(
        place.path(),
        &[
            ("a/b/course.xml", FILE, "", ROOT),
            ("a/b/course/R.xml", FILE, "", COURSE),
        ],
    );
    house.import(&deep, Some(KEY)).await.unwrap();
    let none = archive(place.path(), &[("a/readme.txt", FILE, "", b"x")]);
    let error = house.import(&none, Some(KEY)).await.unwrap_err();
    assert_eq!(
        message(error),
        "Could not find the course.xml file in the package."
    );
}

#[tokio::test]
async fn check_8_9_unsafe_members_are_refused_and_nothing_changes() {
    let house = house().await;
    let place = tempfile::tempdir().unwrap();
    let fine: [Member<'_>; 2] = [
        ("course/course.xml", FILE, "", ROOT),
        ("course/course/R.xml", FILE, "", COURSE),
    ];
    let good = archive(place.path(), &fine);
    house.import(&good, Some(KEY)).await.unwrap();
    let before = house.show(KEY).await;
    let bad: [Member<'_>; 6] = [
        ("../evil", FILE, "", b"x"),
        ("/tmp/evil", FILE, "", b"x"),
        ("course/pipe", EntryType::Fifo, "", b""),
        ("course/link", EntryType::Symlink, "/etc/passwd", b""),
        (
            "course/static/link",
            EntryType::Symlink,
            "../course.xml",
            b"",
        ),
        ("course/hard", EntryType::Link, "../../etc/passwd", b""),
    ];
    for member in bad {
        let members = [fine[0], fine[1], member];
        let path = archive(place.path(), &members);
        let error = house.import(&path, Some(KEY)).await.unwrap_err();
        assert_eq!(message(error), "Unsafe archive file. Aborting import.");
        assert_eq!(house.show(KEY).await, before);
    }
    assert!(!place.path().parent().unwrap().join("evil").exists());

    // 9: a link to a sibling is read as a copy.
    let members = [
        fine[0],
        fine[1],
        ("course/static/a.txt", FILE, "", b"words"),
        ("course/static/b.txt", EntryType::Symlink, "a.txt", b""),
    ];
    let path = archive(place.path(), &members);
    house.import(&path, Some(KEY)).await.unwrap();
    assert_eq!(
        house.asset("b.txt").await.map(|file| file.document.length),
        Some(5)
    );
}

#[tokio::test]
async fn check_13_a_setting_that_is_absent_is_back_at_its_default() {
    let house = house().await;
    let first = folder(&[
        ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#),
        (
            "course/R.xml",
            r#"<course display_name="T" start="1357002000000" invitation_only="true"/>"#,
        ),
    ]);
    house.import(first.path(), Some(KEY)).await.unwrap();
    let start = house.value(Branch::Draft, "course@course", "start").await;
    assert_eq!(start, json!("2013-01-01T01:00:00Z"));
    let second = folder(&[
        ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#),
        ("course/R.xml", r#"<course display_name="T"/>"#),
    ]);
    house.import(second.path(), Some(KEY)).await.unwrap();
    for field in ["start", "invitation_only"] {
        for branch in [Branch::Draft, Branch::Published] {
            let value = house.value(branch, "course@course", field).await;
            assert_eq!(value, Value::Null, "{field}");
        }
    }
}

#[tokio::test]
async fn check_18_a_bad_policy_fails_nothing_a_missing_course_file_does() {
    let house = house().await;
    let bad = folder(&[
        ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#),
        (
            "course/R.xml",
            r#"<course><chapter url_name="gone"/><chapter url_name="c"/></course>"#,
        ),
        ("chapter/c.xml", r#"<chapter display_name="Here"/>"#),
        ("policies/R/policy.json", "{ no"),
        ("policies/R/grading_policy.json", "[ no"),
    ]);
    house.import(bad.path(), Some(KEY)).await.unwrap();
    assert_eq!(
        house
            .children(KEY, Branch::Published, "course@course")
            .await,
        ["chapter@c"]
    );
    let before = house.show(KEY).await;
    let policy = &before["course"]["grading_policy"];
    assert_eq!(policy["GRADE_CUTOFFS"], json!({ "Pass": 0.5 }));
    let gone = folder(&[("course.xml", r#"<course url_name="R" org="S" course="N"/>"#)]);
    let error = house.import(gone.path(), Some(KEY)).await.unwrap_err();
    assert_eq!(message(error), "Unknown error while importing course.");
    assert_eq!(house.show(KEY).await, before);
}

#[tokio::test]
async fn check_21_the_wiki_follows_the_course() {
    for (wiki, slug) in [
        ("", "A.B.C"),
        (r#"<wiki slug="N"/>"#, "A.B.C"),
        (r#"<wiki slug="S.N.R"/>"#, "A.B.C"),
        (r#"<wiki slug="my-wiki"/>"#, "my-wiki"),
    ] {
        let house = house().await;
        let course = folder(&[
            ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#),
            ("course/R.xml", &format!("<course>{wiki}</course>")),
        ]);
        house.import(course.path(), Some(KEY)).await.unwrap();
        let key = CourseKey::parse(KEY).unwrap();
        let row = house.store.course_index(&key).await.unwrap().unwrap();
        assert_eq!(row.wiki_slug, slug, "{wiki}");
    }
}

#[tokio::test]
async fn check_22_a_course_without_tabs_gets_the_usual_ones() {
    let house = house().await;
    house.import(unit("", &[]).path(), Some(KEY)).await.unwrap();
    let key = CourseKey::parse(KEY).unwrap();
    let tabs = records::course_overviews::tabs(&house.db, &key)
        .await
        .unwrap();
    let ids: Vec<&str> = tabs.iter().map(|tab| tab.tab_id.as_str()).collect();
    // The recorded order: that of `embedded_python` in the world.
    assert_eq!(
        ids,
        [
            "courseware",
            "progress",
            "dates",
            "discussion",
            "wiki",
            "textbooks"
        ]
    );
}

#[tokio::test]
async fn check_36_blocks_that_an_archive_lacks_stay_as_draft_orphans() {
    let house = house().await;
    let two = unit(
        r#"<html url_name="one">1</html><html url_name="two">2</html>"#,
        &[],
    );
    house.import(two.path(), Some(KEY)).await.unwrap();
    let one = unit(r#"<html url_name="one">changed</html>"#, &[]);
    house.import(one.path(), Some(KEY)).await.unwrap();
    let key = CourseKey::parse(KEY).unwrap();
    let orphan: BlockKey = "html@two".parse().unwrap();
    let draft = house.store.content(&key, Branch::Draft).await.unwrap();
    assert!(draft.unwrap().blocks.contains_key(&orphan));
    let published = house.store.content(&key, Branch::Published).await.unwrap();
    assert!(!published.unwrap().blocks.contains_key(&orphan));
    let text = house.value(Branch::Draft, "html@one", "data").await;
    assert_eq!(text, json!("changed"));
}

#[tokio::test]
async fn check_38_39_49_files_keep_their_names_and_places() {
    let house = house().await;
    let course = unit(
        "",
        &[
            ("static/Brain green.png", "png"),
            ("static/a/b.txt", "b"),
            ("static/images_course_image.jpg", "jpg"),
            (
                "policies/assets.json",
                r#"{"Brain_green.png": {"displayname": "Brain green.png", "locked": true}}"#,
            ),
        ],
    );
    house.import(course.path(), Some(KEY)).await.unwrap();
    let brain = house.asset("Brain_green.png").await.unwrap().document;
    assert_eq!(brain.display_name.as_deref(), Some("Brain green.png"));
    assert!(brain.locked);
    let text = house.asset("a_b.txt").await.unwrap().document;
    assert_eq!(text.import_path.as_deref(), Some("a/b.txt"));
    let out = tempfile::tempdir().unwrap();
    house.export(KEY, out.path()).await;
    for (path, words) in [
        ("static/Brain green.png", "png"),
        ("static/a/b.txt", "b"),
        ("static/images/course_image.jpg", "jpg"),
    ] {
        let found = std::fs::read_to_string(out.path().join(path));
        assert_eq!(found.ok().as_deref(), Some(words), "{path}");
    }
}

#[tokio::test]
async fn check_40_images_get_a_thumbnail() {
    let house = house().await;
    let image = image::RgbImage::from_pixel(300, 200, image::Rgb([200, 30, 30]));
    let course = unit("", &[("static/readme.txt", "x")]);
    image.save(course.path().join("static/Abacus.png")).unwrap();
    house
        .import_with(course.path(), Some(KEY), true)
        .await
        .unwrap();
    let key = "asset-v1:A+B+C+type@thumbnail+block@Abacus-png.jpg";
    let files = house.store.contentstore();
    let file = files
        .find(&AssetKey::parse(key).unwrap())
        .await
        .unwrap()
        .unwrap();
    let bytes = files.read(&file).await.unwrap();
    let small = image::load_from_memory(&bytes).unwrap();
    assert_eq!((small.width(), small.height()), (128, 85));
}

#[tokio::test]
async fn check_43_44_videos_come_into_the_video_store() {
    let house = house().await;
    let course = unit(
        r#"<video url_name="w" edx_video_id="0f1e" display_name="W">
             <video_asset client_video_id="film.mp4" duration="12.5" image="">
               <encoded_video profile="desktop_mp4" url="https://v/x.mp4" file_size="7" bitrate="1"/>
               <transcripts>
                 <transcript file_format="srt" language_code="en" provider="Custom"/>
                 <transcript file_format="srt" language_code="es" provider="Custom"/>
                 <transcript file_format="srt" language_code="fr" provider="Custom"/>
               </transcripts>
             </video_asset>
           </video>
           <video url_name="n" youtube_id_1_0="abc"/>"#,
        &[
            (
                "static/0f1e-en.srt",
                "1\n00:00:00,000 --> 00:00:01,000\nHi\n",
            ),
            (
                "static/0f1e-es.srt",
                "1\n00:00:00,000 --> 00:00:01,000\nHola\n",
            ),
        ],
    );
    let summary = house.import(course.path(), Some(KEY)).await.unwrap();
    let rows = records::videos::transcripts(&house.db, &["0f1e".to_owned()])
        .await
        .unwrap();
    let languages: Vec<&str> = rows
        .iter()
        .map(|row| row.transcript.language_code.as_str())
        .collect();
    assert_eq!(languages, ["en", "es"]);
    let fr = |text: &str| text.contains("0f1e-fr.srt");
    assert!(
        summary
            .warnings
            .iter()
            .any(|warning| fr(&warning.text) || fr(&warning.file)),
        "{:?}",
        summary.warnings
    );
    // 44: a video without id gets an external one.
    let id = house.value(Branch::Draft, "video@n", "edx_video_id").await;
    let id = id.as_str().unwrap();
    let stored = records::videos::get(&house.db, id).await.unwrap().unwrap();
    assert_eq!(
        (stored.status.as_str(), stored.client_video_id.as_str()),
        ("external", "External Video")
    );
}

#[tokio::test]
async fn check_46_a_library_block_without_its_library_keeps_its_children() {
    let house = house().await;
    let course = unit(
        r#"<library_content url_name="l" source_library_id="library-v1:No+Where" max_count="1">
             <problem url_name="p"/>
           </library_content>"#,
        &[("problem/p.xml", "<problem display_name=\"P\"/>")],
    );
    house.import(course.path(), Some(KEY)).await.unwrap();
    for branch in [Branch::Draft, Branch::Published] {
        let children = house.children(KEY, branch, "library_content@l").await;
        assert_eq!(children, ["problem@p"]);
    }
}

#[tokio::test]
async fn check_46_a_library_that_is_here_fills_its_block_once() {
    let house = house().await;
    let library = |problem: &str| {
        folder(&[
            (
                "library.xml",
                r#"<library url_name="library" xblock-family="xblock.v1" org="Acme" library="Lib">
                     <problem url_name="p1"/></library>"#,
            ),
            ("problem/p1.xml", problem),
        ])
    };
    let first = library("<problem display_name=\"From the library\"/>");
    house
        .import(first.path(), Some("library-v1:Acme+Lib"))
        .await
        .unwrap();
    let course = unit(
        r#"<library_content url_name="lc1" source_library_id="library-v1:Acme+Lib" max_count="1">
             <problem url_name="old"/>
           </library_content>"#,
        &[("problem/old.xml", "<problem display_name=\"Archived\"/>")],
    );
    house.import(course.path(), Some(KEY)).await.unwrap();
    // courseware.md §2.4: the id is a hash of library, block and parent.
    let copied = ["problem@5f6227ddf9fe96114010"];
    for branch in [Branch::Draft, Branch::Published] {
        let children = house.children(KEY, branch, "library_content@lc1").await;
        assert_eq!(children, copied, "{branch:?}");
    }
    let snapshot = house
        .store
        .snapshot(&CourseKey::parse(KEY).unwrap(), Branch::Published)
        .await
        .unwrap()
        .unwrap();
    let copy = snapshot.find(&copied[0].parse().unwrap()).unwrap();
    assert_eq!(snapshot.block(copy).display_name(), "From the library");

    // The next import of the course takes the archive as it is.
    house.import(course.path(), Some(KEY)).await.unwrap();
    for branch in [Branch::Draft, Branch::Published] {
        let children = house.children(KEY, branch, "library_content@lc1").await;
        assert_eq!(children, ["problem@old"], "{branch:?}");
    }
}

#[tokio::test]
async fn check_47_libraries_go_into_libraries_and_come_out_again() {
    let house = house().await;
    let library = folder(&[
        (
            "library.xml",
            r#"<library url_name="library" xblock-family="xblock.v1" org="S" library="L" display_name="Mine">
                 <problem url_name="p"/></library>"#,
        ),
        ("problem/p.xml", "<problem display_name=\"P\"/>"),
    ]);
    let key = "library-v1:Other+Code";
    house.import(library.path(), Some(key)).await.unwrap();
    let root = "library@library";
    assert_eq!(
        house.children(key, Branch::Draft, root).await,
        ["problem@p"]
    );
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("library.tar.gz");
    house.export(key, &path).await;
    let again = "library-v1:Third+Code";
    house.import(&path, Some(again)).await.unwrap();
    let (one, two) = (house.show(key).await, house.show(again).await);
    let one = one.to_string().replace("Other+Code", "Third+Code");
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(shape(&one), shape(&two));

    let course = unit("", &[]);
    let error = house.import(course.path(), Some(key)).await.unwrap_err();
    assert_eq!(
        message(error),
        "Could not find the library.xml file in the package."
    );
}

#[tokio::test]
async fn check_48_names_that_are_missing_or_taken() {
    let house = house().await;
    let course = unit(
        r#"<problem><p>no name</p></problem>
           <problem url_name="p" display_name="1"><p>one</p></problem>
           <problem url_name="p" display_name="2"><p>two</p></problem>
           <problem url_name="q"/><problem url_name="q"/>"#,
        &[("problem/q.xml", "<problem/>")],
    );
    house.import(course.path(), Some(KEY)).await.unwrap();
    let first = house.children(KEY, Branch::Draft, "vertical@v").await;
    let hashed = |prefix: &str, key: &&String| {
        key.strip_prefix(prefix)
            .is_some_and(|hash| hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    assert_eq!(first.len(), 4, "{first:?}");
    assert_eq!(
        first
            .iter()
            .filter(|key| hashed("problem@problem_", key))
            .count(),
        1
    );
    assert_eq!(
        first
            .iter()
            .filter(|key| hashed("problem@problem_p_", key))
            .count(),
        1
    );
    assert_eq!(first.iter().filter(|key| *key == "problem@q").count(), 1);
    // The names are the same each time.
    house.import(course.path(), Some(KEY)).await.unwrap();
    assert_eq!(
        house.children(KEY, Branch::Draft, "vertical@v").await,
        first
    );
}

#[tokio::test]
async fn check_51_a_deleted_course_leaves_no_derived_rows() {
    let house = house().await;
    let course = unit(
        r#"<discussion url_name="d" discussion_id="x" discussion_category="c" discussion_target="t"/>"#,
        &[],
    );
    house.import(course.path(), Some(KEY)).await.unwrap();
    let key = CourseKey::parse(KEY).unwrap();
    let tables = [
        "course_overviews_courseoverview",
        "course_overviews_courseoverviewtab",
        "learning_sequences_learningcontext",
        "learning_sequences_coursesection",
        "learning_sequences_learningsequence",
        "learning_sequences_coursesectionsequence",
        "learning_sequences_publishreport",
        "django_comment_common_discussionsidmapping",
    ];
    let count = async |table: &str| {
        let sql = format!("SELECT COUNT(*) AS n FROM {table}");
        house.db.read_int(&sql, &[]).await.unwrap()
    };
    for table in tables {
        assert!(count(table).await > 0, "{table}");
    }
    let stamp = modulestore::documents::Stamp::new(authoring::COMMAND_USER, crate::support::now());
    assert!(house.store.delete_course(&key, stamp).await.unwrap());
    house.follow().await;
    for table in tables {
        assert_eq!(count(table).await, 0, "{table}");
    }
}

// Beyond the checks: an archive that we write is one for everybody.
#[tokio::test]
async fn python_opens_our_archives_and_they_come_back_equal() {
    let house = house().await;
    let course = unit(
        r#"<html url_name="h"><p>text</p></html>"#,
        &[("static/a/ü.txt", "x")],
    );
    house.import(course.path(), Some(KEY)).await.unwrap();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("out.tar.gz");
    house.export(KEY, &path).await;
    let script = "import sys, tarfile; names = tarfile.open(sys.argv[1], 'r:gz').getnames(); \
                  assert 'course/course.xml' in names and 'course/html/h.html' in names, names";
    match std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .output()
    {
        Ok(done) => assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        ),
        Err(error) => println!("skipped: no python3 ({error})"),
    }
    let before = house.show(KEY).await;
    house.import(&path, Some(KEY)).await.unwrap();
    let after = house.show(KEY).await;
    // Only the overview page loses the name that new courses give it: about pages are written without.
    let listed = |shown: &Value| {
        let mut blocks = shape(shown);
        let about = |block: &Value| block["type"] == "about";
        blocks.as_array_mut().unwrap().retain(|block| !about(block));
        blocks
    };
    assert_eq!(listed(&before), listed(&after));
    assert_eq!(before["course"], after["course"]);
}
