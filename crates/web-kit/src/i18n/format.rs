//! Dates and numbers as a language writes them. The patterns and names are messages of the catalogue (contexts
//! `date pattern`, `month`, `weekday`, `number`), so that a new language needs nothing but its file.

use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Tz;

use super::{Locale, fill};

/// How much of a moment is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    /// January 22
    Day,
    /// January 22, 2027
    Date,
    /// Friday, January 22, 2027
    Full,
    /// January 22, 2027, 23:59
    DateTime,
    /// January 22, 2027, 23:59 CET: where a missed hour costs something
    DateTimeZone,
    /// 23:59
    Time,
    /// Jan, for a leaf of a calendar
    MonthShort,
    /// 22
    DayOfMonth,
}

impl DateStyle {
    /// The style of this name, as templates say it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "day" => Self::Day,
            "date" => Self::Date,
            "full" => Self::Full,
            "datetime" => Self::DateTime,
            "datetime_zone" => Self::DateTimeZone,
            "time" => Self::Time,
            "month_short" => Self::MonthShort,
            "day_of_month" => Self::DayOfMonth,
            _ => return None,
        })
    }
}

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
const MONTHS_SHORT: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

impl Locale {
    /// A moment, told in a time zone.
    #[must_use]
    pub fn date(&self, moment: DateTime<Utc>, zone: Tz, style: DateStyle) -> String {
        let local = moment.with_timezone(&zone);
        let month0 = usize::try_from(local.month0()).unwrap_or_default();
        let name = |context: &str, names: &[&str], index: usize| {
            self.pgettext(context, names.get(index).copied().unwrap_or_default())
                .to_owned()
        };
        let month = name("month", &MONTHS, month0);
        let month_short = name("month, short", &MONTHS_SHORT, month0);
        let weekday = usize::try_from(local.weekday().num_days_from_monday()).unwrap_or_default();
        let weekday = name("weekday", &WEEKDAYS, weekday);
        let (day, year) = (local.day().to_string(), local.year().to_string());
        let time = format!("{:02}:{:02}", local.hour(), local.minute());
        let zone = local.format("%Z").to_string();
        let pattern = match style {
            DateStyle::Time => return time,
            DateStyle::MonthShort => return month_short,
            DateStyle::DayOfMonth => return day,
            DateStyle::Day => "{month} {day}",
            DateStyle::Date => "{month} {day}, {year}",
            DateStyle::Full => "{weekday}, {month} {day}, {year}",
            DateStyle::DateTime => "{month} {day}, {year}, {time}",
            DateStyle::DateTimeZone => "{month} {day}, {year}, {time} {zone}",
        };
        let values = [
            ("month", month.as_str()),
            ("day", &day),
            ("year", &year),
            ("weekday", &weekday),
            ("time", &time),
            ("zone", &zone),
        ];
        fill(self.pgettext("date pattern", pattern), &values).into_owned()
    }

    /// A number with the language's marks; up to `decimals` places, trailing zeros dropped.
    #[must_use]
    pub fn number(&self, value: f64, decimals: usize) -> String {
        if !value.is_finite() {
            return "–".to_owned();
        }
        let text = format!("{:.*}", decimals.min(6), value.abs());
        let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), ""));
        let group = self.pgettext("number", ",");
        let mut marked = String::new();
        for (index, digit) in whole.chars().enumerate() {
            // Four digits stand better without a mark: 1284, 12,840.
            if index > 0 && (whole.len() - index) % 3 == 0 && whole.len() > 4 {
                marked.push_str(group);
            }
            marked.push(digit);
        }
        let fraction = fraction.trim_end_matches('0');
        if !fraction.is_empty() {
            marked.push_str(self.pgettext("number", "."));
            marked.push_str(fraction);
        }
        if value < 0.0 && marked.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            marked.insert(0, '\u{2212}');
        }
        marked
    }

    /// A share from 0 to 1 as a percentage without places.
    #[must_use]
    pub fn percent(&self, share: f64) -> String {
        let number = self.number((share * 100.0).round(), 0);
        fill(self.pgettext("number", "{number}%"), &[("number", &number)]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Catalogues;

    #[test]
    fn dates_and_numbers_by_language() {
        let catalogues = Catalogues::load(None).unwrap();
        let moment = DateTime::parse_from_rfc3339("2027-01-22T22:59:00Z")
            .unwrap()
            .to_utc();
        let zone: Tz = "Europe/Madrid".parse().unwrap();
        let cases = [
            ("en", "January 22, 2027, 23:59 CET", "12,840.5", "26%"),
            ("es", "22 de enero de 2027, 23:59 CET", "12.840,5", "26 %"),
            ("ar", "22 يناير 2027، 23:59 CET", "12,840.5", "26%"),
        ];
        for (code, date, number, percent) in cases {
            let locale = catalogues.get(code).unwrap();
            assert_eq!(locale.date(moment, zone, DateStyle::DateTimeZone), date);
            assert_eq!(locale.number(12_840.5, 2), number);
            assert_eq!(locale.percent(0.259).replace('\u{a0}', " "), percent);
        }
        let english = Locale::english();
        assert_eq!(english.number(1284.0, 0), "1284");
        assert_eq!(english.number(-0.001, 2), "0");
        assert_eq!(english.number(-2.50, 2), "−2.5");
    }
}
