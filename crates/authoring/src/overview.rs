//! The overview row that lists and pages read instead of opening a course (courseware.md §2.5, lms-api.md §3).

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use course_model::snapshot::{BlockRef, CourseSnapshot};
use course_model::{BlockKey, Fields};
use modulestore::ModuleStore;
use opaque_keys::CourseKey;
use records::course_overviews::{CourseOverview, CourseOverviewTab};
use serde_json::Value;

use crate::Result;

/// Version of the row's form in the reference release.
const FORM: i64 = 19;
/// The image of a course that names none.
const DEFAULT_IMAGE: &str = "images_course_image.jpg";
/// The proctoring of courses that name none: the platform's, which does nothing (olx.md §4).
const DEFAULT_PROCTORING: &str = "null";
/// Part of the score that passes where the policy has no cut-off.
const NO_CUT_OFF: Option<f64> = None;

/// The texts of a course's about pages that the overview repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    short_description: Option<String>,
    effort: Option<String>,
    video: Option<String>,
}

impl About {
    /// Reads them from the course's about blocks.
    pub(crate) async fn load(store: &ModuleStore, snapshot: &CourseSnapshot) -> Result<Self> {
        let names = ["short_description", "effort", "video"];
        let found: Vec<_> = names
            .iter()
            .map(|name| snapshot.find(&BlockKey::new("about", *name)))
            .collect();
        let there: Vec<_> = found.iter().copied().flatten().collect();
        let mut bodies = store.definitions(snapshot, &there).await?.into_iter();
        let mut texts = found
            .iter()
            .map(|idx| idx.and_then(|_| bodies.next()).as_deref().and_then(data));
        Ok(Self {
            short_description: texts.next().flatten(),
            effort: texts.next().flatten(),
            video: texts.next().flatten().as_deref().and_then(video_key),
        })
    }
}

fn data(fields: &Fields) -> Option<String> {
    fields
        .get("data")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// The id of the intro video in the snippet of `about/video.html` (olx.md §6).
fn video_key(html: &str) -> Option<String> {
    let from = html.find("/embed/").map(|at| at + "/embed/".len());
    let from = from.or_else(|| html.find("?v=").map(|at| at + "?v=".len()))?;
    let id: String = html
        .get(from..)?
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect();
    (!id.is_empty()).then_some(id)
}

fn naive(moment: Option<DateTime<Utc>>) -> Option<NaiveDateTime> {
    moment.map(|moment| moment.naive_utc())
}

/// Address of a course image: an asset, unless the course says where its files are.
fn image_url(course: BlockRef<'_>, field: &str) -> String {
    let name = course
        .text(field)
        .filter(|name| !name.is_empty())
        .unwrap_or(DEFAULT_IMAGE);
    match course
        .text("static_asset_path")
        .filter(|path| !path.is_empty())
    {
        Some(path) => format!("/static/{path}/images/course_image.jpg"),
        None => course
            .snapshot()
            .course_key()
            .make_asset_key(name)
            .map_or_else(|_| String::new(), |key| format!("/{key}")),
    }
}

/// The smallest cut-off of the grading policy.
fn lowest_passing_grade(course: BlockRef<'_>) -> Option<f64> {
    let policy = course.field("grading_policy")?;
    let cutoffs = policy.get("GRADE_CUTOFFS")?.as_object()?;
    let mut values = cutoffs.values().filter_map(Value::as_f64);
    let first = values.next().or(NO_CUT_OFF)?;
    Some(values.fold(first, f64::min))
}

/// Whether a section, subsection or unit has highlights that are sent to learners.
fn has_highlights(course: BlockRef<'_>) -> bool {
    course.flag("highlights_enabled_for_messaging")
        && course.children().any(|chapter| {
            chapter
                .field("highlights")
                .and_then(Value::as_array)
                .is_some_and(|list| !list.is_empty())
        })
}

/// Whether a certificate of the course is active.
fn active_certificate(course: BlockRef<'_>) -> bool {
    course
        .field("certificates")
        .and_then(|value| value.get("certificates"))
        .and_then(Value::as_array)
        .is_some_and(|list| {
            list.iter()
                .any(|one| one.get("is_active").and_then(Value::as_bool) == Some(true))
        })
}

/// The row of a published course.
pub(crate) fn overview(
    snapshot: &CourseSnapshot,
    about: &About,
    now: NaiveDateTime,
) -> CourseOverview {
    let key = snapshot.course_key();
    let course = snapshot.course();
    let text = |name: &str| course.text(name).map(str::to_owned);
    let filled = |name: &str| text(name).filter(|value| !value.is_empty());
    CourseOverview {
        id: key.to_string(),
        created: now,
        modified: now,
        version: FORM,
        location: course.usage_key().to_string(),
        display_name: text("display_name"),
        display_number_with_default: filled("display_coursenumber")
            .unwrap_or_else(|| key.course().to_owned()),
        display_org_with_default: filled("display_organization")
            .unwrap_or_else(|| key.org().to_owned()),
        start: naive(course.date("start")),
        end: naive(course.date("end")),
        advertised_start: text("advertised_start"),
        course_image_url: image_url(course, "course_image"),
        social_sharing_url: text("social_sharing_url"),
        end_of_course_survey_url: text("end_of_course_survey_url"),
        certificates_display_behavior: text("certificates_display_behavior"),
        certificates_show_before_end: course.flag("certificates_show_before_end"),
        cert_html_view_enabled: course.flag("cert_html_view_enabled"),
        has_any_active_web_certificate: active_certificate(course),
        cert_name_short: text("cert_name_short").unwrap_or_default(),
        cert_name_long: text("cert_name_long").unwrap_or_default(),
        lowest_passing_grade: lowest_passing_grade(course),
        days_early_for_beta: course.float("days_early_for_beta"),
        mobile_available: course.flag("mobile_available"),
        visible_to_staff_only: course.flag("visible_to_staff_only"),
        pre_requisite_courses_json: course
            .field("pre_requisite_courses")
            .map_or_else(|| "[]".to_owned(), Value::to_string),
        enrollment_start: naive(course.date("enrollment_start")),
        enrollment_end: naive(course.date("enrollment_end")),
        enrollment_domain: text("enrollment_domain"),
        invitation_only: course.flag("invitation_only"),
        max_student_enrollments_allowed: course.integer("max_student_enrollments_allowed"),
        announcement: naive(course.date("announcement")),
        catalog_visibility: text("catalog_visibility"),
        course_video_url: about
            .video
            .as_ref()
            .map(|id| format!("http://www.youtube.com/watch?v={id}")),
        effort: about.effort.clone(),
        short_description: about.short_description.clone(),
        org: key.org().to_owned(),
        self_paced: course.flag("self_paced"),
        marketing_url: None,
        eligible_for_financial_aid: true,
        language: text("language"),
        certificate_available_date: naive(course.date("certificate_available_date")),
        end_date: None,
        start_date: None,
        banner_image_url: image_url(course, "banner_image"),
        has_highlights: Some(has_highlights(course)),
        allow_proctoring_opt_out: course.flag("allow_proctoring_opt_out"),
        enable_proctored_exams: course.flag("enable_proctored_exams"),
        proctoring_escalation_email: text("proctoring_escalation_email"),
        proctoring_provider: filled("proctoring_provider")
            .or_else(|| Some(DEFAULT_PROCTORING.to_owned())),
        entrance_exam_enabled: course.flag("entrance_exam_enabled"),
        entrance_exam_id: text("entrance_exam_id").unwrap_or_default(),
        entrance_exam_minimum_score_pct: minimum_score(course),
        external_id: None,
        force_on_flexible_peer_openassessments: course
            .flag("force_on_flexible_peer_openassessments"),
    }
}

/// Share that passes the entrance exam: authored as percent, kept as a share (courseware.md §3).
fn minimum_score(course: BlockRef<'_>) -> f64 {
    let authored = course
        .float("entrance_exam_minimum_score_pct")
        .unwrap_or(65.0);
    if authored > 1.0 {
        authored / 100.0
    } else {
        authored
    }
}

/// The rows of the course's tabs, in order.
pub(crate) fn tabs(snapshot: &CourseSnapshot) -> Vec<CourseOverviewTab> {
    let list = snapshot.course().field("tabs").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|tab| {
            let text = |name: &str| tab.get(name).and_then(Value::as_str).map(str::to_owned);
            let flag = |name: &str| tab.get(name).and_then(Value::as_bool).unwrap_or(false);
            let kind = text("type").unwrap_or_default();
            CourseOverviewTab {
                id: 0,
                tab_id: match text("url_slug") {
                    Some(slug) => format!("{kind}_{slug}"),
                    None => kind.clone(),
                },
                course_overview_id: String::new(),
                course_staff_only: flag("course_staff_only"),
                name: text("name"),
                url_slug: text("url_slug").or_else(|| fragment_slug(&kind)),
                kind: Some(kind),
                link: text("link"),
                is_hidden: flag("is_hidden"),
            }
        })
        .collect()
}

/// Address of the tabs that show a fragment of their own.
fn fragment_slug(kind: &str) -> Option<String> {
    matches!(kind, "discussion" | "lti_live").then(|| format!("tab/{kind}"))
}

/// A snapshot with the texts that its overview repeats.
pub(crate) struct Published {
    pub(crate) snapshot: Arc<CourseSnapshot>,
    pub(crate) about: About,
}

/// The published version of a course; `None` where there is none, or its documents are missing.
pub(crate) async fn published(
    store: &ModuleStore,
    course: &CourseKey,
) -> Result<Option<Published>> {
    let Some(snapshot) = store
        .snapshot(course, modulestore::Branch::Published)
        .await?
    else {
        return Ok(None);
    };
    let about = About::load(store, &snapshot).await?;
    Ok(Some(Published { snapshot, about }))
}

#[cfg(test)]
mod tests {
    use super::video_key;

    // olx.md §6: the intro video id is extracted from the snippet.
    #[test]
    fn the_video_is_found_in_its_snippet() {
        let snippet =
            r#"<iframe width="560" src="//www.youtube.com/embed/AbC_12-3?rel=0"></iframe>"#;
        assert_eq!(video_key(snippet).as_deref(), Some("AbC_12-3"));
        assert_eq!(
            video_key("https://youtube.com/watch?v=xyz&t=1").as_deref(),
            Some("xyz")
        );
        assert_eq!(video_key("no video"), None);
        assert_eq!(video_key("/embed/\""), None);
    }
}
