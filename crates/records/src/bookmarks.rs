//! Bookmarks: `bookmarks_bookmark` and the names and paths kept with them (lms-api.md §11.3).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::{CourseKey, UsageKey};

use crate::keys::{course_text, usage_text};
use crate::table::{self, Table, table};

table! {
    /// A bookmark; `path` is a JSON list.
    Bookmark: "bookmarks_bookmark" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_key: String,
        usage_key: String,
        path: String,
        user_id: i64,
        xblock_cache_id: i64,
    }
}

table! {
    /// What is kept about a bookmarked block; `paths` is a JSON list.
    XBlockCache: "bookmarks_xblockcache" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_key: String,
        usage_key: String,
        display_name: String,
        paths: String,
    }
}

/// A bookmark with the kept name and paths of its block.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The bookmark.
    pub bookmark: Bookmark,
    /// Name of the block.
    pub display_name: String,
    /// Paths of the block, a JSON list.
    pub paths: String,
    /// When the kept block was last written.
    pub cache_modified: NaiveDateTime,
}

/// A page of the bookmarks of a person, in a course if given, newest first.
pub async fn list(
    mut from: impl Source,
    user_id: i64,
    course: Option<&CourseKey>,
    offset: i64,
    limit: i64,
) -> Result<Vec<Kept>> {
    let mut params = params![user_id].to_vec();
    let condition = condition(course, &mut params);
    let sql = format!(
        "{} WHERE b.user_id = ?{condition} ORDER BY b.created DESC, b.id DESC LIMIT ? OFFSET ?",
        select()
    );
    params.extend(params![limit, offset]);
    from.rows(&sql, &params).await?.iter().map(kept).collect()
}

/// How many bookmarks a person has, in a course if given.
pub async fn count(mut from: impl Source, user_id: i64, course: Option<&CourseKey>) -> Result<i64> {
    let mut params = params![user_id].to_vec();
    let condition = condition(course, &mut params);
    let sql =
        format!("SELECT COUNT(*) AS n FROM bookmarks_bookmark b WHERE b.user_id = ?{condition}");
    match from.rows(&sql, &params).await?.first() {
        Some(row) => row.int("n"),
        None => Ok(0),
    }
}

/// The bookmark of a person on a block.
pub async fn get(mut from: impl Source, user_id: i64, usage: &UsageKey) -> Result<Option<Kept>> {
    let sql = format!("{} WHERE b.user_id = ? AND b.usage_key = ?", select());
    let rows = from
        .rows(&sql, &params![user_id, usage_text(usage)])
        .await?;
    rows.first().map(kept).transpose()
}

/// Texts of the usage keys that a person bookmarked in a course.
pub async fn usage_keys(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Vec<String>> {
    let sql = "SELECT usage_key FROM bookmarks_bookmark WHERE user_id = ? AND course_key = ?";
    let rows = from
        .rows(sql, &params![user_id, course_text(course)])
        .await?;
    rows.iter().map(|row| row.text("usage_key")).collect()
}

/// Stores a bookmark with the name and paths of its block; an existing one keeps its id and
/// `created`. Whether it is new.
pub async fn add(
    tx: &mut Tx,
    user_id: i64,
    usage: &UsageKey,
    display_name: &str,
    path: &str,
    paths: &str,
    now: NaiveDateTime,
) -> Result<bool> {
    let (course_key, usage_key) = (course_text(usage.course_key()), usage_text(usage));
    let cache = XBlockCache {
        id: 0,
        created: now,
        modified: now,
        course_key: course_key.clone(),
        usage_key: usage_key.clone(),
        display_name: display_name.chars().take(255).collect(),
        paths: paths.to_owned(),
    };
    table::upsert(tx, &cache, &["usage_key"], &["created"]).await?;
    let sql = "SELECT id FROM bookmarks_xblockcache WHERE usage_key = ?";
    let xblock_cache_id = tx.read_int(sql, &params![&usage_key]).await?;
    let sql = "SELECT COUNT(*) AS n FROM bookmarks_bookmark WHERE user_id = ? AND usage_key = ?";
    if tx.read_int(sql, &params![user_id, &usage_key]).await? > 0 {
        return Ok(false);
    }
    let bookmark = Bookmark {
        id: 0,
        created: now,
        modified: now,
        course_key,
        usage_key,
        path: path.to_owned(),
        user_id,
        xblock_cache_id,
    };
    table::insert_ignore(tx, &bookmark).await.map(|()| true)
}

/// Removes a bookmark; whether there was one.
pub async fn delete(tx: &mut Tx, user_id: i64, usage: &UsageKey) -> Result<bool> {
    let sql = "DELETE FROM bookmarks_bookmark WHERE user_id = ? AND usage_key = ?";
    Ok(tx
        .execute(sql, &params![user_id, usage_text(usage)])
        .await?
        > 0)
}

fn condition(course: Option<&CourseKey>, params: &mut Vec<Value>) -> &'static str {
    match course {
        Some(course) => {
            params.push(Value::from(course_text(course)));
            " AND b.course_key = ?"
        }
        None => "",
    }
}

fn select() -> String {
    format!(
        "SELECT {}, c.display_name, c.paths, c.modified AS cache_modified \
         FROM bookmarks_bookmark b JOIN bookmarks_xblockcache c ON c.id = b.xblock_cache_id",
        table::columns::<Bookmark>("b.")
    )
}

fn kept(row: &db::Row) -> Result<Kept> {
    Ok(Kept {
        bookmark: Bookmark::from_row(row)?,
        display_name: row.text("display_name")?,
        paths: row.text("paths")?,
        cache_modified: row.datetime("cache_modified")?,
    })
}
