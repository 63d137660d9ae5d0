//! Keys of what holds content: courses and libraries of either version.

use std::fmt;

use crate::{CourseKey, InvalidKeyError, LibraryKeyV2, text_key};

/// A course key or a v2 library key.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LearningContextKey {
    /// A course, v1 library or custom course.
    Course(CourseKey),
    /// A v2 library.
    LibraryV2(LibraryKeyV2),
}

impl LearningContextKey {
    /// Reads a `lib` text or any course key.
    pub fn parse(text: &str) -> Result<Self, InvalidKeyError> {
        if text.starts_with("lib:") {
            LibraryKeyV2::parse(text).map(Self::LibraryV2)
        } else {
            CourseKey::parse(text).map(Self::Course)
        }
    }

    /// Whether this is a course: v1 libraries and v2 libraries are not.
    #[must_use]
    pub fn is_course(&self) -> bool {
        matches!(self, Self::Course(key) if !key.is_library())
    }

    /// Organisation; empty when the key is a version alone.
    #[must_use]
    pub fn org(&self) -> &str {
        match self {
            Self::Course(key) => key.org(),
            Self::LibraryV2(key) => key.org(),
        }
    }
}

impl fmt::Display for LearningContextKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Course(key) => key.fmt(f),
            Self::LibraryV2(key) => key.fmt(f),
        }
    }
}

text_key!(LearningContextKey);
