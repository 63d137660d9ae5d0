//! What blocks answer to requests of their browser programs (courseware.md §9.1, §11, §12; capa.md §11).

mod conditional;
mod library;
mod poll;
pub(crate) mod problem;
mod sequence;
mod survey;
mod transcripts;
mod video;
mod word_cloud;

use serde_json::{Value, json};

use crate::access::Loadable;
use crate::completion;
use crate::runtime::Runtime;
use crate::states::{self, Change, State};
use crate::view::CourseView;
use crate::{Error, Result};

/// Times that a request is done again when the state changed under it.
pub(crate) const TRIES: usize = 3;

/// Said when a state keeps changing under a request, or is not as a page believes.
pub(crate) const STATE_CHANGED: &str =
    "The state of this problem has changed since you loaded this page. Please refresh your page.";

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedFile {
    /// Name of the field.
    pub field: String,
    /// Name of the file.
    pub name: String,
    /// Its length in bytes.
    pub size: usize,
}

/// A request to a handler.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Whether the method is POST.
    pub is_post: bool,
    /// Name of the handler.
    pub name: String,
    /// What follows it in the address, without a slash at either end.
    pub suffix: String,
    /// Pairs of the query.
    pub query: Vec<(String, String)>,
    /// Pairs of a form, in order; files stand in it by their names.
    pub form: Vec<(String, String)>,
    /// Files of a form.
    pub files: Vec<UploadedFile>,
    /// The whole body, for JSON.
    pub body: Vec<u8>,
}

impl Request {
    /// The last value of a name in the query.
    fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The last value of a name in the form.
    fn form(&self, name: &str) -> Option<&str> {
        self.form
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a handler answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content-Type.
    pub content_type: &'static str,
    /// Body.
    pub body: Vec<u8>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// JSON with status 200.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        Self::json_with(200, value)
    }

    /// JSON with a status.
    #[must_use]
    pub fn json_with(status: u16, value: &Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: value.to_string().into_bytes(),
            headers: Vec::new(),
        }
    }

    /// An empty answer with a status.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            content_type: "text/html; charset=UTF-8",
            body: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// There is no such handler, or nothing behind it.
    #[must_use]
    pub fn not_found() -> Self {
        Self::empty(404)
    }

    /// A handler of the newer kind refuses.
    fn error(status: u16, text: &str) -> Self {
        Self::json_with(status, &json!({ "error": text }))
    }
}

/// A call of a handler of one block by one person.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub runtime: &'a Runtime,
    pub view: &'a CourseView,
    pub block: Loadable<'a>,
    pub request: &'a Request,
}

impl Runtime {
    /// Answers a request to a block that the person may see.
    pub async fn handle(
        &self,
        view: &CourseView,
        block: Loadable<'_>,
        request: &Request,
    ) -> Result<Reply> {
        let call = Call {
            runtime: self,
            view,
            block,
            request,
        };
        let block_type = block.block().block_type();
        if request.name == "publish_completion" {
            return call.publish_completion().await;
        }
        match (block_type, request.name.as_str()) {
            ("problem", "xmodule_handler") => call.problem().await,
            ("sequential" | "chapter" | "course", "xmodule_handler") => {
                call.sequence(&request.suffix).await
            }
            ("sequential" | "chapter" | "course", "goto_position" | "get_completion") => {
                call.sequence(&request.name).await
            }
            ("video", "xmodule_handler") => call.save_video_state().await,
            ("video", "transcript") => call.transcript(true).await,
            ("video", "student_view_user_state") => call.video_user_state().await,
            ("poll_question", "xmodule_handler") => call.poll_question().await,
            ("word_cloud", "xmodule_handler") => call.word_cloud().await,
            ("conditional", "xmodule_handler") => call.conditional().await,
            ("library_content" | "itembank", "reset_selected_children") => {
                call.reset_library().await
            }
            ("split_test", "log_child_render") => Ok(Reply::json(&json!({"success": true}))),
            ("done", "toggle_button") => call.toggle_done().await,
            ("poll" | "survey", "vote" | "load_answers" | "get_results") => call.vote().await,
            _ => Ok(Reply::not_found()),
        }
    }

    /// Answers a request that comes without a person: only what blocks open to everybody, and nothing is stored.
    pub async fn handle_without_person(
        &self,
        view: &CourseView,
        usage: &opaque_keys::UsageKey,
        request: &Request,
    ) -> Result<Reply> {
        let Some(block) = view.find(usage) else {
            return Ok(Reply::not_found());
        };
        match (block.block_type(), request.name.as_str()) {
            ("video", "transcript") => transcripts::answer(self, view, block, request, None).await,
            _ => Ok(Reply::not_found()),
        }
    }
}

impl Call<'_> {
    /// The body of a handler of the newer kind, or the refusal.
    fn json_body(&self) -> Result<Value, Reply> {
        if !self.request.is_post {
            let mut reply = Reply::error(405, "Method must be POST");
            reply.headers.push(("Allow", "POST".to_owned()));
            return Err(reply);
        }
        serde_json::from_slice(&self.request.body).map_err(|_| Reply::error(400, "Invalid JSON"))
    }

    fn user_id(&self) -> Option<i64> {
        self.view.learner.user_id()
    }

    /// The stored state of the block.
    async fn stored(&self) -> Result<Option<records::student_modules::StudentModule>> {
        let Some(user_id) = self.user_id() else {
            return Ok(None);
        };
        let usage = self.block.block().usage_key();
        Ok(records::student_modules::get(&self.runtime.db, user_id, usage).await?)
    }

    /// Changes the learner's state of the block: `decide` looks at the stored state and says what to write, if
    /// anything, and what to answer. A completion goes with it where it is tracked. Done again while the state changes
    /// under it.
    async fn update(
        &self,
        decide: impl Fn(&State) -> (State, Reply) + Send + Sync,
        completes: Option<f64>,
    ) -> Result<Reply> {
        let usage = self.block.block().usage_key();
        let Some(user_id) = self.user_id() else {
            return Ok(decide(&State::new()).1);
        };
        let completes = completes.filter(|_| completion::is_tracked(&self.view.learner));
        let _lock = self.runtime.lock(user_id, usage).await;
        for _ in 0..TRIES {
            let row = self.stored().await?;
            let state = row.as_ref().map(states::state_of).unwrap_or_default();
            let (changes, reply) = decide(&state);
            if changes.is_empty() {
                return Ok(reply);
            }
            let change = Change::new(usage.clone(), row.as_ref(), changes);
            let (change, now) = (&change, self.view.now);
            let written = self
                .runtime
                .db
                .write(|mut tx| async move {
                    let written = states::write(&mut tx, user_id, change, now).await?;
                    if written && let Some(value) = completes {
                        completion::submit(&mut tx, user_id, usage, value, now).await?;
                    }
                    Ok::<_, db::Error>(written)
                })
                .await?;
            if written {
                return Ok(reply);
            }
        }
        Ok(Reply::json(&json!({ "success": STATE_CHANGED })))
    }

    /// `publish_completion` (courseware.md §5).
    async fn publish_completion(&self) -> Result<Reply> {
        let body = match self.json_body() {
            Ok(body) => body,
            Err(reply) => return Ok(reply),
        };
        let block = self.block.block();
        if !completion::is_tracked(&self.view.learner) {
            return Ok(Reply::error(404, "Completion tracking is not enabled."));
        }
        let is_video = block.block_type() == "video";
        if !is_video && !completion::on_view(block) {
            let text = "Block not configured for completion on view.";
            return Ok(Reply::error(400, text));
        }
        let value = match body.get("completion") {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let Some(value) = value.filter(|value| (0.0..=1.0).contains(value)) else {
            let text = "Completion must be a number from 0.0 to 1.0.";
            return Ok(Reply::error(400, text));
        };
        if let Some(user_id) = self.user_id() {
            let (usage, now) = (block.usage_key(), self.view.now);
            self.runtime
                .db
                .write(|mut tx| async move {
                    completion::submit(&mut tx, user_id, usage, value, now).await
                })
                .await?;
        }
        Ok(Reply::json(&json!({"result": "ok"})))
    }

    /// A learner says that they are done, or not.
    async fn toggle_done(&self) -> Result<Reply> {
        let body = match self.json_body() {
            Ok(body) => body,
            Err(reply) => return Ok(reply),
        };
        let Some(done) = body.get("done").and_then(Value::as_bool) else {
            return Ok(Reply::json(&json!({})));
        };
        let value = if done { 1.0 } else { 0.0 };
        let reply = Reply::json(&json!({ "state": done }));
        self.update(
            |_| {
                let mut changes = State::new();
                changes.insert("done".to_owned(), json!(done));
                (changes, reply.clone())
            },
            Some(value),
        )
        .await
    }
}

/// A definition of the block that is called.
impl Call<'_> {
    pub(crate) async fn definition(&self) -> Result<std::sync::Arc<course_model::Fields>> {
        let idx = self.block.block().idx();
        Ok(self
            .runtime
            .store
            .definition(&self.view.course, idx)
            .await?)
    }
}

/// A failure of a task that ran beside the request.
pub(crate) fn task_failed(error: &tokio::task::JoinError) -> Error {
    Error::Task(error.to_string())
}
