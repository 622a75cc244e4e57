//! The connections whose handshake is under way.
//!
//! When as many stand at the door as may, whoever has stood there longest goes. A phone's handshake
//! takes a second at worst, so that a flood of half-open ones must fill the whole house within that
//! second to keep a phone out; a queue would let it do so with one connection each few seconds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The connections at the door.
pub struct Door {
    limit: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    /// The longest waiting first.
    queue: VecDeque<(u64, CancellationToken)>,
}

/// One connection's place, given up when dropped.
pub struct Place {
    number: u64,
    door: Arc<Door>,
    taken: CancellationToken,
}

impl Door {
    /// Room for so many, at least one.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(1), waiting: Mutex::default() })
    }

    /// Takes a place, if need be from whoever has waited longest.
    pub fn enter(self: &Arc<Self>) -> Place {
        let mut waiting = self.lock();
        while waiting.queue.len() >= self.limit {
            if let Some((_, oldest)) = waiting.queue.pop_front() {
                oldest.cancel();
            }
        }
        let (number, taken) = (waiting.next, CancellationToken::new());
        waiting.next = number.wrapping_add(1);
        waiting.queue.push_back((number, taken.clone()));
        Place { number, door: self.clone(), taken }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the place is taken for another.
    pub async fn taken(&self) {
        self.taken.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.lock().queue.retain(|(number, _)| *number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_the_house_is_full_the_longest_waiting_goes() {
        let door = Door::new(2);
        let (first, second) = (door.enter(), door.enter());
        assert!(!first.taken.is_cancelled());
        let third = door.enter();
        assert!(first.taken.is_cancelled());
        assert!(!second.taken.is_cancelled());
        drop(second);
        let _fourth = door.enter();
        assert!(!third.taken.is_cancelled());
    }
}
