//! Courses made of a few files, and reading them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use course_model::fields::Clock;
use course_model::{Block, BlockKey, CourseContent};
use olx::{
    ArchiveFiles, Environment, Error, Export, Exported, ExportedTranscript, ExportedVideo,
    ImportedCourse, Limits,
};
use opaque_keys::CourseKey;
use serde_json::Value;

/// The folder of recorded cases and real courses, when there is one.
pub(crate) fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("STOA_SHARED").map_or(root, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Files of a course in a wrapping folder.
pub(crate) fn files<B: AsRef<[u8]>>(list: &[(&str, B)]) -> ArchiveFiles {
    let list = list
        .iter()
        .map(|(path, bytes)| (format!("course/{path}"), bytes.as_ref()));
    ArchiveFiles::from_files(list, &Limits::default())
}

/// Reads files into a target.
pub(crate) fn import_into(files: &ArchiveFiles, target: &str) -> Result<ImportedCourse, Error> {
    let target = CourseKey::parse(target).unwrap();
    let mut drawn = 0;
    let mut environment = Environment {
        clock: Clock::of_year(2026),
        new_course: false,
        new_video_id: &mut || {
            drawn += 1;
            format!("00000000-0000-4000-8000-{drawn:012}")
        },
        video_known: &|_| false,
    };
    olx::read_course(files, &target, &mut environment)
}

/// Reads files into `course-v1:A+B+C`.
pub(crate) fn import<B: AsRef<[u8]>>(list: &[(&str, B)]) -> ImportedCourse {
    import_into(&files(list), "course-v1:A+B+C").unwrap()
}

/// A course of one unit with this content, and more files.
pub(crate) fn unit(content: &str, more: &[(&str, &str)]) -> ImportedCourse {
    import(&unit_files(content, more))
}

/// The files of [`unit`].
pub(crate) fn unit_files<'a>(content: &str, more: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    let course = format!(
        "<course><chapter url_name=\"c\"><sequential url_name=\"s\"><vertical url_name=\"v\">{content}\
         </vertical></sequential></chapter></course>"
    );
    let mut list = vec![
        (
            "course.xml",
            r#"<course url_name="R" org="S" course="N"/>"#.to_owned(),
        ),
        ("course/R.xml", course),
    ];
    list.extend(more.iter().map(|(path, text)| (*path, (*text).to_owned())));
    list
}

/// A block of one branch.
pub(crate) fn block<'c>(content: &'c CourseContent, kind: &str, id: &str) -> Option<&'c Block> {
    content.blocks.get(&BlockKey::new(kind, id))
}

/// A value of a published block; `None` when the block is absent or has none.
pub(crate) fn value(course: &ImportedCourse, kind: &str, id: &str, field: &str) -> Option<Value> {
    let block = block(&course.published, kind, id)?;
    let value = block
        .settings
        .get(field)
        .or_else(|| block.content.get(field));
    value.cloned()
}

/// Children of a block as `type@id`.
pub(crate) fn children(content: &CourseContent, kind: &str, id: &str) -> Vec<String> {
    let block = block(content, kind, id).unwrap();
    block.children.iter().map(ToString::to_string).collect()
}

/// Writes a course back with all that its import knew of videos.
pub(crate) fn export(course: &ImportedCourse, key: &str) -> Exported {
    let key = CourseKey::parse(key).unwrap();
    let mut videos: BTreeMap<&str, ExportedVideo> = BTreeMap::new();
    for record in &course.videos {
        if let Some(create) = &record.create {
            let video = ExportedVideo {
                client_video_id: create.client_video_id.clone(),
                duration: create.duration,
                image: String::new(),
                encodes: create.encodes.clone(),
                transcripts: Vec::new(),
            };
            videos.insert(&record.edx_video_id, video);
        }
        let Some(video) = videos.get_mut(record.edx_video_id.as_str()) else {
            continue;
        };
        for transcript in &record.transcripts {
            let text = transcript.data.read().unwrap();
            video.transcripts.push(ExportedTranscript {
                language: transcript.language.clone(),
                provider: transcript.provider.clone(),
                format: transcript.format.to_owned(),
                text: String::from_utf8_lossy(&text).into_owned(),
            });
        }
    }
    let export = Export {
        key: &key,
        published: &course.published,
        draft: &course.draft,
        video: &|id| videos.get(id).cloned(),
        assets: &[],
        assets_xml: None,
        tags_csv: None,
    };
    olx::write_course(&export).unwrap()
}

/// Exported files by path.
pub(crate) fn by_path(exported: &Exported) -> BTreeMap<&str, String> {
    let files = exported.files.iter();
    files
        .map(|(path, bytes)| (path.as_str(), String::from_utf8_lossy(bytes).into_owned()))
        .collect()
}

/// Exported files as an archive's files.
pub(crate) fn again(exported: &Exported) -> ArchiveFiles {
    let files = exported.files.iter();
    let files = files.map(|(path, bytes)| (format!("course/{path}"), bytes.as_slice()));
    ArchiveFiles::from_files(files, &Limits::default())
}
