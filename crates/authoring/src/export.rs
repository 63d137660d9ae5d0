//! Export of a stored course to a folder or archive (olx.md §1, §11).

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use blobs::Blobs;
use course_model::CourseContent;
use db::Db;
use flate2::Compression;
use flate2::write::GzEncoder;
use modulestore::ModuleStore;
use modulestore::store::StoredFile;
use olx::{EncodedVideo, Export, ExportedAsset, ExportedTranscript, ExportedVideo};
use opaque_keys::CourseKey;
use records::videos;
use serde_json::Value;

use crate::show::{assets_of, branches};
use crate::{Error, Result};

/// Where the files of an export go.
enum Sink {
    Folder(PathBuf),
    Archive {
        tar: Box<tar::Builder<GzEncoder<fs::File>>>,
        folder: &'static str,
        path: PathBuf,
    },
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::File {
        path: path.display().to_string(),
        source,
    }
}

impl Sink {
    fn open(path: &Path, folder: &'static str) -> Result<Self> {
        if !path.to_string_lossy().ends_with(".tar.gz") {
            return Ok(Self::Folder(path.to_owned()));
        }
        // Written beside and renamed: a broken export leaves no archive that looks whole.
        let beside = path.with_extension("gz.part");
        let file = fs::File::create(&beside).map_err(failed(&beside))?;
        let tar = Box::new(tar::Builder::new(GzEncoder::new(
            file,
            Compression::default(),
        )));
        Ok(Self::Archive {
            tar,
            folder,
            path: path.to_owned(),
        })
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let place = folder.join(name);
                if let Some(parent) = place.parent() {
                    fs::create_dir_all(parent).map_err(failed(parent))?;
                }
                fs::write(&place, bytes).map_err(failed(&place))
            }
            Self::Archive { tar, folder, path } => {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                header.set_entry_type(tar::EntryType::Regular);
                tar.append_data(&mut header, format!("{folder}/{name}"), bytes)
                    .map_err(failed(path))
            }
        }
    }

    fn close(self) -> Result<()> {
        let Self::Archive { tar, path, .. } = self else {
            return Ok(());
        };
        let beside = path.with_extension("gz.part");
        let finish = || {
            let mut file = tar.into_inner()?.finish()?;
            file.flush()?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        finish().map_err(failed(&path))
    }
}

/// Writes a course or library to an archive where the path ends in `.tar.gz`, else to a folder. Returns how many
/// files it has.
pub async fn export_course(
    db: &Db,
    store: &ModuleStore,
    blobs: &Blobs,
    course: &CourseKey,
    path: &Path,
) -> Result<usize> {
    let (published, draft) = branches(store, course).await?;
    let known = known_videos(db, blobs, [&published, &draft]).await?;
    let stored = assets_of(store, course).await?;
    let assets: Vec<ExportedAsset> = stored.iter().map(exported_asset).collect();
    let exported = olx::write_course(&Export {
        key: course,
        published: &published,
        draft: &draft,
        video: &|id| known.get(id).cloned(),
        assets: &assets,
        assets_xml: None,
        tags_csv: None,
    })?;
    let mut sink = Sink::open(path, exported.folder)?;
    for (name, bytes) in &exported.files {
        sink.write(name, bytes)?;
    }
    let files = store.contentstore();
    for file in &exported.assets {
        if let Some(asset) = stored.get(file.asset) {
            sink.write(&file.path, &files.read(asset).await?)?;
        }
    }
    sink.close()?;
    Ok(exported.files.len() + exported.assets.len())
}

fn exported_asset(file: &StoredFile) -> ExportedAsset {
    let document = &file.document;
    ExportedAsset {
        name: document.content_son.name.clone(),
        displayname: document
            .display_name
            .clone()
            .unwrap_or_else(|| document.content_son.name.clone()),
        import_path: document.import_path.clone(),
        content_type: document.content_type.clone(),
        locked: document.locked,
        thumbnail_location: document
            .thumbnail_location
            .as_ref()
            .map_or(Value::Null, |parts| {
                parts
                    .iter()
                    .map(|part| part.clone().map_or(Value::Null, Value::String))
                    .collect()
            }),
        custom_md5: document.custom_md5.clone(),
    }
}

/// What the video store holds of the videos that a course shows.
async fn known_videos(
    db: &Db,
    blobs: &Blobs,
    branches: [&CourseContent; 2],
) -> Result<HashMap<String, ExportedVideo>> {
    let blocks = branches
        .into_iter()
        .flat_map(|branch| branch.blocks.values());
    let mut ids: Vec<String> = blocks
        .filter_map(|block| block.settings.get("edx_video_id").and_then(Value::as_str))
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found: HashMap<String, ExportedVideo> = videos::get_many(db, &ids)
        .await?
        .into_iter()
        .map(|video| {
            let known = ExportedVideo {
                client_video_id: video.client_video_id,
                duration: video.duration,
                image: String::new(),
                encodes: Vec::new(),
                transcripts: Vec::new(),
            };
            (video.edx_video_id, known)
        })
        .collect();
    for encoding in videos::encodings(db, &ids).await? {
        if let Some(video) = found.get_mut(&encoding.edx_video_id) {
            video.encodes.push(EncodedVideo {
                profile: encoding.profile,
                url: encoding.file.url,
                file_size: u64::try_from(encoding.file.file_size).unwrap_or_default(),
                bitrate: u64::try_from(encoding.file.bitrate).unwrap_or_default(),
            });
        }
    }
    for row in videos::transcripts(db, &ids).await? {
        let Some(key) = row.transcript.transcript else {
            continue;
        };
        let (Some(video), Some(bytes)) = (found.get_mut(&row.edx_video_id), blobs.get(&key).await?)
        else {
            tracing::warn!(
                video = row.edx_video_id,
                key,
                "a transcript's file is missing"
            );
            continue;
        };
        video.transcripts.push(ExportedTranscript {
            language: row.transcript.language_code,
            provider: row.transcript.provider,
            format: row.transcript.file_format,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
    Ok(found)
}
