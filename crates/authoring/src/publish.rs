//! What follows a publish: taken from the outbox after the commit, each step harmless when done twice.

use chrono::{DateTime, TimeDelta, Utc};
use courseware::home::published_outline;
use db::Db;
use modulestore::ModuleStore;
use modulestore::documents::Stamp;
use modulestore::split::{COURSE_DELETED, COURSE_PUBLISHED, LIBRARY_UPDATED, THUMBNAIL_WANTED};
use opaque_keys::{AssetKey, CourseKey};
use records::history::Author;
use records::outbox::{self, Event};
use records::waffle::{Toggles, Who};
use records::{config, course_overviews, learning_sequences, milestones};
use serde_json::Value;

use crate::dates::RelativeDates;
use crate::discussions::Settings;
use crate::{COMMAND_USER, Result, dates, discussions, overview};

/// How long a taken event is kept from other workers.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// Events taken at a time.
const TOGETHER: u32 = 16;
/// Longest pause before an event that failed comes again.
const LONGEST_PAUSE: i64 = 3600;

/// Does what follows changes of courses.
#[derive(Debug, Clone)]
pub struct Follower {
    /// The system of record.
    pub db: Db,
    /// The courses.
    pub store: ModuleStore,
}

impl Follower {
    /// Handles what is due after changes of courses, and where nothing is, one image; returns how many events there
    /// were. Images come one at a time and last, so that no learner waits for one.
    pub async fn step(&self, now: DateTime<Utc>) -> Result<usize> {
        match self.step_courses(now).await? {
            0 => self.take(&[THUMBNAIL_WANTED], 1, now).await,
            handled => Ok(handled),
        }
    }

    /// Handles what is due after changes of courses, images left for later.
    pub async fn step_courses(&self, now: DateTime<Utc>) -> Result<usize> {
        let topics = [COURSE_PUBLISHED, COURSE_DELETED, LIBRARY_UPDATED];
        self.take(&topics, TOGETHER, now).await
    }

    async fn take(&self, topics: &[&str], most: u32, now: DateTime<Utc>) -> Result<usize> {
        let events = outbox::claim(&self.db, topics, now.naive_utc(), LEASE, most).await?;
        for event in &events {
            self.settle(event, now).await?;
        }
        Ok(events.len())
    }

    /// Handles one event and notes how that went. A failure is no error here: the event comes again.
    async fn settle(&self, event: &Event, now: DateTime<Utc>) -> Result<()> {
        let outcome = self.handle(event, now).await;
        let (outcome, id) = (&outcome, event.id);
        self.db
            .write(|mut tx| async move {
                match outcome {
                    Ok(()) => outbox::done(&mut tx, id, now.naive_utc()).await,
                    Err(error) => {
                        let pause = (1_i64 << event.attempts.clamp(0, 11)).min(LONGEST_PAUSE);
                        let again = now + TimeDelta::seconds(pause);
                        outbox::failed(&mut tx, id, &error.to_string(), again.naive_utc()).await
                    }
                }
            })
            .await?;
        if let Err(error) = outcome {
            tracing::warn!(topic = event.topic, key = event.key, %error, "an event has to come again");
        }
        Ok(())
    }

    async fn handle(&self, event: &Event, now: DateTime<Utc>) -> Result<()> {
        match event.topic.as_str() {
            COURSE_PUBLISHED => {
                let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
                let settings = match payload.get("imported").and_then(Value::as_bool) {
                    Some(true) => Settings::Replace,
                    _ => Settings::Begin,
                };
                let course = CourseKey::parse(&event.key)?;
                self.rebuild(&course, settings, now).await
            }
            COURSE_DELETED => {
                self.course_deleted(&CourseKey::parse(&event.key)?, now)
                    .await
            }
            THUMBNAIL_WANTED => {
                let key = AssetKey::parse(&event.key)?;
                let stamp = Stamp::new(COMMAND_USER, now);
                self.store
                    .contentstore()
                    .refresh_thumbnail(&key, stamp)
                    .await?;
                Ok(())
            }
            // Nothing is derived from libraries yet.
            _ => Ok(()),
        }
    }

    /// Rebuilds the rows that are derived from a published course, in one transaction: overview, tabs, outline,
    /// dates and what the forum knows. Done again it leaves the same rows.
    pub async fn course_published(&self, course: &CourseKey, now: DateTime<Utc>) -> Result<()> {
        self.rebuild(course, Settings::Begin, now).await
    }

    async fn rebuild(
        &self,
        course: &CourseKey,
        settings: Settings,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(published) = overview::published(&self.store, course).await? else {
            return Ok(());
        };
        let now = now.naive_utc();
        let snapshot = &published.snapshot;
        let row = overview::overview(snapshot, &published.about, now);
        let tabs = overview::tabs(snapshot);
        let outline = published_outline::outline(snapshot, now);
        let relative = self.relative_dates(course).await?;
        let dates = dates::dates(snapshot, relative);
        let root = snapshot.course();
        let mut sections = root.children();
        let exam = sections
            .find(|section| section.flag("is_entrance_exam"))
            .filter(|_| root.flag("entrance_exam_enabled"))
            .map(|section| section.usage_key().to_string());
        let exam = exam.as_deref();
        let (row, tabs, outline, dates) = (&row, &tabs, &outline, &dates);
        self.db
            .write(|mut tx| async move {
                let tx = &mut tx;
                // First, since other tables refer to it.
                course_overviews::save(tx, row, &Author::nobody(now)).await?;
                course_overviews::replace_tabs(tx, course, tabs).await?;
                learning_sequences::replace(tx, course, outline, now).await?;
                records::dates::replace(tx, course, dates, now).await?;
                if settings == Settings::Replace {
                    milestones::set_entrance_exam(tx, course, exam, now).await?;
                }
                discussions::save(tx, snapshot, settings, now).await
            })
            .await?;
        Ok(())
    }

    /// How the dates of a self-paced course are made.
    async fn relative_dates(&self, course: &CourseKey) -> Result<RelativeDates> {
        let table = "course_date_signals_selfpacedrelativedatesconfig";
        let id = course.to_string();
        let custom = Toggles::load(&self.db).await?.course_flag(
            "studio.custom_relative_dates",
            &id,
            course.org(),
            &Who::default(),
        );
        Ok(RelativeDates {
            enabled: config::stacked_enabled(&self.db, table, course).await?,
            custom,
        })
    }

    async fn course_deleted(&self, course: &CourseKey, now: DateTime<Utc>) -> Result<()> {
        // Whoever made the course anew meanwhile keeps its rows.
        if self.store.course_index(course).await?.is_some() {
            return Ok(());
        }
        let now = now.naive_utc();
        self.db
            .write(|mut tx| async move {
                let tx = &mut tx;
                learning_sequences::delete(tx, course).await?;
                records::dates::deactivate(tx, course).await?;
                records::discussions::delete(tx, course).await?;
                course_overviews::delete(tx, course, &Author::nobody(now)).await
            })
            .await?;
        Ok(())
    }
}

/// Handles everything that is due after changes of courses; for commands, which end only then. Images are left to a
/// program that stays.
pub async fn follow_publishes(follower: &Follower, now: DateTime<Utc>) -> Result<()> {
    while follower.step_courses(now).await? > 0 {}
    Ok(())
}
