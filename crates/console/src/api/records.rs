//! The shapes of what is kept of what happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which events are wanted; all of it where nothing is said.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventQuery {
    /// Of this user.
    pub user: Option<String>,
    /// Of this device.
    pub device: Option<String>,
    /// Of this connector, by name.
    pub connector: Option<String>,
    /// Of this request.
    pub request: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// `info`, `warning` or `error`, and above.
    pub level: Option<String>,
    /// With this in their message.
    pub text: Option<String>,
    /// Not before; seconds since the epoch.
    pub from: Option<i64>,
    /// Before; seconds since the epoch.
    pub until: Option<i64>,
    /// Those before this one: `before` of the page before.
    pub before: Option<u64>,
    /// So many at the most; 100 where not said, 1000 at the most.
    pub limit: Option<u32>,
}

/// A page of events.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// The newest first.
    pub events: Vec<Event>,
    /// From where the next page goes on; none where there is nothing more.
    pub before: Option<u64>,
    /// How many events were lost since the server's start.
    pub dropped: u64,
}

/// A row of the record of acts, and who signed it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SignedRow {
    /// Its number.
    pub row: u64,
    /// The connector, by name.
    pub connector: String,
}

/// An event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Its number: larger than those of all before it.
    pub number: u64,
    /// When; milliseconds since the epoch.
    pub time: i64,
    /// `info`, `warning` or `error`.
    pub level: String,
    /// Of which kind.
    pub kind: String,
    /// Whom it concerns.
    pub user: Option<String>,
    /// Which device.
    pub device: Option<String>,
    /// Which connector.
    pub connector: Option<String>,
    /// Which request.
    pub request: Option<String>,
    /// In words.
    pub message: String,
    /// More of it.
    pub details: Value,
}

/// A kind of event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EventKind {
    /// Its word.
    pub kind: String,
    /// How much it matters, as a rule.
    pub level: String,
}

/// Which acts are wanted; all where nothing is said.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActQuery {
    /// By whom.
    pub who: Option<String>,
    /// Of this name, or with this beginning where it ends with a full stop.
    pub act: Option<String>,
    /// Whose targets have this in them.
    pub target: Option<String>,
    /// Not before; seconds since the epoch.
    pub from: Option<i64>,
    /// Before; seconds since the epoch.
    pub until: Option<i64>,
    /// Those before the act of this number.
    pub before: Option<u64>,
    /// So many at the most; 100 where not said, 1000 at the most.
    pub limit: Option<u32>,
}

/// An administrator's act.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Act {
    /// The number of its first row in the record.
    pub number: u64,
    /// When; milliseconds since the epoch.
    pub time: i64,
    /// Who.
    pub who: String,
    /// In which role.
    pub role: String,
    /// From which address.
    pub address: Option<String>,
    /// `console`, `own`, `rest`, `command_line` or `server`.
    pub by: String,
    /// What was done.
    pub act: String,
    /// Whom or what it concerns.
    pub targets: Vec<String>,
    /// What it changed.
    pub changes: Vec<Change>,
    /// `done`, `refused` or `failed`; none where nobody knows.
    pub outcome: Option<String>,
    /// Why, where it was not done.
    pub reason: String,
}

/// What became of one thing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which.
    pub what: String,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// What was found in the record of acts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditReport {
    /// Nothing was done to it that can be found.
    pub sound: bool,
    /// How many rows there are.
    pub rows: u64,
    /// What was done to it, in words.
    pub faults: Vec<String>,
    /// The last row that a connector signed, and which: up to there nobody on the server's machine
    /// alone can have changed anything.
    pub signed_by_connector: Option<SignedRow>,
    /// The last row that the server's own authority signed, which is weaker.
    pub signed_by_server: Option<u64>,
}

/// After which row.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RowsQuery {
    /// 0 for the first.
    pub after: u64,
}

/// Some of the record of acts as it is chained.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AuditRows {
    /// Rows in order; none where there are no more. One into which somebody wrote has its number
    /// alone.
    pub rows: Vec<Value>,
    /// The countersignatures, with the first rows.
    pub signatures: Vec<Value>,
}

/// Which counts are wanted, and how they are told apart.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CountQuery {
    /// Not before; seconds since the epoch.
    pub from: Option<i64>,
    /// Before; seconds since the epoch.
    pub until: Option<i64>,
    /// Of this user.
    pub user: Option<String>,
    /// Of this device.
    pub device: Option<String>,
    /// Of this connector, by name.
    pub connector: Option<String>,
    /// Of this command; `link` for the bytes that crossed connectors' links, which are no phones' and
    /// are told by that alone.
    pub command: Option<String>,
    /// Told apart by these: `hour`, `day`, `user`, `device`, `connector`, `command`.
    pub by: Vec<String>,
}

/// What was counted. What is not told apart is empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// The beginning of the hour or day; seconds since the epoch.
    pub start: Option<i64>,
    /// The user.
    pub user: Option<String>,
    /// The device.
    pub device: Option<String>,
    /// The connector.
    pub connector: Option<String>,
    /// The command.
    pub command: Option<String>,
    /// How many devices came.
    pub devices: u64,
    /// Requests.
    pub requests: u64,
    /// Those that failed.
    pub errors: u64,
    /// Bytes of what came.
    pub received: u64,
    /// Bytes of what went.
    pub sent: u64,
    /// Items that went or came.
    pub items: u64,
    /// How long all took together, without those that waited.
    pub total_ms: u64,
    /// How long the longest took.
    pub longest_ms: u64,
    /// Within how long half of them were answered.
    pub half_within_ms: Option<u64>,
    /// Within how long 95 % were.
    pub most_within_ms: Option<u64>,
}

/// What a device was told of a folder in one answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// The request.
    pub request: String,
    /// The folder's number.
    pub folder: u64,
    /// When the server knew that there is something; milliseconds since the epoch.
    pub known: i64,
    /// When it was sent.
    pub sent: i64,
    /// When the device showed that it has it.
    pub acknowledged: Option<i64>,
    /// The items: each with `added`, `changed`, `deleted`, `from_device` or `refused`.
    pub items: Vec<(String, String)>,
    /// Items beyond those.
    pub further: usize,
    /// There was more to tell.
    pub more: bool,
}

/// A webhook.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Where it goes.
    pub url: String,
    /// Which kinds of events.
    pub kinds: Vec<String>,
    /// It failed for too long: nothing is delivered until it is enabled.
    pub disabled: bool,
    /// Since when it fails; seconds since the epoch.
    pub failing_since: Option<i64>,
    /// Why.
    pub trouble: Option<String>,
    /// When something arrived last; seconds since the epoch.
    pub delivered: Option<i64>,
    /// How many events wait for it.
    pub waiting: u64,
}
