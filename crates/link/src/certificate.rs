//! What is read of certificates, in one place.

use crate::{Error, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::certificate::X509Certificate;

/// A certificate in PEM.
pub(crate) fn from_pem(pem: &str) -> Result<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(unreadable)
}

/// What stands in a certificate in DER.
pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>> {
    x509_parser::parse_x509_certificate(der).map(|(_, read)| read).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Certificate(format!("cannot be read: {error}"))
}
