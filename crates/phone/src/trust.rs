//! Whom the phone trusts: the certificates by which a server's is checked; and what it shows itself.

use crate::error::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Whom a phone trusts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Trust {
    /// The authorities of this machine.
    #[default]
    System,
    /// Only the authorities in this PEM text.
    Authority(Vec<u8>),
    /// Anyone. Whoever sits on the line can read the password: for tests and diagnosis only.
    Anyone,
}

/// The TLS side of any number of connections. Cheap to clone; share one among many phones, since
/// it holds the trusted certificates.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Builds it.
    ///
    /// # Errors
    /// [`Error::Trust`] where the certificates cannot be read or there are none.
    pub fn new(trust: &Trust) -> Result<Self> {
        Self::built(trust, None)
    }

    /// The same for a phone that shows a certificate where it is asked for one: the certificate, and
    /// those above it if any, and its private key, in one PEM text.
    ///
    /// # Errors
    /// [`Error::Trust`] also where these cannot be read.
    pub fn with_identity(trust: &Trust, pem: &[u8]) -> Result<Self> {
        let wrong = |e: rustls::pki_types::pem::Error| Error::Trust(format!("not PEM: {e}"));
        let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(wrong)?;
        Self::built(trust, Some((chain.map_err(wrong)?, key)))
    }

    fn built(
        trust: &Trust,
        identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let wrong = |e: &dyn std::fmt::Display| Error::Trust(e.to_string());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(&e))?;
        let builder = match trust {
            Trust::System => builder.with_root_certificates(system()?),
            Trust::Authority(pem) => builder.with_root_certificates(authority(pem)?),
            Trust::Anyone => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AcceptAnyone(provider))),
        };
        let mut config = match identity {
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain, key).map_err(|e| wrong(&e))?
            }
            None => builder.with_no_client_auth(),
        };
        // A session cache per process would outweigh what a parked phone needs otherwise.
        config.resumption = rustls::client::Resumption::in_memory_sessions(32);
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn connector(&self) -> tokio_rustls::TlsConnector {
        tokio_rustls::TlsConnector::from(Arc::clone(&self.0))
    }
}

fn system() -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let why = found.errors.first().map(ToString::to_string).unwrap_or_default();
        return Err(Error::Trust(format!("this machine has none that can be read; {why}")));
    }
    Ok(roots)
}

fn authority(pem: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| Error::Trust(format!("not PEM: {e}")))?;
        roots.add(certificate).map_err(|e| Error::Trust(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(Error::Trust("no certificate in the PEM text".to_owned()));
    }
    Ok(roots)
}

/// Takes every certificate, but still checks that the peer has its key.
#[derive(Debug)]
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_is_no_authority() {
        for pem in
            [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
        {
            let error = Tls::new(&Trust::Authority(pem.to_vec())).unwrap_err();
            assert!(matches!(error, Error::Trust(_)), "{error}");
        }
    }
}
