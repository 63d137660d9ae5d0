//! Where asset files go, and their policy (olx.md §12).

use opaque_keys::CourseKey;
use serde_json::{Map, Value, json};

use super::json_text;

/// Name of the course image of a course that sets none.
pub(super) const DEFAULT_IMAGE: &str = "images_course_image.jpg";

/// An asset to export, without its bytes.
#[derive(Debug, Clone)]
pub struct ExportedAsset {
    /// Block id of its key.
    pub name: String,
    /// Name shown; the exported file is called so.
    pub displayname: String,
    /// Path below `static/` at its import.
    pub import_path: Option<String>,
    /// MIME type.
    pub content_type: Option<String>,
    /// Whether only enrolled learners get it.
    pub locked: bool,
    /// `[c4x, org, course, thumbnail, path, null]`, or null.
    pub thumbnail_location: Value,
    /// Digest of the bytes where the store keeps one.
    pub custom_md5: Option<String>,
}

/// Where the bytes of an asset go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetFile {
    /// Path below the course folder.
    pub path: String,
    /// Index of the asset in the list that was exported.
    pub asset: usize,
}

/// `policies/assets.json`.
pub(super) fn policy(key: &CourseKey, assets: &[ExportedAsset]) -> String {
    let mut out = Map::new();
    for asset in assets {
        let full = key
            .make_asset_key(&asset.name)
            .map(|key| key.to_string())
            .unwrap_or_default();
        let mut entry = json!({
            "contentType": asset.content_type,
            "content_son": {
                "category": "asset", "course": key.course(), "name": asset.name,
                "org": key.org(), "revision": null, "run": key.run(), "tag": "c4x",
            },
            "displayname": asset.displayname,
            "filename": full,
            "import_path": asset.import_path,
            "locked": asset.locked,
            "thumbnail_location": asset.thumbnail_location,
        });
        if let (Some(md5), Some(entry)) = (&asset.custom_md5, entry.as_object_mut()) {
            entry.insert("custom_md5".to_owned(), Value::from(md5.as_str()));
        }
        out.insert(asset.name.clone(), entry);
    }
    json_text(&Value::Object(out))
}

/// Paths of the asset files; the default course image goes to its old place as well.
pub(super) fn files(assets: &[ExportedAsset], default_image: bool) -> Vec<AssetFile> {
    let mut out = Vec::new();
    for (index, asset) in assets.iter().enumerate() {
        let folder = asset
            .import_path
            .as_deref()
            .and_then(|path| path.rsplit_once('/'));
        let name = asset.displayname.replace(['/', '\0'], "_");
        let name = if matches!(name.as_str(), "" | "." | "..") {
            &asset.name
        } else {
            &name
        };
        let path = match folder {
            Some((folder, _)) if safe(folder) => format!("static/{folder}/{name}"),
            _ => format!("static/{name}"),
        };
        out.push(AssetFile { path, asset: index });
        if default_image && asset.name == DEFAULT_IMAGE {
            let path = "static/images/course_image.jpg".to_owned();
            out.push(AssetFile { path, asset: index });
        }
    }
    out
}

/// Whether a stored folder stays below `static/`.
fn safe(folder: &str) -> bool {
    !folder.starts_with('/')
        && !folder.contains('\0')
        && folder
            .split('/')
            .all(|part| !matches!(part, "" | "." | ".."))
}
