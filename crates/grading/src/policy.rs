//! Grading policies as courses store them: assignment types and cut-offs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use crate::{Error, python};

/// One assignment type of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignmentGrader {
    /// Name of the type: the `format` of its subsections.
    pub assignment_type: String,
    /// Least number of entries that count; missing ones are zero.
    pub min_count: i64,
    /// How many of the lowest entries are left out.
    pub drop_count: i64,
    /// Share of the course grade; the weights of a policy need not add up to one.
    pub weight: f64,
    /// Key of the type in the breakdown by category; the type's name unless set.
    pub category: String,
    /// Name in the details of entries; the type's name unless set.
    pub section_type: String,
    /// Name in labels; the type's name unless set.
    pub short_label: String,
    /// Shows no single entries.
    pub show_only_average: bool,
    /// Shows no average, where there is more than one entry.
    pub hide_average: bool,
    /// Number of the first entry.
    pub starting_index: i64,
}

/// The letters of a policy with their least percents, in the order stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GradeCutoffs(IndexMap<String, f64>);

/// A course's policy, ready to grade with.
#[derive(Debug, Clone, PartialEq)]
pub struct GradingPolicy {
    /// The assignment types in order.
    pub graders: Vec<AssignmentGrader>,
    /// The cut-offs.
    pub cutoffs: GradeCutoffs,
}

impl GradingPolicy {
    /// Reads a stored policy; a missing `GRADER` or `GRADE_CUTOFFS` is the platform's default.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Grader`] or [`Error::Cutoff`] where the reference fails too.
    pub fn parse(policy: &Value) -> Result<Self, Error> {
        let merged = merge_policy(policy, &Value::Null)?;
        let graders = merged
            .get("GRADER")
            .and_then(Value::as_array)
            .ok_or(Error::Shape {
                part: "GRADER",
                expected: "a list",
            })?
            .iter()
            .map(AssignmentGrader::parse)
            .collect::<Result<_, _>>()?;
        let cutoffs = GradeCutoffs::parse(merged.get("GRADE_CUTOFFS").unwrap_or(&Value::Null))?;
        Ok(Self { graders, cutoffs })
    }

    /// The assignment type of that name; of several the first.
    #[must_use]
    pub fn grader(&self, assignment_type: &str) -> Option<&AssignmentGrader> {
        self.graders
            .iter()
            .find(|grader| grader.assignment_type == assignment_type)
    }

    /// A source of the default labels of subsections in course order.
    #[must_use]
    pub fn short_labels(&self) -> ShortLabels<'_> {
        ShortLabels {
            policy: self,
            counts: IndexMap::new(),
        }
    }
}

impl AssignmentGrader {
    fn parse(conf: &Value) -> Result<Self, Error> {
        let conf = conf.as_object().ok_or(Error::Shape {
            part: "GRADER",
            expected: "a list of objects",
        })?;
        let assignment_type = match conf.get("type") {
            Some(Value::String(name)) => name.clone(),
            _ => {
                return Err(Error::Grader {
                    assignment_type: String::new(),
                    key: "type",
                });
            }
        };
        let invalid = |key| Error::Grader {
            assignment_type: assignment_type.clone(),
            key,
        };
        let min_count = conf
            .get("min_count")
            .and_then(python::float)
            .and_then(python::truncated)
            .ok_or_else(|| invalid("min_count"))?;
        // A text, or a fraction, cannot count what is dropped; `0.0` can.
        let drop_count = match conf.get("drop_count") {
            Some(Value::Number(number)) if number.is_f64() => number
                .as_f64()
                .filter(|count| *count <= 0.0)
                .and_then(python::truncated),
            Some(Value::String(_)) | None => None,
            Some(other) => python::int(other),
        }
        .ok_or_else(|| invalid("drop_count"))?;
        let weight = match conf.get("weight") {
            None => 0.0,
            Some(weight) => python::number(weight).ok_or_else(|| invalid("weight"))?,
        };
        let starting_index = match conf.get("starting_index") {
            None => 1,
            Some(index @ (Value::Number(_) | Value::Bool(_))) => {
                python::int(index).ok_or_else(|| invalid("starting_index"))?
            }
            Some(_) => return Err(invalid("starting_index")),
        };
        let name = |key: &str| match conf.get(key) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            _ => assignment_type.clone(),
        };
        let flag = |key: &str| conf.get(key).is_some_and(python::truthy);
        Ok(Self {
            category: name("category"),
            section_type: name("section_type"),
            short_label: name("short_label"),
            show_only_average: flag("show_only_average"),
            hide_average: flag("hide_average"),
            min_count,
            drop_count,
            weight,
            starting_index,
            assignment_type,
        })
    }
}

impl GradeCutoffs {
    /// Reads `{letter: percent}`.
    ///
    /// # Errors
    /// [`Error::Cutoff`] for a percent that is no number.
    pub fn parse(cutoffs: &Value) -> Result<Self, Error> {
        cutoffs
            .as_object()
            .ok_or(Error::Shape {
                part: "GRADE_CUTOFFS",
                expected: "an object",
            })?
            .iter()
            .map(|(letter, percent)| {
                let percent =
                    python::number(percent).ok_or_else(|| Error::Cutoff(letter.clone()))?;
                Ok((letter.clone(), percent))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Letters and percents in the order stored.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0
            .iter()
            .map(|(letter, percent)| (letter.as_str(), *percent))
    }

    /// The letter of a rounded percent: that of the highest cut-off reached, of equal ones the first stored.
    #[must_use]
    pub fn letter_grade(&self, percent: f64) -> Option<&str> {
        let mut best: Option<(&str, f64)> = None;
        for (letter, cutoff) in self.iter() {
            if percent >= cutoff && best.is_none_or(|(_, highest)| cutoff > highest) {
                best = Some((letter, cutoff));
            }
        }
        best.map(|(letter, _)| letter)
    }

    /// Whether a rounded percent passes: it reaches the lowest cut-off above zero. Nothing when there is none.
    #[must_use]
    pub fn passed(&self, percent: f64) -> Option<bool> {
        let lowest = self
            .iter()
            .map(|(_, cutoff)| cutoff)
            .filter(|cutoff| *cutoff > 0.0)
            .reduce(f64::min)?;
        Some(percent >= lowest)
    }
}

/// Numbers the subsections of each assignment type: `HW 01`, `HW 02`, ….
#[derive(Debug)]
pub struct ShortLabels<'a> {
    policy: &'a GradingPolicy,
    counts: IndexMap<String, u32>,
}

impl ShortLabels<'_> {
    /// The label of the next subsection of that type; nothing when the policy does not know the type.
    pub fn next_label(&mut self, assignment_type: &str) -> Option<String> {
        let grader = self.policy.grader(assignment_type)?;
        let count = self.counts.entry(assignment_type.to_owned()).or_default();
        *count += 1;
        Some(format!("{} {count:02}", grader.short_label))
    }
}

/// The policy of a course that has none.
#[must_use]
pub fn default_policy() -> Value {
    json!({
        "GRADER": [
            {"type": "Homework", "short_label": "HW", "min_count": 12, "drop_count": 2, "weight": 0.15},
            {"type": "Lab", "min_count": 12, "drop_count": 2, "weight": 0.15},
            {"type": "Midterm Exam", "short_label": "Midterm", "min_count": 1, "drop_count": 0, "weight": 0.3},
            {"type": "Final Exam", "short_label": "Final", "min_count": 1, "drop_count": 0, "weight": 0.4},
        ],
        "GRADE_CUTOFFS": {"Pass": 0.5},
    })
}

/// A course's policy with another laid over it: missing keys of `current` are the platform's defaults, then
/// the keys of `course_policy` (an object or null) replace whole values (olx.md §6, grading policy).
///
/// # Errors
/// [`Error::Shape`] when one of the two is no object.
pub fn merge_policy(current: &Value, course_policy: &Value) -> Result<Value, Error> {
    let object = |value: &Value, part| match value {
        Value::Object(entries) => Ok(entries.clone()),
        Value::Null => Ok(Map::new()),
        _ => Err(Error::Shape {
            part,
            expected: "an object",
        }),
    };
    let mut merged = object(current, "the stored form")?;
    if let Value::Object(defaults) = default_policy() {
        for (key, value) in defaults {
            merged.entry(key).or_insert(value);
        }
    }
    for (key, value) in object(course_policy, "the new form")? {
        merged.insert(key, value);
    }
    Ok(Value::Object(merged))
}

/// Hash of a stored policy (async-and-events.md §8.3): base64 of the SHA-1 of its sorted compact JSON.
#[must_use]
pub fn policy_hash(policy: &Value) -> String {
    hash_text(&python::sorted_json(policy))
}

/// Base64 of the SHA-1 of a text.
pub(crate) fn hash_text(text: &str) -> String {
    STANDARD.encode(Sha1::digest(text.as_bytes()))
}
