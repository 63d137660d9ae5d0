//! One row of an answer, with getters by column name.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};

use crate::{Error, Result, Value, value::parse_datetime};

/// One row. Getters convert between the forms that the two engines give for the same column: a
/// boolean is an integer on both, a moment is text on SQLite, a sum is a decimal on MySQL.
#[derive(Debug, Clone)]
pub struct Row {
    names: Arc<[String]>,
    values: Vec<Value>,
}

macro_rules! getters {
    ($($name:ident, $opt:ident, $type:ty, $wanted:literal, $doc:literal, $convert:expr;)*) => {$(
        #[doc = concat!($doc, "\n\nFails if the column is missing, NULL or of another kind.")]
        pub fn $name(&self, column: &str) -> Result<$type> {
            self.$opt(column)?.ok_or_else(|| Error::Type {
                column: column.to_owned(),
                found: "NULL",
                wanted: $wanted,
            })
        }

        #[doc = concat!($doc, " `None` is NULL.\n\nFails if the column is missing or of another kind.")]
        pub fn $opt(&self, column: &str) -> Result<Option<$type>> {
            let value = self.value(column)?;
            if *value == Value::Null {
                return Ok(None);
            }
            let convert: fn(&Value) -> Option<$type> = $convert;
            convert(value).map(Some).ok_or_else(|| Error::Type {
                column: column.to_owned(),
                found: value.kind(),
                wanted: $wanted,
            })
        }
    )*};
}

impl Row {
    pub(crate) fn new(names: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { names, values }
    }

    /// Column names, in the order of the statement.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Values, in the order of the statement.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value of a column as the engine gave it.
    pub fn value(&self, column: &str) -> Result<&Value> {
        self.names
            .iter()
            .position(|name| name == column)
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| Error::NoColumn(column.to_owned()))
    }

    /// Whether the column is NULL.
    pub fn is_null(&self, column: &str) -> Result<bool> {
        Ok(*self.value(column)? == Value::Null)
    }

    getters! {
        text, opt_text, String, "text", "A text column; numbers are written out.", |value| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            Value::Int(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::DateTime(moment) => Some(crate::format_datetime(*moment)),
            _ => None,
        };
        int, opt_int, i64, "an integer", "An integer column.", |value| match value {
            Value::Int(number) => Some(*number),
            Value::Bool(flag) => Some(i64::from(*flag)),
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(*number as i64),
            Value::Text(text) => text.parse().ok().or_else(|| {
                let (whole, rest) = text.split_once('.')?;
                rest.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok())?
            }),
            _ => None,
        };
        float, opt_float, f64, "a float", "A double or decimal column.", |value| match value {
            Value::Float(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        bool, opt_bool, bool, "a boolean", "A boolean column.", |value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::Int(number) => Some(*number != 0),
            _ => None,
        };
        datetime, opt_datetime, NaiveDateTime, "a date and time", "A moment, in UTC.", |value| match value {
            Value::DateTime(moment) => Some(*moment),
            Value::Text(text) => parse_datetime(text),
            _ => None,
        };
        date, opt_date, NaiveDate, "a date", "A calendar date.", |value| match value {
            Value::DateTime(moment) => Some(moment.date()),
            Value::Text(text) => parse_datetime(text).map(|moment| moment.date()),
            _ => None,
        };
        bytes, opt_bytes, Vec<u8>, "bytes", "A binary column; text gives its UTF-8.", |value| match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Text(text) => Some(text.clone().into_bytes()),
            _ => None,
        };
    }

    /// A JSON column, parsed.
    pub fn json(&self, column: &str) -> Result<serde_json::Value> {
        self.opt_json(column)?.ok_or_else(|| Error::Type {
            column: column.to_owned(),
            found: "NULL",
            wanted: "JSON",
        })
    }

    /// A JSON column, parsed. `None` is NULL.
    pub fn opt_json(&self, column: &str) -> Result<Option<serde_json::Value>> {
        let Some(text) = self.opt_text(column)? else {
            return Ok(None);
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|_| Error::Type {
                column: column.to_owned(),
                found: "text",
                wanted: "JSON",
            })
    }

    /// The only value of a one-column row, such as a count.
    pub fn first_int(&self) -> Result<i64> {
        let name = self.names.first().cloned().unwrap_or_default();
        self.int(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: Vec<Value>) -> Row {
        let names: Arc<[String]> = (0..values.len()).map(|index| format!("c{index}")).collect();
        Row::new(names, values)
    }

    #[test]
    fn getters_convert_between_the_engines_forms() {
        let row = row(vec![
            Value::Text("12.00".to_owned()),
            Value::Int(1),
            Value::Text("2026-01-02 03:04:05".to_owned()),
            Value::Null,
            Value::Text("0.5".to_owned()),
        ]);
        assert_eq!(row.int("c0").unwrap(), 12);
        assert!(row.bool("c1").unwrap());
        assert_eq!(row.date("c2").unwrap().to_string(), "2026-01-02");
        assert_eq!(row.opt_text("c3").unwrap(), None);
        assert!(matches!(
            row.text("c3"),
            Err(Error::Type { found: "NULL", .. })
        ));
        assert!(matches!(
            row.int("c4"),
            Err(Error::Type { found: "text", .. })
        ));
        assert!((row.float("c4").unwrap() - 0.5).abs() < f64::EPSILON);
        assert!(matches!(row.int("none"), Err(Error::NoColumn(_))));
    }
}
