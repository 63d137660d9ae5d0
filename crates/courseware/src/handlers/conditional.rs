//! Requests to blocks that wait for others (courseware.md §11).

use opaque_keys::UsageKey;
use serde_json::{Value, json};

use super::{Call, Reply};
use crate::Result;
use crate::render::{RenderOptions, condition_sources};
use crate::states::{State, UserStates};

/// The state of a block's attribute as text, as the condition compares it.
fn attribute(block_type: &str, name: &str, state: &State) -> Option<String> {
    let truth = |value: bool| Some(if value { "True" } else { "False" }.to_owned());
    let flag = |key: &str| state.get(key).and_then(Value::as_bool).unwrap_or(false);
    match (block_type, name) {
        ("poll_question", "poll_answer") => {
            let answer = state.get("poll_answer").and_then(Value::as_str);
            Some(answer.unwrap_or_default().to_owned())
        }
        ("poll_question", "voted") => truth(flag("voted")),
        ("problem", "attempted") => {
            let attempts = state.get("attempts").and_then(Value::as_i64);
            truth(attempts.unwrap_or(0) > 0)
        }
        ("problem", "submitted" | "is_submitted") => truth(flag("done")),
        ("problem", "correct" | "is_correct") => {
            let points = |key: &str| state.get("score")?.get(key)?.as_f64();
            let correct = points("raw_earned")
                .zip(points("raw_possible"))
                .is_some_and(|(earned, possible)| earned == possible);
            truth(correct)
        }
        _ => None,
    }
}

impl Call<'_> {
    pub(super) async fn conditional(&self) -> Result<Reply> {
        if self.request.suffix != "conditional_get" {
            return Ok(Reply::not_found());
        }
        let block = self.block.block();
        let content = self.definition().await?;
        let field = |name: &str| content.get(name).or_else(|| block.field(name));
        let sources = condition_sources(field("sources_list"));
        let course = self.view.course.course_key();
        let states = UserStates::load(&self.runtime.db, self.user_id(), course, &sources).await?;
        let name = field("conditional_attr")
            .and_then(Value::as_str)
            .unwrap_or("correct");
        let wanted = match field("conditional_value") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(false)) => "False".to_owned(),
            _ => "True".to_owned(),
        };
        let is_met = !sources.is_empty()
            && sources.iter().all(|source| {
                let Ok(usage) = UsageKey::parse(source) else {
                    return false;
                };
                let state = states.state(source);
                attribute(usage.block_type(), name, &state).as_deref() == Some(wanted.as_str())
            });
        if !is_met {
            let message = field("conditional_message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let links: Vec<String> = sources
                .iter()
                .filter_map(|source| {
                    let found = self.view.find(&UsageKey::parse(source).ok()?)?;
                    Some(format!(
                        "<a href=\"/courses/{course}/jump_to/{source}\">{}</a>",
                        crate::render::wrapper::escape(&found.display_name())
                    ))
                })
                .collect();
            let html = message.replace("{link}", &links.join(" "));
            let html = format!("<p class=\"conditional-message\">{html}</p>");
            return Ok(Reply::json(&json!({
                "fragments": [{"content": html}],
                "message": !message.is_empty(),
            })));
        }
        let options = RenderOptions::default();
        let mut fragments = Vec::new();
        for child in block.children() {
            // The children stand in the same course, but may be hidden for themselves.
            let Ok(proof) = self.view.block(child) else {
                continue;
            };
            let rendered = Box::pin(self.runtime.render_unit(self.view, proof, &options)).await?;
            fragments.push(json!({
                "content": rendered.html,
                "resources": [],
                "js_init_fn": null,
                "js_init_version": null,
                "json_init_args": null,
            }));
        }
        Ok(Reply::json(&json!({ "fragments": fragments })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// courseware.md §11: the attribute's text form equals the value exactly.
    #[test]
    fn attributes_are_texts() {
        let state = |value: Value| value.as_object().cloned().unwrap_or_default();
        let poll = state(json!({"voted": true, "poll_answer": "yes"}));
        assert_eq!(
            attribute("poll_question", "poll_answer", &poll).unwrap(),
            "yes"
        );
        assert_eq!(attribute("poll_question", "voted", &poll).unwrap(), "True");
        let problem = state(json!({"attempts": 1, "score": {"raw_earned": 1, "raw_possible": 1}}));
        assert_eq!(attribute("problem", "correct", &problem).unwrap(), "True");
        assert_eq!(
            attribute("problem", "attempted", &State::new()).unwrap(),
            "False"
        );
        assert_eq!(attribute("html", "correct", &problem), None);
    }
}
