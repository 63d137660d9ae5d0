//! The dialogs below blocks by which staff look into them (courseware.md §10.2).

use std::fmt::Write as _;

use course_model::BlockRef;

use super::Renderer;
use super::wrapper::{escape, json_text};
use crate::access;

/// Characters of a field's value that are shown.
const LONGEST: usize = 20_000;

pub(super) fn dialogs(renderer: &Renderer<'_>, block: BlockRef<'_>) -> String {
    let usage = block.usage_key();
    let id = escape(&usage.html_id());
    let key = escape(&usage.to_string());
    let course = escape(&crate::runtime::course_text(usage.course_key()));
    let site = escape(&renderer.runtime.settings.platform_name);
    let username = escape(&renderer.view.learner.viewer.username);
    let is_problem = block.block_type() == "problem";
    let mut out = format!(
        "<div class=\"wrap-instructor-info\">\n<a class=\"instructor-info-action\" href=\"#{id}_debug\" id=\"{id}_trig\">Staff Debug Info</a>\n"
    );
    if is_problem {
        let _ = writeln!(
            out,
            "<a class=\"instructor-info-action\" href=\"#{id}_history\" id=\"{id}_history_trig\">Submission history</a>"
        );
    }
    let _ = write!(
        out,
        "</div>\n<div aria-hidden=\"true\" role=\"dialog\" tabindex=\"-1\" id=\"{id}_xqa-modal\" class=\"modal xqa-modal\" hidden>\n<div class=\"inner-wrapper\">\n<header><h2>{site} Content Quality Assessment</h2></header>\n<form id=\"{id}_xqa_form\" class=\"xqa_form\">\n<label for=\"{id}_xqa_entry\">Comment</label>\n<input tabindex=\"0\" id=\"{id}_xqa_entry\" type=\"text\" placeholder=\"comment\">\n<label for=\"{id}_xqa_tag\">Tag</label>\n<input id=\"{id}_xqa_tag\" type=\"text\" placeholder=\"tag\">\n<div class=\"submit\"><button name=\"submit\" type=\"submit\">Add comment</button></div>\n<hr>\n<div id=\"{id}_xqa_log_data\"></div>\n</form>\n</div>\n</div>\n"
    );
    let _ = write!(
        out,
        "<div aria-hidden=\"true\" role=\"dialog\" tabindex=\"-1\" class=\"modal staff-modal\" id=\"{id}_debug\" hidden>\n<div class=\"inner-wrapper\">\n<header><h2>Staff Debug: {}</h2></header>\n<hr />\n<div class=\"staff_actions\">\n<h3>Actions</h3>\n<div>\n<label for=\"sd_fu_{id}\">Username:</label>\n<input type=\"text\" tabindex=\"0\" id=\"sd_fu_{id}\" placeholder=\"{username}\"/>\n</div>\n",
        escape(&block.display_name())
    );
    if is_problem {
        let _ = write!(
            out,
            "<div>\n<label for=\"sd_fs_{id}\">Score (for override only):</label>\n<input type=\"text\" tabindex=\"0\" id=\"sd_fs_{id}\" placeholder=\"0\"/>\n</div>\n"
        );
    }
    let button = |class: &str, text: &str| {
        format!(
            "<button type=\"button\" class=\"btn-link {class}\">{}</button>",
            escape(text)
        )
    };
    let mut actions = Vec::new();
    if is_problem {
        actions.push(button(
            "staff-debug-reset",
            "Reset Learner's Attempts to Zero",
        ));
    }
    actions.push(button("staff-debug-sdelete", "Delete Learner's State"));
    if is_problem {
        actions.push(button(
            "staff-debug-rescore",
            "Rescore Learner's Submission",
        ));
        actions.push(button(
            "staff-debug-rescore-if-higher",
            "Rescore Only If Score Improves",
        ));
        actions.push(button("staff-debug-override-score", "Override Score"));
    }
    let _ = write!(
        out,
        "<div data-location=\"{key}\" data-location-name=\"{id}\" data-course-id=\"{course}\">\n[\n{}\n]\n</div>\n<div id=\"result_{id}\"></div>\n</div>\n<div class=\"staff_info\" style=\"display:block\">\nlocation = {key}\n<table>\n<caption>Module Fields</caption>\n",
        actions.join("\n|\n")
    );
    for field in &block.kind().fields {
        let Some(value) = renderer.any_field(block, field.name) else {
            continue;
        };
        let mut text = json_text(value);
        if text.len() > LONGEST {
            text = text.chars().take(LONGEST).collect();
        }
        let _ = writeln!(
            out,
            "<tr><td style=\"width:25%\">{}</td><td><pre style=\"display:inline-block; margin: 0; overflow-wrap: anywhere;\">{}</pre></td></tr>",
            escape(field.name),
            escape(&text)
        );
    }
    let _ = write!(
        out,
        "</table>\ncategory = {}, has_score = {}\n</div>\n</div>\n</div>\n",
        escape(block.block_type()),
        access::has_score(block)
    );
    let _ = write!(
        out,
        "<div aria-hidden=\"true\" role=\"dialog\" tabindex=\"-1\" class=\"modal history-modal\" id=\"{id}_history\" hidden>\n<div class=\"inner-wrapper\">\n<header><h2>Submission History Viewer</h2></header>\n<form id=\"{id}_history_form\">\n<label for=\"{id}_history_student_username\">Learner&#39;s {site} email address or username:</label>\n<input tabindex=\"0\" id=\"{id}_history_student_username\" type=\"text\" placeholder=\"Enter the learner email address or username\"/>\n<input type=\"hidden\" id=\"{id}_history_location\" value=\"{key}\"/>\n<div class=\"submit\"><button name=\"submit\" type=\"submit\">View History</button></div>\n</form>\n<div id=\"{id}_history_text\" class=\"staff_info\" style=\"display:block\"></div>\n</div>\n</div>\n"
    );
    out
}
