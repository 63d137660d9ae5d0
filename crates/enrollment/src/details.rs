//! JSON objects of enrollments and courses (contracts/lms-api.md §0.2, §1.1).

use chrono::{NaiveDateTime, Timelike};
use records::course_modes::CourseMode;
use records::course_overviews::CourseOverview;
use records::enrollment::CourseEnrollment;
use serde_json::{Value, json};

use crate::modes;

/// A moment as REST framework writes it: UTC with `Z`, six digits of fraction or none.
#[must_use]
pub fn rest_datetime(moment: NaiveDateTime) -> String {
    if moment.nanosecond() / 1000 == 0 {
        moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    } else {
        moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
}

fn optional(moment: Option<NaiveDateTime>) -> Value {
    moment.map(rest_datetime).into()
}

/// One mode of a course.
#[must_use]
pub fn mode_json(mode: &CourseMode) -> Value {
    json!({
        "slug": mode.mode_slug,
        "name": mode.mode_display_name,
        "min_price": mode.min_price,
        "suggested_prices": mode.suggested_prices,
        "currency": mode.currency,
        "expiration_datetime": optional(mode.expiration_datetime),
        "description": mode.description,
        "sku": mode.sku,
        "bulk_sku": mode.bulk_sku,
    })
}

/// `course_details`: the course with the modes it offers, credit among them.
#[must_use]
pub fn course_json(
    overview: &CourseOverview,
    mode_rows: &[CourseMode],
    now: NaiveDateTime,
    include_expired: bool,
) -> Value {
    let offered = modes::offered(mode_rows, &overview.id, now, include_expired, false);
    json!({
        "course_id": overview.id,
        "course_name": overview.display_name,
        "enrollment_start": optional(overview.enrollment_start),
        "enrollment_end": optional(overview.enrollment_end),
        "course_start": optional(overview.start),
        "course_end": optional(overview.end),
        "invite_only": overview.invitation_only,
        "course_modes": offered.iter().map(mode_json).collect::<Vec<_>>(),
        "pacing_type": if overview.self_paced { "Self Paced" } else { "Instructor Paced" },
    })
}

/// The enrollment object.
#[must_use]
pub fn enrollment_json(row: &CourseEnrollment, username: &str, course_details: &Value) -> Value {
    json!({
        "created": optional(row.created),
        "mode": row.mode,
        "is_active": row.is_active,
        "course_details": course_details,
        "user": username,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/lms-api.md §0.2: six digits or none.
    #[test]
    fn moments() {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        assert_eq!(
            rest_datetime(day.and_hms_opt(1, 2, 3).unwrap()),
            "2026-11-23T01:02:03Z"
        );
        assert_eq!(
            rest_datetime(day.and_hms_micro_opt(1, 2, 3, 267_870).unwrap()),
            "2026-11-23T01:02:03.267870Z"
        );
    }
}
