//! Open response assessments: a grammar of their own (olx.md §7).

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use course_model::fields::json_dumps;
use serde_json::{Map, Value, json};

use super::Loader;
use super::loader::Definition;
use crate::error::Fault;
use crate::xml::Element;

impl Loader<'_, '_, '_> {
    pub(super) fn openassessment(root: &Element, file: &Arc<str>) -> Result<Definition, Fault> {
        let mut read = Definition::default();
        let fields = block_fields(root)
            .map_err(|text| Fault::new(file, root.line, format!("openassessment: {text}")))?;
        for (name, value) in fields {
            read.fields.insert(name, value);
        }
        Ok(read)
    }
}

fn block_fields(root: &Element) -> Result<Map<String, Value>, String> {
    let text = |name: &str| Value::from(root.get(name));
    let flag = |name: &str, default: bool| root.get(name).map_or(default, truth);
    let mut out = Map::new();
    let mut set = |name: &str, value: Value| out.insert(name.to_owned(), value);
    set("submission_start", date(root, "submission_start")?);
    set("submission_due", date(root, "submission_due")?);
    let title = root.find("title").map(|title| title.text().to_owned());
    let title = title.unwrap_or_default();
    // The block shows its title; the default name stays unset.
    if title != "Open Response Assessment" {
        set("display_name", Value::from(title.as_str()));
    }
    set("title", Value::from(title));
    set("text_response_raw", text("text_response"));
    set(
        "text_response_editor",
        Value::from(root.get("text_response_editor").unwrap_or("text")),
    );
    set("file_upload_response_raw", text("file_upload_response"));
    set(
        "allow_file_upload",
        root.get("allow_file_upload")
            .map_or(Value::Null, |text| Value::Bool(truth(text))),
    );
    set("file_upload_type_raw", text("file_upload_type"));
    let types = root
        .get("white_listed_file_types")
        .filter(|text| !text.is_empty());
    set(
        "white_listed_file_types",
        types.map_or(Value::Null, |text| {
            let kinds = text.split(',');
            kinds
                .map(|kind| Value::from(kind.trim().trim_matches('.').to_lowercase()))
                .collect::<Vec<_>>()
                .into()
        }),
    );
    set(
        "allow_multiple_files",
        Value::Bool(flag("allow_multiple_files", true)),
    );
    set("allow_latex", Value::Bool(flag("allow_latex", false)));
    set(
        "allow_learner_resubmissions",
        Value::Bool(flag("allow_learner_resubmissions", false)),
    );
    set(
        "resubmissions_grace_period",
        Value::from(root.get("resubmissions_grace_period").unwrap_or_default()),
    );
    set(
        "show_rubric_during_response",
        Value::Bool(flag("show_rubric_during_response", false)),
    );
    let access = root.get("group_access").unwrap_or("{}");
    set(
        "group_access",
        serde_json::from_str(access).map_err(|error| format!("group_access: {error}"))?,
    );
    set(
        "prompts_type",
        Value::from(root.get("prompts_type").unwrap_or("text")),
    );
    let leaders = root.get("leaderboard_show").unwrap_or("0").trim();
    let leaders: i64 = leaders
        .parse()
        .map_err(|_| "The leaderboard must have an integer value.")?;
    if !(0..=100).contains(&leaders) {
        return Err("Leaderboard number is invalid.".to_owned());
    }
    set("leaderboard_show", Value::from(leaders));
    if flag("teams_enabled", false) {
        set("teams_enabled", Value::Bool(true));
    }
    set("selected_teamset_id", text("selected_teamset_id"));
    if let Some(prompts) = root.find("prompts") {
        set("prompt", prompts_value(prompts)?);
    }
    if let Some(rubric) = root
        .find("rubric")
        .filter(|rubric| !rubric.children.is_empty())
    {
        let own = |name: &str| Value::from(rubric.find(name).map(Element::text));
        set("rubric_feedback_prompt", own("feedbackprompt"));
        set("rubric_feedback_default_text", own("feedback_default_text"));
        set("rubric_criteria", Value::Array(criteria(rubric)?));
    }
    if let Some(list) = root
        .find("assessments")
        .filter(|list| !list.children.is_empty())
    {
        set("rubric_assessments", Value::Array(assessments(list)?));
    }
    Ok(out)
}

fn truth(text: &str) -> bool {
    matches!(text, "True" | "true")
}

/// One prompt is kept as its text, several as JSON.
fn prompts_value(prompts: &Element) -> Result<Value, String> {
    let mut found = Vec::new();
    for prompt in prompts.elements().filter(|child| child.is("prompt")) {
        let description = prompt
            .find("description")
            .ok_or("Every \"prompt\" element must contain a \"description\" element.")?;
        found.push(json!({"description": description.text()}));
    }
    Ok(match found.as_slice() {
        [only] => only.get("description").cloned().unwrap_or_default(),
        several => Value::String(json_dumps(&Value::Array(several.to_vec()))),
    })
}

fn part(parent: &Element, name: &str) -> Result<String, String> {
    let found = parent.find(name).map(|child| child.text().to_owned());
    found.ok_or_else(|| {
        format!(
            "Every \"{}\" must contain a \"{name}\" element.",
            parent.name
        )
    })
}

fn criteria(rubric: &Element) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    for (order, criterion) in rubric
        .elements()
        .filter(|child| child.is("criterion"))
        .enumerate()
    {
        let name = part(criterion, "name")?;
        let label = part(criterion, "label").unwrap_or_else(|_| name.clone());
        let feedback = criterion.get("feedback").unwrap_or("disabled");
        if !matches!(feedback, "optional" | "disabled" | "required") {
            return Err("Invalid value for \"feedback\" attribute".to_owned());
        }
        let mut options = Vec::new();
        for (order, option) in criterion
            .elements()
            .filter(|child| child.is("option"))
            .enumerate()
        {
            let points = option
                .get("points")
                .ok_or("Every \"option\" must contain a \"points\" attribute.")?;
            let points: i64 = points
                .trim()
                .parse()
                .map_err(|_| "The value for \"points\" must be an integer.")?;
            if points < 0 {
                return Err("points are negative".to_owned());
            }
            let name = part(option, "name")?;
            let label = part(option, "label").unwrap_or_else(|_| name.clone());
            options.push(json!({
                "order_num": order, "points": points, "name": name, "label": label,
                "explanation": part(option, "explanation")?,
            }));
        }
        out.push(json!({
            "order_num": order, "name": name, "label": label,
            "prompt": part(criterion, "prompt")?, "feedback": feedback, "options": options,
        }));
    }
    Ok(out)
}

fn assessments(list: &Element) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    for assessment in list.elements().filter(|child| child.is("assessment")) {
        let name = assessment
            .get("name")
            .ok_or("All \"assessment\" elements must contain a \"name\" element.")?;
        let mut entry = Map::new();
        entry.insert("name".to_owned(), Value::from(name));
        entry.insert("start".to_owned(), date(assessment, "start")?);
        entry.insert("due".to_owned(), date(assessment, "due")?);
        for number in ["must_grade", "must_be_graded_by"] {
            if let Some(text) = assessment.get(number) {
                let value: i64 = text
                    .trim()
                    .parse()
                    .map_err(|_| format!("The \"{number}\" value must be a positive integer."))?;
                entry.insert(number.to_owned(), Value::from(value));
            }
        }
        for flag in ["enable_flexible_grading", "required"] {
            if let Some(text) = assessment.get(flag) {
                entry.insert(flag.to_owned(), Value::Bool(truth(text)));
            }
        }
        if let Some(strategy) = assessment.get("grading_strategy") {
            entry.insert("grading_strategy".to_owned(), Value::from(strategy));
        }
        if name == "student-training" {
            let examples = assessment.elements().filter(|child| child.is("example"));
            let examples = examples.map(example).collect::<Result<Vec<_>, _>>()?;
            entry.insert("examples".to_owned(), Value::Array(examples));
        }
        out.push(Value::Object(entry));
    }
    Ok(out)
}

fn example(example: &Element) -> Result<Value, String> {
    let mut answers = example.elements().filter(|child| child.is("answer"));
    let (Some(answer), None) = (answers.next(), answers.next()) else {
        return Err(
            "Each \"example\" element must contain exactly one \"answer\" element".to_owned(),
        );
    };
    let parts: Vec<Value> = answer
        .elements()
        .filter(|child| child.is("part"))
        .map(|part| json!({"text": part.text()}))
        .collect();
    let answer = if parts.is_empty() {
        json!({"parts": [{"text": answer.text()}]})
    } else {
        json!({"parts": parts})
    };
    let mut selected = Vec::new();
    for select in example.elements().filter(|child| child.is("select")) {
        match (select.get("criterion"), select.get("option")) {
            (Some(criterion), Some(option)) => {
                selected.push(json!({"criterion": criterion, "option": option}));
            }
            _ => return Err("Each \"select\" element must have criterion and option".to_owned()),
        }
    }
    Ok(json!({"answer": answer, "options_selected": selected}))
}

/// A date attribute as UTC text without zone; absent ones are null.
fn date(element: &Element, name: &str) -> Result<Value, String> {
    let Some(text) = element.get(name).map(str::trim) else {
        return Ok(Value::Null);
    };
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let with_zone = [
        "%Y-%m-%dT%H:%M:%S%.f%:z",
        "%Y-%m-%dT%H:%M:%S%.f%z",
        "%Y-%m-%dT%H:%M%:z",
    ];
    let plain = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ];
    let zoned = text.strip_suffix('Z').map(|text| format!("{text}+00:00"));
    let zoned = zoned.as_deref().unwrap_or(text);
    let moment = with_zone
        .into_iter()
        .find_map(|form| DateTime::parse_from_str(zoned, form).ok())
        .map(|moment| moment.naive_utc())
        .or_else(|| {
            plain
                .into_iter()
                .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        })
        .or_else(|| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .ok()?
                .and_hms_opt(0, 0, 0)
        })
        .ok_or_else(|| format!("{name}: not a date: {text:?}"))?;
    Ok(Value::from(
        moment.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
    ))
}
