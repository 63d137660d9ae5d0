//! Dates of a course (`/learning/course/{key}/dates`; courseware.md §15.7).

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use courseware::outline::{Section, Subsection};
use web_kit::{Locale, Page, WebError};

use super::contexts::{DateEntry, DateState, DatesPage};
use super::course_home::{Opened, open_outline};
use super::frame::{block_url, frame};
use crate::auth::Visitor;
use crate::clock::Now;
use crate::state::LmsState;

/// `GET /learning/course/{course}/dates`
pub async fn show(
    State(state): State<LmsState>,
    Path(course): Path<String>,
    visitor: Visitor,
    Now(now): Now,
    page: Page,
) -> Result<Response, WebError> {
    let opened = match open_outline(&state, &course, &visitor, now).await? {
        Ok(opened) => opened,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let sections = opened.sections(&state);
    let mut entries = entries(&state, &opened, &sections, page.locale());
    entries.sort_by_key(|entry| entry.when);
    if let Some(next) = entries
        .iter_mut()
        .find(|entry| entry.when > now && entry.state == DateState::Plain && entry.is_work)
    {
        next.state = DateState::Due;
    }
    let (past, coming) = entries.into_iter().partition(|entry| entry.when <= now);
    let list = |entries: Vec<Entry>| entries.into_iter().map(Entry::shown).collect();
    page.render(&DatesPage {
        course: frame(&state, &opened.view, "dates"),
        past: list(past),
        coming: list(coming),
        can_shift: false,
    })
}

/// A date before it is shown.
struct Entry {
    when: DateTime<Utc>,
    title: String,
    url: Option<String>,
    format: Option<String>,
    state: DateState,
    is_work: bool,
}

impl Entry {
    fn shown(self) -> DateEntry {
        DateEntry {
            when: self.when,
            title: self.title,
            url: self.url,
            format: self.format,
            note: String::new(),
            state: self.state,
        }
    }
}

fn entries(
    state: &LmsState,
    opened: &Opened,
    sections: &[Section<'_>],
    locale: &Locale,
) -> Vec<Entry> {
    let view = &opened.view;
    let plain = |when: Option<DateTime<Utc>>, title: &str| {
        when.map(|when| Entry {
            when,
            title: title.to_owned(),
            url: None,
            format: None,
            state: DateState::Plain,
            is_work: false,
        })
    };
    let mut entries = Vec::new();
    entries.extend(plain(view.facts.start, locale.gettext("Course starts")));
    for subsection in sections.iter().flat_map(|section| &section.subsections) {
        entries.extend(work(state, opened, subsection));
    }
    entries.extend(plain(view.facts.end, locale.gettext("Course ends")));
    entries
}

/// Graded work that is due.
fn work(state: &LmsState, opened: &Opened, subsection: &Subsection<'_>) -> Option<Entry> {
    let block = subsection.block;
    let when = subsection.due.filter(|_| block.flag("graded"))?;
    let is_locked = subsection.is_locked();
    let count = subsection.count;
    let state_of = if count.total > 0 && count.is_complete() {
        DateState::Done
    } else if when <= opened.view.now {
        DateState::Missed
    } else if is_locked {
        DateState::Locked
    } else {
        DateState::Plain
    };
    Some(Entry {
        when,
        title: block.display_name().into_owned(),
        url: (!is_locked).then(|| block_url(state, block)),
        format: block
            .text("format")
            .filter(|format| !format.is_empty())
            .map(str::to_owned),
        state: state_of,
        is_work: true,
    })
}
