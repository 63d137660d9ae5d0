//! Which blocks learners completed: `completion_blockcompletion` (courseware.md §5).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::{CourseKey, UsageKey};

use crate::keys::{course_text, usage_text};
use crate::table::{self, table};

table! {
    /// How far a learner completed a block, from 0 to 1.
    BlockCompletion: "completion_blockcompletion" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_key: String,
        block_key: String,
        block_type: String,
        completion: f64,
        user_id: i64,
    }
}

/// Every completion of a learner in a course, in no order.
pub async fn of_course(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Vec<BlockCompletion>> {
    let tail = "WHERE user_id = ? AND course_key = ?";
    table::find(from, tail, &params![user_id, course_text(course)]).await
}

/// The completions of a learner for some blocks of a course (texts of usage keys), in no order.
pub async fn of_blocks(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
    block_keys: &[String],
) -> Result<Vec<BlockCompletion>> {
    let keys: Vec<Value> = block_keys.iter().map(Value::from).collect();
    let rest = params![user_id, course_text(course)];
    table::find_in(
        from,
        "block_key",
        &keys,
        "AND user_id = ? AND course_key = ?",
        &rest,
    )
    .await
}

/// A learner's marks in a course.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks {
    /// Completions of the blocks that were asked for: text of the usage key and value.
    pub completions: Vec<(String, f64)>,
    /// Texts of the usage keys that the learner bookmarked.
    pub bookmarks: Vec<String>,
}

/// The completions of a learner for some blocks of a course (texts of usage keys) and all their bookmarks in it, with
/// one statement for some hundred blocks.
pub async fn marks(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
    block_keys: &[String],
) -> Result<Marks> {
    let course = course_text(course);
    let keys: Vec<Value> = block_keys.iter().map(Value::from).collect();
    let mut found = Marks::default();
    let mut bookmarks = Some(
        "SELECT usage_key AS block_key, 1.0 AS completion, 1 AS is_bookmark \
         FROM bookmarks_bookmark WHERE user_id = ? AND course_key = ?",
    );
    let mut chunks: Vec<(String, Vec<Value>)> = db::in_chunks(&keys).collect();
    if chunks.is_empty() {
        chunks.push(("NULL".to_owned(), Vec::new()));
    }
    for (marks, chunk) in chunks {
        let mut sql = format!(
            "SELECT block_key, completion, 0 AS is_bookmark FROM completion_blockcompletion \
             WHERE user_id = ? AND course_key = ? AND block_key IN ({marks})"
        );
        let mut params = params![user_id, &course].to_vec();
        params.extend(chunk);
        if let Some(bookmarks) = bookmarks.take() {
            sql.push_str(" UNION ALL ");
            sql.push_str(bookmarks);
            params.extend(params![user_id, &course]);
        }
        for row in from.rows(&sql, &params).await? {
            let key = row.text("block_key")?;
            if row.int("is_bookmark")? == 1 {
                found.bookmarks.push(key);
            } else {
                found.completions.push((key, row.float("completion")?));
            }
        }
    }
    Ok(found)
}

/// The completion that changed last, whatever its value; with `only_complete`, of those at 1.
pub async fn latest(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
    only_complete: bool,
) -> Result<Option<BlockCompletion>> {
    let only = if only_complete {
        "AND completion = 1.0 "
    } else {
        ""
    };
    let tail =
        format!("WHERE user_id = ? AND course_key = ? {only}ORDER BY modified DESC, id DESC");
    table::find_one(from, &tail, &params![user_id, course_text(course)]).await
}

/// The completions of a learner that changed last, in whatever course, newest first.
pub async fn latest_of_user(
    from: impl Source,
    user_id: i64,
    limit: i64,
) -> Result<Vec<BlockCompletion>> {
    let tail = "WHERE user_id = ? ORDER BY modified DESC, id DESC LIMIT ?";
    table::find(from, tail, &params![user_id, limit]).await
}

/// Stores completions. A value equal to the stored one changes nothing, not even `modified`.
/// Returns how many rows were written.
pub async fn submit(
    tx: &mut Tx,
    user_id: i64,
    course: &CourseKey,
    blocks: &[(UsageKey, f64)],
    now: NaiveDateTime,
) -> Result<usize> {
    let keys: Vec<String> = blocks.iter().map(|(usage, _)| usage_text(usage)).collect();
    let stored = of_blocks(&mut *tx, user_id, course, &keys).await?;
    let course = course_text(course);
    let mut written = 0;
    for ((usage, completion), key) in blocks.iter().zip(keys) {
        if stored
            .iter()
            .any(|row| row.block_key == key && row.completion == *completion)
        {
            continue;
        }
        let row = BlockCompletion {
            id: 0,
            created: now,
            modified: now,
            course_key: course.clone(),
            block_key: key,
            block_type: usage.block_type().chars().take(64).collect(),
            completion: *completion,
            user_id,
        };
        table::upsert(
            tx,
            &row,
            &["course_key", "block_key", "user_id"],
            &["created"],
        )
        .await?;
        written += 1;
    }
    Ok(written)
}

/// Removes the completion of a block.
pub async fn delete(tx: &mut Tx, user_id: i64, usage: &UsageKey) -> Result<()> {
    let sql = "DELETE FROM completion_blockcompletion \
               WHERE user_id = ? AND course_key = ? AND block_key = ?";
    let params = params![user_id, course_text(usage.course_key()), usage_text(usage)];
    tx.execute(sql, &params).await.map(|_| ())
}
