//! A small XML tree in the manner of lxml: text and tails, comments, instructions, ordered attributes,
//! line numbers and namespaces.
//!
//! Ids of unnamed blocks are hashes of serialised elements (olx.md §2) and stored problem text is a
//! printed element (`Content as stored`), so parser and printer follow libxml2 to the byte.

mod parse;
mod print;

use std::sync::Arc;

pub use parse::{XmlError, XmlLimits, is_attribute_name, line_feeds, parse};
pub use print::{to_pretty, to_text, write_text};

/// The namespace that the prefix `xml` always stands for.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// One element.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Element {
    /// Name as written, prefix included.
    pub name: String,
    /// Namespace of the name, when it has one.
    pub uri: Option<Arc<str>>,
    /// Namespaces declared on this element: prefix (empty for the default one) and address.
    pub declarations: Vec<(String, String)>,
    /// Attributes as written, without namespace declarations, in order.
    pub attributes: Vec<(String, String)>,
    /// Text before the first child. `Some("")` is an empty text node, as an empty CDATA section makes one.
    pub text: Option<String>,
    /// Children, each with the text that follows it.
    pub children: Vec<Child>,
    /// Line of the start tag in its file, counted from 1.
    pub line: u32,
}

/// A child node and the text after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// The node.
    pub node: Node,
    /// Text between this node and the next one.
    pub tail: Option<String>,
    /// Line on which the node begins in its file, counted from 1; 0 for a node made in code.
    pub line: u32,
}

/// What an element contains beside text.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// A comment's text.
    Comment(String),
    /// A processing instruction: all between `<?` and `?>`.
    Instruction(String),
}

impl Element {
    /// An element without content.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The name without its prefix.
    #[must_use]
    pub fn local_name(&self) -> &str {
        self.name
            .split_once(':')
            .map_or(&self.name, |(_, local)| local)
    }

    /// The name as block types see it: `local`, or `{namespace}local`.
    #[must_use]
    pub fn tag(&self) -> String {
        match &self.uri {
            Some(uri) => format!("{{{uri}}}{}", self.local_name()),
            None => self.name.clone(),
        }
    }

    /// Whether the element is called `name` and is in no namespace.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.uri.is_none() && self.name == name
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Sets an attribute: in its place when it is there, else at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.attributes.iter_mut().find(|(key, _)| key == name) {
            Some(slot) => slot.1 = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
    }

    /// Removes an attribute and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let at = self.attributes.iter().position(|(key, _)| key == name)?;
        Some(self.attributes.remove(at).1)
    }

    /// Adds an element at the end.
    pub fn push(&mut self, child: Element) {
        self.children.push(Child {
            line: child.line,
            node: Node::Element(child),
            tail: None,
        });
    }

    /// The child elements, comments and instructions left out.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|child| match &child.node {
            Node::Element(element) => Some(element),
            _ => None,
        })
    }

    /// The first child element of that name in no namespace.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| element.is(name))
    }

    /// Takes out the first child element of that name, its tail with it, as lxml's `remove` does.
    pub fn take(&mut self, name: &str) -> Option<Element> {
        let at = self
            .children
            .iter()
            .position(|child| matches!(&child.node, Node::Element(element) if element.is(name)))?;
        match self.children.remove(at).node {
            Node::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The text before the first child, empty when there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The element's text and its serialised children: its inner XML, not indented.
    #[must_use]
    pub fn inner_xml(&self) -> String {
        let mut out = String::new();
        out.push_str(self.text());
        for child in &self.children {
            print::write_child(&mut out, child, &self.declarations);
        }
        out
    }
}

impl Child {
    /// The child as a document of its own, read anew as the reference reads inline definitions: the
    /// namespaces in force are declared on it, blanks that are droppable now are dropped.
    ///
    /// A comment, an instruction or an element with text after it is no document and fails
    /// (olx.md §16).
    pub fn reparse(
        &self,
        declarations: &[(String, String)],
        limits: &XmlLimits,
    ) -> Result<(Element, String), XmlError> {
        let mut text = String::new();
        print::write_child(&mut text, self, declarations);
        let mut fresh = parse(&text, limits).map_err(|error| error.at_line(self.line))?;
        if let Node::Element(old) = &self.node {
            copy_lines(old, &mut fresh);
        }
        Ok((fresh, text))
    }
}

/// A reparsed element has the same nodes in the same order: they keep the lines of the file.
fn copy_lines(from: &Element, to: &mut Element) {
    to.line = from.line;
    for (old, new) in from.children.iter().zip(&mut to.children) {
        new.line = old.line;
        if let (Node::Element(old), Node::Element(new)) = (&old.node, &mut new.node) {
            copy_lines(old, new);
        }
    }
}
