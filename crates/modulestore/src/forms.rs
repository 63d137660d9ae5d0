//! Which fields are stored in a form of their own (courseware.md §2.2).

use course_model::FieldType;
use course_model::block_types::block_type_or_hidden;

/// Stored form of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// A BSON date where the value is a moment.
    Date(FieldType),
    /// A `[type, id]` pair.
    Reference,
    /// A list of pairs.
    ReferenceList,
    /// A document of pairs.
    ReferenceMap,
}

/// The stored form of field `name` of blocks of `block_type`. Fields that the type does not have, as those
/// of newer versions of it, are stored as they are.
#[must_use]
pub fn field_form(block_type: &str, name: &str) -> Form {
    match block_type_or_hidden(block_type)
        .field(name)
        .map(|field| field.kind)
    {
        Some(kind) if kind.is_date() => Form::Date(kind),
        Some(FieldType::Reference) => Form::Reference,
        Some(FieldType::ReferenceList) => Form::ReferenceList,
        Some(FieldType::ReferenceValueDict) => Form::ReferenceMap,
        _ => Form::Plain,
    }
}
