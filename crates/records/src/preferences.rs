//! What people set and what is noted about them: `user_api_userpreference`, `…userorgtag`,
//! `…usercoursetag`.

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::keys::course_text;
use crate::table::{self, table};

table! {
    /// A preference, such as `pref-lang`.
    UserPreference: "user_api_userpreference" {
        id: i64,
        key: String,
        value: String,
        user_id: i64,
    }
}

table! {
    /// A note about a person for an organisation, such as `email-optin`.
    UserOrgTag: "user_api_userorgtag" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        key: String,
        org: String,
        value: String,
        user_id: i64,
    }
}

table! {
    /// A note about a person in a course, such as a drawn partition group.
    UserCourseTag: "user_api_usercoursetag" {
        id: i64,
        key: String,
        course_id: String,
        value: String,
        user_id: i64,
    }
}

/// The preferences of a person, by key.
pub async fn all(from: impl Source, user_id: i64) -> Result<Vec<UserPreference>> {
    table::find(from, "WHERE user_id = ? ORDER BY `key`", &params![user_id]).await
}

/// One preference of a person.
pub async fn get(from: impl Source, user_id: i64, key: &str) -> Result<Option<String>> {
    let found: Option<UserPreference> = table::find_one(
        from,
        "WHERE user_id = ? AND `key` = ?",
        &params![user_id, key],
    )
    .await?;
    Ok(found.map(|row| row.value))
}

/// One preference of several people: user id and value.
pub async fn of_users(
    from: impl Source,
    user_ids: &[i64],
    key: &str,
) -> Result<Vec<(i64, String)>> {
    let ids: Vec<Value> = user_ids.iter().copied().map(Value::from).collect();
    let found: Vec<UserPreference> =
        table::find_in(from, "user_id", &ids, "AND `key` = ?", &params![key]).await?;
    Ok(found
        .into_iter()
        .map(|row| (row.user_id, row.value))
        .collect())
}

/// Sets a preference.
pub async fn set(tx: &mut Tx, user_id: i64, key: &str, value: &str) -> Result<()> {
    let row = UserPreference {
        id: 0,
        key: key.to_owned(),
        value: value.to_owned(),
        user_id,
    };
    table::upsert(tx, &row, &["user_id", "key"], &[]).await
}

/// Removes a preference; whether there was one.
pub async fn delete(tx: &mut Tx, user_id: i64, key: &str) -> Result<bool> {
    let sql = "DELETE FROM user_api_userpreference WHERE user_id = ? AND `key` = ?";
    Ok(tx.execute(sql, &params![user_id, key]).await? > 0)
}

/// The notes about a person in a course, by key.
pub async fn course_tags(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Vec<UserCourseTag>> {
    let tail = "WHERE user_id = ? AND course_id = ? ORDER BY `key`";
    table::find(from, tail, &params![user_id, course_text(course)]).await
}

/// Notes something about a person in a course.
pub async fn set_course_tag(
    tx: &mut Tx,
    user_id: i64,
    course: &CourseKey,
    key: &str,
    value: &str,
) -> Result<()> {
    let row = UserCourseTag {
        id: 0,
        key: key.to_owned(),
        course_id: course_text(course),
        value: value.to_owned(),
        user_id,
    };
    table::upsert(tx, &row, &["user_id", "course_id", "key"], &[]).await
}

/// A note about a person for an organisation.
pub async fn org_tag(
    from: impl Source,
    user_id: i64,
    org: &str,
    key: &str,
) -> Result<Option<UserOrgTag>> {
    let tail = "WHERE user_id = ? AND org = ? AND `key` = ?";
    table::find_one(from, tail, &params![user_id, org, key]).await
}

/// Notes something about a person for an organisation.
pub async fn set_org_tag(
    tx: &mut Tx,
    user_id: i64,
    org: &str,
    key: &str,
    value: &str,
    now: NaiveDateTime,
) -> Result<()> {
    let row = UserOrgTag {
        id: 0,
        created: now,
        modified: now,
        key: key.to_owned(),
        org: org.to_owned(),
        value: value.to_owned(),
        user_id,
    };
    table::upsert(tx, &row, &["user_id", "org", "key"], &["created"]).await
}
