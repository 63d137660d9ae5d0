//! Reads a course folder or archive and prints it as `stoa course show --json` does:
//! `cargo run -p olx --example show -- PATH [--warnings] [--export FOLDER]`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use course_model::fields::Clock;
use olx::show::ShownAsset;
use olx::{Environment, Export, ExportedTranscript, ExportedVideo, ImportedCourse, Limits};
use opaque_keys::CourseKey;
use sha2::{Digest, Sha256};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = Path::new(arguments.first().context("no course given")?);
    let limits = Limits::default();
    let files = if path.is_dir() {
        olx::read_folder(path, &limits)?
    } else {
        olx::read_archive(File::open(path)?, &limits, None)?
    };
    let key = olx::source_key(&files)?.course_key()?;
    let mut drawn = 0;
    let mut environment = Environment {
        clock: Clock::of_year(2026),
        new_course: true,
        new_video_id: &mut || {
            drawn += 1;
            format!("00000000-0000-4000-8000-{drawn:012}")
        },
        video_known: &|_| false,
    };
    let course = olx::read_course(&files, &key, &mut environment)?;
    if arguments.iter().any(|argument| argument == "--warnings") {
        for warning in &course.warnings {
            eprintln!("{warning}");
        }
    }
    let mut assets = Vec::new();
    for asset in &course.assets {
        let mut bytes = Vec::new();
        asset.data.open()?.read_to_end(&mut bytes)?;
        assets.push(ShownAsset {
            name: asset.name.clone(),
            displayname: asset.displayname.clone(),
            locked: asset.locked,
            content_type: asset.content_type.clone(),
            import_path: Some(asset.import_path.clone()),
            sha256: hex::encode(Sha256::digest(&bytes)),
            size: asset.data.len(),
        });
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--export") {
        let folder = Path::new(arguments.get(at + 1).context("no folder given")?);
        write(&key, &course, folder)?;
    }
    println!(
        "{}",
        olx::show::course(&key, &course.published, &course.draft, &assets)
    );
    Ok(())
}

/// Writes the export of what was read, assets left out.
fn write(key: &CourseKey, course: &ImportedCourse, folder: &Path) -> Result<()> {
    let video = |id: &str| {
        let records = course
            .videos
            .iter()
            .filter(|record| record.edx_video_id == id);
        let mut video = None;
        for record in records {
            if let Some(create) = &record.create {
                video = Some(ExportedVideo {
                    client_video_id: create.client_video_id.clone(),
                    duration: create.duration,
                    image: record.image.clone().unwrap_or_default(),
                    encodes: create.encodes.clone(),
                    transcripts: Vec::new(),
                });
            }
            let Some(video) = &mut video else { continue };
            for transcript in &record.transcripts {
                if video
                    .transcripts
                    .iter()
                    .all(|known| known.language != transcript.language)
                {
                    let text = transcript.data.read().unwrap_or_default();
                    video.transcripts.push(ExportedTranscript {
                        language: transcript.language.clone(),
                        provider: transcript.provider.clone(),
                        format: transcript.format.to_owned(),
                        text: String::from_utf8_lossy(&text).into_owned(),
                    });
                }
            }
        }
        video
    };
    let exported = olx::write_course(&Export {
        key,
        published: &course.published,
        draft: &course.draft,
        video: &video,
        assets: &[],
        assets_xml: None,
        tags_csv: None,
    })?;
    for (path, bytes) in exported.files {
        let place = folder.join(exported.folder).join(path);
        std::fs::create_dir_all(place.parent().context("no parent")?)?;
        std::fs::write(place, bytes)?;
    }
    Ok(())
}
