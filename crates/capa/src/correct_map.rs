//! The correct map: what grading decided for each answer id (contract §5).

use indexmap::IndexMap;
use serde_json::{Map, Value};

/// The decision for one answer id.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// `correct`, `incorrect`, `partially-correct`, `incomplete`, any text a grader stored, or none.
    pub correctness: Option<String>,
    /// Points when they are not simply one or none. A number; other JSON is kept as stored.
    pub npoints: Value,
    /// Message under the input; null is kept (contract §3.8).
    pub msg: Value,
    /// Hint shown with the message.
    pub hint: String,
    /// `always` shows the hint.
    pub hintmode: Option<String>,
    /// `{key, time}` while an external grader has the answer.
    pub queuestate: Value,
    /// `$name` of the variable whose value was answered.
    pub answervariable: Option<String>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            correctness: None,
            npoints: Value::Null,
            msg: Value::String(String::new()),
            hint: String::new(),
            hintmode: None,
            queuestate: Value::Null,
            answervariable: None,
        }
    }
}

impl Entry {
    /// An entry with only a mark.
    #[must_use]
    pub fn mark(correctness: &str) -> Self {
        Self {
            correctness: Some(correctness.to_owned()),
            ..Self::default()
        }
    }

    /// An entry with a mark and points.
    #[must_use]
    pub fn points(correctness: &str, npoints: f64) -> Self {
        Self {
            npoints: Value::from(npoints),
            ..Self::mark(correctness)
        }
    }

    /// An entry with a mark and whole points.
    #[must_use]
    pub fn int_points(correctness: &str, npoints: i64) -> Self {
        Self {
            npoints: Value::from(npoints),
            ..Self::mark(correctness)
        }
    }

    /// The message as text.
    #[must_use]
    pub fn message(&self) -> &str {
        self.msg.as_str().unwrap_or_default()
    }

    /// Adds to the message.
    pub fn append_message(&mut self, text: &str) {
        if !text.is_empty() {
            self.msg = Value::String(format!("{}{text}", self.message()));
        }
    }

    /// Correct or partially correct.
    #[must_use]
    pub fn is_correct(&self) -> bool {
        matches!(
            self.correctness.as_deref(),
            Some("correct" | "partially-correct")
        )
    }

    fn to_json(&self) -> Value {
        let text = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
        let mut map = Map::new();
        map.insert("correctness".to_owned(), text(&self.correctness));
        map.insert("npoints".to_owned(), self.npoints.clone());
        map.insert("msg".to_owned(), self.msg.clone());
        map.insert("hint".to_owned(), Value::String(self.hint.clone()));
        map.insert("hintmode".to_owned(), text(&self.hintmode));
        map.insert("queuestate".to_owned(), self.queuestate.clone());
        map.insert("answervariable".to_owned(), text(&self.answervariable));
        Value::Object(map)
    }

    /// Reads one stored entry: an object, or only a mark.
    #[must_use]
    pub fn from_stored(value: &Value) -> Self {
        match value {
            Value::Object(fields) => Self::from_json(fields),
            Value::Null => Self::default(),
            other => Self::mark(&crate::pyvalue::py_str(other)),
        }
    }

    fn from_json(map: &Map<String, Value>) -> Self {
        let text = |key: &str| match map.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => Some(crate::pyvalue::py_str(value)),
        };
        Self {
            correctness: text("correctness"),
            npoints: map.get("npoints").cloned().unwrap_or_default(),
            msg: map
                .get("msg")
                .cloned()
                .unwrap_or_else(|| Value::String(String::new())),
            hint: text("hint").unwrap_or_default(),
            hintmode: text("hintmode"),
            queuestate: map.get("queuestate").cloned().unwrap_or_default(),
            answervariable: text("answervariable"),
        }
    }
}

/// Decisions by answer id, in the order of grading.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CorrectMap {
    /// The decisions.
    pub entries: IndexMap<String, Entry>,
    /// Message for the whole problem; never stored.
    pub overall_message: String,
}

impl CorrectMap {
    /// A map of one entry.
    #[must_use]
    pub fn one(answer_id: &str, entry: Entry) -> Self {
        let mut map = Self::default();
        map.entries.insert(answer_id.to_owned(), entry);
        map
    }

    /// Reads the stored form; the oldest one, `{id: "correct"}`, is understood.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        let mut map = Self::default();
        if let Some(stored) = value.as_object() {
            for (id, entry) in stored {
                map.entries.insert(id.clone(), Entry::from_stored(entry));
            }
        }
        map
    }

    /// The stored form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(
            self.entries
                .iter()
                .map(|(id, e)| (id.clone(), e.to_json()))
                .collect(),
        )
    }

    /// Takes over another map's entries and its overall message.
    pub fn update(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.overall_message = other.overall_message;
    }

    /// The entry of an answer id.
    #[must_use]
    pub fn get(&self, answer_id: &str) -> Option<&Entry> {
        self.entries.get(answer_id)
    }

    /// Points of an answer id (contract §5).
    #[must_use]
    pub fn points(&self, answer_id: &str) -> f64 {
        let Some(entry) = self.get(answer_id) else {
            return 0.0;
        };
        match entry.npoints.as_f64() {
            Some(points) => points,
            None if entry.is_correct() => 1.0,
            None => 0.0,
        }
    }

    /// Sum of points.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.entries.keys().map(|id| self.points(id)).sum()
    }

    /// Sum of points as Python would have it: an integer unless a part is a float.
    #[must_use]
    pub fn score_value(&self) -> Value {
        let whole = self.entries.values().all(|entry| !entry.npoints.is_f64());
        let sum = self.score();
        if whole {
            Value::from(sum as i64)
        } else {
            Value::from(sum)
        }
    }

    /// Whether an external grader still has the answer.
    #[must_use]
    pub fn is_queued(&self, answer_id: &str) -> bool {
        self.get(answer_id)
            .is_some_and(|entry| !entry.queuestate.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    // §5
    #[test]
    fn points_follow_the_mark_unless_given() {
        let map = CorrectMap::from_json(&json!({
            "a": {"correctness": "correct"}, "b": {"correctness": "partially-correct"},
            "c": {"correctness": "incorrect", "npoints": 0.5, "unknown": 1}, "d": {"correctness": null},
        }));
        assert_eq!(map.score(), 2.5);
    }

    // §5: legacy form
    #[test]
    fn reads_the_flat_form() {
        let map = CorrectMap::from_json(&json!({"a": "correct", "b": "incorrect"}));
        assert_eq!(map.score(), 1.0);
        assert_eq!(map.to_json()["a"]["hintmode"], Value::Null);
    }
}
