//! Exercises whose work is done by a browser program or by an outside tool (courseware.md §12.6).
//!
//! What they show at first is as the platform shows it; the page's own script says so where it has no program for one.

use std::fmt::Write as _;

use course_model::BlockRef;
use serde_json::{Value, json};

use super::Renderer;
use super::leaves::markdown;
use super::wrapper::{Body, escape, truth};
use crate::runtime::handler_url;

/// A number as Python prints a float.
fn float_text(value: f64) -> String {
    django_compat::pyjson::float_repr(value)
}

impl Renderer<'_> {
    pub(super) fn lti(&self, block: BlockRef<'_>) -> Body {
        let usage = block.usage_key();
        let id = escape(&usage.html_id());
        let name = escape(&block.display_name());
        let mut html =
            format!("<h3 class=\"hd hd-3 problem-header\">\n{name} (External resource)\n</h3>\n");
        let weight = block.float("weight").unwrap_or(1.0);
        if block.flag("has_score") && weight != 0.0 {
            let score = self
                .states
                .state(&usage.to_string())
                .get("module_score")
                .and_then(Value::as_f64);
            let possible = float_text(weight);
            let text = match score {
                Some(score) => format!("({} / {possible} points)", float_text(score)),
                None => format!("({possible} points possible)"),
            };
            let _ = write!(html, "<div class=\"problem-progress\">\n{text}\n</div>\n");
        }
        let _ = writeln!(
            html,
            "<div id=\"{id}\" class=\"lti\" data-ask-to-send-username=\"{}\" data-ask-to-send-email=\"{}\">",
            truth(block.flag("ask_to_send_username")),
            truth(block.flag("ask_to_send_email"))
        );
        let launch = block.text("launch_url").unwrap_or_default().trim();
        let preview = escape(&handler_url(usage, "preview_handler", ""));
        if block.flag("hide_launch") {
            // Learners reach the tool in another way.
        } else if launch.is_empty() || launch == "http://www.example.com" {
            html.push_str(
                "<h3 class=\"error_message\">Please provide launch_url. Click \"Edit\", and fill in the required fields.</h3>\n",
            );
        } else if block.flag("open_in_a_new_page") {
            let label = match block.text("button_text").unwrap_or_default() {
                "" => "View resource in a new window".to_owned(),
                text => escape(text),
            };
            let _ = write!(
                html,
                "<div class=\"wrapper-lti-link\">\n{}<p class=\"lti-link external\"><a target=\"_blank\" class=\"link_lti_new_window\" rel=\"noopener\" href=\"{preview}\">\n{label}\n<span class=\"icon fa fa-external-link\" aria-hidden=\"true\"></span>\n</a></p>\n</div>\n",
                description(block)
            );
        } else {
            let _ = writeln!(
                html,
                "<iframe title=\"{name}\" class=\"ltiLaunchFrame\" name=\"ltiFrame-{id}\" src=\"{preview}\" allow=\"microphone *; camera *; midi *; geolocation *; encrypted-media *\"></iframe>"
            );
        }
        html.push_str("</div>\n");
        let mut body = Body::shimmed(html, "LTI");
        body.init = Some("XBlockToXModuleShim");
        body
    }

    pub(super) fn drag_and_drop(&self, block: BlockRef<'_>) -> Body {
        let html = "<div class=\"themed-xblock xblock--drag-and-drop\">\n<span class=\"fa fa-spin fa-spinner initial-load-spinner\" aria-hidden=\"true\"></span>\nLoading drag and drop problem.\n</div>\n".to_owned();
        Body {
            html,
            init: Some("DragAndDropBlock"),
            args: Some(self.drag_and_drop_configuration(block)),
        }
    }

    /// What the exercise's program needs; never which item belongs where.
    pub(crate) fn drag_and_drop_configuration(&self, block: BlockRef<'_>) -> Value {
        let data = self.any_field(block, "data").cloned().unwrap_or_default();
        let list = |name: &str| {
            data.get(name)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let text = |name: &str| {
            data.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let flag =
            |name: &str, default: bool| data.get(name).and_then(Value::as_bool).unwrap_or(default);
        let items: Vec<Value> = list("items")
            .into_iter()
            .map(|item| {
                let mut shown = serde_json::Map::new();
                for (key, value) in item.as_object().into_iter().flatten() {
                    if !matches!(key.as_str(), "feedback" | "zones" | "zone") {
                        shown.insert(key.clone(), value.clone());
                    }
                }
                let image = item.get("imageURL").and_then(Value::as_str).unwrap_or("");
                let address = self.links.expand(image);
                if !image.is_empty() {
                    shown.insert("imageURL".to_owned(), json!(address));
                }
                shown.insert("expandedImageURL".to_owned(), json!(address));
                Value::Object(shown)
            })
            .collect();
        let weight = block.float("weight").unwrap_or(1.0);
        let past = self.view.date(block, "due").is_some_and(|due| {
            let grace = block
                .duration("graceperiod")
                .map_or(0, |grace| grace.micros);
            i128::from(due.timestamp_micros()) + grace
                < i128::from(self.view.now.timestamp_micros())
        });
        json!({
            "block_id": block.usage_key().to_string(),
            "display_name": block.display_name(),
            "type": block.block_type(),
            "weight": weight,
            "mode": block.text("mode").unwrap_or("standard"),
            "zones": list("zones"),
            "max_attempts": block.integer("max_attempts"),
            "graded": block.flag("graded"),
            "weighted_max_score": weight,
            "max_items_per_zone": block.integer("max_items_per_zone"),
            "url_name": block.block_id(),
            "display_zone_labels": flag("displayLabels", false),
            "display_zone_borders": flag("displayBorders", false),
            "display_zone_borders_dragging": flag("displayBordersDragging", false),
            "items": items,
            "title": block.display_name(),
            "show_title": block.flag("show_title"),
            "problem_text": self.author_html(block, self.text(block, "question_text")),
            "show_problem_header": block.flag("show_question_header"),
            "target_img_expanded_url": self.links.expand(&text("targetImg")),
            "target_img_description": text("targetImgDescription"),
            "item_background_color": block.text("item_background_color").unwrap_or_default(),
            "item_text_color": block.text("item_text_color").unwrap_or_default(),
            "has_deadline_passed": past,
            "answer_available": false,
        })
    }

    pub(super) fn open_assessment(&self, block: BlockRef<'_>) -> Body {
        let title = match self.text(block, "title").trim() {
            "" => block.display_name().into_owned(),
            title => title.to_owned(),
        };
        let steps: Vec<String> = self
            .any_field(block, "rubric_assessments")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|step| step.get("name")?.as_str().map(str::to_owned))
            .collect();
        let mut shown = vec![("response", "Your Response")];
        for step in &steps {
            shown.extend(match step.as_str() {
                "student-training" => Some(("student-training", "Learn to Assess Responses")),
                "peer-assessment" => Some(("peer-assessment", "Assess Peers")),
                "self-assessment" => Some(("self-assessment", "Assess Your Response")),
                "staff-assessment" => Some(("staff-assessment", "Staff Grade")),
                _ => None,
            });
        }
        shown.push(("grade", "Your Grade:"));
        if self
            .any_field(block, "leaderboard_show")
            .and_then(Value::as_i64)
            .unwrap_or(0)
            > 0
        {
            shown.push(("leaderboard", "Top Responses"));
        }
        let mut html = format!(
            "<div class=\"wrapper wrapper--xblock wrapper--openassessment theme--basic\">\n<div class=\"openassessment problem\">\n<div class=\"wrapper--grid\">\n<div class=\"openassessment-initial-wrapper\" id=\"ora-legacy-view\">\n<h3 class=\"openassessment__title problem__header\">{}</h3>\n<div class=\"wrapper-openassessment__message\"><div class=\"openassessment__message message\"><div class=\"message__content\"><p>This assignment has several steps. In the first step, you'll provide a response to the prompt. The other steps appear below the Your Response field.</p></div></div></div>\n<ol class=\"openassessment__steps\">\n",
            escape(&title)
        );
        for (step, label) in shown {
            let _ = write!(
                html,
                "<li class=\"step--{step} openassessment__steps__step is--loading\">\n<header class=\"step__header ui-slidable__container\">\n<h4 class=\"step__title\"><button class=\"ui-slidable\" aria-expanded=\"false\" aria-describedby=\"oa_step_status oa_step_deadline\" disabled><span class=\"step__counter\"></span> <span class=\"wrapper--copy\"><span class=\"step__label\">{label}</span></span></button></h4>\n<span class=\"step__status\"><span id=\"oa_step_status\" class=\"step__status__value\"><span class=\"icon fa fa-spinner fa-spin\" aria-hidden=\"true\"></span> <span class=\"copy\">Loading</span></span></span>\n</header>\n</li>\n"
            );
        }
        html.push_str(
            "</ol>\n</div>\n<div class=\"openassessment-initial-wrapper\" id=\"ora-mfe-view\"><div class=\"ora-loading\"><span class=\"wrapper--anim\"><span class=\"icon fa fa-spinner fa-spin\" aria-hidden=\"true\"></span> <span class=\"copy\">Loading Open Response Assessment...</span></span></div></div>\n</div>\n</div>\n<div class=\"sr reader-feedback\" aria-live=\"polite\"></div>\n</div>\n",
        );
        let mut body = Body::with(html, "OpenAssessmentBlock");
        body.args = Some(json!({
            "TEAM_ASSIGNMENT": self.any_field(block, "teams_enabled").and_then(Value::as_bool).unwrap_or(false),
            "MAXIMUM_FILE_UPLOAD_COUNT": 20,
            "TEXT_RESPONSE_EDITOR": self.text(block, "text_response_editor"),
            "CONTEXT": {"MFE_VIEW_ENABLED": false, "ORA_MICROFRONTEND_URL": null},
        }));
        body
    }

    pub(super) fn staff_graded(&self, block: BlockRef<'_>) -> Body {
        let weight = block.float("weight").unwrap_or(1.0);
        let row = self.states.row(&block.usage_key().to_string());
        let progress = match row.and_then(|row| Some((row.grade?, row.max_grade?))) {
            Some((earned, possible)) if possible > 0.0 => format!(
                "{} / {} points",
                float_text(earned / possible * weight),
                float_text(weight)
            ),
            _ => format!("{} points possible", float_text(weight)),
        };
        let html = format!(
            "<div class=\"staff_graded_block\">\n<h3 class=\"hd hd-3 problem-header\">{}</h3>\n<div class=\"problem-progress\">\n{progress}\n</div>\n<div class=\"problem\">\n{}\n</div>\n</div>\n",
            escape(&block.display_name()),
            self.author_html(block, &markdown(self.text(block, "instructions")))
        );
        Body::with(html, "StaffGradedXBlock")
    }

    pub(super) fn staff_graded_assignment(&self, block: BlockRef<'_>) -> Body {
        let points = block.integer("points").unwrap_or(100);
        let html = format!(
            "<div class=\"sga-block\" data-state=\"\" data-staff=\"{}\">\n<h3 class=\"hd hd-3 problem-header\">{}</h3>\n<div class=\"problem-progress\">({points} points possible)</div>\n<p class=\"sga-unavailable\">Files cannot be handed in on this site yet.</p>\n</div>\n",
            truth(self.view.learner.is_staff()),
            escape(&block.display_name())
        );
        Body::with(html, "StaffGradedAssignmentXBlock")
    }
}

pub(super) fn lti_consumer(block: BlockRef<'_>) -> Body {
    let usage = block.usage_key();
    let name = escape(&block.display_name());
    let mut html = format!(
        "<div class=\"lti_consumer_xblock\" id=\"{}\" data-target=\"{}\">\n<h3 class=\"hd hd-3 problem-header\">{name} (External resource)</h3>\n",
        escape(&usage.html_id()),
        escape(block.text("launch_target").unwrap_or("iframe"))
    );
    if block.flag("has_score") {
        let weight = float_text(block.float("weight").unwrap_or(1.0));
        let _ = writeln!(
            html,
            "<div class=\"problem-progress\">({weight} points possible)</div>"
        );
    }
    html.push_str(&description(block));
    let launch = block.text("launch_url").unwrap_or_default().trim();
    if block.flag("hide_launch") {
        // Learners reach the tool in another way.
    } else if launch.is_empty() || block.text("lti_version") == Some("lti_1p3") {
        html.push_str(
            "<p class=\"error_message\">This tool cannot be started: its launch address is missing or of a kind that this site does not support.</p>\n",
        );
    } else {
        let address = escape(&handler_url(usage, "lti_launch_handler", ""));
        if matches!(block.text("launch_target"), Some("new_window" | "modal")) {
            let label = match block.text("button_text").unwrap_or_default() {
                "" => "View resource in a new window".to_owned(),
                text => escape(text),
            };
            let _ = writeln!(
                html,
                "<p class=\"lti-link external\"><a class=\"btn link_lti_new_window\" target=\"_blank\" rel=\"noopener\" href=\"{address}\">{label} <span class=\"icon fa fa-external-link\" aria-hidden=\"true\"></span></a></p>"
            );
        } else {
            let height = block
                .integer("inline_height")
                .unwrap_or(800)
                .clamp(50, 5000);
            let _ = writeln!(
                html,
                "<iframe title=\"{name}\" class=\"ltiLaunchFrame\" src=\"{address}\" style=\"width:100%;height:{height}px\" allow=\"microphone *; camera *; midi *; geolocation *; encrypted-media *\"></iframe>"
            );
        }
    }
    html.push_str("</div>\n");
    Body::with(html, "LtiConsumerXBlock")
}

fn description(block: BlockRef<'_>) -> String {
    match block.text("description").unwrap_or_default() {
        "" => String::new(),
        text => format!("<div class=\"lti-description\">{}</div>\n", escape(text)),
    }
}
