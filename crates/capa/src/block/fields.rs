//! The fields of the problem block (contract §1) and the choice of a seed (§7).

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha1::{Digest, Sha1};

use super::BlockContext;
use crate::pyvalue::{parse_float, parse_int, py_str};

/// When a problem's randomness changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Randomization {
    /// A new variant for each submission; Reset is needed between.
    Always,
    /// A new variant at each Reset.
    OnReset,
    /// The same variant for everyone.
    #[default]
    Never,
    /// One of twenty variants for each learner.
    PerStudent,
}

impl Randomization {
    /// Reads the field's value with its old spellings; none or unknown is never.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        match text {
            "" | "true" | "always" => Self::Always,
            "onreset" => Self::OnReset,
            "false" | "per_student" => Self::PerStudent,
            _ => Self::Never,
        }
    }
}

/// Settings and content of a problem block, inherited values included.
#[derive(Clone, Debug, PartialEq)]
pub struct ProblemFields {
    /// Shown name; the caller puts the block type for a blank one.
    pub display_name: String,
    /// The problem's XML.
    pub data: String,
    /// Attempts allowed; none is any number, 0 a survey.
    pub max_attempts: Option<i64>,
    /// Weight of the problem, none for a point an input.
    pub weight: Option<f64>,
    /// Due date, or the course's end where that closes problems.
    pub due: Option<DateTime<Utc>>,
    /// Seconds of grace after the due date.
    pub graceperiod: Option<i64>,
    /// `always`, `never` or `past_due`.
    pub show_correctness: String,
    /// One of the twelve values of §8.
    pub showanswer: String,
    /// For `after_attempts`.
    pub attempts_before_showanswer_button: i64,
    /// When randomness changes.
    pub rerandomize: Randomization,
    /// Seconds between submissions.
    pub submission_wait_seconds: i64,
    /// Whether Reset is shown for problems that are not randomised.
    pub show_reset_button: bool,
    /// Whether Save is shown in any case.
    pub force_save_button: bool,
    /// Whether the problem counts for the grade.
    pub graded: bool,
}

impl Default for ProblemFields {
    fn default() -> Self {
        Self {
            display_name: "Blank Problem".to_owned(),
            data: "<problem></problem>".to_owned(),
            max_attempts: None,
            weight: None,
            due: None,
            graceperiod: None,
            show_correctness: "always".to_owned(),
            showanswer: "finished".to_owned(),
            attempts_before_showanswer_button: 0,
            rerandomize: Randomization::Never,
            submission_wait_seconds: 0,
            show_reset_button: false,
            force_save_button: false,
            graded: false,
        }
    }
}

/// Seconds of `"1 day 12 hours 59 minutes 59 seconds"`, or of a number.
fn timedelta(value: &Value) -> Option<i64> {
    if let Some(seconds) = value.as_f64() {
        return Some(seconds as i64);
    }
    let text = value.as_str()?;
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        return None;
    }
    let mut seconds = 0_i64;
    for pair in words.chunks(2) {
        let [count, unit] = pair else { return None };
        let unit = match unit.trim_end_matches(',').trim_end_matches('s') {
            "week" => 604_800,
            "day" => 86_400,
            "hour" => 3600,
            "minute" => 60,
            "second" => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(count.parse::<i64>().ok()?.checked_mul(unit)?)?;
    }
    Some(seconds)
}

impl ProblemFields {
    /// Reads the fields from a lookup of effective JSON values (own, inherited or default; none when there
    /// is no such value). Values of the wrong type count as absent, as numbers in texts count as numbers.
    #[must_use]
    pub fn read(get: &dyn Fn(&str) -> Option<Value>) -> Self {
        let default = Self::default();
        let some = |key: &str| get(key).filter(|value| !value.is_null());
        let int = |key: &str| {
            some(key).and_then(|value| {
                value
                    .as_i64()
                    .or_else(|| value.as_f64().map(|float| float as i64))
                    .or_else(|| parse_int(value.as_str()?))
            })
        };
        let flag = |key: &str| {
            some(key).is_some_and(|value| match value {
                Value::Bool(flag) => flag,
                other => py_str(&other).eq_ignore_ascii_case("true"),
            })
        };
        let text = |key: &str, default: String| some(key).map_or(default, |value| py_str(&value));
        let date = |key: &str| {
            let value = some(key)?;
            let text = value.as_str()?;
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|date| date.with_timezone(&Utc))
        };
        let name = match get("display_name") {
            None => default.display_name,
            Some(Value::Null) => String::new(),
            Some(value) => py_str(&value),
        };
        Self {
            display_name: if name.trim().is_empty() {
                "problem".to_owned()
            } else {
                name
            },
            data: text("data", default.data),
            max_attempts: int("max_attempts"),
            weight: some("weight")
                .and_then(|value| value.as_f64().or_else(|| parse_float(value.as_str()?))),
            due: date("due"),
            graceperiod: some("graceperiod").as_ref().and_then(timedelta),
            show_correctness: text("show_correctness", default.show_correctness),
            showanswer: text("showanswer", default.showanswer),
            attempts_before_showanswer_button: int("attempts_before_showanswer_button")
                .unwrap_or_default(),
            rerandomize: some("rerandomize").map_or(Randomization::Never, |value| {
                Randomization::from_text(&py_str(&value))
            }),
            submission_wait_seconds: int("submission_wait_seconds").unwrap_or_default(),
            show_reset_button: flag("show_reset_button"),
            force_save_button: flag("force_save_button"),
            graded: flag("graded"),
        }
    }
}

/// The variant of a learner from 0 to 19 (§7; the quotes are the reference's).
#[must_use]
pub fn per_student_seed(user_id: Option<i64>, usage_key: &str) -> i64 {
    let text = format!("{}b'{usage_key}'", user_id.unwrap_or_default());
    let digest = Sha1::digest(text.as_bytes());
    let first = digest
        .iter()
        .take(4)
        .fold(0_i64, |sum, byte| sum * 256 + i64::from(*byte));
    (first >> 4) % 20
}

impl BlockContext<'_> {
    /// A seed for a learner who has none.
    #[must_use]
    pub fn new_seed(&self) -> i64 {
        match self.fields.rerandomize {
            Randomization::Never => 1,
            Randomization::PerStudent => per_student_seed(self.user_id, self.usage_key),
            Randomization::Always | Randomization::OnReset => self.random_seed.rem_euclid(1000),
        }
    }
}
