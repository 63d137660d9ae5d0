//! Requests to word clouds (courseware.md §12.5).

use std::collections::BTreeMap;

use records::student_modules;
use serde_json::{Map, Value, json};

use super::poll::{save_shared, shared_field};
use super::{Call, Reply, STATE_CHANGED, TRIES};
use crate::Result;
use crate::states::{self, Change, State};

/// How often each word was said.
type Words = BTreeMap<String, i64>;

fn read_words(value: Option<&Value>) -> Words {
    value
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(word, count)| Some((word.clone(), count.as_i64()?)))
        .collect()
}

fn to_value(words: &Words) -> Value {
    words
        .iter()
        .map(|(word, count)| (word.clone(), json!(count)))
        .collect::<Map<String, Value>>()
        .into()
}

/// The most frequent words.
fn top(words: &Words, most: usize) -> Words {
    let mut sorted: Vec<(&String, &i64)> = words.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1));
    sorted
        .into_iter()
        .take(most)
        .map(|(word, count)| (word.clone(), *count))
        .collect()
}

/// Half rounds to even, as Python rounds.
fn percent(size: i64, total: i64) -> i64 {
    if total == 0 {
        return 0;
    }
    let value = 100.0 * size as f64 / total as f64;
    value.round_ties_even() as i64
}

/// The words as the cloud is drawn from: alphabetically, with shares that add up to 100.
fn drawn(top: &Words, total: i64) -> Vec<Value> {
    let mut left = 100;
    let last = top.len().saturating_sub(1);
    top.iter()
        .enumerate()
        .map(|(index, (word, size))| {
            let share = if index == last {
                left
            } else {
                percent(*size, total)
            };
            left -= share;
            json!({"text": word, "size": size, "percent": share})
        })
        .collect()
}

impl Call<'_> {
    fn cloud(&self, state: &State, all: &Words) -> Value {
        if state.get("submitted") != Some(&json!(true)) {
            return json!({
                "status": "success", "submitted": false, "display_student_percents": false,
                "student_words": {}, "total_count": 0, "top_words": {},
            });
        }
        let block = self.block.block();
        let most = usize::try_from(block.integer("num_top_words").unwrap_or(250)).unwrap_or(0);
        let total: i64 = all.values().sum();
        let own: Map<String, Value> = state
            .get("student_words")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|word| (word.to_owned(), json!(all.get(word).copied().unwrap_or(0))))
            .collect();
        json!({
            "status": "success",
            "submitted": true,
            "display_student_percents": block.flag("display_student_percents"),
            "student_words": own,
            "total_count": total,
            "top_words": drawn(&top(all, most), total),
        })
    }

    pub(super) async fn word_cloud(&self) -> Result<Reply> {
        let usage = self.block.block().usage_key();
        let key = usage.to_string();
        let dispatch = self.request.suffix.as_str();
        if !matches!(dispatch, "submit" | "get_state") {
            return Ok(Reply::json(
                &json!({"status": "fail", "error": "Unknown Command!"}),
            ));
        }
        let words: Vec<String> = self
            .request
            .form
            .iter()
            .filter(|(name, _)| name == "student_words[]")
            .map(|(_, word)| word.trim().to_lowercase())
            .filter(|word| !word.is_empty())
            .collect();
        let _lock = match self.user_id() {
            Some(id) => Some(self.runtime.lock(id, usage).await),
            None => None,
        };
        for _ in 0..TRIES {
            let row = self.stored().await?;
            let mut state = row.as_ref().map(states::state_of).unwrap_or_default();
            let Some(user_id) = self.user_id().filter(|_| dispatch == "submit") else {
                let rows = student_modules::summaries(&self.runtime.db, std::slice::from_ref(&key))
                    .await?;
                let all = rows
                    .into_iter()
                    .find(|row| row.field_name == "all_words")
                    .and_then(|row| serde_json::from_str::<Value>(&row.value).ok());
                return Ok(Reply::json(&self.cloud(&state, &read_words(all.as_ref()))));
            };
            if state.get("submitted") == Some(&json!(true)) {
                return Ok(Reply::json(&json!({
                    "status": "fail",
                    "error": "You have already posted your data.",
                })));
            }
            let mut changes = State::new();
            changes.insert("submitted".to_owned(), json!(true));
            changes.insert("student_words".to_owned(), json!(words));
            let change = Change::new(usage.clone(), row.as_ref(), changes);
            let most = usize::try_from(self.block.block().integer("num_top_words").unwrap_or(250))
                .unwrap_or(0);
            let (change, now, words, key) = (&change, self.view.now, &words, key.as_str());
            let written = self
                .runtime
                .db
                .write(|mut tx| async move {
                    if !states::write(&mut tx, user_id, change, now).await? {
                        return Ok::<_, db::Error>(None);
                    }
                    let stored = shared_field(&mut tx, key, "all_words").await?;
                    let mut all = read_words(stored.as_ref());
                    for word in words {
                        *all.entry(word.clone()).or_default() += 1;
                    }
                    let moment = now.naive_utc();
                    save_shared(&mut tx, key, "all_words", &to_value(&all), moment).await?;
                    let top = to_value(&top(&all, most));
                    save_shared(&mut tx, key, "top_words", &top, moment).await?;
                    Ok(Some(all))
                })
                .await?;
            if let Some(all) = written {
                state.insert("submitted".to_owned(), json!(true));
                state.insert("student_words".to_owned(), json!(words));
                return Ok(Reply::json(&self.cloud(&state, &all)));
            }
        }
        Ok(Reply::json(&json!({ "success": STATE_CHANGED })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// courseware.md §17, check 47.
    #[test]
    fn shares_add_up() {
        let words: Words = ["ant", "bee", "cat"]
            .into_iter()
            .map(|word| (word.to_owned(), 1))
            .collect();
        let shares: Vec<i64> = drawn(&words, 3)
            .iter()
            .filter_map(|word| word["percent"].as_i64())
            .collect();
        assert_eq!(shares, [33, 33, 34]);
        assert_eq!(percent(1, 8), 12);
        assert_eq!(percent(3, 8), 38);
    }
}
