//! Typed contexts of the LMS's templates. Each page has a type, a template of the same name and samples that tests render.

mod authorize;
mod catalog;
mod course;
mod course_about;
mod course_home;
mod dashboard;
mod dates;
mod login;
mod logout;
mod progress;
mod register;
mod static_tab;
mod unit;

#[cfg(test)]
mod tests;

pub use authorize::{AuthorizeErrorPage, AuthorizePage};
pub use catalog::{CatalogCard, CatalogPage, Pages};
pub use course::{CourseFrame, Mark, StaffBar, Tab};
pub use course_about::{CourseAboutPage, EnrollState};
pub use course_home::{CourseHomePage, NextDate, OutlineItem, OutlineSection, Resume, Update};
pub use dashboard::{CourseCard, CourseState, DashboardPage, DashboardResume};
pub use dates::{DateEntry, DateState, DatesPage};
pub use login::{LoginPage, LoginProvider};
pub use logout::LogoutPage;
pub use progress::{AssignmentType, ProgressPage, ScoreRow, SectionScores};
pub use register::{FormField, PasswordAssistancePage, PasswordResetPage, RegisterPage};
pub use static_tab::StaticTabPage;
pub use unit::{BlockSlot, Crumb, Gate, RailItem, Turn, UnitLink, UnitPage, UnitView};

use chrono::{DateTime, Utc};

/// A fixed moment for samples, so that what they render never changes.
pub(crate) fn sample_moment(day: u32, hour: u32) -> DateTime<Utc> {
    use chrono::TimeZone;
    Utc.with_ymd_and_hms(2027, 1, day, hour, 59, 0)
        .single()
        .unwrap_or_default()
}
