//! contracts/identity.md §2, §6.1, §13 rows 30 to 37.

use chrono::TimeDelta;
use identity::session::SessionState;
use identity::{ApiVersion, Body, Form, Identity, LoginOutcome, LoginRequest};
use serde_json::{Value, json};

use crate::engines::{self, PASSWORD, now, unique};

fn form(name: &str, password: &str) -> Form {
    Form::from([("email_or_username", name), ("password", password)])
}

async fn login(identity: &Identity, form: &Form) -> LoginOutcome {
    let request = LoginRequest {
        version: ApiVersion::V2,
        form,
        ip: "192.0.2.1",
        session: None,
    };
    identity.login(request, now()).await.unwrap()
}

fn body(outcome: &LoginOutcome) -> Value {
    match &outcome.reply().body {
        Body::Json(value, _) => value.clone(),
        other => panic!("{other:?}"),
    }
}

/// Row 31: a session and six cookies; the cookie opens the session again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_makes_a_session() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, true).await;
        for name in [user.username.to_uppercase(), user.email.clone()] {
            let outcome = login(identity, &form(&name, PASSWORD)).await;
            assert_eq!(
                body(&outcome),
                json!({ "success": true, "redirect_url": null })
            );
            let LoginOutcome::Success(success) = outcome else {
                panic!("no success")
            };
            let names: Vec<&str> = success
                .reply
                .cookies
                .iter()
                .map(|c| c.name.as_str())
                .collect();
            assert_eq!(
                names,
                [
                    "edxloggedin",
                    "edx-user-info",
                    "edx-jwt-cookie-header-payload",
                    "edx-jwt-cookie-signature",
                    "csrftoken",
                    "sessionid"
                ]
            );
            let cookie = success.reply.cookies.last().unwrap();
            assert_eq!(cookie.max_age, Some(2_419_200));
            let later = now() + TimeDelta::days(1);
            let state = identity
                .session_from_cookie(Some(&cookie.value), later)
                .await
                .unwrap();
            assert_eq!(state.user().unwrap().id, user.id);
            // §2: the signature dies with SESSION_COOKIE_AGE.
            let state = identity
                .session_from_cookie(Some(&cookie.value), now() + TimeDelta::days(15))
                .await
                .unwrap();
            assert!(matches!(state, SessionState::Bad));
            // Row 28: an altered cookie.
            let mut altered = cookie.value.clone();
            altered.replace_range(altered.len() - 4.., "AAAA");
            let state = identity
                .session_from_cookie(Some(&altered), later)
                .await
                .unwrap();
            assert!(matches!(state, SessionState::Bad));
        }
    }
}

/// Row 36: the second login ends the first session; a logout ends the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_session_at_a_time() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, true).await;
        let mut cookies = Vec::new();
        for _ in 0..2 {
            let LoginOutcome::Success(success) =
                login(identity, &form(&user.username, PASSWORD)).await
            else {
                panic!("no success")
            };
            cookies.push(success.reply.cookies.last().unwrap().value.clone());
        }
        let state = identity
            .session_from_cookie(Some(&cookies[0]), now())
            .await
            .unwrap();
        assert!(matches!(state, SessionState::Anonymous(None)));
        let state = identity
            .session_from_cookie(Some(&cookies[1]), now())
            .await
            .unwrap();
        let deletions = identity
            .logout(state.session(), state.user())
            .await
            .unwrap();
        assert_eq!(deletions.len(), 5);
        let state = identity
            .session_from_cookie(Some(&cookies[1]), now())
            .await
            .unwrap();
        assert!(matches!(state, SessionState::Anonymous(None)));
    }
}

/// §2: a changed password ends the session; §14: so does a disabled standing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_is_bound_to_password_and_standing() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, true).await;
        let LoginOutcome::Success(success) = login(identity, &form(&user.username, PASSWORD)).await
        else {
            panic!("no success")
        };
        let cookie = success.reply.cookies.last().unwrap().value.clone();
        let id = user.id;
        identity
            .db()
            .write(|mut tx| async move {
                let standing = records::users::UserStanding {
                    account_status: "disabled".into(),
                    standing_last_changed_at: now().naive_utc(),
                    changed_by_id: id,
                    user_id: id,
                    ..Default::default()
                };
                records::users::set_standing(&mut tx, &standing).await
            })
            .await
            .unwrap();
        let state = identity
            .session_from_cookie(Some(&cookie), now())
            .await
            .unwrap();
        assert!(matches!(state, SessionState::Disabled(..)));
        identity.set_password(id, "another-Passw0rd").await.unwrap();
        let state = identity
            .session_from_cookie(Some(&cookie), now())
            .await
            .unwrap();
        assert!(matches!(state, SessionState::Stale));
    }
}

/// Row 32: two plain failures, three with a warning, then the lock, which the right password does not open.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_lock_the_account() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, true).await;
        let mut codes = Vec::new();
        for _ in 0..6 {
            let outcome = login(identity, &form(&user.username, "wrong")).await;
            assert_eq!(outcome.reply().status, 400);
            codes.push(body(&outcome)["error_code"].as_str().unwrap().to_owned());
        }
        assert_eq!(
            codes,
            [
                "incorrect-email-or-password",
                "incorrect-email-or-password",
                "failed-login-attempt",
                "failed-login-attempt",
                "failed-login-attempt",
                "account-locked-out"
            ]
        );
        let outcome = login(identity, &form(&user.username, PASSWORD)).await;
        assert_eq!(body(&outcome)["error_code"], "account-locked-out");
        assert_eq!(body(&outcome)["email"], user.username);
        let after = now() + TimeDelta::seconds(1801);
        let form = form(&user.username, PASSWORD);
        let request = LoginRequest {
            version: ApiVersion::V2,
            form: &form,
            ip: "192.0.2.1",
            session: None,
        };
        let outcome = identity.login(request, after).await.unwrap();
        assert!(matches!(outcome, LoginOutcome::Success(_)));
    }
}

/// Rows 33, 34 and the unknown user.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refusals() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, false).await;
        let outcome = login(identity, &form(&user.username, PASSWORD)).await;
        assert_eq!(
            body(&outcome),
            json!({
                "success": false,
                "value": "None",
                "error_code": "inactive-user",
                "context": { "platformName": "Peer", "supportLink": "" },
                "email": user.email,
            })
        );
        let nobody = unique("nobody");
        let outcome = login(identity, &form(&nobody, "x")).await;
        assert_eq!(
            body(&outcome),
            json!({
                "success": false,
                "value": "Email or password is incorrect.",
                "error_code": "incorrect-email-or-password",
                "context": { "failure_count": 0 },
                "email": nobody,
            })
        );
        let only_password = Form::from([("password", "x")]);
        let outcome = login(identity, &only_password).await;
        assert_eq!(
            body(&outcome),
            json!({
                "success": false,
                "value": "There was an error receiving your login information. Please email us.",
                "email": null,
            })
        );
    }
}

/// Row 35.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refreshing_the_cookies() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let user = engines::user(identity, true).await;
        let reply = identity.login_refresh(Some(&user), now()).await.unwrap();
        let Body::Json(body, _) = &reply.body else {
            panic!("no JSON")
        };
        assert_eq!(body["expires_epoch_seconds"], now().timestamp() + 3600);
        assert_eq!(body["response_http_date"], "Mon, 23 Nov 2026 23:29:51 GMT");
        assert_eq!(reply.cookies.len(), 2);
        let token =
            django_compat::jwt::join(Some(&reply.cookies[0].value), Some(&reply.cookies[1].value))
                .unwrap();
        let claims = identity.verify_jwt(&token, now()).unwrap();
        assert_eq!(claims["scopes"], json!(["user_id", "email", "profile"]));
        assert_eq!(claims["filters"], json!(["user:me"]));
        assert_eq!(claims["user_id"], user.id);
        assert_eq!(django_compat::jwt::header(&token).unwrap()["alg"], "RS512");
        let reply = identity.login_refresh(None, now()).await.unwrap();
        assert_eq!(
            (reply.status, reply.body_text().as_str()),
            (401, "\"Unauthorized\"")
        );
    }
}
