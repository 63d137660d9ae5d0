//! Keys of blocks.

use std::fmt;
use std::sync::Arc;

use crate::locator::{Grammar, read};
use crate::text::{all_of, clean_for_html, is_id_char, is_name_char};
use crate::{AsideUsageKey, CourseKey, InvalidKeyError, LibraryUsageKeyV2, text_key};

const FAMILY: &str = "UsageKey";

/// The key of a block of a course or of a v1 library.
///
/// A key read from an `i4x` text has a deprecated course key without run, so it is not equal to the same
/// key with one: [`Self::map_into_course`] fills it from the surrounding course (courseware.md §1.3).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsageKey {
    course: CourseKey,
    block_type: Option<Arc<str>>,
    block_id: Arc<str>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    /// `block-v1`, or `i4x` in a deprecated course.
    Block,
    Library,
    Ccx,
    /// The short-lived `location:org+course+run+type+id`.
    Location,
}

impl Kind {
    /// The kind of key that blocks of this course have.
    fn of_course(course: &CourseKey) -> Self {
        if course.is_library() {
            Self::Library
        } else if course.ccx().is_some() {
            Self::Ccx
        } else {
            Self::Block
        }
    }
}

impl UsageKey {
    /// Reads a key of namespace `block-v1`, `lib-block-v1`, `ccx-block-v1` or `location`, or an `i4x` text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        Self::read(text).ok_or_else(|| InvalidKeyError::new(FAMILY, text))
    }

    fn read(text: &str) -> Option<Self> {
        let (namespace, rest) = text.split_once(':')?;
        let (kind, course, locator) = match namespace {
            "block-v1" => {
                let locator = read(rest, Grammar::Plain)?;
                (
                    Kind::Block,
                    CourseKey::from_locator(&locator).ok()?,
                    locator,
                )
            }
            "lib-block-v1" => {
                let locator = read(rest, Grammar::Plain)?;
                (
                    Kind::Library,
                    CourseKey::library_from_locator(&locator).ok()?,
                    locator,
                )
            }
            "ccx-block-v1" => {
                let locator = read(rest, Grammar::Ccx)?;
                (
                    Kind::Ccx,
                    CourseKey::ccx_from_locator(&locator).ok()?,
                    locator,
                )
            }
            "location" => {
                let mut parts = rest.split('+');
                let course = CourseKey::new(parts.next()?, parts.next()?, parts.next()?).ok()?;
                let block_type = parts.next().filter(|part| all_of(part, is_id_char))?;
                let block_id = parts.next()?;
                if parts.next().is_some() {
                    return None;
                }
                return Self::checked(
                    course,
                    Kind::Location,
                    Some(block_type.into()),
                    block_id.into(),
                )
                .ok();
            }
            "i4x" => return Self::read_deprecated(rest),
            _ => return None,
        };
        let block_type = locator.block_type.map(Arc::from);
        Self::checked(course, kind, block_type, Arc::from(locator.block_id?)).ok()
    }

    fn read_deprecated(rest: &str) -> Option<Self> {
        let (course, block_type, block_id) = read_deprecated(rest.strip_prefix("//")?)?;
        Self::checked(
            course,
            Kind::Block,
            Some(block_type.into()),
            block_id.into(),
        )
        .ok()
    }

    pub(crate) fn in_course(
        course: CourseKey,
        block_type: &str,
        block_id: &str,
    ) -> Result<Self, InvalidKeyError> {
        Self::from_parts(course, block_type.into(), block_id.into())
    }

    fn checked(
        course: CourseKey,
        kind: Kind,
        block_type: Option<Arc<str>>,
        block_id: Arc<str>,
    ) -> Result<Self, InvalidKeyError> {
        let allowed = if course.is_deprecated() {
            is_name_char
        } else {
            is_id_char
        };
        let good = all_of(&block_id, allowed)
            && match kind {
                Kind::Block => true,
                Kind::Ccx => !course.is_deprecated(),
                Kind::Library => {
                    !course.is_deprecated()
                        && block_type
                            .as_deref()
                            .is_some_and(|text| all_of(text, is_id_char))
                }
                Kind::Location => course.branch().is_none() && course.version().is_none(),
            };
        let key = Self {
            course,
            block_type,
            block_id,
            kind,
        };
        if good {
            Ok(key)
        } else {
            Err(InvalidKeyError::new(FAMILY, key.to_string()))
        }
    }

    /// The same block with its course key changed; unchanged keys are not checked again.
    fn in_changed_course(&self, course: CourseKey) -> Result<Self, InvalidKeyError> {
        if course == self.course {
            return Ok(self.clone());
        }
        if self.kind == Kind::Location {
            return Err(InvalidKeyError::new(FAMILY, self.to_string()));
        }
        Self::checked(
            course,
            self.kind,
            self.block_type.clone(),
            Arc::clone(&self.block_id),
        )
    }

    /// The key of a block of a course or library from shared parts, checked like
    /// [`CourseKey::make_usage_key`].
    pub fn from_parts(
        course: CourseKey,
        block_type: Arc<str>,
        block_id: Arc<str>,
    ) -> Result<Self, InvalidKeyError> {
        let kind = Kind::of_course(&course);
        Self::checked(course, kind, Some(block_type), block_id)
    }

    /// Key of the course or library.
    #[must_use]
    pub fn course_key(&self) -> &CourseKey {
        &self.course
    }

    /// Type of the block. A key that was written without prints and answers `None`, a type that no block has.
    #[must_use]
    pub fn block_type(&self) -> &str {
        self.block_type.as_deref().unwrap_or("None")
    }

    /// Type of the block as written, if it was.
    #[must_use]
    pub fn written_block_type(&self) -> Option<&str> {
        self.block_type.as_deref()
    }

    /// Id of the block among those of its type.
    #[must_use]
    pub fn block_id(&self) -> &str {
        &self.block_id
    }

    /// Type and id in shared form, to be kept without a copy.
    #[must_use]
    pub fn shared_parts(&self) -> (Arc<str>, Arc<str>) {
        let block_type = self.block_type.clone().unwrap_or_else(|| Arc::from("None"));
        (block_type, Arc::clone(&self.block_id))
    }

    /// Branch of the course key; for an `i4x` text its revision.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.course.branch()
    }

    /// Whether the key is of the `i4x` form.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.course.is_deprecated()
    }

    /// Namespace in which the key is printed; `i4x` keys are of `block-v1`, but printed without.
    #[must_use]
    pub fn namespace(&self) -> &'static str {
        match self.kind {
            Kind::Block => "block-v1",
            Kind::Library => "lib-block-v1",
            Kind::Ccx => "ccx-block-v1",
            Kind::Location => "location",
        }
    }

    /// The block of the same type and id in another course. The namespace stays (courseware.md §18), but
    /// follows the course between `i4x` and `block-v1`.
    pub fn map_into_course(&self, course: &CourseKey) -> Result<Self, InvalidKeyError> {
        self.in_changed_course(course.clone())
    }

    /// The same block on another branch, without version.
    pub fn for_branch(&self, branch: Option<&str>) -> Result<Self, InvalidKeyError> {
        self.in_changed_course(self.course.for_branch(branch)?)
    }

    /// The same block at a version of its course.
    pub fn for_version(&self, version: &str) -> Result<Self, InvalidKeyError> {
        self.in_changed_course(self.course.for_version(version)?)
    }

    /// Without version.
    pub fn version_agnostic(&self) -> Result<Self, InvalidKeyError> {
        self.in_changed_course(self.course.version_agnostic()?)
    }

    /// With the version as its only course part.
    pub fn course_agnostic(&self) -> Result<Self, InvalidKeyError> {
        self.in_changed_course(self.course.course_agnostic()?)
    }

    /// The text that serves as an id in pages (courseware.md §1.5).
    #[must_use]
    pub fn html_id(&self) -> String {
        if !self.is_deprecated() {
            return self.block_id().to_owned();
        }
        deprecated_html_id(
            "i4x",
            &self.course,
            self.block_type.as_deref(),
            &self.block_id,
        )
    }
}

/// The id in pages of a deprecated key.
pub(crate) fn deprecated_html_id(
    tag: &str,
    course: &CourseKey,
    block_type: Option<&str>,
    block_id: &str,
) -> String {
    let parts = [
        Some(tag),
        Some(course.org()),
        Some(course.course()),
        block_type,
        Some(block_id),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .chain([course.version()])
        .flatten()
        .collect();
    clean_for_html(&parts.join("-"))
}

/// Reads `org/course/type/id[@revision]`; type and id are unchecked.
pub(crate) fn read_deprecated(rest: &str) -> Option<(CourseKey, &str, &str)> {
    let mut parts = rest.splitn(4, '/');
    let (org, course, block_type) = (parts.next()?, parts.next()?, parts.next()?);
    let name = parts.next()?;
    let (block_id, revision) = match name.split_once('@') {
        Some((block_id, revision)) => (block_id, Some(revision)),
        None => (name, None),
    };
    if block_type.is_empty() {
        return None;
    }
    let course = CourseKey::deprecated(org, course, None, revision).ok()?;
    Some((course, block_type, block_id))
}

impl fmt::Display for UsageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (course, block_type, block_id) = (&self.course, self.block_type(), self.block_id());
        if course.is_deprecated() {
            write!(
                f,
                "i4x://{}/{}/{block_type}/{block_id}",
                course.org(),
                course.course()
            )?;
            return match course.branch() {
                Some(revision) => write!(f, "@{revision}"),
                None => Ok(()),
            };
        }
        write!(f, "{}:", self.namespace())?;
        course.write_body(f)?;
        if self.kind == Kind::Location {
            write!(f, "+{block_type}+{block_id}")
        } else {
            write!(f, "+type@{block_type}+block@{block_id}")
        }
    }
}

text_key!(UsageKey);

/// Any usage key: of a course or v1 library, of a v2 library, or of an aside.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AnyUsageKey {
    /// Block of a course or v1 library.
    Block(UsageKey),
    /// Block of a v2 library.
    LibraryV2(LibraryUsageKeyV2),
    /// Aside of a block.
    Aside(Box<AsideUsageKey>),
}

impl AnyUsageKey {
    /// Reads a usage key of any namespace.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        Self::parse_nested(text, 0)
    }

    /// Keys inside keys nest; `depth` counts them.
    pub(crate) fn parse_nested(text: &str, depth: u8) -> Result<Self, InvalidKeyError> {
        let namespace = text.split_once(':').map_or("", |(namespace, _)| namespace);
        match namespace {
            "lb" => LibraryUsageKeyV2::parse(text).map(Self::LibraryV2),
            "aside-usage-v1" | "aside-usage-v2" => {
                AsideUsageKey::parse_nested(text, depth).map(|key| Self::Aside(Box::new(key)))
            }
            _ => UsageKey::parse(text).map(Self::Block),
        }
    }

    /// Type of the block (of an aside: of the block that it belongs to).
    #[must_use]
    pub fn block_type(&self) -> &str {
        match self {
            Self::Block(key) => key.block_type(),
            Self::LibraryV2(key) => key.block_type(),
            Self::Aside(key) => key.usage_key().block_type(),
        }
    }

    /// Id of the block (of an aside: of the block that it belongs to).
    #[must_use]
    pub fn block_id(&self) -> &str {
        match self {
            Self::Block(key) => key.block_id(),
            Self::LibraryV2(key) => key.usage_id(),
            Self::Aside(key) => key.usage_key().block_id(),
        }
    }

    /// Key of the course or v1 library; `None` for a block of a v2 library.
    #[must_use]
    pub fn course_key(&self) -> Option<&CourseKey> {
        match self {
            Self::Block(key) => Some(key.course_key()),
            Self::LibraryV2(_) => None,
            Self::Aside(key) => key.usage_key().course_key(),
        }
    }

    /// The same block in another course; blocks of v2 libraries cannot be mapped.
    pub fn map_into_course(&self, course: &CourseKey) -> Result<Self, InvalidKeyError> {
        match self {
            Self::Block(key) => key.map_into_course(course).map(Self::Block),
            Self::LibraryV2(key) => Err(InvalidKeyError::new(FAMILY, key.to_string())),
            Self::Aside(key) => key
                .map_into_course(course)
                .map(|key| Self::Aside(Box::new(key))),
        }
    }
}

impl fmt::Display for AnyUsageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(key) => key.fmt(f),
            Self::LibraryV2(key) => key.fmt(f),
            Self::Aside(key) => key.fmt(f),
        }
    }
}

text_key!(AnyUsageKey);
