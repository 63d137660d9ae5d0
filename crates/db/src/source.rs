//! Reading inside or outside a transaction with the same function.

use std::future::Future;

use crate::{Db, Dialect, Result, Row, Tx, Value};

/// Something that SELECTs run on: `&Db` (the committed state) or `&mut Tx` (the state inside the
/// transaction). Query functions take `impl Source`, so that both callers share them.
pub trait Source: Send {
    /// Which engine stands behind it.
    fn dialect(&self) -> Dialect;

    /// Runs a SELECT.
    fn rows(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> impl Future<Output = Result<Vec<Row>>> + Send;

    /// Suffix that locks the rows read, inside a transaction on MySQL; nothing elsewhere.
    fn lock(&self) -> &'static str;
}

impl Source for &Db {
    fn dialect(&self) -> Dialect {
        Db::dialect(self)
    }

    fn rows(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> impl Future<Output = Result<Vec<Row>>> + Send {
        self.read(sql, params)
    }

    fn lock(&self) -> &'static str {
        ""
    }
}

impl Source for &mut Tx {
    fn dialect(&self) -> Dialect {
        Tx::dialect(self)
    }

    fn rows(
        &mut self,
        sql: &str,
        params: &[Value],
    ) -> impl Future<Output = Result<Vec<Row>>> + Send {
        self.read(sql, params)
    }

    fn lock(&self) -> &'static str {
        Tx::dialect(self).for_update()
    }
}
