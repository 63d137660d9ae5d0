//! Opening a database, reading from it, and running transactions.

use std::future::Future;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _,
    mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    },
};

use crate::count::{self, Cells, Counts, What};
use crate::driver::{mysql_query, mysql_rows, sqlite_query, sqlite_rows};
use crate::tx::Connection;
use crate::{Dialect, Error, Result, Row, Tx, Value};

/// How often a transaction that met a deadlock is tried in all.
const ATTEMPTS: u32 = 8;

/// A connection that was idle for longer is tried before it is used.
const IDLE_UNTRIED: Duration = Duration::from_secs(5);

/// How to open a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that read from SQLite; one more writes.
    pub readers: u32,
    /// Connections to MySQL.
    pub connections: u32,
    /// Statements that each connection keeps prepared. Dropping one costs a round trip and, on
    /// MySQL over TCP, the 40 ms of a delayed acknowledgement, so there should be room for all that
    /// the program has. All processes together must stay under the server's
    /// `max_prepared_stmt_count` (16,382 unless changed).
    pub prepared: usize,
    /// Longest wait for a free connection and for SQLite's file lock.
    pub wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            connections: 16,
            prepared: 400,
            wait: Duration::from_mins(1),
        }
    }
}

/// Handle of one database; clones share its connections.
#[derive(Debug, Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    totals: Cells,
}

#[derive(Debug, Clone)]
pub(crate) enum Engine {
    /// One connection writes, so that no writer ever finds the file busy; the others only read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    MySql(MySqlPool),
}

impl Db {
    /// Opens `sqlite:PATH` (made if missing), `mysql://…` or `mariadb://…`.
    ///
    /// Fails with [`Error::Address`] on any other address and [`Error::Connect`] if the database
    /// does not answer.
    pub async fn connect(address: &str, options: &Options) -> Result<Self> {
        let engine = if let Some(path) = address.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.split('?').next().unwrap_or(path);
            if path.is_empty() || path == ":memory:" {
                return Err(Error::Address(
                    "sqlite: needs a file, since several connections share it".to_owned(),
                ));
            }
            open_sqlite(Path::new(path), options).await?
        } else if address.starts_with("mysql://") || address.starts_with("mariadb://") {
            open_mysql(address, options).await?
        } else {
            return Err(Error::Address(
                "expected sqlite:PATH, mysql://… or mariadb://…".to_owned(),
            ));
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                totals: Cells::default(),
            }),
        })
    }

    /// Opens a SQLite file, made if missing.
    pub async fn open_file(path: &Path, options: &Options) -> Result<Self> {
        let engine = open_sqlite(path, options).await?;
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                totals: Cells::default(),
            }),
        })
    }

    /// Which engine stands behind the handle.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.inner.engine {
            Engine::Sqlite { .. } => Dialect::Sqlite,
            Engine::MySql(_) => Dialect::MySql,
        }
    }

    /// Statements since the handle was made.
    #[must_use]
    pub fn totals(&self) -> Counts {
        self.inner.totals.counts()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// Runs a SELECT outside any transaction. `?` in `sql` stands for the parameters in order.
    pub async fn read(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        count::note(&self.inner.totals, What::Read);
        let mut attempt = 1;
        loop {
            let result = self.read_once(sql, params).await;
            match result {
                Err(error) if error.is_repeatable() && attempt < ATTEMPTS => {
                    tokio::time::sleep(backoff(attempt)).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn read_once(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let failed = |error| Error::from_driver(sql, error);
        match &self.inner.engine {
            Engine::Sqlite { readers, .. } => {
                let rows = sqlite_query(sql, params)
                    .fetch_all(readers)
                    .await
                    .map_err(failed)?;
                sqlite_rows(sql, &rows)
            }
            Engine::MySql(pool) => {
                let rows = mysql_query(sql, params)
                    .fetch_all(pool)
                    .await
                    .map_err(failed)?;
                mysql_rows(sql, &rows)
            }
        }
    }

    /// First row of a SELECT, if any.
    pub async fn read_one(&self, sql: &str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.read(sql, params).await?.into_iter().next())
    }

    /// The single number that a SELECT gives, such as a count.
    pub async fn read_int(&self, sql: &str, params: &[Value]) -> Result<i64> {
        self.read_one(sql, params)
            .await?
            .ok_or_else(|| Error::NoRow(sql.to_owned()))?
            .first_int()
    }

    /// Runs one writing statement in a transaction of its own; returns the number of rows that it
    /// matched.
    pub async fn execute(&self, sql: &str, params: &[Value]) -> Result<u64> {
        self.write(|mut tx| async move { tx.execute(sql, params).await })
            .await
    }

    /// Runs a transaction: what `work` did is committed if it answers `Ok`, undone if it answers
    /// `Err` or is dropped.
    ///
    /// If a statement met a deadlock, a lock wait or a busy file, the whole of `work` is run again,
    /// a bounded number of times: it must not change anything outside the transaction. On SQLite
    /// one transaction runs at a time, so `work` must be short, do nothing slow and never call
    /// [`Db::write`] itself; [`Db::read`] inside it sees the state before the transaction, so use
    /// [`Tx::read`].
    ///
    /// The closure is `|mut tx| async move { … }`; what it uses from outside is captured by
    /// reference (`let key = &key;` first).
    pub async fn write<T, E, F, W>(&self, mut work: W) -> Result<T, E>
    where
        W: FnMut(Tx) -> F,
        F: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        let mut attempt = 1;
        loop {
            let again = attempt < ATTEMPTS;
            match self.write_once(&mut work).await {
                Attempt::Done(result) => return result,
                Attempt::Locked(result) if !again => return result,
                Attempt::Locked(_) => {
                    tracing::debug!(attempt, "transaction met a lock, running it again");
                    tokio::time::sleep(backoff(attempt)).await;
                    attempt += 1;
                }
            }
        }
    }

    async fn write_once<T, E, F, W>(&self, work: &mut W) -> Attempt<Result<T, E>>
    where
        W: FnMut(Tx) -> F,
        F: Future<Output = Result<T, E>>,
        E: From<Error>,
    {
        count::note(&self.inner.totals, What::Transaction);
        let connection = match self.begin().await {
            Ok(connection) => connection,
            Err(error) if error.is_repeatable() => return Attempt::Locked(Err(error.into())),
            Err(error) => return Attempt::Done(Err(error.into())),
        };
        let home = Arc::new(Mutex::new(None));
        let tx = Tx::new(self.clone(), connection, Arc::clone(&home));
        let result = work(tx).await;
        let returned = home.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((connection, locked)) = returned else {
            return Attempt::Done(Err(Error::HandleKept.into()));
        };
        match result {
            Ok(value) => match connection.commit().await {
                Ok(()) => Attempt::Done(Ok(value)),
                Err(error) if error.is_transient() => Attempt::Locked(Err(error.into())),
                Err(error) => Attempt::Done(Err(error.into())),
            },
            Err(error) => {
                connection.rollback().await;
                if locked {
                    Attempt::Locked(Err(error))
                } else {
                    Attempt::Done(Err(error))
                }
            }
        }
    }

    async fn begin(&self) -> Result<Connection> {
        let failed = |error| Error::from_driver("BEGIN", error);
        Ok(match &self.inner.engine {
            Engine::Sqlite { writer, .. } => {
                Connection::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?)
            }
            Engine::MySql(pool) => Connection::MySql(pool.begin().await.map_err(failed)?),
        })
    }

    pub(crate) fn note(&self, what: What) {
        count::note(&self.inner.totals, what);
    }

    /// Writes a consistent copy of the database to a new file (SQLite only), while others read and
    /// write.
    pub async fn copy_to(&self, path: &Path) -> Result<()> {
        let Engine::Sqlite { writer, .. } = &self.inner.engine else {
            return Err(Error::Address(
                "only SQLite copies itself to a file".to_owned(),
            ));
        };
        let target = Value::Text(path.to_string_lossy().into_owned());
        let sql = "VACUUM INTO ?";
        sqlite_query(sql, &[target])
            .execute(writer)
            .await
            .map(|_| ())
            .map_err(|error| Error::from_driver(sql, error))
    }

    /// Closes every connection once it is free; SQLite's log is folded into its file.
    pub async fn close(&self) {
        match &self.inner.engine {
            Engine::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Engine::MySql(pool) => pool.close().await,
        }
    }
}

enum Attempt<T> {
    Done(T),
    Locked(T),
}

/// 5, 10, 20 … milliseconds, with up to as much again so that two losers do not meet once more.
fn backoff(attempt: u32) -> Duration {
    let base = 5_u64 << attempt.min(8);
    let noise = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| u64::from(since.subsec_nanos()) / 1000);
    Duration::from_millis(base / 2 + noise % base)
}

async fn open_sqlite(path: &Path, options: &Options) -> Result<Engine> {
    let base = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.wait)
        .statement_cache_capacity(options.prepared)
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", "-16000")
        .pragma("journal_size_limit", "67108864")
        .disable_statement_logging();
    let connect = |error| Error::Connect(Box::new(error));
    // The writer comes first: it makes the file and its log.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(options.wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(base.clone())
        .await
        .map_err(connect)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.readers.max(1))
        .min_connections(1)
        .acquire_timeout(options.wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(base.create_if_missing(false).pragma("query_only", "ON"))
        .await
        .map_err(connect)?;
    Ok(Engine::Sqlite { writer, readers })
}

async fn open_mysql(address: &str, options: &Options) -> Result<Engine> {
    let url = address.replacen("mariadb://", "mysql://", 1);
    let connect_options = MySqlConnectOptions::from_str(&url)
        .map_err(|error| Error::Address(error.to_string()))?
        .statement_cache_capacity(options.prepared)
        .disable_statement_logging();
    let pool = MySqlPoolOptions::new()
        .max_connections(options.connections.max(2))
        .acquire_timeout(options.wait)
        // A ping before every statement would double the round trips: only connections that lay
        // idle are tried. One that broke since is met by sending the read again.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > IDLE_UNTRIED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                // As Django's connections: read committed, strict, and no half-minute lock waits.
                connection
                    .execute(
                        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
                         SET SESSION innodb_lock_wait_timeout = 10; \
                         SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')",
                    )
                    .await
                    .map(|_| ())
            })
        })
        .connect_with(connect_options)
        .await
        .map_err(|error| Error::Connect(Box::new(error)))?;
    Ok(Engine::MySql(pool))
}
