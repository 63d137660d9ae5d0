//! Real courses against what the reference stores of them (golden/olx).

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use olx::{ArchiveFiles, Limits};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::support::{again, by_path, export, import_into, shared};

const COURSES: [&str; 6] = [
    "edge-cases",
    "edx-platform-toy",
    "edx4edx-lite",
    "openedx-demo-course",
    "openedx-demo-library",
    "supported-components",
];

fn archive(shared: &Path, name: &str) -> Option<PathBuf> {
    let file = format!("{name}.tar.gz");
    let places = [
        shared.join("corpora").join(&file),
        shared.join("golden/olx").join(&file),
    ];
    places.into_iter().find(|place| place.is_file())
}

fn read(path: &Path) -> ArchiveFiles {
    let bytes = std::fs::read(path).unwrap();
    olx::read_archive(Cursor::new(bytes), &Limits::default(), None).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    let file = std::fs::File::open(path).unwrap();
    let lines = BufReader::new(MultiGzDecoder::new(file)).lines();
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Whether a value is what was recorded: itself, `$generated`, or the hash of a long one.
fn same(want: &Value, got: &Value) -> bool {
    if want == "$generated" {
        return got.as_str().is_some_and(|text| !text.is_empty());
    }
    match (want, got) {
        (Value::Object(want), got) if want.contains_key("$sha256") => {
            let text = match got {
                Value::String(text) => text.trim().to_owned(),
                other => canonical(other),
            };
            want["$sha256"] == digest(&text)
        }
        (Value::Object(want), Value::Object(got)) => {
            want.len() == got.len()
                && want
                    .iter()
                    .all(|(key, value)| got.get(key).is_some_and(|got| same(value, got)))
        }
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| same(want, got))
        }
        (Value::Number(want), Value::Number(got)) => want.as_f64() == got.as_f64(),
        _ => want == got,
    }
}

/// JSON with sorted keys and no blanks.
fn canonical(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

fn settled(fields: &Value) -> Map<String, Value> {
    let mut fields = fields.as_object().cloned().unwrap_or_default();
    if fields.get("data").is_some_and(Value::is_string) {
        fields.shift_remove("data");
    }
    let mut attributes = match fields.shift_remove("xml_attributes") {
        Some(Value::Object(attributes)) => attributes,
        _ => Map::new(),
    };
    attributes.shift_remove("filename");
    if !attributes.is_empty() {
        fields.insert("xml_attributes".to_owned(), Value::Object(attributes));
    }
    fields
}

#[test]
fn recorded_courses_are_stored_alike() {
    let Some(shared) = shared() else {
        println!("skipped: no recorded courses here");
        return;
    };
    for name in COURSES {
        let Some(path) = archive(&shared, name) else {
            println!("skipped: {name}");
            continue;
        };
        let files = read(&path);
        let recorded = lines(&shared.join(format!("golden/olx/{name}.ndjson.gz")));
        let (facts, recorded) = recorded.split_first().unwrap();
        let key = facts["course_key"].as_str().unwrap();
        let course = import_into(&files, key).unwrap();
        let parsed = opaque_keys::CourseKey::parse(key).unwrap();
        let shown = olx::show::course(&parsed, &course.published, &course.draft, &[]);
        for fact in ["grading_policy", "tabs"] {
            assert!(same(&facts[fact], &shown["course"][fact]), "{name} {fact}");
        }
        let found: HashMap<&str, &Value> = shown["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| (block["usage"].as_str().unwrap(), block))
            .collect();
        let mut seen = 0;
        for want in recorded {
            let usage = want["usage"].as_str().unwrap();
            // A new course of the reference has an overview page; an import alone adds none.
            if want["type"] == "about" && want["display_name"] == "overview" {
                continue;
            }
            seen += 1;
            let got = found
                .get(usage)
                .unwrap_or_else(|| panic!("{name}: no {usage}"));
            for part in ["type", "children", "parent", "inherited"] {
                assert!(
                    same(&want[part], &got[part]),
                    "{usage} {part}: {} {}",
                    want[part],
                    got[part]
                );
            }
            let (fields, mine) = (settled(&want["fields"]), settled(&got["fields"]));
            for field in fields.keys().chain(mine.keys()) {
                let pair = (fields.get(field), mine.get(field));
                let alike = matches!(pair, (Some(want), Some(got)) if same(want, got));
                assert!(alike, "{usage} {field}: {pair:?}");
            }
            let text = got["fields"]["data"]
                .as_str()
                .map(|text| digest(text.trim()));
            assert_eq!(want["content_sha256"].as_str(), text.as_deref(), "{usage}");
        }
        assert_eq!(seen, found.len(), "{name}: other blocks");
    }
}

#[test]
fn recorded_exports_have_the_same_files() {
    let Some(shared) = shared() else {
        println!("skipped: no recorded courses here");
        return;
    };
    for name in COURSES {
        let Some(path) = archive(&shared, name) else {
            println!("skipped: {name}");
            continue;
        };
        let recorded = lines(&shared.join(format!("golden/olx/{name}.export.ndjson.gz")));
        let (facts, recorded) = recorded.split_first().unwrap();
        let key = facts["course_key"].as_str().unwrap();
        let exported = export(&import_into(&read(&path), key).unwrap(), key);
        let files = by_path(&exported);
        for want in recorded {
            let path = want["path"].as_str().unwrap();
            if want["form"] != "text" || path.contains("$uuid") || path == "about/overview.html" {
                continue;
            }
            let text = files
                .get(path)
                .unwrap_or_else(|| panic!("{name}: no {path}"));
            assert_eq!(want["sha256"], digest(text), "{name} {path}");
        }
        // §15.3: from the second pass on nothing changes. New videos have new ids, and what a
        // conditional shows is listed once more at each pass.
        let second = export(&import_into(&again(&exported), key).unwrap(), key);
        let third = export(&import_into(&again(&second), key).unwrap(), key);
        let third = by_path(&third);
        for (path, text) in by_path(&second) {
            if !text.contains("<video") && !text.contains("<show") {
                assert_eq!(third.get(path), Some(&text), "{name} {path}");
            }
        }
    }
}

/// Reading streams: a course's files can be told from their bytes alone.
#[test]
fn asset_bytes_are_those_of_the_archive() {
    let Some(path) = shared().and_then(|shared| archive(&shared, "edx-platform-toy")) else {
        println!("skipped: no recorded courses here");
        return;
    };
    let course = import_into(&read(&path), "course-v1:edX+toy+2012_Fall").unwrap();
    for asset in course.assets {
        let mut bytes = Vec::new();
        asset.data.open().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, asset.data.len());
    }
}
