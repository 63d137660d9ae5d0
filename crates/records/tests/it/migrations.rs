//! The whole schema on both engines, and beside tables that Django made.

use std::path::PathBuf;

use db::{Db, Dialect, Options};

use crate::engines;

/// The folder with the definitions of a running platform, if it is there.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("STOA_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    folder
        .join("schema/edxapp-mysql.sql")
        .is_file()
        .then_some(folder)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fresh_database_has_every_table_and_the_first_rows() {
    for engine in engines::all().await {
        let db = &engine.db;
        for (table, rows) in [("django_migrations", 1000), ("django_content_type", 500)] {
            let sql = format!("SELECT COUNT(*) AS n FROM {table}");
            assert!(db.read_int(&sql, &[]).await.unwrap() > rows, "{table}");
        }
        assert_eq!(records::outbox::waiting(db).await.unwrap().0, 0);
        let again = records::migrate(db).await.unwrap();
        assert!(!again.base_created && again.applied.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fresh_sqlite_database_is_ready_within_two_seconds_and_sound() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fresh.db");
    let started = std::time::Instant::now();
    let db = Db::open_file(&path, &Options::default()).await.unwrap();
    let report = records::migrate(&db).await.unwrap();
    let took = started.elapsed();
    println!("migrated {} statements in {took:?}", report.statements);
    assert!(report.base_created);
    assert!(
        db.read("PRAGMA foreign_key_check", &[])
            .await
            .unwrap()
            .is_empty()
    );
    let check = db
        .read_one("PRAGMA integrity_check", &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(check.text("integrity_check").unwrap(), "ok");
    // Loaded machines are slow; what is checked is the order of magnitude.
    assert!(took.as_secs() < 20, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_run_is_finished_by_the_next() {
    for stop_at in [0, 1, 2, 500, 1720] {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open_file(&folder.path().join("x.db"), &Options::default())
            .await
            .unwrap();
        db::migrate_interrupted(&db, &records::PLAN, Some(stop_at))
            .await
            .unwrap_err();
        assert!(records::migrate(&db).await.unwrap().base_created);
        assert_eq!(
            db.read_int("SELECT COUNT(*) AS n FROM auth_user", &[])
                .await
                .unwrap(),
            1
        );
    }
}

/// A learner's page must not walk through everything that a course has.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_finds_a_learners_rows_by_the_learner() {
    let db = records::testing::sqlite().await.unwrap();
    for (sql, index) in [
        (
            "SELECT * FROM courseware_studentmodule WHERE student_id = ? AND course_id = ?",
            "student_id=?",
        ),
        (
            "SELECT * FROM courseware_studentmodule WHERE module_id IN (?, ?) \
             AND student_id = ? AND course_id = ?",
            "student_id=? AND module_id=? AND course_id=?",
        ),
        (
            "SELECT * FROM courseware_studentmodule WHERE module_id = ? AND course_id = ? \
             AND id > ? ORDER BY id LIMIT 10",
            "module_id=?",
        ),
        (
            "SELECT * FROM completion_blockcompletion WHERE user_id = ? AND course_key = ?",
            "user_id=? AND course_key=?",
        ),
        (
            "SELECT * FROM bookmarks_bookmark WHERE user_id = ? AND course_key = ?",
            "user_id=?",
        ),
    ] {
        let params = vec![db::Value::Int(1); sql.matches('?').count()];
        let rows = db
            .read(&format!("EXPLAIN QUERY PLAN {sql}"), &params)
            .await
            .unwrap();
        let plan = rows[0].text("detail").unwrap();
        assert!(plan.contains(&format!("({index}")), "{sql}: {plan}");
    }
}

/// The columns of the two engines' definitions are the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_engines_have_the_same_columns() {
    let mut seen = Vec::new();
    for engine in engines::all().await {
        let sql = match engine.db.dialect() {
            Dialect::Sqlite => {
                "SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p \
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
            }
            Dialect::MySql => {
                "SELECT table_name AS t, column_name AS c FROM information_schema.columns \
                 WHERE table_schema = DATABASE()"
            }
        };
        let mut columns: Vec<String> = engine
            .db
            .read(sql, &[])
            .await
            .unwrap()
            .iter()
            .map(|row| format!("{}.{}", row.text("t").unwrap(), row.text("c").unwrap()))
            .collect();
        columns.sort();
        assert!(columns.len() > 5000);
        seen.push(columns);
    }
    if let [sqlite, mysql] = seen.as_slice() {
        assert_eq!(sqlite, mysql);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tables_that_django_made_stay_as_they_are() {
    let Some(server) = engines::server() else {
        return;
    };
    let Some(shared) = shared() else {
        eprintln!("skipped, the definitions of a running platform are not here");
        return;
    };
    let address = engines::schema(&server, "stoa_test_records_django").await;
    // Thousands of different statements: none should be dropped for another.
    let options = Options {
        prepared: 4000,
        ..Options::default()
    };
    let db = Db::connect(&address, &options).await.unwrap();
    let text = std::fs::read_to_string(shared.join("schema/edxapp-mysql.sql")).unwrap();
    let text = &text;
    db.write(|mut tx| async move {
        for statement in text.split(";\n").map(str::trim) {
            if !statement.is_empty() {
                tx.execute(statement, &[]).await?;
            }
        }
        tx.execute("SET FOREIGN_KEY_CHECKS=1", &[]).await
    })
    .await
    .unwrap();
    let before = definitions(&db).await;
    assert!(before.len() > 500);
    let report = records::migrate(&db).await.unwrap();
    assert!(report.base_adopted && !report.base_created);
    let after = definitions(&db).await;
    let (ours, theirs): (Vec<_>, Vec<_>) = after
        .into_iter()
        .partition(|(name, _)| name.starts_with("stoa_"));
    assert_eq!(before, theirs);
    assert_eq!(ours.len(), 2);
    let rows = db
        .read_int("SELECT COUNT(*) AS n FROM django_migrations", &[])
        .await
        .unwrap();
    assert_eq!(rows, 0, "rows are Django's too");
    let drop = "DROP DATABASE stoa_test_records_django";
    db.execute(drop, &[]).await.unwrap();
}

async fn definitions(db: &Db) -> Vec<(String, String)> {
    let sql = "SELECT table_name AS t FROM information_schema.tables \
               WHERE table_schema = DATABASE() ORDER BY table_name";
    let mut found = Vec::new();
    for row in db.read(sql, &[]).await.unwrap() {
        let name = row.text("t").unwrap();
        let shown = db
            .read_one(&format!("SHOW CREATE TABLE `{name}`"), &[])
            .await
            .unwrap();
        let shown = shown.unwrap().text("Create Table").unwrap();
        found.push((name, shown));
    }
    found
}
