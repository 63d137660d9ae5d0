//! Structure documents: the blocks of one branch of a course (courseware.md §2.2).

use std::collections::HashSet;
use std::sync::Arc;

use bson::raw::{RawArray, RawArrayBuf, RawBsonRef, cstr};
use bson::{DateTime, RawBson, RawDocument, RawDocumentBuf, oid::ObjectId};
use course_model::BlockKey;
use indexmap::IndexMap;

use super::{
    SCHEMA_VERSION, Stamp, append_id, append_integer, append_text, date, integer, malformed,
    optional_id,
};
use crate::error::{Error, Result};

/// One version of one branch. Never changed once stored: edits make a new one.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    /// Its id, the `course_version` of the APIs.
    pub id: ObjectId,
    /// Address of the root block.
    pub root: BlockKey,
    /// The version that this one was made from.
    pub previous_version: Option<ObjectId>,
    /// The first version of the chain.
    pub original_version: ObjectId,
    /// Who made it.
    pub edited_by: i64,
    /// When it was made.
    pub edited_on: DateTime,
    /// All blocks. Copies of a structure share those that neither has changed.
    pub blocks: IndexMap<BlockKey, Arc<StructureBlock>>,
    /// Further keys of the document as stored, as `assets`.
    pub other: RawDocumentBuf,
}

/// One block of a structure.
#[derive(Debug, Clone, PartialEq)]
pub struct StructureBlock {
    /// Explicitly set values of settings scope, without `children`.
    pub fields: RawDocumentBuf,
    /// Children in order. Absent where the block has never had any and was never copied.
    pub children: Option<Vec<BlockKey>>,
    /// Id of the definition that holds the values of content scope.
    pub definition: ObjectId,
    /// Settings that a library supplied.
    pub defaults: RawDocumentBuf,
    /// Asides, each `{aside_type, fields}`.
    pub asides: Vec<RawDocumentBuf>,
    /// Where this version of the block comes from.
    pub edit_info: EditInfo,
}

/// History of a block (courseware.md §2.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EditInfo {
    /// The former `update_version`.
    pub previous_version: Option<ObjectId>,
    /// Structure in which the block last changed.
    pub update_version: Option<ObjectId>,
    /// In copies: the version of the block that was copied.
    pub source_version: Option<ObjectId>,
    /// When it last changed.
    pub edited_on: Option<DateTime>,
    /// Who changed it.
    pub edited_by: Option<i64>,
    /// In copies from a library: usage key of the library's block, without branch.
    pub original_usage: Option<String>,
    /// In copies from a library: version of the library's block.
    pub original_usage_version: Option<ObjectId>,
}

impl EditInfo {
    /// The version by which drafts and published blocks are compared.
    #[must_use]
    pub fn version(&self) -> Option<ObjectId> {
        self.source_version.or(self.update_version)
    }
}

impl StructureBlock {
    /// A new block, first seen in structure `version`.
    #[must_use]
    pub fn new(
        definition: ObjectId,
        fields: RawDocumentBuf,
        version: ObjectId,
        stamp: Stamp,
    ) -> Self {
        Self {
            fields,
            children: None,
            definition,
            defaults: RawDocumentBuf::new(),
            asides: Vec::new(),
            edit_info: EditInfo {
                update_version: Some(version),
                edited_on: Some(stamp.now),
                edited_by: Some(stamp.user_id),
                ..EditInfo::default()
            },
        }
    }

    /// Children in order.
    #[must_use]
    pub fn children(&self) -> &[BlockKey] {
        self.children.as_deref().unwrap_or_default()
    }

    /// Notes that the block changes in structure `version`. A block changes once in a version, however
    /// often it is edited while that version is made.
    pub fn touch(&mut self, version: ObjectId, stamp: Stamp) {
        if self.edit_info.update_version != Some(version) {
            self.edit_info.previous_version = self.edit_info.update_version;
            self.edit_info.update_version = Some(version);
            self.edit_info.edited_on = Some(stamp.now);
            self.edit_info.edited_by = Some(stamp.user_id);
        }
    }
}

impl Structure {
    /// The first structure of a branch, with only its root block.
    #[must_use]
    pub fn first(id: ObjectId, root: BlockKey, block: StructureBlock, stamp: Stamp) -> Self {
        Self {
            id,
            previous_version: None,
            original_version: id,
            edited_by: stamp.user_id,
            edited_on: stamp.now,
            blocks: IndexMap::from([(root.clone(), Arc::new(block))]),
            root,
            other: RawDocumentBuf::new(),
        }
    }

    /// The structure that follows this one, so far with the same blocks.
    #[must_use]
    pub fn next(&self, id: ObjectId, stamp: Stamp) -> Self {
        Self {
            id,
            previous_version: Some(self.id),
            edited_by: stamp.user_id,
            edited_on: stamp.now,
            ..self.clone()
        }
    }

    /// The block at `key`.
    #[must_use]
    pub fn block(&self, key: &BlockKey) -> Option<&StructureBlock> {
        self.blocks.get(key).map(Arc::as_ref)
    }

    /// The block at `key`, for changing.
    pub fn block_mut(&mut self, key: &BlockKey) -> Result<&mut StructureBlock> {
        self.blocks
            .get_mut(key)
            .map(Arc::make_mut)
            .ok_or_else(|| Error::BlockNotFound(key.clone()))
    }

    /// Blocks that list `key` among their children, in stored order.
    #[must_use]
    pub fn parents(&self, key: &BlockKey) -> Vec<BlockKey> {
        self.blocks
            .iter()
            .filter(|(_, block)| block.children().contains(key))
            .map(|(parent, _)| parent.clone())
            .collect()
    }

    /// `root` and all blocks below it, parents first, each once.
    #[must_use]
    pub fn subtree(&self, root: &BlockKey) -> Vec<BlockKey> {
        let mut seen = HashSet::new();
        let mut stack = vec![root.clone()];
        let mut order = Vec::new();
        while let Some(key) = stack.pop() {
            let Some(block) = self.block(&key) else {
                continue;
            };
            if seen.insert(key.clone()) {
                stack.extend(block.children().iter().rev().cloned());
                order.push(key);
            }
        }
        order
    }

    /// Ids of all definitions that the structure names, each once.
    #[must_use]
    pub fn definition_ids(&self) -> Vec<ObjectId> {
        let mut seen = HashSet::new();
        self.blocks
            .values()
            .map(|block| block.definition)
            .filter(|id| seen.insert(*id))
            .collect()
    }

    /// The document, keys in the platform's order.
    #[must_use]
    pub fn to_document(&self) -> RawDocumentBuf {
        let mut doc = RawDocumentBuf::new();
        doc.append(cstr!("_id"), self.id);
        doc.append(cstr!("root"), pair(&self.root));
        append_id(&mut doc, cstr!("previous_version"), self.previous_version);
        doc.append(cstr!("original_version"), self.original_version);
        append_integer(&mut doc, cstr!("edited_by"), self.edited_by);
        doc.append(cstr!("edited_on"), self.edited_on);
        let blocks: RawArrayBuf = self
            .blocks
            .iter()
            .map(|(key, block)| block_document(key, block))
            .collect();
        doc.append(cstr!("blocks"), blocks);
        doc.append(cstr!("schema_version"), SCHEMA_VERSION);
        copy_into(&mut doc, &self.other);
        doc
    }

    /// Reads a stored document. Unknown keys of the structure are kept, unknown keys of blocks are not.
    pub fn from_document(doc: &RawDocument) -> Result<Self> {
        let id = doc
            .get_object_id("_id")
            .map_err(|error| malformed("structure", "?", error))?;
        Self::read(id, doc).map_err(|error| match error {
            Error::Malformed { reason, .. } => malformed("structure", id, reason),
            other => malformed("structure", id, other),
        })
    }

    fn read(id: ObjectId, doc: &RawDocument) -> Result<Self> {
        let mut structure = Self {
            id,
            root: BlockKey::course_root(),
            previous_version: None,
            original_version: id,
            edited_by: 0,
            edited_on: DateTime::from_millis(0),
            blocks: IndexMap::new(),
            other: RawDocumentBuf::new(),
        };
        let mut names = Interner::default();
        for element in doc {
            let (key, value) = element?;
            match key.as_str() {
                "_id" | "schema_version" => {}
                "root" => {
                    structure.root = value
                        .as_array()
                        .and_then(|array| names.pair(array))
                        .ok_or_else(|| malformed("structure", id, "root is no pair"))?;
                }
                "previous_version" => structure.previous_version = optional_id(value),
                "original_version" => structure.original_version = optional_id(value).unwrap_or(id),
                "edited_by" => structure.edited_by = integer(value).unwrap_or_default(),
                "edited_on" => structure.edited_on = date(value).unwrap_or(structure.edited_on),
                "blocks" => {
                    let blocks = value
                        .as_array()
                        .ok_or_else(|| malformed("structure", id, "blocks is no list"))?;
                    for block in blocks {
                        let Some(block) = block?.as_document() else {
                            return Err(malformed("structure", id, "block is no document"));
                        };
                        let (key, block) = read_block(block, &mut names)?;
                        structure.blocks.insert(key, Arc::new(block));
                    }
                }
                _ => structure.other.append(key, value),
            }
        }
        Ok(structure)
    }
}

/// One `Arc<str>` for each distinct text: every id stands in its block and in its parent.
#[derive(Default)]
struct Interner(HashSet<Arc<str>>);

impl Interner {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(text);
        self.0.insert(Arc::clone(&new));
        new
    }

    /// A `[type, id]` pair.
    fn pair(&mut self, array: &RawArray) -> Option<BlockKey> {
        let mut parts = array.into_iter();
        let block_type = parts.next()?.ok()?.as_str()?;
        let block_id = parts.next()?.ok()?.as_str()?;
        Some(BlockKey {
            block_type: self.text(block_type),
            block_id: self.text(block_id),
        })
    }
}

fn read_block(doc: &RawDocument, names: &mut Interner) -> Result<(BlockKey, StructureBlock)> {
    let mut block_type = None;
    let mut block_id = None;
    let mut definition = None;
    let mut block = StructureBlock {
        fields: RawDocumentBuf::new(),
        children: None,
        definition: ObjectId::from_bytes([0; 12]),
        defaults: RawDocumentBuf::new(),
        asides: Vec::new(),
        edit_info: EditInfo::default(),
    };
    for element in doc {
        let (key, value) = element?;
        match key.as_str() {
            "block_type" => block_type = value.as_str().map(|text| names.text(text)),
            "block_id" => block_id = value.as_str().map(|text| names.text(text)),
            "definition" => definition = optional_id(value),
            "fields" => {
                if let Some(fields) = value.as_document() {
                    (block.fields, block.children) = read_fields(fields, names)?;
                }
            }
            "defaults" => {
                if let Some(defaults) = value.as_document() {
                    block.defaults = defaults.to_owned();
                }
            }
            // `{}` where there are none, a list where there are.
            "asides" => {
                if let Some(asides) = value.as_array() {
                    for aside in asides {
                        if let Some(aside) = aside?.as_document() {
                            block.asides.push(aside.to_owned());
                        }
                    }
                }
            }
            "edit_info" => {
                if let Some(info) = value.as_document() {
                    block.edit_info = read_edit_info(info)?;
                }
            }
            _ => {}
        }
    }
    let (Some(block_type), Some(block_id)) = (block_type, block_id) else {
        return Err(malformed("structure", "?", "block without type or id"));
    };
    let key = BlockKey {
        block_type,
        block_id,
    };
    block.definition = definition
        .ok_or_else(|| malformed("structure", "?", format!("{key} has no definition")))?;
    Ok((key, block))
}

fn read_fields(
    fields: &RawDocument,
    names: &mut Interner,
) -> Result<(RawDocumentBuf, Option<Vec<BlockKey>>)> {
    let mut children = None;
    let mut rest = RawDocumentBuf::new();
    for element in fields {
        let (key, value) = element?;
        if key.as_str() == "children" {
            if let Some(array) = value.as_array() {
                let mut list = Vec::new();
                for child in array {
                    // A child that is no pair names nothing and is left out.
                    if let Some(child) = child?.as_array().and_then(|pair| names.pair(pair)) {
                        list.push(child);
                    }
                }
                children = Some(list);
            }
        } else {
            rest.append(key, value);
        }
    }
    Ok((rest, children))
}

fn read_edit_info(doc: &RawDocument) -> Result<EditInfo> {
    let mut info = EditInfo::default();
    for element in doc {
        let (key, value) = element?;
        match key.as_str() {
            "previous_version" => info.previous_version = optional_id(value),
            "update_version" => info.update_version = optional_id(value),
            "source_version" => info.source_version = optional_id(value),
            "edited_on" => info.edited_on = date(value),
            "edited_by" => info.edited_by = integer(value),
            "original_usage" => info.original_usage = value.as_str().map(str::to_owned),
            "original_usage_version" => info.original_usage_version = optional_id(value),
            _ => {}
        }
    }
    Ok(info)
}

/// Appends all elements of `from`.
fn copy_into(doc: &mut RawDocumentBuf, from: &RawDocument) {
    for (key, value) in from.into_iter().flatten() {
        doc.append(key, value);
    }
}

/// `[type, id]`, as references are stored.
pub(crate) fn pair(key: &BlockKey) -> RawArrayBuf {
    let mut pair = RawArrayBuf::new();
    pair.push(&*key.block_type);
    pair.push(&*key.block_id);
    pair
}

fn block_document(key: &BlockKey, block: &StructureBlock) -> RawDocumentBuf {
    let mut doc = RawDocumentBuf::new();
    match &block.children {
        Some(children) => {
            let mut fields = block.fields.clone();
            fields.append(
                cstr!("children"),
                children.iter().map(pair).collect::<RawArrayBuf>(),
            );
            doc.append(cstr!("fields"), fields);
        }
        None => doc.append(cstr!("fields"), &block.fields),
    }
    doc.append(cstr!("block_type"), &*key.block_type);
    doc.append(cstr!("definition"), block.definition);
    doc.append(cstr!("defaults"), &block.defaults);
    if block.asides.is_empty() {
        doc.append(cstr!("asides"), RawDocumentBuf::new());
    } else {
        doc.append(
            cstr!("asides"),
            block.asides.iter().cloned().collect::<RawArrayBuf>(),
        );
    }
    let info = &block.edit_info;
    let mut edit_info = RawDocumentBuf::new();
    append_id(
        &mut edit_info,
        cstr!("previous_version"),
        info.previous_version,
    );
    append_id(&mut edit_info, cstr!("update_version"), info.update_version);
    append_id(&mut edit_info, cstr!("source_version"), info.source_version);
    match info.edited_on {
        Some(date) => edit_info.append(cstr!("edited_on"), date),
        None => edit_info.append(cstr!("edited_on"), RawBson::Null),
    }
    match info.edited_by {
        Some(user) => append_integer(&mut edit_info, cstr!("edited_by"), user),
        None => edit_info.append(cstr!("edited_by"), RawBson::Null),
    }
    append_text(
        &mut edit_info,
        cstr!("original_usage"),
        info.original_usage.as_deref(),
    );
    append_id(
        &mut edit_info,
        cstr!("original_usage_version"),
        info.original_usage_version,
    );
    doc.append(cstr!("edit_info"), edit_info);
    doc.append(cstr!("block_id"), &*key.block_id);
    doc
}

/// True for values that a reference can be: kept here beside [`pair`], its writer.
pub(crate) fn read_pair(value: RawBsonRef<'_>) -> Option<(&str, &str)> {
    let mut parts = value.as_array()?.into_iter();
    let block_type = parts.next()?.ok()?.as_str()?;
    let block_id = parts.next()?.ok()?.as_str()?;
    parts.next().is_none().then_some((block_type, block_id))
}
