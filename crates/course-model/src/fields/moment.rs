//! Moments with or without zone, and durations, as field values hold them.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};

/// A date and time with the offset it was written with, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Date and time of day.
    pub local: NaiveDateTime,
    /// Seconds ahead of UTC; `None` for a naive moment.
    pub offset: Option<i32>,
    /// Name of the zone, as `EDT`; without, the offset serves.
    pub zone: Option<String>,
}

impl Moment {
    /// A moment in UTC.
    #[must_use]
    pub fn utc(local: NaiveDateTime) -> Self {
        Self {
            local,
            offset: Some(0),
            zone: None,
        }
    }

    /// The moment in UTC; a naive one counts as UTC.
    #[must_use]
    pub fn to_utc(&self) -> DateTime<Utc> {
        let offset = TimeDelta::seconds(self.offset.unwrap_or_default().into());
        self.local
            .checked_sub_signed(offset)
            .unwrap_or(self.local)
            .and_utc()
    }

    /// Reads Python's `isoformat` and what is close to it: `YYYY-MM-DD`, then `T` or a blank and
    /// `HH:MM[:SS[.f]]`, then `Z` or `±HH:MM[:SS]`.
    #[must_use]
    pub fn from_iso(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| -> Option<u32> {
            let digits = text.get(range)?;
            digits
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| digits.parse().ok())?
        };
        let sign = |at: usize| text.as_bytes().get(at).copied();
        if sign(4)? != b'-' || sign(7)? != b'-' {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(number(0..4)? as i32, number(5..7)?, number(8..10)?)?;
        if date.year() < 1 {
            return None;
        }
        if text.len() == 10 {
            return Some(Self {
                local: date.and_hms_opt(0, 0, 0)?,
                offset: None,
                zone: None,
            });
        }
        if !matches!(sign(10)?, b'T' | b' ') || sign(13)? != b':' {
            return None;
        }
        let (hour, minute) = (number(11..13)?, number(14..16)?);
        let mut at = 16;
        let mut second = 0;
        let mut micro = 0;
        if sign(at) == Some(b':') {
            second = number(17..19)?;
            at = 19;
            if sign(at) == Some(b'.') {
                let digits = text
                    .get(20..)?
                    .bytes()
                    .take_while(u8::is_ascii_digit)
                    .count();
                let fraction = text.get(20..20 + digits.min(6))?;
                micro = format!("{fraction:0<6}").parse().ok()?;
                at = 20 + digits;
            }
        }
        let local = date.and_hms_micro_opt(hour, minute, second, micro)?;
        let offset = match text.get(at..)? {
            "" => None,
            "Z" => Some(0),
            zone => {
                let factor = match zone.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let mut parts = zone.get(1..)?.split(':').map(|part| {
                    (part.len() == 2)
                        .then(|| part.parse::<u32>().ok())
                        .flatten()
                });
                let (hours, minutes) = (parts.next()??, parts.next()??);
                let seconds = parts.next().unwrap_or(Some(0))?;
                if parts.next().is_some() || hours > 23 || minutes > 59 || seconds > 59 {
                    return None;
                }
                Some(factor * (hours * 3600 + minutes * 60 + seconds) as i32)
            }
        };
        Some(Self {
            local,
            offset,
            zone: None,
        })
    }

    /// Python's `isoformat()`: `2013-02-05T05:00:00[.ffffff][+HH:MM[:SS]]`.
    #[must_use]
    pub fn iso(&self) -> String {
        let mut text = self.local.format("%Y-%m-%dT%H:%M:%S").to_string();
        let micro = self.local.nanosecond() / 1000;
        if micro != 0 {
            text = format!("{text}.{micro:06}");
        }
        match self.offset {
            Some(offset) => text + &offset_text(offset, ":"),
            None => text,
        }
    }
}

/// `±HH:MM`, with `:SS` when there are seconds.
pub(crate) fn offset_text(offset: i32, separator: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3600, offset.abs() / 60 % 60);
    let text = format!("{sign}{hours:02}{separator}{minutes:02}");
    match offset.abs() % 60 {
        0 => text,
        seconds => format!("{text}{separator}{seconds:02}"),
    }
}

/// A duration in whole microseconds, as Python's `timedelta` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration {
    /// Microseconds; below 10^9 days.
    pub micros: i128,
}

const DAY: i128 = 86_400_000_000;

impl Duration {
    /// Longest duration that `timedelta` holds, in days.
    const MAX_DAYS: i128 = 999_999_999;

    /// A duration of whole microseconds, or `None` beyond 10^9 days.
    #[must_use]
    pub fn from_micros(micros: i128) -> Option<Self> {
        let duration = Self { micros };
        (duration.days().abs() <= Self::MAX_DAYS).then_some(duration)
    }

    /// A duration of `seconds`, rounded half to even; `None` when it is no number or too long.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        // Whole seconds and the rest are rounded apart, as `timedelta` does, to keep large ones exact.
        let whole = seconds.trunc();
        if !seconds.is_finite() || whole.abs() > 1e14 {
            return None;
        }
        let micros = ((seconds - whole) * 1e6).round_ties_even();
        Self::from_micros(whole as i128 * 1_000_000 + micros as i128)
    }

    /// Whole days, towards minus infinity.
    #[must_use]
    pub fn days(self) -> i128 {
        self.micros.div_euclid(DAY)
    }

    /// Whole seconds of the day, 0 to 86399.
    #[must_use]
    pub fn day_seconds(self) -> i128 {
        self.micros.rem_euclid(DAY) / 1_000_000
    }

    /// The duration in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.micros as f64 / 1e6
    }
}

impl fmt::Display for Duration {
    /// `[D day[s], ]H:MM:SS[.ffffff]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.days(), self.day_seconds());
        if days != 0 {
            let plural = if days.abs() == 1 { "" } else { "s" };
            write!(f, "{days} day{plural}, ")?;
        }
        write!(
            f,
            "{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )?;
        match self.micros.rem_euclid(1_000_000) {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}
