//! What a device was told, item by item: when the server knew of it, when it was sent, and when the
//! device acknowledged it.
//!
//! It is kept in memory, for devices that came lately: it is much, and of use for a day at the most.
//! What went wrong is in the device's trace in the store.

use dme_model::{ItemId, RequestId, Timestamp};
use dme_sync::{DeviceKey, FolderNo, SyncKey};
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Answers that are remembered of a device.
const ANSWERS: usize = 50;
/// Items that are remembered of a device.
const ITEMS: usize = 200;
/// Items and answers that are remembered of all devices; beyond, the device that came longest ago
/// is forgotten.
const ALL: usize = 500_000;

/// What was done with an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// The device was given it.
    Added,
    /// The device was told how it is now.
    Changed,
    /// The device was told that it is gone.
    Deleted,
    /// The device came with it, or with a change of it.
    FromDevice,
    /// The device was refused what it wanted of it.
    Refused,
}

impl Deed {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::FromDevice => "from_device",
            Self::Refused => "refused",
        }
    }
}

/// What a device was told of a folder in one answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Answer {
    /// The request that was answered.
    pub request: RequestId,
    /// The folder's number.
    pub folder: FolderNo,
    /// When the server knew that there is something: when the mail system's word came to a waiting
    /// device, or when the device asked.
    pub known: Timestamp,
    /// When it was sent.
    pub sent: Timestamp,
    /// When the device showed, by its next request, that it has it.
    pub acknowledged: Option<Timestamp>,
    /// The items.
    pub items: Vec<(ItemId, Deed)>,
    /// Items beyond those that are remembered.
    pub further: usize,
    /// Whether there was more to tell than fitted.
    pub more: bool,
    /// The key that the device shows when it has the answer.
    #[serde(skip)]
    pub key: SyncKey,
}

/// The steps of all devices.
#[derive(Default)]
pub struct Steps(Mutex<All>);

#[derive(Default)]
struct All {
    devices: HashMap<DeviceKey, Device>,
    /// Items and answers of all.
    size: usize,
    /// Counts what is noted, to tell who came longest ago.
    turn: u64,
}

#[derive(Default)]
struct Device {
    answers: VecDeque<Answer>,
    /// Folders of which the device was told that there is something, and when.
    roused: Vec<(FolderNo, Timestamp)>,
    size: usize,
    turn: u64,
}

fn size(answer: &Answer) -> usize {
    answer.items.len() + 1
}

impl Steps {
    /// Notes what a device is told.
    pub fn sent(&self, device: &DeviceKey, mut answer: Answer) {
        answer.further += answer.items.len().saturating_sub(ITEMS);
        answer.items.truncate(ITEMS);
        let mut all = self.lock();
        all.turn += 1;
        let turn = all.turn;
        let one = all.devices.entry(device.clone()).or_default();
        let before = one.size;
        one.turn = turn;
        if let Some(at) = one.roused.iter().position(|(folder, _)| *folder == answer.folder) {
            let (_, roused) = one.roused.swap_remove(at);
            answer.known = answer.known.min(roused);
        }
        one.size += size(&answer);
        one.answers.push_front(answer);
        while one.answers.len() > ANSWERS || (one.size > ITEMS + ANSWERS && one.answers.len() > 1) {
            let Some(oldest) = one.answers.pop_back() else { break };
            one.size -= size(&oldest);
        }
        let now = one.size;
        all.size = (all.size + now).saturating_sub(before);
        if all.size > ALL {
            all.forget_some();
        }
    }

    /// A waiting device is told that there is something in these folders: so much sooner it was
    /// known.
    pub fn roused(&self, device: &DeviceKey, folders: &[FolderNo], now: Timestamp) {
        let mut all = self.lock();
        // One that was told nothing yet is not remembered for this alone.
        let Some(one) = all.devices.get_mut(device) else { return };
        for folder in folders {
            if !one.roused.iter().any(|(roused, _)| roused == folder) {
                one.roused.push((*folder, now));
            }
        }
    }

    /// A device comes with a key: it has what was sent with that.
    pub fn acknowledged(
        &self,
        device: &DeviceKey,
        folder: FolderNo,
        key: &SyncKey,
        now: Timestamp,
    ) {
        let mut all = self.lock();
        let Some(one) = all.devices.get_mut(device) else { return };
        let sent = one.answers.iter_mut().find(|one| one.folder == folder && one.key == *key);
        if let Some(answer) = sent {
            answer.acknowledged.get_or_insert(now);
        }
    }

    /// What a device was told lately, the newest first.
    pub fn of(&self, device: &DeviceKey) -> Vec<Answer> {
        let all = self.lock();
        all.devices.get(device).map(|one| one.answers.iter().cloned().collect()).unwrap_or_default()
    }

    /// Forgets a device.
    pub fn forget(&self, device: &DeviceKey) {
        let mut all = self.lock();
        if let Some(gone) = all.devices.remove(device) {
            all.size -= gone.size;
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// Forgets the tenth of the devices that came longest ago: one by one, each would be looked for
    /// among all.
    fn forget_some(&mut self) {
        let mut turns: Vec<u64> = self.devices.values().map(|one| one.turn).collect();
        let place = turns.len() / 10;
        let (_, until, _) = turns.select_nth_unstable(place);
        let until = *until;
        self.devices.retain(|_, one| one.turn > until);
        self.size = self.devices.values().map(|one| one.size).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(name: &str) -> DeviceKey {
        DeviceKey { user: "ann@example.org".into(), device: name.into() }
    }

    fn answer(key: &str, items: usize) -> Answer {
        Answer {
            request: "r-1".into(),
            folder: FolderNo(1),
            known: Timestamp::from_seconds(1),
            sent: Timestamp::from_seconds(2),
            acknowledged: None,
            items: (0..items).map(|n| (ItemId::from(n.to_string()), Deed::Added)).collect(),
            further: 0,
            more: false,
            key: SyncKey::new(key),
        }
    }

    #[test]
    fn what_was_sent_is_acknowledged_by_the_key_that_came_with_it_once() {
        let steps = Steps::default();
        steps.sent(&phone("a"), answer("k1", 2));
        steps.sent(&phone("a"), answer("k2", 1));
        let at = Timestamp::from_seconds;
        steps.acknowledged(&phone("a"), FolderNo(2), &SyncKey::new("k1"), at(3));
        steps.acknowledged(&phone("a"), FolderNo(1), &SyncKey::new("k1"), at(4));
        steps.acknowledged(&phone("a"), FolderNo(1), &SyncKey::new("k1"), at(5));
        let told: Vec<_> = steps.of(&phone("a")).iter().map(|one| one.acknowledged).collect();
        assert_eq!(told, [None, Some(at(4))]);
        assert!(steps.of(&phone("b")).is_empty());
    }

    #[test]
    fn what_a_waiting_device_was_told_of_was_known_then() {
        let steps = Steps::default();
        steps.sent(&phone("a"), answer("k1", 1));
        steps.roused(&phone("a"), &[FolderNo(1)], Timestamp::from_millis(500));
        steps.roused(&phone("a"), &[FolderNo(1)], Timestamp::from_millis(700));
        steps.sent(&phone("a"), answer("k2", 1));
        steps.sent(&phone("a"), answer("k3", 1));
        let known: Vec<_> = steps.of(&phone("a")).iter().map(|one| one.known.as_millis()).collect();
        assert_eq!(known, [1000, 500, 1000]);
    }

    #[test]
    fn no_device_takes_more_than_its_room_and_all_together_no_more_than_theirs() {
        let steps = Steps::default();
        for n in 0..60 {
            steps.sent(&phone("a"), answer(&n.to_string(), 1));
        }
        assert_eq!(steps.of(&phone("a")).len(), ANSWERS);
        steps.sent(&phone("a"), answer("large", 512));
        let newest = &steps.of(&phone("a"))[0];
        assert_eq!((newest.items.len(), newest.further), (ITEMS, 312));
        for n in 0..ALL / ITEMS + 100 {
            steps.sent(&phone(&n.to_string()), answer("k", ITEMS));
        }
        let all = steps.lock();
        assert!(all.size <= ALL + ITEMS, "{}", all.size);
        assert_eq!(all.size, all.devices.values().map(|one| one.size).sum::<usize>());
        assert!(!all.devices.contains_key(&phone("a")), "it came longest ago");
    }
}
