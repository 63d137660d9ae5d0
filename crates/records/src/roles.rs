//! Course access roles and forum roles (lms-api.md §11.1, identity.md §12).

use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::keys::course_text;
use crate::table::{self, table};
use crate::users::User;

table! {
    /// A role of a person: of a course (`org` and `course_id`), of an organisation (`org`) or of
    /// the site (neither).
    CourseAccessRole: "student_courseaccessrole" {
        id: i64,
        org: String,
        course_id: String,
        role: String,
        user_id: i64,
    }
}

table! {
    /// A forum role of a course, such as `Moderator`.
    ForumRole: "django_comment_client_role" {
        id: i64,
        name: String,
        course_id: String,
    }
}

/// Every role of a person.
pub async fn of_user(from: impl Source, user_id: i64) -> Result<Vec<CourseAccessRole>> {
    table::find(from, "WHERE user_id = ? ORDER BY id", &params![user_id]).await
}

/// The roles given in a course itself, of every person; `role` narrows them.
pub async fn of_course(
    from: impl Source,
    course: &CourseKey,
    role: Option<&str>,
) -> Result<Vec<CourseAccessRole>> {
    let course = course_text(course);
    match role {
        Some(role) => {
            let tail = "WHERE course_id = ? AND role = ? ORDER BY id";
            table::find(from, tail, &params![course, role]).await
        }
        None => table::find(from, "WHERE course_id = ? ORDER BY id", &params![course]).await,
    }
}

/// The people who have a role in a course itself, by username.
pub async fn members(mut from: impl Source, course: &CourseKey, role: &str) -> Result<Vec<User>> {
    let sql = format!(
        "SELECT {} FROM student_courseaccessrole r JOIN auth_user u ON u.id = r.user_id \
         WHERE r.course_id = ? AND r.role = ? ORDER BY u.username",
        table::columns::<User>("u.")
    );
    let rows = from.rows(&sql, &params![course_text(course), role]).await?;
    rows.iter().map(table::Table::from_row).collect()
}

/// Gives a role; nothing happens if the person has it.
pub async fn add(tx: &mut Tx, user_id: i64, org: &str, course_id: &str, role: &str) -> Result<()> {
    let row = CourseAccessRole {
        id: 0,
        org: org.to_owned(),
        course_id: course_id.to_owned(),
        role: role.to_owned(),
        user_id,
    };
    table::insert_ignore(tx, &row).await
}

/// Takes a role away; whether the person had it.
pub async fn remove(
    tx: &mut Tx,
    user_id: i64,
    org: &str,
    course_id: &str,
    role: &str,
) -> Result<bool> {
    let sql = "DELETE FROM student_courseaccessrole \
               WHERE user_id = ? AND org = ? AND course_id = ? AND role = ?";
    Ok(tx
        .execute(sql, &params![user_id, org, course_id, role])
        .await?
        > 0)
}

/// Names of the groups of a person (`auth_group`).
pub async fn groups(mut from: impl Source, user_id: i64) -> Result<Vec<(i64, String)>> {
    let sql = "SELECT g.id, g.name FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id \
               WHERE m.user_id = ? ORDER BY g.name";
    let rows = from.rows(sql, &params![user_id]).await?;
    rows.iter()
        .map(|row| Ok((row.int("id")?, row.text("name")?)))
        .collect()
}

/// Names of a person's forum roles in a course, by name.
pub async fn forum_roles(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Vec<String>> {
    let sql = "SELECT r.name FROM django_comment_client_role_users m \
               JOIN django_comment_client_role r ON r.id = m.role_id \
               WHERE m.user_id = ? AND r.course_id = ? ORDER BY r.name";
    let rows = from
        .rows(sql, &params![user_id, course_text(course)])
        .await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// Ids of the people who have a forum role in a course.
pub async fn forum_members(
    mut from: impl Source,
    course: &CourseKey,
    role: &str,
) -> Result<Vec<i64>> {
    let sql = "SELECT m.user_id FROM django_comment_client_role_users m \
               JOIN django_comment_client_role r ON r.id = m.role_id \
               WHERE r.course_id = ? AND r.name = ? ORDER BY m.user_id";
    let rows = from.rows(sql, &params![course_text(course), role]).await?;
    rows.iter().map(|row| row.int("user_id")).collect()
}

/// Gives forum roles in a course, made where missing; what the person has already stays.
pub async fn add_forum_roles(
    tx: &mut Tx,
    user_id: i64,
    course: &CourseKey,
    names: &[&str],
) -> Result<()> {
    let course = course_text(course);
    for name in names {
        let tail = "WHERE course_id = ? AND name = ? ORDER BY id";
        let found: Option<ForumRole> =
            table::find_one(&mut *tx, tail, &params![&course, *name]).await?;
        let id = if let Some(role) = found {
            role.id
        } else {
            let role = ForumRole {
                id: 0,
                name: (*name).to_owned(),
                course_id: course.clone(),
            };
            table::insert(tx, &role).await?
        };
        let sql = tx
            .dialect()
            .insert_ignore("django_comment_client_role_users", &["role_id", "user_id"]);
        tx.execute(&sql, &params![id, user_id]).await?;
    }
    Ok(())
}

/// Takes a forum role away.
pub async fn remove_forum_role(
    tx: &mut Tx,
    user_id: i64,
    course: &CourseKey,
    name: &str,
) -> Result<()> {
    let sql = "DELETE FROM django_comment_client_role_users WHERE user_id = ? AND role_id IN \
               (SELECT id FROM django_comment_client_role WHERE course_id = ? AND name = ?)";
    let params: [Value; 3] = params![user_id, course_text(course), name];
    tx.execute(sql, &params).await.map(|_| ())
}
