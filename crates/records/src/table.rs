//! Rows as structs: one macro names a table's columns, a few functions read and write them.

use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime};
use db::{Result, Row, Source, Tx, Value};

/// A struct that holds one row of one table.
pub trait Table: Sized + Send + Sync {
    /// Table name.
    const NAME: &'static str;
    /// Column names, in the order of the struct.
    const COLUMNS: &'static [&'static str];
    /// Reads the columns by name.
    fn from_row(row: &Row) -> Result<Self>;
    /// Values of the columns, in order.
    fn values(&self) -> Vec<Value>;
}

/// A Rust type that a column can have.
pub(crate) trait Cell: Sized {
    fn read(row: &Row, column: &str) -> Result<Self>;
    fn value(&self) -> Value;
}

macro_rules! cells {
    ($($type:ty, $get:ident, $opt:ident;)*) => {$(
        impl Cell for $type {
            fn read(row: &Row, column: &str) -> Result<Self> {
                row.$get(column)
            }
            fn value(&self) -> Value {
                Value::from(self.to_owned())
            }
        }
        impl Cell for Option<$type> {
            fn read(row: &Row, column: &str) -> Result<Self> {
                row.$opt(column)
            }
            fn value(&self) -> Value {
                Value::from(self.to_owned())
            }
        }
    )*};
}

cells! {
    i64, int, opt_int;
    f64, float, opt_float;
    bool, bool, opt_bool;
    String, text, opt_text;
    NaiveDateTime, datetime, opt_datetime;
    NaiveDate, date, opt_date;
    Vec<u8>, bytes, opt_bytes;
}

/// Declares a row struct. A field is `name: Type` or, where the column has another name,
/// `name: Type = "column"`.
macro_rules! table {
    ($(#[$meta:meta])* $name:ident : $table:literal {
        $($(#[$field_meta:meta])* $field:ident : $type:ty $(= $column:literal)?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $(
                #[doc = concat!("Column `", $crate::table::column_name!($field $($column)?), "`.")]
                $(#[$field_meta])*
                pub $field: $type
            ),*
        }

        impl $crate::table::Table for $name {
            const NAME: &'static str = $table;
            const COLUMNS: &'static [&'static str] =
                &[$($crate::table::column_name!($field $($column)?)),*];

            fn from_row(row: &db::Row) -> db::Result<Self> {
                Ok(Self {
                    $($field: $crate::table::Cell::read(
                        row,
                        $crate::table::column_name!($field $($column)?),
                    )?),*
                })
            }

            fn values(&self) -> Vec<db::Value> {
                vec![$($crate::table::Cell::value(&self.$field)),*]
            }
        }
    };
}
pub(crate) use table;

macro_rules! column_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $column:literal) => {
        $column
    };
}
pub(crate) use column_name;

/// Rows of a table. `tail` follows the table's name: `WHERE … ORDER BY …`.
pub async fn find<T: Table>(mut from: impl Source, tail: &str, params: &[Value]) -> Result<Vec<T>> {
    let sql = select::<T>(tail);
    from.rows(&sql, params)
        .await?
        .iter()
        .map(T::from_row)
        .collect()
}

/// First row of a table that fits, if any.
pub async fn find_one<T: Table>(
    mut from: impl Source,
    tail: &str,
    params: &[Value],
) -> Result<Option<T>> {
    let sql = select::<T>(&format!("{tail} LIMIT 1"));
    from.rows(&sql, params)
        .await?
        .first()
        .map(T::from_row)
        .transpose()
}

/// As [`find_one`]; inside a transaction the row stays locked until its end.
pub async fn find_locked<T: Table>(
    mut from: impl Source,
    tail: &str,
    params: &[Value],
) -> Result<Option<T>> {
    let sql = select::<T>(&format!("{tail} LIMIT 1{}", from.lock()));
    from.rows(&sql, params)
        .await?
        .first()
        .map(T::from_row)
        .transpose()
}

/// Rows whose `column` is in a list, in chunks; `tail` is more of the condition, such as
/// `AND course_id = ?`, with its parameters.
pub async fn find_in<T: Table>(
    mut from: impl Source,
    column: &str,
    list: &[Value],
    tail: &str,
    params: &[Value],
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for (marks, mut chunk) in db::in_chunks(list) {
        let sql = select::<T>(&format!("WHERE `{column}` IN ({marks}) {tail}"));
        chunk.extend_from_slice(params);
        for row in from.rows(&sql, &chunk).await? {
            found.push(T::from_row(&row)?);
        }
    }
    Ok(found)
}

/// Inserts a row and returns its automatic id. A first column `id` that is 0 is left to the
/// database.
pub async fn insert<T: Table>(tx: &mut Tx, row: &T) -> Result<i64> {
    let (columns, values) = inserted(row);
    let sql = tx.dialect().insert(T::NAME, columns);
    let id = tx.insert_returning_id(&sql, &values).await?;
    Ok(match row.values().first() {
        Some(Value::Int(given)) if *given != 0 && T::COLUMNS.first() == Some(&"id") => *given,
        _ => id,
    })
}

/// Inserts a row unless a unique key is taken.
pub async fn insert_ignore<T: Table>(tx: &mut Tx, row: &T) -> Result<()> {
    let (columns, values) = inserted(row);
    let sql = tx.dialect().insert_ignore(T::NAME, columns);
    tx.execute(&sql, &values).await.map(|_| ())
}

/// Writes every column but `keys` of the row that has the same `keys`; returns the number of rows.
pub async fn update<T: Table>(tx: &mut Tx, row: &T, keys: &[&str]) -> Result<u64> {
    let mut sets = String::new();
    let mut conditions = String::new();
    let mut values = Vec::new();
    let mut wanted = Vec::new();
    for (column, value) in T::COLUMNS.iter().zip(row.values()) {
        let (text, joint, list) = if keys.contains(column) {
            (&mut conditions, " AND ", &mut wanted)
        } else {
            (&mut sets, ", ", &mut values)
        };
        if !text.is_empty() {
            text.push_str(joint);
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "`{column}` = ?");
        list.push(value);
    }
    values.extend(wanted);
    let sql = format!("UPDATE `{}` SET {sets} WHERE {conditions}", T::NAME);
    tx.execute(&sql, &values).await
}

/// Inserts a row, or writes its columns over the row with the same `keys`, sparing the columns
/// `only_inserted`. An automatic id 0 is left alone.
pub async fn upsert<T: Table>(
    tx: &mut Tx,
    row: &T,
    keys: &[&str],
    only_inserted: &[&str],
) -> Result<()> {
    let (columns, values) = inserted(row);
    let mut ordered: [Vec<(&str, Value)>; 3] = Default::default();
    for (column, value) in columns.iter().copied().zip(values) {
        let place = if keys.contains(&column) {
            0
        } else if only_inserted.contains(&column) {
            2
        } else {
            1
        };
        if let Some(list) = ordered.get_mut(place) {
            list.push((column, value));
        }
    }
    let names = |list: &[(&'static str, Value)]| list.iter().map(|(name, _)| *name).collect();
    let [keys, values, rest] = ordered;
    let (key_names, value_names, rest_names): (Vec<&str>, Vec<&str>, Vec<&str>) =
        (names(&keys), names(&values), names(&rest));
    let sql = tx
        .dialect()
        .upsert_keeping(T::NAME, &key_names, &value_names, &rest_names);
    let params: Vec<Value> = keys
        .into_iter()
        .chain(values)
        .chain(rest)
        .map(|(_, value)| value)
        .collect();
    tx.execute(&sql, &params).await.map(|_| ())
}

/// Inserts many rows with few statements.
pub async fn insert_many<T: Table>(tx: &mut Tx, rows: &[T]) -> Result<()> {
    // Both engines take thousands of parameters; 100 rows keep a statement small.
    for chunk in rows.chunks(100) {
        let Some(first) = chunk.first() else { continue };
        let (columns, _) = inserted(first);
        let marks = format!("({})", db::placeholders(columns.len()));
        let mut sql = tx.dialect().insert(T::NAME, columns);
        let mut params = Vec::with_capacity(chunk.len() * columns.len());
        for (index, row) in chunk.iter().enumerate() {
            if index > 0 {
                sql.push_str(", ");
                sql.push_str(&marks);
            }
            params.extend(
                row.values()
                    .into_iter()
                    .skip(T::COLUMNS.len() - columns.len()),
            );
        }
        tx.execute(&sql, &params).await?;
    }
    Ok(())
}

fn inserted<T: Table>(row: &T) -> (&'static [&'static str], Vec<Value>) {
    let mut values = row.values();
    if T::COLUMNS.first() == Some(&"id") && values.first() == Some(&Value::Int(0)) {
        values.remove(0);
        (T::COLUMNS.get(1..).unwrap_or_default(), values)
    } else {
        (T::COLUMNS, values)
    }
}

/// `SELECT` of every column of a table.
fn select<T: Table>(tail: &str) -> String {
    format!("SELECT {} FROM `{}` {tail}", columns::<T>(""), T::NAME)
}

/// The quoted column list of a table; `prefix` is an alias with its dot, or empty.
#[must_use]
pub fn columns<T: Table>(prefix: &str) -> String {
    T::COLUMNS
        .iter()
        .map(|name| format!("{prefix}`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
