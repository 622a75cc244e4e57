//! What a server and its edges keep of each other: the names and the shapes of the facts that cross
//! the link ([`dme_link::Facts`]). What one of a newer release adds is passed over (rule L6).

use crate::config::RealmConfig;
use dme_directory::Users;
use dme_model::{DeviceId, Function, Realm, Timestamp, UserId};
use dme_policy::Rules;
use dme_routing::Scope;
use dme_store::{Decision, Device, Hold, Policy, Sighting, Wipe};
use dme_sync::DeviceKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What a fact is about; its text is the fact's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Subject {
    /// By what the edge serves: [`EdgeRules`].
    Rules,
    /// Rules that administrators made, by their book's name: [`dme_store::Book`].
    Book(String),
    /// A device's own level of policy: [`dme_store::Book`].
    Level(DeviceKey),
    /// Somebody is switched off, since then: [`Timestamp`].
    Disabled(UserId),
    /// A device: [`DecreedDevice`] from the server, [`KeptDevice`] from the edge.
    Device(DeviceKey),
    /// When a device was last seen at the edge, to the hour: [`Timestamp`].
    Seen(DeviceKey),
    /// A device has come to the edge that may be known to the server: [`Claim`].
    Claim(DeviceKey),
    /// What happened at the edge lately: [`Vec`] of [`EdgeEvent`]; from the server the number of the
    /// last one it has.
    Events,
}

/// The books that hold at an edge too. Which new device may in only the server decides.
pub const BOOKS: [&str; 2] = ["policy", "behaviour"];

/// Parts a fact's name has; neither users nor devices have line breaks in theirs.
const PARTS: char = '\n';

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let device = |f: &mut fmt::Formatter<'_>, what: &str, key: &DeviceKey| {
            write!(f, "{what}{PARTS}{}{PARTS}{}", key.user, key.device)
        };
        match self {
            Self::Rules => f.write_str("rules"),
            Self::Events => f.write_str("events"),
            Self::Book(name) => write!(f, "book{PARTS}{name}"),
            Self::Disabled(user) => write!(f, "disabled{PARTS}{user}"),
            Self::Level(key) => device(f, "level", key),
            Self::Device(key) => device(f, "device", key),
            Self::Seen(key) => device(f, "seen", key),
            Self::Claim(key) => device(f, "claim", key),
        }
    }
}

impl Subject {
    /// Reads a fact's name; none where it is of a newer release, or is none.
    pub fn named(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split(PARTS).collect();
        let key = |user: &str, device: &str| DeviceKey {
            user: UserId::from(user),
            device: DeviceId::from(device),
        };
        Some(match *parts.as_slice() {
            ["rules"] => Self::Rules,
            ["events"] => Self::Events,
            ["book", name] => Self::Book(name.to_owned()),
            ["disabled", user] => Self::Disabled(UserId::from(user)),
            ["level", user, device] => Self::Level(key(user, device)),
            ["device", user, device] => Self::Device(key(user, device)),
            ["seen", user, device] => Self::Seen(key(user, device)),
            ["claim", user, device] => Self::Claim(key(user, device)),
            _ => return None,
        })
    }
}

/// By what an edge serves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EdgeRules {
    /// How long it may go on without having heard from the server, in milliseconds.
    pub lease_ms: u64,
    /// The realms whose logins it checks, by its own directory. The first is the default one.
    pub realms: Vec<EdgeRealm>,
    /// Whom its connector may serve.
    pub scope: Scope,
    /// The functions that are switched off.
    #[serde(default)]
    pub off: BTreeSet<Function>,
    /// The policy that no level makes.
    #[serde(default)]
    pub policy: Rules,
    /// Devices a user may have.
    pub per_user: u32,
    /// The words of the mail a quarantined phone gets, after the standard ones.
    #[serde(default)]
    pub quarantine_note: String,
}

/// A realm as an edge needs it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EdgeRealm {
    /// Its name.
    pub name: Realm,
    /// Other names that mean it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Domains in which its people have other names.
    #[serde(default)]
    pub suffixes: Vec<String>,
    /// Whose mail phones may fetch.
    pub users: Users,
}

impl From<&RealmConfig> for EdgeRealm {
    fn from(realm: &RealmConfig) -> Self {
        Self {
            name: Realm::named(realm.name.as_str()),
            aliases: realm.aliases.clone(),
            suffixes: realm.suffixes.clone(),
            users: realm.access.users.clone(),
        }
    }
}

/// A device as the server has decided of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DecreedDevice {
    /// All the server knows of it.
    pub device: Device,
    /// Since when its states are not at this edge, where they once were or the server has said so: an
    /// edge that took it before lets them go.
    #[serde(default)]
    pub gone_since: Option<Timestamp>,
}

/// A device as an edge keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeptDevice {
    /// Since when its states are at the edge.
    pub taken: Timestamp,
    /// What it says of itself.
    pub sighting: Sighting,
    /// How far provisioning has come.
    pub policy: Policy,
    /// How far a wipe has come.
    pub wipe: Wipe,
    /// What it told of itself, as JSON.
    pub information: String,
    /// That it misbehaves, and what is done about it.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Who decided of its admission there: a rule of behaviour, where it is held.
    #[serde(default)]
    pub decision: Option<Decision>,
    /// The orders of the server's that were carried out, by their numbers.
    #[serde(default)]
    pub done: Vec<u64>,
}

/// A device has come to an edge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// When, by the edge's clock.
    pub at: Timestamp,
    /// What it says of itself.
    pub sighting: Sighting,
}

/// Something that happened at an edge.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EdgeEvent {
    /// Its number there, which grows.
    pub number: u64,
    /// Its kind's word.
    pub kind: String,
    /// Whose.
    #[serde(default)]
    pub user: Option<UserId>,
    /// Of which device.
    #[serde(default)]
    pub device: Option<DeviceId>,
    /// In words.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_as_it_was_written() {
        let key = DeviceKey { user: "ann@example.org".into(), device: "ABC/1".into() };
        for subject in [
            Subject::Rules,
            Subject::Events,
            Subject::Book("policy".into()),
            Subject::Disabled(key.user.clone()),
            Subject::Level(key.clone()),
            Subject::Device(key.clone()),
            Subject::Seen(key.clone()),
            Subject::Claim(key),
        ] {
            assert_eq!(Subject::named(&subject.to_string()), Some(subject));
        }
        for none in ["", "device", "device\nann@example.org", "of a newer release\nx", "rules\n"] {
            assert_eq!(Subject::named(none), None, "{none:?}");
        }
    }
}
