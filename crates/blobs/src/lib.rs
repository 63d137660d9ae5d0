//! Files that are no part of a course version: transcripts, uploads, archives, reports. Today a folder holds
//! them; an S3 endpoint will, behind the same functions.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::fs;

/// Longest key in bytes: what S3 allows.
const LONGEST_KEY: usize = 1024;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key is empty, too long, absolute, or has an empty part, `.`, `..` or a control character.
    #[error("{0:?} is not a key of a file")]
    Key(String),
    /// The folder cannot be read or written.
    #[error("{key}: {source}")]
    File {
        /// Key of the file.
        key: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A store of files by key; keys are paths with `/`, as `video-transcripts/1f….srt`.
#[derive(Debug, Clone)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    /// Files below a folder, which is made when the first one is written.
    #[must_use]
    pub fn folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The place of a key below the folder.
    fn place(&self, key: &str) -> Result<PathBuf> {
        let bad_part = |part: &str| {
            part.is_empty()
                || part == "."
                || part == ".."
                || part.chars().any(|c| c.is_control() || c == '\\')
        };
        if key.len() > LONGEST_KEY || key.split('/').any(bad_part) {
            return Err(Error::Key(key.to_owned()));
        }
        Ok(self.folder.join(key))
    }

    /// The file of a key; `None` when there is none.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        match fs::read(self.place(key)?).await {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::File {
                key: key.to_owned(),
                source,
            }),
        }
    }

    /// Writes a file, over the one of the same key; a crash leaves the old file or the new one.
    pub async fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        let place = self.place(key)?;
        let failed = |source| Error::File {
            key: key.to_owned(),
            source,
        };
        write_whole(&place, bytes).await.map_err(failed)
    }

    /// Removes a file; whether there was one.
    pub async fn delete(&self, key: &str) -> Result<bool> {
        match fs::remove_file(self.place(key)?).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(Error::File {
                key: key.to_owned(),
                source,
            }),
        }
    }
}

async fn write_whole(place: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder).await?;
    }
    let beside = place.with_extension(uuid::Uuid::new_v4().simple().to_string());
    let file = fs::File::create(&beside).await?;
    let written = async {
        use tokio::io::AsyncWriteExt;
        let mut file = file;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        fs::rename(&beside, place).await
    };
    let result = written.await;
    if result.is_err() {
        // The file beside is of no use; that it stays is no second failure.
        fs::remove_file(&beside).await.unwrap_or_default();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_written_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::folder(folder.path().join("blobs"));
        assert_eq!(blobs.get("a/b.srt").await.unwrap(), None);
        blobs.put("a/b.srt", b"one").await.unwrap();
        blobs.put("a/b.srt", b"two").await.unwrap();
        assert_eq!(blobs.get("a/b.srt").await.unwrap().unwrap(), "two");
        assert_eq!(
            std::fs::read_dir(folder.path().join("blobs/a"))
                .unwrap()
                .count(),
            1
        );
        assert!(blobs.delete("a/b.srt").await.unwrap());
        assert!(!blobs.delete("a/b.srt").await.unwrap());
    }

    #[tokio::test]
    async fn keys_never_leave_the_folder() {
        let blobs = Blobs::folder("/nowhere");
        for key in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/./b",
            "a\0b",
            "a\\..\\b",
        ] {
            assert!(
                matches!(blobs.get(key).await, Err(Error::Key(_))),
                "{key:?}"
            );
        }
        assert!(matches!(
            blobs.put(&"x".repeat(2000), b"").await,
            Err(Error::Key(_))
        ));
    }
}
