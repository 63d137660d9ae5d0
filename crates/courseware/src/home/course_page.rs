//! The course as its pages ask for it first: metadata for tabs and for the courseware (courseware.md §15.2, §15.3).

use db::Db;
use modulestore::ModuleStore;
use records::course_overviews;
use serde_json::{Value, json};

use super::{Facts, Links, certificates, goals, tabs, upgrade};
use crate::Result;
use crate::access;
use crate::catalog::{self, rest_date};
use crate::learner::modes;
use crate::view::CourseView;

/// Modes with identity verification.
const VERIFIED_MODES: [&str; 2] = [modes::VERIFIED, modes::CREDIT];

/// The answer of `GET /api/course_home/course_metadata/C`.
pub async fn metadata(
    store: &ModuleStore,
    view: &CourseView,
    facts: &Facts,
    links: &Links<'_>,
) -> Result<Value> {
    let content = store.definition(&view.course, view.course.root()).await?;
    let learner = &view.learner;
    let course = &view.facts.key;
    let root = view.course.course();
    let author =
        learner.roles.studio_permissions(course) & identity::roles::studio::EDIT_CONTENT != 0;
    let mut listed: Vec<Value> = learner
        .modes
        .iter()
        .map(|mode| json!({"slug": mode.slug, "name": mode.name}))
        .collect();
    if listed.is_empty() {
        listed.push(json!({"slug": "audit", "name": "Audit"}));
    }
    Ok(json!({
        "verified_mode": upgrade::verified_mode(view, facts),
        "celebrations": goals::celebrations(view, facts),
        "course_access": access::response(&view.page()),
        "studio_access": author,
        "course_id": course.to_string(),
        "is_enrolled": learner.is_enrolled(),
        "is_self_paced": root.flag("self_paced"),
        "is_staff": learner.is_staff(),
        "number": root.text("display_coursenumber").filter(|it| !it.is_empty()).unwrap_or(course.course()),
        "org": root.text("display_organization").filter(|it| !it.is_empty()).unwrap_or(course.org()),
        "original_user_is_staff": learner.roles.has_staff_access(course),
        "start": view.facts.start.map(rest_date),
        "tabs": tabs::tabs(view, &content, facts, links),
        "title": view.facts.display_name,
        "username": (!learner.viewer.is_anonymous()).then_some(learner.viewer.username.as_str()),
        "user_timezone": facts.time_zone,
        "can_view_certificate": certificates::are_viewable(view),
        "course_modes": listed,
        "is_new_discussion_sidebar_view_enabled": false,
        "has_course_author_access": author,
    }))
}

/// Settings of the site that the answer shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Site {
    /// FEATURES.ENABLE_EDXNOTES
    pub notes: bool,
    /// FEATURES.ENABLE_INTEGRITY_SIGNATURE
    pub integrity_signature: bool,
    /// FEATURES.ENTRANCE_EXAMS
    pub entrance_exams: bool,
}

fn entrance_exam(view: &CourseView, site: Site) -> Value {
    let root = view.course.course();
    let enabled = site.entrance_exams && root.flag("entrance_exam_enabled");
    let percent = root
        .float("entrance_exam_minimum_score_pct")
        .unwrap_or(65.0);
    // Courses of all ages: some say 65, some 0.65.
    let percent = if percent > 1.0 {
        percent / 100.0
    } else {
        percent
    };
    json!({
        "entrance_exam_current_score": 0.0,
        "entrance_exam_enabled": enabled,
        "entrance_exam_id": root.text("entrance_exam_id").unwrap_or_default(),
        "entrance_exam_minimum_score_pct": percent,
        "entrance_exam_passed": view.learner.milestones.entrance_exams.is_empty(),
    })
}

/// The answer of `GET /api/courseware/course/C`; none where the course has no overview.
pub async fn courseware(
    db: &Db,
    view: &CourseView,
    facts: &Facts,
    links: &Links<'_>,
    site: Site,
) -> Result<Option<Value>> {
    let learner = &view.learner;
    let course = view.course.course_key();
    let Some(overview) = course_overviews::get(db, course).await? else {
        return Ok(None);
    };
    let sizes = catalog::images(db, std::slice::from_ref(&overview)).await?;
    let item = catalog::item(
        &overview,
        sizes.get(&overview.id),
        catalog::Links { base: links.base },
    );
    let of_item = |name: &str| item.get(name).cloned().unwrap_or_default();
    let media = item.get("media").cloned().unwrap_or_default();
    let root = view.course.course();
    let passed = facts
        .grade
        .as_ref()
        .is_some_and(|grade| !grade.letter.is_empty());
    let place = learner.enrollment.as_ref();
    let verifies = place.is_some_and(|place| VERIFIED_MODES.contains(&place.mode.as_str()));
    let verify_url = (verifies && !links.account.is_empty()).then(|| {
        let key = course.to_string().replace('+', "%2B").replace(':', "%3A");
        format!("{}/id-verification?course_id={key}", links.account)
    });
    let signs = site.integrity_signature && verifies && !learner.is_staff();
    let notes = site.notes && root.flag("edxnotes");
    Ok(Some(json!({
        "access_expiration": upgrade::access_expiration(view, facts),
        "can_access_proctored_exams": verifies,
        "content_type_gating_enabled": upgrade::is_gating_enabled(view),
        "course_goals": goals::to_json(view, facts),
        "effort": of_item("effort"),
        "end": view.facts.end.map(rest_date),
        "enrollment": {
            "mode": place.map(|place| place.mode.as_str()),
            "is_active": place.is_some_and(|place| place.is_active),
        },
        "enrollment_start": view.facts.enrollment_start.map(rest_date),
        "enrollment_end": view.facts.enrollment_end.map(rest_date),
        "entrance_exam_data": entrance_exam(view, site),
        "id": course.to_string(),
        "license": root.field("license"),
        "language": root.field("language"),
        "media": {
            "course_image": media.get("course_image"),
            "course_video": media.get("course_video"),
            "image": media.get("image"),
        },
        "name": view.facts.display_name,
        "offer": null,
        "related_programs": null,
        "short_description": of_item("short_description"),
        "start": view.facts.start.map(rest_date),
        "start_display": of_item("start_display"),
        "start_type": of_item("start_type"),
        "pacing": of_item("pacing"),
        "user_timezone": facts.time_zone,
        "show_calculator": root.flag("show_calculator"),
        "notes": {
            "enabled": notes,
            "visible": root.field("edxnotes_visibility").and_then(Value::as_bool).unwrap_or(true),
        },
        "marketing_url": null,
        "celebrations": goals::celebrations(view, facts),
        "user_has_passing_grade": passed,
        "course_exit_page_is_active": false,
        "certificate_data": certificates::cert_data(view, facts, passed),
        "verify_identity_url": verify_url,
        "verification_status": facts.verification_status(view.now),
        "linkedin_add_to_profile_url": null,
        "is_integrity_signature_enabled": site.integrity_signature,
        "user_needs_integrity_signature": signs && !facts.integrity_signed,
        "learning_assistant_enabled": false,
    })))
}
