//! Reports of retired learners to the organizations whose courses they took.

use chrono::{DateTime, Utc};
use db::params;
use opaque_keys::CourseKey;
use serde_json::{Value, json};

use super::{forbidden, moment, sentence};
use crate::{Identity, Reply, Result, User};

impl Identity {
    /// `PUT /accounts/retirement_partner_report/` `{"username"}`: 204, and a row if the user has enrollments.
    pub async fn add_partner_report(
        &self,
        viewer: &User,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let username = body
            .get("username")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let Some(status) = self.retirement_of(username).await? else {
            return Ok(Reply::empty(404));
        };
        if records::enrollment::of_user(self.db(), status.user_id)
            .await?
            .is_empty()
        {
            return Ok(Reply::empty(204));
        }
        let status = &status;
        self.db()
            .write(|mut tx| async move {
                let sql = tx.dialect().insert_ignore(
                    "user_api_userretirementpartnerreportingstatus",
                    &[
                        "user_id",
                        "created",
                        "modified",
                        "original_username",
                        "original_email",
                        "original_name",
                        "is_being_processed",
                    ],
                );
                let values = params![
                    status.user_id,
                    now,
                    now,
                    &status.original_username,
                    &status.original_email,
                    &status.original_name,
                    false
                ];
                tx.execute(&sql, &values).await
            })
            .await?;
        Ok(Reply::empty(204))
    }

    /// `POST /accounts/retirement_partner_report/`: the rows not yet taken, which are marked.
    pub async fn partner_report(&self, viewer: &User, now: DateTime<Utc>) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let rows = self
            .db()
            .write(|mut tx| async move {
                let rows = tx
                    .read(
                        "SELECT id, user_id, original_username, original_email, original_name, \
                         created FROM user_api_userretirementpartnerreportingstatus \
                         WHERE is_being_processed = 0 ORDER BY id",
                        &[],
                    )
                    .await?;
                for row in &rows {
                    tx.execute(
                        "UPDATE user_api_userretirementpartnerreportingstatus \
                         SET is_being_processed = 1, modified = ? WHERE id = ?",
                        &params![now, row.int("id")?],
                    )
                    .await?;
                }
                Ok::<_, db::Error>(rows)
            })
            .await?;
        let mut out = Vec::new();
        for row in &rows {
            let user_id = row.int("user_id")?;
            let mut orgs: Vec<String> = records::enrollment::of_user(self.db(), user_id)
                .await?
                .iter()
                .filter_map(|enrollment| CourseKey::parse(&enrollment.course_id).ok())
                .map(|course| course.org().to_owned())
                .collect();
            orgs.sort();
            orgs.dedup();
            out.push(json!({
                "user_id": user_id,
                "original_username": row.text("original_username")?,
                "original_email": row.text("original_email")?,
                "original_name": row.text("original_name")?,
                "orgs": orgs,
                "created": moment(row.datetime("created")?),
            }));
        }
        Ok(Reply::rest(200, out.into()))
    }

    /// `POST /accounts/retirement_partner_report_cleanup/` `[{"original_username"}]`: 204, or 400 with the counts.
    pub async fn partner_report_cleanup(&self, viewer: &User, body: &Value) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let names: Vec<&str> = body
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item.get("original_username").and_then(Value::as_str))
            .collect();
        let mut ids = Vec::new();
        for name in &names {
            let row = self
                .db()
                .read_one(
                    "SELECT id FROM user_api_userretirementpartnerreportingstatus \
                     WHERE original_username = ? AND is_being_processed = 1",
                    &params![*name],
                )
                .await?;
            if let Some(row) = row {
                ids.push(row.int("id")?);
            }
        }
        if ids.len() != names.len() || names.is_empty() {
            let text = format!(
                "{} original_usernames given, {} found!",
                names.len(),
                ids.len()
            );
            return Ok(sentence(400, text));
        }
        let ids = &ids;
        self.db()
            .write(|mut tx| async move {
                for id in ids {
                    let sql =
                        "DELETE FROM user_api_userretirementpartnerreportingstatus WHERE id = ?";
                    tx.execute(sql, &params![*id]).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(Reply::empty(204))
    }
}
