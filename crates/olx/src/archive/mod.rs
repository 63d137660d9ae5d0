//! Reading an archive or a folder without trusting it (olx.md §13, design.md `Links in archives`).
//!
//! Nothing is extracted by the archive libraries: every member is checked, links become copies, and what
//! is read is counted against [`Limits`]. Small files stay in memory, large ones go to a spool folder
//! that the caller owns, so that an import's memory does not grow with its videos.

mod collect;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use collect::Collector;

use crate::xml::XmlLimits;

/// How much an archive may hold.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Files in the archive.
    pub files: usize,
    /// Members of any kind.
    pub members: usize,
    /// Bytes of all files together, unpacked.
    pub total_bytes: u64,
    /// Bytes of one file, unpacked.
    pub file_bytes: u64,
    /// Unpacked bytes for one packed byte, tested once more than [`Limits::ratio_floor`] are unpacked.
    pub ratio: u64,
    /// Unpacked bytes below which the ratio is not tested.
    pub ratio_floor: u64,
    /// Bytes of a member's path.
    pub path_bytes: usize,
    /// A file up to this many bytes is kept in memory even when there is a spool folder.
    pub memory_file_bytes: u64,
    /// What one XML file may hold.
    pub xml: XmlLimits,
    /// Bytes of XML that one import may parse, inline definitions counted once a level.
    pub xml_total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            files: 100_000,
            members: 200_000,
            total_bytes: 8 << 30,
            file_bytes: 2 << 30,
            ratio: 200,
            ratio_floor: 64 << 20,
            path_bytes: 1024,
            memory_file_bytes: 64 << 10,
            xml: XmlLimits::default(),
            xml_total_bytes: 1 << 30,
        }
    }
}

/// Why an archive was refused or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A member's path is absolute, leads out of the archive or is no path.
    #[error("{path}: the path leads out of the archive")]
    Path {
        /// Path as the archive has it.
        path: String,
    },
    /// A link leads out of its own folder.
    #[error("{path}: the link to {target} leads out of its folder")]
    Link {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// A member is a device, a FIFO or of unknown kind.
    #[error("{path}: neither file nor folder nor link")]
    Kind {
        /// The member.
        path: String,
    },
    /// A limit is passed.
    #[error("{path}: the archive has more than {limit} {what}")]
    TooMuch {
        /// The member at which it was noticed.
        path: String,
        /// What is counted.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// The archive is neither a gzip tar nor a zip, or is damaged.
    #[error("the archive cannot be read: {0}")]
    Damaged(String),
    /// Reading or spooling failed.
    #[error("{path}: {error}")]
    Io {
        /// File concerned.
        path: String,
        /// The failure.
        error: io::Error,
    },
}

impl ArchiveError {
    /// Whether the archive is unsafe, and not only damaged: *Unsafe archive file. Aborting import.*
    /// (olx.md §11).
    #[must_use]
    pub fn is_unsafe(&self) -> bool {
        !matches!(self, Self::Damaged(_) | Self::Io { .. })
    }
}

/// Where a file's bytes are.
#[derive(Debug, Clone)]
pub enum FileData {
    /// In memory.
    Memory(Arc<[u8]>),
    /// In a file: of the spool folder, or of the course folder itself.
    Disk {
        /// Its place.
        path: PathBuf,
        /// Its length in bytes.
        length: u64,
    },
}

impl FileData {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk { length, .. } => *length,
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes. For files of unknown length prefer [`FileData::open`].
    pub fn read(&self) -> io::Result<Arc<[u8]>> {
        match self {
            Self::Memory(bytes) => Ok(Arc::clone(bytes)),
            Self::Disk { path, .. } => std::fs::read(path).map(Into::into),
        }
    }

    /// A reader over the bytes.
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Memory(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
            Self::Disk { path, .. } => Box::new(File::open(path)?),
        })
    }
}

/// The files of an archive or folder by path, `/` between components, no leading `./`.
#[derive(Debug, Clone, Default)]
pub struct ArchiveFiles {
    files: BTreeMap<String, FileData>,
    dead_links: Vec<String>,
    limits: Limits,
    /// Name of the folder that was read; empty for archives.
    folder: String,
}

impl ArchiveFiles {
    /// Files given one by one; for tests and for content that is no archive.
    pub fn from_files<P: Into<String>, B: Into<Arc<[u8]>>>(
        files: impl IntoIterator<Item = (P, B)>,
        limits: &Limits,
    ) -> Self {
        Self {
            files: files
                .into_iter()
                .map(|(path, bytes)| (path.into(), FileData::Memory(bytes.into())))
                .collect(),
            dead_links: Vec::new(),
            limits: limits.clone(),
            folder: String::new(),
        }
    }

    /// Name of the folder that was read; empty for archives, whose folders are all inside.
    #[must_use]
    pub fn folder_name(&self) -> &str {
        &self.folder
    }

    /// The limits that it was read with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The file at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&FileData> {
        self.files.get(path)
    }

    /// All files in order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FileData)> {
        self.files.iter().map(|(path, data)| (path.as_str(), data))
    }

    /// Files below a folder, given with its trailing `/`, in order of their paths.
    #[must_use]
    pub fn below(&self, folder: &str) -> Vec<(&str, &FileData)> {
        let from = std::ops::Bound::Included(folder);
        self.files
            .range::<str, _>((from, std::ops::Bound::Unbounded))
            .take_while(|(path, _)| path.starts_with(folder))
            .map(|(path, data)| (path.as_str(), data))
            .collect()
    }

    /// Links that lead nowhere; they were dropped.
    #[must_use]
    pub fn dead_links(&self) -> &[String] {
        &self.dead_links
    }

    /// The folder, with its trailing `/` (empty for the top), of the first file called `name`: a folder's
    /// own files come before its subfolders (olx.md §1).
    #[must_use]
    pub fn find_root(&self, name: &str) -> Option<String> {
        let folder = |path: &str| {
            let stem = path.strip_suffix(name)?;
            (stem.is_empty() || stem.ends_with('/')).then(|| stem.to_owned())
        };
        let roots: Vec<String> = self.files.keys().filter_map(|path| folder(path)).collect();
        roots
            .into_iter()
            .min_by(|a, b| a.split('/').cmp(b.split('/')))
    }
}

/// Reads a gzip tar or a zip, told apart by their first bytes.
///
/// `spool` is an empty folder for large files; without it all stay in memory. The files in it must live as
/// long as the result.
pub fn read_archive<R: Read + Seek>(
    mut reader: R,
    limits: &Limits,
    spool: Option<&Path>,
) -> Result<ArchiveFiles, ArchiveError> {
    let damaged = |error: io::Error| ArchiveError::Damaged(error.to_string());
    let mut magic = [0; 4];
    let got = read_up_to(&mut reader, &mut magic).map_err(damaged)?;
    reader.seek(SeekFrom::Start(0)).map_err(damaged)?;
    let mut collector = Collector::new(limits, spool);
    match magic.get(..got).unwrap_or_default() {
        [0x1f, 0x8b, ..] => collector.tar(reader)?,
        [b'P', b'K', ..] => collector.zip(reader)?,
        _ => return Err(ArchiveError::Damaged("neither .tar.gz nor .zip".into())),
    }
    collector.finish()
}

/// Reads a course folder in place. Links are followed by the same rules as in archives.
pub fn read_folder(root: &Path, limits: &Limits) -> Result<ArchiveFiles, ArchiveError> {
    let mut collector = Collector::new(limits, None);
    collector.folder(root, "", 0)?;
    let mut files = collector.finish()?;
    let name = root.file_name().unwrap_or_default();
    files.folder = name.to_string_lossy().into_owned();
    Ok(files)
}

fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
