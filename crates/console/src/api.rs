//! The shapes of the administration interface, for both ends.

mod account;
mod api_tokens;
mod devices;
mod edits;
mod own;
mod policies;
mod records;

pub use account::*;
pub use api_tokens::{ApiToken, NewApiToken, Scope};
pub use devices::*;
pub use edits::*;
pub use own::*;
pub use policies::*;
pub use records::*;

use dme_link::Diagnosis;
use dme_server::connectors::ConnectorSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a call was refused.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    /// In words.
    pub error: String,
}

/// Whether phones can be served.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ready {
    /// They can.
    pub ready: bool,
    /// What is missing for it.
    pub missing: Vec<String>,
}

/// A connector.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Connector {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// `locked`, `unlocked`, `removed`, or `embedded` for the one in the server's process.
    pub state: String,
    /// `running`, `draining`, `exhausted`, `off-hours`, `unreachable`, `locked` or `revoked`.
    #[serde(default)]
    pub standing: String,
    /// Why, in words; nothing where there is nothing to explain.
    #[serde(default)]
    pub reason: String,
    /// Since when, as far as was seen; seconds since the epoch.
    #[serde(default)]
    pub since: Option<i64>,
    /// How many users it serves in some function.
    #[serde(default)]
    pub users: usize,
    /// What is wrong with the group that its scope is: misspelt, most likely.
    #[serde(default)]
    pub wrong_scope: Option<String>,
    /// Its key's fingerprints, in groups, the newest last.
    pub fingerprints: Vec<String>,
    /// Seconds since the epoch.
    pub last_seen: Option<i64>,
    /// When it will be back, where it hung up until then; seconds since the epoch.
    #[serde(default)]
    pub away_until: Option<i64>,
    /// Its link, where it stands.
    pub link: Option<Link>,
    /// What somebody ordered and waits for its next contact, as it will be done. A configuration that
    /// waits is in the list of its orders only.
    #[serde(default)]
    pub waiting: Vec<ConnectorOrder>,
    /// The calls on the systems behind it, by function and backend, as it told last.
    #[serde(default)]
    pub backends: Vec<Backend>,
}

/// Something that waits for a connector's next contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorOrder {
    /// `rotate`, `configuration` or `diagnose`.
    pub order: String,
    /// Who asked for it; none where that is not known.
    pub by: Option<String>,
    /// Since when, in seconds since the epoch.
    pub at: i64,
}

/// Something to be done at a connector's next contact.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConnectorOrder {
    /// `rotate`: take a new key. `diagnose`: find out about itself, to be kept.
    pub order: String,
}

/// What a connector counted of the calls on one system behind it, since it has these services.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Backend {
    /// The function; `any` where calls are about several.
    pub function: String,
    /// `imap`, `dav`, `files`, `sieve`, `ldap`, `file`.
    pub backend: String,
    /// Calls that were answered, those that failed among them.
    pub calls: u64,
    /// Of them those that failed, by the name of what went wrong.
    pub failed: std::collections::BTreeMap<String, u64>,
    /// Microseconds a call took on average.
    pub mean_us: u64,
}

/// A link that stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Since when, seconds since the epoch.
    pub since: i64,
    /// The address it came from.
    pub peer: Option<String>,
    /// The connector's release.
    pub software: String,
    /// What it offers.
    pub functions: Vec<String>,
    /// The realms its directory says it is the source of.
    #[serde(default)]
    pub realms: Vec<String>,
    /// The round trip in microseconds.
    pub round_trip_us: Option<u64>,
    /// TCP segments sent over it; nothing where that is not known.
    #[serde(default)]
    pub segments: Option<u64>,
    /// Those of them that were lost or late, and sent again.
    #[serde(default)]
    pub segments_again: Option<u64>,
    /// What crossed it and the connector's links before it since the server's start.
    #[serde(default)]
    pub traffic: Traffic,
    /// What is used of the link's budget this month, where it has one.
    #[serde(default)]
    pub used: Option<Used>,
    /// Calls that run.
    pub outstanding: usize,
    /// Calls that wait.
    pub queued: usize,
    /// Watches that stand.
    pub watches: usize,
    /// It is about to go.
    pub draining: bool,
    /// When the certificate it came with was made, seconds since the epoch.
    #[serde(default)]
    pub certificate_made: Option<i64>,
    /// When that ends, seconds since the epoch.
    #[serde(default)]
    pub certificate_ends: Option<i64>,
}

/// Bytes over a connector's links.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Traffic {
    /// On the wire, by lane (`calls`, `bulk`): the TCP streams with TLS and HTTP/2.
    pub wire: BTreeMap<String, Flow>,
    /// Of records, by kind of call: `control`, `calls`, `fetches`, `watches`, `directory`.
    pub records: BTreeMap<String, Flow>,
}

/// Bytes in two directions.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Flow {
    /// From the connector.
    pub received: u64,
    /// To it.
    pub sent: u64,
}

/// What is used of a link's budget.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// Bytes this month (UTC), the headers of packets among them.
    pub bytes: u64,
    /// Bytes a month.
    pub budget: u64,
}

/// A token to be made.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The connector's name.
    pub name: String,
    /// Whether the connector may serve without being unlocked.
    #[serde(default)]
    pub approved: bool,
    /// For how long the token is good, in seconds.
    pub valid_seconds: u64,
}

/// A token, shown once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct IssuedToken {
    /// Its text.
    pub token: String,
}

/// Where a connector is to make its next link.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// Addresses, `host:port`, in the order to try them; where none of them answers it goes on to
    /// those that it knows.
    pub servers: Vec<String>,
}

/// A connector that was told to go elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Moving {
    /// Its name.
    pub connector: String,
    /// Where it is to go.
    pub servers: Vec<String>,
}

/// A code to be made, by which a connector comes back.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCode {
    /// For how long the code is good, in seconds.
    pub valid_seconds: u64,
}

/// A code, shown once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct IssuedCode {
    /// Its text, ten characters and a hyphen.
    pub code: String,
}

/// A token or code that was made; what it says is not kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// The connector's name.
    pub name: String,
    /// Whether the connector may serve without being unlocked.
    pub approved: bool,
    /// Until when it is good, seconds since the epoch.
    pub expires: i64,
    /// `unused`, `used` or `expired`.
    pub state: String,
    /// It is a code, by which the connector comes back under its id.
    #[serde(default)]
    pub code: bool,
}

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

/// A link to sign in to the console by.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleLink {
    /// What follows the administration listener's address; good once, for five minutes.
    pub path: String,
}

/// Nothing but that it was done.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Done {}

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
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Canonical.
    pub user: String,
    /// As the directory has it; none where it does not know the user.
    pub address: Option<String>,
    /// As the directory has it.
    pub display_name: Option<String>,
    /// Whether access is given, and why or why not.
    pub access: String,
    /// Shut out here, whatever the directory says.
    pub disabled: bool,
    /// Whether a code is shown beside the password to sign in to the console.
    #[serde(default)]
    pub second_factor: bool,
    /// Which connector checks the password, or why none does.
    #[serde(default)]
    pub authentication: String,
    /// Which connector serves the mail, and why.
    pub route: String,
    /// The user's devices.
    pub devices: Vec<Device>,
}

/// Who serves one function of a user, and why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Which function.
    pub function: String,
    /// The connector that serves it now; none where nobody can.
    pub serving: Option<String>,
    /// Why that one, or why nobody.
    pub why: String,
    /// Since when, seconds since the epoch; none where the user was not served so yet.
    pub since: Option<i64>,
    /// Who serves it while all is well.
    pub home: Option<String>,
    /// Who would serve it if that one failed.
    pub next: Option<String>,
    /// Every connector, the best first.
    pub candidates: Vec<Candidate>,
}

/// One connector and the verdict on it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// Its name.
    pub connector: String,
    /// `primary` or `failover`.
    pub tier: String,
    /// All that speaks against it; nothing, where it can serve.
    pub objections: Vec<String>,
    /// Seconds until it is this user's turn to go back to it, after it came back.
    pub turn_in: u64,
    /// Calls that run or wait there.
    pub outstanding: u32,
    /// Calls that run there at once at the most.
    pub parallel: u32,
}

/// Connectors to be thought away.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// Their names.
    pub down: Vec<String>,
}

/// What would become of one function of a user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// Whose.
    pub user: String,
    /// Which function.
    pub function: String,
    /// Who serves it now.
    pub from: String,
    /// Who would; none where nobody could.
    pub to: Option<String>,
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

/// What is known of a realm's groups.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Realm {
    /// Which realm.
    pub realm: String,
    /// The connectors that are asked about it now.
    pub sources: Vec<String>,
    /// How many groups there are.
    pub groups: usize,
    /// When they were read, seconds since the epoch; none where they never were.
    pub groups_as_of: Option<i64>,
    /// How old that is, in seconds.
    pub age_seconds: Option<u64>,
    /// What went wrong when they were last asked for, if it did.
    pub trouble: Option<String>,
    /// What is wrong with the groups that the configuration names: misspelt, most likely.
    #[serde(default)]
    pub wrong_groups: Vec<String>,
}

/// A message that waits for the connector of its sender's mail.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// Its number.
    pub number: i64,
    /// Whose it is.
    pub user: String,
    /// Since when, seconds since the epoch.
    pub since: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// It is not tried any more: it can neither be sent nor given back to its sender.
    pub aside: bool,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
}
