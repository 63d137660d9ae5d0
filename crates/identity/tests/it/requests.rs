//! contracts/identity.md §5.1, §5.2, §11, §13 rows 20 to 26.

use chrono::TimeDelta;
use identity::oauth::TokenRequest;
use identity::{
    Credentials, Form, Identity, Refusal, RequestUser, Roles, User, Via, Viewer, authenticator_sets,
};
use opaque_keys::CourseKey;
use serde_json::json;

use crate::engines::{self, PASSWORD, application, now};

async fn me(identity: &Identity, credentials: &Credentials<'_>) -> Result<RequestUser, Refusal> {
    identity
        .authenticate_request(credentials, authenticator_sets::ANY_USER, now())
        .await
        .unwrap()
}

async fn tokens(identity: &Identity, user: &User) -> (String, String) {
    let pw = application(identity, "public", "password", None).await;
    let mut out = Vec::new();
    for kind in ["bearer", "jwt"] {
        let form = Form::from([
            ("grant_type", "password"),
            ("client_id", pw.as_str()),
            ("username", user.username.as_str()),
            ("password", PASSWORD),
            ("token_type", kind),
        ]);
        let request = TokenRequest {
            form: &form,
            authorization: None,
            has_query: false,
            token_type: None,
        };
        let reply = identity.access_token(&request, now()).await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&reply.body_text()).unwrap();
        out.push(body["access_token"].as_str().unwrap().to_owned());
    }
    (out[0].clone(), out[1].clone())
}

/// Rows 20 to 22 and the bodies of §5.2.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn headers() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let alice = engines::user(identity, true).await;
        let (bearer, jwt) = tokens(identity, &alice).await;
        let refusal = me(identity, &Credentials::default()).await.unwrap_err();
        assert_eq!(refusal.status(), 401);
        assert_eq!(refusal.challenge(), Some("JWT realm=\"api\""));
        assert_eq!(
            refusal.body(),
            json!({"detail": "Authentication credentials were not provided."})
        );
        for (header, body) in [
            (
                "JWT nonsense".to_owned(),
                json!({"detail": "Invalid token."}),
            ),
            (
                "JWT eyJhbGciOiJIUzI1NiJ9.e30.x".to_owned(),
                json!({"detail": "Invalid token."}),
            ),
            (
                "Bearer nonsense".to_owned(),
                json!({
                    "error_code": "token_nonexistent",
                    "developer_message": "The provided access token does not match any valid tokens.",
                }),
            ),
            (
                format!("Bearer {}", bearer.to_uppercase()),
                json!({
                    "error_code": "token_nonexistent",
                    "developer_message": "The provided access token does not match any valid tokens.",
                }),
            ),
            (
                "JWT".to_owned(),
                json!({
                    "error_code": "token_not_provided",
                    "developer_message": "Invalid token header. No credentials provided.",
                }),
            ),
            (
                "Bearer a b".to_owned(),
                json!({
                    "error_code": "token_malformed",
                    "developer_message":
                        "Invalid token header. Token string should not contain spaces.",
                }),
            ),
        ] {
            let credentials = Credentials {
                authorization: Some(&header),
                ..Credentials::default()
            };
            let refusal = me(identity, &credentials).await.unwrap_err();
            assert_eq!((refusal.status(), refusal.body()), (401, body), "{header}");
        }
        for header in [format!("Bearer {bearer}"), format!("jwt {jwt}")] {
            let credentials = Credentials {
                authorization: Some(&header),
                ..Credentials::default()
            };
            let found = me(identity, &credentials).await.unwrap();
            assert_eq!(found.user.id, alice.id);
            assert_eq!(found.scopes()[0], "read");
        }
        // An expired token.
        let header = format!("Bearer {bearer}");
        let credentials = Credentials {
            authorization: Some(&header),
            ..Credentials::default()
        };
        let later = now() + TimeDelta::seconds(36_001);
        let refusal = identity
            .authenticate_request(&credentials, authenticator_sets::ANY_USER, later)
            .await
            .unwrap()
            .unwrap_err();
        assert_eq!(refusal.body()["error_code"], "token_expired");
    }
}

/// §14: tokens of an inactive user open only the views for any user; those of a closed account none. Claims never win
/// over the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accounts_decide_not_tokens() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, false).await;
        let (bearer, jwt) = tokens(identity, &user).await;
        let headers = [format!("Bearer {bearer}"), format!("JWT {jwt}")];
        for header in &headers {
            let credentials = Credentials {
                authorization: Some(header),
                ..Credentials::default()
            };
            assert!(me(identity, &credentials).await.is_ok());
            let strict = identity
                .authenticate_request(&credentials, authenticator_sets::COURSE, now())
                .await
                .unwrap();
            assert_eq!(strict.unwrap_err().status(), 401);
        }
        let id = user.id;
        let unusable = identity::passwords::unusable().unwrap();
        let unusable = &unusable;
        identity
            .db()
            .write(
                |mut tx| async move { records::users::set_password(&mut tx, id, unusable).await },
            )
            .await
            .unwrap();
        for header in &headers {
            let credentials = Credentials {
                authorization: Some(header),
                ..Credentials::default()
            };
            assert_eq!(me(identity, &credentials).await.unwrap_err().status(), 401);
        }
    }
}

/// Rows 25, 26 and §5.1: JWT cookies, CSRF, and a session of someone else.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cookies_and_sessions() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let alice = engines::user(identity, true).await;
        let bob = engines::user(identity, true).await;
        let (_, jwt) = tokens(identity, &alice).await;
        let failure = Some("CSRF token missing.");
        let cookie = Credentials {
            jwt_cookie: Some(jwt.clone()),
            ..Credentials::default()
        };
        assert!(matches!(
            me(identity, &cookie).await.unwrap().via,
            Via::Jwt(_)
        ));
        let unsafe_cookie = Credentials {
            csrf_failure: failure,
            ..cookie.clone()
        };
        assert!(matches!(
            me(identity, &unsafe_cookie).await.unwrap_err(),
            Refusal::NotProvided { status: 401, .. }
        ));
        let session = Credentials {
            session_user: Some(&alice),
            ..Credentials::default()
        };
        assert!(matches!(
            me(identity, &session).await.unwrap().via,
            Via::Session
        ));
        let unsafe_session = Credentials {
            csrf_failure: failure,
            ..session
        };
        let refusal = me(identity, &unsafe_session).await.unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.body()),
            (403, json!({"detail": "CSRF Failed: CSRF token missing."}))
        );
        // An unreadable cookie falls back to its own session only.
        let broken = format!("{jwt}x");
        let own = Credentials {
            jwt_cookie: Some(broken.clone()),
            session_user: Some(&alice),
            ..Credentials::default()
        };
        assert!(me(identity, &own).await.is_ok());
        let foreign = Credentials {
            session_user: Some(&bob),
            ..own
        };
        assert_eq!(me(identity, &foreign).await.unwrap_err().status(), 401);
    }
}

/// §11: one statement loads all roles.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn roles() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, true).await;
        let course = CourseKey::parse("course-v1:A+B+C").unwrap();
        let name = &user.username;
        identity::roles::grant_course_role(identity.db(), name, &course, "staff")
            .await
            .unwrap();
        let (roles, counts) = db::counting(Roles::load(identity.db(), &Viewer::from(&user))).await;
        assert!(roles.unwrap().has_staff_access(&course));
        assert_eq!(counts.reads, 1);
        let roles = Roles::load(identity.db(), &Viewer::anonymous())
            .await
            .unwrap();
        assert!(!roles.has_staff_access(&course));
    }
}
