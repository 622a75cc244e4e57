//! Devices: list, allow, quarantine, block, wipe, resync, remove.

use super::{Admin, Answer, Refusal, api, as_json};
use dme_directory::{Access, DirectoryService, Right, Standing};
use dme_eas::ProtocolVersion;
use dme_model::{DeviceId, UserId};
use dme_store::{Admission, Device, Wipe, WipeKind};
use dme_sync::{DeviceKey, StateStore};

impl Admin {
    pub(super) async fn list_devices(&self, user: Option<&str>) -> Answer {
        let user = match user {
            Some(user) => Some(self.meant(user).await?),
            None => None,
        };
        let devices = self.front.store.devices(user.as_ref()).await?;
        let all: Vec<api::Device> = devices.iter().map(|device| self.device(device)).collect();
        Ok(as_json(&all))
    }

    pub(super) async fn trace(&self, user: &str, device: &str) -> Answer {
        let key = self.key(user, device).await?;
        if self.front.store.device(&key).await.map_err(Refusal::failed)?.is_none() {
            return Err(Refusal::not_found(format!("device {device} of {}", key.user)));
        }
        Ok(as_json(&self.front.store.trace(&key).await.map_err(Refusal::failed)?))
    }

    pub(super) async fn change_device(&self, user: &str, device: &str, action: &str) -> Answer {
        let key = self.key(user, device).await?;
        let store = &self.front.store;
        let now = (self.front.clock)();
        match action {
            "allow" => self.set_admission(&key, Admission::Allowed).await?,
            "quarantine" => self.set_admission(&key, Admission::Quarantined).await?,
            "block" => self.set_admission(&key, Admission::Blocked).await?,
            "wipe" => {
                let wipe = Wipe::Requested { kind: WipeKind::Device, at: now };
                store.set_wipe(&key, wipe).await?;
            }
            "wipe-account" => {
                let wipe = Wipe::Requested { kind: WipeKind::Account, at: now };
                store.set_wipe(&key, wipe).await?;
            }
            "unwipe" => store.set_wipe(&key, Wipe::None).await?,
            "resync" => store.resync_device(&key).await.map_err(Refusal::failed)?,
            "remove" => {
                store.remove_device(&key).await?;
                self.front.parking.end_device(&key);
                tracing::warn!(%user, %device, action, "device changed");
                return Ok(as_json(&serde_json::json!({})));
            }
            _ => return Err(Refusal::not_found(format!("action {action}"))),
        }
        // A waiting phone comes back at once and meets the change.
        self.front.parking.end_device(&key);
        tracing::warn!(%user, %device, action, "device changed");
        let changed = store.device(&key).await?;
        let changed = changed.ok_or_else(|| Refusal::not_found(format!("device {device}")))?;
        let warning = match action {
            "wipe" => self.no_login(&key.user).await,
            "wipe-account" if changed.protocol != ProtocolVersion::V16_1.to_string() => Some(
                "it spoke a version before 16.1, which has no words for this: it is shut out, and \
                 keeps what it has"
                    .to_owned(),
            ),
            "wipe-account" => self.no_login(&key.user).await,
            _ => None,
        };
        Ok(as_json(&api::Device { warning, ..self.device(&changed) }))
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

    async fn key(&self, user: &str, device: &str) -> Result<DeviceKey, Refusal> {
        Ok(DeviceKey { user: self.meant(user).await?, device: DeviceId::from(device) })
    }

    /// A device that moves between its mailbox and quarantine begins anew: what it holds is of the
    /// other.
    async fn set_admission(&self, key: &DeviceKey, admission: Admission) -> Result<(), Refusal> {
        let store = &self.front.store;
        let before = store.device(key).await?.map(|device| device.admission);
        store.set_admission(key, admission).await?;
        if admission == Admission::Allowed {
            // An acknowledged wipe shut it out; it may begin anew.
            store.set_wipe(key, Wipe::None).await?;
        }
        if before != Some(admission) {
            store.resync_device(key).await.map_err(Refusal::failed)?;
        }
        Ok(())
    }

    pub(super) fn device(&self, device: &Device) -> api::Device {
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
        let acknowledged = device.policy.acknowledged;
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
            policy: acknowledged.is_some_and(|held| held.revision == self.front.policy.revision),
            information: serde_json::from_str(&device.information).unwrap_or_default(),
            warning: None,
        }
    }
}
