//! What every engine must do.

use chrono::NaiveDate;
use db::{Db, Dialect, Error, Value, counting, in_chunks, params};

use crate::engines;

const TABLE: &str = "CREATE TABLE `t` (`id` {id}, `k` varchar(100) NOT NULL UNIQUE, \
    `n` bigint NULL, `f` double NULL, `flag` tinyint(1) NULL, `at` datetime(6) NULL, \
    `note` longtext NULL, `raw` longblob NULL, `d` date NULL, `dec` decimal(5,2) NULL)";

async fn make_table(db: &Db) {
    let id = match db.dialect() {
        Dialect::Sqlite => "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
        Dialect::MySql => "int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY",
    };
    db.execute(&TABLE.replace("{id}", id), &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn values_come_back_as_they_went_in() {
    for fresh in engines::all("values").await {
        let db = &fresh.db;
        make_table(db).await;
        let at = NaiveDate::from_ymd_opt(2026, 2, 3)
            .unwrap()
            .and_hms_micro_opt(4, 5, 6, 120_000);
        let sql = db.dialect().insert(
            "t",
            &["k", "n", "f", "flag", "at", "note", "raw", "d", "dec"],
        );
        let sql = &sql;
        let day = NaiveDate::from_ymd_opt(2026, 2, 3);
        let id = db
            .write(|mut tx| async move {
                tx.insert_returning_id(
                    sql,
                    &params![
                        "🦉",
                        -5,
                        0.25,
                        true,
                        at,
                        "é😀\n'",
                        vec![0_u8, 255],
                        day,
                        "1.50"
                    ],
                )
                .await
            })
            .await
            .unwrap();
        assert_eq!(id, 1);
        let row = db
            .read_one("SELECT * FROM t WHERE id = ?", &params![id])
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.text("k").unwrap(), "🦉");
        assert_eq!(row.int("n").unwrap(), -5);
        assert_eq!(row.float("f").unwrap(), 0.25);
        assert!(row.bool("flag").unwrap());
        assert_eq!(row.opt_datetime("at").unwrap(), at);
        assert_eq!(row.text("note").unwrap(), "é😀\n'");
        assert_eq!(row.bytes("raw").unwrap(), [0, 255]);
        assert_eq!(row.opt_date("d").unwrap(), day);
        assert_eq!(row.float("dec").unwrap(), 1.5);
        if db.dialect() == Dialect::Sqlite {
            // The form that Django writes: six digits.
            let text = db
                .read_one("SELECT at AS a FROM t", &[])
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                text.value("a").unwrap(),
                &Value::from("2026-02-03 04:05:06.120000")
            );
        }
        assert_eq!(
            db.read_int("SELECT SUM(n) AS s FROM t", &[]).await.unwrap(),
            -5
        );
        assert_eq!(
            db.read_int("SELECT COUNT(*) AS s FROM t", &[])
                .await
                .unwrap(),
            1
        );
        assert!(
            db.read("SELECT * FROM t WHERE id = ?", &params![9])
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_are_sorted_and_transactions_undone() {
    for fresh in engines::all("failures").await {
        let db = &fresh.db;
        make_table(db).await;
        let insert = "INSERT INTO t (k, n) VALUES (?, ?)";
        db.execute(insert, &params!["a", 1]).await.unwrap();
        let error = db.execute(insert, &params!["a", 2]).await.unwrap_err();
        assert!(error.is_unique(), "{error}");
        assert!(!error.to_string().contains("VALUES ('a'"), "{error}");
        let result: Result<(), Error> = db
            .write(|mut tx| async move {
                tx.execute(insert, &params!["b", 1]).await?;
                assert_eq!(tx.read_int("SELECT COUNT(*) AS n FROM t", &[]).await?, 2);
                Err(Error::NoRow("on purpose".to_owned()))
            })
            .await;
        assert!(matches!(result, Err(Error::NoRow(_))));
        assert_eq!(
            db.read_int("SELECT COUNT(*) AS n FROM t", &[])
                .await
                .unwrap(),
            1
        );
        assert!(matches!(
            db.read("SELECT nothing FROM t", &[]).await,
            Err(Error::Statement { .. })
        ));
        // A future dropped in mid-transaction undoes it and frees its connection.
        let slow = db.write(|mut tx| async move {
            tx.execute(insert, &params!["c", 1]).await?;
            std::future::pending::<Result<(), Error>>().await
        });
        let late = tokio::time::timeout(std::time::Duration::from_millis(200), slow).await;
        assert!(late.is_err());
        db.execute(insert, &params!["d", 1]).await.unwrap();
        assert_eq!(
            db.read_int("SELECT COUNT(*) AS n FROM t", &[])
                .await
                .unwrap(),
            2
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upserts_insert_once_and_then_update() {
    for fresh in engines::all("upserts").await {
        let db = &fresh.db;
        make_table(db).await;
        let sql = db.dialect().upsert_keeping("t", &["k"], &["n"], &["note"]);
        db.execute(&sql, &params!["a", 1, "first"]).await.unwrap();
        db.execute(&sql, &params!["a", 2, "second"]).await.unwrap();
        let ignore = db.dialect().insert_ignore("t", &["k", "n"]);
        db.execute(&ignore, &params!["a", 3]).await.unwrap();
        db.execute(&ignore, &params!["b", 3]).await.unwrap();
        let rows = db
            .read("SELECT k, n, note FROM t ORDER BY k", &[])
            .await
            .unwrap();
        let seen: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.text("k").unwrap(),
                    row.int("n").unwrap(),
                    row.opt_text("note").unwrap(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a".to_owned(), 2, Some("first".to_owned())),
                ("b".to_owned(), 3, None)
            ]
        );
        let keys = ["a", "b", "c"];
        for (marks, chunk) in in_chunks(&keys) {
            let sql = format!("SELECT COUNT(*) AS n FROM t WHERE k IN ({marks})");
            let params: Vec<Value> = chunk.iter().copied().map(Value::from).collect();
            assert_eq!(db.read_int(&sql, &params).await.unwrap(), 2);
        }
    }
}

/// users.md: writers that meet must wait for each other, never fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_that_meet_all_succeed() {
    for fresh in engines::all("writers").await {
        let db = &fresh.db;
        make_table(db).await;
        for key in 0..8 {
            db.execute(
                "INSERT INTO t (k, n) VALUES (?, 0)",
                &params![format!("k{key}")],
            )
            .await
            .unwrap();
        }
        // Each takes two rows in an order of its own: on MySQL that makes deadlocks.
        let lock = db.dialect().for_update();
        let tasks: Vec<_> = (0..40_usize)
            .map(|index| {
                let db = db.clone();
                tokio::spawn(async move {
                    let pair = [index % 8, (index * 5 + 3) % 8];
                    let pair = &pair;
                    db.write(|mut tx| async move {
                        for key in pair {
                            let key = format!("k{key}");
                            let read = format!("SELECT n FROM t WHERE k = ?{lock}");
                            let n = tx.read_int(&read, &params![&key]).await?;
                            tokio::task::yield_now().await;
                            let update = "UPDATE t SET n = ? WHERE k = ?";
                            tx.execute(update, &params![n + 1, &key]).await?;
                        }
                        Ok::<_, Error>(())
                    })
                    .await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(
            db.read_int("SELECT SUM(n) AS n FROM t", &[]).await.unwrap(),
            80
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_process_on_the_same_file_waits_too() {
    let fresh = engines::sqlite().await;
    make_table(&fresh.db).await;
    let other = Db::connect(&fresh.address, &db::Options::default())
        .await
        .unwrap();
    let tasks: Vec<_> = (0..60)
        .map(|index| {
            let db = if index % 2 == 0 {
                fresh.db.clone()
            } else {
                other.clone()
            };
            tokio::spawn(async move {
                db.execute(
                    "INSERT INTO t (k) VALUES (?)",
                    &params![format!("k{index}")],
                )
                .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        other
            .read_int("SELECT COUNT(*) AS n FROM t", &[])
            .await
            .unwrap(),
        60
    );
}

#[tokio::test]
async fn statements_are_counted_for_the_scope_that_ran_them() {
    let fresh = engines::sqlite().await;
    make_table(&fresh.db).await;
    let ((), counts) = counting(async {
        fresh.db.read("SELECT 1 AS one", &[]).await.unwrap();
        fresh
            .db
            .write(|mut tx| async move {
                tx.read("SELECT 1 AS one", &[]).await?;
                tx.execute("INSERT INTO t (k) VALUES ('x')", &[]).await
            })
            .await
            .unwrap();
    })
    .await;
    assert_eq!(
        (counts.reads, counts.writes, counts.transactions),
        (2, 1, 1)
    );
    assert!(fresh.db.totals().writes >= 2);
}

#[tokio::test]
async fn a_copy_is_a_database_of_its_own() {
    let fresh = engines::sqlite().await;
    make_table(&fresh.db).await;
    fresh
        .db
        .execute("INSERT INTO t (k) VALUES ('x')", &[])
        .await
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    fresh.db.copy_to(&path).await.unwrap();
    let copy = Db::open_file(&path, &db::Options::default()).await.unwrap();
    assert_eq!(
        copy.read_int("SELECT COUNT(*) AS n FROM t", &[])
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn odd_addresses_are_refused() {
    for address in ["", "postgres://x/y", "sqlite:", "sqlite::memory:"] {
        let result = Db::connect(address, &db::Options::default()).await;
        assert!(matches!(result, Err(Error::Address(_))), "{address}");
    }
}

/// A server that was restarted, or that dropped idle connections, is met again without an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn broken_connections_are_replaced() {
    let Some(fresh) = engines::mysql("broken").await else {
        return;
    };
    let Some(admin) = engines::mysql("broken_admin").await else {
        return;
    };
    make_table(&fresh.db).await;
    for round in 0..3 {
        let sql = "SELECT id FROM information_schema.processlist WHERE db = 'stoa_test_db_broken'";
        for row in admin.db.read(sql, &[]).await.unwrap() {
            let kill = format!("KILL {}", row.int("id").unwrap());
            admin.db.execute(&kill, &[]).await.unwrap();
        }
        if round == 1 {
            let count = fresh
                .db
                .read_int("SELECT COUNT(*) AS n FROM t", &[])
                .await
                .unwrap();
            assert_eq!(count, 1);
        } else {
            let key = format!("k{round}");
            let insert = "INSERT INTO t (k) VALUES (?)";
            fresh.db.execute(insert, &params![key]).await.unwrap();
        }
    }
    assert_eq!(
        fresh
            .db
            .read_int("SELECT COUNT(*) AS n FROM t", &[])
            .await
            .unwrap(),
        2
    );
}
