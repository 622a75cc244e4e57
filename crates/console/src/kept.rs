//! What waits for a while for whoever shows its secret. It is kept in memory alone, by the secret's
//! hash; what a restart takes is made again.

use crate::opaque::{Hash, hash, random};
use dme_model::{Secret, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Things of one kind, each by its secret and until its time.
pub(crate) struct Kept<T> {
    life: Duration,
    most: usize,
    when_full: WhenFull,
    all: Mutex<HashMap<Hash, (T, Timestamp)>>,
}

/// What becomes of one more where there are as many as there may be.
enum WhenFull {
    /// It is not kept.
    Refuse,
    /// The one that is nearest to its end is given up for it.
    GiveUp,
}

/// Why one is not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotKept {
    /// There are as many as there may be.
    #[error("there are too many")]
    Full,
    /// No secret can be made.
    #[error(transparent)]
    NoRandomness(#[from] std::io::Error),
}

impl<T> Kept<T> {
    /// Each is kept for `life`; `most` are at once, and one more is refused.
    pub(crate) fn refusing(life: Duration, most: usize) -> Self {
        Self { life, most, when_full: WhenFull::Refuse, all: Mutex::default() }
    }

    /// The same, but one more puts out the one that is nearest to its end.
    pub(crate) fn giving_up(life: Duration, most: usize) -> Self {
        Self { when_full: WhenFull::GiveUp, ..Self::refusing(life, most) }
    }

    /// Keeps one; gives the secret by which it is found.
    pub(crate) fn keep(&self, one: T, now: Timestamp) -> Result<Secret, NotKept> {
        let secret = random()?;
        let mut all = self.all();
        all.retain(|_, (_, until)| now < *until);
        match self.when_full {
            WhenFull::Refuse if all.len() >= self.most => return Err(NotKept::Full),
            WhenFull::GiveUp if all.len() >= self.most => {
                let first = all.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| *key);
                first.and_then(|key| all.remove(&key));
            }
            WhenFull::Refuse | WhenFull::GiveUp => {}
        }
        all.insert(hash(&secret), (one, now.plus(self.life)));
        Ok(secret)
    }

    /// Gives it away, the first time and in time.
    pub(crate) fn take(&self, secret: &Secret, now: Timestamp) -> Option<T> {
        self.all().remove(&hash(secret)).filter(|(_, until)| now < *until).map(|(one, _)| one)
    }

    /// Ends those that `which` picks.
    pub(crate) fn end_where(&self, which: impl Fn(&T) -> bool) {
        self.all().retain(|_, (one, _)| !which(one));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Hash, (T, Timestamp)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Kept<T> {
    /// It, while there is time; it stays.
    pub(crate) fn find(&self, secret: &Secret, now: Timestamp) -> Option<T> {
        self.all().get(&hash(secret)).filter(|(_, until)| now < *until).map(|(one, _)| one.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(10);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds)
    }

    #[test]
    fn it_is_found_by_its_secret_in_its_time_and_taken_once() {
        let kept = Kept::refusing(LIFE, 2);
        let (one, other) = (kept.keep("one", at(0)).unwrap(), kept.keep("other", at(0)).unwrap());
        assert_eq!(kept.find(&one, at(9)), Some("one"));
        assert_eq!(kept.find(&one, at(10)), None, "too late");
        assert_eq!(kept.find(&Secret::new("made up"), at(1)), None);
        assert_eq!(kept.take(&one, at(9)), Some("one"));
        assert_eq!(kept.take(&one, at(9)), None, "it was taken");
        assert_eq!(kept.take(&other, at(10)), None, "too late");
    }

    #[test]
    fn one_too_many_is_refused_until_another_is_over() {
        let kept = Kept::refusing(LIFE, 2);
        kept.keep(1, at(0)).unwrap();
        kept.keep(2, at(5)).unwrap();
        assert!(matches!(kept.keep(3, at(9)), Err(NotKept::Full)));
        kept.keep(3, at(10)).unwrap();
    }

    #[test]
    fn or_it_puts_out_the_one_that_is_nearest_to_its_end() {
        let kept = Kept::giving_up(LIFE, 2);
        let all = [1, 2, 3].map(|one| kept.keep(one, at(one)).unwrap());
        assert_eq!(all.map(|secret| kept.find(&secret, at(4))), [None, Some(2), Some(3)]);
    }
}
