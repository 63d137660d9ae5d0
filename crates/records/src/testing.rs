//! Migrated databases for tests of any crate (feature `testing`).

use std::path::PathBuf;

use db::{Db, Options, Result};
use tokio::sync::OnceCell;

static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();

/// A migrated SQLite database in a folder that goes when this is dropped.
#[derive(Debug)]
pub struct TestDb {
    /// The handle.
    pub db: Db,
    /// The file.
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

impl std::ops::Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// A fresh database with the whole schema. The schema is made once per process and copied.
pub async fn sqlite() -> Result<TestDb> {
    let template = TEMPLATE
        .get_or_try_init(|| async {
            let folder = folder()?;
            let path = folder.path().join("made.db");
            let db = Db::open_file(&path, &Options::default()).await?;
            crate::migrate(&db).await?;
            let copy = folder.path().join("copy.db");
            db.copy_to(&copy).await?;
            db.close().await;
            tokio::fs::read(&copy).await.map_err(refused)
        })
        .await?;
    let folder = folder()?;
    let path = folder.path().join("test.db");
    tokio::fs::write(&path, template).await.map_err(refused)?;
    let db = Db::open_file(&path, &Options::default()).await?;
    Ok(TestDb {
        db,
        path,
        _folder: folder,
    })
}

fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(refused)
}

fn refused(error: std::io::Error) -> db::Error {
    db::Error::Connect(Box::new(error))
}
