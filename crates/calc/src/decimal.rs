//! Decimal numbers of a fixed precision, as far as the tolerance comparison needs them.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint};
use num_traits::{Signed, Zero};

/// Significant digits of a result.
const PRECISION: usize = 28;

/// `digits · 10^exponent`, exact.
#[derive(Debug, Clone)]
pub(crate) struct Decimal {
    digits: BigInt,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that reads back as this finite double.
    pub(crate) fn from_float(value: f64) -> Option<Self> {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
        Some(Self {
            digits,
            exponent: exponent - fraction.len() as i32,
        })
    }

    /// An integer.
    pub(crate) fn from_int(value: BigInt) -> Self {
        Self {
            digits: value,
            exponent: 0,
        }
    }

    /// Both numbers' digits at the smaller exponent of the two.
    fn align(&self, other: &Self) -> (BigInt, BigInt, i32) {
        let exponent = self.exponent.min(other.exponent);
        let lift = |number: &Self| {
            let steps = (number.exponent - exponent).unsigned_abs();
            &number.digits * BigInt::from(10).pow(steps)
        };
        (lift(self), lift(other), exponent)
    }

    /// `|self − other|`, rounded half to even to 28 significant digits.
    pub(crate) fn distance(&self, other: &Self) -> Self {
        let (left, right, exponent) = self.align(other);
        let difference = (left - right).abs();
        let length = if difference.is_zero() {
            0
        } else {
            difference.to_string().len()
        };
        if length <= PRECISION {
            return Self {
                digits: difference,
                exponent,
            };
        }
        let drop = (length - PRECISION) as u32;
        let unit = BigUint::from(10_u32).pow(drop);
        let size = difference.magnitude();
        let mut kept = size / &unit;
        let twice = (size - &kept * &unit) * 2_u32;
        match twice.cmp(&unit) {
            Ordering::Greater => kept += 1_u32,
            Ordering::Equal if kept.bit(0) => kept += 1_u32,
            _ => {}
        }
        Self {
            digits: kept.into(),
            exponent: exponent + drop as i32,
        }
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let (left, right, _) = self.align(other);
        left.partial_cmp(&right)
    }
}
