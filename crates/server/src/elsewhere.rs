//! Devices whose states may be at another front when their phones come: a server's at an edge, an
//! edge's at its server.

use async_trait::async_trait;
use dme_model::Timestamp;
use dme_store::{Place, Result, Sighting, Store};
use dme_sync::{DeviceKey, Guard, Locks};
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use tokio::sync::watch;

/// Brings what is at another front.
#[async_trait]
pub trait Elsewhere: Send + Sync {
    /// A device comes, and its login was let in: whatever of it is elsewhere is brought here before it
    /// is looked at. Where that cannot be, its phone begins anew (rule S6).
    ///
    /// # Errors
    /// The store's.
    async fn bring(&self, key: &DeviceKey, sighting: &Sighting, now: Timestamp) -> Result<()>;

    /// A device was forgotten.
    ///
    /// # Errors
    /// The store's.
    async fn forget(&self, key: &DeviceKey) -> Result<()>;

    /// Where a device's states are.
    fn whereabouts(&self, key: &DeviceKey) -> Whereabouts;
}

/// Where a device's states are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Whereabouts {
    /// They never were anywhere but at the server.
    Server,
    /// They are here, since then.
    Here(Timestamp),
    /// They are at an edge, by its connector's name, since then.
    Edge(String, Timestamp),
}

/// The places of devices, in memory as well: each request asks.
pub struct Places {
    store: Store,
    known: RwLock<HashMap<DeviceKey, Place>>,
    moving: Locks<DeviceKey>,
    /// Counts the moves.
    moved: watch::Sender<u64>,
}

impl Places {
    /// As the store has them.
    ///
    /// # Errors
    /// The store's.
    pub async fn open(store: Store) -> Result<Self> {
        let known = store.places().await?.into_iter().collect();
        Ok(Self {
            store,
            known: RwLock::new(known),
            moving: Locks::default(),
            moved: watch::Sender::new(0),
        })
    }

    /// Changes whenever a device's place does.
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Where this device is.
    pub fn of(&self, key: &DeviceKey) -> Whereabouts {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        match known.get(key) {
            None => Whereabouts::Server,
            Some(place) if place.connector.is_empty() => Whereabouts::Here(place.since),
            Some(place) => Whereabouts::Edge(place.connector.clone(), place.since),
        }
    }

    /// All that are or were elsewhere.
    pub fn all(&self) -> Vec<(DeviceKey, Place)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(key, place)| (key.clone(), place.clone())).collect()
    }

    /// It is here from now on.
    ///
    /// # Errors
    /// The store's.
    pub async fn here(&self, key: &DeviceKey, since: Timestamp) -> Result<()> {
        self.put(key, Place { connector: String::new(), since }).await
    }

    /// It is at this edge from now on.
    ///
    /// # Errors
    /// The store's.
    pub async fn at(&self, key: &DeviceKey, connector: &str, since: Timestamp) -> Result<()> {
        self.put(key, Place { connector: connector.to_owned(), since }).await
    }

    /// It is where all begin.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget(&self, key: &DeviceKey) -> Result<()> {
        self.store.end_place(key).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(key);
        Ok(())
    }

    async fn put(&self, key: &DeviceKey, place: Place) -> Result<()> {
        self.store.put_place(key, &place).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), place);
        self.moved.send_modify(|moved| *moved += 1);
        Ok(())
    }

    /// Waits until nobody else moves this device: a phone may come twice at once.
    pub async fn moving(&self, key: &DeviceKey) -> Guard<'_, DeviceKey> {
        self.moving.lock(key.clone()).await
    }
}
