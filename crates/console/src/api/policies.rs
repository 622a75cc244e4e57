//! The shapes of what administrators decide of devices.

use dme_policy::{
    AdmissionRules, BehaviourRules, Change, Decision, Effective, Erasure, Level, Levels, Rules,
    Setting,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The levels of policy as they stand.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PolicyLevels {
    /// To be named by who changes them; 0 where nobody has set any.
    pub revision: u64,
    /// Since when, in milliseconds since 1970.
    pub changed: Option<i64>,
    /// Who set them.
    pub author: String,
    /// What the configuration file says: the level beneath all others.
    pub configuration: Rules,
    /// The default level, and the groups, the strongest first.
    pub levels: Levels,
}

/// Other levels of policy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// The revision that was read.
    pub revision: u64,
    /// The default level, and the groups, the strongest first.
    pub levels: Levels,
    /// Whether waiting phones take it at once.
    #[serde(default)]
    pub push: bool,
}

/// Levels to try on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyTrial {
    /// The default level, and the groups, the strongest first.
    pub levels: Levels,
}

/// A device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DeviceName {
    /// Whose.
    pub user: String,
    /// Its id.
    pub device: String,
}

/// What was changed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Revised {
    /// The new revision.
    pub revision: u64,
    /// The devices that are concerned.
    pub devices: Vec<DeviceName>,
}

/// A device whose policy would change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicyChanged {
    /// Which.
    pub device: DeviceName,
    /// What of it.
    pub settings: Vec<Change>,
}

/// A device that keeps what it has because another level prevails.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicyKept {
    /// Which.
    pub device: DeviceName,
    /// Which setting.
    pub setting: Setting,
    /// The level that prevails.
    pub by: Level,
}

/// Whom a change would affect.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PolicyPreview {
    /// Whose policy changes.
    pub changed: Vec<PolicyChanged>,
    /// Who keeps a value all the same.
    pub overridden: Vec<PolicyKept>,
    /// How many devices it does not concern.
    pub untouched: u64,
}

/// A device's policy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DevicePolicy {
    /// What holds, and where each of it comes from.
    pub effective: Effective,
    /// The revision of its own level; 0 where it has none.
    pub revision: u64,
    /// Its own level.
    pub own: Rules,
    /// `not_asked`, `pending`, `compliant`, `partial` or `refused`.
    pub compliance: String,
}

/// Which devices a condition fits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Meant {
    /// Those that it fits.
    pub devices: Vec<DeviceName>,
    /// Those of which that is not known yet.
    pub open: Vec<DeviceName>,
}

/// Another level of a device's own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceLevel {
    /// The revision that was read; 0 where it had none.
    pub revision: u64,
    /// What it says; empty to take it away.
    pub settings: Rules,
    /// Whether the device takes it at once where it waits.
    #[serde(default)]
    pub push: bool,
}

/// The rules of admission.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// As they are: to be named by who changes them. In a change: the one that was read.
    pub revision: u64,
    /// The rules.
    pub rules: AdmissionRules,
}

/// What rules would make of a device.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Judged {
    /// Which.
    pub device: DeviceName,
    /// What it is now: `allowed`, `quarantined` or `blocked`.
    pub now: String,
    /// What would be decided, and by which rule.
    pub decision: Decision,
}

/// The rules of behaviour.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BehaviourBook {
    /// As they are: to be named by who changes them. In a change: the one that was read.
    pub revision: u64,
    /// The rules.
    pub rules: BehaviourRules,
}

/// Something that waits for a device's next contact.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PendingOrder {
    /// To call it off by; none where it is called off otherwise.
    pub number: Option<u64>,
    /// What.
    pub what: serde_json::Value,
    /// Who asked for it.
    pub by: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub at: Option<i64>,
}

/// What a device is to do at its next contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewOrder {
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

/// What orders to wipe would erase on a device.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Erasures {
    /// The whole device.
    pub device: Erasure,
    /// The account.
    pub account: Erasure,
}

/// An order to wipe.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WipeOrder {
    /// Its number.
    pub number: u64,
    /// Which device.
    pub device: DeviceName,
    /// `account` or `device`.
    pub of: String,
    /// Who asked for it.
    pub by: String,
    /// When, in milliseconds since 1970, as all that follows.
    pub requested: i64,
    /// `waiting` for another administrator, `ordered`, `told`, `failed`, `acknowledged`, `cancelled`.
    pub state: String,
    /// Who confirmed it.
    pub confirmed_by: Option<String>,
    /// When the device was told.
    pub told: Option<i64>,
    /// When the device said that it does it.
    pub acknowledged: Option<i64>,
}
