//! Fuzz target of the archive and course readers: no bytes panic, and no bytes pass the limits
//! (olx.md §13, design.md "Links in archives").

use std::io::{Cursor, Write};

use chrono::NaiveDate;
use course_model::fields::Clock;
use flate2::Compression;
use flate2::write::GzEncoder;
use olx::xml::XmlLimits;
use olx::{ArchiveFiles, Environment, Limits, read_archive, read_course};
use opaque_keys::CourseKey;

/// Between the files of an input that describes a course: a path, a line feed, the content.
const NEXT_FILE: char = '\u{1}';

fn limits() -> Limits {
    Limits {
        files: 200,
        members: 400,
        total_bytes: 1 << 20,
        file_bytes: 256 << 10,
        path_bytes: 300,
        xml: XmlLimits {
            depth: 64,
            nodes: 2000,
            bytes: 64 << 10,
        },
        xml_total_bytes: 1 << 20,
        ..Limits::default()
    }
}

/// Reads one input as an archive, as a tar inside gzip, and as a list of files.
pub fn run(data: &[u8]) {
    archive(data);
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    if packed.write_all(data).is_ok()
        && let Ok(packed) = packed.finish()
    {
        archive(&packed);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let files = text
            .split(NEXT_FILE)
            .filter_map(|file| file.split_once('\n'));
        let files = files.map(|(path, content)| (path, content.as_bytes()));
        course(&ArchiveFiles::from_files(files, &limits()));
    }
}

fn archive(data: &[u8]) {
    let limits = limits();
    let Ok(files) = read_archive(Cursor::new(data), &limits, None) else {
        return;
    };
    assert!(files.iter().count() <= limits.files);
    assert!(files.iter().map(|(_, file)| file.len()).sum::<u64>() <= limits.total_bytes);
    for (path, _) in files.iter() {
        assert!(
            !path.starts_with('/') && path.split('/').all(|part| part != ".."),
            "{path}"
        );
    }
    course(&files);
}

fn course(files: &ArchiveFiles) {
    let (Ok(target), Some(today)) = (
        CourseKey::new("Org", "Course", "Run"),
        NaiveDate::from_ymd_opt(2026, 1, 1),
    ) else {
        return;
    };
    let mut drawn = 0;
    let mut environment = Environment {
        clock: Clock::at(today),
        new_course: true,
        new_video_id: &mut || {
            drawn += 1;
            format!("video-{drawn}")
        },
        video_known: &|_| false,
    };
    if let Ok(imported) = read_course(files, &target, &mut environment) {
        for (key, block) in &imported.draft.blocks {
            assert_eq!(*key, block.key);
        }
    }
}
