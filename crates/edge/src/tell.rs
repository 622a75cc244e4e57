//! What the server is to know of what was done here.

use crate::edge::{Edge, lock};
use crate::memory::Memory;
use dme_link::Facts;
use dme_model::Timestamp;
use dme_server::edges::facts::{EdgeEvent, KeptDevice, Subject};
use dme_server::elsewhere::Whereabouts;
use dme_store::{EventFilter, Level, Result, Sighting};
use dme_sync::DeviceKey;
use serde::Serialize;
use std::collections::HashSet;
use std::time::Duration;

/// When a device was seen is told to the hour: over a thin line more would cost more than it says.
const SEEN: i64 = 3_600_000;
/// How long a device may be on its way in.
const STRANGER: Duration = Duration::from_secs(600);
/// So many events are told at once; of more that happened while the line was down, the newest.
const EVENTS: u32 = 200;

impl Edge {
    /// Gathers it. Answers whether there is anything new, beside when devices were seen.
    pub(crate) async fn gather(&self, memory: &Memory) -> Result<bool> {
        let mut facts = self.claimed();
        let mut seen = Facts::new();
        let devices = self.store.devices(None).await?;
        let known: HashSet<DeviceKey> = devices.iter().map(|device| device.key.clone()).collect();
        for device in devices {
            let Whereabouts::Here(taken) = self.places.of(&device.key) else { continue };
            let left = |number: &u64| device.waiting.iter().any(|one| one.number == *number);
            let done = memory.given(&device.key).into_iter().filter(|number| !left(number));
            let last_seen = device.last_seen.as_millis();
            let hour = Timestamp::from_millis(last_seen - last_seen.rem_euclid(SEEN));
            say(&mut seen, &Subject::Seen(device.key.clone()), &hour);
            let kept = KeptDevice {
                taken,
                sighting: Sighting {
                    device_type: device.device_type,
                    user_agent: device.user_agent,
                    protocol: device.protocol,
                },
                policy: device.policy,
                wipe: device.wipe,
                information: device.information,
                hold: device.hold,
                decision: device.decision,
                done: done.collect(),
            };
            say(&mut facts, &Subject::Device(device.key), &kept);
        }
        self.forget_strangers(&known).await?;
        let events = self.events(memory).await?;
        if !events.is_empty() {
            say(&mut facts, &Subject::Events, &events);
        }
        let mut told = lock(&self.told);
        let is_seen = |name: &String| matches!(Subject::named(name), Some(Subject::Seen(_)));
        let before: Facts = told
            .facts()
            .iter()
            .filter(|(name, _)| !is_seen(name))
            .map(|(name, fact)| (name.clone(), fact.clone()))
            .collect();
        let news = before != facts;
        facts.extend(seen);
        told.replace(facts);
        Ok(news)
    }

    /// Whoever may log in can name devices that are never let in.
    async fn forget_strangers(&self, known: &HashSet<DeviceKey>) -> Result<()> {
        let before = self.now().minus(STRANGER);
        let all = self.places.all().into_iter();
        for (key, _) in all.filter(|(key, place)| !known.contains(key) && place.since < before) {
            self.places.forget(&key).await?;
        }
        Ok(())
    }

    /// What happened here that matters, after what the server has.
    async fn events(&self, memory: &Memory) -> Result<Vec<EdgeEvent>> {
        let last = memory.events;
        let filter = EventFilter { level: Some(Level::Warning), ..EventFilter::default() };
        let page = self.store.events(&filter, EVENTS).await?;
        let new = page.events.into_iter().filter(|event| event.number > last);
        let mut events: Vec<EdgeEvent> = new
            .map(|event| EdgeEvent {
                number: event.number,
                kind: event.event.kind,
                user: event.event.user,
                device: event.event.device,
                message: event.event.message,
            })
            .collect();
        events.reverse();
        Ok(events)
    }
}

fn say(facts: &mut Facts, subject: &Subject, fact: &impl Serialize) {
    match serde_json::to_value(fact) {
        Ok(fact) => {
            facts.insert(subject.to_string(), fact);
        }
        Err(error) => tracing::error!(fact = %subject, %error, "cannot be told"),
    }
}
