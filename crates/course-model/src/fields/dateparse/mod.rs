//! Lenient reading of dates: the rules of Python's `dateutil.parser` with its defaults (month first),
//! since courses hold dates in every form that it takes.

mod tokens;
mod words;
mod ymd;

use chrono::{Datelike, NaiveDate, TimeDelta};

use self::tokens::{Decimal, all_digits, int, part, tokens};
use self::words::{among, ampm, hms, is_jump, is_utc, month, weekday};
use self::ymd::{Label, Ymd};
use super::moment::Moment;
use super::python::parse_float;

/// What a text may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Defaults {
    /// Year, month and day of a text without them.
    pub date: NaiveDate,
    /// Two-digit years are taken within 50 years of this one.
    pub pivot: i32,
}

/// Texts longer than this are no dates.
const MAX_CHARS: usize = 200;

/// Reads a date and time; `None` when the text is none. The moment is naive unless a zone was written.
pub(crate) fn parse(text: &str, defaults: Defaults) -> Option<Moment> {
    if text.chars().count() > MAX_CHARS {
        return None;
    }
    let mut parser = Parser {
        tokens: tokens(text),
        at: 0,
        ymd: Ymd::default(),
        found: Found::default(),
    };
    while parser.at < parser.tokens.len() {
        parser.step(defaults.pivot)?;
        parser.at += 1;
    }
    let Parser { ymd, mut found, .. } = parser;
    let (year, month, day) = ymd.resolve()?;
    let nothing = year.is_none() && month.is_none() && day.is_none() && found.is_empty();
    if nothing {
        return None;
    }
    let year = match year {
        Some(year) => Some(convert_year(year, ymd.century, defaults.pivot)?),
        None => None,
    };
    // A zone that names UTC has no offset, whatever was written.
    if found.zone.as_deref().is_some_and(is_utc) {
        found.offset = Some(0);
    }
    build((year, month, day), &found, defaults.date)
}

/// Places the parts on the defaults.
fn build(
    (year, month, day): (Option<i64>, Option<i64>, Option<i64>),
    found: &Found,
    default: NaiveDate,
) -> Option<Moment> {
    let year = i32::try_from(year.unwrap_or(default.year().into())).ok()?;
    if !(1..=9999).contains(&year) {
        return None;
    }
    let month = u32::try_from(month.unwrap_or(default.month().into())).ok()?;
    let last = days_in_month(year, month)?;
    let written = day;
    // A default day past the month's end falls back to it; a written one does not.
    let day = match written {
        Some(day) => u32::try_from(day).ok()?,
        None => default.day().min(last),
    };
    let mut date = NaiveDate::from_ymd_opt(year, month, day)?;
    if let (Some(weekday), None | Some(0)) = (found.weekday, written) {
        let ahead = (weekday + 7 - date.weekday().num_days_from_monday()) % 7;
        date = date.checked_add_signed(TimeDelta::days(ahead.into()))?;
    }
    let part = |value: Option<i64>| u32::try_from(value.unwrap_or_default()).ok();
    let (hour, minute) = (part(found.hour)?, part(found.minute)?);
    let (second, micro) = (part(found.second)?, part(found.micro)?);
    if second > 59 {
        return None;
    }
    let local = date.and_hms_micro_opt(hour, minute, second, micro)?;
    let offset = match found.offset {
        Some(offset) => Some(i32::try_from(offset).ok()?),
        None => None,
    };
    Some(Moment {
        local,
        offset,
        zone: None,
    })
}

fn days_in_month(year: i32, month: u32) -> Option<u32> {
    let (next_year, next_month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    NaiveDate::from_ymd_opt(year, month, 1)?;
    NaiveDate::from_ymd_opt(next_year, next_month, 1)?
        .pred_opt()
        .map(|date| date.day())
}

fn convert_year(year: i64, century: bool, pivot: i32) -> Option<i64> {
    if year < 0 {
        return None;
    }
    if year >= 100 || century {
        return Some(year);
    }
    let pivot = i64::from(pivot);
    let year = year + pivot / 100 * 100;
    Some(if year >= pivot + 50 {
        year - 100
    } else if year < pivot - 50 {
        year + 100
    } else {
        year
    })
}

#[derive(Default)]
struct Found {
    weekday: Option<u32>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    micro: Option<i64>,
    zone: Option<String>,
    offset: Option<i64>,
    ampm: Option<usize>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.weekday.is_none()
            && self.hour.is_none()
            && self.minute.is_none()
            && self.second.is_none()
            && self.micro.is_none()
            && self.zone.is_none()
            && self.offset.is_none()
            && self.ampm.is_none()
    }

    fn could_be_zone(&self, token: &str, offset: Option<i64>) -> bool {
        self.hour.is_some()
            && self.zone.is_none()
            && offset.is_none()
            && token.chars().count() <= 5
            && (token.chars().all(|c| c.is_ascii_uppercase())
                || matches!(token, "UTC" | "GMT" | "Z" | "z"))
    }

    /// `I[.F]` seconds.
    fn set_seconds(&mut self, token: &str) -> Option<()> {
        let (whole, fraction) = token.split_once('.').unwrap_or((token, ""));
        self.second = Some(int(whole)?);
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        self.micro = Some(int(&digits)?);
        Some(())
    }

    fn set_minutes(&mut self, value: Decimal) {
        self.minute = Some(value.whole);
        self.second = value.sixtieths();
    }
}

fn adjust_ampm(hour: i64, half: usize) -> i64 {
    match half {
        1 if hour < 12 => hour + 12,
        0 if hour == 12 => 0,
        _ => hour,
    }
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
    ymd: Ymd,
    found: Found,
}

impl Parser {
    fn token(&self, at: usize) -> Option<&str> {
        self.tokens.get(at).map(String::as_str)
    }

    /// Reads the token at `self.at` and those that belong to it, and stops at the last of them.
    fn step(&mut self, pivot: i32) -> Option<()> {
        let token = self.token(self.at)?.to_owned();
        if parse_float(&token).is_some() {
            return self.number(&token);
        }
        if let Some(day) = weekday(&token) {
            self.found.weekday = Some(day);
            return Some(());
        }
        if let Some(value) = month(&token) {
            return self.month_name(value, pivot);
        }
        if let Some(half) = ampm(&token) {
            let hour = self.found.hour.filter(|hour| (0..=12).contains(hour))?;
            self.found.hour = Some(adjust_ampm(hour, half));
            self.found.ampm = Some(half);
            return Some(());
        }
        if self.found.could_be_zone(&token, self.found.offset) {
            self.zone_name(token);
            return Some(());
        }
        if self.found.hour.is_some() && (token == "+" || token == "-") {
            return self.zone_offset(&token);
        }
        is_jump(&token).then_some(())
    }

    fn month_name(&mut self, value: i64, pivot: i32) -> Option<()> {
        self.ymd.push_value(value, false, Label::Month)?;
        let at = self.at;
        match self.token(at + 1) {
            Some(separator @ ("-" | "/")) => {
                let third = self.token(at + 3) == Some(separator);
                let first = self.token(at + 2)?.to_owned();
                self.ymd.push_text(&first, Label::Any)?;
                if third {
                    let second = self.token(at + 4)?.to_owned();
                    self.ymd.push_text(&second, Label::Any)?;
                    self.at += 2;
                }
                self.at += 2;
            }
            // `Jan of 01`: what follows is a year.
            Some(" ")
                if self.token(at + 3) == Some(" ")
                    && self
                        .token(at + 2)
                        .is_some_and(|token| among(token, &["of"])) =>
            {
                if let Some(year) = self.token(at + 4) {
                    if all_digits(year) {
                        let year = convert_year(int(year)?, false, pivot)?;
                        self.ymd.push_text(&year.to_string(), Label::Year)?;
                    }
                    self.at += 4;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn zone_name(&mut self, token: String) {
        self.found.offset = matches!(token.as_str(), "UTC" | "GMT" | "Z" | "z").then_some(0);
        let utc = is_utc(&token);
        self.found.zone = Some(token);
        // `GMT+3` means that this time plus 3 hours is GMT.
        if let Some(sign) = self.tokens.get_mut(self.at + 1)
            && (sign == "+" || sign == "-")
        {
            let flipped = if sign == "+" { "-" } else { "+" };
            flipped.clone_into(sign);
            self.found.offset = None;
            if utc {
                self.found.zone = None;
            }
        }
    }

    fn zone_offset(&mut self, sign: &str) -> Option<()> {
        let at = self.at;
        let digits = self.token(at + 1)?.to_owned();
        let len = digits.chars().count();
        let (hours, minutes) = if len == 4 {
            (int(&part(&digits, 0, 2))?, int(&part(&digits, 2, 4))?)
        } else if self.token(at + 2) == Some(":") {
            let minutes = int(self.token(at + 3)?)?;
            self.at += 2;
            (int(&digits)?, minutes)
        } else if len <= 2 {
            (int(&digits)?, 0)
        } else {
            return None;
        };
        let seconds = hours
            .checked_mul(3600)?
            .checked_add(minutes.checked_mul(60)?)?;
        self.found.offset = Some(if sign == "+" { seconds } else { -seconds });
        // A name in parentheses may follow.
        let at = self.at;
        if self.tokens.len() > at + 5
            && self.token(at + 2).is_some_and(is_jump)
            && self.token(at + 3) == Some("(")
            && self.token(at + 5) == Some(")")
        {
            let name = self.token(at + 4)?.to_owned();
            if name.chars().count() >= 3 && self.found.could_be_zone(&name, None) {
                self.found.zone = Some(name);
                self.at += 4;
            }
        }
        self.at += 1;
        Some(())
    }

    /// The label that belongs to the number at `at`: its place, and which of hour, minute, second.
    fn label(&self, at: usize) -> Option<(usize, usize)> {
        let label = |at: usize| self.token(at).and_then(hms);
        if let Some(label) = label(at + 1) {
            return Some((at + 1, label));
        }
        if self.token(at + 1) == Some(" ")
            && let Some(label) = label(at + 2)
        {
            return Some((at + 2, label));
        }
        // No label follows: the one before counts on, as in `12h04`.
        if let Some(label) = at.checked_sub(1).and_then(label) {
            return Some((at, label + 1));
        }
        let before = at.checked_sub(2)?;
        if at == self.tokens.len() - 1 && self.token(at - 1) == Some(" ") {
            return label(before).map(|label| (at, label + 1));
        }
        None
    }

    fn number(&mut self, token: &str) -> Option<()> {
        let value = Decimal::read(token)?;
        let at = self.at;
        let len = token.chars().count();
        let next = self.token(at + 1).map(str::to_owned);
        let next = next.as_deref();

        if self.ymd.values.len() == 3
            && (len == 2 || len == 4)
            && self.found.hour.is_none()
            && next.is_none_or(|next| next != ":" && hms(next).is_none())
        {
            // 19990101T23[59]
            self.found.hour = Some(int(&part(token, 0, 2))?);
            if len == 4 {
                self.found.minute = Some(int(&part(token, 2, 4))?);
            }
        } else if len == 6 || (len > 6 && token.chars().position(|c| c == '.') == Some(6)) {
            // YYMMDD or HHMMSS[.ss]
            let pieces = [part(token, 0, 2), part(token, 2, 4), part(token, 4, len)];
            if self.ymd.values.is_empty() && !token.contains('.') {
                for piece in &pieces {
                    self.ymd.push_text(piece, Label::Any)?;
                }
            } else {
                let [hour, minute, second] = &pieces;
                self.found.hour = Some(int(hour)?);
                self.found.minute = Some(int(minute)?);
                self.found.set_seconds(second)?;
            }
        } else if matches!(len, 8 | 12 | 14) {
            // YYYYMMDD[hhmm[ss]]
            self.ymd.push_text(&part(token, 0, 4), Label::Year)?;
            self.ymd.push_text(&part(token, 4, 6), Label::Any)?;
            self.ymd.push_text(&part(token, 6, 8), Label::Any)?;
            if len > 8 {
                self.found.hour = Some(int(&part(token, 8, 10))?);
                self.found.minute = Some(int(&part(token, 10, 12))?);
                if len > 12 {
                    self.found.second = Some(int(&part(token, 12, 14))?);
                }
            }
        } else if let Some((place, label)) = self.label(at) {
            self.at = place.max(at);
            match label {
                0 => {
                    self.found.hour = Some(value.whole);
                    if let Some(minutes) = value.sixtieths() {
                        self.found.minute = Some(minutes);
                    }
                }
                1 => self.found.set_minutes(value),
                2 => self.found.set_seconds(token)?,
                _ => {}
            }
        } else if next == Some(":") && self.tokens.len() > at + 2 {
            // HH:MM[:SS[.ss]]
            self.found.hour = Some(value.whole);
            let minutes = Decimal::read(self.token(at + 2)?)?;
            self.found.set_minutes(minutes);
            if self.token(at + 3) == Some(":")
                && let Some(seconds) = self.token(at + 4).map(str::to_owned)
            {
                self.found.set_seconds(&seconds)?;
                self.at += 2;
            }
            self.at += 2;
        } else if let Some(separator @ ("-" | "/" | ".")) = next {
            return self.numbers_with(token, separator);
        } else if next.is_none_or(is_jump) {
            if let Some(half) = self.token(at + 2).and_then(ampm) {
                // 12 am
                self.found.hour = Some(adjust_ampm(value.whole, half));
                self.at += 1;
            } else {
                let over_100 = value.whole > 100 || (value.whole == 100 && value.fraction != 0);
                self.ymd.push_value(value.whole, over_100, Label::Any)?;
            }
            self.at += 1;
        } else if let Some(half) = next.and_then(ampm)
            && (0..24).contains(&value.whole)
        {
            // 12am
            self.found.hour = Some(adjust_ampm(value.whole, half));
            self.at += 1;
        } else if self.ymd.could_be_day(value)? {
            self.ymd.push_value(value.whole, false, Label::Any)?;
        } else {
            return None;
        }
        Some(())
    }

    /// `01-01[-01]`, `01-Jan[-01]`.
    fn numbers_with(&mut self, token: &str, separator: &str) -> Option<()> {
        let at = self.at;
        self.ymd.push_text(token, Label::Any)?;
        if let Some(second) = self.token(at + 2).map(str::to_owned)
            && !is_jump(&second)
        {
            if all_digits(&second) {
                self.ymd.push_text(&second, Label::Any)?;
            } else {
                self.ymd.push_value(month(&second)?, false, Label::Month)?;
            }
            if self.token(at + 3) == Some(separator) {
                let third = self.token(at + 4)?.to_owned();
                match month(&third) {
                    Some(month) => self.ymd.push_value(month, false, Label::Month)?,
                    None => self.ymd.push_text(&third, Label::Any)?,
                }
                self.at += 2;
            }
            self.at += 1;
        }
        self.at += 1;
        Some(())
    }
}
