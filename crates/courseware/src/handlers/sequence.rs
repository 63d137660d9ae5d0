//! Requests to sequences (courseware.md §11).

use opaque_keys::UsageKey;
use serde_json::{Value, json};

use super::{Call, Reply};
use crate::Result;
use crate::completion::Completions;
use crate::render::{Node, plan_tree, subtree_complete, usages_of};
use crate::states::State;

impl Call<'_> {
    pub(super) async fn sequence(&self, name: &str) -> Result<Reply> {
        match name {
            "goto_position" => {
                let position = match self.position() {
                    Ok(position) => position,
                    Err(reply) => return Ok(reply),
                };
                self.update(
                    |state| {
                        let mut changes = State::new();
                        if state.get("position") != Some(&json!(position)) {
                            changes.insert("position".to_owned(), json!(position));
                        }
                        (changes, Reply::json(&json!({"success": true})))
                    },
                    None,
                )
                .await
            }
            "get_completion" => self.unit_completion().await,
            _ => Ok(Reply::not_found()),
        }
    }

    /// The position that is asked for: a whole number above 0, else 1. Handlers of both kinds ask for it.
    fn position(&self) -> Result<i64, Reply> {
        if self.request.name == "xmodule_handler" {
            let position = self.request.form("position");
            let position = position.and_then(|text| text.trim().parse::<i64>().ok());
            return Ok(position.filter(|position| *position > 0).unwrap_or(1));
        }
        let body = self.json_body()?;
        let position = body.get("position").and_then(Value::as_i64);
        Ok(position.filter(|position| *position > 0).unwrap_or(1))
    }

    async fn unit_completion(&self) -> Result<Reply> {
        let asked = if self.request.name == "xmodule_handler" {
            self.request.form("usage_key").map(str::to_owned)
        } else {
            match self.json_body() {
                Ok(body) => body
                    .get("usage_key")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
                Err(reply) => return Ok(reply),
            }
        };
        let unit = asked
            .and_then(|text| UsageKey::parse(&text).ok())
            .filter(|usage| {
                let course = self.view.course.course_key();
                crate::runtime::course_text(usage.course_key())
                    == crate::runtime::course_text(course)
            })
            .and_then(|usage| self.view.find(&usage))
            // Only units of this sequence, and only what the learner may see.
            .filter(|unit| {
                let sequence = self.block.block().idx();
                unit.ancestors().any(|above| above.idx() == sequence)
                    && self.view.block(*unit).is_ok()
            });
        let Some(unit) = unit else {
            return Ok(Reply::json(&json!({"complete": false})));
        };
        let tree: Node<'_> = plan_tree(self.view, unit);
        let usages = usages_of(&tree);
        let course = self.view.course.course_key();
        let done = Completions::load(&self.runtime.db, self.user_id(), course, &usages).await?;
        Ok(Reply::json(
            &json!({"complete": subtree_complete(&tree, &done)}),
        ))
    }
}
