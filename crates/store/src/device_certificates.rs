//! Certificates that phones show, one for each device.

use crate::session::{Row, Session, values};
use crate::{Error, Result, Store};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;

/// What is known of a certificate for one device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceCertificate {
    /// Whose it is.
    pub user: UserId,
    /// Its number among its user's; never given twice while a later one is there.
    pub number: i64,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// What its user calls it.
    pub label: String,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
    /// The device that it is bound to, and since when; none where it was never used.
    pub device: Option<(DeviceId, Timestamp)>,
    /// When it was taken back, if it was.
    pub revoked: Option<Timestamp>,
    /// When its user was told of its end, where that comes soon.
    pub noticed: Option<Timestamp>,
}

/// A certificate that was just made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewCertificate {
    /// The SHA-256 of its key, in hexadecimal digits.
    pub fingerprint: String,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// What its user calls it.
    pub label: String,
    /// When it was made.
    pub made: Timestamp,
    /// When it ends.
    pub ends: Timestamp,
}

const OF_USER: &str = "SELECT user_id, n, serial, label, made, ends, device_id, bound, revoked, \
     noticed FROM device_certificate WHERE user_id = $1 AND revoked IS NULL ORDER BY n";
const SHOWN: &str = "SELECT user_id, n, serial, label, made, ends, device_id, bound, revoked, \
     noticed FROM device_certificate WHERE fingerprint = $1";
const NEXT: &str = "SELECT COALESCE(MAX(n), 0) + 1, \
     COUNT(CASE WHEN revoked IS NULL AND ends > $1 THEN 1 END) \
     FROM device_certificate WHERE user_id = $2";
const PUT: &str = "INSERT INTO device_certificate \
     (user_id, n, fingerprint, serial, label, made, ends) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const BIND: &str = "UPDATE device_certificate SET device_id = $1, bound = $2 \
     WHERE user_id = $3 AND n = $4 AND device_id IS NULL";
const BOUND: &str = "SELECT device_id FROM device_certificate WHERE user_id = $1 AND n = $2";
const REVOKE: &str = "UPDATE device_certificate SET revoked = $1 \
     WHERE user_id = $2 AND n = $3 AND revoked IS NULL";
const REVOKE_OF: &str = "UPDATE device_certificate SET revoked = $1 \
     WHERE user_id = $2 AND device_id = $3 AND revoked IS NULL";
const NOTICE: &str = "UPDATE device_certificate SET noticed = $1 \
     WHERE user_id = $2 AND n = $3 AND noticed IS NULL";
const EXPIRE: &str = "DELETE FROM device_certificate WHERE ends < $1";

fn certificate(row: &Row<'_>) -> Result<DeviceCertificate> {
    let (device, bound): (Option<String>, Option<Timestamp>) = (row.get(6)?, row.get(7)?);
    Ok(DeviceCertificate {
        user: UserId::from(row.get::<String>(0)?),
        number: row.get(1)?,
        serial: row.get(2)?,
        label: row.get(3)?,
        made: row.get(4)?,
        ends: row.get(5)?,
        device: device.map(DeviceId::from).zip(bound),
        revoked: row.get(8)?,
        noticed: row.get(9)?,
    })
}

/// Takes back what is bound to a device.
pub(crate) fn revoke_certificates_of(
    session: &Session<'_>,
    key: &DeviceKey,
    now: Timestamp,
) -> Result<()> {
    let place = values![now, key.user.as_str(), key.device.as_str()];
    session.execute(REVOKE_OF, place)?;
    Ok(())
}

impl Store {
    /// The certificates of a user that were not taken back.
    ///
    /// # Errors
    /// The database's.
    pub async fn device_certificates(&self, user: &UserId) -> Result<Vec<DeviceCertificate>> {
        let user = user.clone();
        self.read(move |session| session.query(OF_USER, values![user.as_str()], certificate)).await
    }

    /// Enters a new one and gives its number; none where the user has `limit` good ones already.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_device_certificate(
        &self,
        user: &UserId,
        new: NewCertificate,
        limit: u32,
    ) -> Result<Option<i64>> {
        let user = user.clone();
        self.write(move |session| {
            let counted = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (next, good): (i64, i64) =
                session.query_one(NEXT, values![new.made, user.as_str()], counted)?;
            if good >= i64::from(limit) {
                return Ok(None);
            }
            let NewCertificate { fingerprint, serial, label, made, ends } = &new;
            let row = values![user.as_str(), next, fingerprint, serial, label, *made, *ends];
            session.execute(PUT, row)?;
            Ok(Some(next))
        })
        .await
    }

    /// The certificate with a key of this fingerprint, be it good or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn device_certificate(&self, fingerprint: &str) -> Result<Option<DeviceCertificate>> {
        let sought = fingerprint.to_owned();
        let look = move |session: &Session<'_>| {
            session.query_optional(SHOWN, values![&sought], certificate)
        };
        self.look_up(look).await
    }

    /// Whether a certificate is this device's. One that is nobody's yet is from then on.
    ///
    /// # Errors
    /// The database's.
    pub async fn bind_device_certificate(
        &self,
        shown: &DeviceCertificate,
        device: &DeviceId,
        now: Timestamp,
    ) -> Result<bool> {
        if let Some((bound, _)) = &shown.device {
            return Ok(bound == device);
        }
        let (user, number, device) = (shown.user.clone(), shown.number, device.clone());
        self.write(move |session| {
            session.execute(BIND, values![device.as_str(), now, user.as_str(), number])?;
            // Another may have been the first meanwhile.
            let read = |row: &Row<'_>| row.get::<Option<String>>(0);
            let bound = session.query_optional(BOUND, values![user.as_str(), number], read)?;
            Ok(bound.flatten().as_deref() == Some(device.as_str()))
        })
        .await
    }

    /// Takes a certificate back.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn revoke_device_certificate(
        &self,
        user: &UserId,
        number: i64,
        now: Timestamp,
    ) -> Result<()> {
        let user = user.clone();
        self.write(move |session| {
            match session.execute(REVOKE, values![now, user.as_str(), number])? {
                0 => Err(Error::NotFound(format!("device certificate {number} of {user}"))),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Notes that its user is told of its end; whether that is for the first time.
    ///
    /// # Errors
    /// The database's.
    pub async fn notice_device_certificate(
        &self,
        user: &UserId,
        number: i64,
        now: Timestamp,
    ) -> Result<bool> {
        let user = user.clone();
        self.write(move |session| {
            Ok(session.execute(NOTICE, values![now, user.as_str(), number])? > 0)
        })
        .await
    }

    /// Forgets those that ended before this.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire_device_certificates(&self, before: Timestamp) -> Result<()> {
        self.write(move |session| session.execute(EXPIRE, values![before]).map(drop)).await
    }
}
