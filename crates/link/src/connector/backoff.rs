//! When to dial again: full jitter, remembered over a flapping line (rule L3).

use std::cell::Cell;
use std::time::Duration;

/// The bounds of the waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackoffConfig {
    /// The wait after the first failure is anything up to this; after each further one up to
    /// twice as long.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// A link that held so long was a good one: the failures before it are forgotten.
    pub steady: Duration,
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(60),
            steady: Duration::from_secs(60),
        }
    }
}

/// Counts failures and turns them into waits.
#[derive(Debug)]
pub(super) struct Backoff {
    config: BackoffConfig,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(config: BackoffConfig) -> Self {
        Self { config, failures: 0 }
    }

    /// A link held for so long before it was lost.
    pub(super) fn held(&mut self, time: Duration) {
        if time >= self.config.steady {
            self.failures = 0;
        }
    }

    /// The wait after one more failure; `random` is in 0 to 1.
    pub(super) fn next(&mut self, random: f64) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures.min(31));
        self.failures = self.failures.saturating_add(1);
        let most = self.config.first.saturating_mul(factor).min(self.config.longest);
        most.mul_f64(random.clamp(0.0, 1.0))
    }
}

thread_local! {
    /// From what this thread's next number follows, where it was given a seed.
    static SEEDED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// From now on the numbers of [`random`] on this thread follow from a seed: for simulations, so that
/// what is played again waits as long again. Nothing secret is made of these numbers.
pub fn seed_random(seed: u64) {
    SEEDED.set(Some(seed));
}

/// A number from 0 to 1, for jitter. Without randomness it is 1: all wait for the longest, and nothing
/// else suffers.
pub fn random() -> f64 {
    if let Some(before) = SEEDED.get() {
        // Weyl's sequence, mixed as in SplitMix64; its upper half is enough here.
        let next = before.wrapping_add(0x9E37_79B9_7F4A_7C15);
        SEEDED.set(Some(next));
        let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let upper = u32::try_from((mixed ^ (mixed >> 27)) >> 32).unwrap_or(u32::MAX);
        return f64::from(upper) / f64::from(u32::MAX);
    }
    let mut bytes = [0; 4];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(backoff: &mut Backoff, random: f64) -> f64 {
        backoff.next(random).as_secs_f64()
    }

    #[test]
    fn waits_double_up_to_the_longest_and_jitter_is_over_the_whole_of_them() {
        let mut backoff = Backoff::new(BackoffConfig {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(10),
            steady: Duration::from_secs(60),
        });
        for (random, expected) in [(1.0, 1.0), (0.5, 1.0), (0.0, 0.0), (1.0, 8.0), (1.0, 10.0)] {
            assert!((seconds(&mut backoff, random) - expected).abs() < 1e-9);
        }
        for _ in 0..100 {
            assert!(seconds(&mut backoff, 1.0) <= 10.0);
        }
    }

    #[test]
    fn a_flapping_line_does_not_begin_anew_and_a_steady_one_does() {
        let mut backoff = Backoff::new(BackoffConfig::default());
        for _ in 0..5 {
            backoff.next(1.0);
        }
        backoff.held(Duration::from_secs(59));
        assert_eq!(backoff.next(1.0), Duration::from_secs(16));
        backoff.held(Duration::from_secs(60));
        assert_eq!(backoff.next(1.0), Duration::from_millis(500));
    }

    #[test]
    fn random_numbers_are_numbers_from_nought_to_one() {
        assert!((0..1000).map(|_| random()).all(|number| (0.0..=1.0).contains(&number)));
    }

    #[test]
    fn numbers_of_a_seed_can_be_had_again_and_are_spread_as_the_others() {
        let numbers = |seed| {
            seed_random(seed);
            (0..1000).map(|_| random()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        for tenth in 0..10_u8 {
            let tenth = f64::from(tenth) / 10.0;
            let within = numbers(7).into_iter().filter(|one| (tenth..tenth + 0.1).contains(one));
            assert!((50..150).contains(&within.count()));
        }
    }
}
