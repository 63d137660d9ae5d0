//! The stores, opened as configured; what every command and role starts from.

use anyhow::Context;
use blobs::Blobs;
use db::{Db, Options};
use identity::Identity;
use modulestore::store::EmbeddedStore;
use modulestore::{CacheSizes, ModuleStore};

use crate::config::{Config, Secrets};

/// Open stores with the configuration they were opened by.
pub struct App {
    /// Every setting.
    pub config: Config,
    /// Keys that sign what leaves the server.
    pub secrets: Secrets,
    /// The system of record.
    pub db: Db,
    /// Courses and their assets.
    pub store: ModuleStore,
    /// Files beside the courses.
    pub blobs: Blobs,
}

impl App {
    /// Opens the stores and brings their tables up to date.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let secrets = Secrets::load(config)?;
        let db = open_database(config).await?;
        records::migrate(&db)
            .await
            .context("the tables cannot be brought up to date")?;
        if config.embedded() {
            begin_switches(&db).await?;
        }
        let store = open_courses(config, &db).await?;
        let blobs = open_blobs(config)?;
        Ok(Self {
            config: config.clone(),
            secrets,
            db,
            store,
            blobs,
        })
    }

    /// Accounts, sessions and tokens over the same database.
    pub fn identity(&self) -> anyhow::Result<Identity> {
        Ok(Identity::new(
            self.db.clone(),
            crate::settings::identity(&self.config, &self.secrets)?,
        )?)
    }

    /// Closes the stores, so that nothing is left in the log of an embedded file.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

/// Switches that a site on embedded stores begins with; whoever turned one off keeps it so.
async fn begin_switches(db: &Db) -> anyhow::Result<()> {
    const TRACKING: &str = "completion.enable_completion_tracking";
    let known = records::waffle::switches(db).await?;
    if known.iter().any(|switch| switch.name == TRACKING) {
        return Ok(());
    }
    let now = chrono::Utc::now().naive_utc();
    db.write(
        |mut tx| async move { records::waffle::set_switch(&mut tx, TRACKING, true, now).await },
    )
    .await?;
    Ok(())
}

/// Opens the system of record; an embedded one is made when it is missing.
pub async fn open_database(config: &Config) -> anyhow::Result<Db> {
    let address = config.database();
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("the data folder {}", config.data_dir.display()))?;
    let options = Options {
        connections: config.database_connections,
        ..Options::default()
    };
    Db::connect(&address, &options).await.with_context(|| {
        format!(
            "the database {} cannot be opened",
            without_password(&address)
        )
    })
}

/// Opens the documents: beside the relational rows, or in a file of their own.
async fn open_courses(config: &Config, db: &Db) -> anyhow::Result<ModuleStore> {
    let sizes = CacheSizes {
        snapshots: config.snapshot_cache_bytes,
        definitions: config.definition_cache_bytes,
    };
    let Some(address) = config.documents() else {
        return Ok(ModuleStore::embedded(db.clone(), sizes).await?);
    };
    if !address.starts_with("sqlite:") {
        anyhow::bail!("modulestore_url: only `sqlite:FILE` is supported by this build");
    }
    let documents = Db::connect(&address, &Options::default())
        .await
        .with_context(|| format!("the documents {address} cannot be opened"))?;
    let store = EmbeddedStore::open(documents).await?;
    Ok(ModuleStore::over(
        db.clone(),
        std::sync::Arc::new(store),
        sizes,
    ))
}

/// Opens the store of files.
fn open_blobs(config: &Config) -> anyhow::Result<Blobs> {
    match config.blobs_url.as_str() {
        "" => Ok(Blobs::folder(config.data_dir.join("blobs"))),
        address => match address.strip_prefix("file:") {
            Some(folder) => Ok(Blobs::folder(folder)),
            None => anyhow::bail!("blobs_url: only `file:FOLDER` is supported by this build"),
        },
    }
}

/// An address that may be shown.
pub fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((credentials, host))) => {
            let user = credentials
                .trim_start_matches(scheme)
                .trim_start_matches("://");
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(
            without_password("mysql://stoa:hush@db:3306/edxapp"),
            "mysql://stoa@db:3306/edxapp"
        );
        assert_eq!(
            without_password("mysql://stoa@db/edxapp"),
            "mysql://stoa@db/edxapp"
        );
        assert_eq!(
            without_password("sqlite:./data/stoa.db"),
            "sqlite:./data/stoa.db"
        );
    }
}
