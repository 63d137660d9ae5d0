//! The embedded engine: documents in tables of the relational layer.

use std::ops::Range;

use bson::RawDocumentBuf;
use bson::oid::ObjectId;
use bytes::{Bytes, BytesMut};
use db::{Db, Row, Tx, Value, in_chunks, params};

use super::{
    BoxFuture, DocumentBatch, DocumentStore, FileOrder, FilePage, FileQuery, MIGRATIONS, NewChunk,
    StoredFile, StructureLink,
};
use crate::documents::{CourseIndexDocument, FileDocument, raw_document};
use crate::error::{Error, Result};

/// Rows of one INSERT: enough to save round trips, few enough to keep few statements prepared.
const ROWS: usize = 64;
/// Bytes of blobs in one INSERT, well below what MySQL takes in one packet.
const INSERT_BYTES: usize = 4 << 20;

/// Documents as BSON in tables; its own SQLite file or the same database as everything else.
#[derive(Debug, Clone)]
pub struct EmbeddedStore {
    db: Db,
}

impl EmbeddedStore {
    /// Opens the store in a database, making its tables if they are missing.
    pub async fn open(db: Db) -> Result<Self> {
        db::migrate(
            &db,
            &db::Plan {
                base: None,
                migrations: MIGRATIONS,
            },
        )
        .await?;
        Ok(Self { db })
    }

    /// The database that holds the documents.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Inserts documents inside a transaction.
    pub async fn put_in(&self, tx: &mut Tx, batch: &DocumentBatch) -> Result<()> {
        let rows: Vec<_> = batch
            .definitions
            .iter()
            .map(|(id, doc)| {
                let block_type = doc.get_str("block_type").unwrap_or_default();
                vec![id_value(*id), block_type.into(), doc.as_bytes().into()]
            })
            .collect();
        insert_rows(tx, "stoa_definition", &["id", "block_type", "doc"], rows).await?;
        let rows: Vec<_> = batch
            .structures
            .iter()
            .map(|(link, doc)| {
                vec![
                    id_value(link.id),
                    link.previous_version.map(ObjectId::to_hex).into(),
                    doc.as_bytes().into(),
                ]
            })
            .collect();
        insert_rows(
            tx,
            "stoa_structure",
            &["id", "previous_version", "doc"],
            rows,
        )
        .await
    }

    /// Makes uploads the content of their files inside a transaction.
    pub async fn publish_files_in(&self, tx: &mut Tx, files: &[StoredFile]) -> Result<()> {
        let names: Vec<String> = files
            .iter()
            .map(|file| file.document.filename.clone())
            .collect();
        let mut replaced = Vec::new();
        for (marks, names) in in_chunks(&names) {
            let sql = format!("SELECT `upload` FROM `stoa_file` WHERE `filename` IN ({marks})");
            let names: Vec<Value> = names.iter().map(Value::from).collect();
            for row in tx.read(&sql, &names).await? {
                replaced.push(row.text("upload")?);
            }
            let sql = format!("DELETE FROM `stoa_file` WHERE `filename` IN ({marks})");
            tx.execute(&sql, &names).await?;
        }
        let kept: std::collections::HashSet<String> =
            files.iter().map(|file| file.upload.to_hex()).collect();
        replaced.retain(|upload| !kept.contains(upload));
        for (marks, uploads) in in_chunks(&replaced) {
            let sql = format!("DELETE FROM `stoa_chunk` WHERE `upload` IN ({marks})");
            tx.execute(&sql, &uploads.iter().map(Value::from).collect::<Vec<_>>())
                .await?;
        }
        let mut rows = Vec::with_capacity(files.len());
        for StoredFile { document, upload } in files {
            rows.push(vec![
                document.filename.as_str().into(),
                course_of(document).into(),
                document.content_son.category.as_str().into(),
                document.display_name.as_deref().unwrap_or_default().into(),
                document.upload_date.timestamp_millis().into(),
                id_value(*upload),
                document.to_document()?.as_bytes().into(),
            ]);
        }
        let columns = [
            "filename",
            "course_id",
            "category",
            "display_name",
            "upload_date",
            "upload",
            "doc",
        ];
        insert_rows(tx, "stoa_file", &columns, rows).await
    }

    async fn blobs(&self, sql: &str, params: &[Value]) -> Result<Vec<RawDocumentBuf>> {
        let rows = self.db.read(sql, params).await?;
        rows.iter()
            .map(|row| raw_document("stored", row.bytes("doc")?))
            .collect()
    }

    async fn ids(&self, table: &str, after: Option<ObjectId>, limit: u32) -> Result<Vec<Row>> {
        let columns = match table {
            "stoa_structure" => "`id`, `previous_version`",
            _ => "`id`",
        };
        let sql = format!("SELECT {columns} FROM `{table}` WHERE `id` > ? ORDER BY `id` LIMIT ?");
        let after = after.map(ObjectId::to_hex).unwrap_or_default();
        Ok(self.db.read(&sql, &params![after, limit]).await?)
    }

    async fn delete(&self, table: &str, column: &str, ids: &[ObjectId]) -> Result<()> {
        let ids: Vec<String> = ids.iter().map(|id| id.to_hex()).collect();
        for (marks, ids) in in_chunks(&ids) {
            let sql = format!("DELETE FROM `{table}` WHERE `{column}` IN ({marks})");
            self.db
                .execute(&sql, &ids.iter().map(Value::from).collect::<Vec<_>>())
                .await?;
        }
        Ok(())
    }

    async fn read_bytes(&self, file: &StoredFile, range: Range<u64>) -> Result<Bytes> {
        let end = range
            .end
            .min(u64::try_from(file.document.length).unwrap_or_default());
        if range.start >= end {
            return Ok(Bytes::new());
        }
        let size = u64::try_from(file.document.chunk_size).unwrap_or(1).max(1);
        let (first, last) = (range.start / size, (end - 1) / size);
        let sql = "SELECT `n`, `data` FROM `stoa_chunk` WHERE `upload` = ? AND `n` >= ? AND `n` <= ? \
                   ORDER BY `n`";
        let upload = file.upload.to_hex();
        let rows = self
            .db
            .read(sql, &params![upload, first as i64, last as i64])
            .await?;
        let mut bytes = BytesMut::with_capacity((end - range.start) as usize);
        for row in &rows {
            let start = u64::try_from(row.int("n")?).unwrap_or_default() * size;
            let data = row.bytes("data")?;
            let from = range.start.saturating_sub(start).min(data.len() as u64) as usize;
            let to = end.saturating_sub(start).min(data.len() as u64) as usize;
            bytes.extend_from_slice(data.get(from..to).unwrap_or_default());
        }
        if bytes.len() as u64 != end - range.start {
            return Err(Error::Engine(format!(
                "chunks of {} are missing",
                file.document.filename
            )));
        }
        Ok(bytes.freeze())
    }
}

impl DocumentStore for EmbeddedStore {
    fn structure(&self, id: ObjectId) -> BoxFuture<'_, Result<Option<RawDocumentBuf>>> {
        Box::pin(async move {
            let sql = "SELECT `doc` FROM `stoa_structure` WHERE `id` = ?";
            Ok(self.blobs(sql, &params![id.to_hex()]).await?.pop())
        })
    }

    fn definitions<'a>(
        &'a self,
        ids: &'a [ObjectId],
    ) -> BoxFuture<'a, Result<Vec<RawDocumentBuf>>> {
        Box::pin(async move {
            let ids: Vec<String> = ids.iter().map(|id| id.to_hex()).collect();
            let mut found = Vec::with_capacity(ids.len());
            for (marks, ids) in in_chunks(&ids) {
                let sql = format!("SELECT `doc` FROM `stoa_definition` WHERE `id` IN ({marks})");
                let ids: Vec<Value> = ids.iter().map(Value::from).collect();
                found.extend(self.blobs(&sql, &ids).await?);
            }
            Ok(found)
        })
    }

    fn put<'a>(&'a self, batch: &'a DocumentBatch) -> BoxFuture<'a, Result<()>> {
        Box::pin(
            self.db
                .write(move |mut tx| async move { self.put_in(&mut tx, batch).await }),
        )
    }

    fn put_course_index<'a>(&'a self, _: &'a CourseIndexDocument) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn delete_course_index(&self, _: ObjectId) -> BoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn list_structures(
        &self,
        after: Option<ObjectId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StructureLink>>> {
        Box::pin(async move {
            let rows = self.ids("stoa_structure", after, limit).await?;
            rows.iter()
                .map(|row| {
                    let previous = row.opt_text("previous_version")?;
                    Ok(StructureLink {
                        id: parse_id(&row.text("id")?)?,
                        previous_version: previous.as_deref().map(parse_id).transpose()?,
                    })
                })
                .collect()
        })
    }

    fn list_definitions(
        &self,
        after: Option<ObjectId>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<ObjectId>>> {
        Box::pin(async move {
            let rows = self.ids("stoa_definition", after, limit).await?;
            rows.iter().map(|row| parse_id(&row.text("id")?)).collect()
        })
    }

    fn delete_structures<'a>(&'a self, ids: &'a [ObjectId]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.delete("stoa_structure", "id", ids))
    }

    fn delete_definitions<'a>(&'a self, ids: &'a [ObjectId]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.delete("stoa_definition", "id", ids))
    }

    fn files<'a>(&'a self, filenames: &'a [String]) -> BoxFuture<'a, Result<Vec<StoredFile>>> {
        Box::pin(async move {
            let mut found = Vec::with_capacity(filenames.len());
            for (marks, names) in in_chunks(filenames) {
                let sql = format!(
                    "SELECT `upload`, `doc` FROM `stoa_file` WHERE `filename` IN ({marks})"
                );
                let names: Vec<Value> = names.iter().map(Value::from).collect();
                for row in self.db.read(&sql, &names).await? {
                    found.push(stored_file(&row)?);
                }
            }
            Ok(found)
        })
    }

    fn file_bytes<'a>(
        &'a self,
        file: &'a StoredFile,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes>> {
        Box::pin(self.read_bytes(file, range))
    }

    fn put_chunks<'a>(&'a self, chunks: &'a [NewChunk]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.db.write(move |mut tx| async move {
            let rows = chunks
                .iter()
                .map(|chunk| {
                    vec![
                        id_value(chunk.upload),
                        chunk.n.into(),
                        id_value(ObjectId::new()),
                        chunk.data[..].into(),
                    ]
                })
                .collect();
            insert_rows(&mut tx, "stoa_chunk", &["upload", "n", "id", "data"], rows).await
        }))
    }

    fn publish_files<'a>(&'a self, files: &'a [StoredFile]) -> BoxFuture<'a, Result<()>> {
        Box::pin(
            self.db
                .write(move |mut tx| async move { self.publish_files_in(&mut tx, files).await }),
        )
    }

    fn update_file<'a>(&'a self, file: &'a StoredFile) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.db.write(move |mut tx| async move {
            let document = &file.document;
            let doc = document.to_document()?;
            let sql = "UPDATE `stoa_file` SET `display_name` = ?, `upload_date` = ?, `doc` = ? \
                       WHERE `filename` = ? AND `upload` = ?";
            let values = params![
                document.display_name.as_deref().unwrap_or_default(),
                document.upload_date.timestamp_millis(),
                doc.as_bytes(),
                &document.filename,
                file.upload.to_hex()
            ];
            Ok(tx.execute(sql, &values).await? > 0)
        }))
    }

    fn delete_file<'a>(&'a self, filename: &'a str) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.db.write(move |mut tx| async move {
            let sql = "SELECT `upload` FROM `stoa_file` WHERE `filename` = ?";
            let Some(row) = tx.read_one(sql, &params![filename]).await? else {
                return Ok(false);
            };
            let upload = row.text("upload")?;
            tx.execute(
                "DELETE FROM `stoa_file` WHERE `filename` = ?",
                &params![filename],
            )
            .await?;
            tx.execute(
                "DELETE FROM `stoa_chunk` WHERE `upload` = ?",
                &params![upload],
            )
            .await?;
            Ok(true)
        }))
    }

    fn list_files<'a>(&'a self, query: &'a FileQuery) -> BoxFuture<'a, Result<FilePage>> {
        Box::pin(async move {
            let order = match query.order {
                FileOrder::Name => "`filename`",
                FileOrder::DisplayName => "`display_name`, `filename`",
                FileOrder::Newest => "`upload_date` DESC, `filename`",
                FileOrder::Oldest => "`upload_date`, `filename`",
            };
            let sql = format!(
                "SELECT `upload`, `doc` FROM `stoa_file` WHERE `course_id` = ? AND `category` = ? \
                 ORDER BY {order} LIMIT ? OFFSET ?"
            );
            let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
            let offset = i64::try_from(query.offset).unwrap_or(i64::MAX);
            let params = params![&query.course, &query.category, limit, offset];
            let files = self
                .db
                .read(&sql, &params)
                .await?
                .iter()
                .map(stored_file)
                .collect::<Result<Vec<_>>>()?;
            let sql = "SELECT COUNT(*) FROM `stoa_file` WHERE `course_id` = ? AND `category` = ?";
            let total = self
                .db
                .read_int(sql, &params![&query.course, &query.category])
                .await?;
            Ok(FilePage {
                files,
                total: u64::try_from(total).unwrap_or_default(),
            })
        })
    }

    fn abandoned_uploads(&self, before: i64) -> BoxFuture<'_, Result<Vec<ObjectId>>> {
        Box::pin(async move {
            let sql = "SELECT DISTINCT `upload` FROM `stoa_chunk` WHERE `upload` NOT IN \
                       (SELECT `upload` FROM `stoa_file`)";
            let rows = self.db.read(sql, &[]).await?;
            let ids = rows
                .iter()
                .map(|row| parse_id(&row.text("upload")?))
                .collect::<Result<Vec<_>>>()?;
            // An id begins with the second in which it was drawn.
            Ok(ids
                .into_iter()
                .filter(|id| id.timestamp().timestamp_millis() / 1000 < before)
                .collect())
        })
    }

    fn delete_uploads<'a>(&'a self, uploads: &'a [ObjectId]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.delete("stoa_chunk", "upload", uploads))
    }

    fn as_embedded(&self) -> Option<&EmbeddedStore> {
        Some(self)
    }
}

/// Key of the course that a file belongs to, from the parts that its document names.
fn course_of(file: &FileDocument) -> String {
    let son = &file.content_son;
    let run = son.run.as_deref().unwrap_or_default();
    match file.filename.split_once('+') {
        Some((head, _)) if head.starts_with("asset-v1:") && run == "library" => {
            format!("library-v1:{}+{}", son.org, son.course)
        }
        Some(_) => format!("course-v1:{}+{}+{run}", son.org, son.course),
        None => format!("{}/{}/{run}", son.org, son.course),
    }
}

fn stored_file(row: &Row) -> Result<StoredFile> {
    let doc = raw_document("file", row.bytes("doc")?)?;
    Ok(StoredFile {
        document: FileDocument::from_document(&doc)?,
        upload: parse_id(&row.text("upload")?)?,
    })
}

fn id_value(id: ObjectId) -> Value {
    Value::Text(id.to_hex())
}

fn parse_id(text: &str) -> Result<ObjectId> {
    ObjectId::parse_str(text).map_err(|_| Error::Engine(format!("not an object id: {text:?}")))
}

/// Inserts rows that are not there yet, several with each statement; the numbers of rows are powers of two,
/// so that few statements are prepared.
async fn insert_rows(
    tx: &mut Tx,
    table: &str,
    columns: &[&str],
    rows: Vec<Vec<Value>>,
) -> Result<()> {
    let marks = format!("({})", db::placeholders(columns.len()));
    let single = tx.dialect().insert_ignore(table, columns);
    let mut rest = &rows[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fit = rest
            .iter()
            .take_while(|row| {
                bytes += row.iter().map(size).sum::<usize>();
                bytes <= INSERT_BYTES
            })
            .count();
        let count = 1 << fit.clamp(1, ROWS).ilog2();
        let (now, later) = rest.split_at(count);
        // The list of values stands once in the single insert; repeat it.
        let sql = single.replacen(&marks, &vec![marks.as_str(); count].join(", "), 1);
        tx.execute(&sql, &now.concat()).await?;
        rest = later;
    }
    Ok(())
}

fn size(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}
