//! The routers of the roles, wired to the stores.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::response::Response;
use courseware::Runtime;
use courseware::runtime::ScriptSource;
use lms::{LmsSettings, LmsState};
use sandbox::Sandbox;
use web_kit::render::{Site, TemplateSet};
use web_kit::stack::{Answering, WebKit};

use crate::app::App;
use crate::config::{Config, Origin};

/// One router a role.
pub struct Routers {
    /// LMS.
    pub lms: Router,
    /// Studio.
    pub studio: Router,
}

/// Builds every router.
pub fn routers(app: &App) -> anyhow::Result<Routers> {
    let kit = web_kit_of(&app.config, &[lms::pages::templates()])?;
    let settings = lms_settings(&app.config)?;
    let identity = app.identity()?;
    let runtime = Runtime::new(
        app.db.clone(),
        app.store.clone(),
        app.blobs.clone(),
        identity.clone(),
        settings.runtime(),
        Some(scripts(&app.config)),
    );
    let state = LmsState {
        db: app.db.clone(),
        store: app.store.clone(),
        identity,
        settings: Arc::new(settings),
        runtime,
        kit,
    };
    let studio_kit = web_kit_of(&app.config, &[])?;
    Ok(Routers {
        lms: lms::app(state),
        studio: studio::app(studio::StudioState {
            store: app.store.clone(),
            lms_url: app.config.lms_address(),
            kit: studio_kit,
        }),
    })
}

/// What runs the scripts of problems.
fn scripts(config: &Config) -> ScriptSource {
    let sandbox = Sandbox::new(crate::settings::sandbox(config));
    let warming = sandbox.clone();
    // Importing the packages takes seconds; the first learner with a script should not wait for it.
    std::thread::spawn(move || match warming.warm() {
        Ok(layers) => tracing::info!(?layers, "scripts can run"),
        Err(error) => tracing::warn!(%error, "scripts cannot run"),
    });
    Arc::new(move |deadline| Arc::new(sandbox.for_request(deadline)))
}

fn text(address: Option<&Origin>) -> Option<String> {
    address.map(ToString::to_string)
}

/// Host and port of an address.
fn host_of(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}

fn lms_settings(config: &Config) -> anyhow::Result<LmsSettings> {
    let lms_url = config.lms_address();
    let object = |name: &str, text: &str| {
        serde_json::from_str(text).with_context(|| format!("{name} is no JSON object"))
    };
    Ok(LmsSettings {
        mfe_config: object("mfe_config", &config.mfe_config)?,
        mfe_config_overrides: object("mfe_config_overrides", &config.mfe_config_overrides)?,
        site_domain: match config.site_domain.as_str() {
            "" => host_of(&lms_url),
            domain => domain.to_owned(),
        },
        block_links_https: config
            .block_links_https
            .unwrap_or(lms_url.starts_with("https://")),
        lms_url,
        studio_url: config.studio_address(),
        platform_name: config.platform_name.clone(),
        learning_url: text(config.learning_url.as_ref()),
        authoring_url: text(config.authoring_url.as_ref()),
        profile_url: text(config.profile_url.as_ref()),
        account_url: text(config.account_url.as_ref()),
        order_history_url: text(config.order_history_url.as_ref()),
        ai_translations_url: text(config.ai_translations_url.as_ref()),
        tech_support_email: config.tech_support_email.clone(),
        asset_cache_ttl: config.asset_cache_ttl,
        ..LmsSettings::default()
    })
}

/// Runs an answer and tells how many SELECTs it made.
fn count_statements(
    answering: Answering,
) -> std::pin::Pin<Box<dyn Future<Output = (Response, u64)> + Send>> {
    Box::pin(async move {
        let (response, counts) = db::counting(answering).await;
        (response, counts.reads)
    })
}

fn web_kit_of(config: &Config, templates: &[TemplateSet]) -> anyhow::Result<WebKit> {
    let lms = config.lms_address();
    let settings = web_kit::stack::Settings {
        site: Arc::new(Site {
            name: config.platform_name.clone(),
            support_email: config.tech_support_email.clone(),
            learning_url: text(config.learning_url.as_ref())
                .unwrap_or_else(|| "/learning".to_owned()),
            ..Site::default()
        }),
        language: config.language_code.clone(),
        behind_proxy: config.lms_url.is_some(),
        trusted_origins: config.cors_origins.clone(),
        redirect_hosts: [
            &config.learning_url,
            &config.account_url,
            &config.profile_url,
        ]
        .into_iter()
        .filter_map(|address| text(address.as_ref()))
        .chain([lms, config.studio_address()])
        .map(|address| host_of(&address))
        .collect(),
        max_active: usize::try_from(config.max_concurrent_requests).unwrap_or(usize::MAX),
        deadline: Duration::from_secs(config.request_timeout.into()),
        templates: config
            .theme_dir
            .as_ref()
            .map(|folder| folder.join("templates")),
        locales: config
            .theme_dir
            .as_ref()
            .map(|folder| folder.join("locale")),
        reload_templates: false,
        count_statements: Some(count_statements),
        ..web_kit::stack::Settings::default()
    };
    Ok(WebKit::new(settings, templates)?)
}
