//! Numbers of formulas, and their arithmetic.

use std::fmt;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::{CalcError, Complex};

/// Largest integer that is computed, in bits.
pub(crate) const MAX_BITS: u64 = 1 << 16;

/// A number, with the rules by which it reckons on.
///
/// Literals and variables follow Python: integers are exact, division by zero and overflow are errors,
/// a fractional power of a negative number is complex. Results of functions (the `Ieee` kinds) follow
/// numpy: division by zero is infinite, and a fractional power of a negative real is NaN.
#[derive(Debug, Clone, PartialEq)]
pub enum Number {
    /// An exact integer of at most 2^16 bits.
    Int(BigInt),
    /// A double.
    Float(f64),
    /// A complex number.
    Complex(Complex),
    /// A 64-bit integer that wraps around: the absolute value of an integer.
    IeeeInt(i64),
    /// A double out of a function.
    IeeeFloat(f64),
    /// A complex number out of a function.
    IeeeComplex(Complex),
}

/// An operation between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Int(BigInt::from(value))
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Complex> for Number {
    fn from(value: Complex) -> Self {
        Self::Complex(value)
    }
}

impl Number {
    /// Real and imaginary part.
    ///
    /// # Errors
    /// [`CalcError::Overflow`] for an integer beyond the range of doubles.
    pub fn to_complex(&self) -> Result<(f64, f64), CalcError> {
        let value = self.complex()?;
        Ok((value.re, value.im))
    }

    /// Whether this is one of the complex kinds, even with an imaginary part of zero.
    #[must_use]
    pub fn is_complex(&self) -> bool {
        matches!(self, Self::Complex(_) | Self::IeeeComplex(_))
    }

    /// Whether this equals zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Int(value) => value.is_zero(),
            Self::IeeeInt(value) => *value == 0,
            Self::Float(value) | Self::IeeeFloat(value) => *value == 0.0,
            Self::Complex(value) | Self::IeeeComplex(value) => value.is_zero(),
        }
    }

    pub(crate) fn complex(&self) -> Result<Complex, CalcError> {
        Ok(match self {
            Self::Complex(value) | Self::IeeeComplex(value) => *value,
            other => Complex::new(other.real()?, 0.0),
        })
    }

    /// The value as a double; complex numbers have none.
    pub(crate) fn real(&self) -> Result<f64, CalcError> {
        match self {
            Self::Int(value) => int_to_float(value),
            Self::IeeeInt(value) => Ok(*value as f64),
            Self::Float(value) | Self::IeeeFloat(value) => Ok(*value),
            Self::Complex(_) | Self::IeeeComplex(_) => Err(CalcError::Type),
        }
    }

    fn is_ieee(&self) -> bool {
        matches!(
            self,
            Self::IeeeInt(_) | Self::IeeeFloat(_) | Self::IeeeComplex(_)
        )
    }

    /// The same value under Python's rules.
    fn plain(self) -> Self {
        match self {
            Self::IeeeInt(value) => Self::from(value),
            Self::IeeeFloat(value) => Self::Float(value),
            Self::IeeeComplex(value) => Self::Complex(value),
            other => other,
        }
    }

    /// Absolute value under Python's rules.
    ///
    /// # Errors
    /// [`CalcError::Overflow`] when a complex number's size is beyond doubles.
    pub fn abs(&self) -> Result<Self, CalcError> {
        Ok(match self {
            Self::Int(value) => Self::Int(value.abs()),
            Self::IeeeInt(value) => Self::IeeeInt(value.wrapping_abs()),
            Self::Float(value) => Self::Float(value.abs()),
            Self::IeeeFloat(value) => Self::IeeeFloat(value.abs()),
            Self::Complex(value) => {
                let size = value.abs();
                if size.is_infinite() && value.re.is_finite() && value.im.is_finite() {
                    return Err(CalcError::Overflow);
                }
                Self::Float(size)
            }
            Self::IeeeComplex(value) => Self::IeeeFloat(value.abs()),
        })
    }

    /// Reckons `self operation other`.
    pub(crate) fn apply(self, operation: Operation, other: Self) -> Result<Self, CalcError> {
        // A plain complex number on the left takes a function's real result as a plain number: the
        // reference's float64 is a Python float, and only the right operand could claim otherwise.
        let plain_left = matches!(self, Self::Complex(_)) && matches!(other, Self::IeeeFloat(_));
        let too_wide =
            |n: &Self| matches!(n, Self::Int(v) if v.to_i64().is_none() && v.to_u64().is_none());
        let ieee = (self.is_ieee() || other.is_ieee())
            && !plain_left
            && !too_wide(&self)
            && !too_wide(&other);
        if ieee {
            apply_ieee(&self, operation, &other)
        } else {
            apply_plain(self.plain(), operation, other.plain())
        }
    }
}

/// A double from an integer, rounded to nearest.
fn int_to_float(value: &BigInt) -> Result<f64, CalcError> {
    match value.to_f64() {
        Some(float) if float.is_finite() => Ok(float),
        _ => Err(CalcError::Overflow),
    }
}

fn bounded(value: BigInt) -> Result<Number, CalcError> {
    if value.bits() > MAX_BITS {
        Err(CalcError::Overflow)
    } else {
        Ok(Number::Int(value))
    }
}

fn apply_plain(left: Number, operation: Operation, right: Number) -> Result<Number, CalcError> {
    use Number::{Complex as C, Int};
    match (left, right) {
        (Int(left), Int(right)) => apply_ints(&left, operation, &right),
        (left @ C(_), right) | (left, right @ C(_)) => {
            apply_plain_complex(left.complex()?, operation, right.complex()?)
        }
        (left, right) => apply_plain_floats(left.real()?, operation, right.real()?),
    }
}

fn apply_ints(left: &BigInt, operation: Operation, right: &BigInt) -> Result<Number, CalcError> {
    match operation {
        Operation::Add => bounded(left + right),
        Operation::Subtract => bounded(left - right),
        Operation::Multiply => {
            if left.bits() + right.bits() > MAX_BITS + 1 {
                return Err(CalcError::Overflow);
            }
            bounded(left * right)
        }
        Operation::Divide => divide_ints(left, right).map(Number::Float),
        Operation::Power => {
            if right.is_negative() {
                return apply_plain_floats(int_to_float(left)?, operation, int_to_float(right)?);
            }
            if right.is_zero() {
                return Ok(Number::from(1));
            }
            if left.bits() <= 1 {
                // 0, 1 and −1 have no other powers, however large the exponent.
                let odd = right.bit(0);
                return Ok(Number::Int(if odd { left.clone() } else { left.abs() }));
            }
            match right.to_u32() {
                Some(exponent) if (left.bits() - 1) * u64::from(exponent) <= MAX_BITS => {
                    bounded(left.pow(exponent))
                }
                _ => Err(CalcError::Overflow),
            }
        }
    }
}

/// The quotient of two integers, correctly rounded even where neither fits a double.
fn divide_ints(left: &BigInt, right: &BigInt) -> Result<f64, CalcError> {
    const EXACT: i64 = 1 << 53;
    if right.is_zero() {
        return Err(CalcError::ZeroDivision);
    }
    if let (Some(a), Some(b)) = (left.to_i64(), right.to_i64())
        && (-EXACT..=EXACT).contains(&a)
        && (-EXACT..=EXACT).contains(&b)
    {
        return Ok(a as f64 / b as f64);
    }
    if left.is_zero() {
        return Ok(0.0);
    }
    // A quotient of 66 or 67 bits, its last bit standing for every lower one.
    let shift = right.bits() as i64 - left.bits() as i64 + 66;
    let (above, below) = if shift >= 0 {
        (left.abs() << shift.unsigned_abs(), right.abs())
    } else {
        (left.abs(), right.abs() << shift.unsigned_abs())
    };
    let quotient = &above / &below;
    let sticky = u128::from(&quotient * &below != above);
    let bits = quotient.to_u128().ok_or(CalcError::Overflow)? | sticky;
    let mut value = bits as f64;
    let mut exponent = -shift;
    while exponent > 0 {
        let step = exponent.min(1000);
        value *= 2.0_f64.powi(step as i32);
        exponent -= step;
    }
    while exponent < 0 {
        let step = (-exponent).min(1000);
        value /= 2.0_f64.powi(step as i32);
        exponent += step;
    }
    if value.is_infinite() {
        return Err(CalcError::Overflow);
    }
    Ok(if left.is_negative() == right.is_negative() {
        value
    } else {
        -value
    })
}

fn apply_plain_floats(left: f64, operation: Operation, right: f64) -> Result<Number, CalcError> {
    let value = match operation {
        Operation::Add => left + right,
        Operation::Subtract => left - right,
        Operation::Multiply => left * right,
        Operation::Divide => {
            if right == 0.0 {
                return Err(CalcError::ZeroDivision);
            }
            left / right
        }
        Operation::Power => {
            if left.is_finite() && right.is_finite() {
                if left == 0.0 && right < 0.0 {
                    return Err(CalcError::ZeroDivision);
                }
                if left < 0.0 && right != right.floor() {
                    return apply_plain_complex(
                        Complex::new(left, 0.0),
                        operation,
                        Complex::new(right, 0.0),
                    );
                }
                let power = left.powf(right);
                if power.is_infinite() {
                    return Err(CalcError::Overflow);
                }
                power
            } else {
                left.powf(right)
            }
        }
    };
    Ok(Number::Float(value))
}

fn apply_plain_complex(
    left: Complex,
    operation: Operation,
    right: Complex,
) -> Result<Number, CalcError> {
    let value = match operation {
        Operation::Add => left.add(right),
        Operation::Subtract => left.sub(right),
        Operation::Multiply => left.mul(right),
        Operation::Divide => {
            if right.is_zero() {
                return Err(CalcError::ZeroDivision);
            }
            left.div(right)
        }
        Operation::Power => {
            let whole = right.im == 0.0 && right.re == right.re.floor() && right.re.abs() <= 100.0;
            let power = if right.is_zero() {
                Complex::ONE
            } else if left.is_zero() {
                if right.im != 0.0 || right.re < 0.0 {
                    return Err(CalcError::ZeroDivision);
                }
                Complex::new(0.0, 0.0)
            } else if whole {
                left.pow_int(right.re as i32)
            } else {
                // The reference reports the cosine of an infinite angle as this.
                left.pow_polar(right).ok_or(CalcError::ZeroDivision)?
            };
            if power.re.is_infinite() || power.im.is_infinite() {
                return Err(CalcError::Overflow);
            }
            power
        }
    };
    Ok(Number::Complex(value))
}

/// Reckons as numpy does between scalars of which at least one is its own.
fn apply_ieee(left: &Number, operation: Operation, right: &Number) -> Result<Number, CalcError> {
    let whole = |n: &Number| match n {
        Number::Int(value) => value.to_i64(),
        Number::IeeeInt(value) => Some(*value),
        _ => None,
    };
    if let (Some(a), Some(b)) = (whole(left), whole(right))
        && operation != Operation::Divide
    {
        return Ok(Number::IeeeInt(match operation {
            Operation::Add => a.wrapping_add(b),
            Operation::Subtract => a.wrapping_sub(b),
            Operation::Multiply => a.wrapping_mul(b),
            Operation::Power | Operation::Divide => {
                if b < 0 {
                    return Err(CalcError::Value);
                }
                wrapping_pow(a, b.unsigned_abs())
            }
        }));
    }
    if left.is_complex() || right.is_complex() {
        let (a, b) = (left.complex()?, right.complex()?);
        return Ok(Number::IeeeComplex(match operation {
            Operation::Add => a.add(b),
            Operation::Subtract => a.sub(b),
            Operation::Multiply => a.mul(b),
            Operation::Divide => a.div(b),
            Operation::Power => ieee_complex_power(a, b),
        }));
    }
    let (a, b) = (left.real()?, right.real()?);
    Ok(Number::IeeeFloat(match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => a / b,
        Operation::Power => a.powf(b),
    }))
}

fn wrapping_pow(base: i64, mut exponent: u64) -> i64 {
    let (mut result, mut square) = (1_i64, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        exponent >>= 1;
    }
    result
}

fn ieee_complex_power(base: Complex, exponent: Complex) -> Complex {
    if exponent.is_zero() {
        return Complex::ONE;
    }
    if base.is_zero() {
        return if exponent.re > 0.0 {
            Complex::new(0.0, 0.0)
        } else {
            Complex::new(f64::NAN, f64::NAN)
        };
    }
    if exponent.im == 0.0 && exponent.re == exponent.re.trunc() && exponent.re.abs() < 100.0 {
        return if exponent.re == 1.0 {
            base
        } else {
            base.pow_int(exponent.re as i32)
        };
    }
    exponent.mul_c99(base.ln()).exp()
}

/// The text of a double as Python prints it: `1.0`, `1e-05`, `nan`.
#[must_use]
pub fn float_text(value: f64) -> String {
    let text = bare_float_text(value);
    if value.is_finite() && !text.contains(['.', 'e']) {
        text + ".0"
    } else {
        text
    }
}

/// As [`float_text`] without the `.0` of whole numbers: the form inside complex numbers.
fn bare_float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// As Python's `str` prints it: `6`, `6.0`, `(1.5-2.5j)`, `1j`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::IeeeInt(value) => write!(f, "{value}"),
            Self::Float(value) | Self::IeeeFloat(value) => f.write_str(&float_text(*value)),
            Self::Complex(value) | Self::IeeeComplex(value) => {
                let imaginary = bare_float_text(value.im);
                if value.re == 0.0 && value.re.is_sign_positive() {
                    return write!(f, "{imaginary}j");
                }
                let plus = if imaginary.starts_with('-') { "" } else { "+" };
                write!(f, "({}{plus}{imaginary}j)", bare_float_text(value.re))
            }
        }
    }
}
