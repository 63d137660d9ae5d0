//! Assets over HTTP (courseware.md §2.6).

use bytes::Bytes;
use modulestore::contentstore::{AssetData, NewAsset};
use modulestore::documents::Stamp;
use opaque_keys::CourseKey;

use crate::world::{COURSE, World, bio, now};

const BASE: &str = "/asset-v1:Acme+Bio+R1+type@asset+block@";

async fn upload(world: &World, name: &str, kind: &str, text: &str, locked: bool) {
    let course = CourseKey::parse(COURSE).unwrap();
    let asset = NewAsset {
        path: name.to_owned(),
        display_name: name.to_owned(),
        content_type: Some(kind.to_owned()),
        locked,
        imported: false,
        data: AssetData::Bytes(Bytes::copy_from_slice(text.as_bytes())),
    };
    let contents = world.store.contentstore();
    contents
        .save(&course, asset, Stamp::new(-1, now()))
        .await
        .unwrap();
}

fn header<'a>(reply: &'a crate::world::Reply, name: &str) -> &'a str {
    reply
        .headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// courseware.md §17, checks 19, 20 and 22.
#[tokio::test]
async fn files_are_served_whole_and_in_part() {
    let world = bio().await;
    upload(&world, "ten.txt", "text/plain", "0123456789", false).await;
    let path = format!("{BASE}ten.txt");
    let whole = world.get("", &path).await;
    assert_eq!(
        (whole.status.as_u16(), whole.text.as_str()),
        (200, "0123456789")
    );
    assert_eq!(header(&whole, "accept-ranges"), "bytes");
    assert_eq!(header(&whole, "x-frame-options"), "ALLOW");
    assert_eq!(header(&whole, "x-content-type-options"), "nosniff");
    let part = world.get_with(&[("range", "bytes=0-3")], &path).await;
    assert_eq!((part.status.as_u16(), part.text.as_str()), (206, "0123"));
    assert_eq!(header(&part, "content-range"), "bytes 0-3/10");
    let beyond = world.get_with(&[("range", "bytes=20-30")], &path).await;
    assert_eq!(beyond.status, 416);
    let many = world.get_with(&[("range", "bytes=0-1,3-4")], &path).await;
    assert_eq!((many.status.as_u16(), many.text.len()), (200, 10));
    let modified = header(&whole, "last-modified").to_owned();
    let same = world
        .get_with(&[("if-modified-since", &modified)], &path)
        .await;
    assert_eq!((same.status.as_u16(), same.text.as_str()), (304, ""));
    let wrong = format!("/assets/courseware/v1/{}{path}", "0".repeat(32));
    let moved = world.get("", &wrong).await;
    assert_eq!(moved.status, 301);
    let right = header(&moved, "location").to_owned();
    assert!(
        right.ends_with("/asset-v1:Acme+Bio+R1+type@asset+block/ten.txt"),
        "{right}"
    );
    assert_eq!(world.get("", &right).await.status, 200);
    assert_eq!(world.get("", &format!("{BASE}none.txt")).await.status, 404);
    assert_eq!(world.get("", "/assets/courseware/x").await.status, 400);
    assert_eq!(world.send("POST", &[], &path).await.status, 405);
    let head = world.send("HEAD", &[], &path).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(header(&head, "content-length"), "10");
}

/// courseware.md §17, check 21.
#[tokio::test]
async fn locked_files_are_for_learners_of_the_course() {
    let world = bio().await;
    upload(&world, "locked.txt", "text/plain", "x", true).await;
    upload(&world, "python_lib.zip", "application/zip", "x", false).await;
    let path = format!("{BASE}locked.txt");
    let anonymous = world.get("", &path).await;
    assert_eq!(
        (anonymous.status.as_u16(), anonymous.text.as_str()),
        (403, "Unauthorized")
    );
    let bob = world.user("bob", false).await;
    let cookie = world.session(&bob).await;
    assert_eq!(world.get(&cookie, &path).await.status, 403);
    world.enroll(&bob, COURSE, "audit").await;
    let learner = world.get(&cookie, &path).await;
    assert_eq!(learner.status, 200);
    assert_eq!(
        header(&learner, "cache-control"),
        "private, no-cache, no-store"
    );
    let library = format!("{BASE}python_lib.zip");
    assert_eq!(world.get(&cookie, &library).await.status, 403);
    world.role(&bob, "staff").await;
    assert_eq!(world.get(&cookie, &library).await.status, 200);
}

/// Uploaded documents never run in our origin.
#[tokio::test]
async fn uploads_run_no_scripts_here() {
    let world = bio().await;
    for (name, kind) in [
        ("a.html", "text/html"),
        ("a.svg", "image/svg+xml"),
        ("a.xhtml", "application/xhtml+xml; charset=utf-8"),
        ("a.xml", "text/xml"),
    ] {
        upload(&world, name, kind, "<script>alert(1)</script>", false).await;
        let reply = world.get("", &format!("{BASE}{name}")).await;
        let policy = header(&reply, "content-security-policy");
        assert!(policy.starts_with("sandbox"), "{name}: {policy}");
        assert!(!policy.contains("allow-same-origin"), "{name}: {policy}");
        assert_eq!(header(&reply, "x-content-type-options"), "nosniff");
    }
}
