//! What can go wrong between a statement and its rows.

use std::borrow::Cow;

/// Longest piece of a statement that an error shows, in characters.
const SHOWN_SQL: usize = 200;

/// Failure of a database call. No variant shows bound values: those may be personal data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not one of `sqlite:PATH`, `mysql://…`, `mariadb://…`.
    #[error("database address: {0}")]
    Address(String),
    /// The database cannot be opened or reached.
    #[error("cannot reach the database: {0}")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row with the same unique key exists.
    #[error("unique key violated in `{sql}`: {message}")]
    Unique {
        /// Beginning of the statement.
        sql: String,
        /// The engine's own words, which name the key.
        message: String,
    },
    /// A row that the statement refers to is missing, or is still referred to.
    #[error("foreign key violated in `{sql}`: {message}")]
    ForeignKey {
        /// Beginning of the statement.
        sql: String,
        /// The engine's own words.
        message: String,
    },
    /// A deadlock, a lock wait or a busy file, still there after every retry.
    #[error("locked by another transaction in `{sql}`: {message}")]
    Locked {
        /// Beginning of the statement.
        sql: String,
        /// The engine's own words.
        message: String,
    },
    /// The connection broke. Whether the statement took effect is not known.
    #[error("connection lost in `{sql}`: {source}")]
    Lost {
        /// Beginning of the statement.
        sql: String,
        /// The driver's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Any other refusal of a statement.
    #[error("statement failed `{sql}`: {source}")]
    Statement {
        /// Beginning of the statement.
        sql: String,
        /// The driver's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row has no such column.
    #[error("no column `{0}` in the row")]
    NoColumn(String),
    /// A column holds another type than was asked for.
    #[error("column `{column}` holds {found}, not {wanted}")]
    Type {
        /// Column name.
        column: String,
        /// Kind of the stored value.
        found: &'static str,
        /// Kind that was asked for.
        wanted: &'static str,
    },
    /// Exactly one row was expected.
    #[error("no row for `{0}`")]
    NoRow(String),
    /// A transaction handle was kept after its closure had ended.
    #[error("the transaction handle outlived its closure")]
    HandleKept,
    /// Migrations cannot go on.
    #[error("migration: {0}")]
    Migration(String),
}

impl Error {
    /// Whether a row with the same unique key stood in the way.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        matches!(self, Self::Unique { .. })
    }

    /// Whether running the whole transaction again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }

    /// Whether a statement that changes nothing may be sent again.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Lost { .. })
    }

    /// Sorts a driver error into the variants above.
    pub(crate) fn from_driver(sql: &str, error: sqlx::Error) -> Self {
        let sql = shorten(sql);
        if let sqlx::Error::Database(inner) = &error {
            let message = inner.message().to_owned();
            if is_lock_failure(inner.as_ref()) {
                return Self::Locked { sql, message };
            }
            if inner.is_unique_violation() {
                return Self::Unique { sql, message };
            }
            if inner.is_foreign_key_violation() {
                return Self::ForeignKey { sql, message };
            }
        }
        if matches!(
            error,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)
        ) {
            return Self::Lost {
                sql,
                source: Box::new(error),
            };
        }
        Self::Statement {
            sql,
            source: Box::new(error),
        }
    }
}

/// Deadlock (1213) and lock wait (1205) of MySQL; busy and locked (5, 6 and their extensions) of
/// SQLite.
fn is_lock_failure(error: &dyn sqlx::error::DatabaseError) -> bool {
    if let Some(mysql) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return matches!(mysql.number(), 1205 | 1213 | 1020);
    }
    error
        .code()
        .and_then(|code: Cow<'_, str>| code.parse::<u32>().ok())
        .is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

fn shorten(sql: &str) -> String {
    let mut text: String = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = text.char_indices().nth(SHOWN_SQL) {
        text.truncate(cut);
        text.push('…');
    }
    text
}
