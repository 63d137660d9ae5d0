//! The dates of a course as they count for a learner (courseware.md §6, §15.7).

use chrono::{DateTime, TimeDelta, Utc};
use db::{Db, params};
use modulestore::ModuleStore;
use serde_json::{Value, json};

use super::outline::{Assignment, OutlineTree};
use super::{Facts, Links, certificates, upgrade};
use crate::Result;
use crate::access;
use crate::blocks_api::Allowed;
use crate::catalog::rest_date;
use crate::learner::{flags, modes};
use crate::view::CourseView;

/// A date that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct DateBlock {
    /// When.
    pub date: DateTime<Utc>,
    kind: &'static str,
    title: String,
    description: &'static str,
    link: String,
    link_text: &'static str,
    accessible: bool,
    assignment_type: Value,
    complete: Option<bool>,
    first_component: String,
}

impl DateBlock {
    fn new(date: DateTime<Utc>, kind: &'static str, title: &str) -> Self {
        Self {
            date,
            kind,
            title: title.to_owned(),
            description: "",
            link: String::new(),
            link_text: "",
            accessible: true,
            assignment_type: Value::Null,
            complete: None,
            first_component: String::new(),
        }
    }

    /// Whether it is not over: its day is today or later.
    fn is_ahead(&self, now: DateTime<Utc>) -> bool {
        now.date_naive() <= self.date.date_naive()
    }

    fn is_assignment(&self) -> bool {
        self.kind == "assignment-due-date"
    }

    /// The entry of `course_date_blocks`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "assignment_type": self.assignment_type,
            "complete": self.complete,
            "date": rest_date(self.date),
            "date_type": self.kind,
            "description": self.description,
            "learner_has_access": self.accessible,
            "link": self.link,
            "link_text": self.link_text,
            "title": self.title,
            "extra_info": null,
            "first_component_block_id": self.first_component,
        })
    }
}

/// Dates of a learner, and what of them was missed.
pub struct Dates {
    blocks: Vec<DateBlock>,
    missed: Option<bool>,
    now: DateTime<Utc>,
}

fn assignment(view: &CourseView, one: &Assignment<'_>, links: &Links<'_>) -> DateBlock {
    let title = one.block.display_name();
    let mut date = DateBlock::new(one.due, "assignment-due-date", &title);
    let start = view.date(one.block, "start");
    let released = view.learner.is_staff() || start.is_none_or(|start| start <= view.now);
    date.link = if released {
        links.jump_to(one.block.usage_key())
    } else {
        String::new()
    };
    date.accessible = !one.gated;
    date.assignment_type = one.block.field("format").cloned().unwrap_or_default();
    date.complete = Some(one.complete && released);
    date.first_component = one
        .first
        .map(|first| first.usage_key().to_string())
        .unwrap_or_default();
    date
}

fn course_end(view: &CourseView) -> Option<DateBlock> {
    let end = view.facts.end?;
    let self_paced = view.course.course().flag("self_paced");
    let far = end >= view.now + TimeDelta::days(365);
    if self_paced && view.learner.flag(flags::RELATIVE_DATES) && far {
        return None;
    }
    let mut date = DateBlock::new(end, "course-end-date", "Course ends");
    let certifies = view
        .learner
        .active_enrollment()
        .is_some_and(|place| certificates::is_eligible(&place.mode));
    date.description = if end < view.now {
        "This course is archived, which means you can review course content but it is no longer active."
    } else if certifies {
        "After this date, the course will be archived, which means you can review the course content but can no longer \
         participate in graded assignments or work towards earning a certificate."
    } else {
        "After the course ends, the course content will be archived and no longer active."
    };
    Some(date)
}

fn course_start(view: &CourseView) -> Option<DateBlock> {
    let start = view.facts.start?;
    let self_paced = view.course.course().flag("self_paced");
    let enrolled = view
        .learner
        .enrollment
        .as_ref()
        .and_then(|place| place.created)
        .filter(|created| self_paced && *created > start);
    let title = if enrolled.is_some() {
        "Enrollment Date"
    } else {
        "Course starts"
    };
    Some(DateBlock::new(
        enrolled.unwrap_or(start),
        "course-start-date",
        title,
    ))
}

fn others(view: &CourseView, facts: &Facts) -> Vec<DateBlock> {
    let mut dates = Vec::new();
    let root = view.course.course();
    let by_date = root.text("certificates_display_behavior") == Some("end_with_date");
    if by_date
        && certificates::has_active(view)
        && let Some(date) = root.date("certificate_available_date")
    {
        let mut date = DateBlock::new(date, "certificate-available-date", "Certificate Available");
        date.description = "Day certificates will become available for passing verified learners.";
        dates.push(date);
    }
    dates.extend(course_end(view));
    if view.learner.flag(flags::RELATIVE_DATES)
        && let Some(expires) = access::audit_expiration(&view.facts, &view.learner, view.now)
    {
        let mut date = DateBlock::new(expires, "course-expired-date", "Audit Access Expires");
        date.description = "You lose all access to this course, including your progress.";
        dates.push(date);
    }
    dates.extend(course_start(view));
    let verified = view
        .learner
        .active_enrollment()
        .is_some_and(|place| place.mode == modes::VERIFIED);
    let status = facts.verification_status(view.now);
    if verified
        && matches!(status, "none" | "expired" | "must_reverify")
        && let Some(deadline) = facts.verification_deadline
    {
        let passed = deadline < view.now;
        let title = if passed {
            "Missed Verification Deadline"
        } else {
            "Verification Deadline"
        };
        let mut date = DateBlock::new(deadline, "verification-deadline-date", title);
        date.description = if passed {
            "Unfortunately you missed this course's deadline for a successful verification."
        } else {
            "You must successfully complete verification before this date to qualify for a Verified Certificate."
        };
        dates.push(date);
    }
    if upgrade::is_shown(view, facts)
        && let Some(deadline) = upgrade::deadline(view, facts)
    {
        let mut date = DateBlock::new(
            deadline,
            "verified-upgrade-deadline",
            "Upgrade to Verified Certificate",
        );
        date.description = "Don't miss the opportunity to highlight your new knowledge and skills by earning a verified \
             certificate.";
        upgrade::link(view)
            .unwrap_or_default()
            .clone_into(&mut date.link);
        date.link_text = "Upgrade to Verified Certificate";
        dates.push(date);
    }
    dates
}

impl Dates {
    /// Loads the dates. Assignments are among them, and read, only with relative dates on.
    pub async fn load(
        db: &Db,
        store: &ModuleStore,
        view: &CourseView,
        facts: &Facts,
        links: &Links<'_>,
    ) -> Result<Self> {
        let mut blocks = Vec::new();
        let mut missed = None;
        if view.learner.flag(flags::RELATIVE_DATES)
            && let Some(allowed) = Allowed::own(view)
        {
            let tree = OutlineTree::load_all(db, store, allowed).await?;
            let assignments = tree.assignments();
            missed = assignments
                .iter()
                .find(|one| one.due < view.now && !one.complete)
                .map(|one| one.gated);
            blocks.extend(assignments.iter().map(|one| assignment(view, one, links)));
        }
        blocks.extend(others(view, facts));
        // Stable: on one moment assignments stay before the others.
        blocks.sort_by_key(|block| block.date);
        Ok(Self {
            blocks,
            missed,
            now: view.now,
        })
    }

    /// `course_date_blocks` of the dates page: all of them.
    #[must_use]
    pub fn all(&self) -> Vec<Value> {
        self.blocks.iter().map(DateBlock::to_json).collect()
    }

    /// `course_date_blocks` of the course home: what is ahead, of assignments the first.
    #[must_use]
    pub fn ahead(&self) -> Vec<Value> {
        let mut assignments = 0;
        self.blocks
            .iter()
            .filter(|block| block.is_ahead(self.now))
            .filter(|block| {
                assignments += usize::from(block.is_assignment());
                !block.is_assignment() || assignments == 1
            })
            .map(DateBlock::to_json)
            .collect()
    }

    /// Whether deadlines were missed, and whether gated content is among what was missed first.
    #[must_use]
    pub fn missed(&self, view: &CourseView) -> (bool, bool) {
        let learner = &view.learner;
        if learner.flag(flags::RELATIVE_DATES_DISABLE_RESET) {
            return (false, true);
        }
        let counts = learner.flag(flags::RELATIVE_DATES)
            && view.course.course().flag("self_paced")
            && learner.is_enrolled()
            && !has_ended(view);
        match self.missed.filter(|_| counts) {
            Some(gated) => (true, gated),
            None => (false, false),
        }
    }

    /// `dates_banner_info`.
    #[must_use]
    pub fn banner(&self, view: &CourseView) -> Value {
        let (missed_deadlines, missed_gated_content) = self.missed(view);
        json!({
            "missed_deadlines": missed_deadlines,
            "content_type_gating_enabled": upgrade::is_gating_enabled(view),
            "missed_gated_content": missed_gated_content,
            "verified_upgrade_link": upgrade::link(view),
        })
    }
}

/// Whether the course is over.
#[must_use]
pub fn has_ended(view: &CourseView) -> bool {
    view.facts.end.is_some_and(|end| end < view.now)
}

/// The answer of `GET /api/course_home/dates/C`.
#[must_use]
pub fn to_json(view: &CourseView, facts: &Facts, dates: &Dates) -> Value {
    json!({
        "dates_banner_info": dates.banner(view),
        "course_date_blocks": dates.all(),
        "has_ended": has_ended(view),
        "learner_is_full_access": !upgrade::is_gating_enabled(view),
        "user_timezone": facts.time_zone,
    })
}

/// Moves a learner's relative dates: the schedule starts now, or with the course. Nothing happens outside of
/// self-paced courses, without a schedule, or where gated content was missed (courseware.md §6).
pub async fn reset(db: &Db, view: &CourseView, dates: &Dates) -> Result<()> {
    let (_, gated) = dates.missed(view);
    let place = view.learner.active_enrollment();
    let Some(place) = place.filter(|place| place.schedule.is_some()) else {
        return Ok(());
    };
    if gated || !view.course.course().flag("self_paced") {
        return Ok(());
    }
    let start = view
        .facts
        .start
        .map_or(view.now, |start| start.max(view.now));
    db.execute(
        "UPDATE schedules_schedule SET start_date = ?, modified = ? WHERE enrollment_id = ?",
        &params![start.naive_utc(), view.now.naive_utc(), place.id],
    )
    .await?;
    Ok(())
}
