//! How often somebody may try a connector's code. A code of 50 bits that is good for minutes is not
//! found by trying; this keeps the trying from costing anything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Attempts in a while from one address; who mistypes has some left.
const BY_ONE: u32 = 5;
/// Attempts in a while from all addresses, which is also how many are remembered.
const BY_ALL: u32 = 60;
/// The while.
const WHILE: Duration = Duration::from_secs(60);

/// Who tried how often in the current while.
pub(super) struct Guesses(Mutex<Counted>);

struct Counted {
    since: Instant,
    all: u32,
    by: HashMap<IpAddr, u32>,
}

impl Guesses {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Counted { since: now, all: 0, by: HashMap::new() }))
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// After how long to come again, where there were too many.
    pub(super) fn attempt(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(counted.since);
        if passed >= WHILE {
            *counted = Counted { since: now, all: 0, by: HashMap::new() };
        }
        let wait = WHILE.saturating_sub(passed);
        if counted.all >= BY_ALL {
            return Err(wait);
        }
        let by_one = counted.by.entry(network(from)).or_default();
        if *by_one >= BY_ONE {
            return Err(wait);
        }
        *by_one += 1;
        counted.all += 1;
        Ok(())
    }
}

/// Of IPv6 the part that one customer has all addresses of (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_and_all_together_may_try_so_often_in_a_minute() {
        let begin = Instant::now();
        let guesses = Guesses::new(begin);
        let address = |n: u32| IpAddr::from((0x0a00_0000 | n).to_be_bytes());
        for _ in 0..BY_ONE {
            assert!(guesses.attempt(address(1), begin).is_ok());
        }
        let later = begin + Duration::from_secs(20);
        assert_eq!(guesses.attempt(address(1), later), Err(Duration::from_secs(40)));
        for n in 2..2 + BY_ALL - BY_ONE {
            assert!(guesses.attempt(address(n), later).is_ok());
        }
        assert!(guesses.attempt(address(1000), later).is_err());
        assert!(guesses.attempt(address(1), begin + WHILE).is_ok());
    }

    #[test]
    fn all_addresses_of_one_customer_are_one() {
        let begin = Instant::now();
        let guesses = Guesses::new(begin);
        for n in 0..BY_ONE {
            let address: IpAddr = format!("2001:db8::{n}").parse().unwrap();
            assert!(guesses.attempt(address, begin).is_ok());
        }
        assert!(guesses.attempt("2001:db8::ffff".parse().unwrap(), begin).is_err());
        assert!(guesses.attempt("2001:db8:0:1::1".parse().unwrap(), begin).is_ok());
    }
}
