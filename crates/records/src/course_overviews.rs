//! What lists and pages say about courses without opening them: `course_overviews_courseoverview`
//! (courseware.md §2.5, lms-api.md §11.3).

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author, Change};
use crate::keys::course_text;
use crate::table::{self, table};

const HISTORY: &str = "course_overviews_historicalcourseoverview";

table! {
    /// The overview of a course; `id` is its key.
    CourseOverview: "course_overviews_courseoverview" {
        id: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        version: i64,
        location: String = "_location",
        display_name: Option<String>,
        display_number_with_default: String,
        display_org_with_default: String,
        start: Option<NaiveDateTime>,
        end: Option<NaiveDateTime>,
        advertised_start: Option<String>,
        course_image_url: String,
        social_sharing_url: Option<String>,
        end_of_course_survey_url: Option<String>,
        certificates_display_behavior: Option<String>,
        certificates_show_before_end: bool,
        cert_html_view_enabled: bool,
        has_any_active_web_certificate: bool,
        cert_name_short: String,
        cert_name_long: String,
        lowest_passing_grade: Option<f64>,
        days_early_for_beta: Option<f64>,
        mobile_available: bool,
        visible_to_staff_only: bool,
        pre_requisite_courses_json: String = "_pre_requisite_courses_json",
        enrollment_start: Option<NaiveDateTime>,
        enrollment_end: Option<NaiveDateTime>,
        enrollment_domain: Option<String>,
        invitation_only: bool,
        max_student_enrollments_allowed: Option<i64>,
        announcement: Option<NaiveDateTime>,
        catalog_visibility: Option<String>,
        course_video_url: Option<String>,
        effort: Option<String>,
        short_description: Option<String>,
        org: String,
        self_paced: bool,
        marketing_url: Option<String>,
        eligible_for_financial_aid: bool,
        language: Option<String>,
        certificate_available_date: Option<NaiveDateTime>,
        end_date: Option<NaiveDateTime>,
        start_date: Option<NaiveDateTime>,
        banner_image_url: String,
        has_highlights: Option<bool>,
        allow_proctoring_opt_out: bool,
        enable_proctored_exams: bool,
        proctoring_escalation_email: Option<String>,
        proctoring_provider: Option<String>,
        entrance_exam_enabled: bool,
        entrance_exam_id: String,
        entrance_exam_minimum_score_pct: f64,
        external_id: Option<String>,
        force_on_flexible_peer_openassessments: bool,
    }
}

table! {
    /// A tab of a course.
    CourseOverviewTab: "course_overviews_courseoverviewtab" {
        id: i64,
        tab_id: String,
        course_overview_id: String,
        course_staff_only: bool,
        name: Option<String>,
        kind: Option<String> = "type",
        url_slug: Option<String>,
        link: Option<String>,
        is_hidden: bool,
    }
}

/// The overview of a course, by exact key.
pub async fn get(from: impl Source, course: &CourseKey) -> Result<Option<CourseOverview>> {
    let id = course_text(course);
    let found: Option<CourseOverview> =
        table::find_one(from, "WHERE id = ?", &params![&id]).await?;
    Ok(found.filter(|overview| overview.id == id))
}

/// The overviews of several courses, in no order.
pub async fn get_many(from: impl Source, course_ids: &[String]) -> Result<Vec<CourseOverview>> {
    let ids: Vec<Value> = course_ids.iter().map(Value::from).collect();
    table::find_in(from, "id", &ids, "", &[]).await
}

/// Which overviews to list.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// Of one organisation, whatever the case.
    pub org: Option<&'a str>,
    /// Only those with `mobile_available` so.
    pub mobile_available: Option<bool>,
    /// Only those that have not ended by then.
    pub active_at: Option<NaiveDateTime>,
    /// Only these keys.
    pub course_ids: Option<&'a [String]>,
}

/// Overviews by key.
pub async fn list(from: impl Source, filter: &Filter<'_>) -> Result<Vec<CourseOverview>> {
    let mut tail = "WHERE 1 = 1".to_owned();
    let mut params = Vec::new();
    if let Some(org) = filter.org {
        tail.push_str(" AND LOWER(org) = LOWER(?)");
        params.push(Value::from(org));
    }
    if let Some(mobile) = filter.mobile_available {
        tail.push_str(" AND mobile_available = ?");
        params.push(Value::from(mobile));
    }
    if let Some(now) = filter.active_at {
        tail.push_str(" AND (`end` IS NULL OR `end` >= ?)");
        params.push(Value::from(now));
    }
    if let Some(ids) = filter.course_ids {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        tail.push_str(" AND id IN (");
        tail.push_str(&db::placeholders(ids.len()));
        tail.push(')');
        params.extend(ids.iter().map(Value::from));
    }
    tail.push_str(" ORDER BY id");
    table::find(from, &tail, &params).await
}

/// Stores an overview, over the one of the same course, whose `created` stays; with its history.
pub async fn save(tx: &mut Tx, overview: &CourseOverview, author: &Author<'_>) -> Result<()> {
    let sql = "SELECT created FROM course_overviews_courseoverview WHERE id = ?";
    let stored = tx.read_one(sql, &params![&overview.id]).await?;
    let (change, row) = match stored {
        Some(stored) => {
            let created = stored.datetime("created")?;
            (
                Change::Changed,
                CourseOverview {
                    created,
                    ..overview.clone()
                },
            )
        }
        None => (Change::Created, overview.clone()),
    };
    table::upsert(tx, &row, &["id"], &["created"]).await?;
    history::record(tx, HISTORY, &row, change, author, None).await
}

/// Removes the overview of a course and its tabs and images.
pub async fn delete(tx: &mut Tx, course: &CourseKey, author: &Author<'_>) -> Result<()> {
    let Some(overview) = get(&mut *tx, course).await? else {
        return Ok(());
    };
    for table in [
        "course_overviews_courseoverviewtab",
        "course_overviews_courseoverviewimageset",
    ] {
        let sql = format!("DELETE FROM {table} WHERE course_overview_id = ?");
        tx.execute(&sql, &params![&overview.id]).await?;
    }
    let sql = "DELETE FROM course_overviews_courseoverview WHERE id = ?";
    tx.execute(sql, &params![&overview.id]).await?;
    history::record(tx, HISTORY, &overview, Change::Deleted, author, None).await
}

/// The tabs of a course, in order.
pub async fn tabs(from: impl Source, course: &CourseKey) -> Result<Vec<CourseOverviewTab>> {
    let tail = "WHERE course_overview_id = ? ORDER BY id";
    table::find(from, tail, &params![course_text(course)]).await
}

/// Stores the tabs of a course in place of those it had.
pub async fn replace_tabs(
    tx: &mut Tx,
    course: &CourseKey,
    tabs: &[CourseOverviewTab],
) -> Result<()> {
    let id = course_text(course);
    let sql = "DELETE FROM course_overviews_courseoverviewtab WHERE course_overview_id = ?";
    tx.execute(sql, &params![&id]).await?;
    let rows: Vec<_> = tabs
        .iter()
        .map(|tab| CourseOverviewTab {
            id: 0,
            course_overview_id: id.clone(),
            ..tab.clone()
        })
        .collect();
    table::insert_many(tx, &rows).await
}
