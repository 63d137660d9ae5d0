//! Work that takes a while, on a runtime that serves requests.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs `work` on this thread and lets others take over what waits for it, where the runtime has others.
pub(crate) fn busy<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
