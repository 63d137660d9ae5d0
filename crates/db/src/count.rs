//! Counting statements, so that tests and benches can hold a request to its budget.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static CURRENT: Arc<Cells>;
}

#[derive(Debug, Default)]
pub(crate) struct Cells {
    reads: AtomicU64,
    writes: AtomicU64,
    transactions: AtomicU64,
}

/// How many statements ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// SELECT statements, inside and outside transactions.
    pub reads: u64,
    /// INSERT, UPDATE and DELETE statements.
    pub writes: u64,
    /// Transactions begun, repeated ones counted each time.
    pub transactions: u64,
}

impl Cells {
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            reads: self.reads.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
            transactions: self.transactions.load(Ordering::Relaxed),
        }
    }

    fn add(&self, what: What) {
        let cell = match what {
            What::Read => &self.reads,
            What::Write => &self.writes,
            What::Transaction => &self.transactions,
        };
        cell.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Copy)]
pub(crate) enum What {
    Read,
    Write,
    Transaction,
}

/// Counts one event for the handle and for the surrounding [`counting`] scope, if there is one.
pub(crate) fn note(total: &Cells, what: What) {
    total.add(what);
    // Outside a scope there is nothing to add to.
    let _ = CURRENT.try_with(|cells| cells.add(what));
}

/// Runs a future and says how many statements it caused on any [`crate::Db`]. Tasks that it spawns
/// are not counted.
pub async fn counting<F: Future>(future: F) -> (F::Output, Counts) {
    let cells = Arc::new(Cells::default());
    let output = CURRENT.scope(Arc::clone(&cells), future).await;
    (output, cells.counts())
}
