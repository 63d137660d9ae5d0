//! `stoa migrate`.

use crate::app;
use crate::config::Config;

/// Creates the tables that are missing and says what was done.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    let database = app::open_database(config).await?;
    let report = records::migrate(&database).await?;
    database.close().await;
    // The tables of documents are made when they are opened.
    drop(app::App::open(config).await?);
    if report.applied.is_empty() {
        super::print("nothing to do: every table is there");
    } else {
        super::print(&format!("applied: {}", report.applied.join(", ")));
    }
    Ok(())
}
