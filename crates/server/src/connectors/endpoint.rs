//! The connectors as the router judges them: what each can do, and how much it has to do.

use super::settings::{Effective, Limits};
use super::{Connectors, Known};
use dme_link::{Capabilities, LinkState};
use dme_model::{ConnectorId, Realm};
use dme_routing::{Connector, Duty, Link, Load, Lock};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often it is looked how connectors stand while routes are asked for: that one is exhausted no
/// event tells, and who is exhausted is asked for.
const LOOK: Duration = Duration::from_secs(5);
/// How old the load of connectors may be by which they are chosen.
const FRESH: Duration = Duration::from_millis(250);

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

/// All connectors as they were at a moment: with many of them it is too much to look at each for
/// each user.
pub(super) struct Snapshot {
    /// That of what is set, and that of the links.
    version: (u64, u64),
    taken: Instant,
    /// When it was last noted how they stand.
    noted: Instant,
    all: Arc<[Endpoint]>,
}

impl Connectors {
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
                    self.note(self.links.now());
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

    /// All that are linked, each with those as its scope whose logins it may check.
    pub fn linked_for_logins(&self) -> Vec<Endpoint> {
        let mut all = self.linked();
        for endpoint in &mut all {
            endpoint.state.scope = self.logins(&endpoint.name);
        }
        all
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
        duty: match set.drain {
            true => Duty::Draining,
            false => Duty::Serving { since: set.changed },
        },
        load: Load { parallel: set.limits.parallel, ..Load::default() },
    }
}

/// What a connector that is linked has to do. Whether it is exhausted, its link says.
pub(super) fn load(link: &LinkState, limits: Limits) -> Load {
    let outstanding = link.outstanding.saturating_add(link.queued);
    Load {
        outstanding: u32::try_from(outstanding).unwrap_or(u32::MAX),
        parallel: limits.parallel,
        exhausted: link.exhausted,
    }
}
