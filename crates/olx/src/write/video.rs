//! Videos with what the video store holds of them (olx.md §7.1).

use std::fmt::Write as _;

use course_model::fields::{float_repr, json_dumps};
use course_model::{Block, BlockType};
use serde_json::{Map, Value};

use super::Writer;
use super::kinds::text;
use crate::read::EncodedVideo;
use crate::xml::Element;

/// The video that a block shows when none is named.
const DEFAULT_YOUTUBE: &str = "1.00:3_yD_cEKoCk";

/// What the video store holds of a video.
#[derive(Debug, Clone)]
pub struct ExportedVideo {
    /// Name that its uploader gave it.
    pub client_video_id: String,
    /// Seconds.
    pub duration: f64,
    /// Image of the course's row, empty without.
    pub image: String,
    /// Encodes.
    pub encodes: Vec<EncodedVideo>,
    /// Transcripts.
    pub transcripts: Vec<ExportedTranscript>,
}

/// A transcript of the video store.
#[derive(Debug, Clone)]
pub struct ExportedTranscript {
    /// Language code.
    pub language: String,
    /// Who made it.
    pub provider: String,
    /// `srt` or `sjson`.
    pub format: String,
    /// Its text.
    pub text: String,
}

impl Writer<'_, '_> {
    pub(super) fn video(&mut self, block: &Block, kind: &'static BlockType) -> Element {
        let mut body = Element::new("video");
        let ids = [
            ("0.75", "youtube_id_0_75"),
            ("1.00", "youtube_id_1_0"),
            ("1.25", "youtube_id_1_25"),
            ("1.50", "youtube_id_1_5"),
        ];
        let youtube: Vec<String> = ids
            .into_iter()
            .map(|(speed, name)| (speed, text(block, kind, name)))
            .filter(|(_, id)| !id.is_empty())
            .map(|(speed, id)| format!("{speed}:{id}"))
            .collect();
        let youtube = youtube.join(",");
        if !youtube.is_empty() && youtube != DEFAULT_YOUTUBE {
            body.set("youtube", youtube);
        }
        body.set("url_name", &*block.key.block_id);
        if let Some(Value::String(sub)) = block.settings.get("sub")
            && !sub.is_empty()
        {
            body.set("sub", sub.as_str());
        }
        let add = |body: &mut Element, tag: &str, source: &str| {
            let mut child = Element::new(tag);
            child.set("src", source);
            body.push(child);
        };
        let sources = block
            .settings
            .get("html5_sources")
            .and_then(Value::as_array);
        for source in sources.into_iter().flatten().filter_map(Value::as_str) {
            add(&mut body, "source", source);
        }
        for tag in ["track", "handout"] {
            let source = text(block, kind, tag);
            if !source.is_empty() {
                add(&mut body, tag, &source);
            }
        }
        let mut transcripts = match block.settings.get("transcripts") {
            Some(Value::Object(map)) => map.clone(),
            _ => Map::new(),
        };
        let id = text(block, kind, "edx_video_id");
        let id = id.trim();
        let video = if id.is_empty() {
            None
        } else {
            (self.export.video)(id)
        };
        if let Some(video) = video {
            self.asset(id, &video, &mut body, &mut transcripts);
        }
        if transcripts
            .get("en")
            .and_then(Value::as_str)
            .is_some_and(|name| !name.is_empty())
        {
            body.set("sub", "");
        }
        if !transcripts.is_empty() {
            transcripts.sort_keys();
            let map = Value::Object(transcripts.clone());
            body.set("transcripts", json_dumps(&map));
        }
        let license = text(block, kind, "license");
        if !license.is_empty() {
            body.set("license", license);
        }
        for (language, source) in &transcripts {
            let mut transcript = Element::new("transcript");
            transcript.set("language", language.as_str());
            transcript.set("src", source.as_str().unwrap_or_default());
            body.push(transcript);
        }
        body
    }

    /// The store's record as an element; its transcripts as files.
    fn asset(
        &mut self,
        id: &str,
        video: &ExportedVideo,
        body: &mut Element,
        transcripts: &mut Map<String, Value>,
    ) {
        let mut asset = Element::new("video_asset");
        asset.set("client_video_id", video.client_video_id.as_str());
        asset.set("duration", float_repr(video.duration));
        asset.set("image", video.image.as_str());
        for encode in &video.encodes {
            let mut element = Element::new("encoded_video");
            element.set("profile", encode.profile.as_str());
            element.set("url", encode.url.as_str());
            element.set("file_size", encode.file_size.to_string());
            element.set("bitrate", encode.bitrate.to_string());
            asset.push(element);
        }
        let mut list: Vec<&ExportedTranscript> = video.transcripts.iter().collect();
        list.sort_by(|a, b| a.language.cmp(&b.language));
        if !list.is_empty() {
            let mut element = Element::new("transcripts");
            for transcript in list {
                let Some(srt) = as_srt(transcript) else {
                    continue;
                };
                let name = format!("{id}-{}.srt", transcript.language);
                self.files.add(format!("static/{name}"), srt);
                transcripts.insert(transcript.language.clone(), Value::from(name));
                let mut entry = Element::new("transcript");
                entry.set("language_code", transcript.language.as_str());
                entry.set("file_format", "srt");
                entry.set("provider", transcript.provider.as_str());
                element.push(entry);
            }
            asset.push(element);
        }
        body.push(asset);
    }
}

/// A transcript's text as SRT; `None` when it is no transcript.
fn as_srt(transcript: &ExportedTranscript) -> Option<String> {
    if transcript.format != "sjson" {
        return Some(transcript.text.clone());
    }
    let value: Value = serde_json::from_str(&transcript.text).ok()?;
    let list = |name: &str| value.get(name).and_then(Value::as_array);
    let (starts, ends, texts) = (list("start")?, list("end")?, list("text")?);
    let mut out = String::new();
    for (index, ((start, end), text)) in starts.iter().zip(ends).zip(texts).enumerate() {
        let (start, end) = (clock(start.as_f64()?), clock(end.as_f64()?));
        let text = text.as_str().unwrap_or_default();
        let _ = write!(out, "{index}\n{start} --> {end}\n{text}\n\n");
    }
    Some(out)
}

/// Milliseconds as `HH:MM:SS,mmm`.
fn clock(millis: f64) -> String {
    let millis = if millis.is_finite() {
        millis.max(0.0) as u64
    } else {
        0
    };
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02},{millis:03}")
}
