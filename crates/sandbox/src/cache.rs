//! Remembered results, bounded in bytes (contract capa.md §6.1, last line).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Failure;

/// Digest of everything that a result depends on.
pub(crate) type Key = [u8; 32];

/// The names that a script left, as JSON; or its failure.
pub(crate) type Outcome = Result<Arc<str>, Failure>;

/// Two generations: when the young one is half of the budget it becomes the old one, and the old one is
/// forgotten. What is used moves back to the young one.
#[derive(Debug)]
pub(crate) struct Cache {
    budget: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    young: HashMap<Key, Outcome>,
    old: HashMap<Key, Outcome>,
    bytes: usize,
}

fn size(outcome: &Outcome) -> usize {
    // The key, the entry and the bookkeeping of the map.
    128 + match outcome {
        Ok(text) => text.len(),
        Err(failure) => match failure {
            Failure::Script(text) | Failure::Memory(text) | Failure::Fault(text) => text.len(),
            Failure::TimedOut | Failure::Ended(_) => 0,
        },
    }
}

impl Cache {
    pub fn new(budget: usize) -> Self {
        Self {
            budget,
            inner: Mutex::default(),
        }
    }

    pub fn get(&self, key: &Key) -> Option<Outcome> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = inner.young.get(key) {
            return Some(found.clone());
        }
        let found = inner.old.remove(key)?;
        self.insert(&mut inner, *key, found.clone());
        Some(found)
    }

    pub fn put(&self, key: Key, outcome: Outcome) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        self.insert(&mut inner, key, outcome);
    }

    fn insert(&self, inner: &mut Inner, key: Key, outcome: Outcome) {
        let bytes = size(&outcome);
        if bytes > self.budget / 4 {
            return;
        }
        if inner.bytes + bytes > self.budget / 2 {
            inner.old = std::mem::take(&mut inner.young);
            inner.bytes = 0;
        }
        if inner.young.insert(key, outcome).is_none() {
            inner.bytes += bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> Key {
        [n; 32]
    }

    #[test]
    fn stays_within_its_bytes() {
        let cache = Cache::new(4000);
        for n in 0..100 {
            cache.put(key(n), Ok(Arc::from("x".repeat(300))));
        }
        let inner = cache.inner.lock().expect("lock");
        assert!((inner.young.len() + inner.old.len()) * (128 + 300) <= 4000);
        assert!(inner.young.contains_key(&key(99)));
    }

    #[test]
    fn keeps_what_is_used_and_refuses_what_is_too_large() {
        let cache = Cache::new(4000);
        cache.put(key(1), Ok(Arc::from("kept")));
        for n in 2..50 {
            cache.put(key(n), Ok(Arc::from("x".repeat(300))));
            assert!(cache.get(&key(1)).is_some(), "{n}");
        }
        cache.put(key(200), Ok(Arc::from("x".repeat(3000))));
        assert!(cache.get(&key(200)).is_none());
    }
}
