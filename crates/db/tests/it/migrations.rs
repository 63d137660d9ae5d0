//! Migrations: interrupted anywhere, run twice, run at once, and beside another system's tables.

use db::{BaseSchema, Db, Migration, Plan, migrate, migrate_interrupted, params};

use crate::engines;

const PLAN: Plan = Plan {
    base: Some(BaseSchema {
        name: "0000_base",
        shown_by: &["parent"],
        sqlite: "CREATE TABLE `child` (`id` integer PRIMARY KEY, `parent_id` integer NOT NULL \
            REFERENCES `parent` (`id`) DEFERRABLE INITIALLY DEFERRED);\n\
            CREATE TABLE `parent` (`id` integer PRIMARY KEY);",
        mysql: "CREATE TABLE IF NOT EXISTS `child` (`id` int PRIMARY KEY, `parent_id` int NOT NULL, \
            FOREIGN KEY (`parent_id`) REFERENCES `parent` (`id`));\n\
            CREATE TABLE IF NOT EXISTS `parent` (`id` int PRIMARY KEY);",
        rows: "INSERT INTO child VALUES (1, 1);\nINSERT INTO parent VALUES (1);",
    }),
    migrations: &[
        Migration {
            name: "0001_ours",
            sqlite: "CREATE TABLE `stoa_ours` (`id` integer PRIMARY KEY);",
            mysql: "CREATE TABLE IF NOT EXISTS `stoa_ours` (`id` int PRIMARY KEY);",
        },
        Migration {
            name: "0002_more",
            sqlite: "CREATE TABLE `stoa_more` (`id` integer PRIMARY KEY);",
            mysql: "CREATE TABLE IF NOT EXISTS `stoa_more` (`id` int PRIMARY KEY);",
        },
    ],
};

async fn complete(db: &Db) {
    for table in ["child", "parent"] {
        let count = db
            .read_int(&format!("SELECT COUNT(*) AS n FROM {table}"), &[])
            .await;
        assert_eq!(count.unwrap(), 1, "{table}");
    }
    for table in ["stoa_ours", "stoa_more"] {
        db.read(&format!("SELECT id FROM {table}"), &[])
            .await
            .unwrap();
    }
    let open = "SELECT COUNT(*) AS n FROM stoa_migration WHERE finished IS NULL";
    assert_eq!(db.read_int(open, &[]).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_between_any_two_statements_is_finished_by_the_next_run() {
    let steps = {
        let fresh = engines::sqlite().await;
        migrate(&fresh.db, &PLAN).await.unwrap().statements + 8
    };
    for stop_at in 0..steps {
        for fresh in engines::all("killed").await {
            if let Err(error) = migrate_interrupted(&fresh.db, &PLAN, Some(stop_at)).await {
                assert!(error.to_string().contains("stopped"), "{error}");
            }
            migrate(&fresh.db, &PLAN).await.unwrap();
            complete(&fresh.db).await;
            let again = migrate(&fresh.db, &PLAN).await.unwrap();
            assert!(!again.base_created && again.applied.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_migrate_at_once() {
    for fresh in engines::all("at_once").await {
        let other = Db::connect(&fresh.address, &db::Options::default())
            .await
            .unwrap();
        let (one, two) = tokio::join!(migrate(&fresh.db, &PLAN), migrate(&other, &PLAN));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(one.applied.len() + two.applied.len(), 2);
        assert_ne!(one.base_created, two.base_created);
        complete(&fresh.db).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tables_of_another_system_are_adopted_and_left_alone() {
    for fresh in engines::all("adopted").await {
        fresh
            .db
            .execute("CREATE TABLE parent (id int PRIMARY KEY, extra int)", &[])
            .await
            .unwrap();
        let report = migrate(&fresh.db, &PLAN).await.unwrap();
        assert!(report.base_adopted && !report.base_created);
        assert_eq!(report.applied.len(), 2);
        assert!(fresh.db.read("SELECT id FROM child", &[]).await.is_err());
        let report = migrate(&fresh.db, &PLAN).await.unwrap();
        assert!(report.base_adopted && report.applied.is_empty());
        fresh
            .db
            .execute(
                "INSERT INTO stoa_migration (name, started, finished, adopted) VALUES (?, ?, ?, 0)",
                &params!["9999_later", "2030-01-01 00:00:00", "2030-01-01 00:00:00"],
            )
            .await
            .unwrap();
        assert_eq!(
            migrate(&fresh.db, &PLAN).await.unwrap().unknown,
            ["9999_later"]
        );
    }
}
