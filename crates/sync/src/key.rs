//! The names a phone and the engine use for one another's things: device, folder number, sync key.

use dme_model::{DeviceId, UserId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One device of one user. The same phone with two users' accounts is two of these.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DeviceKey {
    /// Whose account it is.
    pub user: UserId,
    /// Which phone.
    pub device: DeviceId,
}

/// The small number a phone knows a collection by, from 1. The same for all devices of a user,
/// kept when the collection is renamed, never given to another collection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FolderNo(pub u32);

impl fmt::Display for FolderNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a phone holds to ask "what changed since?" (MS-ASCMD 2.2.3.181). Opaque to it, at most
/// 64 characters; `0` asks to begin.
///
/// Inside are an epoch, which is new whenever the phone begins, and the number of the generation.
/// A key of an earlier epoch can therefore never be taken for one of this.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyncKey(Box<str>);

impl SyncKey {
    /// The key that asks to begin.
    pub fn initial() -> Self {
        Self("0".into())
    }

    /// Takes the phone's text as it is.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text for the phone.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it asks to begin.
    pub fn is_initial(&self) -> bool {
        &*self.0 == "0"
    }

    pub(crate) fn of(generation: GenerationNo) -> Self {
        Self(format!("{:x}-{}", generation.epoch, generation.number).into())
    }

    /// The generation the key names, if it is written as one of ours.
    pub(crate) fn generation(&self) -> Option<GenerationNo> {
        let (epoch, number) = self.0.split_once('-')?;
        let generation = GenerationNo {
            epoch: u64::from_str_radix(epoch, 16).ok()?,
            number: number.parse().ok()?,
        };
        // Only our own spelling counts: `+1` and `01` are not ours.
        (Self::of(generation) == *self).then_some(generation)
    }
}

impl fmt::Display for SyncKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for SyncKey {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Which state a key names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct GenerationNo {
    /// New whenever the phone begins; grows.
    #[serde(rename = "e")]
    pub epoch: u64,
    /// One more for every answer that told the phone something.
    #[serde(rename = "n")]
    pub number: u64,
}

impl GenerationNo {
    /// The first of a new epoch, later than every earlier one.
    pub fn begin(now: dme_model::Timestamp, earlier: Option<Self>) -> Self {
        let clock = u64::try_from(now.as_seconds()).unwrap_or(0);
        let after = earlier.map_or(0, |earlier| earlier.epoch.saturating_add(1));
        Self { epoch: clock.max(after), number: 1 }
    }

    /// The one after this.
    pub fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_model::Timestamp;

    #[test]
    fn a_key_reads_back_as_the_generation_it_was_made_of() {
        let generation = GenerationNo { epoch: 0x6745_f1a2, number: 7 };
        let key = SyncKey::of(generation);
        assert_eq!(key.as_str(), "6745f1a2-7");
        assert_eq!(key.generation(), Some(generation));
    }

    #[test]
    fn what_we_did_not_write_is_no_generation() {
        for text in ["", "0", "1", "-1", "a-", "A-1", "a-01", "a-+1", "0a-1", "a-1-1", "é-1"] {
            assert_eq!(SyncKey::from(text).generation(), None, "{text}");
        }
    }

    #[test]
    fn beginning_twice_in_a_second_makes_two_epochs() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let first = GenerationNo::begin(now, None);
        let second = GenerationNo::begin(now, Some(first.next()));
        assert!(second.epoch > first.epoch);
    }
}
