//! Whether an answer is near enough (capa.md §3.6).

use crate::decimal::Decimal;
use crate::evaluate::{Functions, Variables, evaluate};
use crate::number::Operation;
use crate::{CalcError, Complex, Number};

/// The tolerance of a problem that states none: relative to the larger of the two values.
pub const DEFAULT_TOLERANCE: &str = "0.001%";

/// How far an answer may be from the right one.
#[derive(Debug, Clone)]
pub enum Tolerance<'a> {
    /// As the author wrote it: a formula, or one followed by `%`.
    Text(&'a str),
    /// A number.
    Value(Number),
}

/// Whether `student` is within `tolerance` of `instructor`.
///
/// `N%` is relative to the instructor's value; with `relative`, and for the literal default
/// [`DEFAULT_TOLERANCE`], the tolerance is relative to the larger of the two. Real numbers are compared as
/// decimals of 28 digits of their shortest texts, so that 0.3 is within 0.1 of 0.2.
///
/// # Errors
/// Those of the tolerance's formula, [`CalcError::InvalidOperation`] when it is not a real number, and
/// [`CalcError::Overflow`] for values beyond doubles.
pub fn within_tolerance(
    student: &Number,
    instructor: &Number,
    tolerance: &Tolerance<'_>,
    relative: bool,
) -> Result<bool, CalcError> {
    let mut relative = relative;
    let mut allowed = match tolerance {
        Tolerance::Value(value) => value.clone(),
        Tolerance::Text(text) => {
            relative |= *text == DEFAULT_TOLERANCE;
            let number = |text: &str| evaluate(text, &Variables::new(), &Functions::new(), false);
            if let Some(percent) = text.strip_suffix('%') {
                let part = number(percent)?.apply(Operation::Multiply, Number::Float(0.01))?;
                if relative {
                    part
                } else {
                    part.apply(Operation::Multiply, instructor.abs()?)?
                }
            } else {
                number(text)?
            }
        }
    };
    if relative {
        let (ours, theirs) = (student.abs()?, instructor.abs()?);
        let larger = if theirs.real()? > ours.real()? {
            theirs
        } else {
            ours
        };
        allowed = allowed.apply(Operation::Multiply, larger)?;
    }
    let (student, instructor) = (student.complex()?, instructor.complex()?);
    if is_infinite(student) || is_infinite(instructor) {
        return Ok(student == instructor);
    }
    if student.im != 0.0 || instructor.im != 0.0 {
        if allowed.is_complex() {
            return Err(CalcError::Type);
        }
        let distance = student.sub(instructor).abs();
        return Ok(distance <= allowed.real()?);
    }
    if student.re.is_nan() || instructor.re.is_nan() {
        return Ok(false);
    }
    let allowed = match allowed {
        Number::Int(value) => Decimal::from_int(value),
        Number::IeeeInt(value) => Decimal::from_int(value.into()),
        Number::Float(value) | Number::IeeeFloat(value) => {
            if value.is_nan() {
                return Err(CalcError::InvalidOperation);
            }
            if value.is_infinite() {
                return Ok(value > 0.0);
            }
            Decimal::from_float(value).ok_or(CalcError::InvalidOperation)?
        }
        Number::Complex(_) | Number::IeeeComplex(_) => return Err(CalcError::InvalidOperation),
    };
    let decimal = |value: f64| Decimal::from_float(value).ok_or(CalcError::InvalidOperation);
    Ok(decimal(student.re)?.distance(&decimal(instructor.re)?) <= allowed)
}

fn is_infinite(value: Complex) -> bool {
    value.re.is_infinite() || value.im.is_infinite()
}
