//! contracts/identity.md §10, mitxonline.md §2.2: sign-in with another provider, played by a function.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use db::params;
use django_compat::jwt::{SigningKey, encode, public_jwk};
use identity::oauth::TokenRequest;
use identity::registration::{RegistrationOutcome, RegistrationRequest};
use identity::session::Session;
use identity::third_party::{CompleteRequest, HttpRequest, HttpResponse, Outgoing, SocialOutcome};
use identity::{Body, Form, Identity, User};
use serde_json::{Value, json};

use crate::engines::{self, application, now, unique};

fn key() -> Value {
    serde_json::from_str(include_str!("test_key.json")).unwrap()
}

/// A provider that knows one person; `nonce` is what its next id token says.
#[derive(Default)]
struct World {
    person: Value,
    nonce: String,
    asked: Vec<String>,
}

fn answer(world: &Mutex<World>, request: &HttpRequest) -> (u16, Value) {
    let mut world = world.lock().unwrap();
    world.asked.push(request.url.clone());
    let bearer = request
        .headers
        .iter()
        .find(|(name, _)| *name == "Authorization");
    match request.url.as_str() {
        "https://idp.test/.well-known/openid-configuration" => (
            200,
            json!({
                "issuer": "https://idp.test",
                "authorization_endpoint": "https://idp.test/authorize",
                "token_endpoint": "https://idp.test/token",
                "userinfo_endpoint": "https://idp.test/userinfo",
                "jwks_uri": "https://idp.test/jwks",
            }),
        ),
        "https://idp.test/token" => {
            let form = request.form.as_ref().unwrap();
            let code = form.iter().find(|(name, _)| *name == "code").unwrap();
            if code.1 != "good" {
                return (400, json!({ "error": "invalid_grant" }));
            }
            let time = now().timestamp();
            let claims = json!({
                "iss": "https://idp.test", "aud": "client", "sub": world.person["sub"],
                "exp": time + 60, "iat": time, "nonce": world.nonce,
            });
            let key = SigningKey::from_private_jwk(&key()).unwrap();
            let header = json!({ "alg": "RS512", "kid": "test" });
            let token = encode(
                header.as_object().unwrap(),
                claims.as_object().unwrap(),
                &key,
            )
            .unwrap();
            (
                200,
                json!({ "access_token": "at", "token_type": "Bearer", "id_token": token }),
            )
        }
        "https://idp.test/userinfo" if bearer.is_some_and(|(_, value)| value == "Bearer at") => {
            (200, world.person.clone())
        }
        "https://idp.test/jwks" => (200, json!({ "keys": [public_jwk(&key())] })),
        _ => (401, json!({})),
    }
}

/// A handle with third-party sign-in on a site of its own, so that tests on one schema do not meet.
async fn handle(identity: &Identity, backend: &str, world: &Arc<Mutex<World>>) -> Identity {
    let mut settings = engines::settings();
    settings.third_party.enabled = true;
    let domain = unique("site");
    let site = identity
        .db()
        .write(|mut tx| {
            let domain = domain.clone();
            async move {
                let sql = "INSERT INTO django_site (domain, name) VALUES (?, ?)";
                tx.insert_returning_id(sql, &params![&domain, &domain])
                    .await
            }
        })
        .await
        .unwrap();
    settings.third_party.site_id = site;
    settings
        .third_party
        .secrets
        .insert(backend.into(), "secret".into());
    let other = json!({
        "OIDC_ENDPOINT": "https://idp.test", "JWT_ALGORITHMS": ["RS512"],
    });
    identity
        .db()
        .execute(
            "INSERT INTO third_party_auth_oauth2providerconfig (change_date, enabled, icon_class, \
             name, secondary, skip_registration_form, skip_email_verification, backend_name, `key`, \
             secret, other_settings, icon_image, visible, site_id, skip_hinted_login_dialog, \
             send_to_registration_first, sync_learner_profile_data, send_welcome_email, slug, \
             enable_sso_id_verification, disable_for_enterprise_sso) \
             VALUES (?, 1, 'fa-x', 'Peer IdP', 0, 1, 1, ?, 'client', '', ?, '', 1, ?, 1, 0, 1, 0, ?, 1, 0)",
            &params![now(), backend, other.to_string(), site, backend],
        )
        .await
        .unwrap();
    let world = Arc::clone(world);
    let outgoing = Outgoing::new(move |request: HttpRequest| {
        let (status, body) = answer(&world, &request);
        async move {
            Ok(HttpResponse {
                status,
                body: body.to_string().into_bytes(),
            })
        }
    });
    Identity::new(identity.db().clone(), settings)
        .unwrap()
        .with_outgoing(outgoing)
}

/// The session that a redirect's cookie names.
async fn session(identity: &Identity, outcome: &SocialOutcome) -> (String, Session, Option<User>) {
    let SocialOutcome::Redirect { to, cookies } = outcome else {
        panic!("{outcome:?}")
    };
    let cookie = cookies
        .iter()
        .find(|cookie| cookie.name == "sessionid")
        .unwrap();
    let state = identity
        .session_from_cookie(Some(&cookie.value), now())
        .await
        .unwrap();
    let user = state.user().cloned();
    (to.clone(), state.into_session().unwrap(), user)
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    let pair = query
        .split('&')
        .find(|pair| pair.starts_with(&format!("{name}=")))
        .unwrap();
    pair.split_once('=').unwrap().1.to_owned()
}

async fn start(identity: &Identity, backend: &str, next: &str) -> (String, Session) {
    let form = Form::from([("auth_entry", "login"), ("next", next)]);
    let outcome = identity
        .social_login(backend, &form, None, now())
        .await
        .unwrap();
    let (to, session, _) = session(identity, &outcome).await;
    (to, session)
}

async fn complete(
    identity: &Identity,
    backend: &str,
    fields: &[(&str, &str)],
    session: Session,
    has_login_cookies: bool,
    at: DateTime<Utc>,
) -> SocialOutcome {
    let fields = Form::new(
        fields
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
    );
    let request = CompleteRequest {
        backend,
        fields: &fields,
        session: Some(session),
        user: None,
        has_login_cookies,
    };
    identity.social_complete(request, at).await.unwrap()
}

/// mitxonline.md §2.2: an account made by the provider's API, then signed in by the provider's page.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_account_made_and_signed_in_by_a_provider() {
    for engine in engines::all().await {
        let name = unique("learner");
        let email = format!("{name}@mit.test");
        let world = Arc::new(Mutex::new(World {
            person: json!({ "username": name, "email": email, "name": "A Learner" }),
            ..World::default()
        }));
        let identity = &handle(&engine.identity, "ol-oauth2", &world).await;
        let register = async |token: &str| {
            let form = Form::from([
                ("username", name.as_str()),
                ("email", email.as_str()),
                ("name", "A Learner"),
                ("country", "US"),
                ("gender", "nb"),
                ("state", "Somewhere"),
                ("provider", "ol-oauth2"),
                ("access_token", token),
                ("honor_code", "True"),
            ]);
            let request = RegistrationRequest {
                form: &form,
                ip: &unique("ip"),
                session: None,
                language: None,
            };
            identity.register(request, now()).await.unwrap()
        };
        for (token, code) in [
            ("", "tpa-missing-access-token"),
            ("bad", "tpa-invalid-access-token"),
        ] {
            let outcome = register(token).await;
            let Body::Json(body, _) = &outcome.reply().body else {
                panic!("no JSON")
            };
            assert_eq!(
                (outcome.reply().status, &body["error_code"]),
                (400, &json!(code))
            );
        }
        let RegistrationOutcome::Created { user, .. } = register("at").await else {
            panic!("not created")
        };
        assert!(user.is_active, "the provider's address is trusted");

        let (to, started) = start(identity, "ol-oauth2", "/courses").await;
        assert!(to.starts_with("https://idp.test/authorize?client_id=client&redirect_uri="));
        assert_eq!(parameter(&to, "scope"), "user%3Aread");
        let state = parameter(&to, "state");
        let wrong = [("code", "good"), ("state", "x")];
        let outcome = complete(identity, "ol-oauth2", &wrong, started.clone(), false, now()).await;
        let (to, failed, _) = session(identity, &outcome).await;
        assert_eq!(to, "/login");
        assert!(
            failed
                .text("_messages")
                .unwrap()
                .contains("Wrong state parameter given.")
        );

        let right = [("code", "good"), ("state", state.as_str())];
        let outcome = complete(identity, "ol-oauth2", &right, started, false, now()).await;
        let (to, paused, signed_in) = session(identity, &outcome).await;
        assert_eq!(to, "/auth/complete/ol-oauth2/?");
        assert!(signed_in.is_none(), "not before the cookies came back");
        let outcome = complete(identity, "ol-oauth2", &[], paused, true, now()).await;
        let (to, _, signed_in) = session(identity, &outcome).await;
        assert_eq!((to.as_str(), signed_in.unwrap().id), ("/courses", user.id));
        let verified = identity
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM verify_student_ssoverification WHERE user_id = ?",
                &params![user.id],
            )
            .await
            .unwrap();
        assert_eq!(verified, 1);

        // The address follows the provider; the name does not, for this backend.
        let moved = format!("{name}@new.test");
        world.lock().unwrap().person["email"] = json!(moved);
        let (to, started) = start(identity, "ol-oauth2", "https://evil.test/").await;
        let state = parameter(&to, "state");
        let right = [("code", "good"), ("state", state.as_str())];
        let outcome = complete(identity, "ol-oauth2", &right, started, true, now()).await;
        let (to, _, signed_in) = session(identity, &outcome).await;
        assert_eq!(
            (to.as_str(), signed_in.unwrap().email),
            ("/dashboard", moved)
        );

        // A stranger is sent to the registration page, which knows what the provider said.
        world.lock().unwrap().person = json!({ "username": "x y", "email": "who@new.test" });
        let (to, started) = start(identity, "ol-oauth2", "").await;
        let state = parameter(&to, "state");
        let right = [("code", "good"), ("state", state.as_str())];
        let outcome = complete(identity, "ol-oauth2", &right, started, true, now()).await;
        let (to, waiting, _) = session(identity, &outcome).await;
        assert_eq!(to, "/register");
        let context = identity
            .mfe_context(Some(&waiting), None, None, now())
            .await
            .unwrap();
        let Body::Json(context, _) = context.body else {
            panic!("no JSON")
        };
        let context = &context["contextData"];
        assert_eq!(context["finishAuthUrl"], "/auth/complete/ol-oauth2/?");
        assert_eq!(context["pipelineUserDetails"]["email"], "who@new.test");
        assert_eq!(context["providers"][0]["id"], "oa2-ol-oauth2");

        // §4.5: the provider's token for one of ours.
        world.lock().unwrap().person = json!({ "username": name, "email": email });
        let pw = application(identity, "public", "password", None).await;
        let exchange = async |token: &str, client: &str| {
            let form = Form::from([("access_token", token), ("client_id", client)]);
            let request = TokenRequest {
                form: &form,
                authorization: None,
                has_query: false,
                token_type: None,
            };
            identity
                .exchange_access_token("ol-oauth2", &request, now())
                .await
                .unwrap()
        };
        let reply = exchange("at", &pw).await;
        let Body::Json(body, _) = &reply.body else {
            panic!("no JSON")
        };
        assert_eq!((reply.status, &body["scope"]), (200, &json!("")));
        assert!(body["refresh_token"].is_string());
        let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
        let reply = identity
            .login_with_token(Some(&bearer), None, now())
            .await
            .unwrap();
        assert_eq!((reply.status, reply.cookies.len()), (204, 1));
        assert_eq!(exchange("bad", &pw).await.status, 400);
        let cc = application(identity, "confidential", "client-credentials", None).await;
        assert!(
            exchange("at", &cc)
                .await
                .body_text()
                .contains("is not a public client")
        );
    }
}

/// §10.1 step 8, §10.2: an id token is verified, its nonce serves once, an active user with the address is linked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn openid_connect() {
    for engine in engines::all().await {
        let bob = engines::user(&engine.identity, true).await;
        let world = Arc::new(Mutex::new(World {
            person: json!({ "sub": unique("sub"), "email": bob.email, "preferred_username": "b" }),
            ..World::default()
        }));
        let identity = &handle(&engine.identity, "oidc", &world).await;
        let (to, started) = start(identity, "oidc", "/x").await;
        assert_eq!(parameter(&to, "scope"), "openid+profile+email");
        let state = parameter(&to, "state");
        let nonce = parameter(&to, "nonce");
        let right = [("code", "good"), ("state", state.as_str())];
        // A foreign nonce.
        world.lock().unwrap().nonce = "other".into();
        let outcome = complete(identity, "oidc", &right, started.clone(), true, now()).await;
        let (to, failed, _) = session(identity, &outcome).await;
        assert_eq!(to, "/login");
        assert!(failed.text("_messages").unwrap().contains("nonce"));
        world.lock().unwrap().nonce = nonce;
        // Ten minutes and a second later the token is too old (and expired).
        let late = now() + chrono::TimeDelta::seconds(601);
        let outcome = complete(identity, "oidc", &right, started.clone(), true, late).await;
        assert!(matches!(&outcome, SocialOutcome::Redirect { to, .. } if to == "/login"));
        let outcome = complete(identity, "oidc", &right, started.clone(), true, now()).await;
        let (to, _, signed_in) = session(identity, &outcome).await;
        assert_eq!((to.as_str(), signed_in.unwrap().id), ("/x", bob.id));
        // The nonce is used up.
        let outcome = complete(identity, "oidc", &right, started, true, now()).await;
        let (_, failed, _) = session(identity, &outcome).await;
        assert!(failed.text("_messages").unwrap().contains("nonce"));
        let reply = identity
            .third_party_user(Some(&bob), false, Some(&bob.username), None)
            .await;
        let Body::Json(body, _) = reply.unwrap().body else {
            panic!("no JSON")
        };
        assert_eq!(body["active"][0]["provider_id"], "oa2-oidc");
        assert!(matches!(
            identity
                .social_login("nothing", &Form::default(), None, now())
                .await
                .unwrap(),
            SocialOutcome::NotFound
        ));
    }
}
