//! Everything around one unit: its section, its neighbours, what the learner did there (courseware.md §11, §15.4).

use course_model::BlockRef;
use db::Db;
use django_compat::pyjson::{Style, dumps};
use opaque_keys::UsageKey;
use records::keys::usage_text;
use records::{bookmarks, milestones};
use serde_json::{Value, json};

use crate::completion::Completions;
use crate::outline::{self, Done, Gate, OutlineRules, Section, Subsection, Unit};
use crate::render::{Known, RenderOptions, RenderedUnit, plan_tree, usages_of};
use crate::resume::Place;
use crate::runtime::Runtime;
use crate::states::{self, Change, State, UserStates};
use crate::view::CourseView;
use crate::{Result, selection};

/// A unit among its neighbours.
#[derive(Debug, Clone)]
pub struct UnitPlace<'a> {
    /// The section with all of its subsections.
    pub section: Section<'a>,
    /// Which of them is shown.
    pub subsection: usize,
    /// Which unit of it is shown; none when it has none, or is closed.
    pub unit: Option<usize>,
    /// The page before: a subsection and, if it has any, its last unit.
    pub previous: Option<(BlockRef<'a>, Option<BlockRef<'a>>)>,
    /// The page after: a subsection and, if it has any, its first unit.
    pub next: Option<(BlockRef<'a>, Option<BlockRef<'a>>)>,
}

impl<'a> UnitPlace<'a> {
    /// Finds a sequence and a unit of it; none when the course has no such sequence, or no such unit for the learner.
    /// Only the section around it is looked at closely, so that the cost does not grow with the course.
    #[must_use]
    pub fn find(
        view: &'a CourseView,
        sequence: BlockRef<'a>,
        unit: Option<&UsageKey>,
        done: &Done,
        rules: OutlineRules,
    ) -> Option<Self> {
        let chapter = Place::of(sequence)?.section?;
        let mut section = outline::section(view, chapter, done, rules);
        let index = section
            .subsections
            .iter()
            .position(|subsection| subsection.block == sequence);
        let index = if let Some(index) = index {
            index
        } else {
            // Not listed, but whoever has its address may open it (courseware.md §7.3).
            view.block(sequence).ok()?;
            let unlisted = outline::subsection(view, sequence, done, rules);
            section.subsections.push(unlisted);
            section.subsections.len() - 1
        };
        let shown = section.subsections.get(index)?;
        let unit = match unit {
            // Why it is closed is said for the whole subsection.
            _ if shown.gate != Gate::Open => None,
            Some(key) => Some(
                shown
                    .units
                    .iter()
                    .position(|unit| unit.block.usage_key() == key)?,
            ),
            None => (!shown.units.is_empty()).then_some(0),
        };
        let mut place = Self {
            section,
            subsection: index,
            unit,
            previous: None,
            next: None,
        };
        place.find_neighbours(view, rules);
        Some(place)
    }

    /// The subsection.
    #[must_use]
    pub fn subsection(&self) -> Option<&Subsection<'a>> {
        self.section.subsections.get(self.subsection)
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> Option<&Unit<'a>> {
        self.subsection()?.units.get(self.unit?)
    }

    fn find_neighbours(&mut self, view: &'a CourseView, rules: OutlineRules) {
        let Some(shown) = self.subsection() else {
            return;
        };
        let is_open = shown.gate == Gate::Open;
        let sequence = shown.block;
        let at = |index: Option<usize>| {
            index
                .and_then(|index| shown.units.get(index))
                .filter(|_| is_open)
                .map(|unit| (sequence, Some(unit.block)))
        };
        let before = at(self.unit.and_then(|unit| unit.checked_sub(1)));
        let after = at(self.unit.and_then(|unit| unit.checked_add(1)));
        let previous = before.or_else(|| {
            let sequence = neighbour(view, sequence, rules, true)?;
            Some((sequence, outline::units(view, sequence).last()))
        });
        let next = after.or_else(|| {
            let sequence = neighbour(view, sequence, rules, false)?;
            Some((sequence, outline::units(view, sequence).next()))
        });
        (self.previous, self.next) = (previous, next);
    }
}

/// The nearest sequence before or after another that the learner can open, also in other sections.
fn neighbour<'a>(
    view: &'a CourseView,
    sequence: BlockRef<'a>,
    rules: OutlineRules,
    backwards: bool,
) -> Option<BlockRef<'a>> {
    let chapter = Place::of(sequence)?.section?;
    let ordered = |blocks: Vec<BlockRef<'a>>| {
        let mut blocks = blocks;
        if backwards {
            blocks.reverse();
        }
        blocks
    };
    let chapters = ordered(view.course.course().children().collect());
    let from = chapters.iter().position(|block| *block == chapter)?;
    let mut is_past = false;
    for chapter in chapters.into_iter().skip(from) {
        let is_shown = chapter.block_type() == "chapter" && outline::is_listed(view, chapter);
        for block in ordered(chapter.children().collect()) {
            if block == sequence {
                is_past = true;
                continue;
            }
            let is_open = is_shown
                && outline::is_sequence(block)
                && outline::is_listed(view, block)
                && outline::gate(view, block, rules) == Gate::Open;
            if is_past && is_open {
                return Some(block);
            }
        }
        is_past = true;
    }
    None
}

/// Everything that a unit page shows.
#[derive(Debug)]
pub struct ShownUnit<'a> {
    /// Where it is.
    pub place: UnitPlace<'a>,
    /// Its content; none when it is closed or empty.
    pub rendered: Option<RenderedUnit>,
    /// Texts of the usage keys that the learner bookmarked in the course.
    pub bookmarks: Vec<String>,
    /// Whether the learner completed anything in the section.
    pub has_begun: bool,
}

impl Runtime {
    /// Shows a unit of a sequence with everything around it; none when there is no such unit. Without a unit the page
    /// says why the sequence is closed, or empty. Who may not open the course never comes here.
    ///
    /// Reads states with one statement, completions and bookmarks with another, and what the blocks need besides.
    /// Stores the position (courseware.md §11) when it changes.
    pub async fn unit_page<'a>(
        &self,
        view: &'a CourseView,
        sequence: BlockRef<'a>,
        unit: Option<&UsageKey>,
        rules: OutlineRules,
        options: &RenderOptions,
    ) -> Result<Option<ShownUnit<'a>>> {
        let Some(chapter) = Place::of(sequence).and_then(|place| place.section) else {
            return Ok(None);
        };
        let user = view.learner.user_id();
        let course = view.course.course_key();
        let (mut leaves, libraries) = outline::counted(chapter);
        let mut wanted = vec![usage_text(sequence.usage_key())];
        wanted.extend(libraries.iter().map(|block| usage_text(block.usage_key())));
        if let Some(block) = unit.and_then(|unit| view.find(unit)) {
            let inside = usages_of(&plan_tree(view, block));
            leaves.extend(inside.iter().cloned());
            wanted.extend(inside);
        }
        for keys in [&mut leaves, &mut wanted] {
            keys.sort_unstable();
            keys.dedup();
        }
        let states = UserStates::load(&self.db, user, course, &wanted).await?;
        let marks = match user {
            Some(user) => records::completion::marks(&self.db, user, course, &leaves).await?,
            None => records::completion::Marks::default(),
        };
        let completions = Completions::of_values(marks.completions);
        let mut done = Done::of(completions.clone());
        for library in libraries {
            if let Some(row) = states.row(&usage_text(library.usage_key())) {
                done.select(library.key(), selection::read(row.state.as_deref()));
            }
        }
        let Some(place) = UnitPlace::find(view, sequence, unit, &done, rules) else {
            return Ok(None);
        };
        let is_open = place
            .subsection()
            .is_some_and(|subsection| subsection.gate == Gate::Open);
        let shown = place.unit().filter(|_| is_open && unit.is_some());
        let position = place
            .unit
            .filter(|_| shown.is_some())
            .and_then(|index| position_change(sequence, index, &states));
        let has_begun = !completions.is_empty();
        let rendered = match shown.map(|unit| view.block(unit.block)) {
            Some(Ok(block)) => {
                let known = Known {
                    states: Some(states),
                    completions: Some(completions),
                    bookmarks: Some(marks.bookmarks.clone()),
                };
                Some(Box::pin(self.render_known(view, block, options, known)).await?)
            }
            _ => None,
        };
        if let (Some(user), Some(change)) = (user, position) {
            states::write_views(&self.db, user, &[change], view.now).await?;
        }
        Ok(Some(ShownUnit {
            place,
            rendered,
            bookmarks: marks.bookmarks,
            has_begun,
        }))
    }
}

/// The change of a sequence's stored position, if it is another one; positions count from 1.
fn position_change(sequence: BlockRef<'_>, index: usize, states: &UserStates) -> Option<Change> {
    let key = usage_text(sequence.usage_key());
    let position = json!(index + 1);
    if states.state(&key).get("position") == Some(&position) {
        return None;
    }
    let changes = State::from_iter([("position".to_owned(), position)]);
    Some(Change::new(
        sequence.usage_key().clone(),
        states.row(&key),
        changes,
    ))
}

/// Sets or removes a learner's bookmark of a block (lms-api.md §11.3).
pub async fn set_bookmark(
    db: &Db,
    view: &CourseView,
    block: BlockRef<'_>,
    user_id: i64,
    is_wanted: bool,
) -> Result<()> {
    let usage = block.usage_key();
    let name = block.display_name();
    let mut above: Vec<Value> = block
        .ancestors()
        .filter(|ancestor| ancestor.block_type() != "course")
        .map(|ancestor| {
            json!({
                "display_name": ancestor.display_name(),
                "usage_key": usage_text(ancestor.usage_key()),
            })
        })
        .collect();
    above.reverse();
    let path = dumps(&Value::Array(above.clone()), Style::DEFAULT);
    let paths = dumps(&json!([above]), Style::DEFAULT);
    let now = view.now.naive_utc();
    let (name, path, paths) = (name.as_ref(), path.as_str(), paths.as_str());
    db.write(|mut tx| async move {
        if is_wanted {
            bookmarks::add(&mut tx, user_id, usage, name, path, paths, now).await?;
        } else {
            bookmarks::delete(&mut tx, user_id, usage).await?;
        }
        Ok::<_, db::Error>(())
    })
    .await?;
    Ok(())
}

/// The block that must be passed before a closed sequence opens, if the course says which.
pub async fn prerequisite<'a>(
    db: &Db,
    view: &'a CourseView,
    sequence: BlockRef<'_>,
) -> Result<Option<BlockRef<'a>>> {
    let key = match view.learner.milestones.entrance_exams.first() {
        Some(exam) => Some(exam.clone()),
        None => milestones::fulfilled_by(db, sequence.usage_key()).await?,
    };
    let usage = key.and_then(|key| UsageKey::parse(&key).ok());
    Ok(usage.and_then(|usage| view.find(&usage)))
}
