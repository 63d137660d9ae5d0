//! People: `auth_user`, `auth_userprofile` and what hangs on them (identity.md §12).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};

use crate::table::{self, table};

table! {
    /// An account.
    User: "auth_user" {
        id: i64,
        password: String,
        last_login: Option<NaiveDateTime>,
        is_superuser: bool,
        username: String,
        first_name: String,
        last_name: String,
        email: String,
        is_staff: bool,
        is_active: bool,
        date_joined: NaiveDateTime,
    }
}

table! {
    /// What an account tells about its person.
    UserProfile: "auth_userprofile" {
        id: i64,
        name: String,
        meta: String,
        courseware: String,
        language: String,
        location: String,
        year_of_birth: Option<i64>,
        gender: Option<String>,
        level_of_education: Option<String>,
        mailing_address: Option<String>,
        city: Option<String>,
        country: Option<String>,
        goals: Option<String>,
        bio: Option<String>,
        profile_image_uploaded_at: Option<NaiveDateTime>,
        user_id: i64,
        phone_number: Option<String>,
        state: Option<String>,
    }
}

table! {
    /// The activation key of an account.
    Registration: "auth_registration" {
        id: i64,
        activation_key: String,
        user_id: i64,
        activation_timestamp: Option<NaiveDateTime>,
    }
}

table! {
    /// Whether an account is `enabled` or `disabled`.
    UserStanding: "student_userstanding" {
        id: i64,
        account_status: String,
        standing_last_changed_at: NaiveDateTime,
        changed_by_id: i64,
        user_id: i64,
    }
}

table! {
    /// A named fact about an account, such as `created_on_site`.
    UserAttribute: "student_userattribute" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        name: String,
        value: String,
        user_id: i64,
    }
}

table! {
    /// The pseudonym of a person in a course, or everywhere (`course_id` empty).
    AnonymousUserId: "student_anonymoususerid" {
        id: i64,
        anonymous_user_id: String,
        course_id: String,
        user_id: i64,
    }
}

/// The account with an id.
pub async fn by_id(from: impl Source, id: i64) -> Result<Option<User>> {
    table::find_one(from, "WHERE id = ?", &params![id]).await
}

/// The account with a username. Case does not matter, as in Django's database.
pub async fn by_username(from: impl Source, username: &str) -> Result<Option<User>> {
    table::find_one(from, "WHERE username = ?", &params![username]).await
}

/// The account with an e-mail address. Case does not matter.
pub async fn by_email(from: impl Source, email: &str) -> Result<Option<User>> {
    table::find_one(from, "WHERE email = ?", &params![email]).await
}

/// The account with a username or, failing that, an e-mail address.
pub async fn by_username_or_email(from: impl Source, text: &str) -> Result<Option<User>> {
    let tail = "WHERE username = ? OR email = ? ORDER BY (username = ?) DESC";
    table::find_one(from, tail, &params![text, text, text]).await
}

/// The accounts with ids, in no order.
pub async fn by_ids(from: impl Source, ids: &[i64]) -> Result<Vec<User>> {
    let ids: Vec<Value> = ids.iter().copied().map(Value::from).collect();
    table::find_in(from, "id", &ids, "", &[]).await
}

/// The accounts with usernames, in no order.
pub async fn by_usernames(from: impl Source, names: &[String]) -> Result<Vec<User>> {
    let names: Vec<Value> = names.iter().map(Value::from).collect();
    table::find_in(from, "username", &names, "", &[]).await
}

/// The accounts with e-mail addresses, in no order.
pub async fn by_emails(from: impl Source, emails: &[String]) -> Result<Vec<User>> {
    let emails: Vec<Value> = emails.iter().map(Value::from).collect();
    table::find_in(from, "email", &emails, "", &[]).await
}

/// The profile of an account.
pub async fn profile(from: impl Source, user_id: i64) -> Result<Option<UserProfile>> {
    table::find_one(from, "WHERE user_id = ?", &params![user_id]).await
}

/// The profiles of accounts, in no order.
pub async fn profiles(from: impl Source, user_ids: &[i64]) -> Result<Vec<UserProfile>> {
    let ids: Vec<Value> = user_ids.iter().copied().map(Value::from).collect();
    table::find_in(from, "user_id", &ids, "", &[]).await
}

/// Makes an account with its profile and, if there is a key, its registration; sets the ids in the
/// rows. A taken username or e-mail address fails with [`db::Error::Unique`].
pub async fn create(
    tx: &mut Tx,
    user: &mut User,
    profile: &mut UserProfile,
    activation_key: Option<&str>,
) -> Result<()> {
    user.id = table::insert(tx, user).await?;
    profile.user_id = user.id;
    profile.id = table::insert(tx, profile).await?;
    if let Some(key) = activation_key {
        let registration = Registration {
            user_id: user.id,
            activation_key: key.to_owned(),
            ..Registration::default()
        };
        table::insert(tx, &registration).await?;
    }
    Ok(())
}

/// Writes every column of an account.
pub async fn save(tx: &mut Tx, user: &User) -> Result<()> {
    table::update(tx, user, &["id"]).await.map(|_| ())
}

/// Writes every column of a profile, made if it has no id.
pub async fn save_profile(tx: &mut Tx, profile: &UserProfile) -> Result<()> {
    if profile.id == 0 {
        table::insert(tx, profile).await.map(|_| ())
    } else {
        table::update(tx, profile, &["id"]).await.map(|_| ())
    }
}

/// Notes a sign-in.
pub async fn set_last_login(tx: &mut Tx, user_id: i64, now: NaiveDateTime) -> Result<()> {
    let sql = "UPDATE auth_user SET last_login = ? WHERE id = ?";
    tx.execute(sql, &params![now, user_id]).await.map(|_| ())
}

/// Stores an encoded password.
pub async fn set_password(tx: &mut Tx, user_id: i64, encoded: &str) -> Result<()> {
    let sql = "UPDATE auth_user SET password = ? WHERE id = ?";
    tx.execute(sql, &params![encoded, user_id])
        .await
        .map(|_| ())
}

/// The registration that has an activation key, compared exactly.
pub async fn registration_by_key(from: impl Source, key: &str) -> Result<Option<Registration>> {
    let found: Option<Registration> =
        table::find_one(from, "WHERE activation_key = ?", &params![key]).await?;
    Ok(found.filter(|registration| registration.activation_key == key))
}

/// The registration of an account.
pub async fn registration(from: impl Source, user_id: i64) -> Result<Option<Registration>> {
    table::find_one(from, "WHERE user_id = ?", &params![user_id]).await
}

/// Activates an account and notes when.
pub async fn activate(tx: &mut Tx, user_id: i64, now: NaiveDateTime) -> Result<()> {
    tx.execute(
        "UPDATE auth_user SET is_active = 1 WHERE id = ?",
        &params![user_id],
    )
    .await?;
    let sql = "UPDATE auth_registration SET activation_timestamp = ? WHERE user_id = ?";
    tx.execute(sql, &params![now, user_id]).await.map(|_| ())
}

/// The standing of an account; none means enabled.
pub async fn standing(from: impl Source, user_id: i64) -> Result<Option<UserStanding>> {
    table::find_one(from, "WHERE user_id = ?", &params![user_id]).await
}

/// Sets the standing of an account.
pub async fn set_standing(tx: &mut Tx, standing: &UserStanding) -> Result<()> {
    table::upsert(tx, standing, &["user_id"], &[]).await
}

/// The named facts about an account.
pub async fn attributes(from: impl Source, user_id: i64) -> Result<Vec<UserAttribute>> {
    table::find(from, "WHERE user_id = ? ORDER BY name", &params![user_id]).await
}

/// Sets a named fact about an account.
pub async fn set_attribute(
    tx: &mut Tx,
    user_id: i64,
    name: &str,
    value: &str,
    now: NaiveDateTime,
) -> Result<()> {
    let row = UserAttribute {
        id: 0,
        created: now,
        modified: now,
        name: name.to_owned(),
        value: value.to_owned(),
        user_id,
    };
    table::upsert(tx, &row, &["user_id", "name"], &["created"]).await
}

/// The oldest stored pseudonym of a person in a course (`course_id` may be empty).
pub async fn anonymous_id(
    from: impl Source,
    user_id: i64,
    course_id: &str,
) -> Result<Option<String>> {
    let tail = "WHERE user_id = ? AND course_id = ? ORDER BY id";
    let found: Option<AnonymousUserId> =
        table::find_one(from, tail, &params![user_id, course_id]).await?;
    Ok(found.map(|row| row.anonymous_user_id))
}

/// Who stands behind a pseudonym: user id and course id.
pub async fn by_anonymous_id(from: impl Source, id: &str) -> Result<Option<(i64, String)>> {
    let found: Option<AnonymousUserId> =
        table::find_one(from, "WHERE anonymous_user_id = ?", &params![id]).await?;
    Ok(found
        .filter(|row| row.anonymous_user_id == id)
        .map(|row| (row.user_id, row.course_id)))
}

/// Stores a pseudonym unless it is there.
pub async fn save_anonymous_id(
    tx: &mut Tx,
    user_id: i64,
    course_id: &str,
    anonymous_user_id: &str,
) -> Result<()> {
    let row = AnonymousUserId {
        id: 0,
        anonymous_user_id: anonymous_user_id.to_owned(),
        course_id: course_id.to_owned(),
        user_id,
    };
    table::insert_ignore(tx, &row).await
}
