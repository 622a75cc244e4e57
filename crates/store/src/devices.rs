//! The devices: what is known of them, as it is read and written.

mod copying;
mod device;
mod finding;

pub use device::{
    Admission, Applied, Decider, Decision, Device, Held, Hold, Newcomers, Order, Policy, PolicyKey,
    PolicyReply, Seen, Sighting, Waiting, Wipe, WipeKind,
};
pub use finding::{DeviceFilter, MOST_USERS};

use crate::books::forget_level;
use crate::places::forget_place;
use crate::session::{Row, Session, Value, values};
use crate::states::{forget, from_json, to_json};
use crate::{Error, Result, Store};
use dme_model::{DeviceId, Timestamp, UserId};
use dme_sync::DeviceKey;
use serde::Serialize;
use serde::de::DeserializeOwned;

const COLUMNS: &str = "user_id, device_id, device_type, user_agent, protocol, first_seen, \
     last_seen, admission, policy, wipe, information, notice_sent, decision, hold, commands";
const WHERE_KEY: &str = "WHERE user_id = $1 AND device_id = $2";
const FIRST_SEEN: &str = "INSERT INTO device (user_id, device_id, device_type, user_agent, \
     protocol, first_seen, last_seen, admission, policy, wipe, information, decision) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '{}', $11) \
     ON CONFLICT (user_id, device_id) DO NOTHING";
const COUNT: &str = "SELECT COUNT(*) FROM device WHERE user_id = $1";
const SEEN: &str = "UPDATE device SET device_type = $1, user_agent = $2, protocol = $3, \
     last_seen = $4 WHERE user_id = $5 AND device_id = $6";
const CHANGE: &str = "UPDATE device SET admission = $1, policy = $2, wipe = $3, \
     information = $4, notice_sent = $5, decision = $6, hold = $7, commands = $8 \
     WHERE user_id = $9 AND device_id = $10";
const SEEN_ELSEWHERE: &str = "UPDATE device SET last_seen = $1 \
     WHERE user_id = $2 AND device_id = $3 AND last_seen < $4";
const SET_WIPE: &str = "UPDATE device SET wipe = $1 WHERE user_id = $2 AND device_id = $3";
const REMOVE: &str = "DELETE FROM device WHERE user_id = $1 AND device_id = $2";

fn device(row: &Row<'_>) -> Result<Device> {
    let text = |column| row.get::<String>(column);
    Ok(Device {
        key: DeviceKey { user: UserId::from(text(0)?), device: DeviceId::from(text(1)?) },
        device_type: text(2)?,
        user_agent: text(3)?,
        protocol: text(4)?,
        first_seen: row.get(5)?,
        last_seen: row.get(6)?,
        admission: from_json(&text(7)?, "device.admission")?,
        policy: from_json(&text(8)?, "device.policy")?,
        wipe: from_json(&text(9)?, "device.wipe")?,
        information: text(10)?,
        notice_sent: row.get(11)?,
        decision: optional(row.get(12)?, "device.decision")?,
        hold: optional(row.get(13)?, "device.hold")?,
        // Nearly always empty.
        waiting: match text(14)?.as_str() {
            "[]" => Vec::new(),
            text => from_json(text, "device.commands")?,
        },
    })
}

fn optional<T: DeserializeOwned>(text: Option<String>, place: &'static str) -> Result<Option<T>> {
    text.map(|text| from_json(&text, place)).transpose()
}

fn optional_json<T: Serialize>(value: Option<&T>, place: &'static str) -> Result<Option<String>> {
    value.map(|value| to_json(value, place)).transpose()
}

/// What of a device is written down as JSON.
struct Written {
    admission: String,
    policy: String,
    wipe: String,
    decision: Option<String>,
    hold: Option<String>,
    waiting: String,
}

impl Written {
    fn of(device: &Device) -> Result<Self> {
        Ok(Self {
            admission: to_json(&device.admission, "device.admission")?,
            policy: to_json(&device.policy, "device.policy")?,
            wipe: to_json(&device.wipe, "device.wipe")?,
            decision: optional_json(device.decision.as_ref(), "device.decision")?,
            hold: optional_json(device.hold.as_ref(), "device.hold")?,
            waiting: to_json(&device.waiting, "device.commands")?,
        })
    }
}

fn find(session: &Session<'_>, key: &DeviceKey) -> Result<Option<Device>> {
    let query = format!("SELECT {COLUMNS} FROM device {WHERE_KEY}");
    session.query_optional(&query, values![key.user.as_str(), key.device.as_str()], device)
}

/// How far a device's wipe is; none where there is no such device.
pub(crate) fn wipe_of(session: &Session<'_>, key: &DeviceKey) -> Result<Option<Wipe>> {
    let query = format!("SELECT wipe FROM device {WHERE_KEY}");
    let place = values![key.user.as_str(), key.device.as_str()];
    session.query_optional(&query, place, |row| from_json(&row.get::<String>(0)?, "device.wipe"))
}

/// Sets how far it is.
pub(crate) fn set_wipe(session: &Session<'_>, key: &DeviceKey, wipe: Wipe) -> Result<()> {
    let text = to_json(&wipe, "device.wipe")?;
    let row = values![&text, key.user.as_str(), key.device.as_str()];
    changed(session.execute(SET_WIPE, row)?, key)
}

impl Store {
    /// Notes that a device came, and answers what is known of it; a new one is entered, unless its
    /// user has enough: counted in the same transaction, so that many at once are no more. One that
    /// [is as it was seen](Device::is_as_seen) is only read.
    ///
    /// # Errors
    /// The database's.
    pub async fn see_device(
        &self,
        key: &DeviceKey,
        sighting: &Sighting,
        newcomers: Newcomers,
        now: Timestamp,
    ) -> Result<Seen> {
        let (key, seen) = (key.clone(), sighting.clone());
        self.write(move |session| {
            let (user, id) = (key.user.as_str(), key.device.as_str());
            let Sighting { device_type: kind, user_agent: agent, protocol } = &seen;
            let known = find(session, &key)?;
            let is_new = known.is_none();
            if let Some(device) = known.filter(|device| device.is_as_seen(&seen, now)) {
                return Ok(Seen::Known(device));
            }
            if is_new {
                let others: i64 = session.query_one(COUNT, values![user], |row| row.get(0))?;
                if others >= i64::from(newcomers.per_user) {
                    return Ok(Seen::TooMany);
                }
            }
            let admission = to_json(&newcomers.admission, "device.admission")?;
            let policy = to_json(&Policy::default(), "device.policy")?;
            let wipe = to_json(&Wipe::None, "device.wipe")?;
            let decision = optional_json(newcomers.decision.as_ref(), "device.decision")?;
            let first = values![
                user,
                id,
                kind,
                agent,
                protocol,
                now,
                now,
                &admission,
                &policy,
                &wipe,
                decision.as_ref()
            ];
            session.execute(FIRST_SEEN, first)?;
            session.execute(SEEN, values![kind, agent, protocol, now, user, id])?;
            let device = find(session, &key)?;
            let device = device.ok_or_else(|| Error::NotFound(format!("device {id}")))?;
            Ok(if is_new { Seen::New(device) } else { Seen::Known(device) })
        })
        .await
    }

    /// Notes that a device was seen elsewhere, unless it is unknown or came later itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_seen(&self, key: &DeviceKey, at: Timestamp) -> Result<()> {
        let key = key.clone();
        self.write(move |session| {
            let row = values![at, key.user.as_str(), key.device.as_str(), at];
            session.execute(SEEN_ELSEWHERE, row).map(drop)
        })
        .await
    }

    /// One device.
    ///
    /// # Errors
    /// The database's.
    pub async fn device(&self, key: &DeviceKey) -> Result<Option<Device>> {
        let key = key.clone();
        self.look_up(move |session| find(session, &key)).await
    }

    /// A device that has to be there.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn known_device(&self, key: &DeviceKey) -> Result<Device> {
        self.device(key).await?.ok_or_else(|| not_found(key))
    }

    /// All devices, or those of one user, by user and device.
    ///
    /// # Errors
    /// The database's.
    pub async fn devices(&self, user: Option<&UserId>) -> Result<Vec<Device>> {
        let user = user.cloned();
        self.read(move |session| {
            let which = if user.is_some() { "WHERE user_id = $1" } else { "" };
            let order = "ORDER BY user_id, device_id";
            let query = format!("SELECT {COLUMNS} FROM device {which} {order}");
            let user = user.as_ref().map(|user| Value::from(user.as_str()));
            session.query(&query, user.as_slice(), device)
        })
        .await
    }

    /// Sets how far provisioning has come.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn set_policy(&self, key: &DeviceKey, policy: &Policy) -> Result<()> {
        self.set_text(key, "policy", to_json(policy, "device.policy")?).await
    }

    /// Sets what the device told of itself; JSON.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn set_information(&self, key: &DeviceKey, json: &str) -> Result<()> {
        self.set_text(key, "information", json.to_owned()).await
    }

    /// Changes a device as it stands at that moment, all in one transaction; answers it as it is
    /// then. What it says of each request stays as it is: that is seen only. `change` may be called
    /// again where another write was in the way.
    ///
    /// # Errors
    /// [`Error::NotFound`], what `change` refuses, or the database's.
    pub async fn change_device<T: Send + 'static>(
        &self,
        key: &DeviceKey,
        change: impl Fn(&mut Device) -> Result<T> + Send + 'static,
    ) -> Result<(Device, T)> {
        let key = key.clone();
        self.write(move |session| {
            let mut device = find(session, &key)?.ok_or_else(|| not_found(&key))?;
            let done = change(&mut device)?;
            let written = Written::of(&device)?;
            let row = values![
                &written.admission,
                &written.policy,
                &written.wipe,
                &device.information,
                device.notice_sent,
                written.decision.as_ref(),
                written.hold.as_ref(),
                &written.waiting,
                key.user.as_str(),
                key.device.as_str()
            ];
            session.execute(CHANGE, row)?;
            Ok((device, done))
        })
        .await
    }

    /// Forgets a device with all its states. If it comes again it is a new one. Its journal of
    /// sending stays until it expires.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the database's.
    pub async fn remove_device(&self, key: &DeviceKey) -> Result<()> {
        let key = key.clone();
        self.write(move |session| {
            forget(session, &key)?;
            forget_level(session, &key)?;
            forget_place(session, &key)?;
            let row = values![key.user.as_str(), key.device.as_str()];
            changed(session.execute(REMOVE, row)?, &key)
        })
        .await
    }

    async fn set_text(&self, key: &DeviceKey, column: &'static str, text: String) -> Result<()> {
        let key = key.clone();
        let set = format!("UPDATE device SET {column} = $1 WHERE user_id = $2 AND device_id = $3");
        self.write(move |session| {
            let row = values![&text, key.user.as_str(), key.device.as_str()];
            changed(session.execute(&set, row)?, &key)
        })
        .await
    }
}

fn changed(rows: u64, key: &DeviceKey) -> Result<()> {
    match rows {
        0 => Err(not_found(key)),
        _ => Ok(()),
    }
}

fn not_found(key: &DeviceKey) -> Error {
    Error::NotFound(format!("device {} of {}", key.device, key.user))
}
