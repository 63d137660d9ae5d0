//! The one statement about a learner (courseware.md §6, §7).

use chrono::{TimeDelta, Utc};
use courseware::learner::{Learner, flags};
use courseware::partitions;
use db::params;
use identity::Viewer;
use opaque_keys::CourseKey;
use records::testing;

const COURSE: &str = "course-v1:Acme+Bio+R1";

fn viewer(id: i64) -> Viewer {
    Viewer {
        id: Some(id),
        username: format!("user{id}"),
        is_active: true,
        ..Viewer::anonymous()
    }
}

#[tokio::test]
async fn everything_is_found_with_one_statement() {
    let db = testing::sqlite().await.unwrap();
    let now = Utc::now().naive_utc();
    for sql in [
        "INSERT INTO auth_user (id, username, email, password, first_name, last_name, is_staff, is_active, \
         is_superuser, date_joined) VALUES (7, 'amy', 'amy@example.com', '', '', '', 0, 1, 0, '2026-01-01 00:00:00'), \
         (8, 'bob', 'bob@example.com', '', '', '', 0, 1, 0, '2026-01-01 00:00:00')",
        "INSERT INTO student_courseaccessrole (org, course_id, role, user_id) VALUES \
         ('Acme', 'course-v1:Acme+Bio+R1', 'beta_testers', 7), ('Acme', '', 'staff', 8)",
        "INSERT INTO student_courseenrollment (id, course_id, created, is_active, mode, user_id) VALUES \
         (5, 'course-v1:Acme+Bio+R1', '2026-01-01 00:00:00', 1, 'audit', 7)",
        "INSERT INTO schedules_schedule (id, created, modified, active, enrollment_id, start_date) VALUES \
         (3, '2026-01-01 00:00:00', '2026-01-01 00:00:00', 1, 5, '2026-01-02 00:00:00')",
        "INSERT INTO course_groups_courseusergroup (id, name, course_id, group_type) VALUES \
         (9, 'Blue', 'course-v1:Acme+Bio+R1', 'cohort')",
        "INSERT INTO course_groups_cohortmembership (course_id, course_user_group_id, user_id) VALUES \
         ('course-v1:Acme+Bio+R1', 9, 7)",
        "INSERT INTO course_groups_courseusergrouppartitiongroup (partition_id, group_id, created_at, updated_at, \
         course_user_group_id) VALUES (100, 2, '2026-01-01 00:00:00', '2026-01-01 00:00:00', 9)",
        "INSERT INTO course_groups_coursecohortssettings (is_cohorted, course_id, cohorted_discussions, \
         always_cohort_inline_discussions) VALUES (1, 'course-v1:Acme+Bio+R1', '[]', 0)",
        "INSERT INTO user_api_usercoursetag (`key`, course_id, value, user_id) VALUES \
         ('xblock.partition_service.partition_101', 'course-v1:Acme+Bio+R1', '1', 7)",
        "INSERT INTO course_modes_coursemode (course_id, mode_slug, mode_display_name, min_price, currency, \
         suggested_prices, expiration_datetime_is_explicit) VALUES \
         ('course-v1:Acme+Bio+R1', 'audit', 'Audit', 0, 'usd', '', 0), \
         ('course-v1:Acme+Bio+R1', 'verified', 'Verified', 49, 'usd', '', 0)",
        "INSERT INTO content_type_gating_contenttypegatingconfig (change_date, enabled, enabled_as_of) VALUES \
         ('2025-01-01 00:00:00', 1, '2025-02-01 00:00:00')",
        "INSERT INTO content_type_gating_contenttypegatingconfig (change_date, enabled, org) VALUES \
         ('2025-01-01 00:00:00', 1, 'Acme'), ('2025-01-02 00:00:00', 0, 'Acme'), ('2025-01-03 00:00:00', 1, 'Other')",
        "INSERT INTO waffle_flag (name, everyone, testing, superusers, staff, authenticated, languages, rollout, note, \
         created, modified) VALUES ('course_experience.relative_dates', 1, 0, 1, 0, 0, '', 0, '', \
         '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        "INSERT INTO waffle_switch (name, active, note, created, modified) VALUES \
         ('completion.enable_completion_tracking', 1, '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        "INSERT INTO edx_when_datepolicy (id, created, modified, abs_date, rel_date) VALUES \
         (1, '2026-01-01 00:00:00', '2026-01-01 00:00:00', NULL, 86400000000)",
        "INSERT INTO edx_when_contentdate (id, course_id, location, policy_id, active, field) VALUES \
         (1, 'course-v1:Acme+Bio+R1', 'block-v1:Acme+Bio+R1+type@sequential+block@s', 1, 1, 'due')",
    ] {
        db.execute(sql, &params![]).await.unwrap();
    }
    let course = CourseKey::parse(COURSE).unwrap();
    let (loaded, counts) = db::counting(Learner::load(&db, &viewer(7), &course)).await;
    let learner = loaded.unwrap();
    assert_eq!(counts.reads, 1);
    assert!(learner.roles.is_beta_tester(&course) && !learner.is_staff());
    assert_eq!(learner.active_enrollment().unwrap().mode, "audit");
    assert_eq!(
        learner.cohort.as_ref().unwrap().content_group,
        Some((100, 2))
    );
    assert!(learner.is_cohorted && learner.is_upgradable());
    assert_eq!(learner.tags[&partitions::tag_of(101)], "1");
    // The organization's newest row turns off what the global one turned on.
    assert!(!learner.content_gating.at(now.and_utc()));
    assert!(learner.content_gating.enabled_as_of.is_some());
    assert!(learner.flag(flags::RELATIVE_DATES) && learner.flag(flags::COMPLETION_TRACKING));
    let due = learner.date("block-v1:Acme+Bio+R1+type@sequential+block@s", "due", None);
    let start = learner
        .enrollment
        .as_ref()
        .unwrap()
        .schedule
        .as_ref()
        .unwrap()
        .start;
    assert_eq!(due, Some(start.unwrap() + TimeDelta::days(1)));

    let staff = Learner::load(&db, &viewer(8), &course).await.unwrap();
    assert!(staff.is_staff() && staff.enrollment.is_none());
    let nobody = Learner::load(&db, &Viewer::anonymous(), &course)
        .await
        .unwrap();
    assert!(nobody.modes.len() == 2 && nobody.tags.is_empty());
}
