//! `stoa course …`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use authoring::{COMMAND_USER, Follower, ImportOptions, ImportSummary};
use chrono::Utc;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use opaque_keys::CourseKey;

use crate::app::App;
use crate::config::Config;

/// What can be done with courses.
#[derive(Subcommand)]
pub enum CourseCommand {
    /// Imports a course or library: a folder, .tar.gz or .zip of OLX.
    Import {
        /// The folder or archive.
        path: PathBuf,
        /// Key of the course or library to import into; without it the one that the archive names.
        #[arg(long, value_name = "KEY")]
        into: Option<String>,
        /// Prints the summary as one JSON object, on the last line.
        #[arg(long)]
        json: bool,
    },
    /// Exports a course: to an archive where PATH ends in .tar.gz, else to a folder.
    Export {
        /// Key of the course or library.
        key: String,
        /// Where to.
        path: PathBuf,
    },
    /// Lists courses and libraries.
    List,
    /// Shows a course.
    Show {
        /// Key of the course or library.
        key: String,
        /// Prints every block as one JSON object, on the last line.
        #[arg(long)]
        json: bool,
    },
    /// Deletes a course with its assets; learners' records stay.
    Delete {
        /// Key of the course or library.
        key: String,
    },
}

/// Runs a command.
pub async fn run(config: &Config, command: CourseCommand) -> anyhow::Result<()> {
    let app = App::open(config).await?;
    match command {
        CourseCommand::Import { path, into, json } => {
            let into = into.as_deref().map(CourseKey::parse).transpose()?;
            let summary = import(&app, &path, into, !json).await?;
            if json {
                super::print(&serde_json::to_string(&summary)?);
            } else {
                super::print(&told(&summary));
            }
        }
        CourseCommand::Export { key, path } => {
            let key = CourseKey::parse(&key)?;
            let files =
                authoring::export_course(&app.db, &app.store, &app.blobs, &key, &path).await?;
            super::print(&format!("{files} files written to {}", path.display()));
        }
        CourseCommand::List => list(&app).await?,
        CourseCommand::Show { key, json } => show(&app, &CourseKey::parse(&key)?, json).await?,
        CourseCommand::Delete { key } => delete(&app, &CourseKey::parse(&key)?).await?,
    }
    app.close().await;
    Ok(())
}

/// Imports and does what follows a publish, so that the course is whole when the command ends.
pub async fn import(
    app: &App,
    path: &Path,
    into: Option<CourseKey>,
    progress: bool,
) -> anyhow::Result<ImportSummary> {
    let spool = Spool::make(&app.config.data_dir)?;
    let limits = olx::Limits {
        total_bytes: app.config.import_max_bytes,
        files: usize::try_from(app.config.import_max_files).unwrap_or(usize::MAX),
        ..olx::Limits::default()
    };
    let options = ImportOptions {
        into,
        create: true,
        user_id: COMMAND_USER,
        now: Utc::now(),
        limits,
    };
    let bar = if progress {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}")?);
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let report = |step: authoring::Step| bar.set_message(step_text(step));
    let summary = authoring::import_course(
        &app.db, &app.store, &app.blobs, path, &spool.0, &options, &report,
    )
    .await
    .with_context(|| {
        format!(
            "{} was not imported; the course is as it was",
            path.display()
        )
    })?;
    report(authoring::Step::Follow);
    let follower = Follower {
        db: app.db.clone(),
        store: app.store.clone(),
    };
    authoring::follow_publishes(&follower, Utc::now()).await?;
    bar.finish_and_clear();
    Ok(summary)
}

fn step_text(step: authoring::Step) -> &'static str {
    match step {
        authoring::Step::Unpack => "unpacking and checking",
        authoring::Step::Read => "reading blocks",
        authoring::Step::Store => "storing the course",
        authoring::Step::Follow => "updating what depends on the course",
    }
}

/// A folder for large files of an archive, removed when dropped.
struct Spool(PathBuf);

impl Spool {
    fn make(data: &Path) -> anyhow::Result<Self> {
        let folder = data
            .join("spool")
            .join(uuid::Uuid::new_v4().simple().to_string());
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("the folder {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a spool folder stays behind");
        }
    }
}

/// The summary for people.
fn told(summary: &ImportSummary) -> String {
    let mut lines = vec![format!("{}: imported", summary.course_key)];
    lines.extend(
        summary
            .blocks
            .iter()
            .map(|(kind, count)| format!("{count:8} {kind}")),
    );
    lines.push(format!("{:8} files", summary.assets));
    for warning in &summary.warnings {
        lines.push(match warning.line {
            0 => format!("warning: {}: {}", warning.file, warning.text),
            line => format!("warning: {}:{line}: {}", warning.file, warning.text),
        });
    }
    lines.join("\n")
}

async fn list(app: &App) -> anyhow::Result<()> {
    for row in app.store.list_courses().await? {
        super::print(&row.course_id);
    }
    for row in app.store.list_libraries().await? {
        super::print(&row.course_id);
    }
    Ok(())
}

async fn show(app: &App, key: &CourseKey, json: bool) -> anyhow::Result<()> {
    let shown = authoring::show_course(&app.store, key).await?;
    if json {
        super::print(&serde_json::to_string(&shown)?);
        return Ok(());
    }
    let counts = shown
        .pointer("/course/counts")
        .and_then(serde_json::Value::as_object);
    super::print(&key.to_string());
    for (kind, count) in counts.into_iter().flatten() {
        super::print(&format!("{count:>8} {kind}"));
    }
    Ok(())
}

async fn delete(app: &App, key: &CourseKey) -> anyhow::Result<()> {
    let now = Utc::now();
    let stamp = modulestore::documents::Stamp::new(COMMAND_USER, now);
    if !app.store.delete_course(key, stamp).await? {
        anyhow::bail!("there is no course {key}");
    }
    let follower = Follower {
        db: app.db.clone(),
        store: app.store.clone(),
    };
    authoring::follow_publishes(&follower, now).await?;
    super::print(&format!("{key}: deleted"));
    Ok(())
}
