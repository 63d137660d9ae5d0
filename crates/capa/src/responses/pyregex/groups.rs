//! Groups: captures, look-around, conditions, flags.

use super::{Parser, length};

impl Parser {
    /// What follows an opening parenthesis; none for a comment.
    pub(super) fn group(&mut self, depth: usize) -> Result<Option<String>, String> {
        let start = self.tell() - 1;
        let mut head = String::from("(");
        let mut name = None;
        let mut captures = true;
        if self.matches("?")? {
            let Some(kind) = self.get()? else {
                return Err(self.error("unexpected end of pattern", 0));
            };
            captures = false;
            match kind.as_str() {
                "P" => {
                    if self.matches("<")? {
                        let text = self.until(">", "group name")?;
                        self.group_name(&text)?;
                        name = Some(text);
                        captures = true;
                    } else if self.matches("=")? {
                        return self.named_reference().map(Some);
                    } else {
                        let Some(other) = self.get()? else {
                            return Err(self.error("unexpected end of pattern", 0));
                        };
                        let offset = length(&other) + 2;
                        return Err(self.error(&format!("unknown extension ?P{other}"), offset));
                    }
                }
                ":" => head = String::from("(?:"),
                ">" => head = String::from("(?>"),
                "=" | "!" => head = format!("(?{kind}"),
                "<" => {
                    let Some(side) = self.get()? else {
                        return Err(self.error("unexpected end of pattern", 0));
                    };
                    if side != "=" && side != "!" {
                        let offset = length(&side) + 2;
                        return Err(self.error(&format!("unknown extension ?<{side}"), offset));
                    }
                    self.lookbehind = true;
                    head = format!("(?<{side}");
                }
                "#" => {
                    while let Some(token) = self.get()? {
                        if token == ")" {
                            return Ok(None);
                        }
                    }
                    let offset = self.tell() - start;
                    return Err(self.error("missing ), unterminated comment", offset));
                }
                "(" => head = self.condition()?,
                flag if "aiLmsux-".contains(flag) => head = self.flags(flag, start)?,
                other => {
                    let offset = length(other) + 1;
                    return Err(self.error(&format!("unknown extension ?{other}"), offset));
                }
            }
        }
        let number = self.groups.len();
        if captures {
            if let Some(name) = &name
                && let Some(earlier) = self
                    .groups
                    .iter()
                    .position(|other| other.as_ref() == Some(name))
            {
                let shown = crate::pyvalue::str_repr(name);
                let message = format!(
                    "redefinition of group name {shown} as group {number}; was group {earlier}"
                );
                return Err(self.error(&message, length(name) + 1));
            }
            self.groups.push(name);
            self.open.push(number);
        }
        let inside = self.alternatives(depth + 1)?;
        if !self.matches(")")? {
            let offset = self.tell() - start;
            return Err(self.error("missing ), unterminated subpattern", offset));
        }
        if captures {
            self.open.retain(|group| *group != number);
        }
        Ok(Some(format!("{head}{inside})")))
    }

    fn named_reference(&mut self) -> Result<String, String> {
        let name = self.until(")", "group name")?;
        self.group_name(&name)?;
        let group = self
            .groups
            .iter()
            .position(|other| other.as_ref() == Some(&name));
        let Some(group) = group else {
            let message = format!("unknown group name {}", crate::pyvalue::str_repr(&name));
            return Err(self.error(&message, length(&name) + 1));
        };
        if self.open.contains(&group) {
            return Err(self.error("cannot refer to an open group", length(&name) + 1));
        }
        Ok(format!("(?:\\{group})"))
    }

    fn condition(&mut self) -> Result<String, String> {
        let name = self.until(")", "group name")?;
        let group = if name.bytes().all(|b| b.is_ascii_digit()) {
            let group: usize = name.parse().unwrap_or(usize::MAX);
            if group == 0 {
                return Err(self.error("bad group number", length(&name) + 1));
            }
            self.asked
                .push((group, self.tell().saturating_sub(length(&name) + 1)));
            group
        } else {
            self.group_name(&name)?;
            let found = self
                .groups
                .iter()
                .position(|other| other.as_ref() == Some(&name));
            let Some(group) = found else {
                let message = format!("unknown group name {}", crate::pyvalue::str_repr(&name));
                return Err(self.error(&message, length(&name) + 1));
            };
            group
        };
        Ok(format!("(?({group})"))
    }

    /// Flags of a group; flags for the whole pattern can only stand at its start, which is taken.
    fn flags(&mut self, first: &str, start: usize) -> Result<String, String> {
        let mut flags = String::new();
        let mut token = first.to_owned();
        loop {
            match token.as_str() {
                ")" => {
                    let offset = self.tell() - start;
                    return Err(
                        self.error("global flags not at the start of the expression", offset)
                    );
                }
                ":" => return Ok(format!("(?{flags}:")),
                "i" | "s" | "m" | "x" | "-" => flags.push_str(&token),
                "a" | "L" | "u" => {}
                other => {
                    let message = if other.starts_with(|c: char| c.is_alphabetic()) {
                        "unknown flag"
                    } else {
                        "missing -, : or )"
                    };
                    return Err(self.error(message, length(other)));
                }
            }
            let Some(next) = self.get()? else {
                return Err(self.error("missing -, : or )", 0));
            };
            token = next;
        }
    }
}
