//! What the server told lately, so that it need not be asked at each call.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long what was told is taken to hold.
const FRESH: Duration = Duration::from_secs(600);
/// Answers that are kept.
const MAX_KEPT: usize = 20_000;

/// What was told, by what it was told of, for a while.
pub(crate) struct Lately<K, V>(Mutex<HashMap<K, (Instant, V)>>);

impl<K, V> Default for Lately<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Lately<K, V> {
    pub(crate) fn of(&self, key: &K) -> Option<V> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = kept.get(key)?;
        (since.elapsed() < FRESH).then(|| value.clone())
    }

    pub(crate) fn keep(&self, key: K, value: V) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KEPT {
            all.retain(|_, (since, _)| since.elapsed() < FRESH);
        }
        if all.len() < MAX_KEPT {
            all.insert(key, (Instant::now(), value));
        }
    }
}
