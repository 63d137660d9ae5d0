//! The databases that the suite runs on, with users and courses of their own.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{NaiveDate, NaiveDateTime};
use db::{Db, Options};
use opaque_keys::CourseKey;
use records::course_modes::CourseMode;
use records::course_overviews::CourseOverview;
use records::history::Author;
use records::testing::TestDb;
use records::users::{self, User, UserProfile};
use tokio::sync::Mutex;

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
        let options = Options {
            connections: 6,
            ..Options::default()
        };
        let db = Db::connect(&address, &options).await.unwrap();
        found.push(Engine { db, _folder: None });
    }
    found
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
        let name = "stoa_test_enrollment";
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

pub fn now() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, 4)
        .unwrap()
        .and_hms_micro_opt(12, 0, 0, 120_000)
        .unwrap()
}

pub async fn user(db: &Db, is_staff: bool) -> User {
    let name = unique("user");
    let name = &name;
    db.write(|mut tx| async move {
        let mut user = User {
            username: name.clone(),
            email: format!("{name}@example.com"),
            password: "!".to_owned(),
            is_active: true,
            is_staff,
            date_joined: now(),
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

/// A course with modes, changed by `with`.
pub async fn course(db: &Db, modes: &[&str], with: impl Fn(&mut CourseOverview)) -> CourseKey {
    let course = CourseKey::new("Org", &unique("C"), "Run").unwrap();
    let mut overview = CourseOverview {
        id: course.to_string(),
        created: now(),
        modified: now(),
        display_name: Some("A course".to_owned()),
        org: "Org".to_owned(),
        ..CourseOverview::default()
    };
    with(&mut overview);
    let (overview, id) = (&overview, &course.to_string());
    db.write(|mut tx| async move {
        let author = Author::nobody(now());
        records::course_overviews::save(&mut tx, overview, &author).await?;
        for slug in modes {
            let mut mode = CourseMode {
                course_id: id.clone(),
                mode_slug: (*slug).to_owned(),
                mode_display_name: (*slug).to_owned(),
                currency: "usd".to_owned(),
                ..CourseMode::default()
            };
            records::course_modes::create(&mut tx, &mut mode, &author).await?;
        }
        Ok::<_, db::Error>(())
    })
    .await
    .unwrap();
    course
}
