//! A course opened for a caller: what every call of the learner's front end begins with.

use chrono::{DateTime, Utc};
use courseware::CourseView;
use courseware::access::{self, Action, Denial, Denied};
use courseware::home::{Facts, Links};
use identity::Viewer;
use opaque_keys::CourseKey;
use web_kit::WebError;

use crate::api::params::Asked;
use crate::state::LmsState;

/// A view of a course and the facts about its learner.
pub struct Opened {
    /// The view.
    pub view: CourseView,
    /// The facts.
    pub facts: Facts,
}

/// Splits a path that begins with a course key, new or old form, from what follows it; the platform's patterns have
/// no end, so that anything may follow (courseware.md §16, 5).
#[must_use]
pub fn leading_course_key(path: &str) -> Option<(CourseKey, &str)> {
    let parts = if path.split('/').next()?.contains('+') {
        1
    } else {
        3
    };
    let end = path
        .match_indices('/')
        .nth(parts - 1)
        .map_or(path.len(), |(at, _)| at);
    let (key, rest) = path.split_at_checked(end)?;
    let key = CourseKey::parse(key).ok()?;
    Some((key, rest.trim_matches('/')))
}

/// Opens a course, 404 where there is none.
pub async fn open(
    state: &LmsState,
    viewer: &Viewer,
    course: &CourseKey,
    now: DateTime<Utc>,
) -> Result<Opened, WebError> {
    let rules = state.settings.rules();
    let view = CourseView::open(&state.db, &state.store, course, viewer, rules, now)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)?;
    let facts = Facts::load(&state.db, viewer.id, view.course.course_key(), now)
        .await
        .map_err(WebError::internal)?;
    Ok(Opened { view, facts })
}

/// 403 with the reason for the person.
#[must_use]
pub fn forbidden(denied: &Denied) -> WebError {
    match &denied.user_message {
        Some(text) => WebError::forbidden(text.clone()),
        None => WebError::permission_denied(),
    }
}

impl Opened {
    /// 403 unless the course's content is open (courseware.md §7.2). `early`: a start that lies ahead does not matter.
    pub fn require_load(&self, early: bool) -> Result<(), WebError> {
        match self.view.load() {
            Err(Denied {
                reason: Some(Denial::NotStarted { .. }),
                ..
            }) if early => Ok(()),
            Err(denied) => Err(forbidden(&denied)),
            Ok(_) => Ok(()),
        }
    }

    /// 401 with a bare text unless the learner is enrolled or staff.
    pub fn require_enrolled(&self) -> Result<(), WebError> {
        let learner = &self.view.learner;
        if learner.is_enrolled() || learner.is_staff() {
            Ok(())
        } else {
            Err(WebError::json(
                axum::http::StatusCode::UNAUTHORIZED,
                "User not enrolled.".into(),
            ))
        }
    }

    /// 404 unless the viewer may know of the course (courseware.md §15.2).
    pub fn require_visible(&self, state: &LmsState) -> Result<(), WebError> {
        let view = &self.view;
        let action = Action::named(&state.settings.course_about_visibility_permission);
        let seen = action.is_some_and(|action| {
            access::course(action, &view.facts, &view.learner, view.rules, view.now).is_ok()
        });
        if seen {
            Ok(())
        } else {
            Err(WebError::not_found())
        }
    }
}

/// Addresses for answers; parts of it are kept here.
pub struct Addresses {
    base: String,
    learning: String,
    studio: String,
    account: String,
    lms: String,
}

impl Addresses {
    /// Addresses of a request.
    #[must_use]
    pub fn of(state: &LmsState, asked: &Asked) -> Self {
        let settings = &state.settings;
        let host = |url: &str| {
            url.split_once("://")
                .map_or(url, |(_, host)| host)
                .to_owned()
        };
        Self {
            base: asked.base.clone(),
            learning: settings.learning_base(),
            studio: host(&settings.studio_url),
            account: settings.account_url.clone().unwrap_or_default(),
            lms: settings.lms_url.clone(),
        }
    }

    /// The addresses as the domain takes them.
    #[must_use]
    pub fn links(&self) -> Links<'_> {
        Links {
            base: &self.base,
            lms: &self.lms,
            learning: &self.learning,
            studio_host: &self.studio,
            account: &self.account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::leading_course_key;

    /// courseware.md §16, 5: anything may follow the key.
    #[test]
    fn keys_in_front() {
        let read = |path: &'static str| {
            leading_course_key(path).map(|(key, rest)| (key.to_string(), rest))
        };
        let new = "course-v1:A+B+C".to_owned();
        assert_eq!(read("course-v1:A+B+C"), Some((new.clone(), "")));
        assert_eq!(read("course-v1:A+B+C/"), Some((new.clone(), "")));
        assert_eq!(read("course-v1:A+B+C/5/"), Some((new, "5")));
        assert_eq!(read("A/B/C/x"), Some(("A/B/C".to_owned(), "x")));
        assert_eq!(read("A/B"), None);
        assert_eq!(read("nonsense"), None);
    }
}
