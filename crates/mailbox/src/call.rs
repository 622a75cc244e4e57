//! For whom, and within what limits, a call is made.

use dme_model::{RequestId, Secret, UserId, ZoneId};
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

/// What opens the user's mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Credentials {
    /// Nothing: the backend acts by right of its own (a master user, or local files).
    #[default]
    None,
    /// The user's password, passed through. Sent only to a backend that says it needs it.
    Password(Secret),
    /// An OAuth access token (RFC 6750).
    Bearer(Secret),
}

impl Credentials {
    /// A keyed hash that tells credentials apart without keeping them.
    pub fn fingerprint(&self, key: &impl BuildHasher) -> u64 {
        match self {
            Self::None => 0,
            Self::Password(secret) => key.hash_one(("password", secret.expose())),
            Self::Bearer(secret) => key.hash_one(("bearer", secret.expose())),
        }
    }
}

/// Whose mailbox.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Account {
    /// The user in canonical form.
    pub user: UserId,
    /// The user's primary mail address as the directory has it.
    pub address: String,
    /// The user's name as the directory has it.
    pub display_name: Option<String>,
    /// What opens the mailbox.
    pub credentials: Credentials,
}

/// The request a call is made for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallContext {
    /// Found in the logs of server and connector (rule L7).
    pub request: RequestId,
    /// When the caller gives up. Crosses the link as the time that is left.
    pub deadline: Instant,
    /// The user's clock: that of times without a time zone where others are told them.
    pub clock: ZoneId,
}

impl CallContext {
    /// A context that ends `limit` from now.
    pub fn new(request: RequestId, limit: Duration) -> Self {
        Self { request, deadline: Instant::now() + limit, clock: ZoneId::utc() }
    }

    /// The time that is left; none where the caller has given up.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The same for a user of this clock; UTC's where nothing else is said.
    #[must_use]
    pub fn on_clock(self, clock: ZoneId) -> Self {
        Self { clock, ..self }
    }
}
