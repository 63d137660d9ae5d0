//! The course index and the outbox.

use chrono::TimeDelta;
use db::params;
use opaque_keys::CourseKey;
use records::outbox;
use records::split_index::{self, CourseIndexRow, Moved};

use crate::engines::{self, moment, unique};

fn index(course: &CourseKey) -> CourseIndexRow {
    CourseIndexRow {
        objectid: unique("5000000000000000000000")
            .chars()
            .rev()
            .take(24)
            .collect(),
        course_id: course.to_string(),
        org: course.org().to_owned(),
        draft_version: "d1".to_owned(),
        published_version: "p1".to_owned(),
        base_store: "mongodb".to_owned(),
        edited_on: moment(0),
        last_update: moment(0),
        ..CourseIndexRow::default()
    }
}

/// courseware.md §2.1: the last update is a lock, and every change leaves a history row.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_index_moves_only_from_the_state_that_was_read() {
    for engine in engines::all().await {
        let db = &engine.db;
        let course = engines::course();
        let first = index(&course);
        let (first, course) = (&first, course.to_string());
        let course = course.as_str();
        let id = db
            .write(|mut tx| async move { split_index::insert(&mut tx, first).await })
            .await
            .unwrap();
        let moved = CourseIndexRow {
            draft_version: "d2".to_owned(),
            published_version: "p2".to_owned(),
            last_update: moment(5),
            ..first.clone()
        };
        let stale = CourseIndexRow {
            last_update: moment(1),
            ..first.clone()
        };
        let (moved, stale) = (&moved, &stale);
        let mut written = Vec::new();
        for from in [stale, first, first, moved] {
            let done = db
                .write(|mut tx| async move { split_index::update(&mut tx, from, moved).await })
                .await;
            written.push(done.unwrap());
        }
        assert_eq!(
            written,
            [Moved::Stale, Moved::Yes, Moved::Stale, Moved::Yes]
        );
        let found = split_index::find(db, course).await.unwrap().unwrap();
        assert_eq!(
            found,
            CourseIndexRow {
                id,
                ..moved.clone()
            }
        );
        let folded = course.replace("Run", "rUN");
        assert!(split_index::find(db, &folded).await.unwrap().is_none());
        assert_eq!(
            split_index::find_ignoring_case(db, &folded)
                .await
                .unwrap()
                .as_deref(),
            Some(course)
        );
        assert_eq!(
            split_index::find_many(db, &[course.to_owned()])
                .await
                .unwrap(),
            [found]
        );
        db.write(|mut tx| async move { split_index::delete(&mut tx, course).await })
            .await
            .unwrap();
        let sql = "SELECT history_type, history_change_reason \
                   FROM split_modulestore_django_historicalsplitmodulestorecourseindex \
                   WHERE course_id = ? ORDER BY history_id";
        let rows = db.read(sql, &params![course]).await.unwrap();
        let seen: Vec<_> = rows
            .iter()
            .map(|row| {
                let reason = row.opt_text("history_change_reason").unwrap();
                (
                    row.text("history_type").unwrap(),
                    reason.unwrap_or_default(),
                )
            })
            .collect();
        let expected = [
            ("+", ""),
            ("~", "Updated draft and published branch"),
            ("~", ""),
            ("-", ""),
        ];
        assert_eq!(
            seen,
            expected.map(|(kind, reason)| (kind.to_owned(), reason.to_owned()))
        );
    }
}

/// design.md: what must follow a commit goes through the outbox.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_come_once_to_one_worker_and_again_when_it_dies() {
    for engine in engines::all().await {
        let db = &engine.db;
        let topic = unique("topic");
        let topic = topic.as_str();
        db.write(|mut tx| async move {
            for index in 0..6_u32 {
                let payload = serde_json::json!({ "n": index, "text": "🦉" });
                let due = moment(index * 10);
                outbox::put(&mut tx, topic, "k", &payload, moment(0), due).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await
        .unwrap();
        let lease = TimeDelta::seconds(30);
        let claim = |now, limit| outbox::claim(db, std::slice::from_ref(&topic), now, lease, limit);
        let (one, two) = tokio::join!(claim(moment(20), 2), claim(moment(20), 2));
        let (one, two) = (one.unwrap(), two.unwrap());
        let mut ids: Vec<i64> = one.iter().chain(&two).map(|event| event.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert!(
            ids.len() == one.len() + two.len() && ids.len() <= 3,
            "{ids:?}"
        );
        let mut first = ids;
        first.extend(
            claim(moment(20), 9)
                .await
                .unwrap()
                .iter()
                .map(|event| event.id),
        );
        assert_eq!(first.len(), 3, "due are those of 0, 10 and 20 s");
        assert!(claim(moment(25), 9).await.unwrap().is_empty());
        let (done, failed) = (first[0], first[1]);
        db.write(|mut tx| async move {
            outbox::done(&mut tx, done, moment(21)).await?;
            outbox::failed(&mut tx, failed, "no answer", moment(22)).await
        })
        .await
        .unwrap();
        // The failed one is due again; the third comes when its worker's lease is over.
        let again = claim(moment(23), 9).await.unwrap();
        assert_eq!(again.len(), 1);
        assert_eq!((again[0].id, again[0].attempts), (failed, 2));
        assert_eq!(again[0].error.as_deref(), Some("no answer"));
        assert_eq!(claim(moment(60), 9).await.unwrap().len(), 5);
        let pruned = db
            .write(|mut tx| async move { outbox::prune(&mut tx, moment(30)).await })
            .await;
        assert!(pruned.unwrap() >= 1);
    }
}
