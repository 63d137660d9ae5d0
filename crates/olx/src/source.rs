//! Names in archives: the course's own key, block ids, paths (olx.md §2).

use std::sync::Arc;

use opaque_keys::CourseKey;
use opaque_keys::{clean, is_word_char};

use crate::archive::{ArchiveFiles, FileData};
use crate::error::{Error, Fault};
use crate::xml::{self, Element};

/// The key that an archive gives itself. For courses the reference makes it a deprecated key,
/// `ORG/NUM/RUN`, hence always another one than the target's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceKey {
    /// Organisation.
    pub org: String,
    /// Course number, or the library's code.
    pub course: String,
    /// Run; `library` for libraries.
    pub run: String,
    /// Whether it is a library.
    pub library: bool,
}

impl SourceKey {
    /// The new-style key of the same names: where an archive goes when no target is given.
    pub fn course_key(&self) -> Result<CourseKey, opaque_keys::InvalidKeyError> {
        if self.library {
            CourseKey::new_library(&self.org, &self.course)
        } else {
            CourseKey::new(&self.org, &self.course, &self.run)
        }
    }
}

/// A course's folder inside the files of an archive.
#[derive(Clone)]
pub(crate) struct Folder<'a> {
    archive: &'a ArchiveFiles,
    prefix: String,
}

impl<'a> Folder<'a> {
    pub(crate) fn new(archive: &'a ArchiveFiles, prefix: impl Into<String>) -> Self {
        Self {
            archive,
            prefix: prefix.into(),
        }
    }

    pub(crate) fn archive(&self) -> &'a ArchiveFiles {
        self.archive
    }

    /// Name of the folder itself; the reference's stand-in for a missing course number.
    pub(crate) fn name(&self) -> &str {
        self.prefix
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.archive.folder_name())
    }

    pub(crate) fn below(&self, folder: &str) -> Folder<'a> {
        Folder::new(self.archive, format!("{}{folder}", self.prefix))
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.archive
            .get(&format!("{}{path}", self.prefix))
            .is_some()
    }

    pub(crate) fn bytes(&self, path: &str) -> Option<std::io::Result<Arc<[u8]>>> {
        let data = self.archive.get(&format!("{}{path}", self.prefix))?;
        let limit = self.archive.limits().xml.bytes as u64;
        if data.len() > limit {
            return Some(Err(std::io::Error::other(format!(
                "text file of more than {limit} bytes"
            ))));
        }
        Some(data.read())
    }

    /// A file as UTF-8 text; the fault names the path.
    pub(crate) fn text(&self, path: &str) -> Result<String, Fault> {
        let file: Arc<str> = path.into();
        match self.bytes(path) {
            None => Err(Fault::new(&file, 0, format!("resource '{path}' not found"))),
            Some(Err(error)) => Err(Fault::new(&file, 0, error.to_string())),
            Some(Ok(bytes)) => String::from_utf8(bytes.to_vec()).map_err(|error| {
                let good = error.utf8_error().valid_up_to();
                let line = 1 + xml::line_feeds(bytes.get(..good).unwrap_or_default());
                Fault::new(&file, line as u32, "the file is not UTF-8")
            }),
        }
    }

    /// Files below a subfolder (given with its trailing `/`), paths relative to that subfolder.
    pub(crate) fn files(&self, folder: &str) -> Vec<(String, &'a FileData)> {
        let prefix = format!("{}{folder}", self.prefix);
        let found = self.archive.below(&prefix).into_iter();
        found
            .map(|(path, data)| {
                (
                    path.get(prefix.len()..).unwrap_or_default().to_owned(),
                    data,
                )
            })
            .collect()
    }
}

/// Reads a file of the course folder as XML.
pub(crate) fn read_xml(folder: &Folder<'_>, path: &str) -> Result<Element, Fault> {
    let text = folder.text(path)?;
    xml::parse(&text, &folder.archive().limits().xml).map_err(|error| {
        let mut fault = Fault::new(&path.into(), error.line, error.message);
        fault.syntax = true;
        fault
    })
}

/// What the root file says of the course before any block is read.
pub(crate) struct RootFile {
    pub(crate) key: SourceKey,
    pub(crate) element: Element,
    /// Run by which policies are looked up; none when the course has only a `name`.
    pub(crate) policy_run: Option<String>,
    pub(crate) remarks: Vec<String>,
}

/// Name of the root file of a kind of archive.
pub(crate) fn root_name(library: bool) -> &'static str {
    if library { "library.xml" } else { "course.xml" }
}

pub(crate) fn find_folder(files: &ArchiveFiles, library: bool) -> Result<Folder<'_>, Error> {
    let name = root_name(library);
    let prefix = files.find_root(name).ok_or(Error::NoRoot(name))?;
    Ok(Folder::new(files, prefix))
}

pub(crate) fn read_root(folder: &Folder<'_>, library: bool) -> Result<RootFile, Error> {
    let name = root_name(library);
    let file: Arc<str> = name.into();
    let element = read_xml(folder, name).map_err(Error::Root)?;
    let fail = |text: &str| Error::Root(Fault::new(&file, element.line, text));
    let mut remarks = Vec::new();
    let org = element.get("org").map_or_else(
        || {
            remarks.push("No 'org' attribute set for courselike. Using default 'edx'".to_owned());
            "edx".to_owned()
        },
        str::to_owned,
    );
    let label = if library { "library" } else { "course" };
    let course = element.get(label).map_or_else(
        || {
            remarks.push(format!(
                "No '{label}' attribute set for course. Using default '{}'",
                folder.name()
            ));
            folder.name().to_owned()
        },
        str::to_owned,
    );
    let url_name = element.get("url_name").or_else(|| element.get("slug"));
    let policy_run = url_name.filter(|name| !name.is_empty()).map(str::to_owned);
    let run = match (&policy_run, element.get("name")) {
        (Some(run), _) => run.clone(),
        (None, Some(name)) if !name.is_empty() => {
            remarks.push(
                "'name' is deprecated for module xml.  Please use display_name and url_name."
                    .to_owned(),
            );
            clean(name)
        }
        _ if library => "library".to_owned(),
        _ => {
            return Err(fail(
                "Can't load a course without a 'url_name' (or 'name') set.  Set url_name.",
            ));
        }
    };
    let part = |text: &str| !text.is_empty() && text.chars().all(is_key_char);
    if !(part(&org) && part(&course) && part(&run)) {
        return Err(fail(
            "org, course and url_name hold characters that no course key may hold",
        ));
    }
    if !element.is(label) {
        return Err(fail(&format!("the root element is no <{label}>")));
    }
    let run = if library { "library".to_owned() } else { run };
    Ok(RootFile {
        key: SourceKey {
            org,
            course,
            run,
            library,
        },
        element,
        policy_run,
        remarks,
    })
}

/// The key that an archive gives itself; a library when it has only `library.xml`.
pub fn source_key(files: &ArchiveFiles) -> Result<SourceKey, Error> {
    let library =
        files.find_root("course.xml").is_none() && files.find_root("library.xml").is_some();
    let folder = find_folder(files, library)?;
    Ok(read_root(&folder, library)?.key)
}

/// What parts of deprecated course keys are made of.
fn is_key_char(c: char) -> bool {
    is_word_char(c) || matches!(c, '.' | '%' | '-')
}

/// Whether a deprecated usage key may have this block id; other blocks are lost (olx.md §16).
pub(crate) fn is_block_id(id: &str) -> bool {
    !id.is_empty()
        && id
            .chars()
            .all(|c| is_word_char(c) || matches!(c, '.' | '%' | '-' | '~' | ':'))
}

/// Path of a block id: `:` stands for `/` (olx.md §1).
#[must_use]
pub fn name_to_pathname(name: &str) -> String {
    name.replace(':', "/")
}

/// Whether a node points at a file: no children, no text but blanks, `url_name` as its only attribute
/// (for a course with `org` and `course`) (olx.md §3.1).
#[must_use]
pub fn is_pointer(element: &Element) -> bool {
    let wanted: &[&str] = if element.is("course") {
        &["url_name", "org", "course"]
    } else {
        &["url_name"]
    };
    element.children.is_empty()
        && element.text().trim().is_empty()
        && element.attributes.len() == wanted.len()
        && wanted.iter().all(|name| element.get(name).is_some())
}
