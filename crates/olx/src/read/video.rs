//! Videos and what the video store learns from them (olx.md §7.1).

use std::sync::Arc;

use course_model::block_types::block_type_or_hidden;
use course_model::fields::Clock;
use serde_json::{Map, Value};

use super::Loader;
use super::loader::{Definition, Raw};
use crate::archive::FileData;
use crate::error::Fault;
use crate::source::{is_pointer, name_to_pathname};
use crate::values;
use crate::xml::Element;

/// The video that a block shows when none is named.
const DEFAULT_YOUTUBE: &str = "3_yD_cEKoCk";

/// Encodes that the video store knows.
const PROFILES: [&str; 7] = [
    "desktop_mp4",
    "desktop_webm",
    "mobile_high",
    "mobile_low",
    "youtube",
    "hls",
    "audio_mp3",
];

/// What the video store has to take over from one video block.
#[derive(Debug, Clone)]
pub struct VideoRecord {
    /// The video.
    pub edx_video_id: String,
    /// The video to create; `None` when the store knows it.
    pub create: Option<NewVideo>,
    /// Whether a known or new video is to be listed with the course, unless its status is `external`.
    pub link_course: bool,
    /// Image file to put on the course's row of the video.
    pub image: Option<String>,
    /// Transcripts to add where the language has none yet.
    pub transcripts: Vec<VideoTranscript>,
}

/// A video to create.
#[derive(Debug, Clone)]
pub struct NewVideo {
    /// `imported`, or `external` when there are no encodes.
    pub status: &'static str,
    /// Name that its uploader gave it.
    pub client_video_id: String,
    /// Seconds.
    pub duration: f64,
    /// Encodes of known profiles.
    pub encodes: Vec<EncodedVideo>,
}

/// One encode of a video.
#[derive(Debug, Clone)]
pub struct EncodedVideo {
    /// Profile name, as `desktop_mp4`.
    pub profile: String,
    /// Address.
    pub url: String,
    /// Bytes.
    pub file_size: u64,
    /// Kilobits a second.
    pub bitrate: u64,
}

/// A transcript found in the archive.
#[derive(Debug, Clone)]
pub struct VideoTranscript {
    /// Language code.
    pub language: String,
    /// `Custom`, or the provider of the asset's record.
    pub provider: String,
    /// `srt` or `sjson`.
    pub format: &'static str,
    /// Name below `static/`.
    pub file_name: String,
    /// Its text.
    pub data: FileData,
}

impl Loader<'_, '_, '_> {
    pub(super) fn video(
        &mut self,
        node: Element,
        file: &Arc<str>,
        place: &mut (Arc<str>, u32),
    ) -> Result<Definition, Fault> {
        let url_name = node.get("url_name").unwrap_or_default().to_owned();
        let (node, file) = if is_pointer(&node) {
            let path = format!("{}/{}.xml", node.name, name_to_pathname(&url_name));
            let (node, file) = self.load_file(&path)?;
            *place = (Arc::clone(&file), node.line);
            (node, file)
        } else {
            (node, Arc::clone(file))
        };
        let mut fields = self.video_fields(&node);
        let id = self.take_over(&node, &fields, &file)?;
        fields.insert("edx_video_id".to_owned(), Value::String(id));
        Ok(Definition {
            fields,
            children: Vec::new(),
        })
    }

    fn video_fields(&self, node: &Element) -> Raw {
        let kind = block_type_or_hidden("video");
        let mut fields = Raw::new();
        let text = |value: Option<&str>| Value::from(value);
        let sources: Vec<Value> = node
            .elements()
            .filter(|child| child.is("source"))
            .map(|child| text(child.get("src")))
            .collect();
        let has_sources = !sources.is_empty();
        if has_sources {
            fields.insert("html5_sources".to_owned(), Value::Array(sources));
        }
        let track = node.find("track");
        if let Some(track) = track {
            fields.insert("track".to_owned(), text(track.get("src")));
        }
        if let Some(handout) = node.find("handout") {
            fields.insert("handout".to_owned(), text(handout.get("src")));
        }
        let transcripts: Map<String, Value> = node
            .elements()
            .filter(|child| child.is("transcript"))
            .filter_map(|child| Some((child.get("language")?.to_owned(), text(child.get("src")))))
            .collect();
        if !transcripts.is_empty() {
            fields.insert("transcripts".to_owned(), Value::Object(transcripts));
        }
        let mut unknown = Map::new();
        for (name, value) in &node.attributes {
            let name = match name.as_str() {
                "from" => "start_time",
                "to" => "end_time",
                name => name,
            };
            match name {
                "data_dir"
                | "tabs"
                | "grading_policy"
                | "discussion_blackouts"
                | "course"
                | "org"
                | "url_name"
                | "name"
                | "filename"
                | "xml_attributes"
                | "x-is-pointer-node" => {}
                "youtube" => {
                    youtube(value, has_sources, self.environment.clock, &mut fields);
                }
                _ => match kind.field(name) {
                    Some(field) => {
                        let value =
                            values::from_attribute(field.kind, value, self.environment.clock);
                        fields.insert(name.to_owned(), value);
                    }
                    None => {
                        unknown.insert(name.to_owned(), Value::String(value.clone()));
                    }
                },
            }
        }
        if !unknown.is_empty() {
            fields.insert("xml_attributes".to_owned(), Value::Object(unknown));
        }
        if let Some(Value::String(handout)) = fields.get_mut("handout")
            && let Some(moved) = self.moved_asset(handout)
        {
            *handout = moved;
        }
        if track.is_some() && !fields.contains_key("download_track") {
            fields.insert("download_track".to_owned(), Value::Bool(true));
        }
        fields
    }

    /// An asset path of any course as one of the target; `None` when it is no asset path.
    fn moved_asset(&self, path: &str) -> Option<String> {
        let at = path.find("asset-v1:").filter(|&at| {
            path.get(..at)
                .is_some_and(|s| s.trim_matches('/').is_empty())
        });
        let name = if let Some(at) = at {
            let text = path.get(at..)?.replacen("block/", "block@", 1);
            opaque_keys::AssetKey::parse(&text).ok()?.path().to_owned()
        } else {
            let rest = path.strip_prefix("/c4x/")?;
            rest.split_once("/asset/")?.1.to_owned()
        };
        let key = self.target.make_asset_key(&name).ok()?;
        Some(format!("/{key}"))
    }

    /// Works out what the video store has to take over; the id of the video.
    fn take_over(
        &mut self,
        node: &Element,
        fields: &Raw,
        file: &Arc<str>,
    ) -> Result<String, Fault> {
        let string = |name: &str| match fields.get(name) {
            Some(Value::String(text)) => text.as_str(),
            _ => "",
        };
        let id = string("edx_video_id").trim().to_owned();
        let asset = node.find("video_asset");
        let attribute = |name: &str| asset.and_then(|asset| asset.get(name));
        let known = !id.is_empty()
            && ((self.environment.video_known)(&id)
                || self
                    .videos
                    .iter()
                    .any(|video| video.edx_video_id == id && video.create.is_some()));
        let image = attribute("image")
            .map(str::trim)
            .filter(|image| !image.is_empty());
        let mut record = VideoRecord {
            edx_video_id: id.clone(),
            create: None,
            link_course: true,
            image: image.map(str::to_owned),
            transcripts: Vec::new(),
        };
        if id.is_empty() {
            record.edx_video_id = (self.environment.new_video_id)();
            record.link_course = false;
            record.create = Some(NewVideo {
                status: "external",
                client_video_id: "External Video".to_owned(),
                duration: 0.0,
                encodes: Vec::new(),
            });
        } else if !known {
            let create = new_video(&id, asset)
                .map_err(|text| Fault::new(file, node.line, format!("video {id}: {text}")))?;
            record.link_course = create.status == "imported";
            record.create = Some(create);
        }
        if !record.link_course {
            record.image = None;
        }
        let id = record.edx_video_id.clone();
        self.transcripts(node, fields, &mut record, file);
        self.videos.push(record);
        Ok(id)
    }

    fn transcripts(
        &mut self,
        node: &Element,
        fields: &Raw,
        record: &mut VideoRecord,
        file: &Arc<str>,
    ) {
        let mut wanted: Vec<(String, String, String)> = Vec::new();
        let listed = node
            .find("video_asset")
            .into_iter()
            .flat_map(Element::elements)
            .filter(|child| child.is("transcripts"))
            .flat_map(Element::elements)
            .filter(|child| child.is("transcript"));
        for transcript in listed {
            let part = |name: &str| transcript.get(name).map(str::to_owned);
            match (part("language_code"), part("file_format"), part("provider")) {
                (Some(language), Some(format), Some(provider)) => {
                    let name = format!("{}-{language}.{format}", record.edx_video_id);
                    wanted.push((language, name, provider));
                }
                _ => self.remark(
                    file,
                    transcript.line,
                    "transcript without language_code, file_format or provider",
                ),
            }
        }
        let text = |name: &str, default: &str| match fields.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(_) => String::new(),
            None => default.to_owned(),
        };
        for stem in [text("sub", ""), text("youtube_id_1_0", DEFAULT_YOUTUBE)] {
            if !stem.is_empty() {
                let name = format!("subs_{stem}.srt.sjson");
                wanted.push(("en".to_owned(), name, "Custom".to_owned()));
            }
        }
        if let Some(Value::Object(map)) = fields.get("transcripts") {
            for (language, name) in map {
                if let Some(name) = name.as_str() {
                    wanted.push((language.clone(), name.to_owned(), "Custom".to_owned()));
                }
            }
        }
        for (language, name, provider) in wanted {
            if record
                .transcripts
                .iter()
                .any(|found| found.language == language)
            {
                continue;
            }
            let path = format!("static/{name}");
            let text = match self.course_folder.text(&path) {
                Ok(text) => text,
                Err(fault) => {
                    // Names made up from ids are tries, not claims.
                    if !name.starts_with("subs_") {
                        self.remark(file, node.line, format!("transcript {language}: {fault}"));
                    }
                    continue;
                }
            };
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
            let format = if serde_json::from_str::<Value>(&text).is_ok() {
                "sjson"
            } else if is_srt(&text) {
                "srt"
            } else {
                let text = format!("{path} is no transcript: left out");
                self.remark(file, node.line, text);
                continue;
            };
            record.transcripts.push(VideoTranscript {
                language,
                provider,
                format,
                file_name: name,
                data: FileData::Memory(text.into_bytes().into()),
            });
        }
    }
}

/// Speeds of the attribute `youtube` that have ids, as fields.
fn youtube(text: &str, has_sources: bool, clock: Clock, fields: &mut Raw) {
    let mut speeds: Vec<(String, Value)> = ["0.75", "1.00", "1.25", "1.50"]
        .into_iter()
        .map(|speed| (speed.to_owned(), Value::from("")))
        .collect();
    for video in text.split(',') {
        let mut pieces = video.split(':');
        let speed = pieces
            .next()
            .and_then(|speed| speed.trim().parse::<f64>().ok());
        let (Some(speed), Some(id)) = (speed, pieces.next()) else {
            continue;
        };
        let speed = format!("{speed:.2}");
        let id = values::from_attribute(course_model::FieldType::String, id, clock);
        match speeds.iter_mut().find(|(known, _)| *known == speed) {
            Some(slot) => slot.1 = id,
            None => speeds.push((speed, id)),
        }
    }
    for (speed, id) in speeds {
        if id != "" || has_sources {
            let speed = speed.strip_suffix('0').unwrap_or(&speed).replace('.', "_");
            fields.insert(format!("youtube_id_{speed}"), id);
        }
    }
}

/// A video that the store does not know needs a name and a duration.
fn new_video(id: &str, asset: Option<&Element>) -> Result<NewVideo, String> {
    let attribute = |name: &str| asset.and_then(|asset| asset.get(name));
    let client = attribute("client_video_id").ok_or("client_video_id may not be null")?;
    let duration = attribute("duration").ok_or("duration may not be null")?;
    let duration: f64 = duration
        .trim()
        .parse()
        .map_err(|_| "a valid duration is required")?;
    if !duration.is_finite() || duration < 0.0 {
        return Err("a valid duration is required".to_owned());
    }
    if !id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    {
        return Err("edx_video_id has invalid characters".to_owned());
    }
    let mut encodes = Vec::new();
    for encode in asset.into_iter().flat_map(Element::elements) {
        if !encode.is("encoded_video") {
            continue;
        }
        let profile = encode.get("profile").unwrap_or_default();
        if !PROFILES.contains(&profile) {
            continue;
        }
        let number = |name: &str| -> Result<u64, String> {
            let text = encode
                .get(name)
                .ok_or_else(|| format!("{name} may not be null"))?;
            text.trim()
                .parse()
                .map_err(|_| format!("{name}: a valid integer is required"))
        };
        encodes.push(EncodedVideo {
            profile: profile.to_owned(),
            url: encode.get("url").ok_or("url may not be null")?.to_owned(),
            file_size: number("file_size")?,
            bitrate: number("bitrate")?,
        });
    }
    Ok(NewVideo {
        status: if encodes.is_empty() {
            "external"
        } else {
            "imported"
        },
        client_video_id: client.to_owned(),
        duration,
        encodes,
    })
}

/// Whether every paragraph of a text is a subtitle: a number at will, then `START --> END`, times of four
/// parts each.
fn is_srt(text: &str) -> bool {
    let is_time = |time: &str| time.split([':', '.', ',']).count() == 4;
    let mut any = false;
    let mut paragraph: Vec<&str> = Vec::new();
    for line in text.lines().chain([""]) {
        if !line.trim().is_empty() {
            paragraph.push(line.trim_end());
            continue;
        }
        let lines = std::mem::take(&mut paragraph);
        let times = match lines.as_slice() {
            [] => continue,
            [first, _, ..] if first.contains(" --> ") => first,
            [_, second, ..] => second,
            [_] => return false,
        };
        let mut parts = times.split(" --> ");
        let (Some(start), Some(end), None) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let end = end.trim_start().split(' ').next().unwrap_or_default();
        if !is_time(start) || !is_time(end) {
            return false;
        }
        any = true;
    }
    any
}
