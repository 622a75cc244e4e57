//! Which phones wait, so that a newer request can take an older one's place and a user who lost
//! access is sent away at once (rule A5).

use dme_model::UserId;
use dme_sync::DeviceKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// Users whose ends are remembered; beyond, everyone's older tickets count as ended.
const REMEMBERED: usize = 10_000;

/// The waiting phones of this server.
#[derive(Default)]
pub struct Parking(Mutex<Places>);

#[derive(Default)]
struct Places {
    /// Each phone's, with its number: whose stay it is when one that was replaced is dropped late.
    stays: HashMap<DeviceKey, (u64, CancellationToken)>,
    /// Counts the stays.
    numbers: u64,
    /// Counts the ends.
    ends: u64,
    /// Which end was the last of each user.
    ended: HashMap<UserId, u64>,
    /// Which end was the last of everyone.
    all_ended: u64,
}

/// What a request takes before its login is checked: if its user's stays are ended between then
/// and its own, it is not parked at all.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u64);

/// One phone's stay; it ends when it is dropped.
pub struct Stay {
    parking: Arc<Parking>,
    device: DeviceKey,
    number: u64,
    token: CancellationToken,
}

impl Parking {
    /// A ticket to park with later.
    pub fn ticket(&self) -> Ticket {
        Ticket(self.lock().ends)
    }

    /// Parks a phone. An older stay of the same phone ends: it gave up on that connection.
    pub fn park(self: &Arc<Self>, device: &DeviceKey, ticket: Ticket) -> Stay {
        let token = CancellationToken::new();
        let mut places = self.lock();
        let ended = places.ended.get(&device.user).copied().unwrap_or_default();
        if ended.max(places.all_ended) > ticket.0 {
            token.cancel();
        }
        places.numbers += 1;
        let number = places.numbers;
        let before = places.stays.insert(device.clone(), (number, token.clone()));
        drop(places);
        if let Some((_, before)) = before {
            before.cancel();
        }
        Stay { parking: self.clone(), device: device.clone(), number, token }
    }

    /// Ends a phone's stay, so that it comes again.
    pub fn end_device(&self, device: &DeviceKey) {
        let mut places = self.lock();
        places.note_end(&device.user);
        if let Some((_, token)) = places.stays.get(device) {
            token.cancel();
        }
    }

    /// Ends the stays of all of a user's phones.
    pub fn end_user(&self, user: &UserId) {
        let mut places = self.lock();
        places.note_end(user);
        for (_, (_, token)) in places.stays.iter().filter(|(device, _)| device.user == *user) {
            token.cancel();
        }
    }

    /// Ends every stay.
    pub fn end_all(&self) {
        let mut places = self.lock();
        places.ends += 1;
        places.all_ended = places.ends;
        for (_, token) in places.stays.values() {
            token.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn note_end(&mut self, user: &UserId) {
        self.ends += 1;
        if self.ended.len() >= REMEMBERED {
            self.ended.clear();
            self.all_ended = self.ends;
        }
        self.ended.insert(user.clone(), self.ends);
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
        // Only one's own entry: another stay may have taken the place already.
        let stays = &mut self.parking.lock().stays;
        if stays.get(&self.device).is_some_and(|(number, _)| *number == self.number) {
            stays.remove(&self.device);
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
        let mut first = parking.park(&phone("a"), parking.ticket());
        let second = parking.park(&phone("a"), parking.ticket());
        first.ended().await;
        drop(first);
        assert!(!second.token.is_cancelled());
        parking.end_user(&"ann@example.org".into());
        assert!(second.token.is_cancelled());
        drop(second);
        assert!(parking.lock().stays.is_empty());
    }

    /// However late the older one hears that it was replaced, it takes its own entry with it only:
    /// else nobody could end the newer one's wait.
    #[test]
    fn an_older_stay_that_ends_by_itself_leaves_the_newer_one_in_its_place() {
        let parking = Arc::new(Parking::default());
        let first = parking.park(&phone("a"), parking.ticket());
        let second = parking.park(&phone("a"), parking.ticket());
        // The first ends at the moment when the second has its place and has not told it yet.
        drop(Stay {
            parking: parking.clone(),
            device: first.device.clone(),
            number: first.number,
            token: CancellationToken::new(),
        });
        parking.end_device(&phone("a"));
        assert!(second.token.is_cancelled());
    }

    #[tokio::test]
    async fn access_withdrawn_between_login_and_parking_ends_the_stay_at_once() {
        let parking = Arc::new(Parking::default());
        let (before, other) = (parking.ticket(), phone("b"));
        parking.end_user(&"ann@example.org".into());
        assert!(parking.park(&phone("a"), before).token.is_cancelled());
        assert!(!parking.park(&phone("a"), parking.ticket()).token.is_cancelled());
        let stranger = DeviceKey { user: "bob@example.org".into(), ..other };
        assert!(!parking.park(&stranger, before).token.is_cancelled());
        parking.end_all();
        assert!(parking.park(&stranger, before).token.is_cancelled());
    }
}
