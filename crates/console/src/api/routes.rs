//! The shapes of who serves whom, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// What would become of whom, were they down. Only who would notice is in it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Simulated {
    /// Each function of each user whom one of them serves.
    pub moved: Vec<Moved>,
    /// Each realm whose passwords one of them checks.
    pub logins: Vec<LoginsMoved>,
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
    /// Who would; none where nobody could, or where that is not known.
    pub to: Option<String>,
    /// Whether it is known: it is not where the user could not be looked up, or where a connector
    /// has not said whether it has the user's mailbox.
    pub known: bool,
    /// Why the user could not be looked up, where that is why it is not known.
    pub why: Option<String>,
    /// Where nobody is known who could: the other connectors that have the function, those first
    /// against which the least speaks, five at the most.
    pub against: Vec<Against>,
}

/// What speaks against a connector.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Against {
    /// Its name.
    pub connector: String,
    /// All of it.
    pub objections: Vec<String>,
}

/// What would become of a realm's logins: who would check its passwords and tell of its people.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LoginsMoved {
    /// Which realm.
    pub realm: String,
    /// The connectors that are asked now.
    pub from: Vec<String>,
    /// Those that would be; none where nobody could log in.
    pub to: Vec<String>,
    /// Why some users, or all where nobody would be asked, could not log in.
    pub trouble: Option<String>,
}
