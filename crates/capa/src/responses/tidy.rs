//! Messages of check functions, parsed leniently and written back tidily (contract §3.8): Python's
//! `html.parser` feeding a tree that is then serialised as indented XML.

use crate::html5;
use crate::pyvalue::PyValue;
use crate::xml::{Kind, NodeId, Tree, escape_text, write_node};

const VOID: [&str; 17] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "keygen", "link", "menuitem",
    "meta", "param", "source", "track", "wbr", "basefont",
];
const MAX_DEPTH: usize = 200;

/// The message as it is stored: empty for falsy values, else tidy ASCII markup.
pub(super) fn clean_message(message: &PyValue) -> String {
    if !message.truthy() {
        return String::new();
    }
    let source = format!("<html>{}</html>", message.str()).replace("&#60;", "&lt;");
    let tree = Soup::parse(&source);
    let mut out = String::new();
    pretty(&tree, tree.root(), 0, true, &mut out);
    let out = out.replace("&#13;", "");
    let inner = match (out.find("<html>"), out.rfind("</html>")) {
        (Some(start), Some(end)) if start + 6 <= end => {
            let before = out.get(..start).unwrap_or_default();
            let inside = out.get(start + 6..end).unwrap_or_default();
            let after = out.get(end + 7..).unwrap_or_default();
            format!("{before}{inside}{after}")
        }
        _ => out,
    };
    crate::pyvalue::strip(&inner).to_owned()
}

/// Writes with two blanks an indent, except inside elements that hold text.
fn pretty(tree: &Tree, node: NodeId, depth: usize, format: bool, out: &mut String) {
    if !tree.is_element(node) || tree.children(node).is_empty() {
        let node_text = tree.node(node);
        if node_text.kind == Kind::Pi && node_text.text.is_none() {
            // Python's writer leaves the blank after the target.
            out.push_str("<?");
            out.push_str(&node_text.tag);
            out.push_str(" ?>");
        } else {
            write_node(tree, node, false, true, out);
        }
        return;
    }
    let texts = tree.node(node).text.is_some()
        || tree
            .children(node)
            .iter()
            .any(|child| tree.node(*child).tail.is_some());
    let format = format && !texts;
    // The start tag alone: written as an empty element and cut open.
    let mut head = Tree::new(tree.tag(node));
    let root = head.root();
    head.node_mut(root).attrs.clone_from(&tree.node(node).attrs);
    let start = head.to_ascii(root);
    out.push_str(start.strip_suffix("/>").unwrap_or(&start));
    out.push('>');
    escape_text(tree.text(node), true, out);
    for child in tree.children(node) {
        if format {
            out.push('\n');
            out.push_str(&"  ".repeat(depth + 1));
        }
        pretty(tree, *child, depth + 1, format, out);
        escape_text(
            tree.node(*child).tail.as_deref().unwrap_or_default(),
            true,
            out,
        );
    }
    if format {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    }
    out.push_str("</");
    out.push_str(tree.tag(node));
    out.push('>');
}

/// The lenient parser.
struct Soup {
    tree: Tree,
    stack: Vec<NodeId>,
    data: String,
}

fn is_ascii_space(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\t' | '\u{c}' | '\r')
}

impl Soup {
    fn parse(source: &str) -> Tree {
        let tree = Tree::new("html");
        let root = tree.root();
        let mut soup = Self {
            tree,
            stack: vec![root],
            data: String::new(),
        };
        soup.feed(source);
        soup.flush();
        if soup.stack.len() > 1 {
            soup.stack.truncate(1);
        }
        let mut tree = merge_html(soup.tree);
        // A single html element inside the root stands for it.
        let root = tree.root();
        if let [only] = tree.children(root)
            && tree.tag(*only) == "html"
        {
            let only = *only;
            tree = rooted(&tree, only);
        }
        tree
    }

    fn top(&self) -> NodeId {
        self.stack
            .last()
            .copied()
            .unwrap_or_else(|| self.tree.root())
    }

    fn flush(&mut self) {
        if self.data.is_empty() {
            return;
        }
        let mut text = std::mem::take(&mut self.data);
        let kept = self
            .stack
            .iter()
            .any(|n| matches!(self.tree.tag(*n), "pre" | "textarea"));
        if !kept && text.chars().all(is_ascii_space) {
            text = String::from(if text.contains('\n') { "\n" } else { " " });
        }
        let text = named_entities(&text);
        let top = self.top();
        let slot = match self.tree.children(top).last().copied() {
            Some(last) => &mut self.tree.node_mut(last).tail,
            None => &mut self.tree.node_mut(top).text,
        };
        slot.get_or_insert_default().push_str(&text);
    }

    /// Adds a comment or a processing instruction.
    fn aside(&mut self, source: &str) {
        self.flush();
        let Ok(parsed) = crate::xml::parse(&format!("<x>{source}</x>")) else {
            return;
        };
        if let Some(child) = parsed.children(parsed.root()).first() {
            let node = self.tree.import(&parsed, *child);
            let top = self.top();
            self.tree.append(top, node);
        }
    }

    /// A comment of that text; what XML cannot hold is changed.
    fn comment(&mut self, text: &str) {
        let text = text.replace("--", "- -");
        let space = if text.ends_with('-') { " " } else { "" };
        self.aside(&format!("<!--{text}{space}-->"));
    }

    fn open(&mut self, name: &str, attrs: &[(String, String)], closed: bool) {
        self.flush();
        let node = self.tree.create(&xml_name(name));
        for (key, value) in attrs {
            let value = if matches!(
                key.as_str(),
                "class" | "accesskey" | "dropzone" | "rel" | "rev" | "headers" | "accept-charset"
            ) {
                value.split_whitespace().collect::<Vec<_>>().join(" ")
            } else {
                value.clone()
            };
            self.tree.set(node, &xml_name(key), &named_entities(&value));
        }
        let top = self.top();
        self.tree.append(top, node);
        if !closed && !VOID.contains(&name) && self.stack.len() < MAX_DEPTH {
            self.stack.push(node);
        }
    }

    fn close(&mut self, name: &str) {
        self.flush();
        let found = self
            .stack
            .iter()
            .skip(1)
            .rposition(|node| self.tree.tag(*node) == name);
        if let Some(position) = found {
            self.stack.truncate(position + 1);
        }
    }

    fn feed(&mut self, source: &str) {
        let mut rest = source;
        while !rest.is_empty() {
            let next = rest.find(['<', '&']).unwrap_or(rest.len());
            self.data.push_str(rest.get(..next).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
            rest = if rest.starts_with('&') {
                self.reference(rest)
            } else {
                self.markup(rest)
            };
        }
    }

    /// A character or entity reference, or a lone ampersand.
    fn reference<'a>(&mut self, text: &'a str) -> &'a str {
        let after = text.get(1..).unwrap_or_default();
        let (digits, body) = match after.strip_prefix('#') {
            Some(number) => (true, number),
            None => (false, after),
        };
        let hex = digits && body.starts_with(['x', 'X']);
        let start = usize::from(hex);
        let inside = body.get(start..).unwrap_or_default();
        let end = inside
            .find(|c: char| match (digits, hex) {
                (true, true) => !c.is_ascii_hexdigit(),
                (true, false) => !c.is_ascii_digit(),
                _ => !(c.is_ascii_alphanumeric() || c == '.' || c == '-'),
            })
            .unwrap_or(inside.len());
        let name = inside.get(..end).unwrap_or_default();
        let valid =
            !name.is_empty() && (digits || name.starts_with(|c: char| c.is_ascii_alphabetic()));
        if !valid {
            self.data.push('&');
            return after;
        }
        if digits {
            let code = u32::from_str_radix(name, if hex { 16 } else { 10 }).ok();
            self.data.push(code.and_then(numeric).unwrap_or('\u{fffd}'));
        } else if let Some(text) = entity(name) {
            self.data.push_str(&text);
        } else {
            self.data.push('&');
            self.data.push_str(name);
        }
        let rest = inside.get(end..).unwrap_or_default();
        rest.strip_prefix(';').unwrap_or(rest)
    }

    /// Markup that does not end is text, up to the next angle bracket.
    fn unfinished<'a>(&mut self, text: &'a str) -> &'a str {
        let inside = text.get(1..).unwrap_or_default();
        let end = inside
            .find('>')
            .map(|at| at + 2)
            .or_else(|| inside.find('<').map(|at| at + 1))
            .unwrap_or(1);
        self.data.push_str(text.get(..end).unwrap_or_default());
        text.get(end..).unwrap_or_default()
    }

    /// A tag, a comment or a lone angle bracket.
    fn markup<'a>(&mut self, text: &'a str) -> &'a str {
        let Some(after) = text.strip_prefix('<') else {
            return "";
        };
        let until = |text: &'a str, end: &str| {
            let at = text.find(end)?;
            Some((text.get(..at)?, text.get(at + end.len()..)?))
        };
        if let Some(comment) = after.strip_prefix("!--") {
            let Some((inside, rest)) = until(comment, "-->") else {
                return self.unfinished(text);
            };
            self.comment(inside);
            return rest;
        }
        if let Some(declaration) = after.strip_prefix('!') {
            let Some((inside, rest)) = until(declaration, ">") else {
                return self.unfinished(text);
            };
            if inside
                .get(..7)
                .is_some_and(|word| word.eq_ignore_ascii_case("doctype"))
            {
                // A document type ends up as its own text.
                self.flush();
                self.data
                    .push_str(inside.get(7..).unwrap_or_default().trim_start());
                self.flush();
            } else {
                self.comment(inside);
            }
            return rest;
        }
        if let Some(instruction) = after.strip_prefix('?') {
            let Some((inside, rest)) = until(instruction, ">") else {
                return self.unfinished(text);
            };
            let inside = inside.strip_suffix('?').unwrap_or(inside);
            let (target, content) = inside.split_once(' ').unwrap_or((inside, ""));
            self.aside(&format!("<?{target} {content}?>"));
            return rest;
        }
        if let Some(close) = after.strip_prefix('/') {
            let Some((inside, rest)) = until(close, ">") else {
                return self.unfinished(text);
            };
            if close.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let name = inside.split(|c: char| is_ascii_space(c) || c == '/').next();
                self.close(&name.unwrap_or_default().to_lowercase());
            } else if !inside.is_empty() {
                self.comment(inside);
            }
            return rest;
        }
        if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.data.push('<');
            return after;
        }
        let end = after
            .find(|c: char| is_ascii_space(c) || c == '/' || c == '>')
            .unwrap_or(after.len());
        let name = after.get(..end).unwrap_or_default().to_lowercase();
        let mut rest = after.get(end..).unwrap_or_default();
        let mut attrs: Vec<(String, String)> = Vec::new();
        let mut closed = false;
        loop {
            rest = rest.trim_start_matches(|c: char| is_ascii_space(c));
            if let Some(tail) = rest.strip_prefix('>') {
                rest = tail;
                break;
            }
            if let Some(tail) = rest.strip_prefix("/>") {
                closed = true;
                rest = tail;
                break;
            }
            if rest.is_empty() {
                return self.unfinished(text);
            }
            if let Some(tail) = rest.strip_prefix('/') {
                rest = tail;
                continue;
            }
            rest = attribute(rest, &mut attrs);
        }
        self.open(&name, &attrs, closed);
        if closed && !VOID.contains(&name.as_str()) {
            return rest;
        }
        if matches!(name.as_str(), "script" | "style") {
            let close = format!("</{name}");
            let end = rest.to_lowercase().find(&close).unwrap_or(rest.len());
            self.data.push_str(rest.get(..end).unwrap_or_default());
            return rest.get(end..).unwrap_or_default();
        }
        rest
    }
}

/// Reads one attribute; a repeated one replaces the earlier.
fn attribute<'a>(text: &'a str, attrs: &mut Vec<(String, String)>) -> &'a str {
    let end = text
        .char_indices()
        .skip(1)
        .find(|(_, c)| is_ascii_space(*c) || matches!(c, '=' | '>' | '/'))
        .map_or(text.len(), |(i, _)| i);
    let key = text.get(..end).unwrap_or_default().to_lowercase();
    let mut rest = text.get(end..).unwrap_or_default();
    let mut value = String::new();
    let trimmed = rest.trim_start_matches(|c: char| is_ascii_space(c));
    if let Some(after) = trimmed.strip_prefix('=') {
        let after = after.trim_start_matches(|c: char| is_ascii_space(c));
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (raw, tail) = if let Some(quote) = quote {
            let body = after.get(1..).unwrap_or_default();
            let end = body.find(quote).unwrap_or(body.len());
            (body.get(..end), body.get(end + 1..))
        } else {
            let end = after
                .find(|c: char| is_ascii_space(c) || c == '>')
                .unwrap_or(after.len());
            (after.get(..end), after.get(end..))
        };
        value = unescape(raw.unwrap_or_default());
        rest = tail.unwrap_or_default();
    }
    if let Some(slot) = attrs.iter_mut().find(|(other, _)| *other == key) {
        slot.1 = value;
    } else {
        attrs.push((key, value));
    }
    rest
}

/// A name that XML can hold.
fn xml_name(name: &str) -> String {
    name.chars()
        .enumerate()
        .map(|(i, c)| {
            let fits = c.is_alphabetic()
                || c == '_'
                || (i > 0 && (c.is_alphanumeric() || "-.:".contains(c)));
            if fits { c } else { '_' }
        })
        .collect()
}

/// Code points below 256 are read as Windows-1252, as browsers do.
fn numeric(code: u32) -> Option<char> {
    const HIGH: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}',
        '\u{2021}', '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}',
        '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}',
        '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}',
        '\u{178}',
    ];
    match code {
        0 => None,
        0x80..=0x9f => HIGH.get(code as usize - 0x80).copied(),
        _ => char::from_u32(code),
    }
}

/// The text of a named entity.
fn entity(name: &str) -> Option<String> {
    let tree = html5::fragment(&format!("&{name};"));
    let text = tree.text(tree.root());
    let known = !text.starts_with('&') || name.eq_ignore_ascii_case("amp");
    // A name that merely starts like a known one leaves the rest behind.
    (known && (name == "semi" || !text.ends_with(';'))).then(|| text.to_owned())
}

/// All references of an attribute's value.
fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let tree = html5::fragment(&text.replace('<', "&lt;"));
    tree.text(tree.root()).to_owned()
}

/// `&name;` once more: the second pass of the reference's converter.
fn named_entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        out.push_str(rest.get(..start).unwrap_or_default());
        let after = rest.get(start + 1..).unwrap_or_default();
        let end = after
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(after.len());
        let name = after.get(..end).unwrap_or_default();
        let closed = after.get(end..).is_some_and(|tail| tail.starts_with(';'));
        if let Some(text) = entity(name).filter(|_| closed && !name.is_empty()) {
            out.push_str(&text);
            rest = after.get(end + 1..).unwrap_or_default();
        } else {
            out.push('&');
            rest = after;
        }
    }
    out + rest
}

/// A node as the root of its own tree.
fn rooted(tree: &Tree, node: NodeId) -> Tree {
    let mut out = Tree::new("html");
    let root = out.root();
    out.node_mut(root).attrs.clone_from(&tree.node(node).attrs);
    out.node_mut(root).text.clone_from(&tree.node(node).text);
    for child in tree.children(node) {
        let copy = out.import(tree, *child);
        out.append(root, copy);
    }
    out
}

/// The first html element of the top level becomes the root and takes in its neighbours; text before the
/// first element and after the last is lost.
fn merge_html(tree: Tree) -> Tree {
    let top = tree.root();
    let elements: Vec<NodeId> = tree
        .children(top)
        .iter()
        .copied()
        .filter(|node| tree.is_element(*node))
        .collect();
    let Some(html) = elements
        .iter()
        .copied()
        .find(|node| tree.tag(*node) == "html")
    else {
        return tree;
    };
    let mut out = Tree::new("html");
    let root = out.root();
    out.node_mut(root).attrs.clone_from(&tree.node(html).attrs);
    let add_text = |out: &mut Tree, text: &Option<String>| {
        if let Some(text) = text {
            let slot = match out.children(root).last().copied() {
                Some(last) => &mut out.node_mut(last).tail,
                None => &mut out.node_mut(root).text,
            };
            slot.get_or_insert_default().push_str(text);
        }
    };
    let first = elements
        .first()
        .and_then(|node| tree.index(*node))
        .unwrap_or_default();
    let last = elements.last().copied();
    for node in tree.children(top).iter().skip(first).copied() {
        if node == html {
            add_text(&mut out, &tree.node(html).text);
            for child in tree.children(html) {
                let copy = out.import(&tree, *child);
                out.append(root, copy);
            }
            if Some(node) != last {
                add_text(&mut out, &tree.node(html).tail);
            }
        } else {
            let copy = out.import(&tree, node);
            out.append(root, copy);
            if Some(node) == last {
                out.node_mut(copy).tail = None;
            }
        }
        if Some(node) == last {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(text: &str) -> String {
        clean_message(&PyValue::from(text))
    }

    // §3.8: tidy re-serialisation
    #[test]
    fn messages_are_tidied() {
        assert_eq!(clean("plain"), "plain");
        assert_eq!(
            clean("<ul><li>a</li><li>b</li></ul>"),
            "<ul>\n    <li>a</li>\n    <li>b</li>\n  </ul>"
        );
        assert_eq!(clean("a<br>b & c &lt; d"), "a<br/>b &amp; c &lt; d");
        assert_eq!(clean("caf\u{e9} <b>open"), "caf&#233; <b>open</b>");
        assert_eq!(clean(""), "");
        assert_eq!(clean("<b>&lta & b"), "<b>&amp;lta &amp; b</b>");
        assert_eq!(
            clean("<li><img src=\"x\"><!-- c --></b>"),
            "<li>\n    <img src=\"x\"/>\n    <!-- c -->\n  </li>"
        );
        assert_eq!(clean("a</html>lost"), "a");
    }
}
