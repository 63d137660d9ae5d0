//! Writing enrollments with everything that follows from them, in one transaction (contracts/lms-api.md §1.4).

use chrono::NaiveDateTime;
use db::{Db, Tx, params};
use opaque_keys::CourseKey;
use records::course_overviews::{self, CourseOverview};
use records::enrollment::{self as rows, CourseEnrollment};
use records::history::Author;
use records::keys::course_text;
use records::schedules::{self, Schedule};
use records::users::User;
use records::{outbox, roles};
use serde_json::json;

use crate::access::{Facts, Policy, is_course_staff, is_full, may_enroll};
use crate::{EnrollError, Error, Result, modes};

/// What is asked before somebody is enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Window, invitation, limit, and not being enrolled already: the learner's own wish, and the API's.
    Checked(Policy),
    /// The limit, and not being enrolled already: global staff with force.
    Forced,
    /// Nothing: instructors, commands.
    Unchecked,
}

/// New values of an enrollment; none leaves one alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Mode slug.
    pub mode: Option<&'a str>,
    /// Activity.
    pub is_active: Option<bool>,
}

/// Puts a learner into a course: makes the row (inactive, in the default mode) if there is none, then activates it in
/// `mode`. The row, two history rows, the schedule, the forum role and the outbox events are one transaction.
///
/// # Errors
/// [`EnrollError`] by `access`; nothing is written then.
pub async fn enroll(
    db: &Db,
    user: &User,
    course: &CourseKey,
    mode: &str,
    access: Access,
    author: &Author<'_>,
) -> Result<CourseEnrollment> {
    db.write(|mut tx| async move { enroll_in(&mut tx, user, course, mode, access, author).await })
        .await
}

/// Enrolls a user in every course that an e-mail permission with `auto_enroll` names (contracts/identity.md §7.3):
/// what happens when an account becomes active or its address changes. Courses whose enrollment has ended, or that
/// are unknown, are passed over. The rows.
pub async fn enroll_allowed(
    db: &Db,
    user: &User,
    author: &Author<'_>,
) -> Result<Vec<CourseEnrollment>> {
    let mut made = Vec::new();
    for allowed in rows::allowed_of_email(db, &user.email).await? {
        if !allowed.auto_enroll {
            continue;
        }
        let Ok(course) = CourseKey::parse(&allowed.course_id) else {
            continue;
        };
        let Some(overview) = course_overviews::get(db, &course).await? else {
            continue;
        };
        if overview.enrollment_end.is_some_and(|end| end <= author.now) {
            continue;
        }
        let offered = records::course_modes::of_course(db, &course).await?;
        let mode = modes::default_slug(&offered, &allowed.course_id, author.now);
        made.push(enroll(db, user, &course, mode, Access::Unchecked, author).await?);
    }
    Ok(made)
}

/// As [`enroll`], inside a transaction of the caller.
pub(crate) async fn enroll_in(
    tx: &mut Tx,
    user: &User,
    course: &CourseKey,
    mode: &str,
    access: Access,
    author: &Author<'_>,
) -> Result<CourseEnrollment> {
    let overview = course_overviews::get(&mut *tx, course).await?;
    let allowed = rows::allowed(&mut *tx, &user.email, course).await?;
    let stored = rows::get_locked(tx, user.id, course).await?;
    if access != Access::Unchecked {
        let overview = overview.as_ref().ok_or(EnrollError::NoCourse)?;
        if let Access::Checked(policy) = access {
            let facts = Facts {
                user_id: user.id,
                is_course_staff: is_course_staff(&mut *tx, user, course).await?,
                allowed: allowed.as_ref(),
                overview,
                is_deprecated_key: course.is_deprecated(),
            };
            may_enroll(&facts, policy, author.now)?;
        }
        let limited = overview.max_student_enrollments_allowed.is_some();
        if limited && is_full(overview, rows::count_learners(&mut *tx, course).await?) {
            return Err(EnrollError::Full.into());
        }
        if stored.as_ref().is_some_and(|row| row.is_active) {
            return Err(EnrollError::AlreadyEnrolled.into());
        }
    }
    let enrollment = match stored {
        Some(row) => row,
        None => create(tx, user, course, overview.as_ref(), author).await?,
    };
    if let Some(mut allowed) = allowed
        && allowed.user_id != Some(user.id)
    {
        allowed.user_id = Some(user.id);
        rows::save_allowed(tx, &allowed).await?;
    }
    let change = Change {
        mode: Some(mode),
        is_active: Some(true),
    };
    Ok(change_in(tx, enrollment, course, change, author).await?)
}

async fn create(
    tx: &mut Tx,
    user: &User,
    course: &CourseKey,
    overview: Option<&CourseOverview>,
    author: &Author<'_>,
) -> db::Result<CourseEnrollment> {
    let mut row = CourseEnrollment {
        id: 0,
        course_id: course_text(course),
        created: Some(author.now),
        is_active: false,
        mode: modes::AUDIT.to_owned(),
        user_id: user.id,
    };
    rows::create(tx, &mut row, author).await?;
    roles::add_forum_roles(tx, user.id, course, &["Student"]).await?;
    let start = overview.and_then(|overview| overview.start);
    let schedule = Schedule {
        id: 0,
        created: author.now,
        modified: author.now,
        active: true,
        upgrade_deadline: None,
        enrollment_id: row.id,
        start_date: Some(start.map_or(author.now, |start| start.max(author.now))),
    };
    let schedule_id = schedules::save(tx, &schedule, author).await?;
    schedules::set_experience(tx, schedule_id, 0).await?;
    Ok(row)
}

/// Takes a learner out of a course: the row becomes inactive. None when there is no row.
pub async fn unenroll(
    db: &Db,
    user_id: i64,
    course: &CourseKey,
    author: &Author<'_>,
) -> Result<Option<CourseEnrollment>> {
    let change = Change {
        mode: None,
        is_active: Some(false),
    };
    crate::change(db, user_id, course, change, author).await
}

/// Changes mode and activity of an enrollment. None when there is no row.
pub async fn change(
    db: &Db,
    user_id: i64,
    course: &CourseKey,
    change: Change<'_>,
    author: &Author<'_>,
) -> Result<Option<CourseEnrollment>> {
    db.write(|mut tx| async move {
        let Some(row) = rows::get_locked(&mut tx, user_id, course).await? else {
            return Ok::<_, Error>(None);
        };
        Ok(Some(change_in(&mut tx, row, course, change, author).await?))
    })
    .await
}

/// Writes a change with its history and events; activation comes before the change of mode.
pub(crate) async fn change_in(
    tx: &mut Tx,
    mut row: CourseEnrollment,
    course: &CourseKey,
    change: Change<'_>,
    author: &Author<'_>,
) -> db::Result<CourseEnrollment> {
    let activity = change.is_active.filter(|active| *active != row.is_active);
    let mode = change.mode.filter(|mode| *mode != row.mode);
    if activity.is_none() && mode.is_none() {
        return Ok(row);
    }
    if let Some(active) = activity {
        row.is_active = active;
    }
    if let Some(mode) = mode {
        mode.clone_into(&mut row.mode);
    }
    rows::save(tx, &row, author).await?;
    roles::add_forum_roles(tx, row.user_id, course, &["Student"]).await?;
    if let Some(active) = activity {
        let topic = if active {
            "enrollment.activated"
        } else {
            "enrollment.deactivated"
        };
        put(tx, topic, &row, author.now).await?;
    }
    if mode.is_some() {
        put(tx, "enrollment.mode_changed", &row, author.now).await?;
        reset_self_paced_schedule(tx, &row, course, author).await?;
    }
    Ok(row)
}

/// A mode change starts a self-paced schedule anew.
async fn reset_self_paced_schedule(
    tx: &mut Tx,
    row: &CourseEnrollment,
    course: &CourseKey,
    author: &Author<'_>,
) -> db::Result<()> {
    let Some(overview) = course_overviews::get(&mut *tx, course).await? else {
        return Ok(());
    };
    if !overview.self_paced {
        return Ok(());
    }
    let Some(schedule) = schedules::of_enrollment(&mut *tx, row.id).await? else {
        return Ok(());
    };
    let start_date = overview
        .start
        .map_or(author.now, |start| start.max(author.now));
    if schedule.start_date == Some(start_date) {
        return Ok(());
    }
    let schedule = Schedule {
        start_date: Some(start_date),
        modified: author.now,
        ..schedule
    };
    schedules::save(tx, &schedule, author).await.map(|_| ())
}

async fn put(
    tx: &mut Tx,
    topic: &str,
    row: &CourseEnrollment,
    now: NaiveDateTime,
) -> db::Result<()> {
    let payload = json!({
        "user_id": row.user_id,
        "course_id": row.course_id,
        "mode": row.mode,
        "is_active": row.is_active,
    });
    outbox::put(tx, topic, &row.course_id, &payload, now, now)
        .await
        .map(|_| ())
}

/// Puts facts about an enrollment in the place of those it has.
pub(crate) async fn replace_attributes(
    tx: &mut Tx,
    enrollment_id: i64,
    facts: &[(String, String, String)],
) -> db::Result<()> {
    tx.execute(
        "DELETE FROM student_courseenrollmentattribute WHERE enrollment_id = ?",
        &params![enrollment_id],
    )
    .await?;
    rows::set_attributes(tx, enrollment_id, facts).await
}
