//! What a certificate file holds, for whoever checks it before phones do.

use super::{TlsError, certified_key};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use std::path::Path;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate whose key fits it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// Seconds since the epoch from which it holds.
    pub begins: i64,
    /// Seconds since the epoch until which it and those above it in its file hold.
    pub ends: i64,
    /// Whether it is for the host that was asked about.
    pub is_for_host: bool,
    /// Who signed the last certificate of the file.
    pub issuer: String,
    /// How many certificates the file has.
    pub length: usize,
    /// Whether each was signed by the one after it.
    pub in_order: bool,
    /// The chain, the phones' certificate first.
    pub chain: Vec<CertificateDer<'static>>,
}

impl About {
    /// Reads a certificate and its key as the server does. The host is a name or an address.
    ///
    /// # Errors
    /// As the server refuses them at its start.
    pub fn read(certificate: &Path, key: &Path, host: &str) -> Result<Self, TlsError> {
        let chain = certified_key(certificate, key)?.cert;
        let unreadable = |reason: String| TlsError::File {
            what: "certificate",
            path: certificate.to_owned(),
            reason,
        };
        let mut parsed = Vec::with_capacity(chain.len());
        for der in &chain {
            let (_, one) =
                X509Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
            parsed.push(one);
        }
        let in_order = parsed
            .windows(2)
            .all(|pair| matches!(pair, [low, high] if low.issuer() == high.subject()));
        let leaf = chain.first().zip(parsed.first());
        let ((leaf, first), last) =
            leaf.zip(parsed.last()).ok_or_else(|| unreadable("it is empty".to_owned()))?;
        let is_for_host = ServerName::try_from(host).is_ok_and(|name| {
            ParsedCertificate::try_from(leaf)
                .is_ok_and(|leaf| verify_server_name(&leaf, &name).is_ok())
        });
        let ends = parsed.iter().map(|one| one.validity().not_after.timestamp()).min();
        Ok(Self {
            begins: first.validity().not_before.timestamp(),
            ends: ends.unwrap_or_default(),
            is_for_host,
            issuer: last.issuer().to_string(),
            length: chain.len(),
            in_order,
            chain: chain.clone(),
        })
    }
}

/// Until when the certificates of a PEM file hold: the first of them that ends, in seconds since the
/// epoch. None where it cannot be read.
pub(crate) fn ends(path: &Path) -> Option<i64> {
    let all = CertificateDer::pem_file_iter(path).ok()?;
    let ends = all.filter_map(|der| {
        let der = der.ok()?;
        let (_, one) = X509Certificate::from_der(&der).ok()?;
        Some(one.validity().not_after.timestamp())
    });
    ends.min()
}

/// The same of certificates that were read.
pub(super) fn ends_of(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let ends = chain.iter().filter_map(|der| {
        let (_, one) = X509Certificate::from_der(der).ok()?;
        Some(one.validity().not_after.timestamp())
    });
    ends.min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dme_link::Authority;

    #[test]
    fn it_is_told_for_whom_and_how_long_a_certificate_is() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(&directory.path().join("authority")).unwrap();
        let names = ["mail.example.org".to_owned(), "::1".to_owned()];
        let made = authority.listener_identity(&names).unwrap();
        let (certificate, key) =
            (directory.path().join("phones.pem"), directory.path().join("phones.key"));
        std::fs::write(&certificate, &made.chain).unwrap();
        std::fs::write(&key, made.key.expose()).unwrap();
        let about = |host: &str| About::read(&certificate, &key, host).unwrap();
        let seen = about("mail.example.org");
        assert!(seen.is_for_host && seen.in_order, "{seen:?}");
        assert_eq!(seen.length, 2);
        assert!(seen.begins < seen.ends);
        assert!(about("::1").is_for_host);
        assert!(!about("example.org").is_for_host);
        let held = crate::tls::ReloadingCertificate::read(&certificate, &key).unwrap();
        assert_eq!(held.ends(), Some(seen.ends));

        let other = authority.listener_identity(&names).unwrap();
        std::fs::write(&key, other.key.expose()).unwrap();
        let error = About::read(&certificate, &key, "mail.example.org").unwrap_err();
        assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
    }
}
