//! A running transaction.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{MySql, Sqlite, Transaction};

use crate::count::What;
use crate::driver::{Done, mysql_query, mysql_rows, sqlite_query, sqlite_rows};
use crate::{Db, Dialect, Error, Result, Row, Value};

pub(crate) enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    MySql(Transaction<'static, MySql>),
}

impl Connection {
    pub(crate) async fn commit(self) -> Result<()> {
        let result = match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::MySql(transaction) => transaction.commit().await,
        };
        result.map_err(|error| Error::from_driver("COMMIT", error))
    }

    pub(crate) async fn rollback(self) {
        let result = match self {
            Self::Sqlite(transaction) => transaction.rollback().await,
            Self::MySql(transaction) => transaction.rollback().await,
        };
        if let Err(error) = result {
            // The connection is discarded by its pool; the engine undoes what it held.
            tracing::warn!(%error, "rollback failed");
        }
    }
}

/// Where a handle leaves its connection when the closure ends, with whether a lock was met.
pub(crate) type Home = Arc<Mutex<Option<(Connection, bool)>>>;

/// A running transaction, given by [`Db::write`]. Functions that take part in one take `&mut Tx`.
pub struct Tx {
    db: Db,
    connection: Option<Connection>,
    locked: bool,
    home: Home,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tx")
            .field("locked", &self.locked)
            .finish_non_exhaustive()
    }
}

impl Tx {
    pub(crate) fn new(db: Db, connection: Connection, home: Home) -> Self {
        Self {
            db,
            connection: Some(connection),
            locked: false,
            home,
        }
    }

    /// Which engine stands behind the transaction.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// Runs a SELECT inside the transaction.
    pub async fn read(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        self.db.note(What::Read);
        let result = match &mut self.connection {
            Some(Connection::Sqlite(transaction)) => {
                match sqlite_query(sql, params)
                    .fetch_all(&mut **transaction)
                    .await
                {
                    Ok(rows) => sqlite_rows(sql, &rows),
                    Err(error) => Err(Error::from_driver(sql, error)),
                }
            }
            Some(Connection::MySql(transaction)) => {
                match mysql_query(sql, params).fetch_all(&mut **transaction).await {
                    Ok(rows) => mysql_rows(sql, &rows),
                    Err(error) => Err(Error::from_driver(sql, error)),
                }
            }
            None => Err(Error::HandleKept),
        };
        self.remember(result)
    }

    /// First row of a SELECT, if any.
    pub async fn read_one(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.read(sql, params).await?.into_iter().next())
    }

    /// The single number that a SELECT gives, such as a count.
    pub async fn read_int(&mut self, sql: &str, params: &[Value]) -> Result<i64> {
        self.read_one(sql, params)
            .await?
            .ok_or_else(|| Error::NoRow(sql.to_owned()))?
            .first_int()
    }

    /// Runs a writing statement; returns the number of rows that it matched.
    pub async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        Ok(self.run(sql, params).await?.changed)
    }

    /// Runs an INSERT into a table with an automatic id and returns the id. Not for upserts: after
    /// an update the engines disagree about the last id.
    pub async fn insert_returning_id(&mut self, sql: &str, params: &[Value]) -> Result<i64> {
        Ok(self.run(sql, params).await?.last_id)
    }

    async fn run(&mut self, sql: &str, params: &[Value]) -> Result<Done> {
        self.db.note(What::Write);
        let result = match &mut self.connection {
            Some(Connection::Sqlite(transaction)) => sqlite_query(sql, params)
                .execute(&mut **transaction)
                .await
                .map(|done| Done {
                    changed: done.rows_affected(),
                    last_id: done.last_insert_rowid(),
                })
                .map_err(|error| Error::from_driver(sql, error)),
            Some(Connection::MySql(transaction)) => mysql_query(sql, params)
                .execute(&mut **transaction)
                .await
                .map(|done| Done {
                    changed: done.rows_affected(),
                    last_id: i64::try_from(done.last_insert_id()).unwrap_or_default(),
                })
                .map_err(|error| Error::from_driver(sql, error)),
            None => Err(Error::HandleKept),
        };
        self.remember(result)
    }

    fn remember<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.locked |= error.is_transient();
        }
        result
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
            *home = Some((connection, self.locked));
        }
    }
}
