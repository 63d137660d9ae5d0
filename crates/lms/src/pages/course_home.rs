//! A course's home: outline, progress and next dates (`/learning/course/{key}/home`; courseware.md §15.6).

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use courseware::CourseView;
use courseware::completion::Completions;
use courseware::outline::{self, Count, Done, Gate, Section, Subsection};
use courseware::resume::{Stop, last_stop};
use courseware::updates::News;
use records::completion::BlockCompletion;
use web_kit::{Page, WebError};

use super::contexts::{
    CourseHomePage, Mark, NextDate, OutlineItem, OutlineSection, Resume, Update,
};
use super::frame::{
    block_url, course_key, frame, mark, open, outline_rules, rewrite_links, turn_away,
};
use crate::auth::Visitor;
use crate::clock::Now;
use crate::state::LmsState;

/// Dates shown beside the outline.
const NEXT_DATES: usize = 4;

/// `GET /learning/course/{course}/home`
pub async fn home(
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
    let view = &opened.view;
    let sections = opened.sections(&state);
    let stop = last_stop(view, &opened.rows);
    let news = News::load(&state.store, view)
        .await
        .map_err(WebError::internal)?;
    let mut context = context(&state, view, &sections, stop, &news);
    let update = context.update.as_mut().map(|update| &mut update.html);
    let mut texts: Vec<&mut String> = update
        .into_iter()
        .chain(context.handouts_html.as_mut())
        .collect();
    rewrite_links(&state, view, &mut texts).await?;
    page.render(&context)
}

/// A course that is open to the viewer, with what they did in it.
pub struct Opened {
    /// The version and the viewer.
    pub view: CourseView,
    /// All their completions.
    pub rows: Vec<BlockCompletion>,
    done: Done,
}

impl Opened {
    /// The outline.
    pub fn sections(&self, state: &LmsState) -> Vec<Section<'_>> {
        outline::sections(&self.view, &self.done, outline_rules(state))
    }
}

/// Opens a course for a page about all of it, or says where the viewer has to go.
pub async fn open_outline(
    state: &LmsState,
    course: &str,
    visitor: &Visitor,
    now: DateTime<Utc>,
) -> Result<Result<Opened, Response>, WebError> {
    let key = course_key(course)?;
    let view = open(state, &key, &visitor.viewer(), now).await?;
    if let Err(denied) = view.page() {
        return turn_away(&denied, &key).map(Err);
    }
    let rows = match view.learner.user_id() {
        Some(user) => records::completion::of_course(&state.db, user, view.course.course_key())
            .await
            .map_err(WebError::internal)?,
        None => Vec::new(),
    };
    let mut done = Done::of(Completions::of(&rows));
    select_libraries(state, &view, &mut done).await?;
    Ok(Ok(Opened { view, rows, done }))
}

/// Takes up which children of libraries are the learner's, without drawing new ones.
async fn select_libraries(
    state: &LmsState,
    view: &CourseView,
    done: &mut Done,
) -> Result<(), WebError> {
    let (_, libraries) = outline::counted(view.course.course());
    let Some(user) = view.learner.user_id().filter(|_| !libraries.is_empty()) else {
        return Ok(());
    };
    let keys: Vec<String> = libraries
        .iter()
        .map(|block| records::keys::usage_text(block.usage_key()))
        .collect();
    let course = view.course.course_key();
    let rows = records::student_modules::get_many(&state.db, user, course, &keys)
        .await
        .map_err(WebError::internal)?;
    for (library, key) in libraries.iter().zip(keys) {
        if let Some(row) = rows.iter().find(|row| row.module_id == key) {
            let selected = courseware::selection::read(row.state.as_deref());
            done.select(library.key(), selected);
        }
    }
    Ok(())
}

fn context(
    state: &LmsState,
    view: &CourseView,
    sections: &[Section<'_>],
    stop: Option<Stop<'_>>,
    news: &News,
) -> CourseHomePage {
    let learner = &view.learner;
    let has_begun = stop.is_some();
    let mut total = Count::default();
    let (mut subsections_total, mut subsections_done) = (0, 0);
    let stopped_in = stop.and_then(|stop| stop.place.sequence);
    let first_open = sections
        .iter()
        .flat_map(|section| &section.subsections)
        .find(|subsection| !subsection.is_locked());
    let mut shown = Vec::with_capacity(sections.len());
    for (index, section) in sections.iter().enumerate() {
        let mut section_done = 0;
        let mut items = Vec::with_capacity(section.subsections.len());
        for subsection in &section.subsections {
            total.done += subsection.count.done;
            total.total += subsection.count.total;
            let item = item(
                state,
                view,
                subsection,
                has_begun,
                stopped_in == Some(subsection.block),
            );
            section_done += usize::from(item.mark == Mark::Done);
            items.push(item);
        }
        subsections_total += items.len();
        subsections_done += section_done;
        let begun = items
            .iter()
            .any(|item| matches!(item.mark, Mark::Part | Mark::Done));
        let is_open = match stopped_in {
            Some(sequence) => section
                .subsections
                .iter()
                .any(|subsection| subsection.block == sequence),
            None => index == 0,
        };
        shown.push(OutlineSection {
            id: section.block.block_id().to_owned(),
            title: section.block.display_name().into_owned(),
            mark: match (section_done, begun) {
                _ if section.opens.is_some() => Mark::Locked,
                (done, _) if done > 0 && done == items.len() => Mark::Done,
                (_, true) => Mark::Part,
                _ => Mark::None,
            },
            done: section_done,
            total: items.len(),
            opens: section.opens,
            is_open,
            items,
        });
    }
    let resume = resume(state, stop, first_open);
    CourseHomePage {
        course: frame(state, view, "courseware"),
        subsections_total,
        subsections_done,
        progress: (learner.is_enrolled() && total.total > 0)
            .then(|| total.done as f64 / total.total as f64),
        resume,
        update: news.welcome(learner).map(|update| Update {
            date: update.date.clone(),
            html: update.content.clone(),
        }),
        dates: next_dates(state, view, sections),
        handouts_html: news.handouts.clone(),
        is_enrolled: learner.is_enrolled(),
        sections: shown,
    }
}

fn resume(
    state: &LmsState,
    stop: Option<Stop<'_>>,
    first_open: Option<&Subsection<'_>>,
) -> Option<Resume> {
    let (block, has_started) = if let Some(stop) = stop {
        (stop.block, true)
    } else {
        let subsection = first_open?;
        let first = subsection.units.first();
        (first.map_or(subsection.block, |unit| unit.block), false)
    };
    Some(Resume {
        title: block.display_name().into_owned(),
        url: block_url(state, block),
        has_started,
    })
}

fn item(
    state: &LmsState,
    view: &CourseView,
    subsection: &Subsection<'_>,
    has_begun: bool,
    is_resume: bool,
) -> OutlineItem {
    let block = subsection.block;
    let is_locked = subsection.is_locked();
    let is_graded = block.flag("graded");
    OutlineItem {
        title: block.display_name().into_owned(),
        url: (!is_locked).then(|| block_url(state, block)),
        mark: if is_locked {
            Mark::Locked
        } else {
            mark(subsection.count, has_begun)
        },
        format: block
            .text("format")
            .filter(|format| is_graded && !format.is_empty())
            .map(str::to_owned),
        due: subsection.due.filter(|_| is_graded),
        is_past_due: subsection.due.is_some_and(|due| due < view.now),
        opens: match subsection.gate {
            Gate::NotStarted { opens } => Some(opens),
            _ => None,
        },
        earned: None,
        possible: None,
        is_resume,
        note: None,
    }
}

/// What comes next: work that is due, sections that open, the end of the course.
fn next_dates(state: &LmsState, view: &CourseView, sections: &[Section<'_>]) -> Vec<NextDate> {
    if view.learner.viewer.is_anonymous() {
        return Vec::new();
    }
    let ahead = |moment: &DateTime<Utc>| *moment > view.now;
    let mut dates = Vec::new();
    for section in sections {
        if let Some(opens) = section.opens.filter(ahead) {
            dates.push(NextDate {
                when: opens,
                title: section.block.display_name().into_owned(),
                url: None,
            });
        }
        for subsection in &section.subsections {
            let block = subsection.block;
            if let Some(due) = subsection.due.filter(ahead)
                && block.flag("graded")
            {
                dates.push(NextDate {
                    when: due,
                    title: block.display_name().into_owned(),
                    url: (!subsection.is_locked()).then(|| block_url(state, block)),
                });
            }
        }
    }
    dates.sort_by_key(|date| date.when);
    dates.truncate(NEXT_DATES);
    dates
}
