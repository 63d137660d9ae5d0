//! Values that go into statements and come out of rows.

use chrono::{NaiveDate, NaiveDateTime};

/// A bound or stored value.
///
/// UUIDs travel as `Text` (Django stores `char(32)` hex on both engines), decimals and JSON as
/// `Text`, dates as `Text` in ISO form.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// Any integer column; unsigned columns too, as far as they fit.
    Int(i64),
    /// Double precision.
    Float(f64),
    /// Text, JSON, decimal or date.
    Text(String),
    /// Binary.
    Bytes(Vec<u8>),
    /// Written as 0 or 1; read back as `Int`.
    Bool(bool),
    /// A moment in UTC. SQLite stores the text `YYYY-MM-DD HH:MM:SS.ffffff`, as Django does.
    DateTime(NaiveDateTime),
}

impl Value {
    /// Name of the kind, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Bool(_) => "a boolean",
            Self::DateTime(_) => "a date and time",
        }
    }
}

macro_rules! from {
    ($($source:ty => $value:ident, $convert:expr;)*) => {$(
        impl From<$source> for Value {
            fn from(source: $source) -> Self {
                let convert: fn($source) -> _ = $convert;
                Self::$value(convert(source))
            }
        }
    )*};
}

from! {
    i64 => Int, |v| v;
    i32 => Int, i64::from;
    i16 => Int, i64::from;
    u32 => Int, i64::from;
    u16 => Int, i64::from;
    u8 => Int, i64::from;
    usize => Int, |v| i64::try_from(v).unwrap_or(i64::MAX);
    f64 => Float, |v| v;
    bool => Bool, |v| v;
    String => Text, |v| v;
    &String => Text, |v| v.clone();
    &str => Text, ToOwned::to_owned;
    std::sync::Arc<str> => Text, |v| v.as_ref().to_owned();
    &std::sync::Arc<str> => Text, |v| v.as_ref().to_owned();
    Vec<u8> => Bytes, |v| v;
    &[u8] => Bytes, <[u8]>::to_vec;
    NaiveDateTime => DateTime, |v| v;
    chrono::DateTime<chrono::Utc> => DateTime, |v| v.naive_utc();
    NaiveDate => Text, |v| v.format("%Y-%m-%d").to_string();
}

impl From<std::borrow::Cow<'_, str>> for Value {
    fn from(source: std::borrow::Cow<'_, str>) -> Self {
        Self::Text(source.into_owned())
    }
}

impl From<&Value> for Value {
    fn from(source: &Value) -> Self {
        source.clone()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(source: Option<T>) -> Self {
        source.map_or(Self::Null, Into::into)
    }
}

/// `[Value::from(a), Value::from(b), …]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

/// The text form that SQLite columns hold: always six digits of fraction, as Django writes it.
#[must_use]
pub fn format_datetime(moment: NaiveDateTime) -> String {
    moment.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// Reads a stored moment: with a space or a `T`, any number of fraction digits or none, and a UTC
/// offset (applied) or none. A bare date is its midnight.
#[must_use]
pub fn parse_datetime(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    for form in ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(text, form) {
            return Some(moment);
        }
    }
    let spaced = text.replacen(' ', "T", 1).replace(' ', "");
    if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(&spaced) {
        return Some(moment.naive_utc());
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"] {
        if let Ok(moment) = chrono::DateTime::parse_from_str(&spaced, form) {
            return Some(moment.naive_utc());
        }
    }
    if let Ok(moment) = NaiveDateTime::parse_from_str(&spaced, "%Y-%m-%dT%H:%M") {
        return Some(moment);
    }
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()?
        .and_hms_opt(0, 0, 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// dependencies.md §4: what is written is read back, to the microsecond.
        #[test]
        fn written_moments_are_read_back(seconds in -30_000_000_000_i64..60_000_000_000, micros in 0..1_000_000_u32) {
            let moment = chrono::DateTime::from_timestamp(seconds, micros * 1000).unwrap().naive_utc();
            prop_assert_eq!(parse_datetime(&format_datetime(moment)), Some(moment));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            let _ = parse_datetime(&text);
        }
    }

    #[test]
    fn moments_are_written_with_six_digits_and_read_in_any_form() {
        let moment = parse_datetime("2026-01-02T03:04:05.12Z").unwrap();
        assert_eq!(format_datetime(moment), "2026-01-02 03:04:05.120000");
        for (text, same) in [
            ("2026-01-02 03:04:05.120000", "2026-01-02 03:04:05.120000"),
            ("2026-01-02 03:04:05", "2026-01-02 03:04:05.000000"),
            ("2026-01-02 03:04:05+00:00", "2026-01-02 03:04:05.000000"),
            ("2026-01-02T03:04:05.5+02:00", "2026-01-02 01:04:05.500000"),
            ("2026-01-02T03:04", "2026-01-02 03:04:00.000000"),
            ("2026-01-02", "2026-01-02 00:00:00.000000"),
        ] {
            assert_eq!(
                parse_datetime(text).map(format_datetime).as_deref(),
                Some(same),
                "{text}"
            );
        }
        assert_eq!(parse_datetime("soon"), None);
        assert_eq!(parse_datetime(""), None);
    }

    #[test]
    fn options_become_null() {
        assert_eq!(Value::from(None::<i64>), Value::Null);
        assert_eq!(Value::from(Some("a")), Value::Text("a".to_owned()));
        assert_eq!(params![1, "b", None::<bool>].len(), 3);
    }
}
