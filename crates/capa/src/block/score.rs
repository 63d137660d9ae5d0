//! Points, their weights and how they are printed (contract §9).

use std::fmt;

use serde_json::{Value, json};

use crate::problem::Problem;
use crate::pyvalue::float_repr;

/// A number that remembers whether it is whole, since Python prints the two differently.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

impl Number {
    /// The value.
    #[must_use]
    pub const fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::Int(value) => Value::from(value),
            Self::Float(value) => Value::from(value),
        }
    }

    /// From JSON; zero when it is no number.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        value.as_i64().map_or_else(
            || Self::Float(value.as_f64().unwrap_or_default()),
            Self::Int,
        )
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.as_f64() == other.as_f64()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&float_repr(*value)),
        }
    }
}

/// Raw points of a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Earned.
    pub earned: Number,
    /// Possible.
    pub possible: Number,
}

impl Score {
    /// The points that a problem's correct map gives.
    #[must_use]
    pub fn of(problem: &Problem<'_>) -> Self {
        Self {
            earned: Number::from_json(&problem.correct_map().score_value()),
            possible: Number::Int(problem.max_score() as i64),
        }
    }

    /// Reads the stored form.
    #[must_use]
    pub fn from_json(value: Option<&Value>) -> Option<Self> {
        let map = value?.as_object()?;
        let number = |key: &str| {
            map.get(key)
                .filter(|n| n.is_number())
                .map(Number::from_json)
        };
        Some(Self {
            earned: number("raw_earned")?,
            possible: number("raw_possible")?,
        })
    }

    /// The stored form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"raw_earned": self.earned.to_json(), "raw_possible": self.possible.to_json()})
    }

    /// Points by weight; none when there is nothing to earn.
    #[must_use]
    pub fn progress(&self, weight: Option<f64>) -> Option<Progress> {
        if self.possible.as_f64() <= 0.0 {
            return None;
        }
        let (earned, possible) = match weight {
            Some(weight) if weight <= 0.0 => return None,
            Some(weight) => (
                Number::Float(self.earned.as_f64() * weight / self.possible.as_f64()),
                Number::Float(weight),
            ),
            None => (self.earned, self.possible),
        };
        if earned.as_f64().is_nan() || possible.as_f64().is_nan() {
            return None;
        }
        let earned = if earned.as_f64() > possible.as_f64() {
            possible
        } else {
            earned
        };
        let earned = if earned.as_f64() < 0.0 {
            Number::Int(0)
        } else {
            earned
        };
        Some(Progress { earned, possible })
    }
}

/// Weighted points, clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Earned, from 0 to all.
    pub earned: Number,
    /// All points, more than 0.
    pub possible: Number,
}

/// At most two decimals without trailing zeros.
fn short(number: Number) -> String {
    let text = format!("{:.2}", number.as_f64());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", short(self.earned), short(self.possible))
    }
}

/// Raw points to weighted ones, as the gradebook does it: unweighted when there is no weight or nothing to
/// earn.
#[must_use]
pub fn weighted_score(earned: f64, possible: f64, weight: Option<f64>) -> (f64, f64) {
    match weight {
        Some(weight) if possible != 0.0 => (earned * weight / possible, weight),
        _ => (earned, possible),
    }
}
