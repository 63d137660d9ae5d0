//! The loop over members: checks, counts, spools, and turns links into copies.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{ArchiveError, ArchiveFiles, FileData, Limits};

/// What the archive has at a path, before links are followed.
enum Member {
    File(FileData),
    Folder,
    /// A symbolic link: target relative to the link's folder.
    Symbolic(String),
    /// A hard link: target relative to the archive's top.
    Hard(String),
}

/// Gathers the members of an archive or folder.
pub(super) struct Collector<'a> {
    limits: &'a Limits,
    spool: Option<&'a Path>,
    members: BTreeMap<String, Member>,
    seen: usize,
    files: usize,
    bytes: u64,
}

/// Counts what is read through it.
struct Counting<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.count.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(limits: &'a Limits, spool: Option<&'a Path>) -> Self {
        Self {
            limits,
            spool,
            members: BTreeMap::new(),
            seen: 0,
            files: 0,
            bytes: 0,
        }
    }

    pub(super) fn tar<R: Read>(&mut self, reader: R) -> Result<(), ArchiveError> {
        let tripped = Arc::new(AtomicBool::new(false));
        let read = self.tar_members(reader, &tripped);
        if read.is_err() && tripped.load(Ordering::Relaxed) {
            return Err(self.too_much("(archive)", "unpacked bytes for one packed byte"));
        }
        read
    }

    fn tar_members<R: Read>(
        &mut self,
        reader: R,
        tripped: &Arc<AtomicBool>,
    ) -> Result<(), ArchiveError> {
        let damaged = |error: io::Error| ArchiveError::Damaged(error.to_string());
        let packed = Arc::new(AtomicU64::new(0));
        let counting = Counting {
            inner: reader,
            count: Arc::clone(&packed),
        };
        let guarded = Guard {
            inner: flate2::read::MultiGzDecoder::new(io::BufReader::new(counting)),
            unpacked: 0,
            packed: Arc::clone(&packed),
            limits: self.limits.clone(),
            tripped: Arc::clone(tripped),
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
            let member = match kind {
                tar::EntryType::Regular
                | tar::EntryType::Continuous
                | tar::EntryType::GNUSparse => {
                    if entry.size() > self.limits.file_bytes {
                        return Err(self.too_much(&path, "bytes in one file"));
                    }
                    let packed = Arc::clone(&packed);
                    let packed = move || packed.load(Ordering::Relaxed);
                    Member::File(self.file(&path, &mut entry, &packed)?)
                }
                tar::EntryType::Directory => Member::Folder,
                tar::EntryType::Symlink => Member::Symbolic(link_target_text(&entry)),
                tar::EntryType::Link => Member::Hard(link_target_text(&entry)),
                _ => return Err(ArchiveError::Kind { path: name }),
            };
            self.members.insert(path, member);
        }
        Ok(())
    }

    pub(super) fn zip<R: Read + Seek>(&mut self, reader: R) -> Result<(), ArchiveError> {
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

    pub(super) fn folder(
        &mut self,
        root: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), ArchiveError> {
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
    pub(super) fn finish(mut self) -> Result<ArchiveFiles, ArchiveError> {
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
            folder: String::new(),
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

/// Ends with an error when more is unpacked than allowed, headers and long names included.
struct Guard<R> {
    inner: R,
    unpacked: u64,
    packed: Arc<AtomicU64>,
    limits: Limits,
    tripped: Arc<AtomicBool>,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.unpacked += got as u64;
        let packed = self.packed.load(Ordering::Relaxed);
        let padding = self.limits.members as u64 * 1024;
        if self.unpacked > self.limits.total_bytes.saturating_add(padding)
            || self.unpacked > self.limits.ratio_floor
                && self.unpacked > packed.saturating_mul(self.limits.ratio)
        {
            self.tripped.store(true, Ordering::Relaxed);
            return Err(io::Error::other("more unpacked bytes than allowed"));
        }
        Ok(got)
    }
}

fn link_target_text<R: Read>(entry: &tar::Entry<'_, R>) -> String {
    let target = entry.link_name_bytes().unwrap_or_default();
    String::from_utf8_lossy(&target).into_owned()
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
