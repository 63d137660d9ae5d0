//! Configuration: one flat TOML file plus `STOA_…` environment variables, typed throughout.
//!
//! Every setting has one name: `lms_bind` in the file is `STOA_LMS_BIND` in the environment, and the
//! environment wins. A wrong value is named with its place, key and what is allowed; an unknown key
//! is refused with the nearest known one.

mod secrets;
mod values;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub use secrets::Secrets;
pub use values::{Address, LogFormat, Origin, SettingValue};

/// Environment variables with our prefix that are no settings: where the file is, and what tests use.
const OTHER_VARIABLES: &[&str] = &[
    "STOA_CONFIG",
    "STOA_SHARED",
    "STOA_SERVICES",
    "STOA_ARTIFACTS",
];
/// Variables of the test suites, which a server started by them must not trip over.
const TEST_PREFIX: &str = "STOA_TEST_";

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{place}: {text}")]
    Syntax {
        /// The file.
        place: String,
        /// Line, column and what is wrong.
        text: String,
    },
    /// A name that is no setting.
    #[error("{place}: `{key}` is not a setting; the nearest is `{nearest}`")]
    UnknownKey {
        /// The file, or "environment".
        place: String,
        /// What was written.
        key: String,
        /// The known name nearest to it.
        nearest: String,
    },
    /// A value that its setting does not allow.
    #[error("{place}: {key} = {value:?} is not allowed: {allowed}")]
    Value {
        /// The file, or "environment".
        place: String,
        /// The setting.
        key: String,
        /// What was written.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Together(String),
}

/// One setting as `stoa config --explain` shows it.
pub struct Setting {
    /// Its name in the file.
    pub key: &'static str,
    /// Its default as text; empty where there is none.
    pub default: &'static str,
    /// What is allowed, in words.
    pub allowed: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Whether `config` may show its value.
    pub secret: bool,
}

impl Setting {
    /// The name in the environment.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(self.key)
    }
}

fn variable(key: &str) -> String {
    format!("STOA_{}", key.to_uppercase())
}

macro_rules! settings {
    (@secret) => { false };
    (@secret secret) => { true };
    ($($(#[doc = $doc:literal])+ $key:ident: $kind:ty = $default:literal $(, $secret:ident)?;)+) => {
        /// Every setting with its value.
        #[derive(Clone, Debug)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $key: $kind,)+
        }

        /// The table of all settings, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[
            $(Setting {
                key: stringify!($key),
                default: $default,
                allowed: <$kind as SettingValue>::ALLOWED,
                doc: concat!($($doc),+),
                secret: settings!(@secret $($secret)?),
            },)+
        ];

        impl Config {
            /// Builds a configuration from the text that `lookup` has for each key, or the default.
            fn build(lookup: &dyn Fn(&str) -> Option<Found>) -> Result<Self, Error> {
                Ok(Self { $($key: read::<$kind>(lookup, stringify!($key), $default)?,)+ })
            }

            /// Each setting with the text of its value; secrets are left out.
            #[must_use]
            pub fn shown(&self) -> Vec<(&'static Setting, String)> {
                let values = [$(self.$key.show(),)+];
                SETTINGS
                    .iter()
                    .zip(values)
                    .map(|(setting, value)| {
                        let hide = setting.secret && !value.is_empty();
                        (setting, if hide { "(set, not shown)".to_owned() } else { value })
                    })
                    .collect()
            }
        }
    };
}

settings! {
    /// Folder of the embedded stores, `secrets.toml`, outgoing mail and logs of imports.
    data_dir: PathBuf = "./data";
    /// Address and port on which the LMS listens.
    lms_bind: Address = "127.0.0.1:8000";
    /// Address and port on which Studio listens.
    studio_bind: Address = "127.0.0.1:8001";
    /// Public address of the LMS; empty: `http://` and the address it listens on.
    lms_url: Option<Origin> = "";
    /// Public address of Studio; empty: `http://` and the address it listens on.
    studio_url: Option<Origin> = "";
    /// System of record: `sqlite:FILE` or `mysql://USER:PASSWORD@HOST:PORT/NAME`; empty: `stoa.db` in the data folder.
    database_url: String = "", secret;
    /// Connections kept open to the database.
    database_connections: u32 = "10";
    /// Course structures, definitions and assets: `sqlite:FILE`; empty: with the system of record when that is SQLite, else `modulestore.db` in the data folder.
    modulestore_url: String = "", secret;
    /// Cache and task broker: `redis://HOST:PORT/N`; empty: in the process.
    redis_url: String = "", secret;
    /// Archives, uploads and reports: `file:FOLDER` or `s3://BUCKET`; empty: `blobs` in the data folder.
    blobs_url: String = "", secret;
    /// Course search: an engine's address; empty: full text in SQLite.
    search_url: String = "", secret;
    /// Django's SECRET_KEY: signs sessions, cookies and reset links. Empty: drawn once into `secrets.toml` (embedded stores only).
    secret_key: String = "", secret;
    /// Older values of `secret_key` that are still accepted, separated by blanks.
    secret_key_fallbacks: Vec<String> = "", secret;
    /// Issuer of the JWTs; empty: `lms_url` followed by `/oauth2`.
    jwt_issuer: String = "";
    /// Audience of the JWTs.
    jwt_audience: String = "openedx";
    /// Key of HS256 JWTs. Empty: drawn once into `secrets.toml` (embedded stores only).
    jwt_secret_key: String = "", secret;
    /// Private RSA key of RS512 JWTs as a JWK; empty: HS256 alone.
    jwt_private_jwk: String = "", secret;
    /// Name of the site, shown in page titles and mails.
    platform_name: String = "Stoa";
    /// Domain of the site as Django's sites framework has it; empty: host and port of `lms_url`.
    site_domain: String = "";
    /// Language of pages where a visitor's choice is not known.
    language_code: String = "en";
    /// Folder whose templates, tokens and logo replace the built-in look.
    theme_dir: Option<PathBuf> = "";
    /// Learning front end; empty: our own pages under `/learning`.
    learning_url: Option<Origin> = "";
    /// Course authoring front end; empty: Studio's own pages.
    authoring_url: Option<Origin> = "";
    /// Profile front end, the user's name is appended; empty: our own pages.
    profile_url: Option<Origin> = "";
    /// Account settings front end; empty: our own pages.
    account_url: Option<Origin> = "";
    /// Order history front end; empty: none.
    order_history_url: Option<Origin> = "";
    /// Service that translates transcripts, named in the video player's data; empty: none.
    ai_translations_url: Option<Origin> = "";
    /// What front ends read when they start, as a JSON object.
    mfe_config: String = "{}";
    /// What single front ends read over it, as a JSON object of objects by the front end's name.
    mfe_config_overrides: String = "{}";
    /// Address that learners write to for technical help.
    tech_support_email: String = "technical@example.com";
    /// Whether links that blocks make to themselves say https; empty: as `lms_url` does.
    block_links_https: Option<bool> = "";
    /// Lifetime of public course assets in caches, in seconds; 0 sends no Cache-Control.
    asset_cache_ttl: u32 = "0";
    /// Front ends that may call with credentials, as origins separated by blanks.
    cors_origins: Vec<String> = "";
    /// Domain of the session cookie; empty: the host that answers.
    session_cookie_domain: String = "";
    /// SameSite of cookies: `None`, `Lax` or `Strict`; empty: None on https, Lax on http.
    cookie_samesite: String = "";
    /// Requests worked on at a time; more are answered 503 with Retry-After.
    max_concurrent_requests: u32 = "512";
    /// Seconds after which a request is given up.
    request_timeout: u32 = "60";
    /// Bytes of course structures kept in memory.
    snapshot_cache_bytes: u64 = "67108864";
    /// Bytes of block definitions (html, problem text) kept in memory.
    definition_cache_bytes: u64 = "33554432";
    /// Bytes that an archive may hold when unpacked.
    import_max_bytes: u64 = "4294967296";
    /// Files that an archive may hold.
    import_max_files: u64 = "100000";
    /// Format of the log: `text` or `json`.
    log_format: LogFormat = "text";
    /// What is logged, as in `info,stoa=debug`.
    log_filter: String = "info,sqlx=warn";
    /// Interpreter for authors' scripts; one of a virtual environment brings its packages.
    sandbox_python: PathBuf = "/usr/bin/python3";
    /// Account that authors' scripts run as when the server is started as root.
    sandbox_user: String = "nobody";
    /// Layers of the sandbox without which no script runs, beyond those that are always demanded.
    sandbox_require: Vec<sandbox::Layer> = "";
}

/// A value's text and the place it was read from.
#[derive(Clone)]
struct Found {
    place: String,
    text: String,
}

fn read<T: SettingValue>(
    lookup: &dyn Fn(&str) -> Option<Found>,
    key: &str,
    default: &str,
) -> Result<T, Error> {
    let found = lookup(key);
    let (place, text) = found.as_ref().map_or(("default", default), |found| {
        (found.place.as_str(), found.text.as_str())
    });
    T::parse(text.trim()).ok_or_else(|| Error::Value {
        place: place.to_owned(),
        key: if place == "environment" {
            variable(key)
        } else {
            key.to_owned()
        },
        value: text.to_owned(),
        allowed: T::ALLOWED.to_owned(),
    })
}

/// The known name with the smallest edit distance to `key`.
fn nearest(key: &str, variables: bool) -> String {
    let name = |setting: &Setting| {
        if variables {
            setting.variable()
        } else {
            setting.key.to_owned()
        }
    };
    SETTINGS
        .iter()
        .map(name)
        .min_by_key(|known| strsim::damerau_levenshtein(known, key))
        .unwrap_or_default()
}

/// The text of a TOML value as the environment would write it.
fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => items
            .iter()
            .map(toml::Value::as_str)
            .collect::<Option<Vec<_>>>()
            .map(|t| t.join(" ")),
        _ => None,
    }
}

impl Config {
    /// Reads the file (if any) and the variables; the latter win.
    pub fn load(file: Option<&Path>, variables: &[(String, String)]) -> Result<Self, Error> {
        let mut entries: Vec<(String, Found)> = Vec::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(|source| Error::File {
                path: path.to_owned(),
                source,
            })?;
            entries.extend(from_file(&path.display().to_string(), &text)?);
        }
        entries.extend(from_variables(variables)?);
        // Later entries win: the environment over the file.
        let lookup = |key: &str| {
            entries
                .iter()
                .rev()
                .find(|(known, _)| known == key)
                .map(|(_, found)| found.clone())
        };
        let config = Self::build(&lookup)?;
        config.check()?;
        Ok(config)
    }

    /// Rules between settings.
    fn check(&self) -> Result<(), Error> {
        let url = &self.database_url;
        if !(url.is_empty() || url.starts_with("sqlite:") || url.starts_with("mysql://")) {
            return Err(Error::Together(
                "database_url must begin with `sqlite:` or `mysql://`".to_owned(),
            ));
        }
        if !matches!(
            self.cookie_samesite.as_str(),
            "" | "None" | "Lax" | "Strict"
        ) {
            return Err(Error::Together(
                "cookie_samesite must be None, Lax or Strict".to_owned(),
            ));
        }
        Ok(())
    }

    /// Address of the system of record, with the default filled in.
    #[must_use]
    pub fn database(&self) -> String {
        if self.database_url.is_empty() {
            format!("sqlite:{}", self.data_dir.join("stoa.db").display())
        } else {
            self.database_url.clone()
        }
    }

    /// Whether the system of record is embedded, so that secrets may be drawn by us.
    #[must_use]
    pub fn embedded(&self) -> bool {
        self.database().starts_with("sqlite:")
    }

    /// Address of the documents; `None`: they live in the system of record's own file.
    #[must_use]
    pub fn documents(&self) -> Option<String> {
        match (self.modulestore_url.is_empty(), self.embedded()) {
            (true, true) => None,
            (true, false) => Some(format!(
                "sqlite:{}",
                self.data_dir.join("modulestore.db").display()
            )),
            (false, _) => Some(self.modulestore_url.clone()),
        }
    }

    /// Public address of the LMS, without a final slash.
    #[must_use]
    pub fn lms_address(&self) -> String {
        self.lms_url
            .as_ref()
            .map_or_else(|| format!("http://{}", self.lms_bind), ToString::to_string)
    }

    /// Public address of Studio, without a final slash.
    #[must_use]
    pub fn studio_address(&self) -> String {
        self.studio_url.as_ref().map_or_else(
            || format!("http://{}", self.studio_bind),
            ToString::to_string,
        )
    }
}

/// The entries of a file's text.
fn from_file(place: &str, text: &str) -> Result<Vec<(String, Found)>, Error> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| Error::Syntax {
            place: place.to_owned(),
            text: error.to_string(),
        })?;
    table
        .iter()
        .map(|(key, value)| {
            let setting = SETTINGS
                .iter()
                .find(|setting| setting.key == key)
                .ok_or_else(|| Error::UnknownKey {
                    place: place.to_owned(),
                    key: key.clone(),
                    nearest: nearest(key, false),
                })?;
            let text = text_of(value).ok_or_else(|| Error::Value {
                place: place.to_owned(),
                key: key.clone(),
                value: value.to_string(),
                allowed: setting.allowed.to_owned(),
            })?;
            Ok((
                key.clone(),
                Found {
                    place: place.to_owned(),
                    text,
                },
            ))
        })
        .collect()
}

/// The entries of the environment.
fn from_variables(variables: &[(String, String)]) -> Result<Vec<(String, Found)>, Error> {
    let ours = variables.iter().filter(|(name, _)| {
        name.starts_with("STOA_")
            && !name.starts_with(TEST_PREFIX)
            && !OTHER_VARIABLES.contains(&name.as_str())
    });
    ours.map(|(name, text)| {
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.variable() == *name)
            .ok_or_else(|| Error::UnknownKey {
                place: "environment".to_owned(),
                key: name.clone(),
                nearest: nearest(name, true),
            })?;
        let found = Found {
            place: "environment".to_owned(),
            text: text.clone(),
        };
        Ok((setting.key.to_owned(), found))
    })
    .collect()
}

/// The text of `stoa config --explain`: a TOML file with every setting, its default and its meaning.
#[must_use]
pub fn explain() -> String {
    let mut out = String::from(
        "# Every setting of Stoa. In the environment `key` is `STOA_KEY`, and wins over the file.\n\
         # The file is named by --config or STOA_CONFIG; without either, stoa.toml here is read if there is one.\n",
    );
    for setting in SETTINGS {
        let _ = writeln!(
            out,
            "\n# {}\n# Variable {}; {}.\n# {} = {:?}",
            setting.doc.trim(),
            setting.variable(),
            setting.allowed,
            setting.key,
            setting.default
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stoa.toml");
        std::fs::write(&path, text).unwrap();
        let variables: Vec<_> = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Config::load(Some(&path), &variables)
    }

    #[test]
    fn defaults_are_those_that_scripts_rely_on() {
        let config = load("", &[]).unwrap();
        assert_eq!(config.data_dir, PathBuf::from("./data"));
        assert_eq!(config.lms_bind.to_string(), "127.0.0.1:8000");
        assert_eq!(config.studio_bind.to_string(), "127.0.0.1:8001");
        assert_eq!(config.lms_address(), "http://127.0.0.1:8000");
        assert_eq!(config.database(), "sqlite:./data/stoa.db");
        assert_eq!(config.documents(), None);
    }

    #[test]
    fn environment_wins_over_the_file() {
        let config = load(
            "platform_name = \"A\"\nasset_cache_ttl = 5\ncors_origins = [\"http://a\", \"http://b\"]",
            &[("STOA_PLATFORM_NAME", "B")],
        )
        .unwrap();
        assert_eq!(config.platform_name, "B");
        assert_eq!(config.asset_cache_ttl, 5);
        assert_eq!(config.cors_origins, ["http://a", "http://b"]);
    }

    #[test]
    fn a_wrong_value_is_named_with_place_key_and_what_is_allowed() {
        let error = load("lms_bind = \"nowhere\"", &[]).unwrap_err().to_string();
        assert!(
            error.contains("stoa.toml") && error.contains("lms_bind"),
            "{error}"
        );
        assert!(
            error.contains("nowhere") && error.contains("127.0.0.1:8000"),
            "{error}"
        );
        let error = load("", &[("STOA_ASSET_CACHE_TTL", "soon")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("environment: STOA_ASSET_CACHE_TTL"),
            "{error}"
        );
        let error = load("request_timeout = { a = 1 }", &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("request_timeout"), "{error}");
        let error = load("database_url = \"postgres://x\"", &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("mysql://"), "{error}");
    }

    #[test]
    fn syntax_errors_name_the_file_and_line() {
        let error = load("a =\n", &[]).unwrap_err().to_string();
        assert!(
            error.contains("stoa.toml") && error.contains("line 1"),
            "{error}"
        );
    }

    /// Every one-letter slip of every key is refused, and the key that was meant is named.
    #[test]
    fn one_letter_slips_are_refused_with_the_nearest_key() {
        for setting in SETTINGS {
            for at in 0..setting.key.len() {
                let mut dropped = setting.key.to_owned();
                dropped.remove(at);
                let mut doubled = setting.key.to_owned();
                doubled.insert(at, 'x');
                let mut changed = setting.key.to_owned();
                changed.replace_range(at..=at, "q");
                for slip in [dropped, doubled, changed] {
                    if SETTINGS.iter().any(|known| known.key == slip) {
                        continue;
                    }
                    let in_file = from_file("stoa.toml", &format!("{slip} = \"1\""))
                        .err()
                        .unwrap();
                    let variables = [(variable(&slip), "1".to_owned())];
                    let in_environment = from_variables(&variables).err().unwrap();
                    for (error, name) in [
                        (in_file, setting.key.to_owned()),
                        (in_environment, setting.variable()),
                    ] {
                        match error {
                            Error::UnknownKey { nearest, .. } => assert_eq!(nearest, name),
                            other => panic!("{slip}: {other}"),
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn variables_of_tests_are_no_settings() {
        load(
            "",
            &[
                ("STOA_TEST_MYSQL_URL", "x"),
                ("STOA_CONFIG", "y"),
                ("STOA_SHARED", "z"),
                ("STOA_SERVICES", "w"),
            ],
        )
        .unwrap();
    }

    #[test]
    fn the_explanation_names_every_setting_and_is_itself_a_file() {
        let text = explain();
        for setting in SETTINGS {
            assert!(text.contains(&setting.variable()), "{}", setting.key);
            assert!(!setting.doc.is_empty() && !setting.allowed.is_empty());
        }
        load(&text, &[]).unwrap();
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = load("secret_key = \"hush\"", &[]).unwrap();
        assert!(
            config
                .shown()
                .iter()
                .all(|(_, value)| !value.contains("hush"))
        );
    }
}
