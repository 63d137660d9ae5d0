//! A reader of start tags.

/// A start tag.
pub(super) struct Tag<'a> {
    /// Lower-case name.
    pub(super) name: &'a str,
    /// Offset just after the name.
    pub(super) name_end: usize,
    /// Offset just after the tag.
    pub(super) end: usize,
    pub(super) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    pub(super) fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }

    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.attribute(name).is_some())
    }
}

/// Start tags of HTML in order, without comments and the insides of scripts and styles. Lower-case names only: the
/// blocks' renderers write no others, and an author's upper-case tag merely gets no added name.
pub(super) struct Tags<'a> {
    html: &'a str,
    at: usize,
}

impl<'a> Tags<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { html, at: 0 }
    }

    fn skip_past(&mut self, end: &str) {
        let rest = self.html.get(self.at..).unwrap_or_default();
        self.at = rest
            .find(end)
            .map_or(self.html.len(), |found| self.at + found + end.len());
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let rest = self.html.get(self.at..)?;
            let open = rest.find('<')?;
            let after = rest.get(open + 1..)?;
            self.at += open + 1;
            if after.starts_with("!--") {
                self.skip_past("-->");
                continue;
            }
            let length = after
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(length)?;
            if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
                continue;
            }
            let name_end = self.at + length;
            let (attributes, consumed) = read_attributes(tail);
            self.at = name_end + consumed;
            let end = self.html.get(self.at..).and_then(|rest| rest.find('>'));
            let end = end.map_or(self.html.len(), |found| self.at + found + 1);
            if matches!(name, "script" | "style") {
                self.skip_past(if name == "script" {
                    "</script"
                } else {
                    "</style"
                });
            }
            return Some(Tag {
                name,
                name_end,
                end,
                attributes,
            });
        }
    }
}

/// Attributes up to the tag's `>`, and how many bytes they took.
fn read_attributes(text: &str) -> (Vec<(&str, &str)>, usize) {
    let mut attributes = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            break;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len());
        let Some((name, tail)) = rest.split_at_checked(end) else {
            break;
        };
        let Some(value) = tail.trim_start().strip_prefix('=') else {
            if name.is_empty() {
                break;
            }
            attributes.push((name, ""));
            rest = tail;
            continue;
        };
        let value = value.trim_start();
        let quoted = value
            .chars()
            .next()
            .filter(|quote| matches!(quote, '"' | '\''));
        let (value, tail) = if let Some(quote) = quoted {
            let inner = value.get(1..).unwrap_or_default();
            inner.split_once(quote).unwrap_or((inner, ""))
        } else {
            let end = value
                .find(|c: char| c.is_ascii_whitespace() || c == '>')
                .unwrap_or(value.len());
            value.split_at_checked(end).unwrap_or((value, ""))
        };
        attributes.push((name, value));
        rest = tail;
    }
    (attributes, text.len() - rest.len())
}
