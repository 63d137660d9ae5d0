//! Field types: reading, checking and writing values (courseware.md §3 and §18, olx.md §4).

mod dateparse;
mod duration;
mod kind;
mod moment;
mod python;
mod strftime;
mod structured;
mod value;
mod yaml;

pub use kind::{FieldType, Scope};
pub use moment::{Duration, Moment};
pub use python::{float_repr, json_dumps, json_dumps_indented, text_repr};
pub use strftime::{FormatError, date_default_display, date_display, strftime};
pub use value::{
    Clock, FieldError, FieldValue, deserialize_attribute, enforce, from_json, from_string,
    normalise, parse_date, serialize_attribute, stored_attribute, to_json, to_string,
};

#[cfg(test)]
mod tests;
