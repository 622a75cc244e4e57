//! Where a server is, and how the line to it is protected.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A server's address and how the line to it is protected.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Its name or address; its certificate must be for it.
    pub host: String,
    /// Its port. Unset: the protocol's own, by `tls`.
    pub port: Option<u16>,
    /// TLS from the start, by STARTTLS, or none. Unset: what is usual for the protocol.
    pub tls: TlsMode,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Allows `tls = "none"` to a host that is not loopback. Passwords then cross the network
    /// readable by all on the way.
    pub allow_plain: bool,
}

/// How the line is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// TLS from the first byte (RFC 8314).
    #[default]
    Implicit,
    /// Plain text first, then STARTTLS; never goes on without it.
    Starttls,
    /// No protection: loopback only, unless `allow_plain`.
    None,
}

/// Why a server's address cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No server.
    #[error("{0}.host is not set: name the mail server")]
    NoHost(&'static str),
    /// Passwords would be readable on the network.
    #[error(
        "{at}.tls is \"none\" but {host} is not this machine: use \"implicit\" or \"starttls\", or \
         set {at}.allow_plain = true if the network is trusted"
    )]
    PlainText {
        /// Which table of the configuration.
        at: &'static str,
        /// The host meant.
        host: String,
    },
    /// The file of authorities cannot be used.
    #[error("{at}.ca_file {path}: {reason}")]
    CaFile {
        /// Which table of the configuration.
        at: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host is no name a certificate can be for.
    #[error("{0} is not a host name or address")]
    HostName(String),
}

impl ServerConfig {
    /// Whether it can be used at all; `at` is its table of the configuration.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub fn check(&self, at: &'static str) -> Result<(), ServerError> {
        if self.host.is_empty() {
            return Err(ServerError::NoHost(at));
        }
        let loopback = self.host == "localhost"
            || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if self.tls == TlsMode::None && !loopback && !self.allow_plain {
            return Err(ServerError::PlainText { at, host: self.host.clone() });
        }
        Ok(())
    }
}
