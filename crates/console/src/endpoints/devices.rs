//! Devices: list, allow, quarantine, block, wipe, resync, remove; what each holds and was told.

mod acts;
mod bulk;
pub(super) mod decided;
mod finding;
mod shown;

pub(crate) use acts::{Caution, Changed, DeviceAct};

use super::parts::word;
use crate::endpoint::{Described, Endpoint, get, post};
use crate::language::Language;
use crate::principal::{Duty, Principal, Reach};
use crate::{Console, Refusal, api};
use dme_model::{DeviceId, UserId};
use dme_server::wipes::{Administrator, Hand};
use dme_store::Device;
use dme_sync::{DeviceKey, Holding, StateStore};

/// Their endpoints.
pub(super) fn table() -> Vec<Endpoint> {
    let does = |endpoint: Described, act: DeviceAct| {
        endpoint.duty(Duty::Operate).by(move |console, call| async move {
            let (name, behind) = (call.principal.signature(), call.principal.behind());
            let by = Hand::Administrator(Administrator { name: &name, behind: &behind });
            let changed = console.change_device(call.arg("user"), call.arg("device"), act, by);
            Ok(changed.await?.told(call.language))
        })
    };
    let act = |path, summary, act| does(post(path, summary), act);
    let each_time = |path, summary, act| does(post(path, summary).each_time(), act);
    vec![
        get("/api/devices", "Devices, those that came last first")
            .reach(Reach::Filtered)
            .asks::<api::DeviceQuery>()
            .by(|console, mut call| async move {
                let query = call.query()?;
                console.list_devices(&call.principal, &query).await
            }),
        post("/api/bulk/devices", "Let many devices in, have them wait, shut them out, or resync")
            .duty(Duty::Operate)
            .reach(Reach::Filtered)
            .takes::<api::Bulk>()
            .by(|console, mut call| async move {
                let api::Bulk { act, devices } = call.body()?;
                if !["allow", "quarantine", "block", "resync"].contains(&act.as_str()) {
                    return Err(Refusal::wrong("no-act", act));
                }
                console.bulk(call, &act, devices).await
            }),
        post("/api/bulk/wipe-account", "Erase an account on many devices")
            .duty(Duty::Operate)
            .reach(Reach::Filtered)
            .each_time()
            .takes::<api::BulkWipe>()
            .by(|console, mut call| async move {
                let api::BulkWipe { devices } = call.body()?;
                console.bulk(call, "wipe-account", devices).await
            }),
        get("/api/devices/{user}", "The devices of a user")
            .by(|console, call| async move { console.devices_of(call.arg("user")).await }),
        get("/api/devices/{user}/{device}/folders", "The folders a device knows, and what it holds")
            .by(|console, call| async move {
                console.folders(call.arg("user"), call.arg("device")).await
            }),
        get("/api/devices/{user}/{device}/trace", "What went wrong in a device's folders")
            .by(|console, call| async move {
                console.trace(call.arg("user"), call.arg("device")).await
            }),
        get("/api/devices/{user}/{device}/events", "What happened to a device, the newest first")
            .asks::<api::DeviceEventQuery>()
            .by(|console, mut call| async move {
                let query = call.query()?;
                console.device_events(call.arg("user"), call.arg("device"), query).await
            }),
        get("/api/devices/{user}/{device}/steps", "What a device was told, and when it had it")
            .by(|console, call| async move {
                console.steps(call.arg("user"), call.arg("device")).await
            }),
        act("/api/devices/{user}/{device}/allow", "Let a device in", DeviceAct::Allow),
        act("/api/devices/{user}/{device}/quarantine", "Have it wait", DeviceAct::Quarantine),
        act("/api/devices/{user}/{device}/block", "Shut a device out", DeviceAct::Block),
        act("/api/devices/{user}/{device}/unwipe", "Call a wipe off", DeviceAct::Unwipe),
        act("/api/devices/{user}/{device}/resync", "Send everything again", DeviceAct::Resync),
        act("/api/devices/{user}/{device}/remove", "Forget a device", DeviceAct::Remove),
        each_time("/api/devices/{user}/{device}/wipe", "Erase a whole device", DeviceAct::Wipe),
        each_time(
            "/api/devices/{user}/{device}/wipe-account",
            "Erase an account on a device",
            DeviceAct::WipeAccount,
        ),
    ]
}

impl Console {
    pub(crate) async fn devices_of(&self, user: &str) -> Result<Vec<api::Device>, Refusal> {
        let devices = self.front.store.devices(Some(&self.meant(user).await?)).await?;
        Ok(devices.iter().map(|device| self.device(device)).collect())
    }

    /// One device, where the principal sees its user.
    pub(crate) async fn seen_device(
        &self,
        principal: &Principal,
        user: &str,
        device: &str,
    ) -> Result<Option<Device>, Refusal> {
        let key = DeviceKey { user: UserId::from(user), device: DeviceId::from(device) };
        if !self.sees(principal, &key.user).await {
            return Ok(None);
        }
        Ok(self.front.store.device(&key).await?)
    }

    /// One device of a user's, with what was decided of it in words of a language.
    pub(crate) async fn device_of(
        &self,
        user: &str,
        device: &str,
        language: Language,
    ) -> Result<api::Device, Refusal> {
        let (_, found) = self.known(user, device).await?;
        Ok(self.device_in(&found, language))
    }

    /// What a device holds of each folder it knows.
    pub(crate) async fn folders(
        &self,
        user: &str,
        device: &str,
    ) -> Result<Vec<api::Folder>, Refusal> {
        let key = self.key(user, device).await?;
        self.front.store.known_device(&key).await?;
        let holdings = self.front.engine.holdings(&key).await.map_err(Refusal::failed)?;
        let folders = holdings.into_iter().map(|Holding { folder, held }| api::Folder {
            folder: folder.no.0,
            parent: folder.parent.map(|parent| parent.0),
            name: folder.name,
            class: word(&folder.class),
            items: held.map(|held| held.items),
            outstanding: held.map_or(0, |held| held.outstanding),
            placeholders: held.map_or(0, |held| held.placeholders),
        });
        Ok(folders.collect())
    }

    pub(crate) async fn trace(
        &self,
        user: &str,
        device: &str,
    ) -> Result<Vec<api::Traced>, Refusal> {
        let (key, _) = self.known(user, device).await?;
        let trace = self.front.store.trace(&key).await.map_err(Refusal::failed)?;
        let trace = trace.into_iter().map(|entry| api::Traced {
            at: entry.at.as_millis(),
            folder: u64::from(entry.folder.0),
            event: serde_json::to_value(&entry.event).unwrap_or_default(),
        });
        Ok(trace.collect())
    }

    /// What happened to a device.
    pub(crate) async fn device_events(
        &self,
        user: &str,
        device: &str,
        query: api::DeviceEventQuery,
    ) -> Result<api::EventPage, Refusal> {
        let key = self.key(user, device).await?;
        let api::DeviceEventQuery { before, limit } = query;
        self.events(api::EventQuery {
            user: Some(key.user.to_string()),
            device: Some(key.device.to_string()),
            before,
            limit,
            ..api::EventQuery::default()
        })
        .await
    }

    pub(crate) async fn key(&self, user: &str, device: &str) -> Result<DeviceKey, Refusal> {
        Ok(DeviceKey { user: self.meant(user).await?, device: DeviceId::from(device) })
    }

    /// A device that there is, and its key.
    pub(crate) async fn known(
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
