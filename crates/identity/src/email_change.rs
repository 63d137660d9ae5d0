//! Confirming a new e-mail address, and disabling accounts (contracts/identity.md §7.3).

use chrono::{DateTime, Utc};
use db::params;
use records::history::Author;
use records::users::{self, UserStanding};
use serde_json::{Map, Value, json};

use crate::{Form, Identity, Reply, Result, User};

/// What a confirmation link did. Always 200 with a page.
#[derive(Debug, Clone, PartialEq)]
pub enum EmailChangeOutcome {
    /// The new address is the account's.
    Changed {
        /// The user, with the new address.
        user: Box<User>,
        /// The address before.
        old_email: String,
    },
    /// No such key.
    InvalidKey,
    /// Somebody else has the address by now.
    Taken,
}

impl Identity {
    /// `GET /email_confirm/<key>`: applies a pending change, notes the old address, queues a notice to both, and
    /// enrolls the user where an e-mail permission says so.
    pub async fn confirm_email_change(
        &self,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<EmailChangeOutcome> {
        let rows = self
            .db()
            .read(
                "SELECT user_id, new_email, activation_key FROM student_pendingemailchange \
                 WHERE activation_key = ?",
                &params![key],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(EmailChangeOutcome::InvalidKey);
        };
        if row.text("activation_key")? != key {
            return Ok(EmailChangeOutcome::InvalidKey);
        }
        let email = row.text("new_email")?;
        let Some(mut user) = users::by_id(self.db(), row.int("user_id")?).await? else {
            return Ok(EmailChangeOutcome::InvalidKey);
        };
        if self.email_is_taken(&email).await? {
            return Ok(EmailChangeOutcome::Taken);
        }
        let old_email = std::mem::replace(&mut user.email, email);
        let (user_ref, old) = (&user, &old_email);
        let changed = self
            .db()
            .write(|mut tx| async move {
                tx.execute(
                    "UPDATE auth_user SET email = ? WHERE id = ?",
                    &params![&user_ref.email, user_ref.id],
                )
                .await?;
                if let Some(mut profile) = users::profile(&mut tx, user_ref.id).await? {
                    let mut meta: Map<String, Value> =
                        serde_json::from_str(&profile.meta).unwrap_or_default();
                    let entry = json!([old, now.format("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()]);
                    match meta.get_mut("old_emails").and_then(Value::as_array_mut) {
                        Some(list) => list.push(entry),
                        None => {
                            meta.insert("old_emails".into(), json!([entry]));
                        }
                    }
                    profile.meta = django_compat::pyjson::dumps(
                        &Value::Object(meta),
                        django_compat::pyjson::Style::DEFAULT,
                    );
                    users::save_profile(&mut tx, &profile).await?;
                }
                tx.execute(
                    "DELETE FROM student_pendingemailchange WHERE user_id = ?",
                    &params![user_ref.id],
                )
                .await?;
                let payload = json!({ "user_id": user_ref.id, "old_email": old });
                let time = now.naive_utc();
                let (topic, key) = ("mail.email_changed", user_ref.id.to_string());
                records::outbox::put(&mut tx, topic, &key, &payload, time, time).await
            })
            .await;
        match changed {
            Err(error) if error.is_unique() => return Ok(EmailChangeOutcome::Taken),
            other => other?,
        };
        if user.is_active {
            let author = Author::user(now.naive_utc(), user.id);
            if let Err(error) = enrollment::enroll_allowed(self.db(), &user, &author).await {
                tracing::error!(%error, user_id = user.id, "waiting enrollments failed");
            }
        }
        Ok(EmailChangeOutcome::Changed {
            user: Box::new(user),
            old_email,
        })
    }

    /// `POST /accounts/disable_account_ajax` (`username`, `account_action` disable or reenable) by staff: 200
    /// `{"message"}`, 400 `{"message"}`; others get 404.
    pub async fn set_account_standing(
        &self,
        viewer: &User,
        form: &Form,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !viewer.is_staff {
            return Ok(Reply::empty(404));
        }
        let refuse = |text: String| Ok(Reply::platform(400, json!({ "message": text })));
        let username = form.text("username").trim();
        if username.is_empty() {
            return refuse("Please enter a username".into());
        }
        let status = match form.text("account_action") {
            "disable" => "disabled",
            "reenable" => "enabled",
            "" => return refuse("Please choose an option".into()),
            _ => return refuse("Unexpected account action".into()),
        };
        let Some(user) = users::by_username(self.db(), username).await? else {
            return refuse(format!("User with username {username} does not exist"));
        };
        let standing = UserStanding {
            id: 0,
            account_status: status.to_owned(),
            standing_last_changed_at: now.naive_utc(),
            changed_by_id: viewer.id,
            user_id: user.id,
        };
        let standing = &standing;
        self.db()
            .write(|mut tx| async move { users::set_standing(&mut tx, standing).await })
            .await?;
        let text = if status == "disabled" {
            format!("Successfully disabled {username}'s account")
        } else {
            format!("Successfully reenabled {username}'s account")
        };
        Ok(Reply::platform(200, json!({ "message": text })))
    }
}
