//! What follows an import, against the rows of the recorded world (`golden/world.sql.gz`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use db::Db;

use crate::support::{house, shared};

const DEMO: &str = "course-v1:OpenedX+DemoX+DemoCourse";
const TOY: &str = "course-v1:edX+toy+2012_Fall";

/// A row: column name to text.
type Row = BTreeMap<String, Option<String>>;
type Tables = BTreeMap<String, Vec<Row>>;

/// Tables that follow a publish, with the columns that cannot be the same.
const TABLES: &[(&str, &[&str])] = &[
    ("course_overviews_courseoverview", &["created", "modified"]),
    ("course_overviews_courseoverviewtab", &["id"]),
    (
        "learning_sequences_learningcontext",
        &[
            "id",
            "created",
            "modified",
            "published_at",
            "published_version",
        ],
    ),
    ("learning_sequences_coursecontext", &["created", "modified"]),
    (
        "learning_sequences_learningsequence",
        &["id", "created", "modified"],
    ),
    (
        "learning_sequences_coursesection",
        &["id", "created", "modified"],
    ),
    (
        "learning_sequences_coursesectionsequence",
        &["id", "created", "modified"],
    ),
    ("learning_sequences_publishreport", &["id"]),
    ("learning_sequences_contenterror", &["id"]),
    ("edx_when_contentdate", &["id"]),
    (
        "discussions_discussionsconfiguration",
        &["created", "modified"],
    ),
    ("django_comment_common_discussionsidmapping", &[]),
];

/// Columns that hold ids, with the table that they lead to and the columns that stand for its rows.
const LINKS: &[(&str, &str, &[&str])] = &[
    (
        "learning_context_id",
        "learning_sequences_learningcontext",
        &["context_key"],
    ),
    (
        "course_context_id",
        "learning_sequences_learningcontext",
        &["context_key"],
    ),
    (
        "section_id",
        "learning_sequences_coursesection",
        &["usage_key"],
    ),
    (
        "sequence_id",
        "learning_sequences_learningsequence",
        &["usage_key"],
    ),
    (
        "publish_report_id",
        "learning_sequences_publishreport",
        &["learning_context_id"],
    ),
    (
        "policy_id",
        "edx_when_datepolicy",
        &["abs_date", "rel_date"],
    ),
];

/// The rows of a dump of `INSERT` statements.
fn parse(dump: &str) -> Tables {
    let mut tables = Tables::new();
    for statement in dump.split("INSERT INTO `").skip(1) {
        let (table, rest) = statement.split_once('`').unwrap();
        let (columns, rest) = rest
            .split_once('(')
            .unwrap()
            .1
            .split_once(") VALUES ")
            .unwrap();
        let columns: Vec<String> = columns
            .split(", ")
            .map(|name| name.trim_matches('`').to_owned())
            .collect();
        let mut chars = rest.chars().peekable();
        let (mut values, mut word) = (Vec::new(), String::new());
        while let Some(char) = chars.next() {
            match char {
                '(' => values = Vec::new(),
                '\'' => {
                    while let Some(char) = chars.next() {
                        match char {
                            '\\' => word.push(match chars.next().unwrap() {
                                'n' => '\n',
                                'r' => '\r',
                                't' => '\t',
                                '0' => '\0',
                                other => other,
                            }),
                            '\'' if chars.peek() == Some(&'\'') => {
                                chars.next();
                                word.push('\'');
                            }
                            '\'' => break,
                            other => word.push(other),
                        }
                    }
                    word.push('\u{0}');
                }
                ',' | ')' => {
                    let text = std::mem::take(&mut word);
                    if text.is_empty() {
                        continue;
                    }
                    values.push(match text.strip_suffix('\u{0}') {
                        Some(quoted) => Some(quoted.to_owned()),
                        None if text == "NULL" => None,
                        None => Some(text),
                    });
                    if char == ')' {
                        let row = columns.iter().cloned().zip(values.drain(..)).collect();
                        tables.entry(table.to_owned()).or_default().push(row);
                    }
                }
                ';' => break,
                ' ' | '\n' | '\r' => {}
                other => word.push(other),
            }
        }
    }
    tables
}

/// The same tables of a database.
async fn read(db: &Db, recorded: &Tables) -> Tables {
    let mut tables = Tables::new();
    let wanted = TABLES.iter().map(|(table, _)| *table);
    for table in wanted.chain(["edx_when_datepolicy"]) {
        let Some(sample) = recorded[table].first() else {
            continue;
        };
        let columns: Vec<String> = sample
            .keys()
            .map(|name| format!("CAST(`{name}` AS TEXT) AS `{name}`"))
            .collect();
        let sql = format!(
            "SELECT {} FROM `{table}` ORDER BY rowid",
            columns.join(", ")
        );
        let rows = db.read(&sql, &[]).await.unwrap();
        let rows = rows.iter().map(|row| {
            let cell = |name: &String| (name.clone(), row.opt_text(name).unwrap());
            sample.keys().map(cell).collect()
        });
        tables.insert(table.to_owned(), rows.collect());
    }
    tables
}

/// The text that stands for the row of a table with an id.
fn stand_in(tables: &Tables, table: &str, columns: &[&str], id: &str) -> String {
    let row = tables[table]
        .iter()
        .find(|row| row["id"].as_deref() == Some(id))
        .unwrap_or_else(|| panic!("{table} has no row {id}"));
    columns
        .iter()
        .map(|column| row[*column].clone().unwrap_or_default())
        .map(|text| match table {
            "learning_sequences_publishreport" => stand_in(
                tables,
                "learning_sequences_learningcontext",
                &["context_key"],
                &text,
            ),
            _ => text,
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// Rows of the two courses as texts, without what cannot be the same.
fn comparable(tables: &Tables, table: &str, without: &[&str]) -> Vec<String> {
    let ours = |text: &str| {
        text.contains("OpenedX+DemoX+DemoCourse") || text.contains("edX+toy+2012_Fall")
    };
    let mut found: Vec<String> = tables
        .get(table)
        .into_iter()
        .flatten()
        .map(|row| {
            let cells = row
                .iter()
                .filter(|(name, _)| !without.contains(&name.as_str()));
            let cells = cells.map(|(name, value)| {
                let link = LINKS.iter().find(|(column, ..)| column == name);
                let value = match (link, value) {
                    (Some((_, to, columns)), Some(id)) => Some(stand_in(tables, to, columns, id)),
                    // MySQL writes decimals with all of their places.
                    _ if name == "lowest_passing_grade" => value
                        .as_ref()
                        .map(|text| text.parse::<f64>().unwrap().to_string()),
                    _ => value.clone(),
                };
                format!("{name}={value:?}")
            });
            cells.collect::<Vec<_>>().join(" ")
        })
        .filter(|text| ours(text))
        .collect();
    // Tabs have no order but that of their rows, which counts within a course.
    if table == "course_overviews_courseoverviewtab" {
        found.sort_by_key(|text| text.contains("edX+toy"));
    } else {
        found.sort();
    }
    found
}

// courseware.md §2.5, §6, §8.3; olx.md §15 checks 1 and 51.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn derived_rows_are_those_of_the_recorded_world() {
    let Some(shared) = shared() else {
        println!("skipped: no recorded world here (STOA_SHARED)");
        return;
    };
    let mut dump = String::new();
    let file = std::fs::File::open(shared.join("golden/world.sql.gz")).unwrap();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut dump)
        .unwrap();
    let recorded = parse(&dump);

    let house = house().await;
    for (archive, key) in [
        ("openedx-demo-course.tar.gz", DEMO),
        ("edx-platform-toy.tar.gz", TOY),
    ] {
        house
            .import(&shared.join("corpora").join(archive), Some(key))
            .await
            .unwrap();
    }
    let stored = read(&house.db, &recorded).await;
    let mut differences = BTreeSet::new();
    for (table, without) in TABLES {
        let expected = comparable(&recorded, table, without);
        let found = comparable(&stored, table, without);
        for row in expected.iter().filter(|row| !found.contains(row)) {
            differences.insert(format!("{table}: missing {row}"));
        }
        for row in found.iter().filter(|row| !expected.contains(row)) {
            differences.insert(format!("{table}: too many {row}"));
        }
        if expected.len() != found.len() {
            differences.insert(format!(
                "{table}: {} rows, not {}",
                found.len(),
                expected.len()
            ));
        }
        if found != expected {
            differences.insert(format!("{table}: another order, or other rows"));
        }
    }
    let text: Vec<_> = differences.iter().map(String::as_str).collect();
    assert!(text.is_empty(), "{}", text.join("\n"));

    // Done again, the same rows stay, under the same ids.
    let follower = authoring::Follower {
        db: house.db.clone(),
        store: house.store.clone(),
    };
    for key in [DEMO, TOY] {
        let key = opaque_keys::CourseKey::parse(key).unwrap();
        follower
            .course_published(&key, crate::support::now())
            .await
            .unwrap();
    }
    let again = read(&house.db, &recorded).await;
    for (table, without) in TABLES {
        assert_eq!(
            comparable(&again, table, without),
            comparable(&stored, table, without)
        );
    }
    for table in [
        "learning_sequences_coursesection",
        "learning_sequences_learningsequence",
        "edx_when_contentdate",
        "edx_when_datepolicy",
    ] {
        assert_eq!(again[table].len(), stored[table].len(), "{table}");
    }
}
