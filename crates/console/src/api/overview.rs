//! The shapes of whether all is well, and of whom there is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether all is well, of what whoever asks sees.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Overview {
    /// What wants somebody; nothing where all is well.
    pub wants: Vec<Want>,
    /// How many devices there are.
    pub devices: u64,
    /// How many of them may in.
    pub allowed: u64,
    /// How many users have some.
    pub users: u64,
    /// How many connectors there are.
    pub connectors: u64,
    /// How many of them run.
    pub running: u64,
    /// The room where the server keeps its directory, for those who see everything.
    #[serde(default)]
    pub disk: Option<Disk>,
    /// When the phones' certificate ends, for them; seconds since the epoch.
    #[serde(default)]
    pub certificate_ends: Option<i64>,
}

/// Bytes of a file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    /// That may still be written.
    pub free: u64,
    /// In all.
    pub total: u64,
}

/// Something that wants somebody.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Want {
    /// What it is, in a word for programs, such as `devices_wait` or `connector_locked`.
    pub what: String,
    /// Whether something goes wrong now, and does not only wait for a decision.
    pub grave: bool,
    /// The page where it is dealt with.
    pub page: String,
    /// In words.
    pub text: String,
}

/// Which users are wanted; all that have a device where nothing is said.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserQuery {
    /// With this in their name.
    pub text: Option<String>,
    /// Without so many of the first.
    pub after: u32,
    /// So many at the most; 200 where not said, 1000 at the most.
    pub limit: Option<u32>,
}

/// Users who have devices.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UserPage {
    /// Those that were asked for, by name.
    pub users: Vec<DeviceOwner>,
    /// How many there are in all.
    pub found: u64,
}

/// A user who has devices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceOwner {
    /// Canonical.
    pub user: String,
    /// How many.
    pub devices: u64,
}
