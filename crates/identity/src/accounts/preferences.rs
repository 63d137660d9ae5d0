//! Preferences of users (contracts/identity.md §8.4).

use records::{preferences, users};
use serde_json::{Map, Value, json};

use super::python::str;
use crate::{Identity, Reply, Result, User};

/// Longest key.
const MAX_KEY: usize = 255;
const EMPTY_PATCH: &str = "No data provided for user preference update";

/// Outcome of a change of preferences.
pub type PreferenceOutcome = Reply;

/// Whether a key has one of the characters that keys are made of.
fn is_valid_key(key: &str) -> bool {
    key.chars().count() <= MAX_KEY
        && key
            .bytes()
            .any(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Why a preference cannot have a value: developer's and user's message.
fn refusal(key: &str, value: &str) -> Option<(String, String)> {
    if !is_valid_key(key) {
        let text = format!("Invalid user preference key '{key}'.");
        return Some((text.clone(), text));
    }
    if value.is_empty() {
        let text = format!("Preference '{key}' cannot be set to an empty value.");
        return Some((text.clone(), text));
    }
    if key == "time_zone" && value.parse::<chrono_tz::Tz>().is_err() {
        return Some((
            format!("Value '{value}' not valid for preference 'time_zone': Not in timezone set."),
            format!("Value '{value}' is not a valid time zone selection."),
        ));
    }
    None
}

fn messages((developer, user): &(String, String)) -> Value {
    json!({ "developer_message": developer, "user_message": user })
}

impl Identity {
    /// The user whose preferences are asked for: own, or any for staff; else the refusal.
    async fn preference_owner(
        &self,
        viewer: &User,
        username: &str,
    ) -> Result<std::result::Result<User, Reply>> {
        if viewer.username == username {
            return Ok(Ok(viewer.clone()));
        }
        if !viewer.is_staff {
            return Ok(Err(Reply::empty(403)));
        }
        Ok(users::by_username(self.db(), username)
            .await?
            .ok_or_else(|| Reply::empty(404)))
    }

    /// `GET /preferences/<u>`: all of them as texts.
    pub async fn preferences(&self, viewer: &User, username: &str) -> Result<Reply> {
        let owner = match self.preference_owner(viewer, username).await? {
            Ok(owner) => owner,
            Err(reply) => return Ok(reply),
        };
        let all: Map<String, Value> = preferences::all(self.db(), owner.id)
            .await?
            .into_iter()
            .map(|row| (row.key, row.value.into()))
            .collect();
        Ok(Reply::rest(200, Value::Object(all)))
    }

    /// `PATCH /preferences/<u>`: one's own only; null deletes, other values become texts. 204.
    pub async fn patch_preferences(
        &self,
        viewer: &User,
        username: &str,
        body: &Value,
    ) -> Result<PreferenceOutcome> {
        if viewer.username != username {
            return Ok(Reply::empty(403));
        }
        let patch = match body.as_object() {
            Some(patch) if !patch.is_empty() => patch,
            _ => {
                let body = json!({ "developer_message": EMPTY_PATCH, "user_message": EMPTY_PATCH });
                return Ok(Reply::rest(400, body));
            }
        };
        let mut errors = Map::new();
        let mut changes = Vec::new();
        for (key, value) in patch {
            if value.is_null() {
                changes.push((key.as_str(), None));
                continue;
            }
            let text = str(value);
            match refusal(key, &text) {
                Some(sentences) => {
                    errors.insert(key.clone(), messages(&sentences));
                }
                None => changes.push((key.as_str(), Some(text))),
            }
        }
        if !errors.is_empty() {
            return Ok(Reply::rest(400, json!({ "field_errors": errors })));
        }
        let (changes, id) = (&changes, viewer.id);
        self.db()
            .write(|mut tx| async move {
                for (key, value) in changes {
                    match value {
                        Some(value) => preferences::set(&mut tx, id, key, value).await?,
                        None => {
                            preferences::delete(&mut tx, id, key).await?;
                        }
                    }
                }
                Ok::<_, db::Error>(())
            })
            .await?;
        Ok(Reply::empty(204))
    }

    /// `GET /preferences/<u>/<key>`: the text, or 404 empty.
    pub async fn preference(&self, viewer: &User, username: &str, key: &str) -> Result<Reply> {
        let owner = match self.preference_owner(viewer, username).await? {
            Ok(owner) => owner,
            Err(reply) => return Ok(reply),
        };
        Ok(match preferences::get(self.db(), owner.id, key).await? {
            Some(value) => Reply::rest(200, value.into()),
            None => Reply::empty(404),
        })
    }

    /// `PUT /preferences/<u>/<key>` with a JSON value: 204, or 400 with two messages.
    pub async fn put_preference(
        &self,
        viewer: &User,
        username: &str,
        key: &str,
        value: &Value,
    ) -> Result<PreferenceOutcome> {
        if viewer.username != username {
            return Ok(Reply::empty(403));
        }
        let text = if value.is_null() {
            String::new()
        } else {
            str(value)
        };
        if let Some(sentences) = refusal(key, &text) {
            return Ok(Reply::rest(400, messages(&sentences)));
        }
        let (id, text) = (viewer.id, text.as_str());
        self.db()
            .write(|mut tx| async move { preferences::set(&mut tx, id, key, text).await })
            .await?;
        Ok(Reply::empty(204))
    }

    /// `DELETE /preferences/<u>/<key>`: 204, or 404 empty when there is none.
    pub async fn delete_preference(
        &self,
        viewer: &User,
        username: &str,
        key: &str,
    ) -> Result<PreferenceOutcome> {
        if viewer.username != username {
            return Ok(Reply::empty(403));
        }
        let id = viewer.id;
        let had = self
            .db()
            .write(|mut tx| async move { preferences::delete(&mut tx, id, key).await })
            .await?;
        Ok(Reply::empty(if had { 204 } else { 404 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// contracts/identity.md §8.4: which values are refused.
    #[test]
    fn refusals() {
        assert!(refusal("time_zone", "Asia/Ho_Chi_Minh").is_none());
        assert_eq!(
            refusal("time_zone", "Mars/X").unwrap().1,
            "Value 'Mars/X' is not a valid time zone selection."
        );
        assert!(refusal("k", "").is_some());
        assert!(refusal(&"k".repeat(256), "v").is_some());
        assert!(refusal("!a", "v").is_none());
    }
}
