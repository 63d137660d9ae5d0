//! Requests to poll questions (courseware.md §12.4).

use db::Tx;
use records::student_modules::{self, UserStateSummaryField};
use serde_json::{Map, Value, json};

use super::{Call, Reply, STATE_CHANGED, TRIES};
use crate::Result;
use crate::render::poll_answers;
use crate::states::{self, Change, State};

fn unknown() -> Reply {
    Reply::json(&json!({"error": "Unknown Command!"}))
}

/// The field that all learners of a block share, read inside a transaction.
pub(super) async fn shared_field(
    tx: &mut Tx,
    usage: &str,
    field: &str,
) -> Result<Option<Value>, db::Error> {
    let rows = student_modules::summaries(&mut *tx, &[usage.to_owned()]).await?;
    Ok(rows
        .into_iter()
        .find(|row| row.field_name == field)
        .and_then(|row| serde_json::from_str(&row.value).ok()))
}

/// Stores a field that all learners of a block share.
pub(super) async fn save_shared(
    tx: &mut Tx,
    usage: &str,
    field: &str,
    value: &Value,
    now: chrono::NaiveDateTime,
) -> Result<(), db::Error> {
    let row = UserStateSummaryField {
        field_name: field.to_owned(),
        value: value.to_string(),
        created: now,
        modified: now,
        usage_id: usage.to_owned(),
        ..UserStateSummaryField::default()
    };
    student_modules::save_summary(tx, &row).await
}

/// Counts by answer, one for each that the question has.
fn counts(stored: Option<&Value>, ids: &[String]) -> Map<String, Value> {
    ids.iter()
        .map(|id| {
            let count = stored
                .and_then(|stored| stored.get(id))
                .and_then(Value::as_i64);
            (id.clone(), json!(count.unwrap_or(0)))
        })
        .collect()
}

fn total(counts: &Map<String, Value>) -> i64 {
    counts.values().filter_map(Value::as_i64).sum()
}

impl Call<'_> {
    pub(super) async fn poll_question(&self) -> Result<Reply> {
        let content = self.definition().await?;
        let ids: Vec<String> = poll_answers(content.get("answers"))
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        let usage = self.block.block().usage_key();
        let key = usage.to_string();
        let dispatch = self.request.suffix.as_str();
        let is_answer = ids.iter().any(|id| id == dispatch);
        if !is_answer && !matches!(dispatch, "get_state" | "reset_poll") {
            return Ok(unknown());
        }
        let _lock = match self.user_id() {
            Some(id) => Some(self.runtime.lock(id, usage).await),
            None => None,
        };
        for _ in 0..TRIES {
            let row = self.stored().await?;
            let state = row.as_ref().map(states::state_of).unwrap_or_default();
            let voted = state.get("voted") == Some(&json!(true));
            let answer = state
                .get("poll_answer")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if dispatch == "get_state" {
                let rows = student_modules::summaries(&self.runtime.db, std::slice::from_ref(&key))
                    .await?;
                let stored: Option<Value> = rows
                    .into_iter()
                    .find(|row| row.field_name == "poll_answers")
                    .and_then(|row| serde_json::from_str(&row.value).ok());
                let counts = counts(stored.as_ref(), &ids);
                let total = total(&counts);
                return Ok(Reply::json(
                    &json!({"poll_answer": answer, "poll_answers": counts, "total": total}),
                ));
            }
            let may = if dispatch == "reset_poll" {
                voted && self.may_reset(&content)
            } else {
                !voted
            };
            let Some(user_id) = self.user_id().filter(|_| may) else {
                return Ok(unknown());
            };
            let (answered, vote, step) = if dispatch == "reset_poll" {
                (answer.to_owned(), "", -1)
            } else {
                (dispatch.to_owned(), dispatch, 1)
            };
            let mut changes = State::new();
            changes.insert("voted".to_owned(), json!(step == 1));
            changes.insert("poll_answer".to_owned(), json!(vote));
            let change = Change::new(usage.clone(), row.as_ref(), changes);
            let (change, now, ids, key) = (&change, self.view.now, &ids, key.as_str());
            let answered = answered.as_str();
            let written = self
                .runtime
                .db
                .write(|mut tx| async move {
                    if !states::write(&mut tx, user_id, change, now).await? {
                        return Ok::<_, db::Error>(None);
                    }
                    let stored = shared_field(&mut tx, key, "poll_answers").await?;
                    let mut counts = counts(stored.as_ref(), ids);
                    if let Some(count) = counts.get_mut(answered) {
                        *count = json!((count.as_i64().unwrap_or(0) + step).max(0));
                    }
                    let value = Value::Object(counts.clone());
                    save_shared(&mut tx, key, "poll_answers", &value, now.naive_utc()).await?;
                    Ok(Some(counts))
                })
                .await?;
            let Some(counts) = written else {
                continue;
            };
            if step < 0 {
                return Ok(Reply::json(&json!({"status": "success"})));
            }
            let total = total(&counts);
            return Ok(Reply::json(&json!({
                "poll_answers": counts,
                "total": total,
                "callback": {"objectName": "Conditional"},
            })));
        }
        Ok(Reply::json(&json!({ "success": STATE_CHANGED })))
    }

    /// Whether votes can be taken back: unless the question's `reset` says otherwise.
    fn may_reset(&self, content: &course_model::Fields) -> bool {
        let block = self.block.block();
        let attribute = content
            .get("xml_attributes")
            .or_else(|| block.field("xml_attributes"))
            .and_then(|attributes| attributes.get("reset"));
        let text = match attribute {
            Some(Value::String(text)) => text.to_lowercase(),
            _ => "true".to_owned(),
        };
        text != "false"
    }
}
