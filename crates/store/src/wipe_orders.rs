//! Orders to wipe: who gave which when, and what came of it. They outlast the device.

use crate::states::{from_json, to_json};
use crate::{Error, Result, SqliteStore, WipeKind};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;
use rusqlite::{Connection, OptionalExtension, Row, params};
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

/// What an order says, and how far it has come. Each moment is there from when it happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WipeRecord {
    /// Of what.
    pub kind: WipeKind,
    /// Who asked for it.
    pub by: String,
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

/// The most orders that are listed.
const LISTED: i64 = 1000;

const COLUMNS: &str = "n, user_id, device_id, requested, record";
const LAST: &str = "SELECT COALESCE(MAX(n), 0) FROM wipe_order";
const PUT: &str = "INSERT INTO wipe_order (n, user_id, device_id, requested, record) \
     VALUES ($1, $2, $3, $4, $5)";
const CHANGE: &str = "UPDATE wipe_order SET record = $1 WHERE n = $2";

fn row(row: &Row<'_>) -> rusqlite::Result<(u64, DeviceKey, Timestamp, String)> {
    let (user, device): (String, String) = (row.get(1)?, row.get(2)?);
    Ok((
        row.get::<_, i64>(0)?.unsigned_abs(),
        DeviceKey { user: UserId::from(user), device: DeviceId::from(device) },
        Timestamp::from_millis(row.get(3)?),
        row.get(4)?,
    ))
}

fn read(
    (number, device, requested, record): (u64, DeviceKey, Timestamp, String),
) -> Result<WipeOrder> {
    let record = from_json(&record, "wipe_order.record")?;
    Ok(WipeOrder { number, device, requested, record })
}

fn find(connection: &Connection, number: i64) -> Result<WipeOrder> {
    let query = format!("SELECT {COLUMNS} FROM wipe_order WHERE n = $1");
    let found = connection.prepare_cached(&query)?.query_row([number], row).optional()?;
    found.map(read).transpose()?.ok_or_else(|| Error::NotFound(format!("order to wipe {number}")))
}

impl SqliteStore {
    /// Enters an order; answers it with its number. `decide` sees the orders since `hour_ago` in
    /// the same transaction, so that many at once are not more than may be.
    ///
    /// # Errors
    /// The database's.
    pub async fn enter_wipe_order(
        &self,
        device: &DeviceKey,
        requested: Timestamp,
        hour_ago: Timestamp,
        decide: impl FnOnce(&[WipeOrder]) -> WipeRecord + Send + 'static,
    ) -> Result<WipeOrder> {
        let device = device.clone();
        self.write(move |connection| {
            let query = format!("SELECT {COLUMNS} FROM wipe_order WHERE requested > $1 ORDER BY n");
            let mut statement = connection.prepare_cached(&query)?;
            let rows = statement.query_map([hour_ago.as_millis()], row)?;
            let lately = rows.map(|row| read(row?)).collect::<Result<Vec<_>>>()?;
            let record = decide(&lately);
            let last: i64 = connection.prepare_cached(LAST)?.query_row([], |row| row.get(0))?;
            let number = last.saturating_add(1);
            let (user, id) = (device.user.as_str(), device.device.as_str());
            let text = to_json(&record, "wipe_order.record")?;
            let values = params![number, user, id, requested.as_millis(), text];
            connection.prepare_cached(PUT)?.execute(values)?;
            Ok(WipeOrder { number: number.unsigned_abs(), device, requested, record })
        })
        .await
    }

    /// One order.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn wipe_order(&self, number: u64) -> Result<WipeOrder> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.look_up(move |connection| find(connection, number)).await
    }

    /// The orders of a device, or of all, the newest first; at most 1000.
    ///
    /// # Errors
    /// The database's.
    pub async fn wipe_orders(&self, device: Option<&DeviceKey>) -> Result<Vec<WipeOrder>> {
        let device = device.cloned();
        self.read(move |connection| {
            let which = match &device {
                Some(_) => "WHERE user_id = $1 AND device_id = $2",
                None => "",
            };
            let query =
                format!("SELECT {COLUMNS} FROM wipe_order {which} ORDER BY n DESC LIMIT {LISTED}");
            let mut statement = connection.prepare_cached(&query)?;
            let key = device.iter().flat_map(|key| [key.user.as_str(), key.device.as_str()]);
            let rows = statement.query_map(rusqlite::params_from_iter(key), row)?;
            rows.map(|row| read(row?)).collect()
        })
        .await
    }

    /// Changes an order as it stands at that moment; answers it.
    ///
    /// # Errors
    /// [`Error::NotFound`], what `change` refuses, or the database's.
    pub async fn change_wipe_order(
        &self,
        number: u64,
        change: impl FnOnce(&mut WipeRecord) -> Result<()> + Send + 'static,
    ) -> Result<WipeOrder> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.write(move |connection| {
            let mut order = find(connection, number)?;
            change(&mut order.record)?;
            let text = to_json(&order.record, "wipe_order.record")?;
            connection.prepare_cached(CHANGE)?.execute(params![text, number])?;
            Ok(order)
        })
        .await
    }
}
