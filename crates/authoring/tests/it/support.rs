//! Stores in a folder of their own, and archives made of texts.

use std::path::{Path, PathBuf};

use authoring::{Follower, ImportOptions, ImportSummary};
use blobs::Blobs;
use chrono::{DateTime, TimeZone, Utc};
use db::Db;
use modulestore::{CacheSizes, ModuleStore};
use opaque_keys::CourseKey;
use records::testing::TestDb;

/// Open stores; they go with it.
pub struct House {
    pub db: Db,
    pub store: ModuleStore,
    pub blobs: Blobs,
    _folder: tempfile::TempDir,
    _test: TestDb,
}

pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

/// Fresh stores.
pub async fn house() -> House {
    let test = records::testing::sqlite().await.unwrap();
    let db = test.db.clone();
    let store = ModuleStore::embedded(db.clone(), CacheSizes::default())
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    House {
        db,
        store,
        blobs: Blobs::folder(folder.path().join("blobs")),
        _folder: folder,
        _test: test,
    }
}

impl House {
    /// Imports a folder or archive and does what follows but for thumbnails, which take long in builds for tests.
    pub async fn import(
        &self,
        path: &Path,
        into: Option<&str>,
    ) -> Result<ImportSummary, authoring::Error> {
        self.import_with(path, into, false).await
    }

    /// Imports a folder or archive and does what follows, with thumbnails or without.
    pub async fn import_with(
        &self,
        path: &Path,
        into: Option<&str>,
        thumbnails: bool,
    ) -> Result<ImportSummary, authoring::Error> {
        let spool = tempfile::tempdir().unwrap();
        let options = ImportOptions {
            into: into.map(|key| CourseKey::parse(key).unwrap()),
            create: true,
            user_id: authoring::COMMAND_USER,
            now: now(),
            limits: olx::Limits::default(),
        };
        let (store, blobs) = (&self.store, &self.blobs);
        let summary = authoring::import_course(
            &self.db,
            store,
            blobs,
            path,
            spool.path(),
            &options,
            &|_| {},
        )
        .await?;
        if !thumbnails {
            let sql = "UPDATE stoa_outbox SET done_at = created WHERE topic = ?";
            let topic = db::params![modulestore::split::THUMBNAIL_WANTED];
            self.db.execute(sql, &topic).await.unwrap();
        }
        self.follow().await;
        Ok(summary)
    }

    /// Does what follows publishes.
    pub async fn follow(&self) {
        let follower = Follower {
            db: self.db.clone(),
            store: self.store.clone(),
        };
        // Imports of one moment stand one after the other in the outbox.
        let later = now() + chrono::TimeDelta::minutes(1);
        while follower.step(later).await.unwrap() > 0 {}
        let sql = "SELECT topic, `key`, error FROM stoa_outbox WHERE done_at IS NULL";
        let left = self.db.read(sql, &[]).await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Exports a course or library.
    pub async fn export(&self, key: &str, path: &Path) {
        let key = CourseKey::parse(key).unwrap();
        authoring::export_course(&self.db, &self.store, &self.blobs, &key, path)
            .await
            .unwrap();
    }
}

/// The folder of specifications, if it is here: `STOA_SHARED`, or `shared` beside the repository.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("STOA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    folder.join("golden").is_dir().then_some(folder)
}

/// A folder with these files.
pub fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// A course of one unit with this content, and more files.
pub fn unit(content: &str, more: &[(&str, &str)]) -> tempfile::TempDir {
    let course = format!(
        "<course display_name=\"T\"><chapter url_name=\"c\"><sequential url_name=\"s\">\
         <vertical url_name=\"v\">{content}</vertical></sequential></chapter></course>"
    );
    let mut files = vec![
        ("course.xml", r#"<course url_name="R" org="S" course="N"/>"#),
        ("course/R.xml", &course),
    ];
    files.extend_from_slice(more);
    folder(&files)
}
