//! The course root: textbooks, wiki, grading policy, tabs, topics (olx.md §5).

use std::sync::Arc;

use course_model::Block;
use opaque_keys::CourseKey;
use opaque_keys::clean_for_html;
use serde_json::{Map, Value, json};

use super::loader::Raw;
use super::{Loader, tabs};
use crate::error::Fault;
use crate::source::SourceKey;
use crate::xml::Element;

/// The grading policy of a course that sets none (olx.md §5).
#[must_use]
pub fn default_grading_policy() -> Value {
    json!({
        "GRADER": [
            {"type": "Homework", "short_label": "HW", "min_count": 12, "drop_count": 2, "weight": 0.15},
            {"type": "Lab", "min_count": 12, "drop_count": 2, "weight": 0.15},
            {"type": "Midterm Exam", "short_label": "Midterm", "min_count": 1, "drop_count": 0,
             "weight": 0.3},
            {"type": "Final Exam", "short_label": "Final", "min_count": 1, "drop_count": 0,
             "weight": 0.4}
        ],
        "GRADE_CUTOFFS": {"Pass": 0.5}
    })
}

/// Takes textbooks and wiki out of the course's body.
pub(super) fn definition(body: &mut Element, fields: &mut Raw) {
    let mut textbooks = Vec::new();
    while let Some(textbook) = body.take("textbook") {
        textbooks.push(json!([textbook.get("title"), textbook.get("book_url")]));
    }
    let wiki = body.take("wiki");
    let slug = wiki.as_ref().and_then(|wiki| wiki.get("slug"));
    fields.insert("textbooks".to_owned(), Value::Array(textbooks));
    fields.insert("wiki_slug".to_owned(), Value::from(slug));
}

/// Fills in what a course always has once it is loaded.
pub(super) fn complete(
    loader: &mut Loader<'_, '_, '_>,
    fields: &mut Raw,
    run: &str,
    file: &Arc<str>,
    line: u32,
) -> Result<(), Fault> {
    if loader.draft {
        return Ok(());
    }
    if fields.get("wiki_slug").is_none_or(Value::is_null) {
        let number = loader.source.course.clone();
        fields.insert("wiki_slug".to_owned(), Value::String(number));
    }
    let no_zone = fields
        .get("show_timezone")
        .is_some_and(|value| match value {
            Value::Bool(value) => !value,
            Value::String(text) => !text.eq_ignore_ascii_case("true"),
            _ => false,
        });
    if no_zone
        && fields
            .get("due_date_display_format")
            .is_none_or(Value::is_null)
    {
        fields.insert(
            "due_date_display_format".to_owned(),
            Value::from("DATE_TIME"),
        );
    }
    grading_policy(loader, fields, run, file)?;
    let topics = fields.get("discussion_topics");
    if topics.is_none_or(|value| value.as_object().is_some_and(Map::is_empty)) {
        let SourceKey {
            org, course, run, ..
        } = loader.source;
        let id = clean_for_html(&format!("i4x-{org}-{course}-course-{run}"));
        let topics = json!({"General": {"id": id}});
        fields.insert("discussion_topics".to_owned(), topics);
    }
    let given = match fields.get("tabs") {
        Some(Value::Array(given)) => given.clone(),
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return Err(Fault::new(file, line, "tabs is no list")),
    };
    let mut list = tabs::read(given).map_err(|text| Fault::new(file, line, text))?;
    if list.is_empty() {
        let link = fields.get("discussion_link").and_then(Value::as_str);
        let syllabus = !loader.folder.files("syllabus/").is_empty();
        list = tabs::default_tabs(link.filter(|link| !link.is_empty()), syllabus);
    }
    fields.insert("tabs".to_owned(), Value::Array(list));
    Ok(())
}

/// The policy file over the defaults; kept only when it says something else.
fn grading_policy(
    loader: &mut Loader<'_, '_, '_>,
    fields: &mut Raw,
    run: &str,
    course_file: &Arc<str>,
) -> Result<(), Fault> {
    let own = format!("policies/{run}/grading_policy.json");
    let paths = [own.as_str(), "grading_policy.json"];
    let found = paths.into_iter().find(|path| loader.folder.has(path));
    let default = default_grading_policy();
    let mut policy = match fields.get("grading_policy") {
        Some(Value::Object(set)) => set.clone(),
        _ => super::kinds::object(Some(default.clone())),
    };
    if let Some(path) = found {
        let file: Arc<str> = path.into();
        let read = loader.folder.text(path).and_then(|text| {
            serde_json::from_str::<Value>(&text)
                .map_err(|error| Fault::new(&file, error.line() as u32, error.to_string()))
        });
        match read {
            Ok(Value::Object(given)) => policy.extend(given),
            Ok(Value::Null) => {}
            Ok(Value::Array(list)) if list.is_empty() => {}
            Ok(_) => {
                return Err(Fault::new(
                    course_file,
                    0,
                    "the grading policy is no object",
                ));
            }
            Err(mut fault) => {
                fault.text = format!("Unable to decode grading policy as json: {}", fault.text);
                loader.track(fault);
            }
        }
    }
    let policy = Value::Object(policy);
    if policy == default {
        fields.shift_remove("grading_policy");
    } else {
        fields.insert("grading_policy".to_owned(), policy);
    }
    Ok(())
}

/// Changes that the root undergoes on its way into the target.
pub(super) fn place_root(root: &mut Block, source: &SourceKey, target: &CourseKey) {
    let (settings, content) = (&mut root.settings, &mut root.content);
    let slug = match content.get_mut("wiki_slug") {
        Some(slug) => Some(slug),
        None => settings.get_mut("wiki_slug"),
    };
    if let Some(Value::String(slug)) = slug {
        let full = format!("{}.{}.{}", source.org, source.course, source.run);
        if *slug == source.course || *slug == full {
            *slug = format!("{}.{}.{}", target.org(), target.course(), target.run());
        }
    }
    let textbooks = match content.get_mut("pdf_textbooks") {
        Some(textbooks) => Some(textbooks),
        None => settings.get_mut("pdf_textbooks"),
    };
    if let Some(Value::Array(textbooks)) = textbooks {
        let chapters = textbooks
            .iter_mut()
            .filter_map(|textbook| textbook.get_mut("chapters")?.as_array_mut())
            .flatten();
        for chapter in chapters {
            if let Some(Value::String(url)) = chapter.get_mut("url")
                && url.starts_with("/c4x/")
                && let Some((_, name)) = url.split_once("/asset/")
            {
                *url = format!("/static/{name}");
            }
        }
    }
}
