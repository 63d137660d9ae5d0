//! Dates as pages show them, in English (courseware.md §3; codes of C's `strftime`).

use chrono::{Datelike, Offset, TimeZone, Timelike};
use chrono_tz::{OffsetName, Tz};

use super::moment::{Moment, offset_text};

/// A format ends in a lone `%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("strftime format ends with raw %")]
pub struct FormatError;

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Writes a moment by a named format (`SHORT_DATE`, `LONG_DATE`, `DATE_TIME`, `TIME`, `DAY_AND_TIME`) or by
/// codes.
pub fn strftime(moment: &Moment, format: &str) -> Result<String, FormatError> {
    let format = match format {
        "SHORT_DATE" => "%x",
        "LONG_DATE" => "%A, %B %d, %Y",
        "DATE_TIME" => "%b %d, %Y at %H:%M",
        "TIME" => "%X",
        "DAY_AND_TIME" => "%A at %-I%P",
        format => format,
    };
    codes(moment, format)
}

fn codes(moment: &Moment, format: &str) -> Result<String, FormatError> {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let Some(mut code) = chars.next_if(|c| *c != '\n') else {
            return Err(FormatError);
        };
        let mut flag = false;
        if code == '-'
            && let Some(next) = chars.next_if(|c| *c != '\n')
        {
            flag = true;
            code = next;
        }
        out.push_str(&one_code(moment, code, flag)?);
    }
    Ok(out)
}

/// One code; `unpadded` for `%-X`.
fn one_code(moment: &Moment, code: char, unpadded: bool) -> Result<String, FormatError> {
    let at = &moment.local;
    let weekday = at.weekday().num_days_from_monday();
    let name = |names: &[&'static str], index: u32| -> &'static str {
        names.get(index as usize).copied().unwrap_or_default()
    };
    let short = |name: &str| name.chars().take(3).collect::<String>();
    let number = |value: i64, width: usize| {
        if unpadded {
            value.to_string()
        } else {
            format!("{value:0width$}")
        }
    };
    let blank = |value: u32| {
        if unpadded {
            value.to_string()
        } else {
            format!("{value:2}")
        }
    };
    let half = if at.hour() < 12 { "AM" } else { "PM" };
    let hour12 = (at.hour() + 11) % 12 + 1;
    let ordinal = i64::from(at.ordinal());
    let week = |first: u32| {
        // Days of the year up to the weekday on which weeks begin.
        (ordinal + 6 - i64::from((weekday + 7 - first) % 7)) / 7
    };
    let year = i64::from(at.year());
    let iso = at.iso_week();
    let text = match code {
        'a' => short(name(&DAYS, weekday)),
        'A' => name(&DAYS, weekday).to_owned(),
        'b' | 'h' => short(name(&MONTHS, at.month0())),
        'B' => name(&MONTHS, at.month0()).to_owned(),
        'p' => half.to_owned(),
        'P' => half.to_lowercase(),
        'x' => return codes(moment, "%b %d, %Y"),
        'X' | 'r' => return codes(moment, "%I:%M:%S %p"),
        'c' => return codes(moment, "%a %b %e %H:%M:%S %Y"),
        'D' => return codes(moment, "%m/%d/%y"),
        'F' => return codes(moment, "%Y-%m-%d"),
        'R' => return codes(moment, "%H:%M"),
        'T' => return codes(moment, "%H:%M:%S"),
        'Y' => year.to_string(),
        'C' => number(year / 100, 2),
        'y' => number(year % 100, 2),
        'G' => iso.year().to_string(),
        'g' => number(i64::from(iso.year()) % 100, 2),
        'V' => number(iso.week().into(), 2),
        'U' => number(week(6), 2),
        'W' => number(week(0), 2),
        'm' => number(at.month().into(), 2),
        'd' => number(at.day().into(), 2),
        'e' => blank(at.day()),
        'j' => number(ordinal, 3),
        'u' => (weekday + 1).to_string(),
        'w' => ((weekday + 1) % 7).to_string(),
        'H' => number(at.hour().into(), 2),
        'I' => number(hour12.into(), 2),
        'k' => blank(at.hour()),
        'l' => blank(hour12),
        'M' => number(at.minute().into(), 2),
        'S' => number(at.second().into(), 2),
        's' => moment.local.and_utc().timestamp().to_string(),
        'f' if !unpadded => format!("{:06}", at.nanosecond() / 1000),
        'z' if !unpadded => moment
            .offset
            .map(|offset| offset_text(offset, ""))
            .unwrap_or_default(),
        'Z' if !unpadded => zone_name(moment).unwrap_or_default(),
        'n' => "\n".to_owned(),
        't' => "\t".to_owned(),
        '%' => "%".to_owned(),
        other => format!("%{}{other}", if unpadded { "-" } else { "" }),
    };
    Ok(text)
}

fn zone_name(moment: &Moment) -> Option<String> {
    let offset = moment.offset?;
    Some(match &moment.zone {
        Some(zone) => zone.clone(),
        None if offset == 0 => "UTC".to_owned(),
        None => format!("UTC{}", offset_text(offset, ":")),
    })
}

/// `Apr 09, 2013 at 16:00 UTC`; empty for no moment.
#[must_use]
pub fn date_default_display(moment: Option<&Moment>) -> String {
    let Some(moment) = moment else {
        return String::new();
    };
    let zone = zone_name(moment).unwrap_or_else(|| "UTC".to_owned());
    let text = strftime(moment, "DATE_TIME").unwrap_or_default();
    format!("{text} {zone}")
}

/// A moment in a time zone (unknown names count as UTC; a naive moment stays) by a format; without format, or
/// with a bad one, as [`date_default_display`].
#[must_use]
pub fn date_display(
    moment: Option<&Moment>,
    format: Option<&str>,
    timezone: Option<&str>,
) -> String {
    let Some(moment) = moment else {
        return String::new();
    };
    let moved = timezone.filter(|name| !name.is_empty() && moment.offset.is_some());
    let moment = match moved {
        Some(name) => in_zone(moment, name),
        None => moment.clone(),
    };
    format
        .and_then(|format| strftime(&moment, format).ok())
        .unwrap_or_else(|| date_default_display(Some(&moment)))
}

fn in_zone(moment: &Moment, name: &str) -> Moment {
    let zone: Tz = name.parse().unwrap_or(Tz::UTC);
    let utc = moment.to_utc();
    let offset = zone.offset_from_utc_datetime(&utc.naive_utc());
    Moment {
        local: utc.with_timezone(&zone).naive_local(),
        offset: Some(offset.fix().local_minus_utc()),
        zone: offset.abbreviation().map(str::to_owned),
    }
}
