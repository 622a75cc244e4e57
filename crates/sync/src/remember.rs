//! What a phone may leave out of its next request because it said it in the last one (empty and
//! `Partial` Sync, empty Ping; MS-ASCMD 2.2.1.21, 2.2.1.13).

use crate::{Changes, Deletion, Engine, FolderNo, Result, Session, Slot};
use dme_model::Class;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The last full Sync request, without keys (see [`Engine::current_key`]), options (remembered
/// with each collection) and commands.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LastSync {
    /// Its collections.
    pub collections: Vec<RememberedCollection>,
    /// How long the phone waits for changes (`Wait` or `HeartbeatInterval`).
    pub wait: Option<Duration>,
    /// `WindowSize` over all collections.
    pub window: Option<u32>,
}

/// One collection of the last Sync request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RememberedCollection {
    /// Which folder.
    pub folder: FolderNo,
    /// Whether changes were wanted.
    pub changes: Changes,
    /// `WindowSize` of the collection.
    pub window: Option<u32>,
    /// What a Delete meant.
    pub deletion: Deletion,
}

/// The last Ping request.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LastPing {
    /// How long the phone waits (`HeartbeatInterval`).
    pub heartbeat: Option<Duration>,
    /// The folders, each with the class the phone gave it.
    pub folders: Vec<(FolderNo, Class)>,
}

impl Engine {
    /// Remembers a full Sync request; writes only if it differs from the last one.
    ///
    /// # Errors
    /// The store's.
    pub async fn remember_sync(&self, session: Session<'_>, sync: &LastSync) -> Result<()> {
        self.remember(session, Slot::LastSync, sync).await
    }

    /// The last full Sync request.
    ///
    /// # Errors
    /// The store's.
    pub async fn last_sync(&self, session: Session<'_>) -> Result<Option<LastSync>> {
        self.recall(session, Slot::LastSync).await
    }

    /// Remembers a Ping request; writes only if it differs from the last one.
    ///
    /// # Errors
    /// The store's.
    pub async fn remember_ping(&self, session: Session<'_>, ping: &LastPing) -> Result<()> {
        self.remember(session, Slot::LastPing, ping).await
    }

    /// The last Ping request.
    ///
    /// # Errors
    /// The store's.
    pub async fn last_ping(&self, session: Session<'_>) -> Result<Option<LastPing>> {
        self.recall(session, Slot::LastPing).await
    }

    async fn remember<T: Serialize>(
        &self,
        session: Session<'_>,
        slot: Slot,
        said: &T,
    ) -> Result<()> {
        // Numbers, texts and lists always have a JSON form.
        let said = serde_json::to_vec(said).unwrap_or_default();
        if self.store.load(session.device, slot).await?.as_ref() != Some(&said) {
            self.store.save(session.device, slot, said).await?;
        }
        Ok(())
    }

    /// What another release wrote otherwise counts as never said.
    async fn recall<T: DeserializeOwned>(
        &self,
        session: Session<'_>,
        slot: Slot,
    ) -> Result<Option<T>> {
        let said = self.store.load(session.device, slot).await?;
        Ok(said.and_then(|said| serde_json::from_slice(&said).ok()))
    }
}
