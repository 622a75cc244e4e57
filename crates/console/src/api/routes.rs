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
