//! The learner's pages: who gets in, where the others are sent, what a page costs (courseware.md §7.2, §11, §14).

use identity::User;
use records::course_overviews::CourseOverview;
use serde_json::json;

use crate::world::{COURSE, World, bio};

const BASE: &str = "/learning/course/course-v1:Acme+Bio+R1";

fn usage(kind: &str, id: &str) -> String {
    format!("block-v1:Acme+Bio+R1+type@{kind}+block@{id}")
}

fn unit(sequence: &str, unit: &str) -> String {
    let (sequence, unit) = (usage("sequential", sequence), usage("vertical", unit));
    format!("{BASE}/{sequence}/{unit}")
}

async fn learner(world: &World) -> (User, String) {
    let ada = world.user("ada", false).await;
    world.enroll(&ada, COURSE, "audit").await;
    let cookie = world.session(&ada).await;
    (ada, cookie)
}

/// courseware.md §7.2: where pages send those who may not see them.
#[tokio::test]
async fn who_is_turned_away_and_where_to() {
    let world = bio().await;
    let home = format!("{BASE}/home");
    let page = unit("s", "v");
    let reply = world.get("", &home).await;
    assert_eq!(reply.status, 302);
    assert!(
        reply
            .location()
            .starts_with("/login?next=/learning/course/")
    );
    let eve = world.user("eve", false).await;
    let eve = world.session(&eve).await;
    for path in [&home, &page] {
        let reply = world.get(&eve, path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.location()),
            (302, "/courses/course-v1:Acme+Bio+R1/about")
        );
    }
    for path in [
        "/learning/course/course-v1:Acme+None+R1/home",
        "/learning/course/nonsense/home",
        &format!("{BASE}/nonsense/more"),
        &format!("{BASE}/{}", usage("sequential", "none")),
    ] {
        let (_, cookie) = learner_once(&world).await;
        assert_eq!(world.get(&cookie, path).await.status, 404, "{path}");
    }
    assert_eq!(
        world.get("", "/dashboard").await.location(),
        "/login?next=/dashboard"
    );
}

async fn learner_once(world: &World) -> (User, String) {
    match records::users::by_username(&world.db, "ada").await.unwrap() {
        Some(ada) => {
            let cookie = world.session(&ada).await;
            (ada, cookie)
        }
        None => learner(world).await,
    }
}

/// courseware.md §7.2: a course that has not begun.
#[tokio::test]
async fn a_course_that_begins_later() {
    let world = World::new().await;
    let key = "course-v1:Acme+Later+R1";
    let fields = json!({"display_name": "Later", "start": "2035-01-05T00:00:00Z"});
    world.course(key, &[("course@course", fields, &[])]).await;
    let ada = world.user("ada", false).await;
    world.enroll(&ada, key, "audit").await;
    let cookie = world.session(&ada).await;
    let reply = world
        .get(&cookie, &format!("/learning/course/{key}/home"))
        .await;
    assert_eq!(reply.location(), "/dashboard?notlive=Jan+05%2C+2035");
    let reply = world.get(&cookie, reply.location()).await;
    assert!(reply.text.contains("does not start until Jan 05, 2035"));
    let boss = world.user("boss", true).await;
    let boss = world.session(&boss).await;
    let reply = world
        .get(&boss, &format!("/learning/course/{key}/home"))
        .await;
    assert_eq!(reply.status, 200);
}

/// courseware.md §7.3: hidden, grouped and later content.
#[tokio::test]
async fn what_a_learner_sees() {
    let world = bio().await;
    let (_, cookie) = learner(&world).await;
    let boss = world.user("boss", true).await;
    let boss = world.session(&boss).await;
    let reply = world.get(&cookie, &format!("{BASE}/home")).await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.text.contains("Opens January 1, 2027"),
        "closed parts are named"
    );
    for (page, for_learner) in [("v", 200), ("hidden", 404), ("x", 404)] {
        let path = unit("s", page);
        assert_eq!(
            world.get(&cookie, &path).await.status,
            for_learner,
            "{page}"
        );
        assert_eq!(world.get(&boss, &path).await.status, 200, "{page}");
    }
    let later = world.get(&cookie, &unit("later", "in_later")).await;
    assert_eq!(later.status, 200);
    assert!(later.text.contains("Not open yet"));
    assert!(!later.text.contains("data-unit-page"));
    let text = world.get(&cookie, &unit("s", "v")).await.text;
    assert!(text.contains("<p>h</p>") && text.contains("data-unit-page"));
    assert!(!text.contains("in_hidden"));
}

/// courseware.md §11: the position is kept, and a sequence leads there.
#[tokio::test]
async fn a_sequence_leads_to_where_one_was() {
    let world = World::new().await;
    let unit_of = |name: &str| (name.to_owned(), json!({"display_name": name}));
    let (a, b) = (unit_of("vertical@a"), unit_of("vertical@b"));
    world
        .course(
            COURSE,
            &[
                (
                    "course@course",
                    json!({"start": "2026-01-01T00:00:00Z"}),
                    &["chapter@c"],
                ),
                ("chapter@c", json!({}), &["sequential@s"]),
                ("sequential@s", json!({}), &["vertical@a", "vertical@b"]),
                (&a.0, a.1, &[]),
                (&b.0, b.1, &[]),
            ],
        )
        .await;
    let (_, cookie) = learner(&world).await;
    let sequence = format!("{BASE}/{}", usage("sequential", "s"));
    assert_eq!(
        world.get(&cookie, &sequence).await.location(),
        unit("s", "a")
    );
    assert_eq!(world.get(&cookie, &unit("s", "b")).await.status, 200);
    assert_eq!(
        world.get(&cookie, &sequence).await.location(),
        unit("s", "b")
    );
    assert_eq!(
        world
            .get(&cookie, &format!("{sequence}/first"))
            .await
            .location(),
        unit("s", "a")
    );
    assert_eq!(
        world
            .get(&cookie, &format!("{sequence}/last"))
            .await
            .location(),
        unit("s", "b")
    );
    let chapter = format!("{BASE}/{}", usage("chapter", "c"));
    assert_eq!(world.get(&cookie, &chapter).await.location(), sequence);
    let states = "SELECT COUNT(*) AS n FROM courseware_studentmodule";
    let count = world.db.read_one(states, &[]).await.unwrap().unwrap();
    assert_eq!(count.int("n").unwrap(), 1, "one state, the position");
}

/// design.md, "Learner opens a unit": six statements, whatever the number of learners and the size of the course.
#[tokio::test]
async fn a_unit_page_costs_six_statements() {
    let mut blocks = vec![
        (
            "course@course".to_owned(),
            json!({"start": "2026-01-01T00:00:00Z"}),
            vec!["chapter@c".to_owned()],
        ),
        (
            "chapter@c".to_owned(),
            json!({}),
            vec!["sequential@s".to_owned()],
        ),
        (
            "sequential@s".to_owned(),
            json!({}),
            vec!["vertical@v".to_owned()],
        ),
        (
            "vertical@v".to_owned(),
            json!({}),
            vec!["html@h".to_owned(), "problem@p".to_owned()],
        ),
        ("html@h".to_owned(), json!({"data": "<p>text</p>"}), vec![]),
        (
            "problem@p".to_owned(),
            json!({"data": "<problem><stringresponse answer=\"a\"><textline/></stringresponse></problem>"}),
            vec![],
        ),
    ];
    let mut seen = Vec::new();
    for size in [0_usize, 300] {
        for n in 0..size {
            let (chapter, sequence, unit) = (
                format!("chapter@c{n}"),
                format!("sequential@s{n}"),
                format!("vertical@v{n}"),
            );
            blocks[0].2.push(chapter.clone());
            blocks.push((chapter, json!({}), vec![sequence.clone()]));
            blocks.push((sequence, json!({}), vec![unit.clone()]));
            blocks.push((unit, json!({}), vec![]));
        }
        let world = World::new().await;
        let children: Vec<Vec<&str>> = blocks
            .iter()
            .map(|block| block.2.iter().map(String::as_str).collect())
            .collect();
        let course: Vec<(&str, serde_json::Value, &[&str])> = blocks
            .iter()
            .zip(&children)
            .map(|(block, children)| (block.0.as_str(), block.1.clone(), children.as_slice()))
            .collect();
        world.course(COURSE, &course).await;
        let (_, cookie) = learner(&world).await;
        for n in 0..size.min(20) {
            let other = world.user(&format!("other{n}"), false).await;
            world.enroll(&other, COURSE, "audit").await;
        }
        let path = unit("s", "v");
        assert_eq!(world.get(&cookie, &path).await.status, 200);
        let warm = world.get(&cookie, &path).await;
        assert!(warm.counts.reads <= 6, "{} statements", warm.counts.reads);
        assert_eq!(warm.counts.writes, 0, "looking again changes nothing");
        seen.push(warm.counts.reads);
    }
    assert_eq!(seen.first(), seen.last());
}

/// The forms of a unit page work without script, and only with a token.
#[tokio::test]
async fn answers_by_plain_form() {
    let world = bio().await;
    let (ada, cookie) = learner(&world).await;
    let path = unit("s", "v");
    let problem = usage("problem", "p");
    let fields = [
        ("stoa_usage", problem.as_str()),
        ("stoa_action", "problem_check"),
    ];
    let reply = world.post_form(&cookie, &path, &fields).await;
    assert_eq!(reply.status, 302, "{}", reply.text);
    assert!(reply.location().starts_with(&path), "{}", reply.location());
    let bare = world
        .send_body("POST", &[("cookie", &cookie)], &path, String::new())
        .await;
    assert_eq!(bare.status, 403);
    let reply = world.post_form("", &path, &fields).await;
    assert!(reply.location().starts_with("/login?next="));
    let hidden = [
        ("stoa_usage", usage("html", "in_hidden")),
        ("stoa_action", "problem_check".into()),
    ];
    let hidden = hidden
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    assert_eq!(
        world.post_form(&cookie, &path, &hidden).await.status,
        200 + 102
    );
    assert_eq!(
        world
            .post_form(&cookie, &path, &[("stoa_action", "format_disk")])
            .await
            .status,
        400
    );

    for (action, count) in [("bookmark", 1), ("bookmark", 1), ("unbookmark", 0)] {
        let reply = world
            .post_form(&cookie, &path, &[("stoa_action", action)])
            .await;
        assert_eq!(reply.location(), path);
        let bookmarks = records::bookmarks::count(&world.db, ada.id, None)
            .await
            .unwrap();
        assert_eq!(bookmarks, count, "{action}");
    }
}

/// courseware.md §14.
#[tokio::test]
async fn old_addresses_lead_on() {
    let world = bio().await;
    let (_, cookie) = learner(&world).await;
    let jump = format!("/courses/{COURSE}/jump_to");
    let (sequence, vertical) = (usage("sequential", "s"), usage("vertical", "v"));
    let to = |path: &str| format!("{BASE}{path}");
    for (path, expected) in [
        (
            format!("{jump}/{}", usage("html", "h")),
            to(&format!("/{sequence}/{vertical}")),
        ),
        (
            format!("{jump}/{}", usage("html", "a")),
            to(&format!("/{sequence}/{vertical}")),
        ),
        (
            format!("{jump}/{vertical}"),
            to(&format!("/{sequence}/{vertical}")),
        ),
        (format!("{jump}/{sequence}"), to(&format!("/{sequence}"))),
        (
            format!("{jump}/{}", usage("chapter", "c")),
            to(&format!("/{}", usage("chapter", "c"))),
        ),
        (format!("{jump}/{}", usage("course", "course")), to("")),
        (format!("{jump}/{}", usage("html", "gone")), to("")),
        (
            format!("{jump}/{vertical}?experience=legacy&x=1"),
            to(&format!("/{sequence}/{vertical}?x=1")),
        ),
        (
            format!("{jump}_id/h"),
            to(&format!("/{sequence}/{vertical}")),
        ),
        (format!("/courses/{COURSE}/course/?x=1"), to("/home?x=1")),
        (format!("/courses/{COURSE}/dates"), to("/dates")),
    ] {
        let reply = world.get("", &path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.location()),
            (302, expected.as_str()),
            "{path}"
        );
    }
    assert_eq!(world.get("", &format!("{jump}/nonsense")).await.status, 404);
    assert_eq!(world.get("", &format!("{jump}_id/none")).await.status, 404);
    for (path, expected) in [
        ("courseware/", to("/home")),
        ("courseware/c/", to(&format!("/{}", usage("chapter", "c")))),
        ("courseware/c/s/", to(&format!("/{sequence}"))),
        ("courseware/c/s/1/", to(&format!("/{sequence}/{vertical}"))),
    ] {
        let path = format!("/courses/{COURSE}/{path}");
        let reply = world.get(&cookie, &path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.location()),
            (302, expected.as_str()),
            "{path}"
        );
        assert!(
            world
                .get("", &path)
                .await
                .location()
                .starts_with("/login?next="),
            "{path}"
        );
    }
}

/// lms-api.md §1.5 and §16, check 17.
#[tokio::test]
async fn coming_and_leaving() {
    let world = bio().await;
    world
        .overview(CourseOverview {
            id: COURSE.into(),
            display_name: Some("Biology".into()),
            start: Some("2026-01-01T00:00:00".parse().unwrap()),
            catalog_visibility: Some("both".into()),
            ..CourseOverview::default()
        })
        .await;
    world
        .sql(
            "INSERT INTO course_modes_coursemode (course_id, mode_slug, mode_display_name, min_price, currency, \
             suggested_prices, expiration_datetime_is_explicit) \
             VALUES ('course-v1:Acme+Bio+R1', 'audit', 'Audit', 0, 'usd', '', 0)",
        )
        .await;
    let eve = world.user("eve", false).await;
    let cookie = world.session(&eve).await;
    let course = ("course_id", COURSE);
    let action = |name: &'static str| ("enrollment_action", name);
    let post = async |fields: &[(&str, &str)]| {
        let reply = world.post_form(&cookie, "/change_enrollment", fields).await;
        (reply.status.as_u16(), reply.text)
    };
    assert_eq!(
        world
            .post_form("", "/change_enrollment", &[course, action("enroll")])
            .await
            .status,
        403
    );
    assert_eq!(
        post(&[action("enroll")]).await,
        (400, "Course id not specified".into())
    );
    assert_eq!(
        post(&[("course_id", "x"), action("enroll")]).await,
        (400, "Invalid course id".into())
    );
    assert_eq!(
        post(&[course, action("x")]).await,
        (400, "Enrollment action is invalid".into())
    );
    let gone = ("course_id", "course-v1:Acme+None+R1");
    assert_eq!(
        post(&[gone, action("enroll")]).await,
        (400, "Course id is invalid".into())
    );
    let about = world
        .get(&cookie, &format!("/courses/{COURSE}/about"))
        .await;
    assert!(about.text.contains("value=\"enroll\""), "{}", about.text);
    assert_eq!(
        post(&[course, action("unenroll")]).await,
        (400, "You are not enrolled in this course".into())
    );
    assert_eq!(
        post(&[course, action("enroll")]).await,
        (200, String::new())
    );
    assert_eq!(
        world.get(&cookie, &format!("{BASE}/home")).await.status,
        200
    );
    let dashboard = world.get(&cookie, "/dashboard").await;
    assert!(dashboard.text.contains("Biology"));
    for _ in 0..2 {
        assert_eq!(
            post(&[course, action("unenroll")]).await,
            (200, String::new())
        );
    }
    let fields = [course, action("enroll"), ("next", "//evil.example")];
    assert_eq!(post(&fields).await, (200, String::new()));
    let fields = [course, action("unenroll"), ("next", "/dashboard")];
    let reply = world
        .post_form(&cookie, "/change_enrollment", &fields)
        .await;
    assert_eq!(reply.location(), "/dashboard");
}

/// courseware.md §11, §15.7: the pages that the course's bar leads to are there.
#[tokio::test]
async fn dates_and_pages_of_the_author() {
    let world = World::new().await;
    let tab = |name: &str, slug: &str, staff: bool| json!({"type": "static_tab", "name": name, "url_slug": slug, "course_staff_only": staff});
    let tabs = json!([
        {"type": "courseware", "name": "Course"},
        tab("Words", "words", false),
        tab("Notes", "notes", true),
    ]);
    world
        .course(
            COURSE,
            &[
                (
                    "course@course",
                    json!({"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z", "tabs": tabs}),
                    &["chapter@c"],
                ),
                ("chapter@c", json!({}), &["sequential@s"]),
                (
                    "sequential@s",
                    json!({"display_name": "Homework one", "graded": true, "format": "Homework",
                           "due": "2035-01-01T00:00:00Z"}),
                    &["vertical@v"],
                ),
                ("vertical@v", json!({}), &[]),
                ("static_tab@words", json!({"data": "<p>gnomon</p>"}), &[]),
                ("static_tab@notes", json!({"data": "<p>secret</p>"}), &[]),
            ],
        )
        .await;
    let (_, cookie) = learner(&world).await;
    let boss = world.user("boss", true).await;
    let boss = world.session(&boss).await;
    let dates = world.get(&cookie, &format!("{BASE}/dates")).await;
    assert_eq!(dates.status, 200);
    for text in ["Course starts", "Homework one", "Due next", "Course ends"] {
        assert!(dates.text.contains(text), "{text}");
    }
    let words = format!("/courses/{COURSE}/words/");
    let reply = world.get(&cookie, &words).await;
    assert!(reply.text.contains("<p>gnomon</p>"));
    assert_eq!(
        world
            .get(&cookie, words.trim_end_matches('/'))
            .await
            .location(),
        words
    );
    let notes = format!("/courses/{COURSE}/notes/");
    assert_eq!(world.get(&cookie, &notes).await.status, 404);
    assert_eq!(world.get(&boss, &notes).await.status, 200);
    assert_eq!(
        world
            .get(&cookie, &format!("/courses/{COURSE}/none/"))
            .await
            .status,
        404
    );
    assert!(
        world
            .get("", &words)
            .await
            .location()
            .starts_with("/login?next=")
    );
}
