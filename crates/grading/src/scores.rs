//! Scores of problems and subsections.

use crate::Error;

/// A problem's score as a subsection adds it up: weighted.
#[derive(Debug, Clone, PartialEq)]
pub struct ProblemScore<T> {
    /// Points earned.
    pub earned: f64,
    /// Points possible.
    pub possible: f64,
    /// Whether it counts for the subsection's graded total.
    pub graded: bool,
    /// When it was first attempted.
    pub first_attempted: Option<T>,
}

/// The sum of scores.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregatedScore<T> {
    /// Points earned.
    pub earned: f64,
    /// Points possible.
    pub possible: f64,
    /// Whether this is the sum of the graded scores only.
    pub graded: bool,
    /// The earliest first attempt.
    pub first_attempted: Option<T>,
}

/// Sums of all scores, and of the graded ones.
pub fn aggregate_scores<T: Ord + Clone>(
    scores: &[ProblemScore<T>],
) -> (AggregatedScore<T>, AggregatedScore<T>) {
    let sum = |graded: bool| {
        let mut total = AggregatedScore {
            earned: 0.0,
            possible: 0.0,
            graded,
            first_attempted: None,
        };
        for score in scores.iter().filter(|score| !graded || score.graded) {
            total.earned += score.earned;
            total.possible += score.possible;
        }
        total.first_attempted = scores
            .iter()
            .filter(|score| !graded || score.graded)
            .filter_map(|score| score.first_attempted.clone())
            .min();
        total
    };
    (sum(false), sum(true))
}

/// Points and possible points of a problem of that weight. Without a weight, or with nothing possible, the raw
/// score stays.
///
/// # Errors
/// [`Error::Null`] when a weight meets a score without points.
pub fn weighted_score(
    raw_earned: Option<f64>,
    raw_possible: f64,
    weight: Option<f64>,
) -> Result<(Option<f64>, f64), Error> {
    match weight {
        Some(weight) if raw_possible != 0.0 => {
            let earned = raw_earned.ok_or(Error::Null("raw_earned"))?;
            Ok((Some(earned * weight / raw_possible), weight))
        }
        _ => Ok((raw_earned, raw_possible)),
    }
}

/// Percent of a subsection: to four places, half to even; 0 when nothing is possible.
#[must_use]
pub fn subsection_percent(earned: f64, possible: f64) -> f64 {
    if possible > 0.0 {
        (earned / possible * 10_000.0).round_ties_even() / 10_000.0
    } else {
        0.0
    }
}

/// Rounds halves away from zero, by the reference's own arithmetic.
#[must_use]
pub fn round_away_from_zero(number: f64, digits: i32) -> f64 {
    let unit = 10.0_f64.powi(digits);
    if number >= 0.0 {
        (number * unit + 0.5).floor() / unit
    } else {
        (number * unit - 0.5).ceil() / unit
    }
}

/// Whether the second score is at least the first one, with both ratios.
///
/// # Errors
/// [`Error::ZeroDivision`] when nothing is possible, unless that counts as zero.
pub fn compare_scores(
    (earned1, possible1): (f64, f64),
    (earned2, possible2): (f64, f64),
    treat_undefined_as_zero: bool,
) -> Result<(bool, f64, f64), Error> {
    let ratio = |earned: f64, possible: f64| {
        if possible != 0.0 {
            Ok(earned / possible)
        } else if treat_undefined_as_zero {
            Ok(0.0)
        } else {
            Err(Error::ZeroDivision)
        }
    };
    let (first, second) = (ratio(earned1, possible1)?, ratio(earned2, possible2)?);
    Ok((second >= first, first, second))
}
