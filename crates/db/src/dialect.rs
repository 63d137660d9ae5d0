//! What the two engines spell differently.

/// Longest list given to one `IN (…)`.
pub const IN_CHUNK: usize = 512;

/// Which engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// MySQL 8 and MariaDB.
    MySql,
}

impl Dialect {
    /// `INSERT INTO table (columns) VALUES (?, …)`.
    #[must_use]
    pub fn insert(self, table: &str, columns: &[&str]) -> String {
        format!(
            "INSERT INTO `{table}` ({}) VALUES ({})",
            quoted(columns),
            placeholders(columns.len())
        )
    }

    /// An insert that does nothing where a unique key is already taken. Parameters: one for each
    /// column, in order. Unlike MySQL's `INSERT IGNORE` it does not hide other failures.
    #[must_use]
    pub fn insert_ignore(self, table: &str, columns: &[&str]) -> String {
        let insert = self.insert(table, columns);
        match self {
            Self::Sqlite => format!("{insert} ON CONFLICT DO NOTHING"),
            Self::MySql => {
                let first = columns.first().copied().unwrap_or("id");
                format!("{insert} ON DUPLICATE KEY UPDATE `{first}` = `{first}`")
            }
        }
    }

    /// Inserts, or updates `values` where a row with the same unique `keys` exists. Parameters:
    /// one for each key, then one for each value.
    #[must_use]
    pub fn upsert(self, table: &str, keys: &[&str], values: &[&str]) -> String {
        self.upsert_keeping(table, keys, values, &[])
    }

    /// As [`Self::upsert`], with columns that only an insert writes, such as `created`.
    /// Parameters: keys, values, then these.
    #[must_use]
    pub fn upsert_keeping(
        self,
        table: &str,
        keys: &[&str],
        values: &[&str],
        only_inserted: &[&str],
    ) -> String {
        let columns: Vec<&str> = keys
            .iter()
            .chain(values)
            .chain(only_inserted)
            .copied()
            .collect();
        if values.is_empty() {
            return self.insert_ignore(table, &columns);
        }
        let insert = self.insert(table, &columns);
        match self {
            Self::Sqlite => {
                let sets = sets(values, |name| format!("excluded.`{name}`"));
                format!(
                    "{insert} ON CONFLICT ({}) DO UPDATE SET {sets}",
                    quoted(keys)
                )
            }
            Self::MySql => {
                let sets = sets(values, |name| format!("VALUES(`{name}`)"));
                format!("{insert} ON DUPLICATE KEY UPDATE {sets}")
            }
        }
    }

    /// Suffix of a SELECT inside a transaction that will write the row: ` FOR UPDATE` on MySQL,
    /// nothing on SQLite, whose writing transactions run one at a time.
    #[must_use]
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " FOR UPDATE",
        }
    }
}

/// `?, ?, …`, `count` times.
#[must_use]
pub fn placeholders(count: usize) -> String {
    let mut text = "?, ".repeat(count);
    text.truncate(text.len().saturating_sub(2));
    text
}

/// Cuts a list for `IN (…)` into chunks. Each comes with its placeholders; the chunk is padded with
/// its last item to the next power of two, so that few different statements are prepared.
pub fn in_chunks<T: Clone>(items: &[T]) -> impl Iterator<Item = (String, Vec<T>)> + '_ {
    items.chunks(IN_CHUNK).map(|chunk| {
        let size = chunk.len().next_power_of_two().min(IN_CHUNK);
        let mut padded = chunk.to_vec();
        if let Some(last) = chunk.last() {
            padded.resize(size.max(chunk.len()), last.clone());
        }
        (placeholders(padded.len()), padded)
    })
}

fn quoted(columns: &[&str]) -> String {
    columns
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn sets(columns: &[&str], source: impl Fn(&str) -> String) -> String {
    columns
        .iter()
        .map(|name| format!("`{name}` = {}", source(name)))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upserts_are_spelt_for_each_engine() {
        assert_eq!(
            Dialect::Sqlite.upsert("t", &["k"], &["a", "b"]),
            "INSERT INTO `t` (`k`, `a`, `b`) VALUES (?, ?, ?) ON CONFLICT (`k`) DO UPDATE SET \
             `a` = excluded.`a`, `b` = excluded.`b`"
        );
        assert_eq!(
            Dialect::MySql.upsert_keeping("t", &["k"], &["a"], &["created"]),
            "INSERT INTO `t` (`k`, `a`, `created`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE \
             `a` = VALUES(`a`)"
        );
        assert!(
            Dialect::Sqlite
                .upsert("t", &["k"], &[])
                .ends_with("DO NOTHING")
        );
    }

    #[test]
    fn lists_are_chunked_and_padded() {
        let items: Vec<u32> = (0..1030).collect();
        let chunks: Vec<_> = in_chunks(&items).collect();
        assert_eq!(
            chunks.iter().map(|(_, c)| c.len()).collect::<Vec<_>>(),
            [512, 512, 8]
        );
        assert_eq!(
            chunks[2].1,
            [1024, 1025, 1026, 1027, 1028, 1029, 1029, 1029]
        );
        assert_eq!(in_chunks(&[1, 2, 3]).next().unwrap().0, "?, ?, ?, ?");
        assert_eq!(in_chunks::<u8>(&[]).count(), 0);
    }
}
