//! SQLite and MySQL under one small layer.
//!
//! Everything relational in Stoa goes through [`Db`]: statements are written once, with `?`
//! placeholders and backquoted names, and run on SQLite (the embedded default) and on MySQL 8 or
//! MariaDB. What differs between the two lives in [`Dialect`]; no other crate sees the driver.
//!
//! ```no_run
//! use db::{Db, Options, params};
//!
//! # async fn example() -> Result<(), db::Error> {
//! let db = Db::connect("sqlite:/var/lib/stoa/stoa.db", &Options::default()).await?;
//! let rows = db.read("SELECT id, email FROM auth_user WHERE id = ?", &params![3]).await?;
//! for row in &rows {
//!     println!("{} {}", row.int("id")?, row.text("email")?);
//! }
//! let name = "Ada";
//! db.write(|mut tx| async move {
//!     tx.execute("UPDATE auth_user SET first_name = ? WHERE id = ?", &params![name, 3]).await
//! })
//! .await?;
//! # Ok(())
//! # }
//! ```

mod connect;
mod count;
mod dialect;
mod driver;
mod error;
mod migrate;
mod row;
mod script;
mod source;
mod tx;
mod value;

pub use connect::{Db, Options};
pub use count::{Counts, counting};
pub use dialect::{Dialect, IN_CHUNK, in_chunks, placeholders};
pub use error::Error;
pub use migrate::{BaseSchema, Migration, Plan, Report, migrate, migrate_interrupted};
pub use row::Row;
pub use source::Source;
pub use tx::Tx;
pub use value::{Value, format_datetime, parse_datetime};

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
