//! The connectors the server knows, by their keys (rule A6).

use crate::Fingerprint;
use async_trait::async_trait;
use dme_model::{ConnectorId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The registry could not be asked, or refuses.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the registry of connectors: {0}")]
pub struct BookError(pub String);

/// Whether a connector may serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorState {
    /// It waits for an administrator.
    Locked,
    /// It may.
    Unlocked,
    /// Never again: kept so that its key stays refused and its name is found in old records.
    Removed,
}

/// A connector the server knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectorRecord {
    /// Given by the server at enrolment.
    pub id: ConnectorId,
    /// For people; given with the token.
    pub name: String,
    /// Whether it may serve.
    pub state: ConnectorState,
    /// The keys it may come with, the newest last: one, or two while the newer was never used.
    pub keys: Vec<Fingerprint>,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// When it last made a link.
    pub last_seen: Option<Timestamp>,
}

/// The connectors the server knows. Kept by the store. Every change is durable when its call
/// returns, because the answer to the connector follows it.
#[async_trait]
pub trait ConnectorBook: Send + Sync {
    /// Who has this key, removed connectors included.
    async fn find(&self, key: &Fingerprint) -> Result<Option<ConnectorRecord>, BookError>;

    /// One connector.
    async fn get(&self, id: &ConnectorId) -> Result<Option<ConnectorRecord>, BookError>;

    /// All, by name; removed ones included.
    async fn list(&self) -> Result<Vec<ConnectorRecord>, BookError>;

    /// Enters a connector under a new id. Where the key is known already, nothing changes and
    /// the known record is answered.
    async fn enrol(
        &self,
        name: &str,
        key: &Fingerprint,
        state: ConnectorState,
        now: Timestamp,
    ) -> Result<ConnectorRecord, BookError>;

    /// Locks, unlocks or removes. A removed connector stays removed: an error.
    async fn set_state(&self, id: &ConnectorId, state: ConnectorState) -> Result<(), BookError>;

    /// Adds a key beside the one in use, in place of any other that was never used. An error
    /// where another connector has this key.
    async fn add_key(&self, id: &ConnectorId, key: &Fingerprint) -> Result<(), BookError>;

    /// A link was made with this key, and the connector was seen. Where it is the newer of two,
    /// the older is forgotten; where it is the older, both stay. An error where the connector
    /// does not have the key.
    async fn key_used(
        &self,
        id: &ConnectorId,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<(), BookError>;
}

/// [`ConnectorBook`] in memory, for tests and the demonstration. Ids are `c1`, `c2` and so on.
#[derive(Default, Debug)]
pub struct MemoryBook(Mutex<BTreeMap<ConnectorId, ConnectorRecord>>);

impl MemoryBook {
    fn with<T>(
        &self,
        id: &ConnectorId,
        change: impl FnOnce(&mut ConnectorRecord) -> Result<T, BookError>,
    ) -> Result<T, BookError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = all.get_mut(id);
        change(record.ok_or_else(|| BookError(format!("there is no connector {id}")))?)
    }
}

#[async_trait]
impl ConnectorBook for MemoryBook {
    async fn find(&self, key: &Fingerprint) -> Result<Option<ConnectorRecord>, BookError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(all.values().find(|record| record.keys.contains(key)).cloned())
    }

    async fn get(&self, id: &ConnectorId) -> Result<Option<ConnectorRecord>, BookError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned())
    }

    async fn list(&self) -> Result<Vec<ConnectorRecord>, BookError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<ConnectorRecord> = all.values().cloned().collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    async fn enrol(
        &self,
        name: &str,
        key: &Fingerprint,
        state: ConnectorState,
        now: Timestamp,
    ) -> Result<ConnectorRecord, BookError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.values().find(|record| record.keys.contains(key)) {
            return Ok(known.clone());
        }
        let record = ConnectorRecord {
            id: ConnectorId::from(format!("c{}", all.len() + 1)),
            name: name.into(),
            state,
            keys: vec![*key],
            enrolled: now,
            last_seen: None,
        };
        all.insert(record.id.clone(), record.clone());
        Ok(record)
    }

    async fn set_state(&self, id: &ConnectorId, state: ConnectorState) -> Result<(), BookError> {
        self.with(id, |record| {
            if record.state == ConnectorState::Removed && state != ConnectorState::Removed {
                return Err(BookError(format!("{id} was removed; enrol it anew")));
            }
            record.state = state;
            Ok(())
        })
    }

    async fn add_key(&self, id: &ConnectorId, key: &Fingerprint) -> Result<(), BookError> {
        if self.find(key).await?.is_some_and(|owner| owner.id != *id) {
            return Err(BookError("another connector has this key".into()));
        }
        self.with(id, |record| {
            if !record.keys.contains(key) {
                record.keys.truncate(1);
                record.keys.push(*key);
            }
            Ok(())
        })
    }

    async fn key_used(
        &self,
        id: &ConnectorId,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<(), BookError> {
        self.with(id, |record| {
            if !record.keys.contains(key) {
                return Err(BookError(format!("{id} does not have this key any more")));
            }
            if record.keys.first() != Some(key) {
                record.keys = vec![*key];
            }
            record.last_seen = Some(now);
            Ok(())
        })
    }
}
