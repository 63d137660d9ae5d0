//! Organisations and their courses: `organizations_…`.

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, params};
use opaque_keys::CourseKey;

use crate::keys::course_text;
use crate::table::{self, Table, table};

table! {
    /// An organisation.
    Organization: "organizations_organization" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        name: String,
        short_name: String,
        description: Option<String>,
        logo: Option<String>,
        active: bool,
    }
}

table! {
    /// A course of an organisation.
    OrganizationCourse: "organizations_organizationcourse" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_id: String,
        active: bool,
        organization_id: i64,
    }
}

/// The active organisations, by short name.
pub async fn all(from: impl Source) -> Result<Vec<Organization>> {
    table::find(from, "WHERE active = 1 ORDER BY short_name", &[]).await
}

/// The organisation with a short name. Case does not matter.
pub async fn get(from: impl Source, short_name: &str) -> Result<Option<Organization>> {
    table::find_one(from, "WHERE short_name = ?", &params![short_name]).await
}

/// The active organisations of a course.
pub async fn of_course(mut from: impl Source, course: &CourseKey) -> Result<Vec<Organization>> {
    let sql = format!(
        "SELECT {} FROM organizations_organizationcourse c \
         JOIN organizations_organization o ON o.id = c.organization_id \
         WHERE c.course_id = ? AND c.active = 1 AND o.active = 1 ORDER BY o.id",
        table::columns::<Organization>("o.")
    );
    let rows = from.rows(&sql, &params![course_text(course)]).await?;
    rows.iter().map(Organization::from_row).collect()
}

/// Stores an organisation, over the one with the same short name; its id.
pub async fn save(tx: &mut Tx, organization: &Organization) -> Result<i64> {
    let row = Organization {
        id: 0,
        ..organization.clone()
    };
    table::upsert(tx, &row, &["short_name"], &["created"]).await?;
    let sql = "SELECT id FROM organizations_organization WHERE short_name = ?";
    tx.read_int(sql, &params![&organization.short_name]).await
}

/// Makes a course one of an organisation's.
pub async fn add_course(
    tx: &mut Tx,
    organization_id: i64,
    course: &CourseKey,
    now: NaiveDateTime,
) -> Result<()> {
    let row = OrganizationCourse {
        id: 0,
        created: now,
        modified: now,
        course_id: course_text(course),
        active: true,
        organization_id,
    };
    table::upsert(tx, &row, &["course_id", "organization_id"], &["created"]).await
}
