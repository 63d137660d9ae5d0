//! Bringing a database to the program's schema.
//!
//! Two kinds of steps. The *base schema* is a snapshot of Django's tables: it is made, with its
//! first rows, only in a database that has none of them; a database that Django made is adopted
//! and its tables are never touched. *Migrations* add and change our own tables (`stoa_…`).
//!
//! A kill between any two statements is finished by the next run: SQLite changes everything in one
//! transaction; on MySQL, where each definition commits itself, every statement may run twice
//! (`IF NOT EXISTS`), and rows are written in the transaction that marks the step as finished. Two
//! processes never migrate at once: the second waits and then finds nothing to do.

use std::time::Duration;

use chrono::{NaiveDateTime, Utc};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, SqliteConnection};

use crate::connect::Engine;
use crate::driver::{mysql_query, mysql_rows, sqlite_query, sqlite_rows};
use crate::script::statements;
use crate::{Db, Dialect, Error, Result, Row, Value, params};

/// Table that remembers what was done.
const HISTORY: &str = "CREATE TABLE IF NOT EXISTS `stoa_migration` (\
    `name` varchar(100) NOT NULL PRIMARY KEY, \
    `started` datetime(6) NOT NULL, \
    `finished` datetime(6) NULL, \
    `adopted` tinyint(1) NOT NULL)";
/// Longest wait for another process that migrates, in seconds.
const LOCK_WAIT: i64 = 300;

/// The snapshot of tables that another system owns.
#[derive(Debug, Clone, Copy)]
pub struct BaseSchema {
    /// Name in the history.
    pub name: &'static str,
    /// Any of these tables shows that the schema is already there.
    pub shown_by: &'static [&'static str],
    /// Definitions on SQLite.
    pub sqlite: &'static str,
    /// Definitions on MySQL, each with `IF NOT EXISTS`.
    pub mysql: &'static str,
    /// First rows, in SQL that both engines read alike.
    pub rows: &'static str,
}

/// One change of our own tables.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Name in the history, such as `0001_outbox`.
    pub name: &'static str,
    /// Statements on SQLite.
    pub sqlite: &'static str,
    /// Statements on MySQL; each may run twice.
    pub mysql: &'static str,
}

/// Everything that a database should have.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The other system's tables, if the database must have them.
    pub base: Option<BaseSchema>,
    /// Our changes, in order.
    pub migrations: &'static [Migration],
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The base schema was made now.
    pub base_created: bool,
    /// The base schema was found, made by another system, now or at an earlier run.
    pub base_adopted: bool,
    /// Names of the migrations applied now.
    pub applied: Vec<String>,
    /// Steps in the history that this program does not know: a newer version wrote here.
    pub unknown: Vec<String>,
    /// Statements run.
    pub statements: usize,
}

/// Brings the database to the plan. Safe to run at every start and from several processes.
pub async fn migrate(db: &Db, plan: &Plan) -> Result<Report> {
    migrate_interrupted(db, plan, None).await
}

/// As [`migrate`], but fails before statement number `stop_at`, as if the process had been killed
/// there. For tests.
pub async fn migrate_interrupted(db: &Db, plan: &Plan, stop_at: Option<usize>) -> Result<Report> {
    match db.engine() {
        Engine::Sqlite { writer, .. } => {
            let mut connection = writer.acquire().await.map_err(failed("acquire"))?;
            let mut transaction = connection
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map_err(failed("BEGIN"))?;
            let mut run = Run::new(Session::Sqlite(&mut transaction), Dialect::Sqlite, stop_at);
            let report = run.all(plan).await;
            match report {
                Ok(report) => {
                    transaction.commit().await.map_err(failed("COMMIT"))?;
                    Ok(report)
                }
                Err(error) => {
                    transaction.rollback().await.map_err(failed("ROLLBACK"))?;
                    Err(error)
                }
            }
        }
        Engine::MySql(pool) => {
            // The lock belongs to this connection and goes with it, even when it is killed.
            let mut connection = pool.acquire().await.map_err(failed("acquire"))?.detach();
            let mut run = Run::new(Session::MySql(&mut connection), Dialect::MySql, stop_at);
            run.lock().await?;
            let report = run.all(plan).await;
            connection.close().await.map_err(failed("close"))?;
            report
        }
    }
}

fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |error| Error::from_driver(what, error)
}

enum Session<'c> {
    Sqlite(&'c mut SqliteConnection),
    MySql(&'c mut MySqlConnection),
}

struct Run<'c> {
    session: Session<'c>,
    dialect: Dialect,
    stop_at: Option<usize>,
    statements: usize,
}

impl<'c> Run<'c> {
    fn new(session: Session<'c>, dialect: Dialect, stop_at: Option<usize>) -> Self {
        Self {
            session,
            dialect,
            stop_at,
            statements: 0,
        }
    }

    async fn lock(&mut self) -> Result<()> {
        let rows = self
            .read(
                "SELECT GET_LOCK(CONCAT('stoa_migrate:', LEFT(DATABASE(), 48)), ?) AS got",
                &params![LOCK_WAIT],
            )
            .await?;
        match rows
            .first()
            .map(|row| row.opt_int("got"))
            .transpose()?
            .flatten()
        {
            Some(1) => Ok(()),
            _ => Err(Error::Migration(format!(
                "another process has been migrating for more than {} s",
                Duration::from_secs(LOCK_WAIT.unsigned_abs()).as_secs()
            ))),
        }
    }

    async fn all(&mut self, plan: &Plan) -> Result<Report> {
        let mut report = Report::default();
        self.raw(HISTORY).await?;
        let rows = self
            .read("SELECT name, finished, adopted FROM stoa_migration", &[])
            .await?;
        let mut known = Vec::new();
        for row in rows {
            known.push((
                row.text("name")?,
                row.opt_datetime("finished")?,
                row.bool("adopted")?,
            ));
        }
        let state = |name: &str| known.iter().find(|(known, _, _)| known == name);
        if let Some(base) = &plan.base {
            match state(base.name) {
                Some((_, Some(_), adopted)) => report.base_adopted = *adopted,
                Some((_, None, _)) => {
                    self.create_base(base).await?;
                    report.base_created = true;
                }
                None if self.any_table(base.shown_by).await? => {
                    self.begin_step(base.name, true).await?;
                    report.base_adopted = true;
                }
                None => {
                    self.begin_step(base.name, false).await?;
                    self.create_base(base).await?;
                    report.base_created = true;
                }
            }
        }
        for migration in plan.migrations {
            match state(migration.name) {
                Some((_, Some(_), _)) => continue,
                Some((_, None, _)) => {}
                None => self.begin_step(migration.name, false).await?,
            }
            let script = match self.dialect {
                Dialect::Sqlite => migration.sqlite,
                Dialect::MySql => migration.mysql,
            };
            self.script(script).await?;
            self.finish_step(migration.name).await?;
            report.applied.push(migration.name.to_owned());
        }
        let is_known = |name: &str| {
            plan.base.as_ref().is_some_and(|base| base.name == name)
                || plan
                    .migrations
                    .iter()
                    .any(|migration| migration.name == name)
        };
        report.unknown = known
            .iter()
            .map(|(name, _, _)| name.clone())
            .filter(|name| !is_known(name))
            .collect();
        report.statements = self.statements;
        Ok(report)
    }

    async fn create_base(&mut self, base: &BaseSchema) -> Result<()> {
        let tables = match self.dialect {
            Dialect::Sqlite => base.sqlite,
            Dialect::MySql => base.mysql,
        };
        self.unchecked(true).await?;
        self.script(tables).await?;
        if self.dialect == Dialect::MySql {
            self.raw("START TRANSACTION").await?;
        }
        self.script(base.rows).await?;
        self.finish_step(base.name).await?;
        if self.dialect == Dialect::MySql {
            self.raw("COMMIT").await?;
        }
        self.unchecked(false).await
    }

    /// Tables refer to each other in cycles; MySQL looks at that unless told not to. SQLite's
    /// references are deferred to the commit.
    async fn unchecked(&mut self, on: bool) -> Result<()> {
        match (self.dialect, on) {
            (Dialect::Sqlite, _) => Ok(()),
            (Dialect::MySql, true) => {
                self.raw("SET SESSION foreign_key_checks = 0, unique_checks = 0")
                    .await
            }
            (Dialect::MySql, false) => {
                self.raw("SET SESSION foreign_key_checks = 1, unique_checks = 1")
                    .await
            }
        }
    }

    async fn any_table(&mut self, names: &[&str]) -> Result<bool> {
        let sql = match self.dialect {
            Dialect::Sqlite => {
                "SELECT COUNT(*) AS n FROM sqlite_master WHERE type = 'table' AND name = ?"
            }
            Dialect::MySql => {
                "SELECT COUNT(*) AS n FROM information_schema.tables \
                 WHERE table_schema = DATABASE() AND table_name = ?"
            }
        };
        for name in names {
            let rows = self.read(sql, &params![*name]).await?;
            if rows
                .first()
                .map(|row| row.int("n"))
                .transpose()?
                .unwrap_or_default()
                > 0
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn begin_step(&mut self, name: &str, adopted: bool) -> Result<()> {
        let finished = adopted.then(now);
        self.write(
            "INSERT INTO stoa_migration (name, started, finished, adopted) VALUES (?, ?, ?, ?)",
            &params![name, now(), finished, adopted],
        )
        .await
    }

    async fn finish_step(&mut self, name: &str) -> Result<()> {
        self.write(
            "UPDATE stoa_migration SET finished = ? WHERE name = ?",
            &params![now(), name],
        )
        .await
    }

    async fn script(&mut self, script: &str) -> Result<()> {
        for statement in statements(script, self.dialect) {
            self.raw(statement).await?;
        }
        Ok(())
    }

    /// Counts a statement and stops where a test wants the process to die.
    fn step(&mut self) -> Result<()> {
        if self.stop_at == Some(self.statements) {
            return Err(Error::Migration(format!(
                "stopped at statement {}",
                self.statements
            )));
        }
        self.statements += 1;
        Ok(())
    }

    async fn raw(&mut self, sql: &str) -> Result<()> {
        self.step()?;
        let result = match &mut self.session {
            Session::Sqlite(connection) => connection
                .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
                .await
                .map(|_| ()),
            Session::MySql(connection) => connection
                .execute(sqlx::raw_sql(AssertSqlSafe(sql)))
                .await
                .map(|_| ()),
        };
        result.map_err(|error| Error::from_driver(sql, error))
    }

    async fn write(&mut self, sql: &str, params: &[Value]) -> Result<()> {
        self.step()?;
        let result = match &mut self.session {
            Session::Sqlite(connection) => sqlite_query(sql, params)
                .execute(&mut **connection)
                .await
                .map(|_| ()),
            Session::MySql(connection) => mysql_query(sql, params)
                .execute(&mut **connection)
                .await
                .map(|_| ()),
        };
        result.map_err(|error| Error::from_driver(sql, error))
    }

    async fn read(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let failed = |error| Error::from_driver(sql, error);
        match &mut self.session {
            Session::Sqlite(connection) => {
                let rows = sqlite_query(sql, params)
                    .fetch_all(&mut **connection)
                    .await
                    .map_err(failed)?;
                sqlite_rows(sql, &rows)
            }
            Session::MySql(connection) => {
                let rows = mysql_query(sql, params)
                    .fetch_all(&mut **connection)
                    .await
                    .map_err(failed)?;
                mysql_rows(sql, &rows)
            }
        }
    }
}

fn now() -> NaiveDateTime {
    Utc::now().naive_utc()
}
