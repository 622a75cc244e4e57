//! Which clock a local time is read on.

use serde::{Deserialize, Serialize};

/// A time zone by name: an IANA name (`Europe/Berlin`, `Etc/UTC`) or, for a zone that has no name
/// there, its yearly rules as POSIX writes them (`EST5EDT,M3.2.0,M11.1.0`, RFC 9636 §3.3.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneId(String);

impl ZoneId {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self("Etc/UTC".into())
    }

    /// The name or rules as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ZoneId {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl From<&str> for ZoneId {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}
