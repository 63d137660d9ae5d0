//! Blocks API (lms-api.md §3.4, courseware.md §8).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{COURSE, World, bio};

const QUERY: &str = "course_id=course-v1%3AAcme%2BBio%2BR1";

fn usage(key: &str) -> String {
    format!("block-v1:Acme+Bio+R1+type@{}", key.replace('@', "+block@"))
}

/// Short names of the blocks in an answer.
fn names(body: &Value) -> BTreeSet<String> {
    body["blocks"]
        .as_object()
        .unwrap()
        .keys()
        .map(|key| short(key))
        .collect()
}

fn short(key: &str) -> String {
    let (_, rest) = key.split_once("type@").unwrap();
    rest.replace("+block@", "@")
}

fn children(body: &Value, key: &str) -> Vec<String> {
    let children = body["blocks"][usage(key)]["children"].as_array();
    children
        .into_iter()
        .flatten()
        .map(|key| short(key.as_str().unwrap()))
        .collect()
}

async fn learner(world: &World, name: &str) -> String {
    let user = world.user(name, false).await;
    world.enroll(&user, COURSE, "audit").await;
    world.session(&user).await
}

async fn blocks(world: &World, cookie: &str, query: &str) -> Value {
    let path = format!("/api/courses/v2/blocks/?{QUERY}&depth=all&{query}");
    let reply = world.get(cookie, &path).await;
    assert_eq!(reply.status, 200, "{query} {}", reply.text);
    reply.json()
}

/// courseware.md §8.1, checks 30, 37, 50 of §17: what a learner and the staff see.
#[tokio::test]
async fn trees() {
    let world = bio().await;
    let cookie = learner(&world, "amy").await;
    let body = blocks(&world, &cookie, "username=amy&requested_fields=children").await;
    let seen = names(&body);
    for hidden in [
        "vertical@hidden",
        "html@in_hidden",
        "vertical@x",
        "html@in_x",
        "sequential@later",
        "vertical@in_later",
        "split_test@st",
    ] {
        assert!(!seen.contains(hidden), "{hidden}");
    }
    // One child of the split test, after what was there; two of the library's four; both stay.
    let unit = children(&body, "vertical@v");
    assert_eq!(unit[..3], ["html@h", "problem@p", "library_content@lc"]);
    assert_eq!(unit[3], "discussion@d");
    assert!(unit[4] == "html@a" || unit[4] == "html@b");
    let chosen = children(&body, "library_content@lc");
    assert_eq!(chosen.len(), 2);
    for _ in 0..5 {
        let again = blocks(&world, &cookie, "username=amy&requested_fields=children").await;
        assert_eq!(children(&again, "vertical@v"), unit);
        assert_eq!(children(&again, "library_content@lc"), chosen);
    }
    let rows = world
        .db
        .read("SELECT value FROM user_api_usercoursetag", &[])
        .await
        .unwrap();
    let drawn = if unit[4] == "html@a" { "0" } else { "1" };
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text("value").unwrap(), drawn);
    let states = world
        .db
        .read("SELECT state FROM courseware_studentmodule", &[])
        .await
        .unwrap();
    assert_eq!(states.len(), 1);

    let tutor = world.user("tutor", false).await;
    world.role(&tutor, "staff").await;
    let cookie = world.session(&tutor).await;
    let body = blocks(&world, &cookie, "username=tutor&requested_fields=children").await;
    let seen = names(&body);
    for shown in [
        "vertical@hidden",
        "html@in_hidden",
        "html@in_x",
        "vertical@in_later",
        "html@a",
        "html@b",
    ] {
        assert!(seen.contains(shown), "{shown}");
    }
    assert!(!seen.contains("split_test@st"));
    assert_eq!(children(&body, "library_content@lc").len(), 2);
    let all = blocks(&world, &cookie, "all_blocks=true").await;
    assert!(names(&all).contains("split_test@st"));
    // As a learner would see it.
    let other = blocks(&world, &cookie, "username=AMY").await;
    assert!(!names(&other).contains("vertical@hidden"));
}

/// courseware.md §8.2: fields, depth, navigation, counts, list form, type filter.
#[tokio::test]
async fn fields() {
    let world = bio().await;
    let cookie = learner(&world, "amy").await;
    let body = blocks(
        &world,
        &cookie,
        "username=amy&requested_fields=graded,format,has_score,visible_to_staff_only,start,due,weight\
         &requested_fields=student_view_multi_device,show_correctness&block_counts=problem,html,video\
         &student_view_data=html,discussion,problem&nav_depth=3",
    )
    .await;
    assert_eq!(body["root"], usage("course@course"));
    let problem = &body["blocks"][usage("problem@p")];
    assert_eq!(
        *problem,
        json!({
            "id": usage("problem@p"),
            "block_id": "p",
            "lms_web_url": format!("http://lms.example/courses/{COURSE}/jump_to/{}", usage("problem@p")),
            "legacy_web_url":
                format!("http://lms.example/courses/{COURSE}/jump_to/{}?experience=legacy", usage("problem@p")),
            "student_view_url": format!("http://lms.example/xblock/{}", usage("problem@p")),
            "type": "problem",
            "display_name": "P",
            "graded": true,
            "start": "2026-01-01T00:00:00Z",
            "has_score": true,
            "show_correctness": "always",
            "visible_to_staff_only": false,
            "student_view_multi_device": true,
            "block_counts": {"problem": 1, "html": 0, "video": 0},
        })
    );
    // The format is a subsection's own and is not inherited.
    assert_eq!(body["blocks"][usage("sequential@s")]["format"], "Homework");
    let unit = &body["blocks"][usage("vertical@v")];
    assert_eq!(
        unit["block_counts"],
        json!({"problem": 3, "html": 2, "video": 0})
    );
    assert_eq!(unit["descendants"].as_array().unwrap().len(), 7);
    assert_eq!(
        body["blocks"][usage("course@course")]["descendants"],
        json!([usage("chapter@c")])
    );
    assert!(problem.get("descendants").is_none());
    let html = &body["blocks"][usage("html@h")]["student_view_data"];
    assert_eq!(html["enabled"], false);
    assert_eq!(
        body["blocks"][usage("discussion@d")]["student_view_data"],
        json!({"topic_id": "topic"})
    );

    let get = async |query: &str| {
        let path = format!("/api/courses/v1/blocks/?{QUERY}&username=amy&{query}");
        let reply = world.get(&cookie, &path).await;
        assert_eq!(reply.status, 200, "{query}");
        reply.json()
    };
    assert_eq!(
        names(&get("").await),
        BTreeSet::from(["course@course".into()])
    );
    assert_eq!(names(&get("depth=1").await).len(), 2);
    assert_eq!(get("depth=-1").await["blocks"], json!({}));
    let list = get("depth=all&return_type=list").await;
    let types: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["type"].as_str().unwrap())
        .collect();
    // Children come before their parents.
    assert_eq!(types.last(), Some(&"course"));
    assert_eq!(types.first(), Some(&"html"));
    let problems =
        get("depth=all&block_types_filter=problem,course&requested_fields=children").await;
    assert_eq!(children(&problems, "course@course").len(), 3);
    // Below a block.
    let path = format!(
        "/api/courses/v1/blocks/{}?username=amy&depth=all",
        usage("library_content@lc")
    );
    let below = world.get(&cookie, &path).await.json();
    assert_eq!(names(&below).len(), 3);
}

/// courseware.md §8.2, errors; lms-api.md §3.4.
#[tokio::test]
async fn errors() {
    let world = bio().await;
    let amy = learner(&world, "amy").await;
    let bob = world.user("bob", false).await;
    let bob = world.session(&bob).await;
    let tutor = world.user("tutor", false).await;
    world.role(&tutor, "staff").await;
    let tutor = world.session(&tutor).await;
    let message = |text: &str| json!({"developer_message": text});
    let field =
        |name: &str, text: &str| json!({"field_errors": {name: {"developer_message": text}}});
    let required = "This field is required unless all_blocks is requested.";
    let html = usage("html@nope");
    let block_missing = format!("blocks/{html}?username=amy");
    let cases: Vec<(&str, String, u16, Value)> = vec![
        (
            &amy,
            "blocks/?username=amy".into(),
            400,
            message("course_id is required."),
        ),
        (
            &amy,
            "blocks/?course_id=zzz".into(),
            400,
            message("'zzz' is not a valid course key."),
        ),
        (
            &amy,
            format!("blocks/?{QUERY}"),
            400,
            field("username", required),
        ),
        (
            "",
            format!("blocks/?{QUERY}"),
            400,
            field("username", required),
        ),
        (
            &amy,
            format!("blocks/?{QUERY}&username=amy&depth=zz"),
            400,
            field("depth", "'zz' is not a valid depth value."),
        ),
        (
            &amy,
            format!("blocks/?{QUERY}&username=amy&return_type=zz"),
            400,
            field(
                "return_type",
                "Select a valid choice. zz is not one of the available choices.",
            ),
        ),
        (
            &amy,
            "blocks/nonsense?username=amy".into(),
            400,
            field("usage_key", "'nonsense' is not a valid usage key."),
        ),
        (
            &amy,
            block_missing,
            404,
            message(&format!("Block not found: {html}")),
        ),
        (
            &amy,
            format!("blocks/?{QUERY}&username=bob"),
            403,
            message("'amy' does not have permission to access view for 'bob'."),
        ),
        (
            &amy,
            format!("blocks/?{QUERY}&all_blocks=true"),
            403,
            message(&format!(
                "'amy' does not have permission to access all blocks in '{COURSE}'."
            )),
        ),
        (
            &bob,
            format!("blocks/?{QUERY}&username=bob"),
            403,
            message("Course blocks for 'bob' cannot be accessed."),
        ),
        (
            &bob,
            "blocks/?course_id=course-v1%3ANo%2BSuch%2BCourse&username=bob".into(),
            403,
            message("Course blocks for 'bob' cannot be accessed."),
        ),
        (
            &amy,
            format!("blocks/?{QUERY}&username="),
            403,
            message("Course blocks for 'amy' cannot be accessed."),
        ),
        (
            "",
            format!("blocks/?{QUERY}&username="),
            403,
            message("Course blocks for '' cannot be accessed."),
        ),
        (
            "",
            format!("blocks/?{QUERY}&username=amy"),
            403,
            message("'' does not have permission to access view for 'amy'."),
        ),
        (
            &tutor,
            format!("blocks/?{QUERY}&username=zoe"),
            404,
            message("Requested user 'zoe' does not exist."),
        ),
        (
            "",
            format!("block_metadata/{html}"),
            401,
            message("Authentication credentials were not provided."),
        ),
        (
            &amy,
            format!("block_metadata/{html}"),
            403,
            message("You do not have permission to perform this action."),
        ),
        (
            &tutor,
            format!("block_metadata/{html}"),
            404,
            message(&format!("Block not found: {html}")),
        ),
        (
            &tutor,
            "block_metadata/zz".into(),
            400,
            message("'zz' is not a valid usage key."),
        ),
    ];
    for version in ["v1", "v2"] {
        for (cookie, path, status, body) in &cases {
            let reply = world
                .get(cookie, &format!("/api/courses/{version}/{path}"))
                .await;
            assert_eq!(
                (reply.status.as_u16(), reply.json()),
                (*status, body.clone()),
                "{path}"
            );
        }
    }
    let path = format!(
        "/api/courses/v1/block_metadata/{}?include=index_dictionary",
        usage("html@h")
    );
    assert_eq!(
        world.get(&tutor, &path).await.json()["index_dictionary"],
        json!({"content": {"html_content": "h", "display_name": "H"}, "content_type": "Text"})
    );
}

/// courseware.md §8.1 completion, §17 check 36.
#[tokio::test]
async fn completion() {
    let world = bio().await;
    let user = world.user("amy", false).await;
    world.enroll(&user, COURSE, "audit").await;
    let cookie = world.session(&user).await;
    let query = "username=amy&requested_fields=children,completion,complete,resume_block";
    let body = blocks(&world, &cookie, query).await;
    assert_eq!(body["blocks"][usage("html@h")]["completion"], json!(0.0));
    assert_eq!(body["blocks"][usage("vertical@v")]["completion"], json!(0));
    assert!(
        body["blocks"][usage("discussion@d")]
            .get("completion")
            .is_none()
    );
    assert!(!body.to_string().contains("complete\":"));
    let done = |key: &str, at: &str| {
        format!(
            "INSERT INTO completion_blockcompletion (id, created, modified, course_key, block_key, block_type, \
             completion, user_id) SELECT COALESCE(MAX(id), 0) + 1, '{at}', '{at}', '{COURSE}', '{}', 'x', 1.0, {} \
             FROM completion_blockcompletion",
            usage(key),
            user.id
        )
    };
    world.sql(&done("html@h", "2026-02-01 00:00:00")).await;
    let body = blocks(&world, &cookie, query).await;
    let block = |key: &str| body["blocks"][usage(key)].clone();
    assert_eq!(block("html@h")["completion"], json!(1.0));
    assert_eq!(block("html@h")["complete"], true);
    assert_eq!(block("html@h")["resume_block"], true);
    assert_eq!(block("course@course")["resume_block"], true);
    assert_eq!(block("vertical@v")["completion"], json!(0));
    assert!(block("vertical@v").get("complete").is_none());
    for child in children(&body, "vertical@v")
        .iter()
        .chain(&children(&body, "library_content@lc"))
    {
        if child != "html@h" && child != "library_content@lc" {
            world.sql(&done(child, "2026-02-02 00:00:00")).await;
        }
    }
    let body = blocks(&world, &cookie, query).await;
    assert_eq!(body["blocks"][usage("vertical@v")]["completion"], json!(1));
    assert_eq!(body["blocks"][usage("vertical@v")]["complete"], true);
    assert!(
        body["blocks"][usage("html@h")]
            .get("resume_block")
            .is_none()
    );
}

/// courseware.md §7.3 content gating, §8.2: version 1 drops a gated block, version 2 says why.
#[tokio::test]
async fn gate() {
    let world = bio().await;
    let cookie = learner(&world, "amy").await;
    world
        .sql(
            "INSERT INTO course_modes_coursemode (course_id, mode_slug, mode_display_name, min_price, currency, \
             suggested_prices, expiration_datetime_is_explicit) VALUES \
             ('course-v1:Acme+Bio+R1', 'audit', 'Audit', 0, 'usd', '', 0), \
             ('course-v1:Acme+Bio+R1', 'verified', 'Verified', 49, 'usd', '', 0)",
        )
        .await;
    world
        .sql(
            "INSERT INTO content_type_gating_contenttypegatingconfig (change_date, enabled, enabled_as_of) \
             VALUES ('2025-01-01 00:00:00', 1, '2025-01-01 00:00:00')",
        )
        .await;
    let query = "username=amy&requested_fields=graded,has_score,contains_gated_content";
    let body = blocks(&world, &cookie, query).await;
    let problem = &body["blocks"][usage("problem@p")];
    assert_eq!(
        problem["authorization_denial_reason"],
        "Feature-based Enrollments"
    );
    assert!(
        problem["authorization_denial_message"]
            .as_str()
            .unwrap()
            .starts_with("Graded assessments")
    );
    assert!(problem.get("has_score").is_none() && problem["graded"] == true);
    assert_eq!(
        body["blocks"][usage("course@course")]["contains_gated_content"],
        true
    );
    let path = format!("/api/courses/v1/blocks/?{QUERY}&depth=all&{query}");
    let first = world.get(&cookie, &path).await.json();
    assert!(!names(&first).contains("problem@p"));
    assert!(names(&first).contains("html@h"));
}

/// lms-api.md §3.4, quirk: the new forum's blocks are not told of, and a list becomes an object.
#[tokio::test]
async fn new_forum() {
    let world = bio().await;
    let cookie = learner(&world, "amy").await;
    world
        .sql(
            "INSERT INTO discussions_discussionsconfiguration (created, modified, context_key, enabled, \
             plugin_configuration, provider_type, enable_graded_units, enable_in_context, unit_level_visibility, \
             posting_restrictions) VALUES ('2026-01-01 00:00:00', '2026-01-01 00:00:00', \
             'course-v1:Acme+Bio+R1', 1, '{}', 'openedx', 0, 1, 1, 'disabled')",
        )
        .await;
    let body = blocks(&world, &cookie, "username=amy&requested_fields=children").await;
    assert!(!body.to_string().contains("discussion"));
    let path = format!("/api/courses/v1/blocks/?{QUERY}&depth=all&username=amy&return_type=list");
    let list = world.get(&cookie, &path).await.json();
    assert!(list.as_object().unwrap().contains_key(&usage("html@h")));
}

/// The cost of an answer does not grow with learners: statements on a warm snapshot.
#[tokio::test]
async fn statements() {
    let world = bio().await;
    let cookie = learner(&world, "amy").await;
    let path = format!(
        "/api/courses/v2/blocks/?{QUERY}&depth=all&username=amy&requested_fields=children,completion,\
         student_view_multi_device&student_view_data=html,video"
    );
    world.get(&cookie, &path).await;
    let few = world.get(&cookie, &path).await.counts;
    for number in 0..20 {
        let user = world.user(&format!("user{number}"), false).await;
        world.enroll(&user, COURSE, "audit").await;
    }
    let many = world.get(&cookie, &path).await.counts;
    assert_eq!(few, many);
    assert!(few.reads <= 6, "{few:?}");
    assert_eq!((few.writes, few.transactions), (0, 0));
}

/// identity.md §5.2: every credential of the blocks API.
#[tokio::test]
async fn credentials() {
    let world = bio().await;
    let cookie = learner(&world, "amy").await;
    let path = format!("/api/courses/v1/blocks/?{QUERY}&username=amy");
    assert_eq!(world.get(&cookie, &path).await.status, 200);
    let bearer = world
        .get_with(&[("authorization", "Bearer nothing")], &path)
        .await;
    assert_eq!(bearer.status, 401);
    assert_eq!(bearer.json()["error_code"], "token_nonexistent");
    // A tampered cookie ends the request and is deleted.
    let tampered = format!("{cookie}x");
    let reply = world.get(&tampered, &path).await;
    assert_eq!(reply.status, 401);
    let deleted = reply.headers.get_all("set-cookie").iter();
    assert!(
        deleted
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.starts_with("sessionid="))
    );
}
