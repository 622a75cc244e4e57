//! How many connections may be open whose owner is not known yet.
//!
//! When the house is full, whoever has waited longest at the door goes: an honest handshake takes
//! a second at worst, so that a flood has to fill the whole house within that second to keep a
//! connector out, and then only until it tries again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The connections at the door.
#[derive(Clone)]
pub(super) struct Handshakes {
    limit: usize,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    queue: VecDeque<(u64, CancellationToken)>,
}

/// One connection's place at the door, given up when dropped.
pub(super) struct Place {
    number: u64,
    door: Handshakes,
    /// Cancelled when the place is needed for another.
    pub evicted: CancellationToken,
}

impl Handshakes {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), waiting: Arc::default() }
    }

    /// Takes a place, if need be from whoever has waited longest.
    pub(super) fn enter(&self) -> Place {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.queue.len() >= self.limit {
            if let Some((_, oldest)) = waiting.queue.pop_front() {
                oldest.cancel();
            }
        }
        let (number, evicted) = (waiting.next, CancellationToken::new());
        waiting.next = number.wrapping_add(1);
        waiting.queue.push_back((number, evicted.clone()));
        Place { number, door: self.clone(), evicted }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.door.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.queue.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_house_is_full_the_longest_waiting_goes() {
        let door = Handshakes::new(2);
        let (first, second) = (door.enter(), door.enter());
        assert!(!first.evicted.is_cancelled());
        let third = door.enter();
        assert!(first.evicted.is_cancelled());
        assert!(!second.evicted.is_cancelled());
        drop(second);
        let _fourth = door.enter();
        assert!(!third.evicted.is_cancelled());
    }
}
