//! Sign-ins that still lack a step: the password was right, the code beside it was not shown yet.
//! Nothing of the console is open to them.

use crate::opaque::{Hash, hash, random};
use crate::principal::Principal;
use dme_model::{Secret, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long the next step may take.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// Sign-ins at once; beyond, the one that is nearest to its end is given up.
const SIGN_INS: usize = 1_000;

/// All of them, each by what its browser shows.
#[derive(Default)]
pub(crate) struct Unfinished(Mutex<HashMap<Hash, Half>>);

/// A sign-in that lacks a step.
#[derive(Clone, Debug)]
pub(crate) struct Half {
    /// Whose password it was.
    pub principal: Principal,
    /// Where to go afterwards.
    pub back: String,
    until: Timestamp,
}

impl Unfinished {
    /// Begins one; gives what its browser shows from now on.
    pub(crate) fn begin(
        &self,
        principal: Principal,
        back: String,
        now: Timestamp,
    ) -> std::io::Result<Secret> {
        let cookie = random()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, half| now < half.until);
        if all.len() >= SIGN_INS {
            let oldest = all.iter().min_by_key(|(_, half)| half.until).map(|(key, _)| *key);
            oldest.and_then(|key| all.remove(&key));
        }
        all.insert(hash(&cookie), Half { principal, back, until: now.plus(LIFE) });
        Ok(cookie)
    }

    /// The one that a browser shows, while there is time.
    pub(crate) fn find(&self, cookie: &Secret, now: Timestamp) -> Option<Half> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&hash(cookie)).filter(|half| now < half.until).cloned()
    }

    /// Ends it, finished or given up.
    pub(crate) fn end(&self, cookie: &Secret) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(cookie));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Origin;

    #[test]
    fn a_sign_in_is_finished_in_its_time_or_begun_anew() {
        let all = Unfinished::default();
        let at = |seconds: i64| Timestamp::from_seconds(1_790_000_000 + seconds);
        let principal = Principal {
            name: "ada".into(),
            user: None,
            origin: Origin::Session,
            roles: Vec::new(),
            limited_to: None,
        };
        let cookie = all.begin(principal.clone(), "/devices".into(), at(0)).unwrap();
        assert_eq!(all.find(&cookie, at(599)).unwrap().back, "/devices");
        assert!(all.find(&cookie, at(600)).is_none());
        assert!(all.find(&Secret::new("made up"), at(1)).is_none());
        all.end(&cookie);
        assert!(all.find(&cookie, at(1)).is_none());
        for second in 0..SIGN_INS {
            all.begin(principal.clone(), String::new(), at(second.try_into().unwrap())).unwrap();
        }
        assert!(all.0.lock().unwrap().len() <= SIGN_INS);
    }
}
