//! Transcripts of videos: where they are kept and the forms in which they are given (courseware.md §12.2).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use course_model::BlockRef;
use opaque_keys::AssetKey;
use records::videos::{self, Transcript};
use serde_json::{Value, json};

use super::{Reply, Request};
use crate::Result;
use crate::render::{default_language, edx_video_id, transcript_files};
use crate::runtime::Runtime;
use crate::states::Preferences;
use crate::view::CourseView;

/// Largest transcript that is read.
const LARGEST: i64 = 8 << 20;

/// A transcript: start and end of each line in milliseconds, and its text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lines(Vec<(i64, i64, String)>);

impl Lines {
    /// Reads a transcript in either form.
    pub fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        if text.trim_start().starts_with('{') {
            Self::from_sjson(text)
        } else {
            Self::from_srt(text)
        }
    }

    fn from_sjson(text: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return Self::default();
        };
        let list = |name: &str| {
            value
                .get(name)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let number = |value: &Value| value.as_f64().unwrap_or_default() as i64;
        let lines = list("start")
            .iter()
            .zip(list("end").iter())
            .zip(list("text").iter())
            .map(|((start, end), text)| {
                let text = text.as_str().unwrap_or_default().to_owned();
                (number(start), number(end), text)
            })
            .collect();
        Self(lines)
    }

    fn from_srt(text: &str) -> Self {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines: Vec<(i64, i64, String)> = Vec::new();
        let mut previous = "";
        let mut is_text = false;
        for line in text.split('\n') {
            if let Some((start, end)) = line.split_once("-->")
                && let (Some(start), Some(end)) = (srt_time(start), srt_time(end))
            {
                // The number before the times is not part of the line before it.
                if let Some((_, _, text)) = lines.last_mut()
                    && previous.trim().chars().all(|c| c.is_ascii_digit())
                    && let Some(cut) = text.strip_suffix(previous.trim())
                {
                    *text = cut.trim_end().to_owned();
                }
                lines.push((start, end, String::new()));
                is_text = true;
            } else if line.trim().is_empty() {
                is_text = false;
            } else if is_text && let Some((_, _, text)) = lines.last_mut() {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(line.trim());
            }
            previous = line;
        }
        Self(lines)
    }

    /// The form that players read; an empty transcript has none.
    pub fn sjson(&self) -> Value {
        let starts: Vec<i64> = self.0.iter().map(|line| line.0).collect();
        let ends: Vec<i64> = self.0.iter().map(|line| line.1).collect();
        let texts: Vec<&str> = self.0.iter().map(|line| line.2.as_str()).collect();
        json!({"start": starts, "end": ends, "text": texts})
    }

    fn srt(&self) -> String {
        let mut out = String::new();
        for (index, (start, end, text)) in self.0.iter().enumerate() {
            if text.is_empty() {
                continue;
            }
            let (start, end) = (srt_text(*start), srt_text(*end));
            let _ = write!(out, "{index}\n{start} --> {end}\n{text}\n\n");
        }
        out
    }

    fn txt(&self) -> String {
        let texts: Vec<&str> = self.0.iter().map(|line| line.2.as_str()).collect();
        texts.join("\n")
    }

    /// The times at which the lines stand when the video runs at a speed.
    fn at_speed(mut self, speed: f64) -> Self {
        if speed == 1.0 || !(0.1..=10.0).contains(&speed) {
            return self;
        }
        for (start, end, _) in &mut self.0 {
            *start = (*start as f64 / speed).round() as i64;
            *end = (*end as f64 / speed).round() as i64;
        }
        self
    }
}

fn srt_time(text: &str) -> Option<i64> {
    let text = text.split_whitespace().next()?.replace(',', ".");
    let mut seconds = 0.0;
    for part in text.split(':') {
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    seconds
        .is_finite()
        .then(|| (seconds * 1000.0).round() as i64)
}

fn srt_text(milliseconds: i64) -> String {
    let total = milliseconds.max(0);
    format!(
        "{:02}:{:02}:{:02},{:03}",
        total / 3_600_000,
        total / 60_000 % 60,
        total / 1000 % 60,
        total % 1000
    )
}

/// Where a video's transcripts may be.
struct Places<'a> {
    runtime: &'a Runtime,
    view: &'a CourseView,
    block: BlockRef<'a>,
    stored: Vec<Transcript>,
    files: BTreeMap<String, String>,
}

/// Answers a request to `transcript/…` of a video.
pub(super) async fn answer(
    runtime: &Runtime,
    view: &CourseView,
    block: BlockRef<'_>,
    request: &Request,
    preferences: Option<&Preferences>,
) -> Result<Reply> {
    let stored = match edx_video_id(block) {
        Some(id) => videos::transcripts(&runtime.db, &[id]).await?,
        None => Vec::new(),
    };
    let places = Places {
        runtime,
        view,
        block,
        files: transcript_files(block, &stored),
        stored,
    };
    let (dispatch, rest) = request
        .suffix
        .split_once('/')
        .unwrap_or((&request.suffix, ""));
    match dispatch {
        "translation" => places.translation(rest, request.query("videoId")).await,
        "download" => places.download(request, preferences).await,
        "available_translations" => places.available().await,
        _ => Ok(Reply::not_found()),
    }
}

impl Places<'_> {
    fn sub(&self) -> &str {
        self.block.text("sub").unwrap_or_default()
    }

    async fn translation(&self, language: &str, video_id: Option<&str>) -> Result<Reply> {
        if language.is_empty() {
            return Ok(Reply::empty(400));
        }
        if language != "en" && !self.files.contains_key(language) {
            return Ok(Reply::not_found());
        }
        if let Some(lines) = self.find(language, video_id).await? {
            return Ok(Reply::json(&lines.sjson()));
        }
        let name = match video_id {
            Some(id) if !id.is_empty() => id,
            _ => self.sub(),
        };
        let folder = self.block.text("static_asset_path").unwrap_or_default();
        if language == "en" && !name.is_empty() && !folder.is_empty() {
            let mut reply = Reply::empty(307);
            let target = format!("/static/{folder}/subs_{name}.srt.sjson");
            reply.headers.push(("Location", target));
            return Ok(reply);
        }
        Ok(Reply::not_found())
    }

    async fn download(
        &self,
        request: &Request,
        preferences: Option<&Preferences>,
    ) -> Result<Reply> {
        let preference = |name: &str| preferences.and_then(|all| all.get(name)?.as_str());
        let language = match request.query("lang") {
            Some(language) if !language.is_empty() => language.to_owned(),
            _ => default_language(&self.files, self.sub(), preference("transcript_language")),
        };
        let Some(lines) = self.find(&language, None).await? else {
            return Ok(Reply::not_found());
        };
        let format = preference("transcript_download_format").unwrap_or("srt");
        let (body, content_type) = match format {
            "txt" => (lines.txt(), "text/plain; charset=utf-8"),
            _ => (lines.srt(), "application/x-subrip; charset=utf-8"),
        };
        let extension = if format == "txt" { "txt" } else { "srt" };
        let name = header_name(&format!("{language}_{}", self.block.display_name()));
        Ok(Reply {
            status: 200,
            content_type,
            body: body.into_bytes(),
            headers: vec![
                (
                    "Content-Disposition",
                    format!("attachment; filename=\"{name}.{extension}\""),
                ),
                ("Content-Language", header_name(&language)),
            ],
        })
    }

    async fn available(&self) -> Result<Reply> {
        let mut codes: Vec<&str> = self.files.keys().map(String::as_str).collect();
        if !self.sub().is_empty()
            && !codes.contains(&"en")
            && self.find("en", None).await?.is_some()
        {
            codes.push("en");
        }
        if codes.is_empty() {
            return Ok(Reply::not_found());
        }
        Ok(Reply::json(&json!(codes)))
    }

    /// The transcript of a language: of the video store, else of the first of the video's names that has one.
    async fn find(&self, language: &str, video_id: Option<&str>) -> Result<Option<Lines>> {
        let filled = |lines: Lines| (!lines.0.is_empty()).then_some(lines);
        let speed = self.speed(video_id);
        let in_store = self
            .stored
            .iter()
            .find(|one| one.transcript.language_code == language)
            .and_then(|one| one.transcript.transcript.as_deref());
        if let Some(key) = in_store
            && let Some(bytes) = self.blob(key).await
        {
            let lines = Lines::parse(&String::from_utf8_lossy(&bytes)).at_speed(speed);
            if let Some(lines) = filled(lines) {
                return Ok(Some(lines));
            }
        }
        let mut names: Vec<String> = Vec::new();
        names.extend(video_id.map(str::to_owned));
        names.push(self.sub().to_owned());
        names.push(
            self.block
                .text("youtube_id_1_0")
                .unwrap_or_default()
                .to_owned(),
        );
        let sources = self.block.field("html5_sources").and_then(Value::as_array);
        for source in sources.into_iter().flatten().filter_map(Value::as_str) {
            let file = source.rsplit('/').next().unwrap_or_default();
            let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
            names.push(stem.to_owned());
        }
        let mut tried: Vec<String> = Vec::new();
        for name in names.into_iter().filter(|name| !name.is_empty()).take(16) {
            let prefix = if language == "en" {
                String::new()
            } else {
                format!("{language}_")
            };
            tried.push(format!("{prefix}subs_{name}.srt.sjson"));
        }
        tried.extend(
            self.files
                .get(language)
                .filter(|file| !file.is_empty())
                .cloned(),
        );
        for file in tried {
            if let Some(text) = self.asset(&file).await?
                && let Some(lines) = filled(Lines::parse(&text).at_speed(speed))
            {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }

    /// The speed at which the video of an id runs.
    fn speed(&self, video_id: Option<&str>) -> f64 {
        let Some(id) = video_id.filter(|id| !id.is_empty()) else {
            return 1.0;
        };
        [
            ("youtube_id_0_75", 0.75),
            ("youtube_id_1_25", 1.25),
            ("youtube_id_1_5", 1.5),
        ]
        .into_iter()
        .find(|(field, _)| self.block.text(field) == Some(id))
        .map_or(1.0, |(_, speed)| speed)
    }

    async fn blob(&self, key: &str) -> Option<Vec<u8>> {
        match self.runtime.blobs.get(key).await {
            Ok(found) => found.map(|bytes| bytes.to_vec()),
            Err(error) => {
                tracing::warn!(key, %error, "a transcript cannot be read");
                None
            }
        }
    }

    async fn asset(&self, file: &str) -> Result<Option<String>> {
        let Ok(key) = AssetKey::for_path(self.view.course.course_key(), file) else {
            return Ok(None);
        };
        let contents = self.runtime.store.contentstore();
        let Some(found) = contents.find(&key).await? else {
            return Ok(None);
        };
        if found.document.length > LARGEST {
            return Ok(None);
        }
        let bytes = contents.read(&found).await?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// A name that can stand in a header between quotes.
fn header_name(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') => c,
            _ => '_',
        })
        .take(120)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SRT: &str = "1\n00:00:00,500 --> 00:00:02,000\nHello\nthere\n\n2\n00:00:02,000 --> 00:00:03,250\nAgain\n";

    /// courseware.md §12.2.
    #[test]
    fn transcripts_change_their_form() {
        let lines = Lines::parse(SRT);
        assert_eq!(
            lines.sjson(),
            json!({"start": [500, 2000], "end": [2000, 3250], "text": ["Hello\nthere", "Again"]})
        );
        assert_eq!(lines.txt(), "Hello\nthere\nAgain");
        assert_eq!(Lines::parse(&lines.sjson().to_string()), lines);
        assert_eq!(Lines::parse(&lines.srt()), lines);
        assert_eq!(
            lines.clone().at_speed(0.5).sjson()["start"],
            json!([1000, 4000])
        );
        assert_eq!(Lines::parse("{]"), Lines::default());
    }

    proptest! {
        /// No text of authors stops a request, and what was read once reads the same again.
        #[test]
        fn any_text_is_read(text in "[0-9:,>\\- \n\\{a-z\\[\\]\"\r]{0,80}") {
            let lines = Lines::parse(&text);
            prop_assert_eq!(Lines::parse(&lines.sjson().to_string()), lines);
        }
    }
}
