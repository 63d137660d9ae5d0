//! Who is in which course: `student_courseenrollment` and what hangs on it (lms-api.md §11.1).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author, Change};
use crate::keys::course_text;
use crate::table::{self, table};

const HISTORY: &str = "student_courseenrollment_history";

table! {
    /// A person's place in a course. There is at most one; leaving makes it inactive.
    CourseEnrollment: "student_courseenrollment" {
        id: i64,
        course_id: String,
        created: Option<NaiveDateTime>,
        is_active: bool,
        mode: String,
        user_id: i64,
    }
}

table! {
    /// A named fact about an enrollment.
    CourseEnrollmentAttribute: "student_courseenrollmentattribute" {
        id: i64,
        namespace: String,
        name: String,
        value: String,
        enrollment_id: i64,
    }
}

table! {
    /// An e-mail address that may enroll.
    CourseEnrollmentAllowed: "student_courseenrollmentallowed" {
        id: i64,
        email: String,
        course_id: String,
        auto_enroll: bool,
        created: Option<NaiveDateTime>,
        user_id: Option<i64>,
    }
}

table! {
    /// Which celebrations a learner has still to see.
    Celebration: "student_courseenrollmentcelebration" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        celebrate_first_section: bool,
        enrollment_id: i64,
        celebrate_weekly_goal: bool,
    }
}

table! {
    /// An enrollment changed by hand, and why.
    ManualEnrollmentAudit: "student_manualenrollmentaudit" {
        id: i64,
        enrolled_email: String,
        time_stamp: Option<NaiveDateTime>,
        state_transition: String,
        reason: Option<String>,
        enrolled_by_id: Option<i64>,
        enrollment_id: Option<i64>,
        role: Option<String>,
    }
}

/// The enrollment of a person in a course, active or not.
pub async fn get(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<CourseEnrollment>> {
    let tail = "WHERE user_id = ? AND course_id = ?";
    table::find_one(from, tail, &params![user_id, course_text(course)]).await
}

/// As [`get`], inside a transaction that will write the row.
pub async fn get_locked(
    tx: &mut Tx,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<CourseEnrollment>> {
    let tail = "WHERE user_id = ? AND course_id = ?";
    table::find_locked(tx, tail, &params![user_id, course_text(course)]).await
}

/// Every enrollment of a person, oldest first.
pub async fn of_user(from: impl Source, user_id: i64) -> Result<Vec<CourseEnrollment>> {
    table::find(
        from,
        "WHERE user_id = ? ORDER BY created, id",
        &params![user_id],
    )
    .await
}

/// Which enrollments to list. Empty lists do not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Courses.
    pub course_ids: Vec<String>,
    /// People.
    pub user_ids: Vec<i64>,
    /// Only active or only inactive ones.
    pub is_active: Option<bool>,
    /// Modes.
    pub modes: Vec<String>,
}

impl Filter {
    fn condition(&self) -> (String, Vec<Value>) {
        let mut parts = vec!["1 = 1".to_owned()];
        let mut params = Vec::new();
        let mut list = |column: &str, values: Vec<Value>| {
            if !values.is_empty() {
                parts.push(format!("{column} IN ({})", db::placeholders(values.len())));
                params.extend(values);
            }
        };
        list(
            "course_id",
            self.course_ids.iter().map(Value::from).collect(),
        );
        list(
            "user_id",
            self.user_ids.iter().copied().map(Value::from).collect(),
        );
        list("mode", self.modes.iter().map(Value::from).collect());
        list(
            "is_active",
            self.is_active.map(Value::from).into_iter().collect(),
        );
        (parts.join(" AND "), params)
    }
}

/// A page of enrollments, newest first: at most `limit` after the position `after` (`created` and
/// id of the last one seen).
pub async fn list(
    from: impl Source,
    filter: &Filter,
    after: Option<(NaiveDateTime, i64)>,
    limit: u32,
) -> Result<Vec<CourseEnrollment>> {
    let (mut tail, mut params) = filter.condition();
    tail.insert_str(0, "WHERE ");
    if let Some((created, id)) = after {
        tail.push_str(" AND (created < ? OR (created = ? AND id < ?))");
        params.extend(params![created, created, id]);
    }
    tail.push_str(" ORDER BY created DESC, id DESC LIMIT ?");
    params.push(Value::from(limit));
    table::find(from, &tail, &params).await
}

/// How many enrollments fit.
pub async fn count(mut from: impl Source, filter: &Filter) -> Result<i64> {
    let (condition, params) = filter.condition();
    let sql = format!("SELECT COUNT(*) AS n FROM student_courseenrollment WHERE {condition}");
    match from.rows(&sql, &params).await?.first() {
        Some(row) => row.int("n"),
        None => Ok(0),
    }
}

/// How many active enrollments a course has in each mode.
pub async fn counts_by_mode(
    mut from: impl Source,
    course: &CourseKey,
) -> Result<Vec<(String, i64)>> {
    let sql = "SELECT mode, COUNT(*) AS n FROM student_courseenrollment \
               WHERE course_id = ? AND is_active = 1 GROUP BY mode ORDER BY mode";
    let rows = from.rows(sql, &params![course_text(course)]).await?;
    rows.iter()
        .map(|row| Ok((row.text("mode")?, row.int("n")?)))
        .collect()
}

/// Active enrollments of a course that count against its limit: without course staff, instructors
/// and CCX coaches (lms-api.md §1.4).
pub async fn count_learners(mut from: impl Source, course: &CourseKey) -> Result<i64> {
    let course = course_text(course);
    let sql = "SELECT COUNT(*) AS n FROM student_courseenrollment e \
               WHERE e.course_id = ? AND e.is_active = 1 AND NOT EXISTS \
               (SELECT 1 FROM student_courseaccessrole r WHERE r.user_id = e.user_id \
                AND r.course_id = ? AND r.role IN ('staff', 'instructor', 'ccx_coach'))";
    match from.rows(sql, &params![&course, &course]).await?.first() {
        Some(row) => row.int("n"),
        None => Ok(0),
    }
}

/// Stores a new enrollment with its history; sets its id. Fails with [`db::Error::Unique`] if the
/// person has one.
pub async fn create(
    tx: &mut Tx,
    enrollment: &mut CourseEnrollment,
    author: &Author<'_>,
) -> Result<()> {
    enrollment.id = table::insert(tx, enrollment).await?;
    note(tx, enrollment, Change::Created, author).await
}

/// Writes an enrollment with its history.
pub async fn save(tx: &mut Tx, enrollment: &CourseEnrollment, author: &Author<'_>) -> Result<()> {
    table::update(tx, enrollment, &["id"]).await?;
    note(tx, enrollment, Change::Changed, author).await
}

async fn note(
    tx: &mut Tx,
    row: &CourseEnrollment,
    change: Change,
    author: &Author<'_>,
) -> Result<()> {
    let id = uuid::Uuid::new_v4().simple().to_string();
    history::record(tx, HISTORY, row, change, author, Some(id)).await
}

/// Facts about enrollments, by id.
pub async fn attributes(
    from: impl Source,
    enrollment_ids: &[i64],
) -> Result<Vec<CourseEnrollmentAttribute>> {
    let ids: Vec<Value> = enrollment_ids.iter().copied().map(Value::from).collect();
    table::find_in(from, "enrollment_id", &ids, "ORDER BY id", &[]).await
}

/// Stores facts about an enrollment: each over the newest one with its namespace and name.
pub async fn set_attributes(
    tx: &mut Tx,
    enrollment_id: i64,
    facts: &[(String, String, String)],
) -> Result<()> {
    for (namespace, name, value) in facts {
        let tail = "WHERE enrollment_id = ? AND namespace = ? AND name = ? ORDER BY id DESC";
        let found: Option<CourseEnrollmentAttribute> =
            table::find_one(&mut *tx, tail, &params![enrollment_id, namespace, name]).await?;
        let row = CourseEnrollmentAttribute {
            id: found.as_ref().map_or(0, |row| row.id),
            namespace: namespace.clone(),
            name: name.clone(),
            value: value.clone(),
            enrollment_id,
        };
        if found.is_some() {
            table::update(tx, &row, &["id"]).await?;
        } else {
            table::insert(tx, &row).await?;
        }
    }
    Ok(())
}

/// The permission of an e-mail address to enroll in a course.
pub async fn allowed(
    from: impl Source,
    email: &str,
    course: &CourseKey,
) -> Result<Option<CourseEnrollmentAllowed>> {
    let tail = "WHERE email = ? AND course_id = ?";
    table::find_one(from, tail, &params![email, course_text(course)]).await
}

/// Every permission of an e-mail address.
pub async fn allowed_of_email(
    from: impl Source,
    email: &str,
) -> Result<Vec<CourseEnrollmentAllowed>> {
    table::find(from, "WHERE email = ? ORDER BY id", &params![email]).await
}

/// Every permission for a course.
pub async fn allowed_of_course(
    from: impl Source,
    course: &CourseKey,
) -> Result<Vec<CourseEnrollmentAllowed>> {
    table::find(
        from,
        "WHERE course_id = ? ORDER BY id",
        &params![course_text(course)],
    )
    .await
}

/// Stores a permission, over the one for the same address and course.
pub async fn save_allowed(tx: &mut Tx, row: &CourseEnrollmentAllowed) -> Result<()> {
    table::upsert(tx, row, &["email", "course_id"], &["created"]).await
}

/// Removes a permission; whether there was one.
pub async fn delete_allowed(tx: &mut Tx, email: &str, course: &CourseKey) -> Result<bool> {
    let sql = "DELETE FROM student_courseenrollmentallowed WHERE email = ? AND course_id = ?";
    Ok(tx
        .execute(sql, &params![email, course_text(course)])
        .await?
        > 0)
}

/// The celebrations of an enrollment.
pub async fn celebration(from: impl Source, enrollment_id: i64) -> Result<Option<Celebration>> {
    table::find_one(from, "WHERE enrollment_id = ?", &params![enrollment_id]).await
}

/// Stores the celebrations of an enrollment.
pub async fn save_celebration(tx: &mut Tx, row: &Celebration) -> Result<()> {
    table::upsert(tx, row, &["enrollment_id"], &["created"]).await
}

/// Notes an enrollment changed by hand, in the table and in its history.
pub async fn audit(tx: &mut Tx, row: &ManualEnrollmentAudit, author: &Author<'_>) -> Result<()> {
    let id = table::insert(tx, row).await?;
    let row = ManualEnrollmentAudit { id, ..row.clone() };
    let history = "student_historicalmanualenrollmentaudit";
    history::record(tx, history, &row, Change::Created, author, None).await
}
