//! The gate: may this login in, now? Asked on every request of every phone.
//!
//! Most answers come from memory: a checked password is remembered as a keyed hash for a short
//! while (rule A3), a wrong one too, so that an old phone that repeats it does not lock its owner
//! out (rule A4). What memory does not know is asked of exactly one directory, the one of the
//! login's realm, once at a time for the same question and within a limit for each user and device.
//! While the directory is down, those it vouched for lately are let in for a while, and nobody else
//! (rule A7).
//!
//! [`Gate::run`] asks again at intervals about everyone let in lately, and announces who may no
//! longer be in, so that parked phones are ended at once (rule A5).

mod answer;
mod config;
mod generations;
mod limits;
mod membership;
mod memory;
mod part;
mod question;
mod refresh;
mod shown;
mod sign_in;

pub use answer::{Admission, Admitted, Refusal, Revocation, Revoked, Source};
pub use config::{GateConfig, RealmSetup};
pub use part::{GroupsFrom, RealmState};

use crate::{Access, GroupGraph, Login, LoginError, Person, Realms, Reason, Right};
use dme_model::{DeviceId, Realm, Secret, Timestamp, UserId};
use futures_util::future::{BoxFuture, Shared};
use limits::Limits;
use memory::{Mac, MacKey, Memory, Recalled};
use part::Part;
use question::{Asked, Question};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast;

/// Tells the time; in the server the system's, in a test what the test wants.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long a directory that could not be reached is not asked again.
const DOWN: Duration = Duration::from_secs(5);
/// How many announcements a slow receiver may be behind.
const ANNOUNCEMENTS: usize = 1024;

/// Keeps the door. One for the whole server, shared.
pub struct Gate {
    config: GateConfig,
    realms: Realms,
    parts: BTreeMap<Realm, Arc<Part>>,
    key: MacKey,
    memory: Memory,
    limits: Limits,
    open: Mutex<HashMap<Mac, Shared<BoxFuture<'static, Admission>>>>,
    announce: broadcast::Sender<Revoked>,
    clock: Clock,
}

impl Gate {
    /// A gate for these realms; the first is the default one. None where there is no realm.
    pub fn new(config: GateConfig, setups: Vec<RealmSetup>, clock: Clock) -> Option<Arc<Self>> {
        let mut realms = Realms::new(setups.first()?.realm.clone());
        let mut parts = BTreeMap::new();
        for setup in setups {
            let realm = Realm::named(setup.realm.as_str());
            realms = realms
                .with(realm.clone(), setup.aliases.iter().map(String::as_str))
                .with_suffixes(realm.clone(), setup.suffixes.iter().map(String::as_str));
            let part = Part::new(realm.clone(), setup.directory, setup.access);
            parts.insert(realm, Arc::new(part));
        }
        Some(Arc::new(Self {
            realms,
            parts,
            key: MacKey::random(),
            memory: Memory::new(&config),
            limits: Limits::new(&config),
            open: Mutex::default(),
            announce: broadcast::Sender::new(ANNOUNCEMENTS),
            clock,
            config,
        }))
    }

    /// Announces those who may no longer be in. A receiver that lagged behind must end everything
    /// that is parked: the phones come back and are asked again.
    pub fn revocations(&self) -> broadcast::Receiver<Revoked> {
        self.announce.subscribe()
    }

    /// The realms and their other names.
    pub fn realms(&self) -> &Realms {
        &self.realms
    }

    /// Whether this login may in. The device is the one the phone names, where it names one.
    pub async fn admit(
        self: &Arc<Self>,
        login: &Login,
        password: &Secret,
        device: Option<&DeviceId>,
    ) -> Admission {
        let now = (self.clock)();
        let login = match self.realms.resolve(login) {
            Ok(login) => login,
            Err(error) => return Admission::Refused(error.into()),
        };
        if password.expose().is_empty() {
            return Admission::Refused(LoginError::NoPassword.into());
        }
        let user = self.memory.canonical(login.clone());
        let mac = self.key.mac(&user, password);
        let recalled = self.memory.recall(&user, &mac, now);
        // What was refused before tells a guesser nothing new; everything else may.
        if let Recalled::Refused(refusal) = recalled {
            return Admission::Refused(refusal);
        }
        if let Err(retry_after) = self.limits.check(&user, device, now) {
            return Admission::Throttled { retry_after };
        }
        if let Recalled::Admitted(who) = recalled {
            return Admission::Admitted { who, source: Source::Memory };
        }
        let Some(part) = self.part_of(&user).cloned() else {
            return Admission::Refused(Refusal::UnknownUser);
        };
        let question = Question { login, user, password: Some(password.clone()), mac };
        if part.is_down(now) {
            let admission = self.in_grace(&part, &question, now);
            if self.is_told_wrong(&admission, &question, now) {
                // The next one is refused; this one was answered already.
                let _ = self.limits.take(&question.user, device, now);
            }
            return admission;
        }
        let admission = match self.join_or_ask(part, question, device, now) {
            Asked::Open(check) => check.await,
            Asked::Answered(admission) => admission,
        };
        if let (Admission::Admitted { who, .. }, Some(device)) = (&admission, device) {
            self.know(&who.person.user, device);
        }
        admission
    }

    /// Notes that a device is the user's, so that others who claim to be the user cannot use up its
    /// attempts. Those let in are noted by themselves; the server tells of those it knows from
    /// before its start.
    pub fn know(&self, user: &UserId, device: &DeviceId) {
        self.limits.know(user, device);
    }

    /// Forgets what it knows of a user, so that the next request asks the directory, and announces
    /// it, so that the user's parked phones ask at once. For administrators.
    pub fn forget(&self, user: &UserId) {
        self.revoke(user, Revocation::Forgotten);
        self.memory.forget_refusals(user);
    }

    /// A mail system refuses the password that was let in: the directory is asked about the user
    /// again at the next request, as the password may have been changed since.
    pub fn doubt(&self, user: &UserId) {
        self.revoke(user, Revocation::Forgotten);
    }

    /// Whether a person has a right, with the chain of groups or the reason.
    pub fn explain(&self, right: Right, person: &Person) -> Access {
        match self.grouped(&person.user) {
            Some((part, graph)) => part.access.check(right, person, &graph),
            None => Access::Refused(Reason::GroupsUnknown),
        }
    }

    /// What it knows of each realm, and how old that is.
    pub fn states(&self) -> Vec<RealmState> {
        self.parts.values().map(|part| part.state()).collect()
    }

    fn part_of(&self, user: &UserId) -> Option<&Arc<Part>> {
        self.parts.get(&self.realms.realm_of(user)?)
    }

    /// The part of somebody's realm, with its groups; none where they are not known.
    fn grouped(&self, user: &UserId) -> Option<(&Part, Arc<GroupGraph>)> {
        let part = self.part_of(user)?;
        Some((part, part.graph()?))
    }

    /// Takes back what was admitted, and announces it if there was anything.
    fn revoke(&self, user: &UserId, why: Revocation) {
        if self.memory.remove(user) {
            tracing::info!(%user, %why, "access ended");
            // Nobody listening is no fault: nothing is parked then.
            let _ = self.announce.send(Revoked { user: user.clone(), why });
        }
    }
}

#[cfg(test)]
mod tests;
