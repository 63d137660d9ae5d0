//! The databases that the suite runs on.

use db::{Db, Options};
use tempfile::TempDir;

/// A fresh, empty database, gone when dropped (a MySQL schema: at the next run).
pub struct Fresh {
    pub db: Db,
    pub address: String,
    _folder: Option<TempDir>,
}

pub async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("test.db").display());
    let db = Db::connect(&address, &Options::default()).await.unwrap();
    Fresh {
        db,
        address,
        _folder: Some(folder),
    }
}

/// A schema of the server under test, emptied; `None`, with a line saying so, without a server.
pub async fn mysql(name: &str) -> Option<Fresh> {
    let Ok(server) = std::env::var("STOA_TEST_MYSQL_URL") else {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "CI needs STOA_TEST_MYSQL_URL"
        );
        eprintln!("{name}: skipped on MySQL, STOA_TEST_MYSQL_URL is not set");
        return None;
    };
    let server = server.trim_end_matches('/').to_owned();
    let admin = Db::connect(&format!("{server}/mysql"), &Options::default())
        .await
        .unwrap();
    let schema = format!("stoa_test_db_{name}");
    admin
        .execute(&format!("DROP DATABASE IF EXISTS `{schema}`"), &[])
        .await
        .unwrap();
    let create =
        format!("CREATE DATABASE `{schema}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
    admin.execute(&create, &[]).await.unwrap();
    let address = format!("{server}/{schema}");
    let db = Db::connect(&address, &Options::default()).await.unwrap();
    Some(Fresh {
        db,
        address,
        _folder: None,
    })
}

/// Both engines, as far as they are there.
pub async fn all(name: &str) -> Vec<Fresh> {
    let mut found = vec![sqlite().await];
    found.extend(mysql(name).await);
    found
}
