//! Sign-ins that still lack a step: the password was right, the code beside it was not shown yet.
//! Nothing of the console is open to them.

use crate::kept::{Kept, NotKept};
use crate::principal::Principal;
use crate::session::short;
use dme_model::{Secret, Timestamp, UserId};
use std::time::Duration;

/// How long the next step may take.
const LIFE: Duration = Duration::from_secs(10 * 60);
/// Sign-ins at once; beyond, the one that is nearest to its end is given up.
const SIGN_INS: usize = 1_000;

/// All of them, each by what its browser shows.
pub(crate) struct Unfinished(Kept<Half>);

impl Default for Unfinished {
    fn default() -> Self {
        Self(Kept::giving_up(LIFE, SIGN_INS))
    }
}

/// A sign-in that lacks a step.
#[derive(Clone, Debug)]
pub(crate) struct Half {
    /// What names it, and opens nothing.
    pub id: String,
    /// Whose password it was.
    pub principal: Principal,
    /// Where to go afterwards.
    pub back: String,
}

impl Unfinished {
    /// Begins one; gives what its browser shows from now on.
    pub(crate) fn begin(
        &self,
        principal: Principal,
        back: String,
        now: Timestamp,
    ) -> Result<Secret, NotKept> {
        self.0.keep(Half { id: short()?, principal, back }, now)
    }

    /// The one that a browser shows, while there is time.
    pub(crate) fn find(&self, cookie: &Secret, now: Timestamp) -> Option<Half> {
        self.0.find(cookie, now)
    }

    /// Takes it, to be finished: it is over by that.
    pub(crate) fn take(&self, cookie: &Secret, now: Timestamp) -> Option<Half> {
        self.0.take(cookie, now)
    }

    /// Ends all of a user's but the one of this id.
    pub(crate) fn end_others(&self, user: &UserId, id: &str) {
        self.0.end_where(|half| half.principal.user.as_ref() == Some(user) && half.id != id);
    }

    /// Ends all of a user's.
    pub(crate) fn end_user(&self, user: &UserId) {
        self.0.end_where(|half| half.principal.user.as_ref() == Some(user));
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
        assert_eq!(all.take(&cookie, at(1)).unwrap().back, "/devices");
        assert!(all.find(&cookie, at(1)).is_none());
        let first = all.begin(principal.clone(), String::new(), at(0)).unwrap();
        for _ in 0..SIGN_INS {
            all.begin(principal.clone(), String::new(), at(1)).unwrap();
        }
        assert!(all.find(&first, at(1)).is_none(), "there are no more than that at once");
    }
}
