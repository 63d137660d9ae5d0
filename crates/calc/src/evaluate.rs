//! From formula to number.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use num_bigint::BigInt;

use crate::number::Operation;
use crate::parse::{Names, Node, parse};
use crate::{CalcError, Complex, Function, Number};

/// Values of variables by name. The order counts where two names differ only in case and case does not:
/// the later wins.
pub type Variables = IndexMap<String, Number>;

/// Functions by name, beside the built-in ones.
pub type Functions = IndexMap<String, Function>;

/// Work that one formula may cost, in machine words touched.
const BUDGET: u64 = 20_000_000;

/// Digits of an integer that are read or printed, as in Python.
const MAX_DIGITS: usize = 4300;

/// The value of `expression` (capa.md §10); a blank one is NaN.
///
/// # Errors
/// In this order: unmatched parentheses, syntax, undefined variables, undefined functions, then what the
/// arithmetic meets.
pub fn evaluate(
    expression: &str,
    variables: &Variables,
    functions: &Functions,
    case_sensitive: bool,
) -> Result<Number, CalcError> {
    if is_blank(expression) {
        return Ok(Number::Float(f64::NAN));
    }
    check_parentheses(expression)?;
    let (node, names) = parse(expression)?;
    let scope = Scope::new(variables, functions, case_sensitive);
    scope.check(&names)?;
    Evaluation {
        scope: &scope,
        budget: BUDGET,
    }
    .value(&node)
}

/// The text that `GET /calculate` gives for an equation: its value, or `Invalid syntax`.
#[must_use]
pub fn calculate(equation: &str) -> String {
    match evaluate(equation, &Variables::new(), &Functions::new(), false) {
        // 10^4300 is the first integer that Python does not print; it has 14,285 bits.
        Ok(Number::Int(value)) if value.bits() > 14_284 => "Invalid syntax".to_owned(),
        Ok(value) => value.to_string(),
        Err(_) => "Invalid syntax".to_owned(),
    }
}

/// Whether Python's `strip` leaves nothing.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

fn check_parentheses(expression: &str) -> Result<(), CalcError> {
    let mut open = 0_usize;
    for (index, byte) in expression.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' if open == 0 => {
                let before = expression.get(..index).unwrap_or_default();
                return Err(CalcError::UnmatchedParenthesis(format!(
                    "Invalid Input: A closing parenthesis was found after segment {before}, but there is \
                     no matching opening parenthesis before it."
                )));
            }
            b')' => open -= 1,
            _ => {}
        }
    }
    if open > 0 {
        return Err(CalcError::UnmatchedParenthesis(format!(
            "Invalid Input: Parentheses are unmatched. {open} parentheses were opened but never closed."
        )));
    }
    Ok(())
}

/// The names that a formula may use.
struct Scope {
    variables: Variables,
    functions: Functions,
    case_sensitive: bool,
}

impl Scope {
    fn new(variables: &Variables, functions: &Functions, case_sensitive: bool) -> Self {
        let mut all_variables = Variables::new();
        for name in ["i", "j"] {
            all_variables.insert(name.to_owned(), Number::Complex(Complex::new(0.0, 1.0)));
        }
        all_variables.insert("e".to_owned(), Number::Float(std::f64::consts::E));
        all_variables.insert("pi".to_owned(), Number::Float(std::f64::consts::PI));
        let mut all_functions: Functions = Function::all()
            .map(|(name, function)| (name.to_owned(), function))
            .collect();
        for (name, value) in variables {
            all_variables.insert(name.clone(), value.clone());
        }
        for (name, function) in functions {
            all_functions.insert(name.clone(), *function);
        }
        if case_sensitive {
            return Self {
                variables: all_variables,
                functions: all_functions,
                case_sensitive,
            };
        }
        Self {
            variables: all_variables
                .into_iter()
                .map(|(k, v)| (k.to_lowercase(), v))
                .collect(),
            functions: all_functions
                .into_iter()
                .map(|(k, v)| (k.to_lowercase(), v))
                .collect(),
            case_sensitive,
        }
    }

    fn fold(&self, name: &str) -> String {
        if self.case_sensitive {
            name.to_owned()
        } else {
            name.to_lowercase()
        }
    }

    fn check(&self, names: &Names) -> Result<(), CalcError> {
        let unknown = |used: &[String], known: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
            used.iter()
                .filter(|name| !known(&self.fold(name)))
                .cloned()
                .collect()
        };
        let variables = unknown(&names.variables, &|name| self.variables.contains_key(name));
        if !variables.is_empty() {
            let mut message = format!(
                "Invalid Input: {} not permitted in answer as a variable",
                list(&variables)
            );
            message += &self.suggestion(&variables, self.variables.keys());
            return Err(CalcError::UndefinedVariable(message));
        }
        let functions = unknown(&names.functions, &|name| self.functions.contains_key(name));
        if !functions.is_empty() {
            let mut message = format!(
                "Invalid Input: {} not permitted in answer as a function",
                list(&functions)
            );
            if functions
                .iter()
                .any(|name| self.variables.contains_key(&self.fold(name)))
            {
                message += " (did you forget to use * for multiplication?)";
            }
            message += &self.suggestion(&functions, self.functions.keys());
            return Err(CalcError::UndefinedVariable(message));
        }
        Ok(())
    }

    /// The known names that differ from the unknown ones only in case.
    fn suggestion<'a>(
        &self,
        unknown: &BTreeSet<String>,
        known: impl Iterator<Item = &'a String>,
    ) -> String {
        if !self.case_sensitive {
            return String::new();
        }
        let lower: BTreeSet<String> = unknown.iter().map(|name| name.to_lowercase()).collect();
        let near: BTreeSet<String> = known
            .filter(|name| lower.contains(&name.to_lowercase()))
            .cloned()
            .collect();
        if near.is_empty() {
            String::new()
        } else {
            format!(" (did you mean {}?)", list(&near))
        }
    }
}

fn list(names: &BTreeSet<String>) -> String {
    names
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

struct Evaluation<'a> {
    scope: &'a Scope,
    budget: u64,
}

impl Evaluation<'_> {
    /// Charges the words of a number against the budget.
    fn charge(&mut self, number: &Number, times: u64) -> Result<(), CalcError> {
        let words = match number {
            Number::Int(value) => 1 + value.bits() / 64,
            _ => 1,
        };
        self.budget = self
            .budget
            .checked_sub(words * times)
            .ok_or(CalcError::Overflow)?;
        Ok(())
    }

    fn apply(
        &mut self,
        left: Number,
        operation: Operation,
        right: Number,
    ) -> Result<Number, CalcError> {
        let value = left.apply(operation, right)?;
        self.charge(&value, if operation == Operation::Power { 64 } else { 4 })?;
        Ok(value)
    }

    fn value(&mut self, node: &Node) -> Result<Number, CalcError> {
        match node {
            Node::Number {
                mantissa,
                exponent,
                percent,
            } => literal(mantissa, exponent.as_deref(), *percent),
            Node::Variable(name) => self
                .scope
                .variables
                .get(&self.scope.fold(name))
                .cloned()
                .ok_or(CalcError::Parse),
            Node::Call(name, argument) => {
                let argument = self.value(argument)?;
                let function = *self
                    .scope
                    .functions
                    .get(&self.scope.fold(name))
                    .ok_or(CalcError::Parse)?;
                let value = function.call(argument)?;
                // A factorial multiplies as often as its size; others cost no more than this either.
                if let Number::Int(whole) = &value {
                    let words = whole.bits() / 64;
                    self.charge(&value, words.max(1))?;
                }
                Ok(value)
            }
            Node::Group(inner) => self.value(inner),
            Node::Power(parts) => {
                let mut values = parts
                    .iter()
                    .map(|part| self.value(part))
                    .collect::<Result<Vec<_>, _>>()?;
                let mut power = values.pop().ok_or(CalcError::Parse)?;
                while let Some(base) = values.pop() {
                    power = self.apply(base, Operation::Power, power)?;
                }
                Ok(power)
            }
            Node::Parallel(parts) => {
                let values = parts
                    .iter()
                    .map(|part| self.value(part))
                    .collect::<Result<Vec<_>, _>>()?;
                if values.iter().any(Number::is_zero) {
                    return Ok(Number::Float(f64::NAN));
                }
                let mut sum = Number::from(0);
                for value in values {
                    let part = self.apply(Number::Float(1.0), Operation::Divide, value)?;
                    sum = self.apply(sum, Operation::Add, part)?;
                }
                self.apply(Number::Float(1.0), Operation::Divide, sum)
            }
            Node::Product(factors) => {
                // From one, as the reference does: it shows in the signs of zeros and in infinities.
                let values = factors
                    .iter()
                    .map(|(operator, factor)| Ok((*operator, self.value(factor)?)))
                    .collect::<Result<Vec<_>, CalcError>>()?;
                let mut product = Number::from(1);
                for (operator, factor) in values {
                    let operation = if operator == b'/' {
                        Operation::Divide
                    } else {
                        Operation::Multiply
                    };
                    product = self.apply(product, operation, factor)?;
                }
                Ok(product)
            }
            Node::Sum(terms) => {
                let values = terms
                    .iter()
                    .map(|(sign, term)| Ok((*sign, self.value(term)?)))
                    .collect::<Result<Vec<_>, CalcError>>()?;
                let mut sum = Number::from(0);
                for (sign, term) in values {
                    let operation = if sign == b'-' {
                        Operation::Subtract
                    } else {
                        Operation::Add
                    };
                    sum = self.apply(sum, operation, term)?;
                }
                Ok(sum)
            }
        }
    }
}

/// The value of a literal: an integer unless a point, a power of ten or `%` makes it a float.
fn literal(mantissa: &str, exponent: Option<&str>, percent: bool) -> Result<Number, CalcError> {
    if exponent.is_none() && !percent && !mantissa.contains('.') {
        if mantissa.len() > MAX_DIGITS {
            return Err(CalcError::Value);
        }
        return mantissa
            .parse::<BigInt>()
            .map(Number::Int)
            .map_err(|_| CalcError::Parse);
    }
    let text = match exponent {
        Some(exponent) => format!("{mantissa}e{exponent}"),
        None => mantissa.to_owned(),
    };
    let value: f64 = text.parse().map_err(|_| CalcError::Parse)?;
    Ok(Number::Float(if percent { value * 0.01 } else { value }))
}
