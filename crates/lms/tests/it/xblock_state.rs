//! What blocks store for learners (courseware.md §4, §11, §12; capa.md §11).

use serde_json::{Value, json};

use crate::world::{COURSE, World};

const PROBLEM: &str = "<problem><numericalresponse answer=\"4\"><formulaequationinput/></numericalresponse></problem>";

fn usage(block: &str) -> String {
    format!(
        "block-v1:Acme+Bio+R1+type@{}",
        block.replace('@', "+block@")
    )
}

fn handler(block: &str, rest: &str) -> String {
    format!("/courses/{COURSE}/xblock/{}/handler/{rest}", usage(block))
}

/// A course of blocks that store something, and a learner.
async fn site() -> (World, String) {
    let world = World::new().await;
    let children = [
        "problem@p",
        "poll_question@q",
        "conditional@c",
        "word_cloud@w",
        "library_content@l",
        "randomize@r",
        "video@v",
    ];
    let library: Vec<String> = (1..=5).map(|n| format!("html@l{n}")).collect();
    let library: Vec<&str> = library.iter().map(String::as_str).collect();
    let mut blocks: Vec<(&str, Value, &[&str])> = vec![
        (
            "course@course",
            json!({"start": "2026-01-01T00:00:00Z"}),
            &["chapter@ch"],
        ),
        ("chapter@ch", json!({}), &["sequential@s"]),
        ("sequential@s", json!({}), &["vertical@u", "vertical@u2"]),
        ("vertical@u", json!({}), &children),
        ("vertical@u2", json!({}), &[]),
        (
            "problem@p",
            json!({"data": PROBLEM, "max_attempts": 2}),
            &[],
        ),
        (
            "poll_question@q",
            json!({"question": "Well?", "answers": [{"id": "yes", "text": "Yes"}, {"id": "no", "text": "No"}]}),
            &[],
        ),
        (
            "conditional@c",
            json!({
                "sources_list": [usage("poll_question@q")], "conditional_attr": "poll_answer",
                "conditional_value": "yes", "conditional_message": "First {link}",
            }),
            &["html@c1", "html@c2"],
        ),
        ("html@c1", json!({"data": "<p>one</p>"}), &[]),
        ("html@c2", json!({"data": "<p>two</p>"}), &[]),
        ("word_cloud@w", json!({}), &[]),
        ("library_content@l", json!({"max_count": 2}), &library),
        ("randomize@r", json!({}), &["html@r1", "html@r2", "html@r3"]),
        ("html@r1", json!({"data": "r1"}), &[]),
        ("html@r2", json!({"data": "r2"}), &[]),
        ("html@r3", json!({"data": "r3"}), &[]),
        (
            "video@v",
            json!({"youtube_id_1_0": "abc", "transcripts": {"de": "none.srt"}}),
            &[],
        ),
    ];
    for key in &library {
        blocks.push((key, json!({"data": "x"}), &[]));
    }
    world.course(COURSE, &blocks).await;
    let amy = world.user("amy", false).await;
    world.enroll(&amy, COURSE, "audit").await;
    world
        .sql(
            "INSERT INTO waffle_switch (name, active, note, created, modified) VALUES \
             ('completion.enable_completion_tracking', 1, '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        )
        .await;
    let cookie = world.session(&amy).await;
    (world, cookie)
}

async fn state(world: &World, block: &str) -> Option<Value> {
    let rows = world
        .db
        .read(
            "SELECT state FROM courseware_studentmodule WHERE module_id = ?",
            &[usage(block).into()],
        )
        .await
        .unwrap();
    assert!(rows.len() <= 1);
    let row = rows.first()?;
    Some(serde_json::from_str(&row.text("state").unwrap()).unwrap())
}

async fn count(world: &World, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    world.db.read_int(&sql, &[]).await.unwrap()
}

/// courseware.md §17, check 24.
#[tokio::test]
async fn positions() {
    let (world, amy) = site().await;
    let path = handler("sequential@s", "goto_position");
    for (sent, stored) in [(json!(3), 3), (json!(0), 1), (json!(4), 4), (json!("2"), 1)] {
        let reply = world
            .post_json(&amy, &path, &json!({ "position": sent }))
            .await;
        assert_eq!(reply.json(), json!({"success": true}));
        assert_eq!(
            state(&world, "sequential@s").await.unwrap(),
            json!({ "position": stored })
        );
    }
    assert_eq!(count(&world, "courseware_studentmodule").await, 1);
    let path = handler("sequential@s", "xmodule_handler/goto_position");
    world.post_text(&amy, &path, "position=2").await;
    assert_eq!(
        state(&world, "sequential@s").await.unwrap(),
        json!({"position": 2})
    );
}

/// capa.md §1, §11; courseware.md §17, check 25: state, history, grade, completion and event of a submission.
#[tokio::test]
async fn submissions() {
    let (world, amy) = site().await;
    let check = handler("problem@p", "xmodule_handler/problem_check");
    let wrong = world.post_text(&amy, &check, "input_p_2_1=5").await.json();
    assert_eq!(wrong["success"], "incorrect");
    assert_eq!(wrong["attempts_used"], 1);
    let sql = "SELECT grade, max_grade FROM courseware_studentmodule WHERE module_type = 'problem'";
    let row = world.db.read_one(sql, &[]).await.unwrap().unwrap();
    assert_eq!(
        (
            row.opt_float("grade").unwrap(),
            row.opt_float("max_grade").unwrap()
        ),
        (Some(0.0), Some(1.0))
    );
    let right = world.post_text(&amy, &check, "input_p_2_1=4").await.json();
    assert_eq!(
        (&right["success"], &right["current_score"]),
        (&json!("correct"), &json!(1))
    );
    assert_eq!(count(&world, "courseware_studentmodulehistory").await, 2);
    assert_eq!(count(&world, "completion_blockcompletion").await, 1);
    let events = "SELECT COUNT(*) FROM stoa_outbox WHERE topic = 'grades.problem_score'";
    assert_eq!(world.db.read_int(events, &[]).await.unwrap(), 2);
    // No attempt is left: nothing is stored.
    let before = state(&world, "problem@p").await;
    let closed = world.post_text(&amy, &check, "input_p_2_1=1").await.json();
    assert!(
        closed["success"]
            .as_str()
            .unwrap()
            .starts_with("The state of this problem has changed")
    );
    assert_eq!(state(&world, "problem@p").await, before);
    assert_eq!(count(&world, "courseware_studentmodulehistory").await, 2);
}

/// Twenty submissions at once use two attempts, not more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submissions_at_once() {
    let (world, amy) = site().await;
    let check = handler("problem@p", "xmodule_handler/problem_check");
    let calls: Vec<_> = (0..20)
        .map(|_| world.post_text(&amy, &check, "input_p_2_1=5"))
        .collect();
    let mut graded = 0;
    for reply in futures_util::future::join_all(calls).await {
        graded += usize::from(reply.json()["success"] == "incorrect");
    }
    assert_eq!(graded, 2);
    assert_eq!(state(&world, "problem@p").await.unwrap()["attempts"], 2);
    assert_eq!(count(&world, "courseware_studentmodulehistory").await, 2);
}

/// capa.md §1: what merely viewing stores.
#[tokio::test]
async fn looking_stores_a_seed() {
    let (world, amy) = site().await;
    world
        .get(&amy, &format!("/xblock/{}", usage("problem@p")))
        .await;
    assert_eq!(
        state(&world, "problem@p").await.unwrap(),
        json!({"seed": 1, "input_state": {"p_2_1": {}}, "score": {"raw_earned": 0, "raw_possible": 1}})
    );
    assert_eq!(count(&world, "courseware_studentmodulehistory").await, 1);
    world
        .get("", &format!("/xblock/{}", usage("problem@p")))
        .await;
    assert_eq!(count(&world, "courseware_studentmodule").await, 1);
}

/// courseware.md §17, checks 48 and 49.
#[tokio::test]
async fn polls_and_conditions() {
    let (world, amy) = site().await;
    let poll = |dispatch: &str| handler("poll_question@q", &format!("xmodule_handler/{dispatch}"));
    let ask = handler("conditional@c", "xmodule_handler/conditional_get");
    let closed = world.post_text(&amy, &ask, "").await.json();
    assert_eq!(closed["fragments"].as_array().unwrap().len(), 1);
    assert_eq!(closed["message"], true);
    assert_eq!(
        world.post_text(&amy, &poll("yes"), "").await.json(),
        json!({"poll_answers": {"yes": 1, "no": 0}, "total": 1, "callback": {"objectName": "Conditional"}})
    );
    let again = world.post_text(&amy, &poll("yes"), "").await.json();
    assert_eq!(again, json!({"error": "Unknown Command!"}));
    let open = world.post_text(&amy, &ask, "").await.json();
    assert_eq!(open["fragments"].as_array().unwrap().len(), 2);
    assert!(open.get("message").is_none());
    assert_eq!(
        world.post_text(&amy, &poll("get_state"), "").await.json(),
        json!({"poll_answer": "yes", "poll_answers": {"yes": 1, "no": 0}, "total": 1})
    );
    assert_eq!(
        world.post_text(&amy, &poll("reset_poll"), "").await.json(),
        json!({"status": "success"})
    );
    let after = world.post_text(&amy, &poll("get_state"), "").await.json();
    assert_eq!(after["poll_answers"], json!({"yes": 0, "no": 0}));
    let other = world.post_text(&amy, &poll("maybe"), "").await.json();
    assert_eq!(other, json!({"error": "Unknown Command!"}));
}

/// courseware.md §17, check 47.
#[tokio::test]
async fn word_clouds() {
    let (world, amy) = site().await;
    let path = |dispatch: &str| handler("word_cloud@w", &format!("xmodule_handler/{dispatch}"));
    let words = "student_words[]=+Ant&student_words[]=BEE&student_words[]=cat&student_words[]=";
    let before = world.post_text(&amy, &path("get_state"), "").await.json();
    assert_eq!(before["submitted"], false);
    let cloud = world.post_text(&amy, &path("submit"), words).await.json();
    assert_eq!(cloud["total_count"], 3);
    assert_eq!(
        cloud["top_words"],
        json!([
            {"text": "ant", "size": 1, "percent": 33},
            {"text": "bee", "size": 1, "percent": 33},
            {"text": "cat", "size": 1, "percent": 34},
        ])
    );
    assert_eq!(
        cloud["student_words"],
        json!({"ant": 1, "bee": 1, "cat": 1})
    );
    assert_eq!(
        world.post_text(&amy, &path("submit"), words).await.json(),
        json!({"status": "fail", "error": "You have already posted your data."})
    );
}

/// courseware.md §17, checks 50 and 51.
#[tokio::test]
async fn selections() {
    let (world, amy) = site().await;
    let page = format!("/xblock/{}", usage("vertical@u"));
    let ids = |text: &str, mark: &str| -> Vec<String> {
        text.match_indices(&format!(
            "data-block-type=\"html\" data-usage-id=\"{}",
            usage("html@")
        ))
        .map(|(at, found)| {
            text[at + found.len()..]
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        })
        .filter(|id| id.starts_with(mark))
        .collect()
    };
    let first = world.get(&amy, &page).await.text;
    let chosen = ids(&first, "l");
    assert_eq!(chosen.len(), 2);
    let stored = state(&world, "library_content@l").await.unwrap();
    let selected: Vec<&str> = stored["selected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| pair[1].as_str().unwrap())
        .collect();
    assert_eq!(selected, chosen);
    assert_eq!(ids(&world.get(&amy, &page).await.text, "l"), chosen);
    let user: i64 = world
        .db
        .read_int("SELECT id FROM auth_user WHERE username = 'amy'", &[])
        .await
        .unwrap();
    assert_eq!(ids(&first, "r"), [format!("r{}", user % 3 + 1)]);
}

/// courseware.md §17, check 52.
#[tokio::test]
async fn videos() {
    let (world, amy) = site().await;
    let save = handler("video@v", "xmodule_handler/save_user_state");
    let ok = json!({"success": true});
    assert_eq!(
        world
            .post_text(&amy, &save, "saved_video_position=00%3A01%3A30")
            .await
            .json(),
        ok
    );
    assert_eq!(
        state(&world, "video@v").await.unwrap(),
        json!({"saved_video_position": "00:01:30"})
    );
    assert_eq!(
        world.post_text(&amy, &save, "speed=NaN").await.json()["success"],
        false
    );
    assert_eq!(
        world
            .post_text(&amy, &save, "speed=1.5&nothing=1")
            .await
            .json(),
        ok
    );
    let page = world
        .get(&amy, &format!("/xblock/{}", usage("video@v")))
        .await
        .text;
    assert!(
        page.contains("&#34;savedVideoPosition&#34;: 90.0"),
        "{page}"
    );
    assert!(page.contains("&#34;generalSpeed&#34;: 1.5"));
    for (rest, status) in [
        ("transcript/translation/", 400),
        ("transcript/translation/xx", 404),
        ("transcript/translation/de", 404),
        ("transcript/available_translations", 200),
        ("xmodule_handler/other", 404),
    ] {
        assert_eq!(
            world.get(&amy, &handler("video@v", rest)).await.status,
            status,
            "{rest}"
        );
    }
}
