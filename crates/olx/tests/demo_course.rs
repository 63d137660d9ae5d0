//! The project's own demo course reads cleanly (olx.md §§1–7) and survives its own export.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot build its input has failed"
)]

use std::path::Path;

use chrono::NaiveDate;
use course_model::fields::Clock;
use olx::{ArchiveFiles, Environment, ImportedCourse, Limits, read_course, read_folder};
use opaque_keys::CourseKey;

fn import(files: &ArchiveFiles) -> ImportedCourse {
    let target = CourseKey::new("Stoa", "Demo", "2026").unwrap();
    let mut drawn = 0;
    let mut environment = Environment {
        clock: Clock::at(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap()),
        new_course: false,
        new_video_id: &mut || {
            drawn += 1;
            format!("film-{drawn}")
        },
        // The store knows the films that an import has made.
        video_known: &|id| id.starts_with("film-"),
    };
    read_course(files, &target, &mut environment).unwrap()
}

fn demo() -> ImportedCourse {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../courses/demo");
    import(&read_folder(&folder, &Limits::default()).unwrap())
}

/// Nothing is remarked on but the block of an unknown type, which is there on purpose.
#[test]
fn demo_reads_without_faults() {
    let demo = demo();
    let remarks: Vec<String> = demo
        .warnings
        .iter()
        .map(ToString::to_string)
        .filter(|remark| !remark.contains("sundial_simulator"))
        .collect();
    assert!(remarks.is_empty(), "{remarks:#?}");
    let counts = demo.counts();
    for (kind, count) in [
        ("chapter", 3),
        ("sequential", 6),
        ("vertical", 15),
        ("problem", 10),
        ("video", 2),
        ("sundial_simulator", 1),
        ("static_tab", 1),
        ("course_info", 2),
    ] {
        assert_eq!(counts.get(kind), Some(&count), "{kind}");
    }
    // Every block of the tree was found: nothing but extra content stands outside it.
    let listed: usize = demo
        .draft
        .blocks
        .values()
        .map(|block| block.children.len())
        .sum();
    let outside = ["course", "about", "course_info", "static_tab"];
    let inside = demo
        .draft
        .blocks
        .keys()
        .filter(|key| !outside.contains(&&*key.block_type));
    assert_eq!(inside.count(), listed);
}

/// Each file that the course points at is there.
#[test]
fn demo_has_its_files() {
    let demo = demo();
    let names: Vec<&str> = demo
        .assets
        .iter()
        .map(|asset| asset.name.as_str())
        .collect();
    for block in demo.draft.blocks.values() {
        let fields = block.settings.values().chain(block.content.values());
        for text in fields.map(ToString::to_string) {
            for (at, marker) in text.match_indices("/static/") {
                let rest = text.get(at + marker.len()..).unwrap_or_default();
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || "-_.".contains(*c))
                    .collect();
                assert!(names.contains(&name.as_str()), "{}: {name}", block.key);
            }
            for (at, marker) in text.match_indices("/jump_to_id/") {
                let rest = text.get(at + marker.len()..).unwrap_or_default();
                let id: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                assert!(
                    demo.draft.blocks.keys().any(|key| *key.block_id == *id),
                    "{id}"
                );
            }
        }
    }
    assert!(names.contains(&"course-card.png") && names.contains(&"moving-shadow-en.srt"));
}

/// Written and read again it is the same course.
#[test]
fn demo_survives_export() {
    let first = demo();
    let key = CourseKey::new("Stoa", "Demo", "2026").unwrap();
    let written = olx::write_course(&olx::Export {
        key: &key,
        published: &first.published,
        draft: &first.draft,
        video: &|_| None,
        assets: &[],
        assets_xml: None,
        tags_csv: None,
    })
    .unwrap();
    let second = import(&ArchiveFiles::from_files(written.files, &Limits::default()));
    assert_eq!(first.counts(), second.counts());
    for (key, block) in &first.draft.blocks {
        let again = second.draft.blocks.get(key).unwrap();
        assert_eq!(block.children, again.children, "{key}");
        assert_eq!(block.content, again.content, "{key}");
    }
}
