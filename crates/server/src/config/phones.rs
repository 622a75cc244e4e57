//! The phones' listener.

use super::problems::Problems;
use crate::home_zone::home_zone;
use crate::host::Host;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The phones' listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhonesConfig {
    /// Address and port to listen on.
    #[serde(default = "phones_listen")]
    pub listen: SocketAddr,
    /// The name phones use, told by autodiscover: `mail.example.org`, with a port if not 443.
    pub host: String,
    /// PEM file of the certificate chain. Without it, and without `plain_http`, a certificate
    /// is made by the server's own authority.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// PEM file of the certificate's private key; the certificate's file where absent.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// No TLS here: a proxy before the server ends it. Only together with `proxies`.
    #[serde(default)]
    pub plain_http: bool,
    /// The proxies whose word about the phone's address counts.
    #[serde(default)]
    pub proxies: Vec<IpNet>,
    /// Whether these proxies begin each connection with a PROXY header (version 1 or 2).
    #[serde(default)]
    pub proxy_protocol: bool,
    /// The header in which these proxies hand on the certificate that a phone showed them
    /// (RFC 9440), such as `Client-Cert`.
    #[serde(default)]
    pub certificate_header: Option<String>,
    /// The time zone of users, by its IANA name; that of the host where absent.
    #[serde(default)]
    pub time_zone: Option<String>,
}

fn phones_listen() -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], 443))
}

pub(super) fn check(phones: &PhonesConfig, found: &mut Problems) {
    if let Err(what) = Host::parse(&phones.host) {
        found.say(format!("phones.host {what}"));
    }
    if let Err(what) = home_zone(phones) {
        found.say(format!("phones.time_zone {what}"));
    }
    if phones.plain_http && phones.proxies.is_empty() {
        found.say(
            "phones.plain_http needs phones.proxies: passwords must not cross the network in \
             plain text; name the proxy that ends TLS, or remove plain_http",
        );
    }
    if phones.proxy_protocol && phones.proxies.is_empty() {
        found.say(
            "phones.proxy_protocol needs phones.proxies: name the proxies that send the header",
        );
    }
    if phones.key.is_some() && phones.certificate.is_none() {
        found.say("phones.key needs phones.certificate");
    }
    if phones.certificate_header.is_some() && phones.proxies.is_empty() {
        found.say(
            "phones.certificate_header needs phones.proxies: name the proxies that end TLS and \
             set the header; anybody else's is not believed",
        );
    }
    if phones.certificate_header.is_some() && phones.proxy_protocol {
        found.say(
            "phones.certificate_header and phones.proxy_protocol do not go together: behind the \
             PROXY header it is not seen who set the other; have TLS passed through, or the phone's \
             address written into X-Forwarded-For",
        );
    }
    if let Some(name) = &phones.certificate_header
        && http::HeaderName::from_bytes(name.as_bytes()).is_err()
    {
        found.say(format!("phones.certificate_header is \"{name}\", which is no header's name"));
    }
}
