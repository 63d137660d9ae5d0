//! What must follow a commit: `stoa_outbox`. An event is put in the transaction that makes it true,
//! and taken by a worker afterwards, so that a crash between the two loses nothing.

use chrono::{NaiveDateTime, TimeDelta};
use db::{Db, Dialect, Result, Source, Tx, Value, params};

use crate::table::{self, table};

table! {
    /// An event on its way.
    Event: "stoa_outbox" {
        id: i64,
        topic: String,
        key: String,
        payload: String,
        created: NaiveDateTime,
        available_at: NaiveDateTime,
        claimed_until: Option<NaiveDateTime>,
        attempts: i64,
        done_at: Option<NaiveDateTime>,
        error: Option<String>,
    }
}

/// Puts an event, to be taken from `available_at` on. `key` names what it is about (a course, a
/// learner): events of one key may be folded by who takes them.
pub async fn put(
    tx: &mut Tx,
    topic: &str,
    key: &str,
    payload: &serde_json::Value,
    now: NaiveDateTime,
    available_at: NaiveDateTime,
) -> Result<i64> {
    let event = Event {
        topic: topic.to_owned(),
        key: key.to_owned(),
        payload: payload.to_string(),
        created: now,
        available_at,
        ..Event::default()
    };
    table::insert(tx, &event).await
}

/// Takes up to `limit` due events of some topics, oldest first, and keeps them from other workers
/// for `lease`. An event that is neither [`done`] nor [`failed`] by then comes again.
pub async fn claim(
    db: &Db,
    topics: &[&str],
    now: NaiveDateTime,
    lease: TimeDelta,
    limit: u32,
) -> Result<Vec<Event>> {
    if topics.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let skip = match db.dialect() {
        Dialect::Sqlite => "",
        Dialect::MySql => " FOR UPDATE SKIP LOCKED",
    };
    let tail = format!(
        "WHERE done_at IS NULL AND available_at <= ? \
         AND (claimed_until IS NULL OR claimed_until <= ?) AND topic IN ({}) \
         ORDER BY id LIMIT ?{skip}",
        db::placeholders(topics.len())
    );
    let mut params = params![now, now].to_vec();
    params.extend(topics.iter().copied().map(Value::from));
    params.push(Value::from(limit));
    // Looking first keeps an idle worker from taking SQLite's only writing connection.
    let idle = format!("SELECT id FROM stoa_outbox {}", tail.trim_end_matches(skip));
    if db.read(&idle, &params).await?.is_empty() {
        return Ok(Vec::new());
    }
    let until = now + lease;
    let (tail, params) = (&tail, &params);
    db.write(|mut tx| async move {
        let events: Vec<Event> = table::find(&mut tx, tail, params).await?;
        let ids: Vec<Value> = events.iter().map(|event| Value::from(event.id)).collect();
        for (marks, chunk) in db::in_chunks(&ids) {
            let sql = format!(
                "UPDATE stoa_outbox SET claimed_until = ?, attempts = attempts + 1 \
                 WHERE id IN ({marks})"
            );
            let mut params = params![until].to_vec();
            params.extend(chunk);
            tx.execute(&sql, &params).await?;
        }
        Ok(events
            .into_iter()
            .map(|event| Event {
                attempts: event.attempts + 1,
                claimed_until: Some(until),
                ..event
            })
            .collect())
    })
    .await
}

/// Marks an event as handled.
pub async fn done(tx: &mut Tx, id: i64, now: NaiveDateTime) -> Result<()> {
    let sql = "UPDATE stoa_outbox SET done_at = ?, claimed_until = NULL, error = NULL WHERE id = ?";
    tx.execute(sql, &params![now, id]).await.map(|_| ())
}

/// Notes why an event could not be handled and when to try again.
pub async fn failed(tx: &mut Tx, id: i64, error: &str, retry_at: NaiveDateTime) -> Result<()> {
    let sql = "UPDATE stoa_outbox SET error = ?, available_at = ?, claimed_until = NULL \
               WHERE id = ?";
    tx.execute(sql, &params![error, retry_at, id])
        .await
        .map(|_| ())
}

/// How many events are waiting, and since when the oldest.
pub async fn waiting(mut from: impl Source) -> Result<(i64, Option<NaiveDateTime>)> {
    let sql = "SELECT COUNT(*) AS n, MIN(available_at) AS oldest FROM stoa_outbox \
               WHERE done_at IS NULL";
    match from.rows(sql, &[]).await?.first() {
        Some(row) => Ok((row.int("n")?, row.opt_datetime("oldest")?)),
        None => Ok((0, None)),
    }
}

/// Removes events handled before a moment; how many.
pub async fn prune(tx: &mut Tx, before: NaiveDateTime) -> Result<u64> {
    tx.execute(
        "DELETE FROM stoa_outbox WHERE done_at < ?",
        &params![before],
    )
    .await
}
