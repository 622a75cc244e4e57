//! Addresses of resources: the same resource however a server writes its address.
//!
//! Servers answer with absolute URLs or paths, and escape more or fewer characters than we or even
//! than they themselves a moment ago. So every address is brought into one form: the path, each
//! segment unescaped and escaped again in one way.

use std::fmt;

/// Longer than any real one.
const MAX_LENGTH: usize = 2_048;

/// Where a server is: scheme, host and port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    pub(crate) tls: bool,
    /// Lower case; an IPv6 address in brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    /// The origin of an absolute URL, and what follows it.
    pub(crate) fn split(url: &str) -> Option<(Self, &str)> {
        let (scheme, rest) = url.split_once("://")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // A name or password in the address is nobody's business.
        if authority.contains('@') {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, if tls { 443 } else { 80 }),
        };
        let host = host.to_ascii_lowercase();
        (!host.is_empty()).then_some((Self { tls, host, port }, path))
    }

    /// The host as names are resolved and certificates checked.
    pub(crate) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

/// The path of a resource on the server, in the one form. A collection's ends with `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Path(String);

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Path {
    /// The path of an address as a server or an administrator writes it. None where it is none, or
    /// on another server.
    pub(crate) fn read(href: &str, origin: &Origin) -> Option<Self> {
        let href = href.trim();
        let path = match Origin::split(href) {
            Some((other, path)) => (other == *origin).then_some(path)?,
            None => href,
        };
        Self::new(path)
    }

    /// From a path alone; what follows `?` or `#` is cut.
    pub(crate) fn new(path: &str) -> Option<Self> {
        if path.len() > MAX_LENGTH {
            return None;
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let path = if path.is_empty() { "/" } else { path };
        let mut written = String::with_capacity(path.len());
        for segment in path.strip_prefix('/')?.split('/') {
            let segment = unescape(segment)?;
            // The ends of `/` and of a collection are empty, and lead nowhere else.
            if !segment.is_empty() && !is_name(&segment) {
                return None;
            }
            written.push('/');
            escape_into(&mut written, &segment);
        }
        Some(Self(written))
    }

    /// The same as a collection: ending with `/`.
    pub(crate) fn into_collection(mut self) -> Self {
        if !self.0.ends_with('/') {
            self.0.push('/');
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment as it stands in the path, escaped; that of a collection without its `/`.
    pub(crate) fn name(&self) -> &str {
        let path = self.0.strip_suffix('/').unwrap_or(&self.0);
        path.rsplit_once('/').map_or(path, |(_, name)| name)
    }

    /// The last segment, unescaped.
    pub(crate) fn plain_name(&self) -> String {
        unescape(self.name()).unwrap_or_default()
    }

    /// A resource in this collection by its escaped name. None where that is no single segment:
    /// what a phone names must not lead out of the collection.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        let plain = unescape(name).filter(|plain| is_name(plain))?;
        let mut path = self.clone().into_collection();
        escape_into(&mut path.0, &plain);
        (path.0.len() <= MAX_LENGTH).then_some(path)
    }

    /// The escaped name of a resource that lies directly in this collection; none for any other,
    /// the collection itself among them.
    pub(crate) fn name_within<'a>(&self, member: &'a Self) -> Option<&'a str> {
        let name = member.0.strip_prefix(&self.0)?;
        (!name.is_empty() && !name.contains('/')).then_some(name)
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (rest.next()?, rest.next()?);
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether an unescaped segment names one resource, also to a server that unescapes a path before
/// it divides it.
fn is_name(segment: &str) -> bool {
    let divides = |char: char| matches!(char, '/' | '\\') || char.is_control();
    !matches!(segment, "" | "." | "..") && !segment.contains(divides)
}

/// What may stand in a segment as it is (RFC 3986 §3.3), less `;`, `,` and quotes, which servers
/// have been seen to trip over.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~@:!$+=".contains(&byte)
}

fn escape_into(out: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin::split("https://dav.example.org/x").unwrap().0
    }

    #[test]
    fn one_resource_has_one_form() {
        for written in [
            "/dav/ann@example.org/a%20b.ics",
            "/dav/ann%40example.org/a b.ics",
            "https://dav.example.org/dav/ann%40example%2Eorg/a%20b.ics",
            "https://DAV.example.org:443/dav/ann@example.org/a%20b.ics?x=y#z",
        ] {
            let path = Path::read(written, &origin()).unwrap();
            assert_eq!(path.as_str(), "/dav/ann@example.org/a%20b.ics", "{written}");
        }
        let umlaut = Path::new("/k%C3%BCche/").unwrap();
        assert_eq!((umlaut.as_str(), umlaut.plain_name().as_str()), ("/k%C3%BCche/", "küche"));
    }

    #[test]
    fn a_name_that_leads_out_of_its_collection_is_none() {
        let calendar = Path::new("/ann/cal/").unwrap();
        for name in [
            "",
            ".",
            "..",
            "%2e%2e",
            "x/y.ics",
            "../../bob/cal/x.ics",
            "..%2F..%2Fbob",
            "..%5C..%5Cbob",
            "..\\bob",
            "a%0D%0Ab",
            "a\tb",
        ] {
            assert_eq!(calendar.member(name), None, "{name:?}");
        }
        // Nor is one that a server lists.
        for listed in ["/ann/cal/b%2Fc", "/ann/cal/b%5Cc", "/ann/cal/..%2Fbob/", "/ann/a%0Ab"] {
            assert_eq!(Path::new(listed), None, "{listed}");
        }
        // Escaped twice it is a name of its own.
        assert_eq!(calendar.member("a%252Fb").unwrap().as_str(), "/ann/cal/a%252Fb");
    }

    #[test]
    fn nothing_leads_to_another_server_or_upwards() {
        for href in [
            "https://evil.example/dav/",
            "http://dav.example.org/dav/",
            "https://dav.example.org:8443/dav/",
            "https://ann@dav.example.org/dav/",
            "/dav/../admin/",
            "/dav/%2E%2E/admin/",
            "dav/",
            "/a%zz",
            "/a%ff",
            "/a%00",
        ] {
            assert_eq!(Path::read(href, &origin()), None, "{href}");
        }
    }

    #[test]
    fn members_are_those_directly_within() {
        let calendar = Path::new("/ann/work").unwrap().into_collection();
        let member = calendar.member("a%20b.ics").unwrap();
        assert_eq!(member.as_str(), "/ann/work/a%20b.ics");
        assert_eq!(calendar.name_within(&member), Some("a%20b.ics"));
        for other in ["/ann/work/", "/ann/work/x/", "/ann/work/x/y.ics", "/ann/"] {
            assert_eq!(calendar.name_within(&Path::new(other).unwrap()), None, "{other}");
        }
    }

    #[test]
    fn ports_and_addresses_are_read() {
        for (url, host, port, tls) in [
            ("http://localhost:5232", "localhost", 5232, false),
            ("https://[::1]:8443/x", "[::1]", 8443, true),
            ("https://[::1]/x", "[::1]", 443, true),
            ("HTTP://Dav.Example.org", "dav.example.org", 80, false),
        ] {
            let (origin, _) = Origin::split(url).unwrap();
            assert_eq!((origin.host.as_str(), origin.port, origin.tls), (host, port, tls), "{url}");
        }
        for bad in ["ftp://a/", "a/b", "https://", "https://a:x/"] {
            assert!(Origin::split(bad).is_none(), "{bad}");
        }
    }
}
