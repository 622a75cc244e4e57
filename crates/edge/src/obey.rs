//! What the server decided, carried out here.

use crate::edge::{Edge, lock};
use crate::memory::Memory;
use dme_link::Changed;
use dme_model::Timestamp;
use dme_server::edges::facts::{BOOKS, DecreedDevice, Subject};
use dme_server::elsewhere::Whereabouts;
use dme_store::{Book, Device, DeviceStates, Error, Held, Hold, Result};
use dme_sync::DeviceKey;
use std::collections::BTreeSet;

impl Edge {
    /// Carries out what changed between what the server said before and what it says now.
    pub(crate) async fn obey(
        &self,
        before: &Memory,
        now: &Memory,
        changed: &Changed,
    ) -> Result<()> {
        let may_serve = now.rules().is_some_and(|rules| rules.lease_ms > 0);
        let mut books = false;
        for name in changed.put.iter().chain(&changed.dropped) {
            match Subject::named(name) {
                Some(Subject::Book(name)) => {
                    let Some(name) = BOOKS.into_iter().find(|known| *known == name) else {
                        continue;
                    };
                    let book = now.fact::<Book>(&Subject::Book(name.to_owned()));
                    self.store.copy_book(name, book.as_ref()).await?;
                    books = true;
                }
                Some(Subject::Level(key)) => {
                    let level = now.fact::<Book>(&Subject::Level(key.clone()));
                    self.store.copy_device_level(&key, level.as_ref()).await?;
                    books = true;
                }
                Some(Subject::Disabled(user)) => {
                    match now.fact::<Timestamp>(&Subject::Disabled(user.clone())) {
                        Some(since) => self.store.disable_user(&user, since).await?,
                        None => self.store.enable_user(&user).await?,
                    }
                    if let Some(front) = &*lock(&self.front) {
                        front.parking.end_user(&user);
                    }
                }
                Some(Subject::Device(key)) => {
                    match now.fact::<DecreedDevice>(&Subject::Device(key.clone())) {
                        Some(decreed) => self.device(before, &key, decreed).await?,
                        // One that may be no edge any more gives back what it has.
                        None if !may_serve => {}
                        None => self.forget(&key).await?,
                    }
                }
                _ => {}
            }
        }
        if books {
            let front = lock(&self.front).clone();
            if let Some(front) = front {
                front.policies.reload().await?;
                front.behaviours.reload().await?;
            }
        }
        let rules = now.rules();
        self.rules.send_if_modified(|held| {
            let other = *held != rules;
            *held = rules;
            other
        });
        Ok(())
    }

    async fn device(&self, before: &Memory, key: &DeviceKey, decreed: DecreedDevice) -> Result<()> {
        let DecreedDevice { device: decreed, gone_since } = decreed;
        let here = match self.places.of(key) {
            Whereabouts::Here(taken) if gone_since.is_some_and(|since| since > taken) => {
                let _moving = self.places.moving(key).await;
                self.let_go(key).await?;
                false
            }
            Whereabouts::Here(_) => true,
            Whereabouts::Server | Whereabouts::Edge(..) => false,
        };
        let given = before.given(key);
        let merge = move |known: &Device, decreed| merged(known, decreed, &given, here);
        if self.store.copy_device(&decreed, merge).await? {
            self.end_stay(key);
        }
        Ok(())
    }

    /// A device that the server does not tell of any more is unknown here.
    async fn forget(&self, key: &DeviceKey) -> Result<()> {
        match self.store.remove_device(key).await {
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        self.places.forget(key).await?;
        self.end_stay(key);
        Ok(())
    }

    /// Its states are elsewhere from now on.
    pub(crate) async fn let_go(&self, key: &DeviceKey) -> Result<DeviceStates> {
        self.places.forget(key).await?;
        self.end_stay(key);
        self.store.give_up_states(key).await
    }

    fn end_stay(&self, key: &DeviceKey) {
        if let Some(front) = &*lock(&self.front) {
            front.parking.end_device(key);
        }
    }
}

/// A device as it is known here with what the server has decided of it. What the device itself did
/// here, while its states are here, the server hears from here.
fn merged(known: &Device, decreed: Device, given: &BTreeSet<u64>, here: bool) -> Device {
    let left: BTreeSet<u64> = known.waiting.iter().map(|waiting| waiting.number).collect();
    let done = |number: &u64| given.contains(number) && !left.contains(number);
    let mut merged = decreed;
    merged.waiting.retain(|waiting| !done(&waiting.number));
    merged.first_seen = known.first_seen.min(merged.first_seen);
    merged.last_seen = known.last_seen.max(merged.last_seen);
    if known.wipe.goes_on_from(&merged.wipe) {
        merged.wipe = known.wipe;
    }
    if here {
        merged.device_type.clone_from(&known.device_type);
        merged.user_agent.clone_from(&known.user_agent);
        merged.protocol.clone_from(&known.protocol);
        merged.policy = known.policy;
        merged.information.clone_from(&known.information);
        if let Some(hold) = held_here(known, &merged) {
            if let Held::Blocked { .. } = hold.held {
                merged.admission = known.admission;
                merged.decision.clone_from(&known.decision);
            }
            merged.hold = Some(hold);
        }
    }
    merged
}

/// What is done here about a device that misbehaves, unless the server has decided of it since.
fn held_here(known: &Device, decreed: &Device) -> Option<Hold> {
    let hold = known.hold.clone().filter(|_| decreed.hold.is_none())?;
    let decided = decreed.decision.as_ref().map(|decision| decision.at);
    decided.is_none_or(|at| at < hold.since).then_some(hold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_store::{
        Admission, Decider, Decision, Order, Policy, PolicyKey, Waiting, Wipe, WipeKind,
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn device(waiting: &[u64]) -> Device {
        let order = |number: &u64| Waiting {
            number: *number,
            order: Order::Policy,
            by: "admin".into(),
            at: at(1),
        };
        Device {
            key: DeviceKey { user: "ann@example.org".into(), device: "PHONE".into() },
            device_type: "iPhone".into(),
            user_agent: String::new(),
            protocol: "16.1".into(),
            first_seen: at(1),
            last_seen: at(2),
            admission: Admission::Allowed,
            policy: Policy::default(),
            wipe: Wipe::None,
            information: "{}".into(),
            notice_sent: None,
            decision: None,
            hold: None,
            waiting: waiting.iter().map(order).collect(),
        }
    }

    #[test]
    fn the_server_decides_and_what_the_device_did_here_stays() {
        let kind = WipeKind::Account;
        let key = Some(PolicyKey { key: 7, revision: 1 });
        // Of the orders 1 and 2 the first was carried out here.
        let mut known = device(&[2]);
        known.policy.acknowledged = key;
        known.wipe = Wipe::Sent { kind, at: at(20) };
        known.last_seen = at(30);
        let mut decreed = device(&[1, 2, 3]);
        decreed.admission = Admission::Blocked;
        decreed.wipe = Wipe::Requested { kind, at: at(10) };
        let given = BTreeSet::from([1, 2]);
        let here = merged(&known, decreed.clone(), &given, true);
        assert_eq!(here.admission, Admission::Blocked);
        assert_eq!(here.waiting, device(&[2, 3]).waiting);
        assert_eq!((here.wipe, here.last_seen), (known.wipe, at(30)));
        assert_eq!(here.policy.acknowledged, key);
        // What it acknowledged elsewhere holds where it is elsewhere.
        let away = merged(&known, decreed.clone(), &given, false);
        assert_eq!(away.policy.acknowledged, None);
        // One that misbehaves here is held here, until the server has decided of it since.
        let rule = Decider::Behaviour("hammering".into());
        let by_rule = Decision { by: rule, reason: String::new(), at: at(40) };
        let before = Admission::Allowed;
        known.admission = Admission::Blocked;
        known.decision = Some(by_rule);
        known.hold = Some(Hold {
            held: Held::Blocked { before },
            rule: "hammering".into(),
            reason: String::new(),
            since: at(40),
        });
        decreed.admission = Admission::Allowed;
        let held = merged(&known, decreed.clone(), &given, true);
        assert_eq!((held.admission, &held.hold), (Admission::Blocked, &known.hold));
        let by = Decider::Person("admin".into());
        decreed.decision = Some(Decision { by, reason: String::new(), at: at(50) });
        let released = merged(&known, decreed.clone(), &given, true);
        assert_eq!((released.admission, released.hold), (Admission::Allowed, None));
        // An order that was called off is none any more.
        decreed.wipe = Wipe::None;
        assert_eq!(merged(&known, decreed, &given, true).wipe, Wipe::None);
    }
}
