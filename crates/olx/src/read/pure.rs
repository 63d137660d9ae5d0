//! Blocks that are written inline in their parents (olx.md §3.2).

use std::sync::Arc;

use course_model::{BlockKey, BlockType, Scope};
use serde_json::Value;

use super::Loader;
use super::loader::Definition;
use crate::error::Fault;
use crate::source::name_to_pathname;
use crate::values;
use crate::xml::{Element, Node};

/// Namespace of child elements that are fields.
pub(crate) const OPTION_NAMESPACE: &str = "http://code.edx.org/xblock/option";

impl Loader<'_, '_, '_> {
    pub(super) fn pure(
        &mut self,
        element: &Element,
        key: &BlockKey,
        kind: &'static BlockType,
        file: &Arc<str>,
    ) -> Result<Definition, Fault> {
        let mut read = Definition::default();
        for child in &element.children {
            match &child.node {
                Node::Comment(_) => {}
                Node::Instruction(_) => {
                    return Err(Fault::new(file, element.line, "an instruction in a block"));
                }
                Node::Element(inner) if inner.uri.as_deref() == Some(OPTION_NAMESPACE) => {
                    let name = inner.local_name();
                    let none = inner.get("none") == Some("true");
                    self.option(name, inner.text(), none, kind, &mut read, file, inner.line)?;
                }
                Node::Element(inner) => {
                    let line = inner.line;
                    let key = self.process(child, &element.declarations, file, true);
                    let key = match key {
                        Ok(key) => key,
                        // A library goes on without the child that fails (olx.md §11).
                        Err(fault) if kind.name == "library" => {
                            self.track(fault);
                            continue;
                        }
                        Err(fault) => return Err(fault),
                    };
                    if !kind.has_children {
                        let text = format!("{key}: a block of this type has no children");
                        return Err(Fault::new(file, line, text));
                    }
                    read.children.push(key);
                }
            }
        }
        for (name, value) in &element.attributes {
            self.option(name, value, false, kind, &mut read, file, element.line)?;
        }
        let text = element.text().trim();
        if !text.is_empty()
            && kind
                .field("content")
                .is_some_and(|field| field.scope == Scope::Content)
        {
            read.fields.insert("content".to_owned(), Value::from(text));
        }
        if &*key.block_type == "discussion" {
            self.legacy_discussion(key, kind, &mut read);
        }
        Ok(read)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one field with all that its fault has to name"
    )]
    fn option(
        &mut self,
        name: &str,
        text: &str,
        none: bool,
        kind: &'static BlockType,
        read: &mut Definition,
        file: &Arc<str>,
        line: u32,
    ) -> Result<(), Fault> {
        let Some(field) = kind.field(name) else {
            if !matches!(
                name,
                "url_name" | "xblock-family" | "org" | "library" | "slug"
            ) {
                self.remark(
                    file,
                    line,
                    format!("{} has no field {name}: dropped", kind.name),
                );
            }
            return Ok(());
        };
        let value = values::from_pure_attribute(field.kind, text, self.environment.clock)
            .map_err(|text| Fault::new(file, line, format!("{name}: {text}")))?;
        read.fields
            .insert(name.to_owned(), if none { Value::Null } else { value });
        Ok(())
    }

    /// Older courses keep discussions in files of their own (olx.md §7).
    fn legacy_discussion(
        &mut self,
        key: &BlockKey,
        kind: &'static BlockType,
        read: &mut Definition,
    ) {
        let path = format!("discussion/{}.xml", name_to_pathname(&key.block_id));
        if !self.folder.has(&path) {
            return;
        }
        let Ok((definition, _)) = self.load_file(&path) else {
            return;
        };
        for (name, value) in &definition.attributes {
            if let Some(field) = kind.field(name) {
                read.fields.insert(
                    name.clone(),
                    values::from_attribute(field.kind, value, self.environment.clock),
                );
            }
        }
        let policy = self.policy.get(&format!("discussion/{}", key.block_id));
        if let Some(Value::Object(policy)) = policy {
            for (name, value) in policy {
                if kind.field(name).is_some() {
                    read.fields.insert(name.clone(), value.clone());
                }
            }
        }
    }
}
