//! The course index: which structure is the head of each branch (courseware.md §2.1).
//!
//! Table `split_modulestore_django_splitmodulestorecourseindex` and its history. The SQL row is the truth;
//! the document store only keeps a copy.

use chrono::NaiveDateTime;
use db::{Db, Result, Row, Tx, params};

const TABLE: &str = "split_modulestore_django_splitmodulestorecourseindex";
const HISTORY: &str = "split_modulestore_django_historicalsplitmodulestorecourseindex";
const COLUMNS: &str = "`id`, `objectid`, `course_id`, `org`, `draft_version`, `published_version`, \
    `library_version`, `wiki_slug`, `base_store`, `edited_on`, `last_update`, `edited_by_id`";

/// A row of the course index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseIndexRow {
    /// Primary key; 0 before the row is inserted.
    pub id: i64,
    /// 24 hex digits, `_id` of the index document.
    pub objectid: String,
    /// Course or library key.
    pub course_id: String,
    /// Organisation.
    pub org: String,
    /// Head of the draft branch, 24 hex digits or empty.
    pub draft_version: String,
    /// Head of the published branch, 24 hex digits or empty.
    pub published_version: String,
    /// Head of a library's branch, 24 hex digits or empty.
    pub library_version: String,
    /// Wiki of the course, or empty.
    pub wiki_slug: String,
    /// `mongodb` or `django`.
    pub base_store: String,
    /// When the course was created.
    pub edited_on: NaiveDateTime,
    /// When a branch last moved: the token of the optimistic lock.
    pub last_update: NaiveDateTime,
    /// Who created the course.
    pub edited_by_id: Option<i64>,
}

impl CourseIndexRow {
    fn from_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.int("id")?,
            objectid: row.text("objectid")?,
            course_id: row.text("course_id")?,
            org: row.text("org")?,
            draft_version: row.text("draft_version")?,
            published_version: row.text("published_version")?,
            library_version: row.text("library_version")?,
            wiki_slug: row.text("wiki_slug")?,
            base_store: row.text("base_store")?,
            edited_on: row.datetime("edited_on")?,
            last_update: row.datetime("last_update")?,
            edited_by_id: row.opt_int("edited_by_id")?,
        })
    }

    /// What the history says about the step from `old` to this row.
    fn change_reason(&self, old: &Self) -> Option<String> {
        let mut moved = Vec::new();
        if self.draft_version != old.draft_version {
            moved.push("draft");
        }
        if self.published_version != old.published_version {
            moved.push("published");
        }
        if self.library_version != old.library_version {
            moved.push("library");
        }
        match moved.as_slice() {
            [] => None,
            [one] => Some(format!("Updated {one} branch")),
            several => Some(format!("Updated {} branches", several.join(" and "))),
        }
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
pub async fn find(db: &Db, course_id: &str) -> Result<Option<CourseIndexRow>> {
    let sql = format!("SELECT {COLUMNS} FROM `{TABLE}` WHERE `course_id` = ?");
    db.read_one(&sql, &params![course_id])
        .await?
        .as_ref()
        .map(CourseIndexRow::from_row)
        .transpose()
}

/// As [`find`], inside a transaction that will write the row.
pub async fn find_for_update(tx: &mut Tx, course_id: &str) -> Result<Option<CourseIndexRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM `{TABLE}` WHERE `course_id` = ?{}",
        tx.dialect().for_update()
    );
    tx.read_one(&sql, &params![course_id])
        .await?
        .as_ref()
        .map(CourseIndexRow::from_row)
        .transpose()
}

/// The key of a course that differs from `course_id` at most in letter case.
pub async fn find_ignoring_case(tx: &mut Tx, course_id: &str) -> Result<Option<String>> {
    // LOWER of SQLite knows only ASCII; letters beyond are compared here.
    let sql =
        format!("SELECT `course_id` FROM `{TABLE}` WHERE LOWER(`org`) = LOWER(?) OR `org` = ?");
    let org = course_id
        .split_once(':')
        .map_or(course_id, |(_, rest)| rest)
        .split('+')
        .next()
        .unwrap_or_default();
    let wanted = course_id.to_lowercase();
    let rows = if org.is_ascii() {
        tx.read(&sql, &params![org, org]).await?
    } else {
        tx.read(&format!("SELECT `course_id` FROM `{TABLE}`"), &[])
            .await?
    };
    for row in &rows {
        let key = row.text("course_id")?;
        if key.to_lowercase() == wanted {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// All rows, by id; of one organisation if given.
pub async fn list(db: &Db, org: Option<&str>) -> Result<Vec<CourseIndexRow>> {
    let rows = match org {
        Some(org) => {
            let sql = format!("SELECT {COLUMNS} FROM `{TABLE}` WHERE `org` = ? ORDER BY `id`");
            db.read(&sql, &params![org]).await?
        }
        None => {
            db.read(
                &format!("SELECT {COLUMNS} FROM `{TABLE}` ORDER BY `id`"),
                &[],
            )
            .await?
        }
    };
    rows.iter().map(CourseIndexRow::from_row).collect()
}

/// Inserts a row with its history; returns its id. Fails where key or `objectid` exist.
pub async fn insert(tx: &mut Tx, row: &CourseIndexRow) -> Result<i64> {
    let sql = tx.dialect().insert(
        TABLE,
        &[
            "objectid",
            "course_id",
            "org",
            "draft_version",
            "published_version",
            "library_version",
            "wiki_slug",
            "base_store",
            "edited_on",
            "last_update",
            "edited_by_id",
        ],
    );
    let id = tx
        .insert_returning_id(
            &sql,
            &params![
                &row.objectid,
                &row.course_id,
                &row.org,
                &row.draft_version,
                &row.published_version,
                &row.library_version,
                &row.wiki_slug,
                &row.base_store,
                row.edited_on,
                row.last_update,
                row.edited_by_id
            ],
        )
        .await?;
    let row = CourseIndexRow { id, ..row.clone() };
    note(tx, &row, "+", None).await?;
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
    let sql = format!(
        "UPDATE `{TABLE}` SET `draft_version` = ?, `published_version` = ?, `library_version` = ?, \
         `wiki_slug` = ?, `base_store` = ?, `edited_on` = ?, `last_update` = ?, `edited_by_id` = ? \
         WHERE `id` = ?"
    );
    tx.execute(
        &sql,
        &params![
            &new.draft_version,
            &new.published_version,
            &new.library_version,
            &new.wiki_slug,
            &new.base_store,
            new.edited_on,
            new.last_update,
            new.edited_by_id,
            old.id
        ],
    )
    .await?;
    let row = CourseIndexRow {
        id: old.id,
        ..new.clone()
    };
    let reason = row.change_reason(&old);
    note(tx, &row, "~", reason).await?;
    Ok(Moved::Yes)
}

/// Removes the row of a course, with a line in the history; returns it.
pub async fn delete(tx: &mut Tx, course_id: &str) -> Result<Option<CourseIndexRow>> {
    let Some(row) = find_for_update(tx, course_id).await? else {
        return Ok(None);
    };
    tx.execute(
        &format!("DELETE FROM `{TABLE}` WHERE `id` = ?"),
        &params![row.id],
    )
    .await?;
    note(tx, &row, "-", None).await?;
    Ok(Some(row))
}

async fn note(tx: &mut Tx, row: &CourseIndexRow, kind: &str, reason: Option<String>) -> Result<()> {
    let sql = tx.dialect().insert(
        HISTORY,
        &[
            "id",
            "objectid",
            "course_id",
            "org",
            "draft_version",
            "published_version",
            "library_version",
            "wiki_slug",
            "base_store",
            "edited_on",
            "last_update",
            "history_date",
            "history_change_reason",
            "history_type",
            "edited_by_id",
            "history_user_id",
        ],
    );
    tx.execute(
        &sql,
        &params![
            row.id,
            &row.objectid,
            &row.course_id,
            &row.org,
            &row.draft_version,
            &row.published_version,
            &row.library_version,
            &row.wiki_slug,
            &row.base_store,
            row.edited_on,
            row.last_update,
            row.last_update,
            reason,
            kind,
            row.edited_by_id,
            // The reserved editors are no users, and a user may be gone: the link is left empty.
            None::<i64>
        ],
    )
    .await?;
    Ok(())
}
