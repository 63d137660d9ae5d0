//! Blocks of text, questions to the class and small tools (courseware.md §12).

use std::fmt::Write as _;

use capa::xml;
use course_model::BlockRef;
use serde_json::{Map, Value, json};

use super::Renderer;
use super::wrapper::{Body, escape, json_text};
use crate::runtime::handler_url;

/// Colours that an annotation may be given.
const COLORS: [&str; 5] = ["yellow", "orange", "purple", "blue", "green"];

impl Renderer<'_> {
    /// Authors' HTML, with the marks for the learner and the course filled in.
    pub(super) fn html(&self, block: BlockRef<'_>) -> Body {
        let html = self.filled(self.text(block, "data"), block);
        Body::shimmed(self.author_html(block, &html), "HTMLModule")
    }

    fn filled(&self, html: &str, block: BlockRef<'_>) -> String {
        let mut html = html.to_owned();
        if let Some(id) = &self.anonymous_id {
            html = html.replace("%%USER_ID%%", id);
        }
        let course = block.usage_key().course_key();
        html.replace("%%COURSE_ID%%", &crate::runtime::course_text(course))
    }

    pub(super) fn discussion(&self, block: BlockRef<'_>) -> Body {
        // Other forums have a place of their own beside the content.
        let provider = self.view.learner.discussion_provider.as_deref();
        if provider.is_some_and(|provider| provider != "legacy") {
            return Body::with(String::new(), "DiscussionInlineBlock");
        }
        let id = match self.text(block, "discussion_id") {
            "" => course_model::unique_id(block.usage_key(), "discussion_id"),
            id => id.to_owned(),
        };
        let may_write = self.view.learner.user_id().is_some();
        let html = format!(
            "<div class=\"discussion-module\" data-discussion-id=\"{id}\" data-user-create-comment=\"{may_write}\" data-user-create-subcomment=\"{may_write}\" data-read-only=\"{}\">\n<div class=\"discussion-module-header\">\n<h3 class=\"hd hd-3 discussion-module-title\">{}</h3>\n<div class=\"inline-discussion-topic\"><span class=\"inline-discussion-topic-title\">Topic:</span> {} / {}</div>\n</div>\n<button class=\"discussion-show btn\" data-discussion-id=\"{id}\"><span class=\"button-text\">Show Discussion</span></button>\n</div>\n",
            !may_write,
            escape(&block.display_name()),
            escape(self.text(block, "discussion_category")),
            escape(self.text(block, "discussion_target")),
            id = escape(&id),
        );
        Body::with(html, "DiscussionInlineBlock")
    }

    pub(super) fn annotatable(&self, block: BlockRef<'_>) -> Body {
        let id = escape(&block.usage_key().html_id());
        let (instructions, content) = annotate(self.text(block, "data"));
        let mut html = format!(
            "<div class=\"annotatable-wrapper\" id=\"{id}-wrapper\">\n<div class=\"annotatable-header\"><h3 class=\"hd hd-3 problem-header annotatable-title\">{}</h3></div>\n",
            escape(&block.display_name())
        );
        if let Some(instructions) = instructions {
            let _ = write!(
                html,
                "<div class=\"annotatable-section shaded\">\n<div class=\"annotatable-section-title\">Instructions <button class=\"annotatable-toggle annotatable-toggle-instructions expanded btn-link\" type=\"button\">Collapse Instructions</button></div>\n<div class=\"annotatable-section-body annotatable-instructions\">{instructions}</div>\n</div>\n"
            );
        }
        let _ = write!(
            html,
            "<div class=\"annotatable-section\">\n<div class=\"annotatable-section-title\">Guided Discussion <button class=\"annotatable-toggle annotatable-toggle-annotations btn-link\" type=\"button\">Hide Annotations</button></div>\n<div class=\"annotatable-section-body annotatable-content\">{content}</div>\n</div>\n</div>\n"
        );
        Body::shimmed(self.author_html(block, &html), "Annotatable")
    }

    pub(super) fn poll_question(&self, block: BlockRef<'_>) -> Body {
        let usage = block.usage_key();
        let state = self.states.state(&usage.to_string());
        let answers = poll_answers(self.content(block, "answers"));
        let texts: Map<String, Value> = answers
            .iter()
            .map(|(id, text)| (id.clone(), json!(text)))
            .collect();
        let voted = state.get("voted") == Some(&json!(true));
        let configuration = json!({
            "answers": texts,
            "question": self.author_html(block, self.text(block, "question")),
            "poll_answer": state.get("poll_answer").cloned().unwrap_or_else(|| json!("")),
            "poll_answers": {},
            "total": 0,
            "reset": voted.to_string(),
        });
        let html = format!(
            "<div id=\"poll_{}\" class=\"poll_question\" data-ajax-url=\"{}\">\n<div class=\"poll_question_div\" style=\"display: none;\">{}</div>\n</div>\n",
            escape(&usage.html_id()),
            escape(&handler_url(usage, "xmodule_handler", "")),
            escape(&json_text(&configuration))
        );
        Body::shimmed(html, "Poll")
    }

    pub(super) fn word_cloud(&self, block: BlockRef<'_>) -> Body {
        let usage = block.usage_key();
        let id = escape(&usage.html_id());
        let inputs = block.integer("num_inputs").unwrap_or(5).clamp(1, 50);
        let submitted =
            self.states.state(&usage.to_string()).get("submitted") == Some(&json!(true));
        let mut fields = String::new();
        for number in 1..=inputs {
            let _ = writeln!(
                fields,
                "<input class=\"input-cloud\" name=\"student_words[]\" type=\"text\" size=\"40\" aria-label=\"Word {number} of {inputs}\">"
            );
        }
        let instructions = self.text(block, "instructions");
        let html = format!(
            "<div id=\"word_cloud_{id}\" class=\"word_cloud\" data-ajax-url=\"{}\" data-submitted=\"{submitted}\">\n<h3 class=\"hd hd-3\" id=\"word_cloud_{id}_title\">{}</h3>\n<p class=\"word_cloud-instructions\">{}</p>\n<div class=\"input_cloud_section\">\n{fields}<button type=\"button\" class=\"save btn-brand\">Save</button>\n</div>\n<div class=\"result_cloud_section\" hidden>\n<p>Your words: <strong class=\"your_words\"></strong></p>\n<p>Total number of words: <strong class=\"total_num_words\"></strong></p>\n<ul class=\"word_cloud_words\"></ul>\n</div>\n</div>\n",
            escape(&handler_url(usage, "xmodule_handler", "")),
            escape(&block.display_name()),
            self.author_html(block, instructions)
        );
        Body::shimmed(html, "WordCloud")
    }

    /// A button by which learners say themselves that they are done.
    pub(super) fn done(&self, block: BlockRef<'_>) -> Body {
        let usage = block.usage_key();
        let id = escape(&usage.html_id());
        let is_done = self.states.state(&usage.to_string()).get("done") == Some(&json!(true));
        let (class, label) = if is_done {
            ("done_onoffswitch-checked", "Mark as incomplete")
        } else {
            ("", "Mark as complete")
        };
        let html = format!(
            "<div class=\"done_block {class}\" id=\"done_{id}\">\n<button class=\"done_onoffswitch-label btn-brand\" type=\"button\" aria-pressed=\"{is_done}\">{label}</button>\n</div>\n"
        );
        Body {
            html,
            init: Some("DoneXBlock"),
            args: Some(json!({"state": is_done, "align": self.text(block, "align")})),
        }
    }

    pub(super) fn poll(&self, block: BlockRef<'_>) -> Body {
        let usage = block.usage_key();
        let id = escape(usage.block_id());
        let state = self.states.state(&usage.to_string());
        let choice = state.get("choice").and_then(Value::as_str);
        let answers = labelled(self.any_field(block, "answers"));
        let mut items = String::new();
        for (number, (key, label, image)) in (1..).zip(&answers) {
            let checked = if choice == Some(key.as_str()) {
                " checked"
            } else {
                ""
            };
            let _ = write!(
                items,
                "<li class=\"poll-answer-item\">\n<input type=\"radio\" name=\"choice\" id=\"{id}-answer-{number}\" value=\"{}\"{checked}/>\n<label class=\"poll-answer\" for=\"{id}-answer-{number}\">{}{}</label>\n</li>\n",
                escape(key),
                self.poll_image(image),
                self.author_html(block, &markdown(label))
            );
        }
        let question = self.author_html(block, &markdown(self.text(block, "question")));
        let fields = format!(
            "<div class=\"poll-question-container\">{question}</div>\n<ul class=\"poll-answers-list\">\n{items}</ul>\n"
        );
        Body::with(self.ballot(block, &fields, choice.is_some()), "PollBlock")
    }

    pub(super) fn survey(&self, block: BlockRef<'_>) -> Body {
        let usage = block.usage_key();
        let key = escape(&usage.to_string());
        let id = escape(usage.block_id());
        let state = self.states.state(&usage.to_string());
        let choices = state.get("choices").and_then(Value::as_object);
        let answers = pairs(self.any_field(block, "answers"));
        let questions = labelled(self.any_field(block, "questions"));
        let mut head = String::new();
        for (answer, label) in &answers {
            let _ = writeln!(
                head,
                "<th role=\"presentation\" id=\"poll-{id}-{0}\" class=\"survey-answer\" scope=\"col\">{1}</th>",
                escape(answer),
                escape(label)
            );
        }
        let mut rows = String::new();
        for (question, label, image) in &questions {
            let name = escape(question);
            let chosen = choices
                .and_then(|choices| choices.get(question))
                .and_then(Value::as_str);
            let _ = write!(
                rows,
                "<tr class=\"survey-row\" role=\"group\" aria-labelledby=\"poll-{id}-{name}\">\n<th role=\"presentation\" id=\"poll-{id}-{name}\" class=\"survey-question\" scope=\"row\">\n{}{}\n</th>\n",
                self.poll_image(image),
                self.author_html(block, &markdown(label))
            );
            for (number, (answer, label)) in (1..).zip(&answers) {
                let checked = if chosen == Some(answer.as_str()) {
                    " checked"
                } else {
                    ""
                };
                let _ = write!(
                    rows,
                    "<td role=\"presentation\" class=\"survey-option\" headers=\"poll-{id}-{name} poll-{id}-{answer}\">\n<label for=\"{key}-{name}-{number}\">\n<input type=\"radio\" name=\"{name}\" id=\"{key}-{name}-{number}\" value=\"{answer}\" aria-label=\"{label}\"{checked}/>\n<span class=\"visible-mobile-only\">{label}</span>\n</label>\n</td>\n",
                    answer = escape(answer),
                    label = escape(label)
                );
            }
            rows.push_str("</tr>\n");
        }
        let fields = format!(
            "<table class=\"survey-table\" role=\"presentation\">\n<thead role=\"presentation\">\n<tr role=\"group\">\n<td></td>\n{head}</tr>\n</thead>\n{rows}</table>\n"
        );
        Body::with(
            self.ballot(block, &fields, choices.is_some()),
            "SurveyBlock",
        )
    }

    fn poll_image(&self, image: &str) -> String {
        if image.is_empty() {
            return String::new();
        }
        let address = self.links.expand(image);
        format!(
            "<div class=\"poll-image\"><img src=\"{}\" alt=\"\"/></div>",
            escape(&address)
        )
    }

    /// The form around the choices of a poll or survey.
    fn ballot(&self, block: BlockRef<'_>, fields: &str, voted: bool) -> String {
        let usage = block.usage_key().to_string();
        let state = self.states.state(&usage);
        let used = state
            .get("submissions_count")
            .and_then(Value::as_i64)
            .unwrap_or(0);
        let most = self
            .any_field(block, "max_submissions")
            .and_then(Value::as_i64)
            .unwrap_or(1);
        let may_vote = most == 0 || used < most;
        let is_private = self.any_field(block, "private_results") == Some(&json!(true));
        let title = if block.block_type() == "survey" {
            self.text(block, "block_name").to_owned()
        } else {
            self.text(block, "display_name").to_owned()
        };
        let hidden = |shown: bool| if shown { "" } else { " poll-hidden" };
        let one = |yes: bool| if yes { "1" } else { "" };
        let mut html = format!(
            "<div class=\"poll-block themed-xblock\" data-private=\"{}\" data-can-vote=\"{}\">\n<div class=\"poll-block-form-wrapper\">\n<h3 class=\"poll-header\">{}</h3>\n<form>\n{fields}<button type=\"button\" class=\"submit btn-brand\" disabled><span class=\"submit-label\">{}</span></button>\n</form>\n<div class=\"poll-voting-thanks{}\"><span>Thank you.</span></div>\n<div class=\"poll-submissions-count{}\">You have used <span class=\"poll-current-count\">{}</span> out of <span class=\"poll-max-submissions\">{}</span> submissions.</div>\n",
            one(is_private),
            one(may_vote),
            escape(&title),
            if voted { "Resubmit" } else { "Submit" },
            hidden(voted && !may_vote),
            hidden(voted && most > 1),
            if voted {
                used.to_string()
            } else {
                "{{ submissions_count }}".to_owned()
            },
            if voted {
                most.to_string()
            } else {
                "{{ max_submissions }}".to_owned()
            },
        );
        let feedback = self.text(block, "feedback");
        if !feedback.is_empty() {
            let _ = write!(
                html,
                "<div class=\"poll-feedback-container{}\">\n<hr/>\n<h3 class=\"poll-header\">Feedback</h3>\n<div class=\"poll-feedback\">{}</div>\n</div>\n",
                hidden(voted),
                self.author_html(block, &markdown(feedback))
            );
        }
        html.push_str("</div>\n</div>\n");
        html
    }

    /// A block of a web page's own: a calendar or a document.
    pub(super) fn google(&self, block: BlockRef<'_>) -> Body {
        let name = escape(&block.display_name());
        if block.block_type() == "google-document" {
            let html = format!(
                "<div class=\"google-docs-xblock-wrapper\">{}</div>\n",
                self.text(block, "embed_code")
            );
            return Body::with(html, "GoogleDocumentBlock");
        }
        let mode = match block.integer("default_view") {
            Some(0) => "WEEK",
            Some(2) => "AGENDA",
            _ => "MONTH",
        };
        let calendar: String =
            url::form_urlencoded::byte_serialize(self.text(block, "calendar_id").as_bytes())
                .collect();
        let html = format!(
            "<div class=\"google-calendar-xblock-wrapper\"><iframe title=\"{name}\" src=\"https://www.google.com/calendar/embed?mode={mode}&amp;src={calendar}&amp;showCalendars=0\" width=\"100%\" height=\"600\"></iframe></div>\n"
        );
        Body::with(html, "GoogleCalendarBlock")
    }

    /// A block of a type that this program does not know. Staff are told; learners see nothing.
    pub(super) fn unsupported(&self, block: BlockRef<'_>) -> Body {
        if !self.view.learner.is_staff() {
            return Body::plain(String::new());
        }
        Body::plain(format!(
            "<div class=\"xblock-message warning\"><p>Components of type <code>{}</code> are not supported by this site. Only staff see this message; learners see nothing here.</p></div>\n",
            escape(block.block_type())
        ))
    }
}

/// Ids and texts of a poll question's answers.
pub(crate) fn poll_answers(value: Option<&Value>) -> Vec<(String, String)> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|answer| {
            let text = |name: &str| answer.get(name)?.as_str().map(str::to_owned);
            Some((text("id")?, text("text").unwrap_or_default()))
        })
        .collect()
}

/// Keys and labels of `[[key, label], …]`.
pub(crate) fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|pair| {
            let text = |at: usize| pair.get(at)?.as_str().map(str::to_owned);
            Some((text(0)?, text(1)?))
        })
        .collect()
}

/// Keys, labels and images of `[[key, {label, img}], …]`.
pub(crate) fn labelled(value: Option<&Value>) -> Vec<(String, String, String)> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|pair| {
            let key = pair.get(0)?.as_str()?.to_owned();
            let text = |name: &str| {
                let text = pair.get(1)?.get(name)?.as_str()?;
                Some(text.to_owned())
            };
            Some((
                key,
                text("label").unwrap_or_default(),
                text("img").unwrap_or_default(),
            ))
        })
        .collect()
}

/// Paragraphs of a text that authors wrote in Markdown. Their HTML in it stays.
pub(crate) fn markdown(text: &str) -> String {
    text.split("\n\n")
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            if part.starts_with('<') {
                part.to_owned()
            } else {
                format!("<p>{part}</p>")
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The instructions and the text of an annotation exercise, as HTML (courseware.md §12.7).
fn annotate(data: &str) -> (Option<String>, String) {
    let Ok(mut tree) = xml::parse(data) else {
        return (None, format!("<pre>{}</pre>", escape(data)));
    };
    let root = tree.root();
    let instructions = tree.find(root, "instructions").map(|id| {
        let html = tree.inner(id);
        tree.detach(id);
        html
    });
    for (number, id) in tree.all(&|tag| tag == "annotation").into_iter().enumerate() {
        let color = tree.get(id, "highlight").unwrap_or_default().to_owned();
        let color = if COLORS.contains(&color.as_str()) {
            format!(" highlight-{color}")
        } else {
            String::new()
        };
        let pairs: Vec<(&str, String)> = [
            ("data-comment-title", "title"),
            ("data-comment-body", "body"),
            ("data-problem-id", "problem"),
        ]
        .into_iter()
        .filter_map(|(new, old)| Some((new, tree.get(id, old)?.to_owned())))
        .collect();
        let node = tree.node_mut(id);
        "span".clone_into(&mut node.tag);
        node.attrs.clear();
        tree.set(id, "class", &format!("annotatable-span highlight{color}"));
        tree.set(id, "data-annotation-id", &number.to_string());
        for (name, value) in pairs {
            tree.set(id, name, &value);
        }
    }
    (instructions, format!("<div>{}</div>", tree.inner(root)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// courseware.md §12.7.
    #[test]
    fn annotations_become_spans() {
        let (instructions, html) = annotate(
            "<annotatable display_name=\"x\"><instructions><p>Read</p></instructions><p>A <annotation title=\"T\" body=\"B\" problem=\"0\" highlight=\"blue\">word</annotation> and <annotation highlight=\"red\">other</annotation></p></annotatable>",
        );
        assert_eq!(instructions.as_deref(), Some("<p>Read</p>"));
        assert!(html.contains("class=\"annotatable-span highlight highlight-blue\""));
        assert!(html.contains("data-comment-title=\"T\""));
        assert!(html.contains("data-comment-body=\"B\""));
        assert!(html.contains("data-problem-id=\"0\""));
        assert!(html.contains("class=\"annotatable-span highlight\""));
        assert!(!html.contains("red"));
    }
}
