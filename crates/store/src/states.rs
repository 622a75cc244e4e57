//! The engine's own tables: folder numbers, states, the journal of sending, the trace.

use crate::session::{Row, Session, values};
use crate::{Error, Result, Store};
use async_trait::async_trait;
use dme_mailbox::Submitted;
use dme_model::{CollectionId, Timestamp, UserId};
use dme_sync::{
    DeviceKey, FolderNo, Journal, Slot, StateStore, StoreError, SubmissionLife, TRACE_LIMIT,
    TraceEntry,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

const FOLDERS: &str =
    "SELECT no, collection FROM folder WHERE user_id = $1 AND collection IS NOT NULL ORDER BY no";
const FOLDER: &str = "SELECT collection FROM folder WHERE user_id = $1 AND no = $2";
const NUMBER: &str = "SELECT no FROM folder WHERE user_id = $1 AND collection = $2";
const LAST_NUMBER: &str = "SELECT COALESCE(MAX(no), 0) FROM folder WHERE user_id = $1";
pub(crate) const PUT_FOLDER: &str = "INSERT INTO folder (user_id, no, collection) VALUES ($1, $2, $3) \
     ON CONFLICT (user_id, no) DO UPDATE SET collection = excluded.collection";
const FREE_FOLDER: &str =
    "UPDATE folder SET collection = NULL WHERE user_id = $1 AND collection = $2";

const LOAD: &str = "SELECT state FROM sync_state \
     WHERE user_id = $1 AND device_id = $2 AND slot = $3 AND no = $4";
const LOAD_COLLECTION: &str = "SELECT folder.collection, sync_state.state FROM folder \
     LEFT JOIN sync_state ON sync_state.user_id = folder.user_id \
     AND sync_state.device_id = $1 AND sync_state.slot = $2 AND sync_state.no = folder.no \
     WHERE folder.user_id = $3 AND folder.no = $4 AND folder.collection IS NOT NULL";
pub(crate) const SAVE: &str = "INSERT INTO sync_state (user_id, device_id, slot, no, state) \
     VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (user_id, device_id, slot, no) DO UPDATE SET state = excluded.state";
const CLEAR: &str = "DELETE FROM sync_state \
     WHERE user_id = $1 AND device_id = $2 AND slot = $3 AND no = $4";
pub(crate) const RESYNC: &str = "DELETE FROM sync_state WHERE user_id = $1 AND device_id = $2";

const ACT: &str = "SELECT begun, sent FROM submission \
     WHERE user_id = $1 AND device_id = $2 AND act = $3";
const BEGIN: &str = "INSERT INTO submission (user_id, device_id, act, begun, sent) \
     VALUES ($1, $2, $3, $4, NULL) \
     ON CONFLICT (user_id, device_id, act) DO UPDATE SET begun = excluded.begun, sent = NULL";
const FINISH: &str =
    "UPDATE submission SET sent = $1 WHERE user_id = $2 AND device_id = $3 AND act = $4";
const CANCEL: &str = "DELETE FROM submission WHERE user_id = $1 AND device_id = $2 AND act = $3";
const EXPIRE: &str = "DELETE FROM submission WHERE begun < $1";

const LAST_TRACE: &str =
    "SELECT COALESCE(MAX(n), 0) FROM sync_trace WHERE user_id = $1 AND device_id = $2";
const RECORD: &str =
    "INSERT INTO sync_trace (user_id, device_id, n, entry) VALUES ($1, $2, $3, $4)";
const CUT_TRACE: &str = "DELETE FROM sync_trace WHERE user_id = $1 AND device_id = $2 AND n <= $3";
const TRACE: &str =
    "SELECT entry FROM sync_trace WHERE user_id = $1 AND device_id = $2 ORDER BY n DESC";

/// Drops everything of a device in these tables but its journal, for [`Store::remove_device`].
pub(crate) fn forget(session: &Session<'_>, device: &DeviceKey) -> Result<()> {
    let (user, id) = (device.user.as_str(), device.device.as_str());
    session.execute(RESYNC, values![user, id])?;
    session.execute(CUT_TRACE, values![user, id, i64::MAX])?;
    Ok(())
}

pub(crate) fn to_json<T: Serialize>(value: &T, place: &'static str) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::Unreadable { place, reason: error.to_string() })
}

pub(crate) fn from_json<T: DeserializeOwned>(text: &str, place: &'static str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::Unreadable { place, reason: error.to_string() })
}

fn number(no: i64) -> Result<FolderNo> {
    let no = u32::try_from(no)
        .map_err(|error| Error::Unreadable { place: "folder.no", reason: error.to_string() })?;
    Ok(FolderNo(no))
}

fn number_one(session: &Session<'_>, user: &UserId, collection: &CollectionId) -> Result<FolderNo> {
    let (user, collection) = (user.as_str(), collection.as_str());
    let found = session.query_optional(NUMBER, values![user, collection], |row| row.get(0))?;
    if let Some(no) = found {
        return number(no);
    }
    let last: i64 = session.query_one(LAST_NUMBER, values![user], |row| row.get(0))?;
    let no = last.saturating_add(1);
    session.execute(PUT_FOLDER, values![user, no, collection])?;
    number(no)
}

#[async_trait]
impl StateStore for Store {
    async fn folders(&self, user: &UserId) -> Result<Vec<(FolderNo, CollectionId)>, StoreError> {
        let user = user.clone();
        let read = self.read(move |session| {
            session.query(FOLDERS, values![user.as_str()], |row| {
                Ok((number(row.get(0)?)?, CollectionId::from(row.get::<String>(1)?)))
            })
        });
        Ok(read.await?)
    }

    async fn folder(
        &self,
        user: &UserId,
        no: FolderNo,
    ) -> Result<Option<CollectionId>, StoreError> {
        let user = user.clone();
        let read = self.look_up(move |session| {
            let found: Option<Option<String>> =
                session.query_optional(FOLDER, values![user.as_str(), no.0], |row| row.get(0))?;
            Ok(found.flatten().map(CollectionId::from))
        });
        Ok(read.await?)
    }

    async fn number_folders(
        &self,
        user: &UserId,
        collections: &[CollectionId],
    ) -> Result<Vec<FolderNo>, StoreError> {
        let (user, collections) = (user.clone(), collections.to_vec());
        let write = self.write(move |session| {
            collections.iter().map(|collection| number_one(session, &user, collection)).collect()
        });
        Ok(write.await?)
    }

    async fn renumber_folders(
        &self,
        user: &UserId,
        folders: &[(FolderNo, CollectionId)],
    ) -> Result<(), StoreError> {
        let (user, folders) = (user.clone(), folders.to_vec());
        let write = self.write(move |session| {
            // All are freed before any is given: two may have changed places.
            for (_, collection) in &folders {
                session.execute(FREE_FOLDER, values![user.as_str(), collection.as_str()])?;
            }
            for (no, collection) in &folders {
                session.execute(PUT_FOLDER, values![user.as_str(), no.0, collection.as_str()])?;
            }
            Ok(())
        });
        Ok(write.await?)
    }

    async fn load(&self, device: &DeviceKey, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        let (slot, no) = slot.as_numbers();
        let device = device.clone();
        let read = self.look_up(move |session| {
            let key = values![device.user.as_str(), device.device.as_str(), slot, no];
            session.query_optional(LOAD, key, |row| row.get(0))
        });
        Ok(read.await?)
    }

    async fn load_collection(
        &self,
        device: &DeviceKey,
        no: FolderNo,
    ) -> Result<Option<(CollectionId, Option<Vec<u8>>)>, StoreError> {
        let (slot, no) = Slot::Collection(no).as_numbers();
        let device = device.clone();
        let read = self.look_up(move |session| {
            let key = values![device.device.as_str(), slot, device.user.as_str(), no];
            session.query_optional(LOAD_COLLECTION, key, |row| {
                Ok((CollectionId::from(row.get::<String>(0)?), row.get(1)?))
            })
        });
        Ok(read.await?)
    }

    async fn save(&self, device: &DeviceKey, slot: Slot, state: Vec<u8>) -> Result<(), StoreError> {
        let device = device.clone();
        let (slot, no) = slot.as_numbers();
        let write = self.write(move |session| {
            let (user, id) = (device.user.as_str(), device.device.as_str());
            session.execute(SAVE, values![user, id, slot, no, &state[..]])?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn clear(&self, device: &DeviceKey, slot: Slot) -> Result<(), StoreError> {
        let device = device.clone();
        let (slot, no) = slot.as_numbers();
        let write = self.write(move |session| {
            let (user, id) = (device.user.as_str(), device.device.as_str());
            session.execute(CLEAR, values![user, id, slot, no])?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn resync_device(&self, device: &DeviceKey) -> Result<(), StoreError> {
        let device = device.clone();
        let write = self.write(move |session| {
            let key = values![device.user.as_str(), device.device.as_str()];
            session.execute(RESYNC, key)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn begin_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        now: Timestamp,
        life: SubmissionLife,
    ) -> Result<Journal, StoreError> {
        let (device, act) = (device.clone(), key.to_owned());
        let write = self.write(move |session| {
            let (user, id) = (device.user.as_str(), device.device.as_str());
            let known = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let known: Option<(Timestamp, Option<String>)> =
                session.query_optional(ACT, values![user, id, &act], known)?;
            match known {
                Some((since, sent)) if since >= now.minus(life.0) => match sent {
                    Some(sent) => {
                        let sent: Submitted = from_json(&sent, "submission.sent")?;
                        Ok(if sent.unfinished {
                            Journal::Unfinished { since, sent }
                        } else {
                            Journal::Sent(sent)
                        })
                    }
                    None => Ok(Journal::Uncertain { since }),
                },
                _ => {
                    session.execute(BEGIN, values![user, id, &act, now])?;
                    Ok(Journal::Begun)
                }
            }
        });
        Ok(write.await?)
    }

    async fn finish_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        sent: &Submitted,
    ) -> Result<(), StoreError> {
        let (device, act) = (device.clone(), key.to_owned());
        let sent = to_json(sent, "submission.sent")?;
        let write = self.write(move |session| {
            let row = values![&sent, device.user.as_str(), device.device.as_str(), &act];
            session.execute(FINISH, row)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn cancel_submission(&self, device: &DeviceKey, key: &str) -> Result<(), StoreError> {
        let (device, act) = (device.clone(), key.to_owned());
        let write = self.write(move |session| {
            let key = values![device.user.as_str(), device.device.as_str(), &act];
            session.execute(CANCEL, key)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn record(&self, device: &DeviceKey, entries: &[TraceEntry]) -> Result<(), StoreError> {
        let device = device.clone();
        let entries = entries
            .iter()
            .map(|entry| to_json(entry, "sync_trace.entry"))
            .collect::<Result<Vec<_>>>()?;
        let write = self.write(move |session| {
            let (user, id) = (device.user.as_str(), device.device.as_str());
            let mut n: i64 = session.query_one(LAST_TRACE, values![user, id], |row| row.get(0))?;
            for entry in &entries {
                n = n.saturating_add(1);
                session.execute(RECORD, values![user, id, n, entry])?;
            }
            let keep = i64::try_from(TRACE_LIMIT).unwrap_or(i64::MAX);
            session.execute(CUT_TRACE, values![user, id, n.saturating_sub(keep)])?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn trace(&self, device: &DeviceKey) -> Result<Vec<TraceEntry>, StoreError> {
        let device = device.clone();
        let read = self.read(move |session| {
            let key = values![device.user.as_str(), device.device.as_str()];
            let entry = |row: &Row<'_>| from_json(&row.get::<String>(0)?, "sync_trace.entry");
            session.query(TRACE, key, entry)
        });
        Ok(read.await?)
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.write(move |session| session.execute(EXPIRE, values![before])).await?)
    }
}
