//! The databases that the suite runs on, with a handle and users of their own.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use db::{Db, Options, params};
use identity::{Identity, NewUser, Settings, User};
use records::testing::TestDb;
use tokio::sync::Mutex;

pub const PASSWORD: &str = "Passw0rd-x1";

pub struct Engine {
    pub identity: Identity,
    _folder: Option<TestDb>,
}

/// Both engines, as far as they are there.
pub async fn all() -> Vec<Engine> {
    let sqlite = records::testing::sqlite().await.unwrap();
    let mut found = vec![Engine {
        identity: handle(sqlite.db.clone()),
        _folder: Some(sqlite),
    }];
    if let Some(address) = shared_schema().await {
        let options = Options {
            connections: 6,
            ..Options::default()
        };
        let db = Db::connect(&address, &options).await.unwrap();
        found.push(Engine {
            identity: handle(db),
            _folder: None,
        });
    }
    found
}

fn handle(db: Db) -> Identity {
    Identity::new(db, settings()).unwrap()
}

pub fn settings() -> Settings {
    let mut settings = Settings {
        secret_key: "contract-secret-key-0123456789abcdef".into(),
        platform_name: "Peer".into(),
        password_iterations: 200,
        ..Settings::default()
    };
    settings.jwt.secret_key = "lms-secret".into();
    settings.jwt.private_signing_jwk =
        Some(serde_json::from_str(include_str!("test_key.json")).unwrap());
    settings
}

async fn shared_schema() -> Option<String> {
    static READY: Mutex<Option<String>> = Mutex::const_new(None);
    let Ok(server) = std::env::var("STOA_TEST_MYSQL_URL") else {
        eprintln!("skipped on MySQL, STOA_TEST_MYSQL_URL is not set");
        return None;
    };
    let mut ready = READY.lock().await;
    if ready.is_none() {
        let server = server.trim_end_matches('/');
        let admin = Db::connect(&format!("{server}/mysql"), &Options::default())
            .await
            .unwrap();
        let name = "stoa_test_identity";
        admin
            .execute(&format!("DROP DATABASE IF EXISTS `{name}`"), &[])
            .await
            .unwrap();
        let create =
            format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
        admin.execute(&create, &[]).await.unwrap();
        let address = format!("{server}/{name}");
        let db = Db::connect(&address, &Options::default()).await.unwrap();
        records::migrate(&db).await.unwrap();
        db.close().await;
        *ready = Some(address);
    }
    ready.clone()
}

/// A word that no other test of this run uses.
pub fn unique(word: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{word}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_476_591, 123_456_000).unwrap()
}

/// An active user with [`PASSWORD`]. The hash is cheap, so the first right password renews it.
pub async fn user(identity: &Identity, active: bool) -> User {
    let username = unique("user");
    let new = NewUser {
        email: format!("{username}@example.com"),
        name: format!("{username} Example"),
        username,
        is_active: active,
        ..NewUser::default()
    };
    let mut user = identity.create_user(&new, now()).await.unwrap();
    user.password = django_compat::passwords::make_password(
        django_compat::passwords::Algorithm::Pbkdf2Sha256,
        PASSWORD,
        "saltsaltsaltsaltsaltsa",
        100,
    )
    .unwrap();
    let encoded = &user.password;
    let id = user.id;
    identity
        .db()
        .write(|mut tx| async move { records::users::set_password(&mut tx, id, encoded).await })
        .await
        .unwrap();
    user
}

/// An OAuth application of its own; its client id.
pub async fn application(
    identity: &Identity,
    kind: &str,
    grant: &str,
    owner: Option<i64>,
) -> String {
    let client_id = unique("client");
    identity
        .db()
        .execute(
            "INSERT INTO oauth2_provider_application (client_id, redirect_uris, client_type, \
             authorization_grant_type, client_secret, name, user_id, skip_authorization, created, \
             updated, algorithm) VALUES (?, 'http://client.test/cb', ?, ?, 's3cret', 'x', ?, 1, ?, ?, '')",
            &params![&client_id, kind, grant, owner, now(), now()],
        )
        .await
        .unwrap();
    client_id
}
