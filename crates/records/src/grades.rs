//! Stored grades: `grades_…` (async-and-events.md, tables of grades).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author, Change};
use crate::keys::course_text;
use crate::table::{self, Table, table};

table! {
    /// The grade of a learner in a course.
    CourseGrade: "grades_persistentcoursegrade" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        user_id: i64,
        course_id: String,
        course_edited_timestamp: Option<NaiveDateTime>,
        course_version: String,
        grading_policy_hash: String,
        percent_grade: f64,
        letter_grade: String,
        passed_timestamp: Option<NaiveDateTime>,
    }
}

table! {
    /// The grade of a learner in a subsection.
    SubsectionGrade: "grades_persistentsubsectiongrade" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        user_id: i64,
        course_id: String,
        usage_key: String,
        subtree_edited_timestamp: Option<NaiveDateTime>,
        course_version: String,
        earned_all: f64,
        possible_all: f64,
        earned_graded: f64,
        possible_graded: f64,
        visible_blocks_hash: String,
        first_attempted: Option<NaiveDateTime>,
    }
}

table! {
    /// A grade that a person gave in place of the computed one.
    SubsectionGradeOverride: "grades_persistentsubsectiongradeoverride" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        earned_all_override: Option<f64>,
        possible_all_override: Option<f64>,
        earned_graded_override: Option<f64>,
        possible_graded_override: Option<f64>,
        grade_id: i64,
        override_reason: Option<String>,
        system: Option<String>,
    }
}

table! {
    /// The scored blocks that a grade was computed from, as JSON, found by its hash.
    VisibleBlocks: "grades_visibleblocks" {
        id: i64,
        blocks_json: String,
        hashed: String,
        course_id: String,
    }
}

/// The course grade of a learner.
pub async fn course_grade(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<CourseGrade>> {
    let tail = "WHERE course_id = ? AND user_id = ?";
    table::find_one(from, tail, &params![course_text(course), user_id]).await
}

/// The course grades of several learners, in no order.
pub async fn course_grades(
    from: impl Source,
    course: &CourseKey,
    user_ids: &[i64],
) -> Result<Vec<CourseGrade>> {
    let ids: Vec<Value> = user_ids.iter().copied().map(Value::from).collect();
    let rest = params![course_text(course)];
    table::find_in(from, "user_id", &ids, "AND course_id = ?", &rest).await
}

/// A page of the course grades of a course, by user: at most `limit` after user id `after`.
pub async fn list_course_grades(
    from: impl Source,
    course: &CourseKey,
    after: i64,
    limit: u32,
) -> Result<Vec<CourseGrade>> {
    let tail = "WHERE course_id = ? AND user_id > ? ORDER BY user_id LIMIT ?";
    table::find(from, tail, &params![course_text(course), after, limit]).await
}

/// Stores a course grade, over the learner's own. A stored `passed_timestamp` stays: the first
/// time counts.
pub async fn save_course_grade(tx: &mut Tx, grade: &CourseGrade) -> Result<()> {
    let stored: Option<CourseGrade> = table::find_locked(
        &mut *tx,
        "WHERE course_id = ? AND user_id = ?",
        &params![&grade.course_id, grade.user_id],
    )
    .await?;
    let row = CourseGrade {
        id: 0,
        passed_timestamp: stored
            .and_then(|stored| stored.passed_timestamp)
            .or(grade.passed_timestamp),
        ..grade.clone()
    };
    table::upsert(tx, &row, &["course_id", "user_id"], &["created"]).await
}

/// Every subsection grade of a learner in a course, in no order.
pub async fn subsection_grades(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Vec<SubsectionGrade>> {
    let tail = "WHERE course_id = ? AND user_id = ?";
    table::find(from, tail, &params![course_text(course), user_id]).await
}

/// The subsection grades of several learners in a course, in no order.
pub async fn subsection_grades_of(
    from: impl Source,
    course: &CourseKey,
    user_ids: &[i64],
) -> Result<Vec<SubsectionGrade>> {
    let ids: Vec<Value> = user_ids.iter().copied().map(Value::from).collect();
    let rest = params![course_text(course)];
    table::find_in(from, "user_id", &ids, "AND course_id = ?", &rest).await
}

/// The grade of a learner in one subsection (text of its usage key).
pub async fn subsection_grade(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
    usage_key: &str,
) -> Result<Option<SubsectionGrade>> {
    let tail = "WHERE course_id = ? AND user_id = ? AND usage_key = ?";
    table::find_one(
        from,
        tail,
        &params![course_text(course), user_id, usage_key],
    )
    .await
}

/// Stores a subsection grade, over the learner's own, and returns its id. A stored
/// `first_attempted` stays.
pub async fn save_subsection_grade(tx: &mut Tx, grade: &SubsectionGrade) -> Result<i64> {
    let tail = "WHERE course_id = ? AND user_id = ? AND usage_key = ?";
    let key = params![&grade.course_id, grade.user_id, &grade.usage_key];
    let stored: Option<SubsectionGrade> = table::find_locked(&mut *tx, tail, &key).await?;
    if let Some(stored) = stored {
        let row = SubsectionGrade {
            id: stored.id,
            created: stored.created,
            first_attempted: stored.first_attempted.or(grade.first_attempted),
            ..grade.clone()
        };
        table::update(tx, &row, &["id"]).await?;
        return Ok(stored.id);
    }
    let row = SubsectionGrade {
        id: 0,
        ..grade.clone()
    };
    let keys = ["course_id", "user_id", "usage_key"];
    table::upsert(tx, &row, &keys, &["created"]).await?;
    let sql = "SELECT id FROM grades_persistentsubsectiongrade \
               WHERE course_id = ? AND user_id = ? AND usage_key = ?";
    tx.read_int(sql, &key).await
}

/// Stores the scored blocks of a grade unless their hash is known.
pub async fn save_visible_blocks(tx: &mut Tx, row: &VisibleBlocks) -> Result<()> {
    table::insert_ignore(tx, row).await
}

/// The scored blocks of grades, by hash, in no order.
pub async fn visible_blocks(from: impl Source, hashes: &[String]) -> Result<Vec<VisibleBlocks>> {
    let hashes: Vec<Value> = hashes.iter().map(Value::from).collect();
    table::find_in(from, "hashed", &hashes, "", &[]).await
}

/// The overrides of a learner in a course, each with the usage key of its subsection.
pub async fn overrides(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Vec<(String, SubsectionGradeOverride)>> {
    let sql = format!(
        "SELECT g.usage_key, {} FROM grades_persistentsubsectiongradeoverride o \
         JOIN grades_persistentsubsectiongrade g ON g.id = o.grade_id \
         WHERE g.course_id = ? AND g.user_id = ?",
        table::columns::<SubsectionGradeOverride>("o.")
    );
    let rows = from
        .rows(&sql, &params![course_text(course), user_id])
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.text("usage_key")?,
                SubsectionGradeOverride::from_row(row)?,
            ))
        })
        .collect()
}

const OVERRIDE_HISTORY: &str = "grades_historicalpersistentsubsectiongradeoverride";

/// Stores an override, over the one of the same grade, with its history.
pub async fn save_override(
    tx: &mut Tx,
    row: &SubsectionGradeOverride,
    author: &Author<'_>,
) -> Result<()> {
    let tail = "WHERE grade_id = ?";
    let stored: Option<SubsectionGradeOverride> =
        table::find_locked(&mut *tx, tail, &params![row.grade_id]).await?;
    let row = SubsectionGradeOverride {
        id: stored.as_ref().map_or(0, |stored| stored.id),
        created: stored.map_or(row.created, |stored| stored.created),
        ..row.clone()
    };
    history::put(tx, OVERRIDE_HISTORY, &row, row.id, author)
        .await
        .map(|_| ())
}

/// Removes the override of a grade, with its history; whether there was one.
pub async fn delete_override(tx: &mut Tx, grade_id: i64, author: &Author<'_>) -> Result<bool> {
    let tail = "WHERE grade_id = ?";
    let stored: Option<SubsectionGradeOverride> =
        table::find_locked(&mut *tx, tail, &params![grade_id]).await?;
    let Some(row) = stored else { return Ok(false) };
    let sql = "DELETE FROM grades_persistentsubsectiongradeoverride WHERE id = ?";
    tx.execute(sql, &params![row.id]).await?;
    history::record(tx, OVERRIDE_HISTORY, &row, Change::Deleted, author, None).await?;
    Ok(true)
}
