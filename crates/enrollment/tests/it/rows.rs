//! contracts/lms-api.md §1.4: what an enrollment writes.

use chrono::TimeDelta;
use db::params;
use enrollment::access::Policy;
use enrollment::{Access, Change, EnrollError, Error, change, enroll, unenroll};
use records::enrollment as rows;
use records::history::Author;

use crate::engines::{self, now};

/// Two history rows, a schedule, the forum role, events, and the bound permission.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_enrollment_is_written_whole() {
    for engine in engines::all().await {
        let db = &engine.db;
        let user = engines::user(db, false).await;
        let start = now() + TimeDelta::days(3);
        let course = engines::course(db, &["honor"], |overview| {
            overview.start = Some(start);
            overview.invitation_only = true;
        })
        .await;
        let author = Author::user(now(), user.id);
        let checked = Access::Checked(Policy::default());
        let refused = enroll(db, &user, &course, "honor", checked, &author).await;
        assert!(matches!(refused, Err(Error::Refused(EnrollError::Closed))));
        assert!(rows::get(db, user.id, &course).await.unwrap().is_none());

        let id = course.to_string();
        db.execute(
            "INSERT INTO student_courseenrollmentallowed (email, course_id, auto_enroll) \
             VALUES (?, ?, 1)",
            &params![&user.email, &id],
        )
        .await
        .unwrap();
        let row = enroll(db, &user, &course, "honor", checked, &author)
            .await
            .unwrap();
        assert!(row.is_active && row.mode == "honor");
        let history = db
            .read(
                "SELECT history_type, is_active, mode, history_user_id \
                 FROM student_courseenrollment_history WHERE id = ? ORDER BY history_type",
                &params![row.id],
            )
            .await
            .unwrap();
        let seen: Vec<(String, bool, String)> = history
            .iter()
            .map(|row| {
                (
                    row.text("history_type").unwrap(),
                    row.bool("is_active").unwrap(),
                    row.text("mode").unwrap(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("+".into(), false, "audit".into()),
                ("~".into(), true, "honor".into())
            ]
        );
        let schedule = records::schedules::of_enrollment(db, row.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(schedule.start_date, Some(start));
        let forum = records::roles::forum_roles(db, user.id, &course)
            .await
            .unwrap();
        assert_eq!(forum, ["Student"]);
        let allowed = rows::allowed(db, &user.email, &course)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(allowed.user_id, Some(user.id));
        let topics = async || {
            let rows = db
                .read(
                    "SELECT topic FROM stoa_outbox WHERE `key` = ? ORDER BY id",
                    &params![&id],
                )
                .await
                .unwrap();
            rows.iter()
                .map(|row| row.text("topic").unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            topics().await,
            ["enrollment.activated", "enrollment.mode_changed"]
        );

        let again = enroll(db, &user, &course, "honor", checked, &author).await;
        assert!(matches!(
            again,
            Err(Error::Refused(EnrollError::AlreadyEnrolled))
        ));
        let row = unenroll(db, user.id, &course, &author)
            .await
            .unwrap()
            .unwrap();
        assert!(!row.is_active && row.mode == "honor");
        let to = Change {
            mode: Some("audit"),
            is_active: None,
        };
        change(db, user.id, &course, to, &author).await.unwrap();
        assert_eq!(
            topics().await,
            [
                "enrollment.activated",
                "enrollment.mode_changed",
                "enrollment.deactivated",
                "enrollment.mode_changed"
            ]
        );
        let stranger = engines::user(db, false).await;
        assert!(
            unenroll(db, stranger.id, &course, &author)
                .await
                .unwrap()
                .is_none()
        );
    }
}

/// The limit does not count the course team; instructors are asked nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_course() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course(db, &[], |overview| {
            overview.max_student_enrollments_allowed = Some(1);
        })
        .await;
        let (staff, first, second) = (
            engines::user(db, false).await,
            engines::user(db, false).await,
            engines::user(db, false).await,
        );
        db.execute(
            "INSERT INTO student_courseaccessrole (org, course_id, role, user_id) \
             VALUES ('Org', ?, 'staff', ?)",
            &params![course.to_string(), staff.id],
        )
        .await
        .unwrap();
        let author = Author::nobody(now());
        let checked = Access::Checked(Policy::default());
        for user in [&staff, &first] {
            enroll(db, user, &course, "audit", checked, &author)
                .await
                .unwrap();
        }
        for access in [checked, Access::Forced] {
            let refused = enroll(db, &second, &course, "audit", access, &author).await;
            assert!(matches!(refused, Err(Error::Refused(EnrollError::Full))));
        }
        enroll(db, &second, &course, "audit", Access::Unchecked, &author)
            .await
            .unwrap();
    }
}

/// Many requests for one place in the course make one row.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_requests() {
    for engine in engines::all().await {
        let db = engine.db.clone();
        let user = engines::user(&db, false).await;
        let course = engines::course(&db, &[], |_| ()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let (db, user, course) = (db.clone(), user.clone(), course.clone());
            tasks.spawn(async move {
                let author = Author::nobody(now());
                enroll(&db, &user, &course, "audit", Access::Unchecked, &author)
                    .await
                    .is_ok()
            });
        }
        let won = tasks.join_all().await;
        assert!(won.iter().any(|ok| *ok));
        let count = db
            .read_int(
                "SELECT COUNT(*) AS n FROM student_courseenrollment WHERE course_id = ?",
                &params![course.to_string()],
            )
            .await
            .unwrap();
        assert_eq!(count, 1);
    }
}
