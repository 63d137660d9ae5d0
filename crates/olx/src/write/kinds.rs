//! What each file-based type writes as its definition (olx.md §7).

use course_model::fields::json_dumps;
use course_model::{Block, BlockType, Scope};
use serde_json::{Map, Value};

use super::Writer;
use crate::error::Error;
use crate::source::name_to_pathname;
use crate::values;
use crate::xml::{self, Element};

impl Writer<'_, '_> {
    /// The body of a block's file; `None` when it has nothing to say and only its pointer remains.
    pub(super) fn body(
        &mut self,
        block: &Block,
        kind: &'static BlockType,
        attributes: &mut Map<String, Value>,
    ) -> Result<Option<Element>, Error> {
        let block_type = &*block.key.block_type;
        let mut body = Element::new(block_type);
        match block_type {
            "course" => {
                self.children(&block.children, &mut body)?;
                course(block, &mut body);
            }
            "html" | "about" | "course_info" | "static_tab" => {
                let path = name_to_pathname(&block.key.block_id);
                let file = format!("{}{block_type}/{path}.html", self.prefix);
                let data = text(block, kind, "data");
                self.files.add(file, data);
                body.set("filename", path.rsplit('/').next().unwrap_or_default());
            }
            "video" => return Ok(Some(self.video(block, kind))),
            "poll_question" => return Ok(Some(poll_question(block, kind))),
            "conditional" => self.conditional(block, kind, attributes, &mut body)?,
            "split_test" => {
                let map = block.content.get("group_id_to_child");
                let map = map.map(|map| self.references(map)).unwrap_or_default();
                body.set("group_id_to_child", json_dumps(&map));
                let partition = block.content.get("user_partition_id");
                let partition = partition.cloned().unwrap_or_else(|| Value::from(-1));
                body.set("user_partition_id", plain_text(&partition));
                self.children(&block.children, &mut body)?;
            }
            "library_content" | "itembank" => {
                self.children(&block.children, &mut body)?;
                for field in kind
                    .fields
                    .iter()
                    .filter(|field| field.scope == Scope::Content)
                {
                    if let Some(value) = block.content.get(field.name) {
                        body.set(field.name, plain_text(value));
                    }
                }
            }
            "word_cloud" | "lti" => {
                let data = text(block, kind, "data");
                if !data.is_empty() {
                    return self.raw(block, &data).map(Some);
                }
            }
            "error" => {
                let contents = text(block, kind, "contents");
                let limits = xml::XmlLimits::default();
                if let Ok(element) = xml::parse(&contents, &limits) {
                    body = element;
                } else {
                    body.text = Some(contents);
                    let mut message = Element::new("error_msg");
                    message.text = Some(text(block, kind, "error_msg"));
                    body.push(message);
                }
            }
            _ if kind.has_children => self.children(&block.children, &mut body)?,
            _ => {
                let data = text(block, kind, "data");
                if data.is_empty() {
                    return Ok(None);
                }
                return self.raw(block, &data).map(Some);
            }
        }
        Ok(Some(body))
    }

    /// The stored element of a raw block.
    fn raw(&self, block: &Block, data: &str) -> Result<Element, Error> {
        xml::parse(data, &xml::XmlLimits::default())
            .map_err(|error| self.unserialisable(block, error.to_string()))
    }

    fn conditional(
        &mut self,
        block: &Block,
        kind: &'static BlockType,
        attributes: &mut Map<String, Value>,
        body: &mut Element,
    ) -> Result<(), Error> {
        let list = |writer: &Self, name: &str| -> Vec<String> {
            let list = block.content.get(name).and_then(Value::as_array);
            let texts = list.into_iter().flatten().filter_map(Value::as_str);
            texts.map(|text| writer.reference(text)).collect()
        };
        let shown = list(self, "show_tag_list");
        // What is shown is named twice: by its pointer among the children and by `<show>`.
        self.children(&block.children, body)?;
        if !shown.is_empty() {
            let mut show = Element::new("show");
            show.set("sources", shown.join(";"));
            body.push(show);
        }
        let sources = list(self, "sources_list").join(";");
        attributes.insert("sources".to_owned(), Value::from(sources));
        let value = text(block, kind, "conditional_value");
        attributes.insert(text(block, kind, "conditional_attr"), Value::from(value));
        let message = text(block, kind, "conditional_message");
        attributes.insert("message".to_owned(), Value::from(message));
        Ok(())
    }
}

/// Question and answers go out as text: their markup is escaped.
fn poll_question(block: &Block, kind: &'static BlockType) -> Element {
    let mut body = Element::new("poll_question");
    let written = |text: String| (!text.is_empty()).then_some(text);
    body.text = written(text(block, kind, "question"));
    let answers = block.content.get("answers").and_then(Value::as_array);
    for answer in answers.into_iter().flatten() {
        let part = |name: &str| answer.get(name).map(plain_text).unwrap_or_default();
        let mut element = Element::new("answer");
        element.set("id", part("id"));
        element.text = written(part("text"));
        body.push(element);
    }
    body
}

/// Textbooks (all in one element, so that the last survives), wiki and licence.
fn course(block: &Block, body: &mut Element) {
    let field = |name: &str| block.content.get(name).or_else(|| block.settings.get(name));
    let textbooks = field("textbooks").and_then(Value::as_array);
    if let Some(textbooks) = textbooks.filter(|list| !list.is_empty()) {
        let mut element = Element::new("textbook");
        for textbook in textbooks {
            let part = |at: usize| textbook.get(at).map(plain_text).unwrap_or_default();
            element.set("title", part(0));
            element.set("book_url", part(1));
        }
        body.push(element);
    }
    if let Some(license) = field("license").and_then(Value::as_str)
        && !license.is_empty()
    {
        body.set("license", license);
    }
    if let Some(slug) = field("wiki_slug").and_then(Value::as_str) {
        let mut wiki = Element::new("wiki");
        wiki.set("slug", slug);
        body.push(wiki);
    }
}

/// A text field's value, or its default.
pub(super) fn text(block: &Block, kind: &'static BlockType, name: &str) -> String {
    let value = block.settings.get(name).or_else(|| block.content.get(name));
    match value.or_else(|| kind.field(name).map(|field| &field.default)) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

/// Python's `str` of a value.
pub(super) fn plain_text(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => values::to_attribute(course_model::FieldType::Any, other),
    }
}
