//! The tabs of a course that a viewer gets (courseware.md §15.2).

use course_model::Fields;
use serde_json::{Value, json};

use super::{Facts, Links};
use crate::learner::flags;
use crate::view::CourseView;

/// Order of the tabs that have a fixed place; all others come after them as stored, before those of staff.
fn priority(kind: &str) -> u32 {
    match kind {
        "courseware" => 11,
        "progress" => 20,
        "dates" => 30,
        "discussion" => 40,
        "teams" => 60,
        "wiki" => 70,
        "instructor" => 300,
        "ccx_coach" => 310,
        _ => u32::MAX,
    }
}

/// Name of a tab whose course gives it none.
fn default_name(kind: &str) -> &'static str {
    match kind {
        "courseware" => "Course",
        "progress" => "Progress",
        "dates" => "Dates",
        "discussion" => "Discussion",
        "teams" => "Teams",
        "wiki" => "Wiki",
        "edxnotes" => "Notes",
        "instructor" => "Instructor",
        _ => "",
    }
}

struct Tab {
    id: String,
    title: String,
    url: String,
    priority: u32,
}

fn tab(kind: &str, name: Option<&str>, url: String) -> Tab {
    Tab {
        id: kind.to_owned(),
        title: name.unwrap_or(default_name(kind)).to_owned(),
        url,
        priority: priority(kind),
    }
}

/// Tabs of textbooks: one a book.
fn books(list: Option<&Value>, path: &str, id: &str, base: &str, out: &mut Vec<Tab>) {
    let list = list.and_then(Value::as_array);
    for (index, book) in list.into_iter().flatten().enumerate() {
        let title = book
            .get("tab_title")
            .or_else(|| book.get("title"))
            .or_else(|| book.get(0));
        out.push(Tab {
            id: format!("{id}/{index}"),
            title: title.and_then(Value::as_str).unwrap_or_default().to_owned(),
            url: format!("{base}/{path}/{index}/"),
            priority: u32::MAX,
        });
    }
}

/// Whether teams are set up in the course.
fn has_teams(view: &CourseView) -> bool {
    let Some(config) = view
        .course
        .course()
        .field("teams_configuration")
        .filter(|config| !config.is_null())
    else {
        return false;
    };
    let listed = |name: &str| {
        config
            .get(name)
            .and_then(Value::as_array)
            .is_some_and(|list| !list.is_empty())
    };
    config
        .get("enabled")
        .and_then(Value::as_bool)
        .unwrap_or_else(|| listed("team_sets") || listed("teamsets") || listed("topics"))
}

/// `tabs` of the course metadata. `content` is what the course's definition holds.
#[must_use]
pub fn tabs(view: &CourseView, content: &Fields, facts: &Facts, links: &Links<'_>) -> Value {
    let learner = &view.learner;
    let course = &view.facts.key;
    let root = view.course.course();
    let base = format!("{}/courses/{course}", links.base);
    let inside = learner.is_enrolled() || learner.is_staff();
    let book_list = |name: &str| content.get(name).or_else(|| root.field(name));
    let mut found: Vec<Tab> = Vec::new();
    let stored = root.field("tabs").and_then(Value::as_array);
    for entry in stored.into_iter().flatten() {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        let on = |name: &str| entry.get(name).and_then(Value::as_bool) == Some(true);
        if on("is_hidden") || (on("course_staff_only") && !learner.is_staff()) {
            continue;
        }
        let kind = text("type").unwrap_or_default();
        let name = text("name");
        match kind {
            "courseware" => found.push(tab(kind, name, links.learning(course, "home"))),
            "static_tab" => {
                let slug = text("url_slug").unwrap_or_default();
                let mut made = tab(kind, name, format!("{base}/{slug}/"));
                made.id = format!("static_tab_{slug}");
                found.push(made);
            }
            "external_link" | "external_discussion" => {
                found.push(tab(kind, name, text("link").unwrap_or_default().to_owned()));
            }
            "progress" if inside && !root.flag("hide_progress_tab") => {
                let url = if learner.flag(flags::PROGRESS_PAGE) {
                    links.learning(course, "progress")
                } else {
                    format!("{base}/progress")
                };
                found.push(tab(kind, name, url));
            }
            "dates" if inside => found.push(tab(kind, name, links.learning(course, "dates"))),
            "discussion" if inside => {
                found.push(tab(kind, name, format!("{base}/discussion/forum/")));
            }
            "teams" if inside && has_teams(view) => {
                found.push(tab(kind, name, format!("{base}/teams/")));
            }
            "wiki" if inside || root.flag("allow_public_wiki_access") => {
                found.push(tab(kind, name, format!("{base}/course_wiki")));
            }
            "edxnotes" if inside && root.flag("edxnotes") => {
                found.push(tab(kind, name, format!("{base}/edxnotes/")));
            }
            "textbooks" if inside => {
                books(
                    book_list("textbooks"),
                    "book",
                    "textbook",
                    &base,
                    &mut found,
                );
            }
            "pdf_textbooks" if inside => {
                books(
                    book_list("pdf_textbooks"),
                    "pdfbook",
                    "pdftextbook",
                    &base,
                    &mut found,
                );
            }
            "html_textbooks" if inside => {
                books(
                    book_list("html_textbooks"),
                    "htmlbook",
                    "htmltextbook",
                    &base,
                    &mut found,
                );
            }
            _ => {}
        }
    }
    let exam = !learner.milestones.entrance_exams.is_empty()
        && !learner.is_staff()
        && !facts.skips_entrance_exam;
    if exam {
        found.retain(|tab| tab.id == "courseware");
        for tab in &mut found {
            "Entrance Exam".clone_into(&mut tab.title);
        }
    }
    if learner.is_staff() {
        found.push(tab("instructor", None, format!("{base}/instructor")));
    }
    found.sort_by_key(|tab| tab.priority);
    found
        .into_iter()
        .map(|tab| json!({"tab_id": tab.id, "title": tab.title, "url": tab.url}))
        .collect()
}
