//! Videos (courseware.md §12.2).

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use course_model::BlockRef;
use records::videos::{self, Encoding, Transcript, Video};
use serde_json::{Value, json};

use super::Renderer;
use super::wrapper::{Body, escape, json_text, truth};
use crate::Result;
use crate::languages;
use crate::runtime::{Runtime, handler_url};
use crate::states::Preferences;

/// Share of a video that counts as all of it.
const COMPLETE_AT: f64 = 0.95;
/// Where the player of videos there is loaded from.
const YOUTUBE_API: &str = "https://www.youtube.com/iframe_api";

/// What the videos of an answer depend on besides their fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct VideoFacts {
    preferences: Preferences,
    videos: HashMap<String, Video>,
    encodings: Vec<Encoding>,
    transcripts: Vec<Transcript>,
}

impl VideoFacts {
    /// Looks up the videos that blocks name.
    pub async fn load(
        runtime: &Runtime,
        blocks: &[BlockRef<'_>],
        preferences: Preferences,
    ) -> Result<Self> {
        let mut facts = Self {
            preferences,
            ..Self::default()
        };
        let mut ids: Vec<String> = blocks
            .iter()
            .filter_map(|block| edx_video_id(*block))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return Ok(facts);
        }
        facts.videos = videos::get_many(&runtime.db, &ids)
            .await?
            .into_iter()
            .map(|video| (video.edx_video_id.clone(), video))
            .collect();
        facts.encodings = videos::encodings(&runtime.db, &ids).await?;
        facts.transcripts = videos::transcripts(&runtime.db, &ids).await?;
        Ok(facts)
    }

    fn encoding(&self, id: &str, profile: &str) -> Option<&str> {
        self.encodings
            .iter()
            .find(|encoding| encoding.edx_video_id == id && encoding.profile == profile)
            .map(|encoding| encoding.file.url.as_str())
    }
}

/// The id by which a block names its video in the video store.
pub(crate) fn edx_video_id(block: BlockRef<'_>) -> Option<String> {
    let id = block.text("edx_video_id")?.trim();
    (block.block_type() == "video" && !id.is_empty()).then(|| id.to_owned())
}

/// Languages of a block's transcripts with the file that holds each; those of the video store have no file here.
pub(crate) fn transcript_files(
    block: BlockRef<'_>,
    stored: &[Transcript],
) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = block
        .field("transcripts")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(language, file)| Some((language.clone(), file.as_str()?.to_owned())))
        .filter(|(_, file)| !file.is_empty())
        .collect();
    if let Some(id) = edx_video_id(block) {
        for found in stored.iter().filter(|one| one.edx_video_id == id) {
            files
                .entry(found.transcript.language_code.clone())
                .or_default();
        }
    }
    files
}

/// The language that a learner gets when they ask for none.
pub(crate) fn default_language(
    files: &BTreeMap<String, String>,
    sub: &str,
    preferred: Option<&str>,
) -> String {
    if let Some(preferred) = preferred
        && (files.contains_key(preferred) || preferred == "en" && !sub.is_empty())
    {
        return preferred.to_owned();
    }
    if !sub.is_empty() {
        return "en".to_owned();
    }
    files.keys().next().map_or("en", String::as_str).to_owned()
}

/// Seconds of `HH:MM:SS`, or of a number.
pub(crate) fn seconds(value: Option<&Value>) -> f64 {
    match value {
        Some(Value::Number(number)) => number.as_f64().unwrap_or_default(),
        Some(Value::String(text)) => text
            .split(':')
            .try_fold(0.0, |sum, part| {
                part.parse::<f64>().ok().map(|part| sum * 60.0 + part)
            })
            .filter(|seconds| seconds.is_finite())
            .unwrap_or_default(),
        _ => 0.0,
    }
}

/// Speeds and ids of a video there, as its player wants them.
fn youtube_streams(block: BlockRef<'_>) -> String {
    [
        ("0.75", "youtube_id_0_75"),
        ("1.00", "youtube_id_1_0"),
        ("1.25", "youtube_id_1_25"),
        ("1.50", "youtube_id_1_5"),
    ]
    .into_iter()
    .filter_map(|(speed, field)| {
        let id = block.text(field).filter(|id| !id.is_empty())?;
        Some(format!("{speed}:{id}"))
    })
    .collect::<Vec<_>>()
    .join(",")
}

/// A video's own files.
struct Files {
    sources: Vec<String>,
    download: Option<String>,
    streams: String,
    duration: f64,
}

fn video_files(block: BlockRef<'_>, facts: &VideoFacts) -> Files {
    let mut sources: Vec<String> = block
        .field("html5_sources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|source| !source.is_empty())
        .map(str::to_owned)
        .collect();
    let own = sources.clone();
    let wants_download = block.flag("download_video");
    let mut download = None;
    let mut streams = youtube_streams(block);
    let mut duration = 0.0;
    if let Some(id) = edx_video_id(block) {
        for profile in ["desktop_webm", "desktop_mp4"] {
            let Some(url) = facts.encoding(&id, profile) else {
                continue;
            };
            if !sources.iter().any(|source| source == url) {
                sources.push(url.to_owned());
            }
            if wants_download && !is_stream(url) {
                download = Some(url.to_owned());
            }
        }
        if let Some(youtube) = facts.encoding(&id, "youtube").filter(|id| !id.is_empty()) {
            streams = format!("1.00:{youtube}");
        }
        duration = facts.videos.get(&id).map_or(0.0, |video| video.duration);
    }
    if wants_download && download.is_none() {
        download = own.into_iter().find(|url| !is_stream(url));
    }
    Files {
        sources,
        download,
        streams,
        duration,
    }
}

/// Whether an address is of a stream, which cannot be downloaded as one file.
fn is_stream(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('.').next() == Some("m3u8")
}

impl Renderer<'_> {
    pub(super) fn video(&self, block: BlockRef<'_>) -> Body {
        let empty = VideoFacts::default();
        let facts = self.video.as_ref().unwrap_or(&empty);
        let usage = block.usage_key();
        let state = self.states.state(&usage.to_string());
        let preference = |name: &str| facts.preferences.get(name);
        let files = video_files(block, facts);
        let transcripts = transcript_files(block, &facts.transcripts);
        let sub = block.text("sub").unwrap_or_default();
        let preferred = preference("transcript_language").and_then(Value::as_str);
        let language = default_language(&transcripts, sub, preferred.or(Some("en")));
        let mut names: Vec<(String, String)> = transcripts
            .keys()
            .map(|code| (code.clone(), languages::name(code)))
            .collect();
        if transcripts.is_empty() || !sub.is_empty() {
            names.retain(|(code, _)| code != "en");
            names.push(("en".to_owned(), "English".to_owned()));
        }
        names.sort_by(|a, b| a.1.cmp(&b.1));
        let names: serde_json::Map<String, Value> = names
            .into_iter()
            .map(|(code, name)| (code, json!(name)))
            .collect();
        let signed_in = self.view.learner.user_id().is_some();
        let tracked = crate::completion::is_tracked(&self.view.learner);
        let settings = &self.runtime.settings;
        let metadata = json!({
            "autoAdvance": false,
            "autohideHtml5": false,
            "autoplay": false,
            "captionDataDir": null,
            "completionEnabled": tracked,
            "completionPercentage": COMPLETE_AT,
            "duration": files.duration,
            "end": seconds(block.field("end_time")),
            "generalSpeed": preference("global_speed").and_then(Value::as_f64).unwrap_or(1.0),
            "lmsRootURL": settings.lms_url,
            "poster": null,
            "prioritizeHls": false,
            "publishCompletionUrl": handler_url(usage, "publish_completion", ""),
            "recordedYoutubeIsAvailable": preference("youtube_is_available").and_then(Value::as_bool).unwrap_or(true),
            "savedVideoPosition": seconds(state.get("saved_video_position")),
            "saveStateEnabled": signed_in,
            "saveStateUrl": handler_url(usage, "xmodule_handler", "save_user_state"),
            "showCaptions": block.flag("show_captions").to_string(),
            "sources": files.sources,
            "speed": state.get("speed").cloned().unwrap_or_default(),
            "start": seconds(block.field("start_time")),
            "streams": files.streams,
            "transcriptAvailableTranslationsUrl": handler_url(usage, "transcript", "available_translations"),
            "aiTranslationsUrl": settings.ai_translations_url,
            "transcriptLanguage": language,
            "transcriptLanguages": names,
            "transcriptTranslationUrl": handler_url(usage, "transcript", "translation/__lang__"),
            "ytApiUrl": YOUTUBE_API,
            "ytMetadataEndpoint": "",
            "ytTestTimeout": 1500,
        });
        let id = escape(&usage.html_id());
        let key = escape(&usage.to_string());
        let course = escape(&crate::runtime::course_text(usage.course_key()));
        let mut html = format!(
            "<h3 class=\"hd hd-2\">{}</h3>\n<div id=\"video_{id}\" class=\"video closed\" data-metadata='{}' data-bumper-metadata='null' data-autoadvance-enabled=\"{}\" data-poster='null' data-block-id='{key}' data-course-id='{course}' tabindex=\"-1\">\n",
            escape(&block.display_name()),
            escape(&json_text(&metadata)),
            truth(false),
        );
        let _ = write!(
            html,
            "<div class=\"focus_grabber first\"></div>\n<div class=\"tc-wrapper\">\n<div class=\"video-wrapper\">\n<span tabindex=\"0\" class=\"spinner\" aria-hidden=\"false\" aria-label=\"Loading video player\"></span>\n<span tabindex=\"-1\" class=\"btn-play fa fa-youtube-play fa-2x is-hidden\" aria-hidden=\"true\" aria-label=\"Play video\"></span>\n<div class=\"video-player-pre\"></div>\n<div class=\"video-player\">\n<div id=\"{id}\"></div>\n<h4 class=\"hd hd-4 video-error is-hidden\">No playable video sources found.</h4>\n<h4 class=\"hd hd-4 video-hls-error is-hidden\">Your browser does not support this video format. Try using a different browser.</h4>\n</div>\n<div class=\"video-player-post\"></div>\n<div class=\"closed-captions\"></div>\n<div class=\"video-controls is-hidden\"><div><div class=\"vcr\"><div class=\"vidtime\">0:00 / 0:00</div></div><div class=\"secondary-controls\"></div></div></div>\n</div>\n</div>\n"
        );
        // Without scripts the browser's own player does.
        if let Some(source) = files.sources.first() {
            let _ = writeln!(
                html,
                "<noscript><video controls preload=\"none\" src=\"{}\"></video></noscript>",
                escape(source)
            );
        }
        html.push_str("<div class=\"focus_grabber last\"></div>\n<div class=\"wrapper-video-bottom-section\">\n");
        html.push_str(&downloads(
            block,
            &files,
            !transcripts.is_empty() || !sub.is_empty(),
        ));
        html.push_str("</div>\n</div>\n");
        Body::shimmed(self.author_html(block, &html), "Video")
    }
}

/// Links to a video's file, transcripts and handout.
fn downloads(block: BlockRef<'_>, files: &Files, has_transcripts: bool) -> String {
    let usage = block.usage_key();
    let id = escape(&usage.html_id());
    let track = block.text("track").unwrap_or_default();
    let handout = block.text("handout").unwrap_or_default();
    let offers_track = block.flag("download_track") && (!track.is_empty() || has_transcripts);
    if files.download.is_none() && !offers_track && handout.is_empty() {
        return String::new();
    }
    let mut html = format!(
        "<h3 class=\"hd hd-4 downloads-heading sr\" id=\"video-download-transcripts_{id}\">Downloads and transcripts</h3>\n<div class=\"wrapper-downloads\" role=\"region\" aria-labelledby=\"video-download-transcripts_{id}\">\n"
    );
    if let Some(url) = &files.download {
        let _ = write!(
            html,
            "<div class=\"wrapper-download-video\">\n<h4 class=\"hd hd-5\">Video</h4>\n<span class=\"icon fa fa-download\" aria-hidden=\"true\"></span>\n<a class=\"btn-link video-sources video-download-button\" href=\"{}\" target=\"_blank\" rel=\"noopener\">Download video file</a>\n</div>\n",
            escape(url)
        );
    }
    if offers_track {
        html.push_str(
            "<div class=\"wrapper-download-transcripts\">\n<h4 class=\"hd hd-5\">Transcripts</h4>\n",
        );
        if track.is_empty() {
            let address = escape(&handler_url(usage, "transcript", "download"));
            html.push_str("<ul class=\"list-download-transcripts\">\n");
            for (value, text) in [
                ("srt", "Download SubRip (.srt) file"),
                ("txt", "Download Text (.txt) file"),
            ] {
                let _ = writeln!(
                    html,
                    "<li class=\"transcript-option\"><span class=\"icon fa fa-download\" aria-hidden=\"true\"></span> <a class=\"btn btn-link\" href=\"{address}\" data-value=\"{value}\">{text}</a></li>"
                );
            }
            html.push_str("</ul>\n");
        } else {
            let _ = writeln!(
                html,
                "<a class=\"btn-link external-track\" href=\"{}\">Download transcript</a>",
                escape(track)
            );
        }
        html.push_str("</div>\n");
    }
    if !handout.is_empty() {
        let _ = write!(
            html,
            "<div class=\"wrapper-handouts\">\n<h4 class=\"hd hd-5\">Handouts</h4>\n<a class=\"btn-link\" href=\"{}\">Download Handout</a>\n</div>\n",
            escape(handout)
        );
    }
    html.push_str("</div>\n");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds(Some(&json!("00:01:30"))), 90.0);
        assert_eq!(seconds(Some(&json!(12.5))), 12.5);
        assert_eq!(seconds(Some(&json!("x"))), 0.0);
        assert_eq!(seconds(None), 0.0);
    }

    /// courseware.md §12.2, "Default language choice".
    #[test]
    fn the_default_language_is_chosen() {
        let files = |codes: &[&str]| {
            codes
                .iter()
                .map(|code| ((*code).to_owned(), "f".to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        assert_eq!(
            default_language(&files(&["de", "fr"]), "", Some("fr")),
            "fr"
        );
        assert_eq!(
            default_language(&files(&["fr", "de"]), "", Some("es")),
            "de"
        );
        assert_eq!(default_language(&files(&["de"]), "x", Some("es")), "en");
        assert_eq!(default_language(&files(&[]), "", None), "en");
    }
}
