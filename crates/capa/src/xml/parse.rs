//! Reading XML as strictly as libxml2 does: what it refuses fails the whole problem (contract §2.2).

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Kind, NodeId, Tree};

/// Deepest nesting that is read, as in libxml2.
const MAX_DEPTH: usize = 256;
/// Longest document that is read, in bytes.
const MAX_BYTES: usize = 10_000_000;
/// Most nodes of a document.
const MAX_NODES: usize = 500_000;
const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";

/// The document is not well-formed, or too large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, line {line}")]
pub struct XmlError {
    /// What is wrong.
    pub message: String,
    /// Where, from 1.
    pub line: u32,
}

/// Whether XML 1.0 allows the character.
const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

/// Whether XML can hold every character of the text.
#[must_use]
pub fn is_text(text: &str) -> bool {
    text.chars().all(is_char)
}

fn is_name(name: &str) -> bool {
    let start = |c: char| c == '_' || c == ':' || c.is_alphabetic();
    let mut chars = name.chars();
    chars.next().is_some_and(start)
        && chars.all(|c| {
            start(c)
                || c.is_alphanumeric()
                || matches!(c, '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}')
        })
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix('x') {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None if number.bytes().all(|b| b.is_ascii_digit()) => number.parse().ok()?,
            None => return None,
        };
        return char::from_u32(code).filter(|c| is_char(*c));
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn newlines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
}

/// An attribute's value with references resolved and white space made blanks.
fn attribute_value(raw: &str) -> Result<String, String> {
    let raw = newlines(raw);
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw.as_str();
    while let Some(c) = rest.chars().next() {
        let mut used = c.len_utf8();
        match c {
            '<' => return Err("unescaped '<' not allowed in attributes values".to_owned()),
            '&' => {
                let end = rest.find(';').ok_or("entity reference without ';'")?;
                let name = rest.get(1..end).unwrap_or_default();
                value.push(entity(name).ok_or_else(|| format!("entity '{name}' not defined"))?);
                used = end + 1;
            }
            '\n' | '\t' => value.push(' '),
            c => value.push(c),
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    Ok(value)
}

/// Splits the inside of a start tag into its name and raw attributes.
fn start_tag(inside: &str) -> Result<(String, Vec<(String, String)>), String> {
    let white = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let name_end = inside.find(white).unwrap_or(inside.len());
    let name = inside.get(..name_end).unwrap_or_default();
    if !is_name(name) {
        return Err("invalid element name".to_owned());
    }
    let mut attrs: Vec<(String, String)> = Vec::new();
    let mut rest = inside.get(name_end..).unwrap_or_default();
    loop {
        let trimmed = rest.trim_start_matches(white);
        if trimmed.is_empty() {
            return Ok((name.to_owned(), attrs));
        }
        if trimmed.len() == rest.len() {
            return Err("attributes construct error".to_owned());
        }
        let (key, after) = trimmed.split_once('=').ok_or("attribute without value")?;
        let key = key.trim_end_matches(white);
        if !is_name(key) {
            return Err("invalid attribute name".to_owned());
        }
        let after = after.trim_start_matches(white);
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or("attribute value must be quoted")?;
        let body = after.get(1..).unwrap_or_default();
        let end = body.find(quote).ok_or("attribute value not closed")?;
        if attrs.iter().any(|(other, _)| other == key) {
            return Err(format!("Attribute {key} redefined"));
        }
        attrs.push((
            key.to_owned(),
            attribute_value(body.get(..end).unwrap_or_default())?,
        ));
        rest = body.get(end + 1..).unwrap_or_default();
    }
}

struct Builder {
    tree: Option<Tree>,
    open: Vec<NodeId>,
    scopes: Vec<Vec<(Option<String>, String)>>,
}

impl Builder {
    fn lookup(&self, prefix: Option<&str>) -> Option<&str> {
        self.scopes
            .iter()
            .rev()
            .flat_map(|declared| declared.iter().rev())
            .find(|(p, _)| p.as_deref() == prefix)
            .map(|(_, uri)| uri.as_str())
    }

    fn expand(&self, name: &str, attribute: bool) -> Result<String, String> {
        match name.split_once(':') {
            Some(("xml", local)) => Ok(format!("{{{XML_NS}}}{local}")),
            Some((prefix, local)) => self
                .lookup(Some(prefix))
                .map(|uri| format!("{{{uri}}}{local}"))
                .ok_or_else(|| format!("Namespace prefix {prefix} on {local} is not defined")),
            None if attribute => Ok(name.to_owned()),
            None => Ok(match self.lookup(None) {
                Some(uri) if !uri.is_empty() => format!("{{{uri}}}{name}"),
                _ => name.to_owned(),
            }),
        }
    }

    fn add(&mut self, kind: Kind, tag: &str) -> Result<Option<NodeId>, String> {
        let Some(parent) = self.open.last().copied() else {
            if kind != Kind::Element {
                return Ok(None);
            }
            if self.tree.is_some() {
                return Err("Extra content at the end of the document".to_owned());
            }
            let tree = Tree::new(tag);
            let root = tree.root();
            self.tree = Some(tree);
            return Ok(Some(root));
        };
        let Some(tree) = self.tree.as_mut() else {
            return Ok(None);
        };
        if tree.len() >= MAX_NODES {
            return Err("too many nodes".to_owned());
        }
        let id = tree.create_kind(kind, tag);
        tree.append(parent, id);
        Ok(Some(id))
    }

    fn start(&mut self, inside: &str, line: u32) -> Result<(), String> {
        let (name, raw) = start_tag(inside)?;
        if self.open.len() >= MAX_DEPTH {
            return Err("Excessive depth in document".to_owned());
        }
        let mut declared = Vec::new();
        let mut plain = Vec::new();
        for (key, value) in raw {
            if key == "xmlns" {
                declared.push((None, value));
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                if value.is_empty() {
                    return Err("Empty XML namespace is not allowed".to_owned());
                }
                declared.push((Some(prefix.to_owned()), value));
            } else {
                plain.push((key, value));
            }
        }
        self.scopes.push(declared.clone());
        let tag = self.expand(&name, false)?;
        let mut attrs = Vec::with_capacity(plain.len());
        for (key, value) in plain {
            attrs.push((self.expand(&key, true)?, value));
        }
        let id = self.add(Kind::Element, &tag)?.ok_or("no element")?;
        if let Some(tree) = self.tree.as_mut() {
            let node = tree.node_mut(id);
            node.attrs = attrs;
            node.ns_decls = declared;
            node.line = line;
        }
        self.open.push(id);
        Ok(())
    }

    fn end(&mut self) {
        self.open.pop();
        self.scopes.pop();
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if !text.chars().all(is_char) {
            return Err("PCDATA invalid Char value".to_owned());
        }
        let (Some(parent), Some(tree)) = (self.open.last().copied(), self.tree.as_mut()) else {
            return if text.trim_matches([' ', '\t', '\n', '\r']).is_empty() {
                Ok(())
            } else {
                Err("Extra content at the end of the document".to_owned())
            };
        };
        if text.is_empty() {
            return Ok(());
        }
        let slot = match tree.children(parent).last().copied() {
            Some(last) => &mut tree.node_mut(last).tail,
            None => &mut tree.node_mut(parent).text,
        };
        slot.get_or_insert_default().push_str(text);
        Ok(())
    }
}

/// Parses a document; a DOCTYPE is tolerated unless it declares something.
pub fn parse(source: &str) -> Result<Tree, XmlError> {
    let mut line = 1;
    let mut counted = 0;
    let fail = |message: String, line: u32| XmlError { message, line };
    if source.len() > MAX_BYTES {
        return Err(fail("document too large".to_owned(), 1));
    }
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut reader = Reader::from_str(source);
    reader.config_mut().check_comments = true;
    let mut builder = Builder {
        tree: None,
        open: Vec::new(),
        scopes: Vec::new(),
    };
    let mut first = true;
    loop {
        let event = reader.read_event();
        let position = usize::try_from(reader.buffer_position()).unwrap_or(source.len());
        let passed = source.as_bytes().get(counted..position).unwrap_or_default();
        line += passed
            .split(|byte| *byte == b'\n')
            .count()
            .saturating_sub(1) as u32;
        counted = counted.max(position);
        let step = match event {
            Err(error) => Err(error.to_string()),
            Ok(Event::Eof) => break,
            Ok(Event::Start(start)) => builder.start(&start, line),
            Ok(Event::Empty(start)) => builder.start(&start, line).map(|()| builder.end()),
            Ok(Event::End(_)) => {
                builder.end();
                Ok(())
            }
            Ok(Event::Text(text)) => {
                if text.contains("]]>") {
                    Err("Sequence ']]>' not allowed in content".to_owned())
                } else {
                    builder.text(&newlines(&text))
                }
            }
            Ok(Event::CData(text)) => {
                if builder.open.is_empty() {
                    Err("Start tag expected".to_owned())
                } else {
                    builder.text(&newlines(&text))
                }
            }
            Ok(Event::GeneralRef(name)) => match entity(&name) {
                // A reference is character data, never white space around the root.
                Some(c) if !builder.open.is_empty() => builder.text(c.encode_utf8(&mut [0; 4])),
                _ => Err(format!("Entity '{}' not defined", &*name)),
            },
            Ok(Event::Comment(text)) => {
                if text.ends_with('-') || !text.chars().all(is_char) {
                    Err("Comment not well-formed".to_owned())
                } else {
                    builder.add(Kind::Comment, "").map(|id| {
                        if let (Some(id), Some(tree)) = (id, builder.tree.as_mut()) {
                            tree.node_mut(id).text = Some(newlines(&text));
                        }
                    })
                }
            }
            Ok(Event::PI(pi)) => {
                let target = pi.target().to_owned();
                if target.eq_ignore_ascii_case("xml") || !is_name(&target) || target.contains(':') {
                    Err("XML declaration allowed only at the start of the document".to_owned())
                } else {
                    let content = pi.content().trim_start().to_owned();
                    builder.add(Kind::Pi, &target).map(|id| {
                        if let (Some(id), Some(tree)) = (id, builder.tree.as_mut()) {
                            let text = newlines(&content);
                            tree.node_mut(id).text = (!text.is_empty()).then_some(text);
                        }
                    })
                }
            }
            Ok(Event::Decl(_)) if first => Ok(()),
            Ok(Event::Decl(_)) => {
                Err("XML declaration allowed only at the start of the document".to_owned())
            }
            Ok(Event::DocType(text)) => {
                if builder.tree.is_some() || text.contains("<!ENTITY") {
                    Err("DTD refused".to_owned())
                } else {
                    Ok(())
                }
            }
        };
        first = false;
        step.map_err(|message| fail(message, line))?;
    }
    if !builder.open.is_empty() {
        return Err(fail("Premature end of data".to_owned(), line));
    }
    builder
        .tree
        .ok_or_else(|| fail("Document is empty".to_owned(), line))
}
