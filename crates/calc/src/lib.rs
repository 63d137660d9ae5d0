//! Formula and chemistry expressions: the calculator behind numerical and formula problems, the
//! `/calculate` page, the LaTeX preview, the tolerance comparison and the chemistry checks.
//!
//! The grammar, the functions and the messages are those of contract capa.md §10; numbers behave as in
//! the reference, where the results of functions follow IEEE rules and everything else follows Python's
//! (see [`Number`]). Pure: text and numbers in, numbers and text out. Every input is bounded in length,
//! depth, size of integers and work, so that a hostile formula costs little.
//!
//! ```
//! use calc::{Functions, Number, Variables, evaluate};
//! let mut variables = Variables::new();
//! variables.insert("x".to_owned(), Number::Float(3.0));
//! let value = evaluate("x^2 + 1", &variables, &Functions::new(), false)?;
//! assert_eq!(value.to_complex()?, (10.0, 0.0));
//! # Ok::<(), calc::CalcError>(())
//! ```

pub mod chem;
mod complex;
mod decimal;
mod evaluate;
mod functions;
mod latex;
mod number;
mod parse;
mod tolerance;

pub use complex::Complex;
pub use evaluate::{Functions, Variables, calculate, evaluate};
pub use functions::Function;
pub use latex::latex;
pub use number::{Number, float_text};
pub use tolerance::{DEFAULT_TOLERANCE, Tolerance, within_tolerance};

/// Longest formula that is read, in bytes; a longer one is refused as a syntax error.
pub const MAX_LENGTH: usize = 16 * 1024;

/// Deepest nesting of parentheses that is read.
pub const MAX_DEPTH: usize = 100;

/// Why a formula has no value. The texts are those that the reference shows (capa.md §10).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalcError {
    /// The text is not a formula.
    #[error("ParseException")]
    Parse,
    /// The formula nests deeper than [`MAX_DEPTH`].
    #[error("maximum recursion depth exceeded")]
    TooDeep,
    /// A name is neither a variable nor a function; the message names it.
    #[error("{0}")]
    UndefinedVariable(String),
    /// Parentheses do not match; the message says where.
    #[error("{0}")]
    UnmatchedParenthesis(String),
    /// Division by zero between numbers that did not come out of a function.
    #[error("division by zero")]
    ZeroDivision,
    /// A result outside the range of its type, or larger than the bounds allow.
    #[error("Numerical result out of range")]
    Overflow,
    /// A function that does not take such a number, as the factorial of a fraction.
    #[error("bad operand type")]
    Type,
    /// The factorial of a negative integer.
    #[error("factorial() not defined for negative values")]
    Factorial,
    /// Another value outside a function's domain, as a negative power of a 64-bit integer, or a token
    /// that the chemistry grammar does not know.
    #[error("value outside the domain")]
    Value,
    /// A comparison with a tolerance that is not a number.
    #[error("InvalidOperation")]
    InvalidOperation,
}

impl CalcError {
    /// Name of the exception class that the reference raises.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Parse => "ParseException",
            Self::TooDeep => "RecursionError",
            Self::UndefinedVariable(_) => "UndefinedVariable",
            Self::UnmatchedParenthesis(_) => "UnmatchedParenthesis",
            Self::ZeroDivision => "ZeroDivisionError",
            Self::Overflow => "OverflowError",
            Self::Type => "TypeError",
            Self::Factorial | Self::Value => "ValueError",
            Self::InvalidOperation => "InvalidOperation",
        }
    }
}
