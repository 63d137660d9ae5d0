//! Asking for another name (contracts/identity.md §8.3).

use chrono::{DateTime, Utc};
use db::params;
use records::users;
use serde_json::{Value, json};

use crate::{Identity, Reply, Result, User};

impl Identity {
    /// `POST /accounts/name_change/` `{"name"}`: 201 empty and a pending row, or 400.
    pub async fn request_name_change(&self, user: &User, body: &Value) -> Result<Reply> {
        let refuse = |text: &str| Ok(Reply::rest(400, json!({ "new_name": [text] })));
        let name = match body.get("name") {
            None => return refuse("This field is required."),
            Some(Value::Null) => return refuse("This field may not be null."),
            Some(Value::String(name)) => name.trim(),
            Some(_) => return refuse("Not a valid string."),
        };
        if name.is_empty() {
            return refuse("This field may not be blank.");
        }
        if name.contains(['<', '>']) {
            return refuse("Name cannot contain the following characters: < >");
        }
        if name.contains("://") {
            return refuse("Name cannot contain a URL");
        }
        let profile = users::profile(self.db(), user.id).await?;
        if profile.is_some_and(|profile| profile.name == name) {
            let text = "The profile name given was identical to the current name.";
            return Ok(Reply::rest(400, json!({ "new_name": text })));
        }
        let reason = format!(
            "Name change requested through account API by {}",
            user.username
        );
        let (id, reason) = (user.id, reason.as_str());
        self.db()
            .write(|mut tx| async move {
                let sql = tx.dialect().upsert(
                    "student_pendingnamechange",
                    &["user_id"],
                    &["new_name", "rationale"],
                );
                tx.execute(&sql, &params![id, name, reason]).await
            })
            .await?;
        Ok(Reply::empty(201))
    }

    /// `POST /accounts/name_change/<username>/confirm/`: staff only (403 empty); 204, or 404 empty when nothing is
    /// pending.
    pub async fn confirm_name_change(
        &self,
        viewer: &User,
        username: &str,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !viewer.is_staff {
            return Ok(Reply::empty(403));
        }
        let Some(user) = users::by_username(self.db(), username).await? else {
            return Ok(Reply::empty(404));
        };
        let pending = self
            .db()
            .read_one(
                "SELECT new_name FROM student_pendingnamechange WHERE user_id = ?",
                &params![user.id],
            )
            .await?;
        let (Some(pending), Some(mut profile)) =
            (pending, users::profile(self.db(), user.id).await?)
        else {
            return Ok(Reply::empty(404));
        };
        let mut meta: serde_json::Map<String, Value> =
            serde_json::from_str(&profile.meta).unwrap_or_default();
        let entry = json!([
            profile.name,
            format!(
                "Name change requested through account API by {}",
                user.username
            ),
            now.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string(),
        ]);
        match meta.get_mut("old_names").and_then(Value::as_array_mut) {
            Some(list) => list.push(entry),
            None => {
                meta.insert("old_names".into(), json!([entry]));
            }
        }
        profile.meta = django_compat::pyjson::dumps(
            &Value::Object(meta),
            django_compat::pyjson::Style::DEFAULT,
        );
        profile.name = pending.text("new_name")?;
        let profile = &profile;
        self.db()
            .write(|mut tx| async move {
                users::save_profile(&mut tx, profile).await?;
                tx.execute(
                    "DELETE FROM student_pendingnamechange WHERE user_id = ?",
                    &params![profile.user_id],
                )
                .await
            })
            .await?;
        Ok(Reply::empty(204))
    }
}
