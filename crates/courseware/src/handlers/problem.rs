//! Requests to problems (capa.md §11; design.md, "Learner submits a problem").
//!
//! Grading may take long and runs outside of any transaction and off the request threads. Then one short transaction
//! writes state, history, grade, completion and event together, if the state is still the one that was graded.

use std::sync::Arc;

use capa::block::{Block, BlockContext, Body, Outcome, ProblemFields};
use course_model::{BlockRef, Fields};
use serde_json::{Value, json};

use super::{Call, Reply, STATE_CHANGED, TRIES, UploadedFile, task_failed};
use crate::completion;
use crate::links::{Links, Wanted};
use crate::runtime::{Scripts, handler_url};
use crate::states::{self, Change, Grade, State};
use crate::view::CourseView;
use crate::{Result, random};

/// Files of one field of a submission.
const MOST_FILES: usize = 20;
/// Bytes of one file of a submission.
const LARGEST_FILE: usize = 4_000_000;

/// Topic of the outbox events that follow a graded submission.
pub const SCORE_TOPIC: &str = "grades.problem_score";

/// Everything that a problem's engine is given, owned, so that it can run on another thread.
pub(crate) struct ProblemJob {
    usage: String,
    html_id: String,
    fields: ProblemFields,
    user_id: Option<i64>,
    anonymous_id: String,
    is_staff: bool,
    now: chrono::DateTime<chrono::Utc>,
    random_seed: i64,
    ajax_url: String,
    links: Arc<Links>,
    static_asset_path: String,
    state: State,
    scripts: Option<Scripts>,
}

impl ProblemJob {
    /// Gathers what a problem depends on.
    pub fn new(
        view: &CourseView,
        block: BlockRef<'_>,
        content: Option<&Fields>,
        state: State,
        anonymous_id: Option<&str>,
        links: Arc<Links>,
        scripts: Option<Scripts>,
    ) -> Self {
        let due = view.date(block, "due");
        let usage = block.usage_key();
        let get = |name: &str| -> Option<Value> {
            if name == "due" {
                return due.map(|due| json!(due.to_rfc3339()));
            }
            let own = content.and_then(|content| content.get(name));
            own.or_else(|| block.field(name)).cloned()
        };
        Self {
            usage: usage.to_string(),
            html_id: usage.html_id(),
            fields: ProblemFields::read(&get),
            user_id: view.learner.user_id(),
            anonymous_id: anonymous_id.unwrap_or_default().to_owned(),
            is_staff: view.learner.is_staff(),
            now: view.now,
            random_seed: i64::try_from(random::below(1000)).unwrap_or_default(),
            ajax_url: handler_url(usage, "xmodule_handler", ""),
            links,
            static_asset_path: block
                .text("static_asset_path")
                .unwrap_or_default()
                .to_owned(),
            state,
            scripts,
        }
    }

    /// Runs something with the engine's context.
    pub fn with<T>(&self, run: impl FnOnce(&BlockContext<'_>, &State) -> T) -> T {
        let replace = |html: &str| self.links.rewrite(html, &self.static_asset_path);
        let files = |_: &str| None;
        let cx = BlockContext {
            usage_key: &self.usage,
            html_id: &self.html_id,
            fields: &self.fields,
            user_id: self.user_id,
            anonymous_student_id: &self.anonymous_id,
            is_staff: self.is_staff,
            detailed_errors: false,
            debug: false,
            now: self.now,
            random_seed: self.random_seed,
            ajax_url: &self.ajax_url,
            static_url: "/static/",
            replace_urls: &replace,
            files: &files,
            python_lib: None,
            scripts: self.scripts.as_deref().map(|scripts| scripts as _),
            queue: None,
            queue_wait_seconds: 0,
            call_to_action: None,
        };
        run(&cx, &self.state)
    }
}

/// The refusal of an upload that is too large (courseware.md §9.1).
fn too_much(files: &[UploadedFile]) -> Option<Reply> {
    let refuse = |text: String| {
        Some(Reply::json_with(
            413,
            &json!({ "success": format!("Submission aborted! {text}") }),
        ))
    };
    for file in files {
        let together = files.iter().filter(|other| other.field == file.field);
        if together.count() > MOST_FILES {
            return refuse(format!(
                "Maximum {MOST_FILES} files may be submitted at once"
            ));
        }
        if file.size > LARGEST_FILE {
            return refuse(format!(
                "Your file \"{}\" is too large (max size: 4 MB)",
                file.name
            ));
        }
    }
    None
}

fn reply_of(outcome: &Outcome) -> Reply {
    let body = match &outcome.body {
        Body::Json(value) => value.to_string().into_bytes(),
        Body::Text(text) => text.clone().into_bytes(),
    };
    Reply {
        status: outcome.status,
        content_type: "application/json",
        body,
        headers: Vec::new(),
    }
}

impl Call<'_> {
    pub(super) async fn problem(&self) -> Result<Reply> {
        if let Some(refusal) = too_much(&self.request.files) {
            return Ok(refusal);
        }
        let block = self.block.block();
        let usage = block.usage_key();
        let content = self.definition().await?;
        let mut wanted = Wanted::default();
        for value in content.values().filter_map(Value::as_str) {
            wanted.add(value);
        }
        let contents = self.runtime.store.contentstore();
        let course = self.view.course.course_key();
        let links = Arc::new(wanted.find(course, &contents).await?);
        let user_id = self.user_id();
        let anonymous_id = match user_id {
            Some(id) if has_script(&content) => {
                Some(self.runtime.identity.anonymous_user_id(id, None).await?)
            }
            _ => None,
        };
        let _lock = match user_id {
            Some(id) => Some(self.runtime.lock(id, usage).await),
            None => None,
        };
        let scripts = self.runtime.scripts_of_request();
        for _ in 0..TRIES {
            let row = self.stored().await?;
            let state = row.as_ref().map(states::state_of).unwrap_or_default();
            let job = ProblemJob::new(
                self.view,
                block,
                Some(&content),
                state,
                anonymous_id.as_deref(),
                Arc::clone(&links),
                scripts.clone(),
            );
            let (dispatch, form) = (self.request.suffix.clone(), self.request.form.clone());
            let outcome = tokio::task::spawn_blocking(move || {
                job.with(|cx, state| Block::handle(cx, state, &dispatch, &form))
            })
            .await
            .map_err(|error| task_failed(&error))?;
            let Some(user_id) = user_id else {
                return Ok(reply_of(&outcome));
            };
            let mut change = Change::new(usage.clone(), row.as_ref(), outcome.changes.clone());
            change.grade = outcome.grade.as_ref().and_then(|grade| {
                let new = Grade {
                    earned: grade.value.as_f64(),
                    possible: grade.max_value.as_f64(),
                };
                let stored = row.as_ref().and_then(|row| row.grade);
                let is_lower = stored.is_some_and(|stored| new.earned <= stored);
                (!(grade.only_if_higher == Some(true) && is_lower)).then_some(new)
            });
            if self.write_outcome(user_id, &change, &outcome).await? {
                self.track(&outcome);
                return Ok(reply_of(&outcome));
            }
        }
        Ok(Reply::json(&json!({ "success": STATE_CHANGED })))
    }

    /// Writes what a request did; false if the state is no longer the one that it started from.
    async fn write_outcome(
        &self,
        user_id: i64,
        change: &Change,
        outcome: &Outcome,
    ) -> Result<bool> {
        if change.changes.is_empty() && change.grade.is_none() {
            return Ok(true);
        }
        let block = self.block.block();
        let now = self.view.now;
        let completes = outcome.grade.is_some()
            && completion::is_tracked(&self.view.learner)
            && completion::on_grade(block);
        let event = change.grade.map(|grade| {
            json!({
                "user_id": user_id,
                "course_id": crate::runtime::course_text(self.view.course.course_key()),
                "usage_id": change.usage.to_string(),
                "raw_earned": grade.earned,
                "raw_possible": grade.possible,
                "weight": block.float("weight"),
                "only_if_higher": outcome.grade.as_ref().and_then(|grade| grade.only_if_higher),
                "modified": now.to_rfc3339(),
            })
        });
        let event = event.as_ref();
        let key = format!("{user_id}:{}", self.view.course.course_key());
        let key = key.as_str();
        let written = self
            .runtime
            .db
            .write(|mut tx| async move {
                if !states::write(&mut tx, user_id, change, now).await? {
                    return Ok::<_, db::Error>(false);
                }
                if completes {
                    completion::submit(&mut tx, user_id, &change.usage, 1.0, now).await?;
                }
                if let Some(event) = event {
                    let moment = now.naive_utc();
                    records::outbox::put(&mut tx, SCORE_TOPIC, key, event, moment, moment).await?;
                }
                Ok(true)
            })
            .await?;
        Ok(written)
    }

    /// Tells the tracking log what happened.
    fn track(&self, outcome: &Outcome) {
        let block = self.block.block();
        for event in &outcome.events {
            tracing::info!(
                target: "tracking",
                event_type = event.name,
                username = self.view.learner.viewer.username,
                course_id = %self.view.course.course_key(),
                usage_key = %block.usage_key(),
                display_name = %block.display_name(),
                event = %event.payload,
            );
        }
    }
}

/// Whether a problem has scripts, which are given the learner's anonymous id.
fn has_script(content: &Fields) -> bool {
    content
        .get("data")
        .and_then(Value::as_str)
        .is_some_and(|data| data.contains("<script") || data.contains("anonymous_student_id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// courseware.md §17, check 41; capa.md §11.
    #[test]
    fn uploads_are_bounded() {
        let file = |field: &str, size| UploadedFile {
            field: field.to_owned(),
            name: "a.txt".to_owned(),
            size,
        };
        let many: Vec<_> = (0..21).map(|_| file("x", 1)).collect();
        let reply = too_much(&many).unwrap();
        assert_eq!(reply.status, 413);
        assert_eq!(
            String::from_utf8(reply.body).unwrap(),
            r#"{"success":"Submission aborted! Maximum 20 files may be submitted at once"}"#
        );
        assert!(too_much(&many[..20]).is_none());
        let reply = too_much(&[file("x", LARGEST_FILE + 1)]).unwrap();
        assert_eq!(reply.status, 413);
    }
}
