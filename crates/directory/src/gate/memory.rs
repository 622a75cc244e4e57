//! What the gate remembers: whom it let in and with what, and what it refused.
//!
//! Passwords are kept as keyed hashes only, with a key of this process that is written nowhere
//! (rule A3). Those let in and those refused are apart, so that a flood of wrong guesses cannot
//! push out what serves people while the directory is down.

use super::generations::Generations;
use super::{Admitted, GateConfig, Refusal};
use aws_lc_rs::{hmac, rand};
use dme_model::{Realm, Secret, Timestamp, UserId};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long somebody is remembered after their last request at least: longer than any phone waits
/// (`HeartbeatInterval` is at most 3540 s, MS-ASCMD 2.2.3.84), so that who is parked is asked about.
const SESSION: Duration = Duration::from_secs(2 * 3600);
/// How long a refusal that is not about the password is answered from memory.
const REFUSAL: Duration = Duration::from_secs(60);

/// A keyed hash of a user and a password: HMAC-SHA-256 (RFC 2104).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mac([u8; 32]);

/// The key of this process.
pub(super) struct MacKey(hmac::Key);

/// What memory says of a user and a password.
pub(super) enum Recalled {
    /// Let in, lately.
    Admitted(Arc<Admitted>),
    /// Refused, lately.
    Refused(Refusal),
    /// Ask the directory.
    Nothing,
}

/// All of it.
pub(super) struct Memory {
    password_life: Duration,
    wrong_password_life: Duration,
    grace: Duration,
    /// By canonical user.
    admitted: Mutex<Generations<UserId, Entry>>,
    /// Logins that mean another canonical user, such as a mail address.
    aliases: Mutex<Generations<UserId, UserId>>,
    refused: Mutex<Generations<Mac, Refused>>,
}

struct Entry {
    /// Of the password that the directory accepted last; none where only something else was shown.
    mac: Option<Mac>,
    who: Arc<Admitted>,
    /// When it accepted that.
    checked: Timestamp,
    /// When the directory last vouched for the person.
    confirmed: Timestamp,
    /// When the person last came.
    seen: Timestamp,
}

struct Refused {
    /// Who claimed to be.
    user: UserId,
    why: Refusal,
    when: Timestamp,
}

impl MacKey {
    /// A new key.
    pub(super) fn random() -> Self {
        let mut bytes = zeroize::Zeroizing::new([0u8; 32]);
        // Without randomness no secret can be kept; TLS would not run either.
        #[expect(clippy::expect_used, reason = "aws-lc aborts by itself rather than fail here")]
        rand::fill(bytes.as_mut()).expect("randomness");
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes.as_ref()))
    }

    /// The hash of a user and a password.
    pub(super) fn mac(&self, user: &UserId, password: &Secret) -> Mac {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(user.as_str().len() as u64).to_be_bytes());
        context.update(user.as_str().as_bytes());
        context.update(password.expose().as_bytes());
        let tag = context.sign();
        let mut mac = [0; 32];
        for (to, from) in mac.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Mac(mac)
    }
}

/// Whether less than the life has gone by; never, where the clock was set back.
fn within(life: Duration, since: Timestamp, now: Timestamp) -> bool {
    since <= now && now < since.plus(life)
}

impl Memory {
    pub(super) fn new(config: &GateConfig) -> Self {
        Self {
            password_life: config.password_life.0,
            wrong_password_life: config.wrong_password_life.0,
            grace: config.grace.0,
            admitted: Mutex::new(Generations::new(config.remembered_users)),
            aliases: Mutex::new(Generations::new(config.remembered_users)),
            refused: Mutex::new(Generations::new(config.remembered_users)),
        }
    }

    fn admitted(&self) -> std::sync::MutexGuard<'_, Generations<UserId, Entry>> {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Generations<Mac, Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody who was let in lately.
    pub(super) fn admitted_user(&self, user: &UserId) -> Option<Arc<Admitted>> {
        self.admitted().get_mut(user).map(|entry| entry.who.clone())
    }

    /// The canonical user of a login, where that is known to be another.
    pub(super) fn canonical(&self, login: UserId) -> UserId {
        let mut aliases = self.aliases.lock().unwrap_or_else(PoisonError::into_inner);
        aliases.get_mut(&login).cloned().unwrap_or(login)
    }

    /// Notes which canonical user a login means; none where it means nobody.
    pub(super) fn alias(&self, login: &UserId, user: Option<&UserId>) {
        let mut aliases = self.aliases.lock().unwrap_or_else(PoisonError::into_inner);
        match user {
            Some(user) if user != login => aliases.insert(login.clone(), user.clone()),
            _ => drop(aliases.remove(login)),
        }
    }

    /// What it knows that is still good. The hashes are compared as they are: without the key
    /// nobody can make a hash that shares a beginning with another.
    pub(super) fn recall(&self, user: &UserId, mac: &Mac, now: Timestamp) -> Recalled {
        if let Some(entry) = self.admitted().get_mut(user)
            && entry.mac == Some(*mac)
        {
            entry.seen = now;
            if within(self.password_life, entry.checked, now) {
                return Recalled::Admitted(entry.who.clone());
            }
        }
        if let Some(Refused { why, when, .. }) = self.refused().get_mut(mac) {
            let life = match why {
                Refusal::WrongPassword => self.wrong_password_life,
                _ => REFUSAL,
            };
            if within(life, *when, now) {
                return Recalled::Refused(why.clone());
            }
        }
        Recalled::Nothing
    }

    /// Whom the directory vouched for lately, whatever was shown for it.
    pub(super) fn vouched(&self, user: &UserId, now: Timestamp) -> Option<Arc<Admitted>> {
        let mut admitted = self.admitted();
        let entry = admitted.get_mut(user)?;
        entry.seen = now;
        within(self.password_life, entry.confirmed, now).then(|| entry.who.clone())
    }

    /// Whom the directory vouched for within the grace: with this password, where one is shown.
    pub(super) fn in_grace(
        &self,
        user: &UserId,
        password: Option<&Mac>,
        now: Timestamp,
    ) -> Option<Arc<Admitted>> {
        let mut admitted = self.admitted();
        let entry = admitted.get_mut(user)?;
        let is_right = password.is_none_or(|mac| entry.mac == Some(*mac));
        (is_right && within(self.grace, entry.confirmed, now)).then(|| entry.who.clone())
    }

    /// Whether [`Memory::in_grace`] would let somebody in with the right password, so that its no
    /// tells that this one is wrong.
    pub(super) fn could_tell(&self, user: &UserId, now: Timestamp) -> bool {
        let mut admitted = self.admitted();
        admitted.peek_mut(user).is_some_and(|entry| within(self.grace, entry.confirmed, now))
    }

    /// Notes that the directory vouches for somebody, and by which password, where one was shown.
    /// Where none was, the one known before holds as long as it did.
    pub(super) fn admit(&self, who: Arc<Admitted>, password: Option<Mac>, now: Timestamp) {
        let user = who.person.user.clone();
        let mut admitted = self.admitted();
        let (mac, checked) = match (password, admitted.peek_mut(&user)) {
            (None, Some(before)) => (before.mac, before.checked),
            (mac, _) => (mac, now),
        };
        let entry = Entry { mac, who, checked, confirmed: now, seen: now };
        admitted.insert(user, entry);
    }

    pub(super) fn refuse(&self, user: UserId, mac: Mac, why: Refusal, now: Timestamp) {
        self.refused().insert(mac, Refused { user, why, when: now });
    }

    /// Forgets what a user was refused, so that the next request is asked about.
    pub(super) fn forget_refusals(&self, user: &UserId) {
        self.refused().retain(|_, refused| refused.user != *user);
    }

    /// Forgets a user; whether there was anything to forget.
    pub(super) fn remove(&self, user: &UserId) -> bool {
        self.admitted().remove(user).is_some()
    }

    /// Everyone in a realm who came lately, with when the directory last vouched for them. Those
    /// who did not come for long are forgotten.
    pub(super) fn recent(&self, realm: &Realm, now: Timestamp) -> Vec<(UserId, Timestamp)> {
        let keep = SESSION.max(self.grace).max(self.password_life);
        let mut admitted = self.admitted();
        admitted.retain(|_, entry| within(keep, entry.seen, now));
        admitted
            .iter()
            .filter(|(user, _)| user.realm().as_ref() == Some(realm))
            .map(|(user, entry)| (user.clone(), entry.confirmed))
            .collect()
    }

    /// Notes that the directory still vouches for a person.
    pub(super) fn confirm(&self, who: Admitted, now: Timestamp) {
        if let Some(entry) = self.admitted().peek_mut(&who.person.user) {
            entry.confirmed = now;
            if *entry.who != who {
                entry.who = Arc::new(who);
            }
        }
    }

    /// Whether somebody confirmed then may still be in while the directory is down.
    pub(super) fn is_bearable(&self, confirmed: Timestamp, now: Timestamp) -> bool {
        within(self.grace.max(self.password_life), confirmed, now)
    }
}
