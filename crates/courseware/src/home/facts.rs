//! What the course home needs to know of a learner beyond [`crate::Learner`], loaded with one statement.

use chrono::{DateTime, Utc};
use db::{Db, Row, Value};
use opaque_keys::CourseKey;
use records::keys::course_text;

use crate::Result;

/// A certificate of the learner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Status as stored.
    pub status: String,
    /// Mode in which it was earned.
    pub mode: String,
    /// Id in its public address.
    pub verify_uuid: String,
    /// Address of a file, mostly empty.
    pub download_url: String,
}

/// A weekly goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    /// Days a week.
    pub days_per_week: i64,
    /// Whether reminders are wanted.
    pub subscribed_to_reminders: bool,
}

/// The stored course grade.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredGrade {
    /// From 0 to 1.
    pub percent: f64,
    /// Empty when failing.
    pub letter: String,
}

/// Price tag of the verified mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedMode {
    /// As stored, `usd`.
    pub currency: String,
    /// Stock keeping unit.
    pub sku: Option<String>,
    /// Whole units of the currency.
    pub price: i64,
    /// Last moment to take it.
    pub expires: Option<DateTime<Utc>>,
}

/// The facts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Preference `time_zone`.
    pub time_zone: Option<String>,
    /// Certificate in the course.
    pub certificate: Option<Certificate>,
    /// Whether a certificate is granted whatever the grade.
    pub allowlisted: bool,
    /// Whether certificates are generated at all.
    pub generation_enabled: bool,
    /// Whether learners of the course may ask for theirs.
    pub self_generation: bool,
    /// Weekly goal.
    pub goal: Option<Goal>,
    /// Whether the first finished section, and the first fulfilled goal, are still to be celebrated.
    pub celebrations: Option<(bool, bool)>,
    /// Days of this week on which the learner was in the course.
    pub active_days: i64,
    /// Stored course grade.
    pub grade: Option<StoredGrade>,
    /// The verified mode.
    pub verified: Option<VerifiedMode>,
    /// Whether deadlines to upgrade follow the learner's own schedule.
    pub dynamic_deadlines: bool,
    /// Status of the newest identity verification, and when it ends.
    pub verification: Option<(String, Option<DateTime<Utc>>)>,
    /// Whether the learner may skip the entrance exam.
    pub skips_entrance_exam: bool,
    /// Deadline to verify one's identity.
    pub verification_deadline: Option<DateTime<Utc>>,
    /// Whether the notes of a learner are shown (preference-like state of the course block).
    pub integrity_signed: bool,
}

/// Arms of the statement: columns `kind, a, b, c, d` (texts), `n, m` (integers), `x` (number), `at`; parameters `u`
/// user, `c` course, `w` first day of the week.
const ARMS: &[(&str, &str)] = &[
    (
        "SELECT 'time_zone' AS kind, value AS a, '' AS b, '' AS c, '' AS d, 0 AS n, 0 AS m, 0.0 AS x, \
         NULL AS at FROM user_api_userpreference WHERE user_id = ? AND `key` = 'time_zone'",
        "u",
    ),
    (
        "SELECT 'certificate', status, mode, verify_uuid, download_url, 0, 0, 0.0, NULL \
         FROM certificates_generatedcertificate WHERE user_id = ? AND course_id = ?",
        "uc",
    ),
    (
        "SELECT 'allowlisted', '', '', '', '', 0, 0, 0.0, NULL FROM certificates_certificateallowlist \
         WHERE user_id = ? AND course_id = ? AND allowlist = 1",
        "uc",
    ),
    (
        "SELECT 'generation', '', '', '', '', enabled, 0, 0.0, NULL \
         FROM certificates_certificategenerationconfiguration WHERE id = \
         (SELECT MAX(id) FROM certificates_certificategenerationconfiguration)",
        "",
    ),
    (
        "SELECT 'self_generation', '', '', '', '', self_generation_enabled, 0, 0.0, NULL \
         FROM certificates_certificategenerationcoursesetting WHERE id = (SELECT MAX(s.id) \
         FROM certificates_certificategenerationcoursesetting s WHERE s.course_key = ?)",
        "c",
    ),
    (
        "SELECT 'goal', '', '', '', '', days_per_week, subscribed_to_reminders, 0.0, NULL \
         FROM course_goals_coursegoal WHERE user_id = ? AND course_key = ?",
        "uc",
    ),
    (
        "SELECT 'celebrations', '', '', '', '', l.celebrate_first_section, l.celebrate_weekly_goal, 0.0, NULL \
         FROM student_courseenrollmentcelebration l \
         JOIN student_courseenrollment e ON e.id = l.enrollment_id \
         WHERE e.user_id = ? AND e.course_id = ?",
        "uc",
    ),
    (
        "SELECT 'active_days', '', '', '', '', COUNT(*), 0, 0.0, NULL FROM course_goals_useractivity \
         WHERE user_id = ? AND course_key = ? AND date >= ?",
        "ucw",
    ),
    (
        "SELECT 'grade', letter_grade, '', '', '', 0, 0, percent_grade, NULL \
         FROM grades_persistentcoursegrade WHERE user_id = ? AND course_id = ?",
        "uc",
    ),
    (
        "SELECT 'verified', currency, sku, '', '', min_price, 0, 0.0, expiration_datetime \
         FROM course_modes_coursemode WHERE course_id = ? AND mode_slug = 'verified'",
        "c",
    ),
    (
        "SELECT 'dynamic', '', '', '', '', enabled, 0, 0.0, NULL \
         FROM courseware_dynamicupgradedeadlineconfiguration WHERE id = \
         (SELECT MAX(id) FROM courseware_dynamicupgradedeadlineconfiguration)",
        "",
    ),
    (
        "SELECT 'verification', status, '', '', '', id, 0, 0.0, expiration_date \
         FROM verify_student_softwaresecurephotoverification WHERE user_id = ?",
        "u",
    ),
    (
        "SELECT 'verification', status, '', '', '', id, 0, 0.0, expiration_date \
         FROM verify_student_ssoverification WHERE user_id = ?",
        "u",
    ),
    (
        "SELECT 'verification', status, '', '', '', id, 0, 0.0, expiration_date \
         FROM verify_student_manualverification WHERE user_id = ?",
        "u",
    ),
    (
        "SELECT 'deadline', '', '', '', '', 0, 0, 0.0, deadline FROM verify_student_verificationdeadline \
         WHERE course_key = ?",
        "c",
    ),
    (
        "SELECT 'skips_exam', '', '', '', '', skip_entrance_exam, 0, 0.0, NULL \
         FROM student_entranceexamconfiguration WHERE user_id = ? AND course_id = ?",
        "uc",
    ),
    (
        "SELECT 'signed', '', '', '', '', 0, 0, 0.0, NULL FROM agreements_integritysignature \
         WHERE user_id = ? AND course_key = ?",
        "uc",
    ),
];

impl Facts {
    /// Loads the facts about a person (none: an anonymous visitor) in a course.
    pub async fn load(
        db: &Db,
        user: Option<i64>,
        course: &CourseKey,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let (user, course) = (Value::from(user.unwrap_or(0)), course_text(course));
        let monday = now.date_naive().week(chrono::Weekday::Mon).first_day();
        let mut sql = String::with_capacity(4000);
        let mut params = Vec::new();
        for (arm, wanted) in ARMS {
            if !sql.is_empty() {
                sql.push_str(" UNION ALL ");
            }
            sql.push_str(arm);
            params.extend(wanted.chars().map(|letter| match letter {
                'u' => user.clone(),
                'c' => Value::from(course.as_str()),
                _ => Value::from(monday),
            }));
        }
        let mut facts = Self::default();
        for row in db.read(&sql, &params).await? {
            facts.add(&row)?;
        }
        Ok(facts)
    }

    fn add(&mut self, row: &Row) -> db::Result<()> {
        let text = |column: &str| row.opt_text(column).map(Option::unwrap_or_default);
        let int = |column: &str| row.opt_int(column).map(Option::unwrap_or_default);
        let at = || -> db::Result<Option<DateTime<Utc>>> {
            Ok(row.opt_datetime("at")?.map(|at| at.and_utc()))
        };
        match row.text("kind")?.as_str() {
            "time_zone" => self.time_zone = Some(text("a")?).filter(|zone| !zone.is_empty()),
            "certificate" => {
                self.certificate = Some(Certificate {
                    status: text("a")?,
                    mode: text("b")?,
                    verify_uuid: text("c")?,
                    download_url: text("d")?,
                });
            }
            "allowlisted" => self.allowlisted = true,
            "generation" => self.generation_enabled = int("n")? == 1,
            "self_generation" => self.self_generation = int("n")? == 1,
            "goal" => {
                self.goal = Some(Goal {
                    days_per_week: int("n")?,
                    subscribed_to_reminders: int("m")? == 1,
                });
            }
            "celebrations" => self.celebrations = Some((int("n")? == 1, int("m")? == 1)),
            "active_days" => self.active_days = int("n")?,
            "grade" => {
                self.grade = Some(StoredGrade {
                    percent: row.opt_float("x")?.unwrap_or_default(),
                    letter: text("a")?,
                });
            }
            "verified" => {
                self.verified = Some(VerifiedMode {
                    currency: text("a")?,
                    sku: row.opt_text("b")?,
                    price: int("n")?,
                    expires: at()?,
                });
            }
            "dynamic" => self.dynamic_deadlines = int("n")? == 1,
            "verification" => {
                let found = (text("a")?, at()?);
                // An approved verification outweighs any other.
                if self
                    .verification
                    .as_ref()
                    .is_none_or(|known| known.0 != "approved")
                {
                    self.verification = Some(found);
                }
            }
            "deadline" => self.verification_deadline = at()?,
            "skips_exam" => self.skips_entrance_exam = int("n")? == 1,
            "signed" => self.integrity_signed = true,
            _ => {}
        }
        Ok(())
    }

    /// Status of the identity verification as the front end knows it: `none`, `pending`, `approved`, `expired` or
    /// `must_reverify` (courseware.md §15.3).
    #[must_use]
    pub fn verification_status(&self, now: DateTime<Utc>) -> &'static str {
        let Some((status, ends)) = &self.verification else {
            return "none";
        };
        match status.as_str() {
            "approved" if ends.is_some_and(|ends| ends < now) => "expired",
            "approved" => "approved",
            "submitted" | "must_retry" => "pending",
            "denied" => "must_reverify",
            _ => "none",
        }
    }
}
