//! What was found a moment ago, for whoever asks for the same: the next page, the same key again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Answers of the last seconds, a bounded number of them.
pub(in super::super) struct Recent<K, V> {
    life: Duration,
    capacity: usize,
    answers: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// Keeps so many answers for so long; none where that is no time at all.
    pub(in super::super) fn new(life: Duration, capacity: usize) -> Self {
        Self { life, capacity, answers: Mutex::default() }
    }

    /// The answer given to this before.
    pub(super) fn get(&self, key: &K, now: Instant) -> Option<V> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, answer) = answers.get(key)?;
        (now.saturating_duration_since(*since) < self.life).then(|| answer.clone())
    }

    /// Notes an answer.
    pub(super) fn put(&self, key: K, answer: V, now: Instant) {
        if self.life.is_zero() {
            return;
        }
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= self.capacity {
            answers.retain(|_, (since, _)| now.saturating_duration_since(*since) < self.life);
        }
        if answers.len() >= self.capacity {
            answers.clear();
        }
        answers.insert(key, (now, answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_serves_for_its_life_and_no_longer() {
        let recent = Recent::new(Duration::from_secs(10), 2);
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        recent.put("ann", 1, begin);
        assert_eq!(recent.get(&"ann", after(9)), Some(1));
        assert_eq!(recent.get(&"ann", after(10)), None);
        assert_eq!(recent.get(&"bob", begin), None);
    }

    #[test]
    fn their_number_is_bounded() {
        let recent = Recent::new(Duration::from_secs(10), 2);
        let now = Instant::now();
        for key in 0..100 {
            recent.put(key, key, now);
        }
        assert!(recent.answers.lock().unwrap().len() <= 2);
        assert_eq!(recent.get(&99, now), Some(99));
    }

    #[test]
    fn without_a_life_nothing_is_kept() {
        let recent = Recent::new(Duration::ZERO, 2);
        let now = Instant::now();
        recent.put("ann", 1, now);
        assert_eq!(recent.get(&"ann", now), None);
    }
}
