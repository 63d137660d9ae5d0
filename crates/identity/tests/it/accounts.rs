//! contracts/identity.md §8, §13 rows 48 to 60.

use identity::{Body, Identity, Reply, User};
use serde_json::{Value, json};

use crate::engines::{self, now, unique};

fn body(reply: &Reply) -> Value {
    match &reply.body {
        Body::Json(value, _) => value.clone(),
        other => panic!("{other:?}"),
    }
}

async fn staff(identity: &Identity) -> User {
    let mut user = engines::user(identity, true).await;
    let id = user.id;
    identity
        .db()
        .execute(
            "UPDATE auth_user SET is_staff = 1 WHERE id = ?",
            &db::params![id],
        )
        .await
        .unwrap();
    user.is_staff = true;
    user
}

async fn patch(identity: &Identity, user: &User, patch: Value) -> Reply {
    identity
        .update_account(user, &user.username, &patch, now())
        .await
        .unwrap()
}

/// Rows 48, 49, 55.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_sees_what() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let (alice, bob) = (
            engines::user(identity, true).await,
            engines::user(identity, true).await,
        );
        let root = staff(identity).await;
        let see = async |viewer: &User, name: &str, shared| {
            identity.account(viewer, name, shared, now()).await.unwrap()
        };
        // Without year of birth the account is private.
        let keys = |reply: &Reply| {
            body(reply)
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let seen = see(&alice, &bob.username, false).await;
        assert_eq!(
            keys(&seen),
            ["account_privacy", "profile_image", "username"]
        );
        assert_eq!(body(&seen)["account_privacy"], "private");
        assert_eq!(
            patch(identity, &bob, json!({ "year_of_birth": 1980 }))
                .await
                .status,
            200
        );
        let seen = see(&alice, &bob.username.to_uppercase(), false).await;
        assert_eq!(keys(&seen).len(), 11);
        let seen = see(&root, &bob.username, false).await;
        assert_eq!(keys(&seen).len(), 29);
        assert_eq!(body(&seen)["activation_key"], Value::Null);
        assert_eq!(body(&seen)["email"], bob.email);
        assert_eq!(keys(&see(&root, &bob.username, true).await).len(), 11);
        assert_eq!(see(&alice, &unique("nobody"), false).await.status, 404);

        let reply = identity
            .accounts_by_email(&alice, &bob.email, false, now())
            .await
            .unwrap();
        assert_eq!(reply.status, 403);
        let reply = identity
            .accounts_by_email(&root, "no@no.no", false, now())
            .await
            .unwrap();
        assert_eq!((reply.status, reply.body), (404, Body::Empty));
        let names = format!("{},{}", alice.username, bob.username);
        let reply = identity
            .accounts_by_username(&alice, Some(&names), false, now())
            .await
            .unwrap();
        assert_eq!(body(&reply).as_array().unwrap().len(), 2);
        let reply = identity
            .accounts_by_id(&root, "x", false, now())
            .await
            .unwrap();
        assert_eq!(reply.status, 400);
        let wanted = json!({ "emails": [bob.email] });
        assert_eq!(
            identity
                .search_emails(&alice, &wanted)
                .await
                .unwrap()
                .status,
            404
        );
        let found = identity.search_emails(&root, &wanted).await.unwrap();
        assert_eq!(
            body(&found),
            json!([{ "email": bob.email, "id": bob.id, "username": bob.username }])
        );
    }
}

/// Rows 51 to 54 and the texts of §8.1.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn patches() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let (alice, bob) = (
            engines::user(identity, true).await,
            engines::user(identity, true).await,
        );
        let root = staff(identity).await;
        let error = async |field: &str, value: Value| {
            let reply = patch(identity, &alice, json!({ field: value })).await;
            assert_eq!(reply.status, 400);
            let messages = body(&reply)["field_errors"][field].clone();
            (
                messages["developer_message"].as_str().unwrap().to_owned(),
                messages["user_message"].as_str().unwrap().to_owned(),
            )
        };
        assert_eq!(
            error("username", json!("z")).await,
            (
                "This field is not editable via this API".to_owned(),
                "The 'username' field cannot be edited.".to_owned()
            )
        );
        assert_eq!(
            error("gender", json!("x")).await,
            (
                "Value 'x' is not valid for field 'gender': ['\"x\" is not a valid choice.']"
                    .to_owned(),
                "This value is invalid.".to_owned()
            )
        );
        assert_eq!(
            error("language_proficiencies", json!([{ "code": "x" }]))
                .await
                .0,
            "Value '[{'code': 'x'}]' is not valid for field 'language_proficiencies': \
             [{'code': ['\"x\" is not a valid choice.']}]"
        );
        assert_eq!(
            error("bio", json!("x".repeat(301))).await.1,
            "The about me field must be at most 300 characters long."
        );
        assert_eq!(
            error("email", json!("nope")).await.0,
            "Error thrown from validate_new_email: 'Valid e-mail address required.'"
        );
        let other = identity
            .update_account(&root, &bob.username, &json!({}), now())
            .await
            .unwrap();
        assert_eq!((other.status, other.body), (403, Body::Empty));

        let changed = patch(
            identity,
            &alice,
            json!({
                "name": "Alice Changed", "bio": "Hi", "country": "DE", "gender": "f",
                "language_proficiencies": [{ "code": "fr" }, { "code": "de" }],
                "social_links": [{ "platform": "twitter", "social_link": "alice" }],
                "account_privacy": "all_users", "year_of_birth": "1990",
                "phone_number": "+49 (0)30 1", "unknown": 1, "email": bob.email,
            }),
        )
        .await;
        let account = body(&changed);
        assert_eq!(account["name"], "Alice Changed");
        assert_eq!(account["email"], alice.email);
        assert_eq!(
            account["language_proficiencies"],
            json!([{ "code": "de" }, { "code": "fr" }])
        );
        assert_eq!(
            account["social_links"],
            json!([{ "platform": "twitter", "social_link": "https://www.twitter.com/alice" }])
        );
        assert_eq!(account["phone_number"], "+490301");
        assert_eq!(account["account_privacy"], "all_users");
        let pending = identity
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM student_pendingemailchange WHERE user_id = ?",
                &db::params![alice.id],
            )
            .await
            .unwrap();
        assert_eq!(pending, 0, "a taken address is dropped");
        let profile = records::users::profile(identity.db(), alice.id)
            .await
            .unwrap()
            .unwrap();
        let meta: Value = serde_json::from_str(&profile.meta).unwrap();
        assert_eq!(
            meta["old_names"][0][0],
            format!("{} Example", alice.username)
        );
    }
}

/// Rows 56, 57, 59.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn preferences_and_names() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let (alice, bob) = (
            engines::user(identity, true).await,
            engines::user(identity, true).await,
        );
        let root = staff(identity).await;
        let own = &alice.username;
        assert_eq!(
            identity
                .preferences(&alice, &bob.username)
                .await
                .unwrap()
                .status,
            403
        );
        assert_eq!(identity.preferences(&root, own).await.unwrap().status, 200);
        let reply = identity
            .patch_preferences(&alice, own, &json!({ "time_zone": "Mars/X" }))
            .await
            .unwrap();
        assert_eq!(
            body(&reply)["field_errors"]["time_zone"]["user_message"],
            "Value 'Mars/X' is not a valid time zone selection."
        );
        let patch = json!({ "a": true, "b": 5, "gone": null });
        assert_eq!(
            identity
                .patch_preferences(&alice, own, &patch)
                .await
                .unwrap()
                .status,
            204
        );
        let all = identity.preferences(&alice, own).await.unwrap();
        assert_eq!(body(&all), json!({ "a": "True", "b": "5" }));
        let put = identity
            .put_preference(&alice, own, "k9", &json!("5"))
            .await
            .unwrap();
        assert_eq!(put.status, 204);
        let get = identity.preference(&alice, own, "k9").await.unwrap();
        assert_eq!(get.body_text(), "\"5\"");
        assert_eq!(
            identity
                .delete_preference(&alice, own, "k9")
                .await
                .unwrap()
                .status,
            204
        );
        assert_eq!(
            identity
                .delete_preference(&alice, own, "k9")
                .await
                .unwrap()
                .status,
            404
        );

        let asked = json!({ "name": "<b>" });
        let reply = identity.request_name_change(&alice, &asked).await.unwrap();
        assert_eq!(
            body(&reply),
            json!({ "new_name": ["Name cannot contain the following characters: < >"] })
        );
        let asked = json!({ "name": "Alice New" });
        assert_eq!(
            identity
                .request_name_change(&alice, &asked)
                .await
                .unwrap()
                .status,
            201
        );
        let confirm = async |viewer: &User| {
            identity
                .confirm_name_change(viewer, own, now())
                .await
                .unwrap()
                .status
        };
        assert_eq!(confirm(&bob).await, 403);
        assert_eq!(confirm(&root).await, 204);
        assert_eq!(confirm(&root).await, 404);
    }
}

/// §7.3: a new address is confirmed by its link; §14: a disabled account is shut out.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn addresses_and_standing() {
    use identity::email_change::EmailChangeOutcome;
    for engine in engines::all().await {
        let identity = &engine.identity;
        let alice = engines::user(identity, true).await;
        let root = staff(identity).await;
        let wanted = format!("{}@new.test", unique("a"));
        assert_eq!(
            patch(identity, &alice, json!({ "email": wanted }))
                .await
                .status,
            200
        );
        let row = identity
            .db()
            .read_one(
                "SELECT activation_key FROM student_pendingemailchange WHERE user_id = ?",
                &db::params![alice.id],
            )
            .await
            .unwrap()
            .unwrap();
        let key = row.text("activation_key").unwrap();
        let bad = identity
            .confirm_email_change("nonsense", now())
            .await
            .unwrap();
        assert_eq!(bad, EmailChangeOutcome::InvalidKey);
        let done = identity.confirm_email_change(&key, now()).await.unwrap();
        let EmailChangeOutcome::Changed { user, old_email } = done else {
            panic!("{done:?}")
        };
        assert_eq!((user.email, old_email), (wanted, alice.email.clone()));
        let again = identity.confirm_email_change(&key, now()).await.unwrap();
        assert_eq!(again, EmailChangeOutcome::InvalidKey);

        let form = identity::Form::from([
            ("username", alice.username.as_str()),
            ("account_action", "disable"),
        ]);
        let refused = identity
            .set_account_standing(&alice, &form, now())
            .await
            .unwrap();
        assert_eq!(refused.status, 404);
        let done = identity
            .set_account_standing(&root, &form, now())
            .await
            .unwrap();
        assert_eq!(done.status, 200);
    }
}
