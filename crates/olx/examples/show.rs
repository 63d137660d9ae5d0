//! Reads a course folder or archive and prints it as `stoa course show --json` does:
//! `cargo run -p olx --example show -- PATH [--warnings] [--export FOLDER]`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use course_model::fields::Clock;
use olx::show::ShownAsset;
use olx::{Environment, Limits};
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
            sha256: Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            size: asset.data.len(),
        });
    }
    println!(
        "{}",
        olx::show::course(&key, &course.published, &course.draft, &assets)
    );
    Ok(())
}
