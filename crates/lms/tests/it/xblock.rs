//! The page of a block, and who may ask its handlers (courseware.md §9.1, §10).

use serde_json::json;

use crate::world::{COURSE, World, bio};

fn page(block: &str) -> String {
    format!(
        "/xblock/block-v1:Acme+Bio+R1+type@{}",
        block.replace('@', "+block@")
    )
}

fn handler(block: &str, rest: &str) -> String {
    let usage = block.replace('@', "+block@");
    format!("/courses/{COURSE}/xblock/block-v1:Acme+Bio+R1+type@{usage}/handler/{rest}")
}

async fn learner(world: &World, name: &str) -> String {
    let user = world.user(name, false).await;
    world.enroll(&user, COURSE, "audit").await;
    world.session(&user).await
}

async fn track_completion(world: &World) {
    world
        .sql(
            "INSERT INTO waffle_switch (name, active, note, created, modified) VALUES \
             ('completion.enable_completion_tracking', 1, '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        )
        .await;
}

/// courseware.md §10.1 and §17, checks 42 and 43.
#[tokio::test]
async fn who_sees_the_page() {
    let world = bio().await;
    let amy = learner(&world, "amy").await;
    let bob = world.user("bob", false).await;
    let bob = world.session(&bob).await;
    let vertical = page("vertical@v");
    assert_eq!(
        world
            .get(&amy, &format!("{vertical}?view=studio_view"))
            .await
            .status,
        400
    );
    assert_eq!(world.get(&bob, &vertical).await.status, 404);
    assert_eq!(world.get("", &vertical).await.status, 404);
    assert_eq!(world.get(&amy, "/xblock/nonsense").await.status, 404);
    assert_eq!(world.get(&amy, &page("vertical@hidden")).await.status, 404);
    assert_eq!(
        world.get(&amy, &page("vertical@in_later")).await.status,
        404
    );
    let shown = world.get(&amy, &vertical).await;
    assert_eq!(shown.status, 200);
    assert!(!shown.headers.contains_key("x-frame-options"));
    assert!(!shown.text.contains("<base target"));
    assert!(!shown.text.contains(" data-framed"));
    let headers = [
        ("cookie", amy.as_str()),
        ("referer", "http://localhost:8000/learning/x"),
    ];
    let framed = world.get_with(&headers, &vertical).await;
    assert!(framed.text.contains("<base target=\"_parent\">"));
    assert!(framed.text.contains(" data-framed"));
    // A longer host that begins alike is another one.
    let headers = [
        ("cookie", amy.as_str()),
        ("referer", "http://localhost:80001/x"),
    ];
    let other = world.get_with(&headers, &vertical).await;
    assert!(!other.text.contains("<base target"));
}

/// courseware.md §10.3 and §17, checks 44, 45 and 37.
#[tokio::test]
async fn wrappers() {
    let world = bio().await;
    track_completion(&world).await;
    let amy = learner(&world, "amy").await;
    let shown = world.get(&amy, &page("vertical@v")).await.text;
    let wrapper = |kind: &str| {
        let mark = format!("data-block-type=\"{kind}\"");
        let at = shown
            .find(&mark)
            .unwrap_or_else(|| panic!("no {kind}: {shown}"));
        let start = shown[..at].rfind('<').unwrap();
        let end = at + shown[at..].find('>').unwrap();
        shown[start..=end].to_owned()
    };
    let problem = wrapper("problem");
    for part in [
        "data-init=\"XBlockToXModuleShim\"",
        "data-has-score=\"True\"",
        "xmodule_ProblemBlock",
        "data-runtime-version=\"1\"",
    ] {
        assert!(problem.contains(part), "{problem}");
    }
    assert!(!problem.contains("data-mark-completed"));
    assert!(shown.contains("\"xmodule-type\": \"Problem\""));
    let html = wrapper("html");
    assert!(
        html.contains("data-mark-completed-on-view-after-delay=\"5000\""),
        "{html}"
    );
    assert!(shown.contains("data-enable-completion-on-view-service=\"false\""));
    // One child of the experiment, two of the library.
    let count = |text: &str| shown.matches(text).count();
    let child = |id: &str| {
        count(&format!(
            "data-usage-id=\"block-v1:Acme+Bio+R1+type@html+block@{id}\""
        ))
    };
    assert_eq!(child("a") + child("b"), 1);
    assert_eq!(count("data-block-type=\"problem\""), 3);
    let done = handler("html@h", "publish_completion");
    assert_eq!(
        world
            .post_json(&amy, &done, &json!({"completion": 1.0}))
            .await
            .json(),
        json!({"result": "ok"})
    );
    let single = world.get(&amy, &page("html@h")).await.text;
    assert!(!single.contains("data-mark-completed"));
    // Staff see what learners do not, and the dialogs.
    let staff = world.user("staff", true).await;
    let staff = world.session(&staff).await;
    let seen = world.get(&staff, &page("vertical@hidden")).await;
    assert_eq!(seen.status, 200);
    assert!(seen.text.contains("Staff Debug Info"));
}

/// courseware.md §17, check 46.
#[tokio::test]
async fn completion_on_view() {
    let world = bio().await;
    let amy = learner(&world, "amy").await;
    let html = handler("html@h", "publish_completion");
    let one = json!({"completion": 1.0});
    assert_eq!(world.post_json(&amy, &html, &one).await.status, 404);
    track_completion(&world).await;
    assert_eq!(world.post_json(&amy, &html, &one).await.status, 200);
    let problem = handler("problem@p", "publish_completion");
    let refused = world.post_json(&amy, &problem, &one).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json(),
        json!({"error": "Block not configured for completion on view."})
    );
    for bad in [
        json!({"completion": 1.5}),
        json!({"completion": "x"}),
        json!({}),
    ] {
        assert_eq!(
            world.post_json(&amy, &html, &bad).await.status,
            400,
            "{bad}"
        );
    }
    let rows = world
        .db
        .read(
            "SELECT block_key, completion FROM completion_blockcompletion",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].text("block_key").unwrap(),
        "block-v1:Acme+Bio+R1+type@html+block@h"
    );
}

/// courseware.md §9.1 and §17, check 40.
#[tokio::test]
async fn who_may_ask_handlers() {
    let world = bio().await;
    let amy = learner(&world, "amy").await;
    let ask = handler("sequential@s", "xmodule_handler/goto_position");
    assert_eq!(world.post_text(&amy, &ask, "position=1").await.status, 200);
    let anonymous = world.send("POST", &[], &ask).await;
    assert_eq!(
        (anonymous.status.as_u16(), anonymous.text.as_str()),
        (403, "Unauthenticated")
    );
    // A session without its token.
    assert_eq!(
        world.send("POST", &[("cookie", &amy)], &ask).await.status,
        403
    );
    assert_eq!(world.get("", &ask).await.status, 200);
    assert_eq!(
        world
            .post_text(&amy, &handler("problem@p", "nothing"), "")
            .await
            .status,
        404
    );
    assert_eq!(
        world
            .post_text(
                &amy,
                &handler("problem@none", "xmodule_handler/problem_get"),
                ""
            )
            .await
            .status,
        404
    );
    let json_handler = handler("sequential@s", "goto_position");
    assert_eq!(world.get(&amy, &json_handler).await.status, 405);
    let bad = world
        .post(&amy, &json_handler, "application/json", "{")
        .await;
    assert_eq!(bad.status, 400);
    assert_eq!(bad.json(), json!({"error": "Invalid JSON"}));
    // Nobody is enrolled here, but that is not asked for; blocks that a person may not load are not there.
    let bob = world.user("bob", false).await;
    let bob = world.session(&bob).await;
    assert_eq!(world.post_text(&bob, &ask, "").await.status, 200);
    let hidden = handler("html@in_x", "publish_completion");
    assert_eq!(
        world
            .post_json(&amy, &hidden, &json!({"completion": 1}))
            .await
            .status,
        404
    );
}

/// A call for a block of another course than the address names is refused, however it is written.
#[tokio::test]
async fn scopes_are_not_confused() {
    let world = bio().await;
    let other = "course-v1:Other+Bio+R1";
    world
        .course(
            other,
            &[
                (
                    "course@course",
                    json!({"start": "2026-01-01T00:00:00Z"}),
                    &["chapter@c"],
                ),
                ("chapter@c", json!({}), &["sequential@s"]),
                ("sequential@s", json!({}), &["vertical@v"]),
                ("vertical@v", json!({}), &["problem@p"]),
                ("problem@p", json!({"data": "<problem/>"}), &[]),
            ],
        )
        .await;
    let amy = learner(&world, "amy").await;
    let own = "block-v1:Acme+Bio+R1+type@problem+block@p";
    let foreign = "block-v1:Other+Bio+R1+type@problem+block@p";
    for (course, usage) in [
        (COURSE, foreign),
        (other, own),
        (COURSE, "i4x:;_;_Acme;_Bio;_problem;_p"),
        (
            COURSE,
            "block-v1:Acme+Bio+R1+branch@draft-branch+type@problem+block@p",
        ),
        (COURSE, "lb:Acme:L1:problem:p"),
        (
            COURSE,
            "aside-usage-v2:block-v1$:Acme+Bio+R1+type@problem+block@p::x",
        ),
        ("course-v1:Acme+Bio+R2", own),
        ("nonsense", own),
    ] {
        for kind in ["handler", "handler_noauth"] {
            let path =
                format!("/courses/{course}/xblock/{usage}/{kind}/xmodule_handler/problem_check");
            let reply = world.post_text(&amy, &path, "input_p_2_1=1").await;
            assert_eq!(reply.status, 404, "{path}");
        }
    }
    // Completion of a unit of another sequence is not told.
    let path = handler("sequential@later", "get_completion");
    assert_eq!(
        world
            .post_json(&amy, &path, &json!({"usage_key": own}))
            .await
            .status,
        404
    );
    let path = handler("sequential@s", "get_completion");
    let unit = json!({"usage_key": "block-v1:Other+Bio+R1+type@vertical+block@v"});
    assert_eq!(
        world.post_json(&amy, &path, &unit).await.json(),
        json!({"complete": false})
    );
    let rows = world
        .db
        .read("SELECT id FROM courseware_studentmodule", &[])
        .await
        .unwrap();
    assert!(rows.is_empty());
}

/// design.md, "Learner opens a unit": few statements, and as many whatever the number of learners.
#[tokio::test]
async fn statements() {
    let world = bio().await;
    let amy = learner(&world, "amy").await;
    let vertical = page("vertical@v");
    world.get(&amy, &vertical).await;
    let few = world.get(&amy, &vertical).await.counts;
    for number in 0..20 {
        learner(&world, &format!("user{number}")).await;
    }
    let many = world.get(&amy, &vertical).await.counts;
    assert_eq!(few, many);
    assert!(few.reads <= 8, "{few:?}");
    assert_eq!((few.writes, few.transactions), (0, 0));
}
