//! Sessions of browsers: who signed in, for how long, and what shows that a request is theirs.
//!
//! They are kept in memory: a server that starts anew asks everybody to sign in again. A cookie is
//! known by its hash only, so that a copy of the memory opens nothing.

use crate::notice::Notice;
use crate::opaque::{Hash, hash, random};
use crate::principal::Principal;
use aws_lc_rs::constant_time;
use dme_model::{Secret, Timestamp, UserId};
use std::collections::HashMap;
use std::net::IpAddr;
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
/// Letters of a session's id, and of a mark.
const ID: usize = 12;
/// What one session is to be told at once; beyond, the oldest is not told.
const NOTICES: usize = 8;

/// All sessions.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<Hash, Session>>);

/// By what it was shown who somebody is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// A link that was made at the server.
    Link,
    /// The directory's password.
    Password,
    /// That, and a code beside it.
    PasswordAndCode,
    /// The word of an OpenID provider.
    Provider,
    /// The password of the account for emergencies.
    Emergency,
}

impl Shown {
    /// As records and the interface have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Password => "password",
            Self::PasswordAndCode => "password and code",
            Self::Provider => "provider",
            Self::Emergency => "emergency account",
        }
    }
}

/// Somebody who has shown who they are.
#[derive(Clone, Debug)]
pub(crate) struct Entrant {
    pub principal: Principal,
    /// By what that was shown.
    pub shown: Shown,
    /// From which address.
    pub client: IpAddr,
    /// What the browser calls itself, cut short.
    pub agent: String,
}

/// One session, as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// By which its owner tells it from others. It opens nothing.
    pub id: String,
    /// Who.
    pub principal: Arc<Principal>,
    /// By what that was shown.
    pub shown: Shown,
    /// From which address it began.
    pub client: IpAddr,
    /// What the browser called itself then.
    pub agent: String,
    /// What forms must carry, so that no other site's form counts.
    pub csrf: Secret,
    /// When it began.
    pub began: Timestamp,
    /// When something was last asked for.
    pub seen: Timestamp,
    /// When the password was last shown.
    pub confirmed: Timestamp,
    /// That what stands in the place of a password was shown then, a link or a provider's word, and
    /// was not used yet for what takes it each time.
    pub once: bool,
    /// When the roles were last looked up.
    pub checked: Timestamp,
    /// What pages are to say that were not looked at yet, each by the mark in its address.
    pub notices: Vec<(String, Notice)>,
}

impl Session {
    /// Whether its password was shown just now.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.confirmed.plus(FRESH)
    }

    /// What the page is to say whose address carries this mark.
    pub(crate) fn told(&self, mark: &str) -> Option<&Notice> {
        self.notices.iter().find(|(known, _)| known == mark).map(|(_, notice)| notice)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.seen.plus(IDLE) || now >= self.began.plus(LIFE)
    }
}

/// A text that names a session or a notice, and opens nothing.
pub(crate) fn short() -> std::io::Result<String> {
    let mut text = random()?.expose().to_owned();
    text.truncate(ID);
    Ok(text)
}

impl Sessions {
    /// Begins one, with a cookie that nobody had before (against fixation).
    pub(crate) fn begin(&self, entrant: Entrant, now: Timestamp) -> std::io::Result<Secret> {
        let (cookie, csrf, id) = (random()?, random()?, short()?);
        let Entrant { principal, shown, client, agent } = entrant;
        let session = Session {
            id,
            principal: Arc::new(principal),
            shown,
            client,
            agent,
            csrf,
            began: now,
            seen: now,
            confirmed: now,
            once: shown == Shown::Link,
            checked: now,
            notices: Vec::new(),
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
        self.look_up(cookie, now, |session| session.seen = now)
    }

    /// The same for a page that asks by itself: for that nobody need be there, so that it keeps no
    /// session from ending.
    pub(crate) fn check(&self, cookie: &Secret, now: Timestamp) -> Option<Session> {
        self.look_up(cookie, now, |_| {})
    }

    fn look_up(
        &self,
        cookie: &Secret,
        now: Timestamp,
        change: impl FnOnce(&mut Session),
    ) -> Option<Session> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = hash(cookie);
        if all.get(&key)?.is_over(now) {
            all.remove(&key);
            return None;
        }
        let session = all.get_mut(&key)?;
        change(session);
        Some(session.clone())
    }

    /// Keeps what a page is to say; gives the mark for its address.
    pub(crate) fn tell(&self, cookie: &Secret, notice: Notice) -> std::io::Result<String> {
        let mark = short()?;
        self.change(cookie, |session| {
            session.notices.push((mark.clone(), notice));
            let many = session.notices.len().saturating_sub(NOTICES);
            session.notices.drain(..many);
        });
        Ok(mark)
    }

    /// What this mark stands for was said.
    pub(crate) fn was_told(&self, cookie: &Secret, mark: &str) {
        self.change(cookie, |session| session.notices.retain(|(known, _)| known != mark));
    }

    /// Changes it.
    pub(crate) fn change(&self, cookie: &Secret, change: impl FnOnce(&mut Session)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = all.get_mut(&hash(cookie)) {
            change(session);
        }
    }

    /// Gives it another cookie, as whoever shows a password again gets (ASVS 5.0, 7.2.4); none where
    /// it is over. `once`: what was shown is to be used yet.
    pub(crate) fn renew(
        &self,
        cookie: &Secret,
        once: bool,
        now: Timestamp,
    ) -> std::io::Result<Option<Secret>> {
        let next = random()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = all.remove(&hash(cookie)) else { return Ok(None) };
        all.insert(hash(&next), Session { confirmed: now, once, ..session });
        Ok(Some(next))
    }

    /// Uses up what was shown in the place of a password; says whether there was something yet.
    pub(crate) fn use_up(&self, cookie: &Secret, now: Timestamp) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get_mut(&hash(cookie));
        session.is_some_and(|session| std::mem::take(&mut session.once) && session.is_fresh(now))
    }

    /// From now on a user who shows a password again shows a code beside it, or none; who came
    /// otherwise than by a password does not.
    pub(crate) fn ask_for_code(&self, user: &UserId, beside: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for session in all.values_mut() {
            let by_password = matches!(session.shown, Shown::Password | Shown::PasswordAndCode);
            if by_password && session.principal.user.as_ref() == Some(user) {
                session.shown = if beside { Shown::PasswordAndCode } else { Shown::Password };
            }
        }
    }

    /// Those of whoever records have under this name, the one that was used last first.
    pub(crate) fn of(&self, name: &str, now: Timestamp) -> Vec<Session> {
        self.those(now, |session| session.principal.name == name)
    }

    /// Those of a user, likewise.
    pub(crate) fn of_user(&self, user: &UserId, now: Timestamp) -> Vec<Session> {
        self.those(now, |session| session.principal.user.as_ref() == Some(user))
    }

    fn those(&self, now: Timestamp, which: impl Fn(&Session) -> bool) -> Vec<Session> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = all.values().filter(|session| which(session) && !session.is_over(now));
        let mut theirs: Vec<Session> = theirs.cloned().collect();
        theirs.sort_by_key(|session| std::cmp::Reverse(session.seen));
        theirs
    }

    /// Ends those of this name that `which` picks; says how many these were.
    pub(crate) fn end_of(&self, name: &str, which: impl Fn(&Session) -> bool) -> usize {
        self.end_where(|session| session.principal.name == name && which(session))
    }

    /// Ends all of a user's.
    pub(crate) fn end_user(&self, user: &UserId) {
        self.end_of_user(user, |_| true);
    }

    /// Ends those of a user's that `which` picks; says how many these were.
    pub(crate) fn end_of_user(&self, user: &UserId, which: impl Fn(&Session) -> bool) -> usize {
        let theirs = |session: &Session| session.principal.user.as_ref() == Some(user);
        self.end_where(|session| theirs(session) && which(session))
    }

    /// Ends those of the account for emergencies.
    pub(crate) fn end_emergency(&self) {
        self.end_where(|session| session.shown == Shown::Emergency);
    }

    /// Ends those that `which` picks; says how many these were.
    fn end_where(&self, which: impl Fn(&Session) -> bool) -> usize {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        all.retain(|_, session| !which(session));
        before - all.len()
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

    fn entrant(name: &str, user: Option<&str>) -> Entrant {
        let principal = Principal {
            name: name.into(),
            user: user.map(UserId::from),
            origin: Origin::Session,
            roles: vec![Role::User],
            limited_to: None,
        };
        let client = IpAddr::from([127, 0, 0, 1]);
        Entrant { principal, shown: Shown::Password, client, agent: String::new() }
    }

    fn ann() -> Entrant {
        entrant("ann", None)
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
    fn what_a_page_asks_for_by_itself_keeps_no_session() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(ann(), at(0)).unwrap();
        for minutes in (1..30).step_by(5) {
            let session = sessions.check(&cookie, at(minutes)).unwrap();
            assert_eq!(session.seen, at(0), "{minutes}");
        }
        assert!(sessions.check(&cookie, at(30)).is_none());
        assert!(sessions.find(&cookie, at(29)).is_none(), "once over it stays so");
    }

    #[test]
    fn what_a_page_is_to_say_is_found_by_its_mark_until_it_was_said() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(ann(), at(0)).unwrap();
        let tell = |text: &str| sessions.tell(&cookie, Notice::Done(text.into())).unwrap();
        let told = |mark: &str| sessions.find(&cookie, at(1)).unwrap().told(mark).cloned();
        let (one, other) = (tell("one"), tell("other"));
        assert_eq!(told(&one), Some(Notice::Done("one".into())));
        sessions.was_told(&cookie, &one);
        assert_eq!(told(&one), None);
        assert_eq!(told(&other), Some(Notice::Done("other".into())));
        for _ in 0..NOTICES {
            tell("more");
        }
        assert_eq!(told(&other), None, "so much is not kept");
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
        let second = sessions.renew(&first, false, at(6)).unwrap().unwrap();
        assert!(sessions.find(&first, at(6)).is_none());
        let session = sessions.find(&second, at(6)).unwrap();
        assert!(session.is_fresh(at(6)));
        // Forms in other windows stay good.
        assert_eq!(session.csrf.expose(), csrf.expose());
        assert!(sessions.renew(&first, false, at(7)).unwrap().is_none());
    }

    #[test]
    fn a_users_sessions_end_together_and_nobody_elses() {
        let sessions = Sessions::default();
        let eves = sessions.begin(entrant("eve", Some("eve")), at(0)).unwrap();
        let anns = sessions.begin(entrant("ann", Some("ann")), at(0)).unwrap();
        let by_link = sessions.begin(ann(), at(0)).unwrap();
        sessions.end_user(&UserId::from("eve"));
        assert!(sessions.find(&eves, at(1)).is_none());
        assert!(sessions.find(&anns, at(1)).is_some());
        assert!(sessions.find(&by_link, at(1)).is_some());
    }

    #[test]
    fn a_second_factor_changes_the_sessions_that_began_with_a_password() {
        let sessions = Sessions::default();
        let eve = |shown| Entrant { shown, ..entrant("eve", Some("eve")) };
        let [password, provider] = [Shown::Password, Shown::Provider]
            .map(|shown| sessions.begin(eve(shown), at(0)).unwrap());
        let anns = sessions.begin(entrant("ann", Some("ann")), at(0)).unwrap();
        let shown = |cookie| sessions.find(cookie, at(1)).unwrap().shown;
        for (beside, now) in [(true, Shown::PasswordAndCode), (false, Shown::Password)] {
            sessions.ask_for_code(&UserId::from("eve"), beside);
            assert_eq!(shown(&password), now);
            assert_eq!(shown(&provider), Shown::Provider);
            assert_eq!(shown(&anns), Shown::Password);
        }
    }

    #[test]
    fn ones_own_sessions_are_listed_and_ended_one_by_one() {
        let sessions = Sessions::default();
        let first = sessions.begin(ann(), at(0)).unwrap();
        let second = sessions.begin(ann(), at(1)).unwrap();
        let eves = sessions.begin(entrant("eve", None), at(2)).unwrap();
        let mine = sessions.of("ann", at(3));
        assert_eq!(mine.iter().map(|one| one.began).collect::<Vec<_>>(), [at(1), at(0)]);
        let eve = sessions.of("eve", at(3)).remove(0);
        assert_eq!(sessions.end_of("ann", |one| one.id == eve.id), 0, "another's");
        assert_eq!(sessions.end_of("ann", |one| one.id == mine[1].id), 1);
        assert!(sessions.find(&first, at(3)).is_none());
        assert!(sessions.find(&second, at(3)).is_some());
        assert!(sessions.find(&eves, at(3)).is_some());
        assert!(sessions.of("ann", at(90)).is_empty());
    }

    #[test]
    fn a_password_is_fresh_for_five_minutes() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(ann(), at(0)).unwrap();
        assert!(sessions.find(&cookie, at(4)).unwrap().is_fresh(at(4)));
        assert!(!sessions.find(&cookie, at(6)).unwrap().is_fresh(at(6)));
    }

    #[test]
    fn what_stands_in_the_place_of_a_password_is_used_once_and_soon() {
        let sessions = Sessions::default();
        let by_link = || sessions.begin(Entrant { shown: Shown::Link, ..ann() }, at(0)).unwrap();
        let [soon, late] = [by_link(), by_link()];
        assert!(sessions.use_up(&soon, at(4)) && !sessions.use_up(&soon, at(4)));
        assert!(!sessions.use_up(&late, at(6)));
        let password = sessions.begin(ann(), at(0)).unwrap();
        assert!(!sessions.use_up(&password, at(0)), "a password is shown with the act itself");
        let provider = sessions.renew(&password, true, at(1)).unwrap().unwrap();
        assert!(sessions.use_up(&provider, at(2)) && !sessions.use_up(&provider, at(2)));
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
