//! How much memory a snapshot takes.

use std::mem::size_of;

use serde_json::Value;

use super::{BlockIdx, CourseSnapshot, EditInfo, NameId, Node};
use crate::course::{Aside, BlockKey};

/// Bytes that a value holds beside itself. Objects are hash tables with their entries in order.
fn heap(value: &Value) -> usize {
    match value {
        Value::String(text) => text.capacity(),
        Value::Array(items) => {
            items.capacity() * size_of::<Value>() + items.iter().map(heap).sum::<usize>()
        }
        Value::Object(items) => {
            let entry = size_of::<(u64, String, Value)>() + size_of::<usize>() + 1;
            let texts: usize = items
                .iter()
                .map(|(key, value)| key.len() + heap(value))
                .sum();
            // Tables grow in powers of two, filled to seven eighths.
            (items.len() * 8 / 7 + 1).next_power_of_two().max(4) * entry + texts
        }
        _ => 0,
    }
}

/// Bytes of a shared text with its two counters.
fn shared(text: &str) -> usize {
    text.len() + 2 * size_of::<usize>()
}

impl CourseSnapshot {
    /// Bytes of memory that the snapshot holds, estimated from its parts: what a cache bounded in bytes
    /// counts. Block types, which all snapshots share, are left out.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let table_entry = size_of::<(BlockKey, BlockIdx)>() + 1;
        let mut bytes = size_of::<Self>();
        bytes += self.nodes.capacity() * (size_of::<Node>() + size_of::<EditInfo>());
        bytes += (self.index.capacity() * 8 / 7 + 1) * table_entry;
        bytes += self.rows.capacity() * size_of::<(NameId, Value)>();
        bytes += (self.children.capacity() + self.parents.capacity()) * size_of::<BlockIdx>();
        bytes += self.rows.iter().map(|row| heap(&row.1)).sum::<usize>();
        for node in &self.nodes {
            bytes += shared(node.usage_key.block_id());
            bytes += node.edit_info.original_usage.as_deref().map_or(0, str::len);
        }
        let names: usize = self.names.iter().map(|name| name.len() * 2 + 64).sum();
        let asides: usize = self
            .asides
            .values()
            .map(|asides| asides_bytes(asides))
            .sum();
        bytes + names + asides
    }
}

fn asides_bytes(asides: &[Aside]) -> usize {
    let fields = asides.iter().flat_map(|aside| &aside.fields);
    let values: usize = fields
        .map(|(name, value)| name.len() + heap(value) + 128)
        .sum();
    size_of_val(asides) + values
}
