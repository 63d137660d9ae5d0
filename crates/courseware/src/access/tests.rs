use std::sync::Arc;

use course_model::snapshot::{SnapshotBlock, SnapshotInfo};
use course_model::{BlockKey, ObjectId};
use identity::roles::AccessRole;
use identity::{Roles, Viewer};
use serde_json::{Value, json};

use super::*;
use crate::learner::{Enrollment, Masquerade, Milestones, Mode, Stacked};
use crate::view::CourseView;

const COURSE: &str = "course-v1:Acme+Bio+R1";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn block(key: &str, fields: Value, children: &[&str]) -> SnapshotBlock {
    SnapshotBlock {
        fields: serde_json::from_value(fields).unwrap(),
        children: children.iter().map(|key| key.parse().unwrap()).collect(),
        ..SnapshotBlock::new(key.parse().unwrap())
    }
}

fn snapshot(blocks: Vec<SnapshotBlock>) -> Arc<CourseSnapshot> {
    let info = SnapshotInfo {
        course_key: CourseKey::parse(COURSE).unwrap(),
        version: ObjectId::default(),
        edited_on: None,
        edited_by: None,
        root: BlockKey::course_root(),
    };
    Arc::new(CourseSnapshot::build(info, blocks).unwrap())
}

/// A course with one block of each kind of rule.
fn bio() -> Arc<CourseSnapshot> {
    snapshot(vec![
        block(
            "course@course",
            json!({
                "start": "2026-01-10T00:00:00Z",
                "days_early_for_beta": 2,
                "user_partitions": [
                    {"id": 100, "name": "Content groups", "scheme": "cohort", "active": true,
                     "groups": [{"id": 1, "name": "A"}, {"id": 2, "name": "B"}, {"id": 3, "name": "C"}]},
                    {"id": 101, "name": "Old", "scheme": "cohort", "active": false,
                     "groups": [{"id": 1, "name": "A"}]},
                ],
            }),
            &[
                "chapter@open",
                "chapter@later",
                "chapter@ab",
                "about@overview",
            ],
        ),
        block(
            "about@overview",
            json!({"start": "2030-05-05T00:00:00Z"}),
            &[],
        ),
        block(
            "chapter@open",
            json!({}),
            &[
                "html@plain",
                "html@hidden",
                "problem@graded",
                "problem@weightless",
                "html@inactive",
                "html@unknown_partition",
                "html@unknown_group",
            ],
        ),
        block("html@plain", json!({}), &[]),
        block("html@hidden", json!({"visible_to_staff_only": true}), &[]),
        block("problem@graded", json!({"graded": true}), &[]),
        block(
            "problem@weightless",
            json!({"graded": true, "weight": 0}),
            &[],
        ),
        block("html@inactive", json!({"group_access": {"101": [1]}}), &[]),
        block(
            "html@unknown_partition",
            json!({"group_access": {"999": [1]}}),
            &[],
        ),
        block(
            "html@unknown_group",
            json!({"group_access": {"100": [1, 77]}}),
            &[],
        ),
        block(
            "chapter@later",
            json!({"start": "2027-01-05T00:00:00Z"}),
            &["html@late", "html@early"],
        ),
        block("html@late", json!({}), &[]),
        block("html@early", json!({"start": "2026-01-11T00:00:00Z"}), &[]),
        block(
            "chapter@ab",
            json!({"group_access": {"100": [1, 2]}}),
            &["vertical@bc", "vertical@c"],
        ),
        block("vertical@bc", json!({"group_access": {"100": [2, 3]}}), &[]),
        block("vertical@c", json!({"group_access": {"100": [3]}}), &[]),
    ])
}

fn learner(mode: &str) -> Learner {
    let viewer = Viewer {
        id: Some(7),
        username: "amy".into(),
        is_active: true,
        ..Viewer::anonymous()
    };
    let mut learner = Learner::new(viewer, CourseKey::parse(COURSE).unwrap());
    learner.is_cohorted = true;
    learner.modes = ["audit", "verified"]
        .into_iter()
        .map(|slug| Mode {
            slug: slug.into(),
            name: slug.into(),
            min_price: 0,
            expires: None,
        })
        .collect();
    learner.enrollment = Some(Enrollment {
        id: 1,
        mode: mode.into(),
        is_active: true,
        created: Some(at("2026-01-01T00:00:00Z")),
        schedule: None,
    });
    learner
}

fn in_group(group: i64) -> Learner {
    let mut learner = learner("audit");
    learner.cohort = Some(crate::learner::CohortPlace {
        id: 1,
        name: "one".into(),
        content_group: Some((100, group)),
    });
    learner
}

fn with_role(role: &str, course_id: &str) -> Learner {
    let mut learner = learner("audit");
    let row = AccessRole {
        org: "Acme".into(),
        course_id: course_id.into(),
        role: role.into(),
    };
    learner.roles = Arc::new(Roles::of(&learner.viewer, vec![row], Vec::new()));
    learner
}

fn gated(mut learner: Learner) -> Learner {
    learner.content_gating = Stacked {
        enabled: true,
        enabled_as_of: Some(at("2025-01-01T00:00:00Z")),
        studio_override: false,
    };
    learner
}

/// What a decision is called: `ok`, the code, or `denied` for one without.
fn name<T>(decision: &Result<T, Denied>) -> &'static str {
    match decision {
        Ok(_) => "ok",
        Err(denied) => denied.code().unwrap_or("denied"),
    }
}

/// courseware.md §7.3: who × what × when gives which code.
#[test]
fn blocks() {
    let course = bio();
    let before = "2026-01-08T12:00:00Z";
    let during = "2026-02-01T00:00:00Z";
    let masquerade = |student| {
        let mut learner = with_role("staff", COURSE);
        learner.masquerade = Some(if student {
            Masquerade::Student { group: None }
        } else {
            Masquerade::Staff
        });
        learner
    };
    let mut anonymous = Learner::new(Viewer::anonymous(), CourseKey::parse(COURSE).unwrap());
    anonymous.modes = learner("audit").modes;
    let mut excluded = gated(learner("audit"));
    excluded.gating_excluded = true;
    let mut early_bird = gated(learner("audit"));
    early_bird.enrollment.as_mut().unwrap().created = Some(at("2024-01-01T00:00:00Z"));
    let cases: Vec<(&str, Learner, &str, &str, &str)> = vec![
        ("learner", learner("audit"), "html@plain", during, "ok"),
        (
            "learner",
            learner("audit"),
            "html@plain",
            before,
            "course_not_started",
        ),
        (
            "beta",
            with_role("beta_testers", COURSE),
            "html@plain",
            before,
            "ok",
        ),
        (
            "beta elsewhere",
            with_role("beta_testers", "course-v1:Acme+X+1"),
            "html@plain",
            before,
            "course_not_started",
        ),
        (
            "staff",
            with_role("staff", COURSE),
            "html@plain",
            before,
            "ok",
        ),
        (
            "org staff",
            with_role("instructor", ""),
            "html@hidden",
            before,
            "ok",
        ),
        (
            "learner",
            learner("audit"),
            "html@hidden",
            during,
            "not_visible_to_user",
        ),
        (
            "staff as learner",
            masquerade(true),
            "html@hidden",
            during,
            "not_visible_to_user",
        ),
        (
            "staff as staff",
            masquerade(false),
            "html@hidden",
            during,
            "ok",
        ),
        (
            "staff as learner",
            masquerade(true),
            "html@plain",
            before,
            "ok",
        ),
        (
            "learner",
            learner("audit"),
            "html@late",
            during,
            "course_not_started",
        ),
        // A block with an earlier start of its own loads by key below a later ancestor.
        ("learner", learner("audit"), "html@early", during, "ok"),
        ("learner", learner("audit"), "about@overview", during, "ok"),
        ("group 2", in_group(2), "vertical@bc", during, "ok"),
        (
            "group 1",
            in_group(1),
            "vertical@bc",
            during,
            "incorrect_user_group",
        ),
        (
            "group 3",
            in_group(3),
            "chapter@ab",
            during,
            "incorrect_user_group",
        ),
        (
            "no group",
            learner("audit"),
            "chapter@ab",
            during,
            "incorrect_user_group",
        ),
        (
            "group 3",
            in_group(3),
            "vertical@c",
            during,
            "no_allowed_user_groups",
        ),
        (
            "staff",
            with_role("staff", COURSE),
            "vertical@c",
            during,
            "ok",
        ),
        ("learner", learner("audit"), "html@inactive", during, "ok"),
        (
            "learner",
            learner("audit"),
            "html@unknown_partition",
            during,
            "denied",
        ),
        (
            "group 1",
            in_group(1),
            "html@unknown_group",
            during,
            "denied",
        ),
        (
            "audit",
            gated(learner("audit")),
            "problem@graded",
            during,
            "incorrect_user_group",
        ),
        (
            "audit",
            gated(learner("audit")),
            "problem@weightless",
            during,
            "ok",
        ),
        (
            "audit, no gate",
            learner("audit"),
            "problem@graded",
            during,
            "ok",
        ),
        (
            "verified",
            gated(learner("verified")),
            "problem@graded",
            during,
            "ok",
        ),
        ("excluded", excluded, "problem@graded", during, "ok"),
        (
            "enrolled before the gate",
            early_bird,
            "problem@graded",
            during,
            "ok",
        ),
        (
            "anonymous",
            gated(anonymous.clone()),
            "problem@graded",
            during,
            "incorrect_user_group",
        ),
        ("anonymous", anonymous, "html@plain", during, "ok"),
        (
            "beta",
            gated(with_role("beta_testers", COURSE)),
            "problem@graded",
            during,
            "ok",
        ),
    ];
    for (who, learner, what, when, wanted) in &cases {
        let view = CourseView::of(
            Arc::clone(&course),
            learner.clone(),
            Rules::default(),
            at(when),
        );
        let found = view.course.find(&what.parse().unwrap()).unwrap();
        let decision = view.block(view.course.block(found));
        assert_eq!(name(&decision), *wanted, "{who} {what} {when}");
    }
}

/// courseware.md §7.2: who × when gives which code, for the course as a whole and for a page of it.
#[test]
fn courses() {
    let facts = CourseFacts::of_snapshot(&bio());
    let hidden = CourseFacts {
        visible_to_staff_only: true,
        ..facts.clone()
    };
    let public = CourseFacts {
        course_visibility: "public".into(),
        ..facts.clone()
    };
    let old = CourseFacts {
        key: CourseKey::parse("Acme/Bio/R1").unwrap(),
        display_name: "Bio".into(),
        ..facts.clone()
    };
    let before = "2026-01-08T12:00:00Z";
    let during = "2026-02-01T00:00:00Z";
    let key = || CourseKey::parse(COURSE).unwrap();
    let anonymous = || Learner::new(Viewer::anonymous(), key());
    let mut visitor = anonymous();
    visitor.flags.push(flags::ANONYMOUS_COURSEWARE.into());
    let mut stranger = learner("audit");
    stranger.enrollment = None;
    let mut left = learner("audit");
    left.enrollment.as_mut().unwrap().is_active = false;
    let mut unprepared = learner("audit");
    unprepared.milestones = Milestones {
        courses: vec!["course-v1:Acme+Basics+R1".into()],
        ..Milestones::default()
    };
    let mut limited = learner("audit");
    limited.duration_limits = Stacked {
        enabled: true,
        enabled_as_of: Some(at("2025-01-01T00:00:00Z")),
        studio_override: false,
    };
    let mut pre_start = learner("audit");
    pre_start.flags.push(flags::PRE_START_ACCESS.into());
    let cases: Vec<(&str, &CourseFacts, Learner, &str, &str, &str)> = vec![
        ("learner", &facts, learner("audit"), during, "ok", "ok"),
        (
            "learner",
            &facts,
            learner("audit"),
            before,
            "course_not_started",
            "course_not_started",
        ),
        ("pre-start flag", &facts, pre_start, before, "ok", "ok"),
        (
            "beta",
            &facts,
            with_role("beta_testers", COURSE),
            before,
            "ok",
            "ok",
        ),
        (
            "staff",
            &facts,
            with_role("staff", COURSE),
            before,
            "ok",
            "ok",
        ),
        (
            "learner",
            &hidden,
            learner("audit"),
            during,
            "not_visible_to_user",
            "not_visible_to_user",
        ),
        (
            "staff",
            &hidden,
            with_role("limited_staff", COURSE),
            during,
            "ok",
            "ok",
        ),
        (
            "staff",
            &old,
            with_role("staff", COURSE),
            during,
            "old_mongo",
            "old_mongo",
        ),
        (
            "anonymous",
            &facts,
            anonymous(),
            during,
            "ok",
            "authentication_required",
        ),
        (
            "anonymous",
            &public,
            anonymous(),
            during,
            "ok",
            "authentication_required",
        ),
        (
            "anonymous with flag",
            &public,
            visitor.clone(),
            during,
            "ok",
            "ok",
        ),
        (
            "anonymous with flag",
            &facts,
            visitor,
            during,
            "ok",
            "authentication_required",
        ),
        (
            "stranger",
            &facts,
            stranger,
            during,
            "ok",
            "enrollment_required",
        ),
        ("left", &facts, left, during, "ok", "enrollment_required"),
        (
            "unprepared",
            &facts,
            unprepared,
            during,
            "unfulfilled_milestones",
            "unfulfilled_milestones",
        ),
        ("limited", &facts, limited.clone(), during, "ok", "ok"),
        (
            "limited",
            &facts,
            limited,
            "2026-03-01T00:00:00Z",
            "audit_expired",
            "audit_expired",
        ),
    ];
    for (who, facts, learner, when, load, page) in &cases {
        let (rules, now) = (Rules::default(), at(when));
        assert_eq!(
            name(&course_load(facts, learner, rules, now)),
            *load,
            "{who} {when}"
        );
        assert_eq!(
            name(&course_page(facts, learner, rules, now)),
            *page,
            "{who} {when}"
        );
    }
}

/// courseware.md §7.2 `enroll`: the first match wins.
#[test]
fn enrolling() {
    let facts = CourseFacts::of_snapshot(&bio());
    let now = at("2026-02-01T00:00:00Z");
    let closed = CourseFacts {
        enrollment_end: Some(at("2026-01-31T00:00:00Z")),
        ..facts.clone()
    };
    let invited = CourseFacts {
        invitation_only: true,
        ..facts.clone()
    };
    let mut allowed = learner("audit");
    allowed.enrollment_allowed = Some(true);
    let mut taken = with_role("staff", COURSE);
    taken.enrollment_allowed = Some(false);
    let cases: &[(&CourseFacts, Learner, bool)] = &[
        (&facts, learner("audit"), true),
        (&closed, learner("audit"), false),
        (&invited, learner("audit"), false),
        (&invited, with_role("staff", COURSE), true),
        (&closed, allowed.clone(), true),
        (&invited, allowed, true),
        (&facts, taken, false),
    ];
    for (facts, learner, wanted) in cases {
        assert_eq!(may_enroll(facts, learner, now), *wanted, "{facts:?}");
    }
    // Who can no longer enroll but is let in still sees the course.
    let action = course(
        Action::SeeExists,
        &closed,
        &learner("audit"),
        Rules::default(),
        now,
    );
    assert!(action.is_ok());
}

/// courseware.md §7.1: texts.
#[test]
fn texts() {
    let start = at("2027-01-05T00:00:00Z");
    let denied = Denied::of(Denial::NotStarted { start });
    assert_eq!(
        denied.user_message.as_deref(),
        Some("Course does not start until January 05, 2027")
    );
    let far = DateTime::from_timestamp(DEFAULT_START, 0).unwrap();
    let denied = Denied::of(Denial::NotStarted { start: far });
    assert_eq!(
        denied.user_message.as_deref(),
        Some("Course has not started")
    );
    assert_eq!(
        response::<()>(&Err(Denied::plain()))["error_code"],
        Value::Null
    );
    assert_eq!(response(&Ok(1))["has_access"], true);
}
