//! The course index: which structure is the head of each branch (courseware.md §2.1).
//!
//! Table `split_modulestore_django_splitmodulestorecourseindex` and its history. The SQL row is the truth;
//! the document store only keeps a copy.

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};

use crate::history::{self, Author, Change};
use crate::table::{self, table};

const HISTORY: &str = "split_modulestore_django_historicalsplitmodulestorecourseindex";

table! {
    /// A row of the course index. Versions are 24 hex digits or empty; `last_update` is the token of
    /// the optimistic lock.
    CourseIndexRow: "split_modulestore_django_splitmodulestorecourseindex" {
        id: i64,
        objectid: String,
        course_id: String,
        org: String,
        draft_version: String,
        published_version: String,
        library_version: String,
        wiki_slug: String,
        base_store: String,
        edited_on: NaiveDateTime,
        last_update: NaiveDateTime,
        edited_by_id: Option<i64>,
    }
}

impl CourseIndexRow {
    /// What the history says about the step from `old` to this row.
    fn change_reason(&self, old: &Self) -> Option<String> {
        let moved: Vec<&str> = [
            ("draft", self.draft_version != old.draft_version),
            ("published", self.published_version != old.published_version),
            ("library", self.library_version != old.library_version),
        ]
        .into_iter()
        .filter_map(|(branch, moved)| moved.then_some(branch))
        .collect();
        // The reference says "branch" of several, too.
        (!moved.is_empty()).then(|| format!("Updated {} branch", moved.join(" and ")))
    }
}

/// Outcome of [`update`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The row was written.
    Yes,
    /// Somebody else had moved the row first; nothing was written.
    Stale,
    /// There is no row with this `objectid` and `course_id`.
    Missing,
}

/// The row of a course or library, by exact key.
pub async fn find(from: impl Source, course_id: &str) -> Result<Option<CourseIndexRow>> {
    let found: Option<CourseIndexRow> =
        table::find_one(from, "WHERE course_id = ?", &params![course_id]).await?;
    Ok(found.filter(|row| row.course_id == course_id))
}

/// The rows of several courses, by exact key, in no order.
pub async fn find_many(from: impl Source, course_ids: &[String]) -> Result<Vec<CourseIndexRow>> {
    let keys: Vec<Value> = course_ids.iter().map(Value::from).collect();
    table::find_in(from, "course_id", &keys, "", &[]).await
}

/// As [`find`], inside a transaction that will write the row.
pub async fn find_for_update(tx: &mut Tx, course_id: &str) -> Result<Option<CourseIndexRow>> {
    let found: Option<CourseIndexRow> =
        table::find_locked(tx, "WHERE course_id = ?", &params![course_id]).await?;
    Ok(found.filter(|row| row.course_id == course_id))
}

/// The key of a course that differs from `course_id` at most in letter case.
pub async fn find_ignoring_case(mut from: impl Source, course_id: &str) -> Result<Option<String>> {
    // LOWER of SQLite knows only ASCII, so other organisations' letters are compared here.
    let org = course_id
        .split_once(':')
        .map_or(course_id, |(_, rest)| rest);
    let org = org.split(['+', '/']).next().unwrap_or_default();
    let mut sql =
        "SELECT course_id FROM split_modulestore_django_splitmodulestorecourseindex".to_owned();
    let mut params = Vec::new();
    if org.is_ascii() {
        sql.push_str(" WHERE LOWER(org) = ?");
        params.push(Value::from(org.to_lowercase()));
    }
    let wanted = course_id.to_lowercase();
    for row in from.rows(&sql, &params).await? {
        let key = row.text("course_id")?;
        if key.to_lowercase() == wanted {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// All rows, by id; of one organisation if given.
pub async fn list(from: impl Source, org: Option<&str>) -> Result<Vec<CourseIndexRow>> {
    match org {
        Some(org) => table::find(from, "WHERE org = ? ORDER BY id", &params![org]).await,
        None => table::find(from, "ORDER BY id", &[]).await,
    }
}

/// Inserts a row with its history; returns its id. Fails where key or `objectid` exist.
pub async fn insert(tx: &mut Tx, row: &CourseIndexRow) -> Result<i64> {
    let id = table::insert(
        tx,
        &CourseIndexRow {
            id: 0,
            ..row.clone()
        },
    )
    .await?;
    let row = CourseIndexRow { id, ..row.clone() };
    note(tx, &row, Change::Created, None).await?;
    Ok(id)
}

/// Writes `new` over the row with its `objectid` and `course_id`, if the row's `last_update` still is that
/// of `started_from` (courseware.md §2.1).
pub async fn update(
    tx: &mut Tx,
    started_from: &CourseIndexRow,
    new: &CourseIndexRow,
) -> Result<Moved> {
    let Some(old) = find_for_update(tx, &new.course_id).await? else {
        return Ok(Moved::Missing);
    };
    if old.objectid != new.objectid {
        return Ok(Moved::Missing);
    }
    if old.last_update != started_from.last_update {
        return Ok(Moved::Stale);
    }
    let row = CourseIndexRow {
        id: old.id,
        ..new.clone()
    };
    table::update(tx, &row, &["id"]).await?;
    let reason = row.change_reason(&old);
    note(tx, &row, Change::Changed, reason.as_deref()).await?;
    Ok(Moved::Yes)
}

/// Removes the row of a course, with a line in the history; returns it.
pub async fn delete(tx: &mut Tx, course_id: &str) -> Result<Option<CourseIndexRow>> {
    let Some(row) = find_for_update(tx, course_id).await? else {
        return Ok(None);
    };
    let sql = "DELETE FROM split_modulestore_django_splitmodulestorecourseindex WHERE id = ?";
    tx.execute(sql, &params![row.id]).await?;
    note(tx, &row, Change::Deleted, None).await?;
    Ok(Some(row))
}

async fn note(
    tx: &mut Tx,
    row: &CourseIndexRow,
    change: Change,
    reason: Option<&str>,
) -> Result<()> {
    // The reserved editors are no users, and a user may be gone: the link is left empty.
    let author = Author {
        now: row.last_update,
        user_id: None,
        reason,
    };
    history::record(tx, HISTORY, row, change, &author, None).await
}
