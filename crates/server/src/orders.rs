//! What waits for a device's next contact. It is done in this order, whatever was asked for first:
//! wipe, block, policy, resync. A wipe is under way until the device acknowledges it; nothing else
//! is done before.

use crate::admissions::Admissions;
use crate::front::Front;
use crate::policies::Compliance;
use dme_model::{ItemId, Timestamp};
use dme_store::{Admission, Device, Error, Order, Refused, Result, Waiting, Wipe, WipeKind};
use dme_sync::{DeviceKey, FolderNo};
use serde::Serialize;

/// The most orders that wait for one device.
const MOST: usize = 64;
/// The longest item's id that is taken, in bytes.
const LONGEST_ITEM: usize = 4096;

/// Something that waits for a device's next contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Pending {
    /// Its number, to call it off by; none for a wipe, which is called off as such, and for a
    /// policy that changed.
    pub number: Option<u64>,
    /// What.
    pub what: What,
    /// Who asked for it; none where that is not known.
    pub by: Option<String>,
    /// Since when, in milliseconds since 1970; none where that is not known.
    pub at: Option<i64>,
}

/// What waits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A wipe, of what, and whether the device was told already.
    Wipe {
        /// Of what.
        kind: WipeKind,
        /// Whether it was told, and has not acknowledged.
        told: bool,
    },
    /// Another order.
    Order(Order),
}

/// What waits for a device, as it is to be carried out.
fn in_order(device: &Device) -> Vec<Waiting> {
    let mut waiting = device.waiting.clone();
    waiting.sort_by(|one, other| (&one.order, one.number).cmp(&(&other.order, other.number)));
    waiting
}

impl Front {
    /// Has something wait for a device's next contact; a phone that waits comes at once. The same
    /// order twice is one.
    ///
    /// # Errors
    /// The store's, that there is no such device, or that too much waits for it.
    pub async fn order(&self, key: &DeviceKey, order: Order, by: &str) -> Result<Waiting> {
        if matches!(&order, Order::ResyncItem { item, .. } if item.len() > LONGEST_ITEM) {
            return Err(Refused::NoItem.into());
        }
        let (by, at) = (by.to_owned(), (self.clock)());
        let change = move |device: &mut Device| {
            if let Some(same) = device.waiting.iter().find(|waiting| waiting.order == order) {
                return Ok(same.clone());
            }
            if device.waiting.len() >= MOST {
                return Err(Refused::TooManyOrders(MOST).into());
            }
            let last = device.waiting.iter().map(|waiting| waiting.number).max().unwrap_or(0);
            let number = last.saturating_add(1).max(at.as_millis().unsigned_abs());
            let waiting = Waiting { number, order: order.clone(), by: by.clone(), at };
            device.waiting.push(waiting.clone());
            Ok(waiting)
        };
        let (_, waiting) = self.store.change_device(key, change).await?;
        tracing::warn!(user = %key.user, device = %key.device, order = ?waiting.order,
            by = waiting.by, "an order waits for the device");
        self.parking.end_device(key);
        Ok(waiting)
    }

    /// Calls an order off that is not carried out yet.
    ///
    /// # Errors
    /// The store's, or that there is no such order: it may have been carried out.
    pub async fn call_off(&self, key: &DeviceKey, number: u64) -> Result<()> {
        let change = move |device: &mut Device| {
            let before = device.waiting.len();
            device.waiting.retain(|waiting| waiting.number != number);
            match device.waiting.len() {
                after if after == before => {
                    let what = format!("order {number}; it may have been carried out");
                    Err(Error::NotFound(what))
                }
                _ => Ok(()),
            }
        };
        self.store.change_device(key, change).await.map(|_| ())
    }

    /// What waits for a device, in the order in which it is done.
    pub fn pending(&self, device: &Device) -> Vec<Pending> {
        let mut all = Vec::new();
        let wipe = match device.wipe {
            Wipe::Requested { kind, at } => Some((kind, false, at)),
            Wipe::Sent { kind, at } => Some((kind, true, at)),
            Wipe::None | Wipe::Acknowledged { .. } => None,
        };
        all.extend(wipe.map(|(kind, told, at)| Pending {
            number: None,
            what: What::Wipe { kind, told },
            by: None,
            at: Some(at.as_millis()),
        }));
        let waiting = in_order(device);
        let asks = |waiting: &Waiting| waiting.order == Order::Policy;
        let changed = self.policies.compliance(device) == Compliance::Pending;
        if changed && !waiting.iter().any(asks) {
            let what = What::Order(Order::Policy);
            all.push(Pending { number: None, what, by: None, at: None });
        }
        all.extend(waiting.into_iter().map(|waiting| Pending {
            number: Some(waiting.number),
            what: What::Order(waiting.order),
            by: Some(waiting.by),
            at: Some(waiting.at.as_millis()),
        }));
        let place = |pending: &Pending| match &pending.what {
            What::Wipe { .. } => 0,
            What::Order(Order::Block) => 1,
            What::Order(Order::Policy) => 2,
            What::Order(_) => 3,
        };
        all.sort_by_key(place);
        all
    }

    /// Carries out what waits for a device that is in contact now; answers it as it then is.
    pub(crate) async fn carry_out(&self, device: Device, now: Timestamp) -> Result<Device> {
        if device.waiting.is_empty() || device.wipe.is_under_way() {
            return Ok(device);
        }
        let waiting = in_order(&device);
        let mut device = device;
        for one in waiting {
            device = self.carry_out_one(&device.key, &one, now).await?;
            tracing::info!(user = %device.key.user, device = %device.key.device,
                order = ?one.order, "an order was carried out");
            if one.order == Order::Block {
                break;
            }
        }
        Ok(device)
    }

    async fn carry_out_one(
        &self,
        key: &DeviceKey,
        waiting: &Waiting,
        now: Timestamp,
    ) -> Result<Device> {
        // What is done twice because it could not be noted as done does no harm.
        match &waiting.order {
            Order::Block => {
                let admissions: &Admissions = &self.admissions;
                admissions.set(key, Admission::Blocked, &waiting.by, now).await?;
            }
            Order::Policy => {}
            Order::ResyncAll => {
                self.engine.store().resync_device(key).await?;
            }
            Order::ResyncFolder(no) => {
                let begun = self.engine.begin_again(key, FolderNo(*no), now).await;
                begun.map_err(|error| Error::Database(error.to_string()))?;
            }
            Order::ResyncItem { folder, item } => {
                let item = ItemId::from(item.as_str());
                let sent = self.engine.send_again(key, FolderNo(*folder), &item).await;
                sent.map_err(|error| Error::Database(error.to_string()))?;
            }
        }
        let (number, policy) = (waiting.number, waiting.order == Order::Policy);
        let change = move |device: &mut Device| {
            device.waiting.retain(|waiting| waiting.number != number);
            if policy {
                device.policy.acknowledged = None;
                device.policy.reply = None;
            }
            Ok(())
        };
        Ok(self.store.change_device(key, change).await?.0)
    }
}
