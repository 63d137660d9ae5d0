//! What every engine behind [`DocumentStore`] must do. Each engine's tests call [`run`] on a fresh store.

#![expect(
    clippy::unwrap_used,
    reason = "a test suite: a failed expectation is a panic"
)]

use bson::oid::ObjectId;
use bson::{Bson, DateTime, RawDocumentBuf};
use bytes::Bytes;
use chrono::{TimeZone, Utc};
use course_model::BlockKey;

use crate::documents::{
    CHUNK_SIZE, ContentSon, CourseIndexDocument, Definition, FileDocument, Stamp, Structure,
    StructureBlock,
};
use crate::store::{
    DocumentBatch, DocumentStore, FileOrder, FileQuery, NewChunk, StoredFile, StructureLink,
};

/// Runs the whole suite. The store must be empty.
pub async fn run(store: &dyn DocumentStore) {
    documents_are_kept_byte_for_byte(store).await;
    documents_are_listed_in_pages_and_removed(store).await;
    course_indexes_come_and_go(store).await;
    files_are_read_in_ranges(store).await;
    files_replace_each_other(store).await;
    files_change_only_with_their_bytes(store).await;
    files_are_listed(store).await;
    abandoned_uploads_are_found(store).await;
}

fn stamp() -> Stamp {
    Stamp::new(-1, Utc.timestamp_opt(1_700_000_000, 0).unwrap())
}

fn structure(version_of: Option<&Structure>) -> (Structure, Definition) {
    let definition = Definition::new("course", RawDocumentBuf::new(), stamp());
    let structure = if let Some(old) = version_of {
        old.next(ObjectId::new(), stamp())
    } else {
        let id = ObjectId::new();
        let block = StructureBlock::new(definition.id, RawDocumentBuf::new(), id, stamp());
        Structure::first(id, BlockKey::course_root(), block, stamp())
    };
    (structure, definition)
}

// courseware.md §2.2, §2.3: what was put is what is got, and putting it again is harmless.
async fn documents_are_kept_byte_for_byte(store: &dyn DocumentStore) {
    let (first, definition) = structure(None);
    let mut batch = DocumentBatch::default();
    batch.add_structure(&first);
    batch.add_definition(&definition);
    store.put(&batch).await.unwrap();
    store.put(&batch).await.unwrap();
    let got = store.structure(first.id).await.unwrap().unwrap();
    assert_eq!(got.as_bytes(), first.to_document().as_bytes());
    assert!(store.structure(ObjectId::new()).await.unwrap().is_none());
    let got = store
        .definitions(&[definition.id, ObjectId::new()])
        .await
        .unwrap();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].as_bytes(), definition.to_document().as_bytes());
    assert!(store.definitions(&[]).await.unwrap().is_empty());
    store.delete_structures(&[first.id]).await.unwrap();
    store.delete_definitions(&[definition.id]).await.unwrap();
}

// design.md, "Embedded stores are one file": the doctor counts and removes what nothing names.
async fn documents_are_listed_in_pages_and_removed(store: &dyn DocumentStore) {
    let mut batch = DocumentBatch::default();
    let mut links = Vec::new();
    let mut ids = Vec::new();
    let mut previous: Option<Structure> = None;
    for _ in 0..1300 {
        let (next, definition) = structure(previous.as_ref());
        links.push(StructureLink {
            id: next.id,
            previous_version: next.previous_version,
        });
        ids.push(definition.id);
        batch.add_structure(&next);
        batch.add_definition(&definition);
        previous = Some(next);
    }
    links.sort_by_key(|link| link.id);
    ids.sort_unstable();
    store.put(&batch).await.unwrap();
    assert_eq!(store.definitions(&ids).await.unwrap().len(), 1300);

    let first = store.list_structures(None, 1000).await.unwrap();
    let rest = store
        .list_structures(first.last().map(|link| link.id), 1000)
        .await
        .unwrap();
    assert_eq!((first.len(), rest.len()), (1000, 300));
    assert_eq!([first, rest].concat(), links);
    let first = store.list_definitions(None, 1000).await.unwrap();
    let rest = store
        .list_definitions(first.last().copied(), 1000)
        .await
        .unwrap();
    assert_eq!([first, rest].concat(), ids);

    let all: Vec<ObjectId> = links.iter().map(|link| link.id).collect();
    store.delete_structures(&all).await.unwrap();
    store.delete_structures(&all).await.unwrap();
    store.delete_definitions(&ids).await.unwrap();
    assert!(store.list_structures(None, 10).await.unwrap().is_empty());
    assert!(store.list_definitions(None, 10).await.unwrap().is_empty());
}

// courseware.md §2.1: an engine that keeps the copy replaces it; one that keeps none does nothing.
async fn course_indexes_come_and_go(store: &dyn DocumentStore) {
    let date = DateTime::from_millis(1_700_000_000_000);
    let index = CourseIndexDocument {
        id: ObjectId::new(),
        org: "Acme".to_owned(),
        course: "Bio".to_owned(),
        run: "R1".to_owned(),
        edited_by: -1,
        edited_on: date,
        last_update: date,
        versions: vec![("draft-branch".to_owned(), ObjectId::new())],
        wiki_slug: None,
    };
    store.put_course_index(&index).await.unwrap();
    store.put_course_index(&index).await.unwrap();
    store.delete_course_index(index.id).await.unwrap();
    store.delete_course_index(index.id).await.unwrap();
}

fn file(name: &str, course: &str, bytes: &[u8], seconds: i64) -> StoredFile {
    let filename = format!("asset-v1:Acme+{course}+R1+type@asset+block@{name}");
    StoredFile {
        document: FileDocument {
            id: Bson::String(filename.clone()),
            filename,
            display_name: Some(format!("{name} to see")),
            content_son: ContentSon {
                category: "asset".to_owned(),
                name: name.to_owned(),
                course: course.to_owned(),
                org: "Acme".to_owned(),
                revision: None,
                run: Some("R1".to_owned()),
            },
            thumbnail_location: None,
            import_path: Some(name.to_owned()),
            locked: false,
            content_type: Some("text/plain".to_owned()),
            chunk_size: CHUNK_SIZE as i32,
            custom_md5: Some("0".repeat(32)),
            length: i64::try_from(bytes.len()).unwrap(),
            upload_date: DateTime::from_millis(seconds * 1000),
        },
        upload: ObjectId::new(),
    }
}

async fn save(store: &dyn DocumentStore, file: &StoredFile, bytes: &[u8]) {
    let chunks: Vec<NewChunk> = (0..)
        .zip(bytes.chunks(CHUNK_SIZE))
        .map(|(n, data)| NewChunk {
            upload: file.upload,
            n,
            data: Bytes::copy_from_slice(data),
        })
        .collect();
    store.put_chunks(&chunks).await.unwrap();
    store
        .publish_files(std::slice::from_ref(file))
        .await
        .unwrap();
}

async fn find(store: &dyn DocumentStore, file: &StoredFile) -> Option<StoredFile> {
    store.file(&file.document.filename).await.unwrap()
}

// courseware.md §2.6: chunks of 255 KiB, ranges cut to the length.
async fn files_are_read_in_ranges(store: &dyn DocumentStore) {
    let bytes: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
    let large = file("large", "Ranges", &bytes, 1);
    save(store, &large, &bytes).await;
    let found = find(store, &large).await.unwrap();
    assert_eq!(found.document, large.document);
    let size = CHUNK_SIZE as u64;
    for range in [
        0..4,
        0..600_000,
        size - 1..size + 1,
        size..size,
        599_999..600_001,
        522_000..700_000,
    ] {
        let end = range.end.min(600_000) as usize;
        let wanted = &bytes[range.start as usize..end];
        assert_eq!(
            store.file_bytes(&found, range.clone()).await.unwrap(),
            wanted,
            "{range:?}"
        );
    }
    assert!(
        store
            .file_bytes(&found, 700_000..800_000)
            .await
            .unwrap()
            .is_empty()
    );

    let empty = file("empty", "Ranges", b"", 1);
    save(store, &empty, b"").await;
    let found = find(store, &empty).await.unwrap();
    assert!(store.file_bytes(&found, 0..10).await.unwrap().is_empty());
    assert!(
        store
            .file("asset-v1:Acme+Ranges+R1+type@asset+block@no")
            .await
            .unwrap()
            .is_none()
    );
}

// courseware.md §2.6: saving replaces the file of the same id; bytes show only when they are published.
async fn files_replace_each_other(store: &dyn DocumentStore) {
    let old = file("f", "Replace", b"old", 1);
    save(store, &old, b"old").await;
    let new = file("f", "Replace", b"newer", 2);
    let chunk = NewChunk {
        upload: new.upload,
        n: 0,
        data: Bytes::from_static(b"newer"),
    };
    store.put_chunks(&[chunk]).await.unwrap();
    let found = find(store, &old).await.unwrap();
    assert_eq!(store.file_bytes(&found, 0..10).await.unwrap(), "old");
    store
        .publish_files(std::slice::from_ref(&new))
        .await
        .unwrap();
    let found = find(store, &old).await.unwrap();
    assert_eq!(found.document, new.document);
    assert_eq!(store.file_bytes(&found, 0..10).await.unwrap(), "newer");
    // The same bytes under a new document.
    let mut again = found.clone();
    again.document.locked = true;
    store
        .publish_files(std::slice::from_ref(&again))
        .await
        .unwrap();
    let found = find(store, &old).await.unwrap();
    assert!(found.document.locked);
    assert_eq!(store.file_bytes(&found, 0..10).await.unwrap(), "newer");

    assert!(store.delete_file(&old.document.filename).await.unwrap());
    assert!(!store.delete_file(&old.document.filename).await.unwrap());
    assert!(find(store, &old).await.is_none());
}

// A thumbnail that comes late must not bring back bytes that are gone.
async fn files_change_only_with_their_bytes(store: &dyn DocumentStore) {
    let old = file("f", "Update", b"old", 1);
    save(store, &old, b"old").await;
    let mut changed = find(store, &old).await.unwrap();
    changed.document.locked = true;
    assert!(store.update_file(&changed).await.unwrap());
    assert!(find(store, &old).await.unwrap().document.locked);
    let new = file("f", "Update", b"newer", 2);
    save(store, &new, b"newer").await;
    assert!(!store.update_file(&changed).await.unwrap());
    let found = find(store, &old).await.unwrap();
    assert_eq!(found.document, new.document);
    let names = [old.document.filename.clone(), "asset-v1:none".to_owned()];
    assert_eq!(
        store.files(&names).await.unwrap(),
        std::slice::from_ref(&found)
    );
    store.delete_file(&old.document.filename).await.unwrap();
    assert!(!store.update_file(&found).await.unwrap());
    assert!(find(store, &old).await.is_none());
}

async fn files_are_listed(store: &dyn DocumentStore) {
    for (name, seconds) in [("b", 3), ("c", 1), ("a", 2)] {
        save(store, &file(name, "List", b"x", seconds), b"x").await;
    }
    save(store, &file("d", "Other", b"x", 1), b"x").await;
    let query = FileQuery {
        course: "course-v1:Acme+List+R1".to_owned(),
        category: "asset".to_owned(),
        offset: 0,
        limit: 10,
        order: FileOrder::Name,
    };
    for (order, wanted) in [
        (FileOrder::Name, "abc"),
        (FileOrder::DisplayName, "abc"),
        (FileOrder::Newest, "bac"),
        (FileOrder::Oldest, "cab"),
    ] {
        let page = store
            .list_files(&FileQuery {
                order,
                ..query.clone()
            })
            .await
            .unwrap();
        assert_eq!(page.total, 3);
        let names: String = page
            .files
            .iter()
            .map(|file| file.document.content_son.name.as_str())
            .collect();
        assert_eq!(names, wanted, "{order:?}");
    }
    let page = store
        .list_files(&FileQuery {
            offset: 2,
            limit: 5,
            ..query.clone()
        })
        .await
        .unwrap();
    assert_eq!((page.total, page.files.len()), (3, 1));
    let none = FileQuery {
        category: "thumbnail".to_owned(),
        ..query
    };
    assert_eq!(store.list_files(&none).await.unwrap().total, 0);
}

async fn abandoned_uploads_are_found(store: &dyn DocumentStore) {
    let upload = ObjectId::new();
    let began = upload.timestamp().timestamp_millis() / 1000;
    let chunk = NewChunk {
        upload,
        n: 0,
        data: Bytes::from_static(b"lost"),
    };
    store.put_chunks(&[chunk]).await.unwrap();
    assert!(store.abandoned_uploads(began).await.unwrap().is_empty());
    assert_eq!(store.abandoned_uploads(began + 1).await.unwrap(), [upload]);
    store.delete_uploads(&[upload]).await.unwrap();
    assert!(store.abandoned_uploads(began + 1).await.unwrap().is_empty());
}
