//! Sessions of browsers: who signed in, for how long, and what shows that a request is theirs.
//!
//! They are kept in memory: a server that starts anew asks everybody to sign in again. A cookie is
//! known by its hash only, so that a copy of the memory opens nothing.

use crate::opaque::{Hash, hash, random};
use crate::principal::Principal;
use aws_lc_rs::constant_time;
use dme_model::{Secret, Timestamp, UserId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A session ends when nothing was asked for so long (ASVS 5.0, 7.3.1).
pub(crate) const IDLE: Duration = Duration::from_secs(30 * 60);
/// And after so long in any case (ASVS 5.0, 7.3.2).
pub(crate) const LIFE: Duration = Duration::from_secs(12 * 3600);
/// For how long a password that was shown is good for dangerous acts.
pub(crate) const FRESH: Duration = Duration::from_secs(5 * 60);
/// How long what the directory said of somebody's roles is believed (rule A5).
pub(crate) const ROLES: Duration = Duration::from_secs(60);
/// Sessions at once; beyond, the one that was idle longest ends.
const SESSIONS: usize = 10_000;

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<Hash, Session>>);

/// One session, as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Who.
    pub principal: Arc<Principal>,
    /// What forms must carry, so that no other site's form counts.
    pub csrf: Secret,
    /// When it began.
    pub began: Timestamp,
    /// When something was last asked for.
    pub seen: Timestamp,
    /// When the password was last shown.
    pub confirmed: Timestamp,
    /// When the roles were last looked up.
    pub checked: Timestamp,
    /// What the next page is to say.
    pub notice: Option<Notice>,
}

/// What became of what was asked for last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    /// It was done.
    Done(String),
    /// It was not.
    Refused(String),
    /// Each of many things was, or was not, done, and what there is to say of it.
    Told(Vec<(bool, String)>),
}

impl Session {
    /// Whether its password was shown just now.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.confirmed.plus(FRESH)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.seen.plus(IDLE) || now >= self.began.plus(LIFE)
    }
}

impl Sessions {
    /// Begins one, with a cookie that nobody had before (against fixation).
    pub(crate) fn begin(&self, principal: Principal, now: Timestamp) -> std::io::Result<Secret> {
        let (cookie, csrf) = (random()?, random()?);
        let session = Session {
            principal: Arc::new(principal),
            csrf,
            began: now,
            seen: now,
            confirmed: now,
            checked: now,
            notice: None,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, session| !session.is_over(now));
        if all.len() >= SESSIONS {
            let idle = all.iter().min_by_key(|(_, session)| session.seen).map(|(key, _)| *key);
            idle.and_then(|key| all.remove(&key));
        }
        all.insert(hash(&cookie), session);
        Ok(cookie)
    }

    /// The session of this cookie, where it is not over; it is used now.
    pub(crate) fn find(&self, cookie: &Secret, now: Timestamp) -> Option<Session> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = hash(cookie);
        if all.get(&key)?.is_over(now) {
            all.remove(&key);
            return None;
        }
        let session = all.get_mut(&key)?;
        session.seen = now;
        Some(session.clone())
    }

    /// Changes it.
    pub(crate) fn change(&self, cookie: &Secret, change: impl FnOnce(&mut Session)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = all.get_mut(&hash(cookie)) {
            change(session);
        }
    }

    /// Gives it another cookie, as whoever shows a password again gets (ASVS 5.0, 7.2.4); none where
    /// it is over.
    pub(crate) fn renew(&self, cookie: &Secret, now: Timestamp) -> std::io::Result<Option<Secret>> {
        let next = random()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = all.remove(&hash(cookie)) else { return Ok(None) };
        all.insert(hash(&next), Session { confirmed: now, ..session });
        Ok(Some(next))
    }

    /// Ends all of a user's.
    pub(crate) fn end_user(&self, user: &UserId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, session| session.principal.user.as_ref() != Some(user));
    }

    /// Ends it.
    pub(crate) fn end(&self, cookie: &Secret) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash(cookie));
    }
}

/// Whether a form carries what its session wants.
pub(crate) fn is_csrf(session: &Session, given: &str) -> bool {
    let wanted = session.csrf.expose().as_bytes();
    constant_time::verify_slices_are_equal(wanted, given.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::{Origin, Role};

    fn ann() -> Principal {
        let roles = vec![Role::User];
        Principal {
            name: "ann".into(),
            user: None,
            origin: Origin::Session,
            roles,
            limited_to: None,
        }
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000).plus(Duration::from_secs(minutes * 60))
    }

    #[test]
    fn a_session_ends_when_it_is_idle() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(ann(), at(0)).unwrap();
        assert!(sessions.find(&cookie, at(29)).is_some());
        assert!(sessions.find(&cookie, at(58)).is_some());
        assert!(sessions.find(&cookie, at(88)).is_none());
        // Once over it stays so, whatever the clock says.
        assert!(sessions.find(&cookie, at(58)).is_none());
    }

    #[test]
    fn a_session_ends_after_its_life_however_busy() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(ann(), at(0)).unwrap();
        for minutes in (0..720).step_by(20) {
            assert!(sessions.find(&cookie, at(minutes)).is_some(), "{minutes}");
        }
        assert!(sessions.find(&cookie, at(720)).is_none());
    }

    #[test]
    fn who_signs_in_again_has_another_cookie_and_the_old_one_ends_alone() {
        let sessions = Sessions::default();
        let first = sessions.begin(ann(), at(0)).unwrap();
        let second = sessions.begin(ann(), at(0)).unwrap();
        assert_ne!(first.expose(), second.expose());
        sessions.end(&first);
        assert!(sessions.find(&first, at(1)).is_none());
        assert!(sessions.find(&second, at(1)).is_some());
    }

    #[test]
    fn a_password_that_is_shown_again_brings_another_cookie() {
        let sessions = Sessions::default();
        let first = sessions.begin(ann(), at(0)).unwrap();
        let csrf = sessions.find(&first, at(6)).unwrap().csrf;
        let second = sessions.renew(&first, at(6)).unwrap().unwrap();
        assert!(sessions.find(&first, at(6)).is_none());
        let session = sessions.find(&second, at(6)).unwrap();
        assert!(session.is_fresh(at(6)));
        // Forms in other windows stay good.
        assert_eq!(session.csrf.expose(), csrf.expose());
        assert!(sessions.renew(&first, at(7)).unwrap().is_none());
    }

    #[test]
    fn a_users_sessions_end_together_and_nobody_elses() {
        let sessions = Sessions::default();
        let user = |name: &str| Principal { user: Some(UserId::from(name)), ..ann() };
        let eves = sessions.begin(user("eve"), at(0)).unwrap();
        let anns = sessions.begin(user("ann"), at(0)).unwrap();
        let by_link = sessions.begin(ann(), at(0)).unwrap();
        sessions.end_user(&UserId::from("eve"));
        assert!(sessions.find(&eves, at(1)).is_none());
        assert!(sessions.find(&anns, at(1)).is_some());
        assert!(sessions.find(&by_link, at(1)).is_some());
    }

    #[test]
    fn a_password_is_fresh_for_five_minutes() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(ann(), at(0)).unwrap();
        assert!(sessions.find(&cookie, at(4)).unwrap().is_fresh(at(4)));
        assert!(!sessions.find(&cookie, at(6)).unwrap().is_fresh(at(6)));
    }

    #[test]
    fn forms_of_other_sessions_do_not_count() {
        let sessions = Sessions::default();
        let mine = sessions.begin(ann(), at(0)).unwrap();
        let other = sessions.begin(ann(), at(0)).unwrap();
        let csrf = |cookie| sessions.find(cookie, at(0)).unwrap().csrf.expose().to_owned();
        let session = sessions.find(&mine, at(0)).unwrap();
        assert!(is_csrf(&session, &csrf(&mine)));
        assert!(!is_csrf(&session, &csrf(&other)));
        assert!(!is_csrf(&session, ""));
    }
}
