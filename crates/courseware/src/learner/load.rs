//! The one statement that gathers a learner.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use db::{Db, Row, Value};
use identity::roles::AccessRole;
use identity::{Roles, Viewer};
use opaque_keys::CourseKey;
use records::keys::course_text;

use super::{CohortPlace, Enrollment, Learner, LearnerDate, Mode, Schedule, Stacked, flags};
use crate::Result;

/// One arm of the statement: its columns `kind, a, b, c` (texts), `n, m` (integers), `at, at2, at3` (moments), and
/// the parameters in order: `u` user, `c` course, `o` organization, `k` organization+course, `f` the flags.
struct Arm(&'static str, &'static str);

const ARMS: &[Arm] = &[
    Arm(
        "SELECT 'access' AS kind, org AS a, course_id AS b, role AS c, 0 AS n, 0 AS m, \
         NULL AS at, NULL AS at2, NULL AS at3 FROM student_courseaccessrole WHERE user_id = ?",
        "u",
    ),
    Arm(
        "SELECT 'forum', r.course_id, r.name, '', 0, 0, NULL, NULL, NULL \
         FROM django_comment_client_role_users u JOIN django_comment_client_role r ON r.id = u.role_id \
         WHERE u.user_id = ? AND r.course_id = ?",
        "uc",
    ),
    Arm(
        "SELECT 'enrollment', e.mode, '', '', e.id, e.is_active, e.created, s.start_date, s.created \
         FROM student_courseenrollment e LEFT JOIN schedules_schedule s ON s.enrollment_id = e.id \
         WHERE e.user_id = ? AND e.course_id = ?",
        "uc",
    ),
    Arm(
        "SELECT 'upgrade', '', '', '', 0, 0, s.upgrade_deadline, NULL, NULL \
         FROM student_courseenrollment e JOIN schedules_schedule s ON s.enrollment_id = e.id \
         WHERE e.user_id = ? AND e.course_id = ? AND s.upgrade_deadline IS NOT NULL",
        "uc",
    ),
    Arm(
        "SELECT 'excluded', '', '', '', 0, 0, NULL, NULL, NULL FROM student_fbeenrollmentexclusion x \
         JOIN student_courseenrollment e ON e.id = x.enrollment_id \
         WHERE e.user_id = ? AND e.course_id = ?",
        "uc",
    ),
    Arm(
        "SELECT 'cohort', g.name, '', '', g.id, 0, NULL, NULL, NULL \
         FROM course_groups_cohortmembership m \
         JOIN course_groups_courseusergroup g ON g.id = m.course_user_group_id \
         WHERE m.user_id = ? AND m.course_id = ?",
        "uc",
    ),
    Arm(
        "SELECT 'content_group', '', '', '', p.partition_id, p.group_id, NULL, NULL, NULL \
         FROM course_groups_cohortmembership m \
         JOIN course_groups_courseusergrouppartitiongroup p \
         ON p.course_user_group_id = m.course_user_group_id \
         WHERE m.user_id = ? AND m.course_id = ?",
        "uc",
    ),
    Arm(
        "SELECT 'cohorted', '', '', '', is_cohorted, 0, NULL, NULL, NULL \
         FROM course_groups_coursecohortssettings WHERE course_id = ?",
        "c",
    ),
    Arm(
        "SELECT 'tag', `key`, value, '', 0, 0, NULL, NULL, NULL FROM user_api_usercoursetag \
         WHERE user_id = ? AND course_id = ?",
        "uc",
    ),
    Arm(
        "SELECT 'mode', mode_slug, mode_display_name, '', min_price, id, expiration_datetime, NULL, NULL \
         FROM course_modes_coursemode WHERE course_id = ?",
        "c",
    ),
    Arm(
        "SELECT 'allowed', '', '', '', a.user_id, a.id, NULL, NULL, NULL \
         FROM auth_user u JOIN student_courseenrollmentallowed a ON a.email = u.email \
         WHERE u.id = ? AND a.course_id = ?",
        "uc",
    ),
    Arm(
        "SELECT 'gating', org, course_id, org_course, enabled, studio_override_enabled, enabled_as_of, \
         change_date, NULL FROM content_type_gating_contenttypegatingconfig \
         WHERE (course_id IS NULL OR course_id = ?) AND (org IS NULL OR org = ?) \
         AND (org_course IS NULL OR org_course = ?)",
        "cok",
    ),
    Arm(
        "SELECT 'duration', org, course_id, org_course, enabled, 0, enabled_as_of, change_date, NULL \
         FROM course_duration_limits_coursedurationlimitconfig \
         WHERE (course_id IS NULL OR course_id = ?) AND (org IS NULL OR org = ?) \
         AND (org_course IS NULL OR org_course = ?)",
        "cok",
    ),
    Arm(
        "SELECT 'date', c.location, c.field, '', u.rel_date, p.rel_date, u.abs_date, p.abs_date, u.modified \
         FROM edx_when_contentdate c JOIN edx_when_datepolicy p ON p.id = c.policy_id \
         LEFT JOIN edx_when_userdate u ON u.content_date_id = c.id AND u.user_id = ? \
         WHERE c.course_id = ? AND c.active = 1 AND (p.rel_date IS NOT NULL OR u.id IS NOT NULL)",
        "uc",
    ),
    Arm(
        "SELECT 'prerequisite', f.course_id, '', '', 0, 0, NULL, NULL, NULL \
         FROM milestones_coursemilestone q \
         JOIN milestones_milestonerelationshiptype qt ON qt.id = q.milestone_relationship_type_id \
         JOIN milestones_coursemilestone f ON f.milestone_id = q.milestone_id AND f.active = 1 \
         JOIN milestones_milestonerelationshiptype ft ON ft.id = f.milestone_relationship_type_id \
         WHERE q.course_id = ? AND q.active = 1 AND qt.name = 'requires' AND ft.name = 'fulfills' \
         AND NOT EXISTS (SELECT 1 FROM milestones_usermilestone m \
         WHERE m.milestone_id = q.milestone_id AND m.user_id = ? AND m.active = 1)",
        "cu",
    ),
    Arm(
        "SELECT 'gated', q.content_id, '', '', 0, 0, NULL, NULL, NULL \
         FROM milestones_coursecontentmilestone q \
         JOIN milestones_milestonerelationshiptype qt ON qt.id = q.milestone_relationship_type_id \
         WHERE q.course_id = ? AND q.active = 1 AND qt.name = 'requires' \
         AND NOT EXISTS (SELECT 1 FROM milestones_usermilestone m \
         WHERE m.milestone_id = q.milestone_id AND m.user_id = ? AND m.active = 1)",
        "cu",
    ),
    Arm(
        "SELECT 'exam', f.content_id, '', '', 0, 0, NULL, NULL, NULL \
         FROM milestones_coursemilestone q \
         JOIN milestones_milestonerelationshiptype qt ON qt.id = q.milestone_relationship_type_id \
         JOIN milestones_coursecontentmilestone f ON f.milestone_id = q.milestone_id AND f.active = 1 \
         JOIN milestones_milestonerelationshiptype ft ON ft.id = f.milestone_relationship_type_id \
         WHERE q.course_id = ? AND q.active = 1 AND qt.name = 'requires' AND ft.name = 'fulfills' \
         AND NOT EXISTS (SELECT 1 FROM milestones_usermilestone m \
         WHERE m.milestone_id = q.milestone_id AND m.user_id = ? AND m.active = 1)",
        "cu",
    ),
    Arm(
        "SELECT 'flag', f.name, '', '', f.everyone, CASE WHEN f.authenticated = 1 THEN 1 \
         WHEN f.staff = 1 THEN 2 WHEN f.superusers = 1 THEN 3 ELSE 0 END, NULL, NULL, NULL \
         FROM waffle_flag f WHERE f.name IN (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "f",
    ),
    Arm(
        "SELECT 'flag_user', f.name, '', '', 0, 0, NULL, NULL, NULL FROM waffle_flag f \
         JOIN waffle_flag_users fu ON fu.flag_id = f.id WHERE fu.user_id = ? AND f.name IN (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "uf",
    ),
    Arm(
        "SELECT 'flag_course', waffle_flag, override_choice, '', enabled, id, NULL, NULL, NULL \
         FROM waffle_utils_waffleflagcourseoverridemodel \
         WHERE course_id = ? AND waffle_flag IN (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "cf",
    ),
    Arm(
        "SELECT 'flag_org', waffle_flag, override_choice, '', enabled, id, NULL, NULL, NULL \
         FROM waffle_utils_waffleflagorgoverridemodel WHERE org = ? AND waffle_flag IN (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "of",
    ),
    Arm(
        "SELECT 'switch', name, '', '', active, 0, NULL, NULL, NULL FROM waffle_switch \
         WHERE name IN \
         ('completion.enable_completion_tracking', 'certificates.auto_certificate_generation')",
        "",
    ),
    Arm(
        "SELECT 'forum_provider', provider_type, '', '', 0, 0, NULL, NULL, NULL \
         FROM discussions_discussionsconfiguration WHERE context_key = ?",
        "c",
    ),
];

impl Learner {
    /// Loads everything about a person in a course, with one statement. An anonymous visitor gets what the course
    /// says to everybody.
    pub async fn load(db: &Db, viewer: &Viewer, course: &CourseKey) -> Result<Self> {
        let mut sql = String::with_capacity(6000);
        let mut params: Vec<Value> = Vec::new();
        let course_id = course_text(course);
        // No row belongs to user 0, so that the arms about the person stay empty for an anonymous visitor.
        let user = Value::from(viewer.id.unwrap_or(0));
        for Arm(arm, wanted) in ARMS {
            if !sql.is_empty() {
                sql.push_str(" UNION ALL ");
            }
            sql.push_str(arm);
            for letter in wanted.chars() {
                match letter {
                    'u' => params.push(user.clone()),
                    'c' => params.push(Value::from(course_id.as_str())),
                    'o' => params.push(Value::from(course.org())),
                    'k' => {
                        let both = format!("{}+{}", course.org(), course.course());
                        params.push(Value::from(both));
                    }
                    _ => params.extend(flags::ALL.iter().map(|name| Value::from(*name))),
                }
            }
        }
        let rows = db.read(&sql, &params).await?;
        Gathered::default().learner(viewer, course, &rows)
    }
}

/// What rows say before it is put together.
#[derive(Default)]
struct Gathered {
    access: Vec<AccessRole>,
    forum: Vec<(String, String)>,
    modes: Vec<(i64, Mode)>,
    gating: Vec<StackedRow>,
    duration: Vec<StackedRow>,
    dates: HashMap<(String, String), (Option<NaiveDateTime>, LearnerDate)>,
    flags: HashMap<String, FlagRows>,
}

#[derive(Default)]
struct FlagRows {
    everyone: Option<bool>,
    by_person: bool,
    course: Option<(i64, Option<bool>)>,
    org: Option<(i64, Option<bool>)>,
}

impl FlagRows {
    /// The course's override, then the organization's, then the flag itself.
    fn is_on(&self) -> bool {
        let choice = |newest: Option<(i64, Option<bool>)>| newest.and_then(|(_, choice)| choice);
        choice(self.course)
            .or_else(|| choice(self.org))
            .or(self.everyone)
            .unwrap_or(self.by_person)
    }
}

struct StackedRow {
    scope: u8,
    changed: Option<NaiveDateTime>,
    enabled: Option<bool>,
    studio_override: Option<bool>,
    as_of: Option<NaiveDateTime>,
}

impl Gathered {
    fn learner(mut self, viewer: &Viewer, course: &CourseKey, rows: &[Row]) -> Result<Learner> {
        let mut learner = Learner::new(viewer.clone(), course.clone());
        for row in rows {
            self.add(&mut learner, row)?;
        }
        learner.roles = Arc::new(Roles::of(viewer, self.access, self.forum));
        self.modes.sort_by_key(|(id, _)| *id);
        learner.modes = self.modes.into_iter().map(|(_, mode)| mode).collect();
        learner.content_gating = stack(self.gating);
        learner.duration_limits = stack(self.duration);
        learner.dates = self
            .dates
            .into_iter()
            .map(|(key, (_, date))| (key, date))
            .collect();
        let on = self.flags.into_iter().filter(|(_, rows)| rows.is_on());
        learner.flags.extend(on.map(|(name, _)| name));
        Ok(learner)
    }

    fn add(&mut self, learner: &mut Learner, row: &Row) -> db::Result<()> {
        let text = |column: &str| row.opt_text(column).map(Option::unwrap_or_default);
        let int = |column: &str| row.opt_int(column);
        let moment = |column: &str| row.opt_datetime(column);
        let kind = row.text("kind")?;
        match kind.as_str() {
            "access" => self.access.push(AccessRole {
                org: text("a")?,
                course_id: text("b")?,
                role: text("c")?,
            }),
            "forum" => self.forum.push((text("a")?, text("b")?)),
            "enrollment" => {
                let schedule = moment("at3")?.map(|created| -> db::Result<Schedule> {
                    Ok(Schedule {
                        start: moment("at2")?.map(utc),
                        created: utc(created),
                        upgrade_deadline: None,
                    })
                });
                learner.enrollment = Some(Enrollment {
                    id: int("n")?.unwrap_or_default(),
                    mode: text("a")?,
                    is_active: int("m")? == Some(1),
                    created: moment("at")?.map(utc),
                    schedule: schedule.transpose()?,
                });
            }
            "upgrade" => {
                let schedule = learner
                    .enrollment
                    .as_mut()
                    .and_then(|e| e.schedule.as_mut());
                if let Some(schedule) = schedule {
                    schedule.upgrade_deadline = moment("at")?.map(utc);
                }
            }
            "excluded" => learner.gating_excluded = true,
            "cohort" => {
                learner.cohort = Some(CohortPlace {
                    id: int("n")?.unwrap_or_default(),
                    name: text("a")?,
                    content_group: None,
                });
            }
            "content_group" => {
                if let Some(cohort) = &mut learner.cohort {
                    cohort.content_group = int("n")?.zip(int("m")?);
                }
            }
            "cohorted" => learner.is_cohorted = int("n")? == Some(1),
            "tag" => drop(learner.tags.insert(text("a")?, text("b")?)),
            "mode" => {
                let mode = Mode {
                    slug: text("a")?,
                    name: text("b")?,
                    min_price: int("n")?.unwrap_or_default(),
                    expires: moment("at")?.map(utc),
                };
                self.modes.push((int("m")?.unwrap_or_default(), mode));
            }
            "allowed" => {
                let taken_by = int("n")?;
                let fits = taken_by.is_none() || taken_by == learner.viewer.id;
                learner.enrollment_allowed.get_or_insert(fits);
            }
            "gating" | "duration" => {
                let stacked = StackedRow {
                    scope: if row.opt_text("b")?.is_some() {
                        3
                    } else if row.opt_text("c")?.is_some() {
                        2
                    } else {
                        u8::from(row.opt_text("a")?.is_some())
                    },
                    changed: moment("at2")?,
                    enabled: int("n")?.map(|flag| flag == 1),
                    studio_override: int("m")?.map(|flag| flag == 1),
                    as_of: moment("at")?,
                };
                if kind == "gating" {
                    self.gating.push(stacked);
                } else {
                    self.duration.push(stacked);
                }
            }
            "date" => {
                let modified = moment("at3")?;
                let date = LearnerDate {
                    own: moment("at")?.map(utc),
                    own_offset: int("n")?.map(TimeDelta::microseconds),
                    policy: moment("at2")?.map(utc),
                    policy_offset: int("m")?.map(TimeDelta::microseconds),
                };
                let key = (text("a")?, text("b")?);
                let newer = self
                    .dates
                    .get(&key)
                    .is_none_or(|(known, _)| *known <= modified);
                if newer {
                    self.dates.insert(key, (modified, date));
                }
            }
            "prerequisite" => learner.milestones.courses.push(text("a")?),
            "gated" => learner.milestones.gated.push(text("a")?),
            "exam" => learner.milestones.entrance_exams.push(text("a")?),
            "flag" => {
                let viewer = &learner.viewer;
                let by_person = match int("m")? {
                    Some(1) => !viewer.is_anonymous(),
                    Some(2) => viewer.is_staff,
                    Some(3) => viewer.is_superuser,
                    _ => false,
                };
                let rows = self.flags.entry(text("a")?).or_default();
                rows.everyone = int("n")?.map(|flag| flag == 1);
                rows.by_person |= by_person;
            }
            "flag_user" => self.flags.entry(text("a")?).or_default().by_person = true,
            "flag_course" | "flag_org" => {
                let id = int("m")?.unwrap_or_default();
                let choice = (int("n")? == Some(1)).then_some(text("b")? == "on");
                let rows = self.flags.entry(text("a")?).or_default();
                let slot = if kind == "flag_course" {
                    &mut rows.course
                } else {
                    &mut rows.org
                };
                if slot.is_none_or(|(known, _)| known < id) {
                    *slot = Some((id, choice));
                }
            }
            "switch" if int("n")? == Some(1) => learner.flags.push(text("a")?),
            "forum_provider" => learner.discussion_provider = Some(text("a")?),
            _ => {}
        }
        Ok(())
    }
}

/// The newest row of each scope, the inner ones over the outer ones, value by value.
fn stack(mut rows: Vec<StackedRow>) -> Stacked {
    rows.sort_by_key(|row| (row.scope, row.changed));
    let mut newest: Vec<StackedRow> = Vec::new();
    for row in rows {
        newest.retain(|known| known.scope != row.scope);
        newest.push(row);
    }
    let mut stacked = Stacked::default();
    for row in newest {
        stacked.enabled = row.enabled.unwrap_or(stacked.enabled);
        stacked.enabled_as_of = row.as_of.map(utc).or(stacked.enabled_as_of);
        stacked.studio_override = row.studio_override.unwrap_or(stacked.studio_override);
    }
    stacked
}

fn utc(moment: NaiveDateTime) -> DateTime<Utc> {
    moment.and_utc()
}
