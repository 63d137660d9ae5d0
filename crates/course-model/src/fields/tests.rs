use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const CLOCK_YEAR: i32 = 2026;

fn json_value(value: Value) -> FieldValue {
    FieldValue::Json(value)
}

fn normal(kind: FieldType, value: Value) -> Option<Value> {
    match normalise(kind, json_value(value), Clock::of_year(CLOCK_YEAR)) {
        Ok(FieldValue::Json(value)) => Some(value),
        _ => None,
    }
}

// olx.md §4
#[test]
fn dates_are_read_leniently() {
    for (text, stored) in [
        ("2013-02-05T05:00:00Z", Some(json!("2013-02-05T05:00:00Z"))),
        ("2013-02-05", Some(json!("2013-02-05T00:00:00Z"))),
        ("March 12 12:00", Some(json!("2026-03-12T12:00:00Z"))),
        ("2/5/2013", Some(json!("2013-02-05T00:00:00Z"))),
        (
            "2013-02-05T23:30:00-05:00",
            Some(json!("2013-02-05T23:30:00-05:00")),
        ),
        (
            "2013-02-05 05:00 GMT+3",
            Some(json!("2013-02-05T05:00:00-03:00")),
        ),
        ("10:00", Some(Value::Null)),
        ("", Some(Value::Null)),
        ("soon", None),
        ("2013-W06-2", None),
    ] {
        assert_eq!(normal(FieldType::Date, json!(text)), stored, "{text}");
    }
    let millis = normal(FieldType::Date, json!(1_360_040_400_000_i64));
    assert_eq!(millis, Some(json!("2013-02-05T05:00:00Z")));
}

// olx.md §4, courseware.md §18
#[test]
fn durations_and_positions() {
    for (text, stored) in [
        ("1 day 5 hours", json!("1 days 18000 seconds")),
        ("", json!("")),
        ("1 week", Value::Null),
    ] {
        assert_eq!(
            normal(FieldType::Timedelta, json!(text)),
            Some(stored),
            "{text}"
        );
    }
    for (value, stored) in [
        (json!("00:00:61"), Some(json!("00:01:01"))),
        (json!(75.0), Some(json!("00:01:15"))),
        (json!(0.25), Some(json!("0:00:00.250000"))),
        (json!(86400.0), Some(json!("1 day, 0:00:00"))),
        (json!(75), None),
    ] {
        assert_eq!(
            normal(FieldType::RelativeTime, value.clone()),
            stored,
            "{value}"
        );
    }
}

// olx.md §4
#[test]
fn attributes_keep_what_the_field_refuses() {
    for (kind, text, stored) in [
        (FieldType::String, "3.4", json!("3.4")),
        (FieldType::String, "\"abc\"", json!("abc")),
        (FieldType::String, "null", Value::Null),
        (
            FieldType::Date,
            "\"2013-02-05T05:00:00Z\"",
            json!("2013-02-05T05:00:00Z"),
        ),
        (FieldType::Integer, "1.5", json!(1.5)),
        (FieldType::Timedelta, "5", json!("5")),
        (FieldType::Dict, "{\"a\": 1}", json!({"a": 1})),
    ] {
        assert_eq!(
            stored_attribute(kind, text, Clock::of_year(CLOCK_YEAR)),
            stored,
            "{text}"
        );
    }
}

// courseware.md §3
#[test]
fn dates_are_shown_in_zones() {
    let moment = Moment::from_iso("2024-11-03T06:30:00+00:00").unwrap();
    let shown = date_display(Some(&moment), None, Some("America/New_York"));
    assert_eq!(shown, "Nov 03, 2024 at 01:30 EST");
    assert_eq!(strftime(&moment, "DAY_AND_TIME").unwrap(), "Sunday at 6am");
    assert_eq!(strftime(&moment, "100%"), Err(FormatError));
}

fn any_kind() -> impl Strategy<Value = FieldType> {
    prop::sample::select(vec![
        FieldType::Boolean,
        FieldType::Integer,
        FieldType::Float,
        FieldType::String,
        FieldType::List,
        FieldType::Dict,
        FieldType::Set,
        FieldType::Any,
        FieldType::Date,
        FieldType::Datetime,
        FieldType::Timedelta,
        FieldType::RelativeTime,
        FieldType::Score,
        FieldType::ListScore,
        FieldType::Randomization,
        FieldType::GroupAccess,
        FieldType::UserPartitionList,
        FieldType::StringOrDate,
    ])
}

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "2013",
            "05",
            "1",
            "-",
            ":",
            "T",
            "Z",
            "+",
            " ",
            "/",
            ".",
            ",",
            "Feb",
            "Tuesday",
            "am",
            "GMT",
            "EST",
            "h",
            "m",
            "of",
            "days",
            "hours",
            "[",
            "]",
            "{",
            "}",
            "\"",
            "'",
            "- ",
            "\n",
            ": ",
            "#",
            "\\u",
            "\\",
            "null",
            "(",
            ")",
            "20130205",
            "123456.5",
            "99999999999999",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    // No text panics in any field, however it is read.
    #[test]
    fn reading_is_total(kind in any_kind(), text in any_text()) {
        let clock = Clock::of_year(CLOCK_YEAR);
        let _ = normalise(kind, json_value(json!(text)), clock);
        let _ = from_string(kind, &text, clock);
        let _ = deserialize_attribute(kind, &text, clock);
        let _ = strftime(&Moment::utc(chrono::NaiveDateTime::default()), &text);
    }

    // olx.md §4: what is stored is stored again unchanged.
    #[test]
    fn normal_values_are_stable(text in any_text()) {
        for kind in [FieldType::Date, FieldType::Timedelta, FieldType::StringOrDate] {
            if let Some(first) = normal(kind, json!(text)) {
                prop_assert_eq!(normal(kind, first.clone()), Some(first));
            }
        }
    }
}
