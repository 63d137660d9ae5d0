//! Keys of courses, v1 libraries and custom courses.

use std::fmt;
use std::sync::Arc;

use crate::locator::{Grammar, Locator, read};
use crate::text::{all_of, is_deprecated_char, is_id_char, is_name_char, is_object_id};
use crate::{AssetKey, InvalidKeyError, UsageKey, text_key};

const FAMILY: &str = "CourseKey";

/// The key of a course run, of a v1 library (its run is always `library`) or of a custom course.
///
/// It holds organisation, course and run, or a version id, or both, and perhaps a branch. Public texts and
/// database rows carry neither branch nor version.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CourseKey(Arc<Parts>);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Parts {
    org: Option<Box<str>>,
    course: Option<Box<str>>,
    run: Option<Box<str>>,
    branch: Option<Box<str>>,
    version: Option<Box<str>>,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Course,
    /// `Org/Course/Run`; a key read from an `i4x` text has no run.
    Deprecated,
    Library,
    Ccx(Box<str>),
}

fn boxed(text: Option<&str>) -> Option<Box<str>> {
    text.map(Box::from)
}

impl CourseKey {
    /// The key `course-v1:ORG+COURSE+RUN`. Each part is one or more of `[\w\-~.:]`.
    pub fn new(org: &str, course: &str, run: &str) -> Result<Self, InvalidKeyError> {
        Self::checked(Parts {
            org: boxed(Some(org)),
            course: boxed(Some(course)),
            run: boxed(Some(run)),
            branch: None,
            version: None,
            kind: Kind::Course,
        })
    }

    /// The key `library-v1:ORG+LIBRARY`.
    pub fn new_library(org: &str, library: &str) -> Result<Self, InvalidKeyError> {
        Self::checked(Parts {
            org: boxed(Some(org)),
            course: boxed(Some(library)),
            run: None,
            branch: None,
            version: None,
            kind: Kind::Library,
        })
    }

    /// The deprecated key `ORG/COURSE/RUN`, as course archives name their source (olx.md §2).
    pub fn new_deprecated(org: &str, course: &str, run: &str) -> Result<Self, InvalidKeyError> {
        Self::deprecated(org, course, Some(run), None)
    }

    pub(crate) fn deprecated(
        org: &str,
        course: &str,
        run: Option<&str>,
        revision: Option<&str>,
    ) -> Result<Self, InvalidKeyError> {
        Self::checked(Parts {
            org: boxed(Some(org)),
            course: boxed(Some(course)),
            run: boxed(run),
            branch: boxed(revision),
            version: None,
            kind: Kind::Deprecated,
        })
    }

    /// Reads a course key, library key or custom course key.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        let invalid = || InvalidKeyError::new(FAMILY, text);
        let read_plain = |rest| read(rest, Grammar::Plain).ok_or_else(invalid);
        let key = match text.split_once(':') {
            Some(("course-v1" | "slashes", rest)) => Self::from_locator(&read_plain(rest)?),
            Some(("library-v1", rest)) => Self::library_from_locator(&read_plain(rest)?),
            Some(("ccx-v1", rest)) => {
                Self::ccx_from_locator(&read(rest, Grammar::Ccx).ok_or_else(invalid)?)
            }
            _ => {
                let mut parts = text.split('/');
                match (parts.next(), parts.next(), parts.next(), parts.next()) {
                    (Some(org), Some(course), Some(run), None) => {
                        Self::new_deprecated(org, course, run)
                    }
                    _ => Err(invalid()),
                }
            }
        };
        key.map_err(|_| invalid())
    }

    pub(crate) fn from_locator(locator: &Locator<'_>) -> Result<Self, InvalidKeyError> {
        Self::checked(Parts {
            org: boxed(locator.org),
            course: boxed(locator.course),
            run: boxed(locator.run),
            branch: boxed(locator.branch),
            version: boxed(locator.version.as_deref()),
            kind: Kind::Course,
        })
    }

    pub(crate) fn library_from_locator(locator: &Locator<'_>) -> Result<Self, InvalidKeyError> {
        Self::checked(Parts {
            org: boxed(locator.org),
            course: boxed(locator.course),
            run: None,
            branch: boxed(locator.branch),
            version: boxed(locator.version.as_deref()),
            kind: Kind::Library,
        })
    }

    pub(crate) fn ccx_from_locator(locator: &Locator<'_>) -> Result<Self, InvalidKeyError> {
        Self::checked(Parts {
            org: boxed(locator.org),
            course: boxed(locator.course),
            run: boxed(locator.run),
            branch: boxed(locator.branch),
            version: boxed(locator.version.as_deref()),
            kind: Kind::Ccx(Box::from(locator.ccx.unwrap_or_default())),
        })
    }

    /// Checks what the constructors of the reference check.
    fn checked(parts: Parts) -> Result<Self, InvalidKeyError> {
        let names = [&parts.org, &parts.course, &parts.run];
        let all = |parts: &[&Option<Box<str>>], allowed: fn(char) -> bool| {
            parts
                .iter()
                .all(|part| part.as_deref().is_none_or(|text| all_of(text, allowed)))
        };
        let good = match parts.kind {
            Kind::Deprecated => {
                let filled = |part: &Option<Box<str>>| {
                    part.as_deref()
                        .is_some_and(|text| all_of(text, is_deprecated_char))
                };
                filled(&parts.org)
                    && filled(&parts.course)
                    && parts
                        .run
                        .as_deref()
                        .is_none_or(|run| run.chars().all(is_deprecated_char))
                    && all(&[&parts.branch], is_name_char)
            }
            Kind::Course | Kind::Library | Kind::Ccx(_) => {
                let named = parts.org.is_some()
                    && parts.course.is_some()
                    && (parts.run.is_some() || parts.kind == Kind::Library);
                all(&names, is_id_char)
                    && all(&[&parts.branch], is_id_char)
                    && parts.version.as_deref().map_or(named, is_object_id)
            }
        };
        let key = Self(Arc::new(parts));
        if good {
            Ok(key)
        } else {
            Err(InvalidKeyError::new(FAMILY, key.to_string()))
        }
    }

    /// A copy with changed parts, checked again. An unchanged copy needs no check.
    fn replace(&self, change: impl FnOnce(&mut Parts)) -> Result<Self, InvalidKeyError> {
        let mut parts = Parts::clone(&self.0);
        change(&mut parts);
        if parts == *self.0 {
            Ok(self.clone())
        } else {
            Self::checked(parts)
        }
    }

    /// Organisation; empty when the key is a version alone.
    #[must_use]
    pub fn org(&self) -> &str {
        self.0.org.as_deref().unwrap_or_default()
    }

    /// Course number, or the name of a library; empty when the key is a version alone.
    #[must_use]
    pub fn course(&self) -> &str {
        self.0.course.as_deref().unwrap_or_default()
    }

    /// Run; `library` for a library; empty when the key is a version alone or comes from an `i4x` text.
    #[must_use]
    pub fn run(&self) -> &str {
        match self.0.kind {
            Kind::Library => "library",
            _ => self.0.run.as_deref().unwrap_or_default(),
        }
    }

    /// Whether the parts organisation, course and run (always there for a library) are written.
    #[must_use]
    pub fn has_names(&self) -> (bool, bool, bool) {
        let run = self.0.kind == Kind::Library || self.0.run.is_some();
        (self.0.org.is_some(), self.0.course.is_some(), run)
    }

    /// Branch, as `draft-branch`.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.0.branch.as_deref()
    }

    /// Id of a structure document, 24 hex digits.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.0.version.as_deref()
    }

    /// Id of a custom course, as written.
    #[must_use]
    pub fn ccx(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Ccx(ccx) => Some(ccx),
            _ => None,
        }
    }

    /// Whether this is the key of a v1 library.
    #[must_use]
    pub fn is_library(&self) -> bool {
        self.0.kind == Kind::Library
    }

    /// Whether this is a key of the deprecated form, which no course can be run under.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.0.kind == Kind::Deprecated
    }

    /// Namespace in which the key is printed; a deprecated key is of `course-v1`, but printed without.
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        match self.0.kind {
            Kind::Course | Kind::Deprecated => "course-v1",
            Kind::Library => "library-v1",
            Kind::Ccx(_) => "ccx-v1",
        }
    }

    /// The same course on `branch` (`None`: on no branch), without version.
    /// A key that is a version alone has no branches.
    pub fn for_branch(&self, branch: Option<&str>) -> Result<Self, InvalidKeyError> {
        if self.0.org.is_none() {
            return Err(InvalidKeyError::new(FAMILY, self.to_string()));
        }
        self.replace(|parts| {
            parts.branch = boxed(branch);
            parts.version = None;
        })
    }

    /// The same course and branch at `version`, 24 hex digits. A deprecated key holds it but does not print it.
    pub fn for_version(&self, version: &str) -> Result<Self, InvalidKeyError> {
        self.replace(|parts| {
            parts.version = Some(Box::from(version.to_ascii_lowercase()));
        })
    }

    /// Without version; fails for a key that is a version alone.
    pub fn version_agnostic(&self) -> Result<Self, InvalidKeyError> {
        self.replace(|parts| parts.version = None)
    }

    /// The version alone; fails for a key without version.
    pub fn course_agnostic(&self) -> Result<Self, InvalidKeyError> {
        self.replace(|parts| {
            parts.org = None;
            parts.course = None;
            parts.run = None;
            parts.branch = None;
        })
    }

    /// The course of a custom course; any other key unchanged.
    #[must_use]
    pub fn without_ccx(&self) -> Self {
        match self.0.kind {
            Kind::Ccx(_) => Self(Arc::new(Parts {
                kind: Kind::Course,
                ..Parts::clone(&self.0)
            })),
            _ => self.clone(),
        }
    }

    /// The key of a block of this course. The type is not checked (courseware.md §18) except in a library;
    /// the id is one or more of `[\w\-~.:]`, in a deprecated course also `%`.
    pub fn make_usage_key(
        &self,
        block_type: &str,
        block_id: &str,
    ) -> Result<UsageKey, InvalidKeyError> {
        UsageKey::in_course(self.clone(), block_type, block_id)
    }

    /// The key of the asset stored under `path`, one or more of `[\w\-~.:%]`. For a path as authors write
    /// it use [`AssetKey::for_path`].
    pub fn make_asset_key(&self, path: &str) -> Result<AssetKey, InvalidKeyError> {
        self.make_asset_key_of_type("asset", path)
    }

    /// Like [`Self::make_asset_key`] with a type, as `thumbnail`.
    pub fn make_asset_key_of_type(
        &self,
        asset_type: &str,
        path: &str,
    ) -> Result<AssetKey, InvalidKeyError> {
        AssetKey::new(self.without_ccx(), asset_type, path)
    }

    /// The text that serves as an id in pages: that of the key.
    #[must_use]
    pub fn html_id(&self) -> String {
        self.to_string()
    }

    /// Whether the key can be printed: a deprecated key without run, as in an `i4x` key, cannot.
    #[must_use]
    pub fn is_printable(&self) -> bool {
        !(self.is_deprecated() && self.0.run.is_none())
    }

    /// Writes the body of a `-v1` key.
    pub(crate) fn write_body(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        let mut separator = "";
        if let (Some(org), Some(course)) = (&parts.org, &parts.course) {
            let run = parts.run.as_deref();
            if parts.kind == Kind::Library || run.is_some() {
                write!(f, "{org}+{course}")?;
                if let Some(run) = run {
                    write!(f, "+{run}")?;
                }
                if let Some(branch) = &parts.branch {
                    write!(f, "+branch@{branch}")?;
                }
                separator = "+";
            }
        }
        if let Some(version) = &parts.version {
            write!(f, "{separator}version@{version}")?;
        }
        if let Kind::Ccx(ccx) = &parts.kind {
            write!(f, "+ccx@{ccx}")?;
        }
        Ok(())
    }
}

impl fmt::Display for CourseKey {
    /// A deprecated key without run prints an empty one; see [`Self::is_printable`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_deprecated() {
            return write!(f, "{}/{}/{}", self.org(), self.course(), self.run());
        }
        write!(f, "{}:", self.namespace())?;
        self.write_body(f)
    }
}

text_key!(CourseKey);
