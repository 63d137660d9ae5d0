//! Rate limits in windows that begin with the first event.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Counters above which the oldest windows are thrown away.
const MAX_COUNTERS: usize = 100_000;

/// Group and key of a counter; its value is the end of the window and the count.
type Key = (&'static str, String);

/// Counts of events a key and window, kept in this process.
#[derive(Debug, Default)]
pub struct RateLimiter {
    counters: Mutex<HashMap<Key, (i64, u32)>>,
}

impl RateLimiter {
    /// Counts one event of `group` for `key` at Unix second `now` and says whether more than `limit` have fallen
    /// into the window of `window` seconds that began with the first of them.
    pub fn exceeded(
        &self,
        group: &'static str,
        key: &str,
        limit: u32,
        window: i64,
        now: i64,
    ) -> bool {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= MAX_COUNTERS {
            counters.retain(|_, (ends, _)| *ends > now);
            if counters.len() >= MAX_COUNTERS {
                counters.clear();
            }
        }
        let entry = counters
            .entry((group, key.to_lowercase()))
            .or_insert((now + window, 0));
        if entry.0 <= now {
            *entry = (now + window, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows() {
        let limiter = RateLimiter::default();
        let hit = |now| limiter.exceeded("login", "A@x", 2, 300, now);
        assert!(!hit(0) && !hit(1) && hit(2));
        assert!(hit(299) && !hit(300));
        assert!(!limiter.exceeded("login", "b", 2, 300, 2));
        assert!(!limiter.exceeded("login", "a@X", 2, 300, 301));
        assert!(limiter.exceeded("login", "a@x", 2, 300, 302));
    }
}
