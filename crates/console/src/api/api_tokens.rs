//! Tokens that programs administer by.

use crate::principal::Duty;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a token may be limited to.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking at users, devices, connectors, routes, statistics.
    See,
    /// What a help desk does: devices let in, blocked, wiped.
    Operate,
    /// What changes the whole: connectors, policies, rules.
    Configure,
    /// Reading the records.
    Audit,
}

impl Scope {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::See, Self::Operate, Self::Configure, Self::Audit];

    /// The duty it stands for.
    pub const fn duty(self) -> Duty {
        match self {
            Self::See => Duty::See,
            Self::Operate => Duty::Operate,
            Self::Configure => Duty::Configure,
            Self::Audit => Duty::Audit,
        }
    }
}

/// A token to be made for a program.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiToken {
    /// What it is called: 1 to 64 letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What it may do; at least one.
    #[serde(default)]
    pub duties: Vec<Scope>,
    /// For how many days it is good: 1 to 366.
    pub valid_days: u32,
}

/// A program's token; what it says is not kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApiToken {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub duties: Vec<String>,
    /// When it was made, seconds since the epoch.
    pub made: i64,
    /// By whom.
    pub made_by: String,
    /// Until when it is good, seconds since the epoch.
    pub expires: i64,
    /// Whether that is over.
    pub expired: bool,
    /// When it was used last, to the minute; seconds since the epoch.
    pub last_used: Option<i64>,
}
