//! A state store in memory: the reference the database is measured by, for tests and trials.

use crate::{
    Coming, DeviceKey, FolderNo, Journal, Slot, StateStore, StoreError, SubmissionLife,
    TRACE_LIMIT, TraceEntry,
};
use async_trait::async_trait;
use dme_mailbox::Submitted;
use dme_model::{CollectionId, Timestamp, UserId};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A [`StateStore`] that forgets everything when it is dropped. It counts its writes, and fails at one
/// when told to.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    writes: AtomicUsize,
    coming: Mutex<Option<Coming>>,
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
    /// How often it was written to since this was asked last.
    pub fn take_writes(&self) -> usize {
        self.writes.swap(0, Ordering::SeqCst)
    }

    /// Has a write to come fail.
    pub fn fail(&self, coming: Coming) {
        *self.coming() = Some(coming);
    }

    /// Fails no more; says whether the failure was still to come.
    pub fn heal(&self) -> bool {
        self.coming().take().is_some()
    }

    fn coming(&self) -> MutexGuard<'_, Option<Coming>> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, act: impl FnOnce(&mut Tables) -> T) -> Result<T, StoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        let error = || StoreError("the database is away".into());
        let lost = Coming::one_more(&mut self.coming(), error)?;
        let answer = act(&mut self.tables());
        lost.map_or(Ok(answer), Err)
    }

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
        self.write(|tables| {
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
            answer
        })
    }

    async fn renumber_folders(
        &self,
        user: &UserId,
        folders: &[(FolderNo, CollectionId)],
    ) -> Result<(), StoreError> {
        self.write(|tables| {
            let numbers = tables.folders.entry(user.clone()).or_default();
            numbers.collections.retain(|_, id| folders.iter().all(|(_, new)| new != id));
            numbers.collections.extend(folders.iter().cloned());
        })
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
        self.write(|tables| {
            tables.states.entry(device.clone()).or_default().insert(slot, state);
        })
    }

    async fn clear(&self, device: &DeviceKey, slot: Slot) -> Result<(), StoreError> {
        self.write(|tables| {
            if let Some(slots) = tables.states.get_mut(device) {
                slots.remove(&slot);
            }
        })
    }

    async fn resync_device(&self, device: &DeviceKey) -> Result<(), StoreError> {
        self.write(|tables| {
            tables.states.remove(device);
        })
    }

    async fn begin_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        now: Timestamp,
        life: SubmissionLife,
    ) -> Result<Journal, StoreError> {
        self.write(|tables| {
            let place = (device.clone(), key.to_owned());
            match tables.journal.get(&place) {
                Some(act) if act.begun >= now.minus(life.0) => match &act.sent {
                    Some(sent) if sent.unfinished => {
                        Journal::Unfinished { since: act.begun, sent: sent.clone() }
                    }
                    Some(sent) => Journal::Sent(sent.clone()),
                    None => Journal::Uncertain { since: act.begun },
                },
                _ => {
                    tables.journal.insert(place, Act { begun: now, sent: None });
                    Journal::Begun
                }
            }
        })
    }

    async fn finish_submission(
        &self,
        device: &DeviceKey,
        key: &str,
        sent: &Submitted,
    ) -> Result<(), StoreError> {
        self.write(|tables| {
            if let Some(act) = tables.journal.get_mut(&(device.clone(), key.to_owned())) {
                act.sent = Some(sent.clone());
            }
        })
    }

    async fn cancel_submission(&self, device: &DeviceKey, key: &str) -> Result<(), StoreError> {
        self.write(|tables| {
            tables.journal.remove(&(device.clone(), key.to_owned()));
        })
    }

    async fn record(&self, device: &DeviceKey, entries: &[TraceEntry]) -> Result<(), StoreError> {
        self.write(|tables| {
            let trace = tables.traces.entry(device.clone()).or_default();
            for entry in entries {
                trace.push_front(entry.clone());
            }
            trace.truncate(TRACE_LIMIT);
        })
    }

    async fn trace(&self, device: &DeviceKey) -> Result<Vec<TraceEntry>, StoreError> {
        Ok(self.tables().traces.get(device).into_iter().flatten().cloned().collect())
    }

    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(|tables| {
            let was = tables.journal.len();
            tables.journal.retain(|_, act| act.begun >= before);
            (was - tables.journal.len()) as u64
        })
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
