//! Sending again what a device holds already, because an administrator wants it (rule S6): one
//! item, or a folder. Nothing else of the device is touched.

use crate::collection::State;
use crate::locks::Lock;
use crate::{DeviceKey, Engine, FolderNo, Result, Slot, TraceEntry, TraceEvent};
use dme_model::{ItemId, Timestamp};

/// What came of an item that is to be sent again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The device loses it with its next Sync of the folder, and gets it anew.
    Sent,
    /// The device does not hold it: it never began the folder, or the item is not in it.
    NotHeld,
}

impl Engine {
    /// Has a device begin one folder anew: its key is unknown with its next Sync.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin_again(
        &self,
        device: &DeviceKey,
        folder: FolderNo,
        now: Timestamp,
    ) -> Result<()> {
        let slot = Slot::Collection(folder);
        let _one_at_a_time = self.locks.lock(Lock::State(device.clone(), slot)).await;
        self.store.clear(device, slot).await?;
        let reason = "an administrator had the folder begun anew".to_owned();
        let event = TraceEvent::Resync { reason };
        self.store.record(device, &[TraceEntry { at: now, folder, event }]).await?;
        Ok(())
    }

    /// Sends an item of a folder to a device again: it is taken away, and comes as new. Both
    /// generations are marked, so that it comes too where the device repeats a lost request.
    ///
    /// # Errors
    /// The store's.
    pub async fn send_again(
        &self,
        device: &DeviceKey,
        folder: FolderNo,
        item: &ItemId,
    ) -> Result<Again> {
        let slot = Slot::Collection(folder);
        let _one_at_a_time = self.locks.lock(Lock::State(device.clone(), slot)).await;
        let bytes = self.store.load(device, slot).await?;
        let Some(mut state) = bytes.as_deref().and_then(State::from_bytes) else {
            return Ok(Again::NotHeld);
        };
        if !state.current.known.contains(item) {
            return Ok(Again::NotHeld);
        }
        state.current.send_again(item);
        if let Some(previous) = &mut state.previous {
            previous.send_again(item);
        }
        self.store.save(device, slot, state.to_bytes()).await?;
        Ok(Again::Sent)
    }
}
