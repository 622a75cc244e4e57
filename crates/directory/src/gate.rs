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

mod generations;
mod limits;
mod membership;
mod memory;
mod refresh;
mod shown;
mod sign_in;

use crate::asking::carried;
use crate::{
    Access, AccessGroups, DirectoryService, Error, GroupGraph, Login, LoginError, Person, Realms,
    Reason, Right, Standing, Verdict,
};
use dme_model::{DeviceId, Realm, Secret, Span, Timestamp, UserId};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use limits::{Limits, Taken};
use memory::{Mac, MacKey, Memory, Recalled};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::broadcast;

/// Tells the time; in the server the system's, in a test what the test wants.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long a directory that could not be reached is not asked again.
const DOWN: Duration = Duration::from_secs(5);
/// When to ask again where too many questions are open.
const BUSY: Duration = Duration::from_secs(1);
/// A refusal for want of a group is looked at again with a new graph when the graph is older.
const STALE_GRAPH: Duration = Duration::from_secs(10);
/// How many announcements a slow receiver may be behind.
const ANNOUNCEMENTS: usize = 1024;

/// The gate's settings.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GateConfig {
    /// How long a checked password is good without asking the directory again.
    pub password_life: Span,
    /// How long a wrong password is refused from memory.
    pub wrong_password_life: Span,
    /// How long after the directory last vouched for somebody they are let in while it is down.
    /// `0s` lets nobody in.
    pub grace: Span,
    /// How often groups and people are read again: the longest time somebody who left keeps access.
    pub refresh: Span,
    /// The longest time a phone waits for the directory.
    pub check_timeout: Span,
    /// How many wrong passwords, and how many questions to the directory, a device may cause for a
    /// user in a row. Devices that were never let in count together; what the directory was not
    /// there to answer does not count.
    pub attempts: u32,
    /// How often one more is allowed.
    pub attempt_every: Span,
    /// How many questions may be open at once, of all users.
    pub parallel_checks: usize,
    /// How many users are remembered.
    pub remembered_users: usize,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            password_life: Span(Duration::from_secs(10 * 60)),
            wrong_password_life: Span(Duration::from_secs(30 * 60)),
            grace: Span(Duration::from_secs(8 * 3600)),
            refresh: Span(Duration::from_secs(60)),
            check_timeout: Span(Duration::from_secs(15)),
            attempts: 5,
            attempt_every: Span(Duration::from_secs(60)),
            parallel_checks: 256,
            remembered_users: 100_000,
        }
    }
}

/// One realm: its directory, and what its groups mean.
pub struct RealmSetup {
    /// The realm.
    pub realm: Realm,
    /// What it is called else: mail domains, the Windows domain.
    pub aliases: Vec<String>,
    /// The domains in which its people have other names that the directory tells apart: suffixes
    /// of user principal names, mail domains.
    pub suffixes: Vec<String>,
    /// The one directory that its passwords go to.
    pub directory: Arc<dyn DirectoryService>,
    /// The groups that give rights.
    pub access: AccessGroups,
}

/// The answer of the gate.
#[derive(Clone, Debug)]
pub enum Admission {
    /// Come in.
    Admitted {
        /// Who it is.
        who: Arc<Admitted>,
        /// Who says so.
        source: Source,
    },
    /// No, and asking again changes nothing.
    Refused(Refusal),
    /// Too many wrong passwords for this user and device, or too many questions open.
    Throttled {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The directory cannot be asked, and memory does not suffice.
    Unavailable {
        /// When to ask again.
        retry_after: Duration,
    },
}

/// Who was let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// The person as the directory has them; `person.user` is the canonical user.
    pub person: Person,
    /// Every right the person has. [`Right::User`] is always among those of whom a phone is let in
    /// for.
    pub rights: BTreeSet<Right>,
}

/// Who says that somebody may in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The directory, just now.
    Directory,
    /// The directory, lately.
    Memory,
    /// The directory, before it went down.
    Grace,
}

/// Why somebody was not let in.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The login means nobody.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// User or password is wrong. To the outside it never matters which.
    #[error("wrong password")]
    WrongPassword,
    /// User or password is wrong. To the outside it never matters which.
    #[error("unknown user")]
    UnknownUser,
    /// The person is there and may not use phones.
    #[error("not allowed: {0}")]
    NotAllowed(#[from] Reason),
}

/// Announces that somebody let in earlier may no longer be in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revoked {
    /// Who.
    pub user: UserId,
    /// Why.
    pub why: Revocation,
}

/// Why an admission was taken back.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Revocation {
    /// The directory no longer has them.
    #[error("no longer in the directory")]
    Gone,
    /// They may no longer use phones.
    #[error("no longer allowed: {0}")]
    NotAllowed(#[from] Reason),
    /// The directory could not be asked for longer than the grace.
    #[error("the directory has been unavailable for too long")]
    GraceOver,
    /// An administrator wants them asked again.
    #[error("an administrator ended the session")]
    Forgotten,
}

/// How old what the gate knows of a realm is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RealmState {
    /// The realm.
    pub realm: Realm,
    /// When the groups in use were read; none where they never were.
    pub groups_as_of: Option<Timestamp>,
    /// How many groups there are.
    pub groups: usize,
    /// What went wrong when the directory was last asked for its groups, if it did.
    pub trouble: Option<Error>,
    /// The groups that are to give rights and are none, or are several.
    pub wrong_groups: Vec<Reason>,
    /// They are all that are to let users in, so that nobody is let in.
    pub admits_nobody: bool,
}

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

/// One realm at work.
struct Part {
    realm: Realm,
    directory: Arc<dyn DirectoryService>,
    access: AccessGroups,
    graph: RwLock<Option<Arc<GroupGraph>>>,
    trouble: Mutex<Option<Error>>,
    /// Only one reads the groups at a time; the others wait for it.
    reading: tokio::sync::Mutex<()>,
    /// Until when the directory is left alone, in milliseconds since the epoch.
    down_until: AtomicI64,
    /// When it will be there again, where it is away by arrangement, likewise.
    back_at: AtomicI64,
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
            let part = Part {
                realm: realm.clone(),
                directory: setup.directory,
                access: setup.access,
                graph: RwLock::new(None),
                trouble: Mutex::new(None),
                reading: tokio::sync::Mutex::new(()),
                down_until: AtomicI64::new(i64::MIN),
                back_at: AtomicI64::new(i64::MIN),
            };
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

    /// What a directory answers, where it does in time.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let late = |_| Err(Error::Unavailable("no answer in time".into()));
        tokio::time::timeout(self.config.check_timeout.0, asked).await.unwrap_or_else(late)
    }

    /// The answer that somebody else with the same question already waits for, or a new one.
    fn join_or_ask(
        self: &Arc<Self>,
        part: Arc<Part>,
        question: Question,
        device: Option<&DeviceId>,
        now: Timestamp,
    ) -> Asked {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(check) = open.get(&question.mac) {
            return Asked::Open(check.clone());
        }
        // An answer is remembered before its question is closed: it may have come meanwhile.
        match self.memory.recall(&question.user, &question.mac, now) {
            Recalled::Admitted(who) => {
                return Asked::Answered(Admission::Admitted { who, source: Source::Memory });
            }
            Recalled::Refused(refusal) => return Asked::Answered(Admission::Refused(refusal)),
            Recalled::Nothing => {}
        }
        if open.len() >= self.config.parallel_checks {
            return Asked::Answered(Admission::Throttled { retry_after: BUSY });
        }
        let taken = match self.limits.take(&question.user, device, now) {
            Ok(taken) => taken,
            Err(retry_after) => return Asked::Answered(Admission::Throttled { retry_after }),
        };
        // A task of its own: an answer that was paid for is remembered, also when the phone that
        // asked has gone.
        let (gate, mac) = (self.clone(), question.mac);
        let task = tokio::spawn(carried(async move {
            let _closed = Closed { gate: &gate, mac };
            gate.ask(&part, &question, taken).await
        }));
        let unavailable = Admission::Unavailable { retry_after: DOWN };
        let check = task.map(|answer| answer.unwrap_or(unavailable)).boxed().shared();
        open.insert(mac, check.clone());
        Asked::Open(check)
    }

    /// Asks the directory, and remembers what it says. An attempt that could not be decided for
    /// want of the directory is given back.
    async fn ask(&self, part: &Part, question: &Question, taken: Taken) -> Admission {
        let asked = self.in_time(async {
            let Question { login, password, .. } = question;
            let verdict = match password {
                Some(password) => part.directory.authenticate(login, password).await?,
                None => {
                    let found = part.directory.find(login).await?;
                    found.map_or(Verdict::Unknown, |person| Verdict::Accepted(Box::new(person)))
                }
            };
            let Verdict::Accepted(person) = verdict else { return Ok((verdict, None)) };
            let access = part.access(self, &person).await?;
            Ok((Verdict::Accepted(person), Some(access)))
        });
        let answer = asked.await;
        let now = (self.clock)();
        match answer {
            Ok((Verdict::Accepted(person), Some(Ok(rights)))) => {
                let who = Arc::new(Admitted { person: *person, rights });
                let user = &who.person.user;
                self.memory.alias(&question.login, Some(user));
                let mac = question.password.as_ref().map(|password| self.key.mac(user, password));
                self.memory.admit(who.clone(), mac, now);
                Admission::Admitted { who, source: Source::Directory }
            }
            Ok((Verdict::Accepted(person), Some(Err(reason)))) => {
                self.turn_away(&person.user, question, reason, now)
            }
            Ok((Verdict::Barred(standing), _)) => {
                self.turn_away(&question.user, question, Reason::Standing(standing), now)
            }
            Ok((Verdict::Unknown, _)) => {
                // A mail address that is gone does not mean that its owner is.
                self.memory.alias(&question.login, None);
                self.revoke(&question.login, Revocation::Gone);
                self.refuse(question, Refusal::UnknownUser, now)
            }
            Ok((Verdict::WrongPassword | Verdict::Accepted(_), _)) => {
                self.refuse(question, Refusal::WrongPassword, now)
            }
            Err(error) => {
                part.note_failure(&error, now);
                let admission = self.in_grace(part, question, now);
                // What it refuses in its own way may be how it counts wrong passwords itself.
                if error.is_passing() && !self.is_told_wrong(&admission, question, now) {
                    self.limits.give_back(taken);
                }
                admission
            }
        }
    }

    /// Whether the answer tells a guesser that the password is wrong, though the directory is down:
    /// it does where the right one would be let in from memory. Such guesses count as ever.
    fn is_told_wrong(&self, answer: &Admission, question: &Question, now: Timestamp) -> bool {
        !matches!(answer, Admission::Admitted { .. }) && self.memory.could_tell(&question.user, now)
    }

    /// The answer while the directory is down.
    fn in_grace(&self, part: &Part, question: &Question, now: Timestamp) -> Admission {
        let password = question.password.is_some().then_some(&question.mac);
        match self.memory.in_grace(&question.user, password, now) {
            Some(who) => Admission::Admitted { who, source: Source::Grace },
            None => Admission::Unavailable { retry_after: part.back_in(now) },
        }
    }

    /// Refuses, and will refuse the same again from memory.
    fn refuse(&self, question: &Question, refusal: Refusal, now: Timestamp) -> Admission {
        let Question { user, mac, .. } = question;
        self.memory.refuse(user.clone(), *mac, refusal.clone(), now);
        Admission::Refused(refusal)
    }

    /// Refuses somebody whom the directory knows, and ends what they have open.
    fn turn_away(
        &self,
        user: &UserId,
        question: &Question,
        reason: Reason,
        now: Timestamp,
    ) -> Admission {
        self.revoke(user, Revocation::NotAllowed(reason.clone()));
        self.refuse(question, Refusal::NotAllowed(reason), now)
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

/// Who wants in, and with what.
struct Question {
    /// As the realm resolved it: what the directory is asked.
    login: UserId,
    /// The canonical user where the login is known to mean one, else the login.
    user: UserId,
    /// None where the server itself knows what was shown.
    password: Option<Secret>,
    /// Of `user` and `password`; of an empty one where there is none, which no password is.
    mac: Mac,
}

/// Where an answer comes from.
enum Asked {
    /// From the directory, which is being asked.
    Open(Shared<BoxFuture<'static, Admission>>),
    /// It is here.
    Answered(Admission),
}

/// Takes a question off the list of open ones when its task ends, however it ends.
struct Closed<'a> {
    gate: &'a Gate,
    mac: Mac,
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.gate.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.mac);
    }
}

impl Part {
    fn graph(&self) -> Option<Arc<GroupGraph>> {
        self.graph.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn state(&self) -> RealmState {
        let graph = self.graph();
        RealmState {
            realm: self.realm.clone(),
            groups_as_of: graph.as_ref().map(|graph| graph.as_of()),
            groups: graph.as_ref().map_or(0, |graph| graph.len()),
            trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            admits_nobody: graph.as_ref().is_some_and(|graph| self.access.admits_nobody(graph)),
            wrong_groups: graph.map(|graph| self.access.wrong_names(&graph)).unwrap_or_default(),
        }
    }

    /// Whether it is left alone. Of several directories one may be down, and the others are asked.
    fn is_down(&self, now: Timestamp) -> bool {
        self.failed_lately(now) && !self.directory.is_several()
    }

    fn failed_lately(&self, now: Timestamp) -> bool {
        let until = self.down_until.load(Ordering::Relaxed);
        // A clock that was set back must not keep the directory down for longer than it is.
        now.as_millis() < until && until <= now.plus(DOWN).as_millis()
    }

    fn note_failure(&self, error: &Error, now: Timestamp) {
        let is_away = matches!(error, Error::Unavailable(_) | Error::OffHours { .. });
        let back_at = match error {
            Error::OffHours { until, .. } => until.as_millis(),
            _ => i64::MIN,
        };
        self.back_at.store(back_at, Ordering::Relaxed);
        // Of a directory that is away it is not said again for everybody who is in it.
        if !is_away || !self.failed_lately(now) {
            tracing::warn!(realm = %self.realm, %error, "the directory could not be asked");
        }
        if is_away {
            self.down_until.store(now.plus(DOWN).as_millis(), Ordering::Relaxed);
        }
    }

    /// When to ask again while it is not there: soon, where nobody knows when it will be.
    fn back_in(&self, now: Timestamp) -> Duration {
        let wait = self.back_at.load(Ordering::Relaxed).saturating_sub(now.as_millis());
        Duration::from_millis(u64::try_from(wait).unwrap_or(0)).max(DOWN)
    }

    /// It answers: whatever failed before, it is asked again.
    fn note_answer(&self) {
        self.down_until.store(i64::MIN, Ordering::Relaxed);
        self.back_at.store(i64::MIN, Ordering::Relaxed);
    }

    /// A directory speaks for the people of its own realm only (rule A6).
    fn vouch_for(&self, person: &Person) -> Result<(), Error> {
        match person.user.realm() {
            Some(realm) if realm == self.realm => Ok(()),
            _ => Err(Error::Protocol(format!(
                "the directory of {} answered for {}, who is not of that realm",
                self.realm, person.user
            ))),
        }
    }

    /// The groups, read where they are not known.
    async fn groups(&self, gate: &Gate) -> Result<Arc<GroupGraph>, Error> {
        match self.graph() {
            Some(graph) => Ok(graph),
            None => self.read_groups(gate, None).await,
        }
    }

    /// The rights of a person who may use phones, or why they may not; reads the groups where they
    /// are not known, or too old to say no by.
    async fn access(
        &self,
        gate: &Gate,
        person: &Person,
    ) -> Result<Result<BTreeSet<Right>, Reason>, Error> {
        self.vouch_for(person)?;
        if person.standing != Standing::Active {
            return Ok(Err(Reason::Standing(person.standing)));
        }
        let mut graph = self.groups(gate).await?;
        if !self.access.check(Right::User, person, &graph).is_allowed()
            && graph.age((gate.clock)()) > STALE_GRAPH
        {
            let as_of = graph.as_of();
            graph = self.read_groups(gate, Some(as_of)).await?;
        }
        Ok(match self.access.check(Right::User, person, &graph) {
            Access::Allowed(_) => Ok(self.access.rights(person, &graph)),
            Access::Refused(reason) => Err(reason),
        })
    }
}

#[cfg(test)]
mod tests;
