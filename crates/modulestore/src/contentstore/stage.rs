//! Writing bytes before anybody sees them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};

use bytes::Bytes;
use md5::{Digest, Md5};
use opaque_keys::{AssetKey, CourseKey};

use super::{AssetData, ContentStore, NewAsset, course_text, new_document, new_upload};
use crate::busy::busy;
use crate::documents::{CHUNK_SIZE, Stamp};
use crate::error::{Error, Result};
use crate::store::{FileOrder, FileQuery, NewChunk, StoredFile};

/// Bytes of one transaction: few enough to keep it short.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes read from a file at once.
const PIECE: usize = 16 * CHUNK_SIZE;
/// Files of a course that are compared with new ones before writing.
const KNOWN_FILES: u64 = 100_000;

/// Chunks that wait to be written together.
#[derive(Default)]
struct Batch {
    chunks: Vec<NewChunk>,
    bytes: usize,
}

impl ContentStore {
    /// Writes the bytes of assets in small transactions. The files that come back are published with the
    /// pointer of the course. Bytes that are stored already are not written again.
    pub(crate) async fn stage(
        &self,
        course: &CourseKey,
        assets: Vec<NewAsset>,
        stamp: Stamp,
    ) -> Result<Vec<StoredFile>> {
        let known = if assets.len() > 1 {
            self.known_files(course).await?
        } else {
            HashMap::new()
        };
        let mut batch = Batch::default();
        let mut staged: HashMap<String, StoredFile> = HashMap::new();
        let mut order = Vec::with_capacity(assets.len());
        for asset in assets {
            let key = AssetKey::location(course, &asset.path, false)
                .map_err(|error| Error::BadKey(error.to_string()))?;
            let mut file = StoredFile {
                document: new_document(&key, &asset, stamp)?,
                upload: new_upload(),
            };
            self.stage_into(&mut batch, &mut file, asset.data, &known)
                .await?;
            let name = file.document.filename.clone();
            // Two paths of one name: the last one wins (olx.md §12).
            if staged.insert(name.clone(), file).is_none() {
                order.push(name);
            }
        }
        self.flush(&mut batch).await?;
        Ok(order
            .iter()
            .filter_map(|name| staged.remove(name))
            .collect())
    }

    /// Writes the bytes of one asset under a key that is given.
    pub(super) async fn stage_one(
        &self,
        key: &AssetKey,
        asset: NewAsset,
        stamp: Stamp,
    ) -> Result<StoredFile> {
        let mut batch = Batch::default();
        let mut file = StoredFile {
            document: new_document(key, &asset, stamp)?,
            upload: new_upload(),
        };
        self.stage_into(&mut batch, &mut file, asset.data, &HashMap::new())
            .await?;
        self.flush(&mut batch).await?;
        Ok(file)
    }

    async fn known_files(&self, course: &CourseKey) -> Result<HashMap<String, StoredFile>> {
        let query = FileQuery {
            course: course_text(course)?,
            category: "asset".to_owned(),
            offset: 0,
            limit: KNOWN_FILES,
            order: FileOrder::Name,
        };
        let page = self.list(&query).await?;
        Ok(page
            .files
            .into_iter()
            .map(|file| (file.document.filename.clone(), file))
            .collect())
    }

    async fn stage_into(
        &self,
        batch: &mut Batch,
        file: &mut StoredFile,
        data: AssetData,
        known: &HashMap<String, StoredFile>,
    ) -> Result<()> {
        match data {
            AssetData::Bytes(bytes) => {
                file.document.custom_md5 = Some(busy(|| digest(&bytes)));
                file.document.length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
                if keep_stored_bytes(file, known) {
                    return Ok(());
                }
                let mut n = 0;
                let mut rest = bytes;
                while !rest.is_empty() {
                    let data = rest.split_to(rest.len().min(CHUNK_SIZE));
                    self.add(
                        batch,
                        NewChunk {
                            upload: file.upload,
                            n,
                            data,
                        },
                    )
                    .await?;
                    n += 1;
                }
            }
            AssetData::File(path) => {
                let (mut source, md5, length) = blocking(move || hash_file(&path)).await?;
                file.document.custom_md5 = Some(md5);
                file.document.length = i64::try_from(length).unwrap_or(i64::MAX);
                if keep_stored_bytes(file, known) {
                    return Ok(());
                }
                let mut n = 0;
                let mut left = length;
                while left > 0 {
                    let size = left.min(PIECE as u64) as usize;
                    let mut piece: Bytes;
                    (source, piece) = blocking(move || {
                        let mut bytes = vec![0; size];
                        source.read_exact(&mut bytes)?;
                        Ok((source, Bytes::from(bytes)))
                    })
                    .await?;
                    left -= size as u64;
                    while !piece.is_empty() {
                        let data = piece.split_to(piece.len().min(CHUNK_SIZE));
                        self.add(
                            batch,
                            NewChunk {
                                upload: file.upload,
                                n,
                                data,
                            },
                        )
                        .await?;
                        n += 1;
                    }
                }
            }
        }
        Ok(())
    }

    async fn add(&self, batch: &mut Batch, chunk: NewChunk) -> Result<()> {
        batch.bytes += chunk.data.len();
        batch.chunks.push(chunk);
        if batch.bytes >= BATCH_BYTES {
            self.flush(batch).await
        } else {
            Ok(())
        }
    }

    async fn flush(&self, batch: &mut Batch) -> Result<()> {
        if !batch.chunks.is_empty() {
            self.store.put_chunks(&batch.chunks).await?;
        }
        *batch = Batch::default();
        Ok(())
    }
}

/// If the same bytes are stored under the same key, goes on with those, and with their thumbnail.
fn keep_stored_bytes(file: &mut StoredFile, known: &HashMap<String, StoredFile>) -> bool {
    let Some(stored) = known.get(&file.document.filename) else {
        return false;
    };
    let same = stored.document.custom_md5 == file.document.custom_md5
        && stored.document.length == file.document.length
        && stored.document.chunk_size == file.document.chunk_size;
    if same {
        file.upload = stored.upload;
        file.document.thumbnail_location = stored.document.thumbnail_location.clone();
    }
    same
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(Error::Engine(error.to_string())),
    }
}

/// Opens a file and gives its MD5 and length; the file is at its beginning again.
fn hash_file(path: &std::path::Path) -> std::io::Result<(File, String, u64)> {
    let mut source = File::open(path)?;
    let mut hash = Md5::new();
    let mut length = 0_u64;
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = source.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        length += count as u64;
    }
    source.rewind()?;
    Ok((source, hex(&hash.finalize()), length))
}

fn digest(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
