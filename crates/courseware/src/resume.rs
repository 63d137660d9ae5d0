//! Where a learner goes on (courseware.md §5, §14, §15.5).

use chrono::{DateTime, Utc};
use course_model::{BlockKey, BlockRef, CourseSnapshot};
use opaque_keys::UsageKey;
use records::completion::BlockCompletion;

use crate::outline::is_sequence;
use crate::view::CourseView;

/// Place of a block among the pages of a course.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The block itself.
    pub block: BlockRef<'a>,
    /// Its section, if it is one or in one.
    pub section: Option<BlockRef<'a>>,
    /// Its subsection, if it is one or in one.
    pub sequence: Option<BlockRef<'a>>,
    /// Its unit: what stands directly in the subsection.
    pub unit: Option<BlockRef<'a>>,
}

impl<'a> Place<'a> {
    /// Finds the place of a block; none for blocks that are not below the course.
    #[must_use]
    pub fn of(block: BlockRef<'a>) -> Option<Self> {
        let mut place = Self {
            block,
            section: None,
            sequence: None,
            unit: None,
        };
        let mut below = None;
        let mut reaches_course = false;
        for above in std::iter::once(block).chain(block.ancestors()) {
            if is_sequence(above) && place.sequence.is_none() {
                place.sequence = Some(above);
                place.unit = below;
            }
            match above.block_type() {
                "chapter" => place.section = Some(above),
                "course" => reaches_course = true,
                _ => {}
            }
            below = Some(above);
        }
        reaches_course.then_some(place)
    }

    /// Its page as a path below the address of the learning pages: `/course/{key}[/{sequence}[/{unit}]]`
    /// (courseware.md §14, `jump_to`).
    #[must_use]
    pub fn path(&self) -> String {
        let course = self.block.snapshot().course_key();
        let mut path = format!("/course/{course}");
        let parts: &[Option<BlockRef<'_>>] = match (self.sequence, self.section) {
            (Some(_), _) => &[self.sequence, self.unit],
            (None, section) => &[section],
        };
        for part in parts.iter().flatten() {
            path.push('/');
            path.push_str(&part.usage_key().to_string());
        }
        path
    }
}

/// The block with an id, of whatever type; the first one of several.
#[must_use]
pub fn block_by_id<'a>(course: &'a CourseSnapshot, id: &str) -> Option<BlockRef<'a>> {
    let mut found = course.blocks().filter(|block| block.block_id() == id);
    let first = found.next()?;
    let others = found.count();
    if others > 0 {
        tracing::warn!(course = %course.course_key(), id, others, "several blocks have the same id");
    }
    Some(first)
}

/// Where a learner was last.
#[derive(Debug, Clone, Copy)]
pub struct Stop<'a> {
    /// The unit or, without one, the subsection.
    pub block: BlockRef<'a>,
    /// Its place.
    pub place: Place<'a>,
    /// When.
    pub when: DateTime<Utc>,
}

/// The place of the completion that changed last, whatever its value; none when its block is gone or closed.
#[must_use]
pub fn last_stop<'a>(view: &'a CourseView, rows: &[BlockCompletion]) -> Option<Stop<'a>> {
    let latest = rows.iter().max_by_key(|row| (row.modified, row.id))?;
    stop_at(view, latest)
}

/// The place of one completion.
#[must_use]
pub fn stop_at<'a>(view: &'a CourseView, row: &BlockCompletion) -> Option<Stop<'a>> {
    let usage = UsageKey::parse(&row.block_key).ok()?;
    let idx = view.course.find(&BlockKey::from(&usage))?;
    let place = Place::of(view.course.block(idx))?;
    let block = place.unit.or(place.sequence)?;
    view.block(block).ok()?;
    Some(Stop {
        block,
        place,
        when: row.modified.and_utc(),
    })
}
