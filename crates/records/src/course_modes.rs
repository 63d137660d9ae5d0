//! The modes that a course offers: `course_modes_coursemode` (lms-api.md §2, §11.1).

use chrono::{NaiveDate, NaiveDateTime};
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author, Change};
use crate::keys::course_text;
use crate::table::{self, table};

const HISTORY: &str = "course_modes_historicalcoursemode";

table! {
    /// A mode of a course.
    CourseMode: "course_modes_coursemode" {
        id: i64,
        course_id: String,
        mode_slug: String,
        mode_display_name: String,
        min_price: i64,
        currency: String,
        expiration_datetime: Option<NaiveDateTime>,
        expiration_date: Option<NaiveDate>,
        suggested_prices: String,
        description: Option<String>,
        sku: Option<String>,
        expiration_datetime_is_explicit: bool,
        bulk_sku: Option<String>,
        android_sku: Option<String>,
        ios_sku: Option<String>,
    }
}

/// The modes of a course, in the order of their rows.
pub async fn of_course(from: impl Source, course: &CourseKey) -> Result<Vec<CourseMode>> {
    table::find(
        from,
        "WHERE course_id = ? ORDER BY id",
        &params![course_text(course)],
    )
    .await
}

/// The modes of several courses, in the order of their rows.
pub async fn of_courses(from: impl Source, course_ids: &[String]) -> Result<Vec<CourseMode>> {
    let ids: Vec<Value> = course_ids.iter().map(Value::from).collect();
    table::find_in(from, "course_id", &ids, "ORDER BY id", &[]).await
}

/// One mode of a course.
pub async fn get(
    from: impl Source,
    course: &CourseKey,
    mode_slug: &str,
) -> Result<Option<CourseMode>> {
    let tail = "WHERE course_id = ? AND mode_slug = ? ORDER BY id";
    table::find_one(from, tail, &params![course_text(course), mode_slug]).await
}

/// Stores a new mode; sets its id. Fails with [`db::Error::Unique`] if the course has a mode with
/// the same slug and currency.
pub async fn create(tx: &mut Tx, mode: &mut CourseMode, author: &Author<'_>) -> Result<()> {
    mode.id = table::insert(tx, mode).await?;
    history::record(tx, HISTORY, mode, Change::Created, author, None).await
}

/// Writes a mode.
pub async fn save(tx: &mut Tx, mode: &CourseMode, author: &Author<'_>) -> Result<()> {
    table::update(tx, mode, &["id"]).await?;
    history::record(tx, HISTORY, mode, Change::Changed, author, None).await
}

/// Removes a mode.
pub async fn delete(tx: &mut Tx, mode: &CourseMode, author: &Author<'_>) -> Result<()> {
    tx.execute(
        "DELETE FROM course_modes_coursemode WHERE id = ?",
        &params![mode.id],
    )
    .await?;
    history::record(tx, HISTORY, mode, Change::Deleted, author, None).await
}
