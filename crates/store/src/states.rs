//! The engine's own tables: folder numbers, states, the journal of sending, the trace.

use crate::{Error, Result, SqliteStore};
use async_trait::async_trait;
use dme_mailbox::Submitted;
use dme_model::{CollectionId, Timestamp, UserId};
use dme_sync::{
    DeviceKey, FolderNo, Journal, Slot, StateStore, StoreError, SubmissionLife, TRACE_LIMIT,
    TraceEntry,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

const FOLDERS: &str =
    "SELECT no, collection FROM folder WHERE user_id = $1 AND collection IS NOT NULL ORDER BY no";
const FOLDER: &str = "SELECT collection FROM folder WHERE user_id = $1 AND no = $2";
const NUMBER: &str = "SELECT no FROM folder WHERE user_id = $1 AND collection = $2";
const LAST_NUMBER: &str = "SELECT COALESCE(MAX(no), 0) FROM folder WHERE user_id = $1";
const PUT_FOLDER: &str = "INSERT INTO folder (user_id, no, collection) VALUES ($1, $2, $3) \
     ON CONFLICT (user_id, no) DO UPDATE SET collection = excluded.collection";
const FREE_FOLDER: &str =
    "UPDATE folder SET collection = NULL WHERE user_id = $1 AND collection = $2";

const LOAD: &str = "SELECT state FROM sync_state \
     WHERE user_id = $1 AND device_id = $2 AND slot = $3 AND no = $4";
const LOAD_COLLECTION: &str = "SELECT folder.collection, sync_state.state FROM folder \
     LEFT JOIN sync_state ON sync_state.user_id = folder.user_id \
     AND sync_state.device_id = $1 AND sync_state.slot = $2 AND sync_state.no = folder.no \
     WHERE folder.user_id = $3 AND folder.no = $4 AND folder.collection IS NOT NULL";
const SAVE: &str = "INSERT INTO sync_state (user_id, device_id, slot, no, state) \
     VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (user_id, device_id, slot, no) DO UPDATE SET state = excluded.state";
const CLEAR: &str = "DELETE FROM sync_state \
     WHERE user_id = $1 AND device_id = $2 AND slot = $3 AND no = $4";
const RESYNC: &str = "DELETE FROM sync_state WHERE user_id = $1 AND device_id = $2";

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

/// Drops everything of a device in these tables but its journal, for [`SqliteStore::remove_device`].
pub(crate) fn forget(connection: &Connection, device: &DeviceKey) -> Result<()> {
    let key = params![device.user.as_str(), device.device.as_str()];
    connection.prepare_cached(RESYNC)?.execute(key)?;
    connection.prepare_cached(CUT_TRACE)?.execute(params![
        device.user.as_str(),
        device.device.as_str(),
        i64::MAX
    ])?;
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

fn number_one(
    connection: &Connection,
    user: &UserId,
    collection: &CollectionId,
) -> Result<FolderNo> {
    let (user, collection) = (user.as_str(), collection.as_str());
    let mut find = connection.prepare_cached(NUMBER)?;
    if let Some(no) = find.query_row([user, collection], |row| row.get(0)).optional()? {
        return number(no);
    }
    let last: i64 = connection.prepare_cached(LAST_NUMBER)?.query_row([user], |row| row.get(0))?;
    let no = last.saturating_add(1);
    connection.prepare_cached(PUT_FOLDER)?.execute(params![user, no, collection])?;
    number(no)
}

#[async_trait]
impl StateStore for SqliteStore {
    async fn folders(&self, user: &UserId) -> Result<Vec<(FolderNo, CollectionId)>, StoreError> {
        let user = user.clone();
        let read = self.read(move |connection| {
            let mut statement = connection.prepare_cached(FOLDERS)?;
            let rows = statement.query_map([user.as_str()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            rows.map(|row| {
                let (no, collection) = row?;
                Ok((number(no)?, CollectionId::from(collection)))
            })
            .collect()
        });
        Ok(read.await?)
    }

    async fn folder(
        &self,
        user: &UserId,
        no: FolderNo,
    ) -> Result<Option<CollectionId>, StoreError> {
        let read = self.look_up(|connection| {
            let mut statement = connection.prepare_cached(FOLDER)?;
            let found: Option<Option<String>> = statement
                .query_row(params![user.as_str(), i64::from(no.0)], |row| row.get(0))
                .optional()?;
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
        let write = self.write(move |connection| {
            collections.iter().map(|collection| number_one(connection, &user, collection)).collect()
        });
        Ok(write.await?)
    }

    async fn renumber_folders(
        &self,
        user: &UserId,
        folders: &[(FolderNo, CollectionId)],
    ) -> Result<(), StoreError> {
        let (user, folders) = (user.clone(), folders.to_vec());
        let write = self.write(move |connection| {
            // All are freed before any is given: two may have changed places.
            let mut free = connection.prepare_cached(FREE_FOLDER)?;
            for (_, collection) in &folders {
                free.execute([user.as_str(), collection.as_str()])?;
            }
            let mut put = connection.prepare_cached(PUT_FOLDER)?;
            for (no, collection) in &folders {
                put.execute(params![user.as_str(), i64::from(no.0), collection.as_str()])?;
            }
            Ok(())
        });
        Ok(write.await?)
    }

    async fn load(&self, device: &DeviceKey, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        let (slot, no) = slot.as_numbers();
        let read = self.look_up(|connection| {
            let key = params![device.user.as_str(), device.device.as_str(), slot, no];
            let mut statement = connection.prepare_cached(LOAD)?;
            Ok(statement.query_row(key, |row| row.get(0)).optional()?)
        });
        Ok(read.await?)
    }

    async fn load_collection(
        &self,
        device: &DeviceKey,
        no: FolderNo,
    ) -> Result<Option<(CollectionId, Option<Vec<u8>>)>, StoreError> {
        let (slot, no) = Slot::Collection(no).as_numbers();
        let read = self.look_up(|connection| {
            let key = params![device.device.as_str(), slot, device.user.as_str(), no];
            let mut statement = connection.prepare_cached(LOAD_COLLECTION)?;
            let found = statement
                .query_row(key, |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
                .optional()?;
            Ok(found.map(|(collection, state)| (CollectionId::from(collection), state)))
        });
        Ok(read.await?)
    }

    async fn save(&self, device: &DeviceKey, slot: Slot, state: Vec<u8>) -> Result<(), StoreError> {
        let device = device.clone();
        let (slot, no) = slot.as_numbers();
        let write = self.write(move |connection| {
            let row = params![device.user.as_str(), device.device.as_str(), slot, no, state];
            connection.prepare_cached(SAVE)?.execute(row)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn clear(&self, device: &DeviceKey, slot: Slot) -> Result<(), StoreError> {
        let device = device.clone();
        let (slot, no) = slot.as_numbers();
        let write = self.write(move |connection| {
            let key = params![device.user.as_str(), device.device.as_str(), slot, no];
            connection.prepare_cached(CLEAR)?.execute(key)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn resync_device(&self, device: &DeviceKey) -> Result<(), StoreError> {
        let device = device.clone();
        let write = self.write(move |connection| {
            let key = params![device.user.as_str(), device.device.as_str()];
            connection.prepare_cached(RESYNC)?.execute(key)?;
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
        let write = self.write(move |connection| {
            let key = params![device.user.as_str(), device.device.as_str(), act];
            let known: Option<(i64, Option<String>)> = connection
                .prepare_cached(ACT)?
                .query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            match known {
                Some((begun, sent)) if begun >= now.minus(life.0).as_millis() => match sent {
                    Some(sent) => {
                        let sent: Submitted = from_json(&sent, "submission.sent")?;
                        let since = Timestamp::from_millis(begun);
                        Ok(if sent.unfinished {
                            Journal::Unfinished { since, sent }
                        } else {
                            Journal::Sent(sent)
                        })
                    }
                    None => Ok(Journal::Uncertain { since: Timestamp::from_millis(begun) }),
                },
                _ => {
                    let (user, id) = (device.user.as_str(), device.device.as_str());
                    let row = params![user, id, act, now.as_millis()];
                    connection.prepare_cached(BEGIN)?.execute(row)?;
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
        let write = self.write(move |connection| {
            let row = params![sent, device.user.as_str(), device.device.as_str(), act];
            connection.prepare_cached(FINISH)?.execute(row)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn cancel_submission(&self, device: &DeviceKey, key: &str) -> Result<(), StoreError> {
        let (device, act) = (device.clone(), key.to_owned());
        let write = self.write(move |connection| {
            let key = params![device.user.as_str(), device.device.as_str(), act];
            connection.prepare_cached(CANCEL)?.execute(key)?;
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
        let write = self.write(move |connection| {
            let (user, id) = (device.user.as_str(), device.device.as_str());
            let mut n: i64 =
                connection.prepare_cached(LAST_TRACE)?.query_row([user, id], |row| row.get(0))?;
            let mut insert = connection.prepare_cached(RECORD)?;
            for entry in entries {
                n = n.saturating_add(1);
                insert.execute(params![user, id, n, entry])?;
            }
            let keep = i64::try_from(TRACE_LIMIT).unwrap_or(i64::MAX);
            let cut = params![user, id, n.saturating_sub(keep)];
            connection.prepare_cached(CUT_TRACE)?.execute(cut)?;
            Ok(())
        });
        Ok(write.await?)
    }

    async fn trace(&self, device: &DeviceKey) -> Result<Vec<TraceEntry>, StoreError> {
        let device = device.clone();
        let read = self.read(move |connection| {
            let mut statement = connection.prepare_cached(TRACE)?;
            let key = [device.user.as_str(), device.device.as_str()];
            let rows = statement.query_map(key, |row| row.get::<_, String>(0))?;
            rows.map(|row| from_json(&row?, "sync_trace.entry")).collect()
        });
        Ok(read.await?)
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        let write = self.write(move |connection| {
            let gone = connection.prepare_cached(EXPIRE)?.execute([before.as_millis()])?;
            Ok(gone as u64)
        });
        Ok(write.await?)
    }
}
