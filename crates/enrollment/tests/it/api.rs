//! contracts/lms-api.md §1.1 to §1.3.

use enrollment::access::Policy;
use enrollment::api::{self, Answer, Caller};
use opaque_keys::CourseKey;
use records::users::User;
use serde_json::{Value, json};

use crate::engines::{self, now};

async fn post(db: &db::Db, caller: &User, body: Value) -> Answer {
    let caller = Caller {
        user: Some(caller),
        has_api_key: false,
    };
    api::post(db, caller, &body, Policy::default(), now())
        .await
        .unwrap()
}

fn message(answer: &Answer) -> (u16, &str) {
    let body = answer.body.as_ref();
    (
        answer.status,
        body.and_then(|b| b["message"].as_str()).unwrap_or_default(),
    )
}

/// The table of §1.3, in its order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn refusals() {
    for engine in engines::all().await {
        let db = &engine.db;
        let learner = engines::user(db, false).await;
        let other = engines::user(db, false).await;
        let staff = engines::user(db, true).await;
        let course = engines::course(db, &["audit", "honor"], |_| ()).await;
        let details = json!({ "course_id": course.to_string() });
        let answer = post(db, &learner, json!({ "user": "x" })).await;
        assert_eq!(
            message(&answer),
            (
                400,
                "Course ID must be specified to create a new enrollment."
            )
        );
        let answer = post(
            db,
            &learner,
            json!({ "course_details": { "course_id": "x" } }),
        )
        .await;
        assert_eq!(
            message(&answer),
            (400, "No course 'x' found for enrollment")
        );
        let body = json!({ "user": other.username, "course_details": details });
        assert_eq!(
            post(db, &learner, body).await,
            Answer {
                status: 404,
                body: None
            }
        );
        let body = json!({ "email": other.email, "course_details": details });
        assert_eq!(post(db, &learner, body).await.status, 404);
        let body = json!({ "email": "nobody@x.y", "course_details": details });
        assert_eq!(
            message(&post(db, &staff, body).await),
            (
                406,
                "The user with the email address nobody@x.y does not exist."
            )
        );
        let body = json!({ "mode": "verified", "course_details": details });
        assert_eq!(
            message(&post(db, &learner, body).await),
            (
                403,
                "User does not have permission to create enrollment with mode [verified]."
            )
        );
        let body = json!({ "user": "nobody", "course_details": details });
        assert_eq!(
            message(&post(db, &staff, body).await),
            (406, "The user nobody does not exist.")
        );
        let body = json!({ "is_active": "x", "course_details": details });
        assert_eq!(
            message(&post(db, &learner, body).await),
            (400, "'x' is an invalid enrollment activation status.")
        );
        let missing = "course-v1:No+Such+Course";
        let body = json!({ "course_details": { "course_id": missing } });
        assert_eq!(
            message(&post(db, &learner, body).await),
            (
                400,
                "No course 'course-v1:No+Such+Course' found for enrollment"
            )
        );
        let body = json!({ "user": learner.username, "mode": "bogus", "course_details": details });
        let answer = post(db, &staff, body).await;
        assert_eq!(answer.status, 400);
        let body = answer.body.unwrap();
        assert_eq!(
            body["message"],
            format!(
                "The [bogus] course mode is expired or otherwise unavailable for course run [{course}]."
            )
        );
        assert_eq!(body["course_details"]["course_modes"][1]["slug"], "honor");
        let shut = engines::course(db, &[], |overview| overview.enrollment_end = Some(now())).await;
        let body = json!({ "course_details": { "course_id": shut.to_string() } });
        assert_eq!(
            message(&post(db, &learner, body).await).1,
            format!(
                "An error occurred while creating the new course enrollment for user '{}' in course '{shut}'",
                learner.username
            )
        );
    }
}

/// A learner enrolls; staff changes mode, deactivates and reactivates.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_life_of_an_enrollment() {
    for engine in engines::all().await {
        let db = &engine.db;
        let learner = engines::user(db, false).await;
        let staff = engines::user(db, true).await;
        let course = engines::course(db, &["honor", "verified", "credit"], |_| ()).await;
        let details = json!({ "course_id": course.to_string() });
        let created = post(db, &learner, json!({ "course_details": details })).await;
        assert_eq!(created.status, 200);
        let object = created.body.clone().unwrap();
        assert_eq!(
            (&object["mode"], &object["is_active"]),
            (&json!("honor"), &json!(true))
        );
        assert_eq!(object["created"], "2026-03-04T12:00:00.120000Z");
        assert_eq!(object["course_details"]["pacing_type"], "Instructor Paced");
        // Again, and with is_active false: answered as stored.
        let body = json!({ "is_active": false, "course_details": details });
        assert_eq!(post(db, &learner, body).await, created);
        let by_staff = async |mut body: Value| {
            body["user"] = json!(learner.username);
            body["course_details"] = details.clone();
            post(db, &staff, body).await
        };
        let attributes = json!([{ "namespace": "order", "name": "n", "value": "1" }]);
        let answer =
            by_staff(json!({ "mode": "verified", "enrollment_attributes": attributes })).await;
        assert_eq!(answer.body.unwrap()["mode"], "verified");
        let answer = by_staff(json!({ "mode": "honor", "is_active": false })).await;
        assert_eq!(
            message(&answer).1,
            "Enrollment mode mismatch: active mode=verified, requested mode=honor. Won't deactivate."
        );
        let answer =
            by_staff(json!({ "mode": "credit", "enrollment_attributes": attributes })).await;
        assert_eq!(
            message(&answer).1,
            "Missing enrollment attributes: requested mode=credit required attributes=['credit:provider_id']"
        );
        let answer = by_staff(json!({ "is_active": false })).await;
        assert_eq!(answer.body.unwrap()["is_active"], false);
        let answer = by_staff(json!({ "is_active": true, "mode": "honor" })).await;
        assert_eq!(answer.body.unwrap()["mode"], "honor");
    }
}

/// Who sees what; no row is an empty 200.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reading() {
    for engine in engines::all().await {
        let db = &engine.db;
        let learner = engines::user(db, false).await;
        let other = engines::user(db, false).await;
        let staff = engines::user(db, true).await;
        let course = engines::course(db, &["honor"], |_| ()).await;
        let body = json!({ "course_details": { "course_id": course.to_string() } });
        let object = post(db, &learner, body).await;
        let get = async |caller: &User, name: Option<&str>, course: &CourseKey| {
            let caller = Caller {
                user: Some(caller),
                has_api_key: false,
            };
            api::get_one(db, caller, name, course, now()).await.unwrap()
        };
        let name = Some(learner.username.as_str());
        assert_eq!(get(&learner, None, &course).await, object);
        assert_eq!(get(&staff, name, &course).await, object);
        assert_eq!(get(&other, name, &course).await.status, 404);
        assert_eq!(
            get(&other, None, &course).await,
            Answer {
                status: 200,
                body: None
            }
        );
        let list = async |caller: &User| {
            let caller = Caller {
                user: Some(caller),
                has_api_key: false,
            };
            api::list(db, caller, name, now())
                .await
                .unwrap()
                .body
                .unwrap()
        };
        assert_eq!(list(&learner).await, json!([object.body.unwrap()]));
        assert_eq!(list(&other).await, json!([]));
        assert_eq!(list(&staff).await.as_array().unwrap().len(), 1);

        let wish = json!({ "email": other.email, "course_id": course.to_string() });
        let made = api::allowed_create(db, &wish, now()).await.unwrap();
        assert_eq!(made.status, 201);
        assert_eq!(made.body.unwrap()["user"], Value::Null);
        assert_eq!(
            api::allowed_create(db, &wish, now()).await.unwrap().status,
            409
        );
        assert_eq!(api::allowed_delete(db, &wish).await.unwrap().status, 204);
        assert_eq!(api::allowed_delete(db, &wish).await.unwrap().status, 404);
    }
}
