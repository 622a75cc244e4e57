//! Waits that differ from one another, so that those who began to wait together do not come back
//! together.

use dme_link::random;
use std::time::Duration;

/// Any time up to this one.
pub(crate) fn up_to(most: Duration) -> Duration {
    most.mul_f64(random())
}

/// This time or less, but never less than half of it.
pub(crate) fn about(time: Duration) -> Duration {
    time / 2 + up_to(time / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread_over_all_that_they_may_be() {
        let second = Duration::from_secs(1);
        let times: Vec<_> = (0..1000).map(|_| up_to(second)).collect();
        for tenth in 0..10 {
            let from = second / 10 * tenth;
            let within = times.iter().filter(|time| (from..from + second / 10).contains(*time));
            assert!(within.count() > 40, "{times:?}");
        }
        assert!((0..1000).map(|_| about(second)).all(|time| (second / 2..=second).contains(&time)));
        assert_eq!(up_to(Duration::ZERO), Duration::ZERO);
    }
}
