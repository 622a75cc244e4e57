//! The connectors as the router sees them, wherever they run, linked or not.

mod settings;
mod standing;

pub use dme_routing::{Scope, Tier};
pub use settings::{ConnectorSettings, Effective, Limits, SettingsProblem};
pub use standing::{Reason, Standing, State};

use crate::clock::now;
use crate::metrics::Metrics;
use dme_directory::DirectoryService;
use dme_link::{Capabilities, ConnectorState, LinkEvent, LinkState, Links, WorkLimits};
use dme_mailbox::MailSystem;
use dme_model::{ConnectorId, Realm, Timestamp};
use dme_routing::{Connector, Duty, Link, Load, Lock};
use dme_store::{SettingRecord, Store};
use standing::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Every connector there is, with what is set of it.
pub struct Connectors {
    links: Links,
    store: Store,
    configured: BTreeMap<String, ConnectorSettings>,
    limits: Limits,
    known: RwLock<Arc<Known>>,
    seen: Seen,
    /// Counts whatever changes who can serve.
    version: watch::Sender<u64>,
    /// All as they were a moment ago.
    snapshot: Mutex<Option<Snapshot>>,
}

/// All connectors as they were at a moment: with many of them it is too much to look at each for
/// each user.
struct Snapshot {
    /// That of what is set, and that of the links.
    version: (u64, u64),
    taken: Instant,
    /// When it was last noted how they stand.
    noted: Instant,
    all: Arc<[Endpoint]>,
}

/// How often it is looked how connectors stand while routes are asked for: that one is exhausted no
/// event tells, and who is exhausted is asked for.
const LOOK: Duration = Duration::from_secs(5);
/// How old the load of connectors may be by which they are chosen.
const FRESH: Duration = Duration::from_millis(250);

/// What is known of connectors though they may not be linked.
#[derive(Default)]
struct Known {
    by_id: BTreeMap<ConnectorId, Entry>,
    /// What is set by name, of all that something is set of.
    set: BTreeMap<String, Arc<Effective>>,
}

struct Entry {
    name: String,
    lock: Lock,
    /// What it offered when it was last linked.
    offer: Option<Capabilities>,
}

/// One connector as the router judges it.
#[derive(Clone)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: Connector,
    /// What it offers, whether it is switched on or not.
    pub offer: Capabilities,
    /// The realms its directory says it is the source of; none where its release does not say.
    pub realms: Option<BTreeSet<Realm>>,
    /// It runs in this process.
    pub in_process: bool,
}

impl Endpoint {
    /// Whether it is linked.
    pub fn is_linked(&self) -> bool {
        matches!(self.state.link, Link::Linked { .. })
    }
}

impl Connectors {
    /// The connectors of these links. `limits` say how much each may have to do, where nothing else
    /// is set.
    pub fn new(
        links: Links,
        store: Store,
        configured: BTreeMap<String, ConnectorSettings>,
        limits: Limits,
    ) -> Arc<Self> {
        let set = configured
            .iter()
            .map(|(name, settings)| (name.clone(), Arc::new(settings.effective(limits))));
        let known = Known { by_id: BTreeMap::new(), set: set.collect() };
        let all = Arc::new(Self {
            links,
            store,
            configured,
            limits,
            known: RwLock::new(Arc::new(known)),
            seen: Seen::default(),
            version: watch::Sender::new(0),
            snapshot: Mutex::default(),
        });
        let mut events = all.links.subscribe();
        let watching = Arc::downgrade(&all);
        tokio::spawn(async move {
            use tokio::sync::broadcast::error::RecvError;
            loop {
                let event = events.recv().await;
                let Some(all) = watching.upgrade() else { return };
                match event {
                    Ok(event) => {
                        // Many may come at once, as after a restart: all are read for them once.
                        let mut happened = vec![event];
                        while let Ok(event) = events.try_recv() {
                            happened.push(event);
                        }
                        all.happened(happened).await;
                    }
                    Err(RecvError::Lagged(_)) => {
                        for link in all.links.connectors() {
                            all.note_offer(&link.id).await;
                        }
                        all.reload().await;
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        all
    }

    /// Takes in what happened to links, in this order.
    async fn happened(&self, events: Vec<LinkEvent>) {
        let mut came = Vec::new();
        for event in events {
            match event {
                LinkEvent::Connected(id) => {
                    self.note_offer(&id).await;
                    came.push(id);
                }
                LinkEvent::Lost { id, reason } => {
                    let connector = self.name(&id);
                    tracing::warn!(connector, %id, reason, "connector lost");
                    self.seen.lost(&id, &reason, now());
                }
            }
        }
        if came.is_empty() {
            return self.changed();
        }
        self.reload().await;
        for id in came {
            let connector = self.name(&id);
            tracing::info!(connector, %id, "connector linked");
        }
    }

    /// The links themselves.
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Grows whenever something changes who can serve; routes found before are then found anew.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Tells of each new version.
    pub fn versions(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn changed(&self) {
        self.note(now());
        self.version.send_modify(|version| *version += 1);
    }

    fn known(&self) -> Arc<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads again which connectors there are and what is set of them. What cannot be read stays as
    /// it was.
    pub async fn reload(&self) {
        if let Err(error) = self.begin().await {
            tracing::warn!(%error, "the connectors could not be read");
            self.changed();
        }
    }

    /// The same, for the first time.
    ///
    /// # Errors
    /// The database's: without what is set of them, connectors would be given whom they must not
    /// serve.
    pub async fn begin(&self) -> dme_store::Result<()> {
        let known = self.read().await?;
        let limits = known.set.iter().map(|(name, set)| {
            let parallel = usize::try_from(set.limits.parallel).unwrap_or(usize::MAX);
            let queued = usize::try_from(set.limits.queue).unwrap_or(usize::MAX);
            (name.clone(), WorkLimits { parallel, queued })
        });
        self.links.set_limits(limits.collect());
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        self.changed();
        Ok(())
    }

    async fn read(&self) -> dme_store::Result<Known> {
        let book = self.links.registrar().book().list().await;
        let book = book.map_err(|error| dme_store::Error::Database(error.to_string()))?;
        let offers: BTreeMap<_, _> = self.store.offers().await?.into_iter().collect();
        let (mut settings, mut unreadable) = (self.configured.clone(), BTreeSet::new());
        for SettingRecord { name, settings: text, .. } in self.store.connector_settings().await? {
            match serde_json::from_str(&text) {
                Ok(later) => {
                    let both = settings.entry(name).or_default();
                    *both = both.then(&later);
                }
                Err(error) => {
                    tracing::error!(connector = name, %error,
                        "what is set of it is unreadable, so it serves nobody; set it anew with \
                         `dme connector set --reset`");
                    unreadable.insert(name);
                }
            }
        }
        let by_id =
            book.into_iter().filter(|one| one.state != ConnectorState::Removed).map(|one| {
                let lock = match one.state {
                    ConnectorState::Unlocked if unreadable.contains(&one.name) => Lock::Locked,
                    ConnectorState::Unlocked => Lock::Unlocked,
                    ConnectorState::Locked | ConnectorState::Removed => Lock::Locked,
                };
                let entry = Entry { name: one.name, lock, offer: offers.get(&one.id).cloned() };
                (one.id, entry)
            });
        let by_id = by_id.collect();
        let set = settings
            .into_iter()
            .map(|(name, settings)| (name, Arc::new(settings.effective(self.limits))))
            .collect();
        Ok(Known { by_id, set })
    }

    async fn note_offer(&self, id: &ConnectorId) {
        let Some(link) = self.links.connector(id) else { return };
        // The one in this process is in no book, and always there.
        if !matches!(self.links.registrar().book().get(id).await, Ok(Some(_))) {
            return;
        }
        if let Err(error) = self.store.put_offer(id, &link.capabilities).await {
            tracing::warn!(connector = link.name, %id, %error, "what it offers is not noted");
        }
    }

    /// All that are linked, with their state now.
    pub fn linked(&self) -> Vec<Endpoint> {
        let known = self.known();
        self.links.connectors().into_iter().map(|link| self.endpoint(&known, link)).collect()
    }

    /// All there are, with their state now.
    pub fn all(&self) -> Vec<Endpoint> {
        let known = self.known();
        let mut all = self.linked();
        let linked: BTreeSet<ConnectorId> = all.iter().map(|one| one.state.id.clone()).collect();
        let off_hours = self.links.away();
        let away = known.by_id.iter().filter(|(id, _)| !linked.contains(*id));
        all.extend(away.map(|(id, entry)| {
            let offer = entry.offer.clone().unwrap_or_default();
            let set = self.set(&known, &entry.name);
            Endpoint {
                realms: None,
                in_process: false,
                state: state(
                    id.clone(),
                    &set,
                    &offer,
                    entry.lock,
                    off_hours.get(id).map_or(Link::Lost, |until| Link::OffHours { until: *until }),
                ),
                offer,
                name: entry.name.clone(),
            }
        }));
        all
    }

    /// All there are, with their state of this version and a load that is not old.
    pub fn snapshot(&self) -> Arc<[Endpoint]> {
        let version = (self.version(), self.links.generation());
        let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        match &*snapshot {
            Some(known) if known.version == version && known.taken.elapsed() < FRESH => {
                known.all.clone()
            }
            _ => {
                let all: Arc<[Endpoint]> = self.all().into();
                let taken = Instant::now();
                let noted = snapshot.as_ref().map(|before| before.noted);
                let noted = noted.filter(|noted| noted.elapsed() < LOOK).unwrap_or_else(|| {
                    self.note(now());
                    taken
                });
                *snapshot = Some(Snapshot { version, taken, noted, all: all.clone() });
                all
            }
        }
    }

    /// Whether a connector takes work at this moment.
    pub fn takes_work(&self, id: &ConnectorId) -> bool {
        let known = self.known();
        self.links.takes_work(id)
            && known
                .by_id
                .get(id)
                .is_none_or(|entry| known.set.get(&entry.name).is_none_or(|set| !set.drain))
    }

    /// Whether two connectors offer the same.
    pub fn offer_alike(&self, one: &ConnectorId, other: &ConnectorId) -> bool {
        let all = self.snapshot();
        let offer = |id: &ConnectorId| {
            let found = all.iter().find(|endpoint| endpoint.state.id == *id)?;
            Some(found.offer.functions().collect::<BTreeSet<_>>())
        };
        offer(one).is_some_and(|offered| offer(other) == Some(offered))
    }

    /// The name of a connector; its id where it has none.
    pub fn name(&self, id: &ConnectorId) -> String {
        let known = self.known();
        known.by_id.get(id).map_or_else(|| id.to_string(), |entry| entry.name.clone())
    }

    /// All that are linked, each with those as its scope whose logins it may check.
    pub fn linked_for_logins(&self) -> Vec<Endpoint> {
        let mut all = self.linked();
        for endpoint in &mut all {
            endpoint.state.scope = self.logins(&endpoint.name);
        }
        all
    }

    /// Whose logins a connector of this name may check, linked or not.
    pub fn logins(&self, name: &str) -> Arc<Scope> {
        self.set(&self.known(), name).logins.clone()
    }

    /// The names of the connectors that may not check everyone's logins, linked or not.
    pub fn apart_by_logins(&self) -> Vec<String> {
        let known = self.known();
        let apart = known.set.iter().filter(|(_, set)| *set.logins != Scope::Everyone);
        apart.map(|(name, _)| name.clone()).collect()
    }

    /// A connector's mail system.
    pub fn mail_system(&self, id: &ConnectorId) -> Arc<dyn MailSystem> {
        self.links.mail_system(id)
    }

    /// A connector's directory.
    pub fn directory(&self, id: &ConnectorId) -> Arc<dyn DirectoryService> {
        self.links.directory(id)
    }

    /// What holds for a connector of this name.
    pub fn effective(&self, name: &str) -> Arc<Effective> {
        self.set(&self.known(), name)
    }

    /// What would hold by what the configuration says alone.
    pub fn configured(&self, settings: &ConnectorSettings) -> Effective {
        settings.effective(self.limits)
    }

    /// What the configuration says of a connector, and what was set by command.
    ///
    /// # Errors
    /// The database's.
    pub async fn settings(
        &self,
        name: &str,
    ) -> dme_store::Result<(ConnectorSettings, ConnectorSettings, u64)> {
        let configured = self.configured.get(name).cloned().unwrap_or_default();
        let stored = self.store.connector_settings().await?;
        let Some(record) = stored.into_iter().find(|record| record.name == name) else {
            return Ok((configured, ConnectorSettings::default(), 0));
        };
        let set = serde_json::from_str(&record.settings).map_err(|error| {
            let place = "connector_setting.settings";
            dme_store::Error::Unreadable { place, reason: error.to_string() }
        })?;
        Ok((configured, set, record.version))
    }

    /// Sets what an administrator wants of a connector, from now on. Gives the new version.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_settings(
        &self,
        name: &str,
        settings: &ConnectorSettings,
        now: Timestamp,
    ) -> dme_store::Result<u64> {
        // Settings always have a JSON form.
        let text = serde_json::to_string(settings).unwrap_or_default();
        let version = self.store.put_connector_settings(name, text, now).await?;
        self.reload().await;
        Ok(version)
    }

    fn set(&self, known: &Known, name: &str) -> Arc<Effective> {
        let none = || Arc::new(ConnectorSettings::default().effective(self.limits));
        known.set.get(name).cloned().unwrap_or_else(none)
    }

    fn endpoint(&self, known: &Known, link: LinkState) -> Endpoint {
        let set = self.set(known, &link.name);
        let linked = Link::Linked { since: link.since };
        let lock = known.by_id.get(&link.id).map_or(Lock::Unlocked, |entry| entry.lock);
        let load = load(&link, set.limits);
        let mut state = state(link.id, &set, &link.capabilities, lock, linked);
        if link.draining {
            state.duty = Duty::Draining;
        }
        state.load = load;
        Endpoint {
            realms: link.realms,
            in_process: link.peer.is_none(),
            state,
            offer: link.capabilities,
            name: link.name,
        }
    }
}

fn state(
    id: ConnectorId,
    set: &Effective,
    offer: &Capabilities,
    lock: Lock,
    link: Link,
) -> Connector {
    Connector {
        id,
        tier: set.tier,
        functions: offer.functions().filter(|function| !set.off.contains(function)).collect(),
        scope: set.scope.clone(),
        lock,
        link,
        duty: if set.drain { Duty::Draining } else { Duty::Serving },
        load: Load { parallel: set.limits.parallel, ..Load::default() },
    }
}

/// What a connector that is linked has to do. Whether it is exhausted, its link says.
fn load(link: &LinkState, limits: Limits) -> Load {
    let outstanding = link.outstanding.saturating_add(link.queued);
    Load {
        outstanding: u32::try_from(outstanding).unwrap_or(u32::MAX),
        parallel: limits.parallel,
        exhausted: link.exhausted,
    }
}

/// Tells the metrics of every connector that may serve whether it is linked: also of one that has
/// not come since the server's start, whose absence is what an alert is for.
pub async fn count(links: &Links, metrics: &Metrics) {
    let records = match links.registrar().book().list().await {
        Ok(records) => records,
        Err(error) => return tracing::warn!(%error, "the connectors could not be counted"),
    };
    let mut all = BTreeMap::new();
    for record in records.into_iter().filter(|one| one.state == ConnectorState::Unlocked) {
        let up = links.is_linked(&record.id);
        // Of several with one name, all must be there.
        all.entry(record.name).and_modify(|before| *before &= up).or_insert(up);
    }
    let own = links.connectors().into_iter().filter(|link| link.peer.is_none());
    all.extend(own.map(|own| (own.name, true)));
    metrics.links(&all);
}
