//! When a learner's own time began: `schedules_schedule` (courseware.md §6).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author};
use crate::keys::course_text;
use crate::table::{self, Table, table};

const HISTORY: &str = "schedules_historicalschedule";

table! {
    /// The schedule of an enrollment.
    Schedule: "schedules_schedule" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        active: bool,
        upgrade_deadline: Option<NaiveDateTime>,
        enrollment_id: i64,
        start_date: Option<NaiveDateTime>,
    }
}

/// The schedule of an enrollment.
pub async fn of_enrollment(from: impl Source, enrollment_id: i64) -> Result<Option<Schedule>> {
    table::find_one(from, "WHERE enrollment_id = ?", &params![enrollment_id]).await
}

/// The schedule of a learner in a course.
pub async fn of_user(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<Schedule>> {
    let sql = format!(
        "SELECT {} FROM schedules_schedule s \
         JOIN student_courseenrollment e ON e.id = s.enrollment_id \
         WHERE e.user_id = ? AND e.course_id = ?",
        table::columns::<Schedule>("s.")
    );
    let rows = from
        .rows(&sql, &params![user_id, course_text(course)])
        .await?;
    rows.first().map(Schedule::from_row).transpose()
}

/// Stores a schedule, over the one of the same enrollment, with its history; its id.
pub async fn save(tx: &mut Tx, schedule: &Schedule, author: &Author<'_>) -> Result<i64> {
    let stored = of_enrollment(&mut *tx, schedule.enrollment_id).await?;
    let row = Schedule {
        id: stored.as_ref().map_or(0, |stored| stored.id),
        created: stored.map_or(schedule.created, |stored| stored.created),
        ..schedule.clone()
    };
    history::put(tx, HISTORY, &row, row.id, author).await
}

/// Sets what mails a schedule gives: 0 the default ones, 1 course updates.
pub async fn set_experience(tx: &mut Tx, schedule_id: i64, kind: i64) -> Result<()> {
    let sql = tx.dialect().upsert(
        "schedules_scheduleexperience",
        &["schedule_id"],
        &["experience_type"],
    );
    tx.execute(&sql, &params![schedule_id, kind])
        .await
        .map(|_| ())
}
