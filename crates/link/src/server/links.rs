//! Every link there is, and the mail systems and directories reached over them.

mod arrivals;
mod limits;
mod local;
mod told;

pub use limits::{LinksConfig, WorkLimits};
pub use told::{DrainOrder, LinkEvent, LinkState};

use super::directory::RemoteDirectory;
use super::half::Half;
use super::link::Link;
use super::mail::RemoteMailSystem;
use super::observe::{CallObserver, CallSeen};
use super::registrar::Registrar;
use crate::traffic::Meter;
use crate::wire::control::{Drain, ToConnector};
use crate::{BookError, Capabilities, ConnectorState, CredentialsNeeded, LinkTimes, Measured};
use dme_directory::{Clock, DirectoryService};
use dme_mailbox::MailSystem;
use dme_model::{ConnectorId, Timestamp};
use local::Local;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::{broadcast, oneshot};

/// Events a subscriber may be behind before it misses the oldest.
const EVENTS: usize = 1024;

/// Every link there is. A handle: clones are the same registry.
#[derive(Clone)]
pub struct Links(Arc<Inner>);

/// Who waits for the second connection of a session.
type Halves = HashMap<(ConnectorId, String), oneshot::Sender<Box<Half>>>;

struct Inner {
    registrar: Arc<Registrar>,
    config: LinksConfig,
    clock: Clock,
    links: Mutex<BTreeMap<ConnectorId, Arc<Link>>>,
    local: Mutex<BTreeMap<ConnectorId, Local>>,
    /// What each connector's links have carried; kept when a link is lost.
    meters: Mutex<BTreeMap<ConnectorId, Arc<Meter>>>,
    /// When connectors will be back that hung up for a while.
    away: Mutex<BTreeMap<ConnectorId, Timestamp>>,
    /// When connectors are linked at all, as they said last, and when they were linked last.
    times: Mutex<BTreeMap<ConnectorId, (LinkTimes, Option<Timestamp>)>>,
    /// By the connector's name.
    limits: Mutex<BTreeMap<String, WorkLimits>>,
    /// First connections of links whose second has not come, by connector and session.
    halves: Mutex<Halves>,
    events: broadcast::Sender<LinkEvent>,
    /// Counts the links that came and went.
    generation: AtomicU64,
    /// When the last one began.
    begun: Mutex<Timestamp>,
    observer: OnceLock<CallObserver>,
}

impl Links {
    /// No links yet.
    pub fn new(registrar: Arc<Registrar>, config: LinksConfig) -> Self {
        Self::on_clock(registrar, config, Arc::new(crate::clock::now))
    }

    /// The same, with links that begin by this clock.
    pub fn on_clock(registrar: Arc<Registrar>, config: LinksConfig, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            registrar,
            config,
            clock,
            links: Mutex::default(),
            local: Mutex::default(),
            meters: Mutex::default(),
            away: Mutex::default(),
            times: Mutex::default(),
            limits: Mutex::default(),
            halves: Mutex::default(),
            events: broadcast::channel(EVENTS).0,
            generation: AtomicU64::new(0),
            begun: Mutex::new(Timestamp::from_millis(0)),
            observer: OnceLock::new(),
        }))
    }

    /// Who may link.
    pub fn registrar(&self) -> &Arc<Registrar> {
        &self.0.registrar
    }

    /// The time by the clock that links begin by.
    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    pub(super) fn config(&self) -> &LinksConfig {
        &self.0.config
    }

    /// Limits of single connectors, by name, in the place of all that were set before. A link that
    /// stands with others is replaced by a new one; what runs on it goes on.
    pub fn set_limits(&self, limits: BTreeMap<String, WorkLimits>) {
        let before = std::mem::replace(&mut *lock(&self.0.limits), limits.clone());
        for link in lock(&self.0.links).values() {
            if before.get(&link.name) != limits.get(&link.name)
                && link.gate.limits() != self.limits_of(&link.name)
            {
                link.tell(ToConnector::Drain(Drain::default()));
            }
        }
    }

    fn limits_of(&self, name: &str) -> LinksConfig {
        match lock(&self.0.limits).get(name) {
            Some(WorkLimits { parallel, queued }) => {
                LinksConfig { parallel: *parallel, queued: *queued, ..self.0.config }
            }
            None => self.0.config,
        }
    }

    /// Has whoever counts calls told of each from now on. Only the first is heard.
    pub fn observe(&self, observer: CallObserver) {
        let _ = self.0.observer.set(observer);
    }

    pub(super) fn seen(&self, call: CallSeen<'_>) {
        if let Some(observer) = self.0.observer.get() {
            observer(call);
        }
    }

    /// Whether the connector has a link.
    pub fn is_linked(&self, id: &ConnectorId) -> bool {
        self.link(id).is_some() || lock(&self.0.local).contains_key(id)
    }

    /// What a connector that is linked offers.
    pub fn capabilities(&self, id: &ConnectorId) -> Option<Capabilities> {
        match self.link(id) {
            Some(link) => Some(link.hello.capabilities.clone()),
            None => lock(&self.0.local).get(id).map(|local| local.services.capabilities()),
        }
    }

    /// Whether the connector takes new work at this moment: linked, not about to go, not exhausted.
    pub fn takes_work(&self, id: &ConnectorId) -> bool {
        match self.link(id) {
            Some(link) => !link.is_draining() && !link.gate.is_exhausted(),
            None => lock(&self.0.local).contains_key(id),
        }
    }

    /// What a connector that is linked needs to open a mailbox; none where it has none.
    pub fn mailbox_needs(&self, id: &ConnectorId) -> Option<CredentialsNeeded> {
        match self.link(id) {
            Some(link) => link.hello.capabilities.mailbox_needs(),
            None => lock(&self.0.local).get(id)?.services.mailboxes.as_ref().map(|it| it.needs),
        }
    }

    /// When a link begins that begins now. No two have the same: by it they are told apart.
    fn begins(&self) -> Timestamp {
        let (now, mut last) = (self.now(), lock(&self.0.begun));
        let ahead = last.as_millis().saturating_sub(now.as_millis());
        // A clock that was set back is followed.
        *last = match ahead {
            0..1000 => Timestamp::from_millis(last.as_millis() + 1),
            _ => now,
        };
        *last
    }

    /// Every link that stands, by id.
    pub fn connectors(&self) -> Vec<LinkState> {
        let remote: Vec<LinkState> =
            lock(&self.0.links).values().map(|link| self.state(link)).collect();
        let local = lock(&self.0.local);
        let local = local.iter().map(|(id, local)| local.state(id));
        let mut all: Vec<LinkState> = remote.into_iter().chain(local).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// The link of one connector, if it stands.
    pub fn connector(&self, id: &ConnectorId) -> Option<LinkState> {
        match self.link(id) {
            Some(link) => Some(self.state(&link)),
            None => lock(&self.0.local).get(id).map(|local| local.state(id)),
        }
    }

    /// What connectors count of the calls on the systems behind them, as they told last, also of those
    /// that are not linked any more.
    pub fn measured(&self) -> BTreeMap<ConnectorId, Vec<Measured>> {
        let meters: Vec<_> =
            lock(&self.0.meters).iter().map(|(id, meter)| (id.clone(), meter.clone())).collect();
        let told = meters.into_iter().map(|(id, meter)| (id, meter.measured()));
        let local: Vec<_> = lock(&self.0.local)
            .iter()
            .filter_map(|(id, local)| Some((id.clone(), local.services.counts.clone()?)))
            .collect();
        told.chain(local.into_iter().map(|(id, counting)| (id, counting.counts()))).collect()
    }

    /// The connectors that hung up by themselves, or have no link and are not to be linked now, and
    /// when they are: a phone can be told so instead of that its mail system is down.
    pub fn away(&self) -> BTreeMap<ConnectorId, Timestamp> {
        let now = self.now();
        let times = lock(&self.0.times).clone();
        let reckoned = times.into_iter().filter_map(|(id, (times, linked))| {
            let until = times.away_until(linked, now)?;
            (!self.is_linked(&id)).then_some((id, until))
        });
        let mut all: BTreeMap<_, _> = reckoned.collect();
        let mut away = lock(&self.0.away);
        away.retain(|_, until| *until > now);
        // What was said when hanging up goes before what is reckoned.
        all.extend(away.iter().map(|(id, until)| (id.clone(), *until)));
        all
    }

    /// Reads when connectors are linked, as they said before this process began.
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub async fn recall(&self) -> Result<(), BookError> {
        let said = self.0.registrar.link_times().await?;
        let mut times = lock(&self.0.times);
        for (id, said, linked) in said {
            times.entry(id).or_insert((said, linked));
        }
        Ok(())
    }

    fn state(&self, link: &Link) -> LinkState {
        let (outstanding, queued) = (link.gate.outstanding(), link.gate.queued());
        LinkState {
            id: link.id.clone(),
            name: link.name.clone(),
            capabilities: link.hello.capabilities.clone(),
            realms: link.hello.realms.clone(),
            is_edge: link.hello.edge,
            software: link.hello.software.clone(),
            peer: Some(link.peer.clone()),
            since: link.since,
            round_trip: link.round_trip(),
            traffic: link.meter.read(),
            segments: link.segments(),
            used: link.used(),
            outstanding,
            queued,
            watches: link.gate.watches(),
            draining: link.is_draining(),
            exhausted: link.gate.is_exhausted(),
            certificate: link.certificate,
        }
    }

    /// The connector's mail system, whether it is linked or not: without a link, calls answer
    /// `Unavailable`; with a new one, they go on.
    pub fn mail_system(&self, id: &ConnectorId) -> Arc<dyn MailSystem> {
        let local = lock(&self.0.local).get(id).and_then(|local| local.services.mailboxes.clone());
        match local {
            Some(mailboxes) => mailboxes.system,
            None => Arc::new(RemoteMailSystem::new(self.clone(), id.clone())),
        }
    }

    /// The connector's directory, whether it is linked or not.
    pub fn directory(&self, id: &ConnectorId) -> Arc<dyn DirectoryService> {
        let local = lock(&self.0.local).get(id).and_then(|local| local.services.directory.clone());
        match local {
            Some(directory) => directory,
            None => Arc::new(RemoteDirectory::new(self.clone(), id.clone())),
        }
    }

    /// What happens to links from here on. A subscriber that falls far behind misses the oldest
    /// events and reads [`Links::connectors`] anew.
    pub fn subscribe(&self) -> broadcast::Receiver<LinkEvent> {
        self.0.events.subscribe()
    }

    /// Tells one connector to finish what runs, and to come back elsewhere or later.
    pub fn drain(&self, id: &ConnectorId, order: &DrainOrder) {
        if let Some(link) = self.link(id) {
            link.tell(ToConnector::Drain(wire_order(order)));
        }
    }

    /// How many links stand, those within this process not counted.
    pub fn count(&self) -> usize {
        lock(&self.0.links).len()
    }

    /// Tells all connectors.
    pub fn drain_all(&self, order: &DrainOrder) {
        for link in lock(&self.0.links).values() {
            link.tell(ToConnector::Drain(wire_order(order)));
        }
    }

    /// Sends a connector what is wanted of it now, where it is linked. One that is not gets it when
    /// it links, and so does one that has too much to read.
    ///
    /// # Errors
    /// When the registry cannot be asked.
    pub async fn configure(&self, id: &ConnectorId) -> Result<(), BookError> {
        let wanted = self.0.registrar.wanted(id).await?;
        if let Some((link, wanted)) = self.link(id).zip(wanted) {
            link.tell(ToConnector::Configuration(wanted));
        }
        Ok(())
    }

    /// Has a connector take a new key, where it is linked and its release knows how. It links anew with
    /// the key, and the old one is forgotten.
    pub fn rotate(&self, id: &ConnectorId) {
        if let Some(link) = self.link(id) {
            link.tell(ToConnector::Rotate {});
        }
    }

    /// Closes a connector's link at once, with all that runs on it. It may dial again.
    pub fn close(&self, id: &ConnectorId) {
        if let Some(link) = self.link(id) {
            link.closed.cancel();
        }
    }

    pub(super) fn close_all(&self) {
        for link in lock(&self.0.links).values() {
            link.closed.cancel();
        }
    }

    /// Locks, unlocks or removes a connector, and closes its link unless it may go on.
    ///
    /// # Errors
    /// When the book refuses or cannot be asked.
    pub async fn set_state(
        &self,
        id: &ConnectorId,
        state: ConnectorState,
    ) -> Result<(), BookError> {
        self.0.registrar.book().set_state(id, state).await?;
        if state != ConnectorState::Unlocked {
            self.close(id);
        }
        Ok(())
    }

    pub(super) fn link(&self, id: &ConnectorId) -> Option<Arc<Link>> {
        lock(&self.0.links).get(id).cloned()
    }

    /// Counts what crosses this connector's links.
    pub(super) fn meter(&self, id: &ConnectorId) -> Arc<Meter> {
        lock(&self.0.meters).entry(id.clone()).or_default().clone()
    }

    /// Grows whenever a link comes or goes, at once: whoever hears of it by an event hears later.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// An edge has something to tell. No link comes or goes by that.
    pub(super) fn news(&self, id: &ConnectorId) {
        let _ = self.0.events.send(LinkEvent::News(id.clone()));
    }

    fn tell(&self, event: LinkEvent) {
        self.0.generation.fetch_add(1, Ordering::AcqRel);
        // Without subscribers there is nobody to miss it.
        let _ = self.0.events.send(event);
    }
}

fn wire_order(order: &DrainOrder) -> Drain {
    let after_ms = u64::try_from(order.after.as_millis()).unwrap_or(u64::MAX);
    Drain { after_ms, servers: order.servers.clone() }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
