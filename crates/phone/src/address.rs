//! Where a server is.

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// The address of a server: scheme, host, port and path.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Address {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Name or address of the host; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, beginning with `/`, perhaps with a query.
    pub path: String,
}

impl Address {
    /// The address of ActiveSync on a host with TLS.
    pub fn active_sync(host: impl Into<String>, port: u16) -> Self {
        let path = dme_eas::options::PATH.to_owned();
        Self { tls: true, host: host.into(), port, path }
    }

    /// The same host with another path.
    pub fn with_path(&self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self.clone() }
    }

    /// What stands in the `Host` header: without the scheme's own port.
    pub(crate) fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let own = if self.tls { 443 } else { 80 };
        if self.port == own { host } else { format!("{host}:{}", self.port) }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Address(text.to_owned());
        let uri: http::Uri = text.trim().parse().map_err(|_| wrong())?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            tls,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, host, port) in [
            ("https://mail.corp.example/Microsoft-Server-ActiveSync", "mail.corp.example", 443),
            ("http://127.0.0.1:8080/x?y=z", "127.0.0.1", 8080),
            ("https://[::1]:8443/", "::1", 8443),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((&*address.host, address.port), (host, port));
            assert_eq!(address.to_string(), text);
        }
        for text in ["", "mail.corp.example", "ftp://x/", "https:///x", "https://"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
