//! Secrets that were offered and that nobody has shown a code of yet. Each is of one sign-in or session
//! alone: whoever else knows the password meanwhile is offered another, and does not share what the
//! user sets up.

use super::SECRET;
use dme_model::{Timestamp, UserId};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long one waits for its first code.
pub(super) const LIFE: Duration = Duration::from_secs(15 * 60);
/// So many there are at once.
const MOST: usize = 1_000;
/// So many of them are one user's; beyond, that one's oldest is given up.
const OF_ONE: usize = 8;

#[derive(Default)]
pub(super) struct Offers(Mutex<Vec<Offer>>);

struct Offer {
    user: UserId,
    /// The sign-in or session.
    to: String,
    secret: [u8; SECRET],
    until: Timestamp,
}

impl Offers {
    /// What waits of a user's in this sign-in or session.
    pub fn find(&self, user: &UserId, to: &str, now: Timestamp) -> Option<[u8; SECRET]> {
        let all = self.all();
        let is_meant = |one: &&Offer| one.user == *user && one.to == to && now < one.until;
        all.iter().find(is_meant).map(|offer| offer.secret)
    }

    /// One more; says whether there was place for it.
    pub fn put(&self, user: &UserId, to: &str, secret: [u8; SECRET], now: Timestamp) -> bool {
        let mut all = self.all();
        all.retain(|one| now < one.until);
        if all.iter().filter(|one| one.user == *user).count() >= OF_ONE
            && let Some(oldest) = all.iter().position(|one| one.user == *user)
        {
            all.remove(oldest);
        }
        if all.len() >= MOST {
            return false;
        }
        all.push(Offer { user: user.clone(), to: to.to_owned(), secret, until: now.plus(LIFE) });
        true
    }

    /// None of a user's waits any more.
    pub fn end(&self, user: &UserId) {
        self.all().retain(|one| one.user != *user);
    }

    fn all(&self) -> MutexGuard<'_, Vec<Offer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_again_and_again_puts_out_their_own_alone() {
        let (offers, now) = (Offers::default(), Timestamp::from_seconds(1_790_000_000));
        let [ada, eve] = ["ada@example.org", "eve@example.org"].map(UserId::from);
        assert!(offers.put(&eve, "hers", [7; SECRET], now));
        for (asked, to) in ["a", "b", "c", "d", "e", "f", "g", "h", "i"].into_iter().enumerate() {
            assert!(offers.put(&ada, to, [u8::try_from(asked).unwrap(); SECRET], now));
        }
        assert_eq!(offers.find(&ada, "a", now), None, "given up");
        assert_eq!(offers.find(&ada, "b", now), Some([1; SECRET]));
        assert_eq!(offers.find(&ada, "i", now), Some([8; SECRET]));
        assert_eq!(offers.find(&eve, "hers", now), Some([7; SECRET]));
        assert_eq!(offers.find(&eve, "hers", now.plus(LIFE)), None, "too late");
    }
}
