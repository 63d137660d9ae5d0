//! Every unit of every recorded course is shown, to a learner and to staff.

use std::path::PathBuf;

use authoring::{ImportOptions, import_course};
use modulestore::Branch;

use crate::world::{World, now};

fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("STOA_SHARED").map(PathBuf::from);
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    named
        .into_iter()
        .chain([beside])
        .find(|folder| folder.join("corpora").is_dir())
}

/// courseware.md §10: no unit of any course ends in a server error, whoever looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_unit_is_shown() {
    let Some(shared) = shared() else {
        println!("skipped: no corpora here (STOA_SHARED)");
        return;
    };
    let mut archives: Vec<PathBuf> = std::fs::read_dir(shared.join("corpora"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".tar.gz"))
        .filter(|path| !path.to_string_lossy().contains("library"))
        .collect();
    archives.sort();
    assert!(!archives.is_empty());
    let world = World::new().await;
    let amy = world.user("amy", false).await;
    let staff = world.user("staff", true).await;
    let (learner, staff) = (world.session(&amy).await, world.session(&staff).await);
    let spool = tempfile::tempdir().unwrap();
    for archive in archives {
        let options = ImportOptions {
            into: None,
            create: true,
            user_id: -1,
            now: now(),
            limits: olx::Limits::default(),
        };
        let World {
            db, store, blobs, ..
        } = &world;
        let summary = import_course(db, store, blobs, &archive, spool.path(), &options, &|_| ())
            .await
            .unwrap();
        let course = summary.course_key;
        world.enroll(&amy, &course, "audit").await;
        let key = opaque_keys::CourseKey::parse(&course).unwrap();
        let snapshot = store
            .snapshot(&key, Branch::Published)
            .await
            .unwrap()
            .unwrap();
        let mut shown = 0;
        for block in snapshot.blocks() {
            let kind = block.block_type();
            if !["vertical", "sequential", "problem", "video"].contains(&kind) {
                continue;
            }
            let path = format!("/xblock/{}", block.usage_key());
            let seen_by_staff = world.get(&staff, &path).await;
            assert_eq!(seen_by_staff.status, 200, "{path}: {}", seen_by_staff.text);
            assert!(
                seen_by_staff
                    .text
                    .contains(&format!("data-block-type=\"{kind}\"")),
                "{path}"
            );
            let seen = world.get(&learner, &path).await;
            assert!(
                [200, 404].contains(&seen.status.as_u16()),
                "{path}: {}",
                seen.text
            );
            shown += usize::from(seen.status == 200);
            // Looking again changes nothing.
            let again = world.get(&learner, &path).await;
            assert_eq!(again.status, seen.status, "{path}");
            assert_eq!(
                (again.counts.writes, again.counts.transactions),
                (0, 0),
                "{path}"
            );
        }
        println!("{}: {shown} pages", archive.display());
        assert!(shown > 5, "{}: {shown}", archive.display());
    }
}
