//! Printing elements as libxml2 prints them.

use super::{Child, Element, Node};

/// The element on one line, as it stands: no declaration, no indentation.
#[must_use]
pub fn to_text(element: &Element) -> String {
    let mut out = String::new();
    write_element(&mut out, element, None, &[]);
    out
}

/// Appends the element on one line.
pub fn write_text(out: &mut String, element: &Element) {
    write_element(out, element, None, &[]);
}

/// The element indented by two blanks a level, with a line feed at the end
/// (`Content as stored`: an element with a text child and all below it stay unindented).
#[must_use]
pub fn to_pretty(element: &Element) -> String {
    let mut out = String::new();
    write_element(&mut out, element, Some(0), &[]);
    out.push('\n');
    out
}

/// A child and its tail; namespaces in force around it are declared on it.
pub(super) fn write_child(out: &mut String, child: &Child, around: &[(String, String)]) {
    write_node(out, &child.node, None, around);
    if let Some(tail) = &child.tail {
        escape_text(out, tail);
    }
}

fn write_node(out: &mut String, node: &Node, level: Option<usize>, around: &[(String, String)]) {
    match node {
        Node::Element(element) => write_element(out, element, level, around),
        Node::Comment(text) => {
            out.push_str("<!--");
            out.push_str(text);
            out.push_str("-->");
        }
        Node::Instruction(text) => {
            out.push_str("<?");
            out.push_str(text);
            out.push_str("?>");
        }
    }
}

fn write_element(
    out: &mut String,
    element: &Element,
    level: Option<usize>,
    around: &[(String, String)],
) {
    out.push('<');
    out.push_str(&element.name);
    let own = &element.declarations;
    let outer = around
        .iter()
        .filter(|(prefix, _)| own.iter().all(|(mine, _)| mine != prefix));
    for (prefix, uri) in own.iter().chain(outer) {
        out.push_str(" xmlns");
        if !prefix.is_empty() {
            out.push(':');
            out.push_str(prefix);
        }
        out.push_str("=\"");
        escape_attribute(out, uri);
        out.push('"');
    }
    for (name, value) in &element.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape_attribute(out, value);
        out.push('"');
    }
    if element.text.is_none() && element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    let mixed = element.text.is_some() || element.children.iter().any(|child| child.tail.is_some());
    let level = if mixed { None } else { level };
    escape_text(out, element.text());
    for child in &element.children {
        indent(out, level.map(|level| level + 1));
        write_node(out, &child.node, level.map(|level| level + 1), &[]);
        if let Some(tail) = &child.tail {
            escape_text(out, tail);
        }
    }
    indent(out, level);
    out.push_str("</");
    out.push_str(&element.name);
    out.push('>');
}

fn indent(out: &mut String, level: Option<usize>) {
    if let Some(level) = level {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", level));
    }
}

fn escape_text(out: &mut String, text: &str) {
    for piece in text.split_inclusive(['&', '<', '>', '\r']) {
        let mut chars = piece.chars();
        match chars.next_back() {
            Some('&') => push_escaped(out, chars.as_str(), "&amp;"),
            Some('<') => push_escaped(out, chars.as_str(), "&lt;"),
            Some('>') => push_escaped(out, chars.as_str(), "&gt;"),
            Some('\r') => push_escaped(out, chars.as_str(), "&#13;"),
            _ => out.push_str(piece),
        }
    }
}

fn escape_attribute(out: &mut String, text: &str) {
    for piece in text.split_inclusive(['&', '<', '>', '"', '\r', '\n', '\t']) {
        let mut chars = piece.chars();
        match chars.next_back() {
            Some('&') => push_escaped(out, chars.as_str(), "&amp;"),
            Some('<') => push_escaped(out, chars.as_str(), "&lt;"),
            Some('>') => push_escaped(out, chars.as_str(), "&gt;"),
            Some('"') => push_escaped(out, chars.as_str(), "&quot;"),
            Some('\r') => push_escaped(out, chars.as_str(), "&#13;"),
            Some('\n') => push_escaped(out, chars.as_str(), "&#10;"),
            Some('\t') => push_escaped(out, chars.as_str(), "&#9;"),
            _ => out.push_str(piece),
        }
    }
}

fn push_escaped(out: &mut String, before: &str, escape: &str) {
    out.push_str(before);
    out.push_str(escape);
}
