//! What each file-based type makes of its definition (olx.md §7).

use std::sync::Arc;

use course_model::{BlockKey, BlockType, Scope};
use serde_json::{Map, Value, json};

use super::Loader;
use super::loader::Raw;
use crate::error::Fault;
use crate::source::name_to_pathname;
use crate::xml::{self, Child, Element, Node};

/// Attributes by which a conditional says what it waits for, in the order in which they are looked for.
const CONDITIONS: [&str; 5] = ["submitted", "attempted", "correct", "poll_answer", "voted"];

/// What a definition's body gives.
pub(super) struct Body {
    pub(super) fields: Raw,
    pub(super) children: Vec<BlockKey>,
    pub(super) filename: Value,
    /// Text of `<meta>`.
    pub(super) meta: Option<String>,
}

impl Body {
    fn new(filename: Value) -> Self {
        Self {
            fields: Raw::new(),
            children: Vec::new(),
            filename,
            meta: None,
        }
    }
}

/// How a parent takes the failure of a child.
#[derive(Clone, Copy, PartialEq)]
enum Tolerance {
    /// Any failure drops the child and is tracked.
    Any,
    /// Only a syntax error does; others drop the parent as well.
    Syntax,
}

impl Loader<'_, '_, '_> {
    /// Reads the body of a definition: its own element, or that of the file which `filename` names.
    pub(super) fn definition(
        &mut self,
        definition: Element,
        key: &BlockKey,
        kind: &'static BlockType,
        file: &Arc<str>,
    ) -> Result<Body, Fault> {
        let html = matches!(
            &*key.block_type,
            "html" | "about" | "course_info" | "static_tab"
        );
        let Some(name) = definition.get("filename").map(str::to_owned) else {
            let mut read = Body::new(json!(["", null]));
            let mut body = definition;
            if html {
                strip_settings(&mut body, kind);
                read.fields
                    .insert("data".to_owned(), Value::String(body.inner_xml()));
                return Ok(read);
            }
            read.meta = take_meta(&mut body);
            strip_settings(&mut body, kind);
            self.body(body, key, kind, file, &mut read)?;
            return Ok(read);
        };
        if html {
            return self.html_file(&name, key);
        }
        let mut path = format!("{}/{name}.xml", key.block_type);
        if *key.block_type == *"problem" && !self.folder.has(&path) {
            let short = format!("{name}.xml");
            let candidates = [format!("problems/{short}"), short];
            if let Some(found) = candidates.into_iter().find(|path| self.folder.has(path)) {
                path = found;
            }
        }
        let (mut body, body_file) = self.load_file(&path)?;
        for (attribute, value) in definition.attributes {
            body.set(&attribute, value);
        }
        let mut read = Body::new(json!([path, name]));
        read.meta = take_meta(&mut body);
        strip_settings(&mut body, kind);
        self.body(body, key, kind, &body_file, &mut read)?;
        Ok(read)
    }

    /// The raw text of an html block.
    fn html_file(&mut self, name: &str, key: &BlockKey) -> Result<Body, Fault> {
        let pointer = format!("html/{}", name_to_pathname(&key.block_id));
        let base = pointer.rsplit_once('/').map_or("", |(base, _)| base);
        let mut path = format!("{base}/{name}.html");
        if !self.folder.has(&path)
            && let Some(found) = html_candidates(&path)
                .into_iter()
                .find(|path| self.folder.has(path))
        {
            path = found;
        }
        let text = self.folder.text(&path).map_err(|mut fault| {
            fault.text = format!(
                "Unable to load file contents at path {path}: {}",
                fault.text
            );
            fault
        })?;
        let mut read = Body::new(json!([path, name]));
        read.fields.insert("data".to_owned(), Value::String(text));
        Ok(read)
    }

    fn body(
        &mut self,
        mut body: Element,
        key: &BlockKey,
        kind: &'static BlockType,
        file: &Arc<str>,
        read: &mut Body,
    ) -> Result<(), Fault> {
        let fields = &mut read.fields;
        match &*key.block_type {
            "course" => {
                super::course::definition(&mut body, fields);
                read.children = self.children(&body, file, Tolerance::Any, false)?;
            }
            "conditional" => read.children = self.conditional(&body, file, fields)?,
            "split_test" => read.children = self.split_test(&body, file, fields)?,
            "library_content" | "itembank" => {
                read.children = self.children(&body, file, Tolerance::Syntax, true)?;
                for (name, value) in &body.attributes {
                    fields.insert(name.clone(), Value::String(value.clone()));
                }
            }
            "poll_question" => poll_question(body, file, fields)?,
            "error" => {
                fields.insert("contents".to_owned(), Value::String(xml::to_text(&body)));
            }
            "word_cloud" | "lti" if body.children.is_empty() && body.attributes.is_empty() => {
                fields.insert("data".to_owned(), Value::String(String::new()));
            }
            _ if kind.has_children => {
                read.children = self.children(&body, file, Tolerance::Any, false)?;
            }
            _ => {
                fields.insert("data".to_owned(), Value::String(xml::to_pretty(&body)));
            }
        }
        Ok(())
    }

    fn children(
        &mut self,
        body: &Element,
        file: &Arc<str>,
        tolerance: Tolerance,
        bytes: bool,
    ) -> Result<Vec<BlockKey>, Fault> {
        let mut children = Vec::new();
        for child in &body.children {
            match self.process(child, &body.declarations, file, bytes) {
                Ok(key) => children.push(key),
                Err(fault) if tolerance == Tolerance::Any || fault.syntax => {
                    self.dropped(child, file, fault);
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(children)
    }

    /// Tracks what drops a child: a fault without line is told at the child's own place.
    fn dropped(&mut self, child: &Child, file: &Arc<str>, mut fault: Fault) {
        match &child.node {
            Node::Element(element) => {
                let tail = child.tail.as_deref().unwrap_or_default().trim();
                if fault.syntax && !tail.is_empty() && fault.file == *file {
                    let name = &element.name;
                    fault.text = format!("text after <{name}>: the block is dropped");
                }
            }
            _ => "a comment or instruction among blocks is dropped".clone_into(&mut fault.text),
        }
        if fault.line == 0 {
            fault.file = Arc::clone(file);
            fault.line = child.line;
        }
        fault.text = format!("ERROR: {}", fault.text);
        self.track(fault);
    }

    fn conditional(
        &mut self,
        body: &Element,
        file: &Arc<str>,
        fields: &mut Raw,
    ) -> Result<Vec<BlockKey>, Fault> {
        for condition in CONDITIONS {
            if let Some(value) = body.get(condition) {
                fields.insert("conditional_attr".to_owned(), Value::from(condition));
                fields.insert("conditional_value".to_owned(), Value::from(value));
            }
        }
        let mut children = Vec::new();
        let mut shown = Vec::new();
        for child in &body.children {
            if let Node::Element(show) = &child.node
                && show.is("show")
            {
                for source in sources(show.get("sources").unwrap_or_default()) {
                    let key = opaque_keys::UsageKey::parse(&source)
                        .map_err(|error| Fault::new(file, show.line, error.to_string()))?;
                    children.push(BlockKey::new(key.block_type(), key.block_id()));
                    shown.push(Value::String(source));
                }
                continue;
            }
            match self.process(child, &body.declarations, file, false) {
                Ok(key) => children.push(key),
                Err(fault) => self.dropped(child, file, fault),
            }
        }
        fields.insert("show_tag_list".to_owned(), Value::Array(shown));
        let message = body.get("message").unwrap_or_default();
        fields.insert("conditional_message".to_owned(), Value::from(message));
        Ok(children)
    }

    fn split_test(
        &mut self,
        body: &Element,
        file: &Arc<str>,
        fields: &mut Raw,
    ) -> Result<Vec<BlockKey>, Fault> {
        let Some(map) = body.get("group_id_to_child") else {
            return Err(Fault::new(
                file,
                body.line,
                "split_test without group_id_to_child",
            ));
        };
        let map = serde_json::from_str::<Value>(map)
            .map_err(|_| Fault::new(file, body.line, "group_id_to_child is not valid json"));
        let children = self.children(body, file, Tolerance::Any, true)?;
        fields.insert("group_id_to_child".to_owned(), map?);
        let partition = body.get("user_partition_id").map(str::to_owned);
        fields.insert("user_partition_id".to_owned(), Value::from(partition));
        Ok(children)
    }
}

/// A poll without answers is no poll; answers without id are ignored.
fn poll_question(mut body: Element, file: &Arc<str>, fields: &mut Raw) -> Result<(), Fault> {
    let mut answers = Vec::new();
    let mut any = false;
    while let Some(answer) = body.take("answer") {
        any = true;
        if let Some(id) = answer.get("id").filter(|id| !id.is_empty()) {
            answers.push(json!({"id": id, "text": answer.inner_xml()}));
        }
    }
    if !any {
        return Err(Fault::new(
            file,
            body.line,
            "Poll_question definition must include at least one 'answer' tag",
        ));
    }
    fields.insert("answers".to_owned(), Value::Array(answers));
    fields.insert("question".to_owned(), Value::String(body.inner_xml()));
    Ok(())
}

/// Sources of a conditional from its attribute, unless they are set already.
pub(super) fn conditional_sources(metadata: &mut Raw) {
    if metadata.contains_key("sources_list") {
        return;
    }
    let attributes = metadata.get("xml_attributes").and_then(Value::as_object);
    if let Some(Value::String(text)) = attributes.and_then(|map| map.get("sources")) {
        let list = sources(text).into_iter().map(Value::String).collect();
        metadata.insert("sources_list".to_owned(), Value::Array(list));
    }
}

fn sources(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split(';').map(|part| part.trim().to_owned()).collect()
}

/// Removes the attributes that are settings fields of the type.
pub(super) fn strip_settings(body: &mut Element, kind: &BlockType) {
    body.attributes.retain(|(name, _)| {
        kind.field(name)
            .is_none_or(|field| field.scope != Scope::Settings)
    });
}

fn take_meta(body: &mut Element) -> Option<String> {
    body.take("meta")?.text
}

/// Places where older courses keep the text of an html block (olx.md §7).
fn html_candidates(path: &str) -> Vec<String> {
    let mut path = path.to_owned();
    if let Some(stem) = path.strip_suffix(".html.xml") {
        path = format!("{stem}.html");
    }
    if let Some(stem) = path.strip_suffix(".html.html") {
        path = format!("{stem}.html");
    }
    let mut found = Vec::new();
    let mut rest = path.as_str();
    while let Some((_, after)) = rest.split_once('/') {
        found.push(rest.to_owned());
        rest = after;
    }
    let more: Vec<String> = found
        .iter()
        .filter_map(|path| path.strip_suffix(".xml").map(|stem| format!("{stem}.html")))
        .collect();
    found.extend(more);
    found
}

/// Fields that a type keeps as a JSON object, for the readers of single types.
pub(super) fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}
