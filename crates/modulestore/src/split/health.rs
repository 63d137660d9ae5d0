//! Whether the stores answer.

use bson::oid::ObjectId;

use super::ModuleStore;

impl ModuleStore {
    /// Asks both stores for something small: their names (`sql`, `modulestore`) with what is wrong, if anything.
    pub async fn health(&self) -> [(&'static str, Option<String>); 2] {
        let nothing = ObjectId::from_bytes([0; 12]);
        let sql = self.inner.db.read("SELECT 1", &[]).await.err();
        let courses = self.inner.store.structure(nothing).await.err();
        [
            ("sql", sql.map(|error| error.to_string())),
            ("modulestore", courses.map(|error| error.to_string())),
        ]
    }
}
