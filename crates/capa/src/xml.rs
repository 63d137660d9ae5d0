//! A small tree of XML with the `text`/`tail` shape that problem authors' XML is processed in:
//! every node keeps the text before its first child and the text after its end tag.
//!
//! Names in a namespace are written `{uri}local`. Comments and processing instructions are nodes too,
//! because text that follows them belongs to them (and is lost with them, contract §4.1).

mod parse;
mod write;

pub use parse::{XmlError, is_text, parse};
pub use write::{escape_attr, escape_text, write_node};
pub(crate) use write::{qualified, write_declarations};

/// Index of a node in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An element.
    Element,
    /// A comment; its content is the node's text.
    Comment,
    /// A processing instruction; its target is the tag, its content the text.
    Pi,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Element, comment or processing instruction.
    pub kind: Kind,
    /// Name of an element, `{uri}local` when it is in a namespace.
    pub tag: String,
    /// Namespace declarations that stand on this element: prefix (none = default) and address.
    pub ns_decls: Vec<(Option<String>, String)>,
    /// Attributes in document order.
    pub attrs: Vec<(String, String)>,
    /// Text before the first child.
    pub text: Option<String>,
    /// Text after the end of this node.
    pub tail: Option<String>,
    /// Children in order, comments included.
    pub children: Vec<NodeId>,
    /// The parent, none for the root and for detached nodes.
    pub parent: Option<NodeId>,
    /// Line of the end of the start tag, from 1.
    pub line: u32,
}

impl Node {
    fn new(kind: Kind, tag: &str) -> Self {
        Self {
            kind,
            tag: tag.to_owned(),
            ns_decls: Vec::new(),
            attrs: Vec::new(),
            text: None,
            tail: None,
            children: Vec::new(),
            parent: None,
            line: 0,
        }
    }
}

/// A document or fragment. Nodes are never freed, only detached.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    root: NodeId,
}

impl Tree {
    /// A tree of one element.
    #[must_use]
    pub fn new(tag: &str) -> Self {
        Self {
            nodes: vec![Node::new(Kind::Element, tag)],
            root: NodeId(0),
        }
    }

    /// The root element.
    #[must_use]
    pub const fn root(&self) -> NodeId {
        self.root
    }

    /// The node of an id. Ids come from this tree only; a foreign id gives the root.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        let index = if (id.0 as usize) < self.nodes.len() {
            id.0 as usize
        } else {
            0
        };
        &self.nodes[index]
    }

    /// The node of an id, to change it.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        let index = if (id.0 as usize) < self.nodes.len() {
            id.0 as usize
        } else {
            0
        };
        &mut self.nodes[index]
    }

    /// Number of nodes ever made.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a tree has a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Makes a detached element.
    pub fn create(&mut self, tag: &str) -> NodeId {
        self.create_kind(Kind::Element, tag)
    }

    fn create_kind(&mut self, kind: Kind, tag: &str) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(Node::new(kind, tag));
        id
    }

    /// Whether the node is an element.
    #[must_use]
    pub fn is_element(&self, id: NodeId) -> bool {
        self.node(id).kind == Kind::Element
    }

    /// The element's name; the empty text for comments and processing instructions.
    #[must_use]
    pub fn tag(&self, id: NodeId) -> &str {
        let node = self.node(id);
        if node.kind == Kind::Element {
            &node.tag
        } else {
            ""
        }
    }

    /// An attribute's value.
    #[must_use]
    pub fn get(&self, id: NodeId, name: &str) -> Option<&str> {
        self.node(id)
            .attrs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets an attribute, keeping its place if it exists.
    pub fn set(&mut self, id: NodeId, name: &str, value: &str) {
        let attrs = &mut self.node_mut(id).attrs;
        if let Some(slot) = attrs.iter_mut().find(|(key, _)| key == name) {
            value.clone_into(&mut slot.1);
        } else {
            attrs.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Text before the first child, empty when there is none.
    #[must_use]
    pub fn text(&self, id: NodeId) -> &str {
        self.node(id).text.as_deref().unwrap_or_default()
    }

    /// Children, comments included.
    #[must_use]
    pub fn children(&self, id: NodeId) -> &[NodeId] {
        &self.node(id).children
    }

    /// The first child element of that name.
    #[must_use]
    pub fn find(&self, id: NodeId, tag: &str) -> Option<NodeId> {
        self.children(id)
            .iter()
            .copied()
            .find(|child| self.tag(*child) == tag)
    }

    /// All child elements of that name.
    #[must_use]
    pub fn find_all(&self, id: NodeId, tag: &str) -> Vec<NodeId> {
        self.children(id)
            .iter()
            .copied()
            .filter(|child| self.tag(*child) == tag)
            .collect()
    }

    /// All elements below `id` (not itself) in document order for which `keep` holds.
    #[must_use]
    pub fn descendants(&self, id: NodeId, keep: &dyn Fn(&str) -> bool) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut stack: Vec<NodeId> = self.children(id).iter().rev().copied().collect();
        while let Some(next) = stack.pop() {
            if self.is_element(next) && keep(self.tag(next)) {
                found.push(next);
            }
            stack.extend(self.children(next).iter().rev().copied());
        }
        found
    }

    /// All elements of that name in the whole document, the root included, in document order.
    #[must_use]
    pub fn all(&self, keep: &dyn Fn(&str) -> bool) -> Vec<NodeId> {
        let mut found = Vec::new();
        if keep(self.tag(self.root)) {
            found.push(self.root);
        }
        found.extend(self.descendants(self.root, keep));
        found
    }

    /// The parent.
    #[must_use]
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent
    }

    /// Place among the parent's children.
    #[must_use]
    pub fn index(&self, id: NodeId) -> Option<usize> {
        let parent = self.parent(id)?;
        self.children(parent).iter().position(|child| *child == id)
    }

    /// The sibling node before (comments count).
    #[must_use]
    pub fn previous(&self, id: NodeId) -> Option<NodeId> {
        let parent = self.parent(id)?;
        let index = self.index(id)?;
        index
            .checked_sub(1)
            .and_then(|i| self.children(parent).get(i).copied())
    }

    /// The sibling elements before, nearest first (comments do not count).
    #[must_use]
    pub fn preceding_elements(&self, id: NodeId) -> Vec<NodeId> {
        let (Some(parent), Some(index)) = (self.parent(id), self.index(id)) else {
            return Vec::new();
        };
        let before = self.children(parent).get(..index).unwrap_or_default();
        before
            .iter()
            .rev()
            .copied()
            .filter(|sibling| self.is_element(*sibling))
            .collect()
    }

    /// The sibling elements after, nearest first.
    #[must_use]
    pub fn following_elements(&self, id: NodeId) -> Vec<NodeId> {
        let (Some(parent), Some(index)) = (self.parent(id), self.index(id)) else {
            return Vec::new();
        };
        let after = self.children(parent).get(index + 1..).unwrap_or_default();
        after
            .iter()
            .copied()
            .filter(|sibling| self.is_element(*sibling))
            .collect()
    }

    /// Adds a detached node as the last child.
    pub fn append(&mut self, parent: NodeId, child: NodeId) {
        self.detach(child);
        self.node_mut(child).parent = Some(parent);
        self.node_mut(parent).children.push(child);
    }

    /// Puts a detached node at a place among the children.
    pub fn insert(&mut self, parent: NodeId, index: usize, child: NodeId) {
        self.detach(child);
        self.node_mut(child).parent = Some(parent);
        let children = &mut self.node_mut(parent).children;
        let index = index.min(children.len());
        children.insert(index, child);
    }

    /// Takes a node, its tail included, out of its parent.
    pub fn detach(&mut self, id: NodeId) {
        if let Some(parent) = self.node_mut(id).parent.take() {
            self.node_mut(parent).children.retain(|child| *child != id);
        }
    }

    /// Replaces the children of a node.
    pub fn set_children(&mut self, parent: NodeId, children: Vec<NodeId>) {
        for child in std::mem::take(&mut self.node_mut(parent).children) {
            self.node_mut(child).parent = None;
        }
        for child in children {
            self.append(parent, child);
        }
    }

    /// Copies a subtree of another tree in, detached; its tail comes along.
    pub fn import(&mut self, other: &Self, id: NodeId) -> NodeId {
        let source = other.node(id);
        let copy = self.create_kind(source.kind, &source.tag);
        {
            let node = self.node_mut(copy);
            node.attrs.clone_from(&source.attrs);
            node.ns_decls.clone_from(&source.ns_decls);
            node.text.clone_from(&source.text);
            node.tail.clone_from(&source.tail);
            node.line = source.line;
        }
        for child in source.children.clone() {
            let child = self.import(other, child);
            self.append(copy, child);
        }
        copy
    }

    /// The subtree as text, all characters kept; with the tail when asked.
    #[must_use]
    pub fn to_text(&self, id: NodeId, with_tail: bool) -> String {
        let mut out = String::new();
        write_node(self, id, with_tail, false, &mut out);
        out
    }

    /// The subtree and its tail as ASCII with decimal character references.
    #[must_use]
    pub fn to_ascii(&self, id: NodeId) -> String {
        let mut out = String::new();
        write_node(self, id, true, true, &mut out);
        out
    }

    /// The text of the node followed by its children as XML: the text is *not* escaped, which is how
    /// labels, choices and clarifications reach their templates.
    #[must_use]
    pub fn inner(&self, id: NodeId) -> String {
        let mut out = self.text(id).to_owned();
        for child in self.children(id) {
            write_node(self, *child, true, false, &mut out);
        }
        out
    }

    /// What stands between the tags in the ASCII form of the node and its tail, trimmed; when the
    /// element is empty, its own tag (contract §16, hints).
    #[must_use]
    pub fn inner_ascii_with_tail(&self, id: NodeId) -> String {
        let whole = self.to_ascii(id);
        let whole = whole.trim();
        strip_outer(whole, self.tag(id)).trim().to_owned()
    }
}

/// Removes the first `<tag…>` and the last `</tag>`, keeping what is around them.
fn strip_outer(text: &str, tag: &str) -> String {
    let open = format!("<{tag}");
    let close = format!("</{tag}>");
    let Some(end) = text.rfind(&close) else {
        return text.to_owned();
    };
    let mut from = 0;
    while let Some(start) = text
        .get(from..)
        .and_then(|rest| rest.find(&open))
        .map(|i| i + from)
    {
        let after = start + open.len();
        let Some(gt) = text
            .get(after..)
            .and_then(|rest| rest.find('>'))
            .map(|i| i + after)
        else {
            break;
        };
        if gt < end {
            let before = text.get(..start).unwrap_or_default();
            let inner = text.get(gt + 1..end).unwrap_or_default();
            let rest = text.get(end + close.len()..).unwrap_or_default();
            return format!("{before}{inner}{rest}");
        }
        from = after;
    }
    text.to_owned()
}
