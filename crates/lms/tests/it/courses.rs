//! Courses API (lms-api.md §0, §3.1–3.3).

use records::course_overviews::CourseOverview;
use serde_json::{Value, json};

use crate::world::{COURSE, World};

const OTHER: &str = "course-v1:acme+Art+R1";

async fn site() -> World {
    let world = World::new().await;
    let day = |text: &str| {
        let text = format!("{text}T00:00:00Z");
        text.parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
            .naive_utc()
    };
    for (id, name, hidden, end) in [
        (COURSE, "Biology", false, None),
        (OTHER, "Art", false, Some(day("2026-02-01"))),
        ("course-v1:Zoo+Hidden+R1", "Hidden", true, None),
    ] {
        world
            .overview(CourseOverview {
                id: id.into(),
                display_name: Some(name.into()),
                start: Some(day("2026-01-01")),
                end,
                visible_to_staff_only: hidden,
                invitation_only: hidden,
                course_image_url: "/image.png".into(),
                catalog_visibility: Some("both".into()),
                ..CourseOverview::default()
            })
            .await;
    }
    world
}

fn ids(body: &Value) -> Vec<&str> {
    body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

/// §3.1: who sees which courses, in which order, by which filters.
#[tokio::test]
async fn lists() {
    let world = site().await;
    let (amy, boss) = (
        world.user("amy", false).await,
        world.user("boss", true).await,
    );
    let (amy_in, boss_in) = (world.session(&amy).await, world.session(&boss).await);
    let hidden = "course-v1:Zoo+Hidden+R1";
    let all: &[&str] = &[OTHER, COURSE, hidden];
    let open: &[&str] = &[OTHER, COURSE];
    let cases: &[(&str, &str, &[&str])] = &[
        ("", "", open),
        (&boss_in, "", open),
        (&boss_in, "?username=boss", all),
        (&boss_in, "?username=amy", open),
        (&amy_in, "?username=amy", open),
        ("", "?org=ACME", &[OTHER, COURSE]),
        ("", "?org=none", &[]),
        ("", "?active_only=1", &[COURSE]),
        ("", "?mobile=true", &[]),
        ("", "?mobile=false", open),
        ("", "?course_keys=course-v1%3AAcme%2BBio%2BR1", &[COURSE]),
        (&amy_in, "?username=amy&permissions=staff", &[]),
        (&boss_in, "?username=boss&permissions=staff,instructor", all),
        ("", "?search_term=bio", &[]),
    ];
    for (cookie, query, wanted) in cases {
        let reply = world
            .get(cookie, &format!("/api/courses/v1/courses/{query}"))
            .await;
        assert_eq!(reply.status, 200, "{query} {}", reply.text);
        assert_eq!(ids(&reply.json()), *wanted, "{query}");
        assert!(reply.counts.reads <= 7, "{query} {:?}", reply.counts);
    }
    let reply = world
        .get("", "/api/courses/v1/courses/?page_size=1&page=2")
        .await;
    assert_eq!(
        reply.json()["pagination"],
        json!({
            "next": null,
            "previous": "http://lms.example/api/courses/v1/courses/?page_size=1",
            "count": 2,
            "num_pages": 2,
        })
    );
    let without_slash = world.get("", "/api/courses/v1/courses?a=1").await;
    assert_eq!(without_slash.status, 301);
    assert_eq!(
        without_slash.headers["location"],
        "/api/courses/v1/courses/?a=1"
    );
}

/// §3.1–3.3: refusals.
#[tokio::test]
async fn errors() {
    let world = site().await;
    let (amy, boss) = (
        world.user("amy", false).await,
        world.user("boss", true).await,
    );
    let (amy_in, boss_in) = (world.session(&amy).await, world.session(&boss).await);
    let denied = json!({"developer_message": "You do not have permission to perform this action."});
    let unknown = json!({"developer_message": "User matching query does not exist."});
    let absent = json!({"developer_message": "Course not found."});
    let field =
        |name: &str, text: &str| json!({"field_errors": {name: {"developer_message": text}}});
    let cases: Vec<(&str, &str, u16, Value)> = vec![
        (
            "",
            "courses/?mobile=zzz",
            400,
            field("mobile", "Invalid Boolean Value."),
        ),
        (
            "",
            "courses/?page=99",
            404,
            json!({"developer_message": "Invalid page."}),
        ),
        (&amy_in, "courses/?username=boss", 403, denied.clone()),
        ("", "courses/?username=amy", 403, denied.clone()),
        (&boss_in, "courses/?username=nobody", 404, unknown.clone()),
        ("", "courses/course-v1:A+B+C", 404, absent.clone()),
        ("", "courses/course-v1:Zoo+Hidden+R1", 404, absent),
        (
            "",
            "courses/course-v1:Acme+Bio+R1?username=amy",
            403,
            denied.clone(),
        ),
        (
            &boss_in,
            "courses/course-v1:Acme+Bio+R1?username=nobody",
            404,
            unknown,
        ),
        (
            "",
            "course_ids/",
            401,
            json!({"developer_message": "Authentication credentials were not provided."}),
        ),
        (
            &boss_in,
            "course_ids/?username=boss",
            400,
            field("role", "This field is required."),
        ),
        (&amy_in, "course_ids/?username=boss&role=staff", 403, denied),
    ];
    for (cookie, path, status, body) in cases {
        let reply = world.get(cookie, &format!("/api/courses/v1/{path}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()),
            (status, body),
            "{path}"
        );
    }
    // Views that are only read.
    let reply = world.send("POST", &[], "/api/courses/v1/courses/").await;
    assert_eq!(reply.status, 405);
    assert_eq!(
        reply.json(),
        json!({"developer_message": "Method \"POST\" not allowed."})
    );
    let reply = world
        .send("POST", &[("cookie", &amy_in)], "/api/courses/v1/courses/")
        .await;
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.json(),
        json!({"developer_message": "CSRF Failed: CSRF cookie not set."})
    );
    // The router's own 404 is a page.
    let reply = world.get("", "/api/courses/v1/courses/nonsense").await;
    assert_eq!(reply.status, 404);
    assert!(
        reply.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    // A credential that is wrong ends even a public request.
    let reply = world
        .get_with(
            &[("authorization", "JWT x.y.z")],
            "/api/courses/v1/courses/",
        )
        .await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json(), json!({"developer_message": "Invalid token."}));
}

/// §3.2: what a course's detail adds.
#[tokio::test]
async fn details() {
    let world = site().await;
    world
        .course(
            COURSE,
            &[
                ("course@course", json!({}), &[]),
                ("about@overview", json!({"data": "<p>About</p>"}), &[]),
            ],
        )
        .await;
    world
        .sql(
            "INSERT INTO waffle_switch (name, active, note, created, modified) VALUES \
             ('certificates.auto_certificate_generation', 1, '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        )
        .await;
    let amy = world.user("amy", false).await;
    world.enroll(&amy, COURSE, "audit").await;
    let cookie = world.session(&amy).await;
    for slash in ["", "/"] {
        let path = format!("/api/courses/v1/courses/{COURSE}{slash}");
        let body = world.get("", &path).await.json();
        assert_eq!(body["overview"], "<p>About</p>");
        assert_eq!(body["certificate_available_date"], Value::Null);
        assert!(
            body.as_object()
                .unwrap()
                .contains_key("certificate_available_date")
        );
        assert!(body.get("is_enrolled").is_none());
        assert_eq!(
            body["media"]["image"]["raw"],
            "http://lms.example/image.png"
        );
        assert_eq!(body["start_display"], "Jan. 1, 2026");
        let body = world
            .get(&cookie, &format!("{path}?username=amy"))
            .await
            .json();
        assert_eq!(body["is_enrolled"], true);
    }
}

/// §3.3: explicit rows of the course count, global staff have all.
#[tokio::test]
async fn course_ids() {
    let world = site().await;
    let (amy, boss) = (
        world.user("amy", false).await,
        world.user("boss", true).await,
    );
    world.role(&amy, "instructor").await;
    let (amy_in, boss_in) = (world.session(&amy).await, world.session(&boss).await);
    let list = async |cookie: &str, query: &str| {
        let reply = world
            .get(cookie, &format!("/api/courses/v1/course_ids/?{query}"))
            .await;
        reply.json()["results"].clone()
    };
    assert_eq!(
        list(&amy_in, "username=amy&role=staff").await,
        json!([COURSE])
    );
    assert_eq!(
        list(&amy_in, "username=amy&role=instructor").await,
        json!([COURSE])
    );
    assert_eq!(list(&amy_in, "username=amy&role=beta").await, json!([]));
    assert_eq!(
        list(&boss_in, "username=amy&role=staff").await,
        json!([COURSE])
    );
    assert_eq!(
        list(&boss_in, "username=boss&role=staff").await,
        json!([OTHER, COURSE, "course-v1:Zoo+Hidden+R1"])
    );
}

/// §3: 20 calls a minute, 40 for staff; only while limits are enabled.
#[tokio::test]
async fn throttles() {
    let world = site().await;
    let path = "/api/courses/v1/courses/?page_size=1";
    let limits = async |enabled: u8, day: u8| {
        let sql = format!(
            "INSERT INTO util_ratelimitconfiguration (change_date, enabled) \
             VALUES ('2100-01-0{day} 00:00:00', {enabled})"
        );
        world.sql(&sql).await;
    };
    limits(0, 1).await;
    for _ in 0..25 {
        assert_eq!(world.get("", path).await.status, 200);
    }
    limits(1, 2).await;
    let reply = world.get("", path).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.headers["retry-after"], "60");
    assert_eq!(
        reply.json(),
        json!({"developer_message": "Request was throttled. Expected available in 60 seconds."})
    );
    let boss = world.user("boss", true).await;
    let cookie = world.session(&boss).await;
    for _ in 0..40 {
        assert_eq!(world.get(&cookie, path).await.status, 200);
    }
    assert_eq!(world.get(&cookie, path).await.status, 429);
}
