//! What a learner is told about the certificate (lms-api.md §5.3, §7).

use serde_json::{Value, json};

use super::Facts;
use crate::learner::{flags, modes};
use crate::view::CourseView;

/// Statuses in which a certificate counts as earned.
const PASSING: [&str; 2] = ["downloadable", "generating"];

fn data(status: &str, view_url: Option<&str>, download: Option<&str>, date: &Value) -> Value {
    json!({
        "cert_status": status,
        "cert_web_view_url": view_url,
        "download_url": download,
        "certificate_available_date": date,
    })
}

/// Whether certificates of the course can be seen by now.
#[must_use]
pub fn are_viewable(view: &CourseView) -> bool {
    let root = view.course.course();
    let ended = view.facts.end.is_some_and(|end| end < view.now);
    root.flag("self_paced")
        || root.flag("certificates_show_before_end")
        || match root.text("certificates_display_behavior") {
            Some("early_no_info") => true,
            Some("end_with_date") => root
                .date("certificate_available_date")
                .is_some_and(|date| date <= view.now),
            _ => ended,
        }
}

/// Whether the course has a certificate to give: an active one of its configuration.
#[must_use]
pub fn has_active(view: &CourseView) -> bool {
    let root = view.course.course();
    root.flag("cert_html_view_enabled")
        && root
            .field("certificates")
            .and_then(|value| value.get("certificates"))
            .and_then(Value::as_array)
            .is_some_and(|list| {
                list.iter()
                    .any(|one| one.get("is_active").and_then(Value::as_bool) == Some(true))
            })
}

/// Whether a mode leads to a certificate.
#[must_use]
pub fn is_eligible(mode: &str) -> bool {
    mode != modes::AUDIT
}

/// `cert_data`, `certificate_data`: null where there is nothing to tell.
#[must_use]
pub fn cert_data(view: &CourseView, facts: &Facts, passed: bool) -> Value {
    let learner = &view.learner;
    let Some(place) = &learner.enrollment else {
        return Value::Null;
    };
    if !is_eligible(&place.mode) {
        return data("audit_passing", None, None, &Value::Null);
    }
    let status = facts
        .certificate
        .as_ref()
        .map(|certificate| certificate.status.as_str());
    let root = view.course.course();
    let viewable = are_viewable(view);
    let earned = status.is_some_and(|status| PASSING.contains(&status));
    if earned && !viewable {
        let date = root
            .field("certificate_available_date")
            .cloned()
            .unwrap_or_default();
        return data("earned_but_not_available", None, None, &date);
    }
    let by_date = root.text("certificates_display_behavior") == Some("end_with_date");
    if !earned && by_date && !viewable && is_eligible(&place.mode) && place.is_active && passed {
        let date = root
            .field("certificate_available_date")
            .cloned()
            .unwrap_or_default();
        return data("not_earned_but_available_date", None, None, &date);
    }
    let automatic = learner.flag(flags::AUTO_CERTIFICATES);
    let offered = facts.generation_enabled && (automatic || facts.self_generation);
    let beta = learner.roles.is_beta_tester(&learner.course);
    if !offered
        || !place.is_active
        || !viewable
        || !(passed || facts.allowlisted)
        || beta
        || !has_active(view)
    {
        return Value::Null;
    }
    match status {
        Some("downloadable") => {
            let certificate = facts.certificate.as_ref();
            let uuid = certificate.map(|one| format!("/certificates/{}", one.verify_uuid));
            let download = certificate
                .map(|one| one.download_url.as_str())
                .filter(|url| !url.is_empty());
            data("downloadable", uuid.as_deref(), download, &Value::Null)
        }
        Some("generating") => data("generating", None, None, &Value::Null),
        Some("unverified") => data("unverified", None, None, &Value::Null),
        Some("unavailable") => data("invalidated", None, None, &Value::Null),
        _ => data("requesting", None, None, &Value::Null),
    }
}
