//! Which number of a date is the year, which the month, which the day.

use super::days_in_month;
use super::tokens::{Decimal, all_digits, int};

#[derive(Default)]
pub(super) struct Ymd {
    pub values: Vec<i64>,
    year_at: Option<usize>,
    month_at: Option<usize>,
    /// Whether a year of more than two digits was written.
    pub century: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Any,
    Month,
    Year,
}

impl Ymd {
    pub(super) fn push_text(&mut self, token: &str, label: Label) -> Option<()> {
        let long = all_digits(token) && token.chars().count() > 2;
        self.push(int(token)?, long, label)
    }

    pub(super) fn push_value(&mut self, value: i64, over_100: bool, label: Label) -> Option<()> {
        self.push(value, over_100, label)
    }

    fn push(&mut self, value: i64, is_year: bool, label: Label) -> Option<()> {
        let mut label = label;
        if is_year {
            self.century = true;
            if label == Label::Month {
                return None;
            }
            label = Label::Year;
        }
        self.values.push(value);
        let slot = match label {
            Label::Any => return Some(()),
            Label::Month => &mut self.month_at,
            Label::Year => &mut self.year_at,
        };
        if slot.is_some() {
            return None;
        }
        *slot = Some(self.values.len() - 1);
        Some(())
    }

    pub(super) fn could_be_day(&self, value: Decimal) -> Option<bool> {
        let day = i64::from(value.fraction != 0) + value.whole;
        let Some(month) = self.month_at.and_then(|at| self.values.get(at)) else {
            return Some(value.whole >= 1 && day <= 31);
        };
        let year = self
            .year_at
            .and_then(|at| self.values.get(at))
            .copied()
            .unwrap_or(2000);
        let last = days_in_month(i32::try_from(year).ok()?, u32::try_from(*month).ok()?)?;
        Some(value.whole >= 1 && day <= last.into())
    }

    /// Which is which. The outer `None` is an error.
    pub(super) fn resolve(&self) -> Option<(Option<i64>, Option<i64>, Option<i64>)> {
        let values = self.values.as_slice();
        let known = usize::from(self.year_at.is_some()) + usize::from(self.month_at.is_some());
        if (values.len() == known && known > 0) || (values.len() == 3 && known == 2) {
            let get = |at: Option<usize>| at.and_then(|at| values.get(at)).copied();
            let rest = (0..values.len())
                .find(|at| Some(*at) != self.year_at && Some(*at) != self.month_at);
            return Some((get(self.year_at), get(self.month_at), get(rest)));
        }
        match (values, self.month_at) {
            ([], _) => Some((None, None, None)),
            (&[other], None) => Some(year_or_day(other, None)),
            (&[only], Some(_)) => Some((None, Some(only), None)),
            (&[a, b], Some(at)) => {
                let (month, other) = if at == 0 { (a, b) } else { (b, a) };
                Some(year_or_day(other, Some(month)))
            }
            (&[a, b], None) => Some(if a > 31 {
                (Some(a), Some(b), None)
            } else if b > 31 {
                (Some(b), Some(a), None)
            } else {
                (None, Some(a), Some(b))
            }),
            (&[a, b, c], Some(0)) => Some(if b > 31 {
                (Some(b), Some(a), Some(c))
            } else {
                (Some(c), Some(a), Some(b))
            }),
            (&[a, b, c], Some(1)) => Some(if a > 31 {
                (Some(a), Some(b), Some(c))
            } else {
                (Some(c), Some(b), Some(a))
            }),
            (&[a, b, c], Some(_)) => Some(if b > 31 {
                (Some(b), Some(c), Some(a))
            } else {
                (Some(a), Some(c), Some(b))
            }),
            (&[a, b, c], None) => Some(if a > 31 || self.year_at == Some(0) {
                (Some(a), Some(b), Some(c))
            } else if a > 12 {
                (Some(c), Some(b), Some(a))
            } else {
                (Some(c), Some(a), Some(b))
            }),
            _ => None,
        }
    }
}

fn year_or_day(other: i64, month: Option<i64>) -> (Option<i64>, Option<i64>, Option<i64>) {
    if other > 31 {
        (Some(other), month, None)
    } else {
        (None, month, Some(other))
    }
}
