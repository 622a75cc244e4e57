//! The shapes of the administration interface, for both ends.

mod account;
mod api_tokens;
mod connectors;
mod devices;
mod edits;
mod enrolment;
mod overview;
mod own;
mod policies;
mod records;
mod routes;
mod settings;
mod users;

pub use account::*;
pub use api_tokens::{ApiToken, NewApiToken, Scope};
pub use connectors::*;
pub use devices::*;
pub use edits::*;
pub use enrolment::*;
pub use overview::*;
pub use own::*;
pub use policies::*;
pub use records::*;
pub use routes::*;
pub use settings::*;
pub use users::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// A link to sign in to the console by.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleLink {
    /// What follows the administration listener's address; good once, for five minutes.
    pub path: String,
}

/// Nothing but that it was done.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Done {}

/// What is known of a realm's groups.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Realm {
    /// Which realm.
    pub realm: String,
    /// The connectors that are asked about it now.
    pub sources: Vec<String>,
    /// How many groups there are.
    pub groups: usize,
    /// The connectors that gave these groups, the oldest first. Others may be asked by now.
    #[serde(default)]
    pub groups_from: Vec<GroupsFrom>,
    /// When they were read, the oldest of them, seconds since the epoch; none where they never were.
    pub groups_as_of: Option<i64>,
    /// How old that is, in seconds.
    pub age_seconds: Option<u64>,
    /// What went wrong when they were last asked for, if it did.
    pub trouble: Option<String>,
    /// What is wrong with the groups that the configuration names: misspelt, most likely.
    #[serde(default)]
    pub wrong_groups: Vec<String>,
}

/// Whose groups are in use.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GroupsFrom {
    /// The connector that gave them.
    pub connector: String,
    /// When it did, seconds since the epoch.
    pub as_of: i64,
    /// How long ago that is, in seconds.
    pub age_seconds: u64,
    /// Why it gave no newer ones when they were last asked for, if it did not.
    pub trouble: Option<String>,
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
