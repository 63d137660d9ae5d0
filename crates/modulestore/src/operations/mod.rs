//! What authors do to a course, as pure changes of structures (courseware.md §2.4).
//!
//! A [`CourseEdit`] is one bulk operation: the heads of the branches go in, the first change of a branch
//! makes its next structure, later changes go to the same one, and the store writes what came out and moves
//! the pointer once.

mod course_edit;
mod import;
mod library;
mod publish;

#[cfg(test)]
mod tests;

pub use course_edit::{BlockValues, CourseEdit, EditOutcome};
pub use import::{FirstStructures, ImportInput, first_structures};
pub use library::{LibraryCopy, library_copy_id};
pub use publish::has_changes;

/// Block types of which every edit is published at once (courseware.md §2.4).
pub const DIRECT_ONLY_TYPES: [&str; 6] = [
    "course",
    "chapter",
    "sequential",
    "about",
    "static_tab",
    "course_info",
];

/// Whether blocks of this type are published with every edit.
#[must_use]
pub fn is_direct_only(block_type: &str) -> bool {
    DIRECT_ONLY_TYPES.contains(&block_type)
}
