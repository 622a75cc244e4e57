//! A connector, as far as routing looks at it.

use crate::Known;
use dme_model::{ConnectorId, Function, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// Whom a connector may serve.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everyone.
    Everyone,
    /// These users.
    Users(BTreeSet<UserId>),
    /// The members of this directory group, at any depth: its id, or its short name where only one
    /// group has it.
    Group(String),
}

impl Scope {
    /// Whether a user is of it; `is_in_group` says whether the user is in a group.
    pub fn covers(&self, user: &UserId, is_in_group: impl FnOnce(&str) -> Known) -> Known {
        match self {
            Self::Everyone => Known::Yes,
            Self::Users(users) if users.contains(user) => Known::Yes,
            Self::Users(_) => Known::No,
            Self::Group(group) => is_in_group(group),
        }
    }
}

/// Whether a connector serves by right, or only when none does that has it.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// By right.
    #[default]
    Primary,
    /// When no primary can.
    Failover,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary",
            Self::Failover => "failover",
        })
    }
}

/// Whether an administrator lets it work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// It waits for an administrator, as after an enrolment without approval.
    #[default]
    Locked,
    /// It may work.
    Unlocked,
}

/// Whether the connection that the connector dialled is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It is not.
    #[default]
    Lost,
    /// It is.
    Linked {
        /// Since when. A connector that came back lately gets load gradually.
        since: Timestamp,
    },
    /// It is not, by arrangement: the connector links at certain hours only.
    OffHours {
        /// When it will link again.
        until: Timestamp,
    },
}

/// Whether it takes new work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// It does.
    Serving {
        /// When it was last said whom it is to serve and in what, where it ever was while the server
        /// ran: it may have been given back what it did not do before, and gets load gradually.
        since: Option<Timestamp>,
    },
    /// It ends what it has and takes nothing new, before it stops.
    Draining,
}

impl Default for Duty {
    fn default() -> Self {
        Self::Serving { since: None }
    }
}

/// How much it has to do (rule R6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// Calls under way or waiting.
    pub outstanding: u32,
    /// How many calls run at once.
    pub parallel: u32,
    /// Whether callers must be told "busy, retry after". Whoever keeps its queue says so, and nobody
    /// else reckons it: how much is outstanding does not tell.
    pub exhausted: bool,
}

/// A connector and its state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connector {
    /// Which.
    pub id: ConnectorId,
    /// By right or as a substitute.
    pub tier: Tier,
    /// What is switched on.
    pub functions: BTreeSet<Function>,
    /// For whom. Shared: lists of users are long, and a connector is judged often.
    pub scope: Arc<Scope>,
    /// Whether an administrator lets it work.
    pub lock: Lock,
    /// Whether its connection is there.
    pub link: Link,
    /// Whether it takes new work.
    pub duty: Duty,
    /// How much it has to do.
    pub load: Load,
}

impl Default for Load {
    fn default() -> Self {
        Self { outstanding: 0, parallel: 25, exhausted: false }
    }
}
