//! Devices: list, allow, quarantine, block, wipe, resync, remove.

use super::policies::word;
use crate::principal::Principal;
use crate::{Console, Refusal, api};
use dme_directory::{Access, DirectoryService, Right, Standing};
use dme_eas::ProtocolVersion;
use dme_model::{DeviceId, UserId};
use dme_server::records::audit::changed;
use dme_store::{Admission, Decider, Decision, Device, Held, Hold, Wipe, WipeKind};
use dme_sync::{DeviceKey, StateStore};

/// What is done to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DeviceAct {
    Allow,
    Quarantine,
    Block,
    /// The whole device.
    Wipe,
    /// The account on it.
    WipeAccount,
    /// Called off.
    Unwipe,
    /// It is sent everything again.
    Resync,
    /// Forgotten.
    Remove,
}

impl Console {
    /// The devices of everybody whom the principal sees.
    pub(crate) async fn list_devices(
        &self,
        principal: &Principal,
    ) -> Result<Vec<api::Device>, Refusal> {
        let devices = self.front.store.devices(None).await?;
        let mut sight = self.sight(principal);
        let mut seen = Vec::new();
        for device in &devices {
            if sight.reaches(self, &device.key.user).await {
                seen.push(self.device(device));
            }
        }
        Ok(seen)
    }

    pub(crate) async fn devices_of(&self, user: &str) -> Result<Vec<api::Device>, Refusal> {
        let devices = self.front.store.devices(Some(&self.meant(user).await?)).await?;
        Ok(devices.iter().map(|device| self.device(device)).collect())
    }

    pub(crate) async fn trace(
        &self,
        user: &str,
        device: &str,
    ) -> Result<Vec<api::Traced>, Refusal> {
        let key = self.key(user, device).await?;
        if self.front.store.device(&key).await?.is_none() {
            return Err(Refusal::not_found(format!("device {device} of {}", key.user)));
        }
        let trace = self.front.store.trace(&key).await.map_err(Refusal::failed)?;
        let trace = trace.into_iter().map(|entry| api::Traced {
            at: entry.at.as_millis(),
            folder: u64::from(entry.folder.0),
            event: serde_json::to_value(&entry.event).unwrap_or_default(),
        });
        Ok(trace.collect())
    }

    pub(crate) async fn change_device(
        &self,
        user: &str,
        device: &str,
        act: DeviceAct,
        by: &str,
    ) -> Result<api::DeviceChanged, Refusal> {
        let key = self.key(user, device).await?;
        let store = &self.front.store;
        let at = (self.front.clock)();
        let before = store.device(&key).await?;
        let front = &self.front;
        let wipe = async |kind| {
            let order = front.wipes.order(&key, kind, by, at).await?;
            Ok::<_, Refusal>(order.record.needs_second.then_some(order.number))
        };
        let mut second = None;
        match act {
            DeviceAct::Allow => {
                front.admissions.set(&key, Admission::Allowed, by, at).await?;
            }
            DeviceAct::Quarantine => {
                front.admissions.set(&key, Admission::Quarantined, by, at).await?;
            }
            DeviceAct::Block => {
                front.admissions.set(&key, Admission::Blocked, by, at).await?;
            }
            DeviceAct::Wipe => second = wipe(WipeKind::Device).await?,
            DeviceAct::WipeAccount => second = wipe(WipeKind::Account).await?,
            DeviceAct::Unwipe => {
                front.wipes.call_off_open(&key, by, at).await?;
                store.set_wipe(&key, Wipe::None).await?;
            }
            DeviceAct::Resync => store.resync_device(&key).await.map_err(Refusal::failed)?,
            DeviceAct::Remove => {
                store.disown_device(&key, at).await?;
                store.remove_device(&key).await?;
            }
        }
        // A waiting phone comes back at once and meets the change.
        self.front.parking.end_device(&key);
        if act == DeviceAct::Remove {
            self.front.steps.forget(&key);
        }
        tracing::warn!(%user, %device, ?act, "device changed");
        let after = store.device(&key).await?;
        let seen = |of: &Option<Device>| of.as_ref().map(|device| self.device(device));
        let (was, is) = (seen(&before), seen(&after));
        let of =
            |one: &Option<api::Device>, word: fn(&api::Device) -> String| one.as_ref().map(word);
        let admission = |device: &api::Device| device.admission.clone();
        changed("admission", of(&was, admission), of(&is, admission));
        let wipe = |device: &api::Device| device.wipe.clone();
        changed("wipe", of(&was, wipe), of(&is, wipe));
        let Some(changed) = after else {
            return Ok(api::DeviceChanged { device: None, warning: None });
        };
        let warning = match act {
            _ if second.is_some() => second.map(|number| {
                format!(
                    "there were too many wipes in the last hour: order {number} waits until another \
                     administrator confirms it (`dme wipe confirm {number}`)"
                )
            }),
            DeviceAct::Wipe => self.no_login(&key.user).await,
            DeviceAct::WipeAccount if changed.protocol != ProtocolVersion::V16_1.to_string() => {
                Some(
                    "it spoke a version before 16.1, which has no words for this: it is shut out, \
                     and keeps what it has"
                        .to_owned(),
                )
            }
            DeviceAct::WipeAccount => self.no_login(&key.user).await,
            _ => None,
        };
        Ok(api::DeviceChanged { device: Some(self.device(&changed)), warning })
    }

    /// Why a phone of this user would not get as far as an order to wipe, if it would not: it is
    /// told only after a login that the directory lets in.
    async fn no_login(&self, user: &UserId) -> Option<String> {
        let directory = user.realm().and_then(|realm| self.front.directories.get(&realm))?;
        let why = match directory.find(user).await {
            Ok(Some(person)) if person.standing != Standing::Active => {
                person.standing.as_str().to_owned()
            }
            Ok(Some(person)) => match self.front.gate.explain(Right::User, &person) {
                Access::Allowed(_) => return None,
                Access::Refused(reason) => reason.to_string(),
            },
            Ok(None) => "the directory does not have the user".to_owned(),
            Err(error) => error.to_string(),
        };
        Some(format!(
            "no phone of the user's can log in ({why}), and it gets the order after a login only; \
             let the user in until it has, and use `dme user disable` meanwhile"
        ))
    }

    pub(crate) async fn key(&self, user: &str, device: &str) -> Result<DeviceKey, Refusal> {
        Ok(DeviceKey { user: self.meant(user).await?, device: DeviceId::from(device) })
    }

    pub(crate) fn device(&self, device: &Device) -> api::Device {
        let kind = |kind: WipeKind| match kind {
            WipeKind::Account => "account",
            WipeKind::Device => "device",
        };
        let wipe = match device.wipe {
            Wipe::None => "none".to_owned(),
            Wipe::Requested { kind: of, .. } => format!("requested ({})", kind(of)),
            Wipe::Sent { kind: of, .. } => format!("sent ({})", kind(of)),
            Wipe::Acknowledged { kind: of, .. } => format!("acknowledged ({})", kind(of)),
        };
        let admission = match device.admission {
            Admission::Allowed => "allowed",
            Admission::Quarantined => "quarantined",
            Admission::Blocked => "blocked",
        };
        api::Device {
            user: device.key.user.to_string(),
            device: device.key.device.to_string(),
            kind: device.device_type.clone(),
            user_agent: device.user_agent.clone(),
            protocol: device.protocol.clone(),
            first_seen: device.first_seen.as_seconds(),
            last_seen: device.last_seen.as_seconds(),
            admission: admission.into(),
            wipe,
            policy: self.front.policies.has_taken(device),
            information: serde_json::from_str(&device.information).unwrap_or_default(),
            compliance: word(&self.front.policies.compliance(device)),
            decision: device.decision.as_ref().map(decision),
            hold: device.hold.as_ref().map(hold),
            waiting: self.front.pending(device).len() as u64,
        }
    }
}

/// Who decided of a device's admission, in words.
fn decision(decision: &Decision) -> String {
    let by = match &decision.by {
        Decider::Rules(Some(rule)) => format!("by the rule {rule}"),
        Decider::Rules(None) => "as no rule fits".to_owned(),
        Decider::Person(name) => format!("by {name}"),
        Decider::Behaviour(rule) => format!("by the rule of behaviour {rule}"),
    };
    if decision.reason.is_empty() { by } else { format!("{by}: {}", decision.reason) }
}

/// How a device misbehaves, in words.
fn hold(hold: &Hold) -> String {
    let held = match hold.held {
        Held::Slowed { until } => format!("slowed down until {}", until.as_seconds()),
        Held::Blocked { .. } => "blocked until it is released".to_owned(),
        Held::Told => "noticed".to_owned(),
    };
    format!("{held}, by the rule {}: {}", hold.rule, hold.reason)
}
