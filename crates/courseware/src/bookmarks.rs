//! Bookmarks on blocks (lms-api.md §10, courseware.md §15.5).

use chrono::{DateTime, Utc};
use course_model::{BlockRef, CourseSnapshot};
use db::Db;
use opaque_keys::UsageKey;
use records::bookmarks::{self, Kept};
use serde_json::{Map, Value, json};

use crate::Result;
use crate::catalog::rest_date;

/// MAX_BOOKMARKS_PER_COURSE
pub const MOST_PER_COURSE: i64 = 100;

/// Which optional fields of a bookmark are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Name of the block.
    pub display_name: bool,
    /// The blocks above it.
    pub path: bool,
}

impl Wanted {
    /// Both.
    pub const ALL: Self = Self {
        display_name: true,
        path: true,
    };
}

/// The blocks between the course and a block, from above: keys and names.
fn path(block: BlockRef<'_>) -> Vec<(String, String)> {
    let mut path: Vec<(String, String)> = block
        .ancestors()
        .filter(|above| above.parent().is_some())
        .map(|above| {
            (
                above.usage_key().to_string(),
                above.display_name().into_owned(),
            )
        })
        .collect();
    path.reverse();
    path
}

fn path_json(path: &[(String, String)]) -> Value {
    path.iter()
        .map(|(key, name)| json!({"usage_key": key, "display_name": name}))
        .collect()
}

/// The JSON of a bookmark. Name and path are those of the published version, else as they were kept.
#[must_use]
pub fn to_json(
    kept: &Kept,
    username: &str,
    wanted: Wanted,
    course: Option<&CourseSnapshot>,
) -> Value {
    let usage = kept.bookmark.usage_key.as_str();
    let key = UsageKey::parse(usage).ok();
    let block = course
        .zip(key.as_ref())
        .and_then(|(course, key)| course.find_usage(key).map(|idx| course.block(idx)));
    let mut out = Map::new();
    out.insert("id".into(), format!("{username},{usage}").into());
    out.insert("course_id".into(), kept.bookmark.course_key.as_str().into());
    out.insert("usage_id".into(), usage.into());
    out.insert(
        "block_type".into(),
        key.as_ref().map(UsageKey::block_type).into(),
    );
    if wanted.display_name {
        let name = block.map_or_else(
            || kept.display_name.clone(),
            |block| block.display_name().into_owned(),
        );
        out.insert("display_name".into(), name.into());
    }
    if wanted.path {
        let stored = || serde_json::from_str(&kept.bookmark.path).unwrap_or_default();
        let path: Vec<(String, String)> = block.map_or_else(stored, path);
        out.insert("path".into(), path_json(&path));
    }
    out.insert(
        "created".into(),
        rest_date(kept.bookmark.created.and_utc()).into(),
    );
    out.into()
}

/// What became of a wish to bookmark a block.
#[derive(Debug, Clone, PartialEq)]
pub enum Added {
    /// It is bookmarked, now or since before.
    Kept(Box<Kept>),
    /// The course has as many bookmarks as it may have.
    TooMany,
}

/// Bookmarks a block of a person.
pub async fn add(db: &Db, user: i64, block: BlockRef<'_>, now: DateTime<Utc>) -> Result<Added> {
    let usage = block.usage_key();
    let count = bookmarks::count(db, user, Some(usage.course_key())).await?;
    if count >= MOST_PER_COURSE {
        return Ok(Added::TooMany);
    }
    let name = block.display_name();
    // The form in which the platform keeps paths: a list of paths, each a list of pairs.
    let path = json!(path(block)).to_string();
    let paths = format!("[{path}]");
    let (name, path, paths) = (name.as_ref(), path.as_str(), paths.as_str());
    let now = now.naive_utc();
    let kept = db
        .write(|mut tx| async move {
            bookmarks::add(&mut tx, user, usage, name, path, paths, now).await?;
            bookmarks::get(&mut tx, user, usage).await
        })
        .await?;
    match kept {
        Some(kept) => Ok(Added::Kept(Box::new(kept))),
        None => Err(db::Error::NoRow("bookmarks_bookmark".to_owned()).into()),
    }
}

/// Removes a bookmark; returns whether there was one.
pub async fn remove(db: &Db, user: i64, usage: &UsageKey) -> Result<bool> {
    let removed = db
        .write(|mut tx| async move { bookmarks::delete(&mut tx, user, usage).await })
        .await?;
    Ok(removed)
}
