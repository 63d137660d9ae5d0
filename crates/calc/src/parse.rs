//! The grammar of formulas (capa.md §10), as a tree.

use crate::{CalcError, MAX_DEPTH, MAX_LENGTH};

/// A piece of a formula.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// A literal: its digits with a sign of its own, the power of ten, and whether `%` follows.
    Number {
        mantissa: String,
        exponent: Option<String>,
        percent: bool,
    },
    /// A variable, as typed.
    Variable(String),
    /// A function, as typed, with its argument.
    Call(String, Box<Self>),
    /// Something in parentheses.
    Group(Box<Self>),
    /// `a ^ b ^ …`, two or more.
    Power(Vec<Self>),
    /// `a || b || …`, two or more.
    Parallel(Vec<Self>),
    /// `a * b / …`: each with the operator before it; the first has `*`.
    Product(Vec<(u8, Self)>),
    /// `± a + b − …`: each with the sign before it; the first may have none (0).
    Sum(Vec<(u8, Self)>),
}

/// A formula and the names that it uses, as typed, in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub variables: Vec<String>,
    pub functions: Vec<String>,
}

/// Parses a whole formula.
pub(crate) fn parse(text: &str) -> Result<(Node, Names), CalcError> {
    if text.len() > MAX_LENGTH {
        return Err(CalcError::Parse);
    }
    let mut parser = Parser {
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        names: Names::default(),
    };
    let node = parser.sum()?;
    parser.space();
    if parser.at < parser.bytes.len() {
        return Err(CalcError::Parse);
    }
    Ok((node, parser.names))
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    names: Names,
}

impl Parser<'_> {
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Takes one of `wanted` after white space.
    fn take(&mut self, wanted: &[u8]) -> Option<u8> {
        let start = self.at;
        self.space();
        match self.peek() {
            Some(byte) if wanted.contains(&byte) => {
                self.at += 1;
                Some(byte)
            }
            _ => {
                self.at = start;
                None
            }
        }
    }

    /// Takes the bytes that satisfy `wanted`, from here on.
    fn run(&mut self, wanted: impl Fn(u8) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.text(start)
    }

    fn text(&self, start: usize) -> String {
        let bytes = self.bytes.get(start..self.at).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn sum(&mut self) -> Result<Node, CalcError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(CalcError::TooDeep);
        }
        let sign = self.take(b"+-").unwrap_or(0);
        let mut terms = vec![(sign, self.product()?)];
        while let Some(sign) = self.take(b"+-") {
            terms.push((sign, self.product()?));
        }
        self.depth -= 1;
        Ok(Node::Sum(terms))
    }

    fn product(&mut self) -> Result<Node, CalcError> {
        let mut factors = vec![(b'*', self.parallel()?)];
        while let Some(operator) = self.take(b"*/") {
            factors.push((operator, self.parallel()?));
        }
        Ok(Node::Product(factors))
    }

    fn parallel(&mut self) -> Result<Node, CalcError> {
        let first = self.power()?;
        let mut parts = vec![first];
        loop {
            let start = self.at;
            self.space();
            if !self
                .bytes
                .get(self.at..)
                .is_some_and(|rest| rest.starts_with(b"||"))
            {
                self.at = start;
                break;
            }
            self.at += 2;
            parts.push(self.power()?);
        }
        Ok(single_or(parts, Node::Parallel))
    }

    fn power(&mut self) -> Result<Node, CalcError> {
        let mut parts = vec![self.atom()?];
        while self.take(b"^").is_some() {
            parts.push(self.atom()?);
        }
        Ok(single_or(parts, Node::Power))
    }

    fn atom(&mut self) -> Result<Node, CalcError> {
        self.space();
        if let Some(number) = self.number() {
            return Ok(number);
        }
        if self.take(b"(").is_some() {
            let inner = self.sum()?;
            self.take(b")").ok_or(CalcError::Parse)?;
            return Ok(Node::Group(Box::new(inner)));
        }
        if !self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            return Err(CalcError::Parse);
        }
        let start = self.at;
        if let Some(name) = self.tensor() {
            self.names.variables.push(name.clone());
            return Ok(Node::Variable(name));
        }
        self.at = start;
        let mut name = self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        name += &self.run(|byte| byte == b'\'');
        if self.take(b"(").is_some() {
            // A name before a parenthesis can only be a function: no product is implied.
            let argument = self.sum()?;
            self.take(b")").ok_or(CalcError::Parse)?;
            self.names.functions.push(name.clone());
            return Ok(Node::Call(name, Box::new(argument)));
        }
        self.names.variables.push(name.clone());
        Ok(Node::Variable(name))
    }

    /// `[sign] digits [. digits] [e [sign] digits] [%]`, or nothing taken.
    fn number(&mut self) -> Option<Node> {
        let start = self.at;
        let mut mantissa = String::new();
        if let Some(sign) = self.take(b"+-") {
            mantissa.push(char::from(sign));
            self.space();
        }
        let digits = self.run(|byte| byte.is_ascii_digit());
        mantissa += &digits;
        if self.peek() == Some(b'.') {
            self.at += 1;
            let fraction = self.run(|byte| byte.is_ascii_digit());
            if digits.is_empty() && fraction.is_empty() {
                self.at = start;
                return None;
            }
            mantissa.push('.');
            mantissa += &fraction;
        } else if digits.is_empty() {
            self.at = start;
            return None;
        }
        let exponent = self.exponent();
        let percent = self.take(b"%").is_some();
        Some(Node::Number {
            mantissa,
            exponent,
            percent,
        })
    }

    fn exponent(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b"eE")?;
        let mut exponent = String::new();
        if let Some(sign) = self.take(b"+-") {
            exponent.push(char::from(sign));
        }
        self.space();
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            self.at = start;
            return None;
        }
        Some(exponent + &digits)
    }

    /// `name_{lower}^{upper}` with primes; at least one index.
    fn tensor(&mut self) -> Option<String> {
        let start = self.at;
        self.run(|byte| byte.is_ascii_alphanumeric());
        let lower = self.index(b"_{");
        let upper = self.index(b"^{");
        if !lower && !upper {
            return None;
        }
        self.run(|byte| byte == b'\'');
        Some(self.text(start))
    }

    fn index(&mut self, opening: &[u8]) -> bool {
        let start = self.at;
        if self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(opening))
        {
            self.at += opening.len();
            let inside = self.run(|byte| byte.is_ascii_alphanumeric());
            if !inside.is_empty() && self.peek() == Some(b'}') {
                self.at += 1;
                return true;
            }
        }
        self.at = start;
        false
    }
}

/// The only part, or all of them under `combine`.
fn single_or(mut parts: Vec<Node>, combine: impl Fn(Vec<Node>) -> Node) -> Node {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            combine(parts)
        }
        None => combine(parts),
    }
}
