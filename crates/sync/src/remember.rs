//! What a phone may leave out of its next request because it said it in the last one (empty and
//! `Partial` Sync, empty Ping; MS-ASCMD 2.2.1.21, 2.2.1.13).

use crate::{Changes, Deletion, Engine, FolderNo, Result, Session};
use dme_model::Class;
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
        let _ = (session, sync);
        todo!()
    }

    /// The last full Sync request.
    ///
    /// # Errors
    /// The store's.
    pub async fn last_sync(&self, session: Session<'_>) -> Result<Option<LastSync>> {
        let _ = session;
        todo!()
    }

    /// Remembers a Ping request; writes only if it differs from the last one.
    ///
    /// # Errors
    /// The store's.
    pub async fn remember_ping(&self, session: Session<'_>, ping: &LastPing) -> Result<()> {
        let _ = (session, ping);
        todo!()
    }

    /// The last Ping request.
    ///
    /// # Errors
    /// The store's.
    pub async fn last_ping(&self, session: Session<'_>) -> Result<Option<LastPing>> {
        let _ = session;
        todo!()
    }
}
