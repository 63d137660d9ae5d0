//! The tabs of a course as read from its policy (olx.md §5, courseware.md §11).

use serde_json::{Map, Value, json};

/// Built-in tabs: type and title.
const TITLES: [(&str, &str); 17] = [
    ("courseware", "Course"),
    ("progress", "Progress"),
    ("dates", "Dates"),
    ("discussion", "Discussion"),
    ("external_discussion", "Discussion"),
    ("lti_live", "Live"),
    ("edxnotes", "Notes"),
    ("teams", "Teams"),
    ("wiki", "Wiki"),
    ("syllabus", "Syllabus"),
    ("textbooks", "Textbooks"),
    ("pdf_textbooks", "Textbooks"),
    ("html_textbooks", "Textbooks"),
    ("instructor", "Instructor"),
    ("ccx_coach", "CCX Coach"),
    ("static_tab", ""),
    ("external_link", ""),
];

/// Tabs that authors may hide.
const HIDEABLE: [&str; 5] = ["wiki", "progress", "dates", "textbooks", "external_link"];

/// Normalises tabs: a leading Course Info tab goes, unknown types go, each has its title and flags.
///
/// Fails when the first is not `courseware`, a built-in one comes twice, or a required key is missing.
pub(super) fn read(mut given: Vec<Value>) -> Result<Vec<Value>, String> {
    let kind = |tab: &Value| tab.get("type").and_then(Value::as_str).map(str::to_owned);
    if given.len() > 1 {
        let first = given.first().and_then(kind);
        let second = given.get(1).and_then(kind);
        if first.as_deref() == Some("courseware") && second.as_deref() == Some("course_info") {
            given.swap(0, 1);
            if let Some(Value::Object(tab)) = given.get_mut(1) {
                tab.insert("name".to_owned(), Value::from("Course"));
            }
        }
        if given.first().and_then(kind).as_deref() == Some("course_info") {
            given.remove(0);
        }
    }
    let Some(first) = given.first() else {
        return Ok(Vec::new());
    };
    if kind(first).as_deref() != Some("courseware") {
        return Err("Expected first tab to have type 'courseware'.".to_owned());
    }
    for (name, _) in TITLES {
        let count = given
            .iter()
            .filter(|tab| kind(tab).as_deref() == Some(name))
            .count();
        if count > 1 && !matches!(name, "static_tab" | "external_link") {
            return Err(format!(
                "Tab of type '{name}' appears {count} times. Expected maximum of 1 time(s)."
            ));
        }
    }
    let mut tabs = Vec::new();
    for tab in &given {
        let Some((name, title)) =
            kind(tab).and_then(|kind| TITLES.into_iter().find(|(name, _)| *name == kind))
        else {
            continue;
        };
        let required: &[&str] = match name {
            "static_tab" => &["name", "url_slug"],
            "external_link" | "external_discussion" => &["name", "link"],
            _ => &[],
        };
        if let Some(key) = required.iter().find(|key| tab.get(**key).is_none()) {
            return Err(format!("Expected key '{key}' in the tab of type '{name}'."));
        }
        let flag = |key: &str| tab.get(key).cloned().unwrap_or(Value::Bool(false));
        let mut out = Map::new();
        out.insert("type".to_owned(), Value::from(name));
        let shown = tab
            .get("name")
            .cloned()
            .unwrap_or_else(|| Value::from(title));
        out.insert("name".to_owned(), shown);
        out.insert("course_staff_only".to_owned(), flag("course_staff_only"));
        let hidden = match tab.get("is_hidden") {
            Some(value) => value == &Value::Bool(true),
            None => name == "wiki",
        };
        if hidden && HIDEABLE.contains(&name) {
            out.insert("is_hidden".to_owned(), Value::Bool(true));
        }
        for key in ["url_slug", "link", "settings"] {
            let kept = match name {
                "static_tab" => key == "url_slug",
                "external_link" | "external_discussion" => key == "link",
                "lti_live" => key == "settings",
                _ => false,
            };
            if let (true, Some(value)) = (kept, tab.get(key)) {
                out.insert(key.to_owned(), value.clone());
            }
        }
        tabs.push(Value::Object(out));
    }
    Ok(tabs)
}

/// The tabs of a course whose policy names none, in order of priority.
#[must_use]
pub fn default_tabs(discussion_link: Option<&str>, syllabus: bool) -> Vec<Value> {
    let tab =
        |kind: &str, name: &str| json!({"type": kind, "name": name, "course_staff_only": false});
    let mut tabs = vec![
        tab("courseware", "Course"),
        tab("progress", "Progress"),
        tab("dates", "Dates"),
    ];
    tabs.push(match discussion_link {
        None => tab("discussion", "Discussion"),
        Some(link) => json!({
            "type": "external_discussion", "name": "External Discussion",
            "course_staff_only": false, "link": link
        }),
    });
    let mut wiki = tab("wiki", "Wiki");
    if let Some(wiki) = wiki.as_object_mut() {
        wiki.insert("is_hidden".to_owned(), Value::Bool(true));
    }
    tabs.push(wiki);
    if syllabus {
        tabs.push(tab("syllabus", "Syllabus"));
    }
    tabs.push(tab("textbooks", "Textbooks"));
    tabs
}
