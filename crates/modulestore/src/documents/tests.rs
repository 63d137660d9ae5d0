use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use base64::Engine as _;
use bson::raw::RawBsonRef;
use bson::{Bson, Document, RawDocument, RawDocumentBuf};
use serde_json::Value;

use super::*;

/// The folder of specifications, where it stands beside the repository.
pub(crate) fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder =
        std::env::var_os("STOA_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Extended JSON, both spellings of numbers: whole ones in 32 bits, `length` of files in 64.
fn from_extended(value: &Value, name: &str) -> Bson {
    match value {
        Value::Object(map) => {
            if let Some(id) = map.get("$oid") {
                return Bson::ObjectId(ObjectId::parse_str(id.as_str().unwrap()).unwrap());
            }
            if let Some(date) = map.get("$date") {
                return Bson::DateTime(values::parse_date(date.as_str().unwrap()).unwrap());
            }
            if let Some(binary) = map.get("$binary") {
                let text = binary["base64"].as_str().unwrap();
                return Bson::Binary(bson::Binary {
                    subtype: bson::spec::BinarySubtype::Generic,
                    bytes: base64::engine::general_purpose::STANDARD
                        .decode(text)
                        .unwrap(),
                });
            }
            let mut doc = Document::new();
            for (key, item) in map {
                doc.insert(key.clone(), from_extended(item, key));
            }
            Bson::Document(doc)
        }
        Value::Array(list) => {
            Bson::Array(list.iter().map(|item| from_extended(item, "")).collect())
        }
        Value::Number(number) if name == "length" => Bson::Int64(number.as_i64().unwrap()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Bson::Int32(i32::try_from(whole).unwrap()),
            None => Bson::Double(number.as_f64().unwrap()),
        },
        Value::String(text) => Bson::String(text.clone()),
        Value::Bool(value) => Bson::Boolean(*value),
        Value::Null => Bson::Null,
    }
}

/// The recorded documents of the toy course, with their collections.
pub(crate) fn golden() -> Option<Vec<(String, RawDocumentBuf)>> {
    let path = shared()?.join("golden/modulestore-toy.ndjson.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).ok()?)
        .read_to_string(&mut text)
        .unwrap();
    let docs = text
        .lines()
        .map(|line| {
            let entry: Value = serde_json::from_str(line).unwrap();
            let Bson::Document(doc) = from_extended(&entry["doc"], "") else {
                panic!("no document")
            };
            let raw = RawDocumentBuf::try_from(&doc).unwrap();
            (entry["collection"].as_str().unwrap().to_owned(), raw)
        })
        .collect();
    Some(docs)
}

fn written_again(collection: &str, doc: &RawDocument) -> Result<RawDocumentBuf> {
    Ok(match collection {
        "modulestore.structures" => Structure::from_document(doc)?.to_document(),
        "modulestore.definitions" => Definition::from_document(doc)?.to_document(),
        "modulestore.active_versions" => CourseIndexDocument::from_document(doc)?.to_document()?,
        "fs.files" => FileDocument::from_document(doc)?.to_document()?,
        "fs.chunks" => ChunkDocument::from_document(doc)?.to_document()?,
        other => panic!("unknown collection {other}"),
    })
}

// courseware.md §2, schema/mongo-collections.md: what is read is written back byte for byte.
#[test]
fn recorded_documents_survive_a_round_trip() {
    let Some(docs) = golden() else {
        println!("skipped: no recorded documents beside the repository");
        return;
    };
    let mut counts = BTreeMap::new();
    for (collection, doc) in &docs {
        let again = written_again(collection, doc).unwrap();
        assert_eq!(
            Document::try_from(&again).unwrap(),
            Document::try_from(doc).unwrap(),
            "{collection}"
        );
        assert_eq!(again.as_bytes(), doc.as_bytes(), "{collection}");
        *counts.entry(collection.as_str()).or_insert(0) += 1;
    }
    assert_eq!(counts["modulestore.structures"], 2);
    assert_eq!(counts["fs.files"], 7);
}

// courseware.md §2.2: values read as JSON are stored again as they were.
#[test]
fn recorded_values_survive_a_round_trip() {
    let Some(docs) = golden() else {
        println!("skipped: no recorded documents beside the repository");
        return;
    };
    let course = opaque_keys::CourseKey::parse("course-v1:edX+toy+2012_Fall").unwrap();
    for (collection, doc) in &docs {
        if collection == "modulestore.structures" {
            for (key, block) in &Structure::from_document(doc).unwrap().blocks {
                let json = values::from_stored(&course, &key.block_type, &block.fields).unwrap();
                let again = values::to_stored(&key.block_type, &json).unwrap();
                assert_eq!(again.as_bytes(), block.fields.as_bytes(), "{key}");
            }
        }
        if collection == "modulestore.definitions" {
            let definition = Definition::from_document(doc).unwrap();
            let block_type = &definition.block_type;
            let json = values::from_stored(&course, block_type, &definition.fields).unwrap();
            let again = values::to_stored(block_type, &json).unwrap();
            assert_eq!(again.as_bytes(), definition.fields.as_bytes());
        }
    }
}

// courseware.md §2.2
#[test]
fn both_forms_of_dates_are_read() {
    for text in [
        "2015-07-17T12:00:00Z",
        "2015-07-17T12:00:00+00:00",
        "2015-07-17T12:00",
    ] {
        assert_eq!(
            values::date_text(values::parse_date(text).unwrap()),
            "2015-07-17T12:00:00Z"
        );
    }
    assert_eq!(
        values::date_text(values::parse_date("2015-07-17").unwrap()),
        "2015-07-17T00:00:00Z"
    );
    assert_eq!(values::parse_date("soon"), None);
    let course = opaque_keys::CourseKey::parse("course-v1:A+B+C").unwrap();
    let mut doc = RawDocumentBuf::new();
    doc.append(bson::raw::cstr!("start"), "2015-07-17T12:00:00Z");
    doc.append(
        bson::raw::cstr!("due"),
        values::parse_date("2016-01-01T00:00:00.250Z").unwrap(),
    );
    let fields = values::from_stored(&course, "chapter", &doc).unwrap();
    assert_eq!(fields["start"], "2015-07-17T12:00:00Z");
    assert_eq!(fields["due"], "2016-01-01T00:00:00Z");
    let stored = values::to_stored("chapter", &fields).unwrap();
    assert!(matches!(
        stored.get("start").unwrap(),
        Some(RawBsonRef::DateTime(_))
    ));
}

// courseware.md §2.2: references are pairs in storage, key texts of the reading course outside.
#[test]
fn references_change_their_form() {
    let course = opaque_keys::CourseKey::parse("course-v1:A+B+C").unwrap();
    let fields: course_model::Fields = serde_json::from_value(serde_json::json!({
        "group_id_to_child": {
            "0": "block-v1:X+Y+Z+type@vertical+block@v0",
            "1": "i4x://X/Y/vertical/v1",
            "2": "no key",
        },
    }))
    .unwrap();
    let stored = values::to_stored("split_test", &fields).unwrap();
    assert!(values::has_references("split_test", &stored));
    let map = stored.get_document("group_id_to_child").unwrap();
    assert!(map.get_array("0").is_ok());
    let read = values::from_stored(&course, "split_test", &stored).unwrap();
    assert_eq!(
        read["group_id_to_child"],
        serde_json::json!({
            "0": "block-v1:A+B+C+type@vertical+block@v0",
            "1": "block-v1:A+B+C+type@vertical+block@v1",
            "2": "no key",
        })
    );
}

proptest::proptest! {
    // No bytes make the readers panic, and what they read they can write.
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(0_u8.., 5..200)) {
        let length = i32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        *bytes.last_mut().unwrap() = 0;
        if let Ok(doc) = RawDocumentBuf::from_bytes(bytes) {
            let _ = Structure::from_document(&doc);
            let _ = Definition::from_document(&doc);
            let _ = FileDocument::from_document(&doc);
            let _ = ChunkDocument::from_document(&doc);
            let _ = CourseIndexDocument::from_document(&doc);
        }
    }

    // courseware.md §2.2: JSON values keep their form.
    #[test]
    fn plain_values_survive(number: i64, float in -1e15..1e15_f64, text: String, flag: bool) {
        let value = serde_json::json!({
            "a": [number, float + 0.5, text, flag, null], "b": {"c": {}, "d": []},
        });
        let stored = values::encode(&value, 0).unwrap();
        proptest::prop_assert_eq!(values::decode(stored.as_raw_bson_ref(), 0), value);
    }
}
