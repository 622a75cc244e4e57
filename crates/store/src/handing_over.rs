//! What of a device goes from one front to another: all that its phone's next request depends on.
//!
//! The states of folders mean something only under the numbers that the phone knows them by.
//! These are the user's, not the device's, and each store gives its own: where two stores gave them
//! differently the phone must begin anew, or it would see one folder's items in another.

mod form;
mod numbering;

pub use form::UnfitStates;

use crate::session::{Row, Session, values};
use crate::states::{PUT_FOLDER, RESYNC, SAVE, from_json, to_json};
use crate::{Result, Store};
use dme_model::UserId;
use dme_sync::DeviceKey;
use form::{Act, SlotState};
use numbering::Numbering;
use serde::{Deserialize, Serialize};

const NUMBERS: &str = "SELECT no, collection FROM folder WHERE user_id = $1 ORDER BY no";
const SLOTS: &str = "SELECT slot, no, state FROM sync_state \
     WHERE user_id = $1 AND device_id = $2 ORDER BY slot, no";
const JOURNAL: &str = "SELECT act, begun, sent FROM submission \
     WHERE user_id = $1 AND device_id = $2 ORDER BY act";
const FORGET_UNSENT: &str =
    "DELETE FROM submission WHERE user_id = $1 AND device_id = $2 AND sent IS NULL";
const ENTER_ACT: &str = "INSERT INTO submission (user_id, device_id, act, begun, sent) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, device_id, act) DO UPDATE \
     SET begun = excluded.begun, sent = excluded.sent WHERE excluded.begun > submission.begun \
     OR (excluded.begun = submission.begun AND excluded.sent IS NOT NULL)";

/// All of a device that its phone's next request depends on: what it holds, its acts of sending,
/// and the numbers of its user's folders.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DeviceStates {
    folders: Numbering,
    slots: Vec<SlotState>,
    journal: Vec<Act>,
}

/// How a device's states were taken over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TakenOver {
    /// Its phone goes on as if nothing had happened.
    Whole,
    /// Folders are numbered otherwise here: the phone begins anew. What it sent is known
    /// nevertheless, so that nothing is sent twice.
    Anew,
}

fn numbering(session: &Session<'_>, user: &UserId) -> Result<Numbering> {
    let mut all = Numbering::default();
    let number = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    for (no, collection) in session.query(NUMBERS, values![user.as_str()], number)? {
        all.put(no, collection)?;
    }
    Ok(all)
}

fn states(session: &Session<'_>, device: &DeviceKey) -> Result<DeviceStates> {
    let key = values![device.user.as_str(), device.device.as_str()];
    let slot = |row: &Row<'_>| {
        Ok(SlotState { slot: row.get(0)?, no: row.get(1)?, state: row.get::<Vec<u8>>(2)?.into() })
    };
    let act = |row: &Row<'_>| {
        let sent: Option<String> = row.get(2)?;
        let sent = sent.map(|sent| from_json(&sent, "submission.sent")).transpose()?;
        Ok(Act { act: row.get(0)?, begun: row.get(1)?, sent })
    };
    Ok(DeviceStates {
        folders: numbering(session, &device.user)?,
        slots: session.query(SLOTS, key, slot)?,
        journal: session.query(JOURNAL, key, act)?,
    })
}

/// Enters what is new in a numbering that does not contradict the one here.
fn enter(session: &Session<'_>, user: &UserId, here: &Numbering, there: &Numbering) -> Result<()> {
    for (no, collection) in there.beyond(here) {
        let collection = collection.map(|collection| collection.as_str());
        session.execute(PUT_FOLDER, values![user.as_str(), no, collection])?;
    }
    Ok(())
}

/// Puts the journal in the place of the one here. An act that is known here to be out stays known
/// all the same, unless it was begun again there: whatever happened to the states, it was sent.
fn enter_journal(session: &Session<'_>, device: &DeviceKey, journal: &[Act]) -> Result<()> {
    let (user, id) = (device.user.as_str(), device.device.as_str());
    session.execute(FORGET_UNSENT, values![user, id])?;
    enter_acts(session, device, journal)
}

fn enter_acts(session: &Session<'_>, device: &DeviceKey, journal: &[Act]) -> Result<()> {
    let (user, id) = (device.user.as_str(), device.device.as_str());
    for Act { act, begun, sent } in journal {
        let sent = sent.as_ref().map(|sent| to_json(sent, "submission.sent")).transpose()?;
        session.execute(ENTER_ACT, values![user, id, act, *begun, sent])?;
    }
    Ok(())
}

impl Store {
    /// A device's states, as they stand.
    ///
    /// # Errors
    /// The database's.
    pub async fn states_of(&self, device: &DeviceKey) -> Result<DeviceStates> {
        let device = device.clone();
        // A transaction, though it changes nothing: all are of one moment.
        self.write(move |session| states(session, &device)).await
    }

    /// A device's states, which are here no more then. The user's folders keep their numbers, and the
    /// journal stays until it expires: were it lost on the way, what was sent could be sent twice.
    ///
    /// # Errors
    /// The database's.
    pub async fn give_up_states(&self, device: &DeviceKey) -> Result<DeviceStates> {
        let device = device.clone();
        self.write(move |session| {
            let given = states(session, &device)?;
            let key = values![device.user.as_str(), device.device.as_str()];
            session.execute(RESYNC, key)?;
            Ok(given)
        })
        .await
    }

    /// Takes over what a device has sent, and nothing else of it.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_over_journal(&self, device: &DeviceKey, states: &DeviceStates) -> Result<()> {
        let (device, states) = (device.clone(), states.clone());
        self.write(move |session| enter_acts(session, &device, &states.journal)).await
    }

    /// Puts a device's states in the place of those it has here, whole or not at all.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_over_states(
        &self,
        device: &DeviceKey,
        states: &DeviceStates,
    ) -> Result<TakenOver> {
        let (device, states) = (device.clone(), states.clone());
        self.write(move |session| {
            let (user, id) = (device.user.as_str(), device.device.as_str());
            session.execute(RESYNC, values![user, id])?;
            enter_journal(session, &device, &states.journal)?;
            let here = numbering(session, &device.user)?;
            if states.folders.contradicts(&here) {
                return Ok(TakenOver::Anew);
            }
            enter(session, &device.user, &here, &states.folders)?;
            for SlotState { slot, no, state } in &states.slots {
                session.execute(SAVE, values![user, id, *slot, *no, state.as_bytes()])?;
            }
            Ok(TakenOver::Whole)
        })
        .await
    }
}
