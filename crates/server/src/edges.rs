//! The server's edges: connectors that also run a front, for the phones near them, on a store of their
//! own. What an edge is to know goes to it, and what it tells is taken in, whenever either has news
//! and the link stands; between that it serves on its lease.
//!
//! An edge speaks for the users of its scope only (rule A6): whatever it says of others is passed over.

mod decrees;
pub mod facts;
mod from_edges;
mod reports;

pub use from_edges::FromEdges;

use crate::config::{ConnectorNames, RealmConfig};
use crate::front::Front;
use dme_link::{
    Exchange, Exchanged, Held, Ledger, LinkEvent, LinkState, Links, NotAnswered, Replica,
};
use dme_model::{ConnectorId, Timestamp};
use dme_store::Device;
use dme_sync::DeviceKey;
use facts::{Claim, EdgeRealm, Subject};
use futures_util::future::join_all;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;

/// How long an edge may take to answer over a slow line.
const LIMIT: Duration = Duration::from_secs(60);
/// How often it is looked whether an edge is to be told something of which nothing is heard: a group
/// may have changed.
const LOOK: Duration = Duration::from_secs(60);
/// How long what is done one after the other is gathered.
const GATHER: Duration = Duration::from_millis(200);
/// How old what is known of devices may be.
const FRESH: Duration = Duration::from_secs(1);
/// A lease is renewed this often while it lasts, and at least so often.
const RENEWALS: u32 = 4;
const RENEWED_WITHIN: Duration = Duration::from_secs(3600);
/// So often an exchange is repeated because one end had lost what the other built on.
const ATTEMPTS: usize = 3;

/// Those who are told, and listened to.
pub(crate) struct Edges {
    front: Arc<Front>,
    links: Links,
    from_edges: Arc<FromEdges>,
    /// The realms there are, of which each edge has those that it checks.
    realms: Vec<(EdgeRealm, ConnectorNames)>,
    known: Mutex<HashMap<ConnectorId, Arc<Edge>>>,
    /// All devices as they were a moment ago: many edges are told of what was done once.
    devices: tokio::sync::Mutex<Option<(Instant, Arc<[Device]>)>>,
}

/// One of them.
struct Edge {
    known: tokio::sync::Mutex<Known>,
    /// Somebody waits to visit it, who will find whatever is new then.
    expected: AtomicBool,
    /// It said that it has news, and was not visited since.
    has_news: AtomicBool,
}

/// How things stand with one edge.
struct Known {
    /// What it is to know.
    told: Ledger,
    /// What of it it has, as it said last.
    holds: Option<Held>,
    /// What it told.
    theirs: Replica,
    /// When it was heard of last.
    heard: Option<Timestamp>,
    /// The number of the last event it told of, if it told of any.
    events: Option<u64>,
}

/// Why an edge is visited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Visit {
    /// It has news, or has just linked.
    ItsNews,
    /// There may be news for it.
    OurNews,
}

/// Why an edge could not be talked to.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] dme_store::Error),
    #[error(transparent)]
    Link(#[from] NotAnswered),
    #[error("what it is to know cannot be written down: {0}")]
    Unwritable(#[from] serde_json::Error),
    #[error("it did not take what it was told")]
    Deaf,
}

impl Edges {
    pub(crate) fn new(
        front: Arc<Front>,
        links: Links,
        from_edges: Arc<FromEdges>,
        realms: &[RealmConfig],
    ) -> Arc<Self> {
        let realms = realms.iter().map(|realm| (realm.into(), realm.connector.clone())).collect();
        Arc::new(Self {
            front,
            links,
            from_edges,
            realms,
            known: Mutex::default(),
            devices: tokio::sync::Mutex::default(),
        })
    }

    /// Keeps in step with them, as long as it is polled.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut events = self.links.subscribe();
        let mut acts = self.front.audit.acts_done();
        let mut moved = self.from_edges.places.moved();
        let mut ticks = tokio::time::interval(LOOK);
        let mut visits = JoinSet::new();
        loop {
            let visited = tokio::select! {
                event = events.recv() => match event {
                    Ok(LinkEvent::Connected(id) | LinkEvent::News(id)) => {
                        visits.spawn(self.clone().visit(id, Visit::ItsNews));
                        continue;
                    }
                    Ok(LinkEvent::Lost { .. }) => continue,
                    Err(RecvError::Lagged(_)) => Visit::ItsNews,
                    Err(RecvError::Closed) => return,
                },
                _ = ticks.tick() => Visit::OurNews,
                Ok(()) = acts.changed() => Visit::OurNews,
                Ok(()) = moved.changed() => Visit::OurNews,
                Some(_) = visits.join_next(), if !visits.is_empty() => continue,
            };
            tokio::time::sleep(GATHER).await;
            acts.mark_unchanged();
            moved.mark_unchanged();
            self.devices_changed().await;
            for link in self.links.connectors().into_iter().filter(|link| link.is_edge) {
                visits.spawn(self.clone().visit(link.id, visited));
            }
        }
    }

    async fn visit(self: Arc<Self>, id: ConnectorId, why: Visit) {
        let Some(link) = self.links.connector(&id).filter(|link| link.is_edge) else { return };
        // One that may not be an edge is told that its lease is none.
        let lease = self.front.connectors.effective(&link.name).edge.span().unwrap_or_default();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let edge = { known }.entry(id).or_insert_with(|| Edge::met((self.front.clock)())).clone();
        if why == Visit::ItsNews {
            edge.has_news.store(true, Ordering::Relaxed);
        }
        if edge.expected.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut known = edge.known.lock().await;
        edge.expected.store(false, Ordering::Relaxed);
        let why = match edge.has_news.swap(false, Ordering::Relaxed) {
            true => Visit::ItsNews,
            false => Visit::OurNews,
        };
        if let Err(trouble) = self.keep_in_step(&link, lease, &mut known, why).await {
            tracing::warn!(connector = link.name, %trouble, "the edge is not in step");
            // Whatever was not taken in of what it told is told again.
            known.theirs = Replica::default();
        }
    }

    async fn keep_in_step(
        &self,
        link: &LinkState,
        lease: Duration,
        known: &mut Known,
        why: Visit,
    ) -> Result<(), Trouble> {
        known.told.replace(self.decrees(link, lease, known.events).await?);
        let now = (self.front.clock)();
        let renewal = match lease {
            Duration::ZERO => RENEWED_WITHIN,
            lease => (lease / RENEWALS).min(RENEWED_WITHIN),
        };
        let is_due = known.heard.is_none_or(|heard| now >= heard.plus(renewal));
        if why == Visit::OurNews && !is_due && known.holds == Some(known.told.held()) {
            return Ok(());
        }
        let changed = self.exchange(link, known).await?;
        if lease.is_zero() {
            tracing::info!(
                connector = link.name,
                "the connector would serve phones near it, and may not: see `dme connector set \
                 --edge`"
            );
            return Ok(());
        }
        let last = self.take_in(link, &known.theirs, &changed).await?;
        known.events = last.or(known.events);
        let claims = self.claims(&known.theirs);
        if changed.is_empty() && claims.is_empty() {
            return Ok(());
        }
        for (key, claim) in &claims {
            self.enter(link, key, claim).await?;
        }
        self.devices_changed().await;
        known.told.replace(self.decrees(link, lease, known.events).await?);
        if known.holds != Some(known.told.held()) {
            self.exchange(link, known).await?;
        }
        // Only now does the edge know what was decided of them.
        let handed = claims.iter().map(|(key, _)| async move {
            if let Err(trouble) = self.hand_over(link, key).await {
                tracing::warn!(connector = link.name, user = %key.user, device = %key.device,
                    %trouble, "a device could not be handed to the edge");
            }
        });
        join_all(handed).await;
        Ok(())
    }

    /// Tells and listens, until both ends have the same. Answers what was told.
    async fn exchange(&self, link: &LinkState, known: &mut Known) -> Result<Vec<String>, Trouble> {
        let mut told = Vec::new();
        for _ in 0..ATTEMPTS {
            let held = known.told.held();
            let delta = (known.holds != Some(held)).then(|| known.told.since(known.holds));
            let asked = Exchange { heard: known.theirs.held(), delta };
            let Exchanged { holds, delta } = self.links.exchange(&link.id, asked, LIMIT).await?;
            known.holds = holds;
            known.heard = Some((self.front.clock)());
            match known.theirs.apply(delta) {
                Ok(changed) => told.extend(changed.put),
                // It is told then that nothing is here, and tells all.
                Err(_) => {
                    known.theirs = Replica::default();
                    continue;
                }
            }
            if holds == Some(held) {
                return Ok(told);
            }
        }
        Err(Trouble::Deaf)
    }

    /// The realms whose logins an edge checks: of which it says that its directory is, and the
    /// configuration does not say that others are.
    fn realms_of(&self, link: &LinkState) -> impl Iterator<Item = &EdgeRealm> {
        let said = link.realms.clone().unwrap_or_default();
        let named = |names: &ConnectorNames| names.0.is_empty() || names.0.contains(&link.name);
        let of_it = self
            .realms
            .iter()
            .filter(move |(realm, names)| said.contains(&realm.name) && named(names));
        of_it.map(|(realm, _)| realm)
    }

    /// All devices there are.
    async fn devices(&self) -> dme_store::Result<Arc<[Device]>> {
        let mut kept = self.devices.lock().await;
        match &*kept {
            Some((read, devices)) if read.elapsed() < FRESH => Ok(devices.clone()),
            _ => {
                let devices: Arc<[Device]> = self.front.store.devices(None).await?.into();
                *kept = Some((Instant::now(), devices.clone()));
                Ok(devices)
            }
        }
    }

    /// They are other than they were a moment ago.
    async fn devices_changed(&self) {
        *self.devices.lock().await = None;
    }

    /// The devices that have come to an edge and wait for what is here of them.
    fn claims(&self, theirs: &Replica) -> Vec<(DeviceKey, Claim)> {
        let claims = theirs.facts().iter().filter_map(|(name, fact)| {
            let Some(Subject::Claim(key)) = Subject::named(name) else { return None };
            Some((key, serde_json::from_value(fact.clone()).ok()?))
        });
        claims.collect()
    }
}

impl Edge {
    fn met(now: Timestamp) -> Arc<Self> {
        // By no other run's number: what an edge still holds of an earlier one is not built on.
        let told = Ledger::new(now.as_millis().unsigned_abs());
        let known =
            Known { told, holds: None, theirs: Replica::default(), heard: None, events: None };
        let (expected, has_news) = Default::default();
        Arc::new(Self { known: known.into(), expected, has_news })
    }
}
