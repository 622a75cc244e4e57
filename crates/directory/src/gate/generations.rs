//! A bounded map that forgets what was not used for longest, roughly.
//!
//! Two maps: what is used goes into the young one; when that holds its half of the capacity, the
//! old one is dropped and the young one becomes old. All is O(1), and no entry that was used within
//! the last half capacity of others is lost.

use std::collections::HashMap;
use std::hash::Hash;

/// A bounded map.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// A map of at most `capacity` entries, at least two.
    pub(super) fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: (capacity / 2).max(1) }
    }

    /// The value, marked as used.
    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get_mut(key)
    }

    /// Puts a value in, marked as used.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Every entry, in no order, unmarked.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.young.iter().chain(&self.old)
    }

    /// The value, not marked as used.
    pub(super) fn peek_mut(&mut self, key: &K) -> Option<&mut V> {
        self.young.get_mut(key).or_else(|| self.old.get_mut(key))
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// Keeps what the test says.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.young.retain(&mut keep);
        self.old.retain(keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_bounded_and_keeps_what_was_used_lately(
            used in proptest::collection::vec(0u8..40, 1..300), capacity in 2usize..20,
        ) {
            let mut map = Generations::new(capacity);
            for key in &used {
                if map.get_mut(key).is_none() {
                    map.insert(*key, u32::from(*key));
                }
                prop_assert!(map.iter().count() <= capacity);
                prop_assert_eq!(map.iter().filter(|(k, _)| *k == key).count(), 1);
            }
            let recent: std::collections::BTreeSet<u8> =
                used.iter().rev().take(capacity / 2).copied().collect();
            for key in recent {
                prop_assert_eq!(map.get_mut(&key).copied(), Some(u32::from(key)));
            }
        }
    }
}
