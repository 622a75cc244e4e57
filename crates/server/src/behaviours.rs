//! Devices that misbehave are slowed down or shut out by themselves, by the administrators' rules
//! (rule S8): here they are counted, and what is done about one is kept and shown.

use crate::books::{Author, RulesError, Versioned, edit, load, sound};
use crate::notices::{Notice, Notices};
use crate::parking::Parking;
use crate::records::events::Events;
use crate::records::{EventKind, Happened};
use dme_model::Timestamp;
use dme_policy::{Act, Behaviour, BehaviourRules, Counters, Strike};
use dme_store::{Admission, Decider, Decision, Device, Error, Held, Hold, Result, Store};
use dme_sync::DeviceKey;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

/// The book of the rules.
const BOOK: &str = "behaviour";
/// So many devices are counted; beyond, the counting begins anew for all.
const COUNTED: usize = 50_000;
/// A device that is slowed down gets one request through in this time.
const PACE: Duration = Duration::from_secs(60);

/// The service.
pub struct Behaviours {
    store: Store,
    parking: Arc<Parking>,
    notices: Notices,
    events: Events,
    now: RwLock<Arc<Versioned<BehaviourRules>>>,
    counted: Mutex<HashMap<DeviceKey, Counters>>,
    /// When each slowed device's last request was let through.
    let_through: Mutex<HashMap<DeviceKey, Timestamp>>,
}

/// Tells what a behaviour concerns from anything else it may concern.
pub(crate) fn subject(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Behaviours {
    /// With the rules in the store.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn open(
        store: Store,
        parking: Arc<Parking>,
        notices: Notices,
        events: Events,
    ) -> Result<Self> {
        let now = RwLock::new(Arc::new(load(&store, BOOK).await?));
        let (counted, let_through) = (Mutex::default(), Mutex::default());
        Ok(Self { store, parking, notices, events, now, counted, let_through })
    }

    /// The rules as they stand; none unless somebody set some.
    pub fn rules(&self) -> Arc<Versioned<BehaviourRules>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the rules; answers their new revision. Counting begins anew.
    ///
    /// # Errors
    /// [`RulesError::Wrong`] with what is to be mended, or that somebody else changed them since
    /// they were read.
    pub async fn set_rules(
        &self,
        rules: &BehaviourRules,
        author: &Author,
        now: Timestamp,
    ) -> Result<u64, RulesError> {
        sound(rules.problems())?;
        let revision = self.store.put_book(BOOK, edit(rules, author, now)?).await?;
        self.reload().await?;
        tracing::warn!(author = author.name, revision, "the rules of behaviour were changed");
        Ok(revision)
    }

    /// Reads the rules again, which somebody else has put into the store.
    ///
    /// # Errors
    /// The store's.
    pub async fn reload(&self) -> Result<()> {
        let loaded = Arc::new(load(&self.store, BOOK).await?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(())
    }

    /// Counts something a device did, and does what the rules say of it.
    pub(crate) async fn note(
        &self,
        key: &DeviceKey,
        behaviour: Behaviour,
        subject: u64,
        now: Timestamp,
    ) {
        let rules = self.rules();
        if rules.content.rules.is_empty() {
            return;
        }
        let strike = {
            let mut counted = lock(&self.counted);
            if counted.len() >= COUNTED && !counted.contains_key(key) {
                counted.clear();
            }
            let counters = counted.entry(key.clone()).or_default();
            counters.note((&rules.content, rules.revision), behaviour, subject, now)
        };
        let Some(strike) = strike else { return };
        match self.strike(key, &strike, now).await {
            // A wrong password may be shown for a device that never was.
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => tracing::error!(%error, "a device that misbehaves could not be noted"),
        }
    }

    async fn strike(&self, key: &DeviceKey, strike: &Strike, now: Timestamp) -> Result<()> {
        let done = strike.clone();
        let change = move |device: &mut Device| {
            if matches!(device.hold, Some(Hold { held: Held::Blocked { .. }, .. })) {
                return Ok(());
            }
            let held = match done.act {
                Act::Slow(span) => Held::Slowed { until: now.plus(span.0) },
                Act::Block => Held::Blocked { before: device.admission },
                Act::Tell => Held::Told,
            };
            if done.act == Act::Block {
                device.admission = Admission::Blocked;
                let by = Decider::Behaviour(done.rule.clone());
                device.decision = Some(Decision { by, reason: done.reason.clone(), at: now });
            }
            let (rule, reason) = (done.rule.clone(), done.reason.clone());
            device.hold = Some(Hold { held, rule, reason, since: now });
            Ok(())
        };
        let (device, ()) = self.store.change_device(key, change).await?;
        tracing::warn!(user = %key.user, device = %key.device, rule = strike.rule,
            reason = strike.reason, act = ?strike.act, "the device misbehaves");
        let words = format!("the device misbehaves: {}", strike.reason);
        let happened = Happened::new(EventKind::DeviceSlowed, words).device(key);
        self.events
            .note(happened.detail("rule", &strike.rule).detail("done", act_word(strike.act)));
        if strike.act != Act::Tell {
            self.parking.end_device(key);
        }
        if let Some(hold) = device.hold {
            self.notices.tell(Notice::Misbehaves { device: key.clone(), hold });
        }
        Ok(())
    }

    /// How long a device that is slowed down must wait now, unless this request of it is let
    /// through.
    pub(crate) fn must_wait(&self, device: &Device, now: Timestamp) -> Option<Duration> {
        let Some(Hold { held: Held::Slowed { until }, .. }) = device.hold else { return None };
        if now >= until {
            return None;
        }
        let mut let_through = lock(&self.let_through);
        if let_through.len() >= COUNTED {
            let_through.clear();
        }
        match let_through.get(&device.key).map(|last| last.plus(PACE)) {
            Some(next) if now < next => Some(between(now, until.min(next))),
            Some(_) => {
                let_through.insert(device.key.clone(), now);
                None
            }
            // Its first request since is not let through: that is when it learns of it.
            None => {
                let_through.insert(device.key.clone(), now);
                Some(between(now, until.min(now.plus(PACE))))
            }
        }
    }

    /// Lets a device be that misbehaved: it is slowed down no longer, and may in again where it was
    /// shut out for that.
    ///
    /// # Errors
    /// The store's, or that there is no such device.
    pub async fn release(&self, key: &DeviceKey, by: &str, now: Timestamp) -> Result<Device> {
        let person = by.to_owned();
        let change = move |device: &mut Device| {
            if let Some(Hold { held: Held::Blocked { before }, .. }) = device.hold.take()
                && device.admission == Admission::Blocked
            {
                device.admission = before;
                let by = Decider::Person(person.clone());
                device.decision = Some(Decision { by, reason: String::new(), at: now });
            }
            Ok(())
        };
        let (device, ()) = self.store.change_device(key, change).await?;
        lock(&self.counted).remove(key);
        lock(&self.let_through).remove(key);
        tracing::warn!(user = %key.user, device = %key.device, by, "the device was released");
        Ok(device)
    }
}

fn act_word(act: Act) -> &'static str {
    match act {
        Act::Slow(_) => "slowed down",
        Act::Block => "blocked",
        Act::Tell => "told of",
    }
}

/// At least a second: that is what `Retry-After` counts in.
fn between(now: Timestamp, then: Timestamp) -> Duration {
    let millis = then.as_millis().saturating_sub(now.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0)).max(Duration::from_secs(1))
}
