//! A server's devices that are at edges, brought back when their phones come here.

use crate::elsewhere::{Elsewhere, Places, Whereabouts};
use async_trait::async_trait;
use dme_link::Links;
use dme_model::Timestamp;
use dme_store::{DeviceStates, Result, Sighting, Store, TakenOver};
use dme_sync::DeviceKey;
use std::sync::Arc;
use std::time::Duration;

/// How long a phone waits for what an edge has of it; without, it begins anew.
const LIMIT: Duration = Duration::from_secs(8);

/// Brings them.
pub struct FromEdges {
    pub(crate) places: Places,
    links: Links,
    store: Store,
}

#[async_trait]
impl Elsewhere for FromEdges {
    async fn bring(&self, key: &DeviceKey, _: &Sighting, now: Timestamp) -> Result<()> {
        let Whereabouts::Edge(..) = self.places.of(key) else { return Ok(()) };
        let _moving = self.places.moving(key).await;
        // Another request of the same phone may have brought it meanwhile.
        let Whereabouts::Edge(name, _) = self.places.of(key) else { return Ok(()) };
        let came = match self.given(&name, key).await {
            Some(states) => self.store.take_over_states(key, &states).await? == TakenOver::Whole,
            None => false,
        };
        tracing::info!(user = %key.user, device = %key.device, edge = name, anew = !came,
            "a device has come back from an edge");
        self.places.here(key, now).await
    }

    async fn forget(&self, key: &DeviceKey) -> Result<()> {
        self.places.forget(key).await
    }

    fn whereabouts(&self, key: &DeviceKey) -> Whereabouts {
        self.places.of(key)
    }
}

impl FromEdges {
    /// With the places that the store has.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn open(store: Store, links: Links) -> Result<Arc<Self>> {
        let places = Places::open(store.clone()).await?;
        Ok(Arc::new(Self { places, links, store }))
    }

    /// What an edge has of a device; none where it cannot be asked.
    async fn given(&self, edge: &str, key: &DeviceKey) -> Option<DeviceStates> {
        let link = self.links.connectors().into_iter().find(|link| link.name == edge)?;
        match self.links.give(&link.id, &key.user, &key.device, LIMIT).await {
            Ok(given) => {
                let states = DeviceStates::decode(&given?);
                states
                    .inspect_err(|error| tracing::warn!(edge, %error, "not a device's states"))
                    .ok()
            }
            Err(error) => {
                tracing::warn!(edge, user = %key.user, device = %key.device, %error,
                    "the edge does not give what it has of a device");
                None
            }
        }
    }

    /// Takes what is here of a device, or at another edge, for the edge of this name to have.
    pub(crate) async fn take_away(
        &self,
        key: &DeviceKey,
        to: &str,
        now: Timestamp,
    ) -> Result<DeviceStates> {
        let _moving = self.places.moving(key).await;
        let from = self.places.of(key);
        if let Whereabouts::Edge(name, _) = from
            && name != to
            && let Some(states) = self.given(&name, key).await
        {
            self.store.take_over_states(key, &states).await?;
        }
        self.places.at(key, to, now).await?;
        self.store.give_up_states(key).await
    }
}
