//! Who may enrol (contracts/lms-api.md §1.4).

use chrono::NaiveDateTime;
use opaque_keys::CourseKey;
use records::course_overviews::CourseOverview;
use records::enrollment::CourseEnrollmentAllowed;
use records::roles;
use records::users::User;

use crate::EnrollError;

/// Settings that decide about enrolling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// COURSES_INVITE_ONLY
    pub invite_only: bool,
    /// FEATURES.DISABLE_ALLOWED_ENROLLMENT_IF_ENROLLMENT_CLOSED
    pub allowed_needs_open_window: bool,
}

/// Facts about a learner and a course.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The learner's id.
    pub user_id: i64,
    /// Whether the learner is course staff (or global staff).
    pub is_course_staff: bool,
    /// The learner's permission by e-mail, if there is one.
    pub allowed: Option<&'a CourseEnrollmentAllowed>,
    /// The course.
    pub overview: &'a CourseOverview,
    /// Whether the course key is of the old form.
    pub is_deprecated_key: bool,
}

/// Whether now lies in the enrollment window.
#[must_use]
pub fn window_is_open(overview: &CourseOverview, now: NaiveDateTime) -> bool {
    overview.enrollment_start.is_none_or(|start| start <= now)
        && overview.enrollment_end.is_none_or(|end| now < end)
}

/// Whether a learner may enrol; whether the course is full is another question ([`is_full`]).
///
/// # Errors
/// [`EnrollError::Closed`]
pub fn may_enroll(
    facts: &Facts<'_>,
    policy: Policy,
    now: NaiveDateTime,
) -> Result<(), EnrollError> {
    let open = window_is_open(facts.overview, now);
    let granted = if let Some(allowed) = facts.allowed {
        let own = allowed.user_id.is_none_or(|id| id == facts.user_id);
        let window = open || facts.is_course_staff || !policy.allowed_needs_open_window;
        own && window
    } else if facts.is_course_staff {
        true
    } else {
        !facts.overview.invitation_only && !policy.invite_only && !facts.is_deprecated_key && open
    };
    if granted {
        Ok(())
    } else {
        Err(EnrollError::Closed)
    }
}

/// Whether a course takes no more learners; `learners` does not count the course team.
#[must_use]
pub fn is_full(overview: &CourseOverview, learners: i64) -> bool {
    overview
        .max_student_enrollments_allowed
        .is_some_and(|limit| learners >= limit)
}

/// Whether a user is staff of a course: global staff, or staff, limited staff or instructor of the course or its
/// organization (contracts/identity.md §11).
pub async fn is_course_staff(
    from: impl db::Source,
    user: &User,
    course: &CourseKey,
) -> db::Result<bool> {
    if !user.is_active {
        return Ok(false);
    }
    if user.is_staff {
        return Ok(true);
    }
    let id = records::keys::course_text(course);
    Ok(roles::of_user(from, user.id).await?.iter().any(|row| {
        row.org == course.org()
            && match row.role.as_str() {
                "staff" | "instructor" => row.course_id == id || row.course_id.is_empty(),
                "limited_staff" => row.course_id == id,
                _ => false,
            }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{NaiveDate, TimeDelta};

    fn now() -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 1, 1)
            .unwrap()
            .and_hms_opt(0, 0, 0)
            .unwrap()
    }

    /// contracts/lms-api.md §1.4: the permission by e-mail decides alone; else staff, invitation, window.
    #[test]
    fn who_may_enroll() {
        let open = CourseOverview::default();
        let shut = CourseOverview {
            enrollment_end: Some(now() - TimeDelta::days(1)),
            ..CourseOverview::default()
        };
        let invited = CourseOverview {
            invitation_only: true,
            ..CourseOverview::default()
        };
        let own = CourseEnrollmentAllowed {
            user_id: Some(1),
            ..Default::default()
        };
        let foreign = CourseEnrollmentAllowed {
            user_id: Some(2),
            ..Default::default()
        };
        let unused = CourseEnrollmentAllowed::default();
        let strict = Policy {
            allowed_needs_open_window: true,
            ..Policy::default()
        };
        for (overview, allowed, staff, policy, expected) in [
            (&open, None, false, Policy::default(), true),
            (&shut, None, false, Policy::default(), false),
            (&shut, None, true, Policy::default(), true),
            (&invited, None, false, Policy::default(), false),
            (&invited, Some(&own), false, Policy::default(), true),
            (&invited, Some(&unused), false, Policy::default(), true),
            (&open, Some(&foreign), true, Policy::default(), false),
            (&shut, Some(&own), false, Policy::default(), true),
            (&shut, Some(&own), false, strict, false),
            (
                &open,
                None,
                false,
                Policy {
                    invite_only: true,
                    ..Policy::default()
                },
                false,
            ),
        ] {
            let facts = Facts {
                user_id: 1,
                is_course_staff: staff,
                allowed,
                overview,
                is_deprecated_key: false,
            };
            assert_eq!(
                may_enroll(&facts, policy, now()).is_ok(),
                expected,
                "{facts:?}"
            );
        }
    }

    #[test]
    fn limits() {
        let limited = CourseOverview {
            max_student_enrollments_allowed: Some(2),
            ..Default::default()
        };
        assert!(!is_full(&limited, 1) && is_full(&limited, 2));
        assert!(!is_full(&CourseOverview::default(), 1_000_000));
    }
}
