//! Enrollments, roles, states, completions, grades, certificates and the rest of what learners
//! have.

use chrono::NaiveDate;
use db::params;
use records::bookmarks;
use records::certificates::{self, GeneratedCertificate};
use records::cohorts::{self, CohortsSettings};
use records::completion;
use records::enrollment::{self, CourseEnrollment, CourseEnrollmentAllowed, Filter};
use records::goals::{self, CourseGoal};
use records::grades::{self, CourseGrade, SubsectionGrade, SubsectionGradeOverride};
use records::history::Author;
use records::preferences;
use records::roles;
use records::schedules::{self, Schedule};
use records::student_modules::{self, StudentModule, UserInfoField, UserStateSummaryField};

use crate::engines::{self, moment, unique};

/// lms-api.md §1.4, §11.1: one row a learner and course, each change in the history.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn enrollments_keep_their_history() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let (user, other) = (engines::user(db).await, engines::user(db).await);
        let (course, user_id, other_id) = (&course, user.id, other.id);
        let enrollment = db
            .write(|mut tx| async move {
                let author = Author::user(moment(1), user_id);
                let mut row = CourseEnrollment {
                    course_id: course.to_string(),
                    user_id,
                    mode: "audit".to_owned(),
                    created: Some(moment(1)),
                    ..CourseEnrollment::default()
                };
                enrollment::create(&mut tx, &mut row, &author).await?;
                row.is_active = true;
                enrollment::save(&mut tx, &row, &author).await?;
                let mut second = CourseEnrollment {
                    id: 0,
                    user_id: other_id,
                    created: Some(moment(2)),
                    ..row.clone()
                };
                enrollment::create(&mut tx, &mut second, &author).await?;
                roles::add(&mut tx, other_id, "Org", &course.to_string(), "staff").await?;
                let facts = [("credit".to_owned(), "id".to_owned(), "x".to_owned())];
                enrollment::set_attributes(&mut tx, row.id, &facts).await?;
                enrollment::set_attributes(&mut tx, row.id, &facts).await?;
                Ok::<_, db::Error>(row)
            })
            .await
            .unwrap();
        let found = enrollment::get(db, user.id, course).await.unwrap();
        assert_eq!(found.as_ref(), Some(&enrollment));
        let sql = "SELECT history_type, is_active, LENGTH(history_id) AS n \
                   FROM student_courseenrollment_history WHERE id = ? ORDER BY history_type";
        let rows = db.read(sql, &params![enrollment.id]).await.unwrap();
        let seen: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.text("history_type").unwrap(),
                    row.bool("is_active").unwrap(),
                )
            })
            .collect();
        let expected = [("+".to_owned(), false), ("~".to_owned(), true)];
        assert!(
            seen.len() == 2 && expected.iter().all(|one| seen.contains(one)),
            "{seen:?}"
        );
        assert_eq!(rows[0].int("n").unwrap(), 32);
        let again = db
            .write(|mut tx| async move {
                let mut row = CourseEnrollment {
                    course_id: course.to_string(),
                    user_id,
                    ..CourseEnrollment::default()
                };
                enrollment::create(&mut tx, &mut row, &Author::nobody(moment(1))).await
            })
            .await;
        assert!(again.unwrap_err().is_unique());
        let filter = Filter {
            course_ids: vec![course.to_string()],
            ..Filter::default()
        };
        let page = enrollment::list(db, &filter, None, 1).await.unwrap();
        assert_eq!(page[0].user_id, other.id, "newest first");
        let after = Some((page[0].created.unwrap(), page[0].id));
        let page = enrollment::list(db, &filter, after, 5).await.unwrap();
        assert_eq!(
            page.iter().map(|row| row.user_id).collect::<Vec<_>>(),
            [user.id]
        );
        assert_eq!(enrollment::count(db, &filter).await.unwrap(), 2);
        assert_eq!(
            enrollment::count_learners(db, course).await.unwrap(),
            1,
            "staff do not count"
        );
        let modes = enrollment::counts_by_mode(db, course).await.unwrap();
        assert_eq!(modes, [("audit".to_owned(), 2)]);
        let attributes = enrollment::attributes(db, &[enrollment.id]).await.unwrap();
        assert_eq!((attributes.len(), attributes[0].value.as_str()), (1, "x"));
        assert_eq!(enrollment::of_user(db, user.id).await.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn addresses_may_be_allowed_and_schedules_follow_enrollments() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let (course, user) = (&course, &user);
        db.write(|mut tx| async move {
            let mut allowed = CourseEnrollmentAllowed {
                email: user.email.clone(),
                course_id: course.to_string(),
                auto_enroll: true,
                created: Some(moment(0)),
                ..CourseEnrollmentAllowed::default()
            };
            enrollment::save_allowed(&mut tx, &allowed).await?;
            allowed.user_id = Some(user.id);
            enrollment::save_allowed(&mut tx, &allowed).await?;
            let author = Author::nobody(moment(0));
            let mut row = CourseEnrollment {
                course_id: course.to_string(),
                user_id: user.id,
                mode: "audit".to_owned(),
                ..CourseEnrollment::default()
            };
            enrollment::create(&mut tx, &mut row, &author).await?;
            for seconds in [1, 2] {
                let schedule = Schedule {
                    created: moment(seconds),
                    modified: moment(seconds),
                    active: true,
                    start_date: Some(moment(seconds)),
                    enrollment_id: row.id,
                    ..Schedule::default()
                };
                let id = schedules::save(&mut tx, &schedule, &author).await?;
                schedules::set_experience(&mut tx, id, 0).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let email = user.email.to_uppercase();
        let allowed = enrollment::allowed(db, &email, course)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(allowed.user_id, Some(user.id));
        let schedule = schedules::of_user(db, user.id, course)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (schedule.created, schedule.start_date),
            (moment(1), Some(moment(2)))
        );
        let sql = "SELECT COUNT(*) AS n FROM schedules_historicalschedule WHERE enrollment_id = ?";
        assert_eq!(
            db.read_int(sql, &params![schedule.enrollment_id])
                .await
                .unwrap(),
            2
        );
        let gone = db
            .write(|mut tx| async move {
                enrollment::delete_allowed(&mut tx, &user.email, course).await
            })
            .await;
        assert!(gone.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn roles_are_given_once_and_taken_away() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let (course, user_id) = (&course, user.id);
        let text = course.to_string();
        let text = &text;
        db.write(|mut tx| async move {
            for _ in 0..2 {
                roles::add(&mut tx, user_id, "Org", text, "instructor").await?;
                roles::add_forum_roles(&mut tx, user_id, course, &["Student", "Moderator"]).await?;
            }
            roles::add(&mut tx, user_id, "", "", "support").await?;
            roles::remove_forum_role(&mut tx, user_id, course, "Moderator").await
        })
        .await
        .unwrap();
        assert_eq!(roles::of_user(db, user.id).await.unwrap().len(), 2);
        assert_eq!(roles::of_course(db, course, None).await.unwrap().len(), 1);
        let members = roles::members(db, course, "instructor").await.unwrap();
        assert_eq!(members, std::slice::from_ref(&user));
        assert_eq!(
            roles::forum_roles(db, user.id, course).await.unwrap(),
            ["Student"]
        );
        assert_eq!(
            roles::forum_members(db, course, "Student").await.unwrap(),
            [user.id]
        );
        let removed = db
            .write(|mut tx| async move {
                let first = roles::remove(&mut tx, user_id, "Org", text, "instructor").await?;
                let second = roles::remove(&mut tx, user_id, "Org", text, "instructor").await?;
                Ok::<_, db::Error>((first, second))
            })
            .await;
        assert_eq!(removed.unwrap(), (true, false));
    }
}

/// courseware.md §4, §17 check 25: one row a learner and block; history of problems as asked for;
/// the states of a page in one statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn states_are_saved_once_and_read_together() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let usages: Vec<_> = (0..40)
            .map(|index| {
                course
                    .make_usage_key("problem", &format!("p{index}"))
                    .unwrap()
            })
            .collect();
        let (usages, user_id) = (&usages, user.id);
        db.write(|mut tx| async move {
            for usage in usages {
                let mut module = StudentModule::new(user_id, usage, moment(0));
                module.state = Some("{\"seed\": 1}".to_owned());
                let first = student_modules::save(&mut tx, &module, true).await?;
                // Another request that had not seen the row either.
                module.grade = Some(0.5);
                module.max_grade = Some(1.0);
                module.created = moment(9);
                module.modified = moment(9);
                let second = student_modules::save(&mut tx, &module, false).await?;
                assert_eq!(first, second);
                let stored = student_modules::get_locked(&mut tx, user_id, usage)
                    .await?
                    .unwrap();
                let stored = StudentModule {
                    state: Some("{\"text\": \"🦉\"}".to_owned()),
                    ..stored
                };
                student_modules::save(&mut tx, &stored, true).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let ids: Vec<String> = usages.iter().map(ToString::to_string).collect();
        let (modules, counts) =
            db::counting(student_modules::get_many(db, user.id, &course, &ids)).await;
        let modules = modules.unwrap();
        assert_eq!((modules.len(), counts.reads), (40, 1));
        let module = &modules[0];
        assert_eq!((module.created, module.modified), (moment(0), moment(9)));
        assert_eq!(module.state.as_deref(), Some("{\"text\": \"🦉\"}"));
        assert_eq!((module.grade, module.done.as_str()), (Some(0.5), "na"));
        let history = student_modules::history(db, module.id).await.unwrap();
        let grades: Vec<_> = history.iter().map(|row| row.grade).collect();
        assert_eq!(grades, [Some(0.5), None]);
        assert_eq!(
            student_modules::of_course(db, user.id, &course)
                .await
                .unwrap()
                .len(),
            40
        );
        assert_eq!(
            student_modules::of_block(db, &usages[3], 0, 9)
                .await
                .unwrap()
                .len(),
            1
        );
        let last = student_modules::last_modified(db, &course, user.id)
            .await
            .unwrap();
        assert_eq!(last, Some(moment(9)));
        let id = module.id;
        db.write(|mut tx| async move { student_modules::delete(&mut tx, id).await })
            .await
            .unwrap();
        assert!(student_modules::history(db, id).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_other_user_scopes_keep_one_value_each() {
    for engine in engines::all().await {
        let db = &engine.db;
        let user = engines::user(db).await;
        let usage = engines::course()
            .make_usage_key("poll", "p")
            .unwrap()
            .to_string();
        let (usage, user_id) = (&usage, user.id);
        db.write(|mut tx| async move {
            for value in ["1", "\"🦉\""] {
                let row = UserStateSummaryField {
                    field_name: "votes".to_owned(),
                    value: value.to_owned(),
                    usage_id: usage.clone(),
                    ..UserStateSummaryField::default()
                };
                student_modules::save_summary(&mut tx, &row).await?;
                let row = UserInfoField {
                    field_name: "speed".to_owned(),
                    value: value.to_owned(),
                    student_id: user_id,
                    ..UserInfoField::default()
                };
                student_modules::save_user_info(&mut tx, &row).await?;
                preferences::set(&mut tx, user_id, "pref-lang", value).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let summaries = student_modules::summaries(db, std::slice::from_ref(usage))
            .await
            .unwrap();
        assert_eq!(
            summaries
                .iter()
                .map(|row| row.value.as_str())
                .collect::<Vec<_>>(),
            ["\"🦉\""]
        );
        assert_eq!(
            student_modules::user_info(db, user.id).await.unwrap().len(),
            1
        );
        let value = preferences::get(db, user.id, "pref-lang").await.unwrap();
        assert_eq!(value.as_deref(), Some("\"🦉\""));
        assert_eq!(preferences::all(db, user.id).await.unwrap().len(), 1);
        let gone = db
            .write(|mut tx| async move { preferences::delete(&mut tx, user_id, "pref-lang").await })
            .await;
        assert!(gone.unwrap());
    }
}

/// courseware.md §5: an equal resubmission does not touch `modified`.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn completions_change_only_with_their_value() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let block = |name: &str| course.make_usage_key("html", name).unwrap();
        let (a, b) = (block("a"), block("b"));
        let (a, b, course, user_id) = (&a, &b, &course, user.id);
        let mut written = Vec::new();
        for (seconds, first) in [(1, 0.5), (2, 0.5), (3, 1.0)] {
            let done = db
                .write(|mut tx| async move {
                    let blocks = [(a.clone(), first), (b.clone(), 1.0)];
                    completion::submit(&mut tx, user_id, course, &blocks, moment(seconds)).await
                })
                .await;
            written.push(done.unwrap());
        }
        assert_eq!(written, [2, 0, 1]);
        let latest = completion::latest(db, user.id, course, false)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (latest.block_key, latest.created),
            (a.to_string(), moment(1))
        );
        assert_eq!(latest.modified, moment(3));
        assert_eq!(
            completion::of_course(db, user.id, course)
                .await
                .unwrap()
                .len(),
            2
        );
        db.write(|mut tx| async move { completion::delete(&mut tx, user_id, a).await })
            .await
            .unwrap();
        let latest = completion::latest(db, user.id, course, true)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(latest.block_key, b.to_string());
    }
}

/// lms-api.md §11.3: a learner is in one cohort of a course; both tables agree.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_learner_is_in_one_cohort() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let (course, user_id) = (&course, user.id);
        let (one, two) = db
            .write(|mut tx| async move {
                let settings = CohortsSettings {
                    is_cohorted: true,
                    course_id: course.to_string(),
                    ..CohortsSettings::default()
                };
                cohorts::save_settings(&mut tx, &settings).await?;
                let one = cohorts::create(&mut tx, course, "One", "random").await?;
                let two = cohorts::create(&mut tx, course, "Two", "manual").await?;
                cohorts::link(&mut tx, two, Some((50, 1)), moment(0)).await?;
                assert_eq!(
                    cohorts::add_user(&mut tx, one, user_id, course).await?,
                    None
                );
                assert_eq!(
                    cohorts::add_user(&mut tx, two, user_id, course).await?,
                    Some(one)
                );
                cohorts::assign_address(&mut tx, course, "new@example.com", one).await?;
                Ok::<_, db::Error>((one, two))
            })
            .await
            .unwrap();
        assert!(
            cohorts::settings(db, course)
                .await
                .unwrap()
                .unwrap()
                .is_cohorted
        );
        let found = cohorts::of_course(db, course).await.unwrap();
        assert_eq!(
            found.iter().map(|one| one.user_count).collect::<Vec<_>>(),
            [0, 1]
        );
        assert_eq!(found[1].content_group, Some((50, 1)));
        let mine = cohorts::of_user(db, user.id, course).await.unwrap();
        assert_eq!(mine, Some((two, "Two".to_owned(), Some((50, 1)))));
        assert_eq!(cohorts::members(db, two).await.unwrap(), [user.id]);
        let taken = db
            .write(|mut tx| async move {
                cohorts::link(&mut tx, two, None, moment(0)).await?;
                cohorts::remove_user(&mut tx, user_id, course).await?;
                let first = cohorts::take_assigned(&mut tx, course, "new@example.com").await?;
                let second = cohorts::take_assigned(&mut tx, course, "new@example.com").await?;
                Ok::<_, db::Error>((first, second))
            })
            .await;
        assert_eq!(taken.unwrap(), (Some(one), None));
        assert!(cohorts::members(db, two).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bookmarks_come_newest_first() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let usages: Vec<_> = (0..3)
            .map(|index| {
                course
                    .make_usage_key("vertical", &format!("v{index}"))
                    .unwrap()
            })
            .collect();
        let (usages, course, user_id) = (&usages, &course, user.id);
        let new = db
            .write(|mut tx| async move {
                let mut new = Vec::new();
                for (index, usage) in usages.iter().chain(&usages[..1]).enumerate() {
                    let now = moment(index as u32);
                    let name = format!("Unit {index} 🦉");
                    new.push(
                        bookmarks::add(&mut tx, user_id, usage, &name, "[]", "[]", now).await?,
                    );
                }
                Ok::<_, db::Error>(new)
            })
            .await;
        assert_eq!(new.unwrap(), [true, true, true, false]);
        let page = bookmarks::list(db, user.id, Some(course), 1, 5)
            .await
            .unwrap();
        let names: Vec<_> = page.iter().map(|kept| kept.display_name.as_str()).collect();
        assert_eq!(names, ["Unit 1 🦉", "Unit 3 🦉"]);
        assert_eq!(bookmarks::count(db, user.id, None).await.unwrap(), 3);
        assert_eq!(
            bookmarks::usage_keys(db, user.id, course)
                .await
                .unwrap()
                .len(),
            3
        );
        assert!(
            bookmarks::get(db, user.id, &usages[0])
                .await
                .unwrap()
                .is_some()
        );
        let gone = db
            .write(|mut tx| async move { bookmarks::delete(&mut tx, user_id, &usages[0]).await })
            .await;
        assert!(gone.unwrap());
    }
}

/// async-and-events.md: the first time of passing and of attempting stay; overrides keep history.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn grades_remember_the_first_time() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let (course, user_id) = (&course, user.id);
        let usage = course
            .make_usage_key("sequential", "s")
            .unwrap()
            .to_string();
        let usage = &usage;
        db.write(|mut tx| async move {
            let blocks = grades::VisibleBlocks {
                blocks_json: "[]".to_owned(),
                hashed: usage.clone(),
                course_id: course.to_string(),
                ..grades::VisibleBlocks::default()
            };
            grades::save_visible_blocks(&mut tx, &blocks).await?;
            grades::save_visible_blocks(&mut tx, &blocks).await?;
            for seconds in [1, 2] {
                let grade = CourseGrade {
                    user_id,
                    course_id: course.to_string(),
                    percent_grade: f64::from(seconds) / 10.0,
                    letter_grade: "Pass".to_owned(),
                    passed_timestamp: Some(moment(seconds)),
                    created: moment(seconds),
                    modified: moment(seconds),
                    ..CourseGrade::default()
                };
                grades::save_course_grade(&mut tx, &grade).await?;
                let grade = SubsectionGrade {
                    user_id,
                    course_id: course.to_string(),
                    usage_key: usage.clone(),
                    earned_all: f64::from(seconds),
                    first_attempted: Some(moment(seconds)),
                    visible_blocks_hash: usage.clone(),
                    created: moment(seconds),
                    modified: moment(seconds),
                    ..SubsectionGrade::default()
                };
                let grade_id = grades::save_subsection_grade(&mut tx, &grade).await?;
                let row = SubsectionGradeOverride {
                    grade_id,
                    earned_all_override: Some(f64::from(seconds)),
                    created: moment(seconds),
                    modified: moment(seconds),
                    ..SubsectionGradeOverride::default()
                };
                let author = Author::user(moment(seconds), user_id);
                grades::save_override(&mut tx, &row, &author).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let grade = grades::course_grade(db, user.id, course)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (grade.percent_grade, grade.passed_timestamp),
            (0.2, Some(moment(1)))
        );
        let found = grades::subsection_grades(db, user.id, course)
            .await
            .unwrap();
        assert_eq!((found.len(), found[0].earned_all), (1, 2.0));
        assert_eq!(
            (found[0].created, found[0].first_attempted),
            (moment(1), Some(moment(1)))
        );
        let overrides = grades::overrides(db, user.id, course).await.unwrap();
        assert_eq!(
            (overrides.len(), overrides[0].1.earned_all_override),
            (1, Some(2.0))
        );
        let id = found[0].id;
        let gone = db
            .write(|mut tx| async move {
                grades::delete_override(&mut tx, id, &Author::nobody(moment(3))).await
            })
            .await;
        assert!(gone.unwrap());
        let sql = "SELECT COUNT(*) AS n FROM grades_historicalpersistentsubsectiongradeoverride \
                   WHERE grade_id = ?";
        assert_eq!(db.read_int(sql, &params![id]).await.unwrap(), 3);
    }
}

/// lms-api.md §12 check 34: a second run keeps the uuid and adds history.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn certificates_keep_their_uuid() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let (course, user_id) = (&course, user.id);
        for uuid in ["a", "b"] {
            let uuid = uuid.repeat(32);
            let uuid = &uuid;
            db.write(|mut tx| async move {
                let row = GeneratedCertificate {
                    course_id: course.to_string(),
                    verify_uuid: uuid.clone(),
                    status: "downloadable".to_owned(),
                    name: "Ada 🦉".to_owned(),
                    user_id,
                    ..GeneratedCertificate::default()
                };
                certificates::save(&mut tx, &row, &Author::nobody(moment(0))).await
            })
            .await
            .unwrap();
        }
        let found = certificates::get(db, user.id, course)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.verify_uuid, "a".repeat(32));
        assert_eq!(
            certificates::of_user(db, user.id).await.unwrap(),
            std::slice::from_ref(&found)
        );
        let sql = "SELECT COUNT(*) AS n FROM certificates_historicalgeneratedcertificate \
                   WHERE id = ?";
        assert_eq!(db.read_int(sql, &params![found.id]).await.unwrap(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn goals_and_days_are_noted_once() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let day = NaiveDate::from_ymd_opt(2026, 3, 4).unwrap();
        let token = unique("token");
        let (course, user_id, token) = (&course, user.id, &token);
        db.write(|mut tx| async move {
            for days_per_week in [3, 5] {
                let goal = CourseGoal {
                    course_key: course.to_string(),
                    user_id,
                    days_per_week,
                    unsubscribe_token: (days_per_week == 3).then(|| token.clone()),
                    ..CourseGoal::default()
                };
                goals::save(&mut tx, &goal, &Author::user(moment(0), user_id)).await?;
                goals::note_activity(&mut tx, user_id, course, day).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let goal = goals::get(db, user.id, course).await.unwrap().unwrap();
        assert_eq!(goal.days_per_week, 5);
        assert_eq!(goal.unsubscribe_token.as_ref(), Some(token));
        assert_eq!(
            goals::activity(db, user.id, course, day).await.unwrap(),
            [day]
        );
    }
}
