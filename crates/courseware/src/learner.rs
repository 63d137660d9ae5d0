//! Who looks at a course: everything that access, groups and dates are decided by, loaded in one batch
//! (courseware.md §6, §7; design.md, "Learner opens a unit").

mod load;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use identity::{Roles, Viewer};
use opaque_keys::CourseKey;

/// Flags and the switch that courseware asks for; [`Learner::flag`] knows these and no others.
pub mod flags {
    /// Anonymous visitors may open public courses.
    pub const ANONYMOUS_COURSEWARE: &str = "seo.enable_anonymous_courseware_access";
    /// The course home is open before the start.
    pub const PRE_START_ACCESS: &str = "course_experience.pre_start_access";
    /// Dates relative to a learner's start count.
    pub const RELATIVE_DATES: &str = "course_experience.relative_dates";
    /// Learners cannot move their relative dates.
    pub const RELATIVE_DATES_DISABLE_RESET: &str = "course_experience.relative_dates_disable_reset";
    /// The learning front end has a progress page.
    pub const PROGRESS_PAGE: &str = "course_home.course_home_mfe_progress_tab";
    /// Learners set weekly goals, and their days in the course are counted.
    pub const COURSE_GOALS: &str = "course_experience.enable_course_goals";
    /// Units are listed beside a unit.
    pub const NAVIGATION_SIDEBAR: &str = "courseware.enable_navigation_sidebar";
    /// The other sidebar begins open.
    pub const AUXILIARY_SIDEBAR: &str = "courseware.always_open_auxiliary_sidebar";
    /// The course's content can be searched.
    pub const COURSEWARE_SEARCH: &str = "courseware.mfe_courseware_search";
    /// Completion is tracked (a switch).
    pub const COMPLETION_TRACKING: &str = "completion.enable_completion_tracking";
    /// Certificates come by themselves (a switch).
    pub const AUTO_CERTIFICATES: &str = "certificates.auto_certificate_generation";
    /// All flags of this module.
    pub(super) const ALL: [&str; 9] = [
        ANONYMOUS_COURSEWARE,
        PRE_START_ACCESS,
        RELATIVE_DATES,
        RELATIVE_DATES_DISABLE_RESET,
        PROGRESS_PAGE,
        COURSE_GOALS,
        NAVIGATION_SIDEBAR,
        AUXILIARY_SIDEBAR,
        COURSEWARE_SEARCH,
    ];
}

/// Names of course modes.
pub mod modes {
    /// Free, without certificate.
    pub const AUDIT: &str = "audit";
    /// Free, with certificate.
    pub const HONOR: &str = "honor";
    /// Paid, with certificate.
    pub const VERIFIED: &str = "verified";
    /// Credit, in courses with a verified mode.
    pub const CREDIT: &str = "credit";
}

/// A learner's place in the course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// student_courseenrollment.id
    pub id: i64,
    /// Slug of the mode.
    pub mode: String,
    /// Whether it counts; leaving makes it inactive.
    pub is_active: bool,
    /// When it was made.
    pub created: Option<DateTime<Utc>>,
    /// Its schedule.
    pub schedule: Option<Schedule>,
}

/// The schedule of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Start of relative dates.
    pub start: Option<DateTime<Utc>>,
    /// When the row was made.
    pub created: DateTime<Utc>,
    /// Last day to upgrade.
    pub upgrade_deadline: Option<DateTime<Utc>>,
}

/// The learner's cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortPlace {
    /// course_groups_courseusergroup.id
    pub id: i64,
    /// Name.
    pub name: String,
    /// Linked content group: partition and group.
    pub content_group: Option<(i64, i64)>,
}

/// A mode of the course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode {
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Lowest price, whole units of the currency.
    pub min_price: i64,
    /// When it can no longer be taken.
    pub expires: Option<DateTime<Utc>>,
}

/// A configuration that is stacked over global, site, organization and course rows: the innermost value that is set
/// counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stacked {
    /// Whether it is on.
    pub enabled: bool,
    /// Since when.
    pub enabled_as_of: Option<DateTime<Utc>>,
    /// For content gating: on in Studio though off here.
    pub studio_override: bool,
}

impl Stacked {
    /// Whether it is on for something that happened at `moment`.
    #[must_use]
    pub fn at(&self, moment: DateTime<Utc>) -> bool {
        self.enabled && self.enabled_as_of.is_some_and(|since| since <= moment)
    }
}

/// How staff look at a course in place of somebody else (courseware.md §7.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Masquerade {
    /// As staff, which changes nothing.
    Staff,
    /// As a learner, perhaps one in a group (partition and group).
    Student {
        /// The group.
        group: Option<(i64, i64)>,
    },
}

/// An own or relative date of a learner for a field of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnerDate {
    /// The learner's own date.
    pub own: Option<DateTime<Utc>>,
    /// Own offset from the policy's date.
    pub own_offset: Option<TimeDelta>,
    /// The policy's date.
    pub policy: Option<DateTime<Utc>>,
    /// Offset from the schedule's start.
    pub policy_offset: Option<TimeDelta>,
}

/// Milestones that the learner lacks (courseware.md §7.2, §8.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Milestones {
    /// Courses that must be completed first.
    pub courses: Vec<String>,
    /// Texts of usage keys of blocks that stay closed.
    pub gated: Vec<String>,
    /// Texts of usage keys of entrance exams that must be passed first.
    pub entrance_exams: Vec<String>,
}

/// Who looks at one course. Cheap to make of given facts for tests: every field is public and [`Learner::new`] has
/// none of them.
#[derive(Debug, Clone)]
pub struct Learner {
    /// The person.
    pub viewer: Viewer,
    /// The course.
    pub course: CourseKey,
    /// Roles in the course, its organization and the site.
    pub roles: Arc<Roles>,
    /// Place in the course.
    pub enrollment: Option<Enrollment>,
    /// Whether the course has cohorts.
    pub is_cohorted: bool,
    /// Cohort, whether or not the course has cohorts now.
    pub cohort: Option<CohortPlace>,
    /// Notes about the person in the course (user_api_usercoursetag).
    pub tags: HashMap<String, String>,
    /// Modes of the course, in the order of their rows.
    pub modes: Vec<Mode>,
    /// Whether graded blocks are closed to audit learners.
    pub content_gating: Stacked,
    /// Whether audit access expires.
    pub duration_limits: Stacked,
    /// Whether the enrollment is kept out of both.
    pub gating_excluded: bool,
    /// Whether the learner's e-mail address may enroll: none without a row, else whether the row is for them
    /// (lms-api.md §1.4).
    pub enrollment_allowed: Option<bool>,
    /// Own and relative dates by usage key and field.
    pub dates: HashMap<(String, String), LearnerDate>,
    /// What is missing.
    pub milestones: Milestones,
    /// Flags that are on, of [`flags`].
    pub flags: Vec<String>,
    /// How staff look at the course.
    pub masquerade: Option<Masquerade>,
    /// Provider of the course's forum (discussions_discussionsconfiguration).
    pub discussion_provider: Option<String>,
}

impl Learner {
    /// A person about whom nothing is known in the course.
    #[must_use]
    pub fn new(viewer: Viewer, course: CourseKey) -> Self {
        Self {
            viewer,
            course,
            roles: Arc::new(Roles::none()),
            enrollment: None,
            is_cohorted: false,
            cohort: None,
            tags: HashMap::new(),
            modes: Vec::new(),
            content_gating: Stacked::default(),
            duration_limits: Stacked::default(),
            gating_excluded: false,
            enrollment_allowed: None,
            dates: HashMap::new(),
            milestones: Milestones::default(),
            flags: Vec::new(),
            masquerade: None,
            discussion_provider: None,
        }
    }

    /// auth_user.id; none for an anonymous visitor.
    #[must_use]
    pub fn user_id(&self) -> Option<i64> {
        self.viewer.id
    }

    /// Course staff who do not look as a learner (courseware.md §7.2, role `staff`).
    #[must_use]
    pub fn is_staff(&self) -> bool {
        !self.is_masquerading_as_student() && self.roles.has_staff_access(&self.course)
    }

    /// Course instructors who do not look as a learner.
    #[must_use]
    pub fn is_instructor(&self) -> bool {
        !self.is_masquerading_as_student() && self.roles.has_instructor_access(&self.course)
    }

    /// Whether staff look at the course as a learner would.
    #[must_use]
    pub fn is_masquerading_as_student(&self) -> bool {
        matches!(self.masquerade, Some(Masquerade::Student { .. }))
    }

    /// Whether the place in the course counts.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.active_enrollment().is_some()
    }

    /// The place in the course, if it counts.
    #[must_use]
    pub fn active_enrollment(&self) -> Option<&Enrollment> {
        self.enrollment.as_ref().filter(|place| place.is_active)
    }

    /// Whether a flag of [`flags`] is on for the person in the course.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.flags.iter().any(|on| on == name)
    }

    /// A mode of the course.
    #[must_use]
    pub fn mode(&self, slug: &str) -> Option<&Mode> {
        self.modes.iter().find(|mode| mode.slug == slug)
    }

    /// Whether content gating or access limits can touch the learner at all: the course has an audit and a verified
    /// mode, and the learner, if enrolled, is in audit (courseware.md §7.3).
    #[must_use]
    pub fn is_upgradable(&self) -> bool {
        if self.mode(modes::AUDIT).is_none() || self.mode(modes::VERIFIED).is_none() {
            return false;
        }
        self.active_enrollment()
            .is_none_or(|place| place.mode == modes::AUDIT)
    }

    /// The learner's date for a field of a block, if it is not the stored one (courseware.md §6): their own, or one
    /// relative to their schedule. `course_end` caps relative dates.
    #[must_use]
    pub fn date(
        &self,
        usage: &str,
        field: &str,
        course_end: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        if self.dates.is_empty() {
            return None;
        }
        let date = self.dates.get(&(usage.to_owned(), field.to_owned()))?;
        if date.policy_offset.is_some() && !self.flag(flags::RELATIVE_DATES) {
            return date.own;
        }
        let relative = date.policy_offset.and_then(|offset| {
            let start = self.relative_start(course_end)?;
            let moment = start.checked_add_signed(offset)?;
            Some(course_end.map_or(moment, |end| moment.min(end)))
        });
        let policy = date.policy.or(relative);
        date.own
            .or_else(|| policy?.checked_add_signed(date.own_offset?))
            .or(policy)
    }

    /// Where the learner's relative dates start; none for who came too late for them.
    fn relative_start(&self, course_end: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let schedule = self.enrollment.as_ref()?.schedule.as_ref()?;
        let start = schedule.start?;
        let Some(end) = course_end else {
            return Some(start);
        };
        let longest = self
            .dates
            .iter()
            .filter(|((_, field), _)| field == "due")
            .filter_map(|(_, date)| date.policy_offset)
            .max()
            .unwrap_or_default();
        let too_late = start > end || schedule.created > end - longest;
        (!too_late).then_some(start)
    }
}
