//! Markup that is not well-formed XML, read the way browsers do (contract §4.2, last paragraph).

use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::fmt::Write as _;

use html5ever::interface::{Attribute, ElementFlags, NodeOrText, QualName, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{LocalName, ParseOpts, ns, parse_fragment};

use crate::xml::{NodeId, Tree};

/// Deepest nesting that is kept; deeper elements are dropped.
const MAX_DEPTH: usize = 256;

#[derive(Debug)]
enum Data {
    Document,
    Element(QualName, Vec<Attribute>),
    Text(String),
    Other,
}

#[derive(Debug)]
struct DomNode {
    data: Data,
    parent: Option<usize>,
    children: Vec<usize>,
}

#[derive(Debug, Default)]
struct Dom {
    nodes: Vec<DomNode>,
}

impl Dom {
    fn push(&mut self, data: Data) -> usize {
        self.nodes.push(DomNode {
            data,
            parent: None,
            children: Vec::new(),
        });
        self.nodes.len() - 1
    }

    fn detach(&mut self, node: usize) {
        if let Some(parent) = self.nodes[node].parent.take() {
            self.nodes[parent].children.retain(|child| *child != node);
        }
    }

    fn insert(&mut self, parent: usize, index: usize, child: NodeOrText<usize>) {
        match child {
            NodeOrText::AppendNode(node) => {
                self.detach(node);
                self.nodes[node].parent = Some(parent);
                let index = index.min(self.nodes[parent].children.len());
                self.nodes[parent].children.insert(index, node);
            }
            NodeOrText::AppendText(text) => {
                let before = index.checked_sub(1).map(|i| self.nodes[parent].children[i]);
                if let Some(before) = before
                    && let Data::Text(old) = &mut self.nodes[before].data
                {
                    old.push_str(&text);
                    return;
                }
                let node = self.push(Data::Text(text.to_string()));
                self.nodes[node].parent = Some(parent);
                self.nodes[parent].children.insert(index, node);
            }
        }
    }
}

struct Sink(RefCell<Dom>);

impl TreeSink for Sink {
    type Handle = usize;
    type Output = Dom;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Dom {
        self.0.into_inner()
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> usize {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a usize) -> Ref<'a, QualName> {
        Ref::map(self.0.borrow(), |dom| match &dom.nodes[*target].data {
            Data::Element(name, _) => name,
            // The parser asks for names of elements only.
            _ => unreachable_name(),
        })
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> usize {
        self.0.borrow_mut().push(Data::Element(name, attrs))
    }

    fn create_comment(&self, _: StrTendril) -> usize {
        self.0.borrow_mut().push(Data::Other)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> usize {
        self.0.borrow_mut().push(Data::Other)
    }

    fn append(&self, parent: &usize, child: NodeOrText<usize>) {
        let mut dom = self.0.borrow_mut();
        let end = dom.nodes[*parent].children.len();
        dom.insert(*parent, end, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &usize,
        previous: &usize,
        child: NodeOrText<usize>,
    ) {
        if self.0.borrow().nodes[*element].parent.is_some() {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn get_template_contents(&self, target: &usize) -> usize {
        *target
    }

    fn same_node(&self, x: &usize, y: &usize) -> bool {
        x == y
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &usize, child: NodeOrText<usize>) {
        let mut dom = self.0.borrow_mut();
        if let NodeOrText::AppendNode(node) = &child {
            dom.detach(*node);
        }
        let Some(parent) = dom.nodes[*sibling].parent else {
            return;
        };
        let index = dom.nodes[parent]
            .children
            .iter()
            .position(|c| c == sibling)
            .unwrap_or(0);
        dom.insert(parent, index, child);
    }

    fn add_attrs_if_missing(&self, target: &usize, attrs: Vec<Attribute>) {
        if let Data::Element(_, own) = &mut self.0.borrow_mut().nodes[*target].data {
            for attr in attrs {
                if !own.iter().any(|other| other.name == attr.name) {
                    own.push(attr);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &usize) {
        self.0.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &usize, new_parent: &usize) {
        let mut dom = self.0.borrow_mut();
        let children = std::mem::take(&mut dom.nodes[*node].children);
        for child in &children {
            dom.nodes[*child].parent = Some(*new_parent);
        }
        dom.nodes[*new_parent].children.extend(children);
    }
}

fn unreachable_name() -> &'static QualName {
    static NAME: std::sync::OnceLock<QualName> = std::sync::OnceLock::new();
    NAME.get_or_init(|| QualName::new(None, ns!(html), LocalName::from("div")))
}

/// A name that XML can hold: other characters are replaced by their codes, as the reference does.
fn xml_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (i, c) in name.chars().enumerate() {
        let fits =
            c.is_alphabetic() || c == '_' || (i > 0 && (c.is_alphanumeric() || "-.".contains(c)));
        if fits {
            out.push(c);
        } else {
            let _ = write!(out, "U{:05X}", u32::from(c));
        }
    }
    out
}

fn name_of(name: &QualName) -> String {
    let local = xml_name(&name.local);
    if name.ns == ns!(html) || name.ns.is_empty() {
        local
    } else {
        format!("{{{}}}{local}", name.ns)
    }
}

fn xml_text(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}'))
        .collect()
}

fn copy(dom: &Dom, from: usize, tree: &mut Tree, to: NodeId, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for child in &dom.nodes[from].children {
        match &dom.nodes[*child].data {
            Data::Element(name, attrs) => {
                let node = tree.create(&name_of(name));
                for attr in attrs {
                    tree.set(node, &name_of(&attr.name), &xml_text(&attr.value));
                }
                tree.append(to, node);
                copy(dom, *child, tree, node, depth + 1);
            }
            Data::Text(text) => {
                let text = xml_text(text);
                let slot = match tree.children(to).last().copied() {
                    Some(last) => &mut tree.node_mut(last).tail,
                    None => &mut tree.node_mut(to).text,
                };
                slot.get_or_insert_default().push_str(&text);
            }
            Data::Document | Data::Other => {}
        }
    }
}

/// Parses a fragment; gives a tree whose root `fragment` holds the nodes.
#[must_use]
pub fn fragment(html: &str) -> Tree {
    let sink = Sink(RefCell::new(Dom::default()));
    sink.0.borrow_mut().push(Data::Document);
    let context = QualName::new(None, ns!(html), LocalName::from("div"));
    let parser = parse_fragment(sink, ParseOpts::default(), context, Vec::new(), false);
    let dom = parser.one(html);
    // The parser puts an html element around a fragment.
    let root = dom
        .nodes
        .first()
        .and_then(|node| node.children.first())
        .copied()
        .unwrap_or(0);
    let mut tree = Tree::new("fragment");
    let to = tree.root();
    copy(&dom, root, &mut tree, to, 0);
    tree
}

#[cfg(test)]
mod tests {
    use super::*;

    // §4.2: a self-closed div stays open for browsers
    #[test]
    fn self_closing_is_ignored() {
        let tree = fragment("<div><p/>a</div>");
        let first = tree.children(tree.root())[0];
        assert_eq!(tree.to_text(first, false), "<div><p>a</p></div>");
    }
}
