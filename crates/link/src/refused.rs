//! Why a server turns a connector away, in words for its operator.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Why the server said no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The connector waits for an administrator.
    Locked,
    /// An administrator removed it.
    Removed,
    /// The server does not know its key.
    Unknown,
    /// No version of the link is spoken by both.
    Incompatible,
    /// The server is going down or has too much to do.
    Busy,
    /// The token was never given out, or forgotten.
    TokenUnknown,
    /// The token's time is over.
    TokenExpired,
    /// The token was used for another key.
    TokenUsed,
    /// No connector's code is proven by this.
    CodeUnknown,
    /// The request makes no sense.
    Invalid,
    /// A reason of a newer release.
    #[serde(other)]
    Other,
}

/// A server's no, as it crosses the wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refused {
    /// Why.
    pub reason: Refusal,
    /// More about it; no secrets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Milliseconds after which to ask again at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Refused {
    pub(crate) fn new(reason: Refusal) -> Self {
        Self { reason, detail: String::new(), retry_after_ms: None }
    }

    /// With the time after which to come again.
    pub(crate) fn after(self, wait: Duration) -> Self {
        Self { retry_after_ms: u64::try_from(wait.as_millis()).ok(), ..self }
    }

    pub(crate) fn because(reason: Refusal, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..Self::new(reason) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => {
                "the connector is locked; an administrator has to compare its fingerprint and \
                 unlock it"
            }
            Self::Removed => "the connector was removed; enrol it anew with a new token",
            Self::Unknown => "the connector's key is not known; enrol it anew with a new token",
            Self::Incompatible => {
                "the releases of server and connector are too far apart; bring both to the same"
            }
            Self::Busy => "the server is busy or going down",
            Self::TokenUnknown => {
                "the token is not known; ask for a new one, or check that it is this server's"
            }
            Self::TokenExpired => "the token or code has expired; ask for a new one",
            Self::TokenUsed => "the token or code has been used already; ask for a new one",
            Self::CodeUnknown => {
                "the server gave out no such code, or has forgotten it; look at it again, or ask \
                 for a new one"
            }
            Self::Invalid => "the request makes no sense to the server",
            Self::Other => "a reason that only a newer release knows",
        })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_a_newer_release_is_still_a_refusal() {
        let read: Refused = serde_json::from_str(r#"{"reason":"eclipse","moon":1}"#).unwrap();
        assert_eq!(read, Refused::new(Refusal::Other));
        let locked = serde_json::to_string(&Refused::new(Refusal::Locked)).unwrap();
        assert_eq!(locked, r#"{"reason":"locked"}"#);
    }
}
