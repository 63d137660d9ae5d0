//! Writing blocks: files of their own or inline (olx.md §3).

use std::collections::HashSet;

use course_model::block_types::block_type_or_hidden;
use course_model::{Block, BlockKey, BlockType, CourseContent, Family, FieldType, Scope};
use opaque_keys::UsageKey;
use serde_json::Value;

use super::{Export, Files};
use crate::error::Error;
use crate::read::OPTION_NAMESPACE;
use crate::source::name_to_pathname;
use crate::values;
use crate::xml::{self, Element, XML_NAMESPACE};

/// Settings that no attribute carries.
const NEVER_WRITTEN: [&str; 10] = [
    "data_dir",
    "tabs",
    "grading_policy",
    "discussion_blackouts",
    "course",
    "org",
    "url_name",
    "filename",
    "xml_attributes",
    "x-is-pointer-node",
];

/// Writes blocks of one branch below one folder.
pub(crate) struct Writer<'w, 'e> {
    pub(super) export: &'w Export<'e>,
    pub(super) content: &'w CourseContent,
    /// `drafts/`, or nothing for the published branch.
    pub(super) prefix: &'static str,
    pub(super) files: &'w mut Files,
    /// Blocks being written: a course that holds itself is not written for ever.
    open: HashSet<BlockKey>,
}

impl<'w, 'e> Writer<'w, 'e> {
    pub(super) fn new(
        export: &'w Export<'e>,
        content: &'w CourseContent,
        prefix: &'static str,
        files: &'w mut Files,
    ) -> Self {
        Self {
            export,
            content,
            prefix,
            files,
            open: HashSet::new(),
        }
    }

    /// Writes a block: its file, or all of it onto `node`, which its parent keeps.
    pub(super) fn block(&mut self, block: &Block, node: &mut Element) -> Result<(), Error> {
        if !self.open.insert(block.key.clone()) {
            return Ok(());
        }
        let kind = block_type_or_hidden(&block.key.block_type);
        let written = match &*block.key.block_type {
            "openassessment" => {
                super::openassessment::write(block, node);
                Ok(())
            }
            _ if kind.family == Family::Pure => self.pure(block, kind, node),
            _ => self.file_based(block, kind),
        };
        self.open.remove(&block.key);
        written
    }

    fn file_based(&mut self, block: &Block, kind: &'static BlockType) -> Result<(), Error> {
        let block_type = &*block.key.block_type;
        let mut attributes = match block.settings.get("xml_attributes") {
            Some(Value::Object(attributes)) => attributes.clone(),
            _ => serde_json::Map::new(),
        };
        let Some(mut body) = self.body(block, kind, &mut attributes)? else {
            return Ok(());
        };
        let kept = |name: &str| block_type == "video" && matches!(name, "sub" | "transcripts");
        body.attributes.retain(|(name, _)| {
            kept(name)
                || kind
                    .field(name)
                    .is_none_or(|field| field.scope != Scope::Settings)
        });
        block_type.clone_into(&mut body.name);
        body.uri = None;
        let mut names: Vec<&String> = block.settings.keys().collect();
        names.sort();
        for name in names {
            let policy_only = block_type == "course" && name == "discussion_topics";
            if NEVER_WRITTEN.contains(&name.as_str()) || policy_only || kept(name) {
                continue;
            }
            let Some(field) = kind.field(name) else {
                continue;
            };
            if let Some(value) = block.settings.get(name) {
                let value = if field.kind.is_reference() {
                    self.references(value)
                } else {
                    value.clone()
                };
                body.set(name, clean(&values::to_attribute(field.kind, &value)));
            }
        }
        for (name, value) in &attributes {
            if !NEVER_WRITTEN.contains(&name.as_str()) {
                let text = values::to_attribute(FieldType::Any, value);
                set_clark(&mut body, name, clean(&text));
            }
        }
        let name = if block_type == "course" {
            self.export.key.run().to_owned()
        } else {
            name_to_pathname(&block.key.block_id)
        };
        let path = format!("{}{block_type}/{name}.xml", self.prefix);
        self.files.add(path, xml::to_pretty(&body));
        Ok(())
    }

    /// Adds a pointer or an inline block for each child to `body`.
    pub(super) fn children(
        &mut self,
        children: &[BlockKey],
        body: &mut Element,
    ) -> Result<(), Error> {
        let content = self.content;
        for key in children {
            let Some(child) = content.blocks.get(key) else {
                continue;
            };
            let mut node = Element::new(&*key.block_type);
            node.set("url_name", &*key.block_id);
            self.block(child, &mut node)?;
            body.push(node);
        }
        Ok(())
    }

    /// The default serialiser of blocks without a file (olx.md §3.2).
    fn pure(
        &mut self,
        block: &Block,
        kind: &'static BlockType,
        node: &mut Element,
    ) -> Result<(), Error> {
        block.key.block_type.as_ref().clone_into(&mut node.name);
        node.set("xblock-family", "xblock.v1");
        for field in &kind.fields {
            let scope = match field.scope {
                Scope::Settings => &block.settings,
                Scope::Content => &block.content,
                _ => continue,
            };
            let Some(value) = scope.get(field.name).filter(|_| field.name != "content") else {
                continue;
            };
            if value.is_null() && field.kind == FieldType::String {
                let mut option = Element::new(format!("ns0:{}", field.name));
                option
                    .declarations
                    .push(("ns0".to_owned(), OPTION_NAMESPACE.to_owned()));
                option.uri = Some(OPTION_NAMESPACE.into());
                option.set("none", "true");
                node.push(option);
                continue;
            }
            let value = if field.kind.is_reference() {
                self.references(value)
            } else {
                value.clone()
            };
            let text = if value.is_null() && field.kind.is_date() {
                String::new()
            } else {
                values::to_pure_attribute(field.kind, &value)
            };
            node.set(field.name, clean(&text));
        }
        if let Some(text) = block.content.get("content").and_then(Value::as_str) {
            node.text = Some(clean(text));
        }
        self.children(&block.children, node)
    }

    /// References in the deprecated spelling of this course (olx.md §8).
    pub(super) fn references(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::from(self.reference(text)),
            Value::Array(list) => list.iter().map(|item| self.references(item)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(name, item)| (name.clone(), self.references(item)))
                .collect(),
            other => other.clone(),
        }
    }

    pub(super) fn reference(&self, text: &str) -> String {
        let key = self.export.key;
        match UsageKey::parse(text) {
            Ok(usage) if key.is_library() => usage.to_string(),
            Ok(usage) => format!(
                "i4x://{}/{}/{}/{}",
                key.org(),
                key.course(),
                usage.block_type(),
                usage.block_id()
            ),
            Err(_) => text.to_owned(),
        }
    }

    /// The fault of a block that cannot be written.
    pub(super) fn unserialisable(&self, block: &Block, reason: impl Into<String>) -> Error {
        let usage = |key: &BlockKey| {
            let usage = self
                .export
                .key
                .make_usage_key(&key.block_type, &key.block_id);
            usage.map(|usage| usage.to_string()).unwrap_or_default()
        };
        let holder = self
            .content
            .blocks
            .values()
            .find(|holder| holder.children.contains(&block.key));
        Error::Unserialisable {
            usage: usage(&block.key),
            parent: holder.map(|holder| usage(&holder.key)).unwrap_or_default(),
            reason: reason.into(),
        }
    }
}

/// Text without what XML cannot hold.
fn clean(text: &str) -> String {
    crate::read::sanitised(text)
}

/// Sets an attribute whose name may be `{namespace}local`.
fn set_clark(element: &mut Element, name: &str, value: String) {
    let Some((uri, local)) = name.strip_prefix('{').and_then(|name| name.split_once('}')) else {
        if xml::is_attribute_name(name) {
            element.set(name, value);
        }
        return;
    };
    if uri == XML_NAMESPACE {
        element.set(&format!("xml:{local}"), value);
        return;
    }
    let known = element.declarations.iter().find(|(_, known)| known == uri);
    let prefix = if let Some((prefix, _)) = known {
        prefix.clone()
    } else {
        let prefix = format!("ns{}", element.declarations.len());
        element.declarations.push((prefix.clone(), uri.to_owned()));
        prefix
    };
    element.set(&format!("{prefix}:{local}"), value);
}
