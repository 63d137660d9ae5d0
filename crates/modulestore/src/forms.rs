//! Which fields are stored in a form of their own (courseware.md §2.2).

/// Stored form of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// A BSON date.
    Date,
    /// A `[type, id]` pair.
    Reference,
    /// A list of pairs.
    ReferenceList,
    /// A document of pairs.
    ReferenceMap,
}

/// The stored form of field `name` of blocks of `block_type`.
#[must_use]
pub fn field_form(block_type: &str, name: &str) -> Form {
    match (block_type, name) {
        (_, "start" | "due" | "end" | "enrollment_start" | "enrollment_end" | "announcement") => {
            Form::Date
        }
        ("conditional", "sources_list" | "show_tag_list") => Form::ReferenceList,
        ("split_test", "group_id_to_child") => Form::ReferenceMap,
        ("itembank" | "library_content", "source_block") => Form::Reference,
        _ => Form::Plain,
    }
}

/// Reads a date in any form that date fields accept.
#[must_use]
pub fn field_date(_text: &str) -> Option<bson::DateTime> {
    None
}
