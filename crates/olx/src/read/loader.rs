//! Reading definitions into memory: names, pointers, attributes, policies (olx.md §§2–4).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use course_model::block_types::block_type_or_hidden;
use course_model::{BlockKey, BlockType, Family, Fields, Scope, block_type};
use indexmap::IndexMap;
use opaque_keys::{CourseKey, UsageKey};
use serde_json::{Map, Value};

use super::{Environment, VideoRecord, course};
use crate::error::{Error, Fault, Warning};
use crate::source::{
    Folder, RootFile, SourceKey, is_block_id, is_pointer, name_to_pathname, read_xml, root_name,
};
use crate::values;
use crate::xml::{self, Child, Element};

/// Tags that became custom tags of that template (olx.md §7).
const TRANSLATED: [&str; 5] = ["book", "slides", "image", "discuss", "videodev"];

/// Attributes that are never fields (olx.md §3.1).
const NEVER_FIELDS: [&str; 10] = [
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

/// Blocks inside blocks, pointers followed. Real courses have less than ten.
const DEPTH: usize = 48;

/// Raw values of a block while it is read.
pub(crate) type Raw = IndexMap<String, Value>;

/// A block as loaded, by its key in the source.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    pub(crate) key: BlockKey,
    pub(crate) settings: Fields,
    pub(crate) content: Fields,
    pub(crate) children: Vec<BlockKey>,
    pub(crate) file: Arc<str>,
    pub(crate) line: u32,
}

impl Module {
    pub(crate) fn warning(&self, text: &str) -> Warning {
        Warning {
            fault: Fault::new(&self.file, self.line, format!("{}: {text}", self.key)),
            tracked: false,
        }
    }
}

/// What a definition gives.
#[derive(Default)]
pub(crate) struct Definition {
    pub(crate) fields: Raw,
    pub(crate) children: Vec<BlockKey>,
}

/// What remains of a loader: blocks, warnings, XML read so far, the environment, videos.
pub(crate) type Loaded<'l, 'e> = (
    IndexMap<BlockKey, Module>,
    Vec<Warning>,
    u64,
    &'l mut Environment<'e>,
    Vec<VideoRecord>,
);

/// Reads the definitions of one course, or those of its drafts.
pub(crate) struct Loader<'a, 'l, 'e> {
    /// Where definitions are: the course folder or its `drafts/`.
    pub(crate) folder: Folder<'a>,
    /// The course folder itself.
    pub(crate) course_folder: Folder<'a>,
    pub(crate) source: &'l SourceKey,
    pub(crate) target: &'l CourseKey,
    pub(crate) environment: &'l mut Environment<'e>,
    pub(crate) policy: Map<String, Value>,
    /// Drafts know no stand-in for unknown types (olx.md §9).
    pub(crate) draft: bool,
    pub(crate) modules: IndexMap<BlockKey, Module>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) videos: Vec<VideoRecord>,
    pub(crate) xml_bytes: u64,
    pub(super) used_names: HashMap<String, HashSet<String>>,
    depth: usize,
    fatal: Option<Error>,
}

impl<'a, 'l, 'e> Loader<'a, 'l, 'e> {
    pub(crate) fn new(
        folder: Folder<'a>,
        source: &'l SourceKey,
        target: &'l CourseKey,
        environment: &'l mut Environment<'e>,
    ) -> Self {
        Self {
            course_folder: folder.clone(),
            folder,
            source,
            target,
            environment,
            policy: Map::new(),
            draft: false,
            modules: IndexMap::new(),
            warnings: Vec::new(),
            videos: Vec::new(),
            xml_bytes: 0,
            used_names: HashMap::new(),
            depth: 0,
            fatal: None,
        }
    }

    /// Loads the root and all that it reaches; the key of the root.
    pub(crate) fn load(&mut self, root: RootFile) -> Result<BlockKey, Error> {
        let file: Arc<str> = root_name(self.source.library).into();
        for remark in root.remarks {
            self.track(Fault::new(&file, root.element.line, remark));
        }
        if let Some(run) = &root.policy_run {
            self.policy = self.load_policy(&format!("policies/{run}/policy.json"));
            if self.policy.is_empty() {
                self.policy = self.load_policy(&format!("policies/{run}.json"));
            }
        }
        let whole = Child {
            line: root.element.line,
            node: xml::Node::Element(root.element),
            tail: None,
        };
        self.process(&whole, &[], &file, false).map_err(Error::Root)
    }

    pub(crate) fn finish(self) -> Result<Loaded<'l, 'e>, Error> {
        match self.fatal {
            Some(error) => Err(error),
            None => Ok((
                self.modules,
                self.warnings,
                self.xml_bytes,
                self.environment,
                self.videos,
            )),
        }
    }

    fn load_policy(&mut self, path: &str) -> Map<String, Value> {
        if !self.folder.has(path) {
            return Map::new();
        }
        let read = self.folder.text(path).and_then(|text| {
            let at = |error: serde_json::Error| {
                Fault::new(&path.into(), error.line() as u32, error.to_string())
            };
            serde_json::from_str(&text).map_err(at)
        });
        match read {
            Ok(Value::Object(policy)) => policy,
            Ok(_) => Map::new(),
            Err(mut fault) => {
                fault.text = format!(
                    "ERROR: loading courselike policy from {path}: {}",
                    fault.text
                );
                self.track(fault);
                Map::new()
            }
        }
    }

    /// Remembers what the reference's error tracker would hold.
    pub(crate) fn track(&mut self, fault: Fault) {
        self.warnings.push(Warning {
            fault,
            tracked: true,
        });
    }

    /// Remembers a remark of our own.
    pub(crate) fn remark(&mut self, file: &Arc<str>, line: u32, text: impl Into<String>) {
        self.warnings.push(Warning {
            fault: Fault::new(file, line, text),
            tracked: false,
        });
    }

    fn spend(&mut self, file: &Arc<str>, bytes: usize) -> Result<(), Fault> {
        // A block costs something even when its text is short.
        self.xml_bytes += bytes as u64 + 64;
        let limit = self.folder.archive().limits().xml_total_bytes;
        if self.xml_bytes > limit {
            self.fatal
                .get_or_insert_with(|| Error::TooMuchXml(Arc::clone(file), limit));
            return Err(Fault::new(file, 0, "too much XML to read"));
        }
        Ok(())
    }

    /// A definition file as XML.
    pub(crate) fn load_file(&mut self, path: &str) -> Result<(Element, Arc<str>), Fault> {
        let file: Arc<str> = path.into();
        if let Some(Ok(bytes)) = self.folder.bytes(path) {
            self.spend(&file, bytes.len())?;
        }
        let element = read_xml(&self.folder, path).map_err(|mut fault| {
            fault.text = format!(
                "Unable to load file contents at path {path}: {}",
                fault.text
            );
            fault.syntax = false;
            fault
        })?;
        Ok((element, file))
    }

    /// Reads a child definition and all below it; its key. `bytes` stands for the parents that hand on
    /// ASCII: names from hashes differ there for other text.
    pub(crate) fn process(
        &mut self,
        child: &Child,
        declarations: &[(String, String)],
        file: &Arc<str>,
        bytes: bool,
    ) -> Result<BlockKey, Fault> {
        let limits = &self.folder.archive().limits().xml;
        let (element, text) = child.reparse(declarations, limits).map_err(|error| {
            let mut fault = Fault::new(file, error.line, error.message);
            fault.syntax = true;
            fault
        })?;
        self.process_element(element, &text, file, bytes)
    }

    pub(crate) fn process_element(
        &mut self,
        mut element: Element,
        text: &str,
        file: &Arc<str>,
        bytes: bool,
    ) -> Result<BlockKey, Fault> {
        self.spend(file, text.len())?;
        let line = element.line;
        if self.depth >= DEPTH {
            return Err(Fault::new(
                file,
                line,
                format!("more than {DEPTH} blocks inside each other"),
            ));
        }
        self.make_name_unique(&mut element, text, file, bytes);
        element.remove("xblock-family");
        let tag = element.tag();
        let url_name = element.get("url_name").unwrap_or_default().to_owned();
        if !is_block_id(&url_name) {
            return Err(Fault::new(
                file,
                line,
                format!("{tag}: no block id: {url_name:?}"),
            ));
        }
        if tag.contains(['{', '@', '+']) {
            return Err(Fault::new(file, line, format!("no block type: {tag}")));
        }
        self.drop_asides(&mut element, file);
        self.depth += 1;
        let read = self.construct(element, &tag, &url_name, file);
        self.depth -= 1;
        let mut module = match read? {
            Constructed::Block(module) => module,
            Constructed::Other(key) => return Ok(key),
        };
        if module.line == 0 {
            module.line = line;
        }
        let key = module.key.clone();
        self.modules.insert(key.clone(), module);
        Ok(key)
    }

    fn construct(
        &mut self,
        mut element: Element,
        tag: &str,
        url_name: &str,
        file: &Arc<str>,
    ) -> Result<Constructed, Fault> {
        let line = element.line;
        if TRANSLATED.contains(&tag) {
            self.track(Fault::new(
                file,
                line,
                format!("WARNING: the <{tag}> tag is deprecated. Instead, use <customtag impl=\"{tag}\" attr1=\"...\" attr2=\"...\"/>. "),
            ));
            "customtag".clone_into(&mut element.name);
            element.set("impl", tag);
            let text = xml::to_text(&element);
            return self
                .process_element(element, &text, file, true)
                .map(Constructed::Other);
        }
        let kind = match block_type(tag) {
            Some(kind) => kind,
            None if self.draft => {
                return Err(Fault::new(
                    file,
                    line,
                    format!("{tag}: unknown block type in a draft"),
                ));
            }
            None => block_type_or_hidden(tag),
        };
        let stored_type = if tag == "videoalpha" { "video" } else { tag };
        let key = BlockKey::new(stored_type, url_name);
        let mut place = (Arc::clone(file), line);
        let Definition { fields, children } = match tag {
            "video" | "videoalpha" => self.video(element, file, &mut place)?,
            "openassessment" => Self::openassessment(&element, file)?,
            _ if kind.family == Family::Pure => self.pure(&element, &key, kind, file)?,
            _ => self.file_based(element, &key, kind, file, &mut place)?,
        };
        let (file, line) = place;
        self.store(key, kind, fields, children, &file, line)
            .map(Constructed::Block)
    }

    /// Takes asides out of a definition and the `xblock-family` off its children. No aside type is known.
    fn drop_asides(&mut self, element: &mut Element, file: &Arc<str>) {
        let mut at = 0;
        while let Some(child) = element.children.get_mut(at) {
            let family = match &mut child.node {
                xml::Node::Element(inner) => inner.remove("xblock-family"),
                _ => None,
            };
            if family.as_deref() == Some("xblock_asides.v1") {
                let line = child.line;
                element.children.remove(at);
                self.remark(file, line, "an aside of unknown type is dropped");
            } else {
                at += 1;
            }
        }
    }

    /// The general reader of file-based blocks (olx.md §3.1, read order).
    fn file_based(
        &mut self,
        node: Element,
        key: &BlockKey,
        kind: &'static BlockType,
        file: &Arc<str>,
        place: &mut (Arc<str>, u32),
    ) -> Result<Definition, Fault> {
        let pointer = is_pointer(&node);
        let (definition, file, path) = if pointer {
            let path = format!("{}/{}.xml", key.block_type, name_to_pathname(&key.block_id));
            let (mut definition, file) = self.load_file(&path)?;
            self.drop_asides(&mut definition, &file);
            *place = (Arc::clone(&file), definition.line);
            (definition, file, Some(path))
        } else {
            (node, Arc::clone(file), None)
        };
        let line = definition.line;
        let mut attributes = Map::new();
        let mut metadata = Raw::new();
        metadata.insert("xml_attributes".to_owned(), Value::Null);
        for (name, value) in &definition.attributes {
            if NEVER_FIELDS.contains(&name.as_str()) {
                continue;
            }
            match kind.field(name) {
                Some(field) => {
                    metadata.insert(
                        name.clone(),
                        values::from_attribute(field.kind, value, self.environment.clock),
                    );
                }
                None => {
                    attributes.insert(name.clone(), Value::String(value.clone()));
                }
            }
        }
        let mut read = self.definition(definition, key, kind, &file)?;
        if let Some(path) = &path {
            read.filename = Value::from(vec![path.as_str(), path.as_str()]);
        }
        if let Some(text) = &read.meta {
            match serde_json::from_str::<Value>(text) {
                Ok(Value::Object(more)) => metadata.extend(more),
                _ => self.remark(&file, line, "<meta> holds no JSON object"),
            }
        }
        if let Some(Value::Object(policy)) = self
            .policy
            .get(&format!("{}/{}", key.block_type, key.block_id))
        {
            for (name, value) in policy {
                if kind.field(name).is_some() {
                    metadata.insert(name.clone(), value.clone());
                } else {
                    attributes.insert(name.clone(), value.clone());
                }
            }
        }
        // A policy may hold the attributes as a whole.
        let given = metadata.get_mut("xml_attributes").map(Value::take);
        let mut attributes = match given {
            Some(Value::Object(given)) => given,
            _ => attributes,
        };
        attributes.insert("filename".to_owned(), read.filename);
        metadata.insert("xml_attributes".to_owned(), Value::Object(attributes));
        metadata.extend(read.fields);
        metadata.shift_remove("filename");
        if *key.block_type == *"conditional" {
            super::kinds::conditional_sources(&mut metadata);
        }
        if *key.block_type == *"course" {
            course::complete(self, &mut metadata, &key.block_id, &file, line)?;
        }
        Ok(Definition {
            fields: metadata,
            children: read.children,
        })
    }

    /// Checks and converts the values of a block as the reference does when it makes keys of references:
    /// a value that does not convert drops the block.
    pub(crate) fn store(
        &mut self,
        key: BlockKey,
        kind: &'static BlockType,
        fields: Raw,
        children: Vec<BlockKey>,
        file: &Arc<str>,
        line: u32,
    ) -> Result<Module, Fault> {
        let mut module = Module {
            key,
            settings: Fields::new(),
            content: Fields::new(),
            children,
            file: Arc::clone(file),
            line,
        };
        for (name, value) in fields {
            let Some(field) = kind.field(&name) else {
                continue;
            };
            let value = if field.kind.is_reference() {
                self.references(value)
            } else if name == "xml_attributes" || kind.name == "openassessment" {
                // Open response blocks set their values in code: nulls stay.
                Ok(value)
            } else if let (true, Value::String(text)) = (field.kind.is_text(), &value)
                && text.len() > 256
            {
                Ok(Value::String(sanitised(text)))
            } else {
                values::normalise(field.kind, value, self.environment.clock)
                    .map_err(|error| error.to_string())
            };
            let value = value
                .map_err(|text| Fault::new(file, line, format!("{} {name}: {text}", module.key)))?;
            match field.scope {
                Scope::Settings => module.settings.insert(name, value),
                Scope::Content => module.content.insert(name, value),
                _ => None,
            };
        }
        Ok(module)
    }

    /// References, whatever course they name, become keys of the target (olx.md §8).
    fn references(&self, value: Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => {
                let key = UsageKey::parse(&text).map_err(|error| error.to_string())?;
                let place = self
                    .target
                    .make_usage_key(key.block_type(), key.block_id())
                    .map_err(|error| error.to_string())?;
                Value::String(place.to_string())
            }
            Value::Array(list) => Value::Array(
                list.into_iter()
                    .map(|item| self.references(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Object(map) => Value::Object(
                map.into_iter()
                    .map(|(name, item)| Ok((name, self.references(item)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => other,
        })
    }
}

enum Constructed {
    Block(Module),
    /// The node stood for a block that is stored already.
    Other(BlockKey),
}

/// Text fields hold no control characters (olx.md §4).
pub(crate) fn sanitised(text: &str) -> String {
    let bad = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    if text.contains(bad) {
        text.replace(bad, "")
    } else {
        text.to_owned()
    }
}
