//! The outline of a published course, as learning sequences keep it (courseware.md §8.3).

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime};
use course_model::snapshot::{BlockRef, CourseSnapshot};
use opaque_keys::UsageKey;
use records::learning_sequences::{Outline, Section, Sequence};
use serde_json::Value;

/// Longest title of a section or sequence that is kept, in characters.
const LONGEST_TITLE: usize = 1000;
/// How learners who are not enrolled may see a course.
const VISIBILITIES: &[&str] = &["private", "public_outline", "public"];

/// Partition ids with the groups that may see a block, in stored order.
type Groups = Vec<(i64, Vec<i64>)>;
type Errors = Vec<(Option<String>, String)>;

/// The outline of a snapshot; `now` counts as its time where none is stored.
#[must_use]
pub fn outline(snapshot: &CourseSnapshot, now: NaiveDateTime) -> Outline {
    let course = snapshot.course();
    let mut errors = Vec::new();
    let mut seen = HashMap::new();
    let sections = course
        .children()
        .filter_map(|child| section(child, &mut seen, &mut errors))
        .collect();
    let visibility = course.text("course_visibility").unwrap_or_default();
    Outline {
        title: course.display_name().into_owned(),
        published_at: course
            .subtree_edited_on()
            .and_then(DateTime::from_timestamp_millis)
            .map_or(now, |moment| moment.naive_utc()),
        published_version: snapshot.version().to_owned(),
        course_visibility: VISIBILITIES
            .iter()
            .find(|known| **known == visibility)
            .map_or("private", |known| known)
            .to_owned(),
        self_paced: course.flag("self_paced"),
        days_early_for_beta: course.integer("days_early_for_beta"),
        entrance_exam_id: course.text("entrance_exam_id").map(str::to_owned),
        sections,
        errors,
    }
}

fn section<'a>(
    block: BlockRef<'a>,
    seen: &mut HashMap<&'a UsageKey, BlockRef<'a>>,
    errors: &mut Errors,
) -> Option<Section> {
    if block.block_type() != "chapter" {
        let text = format!(
            "<course> contains a {}. Expected <chapter> tag instead.",
            tag(block)
        );
        errors.push((Some(block.usage_key().to_string()), text));
        return None;
    }
    let groups = own_groups(block, errors);
    let mut sequences = Vec::new();
    for child in block.children() {
        if child.block_type() != "sequential" {
            let text = format!(
                "{} contains a {}. Expected a <sequential> tag.",
                opening(block),
                tag(child)
            );
            errors.push((Some(child.usage_key().to_string()), text));
        } else if let Some(first) = seen.get(child.usage_key()) {
            let text = format!(
                "{} contains a {}, which the section {} has already. Expected each <sequential> tag once.",
                opening(block),
                tag(child),
                opening(*first)
            );
            errors.push((Some(child.usage_key().to_string()), text));
        } else {
            seen.insert(child.usage_key(), block);
            sequences.push(sequence(child, errors));
        }
    }
    Some(Section {
        usage_key: block.usage_key().to_string(),
        title: title(block),
        hide_from_toc: block.flag("hide_from_toc"),
        visible_to_staff_only: block.flag("visible_to_staff_only"),
        user_partition_groups: pairs(&groups),
        sequences,
    })
}

fn sequence(block: BlockRef<'_>, errors: &mut Errors) -> Sequence {
    let mut groups = own_groups(block, errors);
    let own = groups.clone();
    for (partition, lifted) in common_groups(block) {
        let set_here = own.iter().any(|(id, _)| *id == partition);
        let text = if set_here {
            format!(
                "{}: all units are for the groups {lifted:?} of user partition {partition}, but the sequence \
                 itself is for others of it, which count. Hardly anyone but staff can see it.",
                opening(block)
            )
        } else {
            format!(
                "{}: takes the groups {lifted:?} of user partition {partition} from its units, which are all \
                 for these groups.",
                opening(block)
            )
        };
        errors.push((Some(block.usage_key().to_string()), text));
        if !set_here {
            groups.push((partition, lifted));
        }
    }
    let exam = (
        block.flag("is_practice_exam"),
        block.flag("is_proctored_enabled"),
        block.flag("is_time_limited"),
    );
    Sequence {
        usage_key: block.usage_key().to_string(),
        title: title(block),
        hide_from_toc: block.flag("hide_from_toc"),
        visible_to_staff_only: block.flag("visible_to_staff_only"),
        inaccessible_after_due: block.flag("hide_after_due"),
        user_partition_groups: pairs(&groups),
        exam: (exam != (false, false, false)).then_some(exam),
    }
}

fn title(block: BlockRef<'_>) -> String {
    block.display_name().chars().take(LONGEST_TITLE).collect()
}

/// The `display_name` field as messages show it.
fn name(block: BlockRef<'_>) -> String {
    match block.field("display_name") {
        Some(Value::String(name)) => name.clone(),
        None | Some(Value::Null) => "None".to_owned(),
        Some(other) => other.to_string(),
    }
}

/// `<chapter> with url_name="…" and display_name="…"`.
fn opening(block: BlockRef<'_>) -> String {
    format!(
        "<{}> with url_name=\"{}\" and display_name=\"{}\"",
        block.block_type(),
        block.block_id(),
        name(block)
    )
}

/// `<video> tag with url_name="…" and display_name="…"`.
fn tag(block: BlockRef<'_>) -> String {
    format!(
        "<{}> tag with url_name=\"{}\" and display_name=\"{}\"",
        block.block_type(),
        block.block_id(),
        name(block)
    )
}

fn group_access(block: BlockRef<'_>) -> Groups {
    let stored = block.field("group_access").and_then(Value::as_object);
    stored
        .into_iter()
        .flatten()
        .filter_map(|(partition, groups)| {
            let groups = groups.as_array()?.iter().filter_map(Value::as_i64);
            Some((partition.trim().parse().ok()?, groups.collect()))
        })
        .collect()
}

/// The groups that are set on the block itself; empty lists are ignored and told of.
fn own_groups(block: BlockRef<'_>, errors: &mut Errors) -> Groups {
    let (some, none): (Groups, Groups) = group_access(block)
        .into_iter()
        .partition(|(_, groups)| !groups.is_empty());
    if !none.is_empty() {
        let mut ids: Vec<i64> = none.into_iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let text = format!(
            "{}: the user partitions {} have no groups here, so that only staff could see it. They are ignored.",
            opening(block),
            ids.join(", ")
        );
        errors.push((Some(block.usage_key().to_string()), text));
    }
    some
}

/// The rules that are the same on every unit of a sequence.
fn common_groups(sequence: BlockRef<'_>) -> Groups {
    let units: Vec<Groups> = sequence
        .children()
        .map(|unit| {
            let mut groups = group_access(unit);
            groups.retain(|(_, ids)| !ids.is_empty());
            for (_, ids) in &mut groups {
                ids.sort_unstable();
            }
            groups
        })
        .collect();
    let Some((first, rest)) = units.split_first() else {
        return Vec::new();
    };
    first
        .iter()
        .filter(|rule| rest.iter().all(|unit| unit.contains(rule)))
        .cloned()
        .collect()
}

fn pairs(groups: &Groups) -> Vec<(i64, i64)> {
    groups
        .iter()
        .flat_map(|(partition, ids)| ids.iter().map(|id| (*partition, *id)))
        .collect()
}
