//! Writing nodes back, the way libxml2 does: empty elements self-closed, minimal escaping.

use std::fmt::Write as _;

use super::{Kind, NodeId, Tree};

/// Namespaces in scope, innermost last: prefix (none = default) and address.
type Scope = Vec<(Option<String>, String)>;

fn push_char(c: char, ascii: bool, out: &mut String) {
    if ascii && !c.is_ascii() {
        let _ = write!(out, "&#{};", u32::from(c));
    } else {
        out.push(c);
    }
}

/// Appends text with `&`, `<`, `>` and carriage returns escaped.
pub fn escape_text(text: &str, ascii: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            c => push_char(c, ascii, out),
        }
    }
}

/// Appends an attribute's value with quotes, markup and white space other than blanks escaped.
pub fn escape_attr(text: &str, ascii: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            c => push_char(c, ascii, out),
        }
    }
}

/// Splits `{uri}local`.
fn clark(name: &str) -> (Option<&str>, &str) {
    name.strip_prefix('{')
        .and_then(|rest| rest.split_once('}'))
        .map_or((None, name), |(uri, local)| (Some(uri), local))
}

/// The name with a prefix that is in scope; adds a declaration when none is.
pub(crate) fn qualified(
    name: &str,
    attribute: bool,
    scope: &mut Scope,
    fresh: &mut Scope,
) -> String {
    let (Some(uri), local) = clark(name) else {
        return name.to_owned();
    };
    if uri == "http://www.w3.org/XML/1998/namespace" {
        return format!("xml:{local}");
    }
    let visible = scope
        .iter()
        .enumerate()
        .rev()
        .find(|(i, (prefix, address))| {
            address == uri
                && !(attribute && prefix.is_none())
                && !scope.iter().skip(i + 1).any(|(later, _)| later == prefix)
        });
    if let Some((_, (prefix, _))) = visible {
        return prefix
            .as_ref()
            .map_or_else(|| local.to_owned(), |p| format!("{p}:{local}"));
    }
    let prefix = format!("ns{}", fresh.len());
    scope.push((Some(prefix.clone()), uri.to_owned()));
    fresh.push((Some(prefix.clone()), uri.to_owned()));
    format!("{prefix}:{local}")
}

pub(crate) fn write_declarations(declared: &Scope, ascii: bool, out: &mut String) {
    for (prefix, uri) in declared {
        match prefix {
            Some(prefix) => {
                let _ = write!(out, " xmlns:{prefix}=\"");
            }
            None => out.push_str(" xmlns=\""),
        }
        escape_attr(uri, ascii, out);
        out.push('"');
    }
}

/// A name as the reference writes it in ASCII, where it is no longer a name.
fn ascii_name(name: &str, ascii: bool) -> String {
    let mut out = String::new();
    for c in name.chars() {
        push_char(c, ascii, &mut out);
    }
    out
}

/// Appends a subtree; declarations of its ancestors come with it.
pub fn write_node(tree: &Tree, id: NodeId, with_tail: bool, ascii: bool, out: &mut String) {
    let mut inherited: Scope = Vec::new();
    let mut above = tree.parent(id);
    while let Some(node) = above {
        for (prefix, uri) in &tree.node(node).ns_decls {
            let own = tree.node(id).ns_decls.iter();
            if !own.chain(inherited.iter()).any(|(p, _)| p == prefix) {
                inherited.push((prefix.clone(), uri.clone()));
            }
        }
        above = tree.parent(node);
    }
    let mut scope: Scope = Vec::new();
    write_inner(tree, id, &inherited, &mut scope, ascii, out);
    if with_tail {
        escape_text(
            tree.node(id).tail.as_deref().unwrap_or_default(),
            ascii,
            out,
        );
    }
}

fn write_inner(
    tree: &Tree,
    id: NodeId,
    inherited: &Scope,
    scope: &mut Scope,
    ascii: bool,
    out: &mut String,
) {
    let node = tree.node(id);
    match node.kind {
        Kind::Comment => {
            out.push_str("<!--");
            for c in tree.text(id).chars() {
                push_char(c, ascii, out);
            }
            out.push_str("-->");
        }
        Kind::Pi => {
            let _ = write!(out, "<?{}", node.tag);
            if let Some(text) = &node.text {
                out.push(' ');
                for c in text.chars() {
                    push_char(c, ascii, out);
                }
            }
            out.push_str("?>");
        }
        Kind::Element => {
            let depth = scope.len();
            let mut declared = node.ns_decls.clone();
            declared.extend(inherited.iter().cloned());
            scope.extend(declared.iter().cloned());
            let mut fresh = Vec::new();
            let name = qualified(&node.tag, false, scope, &mut fresh);
            let attrs: Vec<(String, &str)> = node
                .attrs
                .iter()
                .map(|(key, value)| (qualified(key, true, scope, &mut fresh), value.as_str()))
                .collect();
            let name = ascii_name(&name, ascii);
            out.push('<');
            out.push_str(&name);
            write_declarations(&declared, ascii, out);
            write_declarations(&fresh, ascii, out);
            for (key, value) in attrs {
                let _ = write!(out, " {}=\"", ascii_name(&key, ascii));
                escape_attr(value, ascii, out);
                out.push('"');
            }
            if tree.text(id).is_empty() && node.children.is_empty() {
                // An empty text that was set explicitly still makes an end tag.
                if node.text.is_some() {
                    let _ = write!(out, "></{name}>");
                } else {
                    out.push_str("/>");
                }
            } else {
                out.push('>');
                escape_text(tree.text(id), ascii, out);
                for child in &node.children {
                    write_inner(tree, *child, &Vec::new(), scope, ascii, out);
                    escape_text(
                        tree.node(*child).tail.as_deref().unwrap_or_default(),
                        ascii,
                        out,
                    );
                }
                let _ = write!(out, "</{name}>");
            }
            scope.truncate(depth);
        }
    }
}
