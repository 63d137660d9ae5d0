//! contracts/identity.md §4, §13 rows 1 to 19.

use chrono::TimeDelta;
use db::params;
use identity::oauth::{AuthorizeOutcome, AuthorizeRequest, TokenRequest};
use identity::{Body, Form, Identity, Reply};
use serde_json::{Value, json};

use crate::engines::{self, PASSWORD, application, now};

async fn token<const N: usize>(identity: &Identity, fields: [(&str, &str); N]) -> Reply {
    let form = Form::from(fields);
    let request = TokenRequest {
        form: &form,
        authorization: None,
        has_query: false,
        token_type: None,
    };
    identity.access_token(&request, now()).await.unwrap()
}

fn body(reply: &Reply) -> Value {
    match &reply.body {
        Body::Json(value, _) => value.clone(),
        other => panic!("{other:?}"),
    }
}

/// Rows 1 to 7.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn client_credentials() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let worker = engines::user(identity, true).await;
        let cc = application(
            identity,
            "confidential",
            "client-credentials",
            Some(worker.id),
        )
        .await;
        let base = [
            ("grant_type", "client_credentials"),
            ("client_id", &cc),
            ("client_secret", "s3cret"),
        ];
        let reply = token(identity, base).await;
        let granted = body(&reply);
        assert_eq!(reply.status, 200);
        assert_eq!(granted["expires_in"], 36_000);
        assert_eq!(granted["scope"], "read write email profile");
        assert!(granted.get("refresh_token").is_none());
        let reply = token(identity, [base[0], base[1], base[2], ("token_type", "jwt")]).await;
        let jwt = body(&reply);
        assert_eq!(
            (&jwt["token_type"], &jwt["expires_in"]),
            (&json!("JWT"), &json!(3600))
        );
        let text = jwt["access_token"].as_str().unwrap();
        let claims = identity.verify_jwt(text, now()).unwrap();
        assert_eq!(claims["preferred_username"], worker.username);
        assert_eq!(claims["filters"], json!([]));
        assert!(claims.get("user_id").is_none());
        assert_eq!(django_compat::jwt::header(text).unwrap()["alg"], "HS256");
        let reply = token(
            identity,
            [
                base[0],
                base[1],
                base[2],
                ("token_type", "jwt"),
                ("asymmetric_jwt", "true"),
            ],
        )
        .await;
        let text = body(&reply)["access_token"].as_str().unwrap().to_owned();
        assert_eq!(django_compat::jwt::header(&text).unwrap()["alg"], "RS512");

        for wrong in [
            [base[0], base[1], ("client_secret", "no")],
            [base[0], ("client_id", "nobody"), base[2]],
            [base[0], ("x", "y"), base[2]],
        ] {
            let reply = token(identity, wrong).await;
            assert_eq!(
                (reply.status, body(&reply)),
                (401, json!({"error": "invalid_client"}))
            );
            assert!(reply.headers.contains(&(
                "WWW-Authenticate",
                "Bearer error=\"invalid_client\"".to_owned()
            )));
        }
        let reply = token(identity, [("grant_type", "bogus"), base[1], base[2]]).await;
        assert_eq!(body(&reply), json!({"error": "unsupported_grant_type"}));
        let reply = token(
            identity,
            [base[0], base[1], base[2], ("scope", "grades:read")],
        )
        .await;
        assert_eq!(body(&reply), json!({"error": "invalid_scope"}));
        let reply = token(identity, [base[0], base[1], base[2], ("scope", "")]).await;
        assert_eq!(body(&reply), json!({"error": "invalid_scope"}));
    }
}

/// Rows 6, 8 to 12.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn password_and_refresh() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let alice = engines::user(identity, false).await;
        let pw = application(identity, "public", "password", None).await;
        let base = [
            ("grant_type", "password"),
            ("client_id", &pw),
            ("username", &alice.email),
            ("password", PASSWORD),
        ];
        let reply = token(
            identity,
            [base[0], base[1], base[2], base[3], ("token_type", "jwt")],
        )
        .await;
        let granted = body(&reply);
        assert_eq!(granted["scope"], "read write email profile user_id");
        let claims = identity
            .verify_jwt(granted["access_token"].as_str().unwrap(), now())
            .unwrap();
        assert_eq!(claims["email_verified"], false);
        assert_eq!(claims["filters"], json!(["user:me"]));
        assert_eq!(claims["user_id"], alice.id);

        let reply = token(identity, [base[0], base[1], base[2], ("password", "no")]).await;
        assert_eq!(
            body(&reply),
            json!({"error": "invalid_grant", "error_description": "Invalid credentials given."})
        );
        let reply = token(identity, [base[0], base[1], base[2]]).await;
        assert_eq!(
            body(&reply)["error_description"],
            "Request is missing password parameter."
        );
        let cc = application(identity, "confidential", "client-credentials", None).await;
        let reply = token(
            identity,
            [
                base[0],
                ("client_id", &cc),
                ("client_secret", "s3cret"),
                base[2],
                base[3],
            ],
        )
        .await;
        assert_eq!(body(&reply), json!({"error": "unauthorized_client"}));

        let refresh = granted["refresh_token"].as_str().unwrap();
        let again = [
            ("grant_type", "refresh_token"),
            base[1],
            ("refresh_token", refresh),
        ];
        let reply = token(
            identity,
            [
                again[0],
                again[1],
                again[2],
                ("scope", "read"),
                ("token_type", "jwt"),
            ],
        )
        .await;
        let narrowed = body(&reply);
        assert_eq!(narrowed["scope"], "read user_id");
        assert_ne!(narrowed["refresh_token"], granted["refresh_token"]);
        let reply = token(identity, again).await;
        assert_eq!(
            (reply.status, body(&reply)),
            (400, json!({"error": "invalid_grant"}))
        );
        let new = narrowed["refresh_token"].as_str().unwrap();
        let reply = token(
            identity,
            [
                again[0],
                again[1],
                ("refresh_token", new),
                ("scope", "read write"),
            ],
        )
        .await;
        assert_eq!(body(&reply), json!({"error": "invalid_scope"}));
    }
}

/// Row 14; §14: only the client's own tokens.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn revoking() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let alice = engines::user(identity, true).await;
        let pw = application(identity, "public", "password", None).await;
        let other = application(identity, "public", "password", None).await;
        let reply = token(
            identity,
            [
                ("grant_type", "password"),
                ("client_id", &pw),
                ("username", &alice.username),
                ("password", PASSWORD),
            ],
        )
        .await;
        let access = body(&reply)["access_token"].as_str().unwrap().to_owned();
        let count = async || {
            identity
                .db()
                .read_int(
                    "SELECT COUNT(*) AS n FROM oauth2_provider_accesstoken WHERE token = ?",
                    &params![&access],
                )
                .await
                .unwrap()
        };
        let revoke = async |client: &str, token: &str| {
            let form = Form::from([("client_id", client), ("token", token)]);
            identity.revoke_token(&form, None, now()).await.unwrap()
        };
        assert_eq!(revoke(&other, &access).await.status, 200);
        assert_eq!(count().await, 1);
        assert_eq!(revoke(&pw, &access).await.status, 200);
        assert_eq!(count().await, 0);
        assert_eq!(revoke(&pw, "unknown").await.status, 200);
        assert_eq!(
            body(&revoke(&pw, "").await)["error_description"],
            "Missing token parameter."
        );
        assert_eq!(revoke("nobody", "x").await.status, 401);
    }
}

/// Rows 16 to 19.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn authorization_codes() {
    for engine in engines::all().await {
        let identity = &engine.identity;
        let alice = engines::user(identity, true).await;
        let code_client = application(identity, "confidential", "authorization-code", None).await;
        let ask = async |fields: &[(&str, &str)]| {
            let mut all = vec![("client_id".to_owned(), code_client.clone())];
            all.extend(
                fields
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
            );
            let form = Form::new(all);
            let request = AuthorizeRequest {
                fields: &form,
                user: &alice,
                consent: None,
            };
            identity.authorize(&request, now()).await.unwrap()
        };
        let code_of = |outcome: AuthorizeOutcome| match outcome {
            AuthorizeOutcome::Redirect(to) => {
                let query = to.split_once("?code=").unwrap().1.to_owned();
                query.split('&').next().unwrap().to_owned()
            }
            other => panic!("{other:?}"),
        };
        let redeem = async |code: &str, more: (&str, &str)| {
            token(
                identity,
                [
                    ("grant_type", "authorization_code"),
                    ("client_id", &code_client),
                    ("client_secret", "s3cret"),
                    ("code", code),
                    more,
                ],
            )
            .await
        };
        let code = code_of(ask(&[("response_type", "code"), ("state", "s")]).await);
        assert_eq!(redeem(&code, ("x", "")).await.status, 200);
        assert_eq!(
            body(&redeem(&code, ("x", "")).await),
            json!({"error": "invalid_grant"})
        );

        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let code = code_of(
            ask(&[
                ("response_type", "code"),
                ("code_challenge", challenge),
                ("code_challenge_method", "S256"),
            ])
            .await,
        );
        assert_eq!(
            body(&redeem(&code, ("x", "")).await)["error_description"],
            "Code verifier required."
        );
        let wrong = redeem(&code, ("code_verifier", "wrong")).await;
        assert_eq!(body(&wrong), json!({"error": "invalid_grant"}));
        assert_eq!(redeem(&code, ("code_verifier", verifier)).await.status, 200);

        let outcome = ask(&[
            ("response_type", "code"),
            ("redirect_uri", "http://evil.test/cb"),
        ])
        .await;
        assert!(matches!(
            outcome,
            AuthorizeOutcome::Invalid("Mismatching redirect URI.")
        ));
        let AuthorizeOutcome::Redirect(to) = ask(&[
            ("response_type", "code"),
            ("scope", "bogus"),
            ("state", "s"),
        ])
        .await
        else {
            panic!("no redirect")
        };
        assert_eq!(to, "http://client.test/cb?error=invalid_scope&state=s");

        // A code lives a minute.
        let code = code_of(ask(&[("response_type", "code")]).await);
        let form = Form::from([
            ("grant_type", "authorization_code"),
            ("client_id", code_client.as_str()),
            ("client_secret", "s3cret"),
            ("code", code.as_str()),
        ]);
        let request = TokenRequest {
            form: &form,
            authorization: None,
            has_query: false,
            token_type: None,
        };
        let later = now() + TimeDelta::seconds(61);
        let reply = identity.access_token(&request, later).await.unwrap();
        assert_eq!(body(&reply), json!({"error": "invalid_grant"}));
    }
}
