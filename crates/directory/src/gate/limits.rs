//! How many wrong passwords, and how many questions to the directory, a user's devices may cause
//! (rule A4).
//!
//! A token bucket for each user and device that was let in before, and one for all others who claim
//! to be that user: a device id is what the phone says it is, so whoever guesses passwords could
//! make up a new one for each guess. So guessing is slow, and it never shuts out the phone that the
//! user already has. While a bucket is empty nothing is answered from it, not even the right password:
//! else memory would tell a guesser as fast as they can ask. Addresses play no part: a whole office shares one.

use super::GateConfig;
use super::generations::Generations;
use dme_model::{DeviceId, Timestamp, UserId};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The buckets of all users.
pub(super) struct Limits {
    burst: u32,
    every: i64,
    state: Mutex<State>,
}

struct State {
    known: Generations<(UserId, DeviceId), ()>,
    buckets: Generations<(UserId, Option<DeviceId>), Bucket>,
}

/// A token that was taken, and whose it was.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Taken((UserId, Option<DeviceId>));

struct Bucket {
    tokens: u32,
    /// When the next token comes, in milliseconds; without meaning while the bucket is full.
    next: i64,
}

impl Limits {
    pub(super) fn new(config: &GateConfig) -> Self {
        // People have more than one device.
        let capacity = config.remembered_users.saturating_mul(4);
        Self {
            burst: config.attempts.max(1),
            every: i64::try_from(config.attempt_every.0.as_millis()).unwrap_or(i64::MAX).max(1),
            state: Mutex::new(State {
                known: Generations::new(capacity),
                buckets: Generations::new(capacity),
            }),
        }
    }

    /// Notes that the device was let in for the user.
    pub(super) fn know(&self, user: &UserId, device: &DeviceId) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.known.insert((user.clone(), device.clone()), ());
    }

    /// Whether there is a token to take, or when there will be one.
    pub(super) fn check(
        &self,
        user: &UserId,
        device: Option<&DeviceId>,
        now: Timestamp,
    ) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = state.key(user, device);
        match state.buckets.get_mut(&key) {
            Some(bucket) => bucket.check(self.burst, self.every, now.as_millis()),
            None => Ok(()),
        }
    }

    /// Takes a token, or says when there will be one.
    pub(super) fn take(
        &self,
        user: &UserId,
        device: Option<&DeviceId>,
        now: Timestamp,
    ) -> Result<Taken, Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let key = state.key(user, device);
        let now = now.as_millis();
        let Some(bucket) = state.buckets.get_mut(&key) else {
            let bucket = Bucket { tokens: self.burst - 1, next: now.saturating_add(self.every) };
            state.buckets.insert(key.clone(), bucket);
            return Ok(Taken(key));
        };
        bucket.check(self.burst, self.every, now)?;
        if bucket.tokens == self.burst {
            bucket.next = now.saturating_add(self.every);
        }
        bucket.tokens -= 1;
        Ok(Taken(key))
    }

    /// Puts a token back: what it was taken for came to nothing, through no fault of the user's.
    pub(super) fn give_back(&self, taken: Taken) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = state.buckets.get_mut(&taken.0) {
            bucket.tokens = bucket.tokens.saturating_add(1).min(self.burst);
        }
    }
}

impl State {
    /// A known device has a bucket of its own; all others share one.
    fn key(&mut self, user: &UserId, device: Option<&DeviceId>) -> (UserId, Option<DeviceId>) {
        let device = device.cloned().filter(|device| {
            // A device that comes is kept known.
            self.known.get_mut(&(user.clone(), device.clone())).is_some()
        });
        (user.clone(), device)
    }
}

impl Bucket {
    fn check(&mut self, burst: u32, every: i64, now: i64) -> Result<(), Duration> {
        self.refill(burst, every, now);
        if self.tokens > 0 {
            return Ok(());
        }
        let wait = u64::try_from(self.next.saturating_sub(now)).unwrap_or(0);
        Err(Duration::from_millis(wait.max(1)))
    }

    fn refill(&mut self, burst: u32, every: i64, now: i64) {
        // A clock that was set back must not make anybody wait for it to catch up.
        self.next = self.next.min(now.saturating_add(every));
        if now < self.next {
            return;
        }
        let come = now.saturating_sub(self.next) / every + 1;
        let come = u32::try_from(come).unwrap_or(u32::MAX);
        self.tokens = self.tokens.saturating_add(come).min(burst);
        self.next = self.next.saturating_add(i64::from(come).saturating_mul(every));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::Span;

    fn limits() -> Limits {
        Limits::new(&GateConfig {
            attempts: 3,
            attempt_every: Span(Duration::from_secs(10)),
            ..GateConfig::default()
        })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_at_a_time() {
        let limits = limits();
        let take = |second| limits.take(&"ann".into(), None, at(second)).map(drop);
        for _ in 0..3 {
            assert_eq!(take(100), Ok(()));
        }
        assert_eq!(take(104), Err(Duration::from_secs(6)));
        assert_eq!(take(110), Ok(()));
        assert_eq!(take(110), Err(Duration::from_secs(10)));
        for _ in 0..3 {
            assert_eq!(take(1000), Ok(()));
        }
        assert!(take(1000).is_err());
    }

    #[test]
    fn made_up_devices_share_one_bucket_and_never_touch_that_of_a_known_one() {
        let limits = limits();
        limits.know(&"ann".into(), &"phone".into());
        let take = |user: &str, device: &str| {
            limits.take(&user.into(), Some(&device.into()), at(100)).map(drop)
        };
        for device in ["a", "b", "c"] {
            assert_eq!(take("ann", device), Ok(()));
        }
        assert!(take("ann", "d").is_err());
        assert_eq!(take("ann", "phone"), Ok(()));
        assert_eq!(take("bob", "d"), Ok(()));
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_longer_than_one_interval() {
        let limits = limits();
        for _ in 0..3 {
            let _ = limits.take(&"ann".into(), None, at(1_000_000));
        }
        let wait = limits.take(&"ann".into(), None, at(100)).unwrap_err();
        assert!(wait <= Duration::from_secs(10));
        assert!(limits.take(&"ann".into(), None, at(110)).is_ok());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again_and_never_more_than_there_was() {
        let limits = limits();
        let take = || limits.take(&"ann".into(), None, at(100));
        for _ in 0..10 {
            limits.give_back(take().unwrap());
        }
        let taken = [take().unwrap(), take().unwrap(), take().unwrap()];
        assert!(take().is_err());
        taken.into_iter().for_each(|taken| limits.give_back(taken));
        limits.give_back(Taken(("ann".into(), None)));
        assert_eq!((0..4).filter(|_| take().is_ok()).count(), 3);
    }
}
