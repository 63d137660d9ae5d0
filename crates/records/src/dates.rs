//! Dates of blocks and of learners: `edx_when_…` (courseware.md §6). A `rel_date` is in
//! microseconds, as Django stores durations.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::keys::course_text;
use crate::table::{self, table};

table! {
    /// A field of a block that holds a date.
    ContentDate: "edx_when_contentdate" {
        id: i64,
        course_id: String,
        location: Option<String>,
        policy_id: i64,
        active: bool,
        field: String,
        block_type: Option<String>,
    }
}

table! {
    /// The date itself: absolute, or relative to a schedule's start.
    DatePolicy: "edx_when_datepolicy" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        abs_date: Option<NaiveDateTime>,
        rel_date: Option<i64>,
    }
}

table! {
    /// A learner's own date for a field of a block.
    UserDate: "edx_when_userdate" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        abs_date: Option<NaiveDateTime>,
        reason: String,
        actor_id: Option<i64>,
        user_id: i64,
        content_date_id: i64,
        rel_date: Option<i64>,
    }
}

/// An active date of a course with its policy.
#[derive(Debug, Clone, PartialEq)]
pub struct CourseDate {
    /// `edx_when_contentdate.id`.
    pub content_date_id: i64,
    /// Usage key of the block.
    pub location: String,
    /// Field, such as `due`.
    pub field: String,
    /// Block type, if known.
    pub block_type: Option<String>,
    /// Absolute date.
    pub abs_date: Option<NaiveDateTime>,
    /// Microseconds after the schedule's start.
    pub rel_date: Option<i64>,
}

/// The active dates of a course, by id.
pub async fn of_course(mut from: impl Source, course: &CourseKey) -> Result<Vec<CourseDate>> {
    let sql = "SELECT c.id, c.location, c.field, c.block_type, p.abs_date, p.rel_date \
               FROM edx_when_contentdate c JOIN edx_when_datepolicy p ON p.id = c.policy_id \
               WHERE c.course_id = ? AND c.active = 1 ORDER BY c.id";
    let rows = from.rows(sql, &params![course_text(course)]).await?;
    rows.iter()
        .map(|row| {
            Ok(CourseDate {
                content_date_id: row.int("id")?,
                location: row.opt_text("location")?.unwrap_or_default(),
                field: row.text("field")?,
                block_type: row.opt_text("block_type")?,
                abs_date: row.opt_datetime("abs_date")?,
                rel_date: row.opt_int("rel_date")?,
            })
        })
        .collect()
}

/// The newest own date of a learner for each field of a course that has one.
pub async fn of_user(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Vec<UserDate>> {
    let sql = format!(
        "SELECT {} FROM edx_when_userdate u JOIN edx_when_contentdate c \
         ON c.id = u.content_date_id WHERE u.user_id = ? AND c.course_id = ? AND c.active = 1 \
         ORDER BY u.modified DESC, u.id DESC",
        table::columns::<UserDate>("u.")
    );
    let rows = from
        .rows(&sql, &params![user_id, course_text(course)])
        .await?;
    let mut found: Vec<UserDate> = Vec::new();
    for row in &rows {
        let date: UserDate = table::Table::from_row(row)?;
        if !found
            .iter()
            .any(|known| known.content_date_id == date.content_date_id)
        {
            found.push(date);
        }
    }
    Ok(found)
}

/// A date to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDate {
    /// Usage key of the block.
    pub location: String,
    /// Field, such as `due`.
    pub field: String,
    /// Block type.
    pub block_type: Option<String>,
    /// Absolute date.
    pub abs_date: Option<NaiveDateTime>,
    /// Microseconds after the schedule's start.
    pub rel_date: Option<i64>,
}

/// Makes these the dates of a course: rows are reused by block and field, policies by their values
/// (the lowest id), and what is not given becomes inactive.
pub async fn replace(
    tx: &mut Tx,
    course: &CourseKey,
    dates: &[NewDate],
    now: NaiveDateTime,
) -> Result<()> {
    let course_id = course_text(course);
    let stored: Vec<ContentDate> = table::find(
        &mut *tx,
        "WHERE course_id = ? ORDER BY id",
        &params![&course_id],
    )
    .await?;
    let mut by_place: HashMap<(&str, &str), Vec<&ContentDate>> = HashMap::new();
    for row in &stored {
        let location = row.location.as_deref().unwrap_or_default();
        by_place
            .entry((location, &row.field))
            .or_default()
            .push(row);
    }
    let mut policies = HashMap::new();
    let mut kept = HashSet::new();
    for date in dates {
        let value = (date.abs_date, date.rel_date);
        let policy_id = if let Some(id) = policies.get(&value) {
            *id
        } else {
            let id = policy(tx, date.abs_date, date.rel_date, now).await?;
            policies.insert(value, id);
            id
        };
        let rows = by_place.get(&(date.location.as_str(), date.field.as_str()));
        let rows = rows.map_or(&[][..], Vec::as_slice);
        // Older data may have several: the one with this policy cannot be made a second time.
        let old = rows
            .iter()
            .find(|row| row.policy_id == policy_id)
            .or_else(|| rows.iter().find(|row| row.active))
            .or_else(|| rows.first())
            .copied();
        let row = ContentDate {
            id: old.map_or(0, |row| row.id),
            course_id: course_id.clone(),
            location: Some(date.location.clone()),
            policy_id,
            active: true,
            field: date.field.clone(),
            block_type: date.block_type.clone(),
        };
        kept.insert(match old {
            Some(old) if *old == row => old.id,
            Some(old) => {
                table::update(tx, &row, &["id"]).await?;
                old.id
            }
            None => table::insert(tx, &row).await?,
        });
    }
    for row in stored
        .iter()
        .filter(|row| row.active && !kept.contains(&row.id))
    {
        let sql = "UPDATE edx_when_contentdate SET active = 0 WHERE id = ?";
        tx.execute(sql, &params![row.id]).await?;
    }
    Ok(())
}

/// Makes the dates of a course inactive, as they are when a publish no longer has them. Learners' own dates
/// stay with them.
pub async fn deactivate(tx: &mut Tx, course: &CourseKey) -> Result<()> {
    let sql = "UPDATE edx_when_contentdate SET active = 0 WHERE course_id = ?";
    tx.execute(sql, &params![course_text(course)])
        .await
        .map(|_| ())
}

async fn policy(
    tx: &mut Tx,
    abs_date: Option<NaiveDateTime>,
    rel_date: Option<i64>,
    now: NaiveDateTime,
) -> Result<i64> {
    let mut tail = "WHERE ".to_owned();
    let mut params = Vec::new();
    for (column, value) in [
        ("abs_date", Value::from(abs_date)),
        ("rel_date", Value::from(rel_date)),
    ] {
        if !params.is_empty() || tail.len() > 6 {
            tail.push_str(" AND ");
        }
        if value == Value::Null {
            tail.push_str(column);
            tail.push_str(" IS NULL");
        } else {
            tail.push_str(column);
            tail.push_str(" = ?");
            params.push(value);
        }
    }
    tail.push_str(" ORDER BY id");
    let found: Option<DatePolicy> = table::find_one(&mut *tx, &tail, &params).await?;
    if let Some(policy) = found {
        return Ok(policy.id);
    }
    let policy = DatePolicy {
        id: 0,
        created: now,
        modified: now,
        abs_date,
        rel_date,
    };
    table::insert(tx, &policy).await
}

/// Stores a learner's own date; the newest one counts.
pub async fn add_user_date(tx: &mut Tx, date: &UserDate) -> Result<i64> {
    table::insert(tx, date).await
}

/// Removes a learner's own dates for a field of a block.
pub async fn delete_user_dates(tx: &mut Tx, user_id: i64, content_date_id: i64) -> Result<()> {
    let sql = "DELETE FROM edx_when_userdate WHERE user_id = ? AND content_date_id = ?";
    tx.execute(sql, &params![user_id, content_date_id])
        .await
        .map(|_| ())
}
