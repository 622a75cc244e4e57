//! How long an edge may serve the devices that it knows without having heard from its server (rule A7).

use dme_model::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

/// An edge's lease. It ends at a moment unless the server is heard of before; a clock that is set back
/// does not make it longer.
#[derive(Debug)]
pub struct Lease {
    /// When, by the clock, in milliseconds.
    end: AtomicI64,
    began: Instant,
    /// When at the latest, in milliseconds since `began`.
    bound: AtomicU64,
}

impl Lease {
    /// One that ends then.
    pub fn until(end: Timestamp, now: Timestamp) -> Self {
        let lease =
            Self { end: AtomicI64::new(0), began: Instant::now(), bound: AtomicU64::new(0) };
        lease.renew(end, now);
        lease
    }

    /// From now on it ends then.
    pub fn renew(&self, end: Timestamp, now: Timestamp) {
        let left = end.as_millis().saturating_sub(now.as_millis()).max(0).unsigned_abs();
        self.end.store(end.as_millis(), Ordering::Relaxed);
        self.bound.store(self.running().saturating_add(left), Ordering::Relaxed);
    }

    /// It ends now.
    pub fn end(&self) {
        self.end.store(0, Ordering::Relaxed);
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.as_millis() >= self.end.load(Ordering::Relaxed)
            || self.running() >= self.bound.load(Ordering::Relaxed)
    }

    fn running(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_at_its_moment_unless_it_was_renewed() {
        let at = Timestamp::from_seconds;
        let lease = Lease::until(at(100), at(50));
        assert!(!lease.is_over(at(99)) && lease.is_over(at(100)));
        lease.renew(at(200), at(99));
        assert!(!lease.is_over(at(199)) && lease.is_over(at(200)));
        lease.end();
        assert!(lease.is_over(at(99)));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_it_no_longer() {
        let at = Timestamp::from_seconds;
        let lease = Lease::until(at(100), at(100));
        assert!(lease.is_over(at(10)));
    }
}
