//! The shapes of connectors, their links and what they counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    pub failed: BTreeMap<String, u64>,
    /// Microseconds a call took on average.
    pub mean_us: u64,
    /// Since when most calls have failed; none where they do not. Seconds since the epoch.
    #[serde(default)]
    pub failing_since: Option<i64>,
    /// What goes wrong then, by its name.
    #[serde(default)]
    pub failing_by: Option<String>,
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
    /// Of records, by kind of call: `control`, `calls`, `fetches`, `watches`, `directory`,
    /// `edge`.
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
