//! What a device holds, for somebody who looks: folder by folder, in numbers.

use crate::collection::State;
use crate::hierarchy::FolderEntry;
use crate::{DeviceKey, Engine, Result, Slot};

/// What a device holds of one folder that it was told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// The folder as the device knows it.
    pub folder: FolderEntry,
    /// How much of it; none where it never began the folder.
    pub held: Option<Held>,
}

/// How much of a folder a device holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Items that it has.
    pub items: u64,
    /// What it is still to be told.
    pub outstanding: u64,
    /// Items that it is shown a placeholder for (rule S5).
    pub placeholders: u64,
}

impl Engine {
    /// What a device holds of each folder that it was told of, in the folders' order.
    ///
    /// # Errors
    /// The store's.
    pub async fn holdings(&self, device: &DeviceKey) -> Result<Vec<Holding>> {
        let mut holdings = Vec::new();
        for folder in self.folders_of(device).await? {
            let state = self.store.load(device, Slot::Collection(folder.no)).await?;
            let state = state.as_deref().and_then(State::from_bytes);
            let held = state.map(|State { current, .. }| Held {
                items: current.known.len() as u64,
                outstanding: current.outstanding() as u64,
                placeholders: current.failed.len() as u64,
            });
            holdings.push(Holding { folder, held });
        }
        Ok(holdings)
    }
}
