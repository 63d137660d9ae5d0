//! What learners left behind in blocks: user state, and the fields of the other user scopes (courseware.md §4).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use db::{Db, Tx};
use django_compat::pyjson::{Style, dumps};
use opaque_keys::{CourseKey, UsageKey};
use records::student_modules::{self, PreferencesField, StudentModule, UserInfoField};
use serde_json::{Map, Value};

use crate::Result;

/// Fields of a block's user state, as stored.
pub type State = Map<String, Value>;

/// The states of one learner in some blocks of a course.
#[derive(Debug, Clone, Default)]
pub struct UserStates {
    rows: HashMap<String, StudentModule>,
}

impl UserStates {
    /// Loads the states of blocks (texts of usage keys) with one statement; none for anonymous visitors.
    pub async fn load(
        db: &Db,
        user_id: Option<i64>,
        course: &CourseKey,
        usages: &[String],
    ) -> Result<Self> {
        let Some(user_id) = user_id else {
            return Ok(Self::default());
        };
        if usages.is_empty() {
            return Ok(Self::default());
        }
        let rows = student_modules::get_many(db, user_id, course, usages).await?;
        Ok(Self {
            rows: rows
                .into_iter()
                .map(|row| (row.module_id.clone(), row))
                .collect(),
        })
    }

    /// The stored row of a block.
    #[must_use]
    pub fn row(&self, usage: &str) -> Option<&StudentModule> {
        self.rows.get(usage)
    }

    /// The state of a block; empty when there is none.
    #[must_use]
    pub fn state(&self, usage: &str) -> State {
        self.row(usage).map(state_of).unwrap_or_default()
    }
}

/// The state of a row. What is no JSON object counts as none; it is overwritten by the next save.
#[must_use]
pub fn state_of(row: &StudentModule) -> State {
    let text = row.state.as_deref().unwrap_or("{}");
    if let Ok(Value::Object(state)) = serde_json::from_str(text) {
        return state;
    }
    tracing::warn!(
        module = row.module_id,
        student = row.student_id,
        "unreadable state"
    );
    State::new()
}

/// A grade that goes with a state: raw points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grade {
    /// Points earned.
    pub earned: f64,
    /// Points possible.
    pub possible: f64,
}

/// A change of one learner's state in one block.
#[derive(Debug, Clone)]
pub struct Change {
    /// The block.
    pub usage: UsageKey,
    /// The state's text as it was read, `None` when there was no row. If another one is stored by now, nothing is
    /// written.
    pub read: Option<String>,
    /// Keys to write, merged over the stored ones.
    pub changes: State,
    /// Points to write.
    pub grade: Option<Grade>,
}

impl Change {
    /// A change of the state that was read from a row.
    #[must_use]
    pub fn new(usage: UsageKey, row: Option<&StudentModule>, changes: State) -> Self {
        Self {
            usage,
            read: row.map(|row| row.state.clone().unwrap_or_default()),
            changes,
            grade: None,
        }
    }
}

/// Writes a change inside a transaction, under a lock of the row. Returns whether it was written: not if the stored
/// state is no longer the one that was read. States of problems are kept in the history too.
pub async fn write(
    tx: &mut Tx,
    user_id: i64,
    change: &Change,
    now: DateTime<Utc>,
) -> Result<bool, db::Error> {
    let stored = student_modules::get_locked(tx, user_id, &change.usage).await?;
    let text = stored
        .as_ref()
        .map(|row| row.state.clone().unwrap_or_default());
    if text != change.read {
        return Ok(false);
    }
    let now = now.naive_utc();
    let mut row = stored.unwrap_or_else(|| StudentModule::new(user_id, &change.usage, now));
    let mut state = state_of(&row);
    for (key, value) in &change.changes {
        state.insert(key.clone(), value.clone());
    }
    row.state = Some(dumps(&Value::Object(state), Style::DEFAULT));
    row.modified = now;
    if let Some(grade) = change.grade {
        row.grade = Some(grade.earned);
        row.max_grade = Some(grade.possible);
    }
    let history = change.usage.block_type() == "problem";
    student_modules::save(tx, &row, history).await?;
    Ok(true)
}

/// Stores what looking at blocks brought about (a seed, a position, a selection) in one transaction. A state that
/// somebody else wrote meanwhile stays: what looking changes is not worth a retry.
pub async fn write_views(
    db: &Db,
    user_id: i64,
    changes: &[Change],
    now: DateTime<Utc>,
) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    db.write(|mut tx| async move {
        for change in changes {
            write(&mut tx, user_id, change, now).await?;
        }
        Ok::<_, db::Error>(())
    })
    .await?;
    Ok(())
}

/// Fields of a learner that are not of one block: for all blocks of a type, and of the person.
#[derive(Debug, Clone, Default)]
pub struct Preferences {
    values: HashMap<String, Value>,
}

impl Preferences {
    /// Loads the fields of one block type, and the person's own when `with_info`.
    pub async fn load(
        db: &Db,
        user_id: Option<i64>,
        block_type: &str,
        with_info: bool,
    ) -> Result<Self> {
        let mut found = Self::default();
        let Some(user_id) = user_id else {
            return Ok(found);
        };
        let types = [block_type.to_owned()];
        for row in student_modules::preferences(db, user_id, &types).await? {
            found.add(row.field_name, &row.value);
        }
        if with_info {
            for row in student_modules::user_info(db, user_id).await? {
                found.add(row.field_name, &row.value);
            }
        }
        Ok(found)
    }

    fn add(&mut self, name: String, text: &str) {
        if let Ok(value) = serde_json::from_str(text) {
            self.values.insert(name, value);
        }
    }

    /// A stored value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }
}

/// Stores a field of a learner for all blocks of a type.
pub async fn save_preference(
    tx: &mut Tx,
    user_id: i64,
    block_type: &str,
    name: &str,
    value: &Value,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let row = PreferencesField {
        field_name: name.to_owned(),
        value: dumps(value, Style::DEFAULT),
        created: now.naive_utc(),
        modified: now.naive_utc(),
        module_type: block_type.to_owned(),
        student_id: user_id,
        ..PreferencesField::default()
    };
    student_modules::save_preference(tx, &row).await
}

/// Stores a field of a person.
pub async fn save_info(
    tx: &mut Tx,
    user_id: i64,
    name: &str,
    value: &Value,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let row = UserInfoField {
        field_name: name.to_owned(),
        value: dumps(value, Style::DEFAULT),
        created: now.naive_utc(),
        modified: now.naive_utc(),
        student_id: user_id,
        ..UserInfoField::default()
    };
    student_modules::save_user_info(tx, &row).await
}
