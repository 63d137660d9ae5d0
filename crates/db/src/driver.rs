//! The only meeting with the driver's types: binding values, decoding rows.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, Column, Decode, MySql, Row as _, Sqlite, Type, TypeInfo, ValueRef,
    mysql::{MySqlArguments, MySqlRow},
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

use crate::{Error, Result, Row, Value, value::format_datetime};

/// Number of changed rows and the last automatic id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) changed: u64,
    pub(crate) last_id: i64,
}

// `AssertSqlSafe`: statements come from code, never from input; values are always bound. A test in
// the repository holds every other crate to `?` placeholders by keeping the driver out of reach.

pub(crate) fn sqlite_query(sql: &str, params: &[Value]) -> Query<'static, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in params {
        query = match value.clone() {
            Value::Null => query.bind(None::<String>),
            Value::Int(number) => query.bind(number),
            Value::Float(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Bool(flag) => query.bind(flag),
            Value::DateTime(moment) => query.bind(format_datetime(moment)),
        };
    }
    query
}

pub(crate) fn mysql_query(sql: &str, params: &[Value]) -> Query<'static, MySql, MySqlArguments> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in params {
        query = match value.clone() {
            Value::Null => query.bind(None::<String>),
            Value::Int(number) => query.bind(number),
            Value::Float(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Bool(flag) => query.bind(flag),
            Value::DateTime(moment) => query.bind(moment),
        };
    }
    query
}

pub(crate) fn sqlite_rows(sql: &str, rows: &[SqliteRow]) -> Result<Vec<Row>> {
    convert(sql, rows, |row, index| {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        let kind = raw.type_info().name().to_owned();
        let decoded = match kind.as_str() {
            "INTEGER" | "BOOLEAN" => <i64 as Decode<Sqlite>>::decode(raw).map(Value::Int),
            "REAL" => <f64 as Decode<Sqlite>>::decode(raw).map(Value::Float),
            "BLOB" => <Vec<u8> as Decode<Sqlite>>::decode(raw).map(Value::Bytes),
            _ => <String as Decode<Sqlite>>::decode(raw).map(Value::Text),
        };
        decoded.map_err(sqlx::Error::Decode)
    })
}

pub(crate) fn mysql_rows(sql: &str, rows: &[MySqlRow]) -> Result<Vec<Row>> {
    convert(sql, rows, |row, index| {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Value::Null);
        }
        let kind = raw.type_info().into_owned();
        let decoded = match kind.name() {
            "BOOLEAN" | "TINYINT" | "SMALLINT" | "INT" | "MEDIUMINT" | "BIGINT" | "YEAR" => {
                <i64 as Decode<MySql>>::decode(raw).map(Value::Int)
            }
            "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "INT UNSIGNED" | "MEDIUMINT UNSIGNED"
            | "BIGINT UNSIGNED" | "BIT" => <u64 as Decode<MySql>>::decode(raw)
                .and_then(|number| i64::try_from(number).map(Value::Int).map_err(Into::into)),
            "FLOAT" => <f32 as Decode<MySql>>::decode(raw).map(|n| Value::Float(f64::from(n))),
            "DOUBLE" => <f64 as Decode<MySql>>::decode(raw).map(Value::Float),
            "DATETIME" | "TIMESTAMP" => {
                <chrono::NaiveDateTime as Decode<MySql>>::decode(raw).map(Value::DateTime)
            }
            "DATE" => <chrono::NaiveDate as Decode<MySql>>::decode(raw).map(Value::from),
            "TIME" => <chrono::NaiveTime as Decode<MySql>>::decode(raw)
                .map(|time| Value::Text(time.to_string())),
            // The driver names utf8mb4_bin text by its binary flag; the collation tells better.
            _ if <[u8] as Type<MySql>>::compatible(&kind)
                && !<str as Type<MySql>>::compatible(&kind) =>
            {
                <Vec<u8> as Decode<MySql>>::decode(raw).map(Value::Bytes)
            }
            _ => <String as Decode<MySql>>::decode(raw).map(Value::Text),
        };
        decoded.map_err(sqlx::Error::Decode)
    })
}

fn convert<R: sqlx::Row>(
    sql: &str,
    rows: &[R],
    cell: impl Fn(&R, usize) -> Result<Value, sqlx::Error>,
) -> Result<Vec<Row>> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let names: Arc<[String]> = first
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    rows.iter()
        .map(|row| {
            let values = (0..names.len())
                .map(|index| cell(row, index))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| Error::from_driver(sql, error))?;
            Ok(Row::new(Arc::clone(&names), values))
        })
        .collect()
}
