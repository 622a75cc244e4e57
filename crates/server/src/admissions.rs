//! Which devices may in: the administrators' rules, asked when a device first comes and whenever it
//! tells something new of itself, and what a person decides, which no rule changes.

use crate::books::{Author, RulesError, Versioned, edit, load, sound};
use crate::config::{DevicesConfig, UnknownDevice};
use crate::parking::Parking;
use crate::policies::Policies;
use dme_model::Timestamp;
use dme_policy::{AdmissionRules, Decision, Facts, Outcome};
use dme_store::{Admission, Decider, Device, Newcomers, Sighting, Store, Wipe};
use dme_sync::{DeviceKey, StateStore};
use serde::Serialize;
use std::sync::{Arc, PoisonError, RwLock};

/// The book of the rules.
const BOOK: &str = "admission";

/// The service.
pub struct Admissions {
    store: Store,
    /// What the configuration says of a device that no rule fits.
    configured: Outcome,
    per_user: u32,
    policies: Arc<Policies>,
    parking: Arc<Parking>,
    now: RwLock<Arc<Versioned<AdmissionRules>>>,
}

/// What rules would make of a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Judged {
    /// Which, by its user and id.
    pub user: String,
    /// Its id.
    pub device: String,
    /// What it is now.
    pub now: Admission,
    /// What the rules would decide, and which of them.
    pub decision: Decision,
}

impl Admissions {
    /// With the rules in the store.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn open(
        store: Store,
        config: &DevicesConfig,
        policies: Arc<Policies>,
        parking: Arc<Parking>,
    ) -> dme_store::Result<Self> {
        let now = RwLock::new(Arc::new(load(&store, BOOK).await?));
        let configured = match config.unknown {
            UnknownDevice::Allow => Outcome::Allow,
            UnknownDevice::Quarantine => Outcome::Quarantine { reason: String::new() },
            UnknownDevice::Refuse => Outcome::Block { reason: String::new() },
        };
        let per_user = config.per_user;
        Ok(Self { store, configured, per_user, policies, parking, now })
    }

    /// The rules as they stand.
    pub fn rules(&self) -> Arc<Versioned<AdmissionRules>> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the rules; answers their new revision. They hold for devices that come from now on and
    /// for those that tell something new of themselves; for the others see
    /// [`Admissions::reconsider_all`].
    ///
    /// # Errors
    /// [`RulesError::Wrong`] with what is to be mended, or that somebody else changed them since
    /// they were read.
    pub async fn set_rules(
        &self,
        rules: &AdmissionRules,
        author: &Author,
        now: Timestamp,
    ) -> Result<u64, RulesError> {
        sound(rules.problems())?;
        let revision = self.store.put_book(BOOK, edit(rules, author, now)?).await?;
        let loaded = Arc::new(load(&self.store, BOOK).await?);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        tracing::warn!(author = author.name, revision, "the rules of admission were changed");
        Ok(revision)
    }

    /// What the rules say of a device, and which of them decides; whatever a person decided.
    pub fn explain(&self, device: &Device) -> Decision {
        self.decide(device, &self.rules().content)
    }

    /// The devices, among those that no person decided of, of which these rules would make
    /// something else than they are now.
    ///
    /// # Errors
    /// [`RulesError::Wrong`] where they could not be set, or the store's.
    pub async fn preview(&self, rules: &AdmissionRules) -> Result<Vec<Judged>, RulesError> {
        sound(rules.problems())?;
        let devices = self.store.devices(None).await?;
        let judged = devices.iter().filter(|device| by_rules(device)).filter_map(|device| {
            let decision = self.decide(device, rules);
            (admission(&decision.outcome) != device.admission).then(|| Judged {
                user: device.key.user.to_string(),
                device: device.key.device.to_string(),
                now: device.admission,
                decision,
            })
        });
        Ok(judged.collect())
    }

    /// Lets the rules decide anew of all devices that no person decided of; answers those that
    /// changed.
    ///
    /// # Errors
    /// The store's.
    pub async fn reconsider_all(&self, now: Timestamp) -> dme_store::Result<Vec<DeviceKey>> {
        let mut changed = Vec::new();
        for device in self.store.devices(None).await? {
            let before = device.admission;
            let after = self.reconsider(device, now).await?;
            if after.admission != before {
                self.parking.end_device(&after.key);
                changed.push(after.key);
            }
        }
        Ok(changed)
    }

    /// What a person decides of a device. A device that moves between its mailbox and quarantine
    /// begins anew: what it holds is of the other. One that is allowed is also released, where it
    /// was shut out for misbehaving or after a wipe.
    ///
    /// # Errors
    /// The store's, or that there is no such device.
    pub async fn set(
        &self,
        key: &DeviceKey,
        admission: Admission,
        by: &str,
        now: Timestamp,
    ) -> dme_store::Result<Device> {
        let decision = dme_store::Decision {
            by: Decider::Person(by.to_owned()),
            reason: String::new(),
            at: now,
        };
        self.enter(key, admission, decision).await
    }

    /// As what a device is entered that comes for the first time.
    pub(crate) fn newcomers(
        &self,
        key: &DeviceKey,
        sighting: &Sighting,
        now: Timestamp,
    ) -> Newcomers {
        let rules = self.rules();
        let member = self.policies.member(&key.user);
        let facts = Facts {
            user: &key.user,
            device: &key.device,
            agent: &sighting.user_agent,
            device_type: &sighting.device_type,
            protocol: &sighting.protocol,
            os: None,
            model: None,
            member: &member,
        };
        let decision = rules.content.decide(&facts, &self.configured);
        Newcomers {
            admission: admission(&decision.outcome),
            decision: Some(recorded(&decision, now)),
            per_user: self.per_user(),
        }
    }

    /// How many devices a user may have.
    pub(crate) fn per_user(&self) -> u32 {
        self.rules().content.per_user.unwrap_or(self.per_user)
    }

    /// Lets the rules decide anew of a device that told something new of itself, unless a person
    /// decided; answers it as it then is.
    pub(crate) async fn reconsider(
        &self,
        device: Device,
        now: Timestamp,
    ) -> dme_store::Result<Device> {
        if !by_rules(&device) {
            return Ok(device);
        }
        let decision = self.explain(&device);
        let recorded = recorded(&decision, now);
        let same = device
            .decision
            .as_ref()
            .is_some_and(|held| (&held.by, &held.reason) == (&recorded.by, &recorded.reason));
        let admission = admission(&decision.outcome);
        if same && admission == device.admission {
            return Ok(device);
        }
        tracing::info!(user = %device.key.user, device = %device.key.device, %decision,
            "the rules of admission decided anew");
        self.enter(&device.key, admission, recorded).await
    }

    async fn enter(
        &self,
        key: &DeviceKey,
        admission: Admission,
        decision: dme_store::Decision,
    ) -> dme_store::Result<Device> {
        let change = move |device: &mut Device| {
            let before = std::mem::replace(&mut device.admission, admission);
            if admission == Admission::Allowed && matches!(decision.by, Decider::Person(_)) {
                device.wipe = Wipe::None;
                device.hold = None;
            }
            device.decision = Some(decision.clone());
            Ok(before != admission)
        };
        let (device, moved) = self.store.change_device(key, change).await?;
        if moved {
            self.store.resync_device(key).await?;
        }
        Ok(device)
    }

    fn decide(&self, device: &Device, rules: &AdmissionRules) -> Decision {
        self.policies.with_facts(device, |facts| rules.decide(facts, &self.configured))
    }
}

/// Whether the rules decided of a device, so that they may do so again.
fn by_rules(device: &Device) -> bool {
    matches!(device.decision, Some(dme_store::Decision { by: Decider::Rules(_), .. }))
}

fn admission(outcome: &Outcome) -> Admission {
    match outcome {
        Outcome::Allow => Admission::Allowed,
        Outcome::Quarantine { .. } => Admission::Quarantined,
        Outcome::Block { .. } => Admission::Blocked,
    }
}

fn recorded(decision: &Decision, at: Timestamp) -> dme_store::Decision {
    dme_store::Decision {
        by: Decider::Rules(decision.rule.clone()),
        reason: decision.outcome.reason().to_owned(),
        at,
    }
}
