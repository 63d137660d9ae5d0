//! What the retirement job does to an account, and how a retirement is taken back.

use chrono::{DateTime, Utc};
use db::params;
use serde_json::{Value, json};

use super::{PENDING, Status, forbidden, moment, sentence};
use crate::{Identity, Reply, Result, User, random};

/// Characters of a restored account's password, which nobody knows.
const PASSWORD_LENGTH: usize = 25;

impl Identity {
    /// The retirement that an action is asked for, if its state allows one.
    async fn actionable(&self, body: &Value) -> Result<std::result::Result<Status, Reply>> {
        let username = body
            .get("username")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(status) = self.retirement_of(username).await? else {
            return Ok(Err(Reply::empty(404)));
        };
        if status.current.required || status.current.name.ends_with("_COMPLETE") {
            let text = format!(
                "User: {} State: {} Last Updated: {} is in {}, not a valid state to perform \
                 retirement actions on.",
                status.user_id,
                status.current.shown(),
                moment(status.modified),
                status.current.name
            );
            return Ok(Err(sentence(400, text)));
        }
        Ok(Ok(status))
    }

    /// `POST /accounts/retire_misc/` `{"username"}`: addresses that hang about in other tables; 204.
    pub async fn retire_misc(&self, viewer: &User, body: &Value) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let status = match self.actionable(body).await? {
            Ok(status) => status,
            Err(reply) => return Ok(reply),
        };
        let status = &status;
        self.db()
            .write(|mut tx| async move {
                tx.execute(
                    "UPDATE student_manualenrollmentaudit SET enrolled_email = ?, reason = '' \
                     WHERE enrolled_email = ?",
                    &params![&status.retired_email, &status.original_email],
                )
                .await?;
                tx.execute(
                    "DELETE FROM course_groups_unregisteredlearnercohortassignments \
                     WHERE email = ?",
                    &params![&status.original_email],
                )
                .await
            })
            .await?;
        Ok(Reply::empty(204))
    }

    /// `POST /accounts/retire/` `{"username"}`: what says who somebody was is blanked, the username replaced; 204.
    pub async fn retire(&self, viewer: &User, body: &Value) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let status = match self.actionable(body).await? {
            Ok(status) => status,
            Err(reply) => return Ok(reply),
        };
        let status = &status;
        self.db()
            .write(|mut tx| async move {
                let id = status.user_id;
                if let Some((profile, _)) = &status.profile {
                    for table in ["student_languageproficiency", "student_sociallink"] {
                        let sql = format!("DELETE FROM {table} WHERE user_profile_id = ?");
                        tx.execute(&sql, &params![*profile]).await?;
                    }
                }
                tx.execute(
                    "UPDATE auth_userprofile SET name = '', meta = '', location = '', \
                     year_of_birth = NULL, gender = NULL, mailing_address = NULL, city = NULL, \
                     country = NULL, bio = NULL, phone_number = NULL, \
                     profile_image_uploaded_at = NULL WHERE user_id = ?",
                    &params![id],
                )
                .await?;
                for sql in [
                    "UPDATE certificates_generatedcertificate SET name = '' WHERE user_id = ?",
                    "DELETE FROM user_api_userorgtag WHERE user_id = ?",
                    "DELETE FROM student_pendingnamechange WHERE user_id = ?",
                    "DELETE FROM student_pendingemailchange WHERE user_id = ?",
                    "DELETE FROM student_pendingsecondaryemailchange WHERE user_id = ?",
                    "UPDATE verify_student_ssoverification SET name = '' WHERE user_id = ?",
                ] {
                    tx.execute(sql, &params![id]).await?;
                }
                for table in [
                    "student_courseenrollmentallowed",
                    "course_groups_unregisteredlearnercohortassignments",
                ] {
                    let sql = format!("DELETE FROM {table} WHERE email = ?");
                    tx.execute(&sql, &params![&status.original_email]).await?;
                }
                tx.execute(
                    "UPDATE auth_user SET first_name = '', last_name = '', is_active = 0, \
                     username = ?, email = ? WHERE id = ?",
                    &params![&status.retired_username, &status.retired_email, id],
                )
                .await
            })
            .await?;
        Ok(Reply::empty(204))
    }

    /// `POST /accounts/cancel_retirement/` `{"retirement_id"}`: superusers, or staff with the permission. The address
    /// comes back; the password is a new one that nobody knows.
    pub async fn cancel_retirement(
        &self,
        viewer: &User,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        let allowed = viewer.is_superuser
            || (viewer.is_staff
                && self
                    .has_permission(viewer, "user_api", "change_userretirementstatus")
                    .await?);
        if !allowed {
            return Ok(forbidden());
        }
        let refuse = |text: &str| Ok(Reply::rest(400, json!({ "message": text })));
        let id = match body.get("retirement_id") {
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => return refuse("retirement_id must be specified."),
        };
        let sql = format!("{} WHERE s.id = ?", super::SELECT);
        let row = match id {
            Some(id) => self.db().read_one(&sql, &params![id]).await?,
            None => None,
        };
        let Some(row) = row else {
            return refuse("Retirement does not exist!");
        };
        let status = Status::from_row(&row)?;
        if status.current.name != PENDING {
            let text = format!(
                "Retirement requests can only be cancelled for users in the PENDING state. Current \
                 request state for '{}': {}",
                status.original_username, status.current.name
            );
            return refuse(&text);
        }
        let password = self
            .encode_password(&random::text(PASSWORD_LENGTH)?)
            .await?;
        let (status, password) = (&status, password.as_str());
        self.db()
            .write(|mut tx| async move {
                tx.execute(
                    "UPDATE auth_user SET email = ?, password = ? WHERE id = ?",
                    &params![&status.original_email, password, status.user_id],
                )
                .await?;
                for table in [
                    "user_api_userretirementstatus",
                    "user_api_userretirementrequest",
                ] {
                    let sql = format!("DELETE FROM {table} WHERE user_id = ?");
                    tx.execute(&sql, &params![status.user_id]).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        tracing::info!(user_id = status.user_id, at = %now, "retirement cancelled");
        Ok(Reply::rest(200, json!({ "success": true })))
    }

    /// `POST /accounts/replace_usernames/` `{"username_mappings": [{old: new}]}`: for the replacement worker alone.
    pub async fn replace_usernames(&self, viewer: &User, body: &Value) -> Result<Reply> {
        let worker = &self.settings().username_replacement_worker;
        if worker.is_empty() || viewer.username != *worker {
            return Ok(forbidden());
        }
        let pairs: Option<Vec<(String, String)>> = body
            .get("username_mappings")
            .and_then(Value::as_array)
            .and_then(|list| {
                list.iter()
                    .map(|item| {
                        let (old, new) = item.as_object()?.iter().next()?;
                        Some((old.clone(), new.as_str()?.to_owned()))
                    })
                    .collect()
            });
        let Some(pairs) = pairs else {
            return Ok(Reply::rest(
                400,
                json!(["Request data does not match schema"]),
            ));
        };
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (old, wanted) in pairs {
            let mut new = wanted.clone();
            if new != old && self.username_is_taken(&new).await? {
                let length = if self.settings().third_party.enabled {
                    10
                } else {
                    4
                };
                new = format!("{wanted}-{}", alternating(length)?);
            }
            let (old_ref, new_ref) = (&old, &new);
            let changed = self
                .db()
                .execute(
                    "UPDATE auth_user SET username = ? WHERE username = ?",
                    &params![new_ref, old_ref],
                )
                .await;
            match changed {
                Ok(_) => done.push(json!({ old: new })),
                Err(error) if error.is_unique() => failed.push(json!({ old: wanted })),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Reply::rest(
            200,
            json!({ "successful_replacements": done, "failed_replacements": failed }),
        ))
    }
}

/// Letters and digits in turns.
fn alternating(length: usize) -> Result<String> {
    let mut out = String::new();
    while out.len() < length {
        for ch in random::lower(64)?.chars() {
            let wants_letter = out.len().is_multiple_of(2);
            if out.len() < length && ch.is_ascii_alphabetic() == wants_letter {
                out.push(ch);
            }
        }
    }
    Ok(out)
}
