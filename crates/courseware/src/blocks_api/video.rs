//! `student_view_data` of videos (courseware.md §12.2).

use std::collections::HashMap;

use course_model::BlockRef;
use db::Db;
use records::videos;
use serde_json::{Map, Value, json};

use super::fields::Links;
use super::tree::Tree;
use crate::Result;

/// Profiles that are told of, and how early a player tries each kind of stream.
const PRIORITIES: &[(&str, u8)] = &[
    ("youtube", 0),
    ("hls", 1),
    ("mobile_low", 2),
    ("mobile_high", 3),
    ("desktop_mp4", 4),
    ("desktop_webm", 5),
    ("fallback", 6),
];

fn priority(profile: &str) -> Option<u8> {
    PRIORITIES
        .iter()
        .find(|(name, _)| *name == profile)
        .map(|(_, priority)| *priority)
}

fn stream(profile: &str, url: &str, size: i64) -> Value {
    json!({"url": url, "file_size": size, "stream_priority": priority(profile)})
}

/// What the store of videos knows about the videos of a tree.
#[derive(Debug, Default)]
pub(super) struct Encodings {
    durations: HashMap<String, f64>,
    files: HashMap<String, Map<String, Value>>,
    languages: HashMap<String, Vec<String>>,
}

impl Encodings {
    /// Loads them with three statements; none if no video has an id.
    pub async fn load(db: &Db, tree: &Tree<'_>) -> Result<Self> {
        let mut ids: Vec<String> = tree
            .blocks()
            .filter(|block| block.block_type() == "video")
            .filter_map(|block| block.text("edx_video_id"))
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let mut found = Self::default();
        if ids.is_empty() {
            return Ok(found);
        }
        for video in videos::get_many(db, &ids).await? {
            found.durations.insert(video.edx_video_id, video.duration);
        }
        for encoding in videos::encodings(db, &ids).await? {
            let profile = encoding.profile.as_str();
            let listed = priority(profile).is_some() && profile != "youtube";
            if listed {
                let file = stream(profile, &encoding.file.url, encoding.file.file_size);
                found
                    .files
                    .entry(encoding.edx_video_id)
                    .or_default()
                    .insert(encoding.profile, file);
            }
        }
        for transcript in videos::transcripts(db, &ids).await? {
            found
                .languages
                .entry(transcript.edx_video_id)
                .or_default()
                .push(transcript.transcript.language_code);
        }
        Ok(found)
    }

    /// The data of a video.
    pub fn view_data(&self, video: BlockRef<'_>, links: &Links<'_>) -> Value {
        if video.flag("only_on_web") {
            return json!({"only_on_web": true});
        }
        let id = video.text("edx_video_id").unwrap_or_default().trim();
        let sources: Vec<&str> = video
            .field("html5_sources")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut encoded = self.files.get(id).cloned().unwrap_or_default();
        if encoded.is_empty() {
            if let Some(first) = sources.first() {
                encoded.insert("fallback".into(), stream("fallback", first, 0));
            }
            let youtube = video.text("youtube_id_1_0").unwrap_or_default();
            if !youtube.is_empty() {
                let url = format!("https://www.youtube.com/watch?v={youtube}");
                encoded.insert("youtube".into(), stream("youtube", &url, 0));
            }
        }
        let transcripts: Map<String, Value> = self
            .languages(video, id)
            .into_iter()
            .map(|language| {
                let path = format!("transcript/download?lang={language}");
                (language, links.handler_noauth(video, &path).into())
            })
            .collect();
        json!({
            "only_on_web": false,
            "duration": self.durations.get(id).copied().unwrap_or_default(),
            "transcripts": transcripts,
            "encoded_videos": encoded,
            "all_sources": sources,
        })
    }

    /// Languages of a video's transcripts; English where there is nothing else or `sub` is set.
    fn languages(&self, video: BlockRef<'_>, id: &str) -> Vec<String> {
        let mut languages = self.languages.get(id).cloned().unwrap_or_default();
        let listed = video.field("transcripts").and_then(Value::as_object);
        for language in listed.into_iter().flat_map(Map::keys) {
            if !languages.contains(language) {
                languages.push(language.clone());
            }
        }
        let has_sub = video.text("sub").is_some_and(|sub| !sub.is_empty());
        let english = languages.iter().any(|language| language == "en");
        if (languages.is_empty() || has_sub) && !english {
            languages.push("en".to_owned());
        }
        languages
    }
}
