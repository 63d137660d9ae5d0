//! Requests to blocks that draw from libraries (courseware.md §11).

use capa::block::Block;
use serde_json::{Value, json};

use super::problem::ProblemJob;
use super::{Call, Reply, task_failed};
use crate::Result;
use crate::links::Links;
use crate::render::RenderOptions;
use crate::selection;
use crate::states::{self, Change, State};

impl Call<'_> {
    pub(super) async fn reset_library(&self) -> Result<Reply> {
        let block = self.block.block();
        let usage = block.usage_key();
        let Some(user_id) = self
            .user_id()
            .filter(|_| block.flag("allow_resetting_children"))
        else {
            let text = json!("Resetting selected children is not allowed.");
            return Ok(Reply::json_with(400, &text));
        };
        let _lock = self.runtime.lock(user_id, usage).await;
        let row = self.stored().await?;
        let chosen = selection::read(row.as_ref().and_then(|row| row.state.as_deref()));
        let mut changes = Vec::new();
        for child in block
            .children()
            .filter(|child| child.block_type() == "problem" && chosen.contains(&child.key()))
        {
            let key = child.usage_key();
            let Some(stored) =
                records::student_modules::get(&self.runtime.db, user_id, key).await?
            else {
                continue;
            };
            let content = self
                .runtime
                .store
                .definition(&self.view.course, child.idx())
                .await?;
            let links = Links::new(self.view.course.course_key().clone());
            let job = ProblemJob::new(
                self.view,
                child,
                Some(&content),
                states::state_of(&stored),
                None,
                std::sync::Arc::new(links),
                self.runtime.scripts_of_request(),
            );
            let outcome = tokio::task::spawn_blocking(move || {
                job.with(|cx, state| Block::handle(cx, state, "problem_reset", &[]))
            })
            .await
            .map_err(|error| task_failed(&error))?;
            if !outcome.changes.is_empty() {
                changes.push(Change::new(key.clone(), Some(&stored), outcome.changes));
            }
        }
        let mut cleared = State::new();
        cleared.insert("selected".to_owned(), Value::Array(Vec::new()));
        changes.push(Change::new(usage.clone(), row.as_ref(), cleared));
        states::write_views(&self.runtime.db, user_id, &changes, self.view.now).await?;
        let options = RenderOptions::default();
        let rendered = Box::pin(self.runtime.render_unit(self.view, self.block, &options)).await?;
        Ok(Reply::json(&json!(rendered.html)))
    }
}
