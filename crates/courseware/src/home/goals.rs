//! Weekly goals, activity and celebrations (courseware.md §15.2, §15.5, §15.9).

use chrono::{DateTime, Utc};
use db::{Db, Tx, params};
use opaque_keys::CourseKey;
use records::goals::{self, CourseGoal};
use records::history::Author;
use records::keys::course_text;
use serde_json::{Value, json};

use super::Facts;
use crate::Result;
use crate::learner::flags;
use crate::view::CourseView;

/// `course_goals`.
#[must_use]
pub fn to_json(view: &CourseView, facts: &Facts) -> Value {
    let enabled = view.learner.flag(flags::COURSE_GOALS);
    let selected = facts.goal.filter(|_| enabled).map(|goal| {
        json!({
            "days_per_week": goal.days_per_week,
            "subscribed_to_reminders": goal.subscribed_to_reminders,
        })
    });
    json!({"selected_goal": selected, "weekly_learning_goal_enabled": enabled})
}

/// `celebrations`: what the learner is still to be congratulated for.
#[must_use]
pub fn celebrations(view: &CourseView, facts: &Facts) -> Value {
    let due = facts
        .celebrations
        .filter(|_| view.learner.is_enrolled() && !view.learner.is_masquerading_as_student());
    let (first_section, weekly_goal) = due.unwrap_or_default();
    let reached = facts
        .goal
        .is_some_and(|goal| goal.days_per_week > 0 && facts.active_days >= goal.days_per_week);
    json!({
        "first_section": first_section,
        "streak_length_to_celebrate": null,
        "streak_discount_enabled": false,
        "weekly_goal": weekly_goal && reached,
    })
}

/// Notes the learner's day in the course, where goals are on; once a day.
pub async fn note_activity(db: &Db, view: &CourseView, facts: &Facts) -> Result<()> {
    let Some(user) = view.learner.user_id() else {
        return Ok(());
    };
    if !view.learner.flag(flags::COURSE_GOALS) || view.learner.is_masquerading_as_student() {
        return Ok(());
    }
    let day = facts
        .time_zone
        .as_deref()
        .and_then(|name| name.parse::<chrono_tz::Tz>().ok())
        .map_or_else(
            || view.now.date_naive(),
            |zone| view.now.with_timezone(&zone).date_naive(),
        );
    let course = view.course.course_key();
    let known = goals::activity(db, user, course, day).await?;
    if known.contains(&day) {
        return Ok(());
    }
    db.write(|mut tx| async move { goals::note_activity(&mut tx, user, course, day).await })
        .await?;
    Ok(())
}

/// Stores a learner's goal. A goal of no days leaves the stored number.
pub async fn save(
    db: &Db,
    user: i64,
    course: &CourseKey,
    days: Option<i64>,
    subscribed: bool,
    token: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let stored = goals::get(db, user, course).await?;
    let days = days.filter(|days| *days != 0);
    let kept = stored.as_ref();
    let goal = CourseGoal {
        id: 0,
        course_key: course_text(course),
        goal_key: kept.map_or_else(|| "unsure".to_owned(), |goal| goal.goal_key.clone()),
        user_id: user,
        days_per_week: days.unwrap_or_else(|| kept.map_or(0, |goal| goal.days_per_week)),
        subscribed_to_reminders: subscribed,
        unsubscribe_token: Some(token.to_owned()),
    };
    let goal = &goal;
    db.write(|mut tx| async move {
        let author = Author {
            user_id: Some(user),
            ..Author::nobody(now.naive_utc())
        };
        goals::save(&mut tx, goal, &author).await
    })
    .await?;
    Ok(())
}

/// Stops the reminders of the goal with this token; gives the goal's course, none for an unknown token.
pub async fn unsubscribe(db: &Db, token: &str) -> Result<Option<String>> {
    let sql = "SELECT id, course_key FROM course_goals_coursegoal WHERE unsubscribe_token = ?";
    let Some(row) = db.read_one(sql, &params![token]).await? else {
        return Ok(None);
    };
    let id = row.int("id")?;
    db.execute(
        "UPDATE course_goals_coursegoal SET subscribed_to_reminders = 0 WHERE id = ?",
        &params![id],
    )
    .await?;
    Ok(Some(row.text("course_key")?))
}

/// Stores what was celebrated; returns whether the row is new.
pub async fn celebrate(
    tx: &mut Tx,
    enrollment: i64,
    first_section: Option<bool>,
    weekly_goal: Option<bool>,
    now: DateTime<Utc>,
) -> Result<bool, db::Error> {
    let sql = "SELECT id FROM student_courseenrollmentcelebration WHERE enrollment_id = ?";
    let now = now.naive_utc();
    if let Some(row) = tx.read_one(sql, &params![enrollment]).await? {
        let sql = "UPDATE student_courseenrollmentcelebration SET modified = ?, \
                   celebrate_first_section = COALESCE(?, celebrate_first_section), \
                   celebrate_weekly_goal = COALESCE(?, celebrate_weekly_goal) WHERE id = ?";
        let id = row.int("id")?;
        tx.execute(sql, &params![now, first_section, weekly_goal, id])
            .await?;
        return Ok(false);
    }
    let sql = "INSERT INTO student_courseenrollmentcelebration (created, modified, celebrate_first_section, \
               celebrate_weekly_goal, enrollment_id) VALUES (?, ?, ?, ?, ?)";
    let row = params![
        now,
        now,
        first_section.unwrap_or(false),
        weekly_goal.unwrap_or(false),
        enrollment
    ];
    tx.execute(sql, &row).await?;
    Ok(true)
}
