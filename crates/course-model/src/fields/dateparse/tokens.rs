//! Splitting a date into words and numbers.

use crate::fields::python::{Int, is_space, parse_int};

fn is_digit(c: char) -> bool {
    // Python's `isdigit` knows more digits, but none of them makes a number.
    opaque_keys::decimal_value(c).is_some()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Word,
    Number,
    WordDot,
    NumberDot,
}

/// Splits words, numbers with decimals, single blanks and single other characters.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().filter(|c| *c != '\0').collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        at += 1;
        let mut state = if first.is_alphabetic() {
            State::Word
        } else if is_digit(first) {
            State::Number
        } else {
            out.push(if is_space(first) {
                " ".to_owned()
            } else {
                first.to_string()
            });
            continue;
        };
        let mut token = String::from(first);
        let mut letters = false;
        while let Some(&c) = chars.get(at) {
            let after_dot = token.ends_with('.');
            letters |= matches!(state, State::Word | State::WordDot);
            let next = match state {
                State::Word if c.is_alphabetic() => State::Word,
                State::Word if c == '.' => State::WordDot,
                State::Number if is_digit(c) => State::Number,
                State::Number if c == '.' || (c == ',' && token.chars().count() >= 2) => {
                    State::NumberDot
                }
                State::WordDot if c == '.' || c.is_alphabetic() => State::WordDot,
                State::WordDot if is_digit(c) && after_dot => State::NumberDot,
                State::NumberDot if c == '.' || is_digit(c) => State::NumberDot,
                State::NumberDot if c.is_alphabetic() && after_dot => State::WordDot,
                _ => State::Start,
            };
            if next == State::Start {
                break;
            }
            state = next;
            token.push(c);
            at += 1;
        }
        let dots = token.matches('.').count();
        let dotted = matches!(state, State::WordDot | State::NumberDot);
        if dotted && (letters || dots > 1 || token.ends_with(['.', ','])) {
            split_at_dots(&token, &mut out);
        } else if state == State::NumberDot && dots == 0 {
            out.push(token.replace(',', "."));
        } else {
            out.push(token);
        }
    }
    out
}

fn split_at_dots(token: &str, out: &mut Vec<String>) {
    let mut rest = token;
    while let Some(at) = rest.find(['.', ',']) {
        let (before, tail) = rest.split_at(at);
        let (dot, after) = tail.split_at(1);
        if !before.is_empty() {
            out.push(before.to_owned());
        }
        out.push(dot.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        out.push(rest.to_owned());
    }
}

/// A number of a token: whole part and decimals.
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    pub whole: i64,
    /// Decimals as a fraction of 10^18.
    pub fraction: u64,
}

const FRACTION: u128 = 1_000_000_000_000_000_000;

impl Decimal {
    pub(super) fn read(token: &str) -> Option<Self> {
        let (whole, fraction) = token.split_once('.').unwrap_or((token, ""));
        let digits: String = fraction
            .chars()
            .map(|c| opaque_keys::decimal_value(c).and_then(|value| char::from_digit(value, 10)))
            .collect::<Option<_>>()?;
        let fraction = format!("{digits:0<18}");
        Some(Self {
            whole: int(whole)?,
            fraction: fraction.get(..18)?.parse().ok()?,
        })
    }

    /// Whole sixtieths of the decimals; `None` when there are none.
    pub(super) fn sixtieths(self) -> Option<i64> {
        (self.fraction != 0).then(|| (u128::from(self.fraction) * 60 / FRACTION) as i64)
    }
}

pub(super) fn int(token: &str) -> Option<i64> {
    match parse_int(token)? {
        Int::Exact(value) => Some(value),
        Int::Large(_) => None,
    }
}

/// Characters `from..to` of a token.
pub(super) fn part(token: &str, from: usize, to: usize) -> String {
    token.chars().skip(from).take(to - from).collect()
}

pub(super) fn all_digits(token: &str) -> bool {
    !token.is_empty() && token.chars().all(is_digit)
}
