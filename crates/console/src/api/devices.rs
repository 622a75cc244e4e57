//! The shapes of devices, of what is asked of many at once, and of what one holds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A device.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Whose.
    pub user: String,
    /// Its id.
    pub device: String,
    /// What it calls its kind.
    pub kind: String,
    /// Its client.
    pub user_agent: String,
    /// The protocol version it spoke last.
    pub protocol: String,
    /// When it first came, seconds since the epoch.
    pub first_seen: i64,
    /// When it last came, seconds since the epoch.
    pub last_seen: i64,
    /// `allowed`, `quarantined` or `blocked`.
    pub admission: String,
    /// `none`, `requested`, `sent` or `acknowledged`, and of what.
    pub wipe: String,
    /// Whether it acknowledged the policy that is in force.
    pub policy: bool,
    /// What it said of itself.
    pub information: serde_json::Value,
    /// `not_asked`, `pending`, `compliant`, `partial` or `refused`: its policy.
    pub compliance: String,
    /// Who decided of its admission, and why.
    pub decision: Option<String>,
    /// That it misbehaves, how, and what is done about it.
    pub hold: Option<String>,
    /// How much waits for its next contact.
    pub waiting: u64,
    /// When administrators were told that it waits to be let in, seconds since the epoch.
    #[serde(default)]
    pub told: Option<i64>,
    /// The edge that serves it, by its connector's name; none where the server does.
    #[serde(default)]
    pub edge: Option<String>,
}

/// A device after something was done to it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceChanged {
    /// As it is now; none where it was forgotten.
    pub device: Option<Device>,
    /// Why what was just ordered may not come about.
    pub warning: Option<String>,
}

/// Something that went wrong in a folder of a device.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Traced {
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// In which folder.
    pub folder: u64,
    /// What.
    pub event: serde_json::Value,
}

/// Which devices are wanted; all of them where nothing is said.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceQuery {
    /// With this in what they or their users are called, in whatever case.
    pub text: Option<String>,
    /// `allowed`, `quarantined` or `blocked`.
    pub admission: Option<String>,
    /// Whose wipe has come so far: `none`, `requested`, `sent` or `acknowledged`.
    pub wipe: Option<String>,
    /// That call their kind so.
    pub kind: Option<String>,
    /// That spoke this version of the protocol last, such as `16.1`.
    pub protocol: Option<String>,
    /// Whose operating system's name begins so.
    pub os: Option<String>,
    /// `not_asked`, `pending`, `compliant`, `partial` or `refused`: their policy.
    pub compliance: Option<String>,
    /// Whose user this connector serves, by its name.
    pub connector: Option<String>,
    /// Whose user is in this directory group, at any depth.
    pub group: Option<String>,
    /// That came within so many days.
    pub within_days: Option<u32>,
    /// That did not come for so many days.
    pub idle_days: Option<u32>,
    /// That misbehave.
    pub held: bool,
    /// Without so many of those that came last.
    pub after: u32,
    /// So many at the most; all where not said.
    pub limit: Option<u32>,
}

/// Which events of a device are wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceEventQuery {
    /// Only those with smaller numbers: `before` of the page before.
    pub before: Option<u64>,
    /// So many at the most; 100 where not said, 1000 in any case.
    pub limit: Option<u32>,
}

/// What is to be done to many devices.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// `allow`, `quarantine`, `block` or `resync`.
    pub act: String,
    /// Each as its path ends: `ann@example.org/PIXEL9`; 500 at the most.
    pub devices: Vec<String>,
}

/// Devices on which the account is to be erased.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkWipe {
    /// Each as its path ends: `ann@example.org/PIXEL9`; 500 at the most.
    pub devices: Vec<String>,
}

/// What became of each of many devices.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BulkDone {
    /// In the order in which they were named.
    pub results: Vec<BulkItem>,
}

/// What became of one of many devices.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BulkItem {
    /// As it was named.
    pub device: String,
    /// Whether it was done.
    pub done: bool,
    /// Why not, or why it may not come about; nothing where there is nothing to say.
    pub said: String,
}

/// A folder as a device knows it, and what it holds of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Folder {
    /// Its number.
    pub folder: u32,
    /// That of the folder it lies in; none for the top level.
    pub parent: Option<u32>,
    /// Its name.
    pub name: String,
    /// What it holds: `mail`, `calendar`, `contacts`, `tasks` or `notes`.
    pub class: String,
    /// Items that the device has; none where it never began the folder.
    pub items: Option<u64>,
    /// What it is still to be told.
    pub outstanding: u64,
    /// Items that it is shown a placeholder for.
    pub placeholders: u64,
}

/// A folder that a device is to begin anew, or one item of it that it is to get again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendAgain {
    /// The folder's number.
    pub folder: u32,
    /// The item; the whole folder where none is said.
    #[serde(default)]
    pub item: Option<String>,
}
