//! Secrets that nobody configured are drawn once into `secrets.toml` of the data folder (mode 0600),
//! on embedded stores alone; with an external database they must be configured (design.md).

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use super::{Config, Error};

/// The keys that sign what leaves the server.
#[derive(Clone)]
pub struct Secrets {
    /// Django's SECRET_KEY.
    pub secret_key: String,
    /// Key of HS256 JWTs.
    pub jwt_secret_key: String,
}

/// Hexadecimal digits of a drawn secret.
const DRAWN_LENGTH: usize = 96;

/// Draws a secret.
fn draw() -> Result<String, Error> {
    entropy::draw(DRAWN_LENGTH, entropy::HEX).map_err(|error| Error::Together(error.to_string()))
}

impl Secrets {
    /// The configured secrets, those of `secrets.toml`, or newly drawn ones written there.
    pub fn load(config: &Config) -> Result<Self, Error> {
        let configured = [
            ("secret_key", config.secret_key.clone()),
            ("jwt_secret_key", config.jwt_secret_key.clone()),
        ];
        let missing: Vec<&str> = configured
            .iter()
            .filter(|(_, value)| value.is_empty())
            .map(|(key, _)| *key)
            .collect();
        if !missing.is_empty() && !config.embedded() {
            return Err(Error::Together(format!(
                "{} must be configured when the database is external: other programs on it share them",
                missing.join(" and ")
            )));
        }
        let stored = if missing.is_empty() {
            toml::Table::new()
        } else {
            stored(config)?
        };
        let value = |key: &str, configured: &str| {
            if configured.is_empty() {
                stored
                    .get(key)
                    .and_then(toml::Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            } else {
                configured.to_owned()
            }
        };
        Ok(Self {
            secret_key: value("secret_key", &config.secret_key),
            jwt_secret_key: value("jwt_secret_key", &config.jwt_secret_key),
        })
    }
}

/// Reads `secrets.toml`, after drawing what it lacks.
fn stored(config: &Config) -> Result<toml::Table, Error> {
    let path = config.data_dir.join("secrets.toml");
    let failed = |source| Error::File {
        path: path.clone(),
        source,
    };
    std::fs::create_dir_all(&config.data_dir).map_err(failed)?;
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error)),
    };
    let mut table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| Error::Syntax {
            place: path.display().to_string(),
            text: error.to_string(),
        })?;
    let mut drawn = false;
    for key in ["secret_key", "jwt_secret_key"] {
        if !table.contains_key(key) {
            table.insert(key.to_owned(), toml::Value::String(draw()?));
            drawn = true;
        }
    }
    if drawn {
        write_whole(&path, &table.to_string()).map_err(failed)?;
    }
    Ok(table)
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
fn write_whole(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let beside: PathBuf = path.with_extension(format!("toml.{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn config(folder: &std::path::Path, more: &[(&str, &str)]) -> Config {
        let mut variables = vec![(
            "STOA_DATA_DIR".to_owned(),
            folder.to_string_lossy().into_owned(),
        )];
        variables.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        Config::load(None, &variables).unwrap()
    }

    #[test]
    fn drawn_once_kept_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), &[]);
        let first = Secrets::load(&config).unwrap();
        assert_eq!(first.secret_key.len(), DRAWN_LENGTH);
        assert_ne!(first.secret_key, first.jwt_secret_key);
        assert_eq!(Secrets::load(&config).unwrap().secret_key, first.secret_key);
        let mode = std::fs::metadata(folder.path().join("secrets.toml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_external_database_wants_configured_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let url = ("STOA_DATABASE_URL", "mysql://a@127.0.0.1/x");
        let error = Secrets::load(&config(folder.path(), &[url]))
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains("secret_key and jwt_secret_key"), "{error}");
        let both = [url, ("STOA_SECRET_KEY", "a"), ("STOA_JWT_SECRET_KEY", "b")];
        assert_eq!(
            Secrets::load(&config(folder.path(), &both))
                .unwrap()
                .jwt_secret_key,
            "b"
        );
        assert!(!folder.path().join("secrets.toml").exists());
    }
}
