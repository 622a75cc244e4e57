//! Name, connection, certificate.

use super::Probe;
use super::report::{Finding, StepName};
use crate::address::Address;
use crate::connection::dial_tcp;
use crate::error::Error;
use crate::trust::{Tls, Trust};
use rustls::pki_types::{CertificateDer, ServerName};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio::time::timeout;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// How long the network may take for one step.
const PATIENCE: Duration = Duration::from_secs(10);
/// Certificates that expire sooner are warned of, in days.
const SOON: i64 = 21;

impl Probe<'_> {
    /// DNS, TCP and TLS; whether all of it works.
    pub(super) async fn network(&mut self, address: &Address, tls: &Tls) -> bool {
        let begun = Instant::now();
        let found = names(address).await;
        if !self.report.add(StepName::Dns, begun, found) {
            return false;
        }
        let begun = Instant::now();
        let (finding, tcp) = match connect(address).await {
            Ok(tcp) => {
                let peer = tcp.peer_addr().map(|peer| peer.to_string()).unwrap_or_default();
                (Finding::passed(format!("connected to {peer}")), Some(tcp))
            }
            Err(error) => {
                let advice = "check that the server runs and that firewalls let its port through";
                (Finding::failed(error.to_string(), advice), None)
            }
        };
        self.report.add(StepName::Tcp, begun, finding);
        let Some(tcp) = tcp else { return false };
        let begun = Instant::now();
        let finding = if address.tls {
            certificate(address, tls, tcp).await
        } else {
            Finding::warned(
                "the address is http: password and mail go over the line as they are",
                "use https; phones refuse anything else",
            )
        };
        self.report.add(StepName::Tls, begun, finding)
    }
}

async fn names(address: &Address) -> Finding {
    let advice = "check the name, and that this machine's resolver knows it";
    let lookup = tokio::net::lookup_host((address.host.as_str(), address.port));
    match timeout(PATIENCE, lookup).await {
        Ok(Ok(found)) => {
            let mut found: Vec<String> = found.map(|socket| socket.ip().to_string()).collect();
            found.dedup();
            if found.is_empty() {
                return Finding::failed(format!("{} has no address", address.host), advice);
            }
            Finding::passed(format!("{} is {}", address.host, found.join(", ")))
        }
        Ok(Err(error)) => Finding::failed(format!("{}: {error}", address.host), advice),
        Err(_) => {
            Finding::failed(format!("{}: the resolver does not answer", address.host), advice)
        }
    }
}

async fn connect(address: &Address) -> Result<TcpStream, Error> {
    let late = Error::Timeout { what: "connection", after: PATIENCE };
    timeout(PATIENCE, dial_tcp(address)).await.unwrap_or(Err(late))
}

/// Shakes hands; where the certificate is not trusted, once more without checking, to see why.
async fn certificate(address: &Address, tls: &Tls, tcp: TcpStream) -> Finding {
    match handshake(address, tls, tcp).await {
        Ok((version, chain)) => match Certificate::read(&chain) {
            Some(certificate) => certificate.judge(&version, chain.len()),
            None => Finding::passed(version),
        },
        Err(why) => {
            let seen = async {
                let anyone = Tls::new(&Trust::Anyone).ok()?;
                let tcp = connect(address).await.ok()?;
                let (_, chain) = handshake(address, &anyone, tcp).await.ok()?;
                Certificate::read(&chain).map(|certificate| (certificate, chain.len()))
            };
            match seen.await {
                Some((certificate, length)) => certificate.blame(&address.host, &why, length),
                None => Finding::failed(
                    format!("no TLS: {why}"),
                    "check that the port speaks TLS 1.2 or 1.3 and has a certificate",
                ),
            }
        }
    }
}

type Chain = Vec<CertificateDer<'static>>;

async fn handshake(
    address: &Address,
    tls: &Tls,
    tcp: TcpStream,
) -> Result<(String, Chain), String> {
    let name = ServerName::try_from(address.host.clone()).map_err(|e| e.to_string())?;
    let stream = timeout(PATIENCE, tls.connector().connect(name, tcp)).await;
    let stream = stream.map_err(|_| "no answer".to_owned())?.map_err(|e| e.to_string())?;
    let (_, session) = stream.get_ref();
    let version = session.protocol_version().map(|v| format!("{v:?}")).unwrap_or_default();
    let chain = session.peer_certificates().unwrap_or_default();
    Ok((version, chain.iter().map(|der| der.clone().into_owned()).collect()))
}

/// What of a certificate matters here.
struct Certificate {
    subject: String,
    issuer: String,
    names: Vec<String>,
    days_left: i64,
    not_yet: bool,
}

impl Certificate {
    fn read(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(chain.first()?).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let validity = certificate.validity();
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
        let names = names.iter().filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match bytes {
                [a, b, c, d] => Some(format!("{a}.{b}.{c}.{d}")),
                _ => <[u8; 16]>::try_from(*bytes)
                    .ok()
                    .map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
            },
            _ => None,
        });
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: names.collect(),
            days_left: validity.not_after.timestamp().saturating_sub(now).div_euclid(86_400),
            not_yet: validity.not_before.timestamp() > now,
        })
    }

    /// Of a certificate that is trusted.
    fn judge(&self, version: &str, length: usize) -> Finding {
        let detail = format!(
            "{version}, {} from {}, chain of {length}, {} days left",
            self.names.first().unwrap_or(&self.subject),
            self.issuer,
            self.days_left
        );
        if self.days_left < SOON {
            return Finding::warned(detail, "renew the certificate before phones refuse it");
        }
        Finding::passed(detail)
    }

    /// Of a certificate that is not.
    fn blame(&self, host: &str, why: &str, length: usize) -> Finding {
        let (detail, advice) = if self.days_left < 0 {
            let days = self.days_left.unsigned_abs();
            (format!("the certificate expired {days} days ago"), "renew it".to_owned())
        } else if self.not_yet {
            let detail = "the certificate is not valid yet".to_owned();
            (detail, "check the clocks of this machine and of the one that made it".to_owned())
        } else if !self.names.iter().any(|name| covers(name, host)) {
            let names = self.names.join(", ");
            let detail = format!("the certificate is for {names}, not for {host}");
            (detail, format!("get one with {host} among its names"))
        } else if self.issuer == self.subject {
            let detail = "the certificate is signed by itself".to_owned();
            (detail, "install it on the phones, or get one from an authority they trust".to_owned())
        } else if length == 1 {
            let detail = format!("{} is not known here, and the server sends no more", self.issuer);
            let advice =
                "let the server send the intermediate certificates too, or trust the issuer";
            (detail, advice.to_owned())
        } else {
            let detail = format!("{} is not trusted here: {why}", self.issuer);
            (
                detail,
                "trust the issuer's root certificate on this machine and the phones".to_owned(),
            )
        };
        Finding::failed(detail, advice)
    }
}

/// Whether a name of a certificate covers a host (RFC 9525 §6.3): a star stands for one label.
fn covers(name: &str, host: &str) -> bool {
    if name.eq_ignore_ascii_case(host) {
        return true;
    }
    let Some(rest) = name.strip_prefix("*.") else { return false };
    host.split_once('.').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_covers_one_label() {
        assert!(covers("mail.corp.example", "MAIL.corp.example"));
        assert!(covers("*.corp.example", "mail.corp.example"));
        assert!(!covers("*.corp.example", "a.mail.corp.example"));
        assert!(!covers("*.corp.example", "corp.example"));
        assert!(!covers("corp.example", "mail.corp.example"));
    }
}
