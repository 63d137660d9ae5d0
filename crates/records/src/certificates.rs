//! Certificates: `certificates_…` (lms-api.md §5, §11.2).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author};
use crate::keys::course_text;
use crate::table::{self, table};

const HISTORY: &str = "certificates_historicalgeneratedcertificate";

table! {
    /// The certificate of a learner in a course, of any status.
    GeneratedCertificate: "certificates_generatedcertificate" {
        id: i64,
        course_id: String,
        verify_uuid: String,
        download_uuid: String,
        download_url: String,
        grade: String,
        key: String,
        distinction: bool,
        status: String,
        mode: String,
        name: String,
        created_date: NaiveDateTime,
        modified_date: NaiveDateTime,
        error_reason: String,
        user_id: i64,
    }
}

table! {
    /// A learner who gets a certificate whatever the grade.
    AllowlistEntry: "certificates_certificateallowlist" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_id: String,
        allowlist: bool,
        notes: Option<String>,
        user_id: i64,
    }
}

table! {
    /// A certificate that was taken back.
    Invalidation: "certificates_certificateinvalidation" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        notes: Option<String>,
        active: bool,
        generated_certificate_id: i64,
        invalidated_by_id: i64,
    }
}

table! {
    /// The date that a certificate shows instead of its own.
    DateOverride: "certificates_certificatedateoverride" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        date: NaiveDateTime,
        reason: String,
        generated_certificate_id: i64,
        overridden_by_id: i64,
    }
}

table! {
    /// Whether learners of a course may ask for their certificates; the newest row counts.
    CourseSetting: "certificates_certificategenerationcoursesetting" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        course_key: String,
        language_specific_templates_enabled: bool,
        self_generation_enabled: bool,
        include_hours_of_effort: Option<bool>,
    }
}

/// The certificate of a learner in a course.
pub async fn get(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<GeneratedCertificate>> {
    let tail = "WHERE user_id = ? AND course_id = ?";
    table::find_one(from, tail, &params![user_id, course_text(course)]).await
}

/// Every certificate of a learner, by id.
pub async fn of_user(from: impl Source, user_id: i64) -> Result<Vec<GeneratedCertificate>> {
    table::find(from, "WHERE user_id = ? ORDER BY id", &params![user_id]).await
}

/// Every certificate of a course, by id.
pub async fn of_course(from: impl Source, course: &CourseKey) -> Result<Vec<GeneratedCertificate>> {
    table::find(
        from,
        "WHERE course_id = ? ORDER BY id",
        &params![course_text(course)],
    )
    .await
}

/// The certificate that a public address names.
pub async fn by_verify_uuid(
    from: impl Source,
    verify_uuid: &str,
) -> Result<Option<GeneratedCertificate>> {
    table::find_one(
        from,
        "WHERE verify_uuid = ? ORDER BY id",
        &params![verify_uuid],
    )
    .await
}

/// Stores a certificate, over the learner's own, with its history; its id. `created_date` and
/// `verify_uuid` of a stored one stay.
pub async fn save(
    tx: &mut Tx,
    certificate: &GeneratedCertificate,
    author: &Author<'_>,
) -> Result<i64> {
    let tail = "WHERE user_id = ? AND course_id = ?";
    let key = params![certificate.user_id, &certificate.course_id];
    let stored: Option<GeneratedCertificate> = table::find_locked(&mut *tx, tail, &key).await?;
    let mut row = GeneratedCertificate {
        id: 0,
        ..certificate.clone()
    };
    if let Some(stored) = stored {
        row.id = stored.id;
        row.created_date = stored.created_date;
        if !stored.verify_uuid.is_empty() {
            row.verify_uuid = stored.verify_uuid;
        }
    }
    history::put(tx, HISTORY, &row, row.id, author).await
}

/// The allowlist entry of a learner in a course.
pub async fn allowlisted(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<AllowlistEntry>> {
    let tail = "WHERE course_id = ? AND user_id = ?";
    table::find_one(from, tail, &params![course_text(course), user_id]).await
}

/// Stores an allowlist entry, with its history.
pub async fn save_allowlisted(
    tx: &mut Tx,
    entry: &AllowlistEntry,
    author: &Author<'_>,
) -> Result<()> {
    let tail = "WHERE course_id = ? AND user_id = ?";
    let key = params![&entry.course_id, entry.user_id];
    let stored: Option<AllowlistEntry> = table::find_locked(&mut *tx, tail, &key).await?;
    let row = AllowlistEntry {
        id: stored.as_ref().map_or(0, |stored| stored.id),
        created: stored.map_or(entry.created, |stored| stored.created),
        ..entry.clone()
    };
    let history = "certificates_historicalcertificateallowlist";
    history::put(tx, history, &row, row.id, author)
        .await
        .map(|_| ())
}

/// The active invalidation of a certificate.
pub async fn invalidation(from: impl Source, certificate_id: i64) -> Result<Option<Invalidation>> {
    let tail = "WHERE generated_certificate_id = ? AND active = 1 ORDER BY id DESC";
    table::find_one(from, tail, &params![certificate_id]).await
}

/// The date override of a certificate.
pub async fn date_override(from: impl Source, certificate_id: i64) -> Result<Option<DateOverride>> {
    table::find_one(
        from,
        "WHERE generated_certificate_id = ?",
        &params![certificate_id],
    )
    .await
}

/// The newest certificate settings of a course.
pub async fn course_setting(
    from: impl Source,
    course: &CourseKey,
) -> Result<Option<CourseSetting>> {
    let tail = "WHERE course_key = ? ORDER BY id DESC";
    table::find_one(from, tail, &params![course_text(course)]).await
}
