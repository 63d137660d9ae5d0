//! The retirement job's view: who waits, in which state, and the next one.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use db::params;
use serde_json::{Map, Value, json};

use super::{SELECT, Status, forbidden, sentence};
use crate::{Form, Identity, Reply, Result, User};

/// A Python list of texts.
fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| django_compat::pyjson::text_repr(name))
        .collect();
    format!("[{}]", quoted.join(", "))
}

impl Identity {
    /// `GET /accounts/retirement_queue/?cool_off_days=N&states=S…[&limit=]`.
    pub async fn retirement_queue(
        &self,
        viewer: &User,
        query: &Form,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let Some(days) = query.get("cool_off_days") else {
            return Ok(sentence(400, "Missing required parameter: 'cool_off_days'"));
        };
        let Ok(days) = days.trim().parse::<i64>() else {
            return Ok(sentence(400, "Invalid cool_off_days, should be integer."));
        };
        if days < 0 {
            let text = "Invalid argument for cool_off_days, must be greater than 0.";
            return Ok(sentence(400, text));
        }
        let states: Vec<String> = query.all("states").map(str::to_owned).collect();
        if states.is_empty() {
            return Ok(sentence(
                400,
                "Param \"states\" required with at least one state.",
            ));
        }
        let values: Vec<db::Value> = states.iter().map(db::Value::from).collect();
        let marks = db::placeholders(values.len());
        let known = self
            .db()
            .read(
                &format!(
                    "SELECT state_name FROM user_api_retirementstate WHERE state_name IN ({marks})"
                ),
                &values,
            )
            .await?;
        if known.len() != states.len() {
            let mut found = Vec::new();
            for row in &known {
                found.push(row.text("state_name")?);
            }
            let text = format!(
                "Unknown state. Requested: {} Found: {}",
                list(&states),
                list(&found)
            );
            return Ok(sentence(400, text));
        }
        let limit = match query.get("limit").filter(|limit| !limit.is_empty()) {
            None => i64::from(i32::MAX),
            Some(limit) => match limit.trim().parse::<i64>() {
                Ok(limit) if limit >= 0 => limit,
                _ => {
                    return Ok(sentence(400, format!("Limit could not be parsed: {limit}")));
                }
            },
        };
        let earliest = now - TimeDelta::try_days(days).unwrap_or_default();
        let sql = format!(
            "{SELECT} WHERE s.created < ? AND c.state_name IN ({marks}) ORDER BY s.id LIMIT ?"
        );
        let mut all = params![earliest].to_vec();
        all.extend(values);
        all.push(limit.into());
        self.statuses(&sql, &all).await
    }

    async fn statuses(&self, sql: &str, values: &[db::Value]) -> Result<Reply> {
        let mut out = Vec::new();
        for row in self.db().read(sql, values).await? {
            out.push(Status::from_row(&row)?.json());
        }
        Ok(Reply::rest(200, out.into()))
    }

    /// `GET /accounts/retirements_by_status_and_date/?start_date&end_date&state`, both days included.
    pub async fn retirements_by_date(
        &self,
        viewer: &User,
        query: &Form,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let day = |name: &str| NaiveDate::parse_from_str(query.text(name), "%Y-%m-%d");
        let (start, end) = match (day("start_date"), day("end_date")) {
            (Ok(start), Ok(end)) => (start, end),
            (Err(error), _) | (_, Err(error)) => {
                return Ok(sentence(400, format!("Invalid start or end date: {error}")));
            }
        };
        let today = now.date_naive();
        if start > today || end > today || start > end {
            let text = "Dates must be today or earlier, and start must be earlier than end.";
            return Ok(sentence(400, text));
        }
        let state = query.text("state");
        let known = self
            .db()
            .read_int(
                "SELECT COUNT(*) AS n FROM user_api_retirementstate WHERE state_name = ?",
                &params![state],
            )
            .await?;
        if known == 0 {
            return Ok(sentence(400, "Unknown retirement state."));
        }
        let after = end.succ_opt().unwrap_or(end);
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN);
        let sql = format!(
            "{SELECT} WHERE c.state_name = ? AND s.created >= ? AND s.created < ? ORDER BY s.id"
        );
        self.statuses(&sql, &params![state, midnight(start), midnight(after)])
            .await
    }

    /// `GET /accounts/<original username>/retirement_status/`.
    pub async fn retirement_status(&self, viewer: &User, username: &str) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        Ok(match self.retirement_of(username).await? {
            Some(status) => Reply::rest(200, status.json()),
            None => Reply::empty(404),
        })
    }

    /// `PATCH /accounts/update_retirement_status/` `{username, new_state, response[, force]}`: 204.
    pub async fn update_retirement_status(
        &self,
        viewer: &User,
        body: &Value,
        now: DateTime<Utc>,
    ) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let none = Map::new();
        let fields = body.as_object().unwrap_or(&none);
        let username = fields
            .get("username")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if username.is_empty() {
            return Ok(Reply::rest(
                404,
                json!({ "message": "The user was not specified." }),
            ));
        }
        let Some(status) = self.retirement_of(username).await? else {
            return Ok(Reply::empty(404));
        };
        for name in ["new_state", "response"] {
            if !fields.contains_key(name) {
                return Ok(sentence(
                    400,
                    format!("RetirementStatus: required key {name} is missing"),
                ));
            }
        }
        let known = ["username", "new_state", "response", "force"];
        if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
            return Ok(sentence(
                400,
                format!("RetirementStatus: unknown key {unknown}"),
            ));
        }
        let new = fields
            .get("new_state")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let force = fields
            .get("force")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let row = self
            .db()
            .read_one(
                "SELECT id, state_execution_order FROM user_api_retirementstate WHERE state_name = ?",
                &params![new],
            )
            .await?;
        let later = match &row {
            Some(row) => force || row.int("state_execution_order")? > status.current.order,
            None => false,
        };
        let Some(row) = row.filter(|_| later) else {
            let text = format!(
                "{new} does not exist or is an eariler state than current state {}",
                status.current.shown()
            );
            return Ok(sentence(400, text));
        };
        let shown = format!("{new} (step {})", row.int("state_execution_order")?);
        let response = match fields.get("response") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let responses = format!(
            "{}\n Moved from {} to {shown}:\n{response}\n",
            status.responses,
            status.current.shown()
        );
        self.db()
            .execute(
                "UPDATE user_api_userretirementstatus SET last_state_id = current_state_id, \
                 current_state_id = ?, responses = ?, modified = ? WHERE id = ?",
                &params![row.int("id")?, responses, now, status.id],
            )
            .await?;
        Ok(Reply::empty(204))
    }

    /// `POST /accounts/retirement_cleanup/` `{"usernames": […]}`: deletes COMPLETE rows; 204.
    pub async fn retirement_cleanup(&self, viewer: &User, body: &Value) -> Result<Reply> {
        if !self.can_retire_users(viewer).await? {
            return Ok(forbidden());
        }
        let Some(names) = body.get("usernames").and_then(Value::as_array) else {
            return Ok(sentence(400, "Usernames should be an array."));
        };
        let mut ids = Vec::new();
        for name in names {
            let status = self
                .retirement_of(name.as_str().unwrap_or_default())
                .await?;
            let Some(status) = status.filter(|status| status.current.name == "COMPLETE") else {
                let text = "Not all usernames exist in the COMPLETE state.";
                return Ok(sentence(400, text));
            };
            ids.push(status.id);
        }
        let ids = &ids;
        self.db()
            .write(|mut tx| async move {
                for id in ids {
                    let sql = "DELETE FROM user_api_userretirementstatus WHERE id = ?";
                    tx.execute(sql, &params![*id]).await?;
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(Reply::empty(204))
    }
}
