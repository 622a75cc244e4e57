//! Guesses at something short. After some that were wrong in a row none is taken for a while, and each
//! further wrong one doubles that: whoever knows a password does not come by the code by trying.

use dme_model::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many in a row may be wrong.
const FREE: u32 = 5;
/// How long none is taken after that, the first time.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// From so many guessers on, those who did not guess for [`LONGEST`] are forgotten when another comes.
const REMEMBERED: usize = 10_000;

/// Who guessed how often.
pub struct Guesses<K>(Mutex<HashMap<K, Wrong>>);

#[derive(Clone, Copy)]
struct Wrong {
    times: u32,
    last: Timestamp,
}

impl Wrong {
    /// From when on the next guess is taken.
    fn over(self) -> Timestamp {
        match self.times.checked_sub(FREE) {
            None => self.last,
            Some(more) => {
                let pause = PAUSE.saturating_mul(2_u32.saturating_pow(more));
                self.last.plus(pause.min(LONGEST))
            }
        }
    }
}

impl<K> Default for Guesses<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Guesses<K> {
    /// Begins a guess, which counts as wrong until it is told to have been [right](Self::right), so
    /// that many at once are counted.
    ///
    /// # Errors
    /// How long none is taken.
    pub fn begin(&self, who: &K, now: Timestamp) -> Result<(), Duration> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(who) {
            all.retain(|_, wrong| now < wrong.last.plus(LONGEST));
        }
        let wrong = all.entry(who.clone()).or_insert(Wrong { times: 0, last: now });
        let wait = wrong.over().as_millis().saturating_sub(now.as_millis());
        if let Ok(wait @ 1..) = u64::try_from(wait) {
            return Err(Duration::from_millis(wait));
        }
        *wrong = Wrong { times: wrong.times.saturating_add(1), last: now };
        Ok(())
    }

    /// The guess was right: those before are forgotten.
    pub fn right(&self, who: &K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 + seconds)
    }

    #[test]
    fn who_guesses_wrong_again_and_again_waits_longer_and_longer() {
        let guesses = Guesses::default();
        let guess = |now: i64| guesses.begin(&"eve", at(now)).map_err(|wait| wait.as_secs());
        for _ in 0..5 {
            assert_eq!(guess(0), Ok(()));
        }
        assert_eq!(guess(0), Err(60));
        // What is not taken is not counted.
        assert_eq!(guess(59), Err(1));
        assert_eq!(guess(60), Ok(()));
        assert_eq!(guess(60), Err(120));
        assert_eq!(guess(180), Ok(()));
        assert_eq!(guess(180), Err(240));
        // Nobody else waits.
        assert_eq!(guesses.begin(&"ada", at(180)), Ok(()));
        // Not for ever.
        let mut now = 180;
        for _ in 0..40 {
            now += guess(now).err().map_or(0, |wait| i64::try_from(wait).unwrap());
            assert_eq!(guess(now), Ok(()));
        }
        assert_eq!(guess(now), Err(24 * 3600));
    }

    #[test]
    fn who_was_right_begins_anew() {
        let guesses = Guesses::default();
        for _ in 0..50 {
            assert_eq!(guesses.begin(&"ada", at(0)), Ok(()));
            guesses.right(&"ada");
        }
    }
}
