//! Completions that clients report (courseware.md §5, lms-api.md §10).

use chrono::{DateTime, Utc};
use db::Db;
use modulestore::ModuleStore;
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Map, Value};

use crate::Result;
use crate::access::Loadable;
use crate::blocks_api::{self, Allowed, Completions, Query};
use crate::view::CourseView;

/// Most blocks of one batch; a course has fewer.
const MOST: usize = 10_000;

/// A number as Python's `float` reads it, and how Python shows what it cannot read.
fn float(value: &Value) -> Result<f64, String> {
    let unreadable = |shown: String| Err(format!("could not convert string to float: {shown}"));
    match value {
        Value::Number(number) => Ok(number.as_f64().unwrap_or_default()),
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => Ok(number),
            Err(_) => unreadable(format!("'{text}'")),
        },
        Value::Null => {
            Err("float() argument must be a string or a real number, not 'NoneType'".to_owned())
        }
        Value::Array(_) => {
            Err("float() argument must be a string or a real number, not 'list'".to_owned())
        }
        Value::Object(_) => {
            Err("float() argument must be a string or a real number, not 'dict'".to_owned())
        }
    }
}

/// Python's spelling of a float.
fn shown(number: f64) -> String {
    if number.is_nan() {
        "nan".to_owned()
    } else if number.fract() == 0.0 && number.abs() < 1e16 {
        format!("{number:.1}")
    } else {
        number.to_string()
    }
}

/// Reads `blocks` of a batch; the error is the text for the client.
pub fn read_blocks(
    course: &CourseKey,
    blocks: &Map<String, Value>,
) -> Result<Vec<(UsageKey, f64)>, String> {
    if blocks.len() > MOST {
        return Err(format!("More than {MOST} blocks at once."));
    }
    let mut read = Vec::with_capacity(blocks.len());
    for (key, value) in blocks {
        let value = float(value)?;
        let Ok(usage) = UsageKey::parse(key) else {
            return Err(format!("Invalid block key: {key}"));
        };
        let usage = if usage.course_key().run().is_empty() {
            match usage.map_into_course(course) {
                Ok(usage) => usage,
                Err(_) => return Err(format!("Invalid block key: {key}")),
            }
        } else {
            usage
        };
        if usage.course_key() != course {
            return Err(format!(
                "Block with key: '{key}' is not in context {course}"
            ));
        }
        read.push((usage, value));
    }
    for (_, value) in &read {
        if !(0.0..=1.0).contains(value) {
            return Err(format!("{} must be between 0.0 and 1.0", shown(*value)));
        }
    }
    Ok(read)
}

/// Stores the completions of a batch, in one transaction; equal ones stay untouched.
pub async fn submit(
    db: &Db,
    user: i64,
    course: &CourseKey,
    blocks: &[(UsageKey, f64)],
    now: DateTime<Utc>,
) -> Result<usize> {
    let now = now.naive_utc();
    let written = db
        .write(|mut tx| async move {
            records::completion::submit(&mut tx, user, course, blocks, now).await
        })
        .await?;
    Ok(written)
}

/// Whether the learner completed everything in a block that they can see.
pub async fn is_complete(
    db: &Db,
    store: &ModuleStore,
    view: &CourseView,
    proof: Loadable<'_>,
) -> Result<bool> {
    let block = proof.block();
    let allowed = Allowed::below(view, proof);
    let seen = blocks_api::seen(db, store, allowed, block.idx(), &Query::default()).await?;
    let completions = Completions::load(db, view, &seen.tree).await?;
    Ok(completions.is_complete(block.idx()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// lms-api.md §10, completion batch: texts of the 400s.
    #[test]
    fn batches() {
        let course = CourseKey::parse("course-v1:Acme+Bio+R1").unwrap();
        let own = "block-v1:Acme+Bio+R1+type@html+block@h";
        let other = "block-v1:Acme+Bio+R2+type@html+block@h";
        let read = |key: &str, value: Value| {
            let mut blocks = Map::new();
            blocks.insert(key.to_owned(), value);
            read_blocks(&course, &blocks)
        };
        assert_eq!(read(own, json!("0.5")).unwrap().first().unwrap().1, 0.5);
        for (key, value, text) in [
            (own, json!(3), "3.0 must be between 0.0 and 1.0"),
            (own, json!(-1), "-1.0 must be between 0.0 and 1.0"),
            (own, json!("NaN"), "nan must be between 0.0 and 1.0"),
            (own, json!("x"), "could not convert string to float: 'x'"),
            ("zz", json!(1), "Invalid block key: zz"),
        ] {
            assert_eq!(read(key, value).unwrap_err(), text);
        }
        let refused = read(other, json!(1)).unwrap_err();
        assert_eq!(
            refused,
            format!("Block with key: '{other}' is not in context {course}")
        );
    }
}
