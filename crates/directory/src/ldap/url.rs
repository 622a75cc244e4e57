//! Where a server is, and how its connections are secured.

use super::config::{ConfigError, Transport, wrong};

/// Where a server is, and how it is spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Url {
    pub text: String,
    pub start_tls: bool,
}

impl Url {
    /// Reads `ldaps://name` or `ldap://name`, with or without a port.
    pub(super) fn parse(text: &str, transport: Transport) -> Result<Self, ConfigError> {
        let text = text.trim().trim_end_matches('/');
        let (scheme, place) = text.split_once("://").unwrap_or(("", text));
        let (host, port) = place.rsplit_once(':').unwrap_or((place, "389"));
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if host.is_empty() || !host.chars().all(is_host) || port.parse::<u16>().is_err() {
            let advice = "is not a server's name or IPv4 address, with or without a port";
            return wrong("urls", format!("{text:?} {advice}"));
        }
        let url = |start_tls| Ok(Self { text: text.to_owned(), start_tls });
        match (scheme, transport) {
            ("ldaps", _) => url(false),
            ("ldap", Transport::StartTls) => url(true),
            ("ldap", Transport::PlainAnywhere) => url(false),
            ("ldap", Transport::PlainOnLoopback) if is_loopback(host) => url(false),
            ("ldap", Transport::PlainOnLoopback) => wrong(
                "transport",
                format!("{text:?} is not this machine; use start_tls, or ldaps:// in urls"),
            ),
            _ => wrong("urls", format!("{text:?} begins neither with ldaps:// nor ldap://")),
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}
