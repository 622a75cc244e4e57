//! Single changes of policies, rules and connectors, as a form or a command makes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one level shall say of one setting.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingEdit {
    /// The group's name; nothing for the default level.
    #[serde(default)]
    pub group: Option<String>,
    /// Which setting, by its name.
    pub setting: String,
    /// The value as it is typed: `true`, `6`, `none`, a word, texts parted by commas. Nothing where
    /// the level shall not say.
    #[serde(default)]
    pub value: Option<String>,
    /// The levels below may choose nothing.
    #[serde(default)]
    pub locked: bool,
    /// The levels below may choose no less.
    #[serde(default)]
    pub least: Option<u32>,
    /// The levels below may choose no more.
    #[serde(default)]
    pub most: Option<u32>,
    /// The revision of the levels that was read.
    pub revision: u64,
    /// Whether waiting phones take it at once.
    #[serde(default)]
    pub push: bool,
}

/// What a device's own level shall say of one setting.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnSetting {
    /// Which setting, by its name.
    pub setting: String,
    /// The value as it is typed: `true`, `6`, `none`, a word, texts parted by commas. Nothing where
    /// the level shall not say.
    #[serde(default)]
    pub value: Option<String>,
    /// Whether it is locked there. With neither value nor lock the level says nothing of it.
    #[serde(default)]
    pub locked: bool,
    /// The revision of the level that was read; 0 where it had none.
    pub revision: u64,
    /// Whether the device takes it at once where it waits.
    #[serde(default)]
    pub push: bool,
}

/// Which devices a group or a rule is meant for, as it is typed: all of them where nothing is said.
// What has these among its own fields refuses unknown ones for both.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct TypedCondition {
    /// Directory groups of the devices' users, parted by commas, or by semicolons where one of them
    /// has a comma itself.
    #[serde(default)]
    pub group: Option<String>,
    /// Users, likewise; `*` stands for anything in these and all that follow.
    #[serde(default)]
    pub user: Option<String>,
    /// Clients, as they call themselves.
    #[serde(default)]
    pub agent: Option<String>,
    /// Operating systems.
    #[serde(default)]
    pub os: Option<String>,
    /// Models.
    #[serde(default)]
    pub model: Option<String>,
    /// What they call their kind.
    #[serde(default)]
    pub device_type: Option<String>,
    /// Versions of the protocol.
    #[serde(default)]
    pub protocol: Option<String>,
}

/// A group of devices to be made, as the strongest, or put in the place of another.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// Which devices are in it.
    #[serde(flatten)]
    pub members: TypedCondition,
    /// The name of the group that is to be this one, where it stands and with what it says.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// The revision that was read.
    pub revision: u64,
}

/// A group or a rule to be moved or taken away.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// The revision that was read.
    pub revision: u64,
}

/// A rule of admission to be made, or put in the place of another.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Its name.
    pub name: String,
    /// Which devices it is meant for.
    #[serde(flatten)]
    pub devices: TypedCondition,
    /// `allow`, `quarantine` or `block`.
    pub then: String,
    /// Why, for the owner and the administrators.
    #[serde(default)]
    pub reason: Option<String>,
    /// The name of the rule in whose place it stands; before all others where nothing is said.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// The revision that was read.
    pub revision: u64,
}

/// What holds beside the rules of admission.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Otherwise {
    /// What becomes of a device that no rule fits: `allow`, `quarantine` or `block`; what the
    /// server's configuration says where nothing is said.
    #[serde(default)]
    pub otherwise: Option<String>,
    /// Why, for the owner and the administrators.
    #[serde(default)]
    pub reason: Option<String>,
    /// Devices a user may have; what the server's configuration says where nothing is said.
    #[serde(default)]
    pub per_user: Option<u32>,
    /// The revision that was read.
    pub revision: u64,
}

/// A rule of behaviour to be made, as the last, or put in the place of another.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBehaviour {
    /// Its name.
    pub name: String,
    /// `requests`, `repeated_key`, `failing_item`, `wrong_password` or `errors`.
    pub counts: String,
    /// How often it may happen.
    pub threshold: u32,
    /// In how many minutes.
    pub within_minutes: u32,
    /// `slow`, `block` or `tell`.
    pub then: String,
    /// For how many minutes a device is slowed down.
    #[serde(default)]
    pub slow_minutes: Option<u32>,
    /// The name of the rule in whose place it stands.
    #[serde(default)]
    pub instead_of: Option<String>,
    /// The revision that was read.
    pub revision: u64,
}

/// The revision that was read.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Which.
    pub revision: u64,
}

/// All that is set of a connector but whether it is drained. What is the same as in the
/// configuration is left to that.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectorEdit {
    /// `primary` or `failover`.
    pub tier: String,
    /// Calls at once on it; as configured where nothing is said.
    #[serde(default)]
    pub parallel_calls: Option<u32>,
    /// Calls that may wait; as configured where nothing is said.
    #[serde(default)]
    pub queued_calls: Option<u32>,
    /// Whether it may be an edge: `off`, or how long its lease is, such as `7d`; as it is where
    /// nothing is said.
    #[serde(default)]
    pub edge: Option<String>,
    /// The functions that are switched off.
    #[serde(default)]
    pub off: Vec<String>,
    /// Whom it may serve: `everyone`, `users` or `group`.
    pub scope: String,
    /// The users, parted by commas, or the group.
    #[serde(default)]
    pub scope_names: Option<String>,
    /// Whose logins it may check: `scope` for those it may serve, or one of the three words.
    pub logins: String,
    /// The users, parted by commas, or the group.
    #[serde(default)]
    pub logins_names: Option<String>,
}
