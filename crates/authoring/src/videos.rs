//! What an import leaves in the video store (olx.md §7.1): videos, their encodes and transcripts.

use std::collections::HashSet;

use blobs::Blobs;
use chrono::{DateTime, Utc};
use db::{Db, params};
use olx::VideoRecord;
use opaque_keys::CourseKey;
use records::videos::{self, EncodedVideo, Video, VideoTranscript};

use crate::{Error, Result};

/// Ids of all videos in the store.
pub(crate) async fn known(db: &Db) -> Result<HashSet<String>> {
    let rows = db
        .read("SELECT edx_video_id FROM edxval_video", &[])
        .await?;
    rows.iter()
        .map(|row| row.text("edx_video_id").map_err(Error::from))
        .collect()
}

/// Stores videos and transcripts. Done again with the same records it changes nothing.
pub(crate) async fn store(
    db: &Db,
    blobs: &Blobs,
    course: &CourseKey,
    records: &[VideoRecord],
    now: DateTime<Utc>,
) -> Result<()> {
    for record in records {
        let files = store_files(blobs, record).await?;
        let (record, files) = (record, &files);
        db.write(|mut tx| async move {
            let now = now.naive_utc();
            let id = match (
                &record.create,
                videos::get(&mut tx, &record.edx_video_id).await?,
            ) {
                (_, Some(video)) => video.id,
                (None, None) => return Ok(()),
                (Some(new), None) => {
                    let video = Video {
                        id: 0,
                        created: now,
                        edx_video_id: record.edx_video_id.clone(),
                        client_video_id: new.client_video_id.clone(),
                        duration: new.duration,
                        status: new.status.to_owned(),
                        error_description: None,
                    };
                    let id = videos::save(&mut tx, &video).await?;
                    let encodes: Vec<_> = new
                        .encodes
                        .iter()
                        .map(|encode| {
                            let file = EncodedVideo {
                                created: now,
                                modified: now,
                                url: encode.url.clone(),
                                file_size: i64::try_from(encode.file_size).unwrap_or(i64::MAX),
                                bitrate: i64::try_from(encode.bitrate).unwrap_or(i64::MAX),
                                video_id: id,
                                ..EncodedVideo::default()
                            };
                            (encode.profile.clone(), file)
                        })
                        .collect();
                    videos::replace_encodings(&mut tx, id, &encodes).await?;
                    id
                }
            };
            if record.link_course {
                videos::add_to_course(&mut tx, id, course, false).await?;
            }
            for (transcript, key) in record.transcripts.iter().zip(files) {
                let sql = "SELECT COUNT(*) FROM edxval_videotranscript \
                           WHERE video_id = ? AND language_code = ?";
                if tx.read_int(sql, &params![id, &transcript.language]).await? > 0 {
                    continue;
                }
                let row = VideoTranscript {
                    id: 0,
                    created: now,
                    modified: now,
                    transcript: Some(key.clone()),
                    language_code: transcript.language.clone(),
                    provider: transcript.provider.clone(),
                    file_format: transcript.format.to_owned(),
                    video_id: Some(id),
                };
                records::table::insert(&mut tx, &row).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await?;
    }
    Ok(())
}

/// Writes the texts before the rows that name them; returns their keys in order. The key follows from the
/// text, so that a repeated import writes the same files.
async fn store_files(blobs: &Blobs, record: &VideoRecord) -> Result<Vec<String>> {
    let mut keys = Vec::with_capacity(record.transcripts.len());
    for transcript in &record.transcripts {
        let bytes = transcript.data.read().map_err(|source| Error::File {
            path: transcript.file_name.clone(),
            source,
        })?;
        let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &bytes)
            .simple()
            .to_string();
        let key = format!("video-transcripts/{name}.{}", transcript.format);
        blobs.put(&key, &bytes).await?;
        keys.push(key);
    }
    Ok(keys)
}
