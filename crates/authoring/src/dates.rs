//! The dates of a published course, as edx-when keeps them (courseware.md §6).

use std::collections::HashSet;

use course_model::snapshot::{BlockRef, CourseSnapshot};
use records::dates::NewDate;

/// Fields that hold dates, in the order in which they are stored.
const FIELDS: &[&str] = &["due", "start", "end"];
/// Expected duration of a course about which no catalogue knows more, in microseconds: four weeks.
const DURATION: i64 = 4 * WEEK;
/// A week in microseconds.
const WEEK: i64 = 7 * 86_400 * 1_000_000;
/// More weeks than this are taken as this many.
const MOST_WEEKS: i64 = 520;
/// Assignments whose due dates authors give in days of their own.
const OPEN_RESPONSE: &str = "openassessment";

/// How dates of self-paced courses are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RelativeDates {
    /// Whether due dates are spread over the expected duration (`SelfPacedRelativeDatesConfig`).
    pub(crate) enabled: bool,
    /// Whether subsections may say themselves after how many weeks they are due
    /// (`studio.custom_relative_dates`).
    pub(crate) custom: bool,
}

/// The dates of a snapshot.
pub(crate) fn dates(snapshot: &CourseSnapshot, relative: RelativeDates) -> Vec<NewDate> {
    let course = snapshot.course();
    let mut found = Vec::new();
    if course.flag("self_paced") {
        absolute(course, &mut found);
        // A course may have got one by accident; its subsections are due by their own.
        found.retain(|date| date.field != "due");
        if relative.enabled {
            spread(course, relative, &mut found);
        }
    } else {
        for block in snapshot.blocks() {
            absolute(block, &mut found);
        }
    }
    let mut seen = HashSet::new();
    found.retain(|date| seen.insert((date.location.clone(), date.field.clone())));
    found
}

/// The dates that are set on a block itself.
fn absolute(block: BlockRef<'_>, found: &mut Vec<NewDate>) {
    for field in FIELDS {
        if block.kind().field(field).is_none() {
            continue;
        }
        if let Some(date) = block.own_date(field) {
            found.push(NewDate {
                abs_date: Some(date.naive_utc()),
                ..new_date(block, field)
            });
        }
    }
}

fn new_date(block: BlockRef<'_>, field: &str) -> NewDate {
    NewDate {
        location: block.usage_key().to_string(),
        field: field.to_owned(),
        block_type: Some(block.block_type().to_owned()),
        abs_date: None,
        rel_date: None,
    }
}

fn due_after(block: BlockRef<'_>, microseconds: i64) -> NewDate {
    NewDate {
        rel_date: Some(microseconds),
        ..new_date(block, "due")
    }
}

/// Gives each section an equal part of the course's duration.
fn spread(course: BlockRef<'_>, relative: RelativeDates, found: &mut Vec<NewDate>) {
    let sections: Vec<_> = course
        .children()
        .filter(|section| !section.flag("visible_to_staff_only"))
        .collect();
    let Ok(count) = i64::try_from(sections.len()) else {
        return;
    };
    for (number, section) in (1..).zip(sections) {
        let after = nearest(DURATION, count) * number;
        let (mut inside, mut latest) = (Vec::new(), 0);
        for subsection in section.children() {
            let (due, dates) = subsection_dates(subsection, after, relative);
            if let Some(due) = due {
                latest = latest.max(due);
            }
            inside.extend(dates);
        }
        if inside.is_empty() {
            continue;
        }
        if section.flag("graded") && latest > 0 {
            found.push(due_after(section, latest));
        }
        found.extend(inside);
    }
}

/// When a subsection is due, and the dates of what is in it.
fn subsection_dates(
    subsection: BlockRef<'_>,
    after: i64,
    relative: RelativeDates,
) -> (Option<i64>, Vec<NewDate>) {
    let weeks = subsection
        .integer("relative_weeks_due")
        .filter(|weeks| relative.custom && *weeks > 0);
    if let Some(weeks) = weeks {
        let due = weeks.min(MOST_WEEKS) * WEEK;
        let dates = subsection
            .subtree()
            .filter(|block| block.block_type() != OPEN_RESPONSE)
            .map(|block| due_after(block, due))
            .collect();
        return (Some(due), dates);
    }
    if !subsection.subtree().any(is_assignment) {
        return (None, Vec::new());
    }
    let graded: Vec<_> = subsection
        .subtree()
        .filter(|block| block.flag("graded") && block.block_type() != OPEN_RESPONSE)
        .collect();
    if !graded.iter().any(|block| has_score(*block)) {
        return (None, Vec::new());
    }
    let dates = graded.into_iter().map(|block| due_after(block, after));
    (Some(after), dates.collect())
}

/// Whether learners earn points that count in a block.
fn is_assignment(block: BlockRef<'_>) -> bool {
    let weightless = block.float("weight") == Some(0.0);
    block.flag("graded") && has_score(block) && !weightless
}

fn has_score(block: BlockRef<'_>) -> bool {
    let kind = block.kind();
    kind.has_score || (kind.field("has_score").is_some() && block.flag("has_score"))
}

/// `whole / parts`, halves to the even neighbour, as Python divides durations.
fn nearest(whole: i64, parts: i64) -> i64 {
    if parts <= 0 {
        return 0;
    }
    let (quotient, rest) = (whole / parts, whole % parts);
    match (rest * 2).cmp(&parts) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Greater => quotient + 1,
        std::cmp::Ordering::Equal => quotient + quotient % 2,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    // courseware.md §6: (i+1)·duration/n.
    #[test]
    fn durations_are_divided_as_python_does() {
        for (whole, parts, quotient) in [
            (10, 4, 2),
            (14, 4, 4),
            (7, 3, 2),
            (8, 3, 3),
            (2_419_200_000_000, 6, 403_200_000_000),
            (5, 0, 0),
        ] {
            assert_eq!(nearest(whole, parts), quotient, "{whole}/{parts}");
        }
    }
}
