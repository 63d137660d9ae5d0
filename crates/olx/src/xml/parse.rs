//! From text to tree: quick-xml cuts the text into tokens, this builds the tree and is as strict as
//! libxml2, since a file that libxml2 refuses loses its block (olx.md §11).

use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Child, Element, Node, XML_NAMESPACE};

/// How much XML one document may hold.
#[derive(Debug, Clone)]
pub struct XmlLimits {
    /// Nesting of elements. libxml2 stops at 256 as well.
    pub depth: usize,
    /// Elements, comments and instructions in one document.
    pub nodes: usize,
    /// Bytes of one document.
    pub bytes: usize,
}

impl Default for XmlLimits {
    fn default() -> Self {
        Self {
            depth: 256,
            nodes: 1_000_000,
            bytes: 32 << 20,
        }
    }
}

/// The text is no well-formed document, or is beyond the limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct XmlError {
    /// Line of the fault, counted from 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

impl XmlError {
    pub(super) fn at_line(mut self, line: u32) -> Self {
        if line > 0 {
            self.line = line;
        }
        self
    }
}

/// Libxml2 gives long runs of other than ASCII text to its blank test in pieces of this many bytes.
const PIECE: usize = 300;

/// What `xml:space` and earlier text say about blanks of an element (libxml2's space stack).
#[derive(Clone, Copy, PartialEq)]
enum Space {
    Unset,
    Default,
    Preserve,
    SeenText,
}

struct Open {
    element: Element,
    space: Space,
}

struct Builder<'a> {
    text: &'a str,
    limits: &'a XmlLimits,
    stack: Vec<Open>,
    root: Option<Element>,
    nodes: usize,
    line: u32,
    line_at: usize,
}

/// Parses a document. Text between elements that is blank is dropped as libxml2 drops it; comments and
/// instructions outside the root are dropped; of a document type declaration only its presence is read.
pub fn parse(text: &str, limits: &XmlLimits) -> Result<Element, XmlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        text,
        limits,
        stack: Vec::new(),
        root: None,
        nodes: 0,
        line: 1,
        line_at: 0,
    };
    if text.len() > limits.bytes {
        return Err(builder.error(0, format!("document of more than {} bytes", limits.bytes)));
    }
    if let Some(at) = text.find(|c: char| !is_xml_char(c)) {
        return Err(builder.error(at, "character that XML does not allow"));
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    loop {
        let start = reader.buffer_position() as usize;
        let event = reader.read_event();
        let end = reader.buffer_position() as usize;
        match event {
            Err(error) => {
                let at = reader.error_position() as usize;
                return Err(builder.error(at, error.to_string()));
            }
            Ok(Event::Eof) => break,
            Ok(event) => builder.event(&event, start, end)?,
        }
    }
    if let Some(open) = builder.stack.last() {
        let message = format!("Premature end of data in tag {}", open.element.name);
        return Err(builder.error(text.len(), message));
    }
    match builder.root.take() {
        Some(root) => Ok(root),
        None => Err(builder.error(text.len(), "Start tag expected, '<' not found")),
    }
}

impl Builder<'_> {
    fn line_of(&mut self, at: usize) -> u32 {
        let at = at.min(self.text.len());
        if at < self.line_at {
            self.line = 1;
            self.line_at = 0;
        }
        let passed = self
            .text
            .as_bytes()
            .get(self.line_at..at)
            .unwrap_or_default();
        self.line += line_feeds(passed) as u32;
        self.line_at = at;
        self.line
    }

    fn error(&mut self, at: usize, message: impl Into<String>) -> XmlError {
        XmlError {
            line: self.line_of(at),
            message: message.into(),
        }
    }

    fn count(&mut self, at: usize) -> Result<(), XmlError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(self.error(at, format!("more than {} nodes", self.limits.nodes)));
        }
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>, start: usize, end: usize) -> Result<(), XmlError> {
        match event {
            Event::Start(tag) => {
                let open = self.start_tag(tag.name().as_ref(), tag.attributes_raw(), start)?;
                self.stack.push(open);
            }
            Event::Empty(tag) => {
                let open = self.start_tag(tag.name().as_ref(), tag.attributes_raw(), start)?;
                self.close(open.element);
            }
            Event::End(_) => match self.stack.pop() {
                Some(open) => self.close(open.element),
                None => return Err(self.error(start, "end tag without start tag")),
            },
            Event::Text(_) => {
                let raw = self.text.get(start..end).unwrap_or_default();
                self.text_run(raw, start, end)?;
            }
            Event::CData(data) => {
                if self.stack.is_empty() {
                    return Err(self.error(start, "Extra content at the end of the document"));
                }
                let data = normal_line_ends(data);
                self.append(&data);
            }
            Event::GeneralRef(name) => self.reference(name, start)?,
            Event::Comment(text) => {
                self.count(start)?;
                let line = self.line_of(start);
                self.add(Node::Comment(normal_line_ends(text)), line);
            }
            Event::PI(text) => {
                self.count(start)?;
                let (target, _) = text.split_at(text.find(is_blank).unwrap_or(text.len()));
                if target.eq_ignore_ascii_case("xml") || !is_name(target) {
                    return Err(self.error(start, "malformed processing instruction"));
                }
                let rest = text.get(target.len()..).unwrap_or_default();
                let rest = normal_line_ends(rest.trim_start_matches(is_blank));
                let joint = if rest.is_empty() { "" } else { " " };
                let line = self.line_of(start);
                self.add(Node::Instruction(format!("{target}{joint}{rest}")), line);
            }
            Event::Decl(decl) if start == 0 => {
                let pairs = decl.strip_prefix("xml").ok_or(()).map(attributes);
                if !matches!(pairs, Ok(Ok(pairs)) if pairs.first().is_some_and(|p| p.0 == "version"))
                {
                    return Err(self.error(start, "Malformed declaration expecting version"));
                }
            }
            Event::Decl(_) => {
                return Err(self.error(start, "XML or text declaration not at start of entity"));
            }
            Event::DocType(_) => {
                if self.root.is_some() || !self.stack.is_empty() {
                    return Err(self.error(start, "misplaced document type declaration"));
                }
            }
            Event::Eof => {}
        }
        Ok(())
    }

    fn start_tag(&mut self, name: &str, raw: &str, at: usize) -> Result<Open, XmlError> {
        self.count(at)?;
        if self.root.is_some() {
            return Err(self.error(at, "Extra content at the end of the document"));
        }
        if self.stack.len() >= self.limits.depth {
            return Err(self.error(at, format!("more than {} levels", self.limits.depth)));
        }
        if !is_name(name) {
            return Err(self.error(at, format!("StartTag: invalid element name {name:?}")));
        }
        let mut element = Element::new(name);
        element.line = self.line_of(at);
        let pairs = attributes(raw).map_err(|message| self.error(at, message))?;
        for (key, value) in pairs {
            let prefix = if key == "xmlns" {
                Some("")
            } else {
                key.strip_prefix("xmlns:")
            };
            let taken = match prefix {
                Some(prefix) => element.declarations.iter().any(|(old, _)| old == prefix),
                None => element.get(key).is_some(),
            };
            if taken {
                return Err(self.error(at, format!("Attribute {key} redefined")));
            }
            match prefix {
                Some(prefix) => element.declarations.push((prefix.to_owned(), value)),
                None => element.attributes.push((key.to_owned(), value)),
            }
        }
        element.uri = self.namespace(&element, prefix_of(name), at)?;
        for (key, _) in &element.attributes {
            if !prefix_of(key).is_empty() {
                self.namespace(&element, prefix_of(key), at)?;
            }
        }
        let around = self.stack.last().map_or(Space::Unset, |open| open.space);
        let space = match element.get("xml:space") {
            Some("preserve") => Space::Preserve,
            Some("default") => Space::Default,
            _ if around == Space::SeenText => Space::Unset,
            _ => around,
        };
        Ok(Open { element, space })
    }

    fn namespace(
        &mut self,
        element: &Element,
        prefix: &str,
        at: usize,
    ) -> Result<Option<Arc<str>>, XmlError> {
        if prefix == "xml" {
            return Ok(Some(XML_NAMESPACE.into()));
        }
        let open = self.stack.iter().rev().map(|open| &open.element);
        for scope in std::iter::once(element).chain(open) {
            if let Some((_, uri)) = scope.declarations.iter().find(|(key, _)| key == prefix) {
                return Ok((!uri.is_empty()).then(|| uri.as_str().into()));
            }
        }
        if prefix.is_empty() {
            return Ok(None);
        }
        Err(self.error(at, format!("Namespace prefix {prefix} is not defined")))
    }

    fn close(&mut self, element: Element) {
        if self.stack.is_empty() {
            self.root = Some(element);
        } else {
            let line = element.line;
            self.add(Node::Element(element), line);
        }
    }

    /// Adds a node to the open element; outside the root it is dropped.
    fn add(&mut self, node: Node, line: u32) {
        if let Some(open) = self.stack.last_mut() {
            open.element.children.push(Child {
                node,
                tail: None,
                line,
            });
        }
    }

    /// Appends to the text at the current place.
    fn append(&mut self, text: &str) {
        if let Some(open) = self.stack.last_mut() {
            let slot = match open.element.children.last_mut() {
                Some(child) => &mut child.tail,
                None => &mut open.element.text,
            };
            slot.get_or_insert_default().push_str(text);
        }
    }

    fn reference(&mut self, name: &str, at: usize) -> Result<(), XmlError> {
        if self.stack.is_empty() {
            return Err(self.error(at, "Extra content at the end of the document"));
        }
        match resolve(name) {
            Some(c) => {
                self.append(c.encode_utf8(&mut [0; 4]));
                Ok(())
            }
            None => Err(self.error(at, format!("Entity '{name}' not defined"))),
        }
    }

    /// A run of text up to the next markup or reference, tested for blanks piece by piece as libxml2
    /// does: a fast path over ASCII, a slow one in pieces from the first other character on.
    fn text_run(&mut self, raw: &str, start: usize, end: usize) -> Result<(), XmlError> {
        if self.stack.is_empty() {
            if raw.chars().all(is_blank) {
                return Ok(());
            }
            let message = if self.root.is_some() {
                "Extra content at the end of the document"
            } else {
                "Start tag expected, '<' not found"
            };
            return Err(self.error(start, message));
        }
        if let Some(at) = raw.find("]]>") {
            return Err(self.error(start + at, "Sequence ']]>' not allowed in content"));
        }
        let bytes = raw.as_bytes();
        let next = |at: usize| self.text.as_bytes().get(start + at).copied().unwrap_or(0);
        let mut at = 0;
        while at < bytes.len() {
            let begin = at;
            while matches!(next(at), b' ' | b'\n') && at < bytes.len() {
                at += 1;
            }
            if at == bytes.len() && next(at) == b'<' {
                let after = (b'<', next(at + 1));
                self.piece(raw.get(begin..at).unwrap_or_default(), after);
                return Ok(());
            }
            while at < bytes.len() && matches!(next(at), b'\t' | b'\n' | b' '..=0x7F) {
                at += 1;
            }
            let piece = raw.get(begin..at).unwrap_or_default();
            if !piece.is_empty() {
                let tested = piece.starts_with(is_blank);
                let after = (next(at), next(at + 1));
                if tested {
                    self.piece(piece, after);
                } else {
                    self.append(piece);
                }
            }
            if at < bytes.len() && next(at) == b'\r' && next(at + 1) == b'\n' {
                at += 1;
                if matches!(next(at + 1), b'\t' | b'\n' | b' '..=0x7F) {
                    continue;
                }
            }
            if at < bytes.len() {
                self.slow_run(raw.get(at..).unwrap_or_default(), start + at, end);
                return Ok(());
            }
        }
        Ok(())
    }

    fn slow_run(&mut self, raw: &str, start: usize, end: usize) {
        let bytes = self.text.as_bytes();
        let mut buffer = String::new();
        let mut chars = raw.char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            let mut width = c.len_utf8();
            if c == '\r' {
                if chars.next_if(|&(_, next)| next == '\n').is_some() {
                    width += 1;
                }
                buffer.push('\n');
            } else {
                buffer.push(c);
            }
            if buffer.len() >= PIECE {
                let at = start + offset + width;
                let after = (
                    bytes.get(at).copied().unwrap_or(0),
                    bytes.get(at + 1).copied().unwrap_or(0),
                );
                let piece = std::mem::take(&mut buffer);
                self.piece(&piece, after);
            }
        }
        if !buffer.is_empty() {
            let after = (
                bytes.get(end).copied().unwrap_or(0),
                bytes.get(end + 1).copied().unwrap_or(0),
            );
            self.piece(&buffer, after);
        }
    }

    /// Keeps or drops a piece of text; `after` are the two bytes that follow it.
    fn piece(&mut self, piece: &str, after: (u8, u8)) {
        if self.droppable(piece, after) {
            return;
        }
        self.append(piece);
        if let Some(open) = self.stack.last_mut()
            && open.space == Space::Unset
        {
            open.space = Space::SeenText;
        }
    }

    fn droppable(&self, piece: &str, after: (u8, u8)) -> bool {
        let Some(open) = self.stack.last() else {
            return true;
        };
        if matches!(open.space, Space::Preserve | Space::SeenText)
            || !piece.chars().all(is_blank)
            || !matches!(after.0, b'<' | b'\r')
        {
            return false;
        }
        let element = &open.element;
        if element.text.is_some() {
            return false;
        }
        match element.children.last() {
            None => after != (b'<', b'/'),
            Some(child) => child.tail.is_none(),
        }
    }
}

/// Blank in XML: blank, tab, line feed, carriage return.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn is_name_start(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}'
        | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// How many lines end in some bytes.
#[must_use]
pub fn line_feeds(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').count() - 1
}

/// Whether an attribute may be called so.
#[must_use]
pub fn is_attribute_name(name: &str) -> bool {
    is_name(name) && !name.contains(':')
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start)
        && chars.all(|c| {
            is_name_start(c)
                || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}'
                    | '\u{203f}'..='\u{2040}')
        })
        && !name.starts_with(':')
        && !name.ends_with(':')
        && name.matches(':').count() < 2
}

fn prefix_of(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

/// Line ends as XML reads them: CRLF and CR become LF.
fn normal_line_ends(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

/// The character of a predefined or numeric reference. No other entity is known: no document type is read.
fn resolve(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    u32::from_str_radix(hex, 16).ok()?
                }
                None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok()?,
                _ => return None,
            };
            char::from_u32(code).filter(|&c| is_xml_char(c))
        }
    }
}

/// Cuts the inside of a start tag into attributes with their values as XML reads them.
fn attributes(raw: &str) -> Result<Vec<(&str, String)>, String> {
    let mut found = Vec::new();
    let mut rest = raw;
    loop {
        let trimmed = rest.trim_start_matches(is_blank);
        if trimmed.is_empty() {
            return Ok(found);
        }
        if trimmed.len() == rest.len() {
            return Err("attributes construct error".to_owned());
        }
        let (name, after) = trimmed.split_at(
            trimmed
                .find(|c| is_blank(c) || matches!(c, '=' | '"' | '\'' | '<' | '/' | '>'))
                .unwrap_or(trimmed.len()),
        );
        if !is_name(name) {
            return Err(format!("malformed attribute name {name:?}"));
        }
        let value = after
            .trim_start_matches(is_blank)
            .strip_prefix('=')
            .ok_or_else(|| format!("Specification mandates value for attribute {name}"))?
            .trim_start_matches(is_blank);
        let quote = value
            .chars()
            .next()
            .filter(|c| matches!(c, '"' | '\''))
            .ok_or("AttValue: \" or ' expected")?;
        let value = value.get(1..).unwrap_or_default();
        let close = value.find(quote).ok_or("AttValue: ' expected")?;
        let (value, after) = value.split_at(close);
        found.push((name, attribute_value(value)?));
        rest = after.get(1..).unwrap_or_default();
    }
}

/// An attribute's value: references resolved, literal line ends and tabs as blanks.
fn attribute_value(raw: &str) -> Result<String, String> {
    if !raw.contains(['&', '<', '\t', '\n', '\r']) {
        return Ok(raw.to_owned());
    }
    if raw.contains('<') {
        return Err("Unescaped '<' not allowed in attributes values".to_owned());
    }
    let raw = normal_line_ends(raw).replace(['\n', '\t'], " ");
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';').ok_or("EntityRef: expecting ';'")?;
        out.push(resolve(name).ok_or_else(|| format!("Entity '{name}' not defined"))?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
