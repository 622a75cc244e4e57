//! What users make for themselves: passwords for one device each, names of their devices, links
//! with which a device is added.

use crate::device_certificates::revoke_certificates_of;
use crate::session::{Row, Session, values};
use crate::{Error, Result, Store};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;
use std::collections::BTreeMap;

/// A password for one device, without the password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DevicePassword {
    /// Its number among its user's; never given twice while a later one is there.
    pub number: i64,
    /// What its user calls it.
    pub label: String,
    /// When it was made.
    pub made: Timestamp,
    /// The device that it is bound to, and since when; none where it was never used.
    pub device: Option<(DeviceId, Timestamp)>,
}

/// Leave to add one device.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// Whose.
    pub user: UserId,
    /// What the user calls the device.
    pub label: String,
    /// Whether the device is given a password of its own.
    pub with_password: bool,
    /// Whether it is given a certificate.
    pub with_certificate: bool,
    /// Until when it holds.
    pub expires: Timestamp,
}

const PASSWORDS: &str = "SELECT n, label, made, device_id, bound FROM device_password \
     WHERE user_id = $1 ORDER BY n";
const NEXT: &str = "SELECT COALESCE(MAX(n), 0) + 1, COUNT(*) FROM device_password \
     WHERE user_id = $1";
const PUT: &str = "INSERT INTO device_password (user_id, n, hash, label, made) \
     VALUES ($1, $2, $3, $4, $5)";
const OWNER: &str = "SELECT user_id, device_id FROM device_password WHERE hash = $1";
const BIND: &str = "UPDATE device_password SET device_id = $1, bound = $2 \
     WHERE hash = $3 AND device_id IS NULL";
const REVOKE: &str = "DELETE FROM device_password WHERE user_id = $1 AND n = $2";
const REVOKE_OF: &str = "DELETE FROM device_password WHERE user_id = $1 AND device_id = $2";

const LABELS: &str = "SELECT device_id, label FROM device_label WHERE user_id = $1";
const LABEL: &str = "INSERT INTO device_label (user_id, device_id, label) VALUES ($1, $2, $3) \
     ON CONFLICT (user_id, device_id) DO UPDATE SET label = excluded.label";
const UNLABEL: &str = "DELETE FROM device_label WHERE user_id = $1 AND device_id = $2";

const INVITE: &str = "INSERT INTO invitation \
     (hash, user_id, label, with_password, with_certificate, expires) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const INVITED: &str = "SELECT user_id, label, with_password, with_certificate, expires \
     FROM invitation WHERE hash = $1";
const UNINVITE: &str = "DELETE FROM invitation WHERE hash = $1";
const EXPIRE: &str = "DELETE FROM invitation WHERE expires < $1";

fn password(row: &Row<'_>) -> Result<DevicePassword> {
    let (device, bound): (Option<String>, Option<Timestamp>) = (row.get(3)?, row.get(4)?);
    Ok(DevicePassword {
        number: row.get(0)?,
        label: row.get(1)?,
        made: row.get(2)?,
        device: device.map(DeviceId::from).zip(bound),
    })
}

/// Whose a password is, and which device it is bound to.
fn owner(session: &Session<'_>, hash: &str) -> Result<Option<(UserId, Option<DeviceId>)>> {
    session.query_optional(OWNER, values![hash], |row| {
        let (user, device): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        Ok((UserId::from(user), device.map(DeviceId::from)))
    })
}

fn revoke_of(session: &Session<'_>, key: &DeviceKey, now: Timestamp) -> Result<()> {
    session.execute(REVOKE_OF, values![key.user.as_str(), key.device.as_str()])?;
    revoke_certificates_of(session, key, now)
}

fn invitation(row: &Row<'_>) -> Result<Invitation> {
    Ok(Invitation {
        user: UserId::from(row.get::<String>(0)?),
        label: row.get(1)?,
        with_password: row.get(2)?,
        with_certificate: row.get(3)?,
        expires: row.get(4)?,
    })
}

impl Store {
    /// The passwords that a user made for devices.
    ///
    /// # Errors
    /// The database's.
    pub async fn device_passwords(&self, user: &UserId) -> Result<Vec<DevicePassword>> {
        let user = user.clone();
        self.read(move |session| session.query(PASSWORDS, values![user.as_str()], password)).await
    }

    /// Enters a new one by its hash and gives its number; none where the user has `limit` already.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_device_password(
        &self,
        user: &UserId,
        hash: &str,
        label: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let (user, hash, label) = (user.clone(), hash.to_owned(), label.to_owned());
        self.write(move |session| {
            let counted = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let (next, count): (i64, i64) =
                session.query_one(NEXT, values![user.as_str()], counted)?;
            if count >= i64::from(limit) {
                return Ok(None);
            }
            session.execute(PUT, values![user.as_str(), next, &hash, &label, now])?;
            Ok(Some(next))
        })
        .await
    }

    /// Whose the password of this hash is when this device shows it. The first device that does is
    /// the only one from then on. A request that names no device binds nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn device_password_owner(
        &self,
        hash: &str,
        device: Option<&DeviceId>,
        now: Timestamp,
    ) -> Result<Option<UserId>> {
        let sought = hash.to_owned();
        let found = self.look_up(move |session| owner(session, &sought)).await?;
        let (Some((user, bound)), Some(device)) = (&found, device) else {
            return Ok(found.map(|(user, _)| user));
        };
        if let Some(bound) = bound {
            return Ok((bound == device).then(|| user.clone()));
        }
        let (hash, device) = (hash.to_owned(), device.clone());
        self.write(move |session| {
            session.execute(BIND, values![device.as_str(), now, &hash])?;
            // Another may have been the first meanwhile.
            let found = owner(session, &hash)?;
            Ok(found.filter(|(_, bound)| bound.as_ref() == Some(&device)).map(|(user, _)| user))
        })
        .await
    }

    /// Takes a password back.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn revoke_device_password(&self, user: &UserId, number: i64) -> Result<()> {
        let user = user.clone();
        self.write(move |session| {
            match session.execute(REVOKE, values![user.as_str(), number])? {
                0 => Err(Error::NotFound(format!("device password {number} of {user}"))),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Takes back the passwords and certificates that are bound to a device.
    ///
    /// # Errors
    /// The database's.
    pub async fn revoke_of_device(&self, key: &DeviceKey, now: Timestamp) -> Result<()> {
        let key = key.clone();
        self.write(move |session| revoke_of(session, &key, now)).await
    }

    /// The same, and forgets what the device is called.
    ///
    /// # Errors
    /// The database's.
    pub async fn disown_device(&self, key: &DeviceKey, now: Timestamp) -> Result<()> {
        let key = key.clone();
        self.write(move |session| {
            session.execute(UNLABEL, values![key.user.as_str(), key.device.as_str()])?;
            revoke_of(session, &key, now)
        })
        .await
    }

    /// What a user calls their devices.
    ///
    /// # Errors
    /// The database's.
    pub async fn device_labels(&self, user: &UserId) -> Result<BTreeMap<DeviceId, String>> {
        let user = user.clone();
        self.read(move |session| {
            let label =
                |row: &Row<'_>| Ok((DeviceId::from(row.get::<String>(0)?), row.get::<String>(1)?));
            Ok(session.query(LABELS, values![user.as_str()], label)?.into_iter().collect())
        })
        .await
    }

    /// Calls a device so.
    ///
    /// # Errors
    /// The database's.
    pub async fn label_device(&self, key: &DeviceKey, label: &str) -> Result<()> {
        let (key, label) = (key.clone(), label.to_owned());
        self.write(move |session| {
            session.execute(LABEL, values![key.user.as_str(), key.device.as_str(), &label])?;
            Ok(())
        })
        .await
    }

    /// Keeps leave to add a device, by the hash of what opens it; what has expired is forgotten.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_invitation(
        &self,
        hash: &str,
        invitation: &Invitation,
        now: Timestamp,
    ) -> Result<()> {
        let (hash, one) = (hash.to_owned(), invitation.clone());
        self.write(move |session| {
            session.execute(EXPIRE, values![now])?;
            let (user, label) = (one.user.as_str(), &one.label);
            let (password, certificate) = (one.with_password, one.with_certificate);
            let row = values![&hash, user, label, password, certificate, one.expires];
            session.execute(INVITE, row)?;
            Ok(())
        })
        .await
    }

    /// The leave that this opens, while it holds; it is used up by that where `once`.
    ///
    /// # Errors
    /// The database's.
    pub async fn invitation(
        &self,
        hash: &str,
        now: Timestamp,
        once: bool,
    ) -> Result<Option<Invitation>> {
        let hash = hash.to_owned();
        let look = move |session: &Session<'_>| {
            let found = session.query_optional(INVITED, values![&hash], invitation)?;
            if once && found.is_some() {
                session.execute(UNINVITE, values![&hash])?;
            }
            Ok(found.filter(|one| now < one.expires))
        };
        if once { self.write(look).await } else { self.read(look).await }
    }
}
