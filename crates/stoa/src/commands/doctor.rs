//! `stoa doctor`: looks at everything the program needs and says what to do about each finding.

use std::process::Command;

use chrono::Utc;

use crate::app::{self, App};
use crate::config::Config;

/// Below this many bytes the disk is said to be nearly full.
const LITTLE_SPACE: u64 = 1 << 30;
/// A clock before the day of this release is wrong.
const RELEASED: &str = "2026-01-01T00:00:00Z";

/// How something was found.
enum Finding {
    /// As it should be.
    Good(String),
    /// Works, but: and what to do.
    Mind(String, String),
    /// Does not work: and what to do.
    Bad(String, String),
}

use Finding::{Bad, Good, Mind};

/// Prints every finding; an error when something does not work.
pub async fn doctor(config: &Config) -> anyhow::Result<()> {
    let mut findings = vec![Good(
        "configuration: every setting is known and allowed".to_owned(),
    )];
    findings.extend(addresses(config));
    findings.push(disk(config));
    findings.push(clock());
    findings.extend(scripts(config));
    findings.extend(stores(config).await);
    let mut bad = 0;
    for finding in findings {
        match finding {
            Good(text) => super::print(&format!("ok    {text}")),
            Mind(text, advice) => super::print(&format!("mind  {text}\n      {advice}")),
            Bad(text, advice) => {
                bad += 1;
                super::print(&format!("BAD   {text}\n      {advice}"));
            }
        }
    }
    if bad > 0 {
        anyhow::bail!("{bad} things do not work");
    }
    Ok(())
}

fn addresses(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    for (key, url, bind) in [
        ("lms_url", config.lms_address(), &config.lms_bind),
        ("studio_url", config.studio_address(), &config.studio_bind),
    ] {
        if url.starts_with("http://") && !bind.0.ip().is_loopback() {
            found.push(Mind(
                format!("{key}: {url} is not https, and the server listens on {bind}"),
                format!("put a proxy with TLS in front and set {key} to its https address"),
            ));
        }
    }
    found
}

fn disk(config: &Config) -> Finding {
    let folder = config.data_dir.display();
    if let Err(error) = std::fs::create_dir_all(&config.data_dir) {
        return Bad(
            format!("data folder {folder}: {error}"),
            "make it writable for the user that runs the program, or set data_dir".to_owned(),
        );
    }
    // `df` knows; a system call would need unsafe code for one number.
    let free = Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(&config.data_dir)
        .output()
        .ok()
        .and_then(|out| String::from_utf8(out.stdout).ok())
        .and_then(|text| {
            text.lines()
                .last()
                .and_then(|line| line.trim().parse::<u64>().ok())
        });
    match free {
        Some(bytes) if bytes < LITTLE_SPACE => Mind(
            format!("data folder {folder}: {} MiB are free", bytes >> 20),
            "free some space: a full disk refuses learners' answers".to_owned(),
        ),
        Some(bytes) => Good(format!(
            "data folder {folder}: {} GiB are free",
            bytes >> 30
        )),
        None => Mind(
            format!("data folder {folder}: free space is unknown"),
            "install `df` (coreutils)".to_owned(),
        ),
    }
}

fn clock() -> Finding {
    let now = Utc::now();
    match chrono::DateTime::parse_from_rfc3339(RELEASED) {
        Ok(released) if now < released => Bad(
            format!("clock: it says {now}, which is before this release"),
            "set the clock, best by NTP: due dates and signatures depend on it".to_owned(),
        ),
        _ => Good(format!("clock: {}", now.format("%Y-%m-%d %H:%M:%S UTC"))),
    }
}

/// Whether authors' scripts can run, with which packages and behind which layers.
fn scripts(config: &Config) -> Vec<Finding> {
    let sandbox = sandbox::Sandbox::new(crate::settings::sandbox(config));
    let layers = match sandbox.layers() {
        Ok(layers) => layers,
        Err(error) => {
            return vec![Mind(
                format!("scripts: {error}"),
                "problems with scripts cannot be graded without; see docs/sandbox.md".to_owned(),
            )];
        }
    };
    let versions: Vec<String> = sandbox
        .versions()
        .unwrap_or_default()
        .into_iter()
        .map(|(name, version)| format!("{name} {}", version.as_deref().unwrap_or("missing")))
        .collect();
    let mut findings = vec![Good(format!("scripts: {}", versions.join(", ")))];
    let mut held = vec!["filtered system calls"];
    let mut open = Vec::new();
    for (holds, name) in [
        (layers.landlock, "Landlock"),
        (layers.namespaces, "own namespaces"),
        (layers.private_root, "a root of their own"),
    ] {
        if holds { &mut held } else { &mut open }.push(name);
    }
    findings.push(if open.is_empty() {
        Good(format!("scripts run behind {}", held.join(", ")))
    } else {
        Mind(
            format!(
                "scripts run behind {}, without {}",
                held.join(", "),
                open.join(", ")
            ),
            "safe, but one layer thinner than it could be; see docs/sandbox.md".to_owned(),
        )
    });
    findings
}

async fn stores(config: &Config) -> Vec<Finding> {
    let shown = app::without_password(&config.database());
    let app = match App::open(config).await {
        Ok(app) => app,
        Err(error) => {
            return vec![Bad(
                format!("stores: {error:#}"),
                format!(
                    "check that {shown} is reachable and may be written, then run `stoa migrate`"
                ),
            )];
        }
    };
    let mut found = vec![Good(format!("system of record: {shown}"))];
    match records::outbox::waiting(&app.db).await {
        Ok((0, _)) => found.push(Good("outbox: nothing is waiting".to_owned())),
        Ok((count, since)) => found.push(Mind(
            format!("outbox: {count} events are waiting, the oldest since {since:?}"),
            "they are handled while `stoa serve` runs; see its log if they stay".to_owned(),
        )),
        Err(error) => found.push(Bad(
            format!("outbox: {error}"),
            "run `stoa migrate`".to_owned(),
        )),
    }
    // Documents younger than an hour may belong to an import that is under way.
    let before = (Utc::now() - chrono::TimeDelta::hours(1)).timestamp();
    match app.store.unreferenced(before).await {
        Ok(left) if !left.dangling.is_empty() => found.push(Mind(
            format!(
                "courses: {} name a version that is not there",
                left.dangling.join(", ")
            ),
            "import them again, or delete them with `stoa course delete`".to_owned(),
        )),
        Ok(left) if left.is_empty() => {
            found.push(Good("courses: no document is left over".to_owned()));
        }
        Ok(left) => {
            let count = left.structures.len() + left.definitions.len() + left.uploads.len();
            found.push(match app.store.remove_unreferenced(&left).await {
                Ok(()) => Good(format!(
                    "courses: {count} documents of broken imports were removed"
                )),
                Err(error) => Mind(
                    format!("courses: {count} documents are left over: {error}"),
                    "run `stoa doctor` again; they only take space".to_owned(),
                ),
            });
        }
        Err(error) => found.push(Bad(
            format!("courses: {error}"),
            "restore the documents from a backup, or import the course again".to_owned(),
        )),
    }
    app.close().await;
    found
}
