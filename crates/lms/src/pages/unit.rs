//! The unit page (`/learning/course/{key}/{sequence}/{unit}`; courseware.md §11, §14, §15.4).

use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use course_model::BlockRef;
use courseware::handlers::Request;
use courseware::outline::{self, Gate, UnitKind};
use courseware::render::RenderOptions;
use courseware::resume::Place;
use courseware::unit::ShownUnit;
use courseware::{CourseView, access};
use identity::Form;
use opaque_keys::{CourseKey, UsageKey};
use records::keys::usage_text;
use web_kit::{Locale, Page, WebError};

use super::blocks::{needs, prepare};
use super::contexts::{
    BlockSlot, Crumb, Gate as GateText, RailItem, Turn, UnitLink, UnitPage, UnitView,
};
use super::frame::{
    block_url, course_key, found, frame, home_url, mark, open, outline_rules, turn_away,
};
use crate::auth::{SignedIn, Visitor};
use crate::clock::Now;
use crate::form::FormBody;
use crate::state::LmsState;

/// Actions of a problem that a plain form may ask for.
const PROBLEM_ACTIONS: [&str; 5] = [
    "problem_check",
    "problem_save",
    "problem_reset",
    "problem_show",
    "hint_button",
];

fn usage_of(text: &str, course: &CourseKey) -> Result<UsageKey, WebError> {
    UsageKey::parse(text)
        .ok()
        .and_then(|key| key.map_into_course(course).ok())
        .ok_or_else(WebError::not_found)
}

/// `GET /learning/course/{course}/{sequence}`: to the unit where the learner was, or to the first one.
pub async fn sequence(
    State(state): State<LmsState>,
    Path((course, sequence)): Path<(String, String)>,
    visitor: Visitor,
    Now(now): Now,
    page: Page,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let view = open(&state, &key, &visitor.viewer(), now).await?;
    if let Err(denied) = view.page() {
        return turn_away(&denied, &key);
    }
    let usage = usage_of(&sequence, &key)?;
    let block = view.find(&usage).ok_or_else(WebError::not_found)?;
    if !outline::is_sequence(block) {
        return Ok(found(&page_of(&state, &view, block)));
    }
    let rules = outline_rules(&state);
    if outline::gate(&view, block, rules) == Gate::Open {
        let units: Vec<BlockRef<'_>> = outline::units(&view, block).collect();
        let position = position(&state, &view, block).await?;
        let unit = position
            .and_then(|position| units.get(position.checked_sub(1)?))
            .or(units.first());
        if let Some(unit) = unit {
            return Ok(found(&block_url(&state, *unit)));
        }
    }
    show(&state, &view, block, None, &page).await
}

/// The page of a block that is no sequence: of a section its first subsection that is open, else where it stands.
fn page_of(state: &LmsState, view: &CourseView, block: BlockRef<'_>) -> String {
    let rules = outline_rules(state);
    let first = block.children().find(|child| {
        outline::is_sequence(*child)
            && outline::is_listed(view, *child)
            && outline::gate(view, *child, rules) == Gate::Open
    });
    let is_inside = Place::of(block).is_some_and(|place| place.sequence.is_some());
    match (first, is_inside) {
        (Some(sequence), _) => block_url(state, sequence),
        (None, true) => block_url(state, block),
        (None, false) => home_url(state, view.course.course_key()),
    }
}

/// The position that is stored for a sequence, from 1.
async fn position(
    state: &LmsState,
    view: &CourseView,
    sequence: BlockRef<'_>,
) -> Result<Option<usize>, WebError> {
    let Some(user) = view.learner.user_id() else {
        return Ok(None);
    };
    let row = records::student_modules::get(&state.db, user, sequence.usage_key())
        .await
        .map_err(WebError::internal)?;
    let position = row
        .as_ref()
        .map(courseware::states::state_of)
        .and_then(|state| state.get("position")?.as_u64());
    Ok(position.and_then(|position| usize::try_from(position).ok()))
}

/// `GET /learning/course/{course}/{sequence}/{unit}`; `first` and `last` stand for a unit too.
pub async fn unit(
    State(state): State<LmsState>,
    Path((course, sequence, unit)): Path<(String, String, String)>,
    visitor: Visitor,
    Now(now): Now,
    page: Page,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let view = open(&state, &key, &visitor.viewer(), now).await?;
    if let Err(denied) = view.page() {
        return turn_away(&denied, &key);
    }
    let usage = usage_of(&sequence, &key)?;
    let block = view.find(&usage).ok_or_else(WebError::not_found)?;
    if !outline::is_sequence(block) {
        return Err(WebError::not_found());
    }
    let end = match unit.as_str() {
        "first" => outline::units(&view, block).next(),
        "last" => outline::units(&view, block).last(),
        text => {
            let unit = usage_of(text, &key)?;
            return show(&state, &view, block, Some(&unit), &page).await;
        }
    };
    match end {
        Some(unit) => Ok(found(&block_url(&state, unit))),
        None => show(&state, &view, block, None, &page).await,
    }
}

async fn show(
    state: &LmsState,
    view: &CourseView,
    sequence: BlockRef<'_>,
    unit: Option<&UsageKey>,
    page: &Page,
) -> Result<Response, WebError> {
    let options = RenderOptions {
        in_pieces: true,
        ..RenderOptions::default()
    };
    let shown = state
        .runtime
        .unit_page(view, sequence, unit, outline_rules(state), &options)
        .await
        .map_err(WebError::internal)?
        .ok_or_else(WebError::not_found)?;
    let first = prerequisite(state, view, &shown).await?;
    let context =
        context(state, view, &shown, first, page.locale()).ok_or_else(WebError::not_found)?;
    page.render(&context)
}

/// What comes before a closed subsection.
async fn prerequisite<'a>(
    state: &LmsState,
    view: &'a CourseView,
    shown: &ShownUnit<'_>,
) -> Result<Option<BlockRef<'a>>, WebError> {
    match shown.place.subsection() {
        Some(subsection) if subsection.gate == Gate::Prerequisite => {
            courseware::unit::prerequisite(&state.db, view, subsection.block)
                .await
                .map_err(WebError::internal)
        }
        _ => Ok(None),
    }
}

fn context(
    state: &LmsState,
    view: &CourseView,
    shown: &ShownUnit<'_>,
    first: Option<BlockRef<'_>>,
    locale: &Locale,
) -> Option<UnitPage> {
    let place = &shown.place;
    let subsection = place.subsection()?;
    let course = view.course.course_key();
    let home = home_url(state, course);
    let section_title = place.section.block.display_name().into_owned();
    let section_url = format!("{home}#{}", place.section.block.block_id());
    let subsection_title = subsection.block.display_name().into_owned();
    let turn = |neighbour: Option<(BlockRef<'_>, Option<BlockRef<'_>>)>| {
        let (sequence, unit) = neighbour?;
        let block = unit.unwrap_or(sequence);
        Some(Turn {
            title: block.display_name().into_owned(),
            url: block_url(state, block),
        })
    };
    let first = first.map(|block| Turn {
        title: block.display_name().into_owned(),
        url: block_url(state, block),
    });
    let gate = gate_text(subsection.gate, subsection.units.is_empty(), first, &home);
    Some(UnitPage {
        course: frame(state, view, "courseware"),
        crumbs: vec![
            Crumb {
                title: locale.pgettext("navigation", "Course").to_owned(),
                url: Some(home),
            },
            Crumb {
                title: section_title.clone(),
                url: Some(section_url.clone()),
            },
            Crumb {
                title: subsection_title.clone(),
                url: None,
            },
        ],
        rail: place
            .section
            .subsections
            .iter()
            .map(|item| RailItem {
                title: item.block.display_name().into_owned(),
                url: block_url(state, item.block),
                mark: if item.is_locked() {
                    super::contexts::Mark::Locked
                } else {
                    mark(item.count, shown.has_begun)
                },
                is_current: item.block == subsection.block,
            })
            .collect(),
        section_title,
        section_url,
        subsection_title,
        subsection_key: subsection.block.usage_key().to_string(),
        units: if gate.is_none() {
            unit_links(state, shown)
        } else {
            Vec::new()
        },
        previous: turn(place.previous),
        next: turn(place.next),
        unit: unit_view(view, shown, locale).filter(|_| gate.is_none()),
        gate,
    })
}

fn unit_links(state: &LmsState, shown: &ShownUnit<'_>) -> Vec<UnitLink> {
    let current = shown.place.unit().map(|unit| unit.block);
    let units = shown.place.subsection().map(|subsection| &subsection.units);
    units
        .into_iter()
        .flatten()
        .map(|unit| UnitLink {
            title: unit.block.display_name().into_owned(),
            url: block_url(state, unit.block),
            key: unit.block.usage_key().to_string(),
            kind: match unit.kind {
                UnitKind::Problem => "problem",
                UnitKind::Video => "video",
                UnitKind::Discussion => "talk",
                UnitKind::Text => "text",
                UnitKind::Other => "other",
            },
            is_done: unit.count.is_complete() && (unit.count.total > 0 || shown.has_begun),
            is_current: current == Some(unit.block),
            is_bookmarked: shown
                .bookmarks
                .contains(&usage_text(unit.block.usage_key())),
        })
        .collect()
}

fn gate_text(gate: Gate, is_empty: bool, first: Option<Turn>, home: &str) -> Option<GateText> {
    match gate {
        Gate::NotStarted { opens } => Some(GateText::NotStarted {
            opens: (opens.timestamp() != access::DEFAULT_START).then_some(opens),
        }),
        Gate::PastDue => Some(GateText::PastDue),
        Gate::Prerequisite => Some(match first {
            Some(Turn { title, url }) => GateText::Prerequisite { title, url },
            None => GateText::Prerequisite {
                title: String::new(),
                url: home.to_owned(),
            },
        }),
        Gate::Exam => Some(GateText::Exam),
        Gate::Open if is_empty => Some(GateText::Empty),
        Gate::Open => None,
    }
}

fn unit_view(view: &CourseView, shown: &ShownUnit<'_>, locale: &Locale) -> Option<UnitView> {
    let unit = shown.place.unit()?.block;
    let subsection = shown.place.subsection()?;
    let rendered = shown.rendered.as_ref()?;
    let can_answer = view.learner.user_id().is_some();
    let slot = |key: String, block_type: &str, html: &str| BlockSlot {
        key,
        block_type: block_type.to_owned(),
        html: prepare(html, locale),
        is_form: can_answer && block_type == "problem",
    };
    let blocks: Vec<BlockSlot> = if rendered.is_unit {
        rendered
            .children
            .iter()
            .map(|child| slot(child.usage.to_string(), &child.block_type, &child.html))
            .collect()
    } else {
        vec![slot(
            unit.usage_key().to_string(),
            unit.block_type(),
            &rendered.html,
        )]
    };
    let is_graded = unit.flag("graded");
    Some(UnitView {
        key: unit.usage_key().to_string(),
        title: unit.display_name().into_owned(),
        is_bookmarked: can_answer.then(|| shown.bookmarks.contains(&usage_text(unit.usage_key()))),
        due: subsection.due.filter(|_| is_graded),
        format: unit
            .text("format")
            .filter(|format| is_graded && !format.is_empty())
            .map(str::to_owned),
        needs: needs(blocks.iter().map(|block| block.html.as_str())),
        blocks,
    })
}

/// `POST` to a unit page: the forms that work without script. Each leads back to the page.
pub async fn act(
    State(state): State<LmsState>,
    Path((course, _sequence, unit)): Path<(String, String, String)>,
    SignedIn(user): SignedIn,
    Now(now): Now,
    uri: Uri,
    FormBody(form): FormBody,
) -> Result<Response, WebError> {
    let key = course_key(&course)?;
    let viewer = identity::Viewer::from(&user);
    let view = open(&state, &key, &viewer, now).await?;
    if let Err(denied) = view.page() {
        return turn_away(&denied, &key);
    }
    let unit = usage_of(&unit, &key)?;
    let block = view.find(&unit).ok_or_else(WebError::not_found)?;
    view.block(block).map_err(|_| WebError::not_found())?;
    let action = form.text("stoa_action");
    let mut anchor = String::new();
    match action {
        "bookmark" | "unbookmark" => {
            bookmark(&state, &view, block, user.id, action == "bookmark").await?;
        }
        action if PROBLEM_ACTIONS.contains(&action) => {
            let usage = usage_of(form.text("stoa_usage"), &key)?;
            answer(&state, &view, &usage, action, &form).await?;
            anchor = format!("#{}", usage.html_id());
        }
        _ => return Err(WebError::bad_request("Unknown action.")),
    }
    Ok(found(&format!("{}{anchor}", uri.path())))
}

async fn answer(
    state: &LmsState,
    view: &CourseView,
    usage: &UsageKey,
    action: &str,
    form: &Form,
) -> Result<(), WebError> {
    let block = view.find(usage).ok_or_else(WebError::not_found)?;
    let block = view.block(block).map_err(|_| WebError::not_found())?;
    let fields = form
        .fields()
        .iter()
        .filter(|(name, _)| !name.starts_with("stoa_") && name != web_kit::csrf::FIELD)
        .cloned()
        .collect();
    let request = Request {
        is_post: true,
        name: "xmodule_handler".to_owned(),
        suffix: action.to_owned(),
        form: fields,
        ..Request::default()
    };
    state
        .runtime
        .handle(view, block, &request)
        .await
        .map_err(WebError::internal)?;
    Ok(())
}

async fn bookmark(
    state: &LmsState,
    view: &CourseView,
    block: BlockRef<'_>,
    user_id: i64,
    is_wanted: bool,
) -> Result<(), WebError> {
    courseware::unit::set_bookmark(&state.db, view, block, user_id, is_wanted)
        .await
        .map_err(WebError::internal)
}
