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

/// The assets of a course folder: `static/`, then `static_import/`; of two with one name the last one.
pub(super) fn read(folder: &Folder<'_>) -> Vec<ImportedAsset> {
    let policy = folder
        .text("policies/assets.json")
        .ok()
        .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        .unwrap_or_default();
    let mut found: IndexMap<String, ImportedAsset> = IndexMap::new();
    for top in ["static/", "static_import/"] {
        for (path, data) in folder.files(top) {
            let file_name = path.rsplit('/').next().unwrap_or_default();
            if file_name.starts_with("._")
                || file_name == ".DS_Store"
                || file_name.ends_with('~')
                || path.starts_with("__MACOSX/")
            {
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
