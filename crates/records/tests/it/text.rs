//! 4-byte text in every text column of both engines.

use db::{Db, Dialect, Value};

use crate::engines;

/// The columns that the platform's own definitions keep in a 3-byte character set.
const THREE_BYTES: &[&str] = &[
    "learning_sequences_contenterror.usage_key",
    "learning_sequences_coursesection.usage_key",
    "learning_sequences_learningcontext.context_key",
    "learning_sequences_learningsequence.usage_key",
    "split_modulestore_django_historicalsplitmodulestorecourseindex.course_id",
    "split_modulestore_django_splitmodulestorecourseindex.course_id",
];

struct Column {
    name: String,
    kind: String,
    required: bool,
    primary: bool,
}

/// Tables of the schema with their columns.
async fn tables(db: &Db) -> Vec<(String, Vec<Column>)> {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name AS t, p.name AS c, p.type AS kind, p.\"notnull\" AS required, \
             p.pk AS pk FROM sqlite_master m, pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
        }
        Dialect::MySql => {
            "SELECT table_name AS t, column_name AS c, column_type AS kind, \
             is_nullable = 'NO' AS required, column_key = 'PRI' AS pk \
             FROM information_schema.columns WHERE table_schema = DATABASE() \
             ORDER BY table_name, ordinal_position"
        }
    };
    let mut tables: Vec<(String, Vec<Column>)> = Vec::new();
    for row in db.read(sql, &[]).await.unwrap() {
        let table = row.text("t").unwrap();
        if tables.last().is_none_or(|(name, _)| *name != table) {
            tables.push((table.clone(), Vec::new()));
        }
        let column = Column {
            name: row.text("c").unwrap(),
            kind: row.text("kind").unwrap().to_lowercase(),
            required: row.bool("required").unwrap(),
            primary: row.bool("pk").unwrap(),
        };
        tables.last_mut().unwrap().1.push(column);
    }
    tables
}

/// A value for a column; none for one that may stay empty.
fn value(table: &str, column: &Column) -> Option<Value> {
    let kind = column.kind.as_str();
    if kind.starts_with("varchar") || kind.starts_with("char") || kind.contains("text") {
        let size: usize = kind
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .trim_end_matches(')')
            .parse()
            .unwrap_or(40);
        let three = THREE_BYTES.contains(&format!("{table}.{}", column.name).as_str());
        return Some(if three {
            Value::from("é")
        } else if kind.starts_with("char") {
            Value::from("𝒜".repeat(size))
        } else {
            // JSON columns take a JSON text only; it fits wherever there is room.
            Value::from(if size >= 3 { "\"🦉\"" } else { "🦉" })
        });
    }
    if !column.required && !column.primary {
        return None;
    }
    Some(if kind.contains("blob") {
        Value::Bytes(vec![0])
    } else if kind.starts_with("datetime") {
        Value::from(engines::moment(1))
    } else if kind.starts_with("date") {
        Value::from(engines::moment(1).date())
    } else {
        // Big numbers are far from the rows that other tests have.
        let small = kind.starts_with("tinyint") || kind.starts_with("decimal") || kind == "bool";
        Value::Int(if small { 1 } else { 31_000 })
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_text_column_keeps_four_byte_text() {
    for engine in engines::all().await {
        let db = &engine.db;
        let tables = tables(db).await;
        assert!(tables.len() > 590);
        let tables = &tables;
        let dialect = db.dialect();
        // Rows refer to rows that are not there: the references are not what is tried here, so they
        // are off, and everything is undone.
        let outcome: Result<(), db::Error> = db
            .write(|mut tx| async move {
                if dialect == Dialect::MySql {
                    tx.execute("SET SESSION foreign_key_checks = 0", &[])
                        .await?;
                }
                let mut tried = 0;
                for (table, columns) in tables {
                    let given: Vec<(&str, Value)> = columns
                        .iter()
                        .filter_map(|column| Some((column.name.as_str(), value(table, column)?)))
                        .collect();
                    let texts = given
                        .iter()
                        .filter(|(_, value)| matches!(value, Value::Text(_)));
                    if texts.count() == 0 {
                        continue;
                    }
                    let (names, values): (Vec<&str>, Vec<Value>) = given.iter().cloned().unzip();
                    tx.execute(&dialect.insert(table, &names), &values).await?;
                    let primary = columns.iter().find(|column| column.primary).unwrap();
                    let key = value(table, primary).unwrap();
                    let sql = format!("SELECT * FROM `{table}` WHERE `{}` = ?", primary.name);
                    let row = tx.read_one(&sql, &[key]).await?.unwrap();
                    for (name, value) in &given {
                        let Value::Text(text) = value else { continue };
                        if !text.is_ascii() {
                            assert_eq!(&row.text(name)?, text, "{table}.{name}");
                            tried += 1;
                        }
                    }
                }
                assert!(tried > 1500, "{tried}");
                if dialect == Dialect::MySql {
                    tx.execute("SET SESSION foreign_key_checks = 1", &[])
                        .await?;
                }
                Err(db::Error::HandleKept)
            })
            .await;
        assert!(matches!(outcome, Err(db::Error::HandleKept)), "{outcome:?}");
    }
}
