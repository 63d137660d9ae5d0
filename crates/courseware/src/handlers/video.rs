//! What players of videos store (courseware.md §12.2).

use db::Tx;
use serde_json::{Value, json};

use super::{Call, Reply, transcripts};
use crate::Result;
use crate::states::{self, Preferences, State};

/// Fields that a player may store for all videos of a learner.
const PREFERENCES: [&str; 5] = [
    "auto_advance",
    "transcript_language",
    "transcript_download_format",
    "bumper_do_not_show_again",
    "bumper_last_view_date",
];

/// A flag as a form sends it.
fn flag(text: &str) -> Value {
    json!(text.eq_ignore_ascii_case("true"))
}

/// Seconds from the start as the platform stores them: `HH:MM:SS`. None for what is no such time.
fn position(text: &str) -> Option<String> {
    let parts: Vec<f64> = text
        .split(':')
        .map(|part| part.trim().parse::<f64>().ok())
        .collect::<Option<_>>()?;
    let seconds = match parts.as_slice() {
        [seconds] => *seconds,
        [hours, minutes, seconds] => hours * 3600.0 + minutes * 60.0 + seconds,
        _ => return None,
    };
    if !(0.0..86_400.0).contains(&seconds) {
        return None;
    }
    let whole = seconds as i64;
    Some(format!(
        "{:02}:{:02}:{:02}",
        whole / 3600,
        whole / 60 % 60,
        whole % 60
    ))
}

impl Call<'_> {
    pub(super) async fn save_video_state(&self) -> Result<Reply> {
        if self.request.suffix != "save_user_state" {
            return Ok(Reply::not_found());
        }
        let mut state = State::new();
        let mut preferences: Vec<(&str, Value)> = Vec::new();
        let mut info: Vec<(&str, Value)> = Vec::new();
        for (name, text) in &self.request.form {
            match name.as_str() {
                "speed" => {
                    let speed = text.trim().parse::<f64>().ok();
                    let Some(speed) = speed.filter(|speed| speed.is_finite()) else {
                        return Ok(Reply::json(&json!({
                            "success": false,
                            "error": format!("{text} is not a speed."),
                        })));
                    };
                    state.insert("speed".to_owned(), json!(speed));
                    preferences.push(("global_speed", json!(speed)));
                }
                "saved_video_position" => {
                    let Some(position) = position(text) else {
                        return Ok(Reply::json(&json!({
                            "success": false,
                            "error": format!("{text} is not a position."),
                        })));
                    };
                    state.insert("saved_video_position".to_owned(), json!(position));
                }
                "youtube_is_available" => info.push(("youtube_is_available", flag(text))),
                "auto_advance" => preferences.push(("auto_advance", flag(text))),
                "bumper_do_not_show_again" => {
                    preferences.push(("bumper_do_not_show_again", flag(text)));
                }
                "bumper_last_view_date" => {
                    let now = self.view.now.format("%Y-%m-%dT%H:%M:%S%.6f+00:00");
                    preferences.push(("bumper_last_view_date", json!(now.to_string())));
                }
                name => {
                    let known = PREFERENCES.into_iter().find(|known| *known == name);
                    // Longer values are none that a player sends.
                    preferences.extend(
                        known
                            .filter(|_| text.len() <= 64)
                            .map(|known| (known, json!(text))),
                    );
                }
            }
        }
        let reply = Reply::json(&json!({"success": true}));
        let Some(user_id) = self.user_id() else {
            return Ok(reply);
        };
        if !preferences.is_empty() || !info.is_empty() {
            let (preferences, info, now) = (&preferences, &info, self.view.now);
            self.runtime
                .db
                .write(|mut tx: Tx| async move {
                    for (name, value) in preferences {
                        states::save_preference(&mut tx, user_id, "video", name, value, now)
                            .await?;
                    }
                    for (name, value) in info {
                        states::save_info(&mut tx, user_id, name, value, now).await?;
                    }
                    Ok::<_, db::Error>(())
                })
                .await?;
        }
        self.update(|_| (state.clone(), reply.clone()), None).await
    }

    pub(super) async fn transcript(&self, store_language: bool) -> Result<Reply> {
        let user_id = self.user_id();
        let preferences = Preferences::load(&self.runtime.db, user_id, "video", false).await?;
        let block = self.block.block();
        let reply = transcripts::answer(
            self.runtime,
            self.view,
            block,
            self.request,
            Some(&preferences),
        )
        .await?;
        let language = self
            .request
            .suffix
            .strip_prefix("translation/")
            .map(str::to_owned);
        if let (Some(user_id), Some(language), 200) = (user_id, language, reply.status)
            && store_language
            && preferences.get("transcript_language") != Some(&json!(language))
        {
            let (language, now) = (json!(language), self.view.now);
            let language = &language;
            self.runtime
                .db
                .write(|mut tx: Tx| async move {
                    let name = "transcript_language";
                    states::save_preference(&mut tx, user_id, "video", name, language, now).await
                })
                .await?;
        }
        Ok(reply)
    }

    /// What the learner stored, with the defaults of what they did not.
    pub(super) async fn video_user_state(&self) -> Result<Reply> {
        let row = self.stored().await?;
        let state = row.as_ref().map(states::state_of).unwrap_or_default();
        let user_id = self.user_id();
        let preferences = Preferences::load(&self.runtime.db, user_id, "video", true).await?;
        let block = self.block.block();
        let mut shown = serde_json::Map::new();
        for (name, is_state) in [
            ("saved_video_position", true),
            ("speed", true),
            ("global_speed", false),
            ("transcript_language", false),
            ("transcript_download_format", false),
            ("auto_advance", false),
            ("youtube_is_available", false),
        ] {
            let stored = if is_state {
                state.get(name)
            } else {
                preferences.get(name)
            };
            let value = stored.or_else(|| block.field(name)).cloned();
            shown.insert(name.to_owned(), value.unwrap_or_default());
        }
        Ok(Reply::json(&Value::Object(shown)))
    }
}

#[cfg(test)]
mod tests {
    use super::position;

    /// courseware.md §17, check 52.
    #[test]
    fn positions_are_times() {
        assert_eq!(position("00:01:30").as_deref(), Some("00:01:30"));
        assert_eq!(position("90").as_deref(), Some("00:01:30"));
        assert_eq!(position("23:59:59").as_deref(), Some("23:59:59"));
        for bad in ["24:00:00", "x", "", "1:2", "-1", "NaN"] {
            assert_eq!(position(bad), None, "{bad}");
        }
    }
}
