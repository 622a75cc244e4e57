//! One request at a time for each thing that has a state; different things do not wait.

use crate::{DeviceKey, Slot};
use futures_util::lock::{Mutex as AsyncMutex, OwnedMutexGuard};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// What can be locked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Lock {
    /// A device's state.
    State(DeviceKey, Slot),
    /// An act of sending.
    Submission(DeviceKey, String),
}

type Held<K> = HashMap<K, Arc<AsyncMutex<()>>>;

/// The locks that are held or waited for right now, and no others: the table is as large as the
/// number of requests under way.
pub struct Locks<K: Eq + Hash> {
    held: Mutex<Held<K>>,
}

/// The lock is held until this is dropped.
pub struct Guard<'a, K: Eq + Hash> {
    locks: &'a Locks<K>,
    lock: K,
    // Option, so that `drop` can let go of the mutex before looking whether anyone else has it.
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash> Default for Locks<K> {
    fn default() -> Self {
        Self { held: Mutex::default() }
    }
}

impl<K: Clone + Eq + Hash> Locks<K> {
    /// Waits until nobody else holds the lock.
    pub async fn lock(&self, lock: K) -> Guard<'_, K> {
        let mutex = Arc::clone(self.table().entry(lock.clone()).or_default());
        // Made before waiting, so that a caller who gives up leaves nothing in the table.
        let mut guard = Guard { locks: self, lock, guard: None };
        guard.guard = Some(mutex.lock_owned().await);
        guard
    }
}

impl<K: Eq + Hash> Locks<K> {
    fn table(&self) -> std::sync::MutexGuard<'_, Held<K>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Guard<'_, K> {
    fn drop(&mut self) {
        self.guard = None;
        let mut table = self.locks.table();
        // Clones are made only under the table's lock: one left means nobody waits.
        if table.get(&self.lock).is_some_and(|mutex| Arc::strong_count(mutex) == 1) {
            table.remove(&self.lock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn lock(key: &str) -> Lock {
        let device = DeviceKey { user: "ann@x".into(), device: "phone".into() };
        Lock::Submission(device, key.into())
    }

    #[test]
    fn the_second_waits_for_the_first_and_a_stranger_for_nobody() {
        let locks = Locks::default();
        let first = locks.lock(lock("a")).now_or_never().expect("free");
        let mut second = Box::pin(locks.lock(lock("a")));
        assert!(second.as_mut().now_or_never().is_none());
        let stranger = locks.lock(lock("b")).now_or_never().expect("free");
        drop(first);
        assert!(second.now_or_never().is_some());
        drop(stranger);
        assert!(locks.table().is_empty());
    }

    #[test]
    fn one_that_gives_up_waiting_leaves_nothing() {
        let locks = Locks::default();
        let first = locks.lock(lock("a")).now_or_never().expect("free");
        let mut second = Box::pin(locks.lock(lock("a")));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        drop(second);
        assert!(locks.table().is_empty());
    }
}
