//! Reading an archive or a folder without trusting it (olx.md §13, design.md `Links in archives`).
//!
//! Nothing is extracted by the archive libraries: every member is checked, links become copies, and what
//! is read is counted against [`Limits`]. Small files stay in memory, large ones go to a spool folder
//! that the caller owns, so that an import's memory does not grow with its videos.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
        }
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

/// What the archive has at a path, before links are followed.
enum Member {
    File(FileData),
    Folder,
    /// A symbolic link: target relative to the link's folder.
    Symbolic(String),
    /// A hard link: target relative to the archive's top.
    Hard(String),
}

struct Collector<'a> {
    limits: &'a Limits,
    spool: Option<&'a Path>,
    members: BTreeMap<String, Member>,
    seen: usize,
    files: usize,
    bytes: u64,
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
    collector.finish()
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

/// Counts what is read through it.
struct Counting<R> {
    inner: R,
    count: Arc<std::sync::atomic::AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.count
            .fetch_add(got as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(got)
    }
}

impl<'a> Collector<'a> {
    fn new(limits: &'a Limits, spool: Option<&'a Path>) -> Self {
        Self {
            limits,
            spool,
            members: BTreeMap::new(),
            seen: 0,
            files: 0,
            bytes: 0,
        }
    }

    fn tar<R: Read>(&mut self, reader: R) -> Result<(), ArchiveError> {
        let damaged = |error: io::Error| ArchiveError::Damaged(error.to_string());
        let packed = Arc::default();
        let counting = Counting {
            inner: reader,
            count: Arc::clone(&packed),
        };
        let plain = flate2::read::MultiGzDecoder::new(io::BufReader::new(counting));
        // Long names and extension headers are read whole by the library: the guard stops them.
        let guarded = Guard {
            inner: plain,
            left: self.limits.total_bytes.saturating_mul(2),
        };
        let mut archive = tar::Archive::new(guarded);
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if kind.is_pax_global_extensions() {
                continue;
            }
            let path = self.member_path(&name)?;
            let link = |entry: &tar::Entry<'_, _>| {
                let target = entry.link_name_bytes().unwrap_or_default();
                String::from_utf8_lossy(&target).into_owned()
            };
            let member = match kind {
                tar::EntryType::Regular
                | tar::EntryType::Continuous
                | tar::EntryType::GNUSparse => {
                    if entry.size() > self.limits.file_bytes {
                        return Err(self.too_much(&path, "bytes in one file"));
                    }
                    let packed = Arc::clone(&packed);
                    let packed = move || packed.load(std::sync::atomic::Ordering::Relaxed);
                    Member::File(self.file(&path, &mut entry, &packed)?)
                }
                tar::EntryType::Directory => Member::Folder,
                tar::EntryType::Symlink => Member::Symbolic(link(&entry)),
                tar::EntryType::Link => Member::Hard(link(&entry)),
                _ => return Err(ArchiveError::Kind { path: name }),
            };
            self.members.insert(path, member);
        }
        Ok(())
    }

    fn zip<R: Read + Seek>(&mut self, reader: R) -> Result<(), ArchiveError> {
        let damaged = |error: zip::result::ZipError| ArchiveError::Damaged(error.to_string());
        let mut archive = zip::ZipArchive::new(reader).map_err(damaged)?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(damaged)?;
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            let path = self.member_path(&name)?;
            let member = if name.ends_with('/') {
                Member::Folder
            } else {
                let packed = entry.compressed_size().max(1);
                let before = self.bytes;
                // A zip's members overlap at will, so the ratio is that of each member.
                let packed = move || packed + before / 2;
                Member::File(self.file(&path, &mut entry, &packed)?)
            };
            self.members.insert(path, member);
        }
        Ok(())
    }

    fn folder(&mut self, root: &Path, prefix: &str, depth: usize) -> Result<(), ArchiveError> {
        let fail = |error| ArchiveError::Io {
            path: prefix.to_owned(),
            error,
        };
        if depth > 64 {
            return Err(self.too_much(prefix, "levels of folders"));
        }
        for entry in std::fs::read_dir(root.join(prefix)).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = format!("{prefix}{name}");
            let path = self.member_path(&name)?;
            let kind = entry.file_type().map_err(fail)?;
            let member = if kind.is_symlink() {
                let target = std::fs::read_link(entry.path()).map_err(fail)?;
                Member::Symbolic(target.to_string_lossy().into_owned())
            } else if kind.is_dir() {
                if entry.file_name() != ".git" {
                    self.folder(root, &format!("{path}/"), depth + 1)?;
                }
                Member::Folder
            } else if kind.is_file() {
                let length = entry.metadata().map_err(fail)?.len();
                self.count_file(&path)?;
                self.count_bytes(&path, length, length)?;
                Member::File(FileData::Disk {
                    path: entry.path(),
                    length,
                })
            } else {
                return Err(ArchiveError::Kind { path: name });
            };
            self.members.insert(path, member);
        }
        Ok(())
    }

    fn too_much(&self, path: &str, what: &'static str) -> ArchiveError {
        let limit = match what {
            "members" => self.limits.members as u64,
            "files" => self.limits.files as u64,
            "bytes" => self.limits.total_bytes,
            "bytes in one file" => self.limits.file_bytes,
            "unpacked bytes for one packed byte" => self.limits.ratio,
            "bytes in one path" => self.limits.path_bytes as u64,
            _ => 64,
        };
        ArchiveError::TooMuch {
            path: path.to_owned(),
            what,
            limit,
        }
    }

    /// Checks and normalises the path of a member.
    fn member_path(&mut self, name: &str) -> Result<String, ArchiveError> {
        self.seen += 1;
        if self.seen > self.limits.members {
            return Err(self.too_much(name, "members"));
        }
        if name.len() > self.limits.path_bytes {
            return Err(self.too_much(name, "bytes in one path"));
        }
        join("", name).ok_or_else(|| ArchiveError::Path {
            path: name.to_owned(),
        })
    }

    fn count_file(&mut self, path: &str) -> Result<(), ArchiveError> {
        self.files += 1;
        if self.files > self.limits.files {
            return Err(self.too_much(path, "files"));
        }
        Ok(())
    }

    fn count_bytes(&mut self, path: &str, more: u64, in_file: u64) -> Result<(), ArchiveError> {
        self.bytes = self.bytes.saturating_add(more);
        if in_file > self.limits.file_bytes {
            return Err(self.too_much(path, "bytes in one file"));
        }
        if self.bytes > self.limits.total_bytes {
            return Err(self.too_much(path, "bytes"));
        }
        Ok(())
    }

    /// Reads a file's bytes into memory or the spool folder, counting.
    fn file(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        packed: &dyn Fn() -> u64,
    ) -> Result<FileData, ArchiveError> {
        self.count_file(path)?;
        let fail = |error| ArchiveError::Io {
            path: path.to_owned(),
            error,
        };
        let mut memory = Vec::new();
        let mut disk: Option<(PathBuf, File)> = None;
        let mut length = 0;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let got = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ArchiveError::Damaged(format!("{path}: {error}"))),
            };
            length += got as u64;
            self.count_bytes(path, got as u64, length)?;
            if self.bytes > self.limits.ratio_floor
                && self.bytes > packed().saturating_mul(self.limits.ratio)
            {
                return Err(self.too_much(path, "unpacked bytes for one packed byte"));
            }
            let piece = buffer.get(..got).unwrap_or_default();
            if let Some((_, file)) = &mut disk {
                file.write_all(piece).map_err(fail)?;
                continue;
            }
            memory.extend_from_slice(piece);
            if let Some(spool) = self.spool
                && length > self.limits.memory_file_bytes
            {
                let place = spool.join(format!("{}", self.files));
                let mut file = File::create_new(&place).map_err(fail)?;
                file.write_all(&memory).map_err(fail)?;
                memory = Vec::new();
                disk = Some((place, file));
            }
        }
        Ok(match disk {
            Some((path, _)) => FileData::Disk { path, length },
            None => FileData::Memory(memory.into()),
        })
    }

    /// Checks all links and puts copies in their places.
    fn finish(mut self) -> Result<ArchiveFiles, ArchiveError> {
        let mut copies = Vec::new();
        let mut dead_links = Vec::new();
        for (path, member) in &self.members {
            if let Some((target, shown)) = Self::link_target(path, member) {
                match target {
                    Some(target) => match self.follow(target) {
                        Some(found) => copies.push((path.clone(), found)),
                        None => dead_links.push(path.clone()),
                    },
                    None => {
                        return Err(ArchiveError::Link {
                            path: path.clone(),
                            target: shown.to_owned(),
                        });
                    }
                }
            }
        }
        let mut files: BTreeMap<String, FileData> = BTreeMap::new();
        let mut links = Vec::new();
        for (path, found) in copies {
            if let Some(Member::File(data)) = self.members.get(&found) {
                links.push((path, data.clone()));
            } else {
                // A link to a folder is a copy of all that it holds, links left out.
                let folder = format!("{found}/");
                let held: Vec<_> = self
                    .members
                    .range(folder.clone()..)
                    .take_while(|(held, _)| held.starts_with(&folder))
                    .filter_map(|(held, member)| match member {
                        Member::File(data) => {
                            let rest = held.get(folder.len()..)?;
                            Some((format!("{path}/{rest}"), data.clone()))
                        }
                        _ => None,
                    })
                    .collect();
                links.extend(held);
            }
            if links.len() + self.files > self.limits.files {
                return Err(self.too_much(&found, "files"));
            }
        }
        for (path, data) in &links {
            self.count_bytes(path, data.len(), data.len())?;
        }
        for (path, member) in self.members {
            if let Member::File(data) = member {
                files.insert(path, data);
            }
        }
        files.extend(links);
        Ok(ArchiveFiles {
            files,
            dead_links,
            limits: self.limits.clone(),
        })
    }

    /// For a link: where it leads (`None` when out of its own folder) and its target as written.
    fn link_target<'m>(path: &str, member: &'m Member) -> Option<(Option<String>, &'m str)> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let (target, base) = match member {
            Member::Symbolic(target) => (target, folder),
            Member::Hard(target) => (target, ""),
            Member::File(_) | Member::Folder => return None,
        };
        let inside = join(base, target).filter(|found| {
            let rest = if folder.is_empty() {
                Some(found.as_str())
            } else {
                found
                    .strip_prefix(folder)
                    .and_then(|rest| rest.strip_prefix('/'))
            };
            // A link to a folder that holds the link would never end.
            rest.is_some_and(|rest| !rest.is_empty()) && !path.starts_with(&format!("{found}/"))
        });
        Some((inside, target))
    }

    /// The file or folder that a path stands for, through further links.
    fn follow(&self, mut path: String) -> Option<String> {
        for _ in 0..16 {
            match self.members.get(&path) {
                Some(member @ (Member::Symbolic(_) | Member::Hard(_))) => {
                    path = Self::link_target(&path, member)?.0?;
                }
                Some(Member::File(_) | Member::Folder) => return Some(path),
                None => {
                    let folder = format!("{path}/");
                    let held = self.members.range(folder.clone()..).next();
                    return held
                        .is_some_and(|(held, _)| held.starts_with(&folder))
                        .then_some(path);
                }
            }
        }
        None
    }
}

/// Ends with an error when more is read than allowed.
struct Guard<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(got as u64)
            .ok_or_else(|| io::Error::other("more unpacked bytes than allowed"))?;
        Ok(got)
    }
}

/// A relative path below a folder, `.` and `..` resolved by component. `None` when it is absolute, leads
/// above the top or holds a NUL.
fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
