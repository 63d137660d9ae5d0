//! The calculator's functions (capa.md §10).

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use crate::complex::{real_acosh, real_asinh, real_atanh};
use crate::number::Operation;
use crate::{CalcError, Complex, Number};

/// Largest argument of the factorial.
const MAX_FACTORIAL: u32 = 5000;

/// A function that formulas can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sin,
    Cos,
    Tan,
    Sec,
    Csc,
    Cot,
    Arcsin,
    Arccos,
    Arctan,
    Arcsec,
    Arccsc,
    Arccot,
    Sinh,
    Cosh,
    Tanh,
    Sech,
    Csch,
    Coth,
    Arcsinh,
    Arccosh,
    Arctanh,
    Arcsech,
    Arccsch,
    Arccoth,
    Sqrt,
    Log10,
    Log2,
    Ln,
    Exp,
    Abs,
    Factorial,
}

/// Every function by its name.
const NAMES: &[(&str, Kind)] = &[
    ("sin", Kind::Sin),
    ("cos", Kind::Cos),
    ("tan", Kind::Tan),
    ("sec", Kind::Sec),
    ("csc", Kind::Csc),
    ("cot", Kind::Cot),
    ("sqrt", Kind::Sqrt),
    ("log10", Kind::Log10),
    ("log2", Kind::Log2),
    ("ln", Kind::Ln),
    ("exp", Kind::Exp),
    ("arccos", Kind::Arccos),
    ("arcsin", Kind::Arcsin),
    ("arctan", Kind::Arctan),
    ("arcsec", Kind::Arcsec),
    ("arccsc", Kind::Arccsc),
    ("arccot", Kind::Arccot),
    ("abs", Kind::Abs),
    ("fact", Kind::Factorial),
    ("factorial", Kind::Factorial),
    ("sinh", Kind::Sinh),
    ("cosh", Kind::Cosh),
    ("tanh", Kind::Tanh),
    ("sech", Kind::Sech),
    ("csch", Kind::Csch),
    ("coth", Kind::Coth),
    ("arcsinh", Kind::Arcsinh),
    ("arccosh", Kind::Arccosh),
    ("arctanh", Kind::Arctanh),
    ("arcsech", Kind::Arcsech),
    ("arccsch", Kind::Arccsch),
    ("arccoth", Kind::Arccoth),
];

impl Function {
    /// The built-in function of that name, in its own case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| Self(*kind))
    }

    /// Every built-in function with its name.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.iter().map(|(name, kind)| (*name, Self(*kind)))
    }

    /// The function's value.
    ///
    /// # Errors
    /// [`CalcError::Type`] for an argument that it does not take, [`CalcError::Factorial`] for a negative
    /// factorial, [`CalcError::Overflow`] for one above 5,000, [`CalcError::ZeroDivision`] where a
    /// reciprocal of a plain zero is taken.
    pub fn call(self, argument: Number) -> Result<Number, CalcError> {
        use Kind::{
            Abs, Arccos, Arccosh, Arccot, Arccoth, Arccsc, Arccsch, Arcsec, Arcsech, Arcsin,
            Arcsinh, Arctan, Arctanh, Cos, Cosh, Cot, Coth, Csc, Csch, Exp, Factorial, Ln, Log2,
            Log10, Sec, Sech, Sin, Sinh, Sqrt, Tan, Tanh,
        };
        let below_zero = |x: f64| x < 0.0;
        let beyond_one = |x: f64| x.abs() > 1.0;
        match self.0 {
            Sin => map(&argument, f64::sin, Complex::sin),
            Cos => map(&argument, f64::cos, Complex::cos),
            Tan => map(&argument, f64::tan, Complex::tan),
            Sinh => map(&argument, f64::sinh, Complex::sinh),
            Cosh => map(&argument, f64::cosh, Complex::cosh),
            Tanh => map(&argument, f64::tanh, Complex::tanh),
            Exp => map(&argument, f64::exp, Complex::exp),
            Arctan => map(&argument, f64::atan, Complex::atan),
            Arcsinh => map(&argument, real_asinh, Complex::asinh),
            Arccosh => map(&argument, real_acosh, Complex::acosh),
            Sqrt => widen(&argument, below_zero, f64::sqrt, Complex::sqrt),
            Ln => widen(&argument, below_zero, f64::ln, Complex::ln),
            Log10 => widen(&argument, below_zero, f64::log10, |z| {
                scale(z.ln(), std::f64::consts::LOG10_E)
            }),
            Log2 => widen(&argument, below_zero, f64::log2, |z| {
                scale(z.ln(), std::f64::consts::LOG2_E)
            }),
            Arcsin => widen(&argument, beyond_one, f64::asin, Complex::asin),
            Arccos => widen(&argument, beyond_one, f64::acos, Complex::acos),
            Arctanh => widen(&argument, beyond_one, real_atanh, Complex::atanh),
            Sec => reciprocal(Self(Cos).call(argument)?),
            Csc => reciprocal(Self(Sin).call(argument)?),
            Cot => reciprocal(Self(Tan).call(argument)?),
            Sech => reciprocal(Self(Cosh).call(argument)?),
            Csch => reciprocal(Self(Sinh).call(argument)?),
            Coth => reciprocal(Self(Tanh).call(argument)?),
            // Of the inverse pairs only these two go through the real function at any argument.
            Arcsec => map(&reciprocal(argument)?, f64::acos, Complex::acos),
            Arccsc => map(&reciprocal(argument)?, f64::asin, Complex::asin),
            Arcsech => map(&reciprocal(argument)?, real_acosh, Complex::acosh),
            Arccsch => map(&reciprocal(argument)?, real_asinh, Complex::asinh),
            Arccoth => map(&reciprocal(argument)?, real_atanh, Complex::atanh),
            Arccot => {
                let negative = match &argument {
                    Number::Int(value) => value.is_negative(),
                    other => other.complex()?.re < 0.0,
                };
                let half = std::f64::consts::FRAC_PI_2;
                let from = if negative { -half } else { half };
                let angle = Self(Arctan).call(argument)?;
                Number::Float(from).apply(Operation::Subtract, angle)
            }
            Abs => match argument {
                // An integer that only an unsigned word holds reckons on as a double.
                Number::Int(value) => {
                    let size = value.abs();
                    Ok(match (size.to_i64(), size.to_u64()) {
                        (Some(whole), _) => Number::IeeeInt(whole),
                        (None, Some(wide)) => Number::IeeeFloat(wide as f64),
                        (None, None) => Number::Int(size),
                    })
                }
                Number::Float(value) => Ok(Number::IeeeFloat(value.abs())),
                Number::Complex(value) => Ok(Number::IeeeFloat(value.abs())),
                other => other.abs(),
            },
            Factorial => factorial(&argument),
        }
    }
}

/// A function of doubles that has a complex counterpart.
fn map(
    argument: &Number,
    real: impl Fn(f64) -> f64,
    complex: impl Fn(Complex) -> Complex,
) -> Result<Number, CalcError> {
    match argument {
        Number::Complex(value) | Number::IeeeComplex(value) => {
            Ok(Number::IeeeComplex(complex(*value)))
        }
        Number::Int(value) if value.to_i64().is_none() && value.to_u64().is_none() => {
            Err(CalcError::Type)
        }
        other => Ok(Number::IeeeFloat(real(other.real()?))),
    }
}

/// As [`map`], for functions that turn complex where `outside` their real domain.
fn widen(
    argument: &Number,
    outside: impl Fn(f64) -> bool,
    real: impl Fn(f64) -> f64,
    complex: impl Fn(Complex) -> Complex,
) -> Result<Number, CalcError> {
    let leaves = match argument {
        Number::Complex(_) | Number::IeeeComplex(_) => false,
        // Too wide for a double: only its sign and its size count here.
        Number::Int(value) if value.bits() > 63 => outside(if value.is_negative() {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        }),
        other => outside(other.real()?),
    };
    if leaves {
        return Ok(Number::IeeeComplex(complex(argument.complex()?)));
    }
    map(argument, real, complex)
}

fn scale(value: Complex, factor: f64) -> Complex {
    Complex::new(value.re * factor, value.im * factor)
}

fn reciprocal(value: Number) -> Result<Number, CalcError> {
    Number::Float(1.0).apply(Operation::Divide, value)
}

fn factorial(argument: &Number) -> Result<Number, CalcError> {
    let wide;
    let whole = match argument {
        Number::Int(value) => value,
        Number::IeeeInt(value) => {
            wide = BigInt::from(*value);
            &wide
        }
        _ => return Err(CalcError::Type),
    };
    if whole.is_negative() {
        return Err(CalcError::Factorial);
    }
    match whole.to_u32() {
        Some(n) if n <= MAX_FACTORIAL => {
            let product = (2..=n).fold(BigInt::from(1), |product, factor| product * factor);
            Ok(Number::Int(product))
        }
        _ => Err(CalcError::Overflow),
    }
}
