//! Django's sessions: `django_session`. Their content is opaque here.

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, params};

use crate::table::{self, table};

table! {
    /// A stored session.
    Session: "django_session" {
        session_key: String,
        session_data: String,
        expire_date: NaiveDateTime,
    }
}

/// A session that has not expired. The key is compared exactly.
pub async fn get(from: impl Source, key: &str, now: NaiveDateTime) -> Result<Option<Session>> {
    let tail = "WHERE session_key = ? AND expire_date > ?";
    let found: Option<Session> = table::find_one(from, tail, &params![key, now]).await?;
    Ok(found.filter(|session| session.session_key == key))
}

/// Stores a session, over one with the same key.
pub async fn save(tx: &mut Tx, session: &Session) -> Result<()> {
    table::upsert(tx, session, &["session_key"], &[]).await
}

/// Stores a session only if its key is free; whether it was.
pub async fn create(tx: &mut Tx, session: &Session) -> Result<bool> {
    let sql = "SELECT COUNT(*) AS n FROM django_session WHERE session_key = ?";
    if tx.read_int(sql, &params![&session.session_key]).await? > 0 {
        return Ok(false);
    }
    table::insert(tx, session).await.map(|_| true)
}

/// Removes a session.
pub async fn delete(tx: &mut Tx, key: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM django_session WHERE session_key = ?",
        &params![key],
    )
    .await
    .map(|_| ())
}

/// Removes the sessions that expired before `now`; how many.
pub async fn clear_expired(tx: &mut Tx, now: NaiveDateTime) -> Result<u64> {
    tx.execute(
        "DELETE FROM django_session WHERE expire_date < ?",
        &params![now],
    )
    .await
}
