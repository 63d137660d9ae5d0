//! contracts/identity.md §9, §13 rows 61 to 64; mitxonline.md §1.5.

use db::params;
use identity::oauth::TokenRequest;
use identity::{Body, Form, Identity, Reply, User};
use serde_json::{Value, json};

use crate::engines::{self, PASSWORD, application, now};

fn body(reply: &Reply) -> Value {
    match &reply.body {
        Body::Json(value, _) => value.clone(),
        other => panic!("{other:?}"),
    }
}

async fn worker(identity: &Identity) -> User {
    let mut user = engines::user(identity, true).await;
    let sql = "UPDATE auth_user SET is_superuser = 1 WHERE id = ?";
    identity.db().execute(sql, &params![user.id]).await.unwrap();
    user.is_superuser = true;
    user
}

async fn count(identity: &Identity, sql: &str, id: i64) -> i64 {
    identity.db().read_int(sql, &params![id]).await.unwrap()
}

/// Row 61 and the whole way to COMPLETE.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn from_request_to_cleanup() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        identity.ensure_retirement_states().await.unwrap();
        identity.ensure_retirement_states().await.unwrap();
        let boss = worker(identity).await;
        let alice = engines::user(identity, true).await;
        let pw = application(identity, "public", "password", None).await;
        let owned = application(identity, "public", "password", Some(alice.id)).await;
        for client in [&pw, &owned] {
            let form = Form::from([
                ("grant_type", "password"),
                ("client_id", client.as_str()),
                ("username", alice.username.as_str()),
                ("password", PASSWORD),
            ]);
            let request = TokenRequest {
                form: &form,
                authorization: None,
                has_query: false,
                token_type: None,
            };
            assert_eq!(
                identity.access_token(&request, now()).await.unwrap().status,
                200
            );
        }
        let ask = async |form: Form| {
            let user = records::users::by_id(identity.db(), alice.id)
                .await
                .unwrap()
                .unwrap();
            identity
                .deactivate_and_logout(&user, &form, None, now())
                .await
                .unwrap()
        };
        assert_eq!(ask(Form::default()).await.status, 400);
        let wrong = ask(Form::from([("password", "x")])).await;
        assert_eq!((wrong.status, wrong.body_text().as_str()), (403, "\"\""));
        let done = ask(Form::from([("password", PASSWORD)])).await;
        assert_eq!((done.status, done.cookies.len()), (204, 5));
        let user = records::users::by_id(identity.db(), alice.id)
            .await
            .unwrap()
            .unwrap();
        assert!(user.email.starts_with("retired__user_") && user.password.starts_with('!'));
        let tokens = "SELECT COUNT(*) AS n FROM oauth2_provider_accesstoken WHERE user_id = ?";
        assert_eq!(count(identity, tokens, alice.id).await, 0);
        let apps = "SELECT COUNT(*) AS n FROM oauth2_provider_application WHERE user_id = ?";
        assert_eq!(count(identity, apps, alice.id).await, 0);
        assert!(identity.email_is_taken(&alice.email).await.unwrap());

        let name = &alice.username;
        let queue = Form::from([("cool_off_days", "0"), ("states", "PENDING")]);
        let stranger = engines::user(identity, true).await;
        let later = now() + chrono::TimeDelta::seconds(1);
        let reply = identity
            .retirement_queue(&stranger, &queue, later)
            .await
            .unwrap();
        assert_eq!(reply.status, 403);
        let reply = identity
            .retirement_queue(&boss, &queue, later)
            .await
            .unwrap();
        let list = body(&reply);
        let mine = list
            .as_array()
            .unwrap()
            .iter()
            .find(|s| s["original_username"] == *name)
            .unwrap();
        assert_eq!(mine["current_state"]["state_execution_order"], 1);
        assert_eq!(mine["user"]["profile"]["name"], format!("{name} Example"));
        let bad = Form::from([("cool_off_days", "0"), ("states", "NOPE")]);
        let reply = identity.retirement_queue(&boss, &bad, later).await.unwrap();
        assert_eq!(body(&reply), "Unknown state. Requested: ['NOPE'] Found: []");

        // Row 63: not while PENDING.
        let who = json!({ "username": name });
        let reply = identity.retire(&boss, &who).await.unwrap();
        assert_eq!(reply.status, 400);
        assert!(
            body(&reply)
                .as_str()
                .unwrap()
                .ends_with("is in PENDING, not a valid state to perform retirement actions on.")
        );
        let update = async |state: &str| {
            let body = json!({ "username": name, "new_state": state, "response": "ok" });
            identity
                .update_retirement_status(&boss, &body, now())
                .await
                .unwrap()
        };
        assert_eq!(update("RETIRING_LMS").await.status, 204);
        let reply = update("RETIRING_FORUMS").await;
        assert_eq!(
            body(&reply),
            "RETIRING_FORUMS does not exist or is an eariler state than current state \
             RETIRING_LMS (step 111)"
        );
        assert_eq!(identity.retire_misc(&boss, &who).await.unwrap().status, 204);
        assert_eq!(identity.retire(&boss, &who).await.unwrap().status, 204);
        let user = records::users::by_id(identity.db(), alice.id)
            .await
            .unwrap()
            .unwrap();
        assert!(user.username.starts_with("retired__user_") && !user.is_active);
        assert!(identity.username_is_taken(name).await.unwrap());
        let cleanup = json!({ "usernames": [name] });
        assert_eq!(
            identity
                .retirement_cleanup(&boss, &cleanup)
                .await
                .unwrap()
                .status,
            400
        );
        assert_eq!(update("COMPLETE").await.status, 204);
        assert_eq!(
            identity
                .retirement_cleanup(&boss, &cleanup)
                .await
                .unwrap()
                .status,
            204
        );
        let reply = identity.retirement_status(&boss, name).await.unwrap();
        assert_eq!(reply.status, 404);
    }
}

/// A retirement can be taken back while it waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn taking_it_back() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        identity.ensure_retirement_states().await.unwrap();
        let boss = worker(identity).await;
        let alice = engines::user(identity, true).await;
        let names = json!({ "usernames": format!("{},nobody-at-all", alice.username) });
        let reply = identity.bulk_retire(&boss, &names, now()).await.unwrap();
        assert_eq!(
            body(&reply),
            json!({
                "successful_user_retirements": [alice.username],
                "failed_user_retirements": ["nobody-at-all"],
            })
        );
        let status = identity
            .retirement_status(&boss, &alice.username)
            .await
            .unwrap();
        let id = body(&status)["id"].clone();
        let wanted = json!({ "retirement_id": id });
        let reply = identity
            .cancel_retirement(&alice, &wanted, now())
            .await
            .unwrap();
        assert_eq!(reply.status, 403);
        let reply = identity
            .cancel_retirement(&boss, &wanted, now())
            .await
            .unwrap();
        assert_eq!(body(&reply), json!({ "success": true }));
        let user = records::users::by_id(identity.db(), alice.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(user.email, alice.email);
        let reply = identity
            .cancel_retirement(&boss, &wanted, now())
            .await
            .unwrap();
        assert_eq!(
            body(&reply),
            json!({ "message": "Retirement does not exist!" })
        );
    }
}
