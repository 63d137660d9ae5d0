//! Chemical expressions and equations (capa.md §10.2).
//!
//! An expression is a sum of molecules with counts and phases, `2H2O(l) + Na^+(aq)`; an equation has two
//! of them around `->` or `<->`.

use crate::CalcError;

/// Longest expression that is read, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// Deepest nesting of brackets.
const MAX_DEPTH: usize = 100;

const ELEMENTS: &[&str] = &[
    "Ac", "Ag", "Al", "Am", "Ar", "As", "At", "Au", "B", "Ba", "Be", "Bh", "Bi", "Bk", "Br", "C",
    "Ca", "Cd", "Ce", "Cf", "Cl", "Cm", "Cn", "Co", "Cr", "Cs", "Cu", "Db", "Ds", "Dy", "Er", "Es",
    "Eu", "F", "Fe", "Fl", "Fm", "Fr", "Ga", "Gd", "Ge", "H", "He", "Hf", "Hg", "Ho", "Hs", "I",
    "In", "Ir", "K", "Kr", "La", "Li", "Lr", "Lu", "Lv", "Md", "Mg", "Mn", "Mo", "Mt", "N", "Na",
    "Nb", "Nd", "Ne", "Ni", "No", "Np", "O", "Os", "P", "Pa", "Pb", "Pd", "Pm", "Po", "Pr", "Pt",
    "Pu", "Ra", "Rb", "Re", "Rf", "Rg", "Rh", "Rn", "Ru", "S", "Sb", "Sc", "Se", "Sg", "Si", "Sm",
    "Sn", "Sr", "Ta", "Tb", "Tc", "Te", "Th", "Ti", "Tl", "Tm", "U", "Uuo", "Uup", "Uus", "Uut",
    "V", "W", "Xe", "Y", "Yb", "Zn", "Zr",
];
const PHASES: &[&str] = &["(s)", "(l)", "(g)", "(aq)"];
const SYMBOLS: &str = "[](){}^+-/";
const ARROWS: &[&str] = &["<->", "->"];

/// One molecule of an expression with its count and phase.
#[derive(Debug, Clone, PartialEq)]
struct Term {
    count: Option<(String, Option<String>)>,
    molecule: Vec<Part>,
    phase: Option<&'static str>,
}

/// A piece of a molecule. The order only serves to compare expressions in any order of their terms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    body: Body,
    number: Option<String>,
    ion: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Body {
    Element(&'static str),
    Round(Vec<Part>),
    Square(Vec<Part>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Element(&'static str),
    Phase(&'static str),
    Digit(char),
    Symbol(char),
}

/// Splits a text into tokens, the longest that fits each time.
fn tokens(text: &str) -> Result<Vec<Token>, CalcError> {
    if text.len() > MAX_LENGTH {
        return Err(CalcError::Parse);
    }
    let longest = |rest: &str, names: &[&'static str]| {
        names
            .iter()
            .copied()
            .filter(|name| rest.starts_with(name))
            .max_by_key(|name| name.len())
    };
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let Some(first) = rest.chars().next() else {
            break;
        };
        let token = if let Some(name) = longest(rest, ELEMENTS) {
            Token::Element(name)
        } else if let Some(name) = longest(rest, PHASES) {
            Token::Phase(name)
        } else if first.is_ascii_digit() {
            Token::Digit(first)
        } else if SYMBOLS.contains(first) {
            Token::Symbol(first)
        } else {
            return Err(CalcError::Parse);
        };
        let length = match token {
            Token::Element(name) | Token::Phase(name) => name.len(),
            Token::Digit(c) | Token::Symbol(c) => c.len_utf8(),
        };
        rest = rest.get(length..).unwrap_or_default();
        found.push(token);
    }
    if found.is_empty() {
        return Err(CalcError::Parse);
    }
    // Braces are tokens that no rule of the grammar takes.
    if found
        .iter()
        .any(|token| matches!(token, Token::Symbol('{' | '}')))
    {
        return Err(CalcError::Value);
    }
    Ok(found)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

fn parse(text: &str) -> Result<Vec<Term>, CalcError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
    };
    let mut terms = vec![parser.term()?];
    while parser.take('+') {
        terms.push(parser.term()?);
    }
    if parser.peek().is_some() {
        return Err(CalcError::Parse);
    }
    Ok(terms)
}

impl Parser {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn number(&mut self) -> Option<String> {
        let mut digits = String::new();
        while let Some(Token::Digit(digit)) = self.peek() {
            digits.push(digit);
            self.at += 1;
        }
        (!digits.is_empty()).then_some(digits)
    }

    fn term(&mut self) -> Result<Term, CalcError> {
        let count = match self.number() {
            Some(above) if self.take('/') => {
                Some((above, Some(self.number().ok_or(CalcError::Parse)?)))
            }
            Some(whole) => Some((whole, None)),
            None => None,
        };
        let molecule = self.group()?;
        let phase = match self.peek() {
            Some(Token::Phase(name)) => {
                self.at += 1;
                Some(name)
            }
            _ => None,
        };
        Ok(Term {
            count,
            molecule,
            phase,
        })
    }

    fn group(&mut self) -> Result<Vec<Part>, CalcError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(CalcError::Parse);
        }
        let mut parts = Vec::new();
        while let Some(token) = self.peek() {
            let body = match token {
                Token::Element(name) => {
                    self.at += 1;
                    Body::Element(name)
                }
                Token::Symbol('(') => Body::Round(self.bracketed(')')?),
                Token::Symbol('[') => Body::Square(self.bracketed(']')?),
                _ => break,
            };
            let number = self.number();
            let ion = self.ion()?;
            parts.push(Part { body, number, ion });
        }
        self.depth -= 1;
        if parts.is_empty() {
            Err(CalcError::Parse)
        } else {
            Ok(parts)
        }
    }

    fn bracketed(&mut self, closing: char) -> Result<Vec<Part>, CalcError> {
        self.at += 1;
        let inner = self.group()?;
        if self.take(closing) {
            Ok(inner)
        } else {
            Err(CalcError::Parse)
        }
    }

    /// `^[n](+|-)`. A charge that begins with 1 loses its whole number, as in the reference.
    fn ion(&mut self) -> Result<Option<String>, CalcError> {
        if !self.take('^') {
            return Ok(None);
        }
        let number = self
            .number()
            .filter(|number| !number.starts_with('1'))
            .unwrap_or_default();
        let sign = if self.take('+') {
            "+"
        } else if self.take('-') {
            "-"
        } else {
            return Err(CalcError::Parse);
        };
        Ok(Some(number + sign))
    }
}

/// The expression or equation as HTML; a side that does not parse is marked as an error.
///
/// # Errors
/// [`CalcError::Value`] when a side holds braces.
pub fn render_to_html(text: &str) -> Result<String, CalcError> {
    let (left, arrow, right) = split_on_arrow(text);
    let mut html = render_side(left)?;
    if !arrow.is_empty() {
        html.push(if arrow == "<->" {
            '\u{2194}'
        } else {
            '\u{2192}'
        });
        html += &render_side(right)?;
    }
    Ok(format!("<span class=\"math\">{html}</span>"))
}

fn split_on_arrow(text: &str) -> (&str, &str, &str) {
    for arrow in ARROWS {
        if let Some((left, right)) = text.split_once(arrow) {
            return (left, arrow, right);
        }
    }
    (text, "", "")
}

fn render_side(text: &str) -> Result<String, CalcError> {
    match parse(text) {
        Ok(terms) => Ok(terms.iter().map(render_term).collect::<Vec<_>>().join("+")),
        Err(CalcError::Parse) => {
            let escaped = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#x27;");
            Ok(format!(
                "<span class=\"inline-error inline\">{escaped}</span>"
            ))
        }
        Err(other) => Err(other),
    }
}

fn render_term(term: &Term) -> String {
    let mut html = match &term.count {
        None => String::new(),
        Some((whole, None)) => whole.clone(),
        Some((above, Some(below))) => format!("<sup>{above}</sup>&frasl;<sub>{below}</sub>"),
    };
    render_parts(&term.molecule, &mut html);
    html += term.phase.unwrap_or_default();
    html
}

fn render_parts(parts: &[Part], html: &mut String) {
    for part in parts {
        match &part.body {
            Body::Element(name) => html.push_str(name),
            Body::Round(inner) => {
                html.push('(');
                render_parts(inner, html);
                html.push(')');
            }
            Body::Square(inner) => {
                html.push('[');
                render_parts(inner, html);
                html.push(']');
            }
        }
        for (tag, text) in [("sub", &part.number), ("sup", &part.ion)] {
            if let Some(text) = text {
                html.extend(["<", tag, ">", text, "</", tag, ">"]);
            }
        }
    }
}

/// A term as it is compared: molecule, count, phase.
type Compared = (Vec<Part>, f64, &'static str);

/// The terms in an order that does not depend on how they were written.
fn compared(text: &str) -> Result<Vec<Compared>, CalcError> {
    let number = |digits: &str| digits.parse::<f64>().unwrap_or(f64::INFINITY);
    let mut terms = Vec::new();
    for term in parse(text)? {
        let count = match &term.count {
            None => 1.0,
            Some((whole, None)) => number(whole),
            Some((above, Some(below))) => {
                let below = number(below);
                if below == 0.0 {
                    return Err(CalcError::ZeroDivision);
                }
                number(above) / below
            }
        };
        terms.push((term.molecule, count, term.phase.unwrap_or_default()));
    }
    terms.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(b.2)));
    Ok(terms)
}

/// How many times the second expression the first one is, when both have the same molecules in the same
/// proportions, and the same phases unless `ignore_state`; nothing otherwise.
///
/// # Errors
/// [`CalcError::Parse`] or [`CalcError::Value`] for what is no expression, [`CalcError::ZeroDivision`] for
/// a count of zero in the second.
pub fn divide_chemical_expression(
    first: &str,
    second: &str,
    ignore_state: bool,
) -> Result<Option<f64>, CalcError> {
    let (first, second) = (compared(first)?, compared(second)?);
    let same = first.len() == second.len()
        && first
            .iter()
            .zip(&second)
            .all(|(a, b)| a.0 == b.0 && (ignore_state || a.2 == b.2));
    if !same {
        return Ok(None);
    }
    // Every ratio is taken before any is compared: a zero shows even after a difference.
    if second.iter().any(|(_, below, _)| *below == 0.0) {
        return Err(CalcError::ZeroDivision);
    }
    let mut ratios = first.iter().zip(&second).map(|(a, b)| a.1 / b.1);
    let ratio = ratios.next();
    Ok(if ratios.all(|other| Some(other) == ratio) {
        ratio
    } else {
        None
    })
}

/// Whether two expressions are equal, counts included.
///
/// # Errors
/// Those of [`divide_chemical_expression`].
pub fn compare_chemical_expression(
    first: &str,
    second: &str,
    ignore_state: bool,
) -> Result<bool, CalcError> {
    Ok(divide_chemical_expression(first, second, ignore_state)? == Some(1.0))
}

/// Whether two equations say the same: the same arrow, the same species and phases on each side, all
/// counts in one proportion; with `exact` the same counts. What is no equation equals nothing.
///
/// # Errors
/// [`CalcError::Value`] for braces, [`CalcError::ZeroDivision`] for counts of zero.
pub fn chemical_equations_equal(first: &str, second: &str, exact: bool) -> Result<bool, CalcError> {
    let (left1, arrow1, right1) = split_on_arrow(first);
    let (left2, arrow2, right2) = split_on_arrow(second);
    if arrow1.is_empty() || arrow2.is_empty() || arrow1 != arrow2 {
        return Ok(false);
    }
    let side = |first, second| match divide_chemical_expression(first, second, false) {
        Ok(ratio) => Ok(ratio.filter(|ratio| *ratio != 0.0)),
        Err(CalcError::Parse) => Ok(None),
        Err(other) => Err(other),
    };
    let Some(left) = side(left1, left2)? else {
        return Ok(false);
    };
    let Some(right) = side(right1, right2)? else {
        return Ok(false);
    };
    Ok(left == right && (!exact || left == 1.0))
}
