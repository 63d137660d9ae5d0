//! What an import tells about itself: the object that `course import --json` prints last.

use std::collections::BTreeMap;

use serde::Serialize;

/// A remark with the place in the archive that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Path below the course folder.
    pub file: String,
    /// Line from 1 on; 0 when the remark is about no line.
    pub line: u32,
    /// What was noticed.
    pub text: String,
}

/// Counts and remarks of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportSummary {
    /// Key of the course or library imported into.
    pub course_key: String,
    /// Blocks of the draft branch by type.
    pub blocks: BTreeMap<String, usize>,
    /// Files of the course.
    pub assets: usize,
    /// What was noticed and survived.
    pub warnings: Vec<Remark>,
}
