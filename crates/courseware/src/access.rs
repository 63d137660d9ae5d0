//! Who may see what (courseware.md §7): decided here and nowhere else, over a snapshot, a learner and the clock.
//!
//! What a decision allows is a value that only this module makes: [`OpenCourse`], [`Loadable`]. Functions that show
//! content demand one, so that a route that forgets its check does not compile.

mod denial;
mod merged;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use course_model::snapshot::{GroupRule, GroupRules};
use course_model::{BlockRef, CourseSnapshot};
use opaque_keys::CourseKey;
use records::course_overviews::CourseOverview;

pub use denial::{Denial, Denied, response};
pub use merged::MergedView;

use crate::learner::{Learner, flags, modes};
use crate::partitions::{CONTENT_TYPE_GATE, FULL_ACCESS, Groups};

/// Start of a course or block that has none: 2030-01-01.
pub const DEFAULT_START: i64 = 1_893_456_000;

/// Weeks of audit access when nothing else is known (courseware.md §6).
const AUDIT_WEEKS: i64 = 4;

/// Switches of the installation that access depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// FEATURES.DISABLE_START_DATES.
    pub disable_start_dates: bool,
}

/// What access to a course as a whole depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct CourseFacts {
    /// Key.
    pub key: CourseKey,
    /// Name to show.
    pub display_name: String,
    /// Start; none opens at once.
    pub start: Option<DateTime<Utc>>,
    /// End.
    pub end: Option<DateTime<Utc>>,
    /// Hidden from learners.
    pub visible_to_staff_only: bool,
    /// Days that beta testers come earlier.
    pub days_early_for_beta: Option<f64>,
    /// Nobody enrolls by themselves.
    pub invitation_only: bool,
    /// Start of the enrollment window.
    pub enrollment_start: Option<DateTime<Utc>>,
    /// End of the enrollment window.
    pub enrollment_end: Option<DateTime<Utc>>,
    /// `both`, `about` or `none`.
    pub catalog_visibility: String,
    /// `private`, `public_outline` or `public`; an overview does not know it and says `private`.
    pub course_visibility: String,
    /// Shown in mobile apps.
    pub mobile_available: bool,
}

impl CourseFacts {
    /// The facts as a version of the course says them.
    #[must_use]
    pub fn of_snapshot(course: &CourseSnapshot) -> Self {
        let root = course.course();
        let text = |name: &str, default: &str| root.text(name).unwrap_or(default).to_owned();
        Self {
            key: course.course_key().clone(),
            display_name: root.display_name().into_owned(),
            start: root.date("start"),
            end: root.date("end"),
            visible_to_staff_only: root.flag("visible_to_staff_only"),
            days_early_for_beta: root.float("days_early_for_beta"),
            invitation_only: root.flag("invitation_only"),
            enrollment_start: root.date("enrollment_start"),
            enrollment_end: root.date("enrollment_end"),
            catalog_visibility: text("catalog_visibility", "both"),
            course_visibility: text("course_visibility", "private"),
            mobile_available: root.flag("mobile_available"),
        }
    }

    /// The facts as an overview row says them; none if its key cannot be read.
    #[must_use]
    pub fn of_overview(overview: &CourseOverview) -> Option<Self> {
        let utc = |moment: Option<chrono::NaiveDateTime>| moment.map(|m| m.and_utc());
        Some(Self {
            key: CourseKey::parse(&overview.id).ok()?,
            display_name: overview.display_name.clone().unwrap_or_default(),
            start: utc(overview.start),
            end: utc(overview.end),
            visible_to_staff_only: overview.visible_to_staff_only,
            days_early_for_beta: overview.days_early_for_beta,
            invitation_only: overview.invitation_only,
            enrollment_start: utc(overview.enrollment_start),
            enrollment_end: utc(overview.enrollment_end),
            catalog_visibility: overview
                .catalog_visibility
                .clone()
                .unwrap_or_else(|| "both".into()),
            course_visibility: "private".into(),
            mobile_available: overview.mobile_available,
        })
    }
}

/// Proof that the learner may see the course's content.
#[derive(Debug, Clone, Copy)]
pub struct OpenCourse<'a> {
    learner: &'a Learner,
}

impl<'a> OpenCourse<'a> {
    /// The learner for whom it is open.
    #[must_use]
    pub fn learner(self) -> &'a Learner {
        self.learner
    }
}

/// Proof that the learner may see this block.
#[derive(Debug, Clone, Copy)]
pub struct Loadable<'a> {
    block: BlockRef<'a>,
    learner: &'a Learner,
}

impl<'a> Loadable<'a> {
    /// The block.
    #[must_use]
    pub fn block(self) -> BlockRef<'a> {
        self.block
    }

    /// The learner who may see it.
    #[must_use]
    pub fn learner(self) -> &'a Learner {
        self.learner
    }
}

/// What somebody may want with a course (courseware.md §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See its content.
    Load,
    /// See its content in a mobile app.
    LoadMobile,
    /// Enroll.
    Enroll,
    /// Know that it exists.
    SeeExists,
    /// See it in the catalogue.
    SeeInCatalog,
    /// See its about page.
    SeeAboutPage,
    /// Be on its staff.
    Staff,
    /// Be one of its instructors.
    Instructor,
    /// Test it before its start.
    Beta,
    /// Have done what it requires.
    ViewCoursewareWithPrerequisites,
}

impl Action {
    /// The action that settings and the courses API name so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "load" => Self::Load,
            "load_mobile" => Self::LoadMobile,
            "enroll" => Self::Enroll,
            "see_exists" => Self::SeeExists,
            "see_in_catalog" => Self::SeeInCatalog,
            "see_about_page" => Self::SeeAboutPage,
            "staff" => Self::Staff,
            "instructor" => Self::Instructor,
            "beta" => Self::Beta,
            "view_courseware_with_prerequisites" => Self::ViewCoursewareWithPrerequisites,
            _ => return None,
        })
    }
}

/// Decides an action on a course.
pub fn course(
    action: Action,
    course: &CourseFacts,
    learner: &Learner,
    rules: Rules,
    now: DateTime<Utc>,
) -> Result<(), Denied> {
    let allow = |yes: bool| if yes { Ok(()) } else { Err(Denied::plain()) };
    let listed = |places: &[&str]| places.contains(&course.catalog_visibility.as_str());
    match action {
        Action::Load => course_load(course, learner, rules, now).map(drop),
        Action::LoadMobile => {
            course_load(course, learner, rules, now)?;
            let early = learner.is_staff() || learner.roles.is_beta_tester(&course.key);
            if course.mobile_available || early {
                Ok(())
            } else {
                Err(Denied::of(Denial::MobileUnavailable))
            }
        }
        Action::Enroll => allow(may_enroll(course, learner, now)),
        Action::SeeExists => allow(
            may_enroll(course, learner, now) || course_load(course, learner, rules, now).is_ok(),
        ),
        Action::SeeInCatalog => allow(listed(&["both"]) || learner.is_staff()),
        Action::SeeAboutPage => allow(listed(&["both", "about"]) || learner.is_staff()),
        Action::Staff => allow(learner.is_staff()),
        Action::Instructor => allow(learner.is_instructor()),
        Action::Beta => allow(learner.roles.is_beta_tester(&course.key)),
        Action::ViewCoursewareWithPrerequisites => prerequisites(learner),
    }
}

/// Whether the course's content is open: the check of every part of the courseware (courseware.md §7.2 `load`).
pub fn course_load<'a>(
    course: &CourseFacts,
    learner: &'a Learner,
    rules: Rules,
    now: DateTime<Utc>,
) -> Result<OpenCourse<'a>, Denied> {
    let open = OpenCourse { learner };
    if course.key.is_deprecated() {
        let name = course.display_name.clone();
        return Err(Denied::of(Denial::OldMongo { name }));
    }
    if learner.is_staff() {
        return Ok(open);
    }
    if course.visible_to_staff_only {
        return Err(Denied::of(Denial::NotVisible));
    }
    let started = start_reached(
        course.start,
        course.days_early_for_beta,
        learner,
        rules,
        now,
    );
    if !started && !learner.flag(flags::PRE_START_ACCESS) {
        let start = course.start.unwrap_or_default();
        return Err(Denied::of(Denial::NotStarted { start }));
    }
    prerequisites(learner)?;
    if let Some(expired) = audit_expiration(course, learner, now)
        && expired < now
    {
        return Err(Denied::of(Denial::AuditExpired { expired }));
    }
    Ok(open)
}

/// The full check of a page (courseware.md §7.2): open, signed in, enrolled; with the public exception. Whether a
/// required survey is answered is asked where surveys are.
pub fn course_page<'a>(
    course: &CourseFacts,
    learner: &'a Learner,
    rules: Rules,
    now: DateTime<Utc>,
) -> Result<OpenCourse<'a>, Denied> {
    let open = course_load(course, learner, rules, now)?;
    if learner.is_staff() || is_public(course, learner) {
        return Ok(open);
    }
    if learner.viewer.is_anonymous() {
        return Err(Denied::of(Denial::AuthenticationRequired));
    }
    if !learner.is_enrolled() {
        return Err(Denied::of(Denial::EnrollmentRequired));
    }
    Ok(open)
}

/// Whether everybody may open the course without signing in or enrolling.
#[must_use]
pub fn is_public(course: &CourseFacts, learner: &Learner) -> bool {
    course.course_visibility == "public" && learner.flag(flags::ANONYMOUS_COURSEWARE)
}

/// Whether the learner may enroll by themselves (lms-api.md §1.4).
#[must_use]
pub fn may_enroll(course: &CourseFacts, learner: &Learner, now: DateTime<Utc>) -> bool {
    if let Some(allowed) = learner.enrollment_allowed {
        return allowed;
    }
    if learner.is_staff() {
        return true;
    }
    if course.invitation_only || course.key.is_deprecated() {
        return false;
    }
    course.enrollment_start.is_none_or(|start| start < now)
        && course.enrollment_end.is_none_or(|end| now < end)
}

/// Whether a start is reached for a learner.
fn start_reached(
    start: Option<DateTime<Utc>>,
    days_early_for_beta: Option<f64>,
    learner: &Learner,
    rules: Rules,
    now: DateTime<Utc>,
) -> bool {
    let Some(start) = start else {
        return true;
    };
    if rules.disable_start_dates || learner.masquerade.is_some() || start <= now {
        return true;
    }
    learner.roles.is_beta_tester(&learner.course) && early_start(start, days_early_for_beta) <= now
}

/// Start for beta testers.
#[must_use]
pub fn early_start(start: DateTime<Utc>, days_early_for_beta: Option<f64>) -> DateTime<Utc> {
    let seconds = days_early_for_beta.unwrap_or_default() * 86_400.0;
    TimeDelta::try_milliseconds((seconds * 1000.0) as i64)
        .and_then(|early| start.checked_sub_signed(early))
        .unwrap_or(start)
}

fn prerequisites(learner: &Learner) -> Result<(), Denied> {
    let excused = learner.is_staff() || learner.viewer.is_anonymous();
    if learner.milestones.courses.is_empty() || excused {
        Ok(())
    } else {
        Err(Denied::of(Denial::UnfulfilledMilestones))
    }
}

/// When audit access ends, if it does (courseware.md §6, last item).
#[must_use]
pub fn audit_expiration(
    course: &CourseFacts,
    learner: &Learner,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let place = learner.active_enrollment()?;
    let created = place.created.unwrap_or(now);
    let limited = learner.duration_limits.at(created)
        && !learner.gating_excluded
        && place.mode == modes::AUDIT
        && learner.is_upgradable();
    if !limited || learner.roles.has_any_team_role(&learner.course) {
        return None;
    }
    let available = course.start.map_or(created, |start| start.max(created));
    available.checked_add_signed(TimeDelta::weeks(AUDIT_WEEKS))
}

/// Whether the learner may see a block (courseware.md §7.3). This does not ask whether the course is open.
pub fn block_load<'a>(
    block: BlockRef<'a>,
    learner: &'a Learner,
    groups: &Groups,
    rules: Rules,
    now: DateTime<Utc>,
) -> Result<Loadable<'a>, Denied> {
    let loadable = Loadable { block, learner };
    // Staff see everything, whatever their groups: unless they look as a learner, when they are no staff here.
    if learner.is_staff() {
        return Ok(loadable);
    }
    group_access(&rules_of(block, learner, now), groups)?;
    if block.flag("visible_to_staff_only") {
        return Err(Denied::of(Denial::NotVisible).without_user_message());
    }
    if block.kind().detached {
        return Ok(loadable);
    }
    let start = block.date("start");
    let beta = block.float("days_early_for_beta");
    if start_reached(start, beta, learner, rules, now) {
        Ok(loadable)
    } else {
        let start = start.unwrap_or_default();
        Err(Denied::of(Denial::NotStarted { start }).without_user_message())
    }
}

/// A block's group rules along its parents, with the content gate where it applies.
fn rules_of(block: BlockRef<'_>, learner: &Learner, now: DateTime<Utc>) -> GroupRules {
    let mut rules = block.merged_group_access();
    if is_gated(block, learner, now) {
        rules
            .entry(CONTENT_TYPE_GATE)
            .or_insert_with(|| GroupRule::Groups(vec![FULL_ACCESS]));
    }
    rules
}

/// Whether the content gate stands before a block: it is graded, gives points and counts (courseware.md §7.3).
#[must_use]
pub fn is_gated(block: BlockRef<'_>, learner: &Learner, now: DateTime<Utc>) -> bool {
    learner.content_gating.at(now)
        && block.flag("graded")
        && has_score(block)
        && block.float("weight") != Some(0.0)
}

/// Whether learners earn points in a block: by its type, or for tools by their field.
#[must_use]
pub fn has_score(block: BlockRef<'_>) -> bool {
    match block.kind().field("has_score") {
        Some(_) => block.flag("has_score"),
        None => block.kind().has_score,
    }
}

/// All rules must let the learner pass; of several failures the first that has something to say counts.
fn group_access(rules: &GroupRules, groups: &Groups) -> Result<(), Denied> {
    let mut first: Option<Denied> = None;
    for (id, rule) in rules {
        let Err(denied) = partition_access(*id, rule, groups) else {
            continue;
        };
        if denied.user_message.is_some() {
            return Err(denied);
        }
        first.get_or_insert(denied);
    }
    first.map_or(Ok(()), Err)
}

fn partition_access(id: i64, rule: &GroupRule, groups: &Groups) -> Result<(), Denied> {
    let Some(partition) = groups.partition(id) else {
        return Err(Denied::plain());
    };
    let allowed = match rule {
        GroupRule::Nobody => return Err(Denied::of(Denial::NoAllowedGroups)),
        GroupRule::Groups(_) if !partition.active => return Ok(()),
        GroupRule::Groups(allowed) => allowed,
    };
    if allowed
        .iter()
        .any(|group| partition.group(*group).is_none())
    {
        return Err(Denied::plain());
    }
    match groups.of(id) {
        Some(group) if allowed.contains(&group) => Ok(()),
        _ => Err(Denied::of(Denial::IncorrectGroup {
            gate: id == CONTENT_TYPE_GATE,
        })),
    }
}
