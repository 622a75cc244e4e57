//! The connectors as the router sees them, wherever they run, linked or not.

mod edge_lease;
mod endpoint;
mod health;
mod settings;
mod standing;

pub use dme_routing::{Scope, Tier};
pub use edge_lease::{EdgeLease, NoLease};
pub use endpoint::Endpoint;
pub use health::Failing;
pub(crate) use health::Turn;
pub use settings::{ConnectorSettings, Effective, Limits, SettingsProblem};
pub use standing::{Reason, Standing, State, count};

use dme_directory::DirectoryService;
use dme_link::{Capabilities, ConnectorRecord, ConnectorState, LinkEvent, Links, WorkLimits};
use dme_mailbox::MailSystem;
use dme_model::{ConnectorId, Timestamp, UserId};
use dme_routing::Lock;
use dme_store::{SettingRecord, Store};
use endpoint::Snapshot;
use health::Health;
use standing::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// Every connector there is, with what is set of it.
pub struct Connectors {
    links: Links,
    store: Store,
    configured: BTreeMap<String, ConnectorSettings>,
    limits: Limits,
    known: RwLock<Arc<Known>>,
    seen: Seen,
    health: Health,
    /// Counts whatever changes who can serve.
    version: watch::Sender<u64>,
    /// All as they were a moment ago.
    snapshot: Mutex<Option<Snapshot>>,
}

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
            health: Health::default(),
            version: watch::Sender::new(0),
            snapshot: Mutex::default(),
        });
        tokio::spawn(Self::follow(Arc::downgrade(&all), all.links.subscribe()));
        all
    }

    /// Takes in what happens to links, for as long as somebody has the connectors.
    async fn follow(connectors: Weak<Self>, mut events: Receiver<LinkEvent>) {
        loop {
            let event = events.recv().await;
            let Some(all) = connectors.upgrade() else { return };
            match event {
                Ok(LinkEvent::News(_)) => {}
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
                    self.seen.lost(&id, &reason, self.links.now());
                }
                LinkEvent::News(_) => {}
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
        self.note(self.links.now());
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
        let book = self.book().await?;
        let offers: BTreeMap<_, _> = self.store.offers().await?.into_iter().collect();
        let (mut settings, mut unreadable) = (self.configured.clone(), BTreeSet::new());
        let mut changes = BTreeMap::new();
        for record in self.store.connector_settings().await? {
            let SettingRecord { name, settings: text, changed, .. } = record;
            match serde_json::from_str(&text) {
                Ok(later) => {
                    changes.insert(name.clone(), changed);
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
            .map(|(name, settings)| {
                let changed = changes.get(&name).copied();
                (name, Arc::new(Effective { changed, ..settings.effective(self.limits) }))
            })
            .collect();
        Ok(Known { by_id, set })
    }

    /// All that were ever enrolled, removed ones included.
    async fn book(&self) -> dme_store::Result<Vec<ConnectorRecord>> {
        let book = self.links.registrar().book().list().await;
        book.map_err(|error| dme_store::Error::Database(error.to_string()))
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

    /// The name of a connector; its id where it has none.
    pub fn name(&self, id: &ConnectorId) -> String {
        let known = self.known();
        known.by_id.get(id).map_or_else(|| id.to_string(), |entry| entry.name.clone())
    }

    /// Looks at what connectors count of the systems behind them; gives what has begun to fail since
    /// the last look, and what answers again.
    pub(crate) fn look(&self) -> Vec<Turn> {
        self.health.look(self.links.measured(), self.links.now())
    }

    /// Nobody could serve a user's mail.
    pub(crate) fn unserved(&self, user: &UserId, now: Timestamp) {
        self.health.unserved(user, now);
    }

    /// Somebody serves it.
    pub(crate) fn served(&self, user: &UserId) {
        self.health.served(user);
    }

    /// Whose mail nobody could serve lately, and nobody has served since.
    pub fn all_unserved(&self, now: Timestamp) -> Vec<UserId> {
        self.health.all_unserved(now)
    }

    /// A connector's mail system.
    pub fn mail_system(&self, id: &ConnectorId) -> Arc<dyn MailSystem> {
        self.links.mail_system(id)
    }

    /// A connector's directory.
    pub fn directory(&self, id: &ConnectorId) -> Arc<dyn DirectoryService> {
        self.links.directory(id)
    }
}
