//! Rows and session values of a sign-in that is under way.

use chrono::{DateTime, TimeDelta, Utc};
use db::params;
use serde_json::{Map, Value, json};

use crate::session::Session;
use crate::{Identity, Result, User, random};

/// Session key of the running sign-in.
pub(super) const PARTIAL_TOKEN: &str = "partial_pipeline_token";
/// A sign-in without user may take so long, seconds.
const PIPELINE_TIMEOUT: i64 = 600;

/// A sign-in that is under way: what the provider said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pipeline {
    /// Backend name.
    pub backend: String,
    /// The provider's id of the person.
    pub uid: String,
    /// Username, as the provider has it.
    pub username: String,
    /// E-mail address, may be empty.
    pub email: String,
    /// Full name.
    pub fullname: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// What is kept of the tokens.
    pub extra_data: Value,
    /// Where the sign-in began.
    pub auth_entry: Option<String>,
    /// The user found so far.
    pub user_id: Option<i64>,
}

impl Pipeline {
    fn to_json(&self) -> Value {
        json!({
            "args": [],
            "kwargs": {
                "uid": self.uid,
                "details": {
                    "username": self.username,
                    "email": self.email,
                    "fullname": self.fullname,
                    "first_name": self.first_name,
                    "last_name": self.last_name,
                },
                "extra_data": self.extra_data,
                "auth_entry": self.auth_entry,
                "user": self.user_id,
            },
        })
    }

    fn from_json(backend: String, value: &Value) -> Self {
        let kwargs = value.get("kwargs").unwrap_or(&Value::Null);
        let details = kwargs.get("details").unwrap_or(&Value::Null);
        let text = |map: &Value, name: &str| {
            map.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            backend,
            uid: text(kwargs, "uid"),
            username: text(details, "username"),
            email: text(details, "email"),
            fullname: text(details, "fullname"),
            first_name: text(details, "first_name"),
            last_name: text(details, "last_name"),
            extra_data: kwargs
                .get("extra_data")
                .cloned()
                .unwrap_or_else(|| json!({})),
            auth_entry: kwargs
                .get("auth_entry")
                .and_then(Value::as_str)
                .map(str::to_owned),
            user_id: kwargs.get("user").and_then(Value::as_i64),
        }
    }
}

impl Identity {
    /// Stores a sign-in in social_auth_partial and notes its token in the session.
    pub(super) async fn save_pipeline(
        &self,
        pipeline: &Pipeline,
        session: &mut Session,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let token = random::hex(32)?;
        let (token_ref, data) = (token.as_str(), pipeline.to_json().to_string());
        let data = data.as_str();
        let old = session.text(PARTIAL_TOKEN).map(str::to_owned);
        let old = &old;
        self.db()
            .write(|mut tx| async move {
                if let Some(old) = old {
                    tx.execute(
                        "DELETE FROM social_auth_partial WHERE token = ?",
                        &params![old],
                    )
                    .await?;
                }
                tx.execute(
                    "INSERT INTO social_auth_partial (token, next_step, backend, timestamp, data) \
                     VALUES (?, 11, ?, ?, ?)",
                    &params![token_ref, &pipeline.backend, now, data],
                )
                .await
            })
            .await?;
        session.set_text(PARTIAL_TOKEN, token);
        if pipeline.user_id.is_none() {
            session.set_expiry(PIPELINE_TIMEOUT);
        }
        Ok(())
    }

    /// The sign-in that a session runs, if it is not too old.
    pub async fn running_pipeline(
        &self,
        session: Option<&Session>,
        now: DateTime<Utc>,
    ) -> Result<Option<Pipeline>> {
        if !self.settings().third_party.enabled {
            return Ok(None);
        }
        let Some(token) = session.and_then(|session| session.text(PARTIAL_TOKEN)) else {
            return Ok(None);
        };
        let earliest = now - TimeDelta::try_seconds(PIPELINE_TIMEOUT).unwrap_or_default();
        let row = self
            .db()
            .read_one(
                "SELECT token, backend, data FROM social_auth_partial \
                 WHERE token = ? AND timestamp > ?",
                &params![token, earliest],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        if row.text("token")? != token {
            return Ok(None);
        }
        Ok(Some(Pipeline::from_json(
            row.text("backend")?,
            &row.json("data")?,
        )))
    }

    /// Forgets the sign-in of a session.
    pub(super) async fn end_pipeline(&self, session: &mut Session) -> Result<()> {
        if let Some(token) = session.remove(PARTIAL_TOKEN)
            && let Some(token) = token.as_text()
        {
            self.db()
                .execute(
                    "DELETE FROM social_auth_partial WHERE token = ?",
                    &params![token],
                )
                .await?;
        }
        Ok(())
    }

    /// The user linked to a provider's id, compared exactly.
    pub(crate) async fn linked_user(&self, backend: &str, uid: &str) -> Result<Option<User>> {
        let rows = self
            .db()
            .read(
                "SELECT user_id, uid FROM social_auth_usersocialauth WHERE provider = ? AND uid = ?",
                &params![backend, uid],
            )
            .await?;
        for row in rows {
            if row.text("uid")? == uid {
                return Ok(records::users::by_id(self.db(), row.int("user_id")?).await?);
            }
        }
        Ok(None)
    }

    /// Links a user to a provider's id, or renews what is kept of the tokens.
    pub(crate) async fn link(
        &self,
        pipeline: &Pipeline,
        user_id: i64,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let data = match &pipeline.extra_data {
            Value::Object(map) => Value::Object(map.clone()).to_string(),
            _ => Value::Object(Map::new()).to_string(),
        };
        let data = data.as_str();
        self.db()
            .write(|mut tx| async move {
                let sql = tx.dialect().upsert_keeping(
                    "social_auth_usersocialauth",
                    &["provider", "uid"],
                    &["user_id", "modified", "extra_data"],
                    &["created"],
                );
                let values = params![&pipeline.backend, &pipeline.uid, user_id, now, data, now];
                tx.execute(&sql, &values).await
            })
            .await?;
        Ok(())
    }
}

/// Adds a flash message to a session, in Django's form.
pub(crate) fn add_message(session: &mut Session, level: i64, text: &str, tags: &str) {
    let mut list: Vec<Value> = session
        .text("_messages")
        .and_then(|stored| serde_json::from_str(stored).ok())
        .unwrap_or_default();
    list.push(json!(["__json_message", 0, level, text, tags]));
    session.set_text("_messages", Value::Array(list).to_string());
}
