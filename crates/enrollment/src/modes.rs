//! Course modes (contracts/lms-api.md §2).

use chrono::NaiveDateTime;
use records::course_modes::CourseMode;

/// Slug of the free mode without certificate; DEFAULT_MODE_SLUG.
pub const AUDIT: &str = "audit";
/// Slug of the free mode with certificate.
pub const HONOR: &str = "honor";
/// Slug of the mode with identity check.
pub const VERIFIED: &str = "verified";
/// Slug of the mode for academic credit.
pub const CREDIT: &str = "credit";
/// Slug of the paid mode with identity check.
pub const PROFESSIONAL: &str = "professional";
/// Slug of the paid mode without identity check.
pub const NO_ID_PROFESSIONAL: &str = "no-id-professional";

/// Modes of auditors.
pub const AUDIT_MODES: [&str; 4] = [
    "audit",
    "honor",
    "unpaid-executive-education",
    "unpaid-bootcamp",
];
/// Modes of verified learners.
pub const VERIFIED_MODES: [&str; 6] = [
    "verified",
    "professional",
    "masters",
    "executive-education",
    "paid-executive-education",
    "paid-bootcamp",
];
/// Modes whose certificate needs no identity check.
pub const NON_VERIFIED_MODES: [&str; 3] = ["honor", "audit", "no-id-professional"];
/// Modes from which credit can be bought.
pub const CREDIT_ELIGIBLE_MODES: [&str; 6] = [
    "verified",
    "professional",
    "no-id-professional",
    "executive-education",
    "paid-executive-education",
    "paid-bootcamp",
];
/// Modes from which a verified certificate is offered.
pub const UPSELL_TO_VERIFIED_MODES: [&str; 2] = ["honor", "audit"];

/// Whether learners of a mode can get a certificate; `honor` too unless FEATURES.DISABLE_HONOR_CERTIFICATES.
#[must_use]
pub fn is_certificate_eligible(slug: &str, honor_disabled: bool) -> bool {
    slug != AUDIT && !(honor_disabled && slug == HONOR)
}

/// The mode of a course without mode rows: COURSE_MODE_DEFAULTS.
#[must_use]
pub fn default_mode(course_id: &str) -> CourseMode {
    CourseMode {
        course_id: course_id.to_owned(),
        mode_slug: AUDIT.to_owned(),
        mode_display_name: "Audit".to_owned(),
        currency: "usd".to_owned(),
        ..CourseMode::default()
    }
}

/// The modes that a course offers: those that have not expired (all with `include_expired`), without credit when
/// only modes that learners choose are asked for; the default mode when none is left.
#[must_use]
pub fn offered(
    rows: &[CourseMode],
    course_id: &str,
    now: NaiveDateTime,
    include_expired: bool,
    only_selectable: bool,
) -> Vec<CourseMode> {
    let found: Vec<CourseMode> = rows
        .iter()
        .filter(|mode| {
            include_expired
                || mode
                    .expiration_datetime
                    .is_none_or(|expires| expires >= now)
        })
        .filter(|mode| !only_selectable || mode.mode_slug != CREDIT)
        .cloned()
        .collect();
    if found.is_empty() {
        vec![default_mode(course_id)]
    } else {
        found
    }
}

/// The mode of an enrollment that names none: the default slug if the course offers it, else audit, else honor, else
/// the default slug.
#[must_use]
pub fn default_slug(rows: &[CourseMode], course_id: &str, now: NaiveDateTime) -> &'static str {
    let offered = offered(rows, course_id, now, false, true);
    let has = |slug: &str| offered.iter().any(|mode| mode.mode_slug == slug);
    if has(AUDIT) || !has(HONOR) {
        AUDIT
    } else {
        HONOR
    }
}

/// The mode of a learner who enrolls from the catalogue (§1.5): honor if offered, else audit; none where the learner
/// must go elsewhere first.
#[must_use]
pub fn auto_enroll_slug(
    rows: &[CourseMode],
    course_id: &str,
    now: NaiveDateTime,
) -> Option<&'static str> {
    let offered = offered(rows, course_id, now, false, true);
    let has = |slug: &str| offered.iter().any(|mode| mode.mode_slug == slug);
    let white_label = offered
        .iter()
        .any(|mode| mode.mode_slug == HONOR && mode.min_price > 0);
    if has(PROFESSIONAL) || has(NO_ID_PROFESSIONAL) || white_label {
        None
    } else if has(HONOR) {
        Some(HONOR)
    } else if has(AUDIT) {
        Some(AUDIT)
    } else {
        None
    }
}

/// Whether a learner who enrolled must be sent to `/course_modes/choose/…`: a verified or professional mode exists.
#[must_use]
pub fn has_payment_choice(rows: &[CourseMode], course_id: &str, now: NaiveDateTime) -> bool {
    offered(rows, course_id, now, false, true)
        .iter()
        .any(|mode| [VERIFIED, PROFESSIONAL, NO_ID_PROFESSIONAL].contains(&mode.mode_slug.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn now() -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 1, 1)
            .unwrap()
            .and_hms_opt(0, 0, 0)
            .unwrap()
    }

    fn mode(slug: &str, expires_in_days: Option<i64>) -> CourseMode {
        CourseMode {
            mode_slug: slug.to_owned(),
            expiration_datetime: expires_in_days.map(|days| now() + chrono::TimeDelta::days(days)),
            ..default_mode("C")
        }
    }

    fn slugs(modes: &[CourseMode]) -> Vec<&str> {
        modes.iter().map(|mode| mode.mode_slug.as_str()).collect()
    }

    /// contracts/lms-api.md §1.1, §1.3, §2.
    #[test]
    fn offers_and_defaults() {
        let rows = [
            mode("honor", None),
            mode("verified", Some(-1)),
            mode("credit", Some(1)),
        ];
        assert_eq!(
            slugs(&offered(&rows, "C", now(), false, false)),
            ["honor", "credit"]
        );
        assert_eq!(
            slugs(&offered(&rows, "C", now(), true, true)),
            ["honor", "verified"]
        );
        assert_eq!(slugs(&offered(&[], "C", now(), false, false)), ["audit"]);
        assert_eq!(default_slug(&rows, "C", now()), "honor");
        assert_eq!(default_slug(&[mode("verified", None)], "C", now()), "audit");
        assert_eq!(default_slug(&[], "C", now()), "audit");
        assert_eq!(auto_enroll_slug(&rows, "C", now()), Some("honor"));
        assert_eq!(
            auto_enroll_slug(&[mode("professional", None)], "C", now()),
            None
        );
        assert!(!has_payment_choice(&rows, "C", now()));
        assert!(is_certificate_eligible("honor", false) && !is_certificate_eligible("honor", true));
    }
}
