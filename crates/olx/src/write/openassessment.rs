//! Open response assessments in their own grammar (olx.md §7).

use course_model::Block;
use course_model::block_types::block_type_or_hidden;
use course_model::fields::json_dumps;
use serde_json::Value;

use super::kinds::plain_text;
use crate::xml::Element;

/// Attributes in order: name in the archive and field.
const ATTRIBUTES: [(&str, &str); 18] = [
    ("submission_start", "submission_start"),
    ("submission_due", "submission_due"),
    ("leaderboard_show", "leaderboard_show"),
    ("text_response", "text_response_raw"),
    ("text_response_editor", "text_response_editor"),
    ("file_upload_response", "file_upload_response_raw"),
    ("file_upload_type", "file_upload_type_raw"),
    ("white_listed_file_types", "white_listed_file_types"),
    ("allow_multiple_files", "allow_multiple_files"),
    ("allow_latex", "allow_latex"),
    ("allow_learner_resubmissions", "allow_learner_resubmissions"),
    ("resubmissions_grace_period", "resubmissions_grace_period"),
    ("group_access", "group_access"),
    ("prompts_type", "prompts_type"),
    ("teams_enabled", "teams_enabled"),
    ("selected_teamset_id", "selected_teamset_id"),
    ("show_rubric_during_response", "show_rubric_during_response"),
    ("display_name", "display_name"),
];

/// Writes the block onto the node in its parent.
pub(super) fn write(block: &Block, node: &mut Element) {
    let kind = block_type_or_hidden("openassessment");
    let field = |name: &str| {
        let set = block.settings.get(name).or_else(|| block.content.get(name));
        set.or_else(|| kind.field(name).map(|field| &field.default))
    };
    "openassessment".clone_into(&mut node.name);
    for (attribute, name) in ATTRIBUTES {
        let text = match field(name) {
            Some(Value::Bool(value)) => plain_text(&Value::Bool(*value)),
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Number(number)) if number.as_f64() != Some(0.0) => number.to_string(),
            Some(Value::Array(list)) if !list.is_empty() => {
                let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                texts.join(",")
            }
            Some(map @ Value::Object(access)) if !access.is_empty() => json_dumps(map),
            Some(Value::String(_)) if name == "selected_teamset_id" => String::new(),
            _ => continue,
        };
        node.set(attribute, text);
    }
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    leaf(node, "title", &text(field("title")));
    let mut list = Element::new("assessments");
    for entry in field("rubric_assessments")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        list.push(assessment(entry));
    }
    node.push(list);
    let mut prompts = Element::new("prompts");
    for description in descriptions(&text(field("prompt"))) {
        let mut prompt = Element::new("prompt");
        leaf(&mut prompt, "description", &description);
        prompts.push(prompt);
    }
    node.push(prompts);
    let mut rubric = Element::new("rubric");
    for entry in field("rubric_criteria")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        rubric.push(criterion(entry));
    }
    for (tag, name) in [
        ("feedbackprompt", "rubric_feedback_prompt"),
        ("feedback_default_text", "rubric_feedback_default_text"),
    ] {
        if let Some(Value::String(text)) = field(name) {
            leaf(&mut rubric, tag, text);
        }
    }
    node.push(rubric);
}

fn leaf(parent: &mut Element, tag: &str, text: &str) {
    let mut child = Element::new(tag);
    if !text.is_empty() {
        child.text = Some(text.to_owned());
    }
    parent.push(child);
}

fn part(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(value) => plain_text(value),
    }
}

/// One prompt is kept as its text, several as JSON.
fn descriptions(prompt: &str) -> Vec<String> {
    match serde_json::from_str::<Value>(prompt) {
        Ok(Value::Array(list)) => list
            .iter()
            .map(|entry| part(entry, "description"))
            .collect(),
        _ => vec![prompt.to_owned()],
    }
}

fn assessment(entry: &Value) -> Element {
    let mut element = Element::new("assessment");
    for name in [
        "name",
        "must_grade",
        "must_be_graded_by",
        "enable_flexible_grading",
        "grading_strategy",
        "start",
        "due",
        "required",
    ] {
        if let Some(value) = entry.get(name).filter(|value| !value.is_null()) {
            element.set(name, plain_text(value));
        }
    }
    for example in entry
        .get("examples")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let mut child = Element::new("example");
        let mut answer = Element::new("answer");
        let parts = example.get("answer").and_then(|answer| answer.get("parts"));
        for text in parts.and_then(Value::as_array).into_iter().flatten() {
            leaf(&mut answer, "part", &part(text, "text"));
        }
        child.push(answer);
        let selected = example.get("options_selected").and_then(Value::as_array);
        for option in selected.into_iter().flatten() {
            let mut select = Element::new("select");
            select.set("criterion", part(option, "criterion"));
            select.set("option", part(option, "option"));
            child.push(select);
        }
        element.push(child);
    }
    element
}

fn criterion(entry: &Value) -> Element {
    let mut element = Element::new("criterion");
    let feedback = part(entry, "feedback");
    if matches!(feedback.as_str(), "optional" | "required") {
        element.set("feedback", feedback);
    }
    for tag in ["name", "label", "prompt"] {
        leaf(&mut element, tag, &part(entry, tag));
    }
    for option in entry
        .get("options")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let mut child = Element::new("option");
        child.set("points", part(option, "points"));
        for tag in ["name", "label", "explanation"] {
            leaf(&mut child, tag, &part(option, tag));
        }
        element.push(child);
    }
    element
}
