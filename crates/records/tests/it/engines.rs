//! The databases that the suite runs on.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{NaiveDate, NaiveDateTime};
use db::{Db, Options};
use opaque_keys::CourseKey;
use records::testing::TestDb;
use records::users::{self, User, UserProfile};
use tokio::sync::Mutex;

/// A migrated database; a SQLite one is fresh, a MySQL one is shared by the whole binary.
pub struct Engine {
    pub db: Db,
    _folder: Option<TestDb>,
}

/// Both engines, as far as they are there.
pub async fn all() -> Vec<Engine> {
    let sqlite = records::testing::sqlite().await.unwrap();
    let mut found = vec![Engine {
        db: sqlite.db.clone(),
        _folder: Some(sqlite),
    }];
    if let Some(address) = shared_schema().await {
        // Handles belong to the runtime of one test; the schema is shared.
        let options = Options {
            connections: 6,
            prepared: 2000,
            ..Options::default()
        };
        let db = Db::connect(&address, &options).await.unwrap();
        found.push(Engine { db, _folder: None });
    }
    found
}

/// Address of the server under test, without a schema.
pub fn server() -> Option<String> {
    let Ok(server) = std::env::var("STOA_TEST_MYSQL_URL") else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "CI needs STOA_TEST_MYSQL_URL"
        );
        eprintln!("skipped on MySQL, STOA_TEST_MYSQL_URL is not set");
        return None;
    };
    Some(server.trim_end_matches('/').to_owned())
}

/// Makes an empty schema; its address.
pub async fn schema(server: &str, name: &str) -> String {
    let admin = Db::connect(&format!("{server}/mysql"), &Options::default())
        .await
        .unwrap();
    admin
        .execute(&format!("DROP DATABASE IF EXISTS `{name}`"), &[])
        .await
        .unwrap();
    let create =
        format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
    admin.execute(&create, &[]).await.unwrap();
    format!("{server}/{name}")
}

async fn shared_schema() -> Option<String> {
    static READY: Mutex<Option<String>> = Mutex::const_new(None);
    let server = server()?;
    let mut ready = READY.lock().await;
    if ready.is_none() {
        let address = schema(&server, "stoa_test_records").await;
        let db = Db::connect(&address, &Options::default()).await.unwrap();
        records::migrate(&db).await.unwrap();
        db.close().await;
        *ready = Some(address);
    }
    ready.clone()
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A word that no other test of this run uses.
pub fn unique(word: &str) -> String {
    format!("{word}{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A course key of its own.
pub fn course() -> CourseKey {
    CourseKey::new("Org", &unique("C"), "Run").unwrap()
}

/// A moment with microseconds, `seconds` after noon.
pub fn moment(seconds: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, 4)
        .and_then(|day| day.and_hms_micro_opt(12, seconds / 60, seconds % 60, 120_000))
        .unwrap()
}

/// An account of its own.
pub async fn user(db: &Db) -> User {
    let name = unique("user");
    let name = &name;
    db.write(|mut tx| async move {
        let mut user = User {
            username: name.clone(),
            email: format!("{name}@example.com"),
            password: "!".to_owned(),
            is_active: true,
            date_joined: moment(0),
            ..User::default()
        };
        let mut profile = UserProfile {
            name: name.clone(),
            ..UserProfile::default()
        };
        users::create(&mut tx, &mut user, &mut profile, None).await?;
        Ok::<_, db::Error>(user)
    })
    .await
    .unwrap()
}
