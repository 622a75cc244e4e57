//! Names of hosts as settings give them: `mail.example.org`, `10.0.0.1:8443`, `[2001:db8::1]:8443`.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A host, and a port where one is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// The name or address; an IPv6 address without its brackets.
    pub name: String,
    /// The port, if one was given.
    pub port: Option<u16>,
}

impl Host {
    /// Reads one.
    ///
    /// # Errors
    /// In words that fit after the setting's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("://") || text.contains('/') {
            return Err(format!("is \"{text}\": a host is wanted, not a URL"));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(format!("is \"{text}\": an IPv6 address stands in brackets, [{text}]"));
        }
        let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((name, rest)) => {
                if name.parse::<Ipv6Addr>().is_err() {
                    return Err(format!("is \"{text}\": no IPv6 address stands in the brackets"));
                }
                (name, (!rest.is_empty()).then(|| rest.strip_prefix(':').unwrap_or("none")))
            }
            None => {
                let (name, port) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
                if name.parse::<Ipv4Addr>().is_err() && !is_name(name) {
                    return Err(format!("is \"{text}\": not the name or the address of a host"));
                }
                (name, port)
            }
        };
        let port = port
            .map(|port| port.parse().ok().filter(|port| *port > 0))
            .map(|port: Option<u16>| port.ok_or(format!("is \"{text}\": the port is none")))
            .transpose()?;
        Ok(Self { name: name.to_owned(), port })
    }

    /// The same host with this port where none was given.
    pub fn or_port(self, port: u16) -> Self {
        Self { port: self.port.or(Some(port)), ..self }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]", self.name)?,
            false => f.write_str(&self.name)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Whether it can be a name in DNS (RFC 1123 §2.1; an underscore does no harm).
fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_read_with_and_without_a_port() {
        for (text, name, port) in [
            ("mail.example.org", "mail.example.org", None),
            ("localhost:8443", "localhost", Some(8443)),
            ("10.0.0.1:443", "10.0.0.1", Some(443)),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("[2001:db8::1]:8443", "2001:db8::1", Some(8443)),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.name.as_str(), host.port), (name, port), "{text}");
            assert_eq!(host.to_string(), text);
        }
        assert_eq!(Host::parse("a.b").unwrap().or_port(443).to_string(), "a.b:443");
    }

    #[test]
    fn what_is_no_host_is_refused_in_words() {
        for (text, told) in [
            ("https://mail.example.org", "not a URL"),
            ("mail.example.org/eas", "not a URL"),
            ("2001:db8::1", "stands in brackets, [2001:db8::1]"),
            ("[mail.example.org]", "no IPv6 address"),
            ("mail example", "not the name"),
            ("", "not the name"),
            ("-a.example", "not the name"),
            ("mail.example.org:https", "the port"),
            ("[::1]443", "the port"),
            ("mail.example.org:0", "the port"),
            ("mail.example.org:99999", "the port"),
        ] {
            let said = Host::parse(text).unwrap_err();
            assert!(said.contains(told), "{text}: {said}");
        }
    }
}
