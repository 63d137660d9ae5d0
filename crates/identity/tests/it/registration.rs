//! contracts/identity.md §7, §13 rows 38 to 47 and 64.

use chrono::TimeDelta;
use db::params;
use identity::registration::{RegistrationOutcome, RegistrationRequest, ValidationRequest};
use identity::reset::{ActivationOutcome, ResetRequest};
use identity::{Body, Form, Identity, Reply};
use serde_json::{Value, json};

use crate::engines::{self, PASSWORD, now, unique};

fn body(reply: &Reply) -> Value {
    match &reply.body {
        Body::Json(value, _) => value.clone(),
        other => panic!("{other:?}"),
    }
}

async fn register(identity: &Identity, form: &Form) -> RegistrationOutcome {
    let request = RegistrationRequest {
        form,
        ip: &unique("ip"),
        session: None,
        language: Some("en"),
    };
    identity.register(request, now()).await.unwrap()
}

fn form(username: &str, email: &str) -> Form {
    Form::from([
        ("username", username),
        ("email", email),
        ("name", "New Person"),
        ("password", "Correct-Horse-9"),
        ("country", "US"),
        ("honor_code", "true"),
    ])
}

/// Rows 41 and 47: a new account is signed in, inactive until its link is opened, and then enrolled where it may be.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_account() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let name = unique("newperson");
        let email = format!("{name}@Example.com");
        let RegistrationOutcome::Created { user, reply, .. } =
            register(identity, &form(&name, &email)).await
        else {
            panic!("not created")
        };
        assert_eq!(
            body(&reply),
            json!({
                "authenticated_user":
                    { "username": name, "full_name": "New Person", "user_id": user.id },
                "success": true,
                "redirect_url": "http://localhost:18000/dashboard",
            })
        );
        assert!(!user.is_active);
        assert_eq!(reply.cookies.len(), 6);
        assert_eq!(reply.cookies.last().unwrap().max_age, None);
        let profile = records::users::profile(identity.db(), user.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(profile.country.as_deref(), Some("US"));
        assert_eq!(profile.year_of_birth, None);
        let language = records::preferences::get(identity.db(), user.id, "pref-lang")
            .await
            .unwrap();
        assert_eq!(language.as_deref(), Some("en"));

        let course = unique("course-v1:A+B+C");
        identity
            .db()
            .execute(
                "INSERT INTO student_courseenrollmentallowed (email, course_id, auto_enroll) \
                 VALUES (?, ?, 1)",
                &params![&user.email, &course],
            )
            .await
            .unwrap();
        let key = opaque_keys::CourseKey::parse(&course).unwrap();
        let overview = records::course_overviews::CourseOverview {
            id: course.clone(),
            created: now().naive_utc(),
            modified: now().naive_utc(),
            ..Default::default()
        };
        let overview = &overview;
        identity
            .db()
            .write(|mut tx| async move {
                let author = records::history::Author::nobody(now().naive_utc());
                records::course_overviews::save(&mut tx, overview, &author).await
            })
            .await
            .unwrap();
        let registration = records::users::registration(identity.db(), user.id)
            .await
            .unwrap()
            .unwrap();
        let key_text = &registration.activation_key;
        let other = engines::user(identity, true).await;
        let refused = identity
            .activate(key_text, Some(&other), now())
            .await
            .unwrap();
        assert_eq!(refused, ActivationOutcome::Failed);
        let done = identity.activate(key_text, None, now()).await.unwrap();
        assert_eq!(done.status(), "success");
        let again = identity.activate(key_text, None, now()).await.unwrap();
        assert_eq!(again.status(), "info");
        let bad = identity.activate("nonsense", None, now()).await.unwrap();
        assert_eq!(bad.status(), "error");
        let row = records::enrollment::get(identity.db(), user.id, &key)
            .await
            .unwrap()
            .unwrap();
        assert!(row.is_active && row.mode == "audit");
    }
}

/// Rows 38 to 40, 43 and 64.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refusals() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let taken = engines::user(identity, true).await;
        let outcome = register(
            identity,
            &form(&taken.username.to_uppercase(), &taken.email),
        )
        .await;
        let reply = outcome.reply();
        assert_eq!(reply.status, 409);
        let answer = body(reply);
        assert_eq!(answer["error_code"], "duplicate-email-username");
        assert_eq!(answer["username_suggestions"].as_array().unwrap().len(), 3);
        assert_eq!(
            answer["email"],
            json!([{ "user_message": "This email is already associated with an existing account" }])
        );
        let fresh = unique("fresh");
        let mut fields = form(&fresh, &format!("{fresh}@example.com"))
            .fields()
            .to_vec();
        fields.push(("country".into(), "ZZ".into()));
        let outcome = register(identity, &Form::new(fields)).await;
        assert_eq!(outcome.reply().status, 400);
        assert_eq!(body(outcome.reply())["error_code"], "invalid-country");
        let outcome = register(identity, &Form::default()).await;
        let keys: Vec<String> = body(outcome.reply())
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(
            keys,
            [
                "username",
                "email",
                "password",
                "name",
                "terms_of_service",
                "honor_code",
                "error_code"
            ]
        );
        // A retired name is taken for good.
        let old = unique("gone");
        let retired = django_compat::ids::retired_value(
            &old,
            &identity.settings().retired_user_salts[0],
            &identity.settings().retired_username_fmt,
        );
        let id = taken.id;
        identity
            .db()
            .execute(
                "UPDATE auth_user SET username = ? WHERE id = ?",
                &params![retired, id],
            )
            .await
            .unwrap();
        assert!(
            identity
                .username_is_taken(&old.to_uppercase())
                .await
                .unwrap()
        );
        // Row 43: the 61st attempt of an address.
        let mut last = 0;
        for _ in 0..61 {
            let request = RegistrationRequest {
                form: &Form::default(),
                ip: "192.0.2.9",
                session: None,
                language: None,
            };
            last = identity
                .register(request, now())
                .await
                .unwrap()
                .reply()
                .status;
        }
        assert_eq!(last, 403);
    }
}

/// Row 42.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn validation() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let taken = engines::user(identity, true).await;
        let judge = async |fields: Value| {
            let request = ValidationRequest {
                fields: fields.as_object().unwrap(),
                ip: &unique("ip"),
            };
            body(
                &identity
                    .validate_registration(&request, now())
                    .await
                    .unwrap(),
            )
        };
        let answer = judge(json!({ "username": taken.username, "email": "foo" })).await;
        assert_eq!(
            answer["validation_decisions"],
            json!({
                "username": "It looks like this username is already taken",
                "email": "Enter a valid email address",
            })
        );
        assert_eq!(answer["username_suggestions"].as_array().unwrap().len(), 3);
        let answer = judge(json!({
            "username": "fresh-one", "email": "fresh@x.org", "name": "N",
            "password": "Correct-Horse-9", "country": "US",
        }))
        .await;
        assert_eq!(
            answer,
            json!({ "validation_decisions":
                { "name": "", "username": "", "email": "", "password": "", "country": "" } })
        );
        assert_eq!(
            judge(json!({})).await,
            json!({ "validation_decisions": {} })
        );
        let answer = judge(json!({ "username": 5, "form_field_key": "username" })).await;
        assert_eq!(
            answer,
            json!({ "validation_decisions": { "username": "Username must be a string" } })
        );
    }
}

/// Rows 44 to 46.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn password_reset() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, false).await;
        let ask = async |email: &str| {
            let form = Form::from([("email", email)]);
            let request = ResetRequest {
                form: &form,
                user: None,
                ip: "192.0.2.7",
            };
            identity
                .request_password_reset(&request, now())
                .await
                .unwrap()
        };
        assert_eq!(ask(&user.email).await.status, 200);
        assert_eq!(ask(&unique("nobody@x")).await.status, 200);
        assert_eq!(ask("").await.body_text(), "No email address provided.");
        assert_eq!(ask(&user.email).await.status, 403);

        let token = identity.reset_link_token(&user, now());
        let valid = async |token: &str| {
            let reply = identity
                .validate_reset_token(token, None, now())
                .await
                .unwrap();
            body(&reply)["is_valid"].as_bool().unwrap()
        };
        assert!(!valid("1-abc-def").await);
        assert!(valid(&token).await);
        let active = records::users::by_id(identity.db(), user.id)
            .await
            .unwrap()
            .unwrap();
        assert!(active.is_active);
        let reset = async |first: &str, second: &str, at| {
            let form = Form::from([("new_password1", first), ("new_password2", second)]);
            body(&identity.reset_password(&token, &form, at).await.unwrap())
        };
        let late = now() + TimeDelta::seconds(259_201);
        assert_eq!(reset("x", "x", late).await["token_invalid"], true);
        assert_eq!(
            reset("short", "short", now()).await,
            json!({
                "reset_status": false,
                "err_msg": "This password is too short. It must contain at least 8 characters.",
            })
        );
        assert_eq!(
            reset("Another-Pass-1", "different", now()).await["reset_status"],
            false
        );
        let done = reset("Another-Pass-1", "Another-Pass-1", now()).await;
        assert_eq!(done, json!({ "reset_status": true, "err_msg": "" }));
        let again = reset("Another-Pass-2", "Another-Pass-2", now()).await;
        assert_eq!(
            again,
            json!({ "reset_status": false, "token_invalid": true })
        );
        let found = identity
            .authenticate(&user.username, "Another-Pass-1")
            .await
            .unwrap();
        assert_eq!(found.unwrap().id, user.id);
        assert!(
            identity
                .authenticate(&user.username, PASSWORD)
                .await
                .unwrap()
                .is_none()
        );
    }
}
