//! What an edge is to know: by what it serves, and what was decided of the devices that it may meet.

use super::facts::{BOOKS, DecreedDevice, EdgeRules, Subject};
use super::{Edges, Trouble};
use crate::elsewhere::Whereabouts;
use dme_link::{Facts, LinkState};
use dme_model::{Realm, UserId};
use dme_routing::{Known, Scope};
use dme_store::Device;
use serde::Serialize;
use std::collections::BTreeSet;
use std::time::Duration;

impl Edges {
    /// All that an edge is to know now.
    pub(super) async fn decrees(
        &self,
        link: &LinkState,
        lease: Duration,
        events: Option<u64>,
    ) -> Result<Facts, Trouble> {
        let mut facts = Facts::new();
        let rules = self.rules(link, lease);
        let realms: BTreeSet<Realm> = rules.realms.iter().map(|realm| realm.name.clone()).collect();
        say(&mut facts, &Subject::Rules, &rules)?;
        if lease.is_zero() {
            return Ok(facts);
        }
        for name in BOOKS {
            if let Some(book) = self.front.store.book(name).await? {
                say(&mut facts, &Subject::Book(name.to_owned()), &book)?;
            }
        }
        let is_of_them = |user: &UserId| user.realm().is_some_and(|realm| realms.contains(&realm));
        for (user, since) in self.front.store.disabled_users().await? {
            if is_of_them(&user) {
                say(&mut facts, &Subject::Disabled(user), &since)?;
            }
        }
        let mut meant = BTreeSet::new();
        for device in self.devices().await?.iter() {
            if !is_of_them(&device.key.user) || !self.is_met(&rules.scope, device) {
                continue;
            }
            // When it was last seen each front knows for itself; else the line would never be quiet.
            let device = Device { last_seen: device.first_seen, ..device.clone() };
            meant.insert(device.key.clone());
            let gone_since = match self.from_edges.places.of(&device.key) {
                Whereabouts::Here(since) => Some(since),
                Whereabouts::Edge(name, since) if name != link.name => Some(since),
                Whereabouts::Edge(..) | Whereabouts::Server => None,
            };
            say(
                &mut facts,
                &Subject::Device(device.key.clone()),
                &DecreedDevice { device, gone_since },
            )?;
        }
        for (key, level) in self.front.store.device_levels().await? {
            if meant.contains(&key) {
                say(&mut facts, &Subject::Level(key), &level)?;
            }
        }
        if let Some(last) = events {
            say(&mut facts, &Subject::Events, &last)?;
        }
        Ok(facts)
    }

    /// Whether a device may come to an edge: it is or was at one, or its user is of those that the edge
    /// may serve. Of who was not heard of lately that may not be known; they are told of when they come.
    fn is_met(&self, scope: &Scope, device: &Device) -> bool {
        match self.front.router.covers(scope, &device.key.user) {
            Known::Yes => true,
            Known::Unknown => self.from_edges.places.of(&device.key) != Whereabouts::Server,
            Known::No => false,
        }
    }

    fn rules(&self, link: &LinkState, lease: Duration) -> EdgeRules {
        let set = self.front.connectors.effective(&link.name);
        EdgeRules {
            lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
            realms: self.realms_of(link).cloned().collect(),
            scope: (*set.scope).clone(),
            off: set.off.clone(),
            policy: self.front.policies.configuration().clone(),
            per_user: self.front.admissions.per_user(),
            quarantine_note: self.front.quarantine.note().to_owned(),
        }
    }
}

fn say(facts: &mut Facts, subject: &Subject, fact: &impl Serialize) -> Result<(), Trouble> {
    facts.insert(subject.to_string(), serde_json::to_value(fact)?);
    Ok(())
}
