//! What an edge tells, taken in: its devices, those that come to it, what happened there.

use super::facts::{Claim, EdgeEvent, KeptDevice, Subject};
use super::{Edges, Trouble};
use crate::elsewhere::Whereabouts;
use crate::front::new_device;
use crate::records::{EventKind, Happened};
use dme_link::{LinkState, Replica};
use dme_model::{Timestamp, UserId};
use dme_routing::Known;
use dme_store::{Admission, Device, DeviceStates, Held, Seen, Wipe};
use dme_sync::DeviceKey;
use serde::de::DeserializeOwned;
use serde_json::Value;

impl Edges {
    /// Takes in what an edge told anew, by the names of the facts. Answers the number of the last
    /// event among it.
    pub(super) async fn take_in(
        &self,
        link: &LinkState,
        theirs: &Replica,
        told: &[String],
    ) -> Result<Option<u64>, Trouble> {
        let mut last = None;
        for name in told {
            let Some(fact) = theirs.facts().get(name) else { continue };
            match Subject::named(name) {
                Some(Subject::Device(key)) if self.speaks_for(link, &key.user).await => {
                    if let Some(kept) = read::<KeptDevice>(link, name, fact) {
                        self.device(link, &key, &kept).await?;
                    }
                }
                Some(Subject::Seen(key)) if self.speaks_for(link, &key.user).await => {
                    if let Some(at) = read::<Timestamp>(link, name, fact) {
                        self.front.store.note_seen(&key, at).await?;
                    }
                }
                Some(Subject::Events) => {
                    let events = read::<Vec<EdgeEvent>>(link, name, fact).unwrap_or_default();
                    for event in events {
                        last = last.max(Some(event.number));
                        self.event(link, event).await;
                    }
                }
                Some(Subject::Device(key) | Subject::Seen(key)) => {
                    tracing::warn!(connector = link.name, user = %key.user,
                        "the edge speaks of a user who is not of its scope");
                }
                _ => {}
            }
        }
        Ok(last)
    }

    /// What an edge says of a device that it has.
    async fn device(
        &self,
        link: &LinkState,
        key: &DeviceKey,
        kept: &KeptDevice,
    ) -> Result<(), Trouble> {
        let front = &self.front;
        let came_here = front.store.device(key).await?.map(|device| device.last_seen);
        if came_here.is_none() {
            self.enter(link, key, &Claim { at: kept.taken, sighting: kept.sighting.clone() })
                .await?;
            // Its user may have as many as allowed.
            if front.store.device(key).await?.is_none() {
                return Ok(());
            }
        }
        // It may have come to two fronts while the line was down: where it came last it is.
        let is_there = match self.from_edges.places.of(key) {
            Whereabouts::Edge(name, _) if name == link.name => true,
            Whereabouts::Edge(_, since) if since >= kept.taken => false,
            Whereabouts::Here(since) if Some(since).max(came_here) >= Some(kept.taken) => false,
            Whereabouts::Server if came_here > Some(kept.taken) => {
                let came = came_here.unwrap_or(kept.taken);
                self.from_edges.places.here(key, came).await?;
                false
            }
            Whereabouts::Here(_) | Whereabouts::Edge(..) | Whereabouts::Server => {
                self.take_away(link, key, kept.taken).await?;
                true
            }
        };
        let told = kept.clone();
        let change = move |device: &mut Device| {
            device.waiting.retain(|waiting| !told.done.contains(&waiting.number));
            if is_there {
                device.policy = told.policy;
                device.information.clone_from(&told.information);
                take_hold(device, &told);
            }
            Ok(())
        };
        let (device, ()) = front.store.change_device(key, change).await?;
        match kept.wipe {
            wipe if !wipe.goes_on_from(&device.wipe) => {}
            Wipe::Sent { kind, at } => {
                front.wipes.tell(key, kind, at).await?;
            }
            Wipe::Acknowledged { kind, at } => {
                front.wipes.tell(key, kind, at).await?;
                front.wipes.acknowledged(key, kind, at).await?;
                front.store.revoke_of_device(key, at).await?;
            }
            Wipe::None | Wipe::Requested { .. } => {}
        }
        Ok(())
    }

    /// A device that has come to an edge: a new one is judged as if it had come here.
    pub(super) async fn enter(
        &self,
        link: &LinkState,
        key: &DeviceKey,
        claim: &Claim,
    ) -> Result<(), Trouble> {
        if !self.speaks_for(link, &key.user).await {
            return Ok(());
        }
        let (front, now) = (&self.front, (self.front.clock)());
        let newcomers = front.admissions.newcomers(key, &claim.sighting, now);
        let admission = newcomers.admission;
        if let Seen::New(_) = front.store.see_device(key, &claim.sighting, newcomers, now).await? {
            tracing::info!(user = %key.user, device = %key.device, edge = link.name,
                "new device at an edge");
            new_device(front, key, &claim.sighting.device_type, admission);
        }
        Ok(())
    }

    /// Gives an edge what is here of a device that has come to it.
    pub(super) async fn hand_over(&self, link: &LinkState, key: &DeviceKey) -> Result<(), Trouble> {
        let is_known = self.front.store.device(key).await?.is_some();
        let states = match is_known && self.speaks_for(link, &key.user).await {
            true => {
                let now = (self.front.clock)();
                Some(self.take_away(link, key, now).await?.encode().into())
            }
            false => None,
        };
        self.links.take(&link.id, &key.user, &key.device, states, super::LIMIT).await?;
        Ok(())
    }

    async fn take_away(
        &self,
        link: &LinkState,
        key: &DeviceKey,
        now: Timestamp,
    ) -> Result<DeviceStates, Trouble> {
        let states = self.from_edges.take_away(key, &link.name, now).await?;
        // From now on it is answered there: what waits here would hold back the phone.
        self.front.parking.end_device(key);
        Ok(states)
    }

    async fn event(&self, link: &LinkState, event: EdgeEvent) {
        let EdgeEvent { kind, user, device, message, .. } = event;
        let Some(kind) = EventKind::named(&kind).filter(|kind| may_be_told(*kind)) else { return };
        let happened = Happened::new(kind, message).connector(&link.name);
        let happened = match (user, device) {
            (Some(user), _) if !self.speaks_for(link, &user).await => return,
            (Some(user), Some(device)) => happened.device(&DeviceKey { user, device }),
            (Some(user), None) => happened.user(&user),
            (None, _) if is_of_the_edge(kind) => happened,
            (None, _) => return,
        };
        self.front.events.note(happened);
    }

    /// Whether an edge may speak of a user (rule A6): of its scope, and of a realm whose logins it
    /// checks. Who was not heard of lately is asked for.
    async fn speaks_for(&self, link: &LinkState, user: &UserId) -> bool {
        let Some(realm) = user.realm() else { return false };
        if !self.realms_of(link).any(|checked| checked.name == realm) {
            return false;
        }
        let set = self.front.connectors.effective(&link.name);
        let covers = || self.front.router.covers(&set.scope, user);
        if covers() != Known::Unknown {
            return covers() == Known::Yes;
        }
        let Some(directory) = self.front.directory_of(user) else { return false };
        match dme_directory::DirectoryService::find(&**directory, user).await {
            Ok(Some(person)) => {
                self.front.router.told(&person);
                covers() == Known::Yes
            }
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(connector = link.name, %user, %error,
                    "it is not known whether the user is of the edge's scope");
                false
            }
        }
    }
}

/// That a device misbehaves at an edge, and what is done about it there: unless it was decided of here
/// since.
fn take_hold(device: &mut Device, kept: &KeptDevice) {
    let Some(hold) = kept.hold.as_ref().filter(|_| kept.hold != device.hold) else { return };
    if device.decision.as_ref().is_some_and(|decision| decision.at >= hold.since) {
        return;
    }
    device.hold = Some(hold.clone());
    if let Held::Blocked { .. } = hold.held {
        device.admission = Admission::Blocked;
        device.decision.clone_from(&kept.decision);
    }
}

/// Whether it is about the edge itself.
fn is_of_the_edge(kind: EventKind) -> bool {
    matches!(kind, EventKind::DirectoryTrouble | EventKind::LeaseOver)
}

/// Whether such things happen at edges; the rest nobody but the server can know.
fn may_be_told(kind: EventKind) -> bool {
    use EventKind as K;
    is_of_the_edge(kind)
        || matches!(
            kind,
            K::LoginRefused
                | K::DeviceQuarantined
                | K::DeviceBlocked
                | K::DeviceTooMany
                | K::DeviceSlowed
                | K::PolicyRefused
                | K::WipeSent
                | K::WipeDone
                | K::WipeFailed
                | K::SyncFailed
                | K::ItemUnreadable
                | K::Conflict
                | K::MailRefused
                | K::MailUnserved
        )
}

/// A fact as it is meant; none where it is not of its shape.
fn read<T: DeserializeOwned>(link: &LinkState, name: &str, fact: &Value) -> Option<T> {
    let read = serde_json::from_value(fact.clone());
    let odd = |error: &serde_json::Error| {
        tracing::warn!(connector = link.name, fact = name, %error, "a fact of an edge is none");
    };
    read.inspect_err(odd).ok()
}
