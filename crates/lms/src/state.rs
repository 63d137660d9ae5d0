//! What every handler of the LMS shares.

use std::sync::Arc;

use axum::extract::FromRef;
use courseware::{Runtime, RuntimeSettings};
use db::Db;
use identity::Identity;
use modulestore::ModuleStore;
use web_kit::WebKit;

/// Stores, identity and settings of the LMS; cheap to clone.
#[derive(Clone)]
pub struct LmsState {
    /// The system of record.
    pub db: Db,
    /// Courses and their assets.
    pub store: ModuleStore,
    /// Accounts, sessions and tokens.
    pub identity: Identity,
    /// Addresses and switches.
    pub settings: Arc<LmsSettings>,
    /// Shows blocks and answers their requests.
    pub runtime: Runtime,
    /// Templates, languages, metrics.
    pub kit: WebKit,
}

impl FromRef<LmsState> for WebKit {
    fn from_ref(state: &LmsState) -> Self {
        state.kit.clone()
    }
}

impl FromRef<LmsState> for Identity {
    fn from_ref(state: &LmsState) -> Self {
        state.identity.clone()
    }
}

impl FromRef<LmsState> for Db {
    fn from_ref(state: &LmsState) -> Self {
        state.db.clone()
    }
}

impl FromRef<LmsState> for ModuleStore {
    fn from_ref(state: &LmsState) -> Self {
        state.store.clone()
    }
}

impl FromRef<LmsState> for Arc<LmsSettings> {
    fn from_ref(state: &LmsState) -> Self {
        Arc::clone(&state.settings)
    }
}

/// Addresses and switches of the LMS. Addresses carry no slash at their end.
#[derive(Debug, Clone)]
pub struct LmsSettings {
    /// LMS_ROOT_URL.
    pub lms_url: String,
    /// CMS_ROOT_URL; empty without Studio.
    pub studio_url: String,
    /// PLATFORM_NAME.
    pub platform_name: String,
    /// Domain of the site, host and port of the LMS as Django's sites framework has it.
    pub site_domain: String,
    /// Learning front end; none: our own pages under `lms_url/learning`.
    pub learning_url: Option<String>,
    /// Course authoring front end.
    pub authoring_url: Option<String>,
    /// Profile front end; the username is appended after a slash.
    pub profile_url: Option<String>,
    /// Account settings front end.
    pub account_url: Option<String>,
    /// Order history front end.
    pub order_history_url: Option<String>,
    /// Service that translates transcripts.
    pub ai_translations_url: Option<String>,
    /// Address that learners write to for technical help.
    pub tech_support_email: String,
    /// Whether links that blocks make to themselves say https whatever `lms_url` says.
    pub block_links_https: bool,
    /// Lifetime of public course assets in caches, seconds; 0 sends no Cache-Control.
    pub asset_cache_ttl: u32,
    /// FEATURES.DISPLAY_DEBUG_INFO_TO_STAFF: whether staff see debug dialogs below blocks.
    pub staff_debug: bool,
    /// FEATURES.DISABLE_START_DATES.
    pub disable_start_dates: bool,
    /// FEATURES.ENABLE_COURSEWARE_SEARCH: whether `search_term` of the courses API works.
    pub enable_courseware_search: bool,
    /// FEATURES.ENABLE_SPECIAL_EXAMS.
    pub enable_special_exams: bool,
    /// COURSE_CATALOG_VISIBILITY_PERMISSION.
    pub course_catalog_visibility_permission: String,
    /// COURSE_ABOUT_VISIBILITY_PERMISSION.
    pub course_about_visibility_permission: String,
    /// ENABLE_MFE_CONFIG_API
    pub enable_mfe_config_api: bool,
    /// MFE_CONFIG
    pub mfe_config: serde_json::Map<String, serde_json::Value>,
    /// MFE_CONFIG_OVERRIDES: by name of the front end.
    pub mfe_config_overrides: serde_json::Map<String, serde_json::Value>,
    /// DEFAULT_COURSE_IMAGE of courses without one, a path of the LMS.
    pub default_course_image: String,
}

impl Default for LmsSettings {
    fn default() -> Self {
        Self {
            lms_url: "http://localhost:8000".into(),
            studio_url: String::new(),
            platform_name: "Stoa".into(),
            site_domain: "localhost:8000".into(),
            learning_url: None,
            authoring_url: None,
            profile_url: None,
            account_url: None,
            order_history_url: None,
            ai_translations_url: None,
            tech_support_email: "technical@example.com".into(),
            block_links_https: false,
            asset_cache_ttl: 0,
            staff_debug: true,
            disable_start_dates: false,
            enable_courseware_search: false,
            enable_special_exams: false,
            course_catalog_visibility_permission: "see_exists".into(),
            course_about_visibility_permission: "see_exists".into(),
            enable_mfe_config_api: true,
            mfe_config: serde_json::Map::new(),
            mfe_config_overrides: serde_json::Map::new(),
            default_course_image: "/static/images/pencils.jpg".into(),
        }
    }
}

impl LmsSettings {
    /// Base of the learner's pages: the configured front end, else our own under `/learning` (design.md, "Decided").
    #[must_use]
    pub fn learning_base(&self) -> String {
        self.learning_url
            .clone()
            .unwrap_or_else(|| format!("{}/learning", self.lms_url))
    }

    /// What blocks show or are bound by.
    #[must_use]
    pub fn runtime(&self) -> RuntimeSettings {
        RuntimeSettings {
            platform_name: self.platform_name.clone(),
            lms_url: self.lms_url.clone(),
            studio_url: self.studio_url.clone(),
            ai_translations_url: self.ai_translations_url.clone().unwrap_or_default(),
            block_links_https: self.block_links_https,
            staff_debug: self.staff_debug,
        }
    }

    /// Switches that access depends on.
    #[must_use]
    pub fn rules(&self) -> courseware::access::Rules {
        courseware::access::Rules {
            disable_start_dates: self.disable_start_dates,
        }
    }

    /// An address of the LMS: what is absolute stays, a path gets `lms_url` in front.
    #[must_use]
    pub fn absolute(&self, url: &str) -> String {
        if url.starts_with('/') && !url.starts_with("//") {
            format!("{}{url}", self.lms_url)
        } else {
            url.to_owned()
        }
    }
}
