//! Orders to wipe: what they would erase, how many there may be in an hour, who confirms those
//! beyond, and a receipt of each that the server's authority signs.

mod receipt;
mod two;

pub use receipt::{Receipt, ReceiptError, SignedReceipt, verify};

use crate::inventory::Inventory;
use crate::notices::{Notice, Notices};
use crate::parking::Parking;
use dme_eas::ProtocolVersion;
use dme_link::Authority;
use dme_model::Timestamp;
use dme_policy::{Erasure, WipeScope, erasure};
use dme_store::{
    Behind, Device, Error, Refused, Result, Store, Wipe, WipeEntry, WipeKind, WipeOrder,
    WipeRecord, WipesBefore, Wiping,
};
use dme_sync::DeviceKey;
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
/// So many of their own devices a user may have erased in an hour; further orders wait for an
/// administrator. Nobody loses more, and whoever makes devices up takes nothing from others.
const OWN_PER_HOUR: usize = 10;

/// An administrator who does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Administrator<'a> {
    /// Their name, as records have it.
    pub name: &'a str,
    /// Who that is.
    pub behind: &'a Behind,
}

/// Whose hand does something to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hand<'a> {
    /// An administrator's.
    Administrator(Administrator<'a>),
    /// That of the device's own user.
    Owner(&'a str),
}

impl<'a> Hand<'a> {
    /// The name of the one whose it is.
    pub const fn name(self) -> &'a str {
        match self {
            Self::Administrator(Administrator { name, .. }) | Self::Owner(name) => name,
        }
    }
}

/// The service.
pub struct Wipes {
    pub(crate) store: Store,
    pub(crate) parking: Arc<Parking>,
    pub(crate) notices: Notices,
    pub(crate) authority: Arc<Authority>,
    /// The host phones use, for receipts.
    pub(crate) host: String,
    /// So many orders in an hour need nobody else.
    pub(crate) per_hour: u32,
}

impl Wipes {
    /// What an order would erase on a device, for the one who gives it.
    pub fn foretell(&self, device: &Device, kind: WipeKind) -> Erasure {
        let scope = match kind {
            WipeKind::Account => WipeScope::Account,
            WipeKind::Device => WipeScope::Device,
        };
        let inventory = Inventory::of(device);
        let os = inventory.as_ref().and_then(|told| told.os.as_deref());
        let newest = device.protocol == ProtocolVersion::V16_1.to_string();
        erasure(scope, &device.user_agent, &device.device_type, os, newest)
    }

    /// How many orders administrators may still give within this hour that need nobody else, and how
    /// many an hour has.
    ///
    /// # Errors
    /// The store's.
    pub async fn left(&self, now: Timestamp) -> Result<(u32, u32)> {
        let lately = self.store.count_wipe_orders(now.minus(HOUR)).await?;
        let lately = u32::try_from(lately).unwrap_or(u32::MAX);
        Ok((self.per_hour.saturating_sub(lately), self.per_hour))
    }

    /// Orders a wipe. Beyond so many in an hour it waits for another administrator; else the device is
    /// told with its next contact, and an earlier order for it that is still open is called off. What
    /// is open already does not become two. The device's own user has a limit of their own: it takes
    /// nothing from that of the administrators, nor from another user's.
    ///
    /// # Errors
    /// The store's, or that there is no such device.
    pub async fn order(
        &self,
        key: &DeviceKey,
        kind: WipeKind,
        hand: Hand<'_>,
        now: Timestamp,
    ) -> Result<WipeOrder> {
        let (by, own) = (hand.name(), matches!(hand, Hand::Owner(_)));
        let device = self.store.known_device(key).await?;
        let behind = match hand {
            Hand::Administrator(administrator) => administrator.behind.clone(),
            Hand::Owner(_) => Behind::Person(key.user.clone()),
        };
        let record = WipeRecord {
            kind,
            by: by.to_owned(),
            behind: Some(behind),
            own,
            foretold: self.foretell(&device, kind).text,
            client: [device.device_type, device.user_agent, device.protocol],
            needs_second: false,
            confirmed: None,
            cancelled: None,
            told: None,
            failed: None,
            acknowledged: None,
        };
        let most = match own {
            true => OWN_PER_HOUR,
            false => usize::try_from(self.per_hour).unwrap_or(usize::MAX),
        };
        let user = key.user.clone();
        let decide = move |before: &WipesBefore| {
            let counts = |order: &&WipeOrder| match own {
                true => order.record.own && order.device.user == user,
                false => !order.record.own,
            };
            // Those that waited for somebody else and those called off unseen count as well: who
            // gives many orders is to be seen, whatever becomes of them.
            let needs_second = before.lately.iter().filter(counts).count() >= most;
            let does_it = |order: &&WipeOrder| {
                let record = &order.record;
                // A user's account goes with all of the device.
                let erases = record.kind == kind || own && record.kind == WipeKind::Device;
                erases && (needs_second || !record.waits_for_second())
            };
            let open = before.open.iter().filter(does_it);
            match open.min_by_key(|order| order.record.waits_for_second()) {
                Some(order) => WipeEntry::Same(order.number),
                None => WipeEntry::New(Box::new(WipeRecord { needs_second, ..record.clone() })),
            }
        };
        let then = move |wiping: &mut Wiping, number: u64, is_new: bool| {
            // An order outlasts its device: one that was forgotten and came again is not told of it.
            let is_told = !is_new && wiping.wipe.is_some_and(|wipe| wipe.is_under_way());
            match is_told || wiping.order(number)?.record.waits_for_second() {
                true => Ok(()),
                false => begin(wiping, number, now),
            }
        };
        let entered = self.store.enter_wipe_order(key, now, now.minus(HOUR), decide, then);
        let (order, is_new) = entered.await?;
        if !order.record.waits_for_second() {
            self.parking.end_device(key);
        }
        if !is_new {
            tracing::info!(user = %key.user, device = %key.device, ?kind, by, number = order.number,
                "a wipe was ordered that is ordered already");
            return Ok(order);
        }
        tracing::warn!(user = %key.user, device = %key.device, ?kind, by, number = order.number,
            waits = order.record.needs_second, "a wipe was ordered");
        if order.record.needs_second {
            let (device, number) = (key.clone(), order.number);
            self.notices.tell(Notice::WipeWaits { device, number, by: by.to_owned() });
        }
        Ok(order)
    }

    /// Confirms an order that waits for another administrator.
    ///
    /// # Errors
    /// The store's, that it waits for nobody, or that it may be the same person who ordered it.
    pub async fn confirm(
        &self,
        number: u64,
        Administrator { name: by, behind }: Administrator<'_>,
        now: Timestamp,
    ) -> Result<WipeOrder> {
        let (person, behind) = (by.to_owned(), behind.clone());
        let confirm = move |wiping: &mut Wiping| {
            let record = &mut wiping.order(number)?.record;
            if !record.waits_for_second() {
                return Err(Refused::WaitsForNobody(number).into());
            }
            two::people(record, (&person, &behind))?;
            record.confirmed = Some((person.clone(), now));
            begin(wiping, number, now)?;
            Ok(wiping.order(number)?.clone())
        };
        let device = self.store.wipe_order(number).await?.device;
        let order = self.store.change_wiping(&device, confirm).await?;
        self.parking.end_device(&device);
        tracing::warn!(number, by, "a wipe was confirmed");
        Ok(order)
    }

    /// Calls an order off. One that the device was told of may be carried out all the same.
    ///
    /// # Errors
    /// The store's, or that it is over.
    pub async fn cancel(&self, number: u64, by: &str, now: Timestamp) -> Result<WipeOrder> {
        let person = by.to_owned();
        let cancel = move |wiping: &mut Wiping| {
            let order = wiping.order(number)?;
            if !order.record.is_open() {
                return Err(Refused::Over(number).into());
            }
            let waited = order.record.waits_for_second();
            order.record.cancelled = Some((person.clone(), now));
            let order = order.clone();
            if !waited && wiping.wipe.is_some_and(|wipe| wipe.is_under_way()) {
                wiping.wipe = Some(Wipe::None);
            }
            Ok(order)
        };
        let device = self.store.wipe_order(number).await?.device;
        let order = self.store.change_wiping(&device, cancel).await?;
        tracing::warn!(number, by, "a wipe was called off");
        Ok(order)
    }

    /// Calls off what is open for a device, which is then told of no wipe.
    ///
    /// # Errors
    /// The store's, or that there is no such device.
    pub async fn call_off_all(&self, key: &DeviceKey, by: &str, now: Timestamp) -> Result<()> {
        let (device, person) = (key.clone(), by.to_owned());
        let call_off = move |wiping: &mut Wiping| {
            *wiping.wipe.as_mut().ok_or_else(|| no_device(&device))? = Wipe::None;
            let open = wiping.orders.iter_mut().filter(|order| order.record.is_open());
            let called_off = open.map(|order| {
                order.record.cancelled = Some((person.clone(), now));
                order.number
            });
            Ok(called_off.collect::<Vec<_>>())
        };
        let numbers = self.store.change_wiping(key, call_off).await?;
        tracing::warn!(user = %key.user, device = %key.device, ?numbers, by, "wipes were called off");
        Ok(())
    }

    /// The orders of a device, or of all, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn orders(&self, device: Option<&DeviceKey>) -> Result<Vec<WipeOrder>> {
        self.store.wipe_orders(device).await
    }

    /// Those before the one of this number, the newest first, a thousand at a time.
    ///
    /// # Errors
    /// The store's.
    pub async fn orders_before(&self, number: u64) -> Result<Vec<WipeOrder>> {
        self.store.wipe_orders_before(number).await
    }

    /// The one of this number.
    ///
    /// # Errors
    /// The store's, or that there is none.
    pub async fn order_of(&self, number: u64) -> Result<WipeOrder> {
        self.store.wipe_order(number).await
    }

    /// Those that wait for a second administrator, the newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn waiting(&self) -> Result<Vec<WipeOrder>> {
        self.store.wipe_orders_waiting().await
    }

    /// How many they are.
    ///
    /// # Errors
    /// The store's.
    pub async fn count_waiting(&self) -> Result<u64> {
        self.store.count_wipe_orders_waiting().await
    }

    /// The receipt of an order as it stands, signed.
    ///
    /// # Errors
    /// The store's, or that it cannot be signed.
    pub async fn receipt(&self, number: u64, now: Timestamp) -> Result<SignedReceipt> {
        let order = self.store.wipe_order(number).await?;
        let receipt = Receipt::of(&order, &self.host, now);
        let signed = receipt.sign(&self.authority);
        signed.map_err(|error| {
            Error::Refused(format!("the receipt cannot be signed: {error}").into())
        })
    }

    /// Notes that a device is told, and says whether it is to be: the order may have been called off
    /// meanwhile.
    pub(crate) async fn tell(
        &self,
        key: &DeviceKey,
        kind: WipeKind,
        now: Timestamp,
    ) -> Result<bool> {
        let tell = move |wiping: &mut Wiping| {
            let wanted = match wiping.wipe {
                Some(Wipe::Requested { kind, .. } | Wipe::Sent { kind, .. }) => Some(kind),
                _ => None,
            };
            if wanted != Some(kind) {
                return Ok(false);
            }
            wiping.wipe = Some(Wipe::Sent { kind, at: later(wiping.wipe, now) });
            if let Some(record) = told(wiping) {
                record.told.get_or_insert(now);
            }
            Ok(true)
        };
        self.store.change_wiping(key, tell).await
    }

    /// Notes that a device said that it does it.
    pub(crate) async fn acknowledged(
        &self,
        key: &DeviceKey,
        kind: WipeKind,
        now: Timestamp,
    ) -> Result<()> {
        let acknowledge = move |wiping: &mut Wiping| {
            wiping.wipe = Some(Wipe::Acknowledged { kind, at: later(wiping.wipe, now) });
            if let Some(record) = told(wiping) {
                record.acknowledged = Some(now);
            }
            Ok(())
        };
        self.store.change_wiping(key, acknowledge).await
    }

    /// Notes that a device said that it could not.
    pub(crate) async fn failed(&self, key: &DeviceKey, now: Timestamp) -> Result<()> {
        let fail = move |wiping: &mut Wiping| {
            if let Some(record) = told(wiping) {
                record.failed = Some(now);
            }
            Ok(())
        };
        self.store.change_wiping(key, fail).await
    }
}

/// From now on the device is told. This order takes the place of any other of the device; a user's own
/// not of one that waits for an administrator, who may want more erased.
fn begin(wiping: &mut Wiping, number: u64, now: Timestamp) -> Result<()> {
    let begun = wiping.order(number)?.clone();
    let wipe = wiping.wipe.as_mut().ok_or_else(|| no_device(&begun.device))?;
    *wipe = Wipe::Requested { kind: begun.record.kind, at: now };
    for WipeOrder { number: other, record, .. } in &mut wiping.orders {
        let stays = begun.record.own && record.waits_for_second();
        if record.is_open() && *other != number && !stays {
            record.cancelled = Some((format!("order {number}"), now));
        }
    }
    Ok(())
}

/// This moment, or that of the step before it: an edge's clock may be behind that of the server which
/// gave the order.
fn later(before: Option<Wipe>, now: Timestamp) -> Timestamp {
    before.and_then(|wipe| wipe.at()).map_or(now, |at| at.max(now))
}

/// The order that a device is told of.
fn told(wiping: &mut Wiping) -> Option<&mut WipeRecord> {
    let mut records = wiping.orders.iter_mut().map(|order| &mut order.record);
    records.find(|record| record.is_open() && !record.waits_for_second())
}

fn no_device(key: &DeviceKey) -> Error {
    Error::NotFound(format!("device {} of {}", key.device, key.user))
}
