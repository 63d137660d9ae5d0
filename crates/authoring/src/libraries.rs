//! Library content in imported courses: where the library is here, its blocks go over those of the archive
//! (olx.md §7, §15.46).

use std::sync::Arc;

use course_model::{BlockKey, CourseContent};
use modulestore::documents::{Stamp, Structure, StructureBlock};
use modulestore::operations::LibraryCopy;
use modulestore::{Branch, ModuleStore};
use opaque_keys::CourseKey;
use serde_json::Value;

use crate::Result;

/// A block whose children come from a library.
pub(crate) struct Sync {
    block: BlockKey,
    library: CourseKey,
    source: Arc<Structure>,
    /// Whether the archive publishes the block.
    published: bool,
}

/// The blocks to fill: of a library that is here, and not published in the target before. They get the version
/// of the library. Those that take only some types of problems keep what the archive gives them.
pub(crate) async fn wanted(
    store: &ModuleStore,
    target: &CourseKey,
    published: &mut CourseContent,
    draft: &mut CourseContent,
) -> Result<Vec<Sync>> {
    let candidates: Vec<(BlockKey, CourseKey)> = draft
        .blocks
        .values()
        .filter(|block| &*block.key.block_type == "library_content")
        .filter_map(|block| {
            let text = |name: &str| block.settings.get(name).and_then(Value::as_str);
            let every_type = text("capa_type").is_none_or(|kind| kind.is_empty() || kind == "any");
            let library = CourseKey::parse(text("source_library_id")?).ok()?;
            (every_type && library.is_library()).then(|| (block.key.clone(), library))
        })
        .collect();
    if candidates.is_empty() || target.is_library() {
        return Ok(Vec::new());
    }
    let before = store.structure(target, Branch::Published).await?;
    let mut found = Vec::new();
    for (key, library) in candidates {
        let known = before
            .as_ref()
            .is_some_and(|structure| structure.block(&key).is_some());
        if known {
            continue;
        }
        let Some(source) = store.structure(&library, Branch::Draft).await? else {
            continue;
        };
        let version = Value::from(source.id.to_hex());
        for content in [&mut *published, &mut *draft] {
            if let Some(block) = content.blocks.get_mut(&key) {
                let name = "source_library_version".to_owned();
                block.settings.insert(name, version.clone());
            }
        }
        found.push(Sync {
            published: published.blocks.contains_key(&key),
            block: key,
            library,
            source,
        });
    }
    Ok(found)
}

/// Fills the blocks, all in one step.
pub(crate) async fn copy(
    store: &ModuleStore,
    target: &CourseKey,
    wanted: &[Sync],
    stamp: Stamp,
) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let edit = store.edit(target, stamp, &[], |edit, _| {
        for sync in wanted {
            let root = sync.source.block(&sync.source.root);
            let copy = LibraryCopy {
                library: &sync.library,
                source: &sync.source,
                blocks: root.map(StructureBlock::children).unwrap_or_default(),
            };
            edit.copy_from_library(copy, &sync.block)?;
            if sync.published {
                edit.publish(&sync.block)?;
            }
        }
        Ok(())
    });
    Ok(edit.await?)
}
