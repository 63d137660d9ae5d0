//! Overviews, modes, outlines, dates, videos, toggles and configuration.

use db::params;
use records::config;
use records::course_modes::{self, CourseMode};
use records::course_overviews::{self, CourseOverview, CourseOverviewTab, Filter};
use records::dates::{self, NewDate, UserDate};
use records::history::Author;
use records::learning_sequences::{self, Outline, Section, Sequence};
use records::organizations::{self, Organization};
use records::videos::{self, EncodedVideo, Video, VideoTranscript};
use records::waffle::{self, CourseOverride, OrgOverride, Toggles, Who};

use crate::engines::{self, moment, unique};

/// courseware.md §2.5: an overview is rebuilt on each publish and keeps when it was made.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn overviews_are_rebuilt_and_listed() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let org = unique("Org");
        let overview = CourseOverview {
            id: course.to_string(),
            location: "loc".to_owned(),
            display_name: Some("Café 🦉".to_owned()),
            org: org.clone(),
            start: Some(moment(0)),
            end: Some(moment(100)),
            lowest_passing_grade: Some(0.5),
            mobile_available: true,
            created: moment(1),
            modified: moment(1),
            ..CourseOverview::default()
        };
        let (overview, course) = (&overview, &course);
        db.write(|mut tx| async move {
            let author = Author::nobody(moment(1));
            course_overviews::save(&mut tx, overview, &author).await?;
            let later = CourseOverview {
                created: moment(9),
                modified: moment(9),
                version: 2,
                ..overview.clone()
            };
            course_overviews::save(&mut tx, &later, &author).await?;
            for name in ["a", "b"] {
                let tab = CourseOverviewTab {
                    tab_id: name.to_owned(),
                    kind: Some("wiki".to_owned()),
                    ..CourseOverviewTab::default()
                };
                course_overviews::replace_tabs(&mut tx, course, &[tab.clone(), tab]).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let expected = CourseOverview {
            modified: moment(9),
            version: 2,
            ..overview.clone()
        };
        assert_eq!(
            course_overviews::get(db, course).await.unwrap(),
            Some(expected.clone())
        );
        let list = |filter: Filter<'static>, org: String| async move {
            let filter = Filter {
                org: Some(&org),
                ..filter
            };
            course_overviews::list(db, &filter).await.unwrap().len()
        };
        assert_eq!(list(Filter::default(), org.to_uppercase()).await, 1);
        let active = Filter {
            active_at: Some(moment(101)),
            ..Filter::default()
        };
        assert_eq!(list(active, org.clone()).await, 0);
        let mobile = Filter {
            mobile_available: Some(false),
            ..Filter::default()
        };
        assert_eq!(list(mobile, org.clone()).await, 0);
        let tabs = course_overviews::tabs(db, course).await.unwrap();
        assert_eq!(
            tabs.iter()
                .map(|tab| tab.tab_id.as_str())
                .collect::<Vec<_>>(),
            ["b", "b"]
        );
        let sql = "SELECT COUNT(*) AS n FROM course_overviews_historicalcourseoverview \
                   WHERE id = ?";
        assert_eq!(
            db.read_int(sql, &params![course.to_string()])
                .await
                .unwrap(),
            2
        );
        db.write(|mut tx| async move {
            course_overviews::delete(&mut tx, course, &Author::nobody(moment(9))).await
        })
        .await
        .unwrap();
        assert_eq!(course_overviews::get(db, course).await.unwrap(), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn modes_are_unique_in_a_course() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let course = &course;
        let result = db
            .write(|mut tx| async move {
                let author = Author::nobody(moment(0));
                let mut mode = CourseMode {
                    course_id: course.to_string(),
                    mode_slug: "verified".to_owned(),
                    mode_display_name: "Verified".to_owned(),
                    currency: "usd".to_owned(),
                    min_price: 49,
                    ..CourseMode::default()
                };
                course_modes::create(&mut tx, &mut mode, &author).await?;
                mode.sku = Some("S1".to_owned());
                course_modes::save(&mut tx, &mode, &author).await?;
                Ok::<_, db::Error>(mode)
            })
            .await
            .unwrap();
        let found = course_modes::of_course(db, course).await.unwrap();
        assert_eq!(found, [result]);
        let copy = &found[0];
        let again = db
            .write(|mut tx| async move {
                let mut mode = CourseMode {
                    id: 0,
                    ..copy.clone()
                };
                course_modes::create(&mut tx, &mut mode, &Author::nobody(moment(0))).await
            })
            .await;
        assert!(again.unwrap_err().is_unique());
        assert!(
            course_modes::get(db, course, "honor")
                .await
                .unwrap()
                .is_none()
        );
    }
}

fn sequence(name: &str) -> Sequence {
    Sequence {
        usage_key: format!("block-v1:O+C+R+type@sequential+block@{name}"),
        title: format!("{name} 🦉"),
        user_partition_groups: vec![(50, 1), (50, 2)],
        exam: (name == "exam").then_some((false, true, true)),
        ..Sequence::default()
    }
}

/// courseware.md §8.3: the outline in tables is what was published, in its order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn outlines_come_back_as_they_were_stored() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let course = &course;
        let mut outline = Outline {
            title: "Course".to_owned(),
            published_at: moment(0),
            published_version: "5".repeat(24),
            course_visibility: "private".to_owned(),
            sections: vec![
                Section {
                    usage_key: "block-v1:O+C+R+type@chapter+block@one".to_owned(),
                    title: "One".to_owned(),
                    sequences: vec![sequence("a"), sequence("exam")],
                    ..Section::default()
                },
                Section {
                    usage_key: "block-v1:O+C+R+type@chapter+block@two".to_owned(),
                    title: "Two".to_owned(),
                    visible_to_staff_only: true,
                    user_partition_groups: vec![(50, 2)],
                    sequences: vec![sequence("b")],
                    ..Section::default()
                },
            ],
            errors: vec![(None, "Something is odd".to_owned())],
            ..Outline::default()
        };
        for step in 0..2 {
            let stored = &outline;
            db.write(|mut tx| async move {
                learning_sequences::replace(&mut tx, course, stored, moment(step)).await
            })
            .await
            .unwrap();
            let found = learning_sequences::get(db, course).await.unwrap();
            assert_eq!(found.as_ref(), Some(stored));
            // A sequence moves, one goes, one comes.
            let moved = outline.sections[0].sequences.remove(0);
            outline.sections[1].sequences = vec![sequence("new"), moved];
            outline.sections.reverse();
            outline.errors.clear();
        }
        let none = learning_sequences::get(db, &engines::course())
            .await
            .unwrap();
        assert!(none.is_none());
    }
}

/// courseware.md §6: policies are shared, what is not published any more becomes inactive, and a
/// learner's newest own date counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dates_are_reused_and_learners_have_their_own() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let user = engines::user(db).await;
        let date = |name: &str, field: &str, rel_date: Option<i64>| NewDate {
            location: course
                .make_usage_key("sequential", name)
                .unwrap()
                .to_string(),
            field: field.to_owned(),
            block_type: Some("sequential".to_owned()),
            abs_date: rel_date.is_none().then(|| moment(7)),
            rel_date,
        };
        let first = [
            date("a", "due", None),
            date("b", "due", None),
            date("a", "start", Some(60)),
        ];
        let second = [date("a", "due", Some(60)), date("c", "due", None)];
        let (first, second, course) = (&first, &second, &course);
        db.write(|mut tx| async move { dates::replace(&mut tx, course, first, moment(0)).await })
            .await
            .unwrap();
        let before = dates::of_course(db, course).await.unwrap();
        assert_eq!(before.len(), 3);
        assert_eq!(before[0].abs_date, Some(moment(7)));
        db.write(|mut tx| async move { dates::replace(&mut tx, course, second, moment(1)).await })
            .await
            .unwrap();
        let after = dates::of_course(db, course).await.unwrap();
        assert_eq!(after.len(), 2);
        assert_eq!(after[0].content_date_id, before[0].content_date_id);
        assert_eq!((after[0].abs_date, after[0].rel_date), (None, Some(60)));
        let (id, user_id) = (after[0].content_date_id, user.id);
        db.write(|mut tx| async move {
            for seconds in [10, 20] {
                let own = UserDate {
                    created: moment(seconds),
                    modified: moment(seconds),
                    abs_date: Some(moment(seconds)),
                    user_id,
                    content_date_id: id,
                    ..UserDate::default()
                };
                dates::add_user_date(&mut tx, &own).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let own = dates::of_user(db, user.id, course).await.unwrap();
        assert_eq!(
            own.iter().map(|row| row.abs_date).collect::<Vec<_>>(),
            [Some(moment(20))]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn videos_come_with_encodings_and_transcripts() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let name = unique("video");
        let (course, name) = (&course, &name);
        db.write(|mut tx| async move {
            let video = Video {
                created: moment(0),
                edx_video_id: name.clone(),
                client_video_id: "Film 🦉".to_owned(),
                duration: 12.5,
                status: "external".to_owned(),
                ..Video::default()
            };
            let id = videos::save(&mut tx, &video).await?;
            assert_eq!(videos::save(&mut tx, &video).await?, id);
            let file = EncodedVideo {
                url: "https://example.com/a.mp4".to_owned(),
                created: moment(0),
                modified: moment(0),
                ..EncodedVideo::default()
            };
            let files = [("hls".to_owned(), file.clone()), (unique("profile"), file)];
            videos::replace_encodings(&mut tx, id, &files).await?;
            videos::add_to_course(&mut tx, id, course, false).await?;
            videos::add_to_course(&mut tx, id, course, false).await?;
            for path in ["one", "two"] {
                let transcript = VideoTranscript {
                    created: moment(0),
                    modified: moment(0),
                    transcript: Some(path.to_owned()),
                    language_code: "en".to_owned(),
                    video_id: Some(id),
                    ..VideoTranscript::default()
                };
                videos::save_transcript(&mut tx, &transcript).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let ids = [name.clone()];
        assert_eq!(
            videos::of_course(db, course).await.unwrap()[0].duration,
            12.5
        );
        let encodings = videos::encodings(db, &ids).await.unwrap();
        assert_eq!((encodings.len(), encodings[0].profile.as_str()), (2, "hls"));
        let transcripts = videos::transcripts(db, &ids).await.unwrap();
        assert_eq!(transcripts.len(), 1);
        assert_eq!(transcripts[0].transcript.transcript.as_deref(), Some("two"));
        let deleted = db
            .write(|mut tx| async move { videos::delete_transcript(&mut tx, name, "en").await })
            .await;
        assert!(deleted.unwrap());
    }
}

/// A course's override beats the organisation's, which beats the flag; the newest row counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn toggles_are_read_in_one_statement() {
    for engine in engines::all().await {
        let db = &engine.db;
        let (flag, switch) = (unique("x.flag"), unique("x.switch"));
        let course = engines::course();
        let org = unique("Org");
        let (flag, switch, org) = (&flag, &switch, &org);
        let text = course.to_string();
        let text = &text;
        let set = |everyone: Option<bool>, course: Option<(&'static str, bool)>, on: bool| async move {
            db.write(|mut tx| async move {
                waffle::set_flag(&mut tx, flag, everyone, moment(0)).await?;
                waffle::set_switch(&mut tx, switch, on, moment(0)).await?;
                let org = OrgOverride {
                    change_date: moment(0),
                    enabled: on,
                    waffle_flag: flag.clone(),
                    org: org.clone(),
                    override_choice: "on".to_owned(),
                    ..OrgOverride::default()
                };
                waffle::override_in_org(&mut tx, &org).await?;
                if let Some((choice, enabled)) = course {
                    let row = CourseOverride {
                        change_date: moment(0),
                        enabled,
                        waffle_flag: flag.clone(),
                        course_id: text.clone(),
                        override_choice: choice.to_owned(),
                        ..CourseOverride::default()
                    };
                    waffle::override_in_course(&mut tx, &row).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await
            .unwrap();
            let (toggles, counts) = db::counting(Toggles::load(db)).await;
            assert_eq!(counts.reads, 1);
            toggles.unwrap()
        };
        let nobody = Who::default();
        let root = Who {
            user_id: Some(1),
            is_superuser: true,
            ..Who::default()
        };
        let toggles = set(None, None, false).await;
        assert!(!toggles.switch(switch) && !toggles.flag(flag, &nobody));
        assert!(
            toggles.flag(flag, &root),
            "flags are made with superusers on"
        );
        assert!(!toggles.course_flag(flag, text, org, &nobody));
        let toggles = set(Some(false), None, true).await;
        assert!(toggles.switch(switch) && !toggles.flag(flag, &root));
        assert!(toggles.course_flag(flag, text, org, &nobody));
        assert!(!toggles.course_flag(flag, text, "other", &nobody));
        let toggles = set(Some(true), Some(("off", true)), true).await;
        assert!(!toggles.course_flag(flag, text, org, &nobody));
        assert!(toggles.course_flag(flag, "course-v1:A+B+C", "A", &nobody));
        let toggles = set(Some(false), Some(("off", false)), true).await;
        assert!(
            toggles.course_flag(flag, text, org, &nobody),
            "the override was taken back"
        );
    }
}

/// lms-api.md §11: the newest row of a configuration table is the effective one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_newest_configuration_counts() {
    for engine in engines::all().await {
        let db = &engine.db;
        let table = "courseware_coursedynamicupgradedeadlineconfiguration";
        let course = engines::course().to_string();
        for (seconds, enabled) in [(1, false), (9, true), (5, false)] {
            let sql = db.dialect().insert(
                table,
                &[
                    "change_date",
                    "enabled",
                    "course_id",
                    "deadline_days",
                    "opt_out",
                ],
            );
            let params = params![moment(seconds), enabled, &course, seconds, false];
            db.execute(&sql, &params).await.unwrap();
        }
        let key = [("course_id", db::Value::from(&course))];
        let row = config::current(db, table, &key).await.unwrap().unwrap();
        assert_eq!(row.int("deadline_days").unwrap(), 9);
        assert!(config::enabled(db, table, &key).await.unwrap());
        let other = [("course_id", db::Value::from("course-v1:none+none+none"))];
        assert!(!config::enabled(db, table, &other).await.unwrap());
        assert_eq!(
            config::site(db, 1).await.unwrap().unwrap().domain,
            "example.com"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn organisations_have_courses() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let name = unique("MITx");
        let (course, name) = (&course, &name);
        db.write(|mut tx| async move {
            let organization = Organization {
                name: "MIT 🦉".to_owned(),
                short_name: name.clone(),
                active: true,
                created: moment(0),
                modified: moment(0),
                ..Organization::default()
            };
            let id = organizations::save(&mut tx, &organization).await?;
            assert_eq!(organizations::save(&mut tx, &organization).await?, id);
            organizations::add_course(&mut tx, id, course, moment(0)).await
        })
        .await
        .unwrap();
        assert_eq!(
            organizations::of_course(db, course).await.unwrap()[0].name,
            "MIT 🦉"
        );
        assert!(
            organizations::get(db, &name.to_lowercase())
                .await
                .unwrap()
                .is_some()
        );
    }
}
