//! Learners' goals, activity and tours: `course_goals_…`, `user_tours_usertour`,
//! `courseware_lastseencoursewaretimezone` (courseware.md §15.9).

use chrono::NaiveDate;
use db::{Result, Source, Tx, params};
use opaque_keys::CourseKey;

use crate::history::{self, Author};
use crate::keys::course_text;
use crate::table::{self, table};

table! {
    /// How often a learner means to learn.
    CourseGoal: "course_goals_coursegoal" {
        id: i64,
        course_key: String,
        goal_key: String,
        user_id: i64,
        days_per_week: i64,
        subscribed_to_reminders: bool,
        unsubscribe_token: Option<String>,
    }
}

table! {
    /// A day on which a learner was in a course.
    UserActivity: "course_goals_useractivity" {
        id: i64,
        course_key: String,
        date: NaiveDate,
        user_id: i64,
    }
}

table! {
    /// Which tours a person has still to see.
    UserTour: "user_tours_usertour" {
        id: i64,
        course_home_tour_status: String,
        show_courseware_tour: bool,
        user_id: i64,
    }
}

/// The goal of a learner in a course.
pub async fn get(
    from: impl Source,
    user_id: i64,
    course: &CourseKey,
) -> Result<Option<CourseGoal>> {
    let tail = "WHERE user_id = ? AND course_key = ?";
    table::find_one(from, tail, &params![user_id, course_text(course)]).await
}

/// Stores a goal, over the learner's own, whose `unsubscribe_token` stays; with its history.
pub async fn save(tx: &mut Tx, goal: &CourseGoal, author: &Author<'_>) -> Result<()> {
    let tail = "WHERE user_id = ? AND course_key = ?";
    let stored: Option<CourseGoal> =
        table::find_locked(&mut *tx, tail, &params![goal.user_id, &goal.course_key]).await?;
    let mut row = CourseGoal {
        id: 0,
        ..goal.clone()
    };
    if let Some(stored) = stored {
        row.id = stored.id;
        row.unsubscribe_token = stored.unsubscribe_token.or(row.unsubscribe_token);
    }
    let history = "course_goals_historicalcoursegoal";
    history::put(tx, history, &row, row.id, author)
        .await
        .map(|_| ())
}

/// The days on which a learner was in a course since a day, in order.
pub async fn activity(
    mut from: impl Source,
    user_id: i64,
    course: &CourseKey,
    since: NaiveDate,
) -> Result<Vec<NaiveDate>> {
    let sql = "SELECT date FROM course_goals_useractivity \
               WHERE user_id = ? AND course_key = ? AND date >= ? ORDER BY date";
    let rows = from
        .rows(sql, &params![user_id, course_text(course), since])
        .await?;
    rows.iter().map(|row| row.date("date")).collect()
}

/// Notes that a learner was in a course on a day.
pub async fn note_activity(
    tx: &mut Tx,
    user_id: i64,
    course: &CourseKey,
    date: NaiveDate,
) -> Result<()> {
    let row = UserActivity {
        id: 0,
        course_key: course_text(course),
        date,
        user_id,
    };
    table::insert_ignore(tx, &row).await
}

/// The tours of a person.
pub async fn tour(from: impl Source, user_id: i64) -> Result<Option<UserTour>> {
    table::find_one(from, "WHERE user_id = ?", &params![user_id]).await
}

/// Stores the tours of a person.
pub async fn save_tour(tx: &mut Tx, tour: &UserTour) -> Result<()> {
    table::upsert(tx, tour, &["user_id"], &[]).await
}
