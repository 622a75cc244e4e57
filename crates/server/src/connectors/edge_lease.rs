//! Whether a connector may be an edge, and how long its lease is.

use dme_model::Span;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Whether a connector may serve the phones near it by a front of its own, and how long it may go on
/// with a device that it knows without having heard from the server (rule A7): `off`, or a span such
/// as `7d`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum EdgeLease {
    /// It may not.
    #[default]
    Off,
    /// It may, for so long.
    For(Span),
}

/// The shortest lease: one that ends between two words of the server would be none.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest: whoever was shut out meanwhile is let in until then.
const LONGEST: Duration = Duration::from_secs(90 * 86_400);

/// Why a lease is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an edge's lease is \"off\" or a span from 1m to 90d such as \"7d\", not {0:?}")]
pub struct NoLease(pub String);

impl EdgeLease {
    /// How long it is, where there is one.
    pub const fn span(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::For(Span(span)) => Some(span),
        }
    }
}

impl FromStr for EdgeLease {
    type Err = NoLease;

    fn from_str(text: &str) -> Result<Self, NoLease> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let no_lease = || NoLease(text.to_owned());
        let span: Span = text.parse().map_err(|_| no_lease())?;
        if (SHORTEST..=LONGEST).contains(&span.0) { Ok(Self::For(span)) } else { Err(no_lease()) }
    }
}

impl TryFrom<String> for EdgeLease {
    type Error = NoLease;

    fn try_from(text: String) -> Result<Self, NoLease> {
        text.parse()
    }
}

impl fmt::Display for EdgeLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::For(span) => span.fmt(f),
        }
    }
}

impl From<EdgeLease> for String {
    fn from(lease: EdgeLease) -> Self {
        lease.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_off_or_a_span_that_makes_sense() {
        for text in ["off", "1m", "7d", "90d"] {
            assert_eq!(text.parse::<EdgeLease>().unwrap().to_string(), text);
        }
        for text in ["", "on", "0s", "30s", "91d", "a week"] {
            let said = text.parse::<EdgeLease>().unwrap_err().to_string();
            assert!(said.contains("\"7d\""), "{said}");
        }
    }
}
