//! The shapes of what is set of a connector, what it is to serve, and what it found out.

use dme_link::Diagnosis;
use dme_server::connectors::ConnectorSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a connector found out about itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Diagnosed(
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")] pub Diagnosis,
);

/// The last diagnosis of a connector.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LastDiagnosis {
    /// When it was made, seconds since the epoch; none where there never was one.
    pub made: Option<i64>,
    /// What the connector found out.
    pub diagnosis: Option<Diagnosed>,
}

/// What is set of one connector, as it is written.
#[expect(dead_code, reason = "describes the shape of another type")]
#[derive(JsonSchema)]
#[schemars(rename = "ConnectorSettings", deny_unknown_fields)]
struct SettingsShape {
    /// Whom it may serve: `"everyone"`, `{"users": [...]}` or `{"group": "..."}`.
    scope: Option<serde_json::Value>,
    /// Whose logins it may check, in the same words.
    logins: Option<serde_json::Value>,
    /// `primary` or `failover`.
    tier: Option<String>,
    /// The functions that are switched off.
    off: Option<Vec<String>>,
    /// Calls at once on it.
    parallel_calls: Option<u32>,
    /// Calls that may wait.
    queued_calls: Option<u32>,
    /// It is given nothing new: it is to be maintained.
    drain: Option<bool>,
    /// Whether it may be an edge: `off`, or how long its lease is, such as `7d`.
    edge: Option<String>,
}

/// What is set of a connector.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Counts the changes by command; 0 where there was none.
    pub version: u64,
    /// In the server's configuration.
    #[schemars(with = "SettingsShape")]
    pub configured: ConnectorSettings,
    /// By command, which goes before.
    #[schemars(with = "SettingsShape")]
    pub set: ConnectorSettings,
    /// What holds, with the defaults.
    #[schemars(with = "SettingsShape")]
    pub effective: ConnectorSettings,
    /// What is wrong with the group that its scope is: misspelt, most likely.
    #[serde(default)]
    pub wrong_scope: Option<String>,
    /// What it is to serve; nothing for the one in the server's process.
    #[serde(default)]
    pub configuration: Option<Configuration>,
}

/// What a connector is to serve, and what it said of it last.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// Whether it is linked.
    pub linked: bool,
    /// Whether it serves anything, where it is linked.
    #[serde(default)]
    pub serves: Option<bool>,
    /// The key to seal its secrets to; none where it never told one.
    pub key: Option<String>,
    /// That key's fingerprint, in groups.
    pub key_fingerprint: Option<String>,
    /// The version that is wanted; none where its own file says what it serves.
    pub wanted: Option<u64>,
    /// Since when, seconds since the epoch.
    pub changed: Option<i64>,
    /// TOML, with marks in the place of secrets.
    pub text: Option<String>,
    /// The version it serves by.
    pub in_force: Option<u64>,
    /// The version it did not take.
    pub refused: Option<u64>,
    /// Why not.
    pub reason: Option<String>,
    /// When it said so, seconds since the epoch.
    pub reported: Option<i64>,
}

/// What a connector is to serve from now on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConfiguration {
    /// The key the secrets were sealed to.
    pub key: String,
    /// TOML, with marks in the place of secrets.
    pub text: String,
    /// The secrets.
    pub sealed: String,
}

/// What is to be set of a connector.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    /// Forget all that was set by command first: the configuration holds again.
    #[serde(default)]
    pub reset: bool,
    /// What is set; the rest stays.
    #[serde(default)]
    #[schemars(with = "SettingsShape")]
    pub settings: ConnectorSettings,
}
