//! The frame around a problem: title, buttons, notifications (contract §4.4).

use std::fmt::Write as _;

use serde_json::Value;

use super::{Block, BlockContext};
use crate::error::{Error, Result};
use crate::problem::escape_markup;
use crate::pyvalue::py_str;

/// What stands in place of a problem that does not load (contract §2, last paragraphs).
pub(super) fn load_failure(cx: &BlockContext<'_>, error: &Error) -> String {
    if cx.detailed_errors {
        let message = format!("cannot create LoncapaProblem {}: {error}", cx.usage_key);
        format!(
            "<p>Error formatting HTML for problem:</p><p><pre style=\"color:red\">{}</pre></p>",
            escape_markup(&message)
        )
    } else {
        "<p>Could not format HTML for problem. Contact course staff in the discussion forum for assistance.</p>".to_owned()
    }
}

/// A notification box.
struct Notification<'a> {
    kind: &'a str,
    name: &'a str,
    icon: &'a str,
    message: &'a str,
    hidden: bool,
}

impl Notification<'_> {
    fn html(&self, id: &str) -> String {
        let hidden = if self.hidden { " is-hidden" } else { "" };
        let next = if self.name == "hint" {
            "<button type=\"button\" class=\"btn btn-default btn-small notification-btn hint-button\">\n          Next Hint\n        </button>"
        } else {
            ""
        };
        format!(
            "\n<div class=\"notification {} notification-{}{hidden}\" tabindex=\"-1\">\n    <span class=\"icon fa {}\" aria-hidden=\"true\"></span>\n    <span class=\"notification-message\" aria-describedby=\"{id}-problem-title\">{}\n    </span>\n    <div class=\"notification-btn-wrapper\">\n        {next}\n        <button type=\"button\" class=\"btn btn-default btn-small notification-btn review-btn sr\">Review</button>\n    </div>\n</div>\n",
            self.kind,
            self.name,
            self.icon,
            escape_markup(self.message)
        )
    }
}

fn button(class: &str, attrs: &str, inside: &str) -> String {
    format!(
        "\n      <span class=\"problem-action-button-wrapper\">\n          <button type=\"button\" class=\"{class} problem-action-btn btn-link btn-small\"{attrs}>{inside}</button>\n      </span>"
    )
}

impl Block<'_> {
    /// Type and message of the submit notification.
    fn answer_notification(&self) -> (Option<String>, String) {
        let progress = self.score.progress(self.cx.fields.weight);
        let map = self.problem.correct_map();
        let mut marks = map.entries.values().map(|entry| entry.correctness.clone());
        let kind = if self.cx.correctness_available() {
            let first = marks.next().flatten();
            if marks.any(|mark| mark != first) {
                Some("partially-correct".to_owned())
            } else {
                first
            }
        } else {
            Some("submitted".to_owned())
        };
        let (bare, scored) = match kind.as_deref() {
            Some("correct") => ("Correct", "Correct"),
            Some("incorrect") => ("Incorrect", "Incorrect"),
            Some("partially-correct") => ("Partially Correct", "Partially correct"),
            Some("submitted") => return (kind, "Answer submitted.".to_owned()),
            _ => return (kind, String::new()),
        };
        let message = match progress {
            Some(progress) => {
                let unit = if progress.possible.as_f64() == 1.0 {
                    "point"
                } else {
                    "points"
                };
                format!("{scored} ({progress} {unit})")
            }
            None => bare.to_owned(),
        };
        (kind, message)
    }

    /// The inner HTML; with the submit notification when asked. Static addresses are rewritten.
    pub(super) fn problem_html(&mut self, notify: bool) -> Result<String> {
        let html = match self.problem.get_html() {
            Ok(html) => html,
            Err(_) if !self.cx.debug => self.corrupt_state()?,
            Err(error) => return Err(error),
        };
        let id = self.cx.html_id;
        let usage = escape_markup(self.cx.usage_key);
        let name = escape_markup(&self.cx.fields.display_name);
        let mut out = format!(
            "\n<h3 class=\"hd hd-3 problem-header\" id=\"{id}-problem-title\" aria-describedby=\"{usage}-problem-progress\" tabindex=\"-1\">\n  {name}\n</h3>\n\n<div class=\"problem-progress\" id=\"{usage}-problem-progress\"></div>\n\n<div class=\"problem\">\n  {html}\n  <div class=\"action\">\n    <input type=\"hidden\" name=\"problem_id\" value=\"{name}\" />"
        );
        let hints = self.problem.demand_hint_count() > 0;
        if hints {
            let hint = Notification {
                kind: "problem-hint",
                name: "hint",
                icon: "fa-question",
                message: "",
                hidden: true,
            };
            let _ = write!(
                out,
                "\n      <div class=\"problem-hint\">{}</div>",
                hint.html(id)
            );
        }
        out.push_str("\n    <div class=\"problem-action-buttons-wrapper\">");
        out.push_str(&self.buttons(hints));
        out.push_str("\n    </div>\n    <div class=\"submit-attempt-container\">");
        out.push_str(&self.submit());
        out.push_str("\n    </div>\n  </div>");
        out.push_str(&self.notifications(notify));
        out.push_str(
            "\n</div>\n\n<script>\n    function emit_event(message) {\n        parent.postMessage(message, '*');\n    }\n</script>\n",
        );
        Ok((self.cx.replace_urls)(&out))
    }

    fn buttons(&self, hints: bool) -> String {
        let mut out = String::new();
        let worded = |word: &str| {
            format!(
                "<span aria-hidden=\"true\">{word}</span><span class=\"sr\">{word} your answer</span>"
            )
        };
        if hints {
            out.push_str(&button("hint-button", " data-value=\"Hint\" ", "Hint"));
        }
        if self.save_shown() {
            out.push_str(&button("save", " data-value=\"Save\"", &worded("Save")));
        }
        if self.reset_shown() && self.attempts > 0 {
            out.push_str(&button("reset", " data-value=\"Reset\"", &worded("Reset")));
        }
        if self.answer_available() {
            out.push_str(&button(
                "show",
                &format!(" aria-describedby=\"{}-problem-title\"", self.cx.html_id),
                "<span class=\"show-label\">Show answer</span>",
            ));
        }
        out
    }

    fn submit(&self) -> String {
        let id = self.cx.html_id;
        let enabled = self.submit_enabled();
        let (flag, disabled) = if enabled {
            ("True", "")
        } else {
            ("False", " disabled")
        };
        let mut out = format!(
            "\n      <button type=\"button\" class=\"submit btn-brand\" data-submitting=\"Submitting\" data-value=\"Submit\" data-should-enable-submit-button=\"{flag}\" aria-describedby=\"submission_feedback_{id}\"{disabled}>\n          <span class=\"submit-label\">Submit</span>\n      </button>"
        );
        let cta = self.cx.call_to_action;
        if let Some(cta) = cta {
            if cta.form_values.is_empty() {
                let _ = write!(
                    out,
                    "\n      <a class=\"submit-cta-link-button\" href=\"{}\">{}</a>",
                    escape_markup(&cta.link),
                    escape_markup(&cta.link_name)
                );
            } else {
                let _ = write!(
                    out,
                    "\n      <form class=\"submit-cta\" method=\"post\" action=\"{}\">",
                    escape_markup(&cta.link)
                );
                for (key, value) in &cta.form_values {
                    let _ = write!(
                        out,
                        "<input type=\"hidden\" name=\"{}\" value=\"{}\"/>",
                        escape_markup(key),
                        escape_markup(value)
                    );
                }
                let _ = write!(
                    out,
                    "<button class=\"submit-cta-link-button btn-link btn-small\">{}</button></form>",
                    escape_markup(&cta.link_name)
                );
            }
        }
        let class = if cta.is_some() { "cta-enabled" } else { "" };
        let _ = write!(
            out,
            "\n\n      <div class=\"submission-feedback {class}\" id=\"submission_feedback_{id}\">"
        );
        if let Some(max) = self.cx.fields.max_attempts.filter(|max| *max != 0)
            && (cta.is_none() || self.attempts == 0)
        {
            let unit = if max == 1 { "attempt" } else { "attempts" };
            let _ = write!(
                out,
                "\n        You have used {} of {max} {unit}",
                self.attempts
            );
        }
        if let Some(cta) = cta {
            let _ = write!(out, "\n        {}", escape_markup(&cta.description));
        }
        out.push_str("\n        <span class=\"sr\">Some problems have options such as save, reset, hints, or show answer. These options follow the Submit button.</span>\n      </div>");
        out
    }

    fn notifications(&self, notify: bool) -> String {
        let id = self.cx.html_id;
        let hidden = |kind, name, icon, message| Notification {
            kind,
            name,
            icon,
            message,
            hidden: true,
        };
        let mut out = hidden("warning", "gentle-alert", "fa-exclamation-circle", "").html(id);
        if notify {
            let (kind, message) = self.answer_notification();
            let style = match kind.as_deref() {
                Some("correct") => Some(("success", "fa-check")),
                Some("incorrect") => Some(("error", "fa-close")),
                Some("partially-correct") => Some(("success", "fa-asterisk")),
                Some("submitted") => Some(("general", "fa-info-circle")),
                _ => None,
            };
            if let Some((kind, icon)) = style {
                let shown = Notification {
                    kind,
                    name: "submit",
                    icon,
                    message: &message,
                    hidden: false,
                };
                out.push_str(&shown.html(id));
            }
        }
        let saved = self.saved.get("has_saved_answers") == Some(&Value::Bool(true));
        let save = Notification {
            kind: "warning",
            name: "save",
            icon: "fa-save",
            message: if saved {
                "Your answers were previously saved. Click 'Submit' to grade them."
            } else {
                "None"
            },
            hidden: !saved,
        };
        out.push_str(&save.html(id));
        let answers = "Answers are displayed within the problem";
        out.push_str(&hidden("general", "show-answer", "fa-info-circle", answers).html(id));
        out
    }

    /// A problem whose state cannot be shown: starts anew and says what was thrown away.
    fn corrupt_state(&mut self) -> Result<String> {
        let answers = self.problem.student_answers().clone();
        self.renew()?;
        let mut html = String::from(
            "<div class=\"capa_reset\"> <h2>Warning: The problem has been reset to its initial state!</h2>The problem's state was corrupted by an invalid submission. The submission consisted of:<ul>",
        );
        for (id, answer) in &answers {
            let text = py_str(answer);
            if !text.is_empty() && !id.contains("dynamath") {
                let _ = write!(html, "<li>{}</li>", escape_markup(&text));
            }
        }
        html.push_str("</ul>If this error persists, please contact the course staff.</div>");
        html.push_str(&self.problem.get_html()?);
        Ok(html)
    }

    /// `problem_ajax.html`: the wrapper that carries the inner HTML in an attribute.
    pub(super) fn wrapper(&self, content: &str) -> String {
        let id = self.cx.html_id;
        let usage = escape_markup(self.cx.usage_key);
        let (score, possible) = self.displayed_score();
        let graded = if self.cx.fields.graded {
            "True"
        } else {
            "False"
        };
        format!(
            "<div id=\"problem_{id}\" class=\"problems-wrapper\" role=\"group\"\n     aria-labelledby=\"{id}-problem-title\"\n     data-problem-id=\"{usage}\" data-url=\"{}\"\n     data-problem-score=\"{}\"\n     data-problem-total-possible=\"{}\"\n     data-attempts-used=\"{}\"\n     data-content=\"{}\"\n     data-graded=\"{graded}\">\n    <p class=\"loading-spinner\">\n        <i class=\"fa fa-spinner fa-pulse fa-2x fa-fw\"></i>\n        <span class=\"sr\">Loading\u{2026}</span>\n    </p>\n</div>\n",
            escape_markup(self.cx.ajax_url),
            py_str(&score),
            py_str(&possible),
            self.attempts,
            escape_markup(content)
        )
    }
}
