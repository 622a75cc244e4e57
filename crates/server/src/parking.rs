//! Which phones wait, so that a newer request can take an older one's place and a user who lost
//! access is sent away at once (rule A5).

use dme_model::UserId;
use dme_sync::DeviceKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The waiting phones of this server.
#[derive(Default)]
pub struct Parking(Mutex<HashMap<DeviceKey, CancellationToken>>);

/// One phone's stay; it ends when it is dropped.
pub struct Stay {
    parking: Arc<Parking>,
    device: DeviceKey,
    token: CancellationToken,
}

impl Parking {
    /// Parks a phone. An older stay of the same phone ends: it gave up on that connection.
    pub fn park(self: &Arc<Self>, device: &DeviceKey) -> Stay {
        let token = CancellationToken::new();
        let before = self.lock().insert(device.clone(), token.clone());
        if let Some(before) = before {
            before.cancel();
        }
        Stay { parking: self.clone(), device: device.clone(), token }
    }

    /// Ends a phone's stay, so that it comes again.
    pub fn end_device(&self, device: &DeviceKey) {
        if let Some(token) = self.lock().get(device) {
            token.cancel();
        }
    }

    /// Ends the stays of all of a user's phones.
    pub fn end_user(&self, user: &UserId) {
        for (_, token) in self.lock().iter().filter(|(device, _)| device.user == *user) {
            token.cancel();
        }
    }

    /// Ends every stay.
    pub fn end_all(&self) {
        for token in self.lock().values() {
            token.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceKey, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stay {
    /// Waits until the stay is ended from elsewhere.
    pub async fn ended(&mut self) {
        self.token.cancelled().await;
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // A cancelled stay was already replaced, or its place is still its own: either way only
        // one's own entry is removed.
        let mut all = self.parking.lock();
        if !self.token.is_cancelled() || all.get(&self.device).is_some_and(|t| t.is_cancelled()) {
            all.remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(device: &str) -> DeviceKey {
        DeviceKey { user: "ann@example.org".into(), device: device.into() }
    }

    #[tokio::test]
    async fn a_newer_request_takes_the_older_ones_place() {
        let parking = Arc::new(Parking::default());
        let mut first = parking.park(&phone("a"));
        let second = parking.park(&phone("a"));
        first.ended().await;
        drop(first);
        assert!(!second.token.is_cancelled());
        parking.end_user(&"ann@example.org".into());
        assert!(second.token.is_cancelled());
        drop(second);
        assert!(parking.lock().is_empty());
    }
}
