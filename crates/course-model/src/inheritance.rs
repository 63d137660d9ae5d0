//! Inheritance of settings (courseware.md §3 and §18).

use serde_json::Value;

use crate::block_types::{BlockType, inheritable_names, is_inheritable};
use crate::course::Fields;
use crate::fields::{Clock, FieldError, FieldType, FieldValue, Scope, from_json, normalise};
use crate::snapshot::BlockRef;

/// The inheritable fields of a block whose effective value is not the default of its type, in normal stored
/// form and order of names. A field of the type that is no setting has no entry. Fails on a stored value that
/// its field refuses.
pub fn effective_fields(block: BlockRef<'_>, clock: Clock) -> Result<Fields, FieldError> {
    let mut names: Vec<_> = inheritable_names().collect();
    names.sort_unstable();
    let mut out = Fields::new();
    for name in names {
        let Some(field) = block
            .kind()
            .field(name)
            .filter(|field| field.scope == Scope::Settings)
        else {
            continue;
        };
        let Some(value) = block.set_value(name) else {
            continue;
        };
        if let Some(value) = differing(field.kind, value, &field.default, clock)? {
            out.insert(name.to_owned(), value);
        }
    }
    Ok(out)
}

/// The value in normal stored form, unless it means the same as the default.
fn differing(
    kind: FieldType,
    value: &Value,
    default: &Value,
    clock: Clock,
) -> Result<Option<Value>, FieldError> {
    let read = |value: &Value| from_json(kind, FieldValue::Json(value.clone()), clock);
    if read(value)? == read(default)? {
        return Ok(None);
    }
    match normalise(kind, FieldValue::Json(value.clone()), clock)? {
        FieldValue::Json(value) => Ok(Some(value)),
        _ => Ok(None),
    }
}

/// Names of the inheritable fields that are set on a block itself, in order of names.
#[must_use]
pub fn explicit_names(block: BlockRef<'_>) -> Vec<&str> {
    let own = block.own_fields().map(|(name, _)| name);
    let mut names: Vec<_> = own.filter(|name| is_inheritable(name)).collect();
    names.sort_unstable();
    names
}

/// What the children of a block inherit while an archive is read: what the block itself inherits, with all
/// inheritable values that are explicitly set on it. There are no library defaults yet at that point.
#[must_use]
pub fn import_inherited(inherited: &Fields, own: &Fields) -> Fields {
    let mut out = inherited.clone();
    for (name, value) in own {
        if is_inheritable(name) {
            out.insert(name.clone(), value.clone());
        }
    }
    out
}

/// The value of a setting while an archive is read: own, inherited, or the default of the type.
#[must_use]
pub fn import_value<'a>(
    kind: &'static BlockType,
    own: &'a Fields,
    inherited: &'a Fields,
    name: &str,
) -> Option<&'a Value> {
    let inherited = || inherited.get(name).filter(|_| is_inheritable(name));
    own.get(name)
        .or_else(inherited)
        .or_else(|| kind.field(name).map(|field| &field.default))
}
