//! Requests to polls and surveys of the newer kind.

use serde_json::{Value, json};

use super::poll::{save_shared, shared_field};
use super::{Call, Reply, STATE_CHANGED, TRIES};
use crate::Result;
use crate::completion;
use crate::render::{labelled, pairs};
use crate::states::{self, Change, State};

impl Call<'_> {
    /// `vote`, `get_results` and `load_answers`.
    pub(super) async fn vote(&self) -> Result<Reply> {
        let body = match self.json_body() {
            Ok(body) => body,
            Err(reply) => return Ok(reply),
        };
        let content = self.definition().await?;
        let block = self.block.block();
        let field = |name: &str| content.get(name).or_else(|| block.field(name));
        let is_survey = block.block_type() == "survey";
        let usage = block.usage_key();
        let key = usage.to_string();
        if self.request.name != "vote" {
            return self.poll_results(&key, &field).await;
        }
        let most = field("max_submissions")
            .and_then(Value::as_i64)
            .unwrap_or(1);
        let answers: Vec<String> = if is_survey {
            pairs(field("answers"))
                .into_iter()
                .map(|(key, _)| key)
                .collect()
        } else {
            labelled(field("answers"))
                .into_iter()
                .map(|(key, ..)| key)
                .collect()
        };
        // What was chosen: by question for a survey, one answer for a poll.
        let mut chosen: Vec<(String, String)> = Vec::new();
        if is_survey {
            for (question, ..) in labelled(field("questions")) {
                let answer = body
                    .get(&question)
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if !answers.iter().any(|known| known == answer) {
                    return Ok(failure(
                        "Not all questions were included, or unknown answers.",
                    ));
                }
                chosen.push((question, answer.to_owned()));
            }
        } else {
            let answer = body
                .get("choice")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if !answers.iter().any(|known| known == answer) {
                return Ok(failure("No key \"choice\" in user table."));
            }
            chosen.push((String::new(), answer.to_owned()));
        }
        let Some(user_id) = self.user_id() else {
            return Ok(failure("You must sign in to vote."));
        };
        let _lock = self.runtime.lock(user_id, usage).await;
        let tracked = completion::is_tracked(&self.view.learner);
        for _ in 0..TRIES {
            let row = self.stored().await?;
            let state = row.as_ref().map(states::state_of).unwrap_or_default();
            let used = state
                .get("submissions_count")
                .and_then(Value::as_i64)
                .unwrap_or(0);
            if most != 0 && used >= most {
                return Ok(failure(
                    "You have already voted as many times as you are allowed.",
                ));
            }
            let before: Vec<(String, String)> = if is_survey {
                let choices = state.get("choices").and_then(Value::as_object);
                choices
                    .into_iter()
                    .flatten()
                    .filter_map(|(question, answer)| {
                        Some((question.clone(), answer.as_str()?.to_owned()))
                    })
                    .collect()
            } else {
                let choice = state.get("choice").and_then(Value::as_str);
                choice
                    .map(|choice| (String::new(), choice.to_owned()))
                    .into_iter()
                    .collect()
            };
            let mut changes = State::new();
            changes.insert("submissions_count".to_owned(), json!(used + 1));
            if is_survey {
                let choices: serde_json::Map<String, Value> = chosen
                    .iter()
                    .map(|(question, answer)| (question.clone(), json!(answer)))
                    .collect();
                changes.insert("choices".to_owned(), Value::Object(choices));
            } else {
                let choice = chosen.first().map(|(_, answer)| answer.clone());
                changes.insert("choice".to_owned(), json!(choice));
            }
            let change = Change::new(usage.clone(), row.as_ref(), changes);
            let (change, now, key) = (&change, self.view.now, key.as_str());
            let (before, chosen_ref) = (&before, &chosen);
            let written = self
                .runtime
                .db
                .write(|mut tx| async move {
                    if !states::write(&mut tx, user_id, change, now).await? {
                        return Ok::<_, db::Error>(false);
                    }
                    let stored = shared_field(&mut tx, key, "tally").await?;
                    let mut tally = stored.unwrap_or_else(|| json!({}));
                    for (votes, step) in [(before, -1), (chosen_ref, 1)] {
                        for (question, answer) in votes {
                            count(&mut tally, question, answer, step);
                        }
                    }
                    save_shared(&mut tx, key, "tally", &tally, now.naive_utc()).await?;
                    if tracked {
                        completion::submit(&mut tx, user_id, &change.usage, 1.0, now).await?;
                    }
                    Ok(true)
                })
                .await?;
            if written {
                let used = used + 1;
                return Ok(Reply::json(&json!({
                    "success": true, "errors": [], "can_vote": most == 0 || used < most,
                    "submissions_count": used, "max_submissions": most,
                })));
            }
        }
        Ok(Reply::json(&json!({ "success": STATE_CHANGED })))
    }

    async fn poll_results<'f>(
        &self,
        key: &str,
        field: &(dyn Fn(&str) -> Option<&'f Value> + Sync),
    ) -> Result<Reply> {
        let row = self.stored().await?;
        let state = row.as_ref().map(states::state_of).unwrap_or_default();
        if self.request.name == "load_answers" {
            return Ok(Reply::json(&json!({
                "answers": field("answers"), "choices": state.get("choices"),
            })));
        }
        let is_private = field("private_results") == Some(&json!(true));
        if is_private && !self.view.learner.is_staff() {
            return Ok(Reply::json(&json!({"success": false})));
        }
        let rows = records::student_modules::summaries(&self.runtime.db, &[key.to_owned()]).await?;
        let tally: Value = rows
            .into_iter()
            .find(|row| row.field_name == "tally")
            .and_then(|row| serde_json::from_str(&row.value).ok())
            .unwrap_or_else(|| json!({}));
        let number = |question: &str, answer: &str| {
            let counts = if question.is_empty() {
                Some(&tally)
            } else {
                tally.get(question)
            };
            counts
                .and_then(|counts| counts.get(answer))
                .and_then(Value::as_i64)
                .unwrap_or(0)
        };
        let share = |count: i64, total: i64| {
            if total == 0 {
                0
            } else {
                (100.0 * count as f64 / total as f64).round() as i64
            }
        };
        let feedback = field("feedback")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if self.block.block().block_type() == "survey" {
            let answers = pairs(field("answers"));
            let mut most = 0;
            let rows: Vec<Value> = labelled(field("questions"))
                .into_iter()
                .map(|(question, label, image)| {
                    let total: i64 =
                        answers.iter().map(|(answer, _)| number(&question, answer)).sum();
                    most = most.max(total);
                    let best = answers.iter().map(|(answer, _)| number(&question, answer)).max();
                    let chosen = state.get("choices").and_then(|choices| choices.get(&question));
                    let cells: Vec<Value> = answers
                        .iter()
                        .map(|(answer, _)| {
                            let count = number(&question, answer);
                            json!({
                                "count": count, "key": answer, "percent": share(count, total),
                                "choice": chosen == Some(&json!(answer)),
                                "top": total > 0 && Some(count) == best,
                            })
                        })
                        .collect();
                    json!({"label": label, "text": label, "key": question, "img": image, "answers": cells})
                })
                .collect();
            let labels: Vec<Value> = answers
                .iter()
                .map(|(key, label)| json!({"key": key, "label": label}))
                .collect();
            return Ok(Reply::json(&json!({
                "answers": labels, "tally": rows, "total": most, "feedback": feedback,
                "block_name": field("block_name"),
            })));
        }
        let answers = labelled(field("answers"));
        let total: i64 = answers.iter().map(|(answer, ..)| number("", answer)).sum();
        let chosen = state.get("choice").and_then(Value::as_str);
        let mut tally: Vec<Value> = answers
            .iter()
            .map(|(answer, label, image)| {
                let count = number("", answer);
                json!({
                    "count": count, "key": answer, "answer": label, "img": image,
                    "percent": share(count, total), "choice": chosen == Some(answer.as_str()),
                    "first": false, "last": false,
                })
            })
            .collect();
        tally.sort_by_key(|row| -row.get("count").and_then(Value::as_i64).unwrap_or(0));
        let last = tally.len().saturating_sub(1);
        for (index, row) in tally.iter_mut().enumerate() {
            if let Some(row) = row.as_object_mut() {
                row.insert("first".to_owned(), json!(index == 0));
                row.insert("last".to_owned(), json!(index == last));
            }
        }
        Ok(Reply::json(&json!({
            "question": field("question"), "tally": tally, "total": total, "feedback": feedback,
            "plural": total > 1, "display_name": field("display_name"),
        })))
    }
}

/// Adds to the number of an answer.
fn count(tally: &mut Value, question: &str, answer: &str, step: i64) {
    let Some(tally) = tally.as_object_mut() else {
        return;
    };
    let counts = if question.is_empty() {
        Some(tally)
    } else {
        tally
            .entry(question.to_owned())
            .or_insert_with(|| json!({}))
            .as_object_mut()
    };
    if let Some(counts) = counts {
        let entry = counts.entry(answer.to_owned()).or_insert(json!(0));
        *entry = json!((entry.as_i64().unwrap_or(0) + step).max(0));
    }
}

fn failure(text: &str) -> Reply {
    Reply::json(&json!({"success": false, "errors": [text]}))
}
