//! Authors' regular expressions: checked as Python 3.11 checks them, with its messages (contract §3.4),
//! and rewritten for the engine at hand.

mod groups;

use std::fmt::Write as _;

/// Deepest nesting of groups.
const MAX_DEPTH: usize = 100;
/// Steps of backtracking that one search may take.
const MAX_STEPS: usize = 500_000;

/// A pattern that is valid in Python.
pub(crate) struct PyRegex(fancy_regex::Regex);

impl PyRegex {
    /// Compiles a pattern; the error is Python's text.
    pub fn new(pattern: &str, case_insensitive: bool) -> Result<Self, String> {
        let mut parser = Parser::new(pattern)?;
        let translated = parser.alternatives(0)?;
        if parser.next.is_some() {
            return Err(parser.error("unbalanced parenthesis", 0));
        }
        for (group, position) in &parser.asked {
            if *group >= parser.groups.len() {
                return Err(parser.at(&format!("invalid group reference {group}"), *position));
            }
        }
        let flags = if case_insensitive { "(?i)" } else { "" };
        fancy_regex::RegexBuilder::new(&format!("{flags}{translated}"))
            .backtrack_limit(MAX_STEPS)
            .build()
            .map(Self)
            .map_err(|error| {
                if parser.lookbehind {
                    "look-behind requires fixed-width pattern".to_owned()
                } else {
                    error.to_string()
                }
            })
    }

    /// Whether the pattern is found in the text.
    pub fn is_match(&self, text: &str) -> Result<bool, String> {
        self.0.is_match(text).map_err(|error| error.to_string())
    }
}

/// The kind of the last item, which decides whether it can be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    None,
    /// A position: `^`, `$`, `\b`.
    At,
    Repeat,
    Other,
}

/// Members of a character set.
enum Member {
    Literal(char),
    /// A category, in the engine's spelling.
    Category(&'static str),
}

struct Parser {
    chars: Vec<char>,
    index: usize,
    /// The next token: a character or an escape of two.
    next: Option<String>,
    groups: Vec<Option<String>>,
    open: Vec<usize>,
    lookbehind: bool,
    /// Groups that conditions ask for, and where; checked when all groups are known.
    asked: Vec<(usize, usize)>,
}

fn is_digit(token: Option<&String>) -> bool {
    token.is_some_and(|t| t.len() == 1 && t.bytes().all(|b| b.is_ascii_digit()))
}

fn is_octal(token: Option<&String>) -> bool {
    token.is_some_and(|t| t.len() == 1 && t.bytes().all(|b| (b'0'..b'8').contains(&b)))
}

fn length(token: &str) -> usize {
    token.chars().count()
}

/// A literal in the engine's spelling.
fn literal(c: char, out: &mut String) {
    if c.is_ascii_alphanumeric() || !c.is_ascii() || c == ' ' || c == '_' {
        out.push(c);
    } else if c.is_ascii_control() {
        let _ = write!(out, "\\x{:02x}", u32::from(c));
    } else {
        out.push('\\');
        out.push(c);
    }
}

/// Inside of a set for a category letter.
fn category(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "\\p{Nd}",
        'D' => "\\P{Nd}",
        's' => "\\s\\x1c-\\x1f",
        'S' => "[^\\s\\x1c-\\x1f]",
        'w' => "\\p{L}\\p{N}_",
        'W' => "[^\\p{L}\\p{N}_]",
        _ => return None,
    })
}

const fn control(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\u{7}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        _ => return None,
    })
}

impl Parser {
    fn new(pattern: &str) -> Result<Self, String> {
        let mut parser = Self {
            chars: pattern.chars().collect(),
            index: 0,
            next: None,
            groups: vec![None],
            open: Vec::new(),
            lookbehind: false,
            asked: Vec::new(),
        };
        parser.advance()?;
        Ok(parser)
    }

    fn advance(&mut self) -> Result<(), String> {
        let Some(c) = self.chars.get(self.index).copied() else {
            self.next = None;
            return Ok(());
        };
        let mut token = String::from(c);
        self.index += 1;
        if c == '\\' {
            let Some(escaped) = self.chars.get(self.index).copied() else {
                let at = self.chars.len() - 1;
                return Err(self.at("bad escape (end of pattern)", at));
            };
            token.push(escaped);
            self.index += 1;
        }
        self.next = Some(token);
        Ok(())
    }

    fn get(&mut self) -> Result<Option<String>, String> {
        let token = self.next.clone();
        self.advance()?;
        Ok(token)
    }

    fn matches(&mut self, token: &str) -> Result<bool, String> {
        let found = self.next.as_deref() == Some(token);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn tell(&self) -> usize {
        self.index - self.next.as_deref().map_or(0, length)
    }

    fn seek(&mut self, index: usize) -> Result<(), String> {
        self.index = index;
        self.advance()
    }

    fn at(&self, message: &str, position: usize) -> String {
        let before = self.chars.get(..position).unwrap_or_default();
        if self.chars.contains(&'\n') {
            let line = before.iter().filter(|c| **c == '\n').count() + 1;
            let start = before.iter().rposition(|c| *c == '\n').map_or(0, |i| i + 1);
            let column = position - start + 1;
            format!("{message} at position {position} (line {line}, column {column})")
        } else {
            format!("{message} at position {position}")
        }
    }

    fn error(&self, message: &str, offset: usize) -> String {
        self.at(message, self.tell().saturating_sub(offset))
    }

    fn until(&mut self, end: &str, what: &str) -> Result<String, String> {
        let mut result = String::new();
        loop {
            let Some(token) = self.get()? else {
                return Err(if result.is_empty() {
                    self.error(&format!("missing {what}"), 0)
                } else {
                    self.error(
                        &format!("missing {end}, unterminated name"),
                        length(&result),
                    )
                });
            };
            if token == end {
                if result.is_empty() {
                    return Err(self.error(&format!("missing {what}"), 1));
                }
                return Ok(result);
            }
            result.push_str(&token);
        }
    }

    fn group_name(&self, name: &str) -> Result<(), String> {
        let start = |c: char| c == '_' || c.is_alphabetic();
        let mut chars = name.chars();
        if chars.next().is_some_and(start) && chars.all(|c| start(c) || c.is_alphanumeric()) {
            return Ok(());
        }
        let shown = crate::pyvalue::str_repr(name);
        Err(self.error(
            &format!("bad character in group name {shown}"),
            length(name) + 1,
        ))
    }

    fn alternatives(&mut self, depth: usize) -> Result<String, String> {
        if depth > MAX_DEPTH {
            return Err("maximum recursion depth exceeded".to_owned());
        }
        let mut out = self.sequence(depth)?;
        while self.matches("|")? {
            out.push('|');
            out.push_str(&self.sequence(depth)?);
        }
        Ok(out)
    }

    fn sequence(&mut self, depth: usize) -> Result<String, String> {
        let mut out = String::new();
        // Where the last item starts, and what it is.
        let (mut start, mut last) = (0, Item::None);
        while let Some(token) = self.next.clone() {
            if token == "|" || token == ")" {
                break;
            }
            self.advance()?;
            match token.as_str() {
                "*" | "+" | "?" | "{" => {
                    let here = self.tell();
                    let Some(repeat) = self.repeat(&token, here)? else {
                        start = out.len();
                        last = Item::Other;
                        literal('{', &mut out);
                        continue;
                    };
                    let offset = self.tell() - here + 1;
                    match last {
                        Item::None | Item::At => {
                            return Err(self.error("nothing to repeat", offset));
                        }
                        Item::Repeat => return Err(self.error("multiple repeat", offset)),
                        Item::Other => {}
                    }
                    let item = out.split_off(start);
                    let _ = write!(out, "(?:{item}){repeat}");
                    if self.matches("?")? {
                        out.push('?');
                    } else if self.matches("+")? {
                        out.push('+');
                    }
                    last = Item::Repeat;
                    continue;
                }
                _ => {}
            }
            let before = (start, last);
            start = out.len();
            last = Item::Other;
            match token.as_str() {
                "^" => {
                    last = Item::At;
                    out.push_str("\\A");
                }
                "$" => {
                    last = Item::At;
                    out.push_str("(?=\\n?\\z)");
                }
                "." => out.push_str("[^\\n]"),
                "[" => out.push_str(&self.set()?),
                "(" => {
                    if let Some(group) = self.group(depth)? {
                        out.push_str(&group);
                    } else {
                        (start, last) = before;
                    }
                }
                escape if escape.starts_with('\\') => {
                    let (text, is_position) = self.escape(escape)?;
                    out.push_str(&text);
                    if is_position {
                        last = Item::At;
                    }
                }
                plain => plain.chars().for_each(|c| literal(c, &mut out)),
            }
        }
        Ok(out)
    }

    /// A repetition; none when a brace is only a character.
    fn repeat(&mut self, token: &str, here: usize) -> Result<Option<String>, String> {
        if token != "{" {
            return Ok(Some(token.to_owned()));
        }
        if self.next.as_deref() == Some("}") {
            return Ok(None);
        }
        let (mut low, mut high) = (String::new(), String::new());
        while is_digit(self.next.as_ref()) {
            low.push_str(&self.get()?.unwrap_or_default());
        }
        let comma = self.matches(",")?;
        if comma {
            while is_digit(self.next.as_ref()) {
                high.push_str(&self.get()?.unwrap_or_default());
            }
        } else {
            high.clone_from(&low);
        }
        if !self.matches("}")? {
            self.seek(here)?;
            return Ok(None);
        }
        let number = |text: &str| {
            let value: u64 = text.parse().unwrap_or(u64::MAX);
            if value >= u64::from(u32::MAX) {
                Err("the repetition number is too large".to_owned())
            } else {
                Ok(value)
            }
        };
        let min = if low.is_empty() { 0 } else { number(&low)? };
        if high.is_empty() {
            return Ok(Some(format!("{{{min},}}")));
        }
        let max = number(&high)?;
        if max < min {
            let offset = self.tell() - here;
            return Err(self.error("min repeat greater than max repeat", offset));
        }
        Ok(Some(format!("{{{min},{max}}}")))
    }

    fn set(&mut self) -> Result<String, String> {
        let here = self.tell() - 1;
        let mut out = String::from("[");
        if self.matches("^")? {
            out.push('^');
        }
        let mut empty = true;
        let unterminated =
            |parser: &Self| parser.error("unterminated character set", parser.tell() - here);
        loop {
            let Some(this) = self.get()? else {
                return Err(unterminated(self));
            };
            if this == "]" && !empty {
                break;
            }
            empty = false;
            let low = self.member(&this)?;
            if !self.matches("-")? {
                push_member(&low, &mut out);
                continue;
            }
            let Some(that) = self.get()? else {
                return Err(unterminated(self));
            };
            if that == "]" {
                push_member(&low, &mut out);
                out.push_str("\\-");
                break;
            }
            let high = self.member(&that)?;
            match (low, high) {
                (Member::Literal(low), Member::Literal(high)) if low <= high => {
                    literal(low, &mut out);
                    out.push('-');
                    literal(high, &mut out);
                }
                _ => {
                    let offset = length(&this) + 1 + length(&that);
                    return Err(self.error(&format!("bad character range {this}-{that}"), offset));
                }
            }
        }
        out.push(']');
        Ok(out)
    }

    fn member(&mut self, token: &str) -> Result<Member, String> {
        let mut chars = token.chars();
        let first = chars.next().unwrap_or_default();
        let Some(letter) = chars.next() else {
            return Ok(Member::Literal(first));
        };
        if let Some(category) = category(letter) {
            return Ok(Member::Category(category));
        }
        if letter == 'b' {
            return Ok(Member::Literal('\u{8}'));
        }
        if let Some(c) = control(letter) {
            return Ok(Member::Literal(c));
        }
        if let Some(c) = self.coded(token, letter)? {
            return Ok(Member::Literal(c));
        }
        if letter.is_ascii_digit() {
            let mut escape = token.to_owned();
            if letter < '8' {
                while length(&escape) < 4 && is_octal(self.next.as_ref()) {
                    escape.push_str(&self.get()?.unwrap_or_default());
                }
                return self.octal(&escape).map(Member::Literal);
            }
            return Err(self.error(&format!("bad escape {token}"), length(token)));
        }
        if letter.is_ascii_alphabetic() {
            return Err(self.error(&format!("bad escape {token}"), length(token)));
        }
        Ok(Member::Literal(letter))
    }

    fn octal(&self, escape: &str) -> Result<char, String> {
        let digits = escape.trim_start_matches('\\');
        let code = u32::from_str_radix(digits, 8).unwrap_or(u32::MAX);
        if code > 0o377 {
            let message = format!("octal escape value {escape} outside of range 0-0o377");
            return Err(self.error(&message, length(escape)));
        }
        Ok(char::from_u32(code).unwrap_or_default())
    }

    /// `\xHH`, `\uHHHH`, `\UHHHHHHHH`.
    fn coded(&mut self, token: &str, letter: char) -> Result<Option<char>, String> {
        let count = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            'N' => {
                if !self.matches("{")? {
                    return Err(self.error("missing {", 0));
                }
                let name = self.until("}", "character name")?;
                let message = format!(
                    "undefined character name {}",
                    crate::pyvalue::str_repr(&name)
                );
                return Err(self.error(&message, length(&name) + 4));
            }
            _ => return Ok(None),
        };
        let mut escape = token.to_owned();
        for _ in 0..count {
            let hex = self
                .next
                .as_ref()
                .is_some_and(|t| t.len() == 1 && t.bytes().all(|b| b.is_ascii_hexdigit()));
            if !hex {
                break;
            }
            escape.push_str(&self.get()?.unwrap_or_default());
        }
        if length(&escape) != count + 2 {
            return Err(self.error(&format!("incomplete escape {escape}"), length(&escape)));
        }
        let code = u32::from_str_radix(escape.get(2..).unwrap_or_default(), 16).unwrap_or(u32::MAX);
        match char::from_u32(code) {
            Some(c) => Ok(Some(c)),
            None => Err(self.error(&format!("bad escape {escape}"), length(&escape))),
        }
    }

    /// An escape outside of sets: its translation and whether it is a position.
    fn escape(&mut self, token: &str) -> Result<(String, bool), String> {
        let letter = token.chars().nth(1).unwrap_or_default();
        match letter {
            'A' => return Ok(("\\A".to_owned(), true)),
            'Z' => return Ok(("\\z".to_owned(), true)),
            'b' => return Ok(("\\b".to_owned(), true)),
            'B' => return Ok(("\\B".to_owned(), true)),
            _ => {}
        }
        if let Some(category) = category(letter) {
            return Ok((format!("[{category}]"), false));
        }
        let text = |c: char| {
            let mut out = String::new();
            literal(c, &mut out);
            Ok((out, false))
        };
        if let Some(c) = control(letter) {
            return text(c);
        }
        if let Some(c) = self.coded(token, letter)? {
            return text(c);
        }
        let mut escape = token.to_owned();
        if letter == '0' {
            while length(&escape) < 4 && is_octal(self.next.as_ref()) {
                escape.push_str(&self.get()?.unwrap_or_default());
            }
            return text(self.octal(&escape)?);
        }
        if letter.is_ascii_digit() {
            if is_digit(self.next.as_ref()) {
                escape.push_str(&self.get()?.unwrap_or_default());
                let digits = escape.trim_start_matches('\\');
                if digits.bytes().all(|b| b < b'8') && is_octal(self.next.as_ref()) {
                    escape.push_str(&self.get()?.unwrap_or_default());
                    return text(self.octal(&escape)?);
                }
            }
            let group: usize = escape
                .trim_start_matches('\\')
                .parse()
                .unwrap_or(usize::MAX);
            if group >= self.groups.len() {
                let message = format!("invalid group reference {group}");
                return Err(self.error(&message, length(&escape) - 1));
            }
            if self.open.contains(&group) {
                return Err(self.error("cannot refer to an open group", length(&escape)));
            }
            return Ok((format!("(?:\\{group})"), false));
        }
        if letter.is_ascii_alphabetic() {
            return Err(self.error(&format!("bad escape {token}"), length(token)));
        }
        text(letter)
    }
}

fn push_member(member: &Member, out: &mut String) {
    match member {
        Member::Literal(c) => literal(*c, out),
        Member::Category(text) => out.push_str(text),
    }
}

#[cfg(test)]
mod tests;
