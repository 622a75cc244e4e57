//! A state store in memory: the reference the database is measured by, for tests and trials.

use crate::{
    DeviceKey, FolderNo, Journal, Slot, StateStore, StoreError, SubmissionLife, TRACE_LIMIT,
    TraceEntry,
};
use async_trait::async_trait;
use dme_mailbox::Submitted;
use dme_model::{CollectionId, Timestamp, UserId};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A [`StateStore`] that forgets everything when it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    folders: HashMap<UserId, Numbers>,
    states: HashMap<DeviceKey, BTreeMap<Slot, Vec<u8>>>,
    journal: HashMap<(DeviceKey, String), Act>,
    traces: HashMap<DeviceKey, VecDeque<TraceEntry>>,
}

/// A user's folder numbers. One that stands for nothing any more is still not given again.
#[derive(Default)]
struct Numbers {
    last: u32,
    collections: BTreeMap<FolderNo, CollectionId>,
}

struct Act {
    begun: Timestamp,
    sent: Option<Submitted>,
}

impl MemoryStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn folders(&self, user: &UserId) -> Result<Vec<(FolderNo, CollectionId)>, StoreError> {
        let tables = self.tables();
        let Some(numbers) = tables.folders.get(user) else { return Ok(Vec::new()) };
        Ok(numbers.collections.iter().map(|(no, id)| (*no, id.clone())).collect())
    }

    async fn folder(
        &self,
        user: &UserId,
        no: FolderNo,
    ) -> Result<Option<CollectionId>, StoreError> {
        Ok(self.tables().folders.get(user).and_then(|n| n.collections.get(&no).cloned()))
    }

    async fn number_folders(
        &self,
        user: &UserId,
        collections: &[CollectionId],
    ) -> Result<Vec<FolderNo>, StoreError> {
        let mut tables = self.tables();
        let numbers = tables.folders.entry(user.clone()).or_default();
        let mut known: HashMap<CollectionId, FolderNo> =
            numbers.collections.iter().map(|(no, id)| (id.clone(), *no)).collect();
        let mut answer = Vec::with_capacity(collections.len());
        for collection in collections {
            let no = *known.entry(collection.clone()).or_insert_with(|| {
                numbers.last += 1;
                numbers.collections.insert(FolderNo(numbers.last), collection.clone());
                FolderNo(numbers.last)
            });
            answer.push(no);
        }
        Ok(answer)
    }

    async fn renumber_folders(
        &self,
        user: &UserId,
        folders: &[(FolderNo, CollectionId)],
    ) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let numbers = tables.folders.entry(user.clone()).or_default();
        numbers.collections.retain(|_, id| folders.iter().all(|(_, new)| new != id));
        numbers.collections.extend(folders.iter().cloned());
        Ok(())
    }

    async fn load(&self, device: &DeviceKey, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables().states.get(device).and_then(|slots| slots.get(&slot).cloned()))
    }

    async fn load_collection(
        &self,
        device: &DeviceKey,
        no: FolderNo,
    ) -> Result<Option<(CollectionId, Option<Vec<u8>>)>, StoreError> {
        let Some(collection) = self.folder(&device.user, no).await? else { return Ok(None) };
        Ok(Some((collection, self.load(device, Slot::Collection(no)).await?)))
    }

    async fn save(&self, device: &DeviceKey, slot: Slot, state: Vec<u8>) -> Result<(), StoreError> {
        self.tables().states.entry(device.clone()).or_default().insert(slot, state);
        Ok(())
    }

    async fn clear(&self, device: &DeviceKey, slot: Slot) -> Result<(), StoreError> {
        if let Some(slots) = self.tables().states.get_mut(device) {
            slots.remove(&slot);
        }
        Ok(())
    }

    async fn resync_device(&self, device: &DeviceKey) -> Result<(), StoreError> {
        self.tables().states.remove(device);
        Ok(())
    }

    async fn begin_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        now: Timestamp,
        life: SubmissionLife,
    ) -> Result<Journal, StoreError> {
        let mut tables = self.tables();
        let place = (device.clone(), key.to_owned());
        match tables.journal.get(&place) {
            Some(act) if act.begun >= now.minus(life.0) => Ok(match &act.sent {
                Some(sent) if sent.unfinished => {
                    Journal::Unfinished { since: act.begun, sent: sent.clone() }
                }
                Some(sent) => Journal::Sent(sent.clone()),
                None => Journal::Uncertain { since: act.begun },
            }),
            _ => {
                tables.journal.insert(place, Act { begun: now, sent: None });
                Ok(Journal::Begun)
            }
        }
    }

    async fn finish_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        sent: &Submitted,
    ) -> Result<(), StoreError> {
        if let Some(act) = self.tables().journal.get_mut(&(device.clone(), key.to_owned())) {
            act.sent = Some(sent.clone());
        }
        Ok(())
    }

    async fn cancel_submission(&self, device: &DeviceKey, key: &str) -> Result<(), StoreError> {
        self.tables().journal.remove(&(device.clone(), key.to_owned()));
        Ok(())
    }

    async fn record(&self, device: &DeviceKey, entries: &[TraceEntry]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let trace = tables.traces.entry(device.clone()).or_default();
        for entry in entries {
            trace.push_front(entry.clone());
        }
        trace.truncate(TRACE_LIMIT);
        Ok(())
    }

    async fn trace(&self, device: &DeviceKey) -> Result<Vec<TraceEntry>, StoreError> {
        Ok(self.tables().traces.get(device).into_iter().flatten().cloned().collect())
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let was = tables.journal.len();
        tables.journal.retain(|_, act| act.begun >= before);
        Ok((was - tables.journal.len()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn it_passes_the_suite() {
        for case in crate::store_suite::CASES {
            let done = (case.run)(&MemoryStore::default()).now_or_never();
            assert!(done.is_some(), "{} waits for something", case.name);
        }
    }
}
