//! Durations in words and positions in videos (olx.md §4, courseware.md §18).

use std::sync::LazyLock;

use regex::Regex;

use super::moment::Duration;
use super::python::{Int, float_repr, parse_int, text_repr};
use super::value::FieldError;

/// Reads `[D day[s]][ H hour[s]][ M minute[s]][ S second[s]]`; `None` for any other text.
#[expect(clippy::expect_used, reason = "the pattern is constant and tested")]
pub(crate) fn parse_words(text: &str) -> Result<Option<Duration>, FieldError> {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(?:(\d+?) days?)?\s?(?:(\d+?) hours?)?\s?(?:(\d+?) minutes?)?\s?(?:(\d+?) seconds?)?\n?$",
        )
        .expect("constant pattern")
    });
    let Some(parts) = WORDS.captures(text) else {
        return Ok(None);
    };
    let mut micros: i128 = 0;
    for (group, unit) in [(1, 86_400), (2, 3600), (3, 60), (4, 1)] {
        let Some(digits) = parts.get(group) else {
            continue;
        };
        match parse_int(digits.as_str()) {
            Some(Int::Exact(count)) => micros += i128::from(count) * unit * 1_000_000,
            _ => return Err(FieldError::Overflow),
        }
    }
    Duration::from_micros(micros)
        .map(Some)
        .ok_or(FieldError::Overflow)
}

/// Writes what is not zero of days and seconds, always in the plural.
pub(crate) fn words(duration: Duration) -> String {
    let parts = [
        (duration.days(), "days"),
        (duration.day_seconds(), "seconds"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    parts.join(" ")
}

/// Reads `HH:MM:SS` as Python's `strptime` with `%H:%M:%S` does.
pub(crate) fn parse_clock(text: &str) -> Result<Duration, FieldError> {
    let fail = |message: String| {
        FieldError::RelativeTime(format!(
            "Incorrect RelativeTime value {} was set in XML or serialized. Original parse message is {message}",
            text_repr(text)
        ))
    };
    let mismatch = || {
        fail(format!(
            "time data {} does not match format '%H:%M:%S'",
            text_repr(text)
        ))
    };
    let (hours, rest) = clock_part(text, "2", "0123", "01", true).ok_or_else(mismatch)?;
    let (minutes, rest) = clock_part(rest, "", "", "012345", true).ok_or_else(mismatch)?;
    let (seconds, rest) = clock_part(rest, "6", "01", "012345", false).ok_or_else(mismatch)?;
    if !rest.is_empty() {
        return Err(fail(format!("unconverted data remains: {rest}")));
    }
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    Duration::from_micros(i128::from(seconds) * 1_000_000).ok_or(FieldError::Overflow)
}

/// One or two digits: a tens digit of `last_tens` takes units of `last_units`, one of `tens` any, and a
/// digit may stand alone. With `colon` a colon must follow, else fewer digits are tried.
fn clock_part<'a>(
    text: &'a str,
    last_tens: &str,
    last_units: &str,
    tens: &str,
    colon: bool,
) -> Option<(u32, &'a str)> {
    let mut chars = text.char_indices();
    let (_, first) = chars.next()?;
    let second = chars.next();
    let third = chars.next().map_or(text.len(), |(at, _)| at);
    let end = |at: usize| {
        let rest = text.get(at..)?;
        if colon {
            rest.strip_prefix(':')
        } else {
            Some(rest)
        }
    };
    let value = opaque_keys::decimal_value(first)?;
    if let Some((_, second)) = second {
        let two =
            (last_tens.contains(first) && last_units.contains(second)) || tens.contains(first);
        if two
            && let Some(unit) = opaque_keys::decimal_value(second)
            && let Some(rest) = end(third)
        {
            return Some((value * 10 + unit, rest));
        }
    }
    let rest = end(second.map_or(text.len(), |(at, _)| at))?;
    Some((value, rest))
}

/// `HH:MM:SS`; with days or fractions, Python's print of the duration.
pub(crate) fn clock(duration: Duration) -> Result<String, FieldError> {
    if duration.seconds() > 86_400.0 {
        return Err(FieldError::RelativeTime(format!(
            "RelativeTime max value is 23:59:59=86400.0 seconds, but {} seconds is passed",
            float_repr(duration.seconds())
        )));
    }
    let text = duration.to_string();
    Ok(if text.len() == 7 {
        format!("0{text}")
    } else {
        text
    })
}
