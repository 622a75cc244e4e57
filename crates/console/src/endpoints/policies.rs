//! What administrators decide of devices: policy, admission, behaviour, orders, wipes.

use super::revised;
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_policy::{About, AdmissionRules, Condition, Preview, Setting};
use dme_server::books::{Author, RulesError};
use dme_server::policies::Push;
use dme_store::{Device, Order, WipeKind, WipeOrder};
use dme_sync::DeviceKey;

/// So many orders to wipe are listed.
const LISTED: usize = 1000;

impl From<RulesError> for Refusal {
    fn from(error: RulesError) -> Self {
        match error {
            RulesError::Wrong(_) => Self::bad(error.to_string()),
            RulesError::Store(error) => error.into(),
        }
    }
}

fn name(key: &DeviceKey) -> api::DeviceName {
    api::DeviceName { user: key.user.to_string(), device: key.device.to_string() }
}

fn push(now: bool) -> Push {
    if now { Push::Now } else { Push::NextContact }
}

fn author(principal: &Principal, read: u64) -> Author {
    Author { read, name: principal.name.clone() }
}

fn shown(preview: Preview<DeviceKey>) -> api::PolicyPreview {
    let changed = preview
        .changed
        .into_iter()
        .map(|(key, settings)| api::PolicyChanged { device: name(&key), settings });
    let kept = preview.overridden.into_iter().flat_map(|(key, kept)| {
        let device = name(&key);
        kept.into_iter().map(move |(setting, by)| api::PolicyKept {
            device: device.clone(),
            setting,
            by,
        })
    });
    api::PolicyPreview {
        changed: changed.collect(),
        overridden: kept.collect(),
        untouched: preview.untouched as u64,
    }
}

/// Every setting there is.
pub(crate) fn settings() -> Vec<&'static About> {
    Setting::ALL.iter().map(|setting| setting.about()).collect()
}

impl Console {
    pub(crate) fn policy(&self) -> api::PolicyLevels {
        let held = self.front.policies.levels();
        api::PolicyLevels {
            revision: held.revision,
            changed: held.changed,
            author: held.author,
            configuration: self.front.policies.configuration().clone(),
            levels: held.content,
        }
    }

    pub(crate) async fn set_policy(
        &self,
        principal: &Principal,
        change: api::PolicyChange,
    ) -> Result<api::Revised, Refusal> {
        let (author, push) = (author(principal, change.revision), push(change.push));
        let now = (self.front.clock)();
        let before = self.front.policies.levels().content;
        let set = self.front.policies.set_levels(&change.levels, &author, push, now).await?;
        revised::levels(&before, &change.levels);
        Ok(api::Revised { revision: set.0, devices: set.1.iter().map(name).collect() })
    }

    pub(crate) async fn preview_policy(
        &self,
        trial: api::PolicyTrial,
    ) -> Result<api::PolicyPreview, Refusal> {
        Ok(shown(self.front.policies.preview(&trial.levels).await?))
    }

    /// Which devices a group with these members would have.
    pub(crate) async fn meant_by(&self, members: &Condition) -> Result<api::Meant, Refusal> {
        let (devices, open) = self.front.policies.meant_by(members).await?;
        let names = |keys: Vec<DeviceKey>| keys.iter().map(name).collect();
        Ok(api::Meant { devices: names(devices), open: names(open) })
    }

    pub(crate) async fn device_policy(
        &self,
        user: &str,
        device: &str,
    ) -> Result<api::DevicePolicy, Refusal> {
        let (key, device) = self.known(user, device).await?;
        let own = self.front.policies.device_level(&key);
        let compliance = self.front.policies.compliance(&device);
        Ok(api::DevicePolicy {
            effective: self.front.policies.effective(&key).await?,
            revision: own.revision,
            own: own.content,
            compliance: word(&compliance),
        })
    }

    pub(crate) async fn set_device_policy(
        &self,
        principal: &Principal,
        (user, device): (&str, &str),
        level: api::DeviceLevel,
    ) -> Result<api::Revised, Refusal> {
        let key = self.key(user, device).await?;
        let (author, push) = (author(principal, level.revision), push(level.push));
        let (policies, now) = (&self.front.policies, (self.front.clock)());
        let before = policies.device_level(&key).content;
        let set = policies.set_device_level(&key, &level.settings, &author, push, now).await?;
        revised::settings(&before, &level.settings);
        Ok(api::Revised { revision: set, devices: vec![name(&key)] })
    }

    pub(crate) fn admission(&self) -> api::Admission {
        let held = self.front.admissions.rules();
        api::Admission { revision: held.revision, rules: held.content.clone() }
    }

    pub(crate) async fn set_admission_rules(
        &self,
        principal: &Principal,
        change: api::Admission,
    ) -> Result<api::Revised, Refusal> {
        let (author, now) = (author(principal, change.revision), (self.front.clock)());
        let before = self.front.admissions.rules().content.clone();
        let revision = self.front.admissions.set_rules(&change.rules, &author, now).await?;
        revised::admission(&before, &change.rules);
        Ok(api::Revised { revision, devices: Vec::new() })
    }

    pub(crate) async fn preview_admission(
        &self,
        rules: AdmissionRules,
    ) -> Result<Vec<api::Judged>, Refusal> {
        let judged = self.front.admissions.preview(&rules).await?.into_iter();
        let judged = judged.map(|one| api::Judged {
            device: api::DeviceName { user: one.user, device: one.device },
            now: word(&one.now),
            decision: one.decision,
        });
        Ok(judged.collect())
    }

    pub(crate) async fn apply_admission(&self) -> Result<Vec<api::DeviceName>, Refusal> {
        let changed = self.front.admissions.reconsider_all((self.front.clock)()).await?;
        Ok(changed.iter().map(name).collect())
    }

    pub(crate) async fn explain_admission(
        &self,
        user: &str,
        device: &str,
    ) -> Result<api::Judged, Refusal> {
        let (key, device) = self.known(user, device).await?;
        let decision = self.front.admissions.explain(&device);
        Ok(api::Judged { device: name(&key), now: word(&device.admission), decision })
    }

    pub(crate) fn behaviour(&self) -> api::BehaviourBook {
        let held = self.front.behaviours.rules();
        api::BehaviourBook { revision: held.revision, rules: held.content.clone() }
    }

    pub(crate) async fn set_behaviour(
        &self,
        principal: &Principal,
        change: api::BehaviourBook,
    ) -> Result<api::Revised, Refusal> {
        let (author, now) = (author(principal, change.revision), (self.front.clock)());
        let before = self.front.behaviours.rules().content.clone();
        let revision = self.front.behaviours.set_rules(&change.rules, &author, now).await?;
        revised::behaviour(&before, &change.rules);
        Ok(api::Revised { revision, devices: Vec::new() })
    }

    pub(crate) async fn release(
        &self,
        principal: &Principal,
        (user, device): (&str, &str),
    ) -> Result<api::Device, Refusal> {
        let key = self.key(user, device).await?;
        let now = (self.front.clock)();
        let released = self.front.behaviours.release(&key, &principal.name, now).await?;
        Ok(self.device(&released))
    }

    pub(crate) async fn pending_orders(
        &self,
        user: &str,
        device: &str,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let (_, device) = self.known(user, device).await?;
        let pending = self.front.pending(&device).into_iter().map(|one| api::PendingOrder {
            number: one.number,
            what: serde_json::to_value(&one.what).unwrap_or_default(),
            by: one.by,
            at: one.at,
        });
        Ok(pending.collect())
    }

    pub(crate) async fn give_order(
        &self,
        principal: &Principal,
        (user, device): (&str, &str),
        order: api::NewOrder,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let key = self.key(user, device).await?;
        let order = match order {
            api::NewOrder::Block => Order::Block,
            api::NewOrder::Policy => Order::Policy,
            api::NewOrder::ResyncAll => Order::ResyncAll,
            api::NewOrder::ResyncFolder(folder) => Order::ResyncFolder(folder),
            api::NewOrder::ResyncItem { folder, item } => Order::ResyncItem { folder, item },
        };
        self.front.order(&key, order, &principal.name).await?;
        self.pending_orders(user, device).await
    }

    pub(crate) async fn send_again(
        &self,
        principal: &Principal,
        key: (&str, &str),
        api::SendAgain { folder, item }: api::SendAgain,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let order = match item.filter(|item| !item.is_empty()) {
            Some(item) => api::NewOrder::ResyncItem { folder, item },
            None => api::NewOrder::ResyncFolder(folder),
        };
        self.give_order(principal, key, order).await
    }

    pub(crate) async fn call_order_off(
        &self,
        (user, device): (&str, &str),
        number: &str,
    ) -> Result<Vec<api::PendingOrder>, Refusal> {
        let key = self.key(user, device).await?;
        self.front.call_off(&key, numbered(number)?).await?;
        self.pending_orders(user, device).await
    }

    pub(crate) async fn foretell(
        &self,
        user: &str,
        device: &str,
    ) -> Result<api::Erasures, Refusal> {
        let (_, device) = self.known(user, device).await?;
        let wipes = &self.front.wipes;
        Ok(api::Erasures {
            device: wipes.foretell(&device, WipeKind::Device),
            account: wipes.foretell(&device, WipeKind::Account),
        })
    }

    /// Orders of devices whose users the principal sees, the newest first.
    pub(crate) async fn wipe_orders(
        &self,
        principal: &Principal,
    ) -> Result<Vec<api::WipeOrder>, Refusal> {
        let (mut sight, wipes) = (self.sight(principal), &self.front.wipes);
        let (mut orders, mut before) = (Vec::new(), u64::MAX);
        loop {
            let page = wipes.orders_before(before).await?;
            let Some(last) = page.last() else { return Ok(orders) };
            before = last.number;
            for order in page {
                if sight.reaches(self, &order.device.user).await {
                    orders.push(wipe_order(&order));
                }
                if orders.len() >= LISTED {
                    return Ok(orders);
                }
            }
        }
    }

    /// How many orders wait for a second administrator, of devices whose users the principal sees.
    pub(crate) async fn wipes_waiting(&self, principal: &Principal) -> Result<u64, Refusal> {
        let wipes = &self.front.wipes;
        if principal.sees_all() {
            return Ok(wipes.count_waiting().await?);
        }
        let (mut sight, mut count) = (self.sight(principal), 0);
        for order in wipes.waiting().await? {
            count += u64::from(sight.reaches(self, &order.device.user).await);
        }
        Ok(count)
    }

    pub(crate) async fn confirm_wipe(
        &self,
        principal: &Principal,
        number: &str,
    ) -> Result<api::WipeOrder, Refusal> {
        let now = (self.front.clock)();
        let order = self.front.wipes.confirm(numbered(number)?, &principal.name, now).await?;
        Ok(wipe_order(&order))
    }

    pub(crate) async fn cancel_wipe(
        &self,
        principal: &Principal,
        number: &str,
    ) -> Result<api::WipeOrder, Refusal> {
        let now = (self.front.clock)();
        let order = self.front.wipes.cancel(numbered(number)?, &principal.name, now).await?;
        Ok(wipe_order(&order))
    }

    pub(crate) async fn wipe_receipt(&self, number: &str) -> Result<serde_json::Value, Refusal> {
        let now = (self.front.clock)();
        let receipt = self.front.wipes.receipt(numbered(number)?, now).await?;
        serde_json::to_value(receipt).map_err(Refusal::failed)
    }

    /// A device that there is, and its key.
    pub(super) async fn known(
        &self,
        user: &str,
        device: &str,
    ) -> Result<(DeviceKey, Device), Refusal> {
        let key = self.key(user, device).await?;
        let found = self.front.store.device(&key).await?;
        let found =
            found.ok_or_else(|| Refusal::lacks("no-device", format!("{device} ({})", key.user)))?;
        Ok((key, found))
    }
}

fn numbered(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::lacks("no-number", text))
}

/// A value that is written as one word.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().map(str::to_owned).unwrap_or_default()
}

fn wipe_order(order: &WipeOrder) -> api::WipeOrder {
    let record = &order.record;
    let state = match record {
        _ if record.cancelled.is_some() => "cancelled",
        _ if record.acknowledged.is_some() => "acknowledged",
        _ if record.waits_for_second() => "waiting",
        _ if record.failed.is_some() => "failed",
        _ if record.told.is_some() => "told",
        _ => "ordered",
    };
    api::WipeOrder {
        number: order.number,
        device: name(&order.device),
        of: word(&record.kind),
        by: record.by.clone(),
        requested: order.requested.as_millis(),
        state: state.to_owned(),
        confirmed_by: record.confirmed.as_ref().map(|(by, _)| by.clone()),
        told: record.told.map(dme_model::Timestamp::as_millis),
        acknowledged: record.acknowledged.map(dme_model::Timestamp::as_millis),
    }
}
