//! Static files (olx.md §12).

use indexmap::IndexMap;
use opaque_keys::is_word_char;
use serde_json::Value;

use super::ImportedAsset;
use super::mime;
use crate::source::Folder;

/// Block id of the asset at a path below `static/`.
#[must_use]
pub(crate) fn asset_name(path: &str) -> String {
    path.chars()
        .map(|c| {
            if is_word_char(c) || matches!(c, '.' | '%' | '-') {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Parts of a path in the order in which folders are walked: their own files before their subfolders.
fn walk_order(path: &str) -> impl Iterator<Item = (bool, &str)> {
    let count = path.split('/').count();
    path.split('/')
        .enumerate()
        .map(move |(at, part)| (at + 1 < count, part))
}

/// The assets of a course folder: `static/`, then `static_import/`; of two with one name the last one.
pub(super) fn read(folder: &Folder<'_>) -> Vec<ImportedAsset> {
    let policy = folder
        .text("policies/assets.json")
        .ok()
        .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        .unwrap_or_default();
    let mut found: IndexMap<String, ImportedAsset> = IndexMap::new();
    for top in ["static/", "static_import/"] {
        let mut files = folder.files(top);
        files.sort_by(|(a, _), (b, _)| walk_order(a).cmp(walk_order(b)));
        for (path, data) in files {
            let file_name = path.rsplit('/').next().unwrap_or_default();
            if file_name.starts_with("._") || file_name == ".DS_Store" || file_name.ends_with('~') {
                continue;
            }
            let name = asset_name(&path);
            let entry = policy.get(&name);
            let text = |key: &str| {
                entry
                    .and_then(|entry| entry.get(key))
                    .and_then(Value::as_str)
            };
            let displayname = text("displayname")
                .unwrap_or(file_name)
                .replace(['/', '\\'], "_");
            let locked = entry.and_then(|entry| entry.get("locked")) == Some(&Value::Bool(true));
            let content_type = text("contentType")
                .filter(|kind| mime::is_registered(kind))
                .map(str::to_owned)
                .or_else(|| mime::guess(file_name).map(str::to_owned));
            found.insert(
                name.clone(),
                ImportedAsset {
                    name,
                    displayname,
                    locked,
                    content_type,
                    import_path: path,
                    data: data.clone(),
                },
            );
        }
    }
    found.into_values().collect()
}
