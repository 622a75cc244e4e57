//! At which connector a device's states are, where they are not here.

use crate::session::{Row, Session, values};
use crate::{Result, Store};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;

const PLACES: &str =
    "SELECT user_id, device_id, place, since FROM device_place ORDER BY user_id, device_id";
const PUT: &str = "INSERT INTO device_place (user_id, device_id, place, since) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, device_id) DO UPDATE \
     SET place = excluded.place, since = excluded.since";
const END: &str = "DELETE FROM device_place WHERE user_id = $1 AND device_id = $2";

/// Where a device's states are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// At which connector, by its name.
    pub connector: String,
    /// Since when.
    pub since: Timestamp,
}

/// Drops a device's place, for [`Store::remove_device`].
pub(crate) fn forget_place(session: &Session<'_>, device: &DeviceKey) -> Result<()> {
    session.execute(END, values![device.user.as_str(), device.device.as_str()])?;
    Ok(())
}

impl Store {
    /// All devices whose states are at a connector, by user and device, and where each is.
    ///
    /// # Errors
    /// The database's.
    pub async fn places(&self) -> Result<Vec<(DeviceKey, Place)>> {
        let place = |row: &Row<'_>| {
            let (user, device): (String, String) = (row.get(0)?, row.get(1)?);
            let key = DeviceKey { user: UserId::from(user), device: DeviceId::from(device) };
            Ok((key, Place { connector: row.get(2)?, since: row.get(3)? }))
        };
        self.read(move |session| session.query(PLACES, values![], place)).await
    }

    /// A device's states are there from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_place(&self, device: &DeviceKey, place: &Place) -> Result<()> {
        let (device, place) = (device.clone(), place.clone());
        self.write(move |session| {
            let (user, id) = (device.user.as_str(), device.device.as_str());
            session.execute(PUT, values![user, id, &place.connector, place.since])?;
            Ok(())
        })
        .await
    }

    /// A device's states are here from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_place(&self, device: &DeviceKey) -> Result<()> {
        let device = device.clone();
        self.write(move |session| forget_place(session, &device)).await
    }
}
