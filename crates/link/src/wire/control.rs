//! What the two ends tell each other about the link itself: records, both ways, on one call that
//! the server opens first and that lasts as long as the link.

use super::record::Record;
use crate::measured::Counts;
use crate::{Configuration, ConfigurationReport, Refused, Used};
use serde::{Deserialize, Serialize};
use tracing::debug;

/// From the server to the connector.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToConnector {
    /// To be answered with the same number, so that the round trip is known.
    Ping {
        /// Which ping.
        number: u64,
    },
    /// Finish what runs, take nothing new, and come back; or have another link take this one's place.
    Drain(Drain),
    /// A certificate for the key of the last request.
    Certificate {
        /// In PEM.
        certificate: String,
    },
    /// No certificate for the key of the last request.
    RenewalRefused(Refused),
    /// What its services are to be from now on; answered with a report.
    Configuration(Configuration),
    /// Take a new key now; answered with a request for its certificate.
    Rotate {},
    /// Make the link's connection for content; answered by its hello.
    Bulk {},
}

/// How a connector is to go away and come back (rule L3).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Drain {
    /// Milliseconds to wait before dialling again; without a wait the link is only to be replaced.
    pub after_ms: u64,
    /// Addresses to try before the configured ones.
    pub servers: Vec<String>,
}

impl Drain {
    /// Whether the link goes on until another stands in its place; else it ends, and another comes
    /// after the wait.
    pub fn replaces(&self) -> bool {
        self.after_ms == 0
    }
}

/// From the connector to the server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToServer {
    /// The answer to a ping.
    Pong {
        /// Which ping.
        number: u64,
    },
    /// A request for a certificate for a new key (rule L2), in PEM.
    Renew {
        /// PKCS #10.
        request: String,
    },
    /// It is going down: nothing new, please.
    Draining {},
    /// It hangs up, and will be back then: milliseconds since the epoch by its clock.
    Away {
        /// When.
        until_ms: i64,
    },
    /// How much of the link's budget is gone.
    Used(Used),
    /// The first word on each link, and the answer to a configuration.
    Configured(ConfigurationReport),
    /// What is counted of the calls on the systems behind the connector.
    Counts(Counts),
    /// There is something to be told in an exchange ([`super::edge`]): the server is to ask.
    News {},
}

/// Reads a message; none where it is one of a newer release (rule L6).
pub(crate) fn parse<T: serde::de::DeserializeOwned>(record: &Record) -> Option<T> {
    record.parse().inspect_err(|error| debug!(%error, "control message passed over")).ok()
}
