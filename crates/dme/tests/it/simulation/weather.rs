//! What becomes of the connectors. Every call steps on the way to its connector and on the way
//! back, and at some steps something happens to one of them.

use super::time::Time;
use crate::property::chance::Chance;
use async_trait::async_trait;
use dme_link::{CredentialsNeeded, Links, Mailboxes, Services};
use dme_mailbox::memory::MemoryMailSystem;
use dme_mailbox::{
    Account, CallContext, Error, ErrorKind, MailSystem, Mailbox, Passing, Result, Way,
};
use dme_model::{ConnectorId, UserId};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// After how long a line that hangs counts as lost: keepalive's interval and patience.
const NOTICED: Duration = Duration::from_secs(25);
/// After how long a connector knows that its mail system cannot be reached: it is silent, and so is
/// another connection to it.
const FOUND_OUT: Duration = Duration::from_secs(20);
/// So much happens at the most, so that it becomes fine in the end.
const STORMS: u32 = 14;

/// How a connector is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Condition {
    Well,
    /// Its line is open, and nothing comes.
    Hangs,
    /// It answers that it has too much to do.
    Exhausted,
    /// Its link stands, and its mail system fails whatever is asked of it.
    Failing,
    /// It is linked, and its way to the mail system hangs.
    CutOff,
    Lost,
}

/// A call, or its answer, on its way to or from one of the connectors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Passed {
    connector: usize,
    is_answer: bool,
    /// Since the life's beginning.
    at: Duration,
}

pub struct Weather {
    links: Links,
    time: Time,
    /// Who does nothing but wait.
    waiting: UserId,
    sky: Mutex<Sky>,
}

struct Sky {
    chance: Chance,
    connectors: Vec<Connector>,
    /// Steps until something happens.
    next: u64,
    storms: u32,
    told: Vec<String>,
    passed: Vec<Passed>,
}

struct Connector {
    id: ConnectorId,
    name: String,
    mail: MemoryMailSystem,
    condition: Condition,
}

impl Weather {
    pub fn new(links: Links, time: Time, waiting: UserId, seed: u64) -> Arc<Self> {
        let mut chance = Chance::new(!seed);
        let next = chance.below(40);
        let (connectors, told, passed) = (Vec::new(), Vec::new(), Vec::new());
        let sky = Sky { chance, connectors, next, storms: 0, told, passed };
        Arc::new(Self { links, time, waiting, sky: Mutex::new(sky) })
    }

    /// A connector before this mail system, linked and well.
    pub fn add(self: &Arc<Self>, id: ConnectorId, name: &str, mail: &MemoryMailSystem) {
        let (name, mail) = (name.to_owned(), mail.clone());
        let condition = Condition::Lost;
        self.lock().connectors.push(Connector { id, name, mail, condition });
        let at = self.lock().connectors.len() - 1;
        self.become_(at, Condition::Well);
    }

    fn waits(&self, account: &Account) -> bool {
        account.user == self.waiting
    }

    /// What has happened so far.
    pub fn told(&self) -> String {
        self.lock().told.join(", ")
    }

    pub fn storms(&self) -> u32 {
        self.lock().storms
    }

    /// The calls of those who do not only wait.
    pub fn passed(&self) -> Vec<Passed> {
        self.lock().passed.clone()
    }

    /// How long it is until the phone's next request.
    pub fn pause(&self) -> Duration {
        Duration::from_secs(self.lock().chance.below(10))
    }

    /// The names of those that are well, or so it seems.
    pub fn well(&self) -> Vec<String> {
        let sky = self.lock();
        let well = sky.connectors.iter().filter(|one| one.condition == Condition::Well);
        well.map(|one| one.name.clone()).collect()
    }

    /// Nothing happens for a while. Gives the steps that were left until it does.
    pub fn hold(&self) -> u64 {
        std::mem::replace(&mut self.lock().next, u64::MAX)
    }

    pub fn go_on(&self, next: u64) {
        self.lock().next = next;
    }

    /// Whether an administrator drains or resumes a connector now, and which.
    pub fn order(&self) -> Option<(String, bool)> {
        let mut sky = self.lock();
        if sky.storms >= STORMS || !sky.chance.one_in(8) {
            return None;
        }
        sky.storms += 1;
        let at = sky.pick();
        let (drains, name) = (sky.chance.one_in(2), sky.connectors.get(at)?.name.clone());
        sky.told.push(format!("{name} {}", if drains { "drains" } else { "resumes" }));
        Some((name, drains))
    }

    /// Everything that was lost comes back.
    pub fn clear_up(self: &Arc<Self>) {
        let all = self.lock().connectors.len();
        (0..all).for_each(|at| self.become_(at, Condition::Well));
    }

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        self.lock().storms >= STORMS
    }

    fn step(self: &Arc<Self>) {
        let mut sky = self.lock();
        if sky.next > 0 {
            sky.next -= u64::from(sky.next != u64::MAX);
            return;
        }
        sky.next = sky.chance.below(40);
        if sky.storms >= STORMS {
            drop(sky);
            self.clear_up();
            return;
        }
        sky.storms += 1;
        let at = sky.pick();
        let hangs = sky
            .connectors
            .iter()
            .any(|one| matches!(one.condition, Condition::Hangs | Condition::CutOff));
        let condition = match sky.chance.below(8) {
            0 | 1 => Condition::Lost,
            // Two that hang one after the other keep a request waiting for too long.
            2 if !hangs => Condition::Hangs,
            3 => Condition::Exhausted,
            4 if !hangs => Condition::CutOff,
            5 => Condition::Failing,
            _ => Condition::Well,
        };
        drop(sky);
        self.become_(at, condition);
    }

    fn become_(self: &Arc<Self>, at: usize, condition: Condition) {
        let mut sky = self.lock();
        let Some(one) = sky.connectors.get_mut(at) else { return };
        let before = std::mem::replace(&mut one.condition, condition);
        if before == condition {
            return;
        }
        let (id, name, mail) = (one.id.clone(), one.name.clone(), one.mail.clone());
        sky.told.push(format!("{name} {condition:?}"));
        drop(sky);
        // What waits for news of a mail system that fails, fails too.
        if matches!(condition, Condition::Lost | Condition::Failing) {
            mail.cut_watches();
        }
        if condition == Condition::Lost {
            self.links.detach_local(&id);
        } else if before == Condition::Lost {
            let system = Arc::new(Site { weather: self.clone(), at, mail });
            // For mail: the rest of the mailbox is shown beside it, under the mail system's own ids,
            // by which phone and mail system are compared.
            let mailboxes = Some(Mailboxes::of_mail(system, CredentialsNeeded::Password));
            let services = Services { mailboxes, ..Services::default() };
            self.links.attach_local(id, &name, services);
        }
    }

    /// A call, or its answer, on its way. Those of users who only wait change nothing.
    async fn pass(self: &Arc<Self>, at: usize, is_answer: bool, waits: bool) -> Result<()> {
        if !waits {
            self.step();
            let when = self.time.passed();
            self.lock().passed.push(Passed { connector: at, is_answer, at: when });
        }
        if self.condition(at) == Some(Condition::Hangs) {
            tokio::time::sleep(NOTICED).await;
            if !waits && self.condition(at) == Some(Condition::Hangs) {
                self.become_(at, Condition::Lost);
            }
            return Err(Error::new(ErrorKind::Unavailable, "the line to the connector broke"));
        }
        match self.condition(at) {
            Some(Condition::Lost) | None => {
                Err(Error::new(ErrorKind::Unavailable, "the line to the connector broke"))
            }
            // Nobody knows what it had done by then.
            Some(Condition::Failing) => {
                Err(Error::new(ErrorKind::Unavailable, "the mail system does not answer"))
            }
            Some(Condition::Exhausted) if !is_answer => {
                let after = Duration::from_secs(5);
                let busy =
                    Error::new(ErrorKind::Busy { after }, "the connector has too much to do");
                Err(busy.before_anything())
            }
            Some(_) => Ok(()),
        }
    }

    /// A call on the mail system, or its answer, on its way from the connector to there.
    async fn reach(&self, at: usize, is_answer: bool) -> Result<()> {
        if self.condition(at) != Some(Condition::CutOff) {
            return Ok(());
        }
        tokio::time::sleep(FOUND_OUT).await;
        let cut_off = Error::new(ErrorKind::Timeout, "the mail system cannot be reached");
        Err(if is_answer { cut_off } else { cut_off.before_anything() })
    }

    fn condition(&self, at: usize) -> Option<Condition> {
        self.lock().connectors.get(at).map(|one| one.condition)
    }

    fn lock(&self) -> MutexGuard<'_, Sky> {
        self.sky.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sky {
    fn pick(&mut self) -> usize {
        let count = u64::try_from(self.connectors.len()).unwrap_or(1).max(1);
        usize::try_from(self.chance.below(count)).unwrap_or(0)
    }
}

/// A mail system behind a connector.
struct Site {
    weather: Arc<Weather>,
    at: usize,
    mail: MemoryMailSystem,
}

#[async_trait]
impl MailSystem for Site {
    async fn owns(&self, account: &Account, context: &CallContext) -> Result<bool> {
        self.weather.pass(self.at, false, self.weather.waits(account)).await?;
        self.mail.owns(account, context).await
    }

    async fn open(&self, account: &Account, context: &CallContext) -> Result<Arc<dyn Mailbox>> {
        let mailbox = self.mail.open(account, context).await?;
        let (weather, waits) = (self.weather.clone(), self.weather.waits(account));
        Ok(Arc::new(Passing(Line { weather, at: self.at, waits, mailbox })))
    }
}

struct Line {
    weather: Arc<Weather>,
    at: usize,
    waits: bool,
    mailbox: Arc<dyn Mailbox>,
}

#[async_trait]
impl Way for Line {
    async fn there(&self) -> Result<Arc<dyn Mailbox>> {
        self.weather.pass(self.at, false, self.waits).await?;
        self.weather.reach(self.at, false).await?;
        Ok(self.mailbox.clone())
    }

    async fn back(&self) -> Result<()> {
        self.weather.reach(self.at, true).await?;
        self.weather.pass(self.at, true, self.waits).await
    }
}
