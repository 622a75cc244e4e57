//! Servers found by DNS: SRV records (RFC 2782), and the path in a TXT record beside them (RFC 6764
//! §4).

use domain::base::iana::Rcode;
use domain::base::name::FromStrError;
use domain::base::{Name, Rtype};
use domain::rdata::{Srv, Txt};
use domain::resolv::StubResolver;
use domain::resolv::stub::conf::{ResolvConf, ServerConf, Transport};
use std::net::SocketAddr;

/// Where DNS says that a domain's service is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The host, lower case.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Where it begins there, where that is told.
    pub path: Option<String>,
}

/// Why DNS did not say where a service is.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// It is no name.
    #[error("{name:?} is no domain: {reason}")]
    Domain {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: FromStrError,
    },
    /// No server answers, or none that knows.
    #[error("DNS does not answer about {name}: {reason}")]
    NoAnswer {
        /// What was asked for.
        name: String,
        /// Why not.
        reason: String,
    },
    /// The domain says that it has none.
    #[error("DNS says that {0} is not offered")]
    NotOffered(String),
}

impl Found {
    /// The name that the server's certificate must be for. A host of the domain is trusted by its
    /// own name. Whoever can forge answers of DNS can name any other host, and have a certificate
    /// for it: such a one must show that it speaks for the domain (RFC 6764 §8, RFC 6125 §6.2.1).
    pub fn certified_as<'a>(&'a self, domain: &'a str) -> &'a str {
        let above = self.host.strip_suffix(domain);
        match above.is_some_and(|above| above.is_empty() || above.ends_with('.')) {
            true => &self.host,
            false => domain,
        }
    }
}

/// Finds a domain's service, `_caldavs._tcp`: the one of highest priority, and of several such the
/// one of most weight. None where DNS has nothing about it. These servers are asked, or those of
/// `/etc/resolv.conf` where there are none.
///
/// # Errors
/// When DNS does not answer, or says that the service is not offered.
pub async fn find_service(
    servers: &[SocketAddr],
    service: &str,
    domain: &str,
) -> Result<Option<Found>, DnsError> {
    let name = format!("{service}.{domain}");
    let question: Name<Vec<u8>> =
        name.parse().map_err(|reason| DnsError::Domain { name: domain.to_owned(), reason })?;
    let failed = |reason: String| DnsError::NoAnswer { name: name.clone(), reason };
    let resolver = resolver(servers);
    let ask = async |kind: Rtype| {
        let answer = resolver.query((&question, kind)).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        match answer.header().rcode() {
            Rcode::NOERROR | Rcode::NXDOMAIN => Ok(answer),
            refusal => Err(failed(refusal.to_string())),
        }
    };
    let told = ask(Rtype::SRV).await?;
    let records = told.answer().map_err(|error| failed(error.to_string()))?;
    let records = records.limit_to_in::<Srv<_>>().flatten();
    let best = records
        .map(|record| record.into_data())
        .min_by_key(|srv| (srv.priority(), u16::MAX - srv.weight()));
    let Some(best) = best else { return Ok(None) };
    let host = best.target().to_string().trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() {
        return Err(DnsError::NotOffered(name.clone()));
    }
    let told = ask(Rtype::TXT).await?;
    let records = told.answer().map_err(|error| failed(error.to_string()))?;
    let records = records.limit_to_in::<Txt<_>>().flatten();
    let path = records.into_iter().find_map(|record| path_in(record.data()));
    Ok(Some(Found { host, port: best.port(), path }))
}

/// The value of the key `path` (RFC 6763 §6).
fn path_in<Octets: AsRef<[u8]>>(txt: &Txt<Octets>) -> Option<String> {
    txt.iter().find_map(|pair| {
        let (key, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        key.eq_ignore_ascii_case("path").then(|| value.to_owned())
    })
}

fn resolver(servers: &[SocketAddr]) -> StubResolver {
    if servers.is_empty() {
        return StubResolver::new();
    }
    let mut conf = ResolvConf::new();
    let servers = servers.iter().map(|server| ServerConf::new(*server, Transport::UdpTcp));
    conf.servers = servers.collect();
    conf.finalize();
    StubResolver::from_conf(conf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_another_domain_must_speak_for_this_one() {
        let named = |host: &str| {
            let found = Found { host: host.into(), port: 443, path: None };
            found.certified_as("example.org").to_owned()
        };
        assert_eq!(named("dav.example.org"), "dav.example.org");
        assert_eq!(named("a.b.example.org"), "a.b.example.org");
        assert_eq!(named("example.org"), "example.org");
        for other in ["dav.example.com", "evilexample.org", "org", "example.org.evil.example"] {
            assert_eq!(named(other), "example.org", "{other}");
        }
    }
}
