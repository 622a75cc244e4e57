//! Where a webhook may go: never into our own networks, unless the configuration says so.
//!
//! Who may set a webhook could otherwise reach, through the server, what only the server can reach
//! (server-side request forgery). A name is resolved once, what it stands for is judged, and the
//! connection goes to that very address.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A webhook's URL, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// With TLS.
    pub tls: bool,
    /// The name or address; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// As it stands in the request: the host, with the port where it is not the usual one.
    pub authority: String,
}

/// The address is not one that a webhook may go to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{host} stands for {found}, where webhooks may not go: name the network in allow_networks if it is meant"
)]
pub struct Forbidden {
    /// The host of the URL.
    pub host: String,
    /// What it stands for.
    pub found: String,
}

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// In words that fit after the setting's name.
    pub fn parse(url: &str, plain_http: bool) -> Result<Self, String> {
        let uri: http::Uri = url.parse().map_err(|error| format!("is no URL: {error}"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if plain_http => false,
            Some("http") => return Err("is not https: allow that with plain_http".into()),
            _ => return Err("is no URL of https".into()),
        };
        let authority = uri.authority().ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err("has a login in it: secrets belong into secret".into());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err("has no host".into());
        }
        let usual = if tls { 443 } else { 80 };
        Ok(Self {
            tls,
            host,
            port: authority.port_u16().unwrap_or(usual),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            authority: authority.as_str().to_owned(),
        })
    }

    /// Those of the addresses the host stands for that may be connected to.
    ///
    /// # Errors
    /// Where none may.
    pub fn admit(
        &self,
        found: impl IntoIterator<Item = SocketAddr>,
        allowed: &[IpNet],
    ) -> Result<Vec<SocketAddr>, Forbidden> {
        let found: Vec<SocketAddr> = found.into_iter().collect();
        let may = |address: &&SocketAddr| {
            let ip = address.ip();
            is_public(ip) || allowed.iter().any(|net| net.contains(&ip))
        };
        let good: Vec<SocketAddr> = found.iter().filter(may).copied().collect();
        if good.is_empty() {
            let all: Vec<String> = found.iter().map(|one| one.ip().to_string()).collect();
            return Err(Forbidden { host: self.host.clone(), found: all.join(", ") });
        }
        Ok(good)
    }
}

/// Whether an address is one of the Internet's at large (IANA's registries of special addresses).
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(a == 0
        || a == 10
        || a == 127
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 168)
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113)
        || a >= 224)
}

/// Global unicast alone, and of that nothing which leads to an IPv4 address or to documentation.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let global = a & 0xe000 == 0x2000;
    let teredo_and_others = a == 0x2001 && b < 0x0200;
    let documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    let six_to_four = a == 0x2002;
    global && !teredo_and_others && !documentation && !six_to_four
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_at_large_are_public() {
        for ip in ["8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.88.99.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "fe80::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:1::1",
            "2001:db8::1",
            "100::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn a_name_that_stands_for_our_own_network_is_refused_unless_that_is_allowed() {
        let target = Target::parse("https://hooks.example.org/x?y=1", false).unwrap();
        assert_eq!((target.port, target.path.as_str()), (443, "/x?y=1"));
        let inside: SocketAddr = "10.0.0.8:443".parse().unwrap();
        let outside: SocketAddr = "8.8.8.8:443".parse().unwrap();
        assert!(target.admit([inside], &[]).is_err());
        assert_eq!(target.admit([inside, outside], &[]), Ok(vec![outside]));
        let net = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(target.admit([inside], &net), Ok(vec![inside]));
    }

    #[test]
    fn what_is_no_url_to_deliver_to_is_refused_in_words() {
        for (url, told) in [
            ("http://hooks.example.org/", "not https"),
            ("ftp://hooks.example.org/", "no URL of https"),
            ("hooks.example.org", "no URL of https"),
            ("https://ann:pw@hooks.example.org/", "a login"),
            ("https:///x", "no URL"),
            ("", "no URL"),
        ] {
            let said = Target::parse(url, false).unwrap_err();
            assert!(said.contains(told), "{url}: {said}");
        }
        assert!(!Target::parse("http://hooks.example.org:8080/", true).unwrap().tls);
        assert_eq!(
            Target::parse("https://[2001:db8::1]:8443/", false).unwrap().host,
            "2001:db8::1"
        );
    }
}
