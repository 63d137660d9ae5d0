//! Videos, their encodings and transcripts: `edxval_…`.

use chrono::NaiveDateTime;
use db::{Result, Source, Tx, Value, params};
use opaque_keys::CourseKey;

use crate::keys::course_text;
use crate::table::{self, Table, table};

table! {
    /// A video.
    Video: "edxval_video" {
        id: i64,
        created: NaiveDateTime,
        edx_video_id: String,
        client_video_id: String,
        duration: f64,
        status: String,
        error_description: Option<String>,
    }
}

table! {
    /// A file of a video.
    EncodedVideo: "edxval_encodedvideo" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        url: String,
        file_size: i64,
        bitrate: i64,
        profile_id: i64,
        video_id: i64,
    }
}

table! {
    /// A video's place in a course.
    CourseVideo: "edxval_coursevideo" {
        id: i64,
        course_id: String,
        video_id: i64,
        is_hidden: bool,
    }
}

table! {
    /// A transcript of a video; `transcript` is the path of its file.
    VideoTranscript: "edxval_videotranscript" {
        id: i64,
        created: NaiveDateTime,
        modified: NaiveDateTime,
        transcript: Option<String>,
        language_code: String,
        provider: String,
        file_format: String,
        video_id: Option<i64>,
    }
}

/// An encoding with the name of its profile and the video that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// `edxval_video.edx_video_id`.
    pub edx_video_id: String,
    /// `edxval_profile.profile_name`.
    pub profile: String,
    /// The file.
    pub file: EncodedVideo,
}

/// A transcript with the video that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcript {
    /// `edxval_video.edx_video_id`.
    pub edx_video_id: String,
    /// The transcript.
    pub transcript: VideoTranscript,
}

/// The video with an id.
pub async fn get(from: impl Source, edx_video_id: &str) -> Result<Option<Video>> {
    table::find_one(from, "WHERE edx_video_id = ?", &params![edx_video_id]).await
}

/// The videos with ids, in no order.
pub async fn get_many(from: impl Source, edx_video_ids: &[String]) -> Result<Vec<Video>> {
    let ids: Vec<Value> = edx_video_ids.iter().map(Value::from).collect();
    table::find_in(from, "edx_video_id", &ids, "", &[]).await
}

/// The encodings of videos.
pub async fn encodings(mut from: impl Source, edx_video_ids: &[String]) -> Result<Vec<Encoding>> {
    let mut found = Vec::new();
    for (marks, chunk) in db::in_chunks(edx_video_ids) {
        let sql = format!(
            "SELECT v.edx_video_id, p.profile_name, {} FROM edxval_encodedvideo e \
             JOIN edxval_video v ON v.id = e.video_id JOIN edxval_profile p ON p.id = e.profile_id \
             WHERE v.edx_video_id IN ({marks}) ORDER BY e.id",
            table::columns::<EncodedVideo>("e.")
        );
        let params: Vec<Value> = chunk.into_iter().map(Value::from).collect();
        for row in from.rows(&sql, &params).await? {
            found.push(Encoding {
                edx_video_id: row.text("edx_video_id")?,
                profile: row.text("profile_name")?,
                file: EncodedVideo::from_row(&row)?,
            });
        }
    }
    Ok(found)
}

/// The transcripts of videos.
pub async fn transcripts(
    mut from: impl Source,
    edx_video_ids: &[String],
) -> Result<Vec<Transcript>> {
    let mut found = Vec::new();
    for (marks, chunk) in db::in_chunks(edx_video_ids) {
        let sql = format!(
            "SELECT v.edx_video_id, {} FROM edxval_videotranscript t \
             JOIN edxval_video v ON v.id = t.video_id \
             WHERE v.edx_video_id IN ({marks}) ORDER BY t.id",
            table::columns::<VideoTranscript>("t.")
        );
        let params: Vec<Value> = chunk.into_iter().map(Value::from).collect();
        for row in from.rows(&sql, &params).await? {
            found.push(Transcript {
                edx_video_id: row.text("edx_video_id")?,
                transcript: VideoTranscript::from_row(&row)?,
            });
        }
    }
    Ok(found)
}

/// The videos of a course, by id.
pub async fn of_course(mut from: impl Source, course: &CourseKey) -> Result<Vec<Video>> {
    let sql = format!(
        "SELECT {} FROM edxval_coursevideo c JOIN edxval_video v ON v.id = c.video_id \
         WHERE c.course_id = ? AND c.is_hidden = 0 ORDER BY v.id",
        table::columns::<Video>("v.")
    );
    let rows = from.rows(&sql, &params![course_text(course)]).await?;
    rows.iter().map(Video::from_row).collect()
}

/// Stores a video, over the one with the same `edx_video_id`; its row id.
pub async fn save(tx: &mut Tx, video: &Video) -> Result<i64> {
    table::upsert(
        tx,
        &Video {
            id: 0,
            ..video.clone()
        },
        &["edx_video_id"],
        &["created"],
    )
    .await?;
    let sql = "SELECT id FROM edxval_video WHERE edx_video_id = ?";
    tx.read_int(sql, &params![&video.edx_video_id]).await
}

/// Stores the encodings of a video in place of those it had. The pair is profile name and file; a
/// profile is made if it is missing.
pub async fn replace_encodings(
    tx: &mut Tx,
    video_id: i64,
    encodings: &[(String, EncodedVideo)],
) -> Result<()> {
    tx.execute(
        "DELETE FROM edxval_encodedvideo WHERE video_id = ?",
        &params![video_id],
    )
    .await?;
    for (profile, file) in encodings {
        let sql = tx
            .dialect()
            .insert_ignore("edxval_profile", &["profile_name"]);
        tx.execute(&sql, &params![profile]).await?;
        let sql = "SELECT id FROM edxval_profile WHERE profile_name = ?";
        let profile_id = tx.read_int(sql, &params![profile]).await?;
        table::insert(
            tx,
            &EncodedVideo {
                id: 0,
                profile_id,
                video_id,
                ..file.clone()
            },
        )
        .await?;
    }
    Ok(())
}

/// Puts a video into a course.
pub async fn add_to_course(
    tx: &mut Tx,
    video_id: i64,
    course: &CourseKey,
    is_hidden: bool,
) -> Result<()> {
    let row = CourseVideo {
        id: 0,
        course_id: course_text(course),
        video_id,
        is_hidden,
    };
    table::upsert(tx, &row, &["course_id", "video_id"], &[]).await
}

/// Stores a transcript, over the one of the same video and language.
pub async fn save_transcript(tx: &mut Tx, transcript: &VideoTranscript) -> Result<()> {
    table::upsert(tx, transcript, &["video_id", "language_code"], &["created"]).await
}

/// Removes a transcript; whether there was one.
pub async fn delete_transcript(
    tx: &mut Tx,
    edx_video_id: &str,
    language_code: &str,
) -> Result<bool> {
    let sql = "DELETE FROM edxval_videotranscript WHERE language_code = ? AND video_id IN \
               (SELECT id FROM edxval_video WHERE edx_video_id = ?)";
    Ok(tx
        .execute(sql, &params![language_code, edx_video_id])
        .await?
        > 0)
}
