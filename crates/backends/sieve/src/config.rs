//! What an administrator sets for a ManageSieve server. Every field has a documented default but
//! the host.

use crate::error::ConfigError;
use dme_dial::{ServerConfig, TimeoutConfig, TlsMode};
use dme_model::{Span, within};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A ManageSieve server that belongs to a mail system. Users log in as they do there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SieveConfig {
    /// Its name or address; its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS by STARTTLS, as is usual here, from the start, or none.
    pub tls: TlsMode,
    /// A file with the certificates (PEM) of the authorities to trust, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Allows `tls = "none"` to a host that is not loopback.
    pub allow_plain: bool,
    /// The organisation's mail domains: whose senders are colleagues. Empty: the domain of the
    /// user's own address.
    pub domains: Vec<String>,
    /// How long nobody is answered a second time. Whole days where the server has no
    /// `vacation-seconds` (RFC 6131).
    pub interval: Span,
    /// How long to wait for the server.
    pub timeouts: TimeoutConfig,
}

impl Default for SieveConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 4190,
            tls: TlsMode::Starttls,
            ca_file: None,
            allow_plain: false,
            domains: Vec::new(),
            interval: Span::seconds(7 * 86_400),
            timeouts: TimeoutConfig::default(),
        }
    }
}

impl SieveConfig {
    /// Whether it can work at all.
    ///
    /// # Errors
    /// In words, naming the setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.server().check("sieve")?;
        within("sieve.interval", self.interval, Span::seconds(1)..=Span::seconds(365 * 86_400))?;
        self.timeouts.check("sieve")?;
        let domain = |domain: &&String| !domain.is_empty() && !domain.contains(['@', ' ']);
        match self.domains.iter().find(|one| !domain(one)) {
            Some(other) => Err(ConfigError::Domain(other.clone())),
            None => Ok(()),
        }
    }

    pub(crate) fn server(&self) -> ServerConfig {
        ServerConfig {
            host: self.host.clone(),
            port: Some(self.port),
            tls: self.tls,
            ca_file: self.ca_file.clone(),
            allow_plain: self.allow_plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SieveConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn only_the_host_needs_to_be_written() {
        let config = read("host = 'imap.example.org'");
        config.check().unwrap();
        assert_eq!((config.port, config.tls), (4190, TlsMode::Starttls));
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (text, told) in [
            ("", "sieve.host is not set"),
            ("host = 'far'\ntls = 'none'", "sieve.tls is \"none\" but far is not this machine"),
            ("host = 'a'\ninterval = '0s'", "sieve.interval is 0s: 1s to 365d are allowed"),
            ("host = 'a'\ntimeouts.silence = '0s'", "sieve.timeouts.silence is 0s"),
            ("host = 'a'\ndomains = ['@example.org']", "sieve.domains"),
        ] {
            let said = read(text).check().unwrap_err().to_string();
            assert!(said.contains(told), "{text}: {said}");
        }
        assert!(toml::from_str::<SieveConfig>("hots = 'a'").is_err());
    }
}
