//! Signing in and out, tokens, and where redirects may lead (identity.md §2, §3, §4.3, §6, §13).

use serde_json::{Value, json};

use crate::world::World;

const LOGIN: &str = "/api/user/v2/account/login_session/";

async fn world_with_ada() -> World {
    let world = World::new().await;
    world.user("ada", false).await;
    world
}

/// identity.md §13, checks 29 and 20.
#[tokio::test]
async fn tokens_and_who_asks() {
    let world = world_with_ada().await;
    let reply = world.get("", "/csrf/api/v1/token").await;
    assert_eq!(reply.json()["csrfToken"].as_str().map(str::len), Some(64));
    assert_eq!(reply.cookies(), [("csrftoken".to_owned(), false)]);
    let reply = world.get("", "/api/user/v1/me").await;
    assert_eq!(reply.status, 401);
    assert_eq!(
        reply.headers.get("www-authenticate").unwrap(),
        "JWT realm=\"api\""
    );
    assert_eq!(
        reply.json(),
        json!({"detail": "Authentication credentials were not provided."})
    );
    let bearer = [("authorization", "Bearer zzz")];
    let reply = world.get_with(&bearer, "/api/user/v1/me").await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["error_code"]),
        (401, &json!("token_nonexistent"))
    );
}

/// identity.md §13, checks 30, 31 and 34.
#[tokio::test]
async fn the_login_call() {
    let world = world_with_ada().await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = "email_or_username=ada&password=x".to_owned();
    let reply = world.send_body("POST", &form, LOGIN, body).await;
    assert_eq!(reply.status, 403);
    assert!(reply.text.contains("<html"), "{}", reply.text);

    let fields = [("email_or_username", "ada"), ("password", "x")];
    let reply = world.post_form("", LOGIN, &fields).await;
    assert_eq!(reply.json(), json!({"success": true, "redirect_url": null}));
    let names: Vec<String> = reply.cookies().into_iter().map(|(name, _)| name).collect();
    for name in ["edxloggedin", "edx-user-info", "csrftoken", "sessionid"] {
        assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
    }
    let reply = world
        .post_form(
            "",
            "/api/user/v1/account/login_session/",
            &[("password", "x")],
        )
        .await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json(),
        json!({
            "success": false,
            "value": "There was an error receiving your login information. Please email us.",
            "email": null,
        })
    );
    assert_eq!(
        world
            .get("", "/api/user/v3/account/login_session/")
            .await
            .status,
        404
    );
    assert_eq!(world.get("", "/login_ajax").await.status, 405);
}

/// identity.md §13, check 32.
#[tokio::test]
async fn six_bad_logins_lock_the_account() {
    let world = world_with_ada().await;
    let wrong = [("email_or_username", "ada"), ("password", "y")];
    let mut codes = Vec::new();
    for _ in 0..6 {
        let reply = world.post_form("", LOGIN, &wrong).await;
        assert_eq!(reply.status, 400);
        let body = reply.json();
        let left = body["context"]["remaining_attempts"].clone();
        codes.push((
            body["error_code"].as_str().unwrap_or_default().to_owned(),
            left,
        ));
    }
    let code = |code: &str, left: Value| (code.to_owned(), left);
    assert_eq!(
        codes,
        [
            code("incorrect-email-or-password", Value::Null),
            code("incorrect-email-or-password", Value::Null),
            code("failed-login-attempt", json!(3)),
            code("failed-login-attempt", json!(2)),
            code("failed-login-attempt", json!(1)),
            code("account-locked-out", Value::Null),
        ]
    );
    let right = [("email_or_username", "ada"), ("password", "x")];
    let reply = world.post_form("", LOGIN, &right).await;
    assert_eq!(reply.json()["error_code"], "account-locked-out");
}

/// The sign-in page without script.
#[tokio::test]
async fn the_login_page() {
    let world = world_with_ada().await;
    let reply = world.get("", "/login?next=/courses%3Fq%3Da").await;
    assert_eq!(reply.status, 200);
    assert!(reply.text.contains("name=\"next\" value=\"/courses?q=a\""));

    let wrong = [("email_or_username", "\"><b>"), ("password", "y")];
    let reply = world.post_form("", "/login", &wrong).await;
    assert_eq!(reply.status, 400);
    assert!(!reply.text.contains("\"><b>"), "input is escaped");
    assert!(reply.text.contains("role=\"alert\""));

    let empty = world.post_form("", "/login", &[]).await;
    assert_eq!(empty.status, 400);
    let bare = world.send("POST", &[], "/login").await;
    assert_eq!(bare.status, 403, "no CSRF token");
}

/// identity.md §6.2: `next` leads to our own pages only.
#[tokio::test]
async fn redirects_stay_at_home() {
    let world = world_with_ada().await;
    let targets = [
        ("/courses", "/courses"),
        ("/courses?a=b", "/courses?a=b"),
        ("http://lms.example/courses", "http://lms.example/courses"),
        ("https://evil.example/", "/dashboard"),
        ("//evil.example/", "/dashboard"),
        ("/\\evil.example/", "/dashboard"),
        ("\\\\evil.example", "/dashboard"),
        ("///evil.example", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        ("http:evil.example", "/dashboard"),
        ("http://lms.example@evil.example/", "/dashboard"),
        ("\u{1}//evil.example", "/dashboard"),
        ("/static/a.css", "/dashboard"),
        ("", "/dashboard"),
    ];
    let cookie = {
        let ada = records::users::by_username(&world.db, "ada")
            .await
            .unwrap()
            .unwrap();
        world.session(&ada).await
    };
    for (next, expected) in targets {
        let fields = [
            ("email_or_username", "ada"),
            ("password", "x"),
            ("next", next),
        ];
        let reply = world.post_form("", "/login", &fields).await;
        assert_eq!(
            (reply.status.as_u16(), reply.location()),
            (302, expected),
            "{next:?}"
        );
        let path = format!("/login?{}", crate::world::form(&[("next", next)]));
        let reply = world.get(&cookie, &path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.location()),
            (302, expected),
            "{next:?}"
        );
        let path = format!("/logout?{}", crate::world::form(&[("next", next)]));
        let reply = world.get("", &path).await;
        assert_eq!(reply.status, 200);
        let target = if expected == "/dashboard" {
            "/"
        } else {
            expected
        };
        let link = format!("<a href=\"{target}\" data-go");
        assert!(reply.text.contains(&link), "{next:?}");
    }
}

/// identity.md §13, checks 28, 35 and 37.
#[tokio::test]
async fn sessions_end() {
    let world = World::new().await;
    let ada = world.user("ada", false).await;
    let cookie = world.session(&ada).await;
    assert_eq!(
        world.get(&cookie, "/api/user/v1/me").await.json(),
        json!({"username": "ada"})
    );

    let reply = world.post_form(&cookie, "/login_refresh", &[]).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["success"]),
        (200, &json!(true))
    );
    let reply = world.send("POST", &[], "/login_refresh").await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()),
        (401, json!("Unauthorized"))
    );
    let reply = world.get("", "/login_refresh").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (405, ""));

    let altered = format!("{}AAAA", &cookie[..cookie.len() - 4]);
    let reply = world.get(&altered, "/api/user/v1/me").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (401, ""));
    let deleted = reply.cookies();
    assert_eq!(
        deleted.iter().filter(|(_, gone)| *gone).count(),
        5,
        "{deleted:?}"
    );
    let headers = [("cookie", altered.as_str()), ("accept", "text/html")];
    let reply = world.get_with(&headers, "/dashboard?a=b").await;
    assert_eq!(reply.status, 302);
    assert!(
        reply.location().starts_with("/login?next=/dashboard"),
        "{}",
        reply.location()
    );

    let reply = world.get(&cookie, "/logout").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.cookies().iter().filter(|(_, gone)| *gone).count(), 5);
    assert_eq!(world.get(&cookie, "/api/user/v1/me").await.status, 401);
}

/// identity.md §13, checks 4, 5 and 13; §4.3.
#[tokio::test]
async fn the_token_endpoint() {
    let world = world_with_ada().await;
    let reply = world.get("", "/oauth2/access_token").await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (405, ""));
    assert_eq!(reply.headers.get("allow").unwrap(), "POST, OPTIONS");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for (path, body, status, error) in [
        (
            "/oauth2/access_token",
            "grant_type=bogus",
            400,
            "unsupported_grant_type",
        ),
        ("/oauth2/access_token/", "", 400, "unsupported_grant_type"),
        (
            "/oauth2/access_token",
            "grant_type=client_credentials",
            401,
            "invalid_client",
        ),
        (
            "/oauth2/access_token?a=b",
            "grant_type=password",
            400,
            "invalid_request",
        ),
        ("/oauth2/revoke_token", "", 400, "invalid_request"),
    ] {
        let reply = world.send_body("POST", &form, path, body.to_owned()).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (status, &json!(error)),
            "{path} {body}"
        );
        assert_eq!(reply.headers.get("cache-control").unwrap(), "no-store");
    }
    let reply = world.get("", "/oauth2/authorize?client_id=x&state=y").await;
    assert_eq!(reply.status, 302);
    assert_eq!(
        reply.location(),
        "/login?next=/oauth2/authorize%3Fclient_id%3Dx%26state%3Dy"
    );
}

/// Load balancers ask without credentials.
#[tokio::test]
async fn the_heartbeat() {
    let world = World::new().await;
    let reply = world.get("", "/heartbeat").await;
    let well = json!({"status": true, "message": "OK"});
    assert_eq!(reply.json(), json!({"sql": well, "modulestore": well}));
}
