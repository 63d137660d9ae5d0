//! Rows of the `…historical…` tables, which keep every state of a row (django-simple-history).

use chrono::NaiveDateTime;
use db::{Result, Tx, Value};

use crate::table::{self, Table};

/// What happened to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was made (`+`).
    Created,
    /// It was changed (`~`).
    Changed,
    /// It was removed (`-`).
    Deleted,
}

impl Change {
    /// The stored letter.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::Created => "+",
            Self::Changed => "~",
            Self::Deleted => "-",
        }
    }
}

/// Who changed a row, when, and why.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The moment of the change.
    pub now: NaiveDateTime,
    /// `auth_user.id` of the person, if there is one.
    pub user_id: Option<i64>,
    /// Shown reason, at most 100 characters.
    pub reason: Option<&'a str>,
}

impl<'a> Author<'a> {
    /// A change by nobody in particular.
    #[must_use]
    pub fn nobody(now: NaiveDateTime) -> Self {
        Self {
            now,
            user_id: None,
            reason: None,
        }
    }

    /// A change by a person.
    #[must_use]
    pub fn user(now: NaiveDateTime, user_id: i64) -> Self {
        Self {
            now,
            user_id: Some(user_id),
            reason: None,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub fn because(self, reason: &'a str) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }
}

/// Inserts a row without id or writes the one with its `id`, and its history; its id.
pub(crate) async fn put<T: Table>(
    tx: &mut Tx,
    history: &str,
    row: &T,
    id: i64,
    author: &Author<'_>,
) -> Result<i64> {
    let (id, change) = if id == 0 {
        (table::insert(tx, row).await?, Change::Created)
    } else {
        table::update(tx, row, &["id"]).await?;
        (id, Change::Changed)
    };
    record_as(tx, history, row, Some(id), change, author, None).await?;
    Ok(id)
}

/// Writes the state of `row` after the change (before it, for a removal) to `table`. The history
/// table must have all of the row's columns. `history_id` is a drawn UUID where the table's key is
/// one, and `None` where the database counts.
pub(crate) async fn record<T: Table>(
    tx: &mut Tx,
    table: &str,
    row: &T,
    change: Change,
    author: &Author<'_>,
    history_id: Option<String>,
) -> Result<()> {
    record_as(tx, table, row, None, change, author, history_id).await
}

/// As [`record`], for a row that has just got its `id`.
async fn record_as<T: Table>(
    tx: &mut Tx,
    table: &str,
    row: &T,
    id: Option<i64>,
    change: Change,
    author: &Author<'_>,
    history_id: Option<String>,
) -> Result<()> {
    let mut columns = T::COLUMNS.to_vec();
    let mut values = row.values();
    if let (Some(id), Some(first)) = (id, values.first_mut()) {
        *first = Value::from(id);
    }
    columns.extend([
        "history_date",
        "history_change_reason",
        "history_type",
        "history_user_id",
    ]);
    values.extend([
        Value::from(author.now),
        Value::from(
            author
                .reason
                .map(|reason| reason.chars().take(100).collect::<String>()),
        ),
        Value::from(change.letter()),
        Value::from(author.user_id),
    ]);
    if let Some(id) = history_id {
        columns.push("history_id");
        values.push(Value::from(id));
    }
    let sql = tx.dialect().insert(table, &columns);
    tx.execute(&sql, &values).await.map(|_| ())
}
