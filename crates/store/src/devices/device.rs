//! What is known of a device, and what was decided of it.

use dme_model::Timestamp;
use dme_sync::DeviceKey;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `last_seen` is written at most this often.
const SEEN_EVERY: Duration = Duration::from_secs(60);

/// Whether a device may in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admission {
    /// It may.
    Allowed,
    /// It waits for an administrator.
    Quarantined,
    /// It may not.
    Blocked,
}

/// A policy as it was handed to a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyKey {
    /// The key the device was given for it (`PolicyKey`, MS-ASPROV 2.2.2.41). Never 0.
    pub key: u32,
    /// Which revision of the policy it was.
    pub revision: u64,
}

/// What a device said of a policy (MS-ASPROV 2.2.2.54.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// It applies it wholly.
    Fully,
    /// In part.
    Partly,
    /// Not at all.
    Not,
    /// It says that another management rules it.
    ByOthers,
}

/// The last answer of a device to a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyReply {
    /// To which revision.
    pub revision: u64,
    /// What it said.
    pub applied: Applied,
    /// When.
    pub at: Timestamp,
}

/// How far provisioning has come (MS-ASPROV 3.1.5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Offered, not acknowledged yet.
    pub pending: Option<PolicyKey>,
    /// Acknowledged: what the device shows with each request.
    pub acknowledged: Option<PolicyKey>,
    /// What it said last, whether it was let in by it or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<PolicyReply>,
}

/// Who decided of a device's admission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decider {
    /// The rules of admission, and which of them; none where none fitted.
    Rules(Option<String>),
    /// An administrator, or the owner.
    Person(String),
    /// A rule of behaviour.
    Behaviour(String),
}

/// Who decided of a device's admission, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// Who.
    pub by: Decider,
    /// Why, in words; may be empty.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What is done about a device that misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It is told to come later, until then.
    Slowed {
        /// Until when.
        until: Timestamp,
    },
    /// It stays out until somebody releases it.
    Blocked {
        /// What it was before.
        before: Admission,
    },
    /// Nothing: it is only shown.
    Told,
}

/// That a device misbehaves, how, and what is done about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hold {
    /// What is done.
    pub held: Held,
    /// By which rule.
    pub rule: String,
    /// What the device did.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a device is to do at its next contact, in the order in which it is done.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// It is shut out.
    Block,
    /// It takes its policy anew.
    Policy,
    /// It begins anew with all folders.
    ResyncAll,
    /// It begins anew with one folder, by its number.
    ResyncFolder(u32),
    /// It gets one item again.
    ResyncItem {
        /// The folder's number.
        folder: u32,
        /// The item.
        item: String,
    },
}

/// An order that waits for a device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// Its number, unlike that of any other of the device.
    pub number: u64,
    /// What.
    pub order: Order,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What is to be wiped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WipeKind {
    /// The account and its data (16.1 on).
    Account,
    /// The whole device.
    Device,
}

/// How far a wipe has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum Wipe {
    /// None is wanted.
    #[default]
    None,
    /// An administrator wants it; the device does not know yet.
    Requested {
        /// Of what.
        kind: WipeKind,
        /// Since when.
        at: Timestamp,
    },
    /// The device was told.
    Sent {
        /// Of what.
        kind: WipeKind,
        /// When.
        at: Timestamp,
    },
    /// The device said that it does it.
    Acknowledged {
        /// Of what.
        kind: WipeKind,
        /// When.
        at: Timestamp,
    },
}

impl Wipe {
    /// Whether it is wanted, and the device has not said that it does it.
    pub const fn is_under_way(&self) -> bool {
        matches!(self, Self::Requested { .. } | Self::Sent { .. })
    }

    /// Whether this is what became of that order: later, and further.
    pub fn goes_on_from(&self, order: &Self) -> bool {
        match (self.step(), order.step()) {
            (Some((kind, at, step)), Some((ordered, since, before))) => {
                kind == ordered && at >= since && step > before
            }
            _ => false,
        }
    }

    /// When it came so far, where there is one.
    pub fn at(&self) -> Option<Timestamp> {
        self.step().map(|(_, at, _)| at)
    }

    const fn step(&self) -> Option<(WipeKind, Timestamp, u8)> {
        match *self {
            Self::None => None,
            Self::Requested { kind, at } => Some((kind, at, 0)),
            Self::Sent { kind, at } => Some((kind, at, 1)),
            Self::Acknowledged { kind, at } => Some((kind, at, 2)),
        }
    }
}

/// A device. It goes to other stores as JSON, to those of the release before and after too: a field
/// that is added has a default.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Device {
    /// Whose and which.
    pub key: DeviceKey,
    /// What it calls its kind (`DeviceType`).
    pub device_type: String,
    /// Its `User-Agent`.
    pub user_agent: String,
    /// The protocol version it spoke last.
    pub protocol: String,
    /// When it first came.
    pub first_seen: Timestamp,
    /// When it last came, to the minute.
    pub last_seen: Timestamp,
    /// Whether it may in.
    pub admission: Admission,
    /// How far provisioning has come.
    pub policy: Policy,
    /// How far a wipe has come.
    pub wipe: Wipe,
    /// What it told of itself (`DeviceInformation`), as JSON; `{}` where it told nothing.
    pub information: String,
    /// When the administrators were told that it is quarantined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_sent: Option<Timestamp>,
    /// Who decided of its admission; none where that is long ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// That it misbehaves, and what is done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// What waits for its next contact, as it was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
}

impl Device {
    /// Whether it came lately and said the same of itself: nothing is to be noted of it then.
    pub fn is_as_seen(&self, sighting: &Sighting, now: Timestamp) -> bool {
        self.device_type == sighting.device_type
            && self.user_agent == sighting.user_agent
            && self.protocol == sighting.protocol
            && now < self.last_seen.plus(SEEN_EVERY)
    }
}

/// What a request says of the device that made it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sighting {
    /// `DeviceType`.
    pub device_type: String,
    /// `User-Agent`.
    pub user_agent: String,
    /// The protocol version.
    pub protocol: String,
}

/// What becomes of a device that comes for the first time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Newcomers {
    /// As what it is entered.
    pub admission: Admission,
    /// Who decided that.
    pub decision: Option<Decision>,
    /// How many devices its user may have; beyond, it is not entered.
    pub per_user: u32,
}

/// What a device is that came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    /// It was known.
    Known(Device),
    /// It was entered just now.
    New(Device),
    /// It was not entered: its user has as many as allowed.
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wipe_goes_on_and_never_back() {
        let at = Timestamp::from_seconds;
        let (kind, other) = (WipeKind::Device, WipeKind::Account);
        let asked = Wipe::Requested { kind, at: at(10) };
        let sent = Wipe::Sent { kind, at: at(20) };
        let done = Wipe::Acknowledged { kind, at: at(30) };
        for (later, order) in [(sent, asked), (done, asked), (done, sent)] {
            assert!(later.goes_on_from(&order), "{later:?} {order:?}");
        }
        for (later, order) in [
            (done, Wipe::None),
            (asked, sent),
            (sent, done),
            (done, done),
            (Wipe::None, asked),
            // Those of an earlier order, and of another kind.
            (done, Wipe::Requested { kind, at: at(40) }),
            (done, Wipe::Requested { kind: other, at: at(10) }),
        ] {
            assert!(!later.goes_on_from(&order), "{later:?} {order:?}");
        }
    }
}
