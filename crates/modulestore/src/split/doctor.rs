//! Documents that nothing names any more: left by crashes between two engines, and by deleted courses.

use std::collections::{HashMap, HashSet};

use bson::oid::ObjectId;
use records::split_index;

use super::{Branch, ModuleStore, heads};
use crate::documents::Structure;
use crate::error::Result;

/// Documents read at once.
const PAGE: u32 = 1000;
/// Documents removed at once.
const REMOVE: usize = 500;

/// Documents that nothing names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unreferenced {
    /// Structures in the history of no course.
    pub structures: Vec<ObjectId>,
    /// Definitions that no structure names.
    pub definitions: Vec<ObjectId>,
    /// Bytes of no file.
    pub uploads: Vec<ObjectId>,
    /// Courses whose row names a structure that does not exist.
    pub dangling: Vec<String>,
}

impl Unreferenced {
    /// Whether nothing is to be removed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.structures.is_empty() && self.definitions.is_empty() && self.uploads.is_empty()
    }
}

impl ModuleStore {
    /// Looks for documents that nothing names and that are older than `before` (seconds since 1970):
    /// younger ones may belong to a write that is still going on. Reads every structure that is kept.
    pub async fn unreferenced(&self, before: i64) -> Result<Unreferenced> {
        let store = &self.inner.store;
        // Ids are listed before the rows are read: what a write makes meanwhile is younger than `before`.
        let mut previous: HashMap<ObjectId, Option<ObjectId>> = HashMap::new();
        let mut after = None;
        loop {
            let page = store.list_structures(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            previous.extend(page.iter().map(|link| (link.id, link.previous_version)));
        }
        let mut found = Unreferenced::default();
        let mut named = HashSet::new();
        for row in split_index::list(&self.inner.db, None).await? {
            for branch in [Branch::Draft, Branch::Published] {
                let Some(head) = heads::head(&row, branch) else {
                    continue;
                };
                if !previous.contains_key(&head) && store.structure(head).await?.is_none() {
                    found.dangling.push(row.course_id.clone());
                }
                let mut version = Some(head);
                while let Some(id) = version.filter(|id| named.insert(*id)) {
                    version = previous.get(&id).copied().flatten();
                }
            }
        }
        found.dangling.dedup();
        let old = |id: &ObjectId| id.timestamp().timestamp_millis() / 1000 < before;
        let mut used = HashSet::new();
        for id in previous.keys() {
            if !named.contains(id) && old(id) {
                found.structures.push(*id);
            } else if let Some(doc) = store.structure(*id).await? {
                used.extend(Structure::from_document(&doc)?.definition_ids());
            }
        }
        found.structures.sort_unstable();
        let mut after = None;
        loop {
            let page = store.list_definitions(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            found
                .definitions
                .extend(page.iter().filter(|id| !used.contains(*id) && old(id)));
        }
        found.uploads = store.abandoned_uploads(before).await?;
        Ok(found)
    }

    /// Removes what [`Self::unreferenced`] found.
    pub async fn remove_unreferenced(&self, found: &Unreferenced) -> Result<()> {
        let store = &self.inner.store;
        for ids in found.structures.chunks(REMOVE) {
            store.delete_structures(ids).await?;
        }
        for ids in found.definitions.chunks(REMOVE) {
            store.delete_definitions(ids).await?;
        }
        for ids in found.uploads.chunks(REMOVE) {
            store.delete_uploads(ids).await?;
        }
        Ok(())
    }
}
