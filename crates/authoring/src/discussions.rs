//! What the forum of a course is told when the course is published (olx.md §5, §11; forum.md).

use std::collections::HashMap;
use std::fmt::Write as _;

use chrono::NaiveDateTime;
use course_model::snapshot::{BlockRef, CourseSnapshot};
use course_model::unique_id;
use db::Tx;
use opaque_keys::CourseKey;
use records::discussions::{self, DiscussionTopicLink, DiscussionsConfiguration};
use records::history::Author;
use serde_json::{Value, json};

/// The forum of courses that name none.
const DEFAULT_PROVIDER: &str = "legacy";
/// The forum that knows units as topics.
const OPEN_EDX: &str = "openedx";
/// Topics of units come after this many places for those of the course.
const FIRST_UNIT: i64 = 100;
/// Longest title that a topic keeps, in characters.
const LONGEST_TITLE: usize = 255;

/// A topic as the course has it.
#[derive(Debug, Clone, PartialEq)]
struct Topic {
    /// Of a unit: its usage key.
    usage_key: Option<String>,
    /// Of the course: its id.
    external_id: Option<String>,
    title: String,
    ordering: i64,
    context: Value,
}

/// Whether a value of the course's settings goes over what is stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settings {
    /// Only where nothing is stored: after a publish, since authors change the forum elsewhere.
    Begin,
    /// Always: after an import.
    Replace,
}

/// The forum as a course's own settings describe it.
fn configuration(snapshot: &CourseSnapshot, now: NaiveDateTime) -> DiscussionsConfiguration {
    let settings = snapshot.course().field("discussions_settings");
    let value = |name: &str| settings.and_then(|settings| settings.get(name));
    let flag = |name: &str, default| value(name).and_then(Value::as_bool).unwrap_or(default);
    let text = |name: &str| {
        value(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    DiscussionsConfiguration {
        context_key: snapshot.course_key().to_string(),
        created: now,
        modified: now,
        enabled: true,
        plugin_configuration: "{}".to_owned(),
        provider_type: text("provider_type")
            .or_else(|| text("provider"))
            .unwrap_or(DEFAULT_PROVIDER)
            .to_owned(),
        lti_configuration_id: None,
        enable_graded_units: flag("enable_graded_units", false),
        enable_in_context: flag("enable_in_context", true),
        unit_level_visibility: flag("unit_level_visibility", true),
        posting_restrictions: text("posting_restrictions")
            .unwrap_or("disabled")
            .to_owned(),
    }
}

/// Brings the forum's rows up to date with a published course.
pub(crate) async fn save(
    tx: &mut Tx,
    snapshot: &CourseSnapshot,
    settings: Settings,
    now: NaiveDateTime,
) -> db::Result<()> {
    let course = snapshot.course_key();
    let wanted = configuration(snapshot, now);
    let row = match (
        discussions::configuration(&mut *tx, course).await?,
        settings,
    ) {
        (Some(stored), Settings::Begin) => stored,
        (Some(stored), Settings::Replace) => DiscussionsConfiguration {
            enabled: stored.enabled,
            plugin_configuration: stored.plugin_configuration,
            lti_configuration_id: stored.lti_configuration_id,
            ..wanted
        },
        (None, _) => wanted,
    };
    discussions::save_configuration(tx, &row, &Author::nobody(now)).await?;
    discussions::save_id_map(tx, course, &id_map(snapshot)).await?;
    if row.provider_type == OPEN_EDX {
        save_topics(tx, course, &row, topics(snapshot, &row)).await?;
    }
    Ok(())
}

/// Discussion blocks of the tree by the id of their topic, as JSON in the form in which it is stored.
fn id_map(snapshot: &CourseSnapshot) -> String {
    let blocks = snapshot.course().descendants().filter(|block| {
        let set = |name| block.field(name).is_some_and(|value| !value.is_null());
        block.block_type() == "discussion" && set("discussion_category") && set("discussion_target")
    });
    let mut entries: Vec<(String, String)> = Vec::new();
    for block in blocks {
        let id = match block.text("discussion_id") {
            Some(id) => id.to_owned(),
            None => unique_id(block.usage_key(), "discussion_id"),
        };
        let usage_key = block.usage_key().to_string();
        match entries.iter_mut().find(|(known, _)| *known == id) {
            Some(entry) => entry.1 = usage_key,
            None => entries.push((id, usage_key)),
        }
    }
    if entries.is_empty() {
        return "{}".to_owned();
    }
    let lines: Vec<String> = entries
        .iter()
        .map(|(id, key)| format!("    {}: {}", quoted(id), quoted(key)))
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// A JSON text of ASCII characters.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for char in Value::from(text).to_string().chars() {
        if char.is_ascii() {
            out.push(char);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// The topics of a course: its own by their sort key, then its units.
fn topics(snapshot: &CourseSnapshot, forum: &DiscussionsConfiguration) -> Vec<Topic> {
    let course = snapshot.course();
    let mut own: Vec<(&str, &str, &str)> = course
        .field("discussion_topics")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(title, topic)| {
            let text = |name: &str| topic.get(name).and_then(Value::as_str);
            let id = text("id").unwrap_or_default();
            (text("sort_key").unwrap_or(title), title.as_str(), id)
        })
        .collect();
    own.sort_by_key(|(sort_key, ..)| *sort_key);
    let mut found: Vec<Topic> = (0..)
        .zip(own)
        .filter(|(_, (_, _, id))| !id.is_empty())
        .map(|(ordering, (_, title, id))| Topic {
            usage_key: None,
            external_id: Some(id.to_owned()),
            title: shortened(title),
            ordering,
            context: json!({}),
        })
        .collect();
    if !forum.enable_in_context {
        return found;
    }
    // Units that are left out keep their place, so that the others stay where they are.
    for (ordering, (section, subsection, unit)) in (FIRST_UNIT..).zip(units(course)) {
        let exam = [
            "is_practice_exam",
            "is_proctored_enabled",
            "is_time_limited",
        ];
        let left_out = (forum.unit_level_visibility && !unit.flag("discussion_enabled"))
            || (subsection.flag("graded") && !forum.enable_graded_units)
            || exam.iter().any(|field| subsection.flag(field));
        if !left_out {
            found.push(Topic {
                usage_key: Some(unit.usage_key().to_string()),
                external_id: None,
                title: shortened(&unit.display_name()),
                ordering,
                context: json!({
                    "section": section.field("display_name"),
                    "subsection": subsection.field("display_name"),
                    "unit": unit.field("display_name"),
                }),
            });
        }
    }
    found
}

fn shortened(title: &str) -> String {
    title.chars().take(LONGEST_TITLE).collect()
}

/// Units with their section and subsection, in order.
fn units<'a>(
    course: BlockRef<'a>,
) -> impl Iterator<Item = (BlockRef<'a>, BlockRef<'a>, BlockRef<'a>)> {
    let of_type = |parent: BlockRef<'a>, kind: &'static str| {
        parent
            .children()
            .filter(move |block| block.block_type() == kind)
    };
    of_type(course, "chapter").flat_map(move |section| {
        of_type(section, "sequential").flat_map(move |subsection| {
            of_type(subsection, "vertical").map(move |unit| (section, subsection, unit))
        })
    })
}

async fn save_topics(
    tx: &mut Tx,
    course: &CourseKey,
    forum: &DiscussionsConfiguration,
    topics: Vec<Topic>,
) -> db::Result<()> {
    let stored = discussions::topics(&mut *tx, course, &forum.provider_type).await?;
    let mut by_key: HashMap<String, DiscussionTopicLink> = HashMap::new();
    for link in stored {
        let key = link
            .usage_key
            .clone()
            .unwrap_or_else(|| link.external_id.clone());
        by_key.entry(key).or_insert(link);
    }
    for topic in topics {
        let key = topic.usage_key.as_ref().or(topic.external_id.as_ref());
        let old = key.and_then(|key| by_key.remove(key));
        let link = DiscussionTopicLink {
            id: old.as_ref().map_or(0, |old| old.id),
            context_key: course.to_string(),
            usage_key: topic.usage_key,
            title: topic.title,
            provider_id: forum.provider_type.clone(),
            external_id: match (&old, topic.external_id) {
                (_, Some(id)) => id,
                (Some(old), None) => old.external_id.clone(),
                (None, None) => uuid::Uuid::new_v4().to_string(),
            },
            enabled_in_context: true,
            group_id: old.as_ref().and_then(|old| old.group_id),
            ordering: Some(topic.ordering),
            context: topic.context.to_string(),
        };
        if old.as_ref() != Some(&link) {
            discussions::save_topic(tx, &link).await?;
        }
    }
    // What was discussed about something that is gone stays readable.
    for gone in by_key.into_values().filter(|link| link.enabled_in_context) {
        let link = DiscussionTopicLink {
            enabled_in_context: false,
            ..gone
        };
        discussions::save_topic(tx, &link).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn keys_are_written_in_ascii() {
        assert_eq!(quoted("é\"😀"), r#""\u00e9\"\ud83d\ude00""#);
    }
}
