//! The block types with their fields, scopes and defaults (courseware.md §3, §11, §12; olx.md §3, §5, §7).
//!
//! A field of a type's own comes first, then those of its family, then those that every block has.
//! Unknown types have the fields of `hidden` (olx.md §3.4).

mod common;
mod course;
mod leaf;
mod pure;
mod structural;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::fields::{FieldType, Scope};

/// How a type is written in archives (olx.md §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// A file of its own.
    XmlMixin,
    /// Inline in its parent.
    Pure,
}

/// One field of a block type.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// What values it takes.
    pub kind: FieldType,
    /// Where its values are kept.
    pub scope: Scope,
    /// The value, in stored form, where nothing is set or inherited.
    pub default: Value,
    /// Whether a block without a value takes that of the nearest ancestor with one. This goes by name.
    pub inheritable: bool,
}

/// A block type.
#[derive(Debug)]
pub struct BlockType {
    /// Name, as `problem`.
    pub name: &'static str,
    /// How it is written in archives.
    pub family: Family,
    /// All of its fields.
    pub fields: Vec<Field>,
    /// Whether it may have children.
    pub has_children: bool,
    /// Whether learners earn points in it. `lti`, `lti_consumer` decide by their field `has_score`.
    pub has_score: bool,
    /// Whether it stands outside the course tree: about, course_info, static_tab.
    pub detached: bool,
    /// How its completion is known (courseware.md §5).
    pub completion: Completion,
    by_name: HashMap<&'static str, usize>,
}

/// How the completion of a block is known (courseware.md §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// By what the learner does in it.
    Completable,
    /// From its children.
    Aggregator,
    /// It has none.
    Excluded,
}

impl BlockType {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.by_name
            .get(name)
            .and_then(|index| self.fields.get(*index))
    }
}

/// A default as a constant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Default {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'static str),
    List,
    Dict,
    /// JSON text.
    Json(&'static str),
}

impl Default {
    fn value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::from(value),
            Self::Int(value) => Value::from(value),
            Self::Float(value) => Value::from(value),
            Self::Text(value) => Value::from(value),
            Self::List => Value::Array(Vec::new()),
            Self::Dict => Value::Object(serde_json::Map::new()),
            // A test reads every constant of this table.
            Self::Json(text) => serde_json::from_str(text).unwrap_or_default(),
        }
    }
}

/// A row of the tables: name, type, scope, default.
pub(crate) type Row = (&'static str, FieldType, Scope, Default);

/// A type as the tables describe it.
#[derive(Clone, Copy)]
pub(crate) struct Spec {
    pub names: &'static [&'static str],
    pub family: Family,
    /// Own fields; an earlier row hides a later one of the same name.
    pub rows: &'static [&'static [Row]],
    pub has_children: bool,
    pub has_score: bool,
    pub detached: bool,
    pub completion: Completion,
}

impl Spec {
    /// A leaf with a file of its own.
    pub(crate) const fn leaf(
        names: &'static [&'static str],
        rows: &'static [&'static [Row]],
    ) -> Self {
        Self {
            names,
            family: Family::XmlMixin,
            rows,
            has_children: false,
            has_score: false,
            detached: false,
            completion: Completion::Completable,
        }
    }

    /// A block with children and a file of its own.
    pub(crate) const fn parent(
        names: &'static [&'static str],
        rows: &'static [&'static [Row]],
    ) -> Self {
        Self {
            has_children: true,
            completion: Completion::Aggregator,
            ..Self::leaf(names, rows)
        }
    }

    /// A leaf written inline.
    pub(crate) const fn pure(
        names: &'static [&'static str],
        rows: &'static [&'static [Row]],
    ) -> Self {
        Self {
            family: Family::Pure,
            ..Self::leaf(names, rows)
        }
    }

    pub(crate) const fn scored(self) -> Self {
        Self {
            has_score: true,
            ..self
        }
    }

    pub(crate) const fn detached(self) -> Self {
        Self {
            detached: true,
            completion: Completion::Excluded,
            ..self
        }
    }

    pub(crate) const fn excluded(self) -> Self {
        Self {
            completion: Completion::Excluded,
            ..self
        }
    }

    fn build(&self, name: &'static str) -> BlockType {
        let family_rows = match self.family {
            Family::XmlMixin => common::FILE_BASED,
            Family::Pure => &[],
        };
        let all =
            self.rows
                .iter()
                .copied()
                .chain([family_rows, common::EVERY, common::INHERITABLE]);
        let mut fields = Vec::new();
        let mut by_name = HashMap::new();
        for &(field, kind, scope, default) in all.flatten() {
            if by_name.contains_key(field) {
                continue;
            }
            by_name.insert(field, fields.len());
            fields.push(Field {
                name: field,
                kind,
                scope,
                default: default.value(),
                inheritable: is_inheritable(field),
            });
        }
        BlockType {
            name,
            family: self.family,
            fields,
            has_children: self.has_children,
            has_score: self.has_score,
            detached: self.detached,
            completion: self.completion,
            by_name,
        }
    }
}

static TYPES: LazyLock<HashMap<&'static str, BlockType>> = LazyLock::new(|| {
    let specs = [course::SPECS, structural::SPECS, leaf::SPECS, pure::SPECS];
    let specs = specs.into_iter().flatten();
    specs
        .flat_map(|spec| spec.names.iter().map(|name| (*name, spec.build(name))))
        .collect()
});

static HIDDEN: LazyLock<BlockType> = LazyLock::new(|| leaf::HIDDEN.build("hidden"));

/// The type of this name; `None` when no implementation is known.
#[must_use]
pub fn block_type(name: &str) -> Option<&'static BlockType> {
    TYPES.get(name)
}

/// The type of this name, or that of blocks of an unknown type, which are kept but not shown.
#[must_use]
pub fn block_type_or_hidden(name: &str) -> &'static BlockType {
    block_type(name).unwrap_or(&HIDDEN)
}

/// All known types, in no order.
pub fn all() -> impl Iterator<Item = &'static BlockType> {
    TYPES.values()
}

/// Names of the inheritable fields in the order of courseware.md §3's table in the reference.
pub fn inheritable_names() -> impl Iterator<Item = &'static str> {
    common::INHERITABLE.iter().map(|row| row.0)
}

/// Whether fields of this name are inherited.
#[must_use]
pub fn is_inheritable(name: &str) -> bool {
    inheritable_names().any(|inheritable| inheritable == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    // courseware.md §3: each constant of the tables is a value of its field type.
    #[test]
    fn constants_are_json() {
        let specs = [course::SPECS, structural::SPECS, leaf::SPECS, pure::SPECS];
        let rows = specs
            .into_iter()
            .flatten()
            .flat_map(|spec| spec.rows.iter().copied());
        for &(name, _, _, default) in rows
            .chain([common::FILE_BASED, common::EVERY, common::INHERITABLE])
            .flatten()
        {
            if let Default::Json(text) = default {
                assert!(
                    serde_json::from_str::<Value>(text).is_ok(),
                    "{name}: {text}"
                );
            }
        }
    }

    // courseware.md §3
    #[test]
    fn own_fields_hide_common_ones() {
        let course = block_type("course").unwrap();
        assert_eq!(course.field("display_name").unwrap().default, "Empty");
        assert_eq!(
            course.field("start").unwrap().default,
            "2030-01-01T00:00:00Z"
        );
        let problem = block_type("problem").unwrap();
        assert_eq!(
            problem.field("rerandomize").unwrap().kind,
            FieldType::Randomization
        );
        assert!(problem.field("rerandomize").unwrap().inheritable);
        assert_eq!(
            block_type("sequential")
                .unwrap()
                .field("rerandomize")
                .unwrap()
                .kind,
            FieldType::String
        );
        assert!(block_type("nosuch").is_none());
        assert_eq!(
            block_type_or_hidden("nosuch").field("data").unwrap().scope,
            Scope::Content
        );
    }

    // olx.md §3.1, §3.2
    #[test]
    fn families() {
        for name in [
            "course",
            "html",
            "library_content",
            "itembank",
            "customtag",
            "slides",
        ] {
            assert_eq!(block_type(name).unwrap().family, Family::XmlMixin, "{name}");
        }
        for name in [
            "discussion",
            "poll",
            "drag-and-drop-v2",
            "library",
            "openassessment",
        ] {
            assert_eq!(block_type(name).unwrap().family, Family::Pure, "{name}");
        }
    }
}
