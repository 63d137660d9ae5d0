//! Keys of course assets and the names under which files are stored (courseware.md §1.4).

use std::fmt;
use std::sync::Arc;

use crate::locator::{Grammar, read};
use crate::text::{all_of, clean_keeping_underscores, is_name_char};
use crate::usage::{deprecated_html_id, read_deprecated};
use crate::{CourseKey, InvalidKeyError, text_key};

const FAMILY: &str = "AssetKey";

/// The key of a file of a course: `asset-v1:…+type@asset+block@NAME`, or `/c4x/…` in a deprecated course.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssetKey {
    course: CourseKey,
    asset_type: Option<Arc<str>>,
    path: Arc<str>,
}

impl AssetKey {
    /// The key of the file stored under `path` (one or more of `[\w\-~.:%]`) as `asset_type`.
    pub fn new(course: CourseKey, asset_type: &str, path: &str) -> Result<Self, InvalidKeyError> {
        Self::checked(course, Some(asset_type.into()), path.into())
    }

    fn checked(
        course: CourseKey,
        asset_type: Option<Arc<str>>,
        path: Arc<str>,
    ) -> Result<Self, InvalidKeyError> {
        let good = all_of(&path, is_name_char);
        let key = Self {
            course,
            asset_type,
            path,
        };
        if good {
            Ok(key)
        } else {
            Err(InvalidKeyError::new(FAMILY, key.to_string()))
        }
    }

    /// Reads an `asset-v1` or `/c4x/` text. The print of an asset of a v1 library does not parse.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        Self::read(text).ok_or_else(|| InvalidKeyError::new(FAMILY, text))
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("/c4x/") {
            let (course, asset_type, path) = read_deprecated(rest)?;
            return Self::checked(course, Some(asset_type.into()), path.into()).ok();
        }
        let locator = read(text.strip_prefix("asset-v1:")?, Grammar::Plain)?;
        let course = CourseKey::from_locator(&locator).ok()?;
        Self::checked(
            course,
            locator.block_type.map(Arc::from),
            locator.block_id?.into(),
        )
        .ok()
    }

    /// The key under which an uploaded file is stored: `/` and every character outside `[\w.%-]` become `_`.
    /// Thumbnails have a type of their own.
    pub fn location(
        course: &CourseKey,
        path: &str,
        is_thumbnail: bool,
    ) -> Result<Self, InvalidKeyError> {
        let asset_type = if is_thumbnail { "thumbnail" } else { "asset" };
        course
            .make_asset_key_of_type(asset_type, &clean_keeping_underscores(path))?
            .for_branch(None)
    }

    /// The key that a path in a page or course file means: an asset key text, or a name with or without
    /// `/static/` in front.
    pub fn for_path(course: &CourseKey, path: &str) -> Result<Self, InvalidKeyError> {
        let path = path.strip_prefix("/static/").unwrap_or(path);
        // Deprecated asset keys start with a slash of their own.
        let path = if path.starts_with("/c4x") {
            path
        } else {
            path.trim_start_matches('/')
        };
        Self::parse(path).or_else(|_| Self::location(course, path, false))
    }

    /// Key of the course.
    #[must_use]
    pub fn course_key(&self) -> &CourseKey {
        &self.course
    }

    /// Type, as `asset` or `thumbnail`; `None` when written without.
    #[must_use]
    pub fn asset_type(&self) -> &str {
        self.asset_type.as_deref().unwrap_or("None")
    }

    /// Type as written, if it was.
    #[must_use]
    pub fn written_asset_type(&self) -> Option<&str> {
        self.asset_type.as_deref()
    }

    /// Stored name.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the key is of the `/c4x/` form.
    #[must_use]
    pub fn is_deprecated(&self) -> bool {
        self.course.is_deprecated()
    }

    fn in_changed_course(&self, course: CourseKey) -> Result<Self, InvalidKeyError> {
        Self::checked(course, self.asset_type.clone(), Arc::clone(&self.path))
    }

    /// The asset of the same name in another course.
    pub fn map_into_course(&self, course: &CourseKey) -> Result<Self, InvalidKeyError> {
        self.in_changed_course(course.clone())
    }

    /// The same asset on another branch, without version.
    pub fn for_branch(&self, branch: Option<&str>) -> Result<Self, InvalidKeyError> {
        self.in_changed_course(self.course.for_branch(branch)?)
    }

    /// The same asset at a version of its course.
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

    /// The text that serves as an id in pages.
    #[must_use]
    pub fn html_id(&self) -> String {
        if !self.is_deprecated() {
            return self.path().to_owned();
        }
        deprecated_html_id("c4x", &self.course, self.asset_type.as_deref(), &self.path)
    }
}

impl fmt::Display for AssetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (course, asset_type, path) = (&self.course, self.asset_type(), self.path());
        if course.is_deprecated() {
            write!(
                f,
                "/c4x/{}/{}/{asset_type}/{path}",
                course.org(),
                course.course()
            )?;
            return match course.branch() {
                Some(revision) => write!(f, "@{revision}"),
                None => Ok(()),
            };
        }
        f.write_str("asset-v1:")?;
        course.write_body(f)?;
        write!(f, "+type@{asset_type}+block@{path}")
    }
}

text_key!(AssetKey);

/// The name of the thumbnail of an image: its extension becomes part of the name, unless it is the
/// thumbnail's own (`extension`, `.jpg` when `None`), then width and height in pixels.
#[must_use]
pub fn thumbnail_name(
    name: &str,
    dimensions: Option<(u32, u32)>,
    extension: Option<&str>,
) -> String {
    let extension = extension.unwrap_or(".jpg");
    let (root, own) = split_extension(name);
    let mut out = root.to_owned();
    if own != extension {
        out.push_str(&own.replace('.', "-"));
    }
    if let Some((width, height)) = dimensions {
        out = format!("{out}-{width}x{height}");
    }
    out + extension
}

/// Splits at the last dot of the last path part; dots at its beginning start no extension.
fn split_extension(name: &str) -> (&str, &str) {
    let base = name.rfind('/').map_or(0, |slash| slash + 1);
    let last = name.get(base..).unwrap_or_default();
    let start = last.len() - last.trim_start_matches('.').len();
    match last.get(start..).and_then(|rest| rest.rfind('.')) {
        Some(dot) => name.split_at(base + start + dot),
        None => (name, ""),
    }
}
