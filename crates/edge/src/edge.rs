//! The edge: what its front, its server and its runner share.

use crate::config::EdgeConfig;
use crate::memory::Memory;
use async_trait::async_trait;
use bytes::Bytes;
use dme_directory::Error;
use dme_link::{EdgeService, Exchange, Exchanged, Facts, Ledger};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_server::edges::facts::{Claim, EdgeRules, Subject};
use dme_server::elsewhere::{Elsewhere, Places, Whereabouts};
use dme_server::front::{Clock, Front};
use dme_server::lease::Lease;
use dme_server::private_files::private_directory;
use dme_server::role::StartError;
use dme_store::{DeviceStates, Sighting, Store, TakenOver};
use dme_sync::DeviceKey;
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{oneshot, watch};

/// How long a phone waits for what the server has of it; without, it begins anew.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is written down, while nothing is heard of the server, that a device is still here.
const STAY: Duration = Duration::from_secs(60);
/// In the connector's directory.
const DIRECTORY: &str = "edge";

/// Why an edge cannot be.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// Its settings make no sense.
    #[error("{0}")]
    Settings(String),
    /// Its directory or its front cannot be used.
    #[error("edge: {0}")]
    Start(#[from] StartError),
    /// Its store cannot be used.
    #[error("the edge's database cannot be used")]
    Store(#[from] dme_store::Error),
}

/// A connector's edge.
pub struct Edge {
    pub(crate) config: EdgeConfig,
    pub(crate) directory: PathBuf,
    pub(crate) store: Store,
    pub(crate) places: Places,
    pub(crate) lease: Arc<Lease>,
    pub(crate) clock: Clock,
    /// What the server said; one exchange at a time.
    pub(crate) memory: tokio::sync::Mutex<Memory>,
    /// By what it serves now.
    pub(crate) rules: watch::Sender<Option<EdgeRules>>,
    /// What the server is to know.
    pub(crate) told: Mutex<Ledger>,
    pub(crate) news: watch::Sender<u64>,
    pub(crate) linked: AtomicBool,
    /// Whether the server was heard of since the link stands.
    pub(crate) in_step: AtomicBool,
    /// The front, while it runs.
    pub(crate) front: Mutex<Option<Arc<Front>>>,
    pub(crate) listens: Mutex<Option<SocketAddr>>,
    /// Devices that came and wait for what the server has of them.
    claims: Mutex<HashMap<DeviceKey, (Value, oneshot::Sender<()>)>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string())
}

impl Edge {
    /// An edge whose store is in its connector's directory. It serves nobody until it is run, and the
    /// server has said by what.
    ///
    /// # Errors
    /// When the settings make no sense, or the directory or the database in it cannot be used.
    pub async fn open(config: EdgeConfig, connector: &Path) -> Result<Arc<Self>, EdgeError> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(EdgeError::Settings(problems.join("\n")));
        }
        let clock: Clock = Arc::new(|| Timestamp::from(SystemTime::now()));
        let directory = connector.join(DIRECTORY);
        private_directory(&directory)?;
        let store = Store::open(directory.join("dme.sqlite"))?;
        let memory = Memory::recall(&store).await?;
        let run = clock().as_millis().unsigned_abs();
        let edge = Self {
            config,
            directory,
            places: Places::open(store.clone()).await?,
            store,
            lease: Arc::new(Lease::until(memory.lease_end(), clock())),
            clock,
            rules: watch::Sender::new(memory.rules()),
            memory: tokio::sync::Mutex::new(memory),
            told: Mutex::new(Ledger::new(run)),
            news: watch::Sender::new(0),
            linked: AtomicBool::new(false),
            in_step: AtomicBool::new(false),
            front: Mutex::default(),
            listens: Mutex::default(),
            claims: Mutex::default(),
        };
        Ok(Arc::new(edge))
    }

    /// Where phones connect, while it serves any.
    pub fn phones(&self) -> Option<SocketAddr> {
        *lock(&self.listens)
    }

    fn in_step(&self) -> bool {
        self.in_step.load(Ordering::Relaxed)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Has the server come for what it does not know yet.
    pub(crate) fn has_news(&self) {
        self.news.send_modify(|news| *news += 1);
    }

    /// The facts that devices have come.
    pub(crate) fn claimed(&self) -> Facts {
        let claims = lock(&self.claims);
        let name = |key: &DeviceKey| Subject::Claim(key.clone()).to_string();
        claims.iter().map(|(key, (claim, _))| (name(key), claim.clone())).collect()
    }

    /// Asks the server for what it has of a device, and waits until it came.
    async fn claim(&self, key: &DeviceKey, sighting: &Sighting, now: Timestamp) {
        let claim = Claim { at: now, sighting: sighting.clone() };
        let Ok(claim) = serde_json::to_value(claim) else { return };
        let (came, comes) = oneshot::channel();
        lock(&self.claims).insert(key.clone(), (claim.clone(), came));
        lock(&self.told).set(Subject::Claim(key.clone()).to_string(), claim);
        self.has_news();
        if !matches!(tokio::time::timeout(LIMIT, comes).await, Ok(Ok(()))) {
            tracing::warn!(user = %key.user, device = %key.device,
                "the server did not say what it knows of a device; it begins anew");
        }
        lock(&self.claims).remove(key);
        lock(&self.told).remove(&Subject::Claim(key.clone()).to_string());
    }
}

/// What its server has of a device that comes is brought here.
pub(crate) struct FromServer(pub Arc<Edge>);

#[async_trait]
impl Elsewhere for FromServer {
    async fn bring(
        &self,
        key: &DeviceKey,
        sighting: &Sighting,
        now: Timestamp,
    ) -> dme_store::Result<()> {
        let edge = &self.0;
        match edge.places.of(key) {
            // Meanwhile it may have been at the server, of which nothing is heard: it has come here
            // last.
            Whereabouts::Here(since) if !edge.in_step() && now >= since.plus(STAY) => {
                return edge.places.here(key, now).await;
            }
            Whereabouts::Here(_) => return Ok(()),
            Whereabouts::Server | Whereabouts::Edge(..) => {}
        }
        let _moving = edge.places.moving(key).await;
        // Another request of the same phone may have brought it meanwhile.
        if matches!(edge.places.of(key), Whereabouts::Here(_)) {
            return Ok(());
        }
        if edge.linked.load(Ordering::Relaxed) {
            edge.claim(key, sighting, now).await;
        }
        edge.places.here(key, now).await
    }

    async fn forget(&self, key: &DeviceKey) -> dme_store::Result<()> {
        self.0.places.forget(key).await
    }

    fn whereabouts(&self, key: &DeviceKey) -> Whereabouts {
        self.0.places.of(key)
    }
}

#[async_trait]
impl EdgeService for Edge {
    async fn exchange(&self, asked: Exchange) -> Result<Exchanged, Error> {
        let mut memory = self.memory.lock().await;
        if let Some(delta) = asked.delta {
            let mut said = memory.clone();
            // What does not build on what is here changes nothing; the server sees it by the answer.
            if let Ok(changed) = said.decrees.apply(delta) {
                // What could not be carried out was not heard, and is said again.
                self.obey(&memory, &said, &changed).await.map_err(unavailable)?;
                *memory = said;
            }
        }
        memory.heard = Some(self.now());
        self.in_step.store(true, Ordering::Relaxed);
        memory.events = memory.events.max(memory.fact(&Subject::Events).unwrap_or(0));
        memory.keep(&self.store).await.map_err(unavailable)?;
        self.lease.renew(memory.lease_end(), self.now());
        self.gather(&memory).await.map_err(unavailable)?;
        Ok(Exchanged { holds: memory.decrees.held(), delta: lock(&self.told).since(asked.heard) })
    }

    async fn give(&self, user: &UserId, device: &DeviceId) -> Result<Option<Bytes>, Error> {
        let key = DeviceKey { user: user.clone(), device: device.clone() };
        let _moving = self.places.moving(&key).await;
        let states = match self.places.of(&key) {
            Whereabouts::Here(_) => self.let_go(&key).await,
            // Given already, perhaps, by an answer that was lost: what was sent is known still.
            _ if self.store.device(&key).await.map_err(unavailable)?.is_some() => {
                self.store.states_of(&key).await
            }
            _ => return Ok(None),
        };
        Ok(Some(states.map_err(unavailable)?.encode().into()))
    }

    async fn take(
        &self,
        user: &UserId,
        device: &DeviceId,
        states: Option<Bytes>,
    ) -> Result<(), Error> {
        let key = DeviceKey { user: user.clone(), device: device.clone() };
        let waits = lock(&self.claims).remove(&key);
        let states = states.map(|states| DeviceStates::decode(&states));
        let states = states.transpose().map_err(unavailable)?;
        let Some((_, came)) = waits else {
            // Too late: it would put an older state in the place of what the phone has begun. What was
            // sent is known all the same.
            if let Some(states) = states {
                self.store.take_over_journal(&key, &states).await.map_err(unavailable)?;
            }
            return Ok(());
        };
        if let Some(states) = states {
            let taken = self.store.take_over_states(&key, &states).await.map_err(unavailable)?;
            if taken == TakenOver::Anew {
                tracing::warn!(user = %key.user, device = %key.device,
                    "the folders have other numbers here; the device begins anew");
            }
        }
        let _ = came.send(());
        Ok(())
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_sync::{Slot, StateStore};

    async fn edge(folder: &Path) -> Arc<Edge> {
        let config = serde_json::from_value(serde_json::json!({
            "phones": { "listen": "127.0.0.1:0", "host": "localhost" },
        }));
        Edge::open(config.unwrap(), folder).await.unwrap()
    }

    fn key() -> DeviceKey {
        DeviceKey { user: "ann@example.org".into(), device: "PHONE".into() }
    }

    async fn states(folder: &Path, state: &[u8]) -> Bytes {
        let store = Store::open(folder.join("server.sqlite")).unwrap();
        store.save(&key(), Slot::Hierarchy, state.to_vec()).await.unwrap();
        store.states_of(&key()).await.unwrap().encode().into()
    }

    #[tokio::test]
    async fn a_phone_goes_on_with_what_the_server_has_and_not_with_what_comes_too_late() {
        let folder = tempfile::tempdir().unwrap();
        let edge = edge(folder.path()).await;
        edge.linked.store(true, Ordering::Relaxed);
        let (key, came) = (key(), FromServer(edge.clone()));
        let claim = Subject::Claim(key.clone()).to_string();
        let mut news = edge.news();
        let server = async {
            news.changed().await.unwrap();
            assert!(lock(&edge.told).facts().contains_key(&claim));
            let states = states(folder.path(), b"from the server").await;
            edge.take(&key.user, &key.device, Some(states)).await.unwrap();
        };
        let sighting = Sighting::default();
        let (brought, ()) = tokio::join!(came.bring(&key, &sighting, edge.now()), server);
        brought.unwrap();
        let held = || edge.store.load(&key, Slot::Hierarchy);
        assert_eq!(held().await.unwrap().as_deref(), Some(&b"from the server"[..]));
        assert!(!lock(&edge.told).facts().contains_key(&claim), "it waits no more");

        edge.store.save(&key, Slot::Hierarchy, b"begun here".to_vec()).await.unwrap();
        let late = states(folder.path(), b"too late").await;
        edge.take(&key.user, &key.device, Some(late)).await.unwrap();
        assert_eq!(held().await.unwrap().as_deref(), Some(&b"begun here"[..]));

        let given = edge.give(&key.user, &key.device).await.unwrap().unwrap();
        assert_ne!(DeviceStates::decode(&given).unwrap(), DeviceStates::default());
        assert_eq!(held().await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_the_server_said_holds_after_a_restart_for_as_long_as_the_lease() {
        let folder = tempfile::tempdir().unwrap();
        let before = edge(folder.path()).await;
        assert!(before.lease.is_over(before.now()), "nothing was heard of a server yet");
        let mut server = Ledger::new(1);
        let rules = serde_json::json!({
            "lease_ms": 60_000, "realms": [], "scope": "everyone", "per_user": 3,
        });
        server.set(Subject::Rules.to_string(), rules);
        let asked = Exchange { heard: None, delta: Some(server.since(None)) };
        before.exchange(asked).await.unwrap();
        let now = before.now();
        drop(before);
        let after = edge(folder.path()).await;
        assert!(!after.lease.is_over(now));
        assert!(after.lease.is_over(now.plus(Duration::from_secs(61))));
        assert_eq!(after.rules.borrow().as_ref().map(|rules| rules.per_user), Some(3));
    }
}
