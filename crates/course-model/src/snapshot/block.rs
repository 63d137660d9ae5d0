//! Reading one block of a snapshot.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use opaque_keys::UsageKey;
use serde_json::Value;

use super::{BlockIdx, CourseSnapshot, EditInfo, Node};
use crate::block_types::{BlockType, is_inheritable};
use crate::course::{Aside, BlockKey};
use crate::fields::{Clock, Duration, FieldType, FieldValue, Moment, from_json};
use crate::object_id::ObjectId;

/// Two-digit years in stored dates are read as of this year. Stored dates are written in full.
const PIVOT: i32 = 2026;

/// A block of a snapshot.
#[derive(Clone, Copy)]
pub struct BlockRef<'a> {
    snapshot: &'a CourseSnapshot,
    node: Option<&'a Node>,
    idx: BlockIdx,
}

impl PartialEq for BlockRef<'_> {
    /// The same place of the same snapshot.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.snapshot, other.snapshot) && self.idx == other.idx
    }
}

impl Eq for BlockRef<'_> {}

impl fmt::Debug for BlockRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockRef({})", self.usage_key())
    }
}

impl<'a> BlockRef<'a> {
    pub(super) fn new(snapshot: &'a CourseSnapshot, idx: BlockIdx) -> Self {
        Self {
            snapshot,
            node: snapshot.node(idx),
            idx,
        }
    }

    fn node(self) -> &'a Node {
        // `CourseSnapshot::block` hands out places of the arena only, which is never empty.
        self.node
            .unwrap_or_else(|| match self.snapshot.nodes.first() {
                Some(node) => node,
                None => unreachable!("a snapshot has its root"),
            })
    }

    /// The snapshot that the block is part of.
    #[must_use]
    pub fn snapshot(self) -> &'a CourseSnapshot {
        self.snapshot
    }

    /// Place in the snapshot.
    #[must_use]
    pub fn idx(self) -> BlockIdx {
        self.idx
    }

    /// Address in the course.
    #[must_use]
    pub fn key(self) -> BlockKey {
        BlockKey::from(self.usage_key())
    }

    /// Usage key, without branch and version.
    #[must_use]
    pub fn usage_key(self) -> &'a UsageKey {
        &self.node().usage_key
    }

    /// Type as stored, as `problem`.
    #[must_use]
    pub fn block_type(self) -> &'a str {
        self.usage_key().block_type()
    }

    /// Id among the blocks of its type.
    #[must_use]
    pub fn block_id(self) -> &'a str {
        self.usage_key().block_id()
    }

    /// The type's fields and nature; of an unknown type those of `hidden`.
    #[must_use]
    pub fn kind(self) -> &'static BlockType {
        self.node().kind
    }

    /// Id of the definition document.
    #[must_use]
    pub fn definition_id(self) -> ObjectId {
        self.node().definition
    }

    /// History.
    #[must_use]
    pub fn edit_info(self) -> &'a EditInfo {
        &self.node().edit_info
    }

    /// Asides with set values.
    #[must_use]
    pub fn asides(self) -> &'a [Aside] {
        self.snapshot
            .asides
            .get(&self.idx)
            .map_or(&[], |asides| asides)
    }

    /// Name to show: `display_name`, or where that is null the id with blanks for `_`.
    #[must_use]
    pub fn display_name(self) -> Cow<'a, str> {
        match self.field("display_name") {
            Some(Value::String(name)) => Cow::Borrowed(name),
            None | Some(Value::Null) => Cow::Owned(self.block_id().replace('_', " ")),
            Some(other) => Cow::Owned(other.to_string()),
        }
    }

    // Tree.

    /// The block that this one inherits from: of several parents the last in stored order.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        self.node()
            .parent
            .map(|parent| Self::new(self.snapshot, parent))
    }

    /// All parents in stored order.
    pub fn parents(self) -> impl Iterator<Item = Self> + 'a {
        let range = &self.node().parents;
        let parents = self
            .snapshot
            .parents
            .get(range.start as usize..range.end as usize);
        let snapshot = self.snapshot;
        parents
            .unwrap_or_default()
            .iter()
            .map(move |parent| Self::new(snapshot, *parent))
    }

    /// Parent, grandparent and so on to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Self> + 'a {
        std::iter::successors(self.parent(), |block| block.parent())
    }

    /// The nearest ancestor of a type, or the block itself if it is of that type.
    #[must_use]
    pub fn closest(self, block_type: &str) -> Option<Self> {
        std::iter::once(self)
            .chain(self.ancestors())
            .find(|block| block.block_type() == block_type)
    }

    /// Places of the children in order.
    #[must_use]
    pub fn child_indices(self) -> &'a [BlockIdx] {
        let range = &self.node().children;
        let children = self
            .snapshot
            .children
            .get(range.start as usize..range.end as usize);
        children.unwrap_or_default()
    }

    /// Children in order. A child that is listed twice comes twice.
    #[must_use]
    pub fn children(
        self,
    ) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator<Item = Self> + 'a {
        let snapshot = self.snapshot;
        self.child_indices()
            .iter()
            .map(move |child| Self::new(snapshot, *child))
    }

    // Values.

    /// The value that is explicitly set on the block, null included.
    #[must_use]
    pub fn own(self, name: &str) -> Option<&'a Value> {
        let id = self.snapshot.name_id(name)?;
        self.snapshot.row(&self.node().own, id)
    }

    /// The value that a library supplied.
    #[must_use]
    pub fn library_default(self, name: &str) -> Option<&'a Value> {
        let id = self.snapshot.name_id(name)?;
        self.snapshot.row(&self.node().defaults, id)
    }

    /// All explicitly set values in stored order.
    pub fn own_fields(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let snapshot = self.snapshot;
        snapshot
            .rows(&self.node().own)
            .iter()
            .map(move |(id, value)| (snapshot.name(*id), value))
    }

    /// All values that a library supplied, in stored order.
    pub fn library_defaults(self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let snapshot = self.snapshot;
        let rows = snapshot.rows(&self.node().defaults);
        rows.iter()
            .map(move |(id, value)| (snapshot.name(*id), value))
    }

    /// The value in stored form that the block has or inherits, or has from a library; `None` where only the
    /// default of its type is left. Under a library's block a library's values go before inherited ones
    /// (courseware.md §3).
    #[must_use]
    pub fn set_value(self, name: &str) -> Option<&'a Value> {
        let id = self.snapshot.name_id(name)?;
        let snapshot = self.snapshot;
        let own = |block: Self| snapshot.row(&block.node().own, id);
        if let Some(value) = own(self) {
            return Some(value);
        }
        let default = snapshot.row(&self.node().defaults, id);
        if !is_inheritable(name) {
            return default;
        }
        let in_library_block = self
            .parent()
            .is_some_and(|parent| parent.block_type() == "library_content");
        if in_library_block && default.is_some() {
            return default;
        }
        self.ancestors().find_map(own).or(default)
    }

    /// The effective value in stored form: own, inherited, from a library, or the default of the type. `None`
    /// for a field that the type lacks and nothing sets.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'a Value> {
        self.set_value(name)
            .or_else(|| self.kind().field(name).map(|field| &field.default))
    }

    /// The effective value as code works with it, by the field's type. `None` for a field that the type
    /// lacks and for a stored value that the type refuses.
    #[must_use]
    pub fn value(self, name: &str) -> Option<FieldValue> {
        let field = self.kind().field(name)?;
        let value = self.set_value(name).unwrap_or(&field.default).clone();
        from_json(field.kind, FieldValue::Json(value), Clock::of_year(PIVOT)).ok()
    }

    /// Whether a flag is on, read as a Boolean field reads its value.
    #[must_use]
    pub fn flag(self, name: &str) -> bool {
        match self.field(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                let value = FieldValue::Json(other.clone());
                let read = from_json(FieldType::Boolean, value, Clock::of_year(PIVOT));
                read == Ok(FieldValue::Json(Value::Bool(true)))
            }
        }
    }

    /// A text; `None` when null or no text.
    #[must_use]
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.field(name).and_then(Value::as_str)
    }

    /// A whole number; `None` when null or not readable as one.
    #[must_use]
    pub fn integer(self, name: &str) -> Option<i64> {
        match self.field(name)? {
            Value::Number(number) if number.is_i64() => number.as_i64(),
            other => {
                let value = FieldValue::Json(other.clone());
                match from_json(FieldType::Integer, value, Clock::of_year(PIVOT)) {
                    Ok(FieldValue::Json(value)) => value.as_i64(),
                    _ => None,
                }
            }
        }
    }

    /// A number; `None` when null or not readable as one.
    #[must_use]
    pub fn float(self, name: &str) -> Option<f64> {
        match self.field(name)? {
            Value::Number(number) => number.as_f64(),
            other => {
                let value = FieldValue::Json(other.clone());
                match from_json(FieldType::Float, value, Clock::of_year(PIVOT)) {
                    Ok(FieldValue::Json(value)) => value.as_f64(),
                    _ => None,
                }
            }
        }
    }

    /// A moment in UTC; `None` when null or not readable as one.
    #[must_use]
    pub fn date(self, name: &str) -> Option<DateTime<Utc>> {
        self.field(name).and_then(read_date)
    }

    /// The moment that is set on the block itself.
    #[must_use]
    pub fn own_date(self, name: &str) -> Option<DateTime<Utc>> {
        self.own(name).and_then(read_date)
    }

    /// A duration; `None` when null or not readable as one.
    #[must_use]
    pub fn duration(self, name: &str) -> Option<Duration> {
        match self.value(name)? {
            FieldValue::Duration(duration) => Some(duration),
            _ => None,
        }
    }
}

/// A stored date: the full form that is written, or whatever else a Date field reads.
fn read_date(value: &Value) -> Option<DateTime<Utc>> {
    if let Some(moment) = value.as_str().and_then(Moment::from_iso) {
        return Some(moment.to_utc());
    }
    match from_json(
        FieldType::Date,
        FieldValue::Json(value.clone()),
        Clock::of_year(PIVOT),
    ) {
        Ok(FieldValue::Moment(moment)) => Some(moment.to_utc()),
        _ => None,
    }
}
