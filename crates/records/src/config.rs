//! Sites, and configuration tables of which the newest row counts (lms-api.md §11).

use db::{Result, Row, Source, Tx, Value, params};

use crate::table::{self, table};

table! {
    /// A site of the installation.
    Site: "django_site" {
        id: i64,
        domain: String,
        name: String,
    }
}

table! {
    /// Settings of a site; `site_values` is a JSON object.
    SiteConfiguration: "site_configuration_siteconfiguration" {
        id: i64,
        site_id: i64,
        enabled: bool,
        site_values: String,
    }
}

/// The newest row of a configuration table, among those whose columns have the given values.
/// Whether it is `enabled` is for the caller to look at. `table` and column names come from code.
pub async fn current(
    mut from: impl Source,
    table: &str,
    keys: &[(&str, Value)],
) -> Result<Option<Row>> {
    let condition: Vec<String> = keys
        .iter()
        .map(|(name, _)| format!("`{name}` = ?"))
        .collect();
    let condition = if condition.is_empty() {
        "1 = 1".to_owned()
    } else {
        condition.join(" AND ")
    };
    let sql = format!(
        "SELECT * FROM `{table}` WHERE {condition} ORDER BY change_date DESC, id DESC LIMIT 1"
    );
    let params: Vec<Value> = keys.iter().map(|(_, value)| value.clone()).collect();
    Ok(from.rows(&sql, &params).await?.into_iter().next())
}

/// Whether the newest row of a configuration table is enabled; `false` where there is none.
pub async fn enabled(from: impl Source, table: &str, keys: &[(&str, Value)]) -> Result<bool> {
    match current(from, table, keys).await? {
        Some(row) => row.bool("enabled"),
        None => Ok(false),
    }
}

/// Whether a configuration that may be set for everything, a site, an organisation, a course or a run of it is on:
/// the newest row of each scope counts, and narrower scopes win over wider ones. `table` comes from code.
pub async fn stacked_enabled(
    mut from: impl Source,
    table: &str,
    course: &opaque_keys::CourseKey,
) -> Result<bool> {
    let (org, run) = (course.org(), crate::keys::course_text(course));
    let org_course = format!("{org}+{}", course.course());
    let sql = format!(
        "SELECT enabled, site_id, org, org_course, course_id FROM `{table}` \
         WHERE enabled IS NOT NULL ORDER BY change_date, id"
    );
    let mut scopes = [None; 5];
    for row in from.rows(&sql, &[]).await? {
        let text = |column: &str| {
            row.opt_text(column)
                .map(|text| text.filter(|text| !text.is_empty()))
        };
        let scope = match (
            text("course_id")?,
            text("org_course")?,
            text("org")?,
            row.opt_int("site_id")?,
        ) {
            (Some(id), ..) => (id == run).then_some(4),
            (None, Some(id), ..) => (id == org_course).then_some(3),
            (None, None, Some(id), _) => (id == org).then_some(2),
            (None, None, None, Some(_)) => Some(1),
            (None, None, None, None) => Some(0),
        };
        if let Some(place) = scope.and_then(|scope: usize| scopes.get_mut(scope)) {
            *place = Some(row.bool("enabled")?);
        }
    }
    Ok(scopes.into_iter().rev().flatten().next().unwrap_or(false))
}

/// The site with an id.
pub async fn site(from: impl Source, id: i64) -> Result<Option<Site>> {
    table::find_one(from, "WHERE id = ?", &params![id]).await
}

/// The site with a domain.
pub async fn site_by_domain(from: impl Source, domain: &str) -> Result<Option<Site>> {
    table::find_one(from, "WHERE domain = ?", &params![domain]).await
}

/// Stores a site, over the one with the same id.
pub async fn save_site(tx: &mut Tx, site: &Site) -> Result<()> {
    table::upsert(tx, site, &["id"], &[]).await
}

/// The settings of a site.
pub async fn site_configuration(
    from: impl Source,
    site_id: i64,
) -> Result<Option<SiteConfiguration>> {
    table::find_one(from, "WHERE site_id = ?", &params![site_id]).await
}
