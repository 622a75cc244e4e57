//! Orders to wipe: who gave which when, and what came of it. They outlast the device.

use crate::devices::{set_wipe, wipe_of};
use crate::session::{Row, Session, Value, values};
use crate::states::{from_json, to_json};
use crate::{Error, Result, Store, Wipe, WipeKind};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;
use serde::{Deserialize, Serialize};

/// An order to wipe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WipeOrder {
    /// Its number.
    pub number: u64,
    /// Which device.
    pub device: DeviceKey,
    /// When it was asked for.
    pub requested: Timestamp,
    /// All else.
    pub record: WipeRecord,
}

/// Who stands behind a name in the record of an order, by which it is told whether two names are one
/// person's.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behind {
    /// This user of a directory, who is signed in.
    Person(UserId),
    /// A token that this user made.
    TokenOf(UserId),
    /// Whoever may read the server's directory: at the command line, by a link that was made there, or
    /// with the account for emergencies.
    Server,
    /// Nobody who is known: a token that belongs to nobody.
    Nobody,
}

/// What an order says, and how far it has come. Each moment is there from when it happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WipeRecord {
    /// Of what.
    pub kind: WipeKind,
    /// Who asked for it.
    pub by: String,
    /// Who that is; older releases did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
    /// Whether that is the device's own user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// What the device said of itself then: its type, user agent, and protocol version.
    pub client: [String; 3],
    /// What was said beforehand that it would erase.
    pub foretold: String,
    /// Whether another administrator must confirm it, as there were too many in the hour.
    pub needs_second: bool,
    /// Who confirmed it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<(String, Timestamp)>,
    /// Who called it off, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<(String, Timestamp)>,
    /// When the device was told first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
    /// When it said last that it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Timestamp>,
    /// When it said that it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Timestamp>,
}

impl WipeRecord {
    /// Whether it still waits: for a second administrator, or for the device.
    pub fn is_open(&self) -> bool {
        self.cancelled.is_none() && self.acknowledged.is_none()
    }

    /// Whether it waits for another administrator.
    pub fn waits_for_second(&self) -> bool {
        self.is_open() && self.needs_second && self.confirmed.is_none()
    }
}

/// What is known when an order is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WipesBefore {
    /// What was ordered lately, for whatever device.
    pub lately: Vec<WipeOrder>,
    /// What is open for this device, the newest first.
    pub open: Vec<WipeOrder>,
}

/// What becomes of an order that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WipeEntry {
    /// It is entered.
    New(Box<WipeRecord>),
    /// It is the one of this number, which is open.
    Same(u64),
}

/// All that concerns the wiping of one device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wiping {
    /// How far the device's wipe is; none where there is no such device.
    pub wipe: Option<Wipe>,
    /// Its orders, the newest first.
    pub orders: Vec<WipeOrder>,
}

impl Wiping {
    /// One of its orders.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn order(&mut self, number: u64) -> Result<&mut WipeOrder> {
        let found = self.orders.iter_mut().find(|order| order.number == number);
        found.ok_or_else(|| no_order(number))
    }
}

/// The most orders that are listed at once.
const LISTED: i64 = 1000;

const COLUMNS: &str = "n, user_id, device_id, requested, record";
const COUNT: &str = "SELECT COUNT(*) FROM wipe_order WHERE requested > $1 AND own = 0";
const WAIT: &str = "SELECT COUNT(*) FROM wipe_order WHERE waits = 1";
const LAST: &str = "SELECT COALESCE(MAX(n), 0) FROM wipe_order";
const PUT: &str = "INSERT INTO wipe_order (n, user_id, device_id, requested, record, waits, own) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const CHANGE: &str = "UPDATE wipe_order SET record = $1, waits = $2 WHERE n = $3";

fn read(row: &Row<'_>) -> Result<WipeOrder> {
    let text = |column| row.get::<String>(column);
    Ok(WipeOrder {
        number: row.get::<i64>(0)?.unsigned_abs(),
        device: DeviceKey { user: UserId::from(text(1)?), device: DeviceId::from(text(2)?) },
        requested: row.get(3)?,
        record: from_json(&text(4)?, "wipe_order.record")?,
    })
}

fn find(session: &Session<'_>, number: i64) -> Result<WipeOrder> {
    let query = format!("SELECT {COLUMNS} FROM wipe_order WHERE n = $1");
    let found = session.query_optional(&query, values![number], read)?;
    found.ok_or_else(|| no_order(number.unsigned_abs()))
}

fn no_order(number: u64) -> Error {
    Error::NotFound(format!("order to wipe {number}"))
}

/// A device's orders, the newest first.
fn orders_of(session: &Session<'_>, device: &DeviceKey) -> Result<Vec<WipeOrder>> {
    let query = format!(
        "SELECT {COLUMNS} FROM wipe_order WHERE user_id = $1 AND device_id = $2 ORDER BY n DESC"
    );
    session.query(&query, values![device.user.as_str(), device.device.as_str()], read)
}

/// Changes what concerns the wiping of a device, within a transaction.
fn change<T>(
    session: &Session<'_>,
    device: &DeviceKey,
    change: &dyn Fn(&mut Wiping) -> Result<T>,
) -> Result<T> {
    let before = Wiping { wipe: wipe_of(session, device)?, orders: orders_of(session, device)? };
    let mut after = before.clone();
    let done = change(&mut after)?;
    for order in after.orders.iter().filter(|order| !before.orders.contains(order)) {
        let text = to_json(&order.record, "wipe_order.record")?;
        let number = i64::try_from(order.number).unwrap_or(i64::MAX);
        session.execute(CHANGE, values![&text, order.record.waits_for_second(), number])?;
    }
    if let Some(wipe) = after.wipe.filter(|_| after.wipe != before.wipe) {
        set_wipe(session, device, wipe)?;
    }
    Ok(done)
}

impl Store {
    /// Enters an order, or finds that it is one that is open: answers it, and whether it is new.
    /// `decide` sees the orders since `hour_ago`, and what is open, in the same transaction, so that
    /// many at once are not more than may be; `then` changes there what comes of the order of this
    /// number, which is new or not.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is said to be one that is not there, or the database's.
    pub async fn enter_wipe_order(
        &self,
        device: &DeviceKey,
        requested: Timestamp,
        hour_ago: Timestamp,
        decide: impl Fn(&WipesBefore) -> WipeEntry + Send + 'static,
        then: impl Fn(&mut Wiping, u64, bool) -> Result<()> + Send + 'static,
    ) -> Result<(WipeOrder, bool)> {
        let device = device.clone();
        self.write(move |session| {
            let query = format!("SELECT {COLUMNS} FROM wipe_order WHERE requested > $1 ORDER BY n");
            let lately = session.query(&query, values![hour_ago], read)?;
            let mut open = orders_of(session, &device)?;
            open.retain(|order| order.record.is_open());
            let (number, is_new) = match decide(&WipesBefore { lately, open }) {
                WipeEntry::New(record) => {
                    let last: i64 = session.query_one(LAST, values![], |row| row.get(0))?;
                    let number = last.saturating_add(1);
                    let text = to_json(&record, "wipe_order.record")?;
                    let (user, id) = (device.user.as_str(), device.device.as_str());
                    let (waits, own) = (record.waits_for_second(), record.own);
                    session
                        .execute(PUT, values![number, user, id, requested, &text, waits, own])?;
                    (number.unsigned_abs(), true)
                }
                WipeEntry::Same(number) => (number, false),
            };
            let order = change(session, &device, &|wiping| {
                then(wiping, number, is_new)?;
                Ok(wiping.order(number)?.clone())
            })?;
            Ok((order, is_new))
        })
        .await
    }

    /// One order.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn wipe_order(&self, number: u64) -> Result<WipeOrder> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.look_up(move |session| find(session, number)).await
    }

    /// The orders of a device, or of all, the newest first; at most 1000.
    ///
    /// # Errors
    /// The database's.
    pub async fn wipe_orders(&self, device: Option<&DeviceKey>) -> Result<Vec<WipeOrder>> {
        let device = device.cloned();
        self.read(move |session| {
            let which = match &device {
                Some(_) => "WHERE user_id = $1 AND device_id = $2",
                None => "",
            };
            let query =
                format!("SELECT {COLUMNS} FROM wipe_order {which} ORDER BY n DESC LIMIT {LISTED}");
            let key: Vec<Value<'_>> = match &device {
                Some(key) => vec![key.user.as_str().into(), key.device.as_str().into()],
                None => Vec::new(),
            };
            session.query(&query, &key, read)
        })
        .await
    }

    /// Orders before the one of this number, the newest first; at most 1000.
    ///
    /// # Errors
    /// The database's.
    pub async fn wipe_orders_before(&self, number: u64) -> Result<Vec<WipeOrder>> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.read(move |session| {
            let query = format!(
                "SELECT {COLUMNS} FROM wipe_order WHERE n < $1 ORDER BY n DESC LIMIT {LISTED}"
            );
            session.query(&query, values![number], read)
        })
        .await
    }

    /// The orders that wait for a second administrator, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn wipe_orders_waiting(&self) -> Result<Vec<WipeOrder>> {
        self.read(move |session| {
            let query = format!("SELECT {COLUMNS} FROM wipe_order WHERE waits = 1 ORDER BY n DESC");
            session.query(&query, values![], read)
        })
        .await
    }

    /// How many they are.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_wipe_orders_waiting(&self) -> Result<u64> {
        let count = |row: &Row<'_>| row.get::<i64>(0);
        let all = self.read(move |session| session.query_one(WAIT, values![], count));
        Ok(u64::try_from(all.await?).unwrap_or(0))
    }

    /// How many orders administrators gave after this moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn count_wipe_orders(&self, after: Timestamp) -> Result<u64> {
        let count = |row: &Row<'_>| row.get::<i64>(0);
        let all = self.read(move |session| session.query_one(COUNT, values![after], count));
        Ok(u64::try_from(all.await?).unwrap_or(0))
    }

    /// Changes what concerns the wiping of a device as it stands at that moment, all in one
    /// transaction: nobody finds an order that its device is not told of, nor the other way round.
    /// `change` may be called again where another write was in the way.
    ///
    /// # Errors
    /// What `change` refuses, or the database's.
    pub async fn change_wiping<T: Send + 'static>(
        &self,
        device: &DeviceKey,
        change_it: impl Fn(&mut Wiping) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let device = device.clone();
        self.write(move |session| change(session, &device, &change_it)).await
    }
}
