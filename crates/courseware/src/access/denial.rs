//! Why somebody may not see something (courseware.md §7.1).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::DEFAULT_START;

/// What the content gate says.
const GATE_TEXT: &str =
    "Graded assessments are available to Verified Track learners. Upgrade to Unlock.";

/// The reasons that have a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// `old_mongo`: the key is of the old form.
    OldMongo {
        /// The course's name.
        name: String,
    },
    /// `course_not_started`
    NotStarted {
        /// When it opens.
        start: DateTime<Utc>,
    },
    /// `not_visible_to_user`
    NotVisible,
    /// `unfulfilled_milestones`
    UnfulfilledMilestones,
    /// `mobile_unavailable`
    MobileUnavailable,
    /// `incorrect_user_group`
    IncorrectGroup {
        /// By the content gate, which has something to say.
        gate: bool,
    },
    /// `no_allowed_user_groups`
    NoAllowedGroups,
    /// `authentication_required`
    AuthenticationRequired,
    /// `enrollment_required`
    EnrollmentRequired,
    /// `audit_expired`
    AuditExpired {
        /// When.
        expired: DateTime<Utc>,
    },
    /// `survey_required`
    SurveyRequired,
}

/// A denial as the APIs tell it; one without a reason has all null.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.developer_message.as_deref().unwrap_or("access denied"))]
pub struct Denied {
    /// The reason, if it has a name.
    pub reason: Option<Denial>,
    /// For developers.
    pub developer_message: Option<String>,
    /// For the person.
    pub user_message: Option<String>,
}

fn long_date(moment: DateTime<Utc>) -> String {
    moment.format("%B %d, %Y").to_string()
}

impl Denied {
    /// A denial without a reason.
    #[must_use]
    pub const fn plain() -> Self {
        Self {
            reason: None,
            developer_message: None,
            user_message: None,
        }
    }

    /// A denial with a reason and its texts.
    #[must_use]
    pub fn of(reason: Denial) -> Self {
        let same = |text: String| (text.clone(), Some(text));
        let (developer, user) = match &reason {
            Denial::OldMongo { name } => (
                "Access to Old Mongo courses is unsupported".to_owned(),
                Some(format!("{name} is no longer available.")),
            ),
            Denial::NotStarted { start } if start.timestamp() == DEFAULT_START => {
                same("Course has not started".to_owned())
            }
            Denial::NotStarted { start } => (
                format!(
                    "Course does not start until {}",
                    start.format("%Y-%m-%d %H:%M:%S%:z")
                ),
                Some(format!("Course does not start until {}", long_date(*start))),
            ),
            Denial::NotVisible => (
                "Course is not visible to this user".to_owned(),
                Some("You do not have access to this course".to_owned()),
            ),
            Denial::UnfulfilledMilestones => (
                "User has unfulfilled milestones".to_owned(),
                Some("You have unfulfilled milestones".to_owned()),
            ),
            Denial::MobileUnavailable => (
                "Course is not available on mobile for this user".to_owned(),
                Some("You do not have access to this course on a mobile device".to_owned()),
            ),
            Denial::IncorrectGroup { gate } => (
                "In partition group, user is not in any of the allowed groups".to_owned(),
                gate.then(|| GATE_TEXT.to_owned()),
            ),
            Denial::NoAllowedGroups => ("Group access excludes all students".to_owned(), None),
            Denial::AuthenticationRequired => (
                "User must be authenticated to view the course".to_owned(),
                Some("You must be logged in to see this course".to_owned()),
            ),
            Denial::EnrollmentRequired => (
                "User must be enrolled in the course".to_owned(),
                Some("You must be enrolled in the course".to_owned()),
            ),
            Denial::AuditExpired { expired } => {
                same(format!("Access expired on {}", long_date(*expired)))
            }
            Denial::SurveyRequired => (
                "User must complete a survey".to_owned(),
                Some("You must complete a survey before you can see this course".to_owned()),
            ),
        };
        Self {
            reason: Some(reason),
            developer_message: Some(developer),
            user_message: user,
        }
    }

    /// The same without a word for the person, as blocks deny.
    #[must_use]
    pub fn without_user_message(mut self) -> Self {
        self.user_message = None;
        self
    }

    /// `error_code`.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        Some(match self.reason.as_ref()? {
            Denial::OldMongo { .. } => "old_mongo",
            Denial::NotStarted { .. } => "course_not_started",
            Denial::NotVisible => "not_visible_to_user",
            Denial::UnfulfilledMilestones => "unfulfilled_milestones",
            Denial::MobileUnavailable => "mobile_unavailable",
            Denial::IncorrectGroup { .. } => "incorrect_user_group",
            Denial::NoAllowedGroups => "no_allowed_user_groups",
            Denial::AuthenticationRequired => "authentication_required",
            Denial::EnrollmentRequired => "enrollment_required",
            Denial::AuditExpired { .. } => "audit_expired",
            Denial::SurveyRequired => "survey_required",
        })
    }

    /// The response object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "has_access": false,
            "error_code": self.code(),
            "developer_message": self.developer_message,
            "user_message": self.user_message,
            "additional_context_user_message": null,
            "user_fragment": null,
        })
    }
}

/// The response object of a decision.
#[must_use]
pub fn response<T>(decision: &Result<T, Denied>) -> Value {
    match decision {
        Err(denied) => denied.to_json(),
        Ok(_) => json!({
            "has_access": true,
            "error_code": null,
            "developer_message": null,
            "user_message": null,
            "additional_context_user_message": null,
            "user_fragment": null,
        }),
    }
}
