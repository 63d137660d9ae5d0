//! Cohorts of a course: `course_groups_…` (lms-api.md §11.3).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, params};
use opaque_keys::CourseKey;

use crate::keys::course_text;
use crate::table::{self, table};

table! {
    /// A group of learners; `group_type` is `cohort`.
    CourseUserGroup: "course_groups_courseusergroup" {
        id: i64,
        name: String,
        course_id: String,
        group_type: String,
    }
}

table! {
    /// Which cohort a learner is in.
    CohortMembership: "course_groups_cohortmembership" {
        id: i64,
        course_id: String,
        course_user_group_id: i64,
        user_id: i64,
    }
}

table! {
    /// Whether and how a course is cohorted.
    CohortsSettings: "course_groups_coursecohortssettings" {
        id: i64,
        is_cohorted: bool,
        course_id: String,
        cohorted_discussions: Option<String>,
        always_cohort_inline_discussions: bool,
    }
}

table! {
    /// The content group that a cohort sees.
    PartitionGroup: "course_groups_courseusergrouppartitiongroup" {
        id: i64,
        partition_id: i64,
        group_id: i64,
        created_at: NaiveDateTime,
        updated_at: NaiveDateTime,
        course_user_group_id: i64,
    }
}

/// A cohort as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// `course_groups_courseusergroup.id`.
    pub id: i64,
    /// Name.
    pub name: String,
    /// `random` or `manual`.
    pub assignment_type: String,
    /// Number of members.
    pub user_count: i64,
    /// Linked content group: partition id and group id.
    pub content_group: Option<(i64, i64)>,
}

/// The settings of a course.
pub async fn settings(from: impl Source, course: &CourseKey) -> Result<Option<CohortsSettings>> {
    table::find_one(from, "WHERE course_id = ?", &params![course_text(course)]).await
}

/// Stores the settings of a course.
pub async fn save_settings(tx: &mut Tx, settings: &CohortsSettings) -> Result<()> {
    table::upsert(tx, settings, &["course_id"], &[]).await
}

/// The cohorts of a course, by name.
pub async fn of_course(mut from: impl Source, course: &CourseKey) -> Result<Vec<Cohort>> {
    let sql = "SELECT g.id, g.name, c.assignment_type, p.partition_id, p.group_id, \
               (SELECT COUNT(*) FROM course_groups_courseusergroup_users u \
                WHERE u.courseusergroup_id = g.id) AS n \
               FROM course_groups_courseusergroup g \
               LEFT JOIN course_groups_coursecohort c ON c.course_user_group_id = g.id \
               LEFT JOIN course_groups_courseusergrouppartitiongroup p \
               ON p.course_user_group_id = g.id \
               WHERE g.course_id = ? AND g.group_type = 'cohort' ORDER BY g.name, g.id";
    let rows = from.rows(sql, &params![course_text(course)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Cohort {
                id: row.int("id")?,
                name: row.text("name")?,
                assignment_type: row
                    .opt_text("assignment_type")?
                    .unwrap_or("manual".to_owned()),
                user_count: row.int("n")?,
                content_group: row.opt_int("partition_id")?.zip(row.opt_int("group_id")?),
            })
        })
        .collect()
}

/// The cohort of a learner, with its content group: id, name, content group.
pub async fn of_user(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<(i64, String, Option<(i64, i64)>)>> {
    let sql = "SELECT g.id, g.name, p.partition_id, p.group_id \
               FROM course_groups_cohortmembership m \
               JOIN course_groups_courseusergroup g ON g.id = m.course_user_group_id \
               LEFT JOIN course_groups_courseusergrouppartitiongroup p \
               ON p.course_user_group_id = g.id WHERE m.user_id = ? AND m.course_id = ?";
    let rows = from
        .rows(sql, &params![user_id, course_text(course)])
        .await?;
    rows.first()
        .map(|row| {
            let group = row.opt_int("partition_id")?.zip(row.opt_int("group_id")?);
            Ok((row.int("id")?, row.text("name")?, group))
        })
        .transpose()
}

/// Ids of the members of a cohort.
pub async fn members(mut from: impl Source, cohort_id: i64) -> Result<Vec<i64>> {
    let sql = "SELECT user_id FROM course_groups_courseusergroup_users \
               WHERE courseusergroup_id = ? ORDER BY user_id";
    let rows = from.rows(sql, &params![cohort_id]).await?;
    rows.iter().map(|row| row.int("user_id")).collect()
}

/// Makes a cohort; its id. Fails with [`db::Error::Unique`] if the course has one of that name.
pub async fn create(
    tx: &mut Tx,
    course: &CourseKey,
    name: &str,
    assignment_type: &str,
) -> Result<i64> {
    let row = CourseUserGroup {
        id: 0,
        name: name.to_owned(),
        course_id: course_text(course),
        group_type: "cohort".to_owned(),
    };
    let id = table::insert(tx, &row).await?;
    set_assignment_type(tx, id, assignment_type).await?;
    Ok(id)
}

/// Renames a cohort.
pub async fn rename(tx: &mut Tx, cohort_id: i64, name: &str) -> Result<()> {
    let sql = "UPDATE course_groups_courseusergroup SET name = ? WHERE id = ?";
    tx.execute(sql, &params![name, cohort_id]).await.map(|_| ())
}

/// Sets how learners come into a cohort: `random` or `manual`.
pub async fn set_assignment_type(tx: &mut Tx, cohort_id: i64, kind: &str) -> Result<()> {
    let sql = tx.dialect().upsert(
        "course_groups_coursecohort",
        &["course_user_group_id"],
        &["assignment_type"],
    );
    tx.execute(&sql, &params![cohort_id, kind])
        .await
        .map(|_| ())
}

/// Puts a learner into a cohort, out of the one before; that one's id.
pub async fn add_user(
    tx: &mut Tx,
    cohort_id: i64,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<i64>> {
    let before = remove_user(tx, user_id, course).await?;
    let row = CohortMembership {
        id: 0,
        course_id: course_text(course),
        course_user_group_id: cohort_id,
        user_id,
    };
    table::upsert(tx, &row, &["user_id", "course_id"], &[]).await?;
    let sql = tx.dialect().insert_ignore(
        "course_groups_courseusergroup_users",
        &["courseusergroup_id", "user_id"],
    );
    tx.execute(&sql, &params![cohort_id, user_id]).await?;
    Ok(before)
}

/// Takes a learner out of the cohort of a course; that cohort's id.
pub async fn remove_user(tx: &mut Tx, user_id: i64, course: &CourseKey) -> Result<Option<i64>> {
    let course = course_text(course);
    let tail = "WHERE user_id = ? AND course_id = ?";
    let found: Option<CohortMembership> =
        table::find_locked(&mut *tx, tail, &params![user_id, &course]).await?;
    let Some(membership) = found else {
        return Ok(None);
    };
    let sql = "DELETE FROM course_groups_cohortmembership WHERE id = ?";
    tx.execute(sql, &params![membership.id]).await?;
    let sql = "DELETE FROM course_groups_courseusergroup_users \
               WHERE courseusergroup_id = ? AND user_id = ?";
    tx.execute(sql, &params![membership.course_user_group_id, user_id])
        .await?;
    Ok(Some(membership.course_user_group_id))
}

/// Links a cohort to a content group, or unlinks it.
pub async fn link(
    tx: &mut Tx,
    cohort_id: i64,
    content_group: Option<(i64, i64)>,
    now: NaiveDateTime,
) -> Result<()> {
    let Some((partition_id, group_id)) = content_group else {
        let sql = "DELETE FROM course_groups_courseusergrouppartitiongroup \
                   WHERE course_user_group_id = ?";
        return tx.execute(sql, &params![cohort_id]).await.map(|_| ());
    };
    let row = PartitionGroup {
        id: 0,
        partition_id,
        group_id,
        created_at: now,
        updated_at: now,
        course_user_group_id: cohort_id,
    };
    table::upsert(tx, &row, &["course_user_group_id"], &["created_at"]).await
}

/// Notes the cohort that an address will come into when it registers.
pub async fn assign_address(
    tx: &mut Tx,
    course: &CourseKey,
    email: &str,
    cohort_id: i64,
) -> Result<()> {
    let sql = tx.dialect().upsert(
        "course_groups_unregisteredlearnercohortassignments",
        &["course_id", "email"],
        &["course_user_group_id"],
    );
    tx.execute(&sql, &params![course_text(course), email, cohort_id])
        .await
        .map(|_| ())
}

/// Takes back the cohort noted for an address; its id.
pub async fn take_assigned(tx: &mut Tx, course: &CourseKey, email: &str) -> Result<Option<i64>> {
    let course = course_text(course);
    let sql = "SELECT course_user_group_id AS cohort \
               FROM course_groups_unregisteredlearnercohortassignments \
               WHERE course_id = ? AND email = ?";
    let Some(row) = tx.read_one(sql, &params![&course, email]).await? else {
        return Ok(None);
    };
    let sql = "DELETE FROM course_groups_unregisteredlearnercohortassignments \
               WHERE course_id = ? AND email = ?";
    tx.execute(sql, &params![&course, email]).await?;
    row.int("cohort").map(Some)
}
