//! The form in which states go from one store to another: JSON, with a version. What a later
//! release adds has a default, so that the one before reads on; a new version is for what it would
//! misunderstand.

use super::DeviceStates;
use crate::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dme_mailbox::Submitted;
use dme_model::Timestamp;
use serde::{Deserialize, Serialize};

/// The form that this release writes, and the only one that it reads.
const VERSION: u32 = 1;
/// As many bytes are read. What a phone has of a hundred thousand items takes some hundred kilobytes
/// at most.
const MOST: usize = 64 << 20;

/// Why what another store gave of a device cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UnfitStates {
    /// It is written in a form that this release does not know.
    #[error(
        "a device's states are written in form {found}, this release reads form {known}; run the \
         same release at both ends"
    )]
    Version {
        /// Its form.
        found: u32,
        /// The one this release has.
        known: u32,
    },
    /// It is longer than states ever are.
    #[error("a device's states have {found} bytes, at most {most} are read")]
    TooLarge {
        /// How long it is.
        found: usize,
        /// How long it may be.
        most: usize,
    },
    /// It is no form of states at all, or they contradict themselves.
    #[error("a device's states cannot be read: {0}")]
    Malformed(String),
}

/// A state in its place, by the numbers the database has for it: also one that only a later release
/// knows is carried.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct SlotState {
    pub slot: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub no: i64,
    pub state: Bytes,
}

/// An act of sending. `sent` is none until it is known to be out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Act {
    pub act: String,
    pub begun: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Submitted>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What only the engine can read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Spelt", into = "Spelt")]
pub(super) struct Bytes(Vec<u8>);

/// Bytes as JSON can have them. The engine's are text, and shorter as such.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Spelt {
    Text(String),
    Base64(String),
}

impl Bytes {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<Bytes> for Spelt {
    fn from(bytes: Bytes) -> Self {
        match String::from_utf8(bytes.0) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Base64(STANDARD.encode(error.as_bytes())),
        }
    }
}

impl TryFrom<Spelt> for Bytes {
    type Error = base64::DecodeError;

    fn try_from(spelt: Spelt) -> Result<Self, Self::Error> {
        match spelt {
            Spelt::Text(text) => Ok(Self(text.into_bytes())),
            Spelt::Base64(text) => STANDARD.decode(text).map(Self),
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    #[serde(flatten)]
    states: &'a DeviceStates,
}

#[derive(Deserialize)]
struct Begins {
    version: u32,
}

impl DeviceStates {
    /// The bytes in which they go to another store.
    pub fn encode(&self) -> Vec<u8> {
        // It is all text and numbers: there is nothing that JSON could not have.
        serde_json::to_vec(&Written { version: VERSION, states: self }).unwrap_or_default()
    }

    /// Reads what [`DeviceStates::encode`] wrote, here or elsewhere.
    ///
    /// # Errors
    /// [`UnfitStates`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MOST {
            return Err(UnfitStates::TooLarge { found: bytes.len(), most: MOST }.into());
        }
        let malformed = |error: serde_json::Error| UnfitStates::Malformed(error.to_string());
        let Begins { version } = serde_json::from_slice(bytes).map_err(malformed)?;
        if version != VERSION {
            return Err(UnfitStates::Version { found: version, known: VERSION }.into());
        }
        Ok(serde_json::from_slice(bytes).map_err(malformed)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    /// As this release writes them: those before and after it read it too.
    const STATES: &str = concat!(
        r#"{"version":1,"folders":["INBOX",null,"Sent"],"slots":["#,
        r#"{"slot":1,"state":{"text":"{\"folders\":[]}"}},"#,
        r#"{"slot":2,"no":3,"state":{"base64":"/wA="}}],"#,
        r#""journal":[{"act":"a","begun":5},{"act":"b","begun":6,"#,
        r#""sent":{"message_id":"1@x","refused":[],"warnings":[]}}]}"#
    );

    fn malformed(bytes: &[u8]) -> bool {
        matches!(DeviceStates::decode(bytes), Err(Error::States(UnfitStates::Malformed(_))))
    }

    #[test]
    fn states_are_written_as_ever() {
        let states = DeviceStates::decode(STATES.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(states.encode()).unwrap(), STATES);
        assert_eq!(states.slots[1].state.as_bytes(), b"\xff\x00");
    }

    #[test]
    fn what_a_later_release_adds_is_passed_over() {
        let added = STATES.replace(r#""slot":1,"#, r#""slot":1,"new":[],"#);
        let added = added.replace(r#"{"version""#, r#"{"other":{},"version""#);
        let read = DeviceStates::decode(added.as_bytes()).unwrap();
        assert_eq!(read, DeviceStates::decode(STATES.as_bytes()).unwrap());
    }

    #[test]
    fn a_form_of_another_release_is_told_from_rubbish() {
        let newer = DeviceStates::decode(br#"{"version":2,"folders":{}}"#).unwrap_err();
        assert!(matches!(newer, Error::States(UnfitStates::Version { found: 2, known: 1 })));
        for rubbish in [
            &b"\x00\xff"[..],
            b"[]",
            br#"{"version":1}"#,
            br#"{"version":1,"folders":["a","a"],"slots":[],"journal":[]}"#,
            br#"{"version":1,"folders":[],"slots":[{"slot":1,"state":{"base64":"!"}}],"journal":[]}"#,
        ] {
            assert!(malformed(rubbish), "{}", String::from_utf8_lossy(rubbish));
        }
    }

    #[test]
    fn whatever_was_cut_off_or_broken_is_refused_or_read_without_panic() {
        let bytes = STATES.as_bytes();
        for end in 0..bytes.len() {
            assert!(malformed(&bytes[..end]), "{end}");
        }
        for (place, bit) in (0..bytes.len()).flat_map(|place| (0..8).map(move |bit| (place, bit))) {
            let mut broken = bytes.to_vec();
            broken[place] ^= 1 << bit;
            if let Ok(states) = DeviceStates::decode(&broken) {
                assert_eq!(DeviceStates::decode(&states.encode()).unwrap(), states);
            }
        }
    }

    #[test]
    fn more_than_a_device_ever_has_is_not_read() {
        let long = DeviceStates::decode(&vec![b' '; MOST + 1]).unwrap_err();
        assert!(matches!(long, Error::States(UnfitStates::TooLarge { .. })));
        let folders = vec!["null"; (1 << 20) + 1].join(",");
        let many = format!(r#"{{"version":1,"folders":[{folders}],"slots":[],"journal":[]}}"#);
        assert!(malformed(many.as_bytes()));
    }
}
