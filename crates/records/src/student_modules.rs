//! What learners did: `courseware_studentmodule` and the side tables of the other user scopes
//! (courseware.md §4).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::{CourseKey, UsageKey};

use crate::keys::{course_text, usage_text};
use crate::table::{self, table};

table! {
    /// The state of one block for one learner. `state` is a JSON object of explicitly saved fields.
    StudentModule: "courseware_studentmodule" {
        id: i64,
        module_type: String,
        module_id: String,
        course_id: String,
        state: Option<String>,
        grade: Option<f64>,
        max_grade: Option<f64>,
        done: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        student_id: i64,
    }
}

table! {
    /// A past state of a problem.
    StudentModuleHistory: "courseware_studentmodulehistory" {
        id: i64,
        version: Option<String>,
        created: NaiveDateTime,
        state: Option<String>,
        grade: Option<f64>,
        max_grade: Option<f64>,
        student_module_id: i64,
    }
}

table! {
    /// A field that all learners of a block share; `value` is JSON.
    UserStateSummaryField: "courseware_xmoduleuserstatesummaryfield" {
        id: i64,
        field_name: String,
        value: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        usage_id: String,
    }
}

table! {
    /// A field of a learner for all blocks of a type; `value` is JSON.
    PreferencesField: "courseware_xmodulestudentprefsfield" {
        id: i64,
        field_name: String,
        value: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        module_type: String,
        student_id: i64,
    }
}

table! {
    /// A field of a learner; `value` is JSON.
    UserInfoField: "courseware_xmodulestudentinfofield" {
        id: i64,
        field_name: String,
        value: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        student_id: i64,
    }
}

table! {
    /// A field value for one learner that beats every other source; `value` is JSON.
    FieldOverride: "courseware_studentfieldoverride" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_id: String,
        location: String,
        field: String,
        value: String,
        student_id: i64,
    }
}

impl StudentModule {
    /// A state that is not stored yet.
    #[must_use]
    pub fn new(student_id: i64, usage: &UsageKey, now: NaiveDateTime) -> Self {
        Self {
            module_type: usage.block_type().chars().take(32).collect(),
            module_id: usage_text(usage),
            course_id: course_text(usage.course_key()),
            state: Some("{}".to_owned()),
            done: "na".to_owned(),
            created: now,
            modified: now,
            student_id,
            ..Self::default()
        }
    }
}

/// The states of a learner for some blocks of a course (`module_ids` are texts of usage keys), in
/// no order: one statement for up to [`db::IN_CHUNK`] of them.
pub async fn get_many(
    from: impl Source,
    student_id: i64,
    course: &CourseKey,
    module_ids: &[String],
) -> Result<Vec<StudentModule>> {
    let ids: Vec<Value> = module_ids.iter().map(Value::from).collect();
    let rest = params![student_id, course_text(course)];
    table::find_in(
        from,
        "module_id",
        &ids,
        "AND student_id = ? AND course_id = ?",
        &rest,
    )
    .await
}

/// Every state of a learner in a course, in no order.
pub async fn of_course(
    from: impl Source,
    student_id: i64,
    course: &CourseKey,
) -> Result<Vec<StudentModule>> {
    let tail = "WHERE student_id = ? AND course_id = ?";
    table::find(from, tail, &params![student_id, course_text(course)]).await
}

/// The state of a learner for a block.
pub async fn get(
    from: impl Source,
    student_id: i64,
    usage: &UsageKey,
) -> Result<Option<StudentModule>> {
    let tail = "WHERE student_id = ? AND module_id = ? AND course_id = ?";
    let params = params![
        student_id,
        usage_text(usage),
        course_text(usage.course_key())
    ];
    table::find_one(from, tail, &params).await
}

/// As [`get`], inside a transaction that will write the row: locked until its end.
pub async fn get_locked(
    tx: &mut Tx,
    student_id: i64,
    usage: &UsageKey,
) -> Result<Option<StudentModule>> {
    let tail = "WHERE student_id = ? AND module_id = ? AND course_id = ?";
    let params = params![
        student_id,
        usage_text(usage),
        course_text(usage.course_key())
    ];
    table::find_locked(tx, tail, &params).await
}

/// A page of every learner's states for a block, by id: at most `limit` after id `after`.
pub async fn of_block(
    from: impl Source,
    usage: &UsageKey,
    after: i64,
    limit: u32,
) -> Result<Vec<StudentModule>> {
    let tail = "WHERE module_id = ? AND course_id = ? AND id > ? ORDER BY id LIMIT ?";
    let params = params![
        usage_text(usage),
        course_text(usage.course_key()),
        after,
        limit
    ];
    table::find(from, tail, &params).await
}

/// Stores a state and returns its id: over the row with its id or, if it has none, over the row of
/// the same learner and block. With `history`, the stored state is also kept in
/// `courseware_studentmodulehistory`; callers ask for that for problems, once a request.
pub async fn save(tx: &mut Tx, module: &StudentModule, history: bool) -> Result<i64> {
    let id = if module.id == 0 {
        let keys = ["student_id", "module_id", "course_id"];
        table::upsert(tx, module, &keys, &["created"]).await?;
        let sql = "SELECT id FROM courseware_studentmodule \
                   WHERE student_id = ? AND module_id = ? AND course_id = ?";
        let params = params![module.student_id, &module.module_id, &module.course_id];
        tx.read_int(sql, &params).await?
    } else {
        table::update(tx, module, &["id"]).await?;
        module.id
    };
    if history {
        let row = StudentModuleHistory {
            id: 0,
            version: None,
            created: module.modified,
            state: module.state.clone(),
            grade: module.grade,
            max_grade: module.max_grade,
            student_module_id: id,
        };
        table::insert(tx, &row).await?;
    }
    Ok(id)
}

/// Removes a state and its history.
pub async fn delete(tx: &mut Tx, id: i64) -> Result<()> {
    let sql = "DELETE FROM courseware_studentmodulehistory WHERE student_module_id = ?";
    tx.execute(sql, &params![id]).await?;
    tx.execute(
        "DELETE FROM courseware_studentmodule WHERE id = ?",
        &params![id],
    )
    .await
    .map(|_| ())
}

/// Past states, newest first.
pub async fn history(
    from: impl Source,
    student_module_id: i64,
) -> Result<Vec<StudentModuleHistory>> {
    let tail = "WHERE student_module_id = ? ORDER BY id DESC";
    table::find(from, tail, &params![student_module_id]).await
}

/// When each of some learners was last active in a course.
pub async fn last_modified(
    mut from: impl Source,
    course: &CourseKey,
    student_id: i64,
) -> Result<Option<NaiveDateTime>> {
    let sql = "SELECT MAX(modified) AS latest FROM courseware_studentmodule \
               WHERE student_id = ? AND course_id = ?";
    let rows = from
        .rows(sql, &params![student_id, course_text(course)])
        .await?;
    rows.first()
        .map(|row| row.opt_datetime("latest"))
        .transpose()
        .map(Option::flatten)
}

/// Shared fields of blocks, in no order.
pub async fn summaries(
    from: impl Source,
    usage_ids: &[String],
) -> Result<Vec<UserStateSummaryField>> {
    let ids: Vec<Value> = usage_ids.iter().map(Value::from).collect();
    table::find_in(from, "usage_id", &ids, "", &[]).await
}

/// A learner's fields for block types, in no order.
pub async fn preferences(
    from: impl Source,
    student_id: i64,
    module_types: &[String],
) -> Result<Vec<PreferencesField>> {
    let types: Vec<Value> = module_types.iter().map(Value::from).collect();
    table::find_in(
        from,
        "module_type",
        &types,
        "AND student_id = ?",
        &params![student_id],
    )
    .await
}

/// A learner's own fields, in no order.
pub async fn user_info(from: impl Source, student_id: i64) -> Result<Vec<UserInfoField>> {
    table::find(from, "WHERE student_id = ?", &params![student_id]).await
}

/// Stores a shared field of a block.
pub async fn save_summary(tx: &mut Tx, row: &UserStateSummaryField) -> Result<()> {
    table::upsert(tx, row, &["usage_id", "field_name"], &["created"]).await
}

/// Stores a learner's field for a block type.
pub async fn save_preference(tx: &mut Tx, row: &PreferencesField) -> Result<()> {
    let keys = ["student_id", "module_type", "field_name"];
    table::upsert(tx, row, &keys, &["created"]).await
}

/// Stores a learner's own field.
pub async fn save_user_info(tx: &mut Tx, row: &UserInfoField) -> Result<()> {
    table::upsert(tx, row, &["student_id", "field_name"], &["created"]).await
}

/// The overriding values of a learner in a course, in no order.
pub async fn overrides(
    from: impl Source,
    student_id: i64,
    course: &CourseKey,
) -> Result<Vec<FieldOverride>> {
    let tail = "WHERE course_id = ? AND student_id = ?";
    table::find(from, tail, &params![course_text(course), student_id]).await
}

/// Stores an overriding value.
pub async fn save_override(tx: &mut Tx, row: &FieldOverride) -> Result<()> {
    let keys = ["course_id", "field", "location", "student_id"];
    table::upsert(tx, row, &keys, &["created"]).await
}
