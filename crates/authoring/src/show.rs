//! A stored course as one object: `stoa course show KEY --json`.

use course_model::CourseContent;
use modulestore::store::{FileOrder, FileQuery, StoredFile};
use modulestore::{Branch, ModuleStore};
use olx::show::ShownAsset;
use opaque_keys::CourseKey;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// Both branches of a course, read back from the store.
pub(crate) async fn branches(
    store: &ModuleStore,
    course: &CourseKey,
) -> Result<(CourseContent, CourseContent)> {
    let missing = || Error::NoCourse(course.clone());
    let draft = store
        .content(course, Branch::Draft)
        .await?
        .ok_or_else(missing)?;
    let published = store
        .content(course, Branch::Published)
        .await?
        .ok_or_else(missing)?;
    Ok((published, draft))
}

/// All assets of a course, in order of their keys.
pub(crate) async fn assets_of(store: &ModuleStore, course: &CourseKey) -> Result<Vec<StoredFile>> {
    /// Files asked for at a time.
    const PAGE: u64 = 1000;
    let files = store.contentstore();
    let mut found = Vec::new();
    loop {
        let query = FileQuery {
            course: course.to_string(),
            category: "asset".to_owned(),
            offset: found.len() as u64,
            limit: PAGE,
            order: FileOrder::Name,
        };
        let page = files.list(&query).await?;
        let last = page.files.is_empty();
        found.extend(page.files);
        if last || found.len() as u64 >= page.total {
            return Ok(found);
        }
    }
}

/// The course, its blocks and its assets.
pub async fn show_course(store: &ModuleStore, course: &CourseKey) -> Result<Value> {
    let (published, draft) = branches(store, course).await?;
    let files = store.contentstore();
    let mut assets = Vec::new();
    for file in assets_of(store, course).await? {
        let bytes = files.read(&file).await?;
        let document = &file.document;
        assets.push(ShownAsset {
            name: document.content_son.name.clone(),
            displayname: document.display_name.clone().unwrap_or_default(),
            locked: document.locked,
            content_type: document.content_type.clone(),
            import_path: document.import_path.clone(),
            sha256: hex::encode(Sha256::digest(&bytes)),
            size: bytes.len() as u64,
        });
    }
    Ok(olx::show::course(course, &published, &draft, &assets))
}
