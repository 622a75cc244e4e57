//! Who is believed on a link, on both its ends. TLS 1.3 only, no resumption: every connection
//! shows its certificates.
//!
//! Certificates are believed by the authority that signed them, not by the calendar: a connector
//! that was switched off for months, or whose clock stands in 1970, must not be stranded
//! (rule L2). What ends a connector's access is its record in the [`crate::ConnectorBook`].

use crate::authority::{Authority, Identity, LINK_NAME};
use crate::{Error, Fingerprint, Result, certificate, wire};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WantsServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, DistinguishedName, RootCertStore,
    ServerConfig, SignatureScheme,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// For links and enrolments on the server's side.
pub(crate) struct ServerTls {
    /// Demands a connector's certificate.
    pub link: Arc<ServerConfig>,
    /// Knows nobody yet.
    pub enroll: Arc<ServerConfig>,
}

impl ServerTls {
    pub(crate) fn new(authority: Arc<Authority>) -> Result<Self> {
        let resolver = Arc::new(LinkCertificate::new(authority.clone())?);
        let verifier = clients(&authority, false)?;
        let versions = || {
            ServerConfig::builder_with_provider(provider())
                .with_protocol_versions(&[&rustls::version::TLS13])
                .map_err(|error| Error::Tls(error.to_string()))
        };
        Ok(Self {
            link: server(
                versions()?.with_client_cert_verifier(verifier),
                resolver.clone(),
                wire::LINK,
            ),
            enroll: server(versions()?.with_no_client_auth(), resolver, wire::ENROLL),
        })
    }
}

fn server(
    builder: ConfigBuilder<ServerConfig, WantsServerCert>,
    resolver: Arc<LinkCertificate>,
    alpn: &[u8],
) -> Arc<ServerConfig> {
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![alpn.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

/// For a connector that has its certificate.
pub(crate) fn link_client(authority: &str, identity: &Identity) -> Result<Arc<ClientConfig>> {
    let authority = certificate::from_pem(authority)?;
    let verifier = WebPkiServerVerifier::builder_with_provider(roots(authority)?, provider())
        .build()
        .map_err(|error| Error::Tls(error.to_string()))?;
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::Certificate(error.to_string()))?;
    let key = private_key(identity)?;
    let config = client(Arc::new(ServerVerifier::Known(verifier)))?
        .with_client_auth_cert(chain, key)
        .map_err(|error| Error::Tls(error.to_string()))?;
    Ok(finish(config, wire::LINK))
}

/// For a connector that has but the fingerprint of the server's authority.
pub(crate) fn enroll_client(authority: Fingerprint) -> Result<Arc<ClientConfig>> {
    let config = client(Arc::new(ServerVerifier::Pinned(authority)))?.with_no_client_auth();
    Ok(finish(config, wire::ENROLL))
}

/// For a connector that has nothing to know the server by. Nobody is believed here: what the server
/// says has to be proven by other means ([`crate::code`]), for this connection alone.
pub(crate) fn stranger_client() -> Result<Arc<ClientConfig>> {
    let config = client(Arc::new(ServerVerifier::Anybody))?.with_no_client_auth();
    Ok(finish(config, wire::ENROLL))
}

fn client(
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Error::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier))
}

fn finish(mut config: ClientConfig, alpn: &[u8]) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(authority: CertificateDer<'static>) -> Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    roots.add(authority).map_err(|error| Error::Certificate(error.to_string()))?;
    Ok(Arc::new(roots))
}

fn private_key(identity: &Identity) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(identity.key.expose().as_bytes())
        .map_err(|error| Error::Certificate(error.to_string()))
}

/// The nearest moment at which the certificate is valid.
fn valid_moment(leaf: &CertificateDer<'_>, now: UnixTime) -> UnixTime {
    let Ok(certificate) = certificate::parse(leaf) else { return now };
    let seconds = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
    let validity = certificate.validity();
    let (first, last) = (seconds(validity.not_before), seconds(validity.not_after));
    if first > last {
        return now;
    }
    UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs().clamp(first, last)))
}

/// The server's own certificate, made anew while the last one still holds for long.
#[derive(Debug)]
struct LinkCertificate {
    authority: AuthorityHandle,
    current: Mutex<(Arc<CertifiedKey>, SystemTime)>,
}

struct AuthorityHandle(Arc<Authority>);

impl std::fmt::Debug for AuthorityHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({:?})", self.0.fingerprint())
    }
}

impl LinkCertificate {
    fn new(authority: Arc<Authority>) -> Result<Self> {
        let made = make_link_certificate(&authority)?;
        Ok(Self {
            authority: AuthorityHandle(authority),
            current: Mutex::new((made, SystemTime::now())),
        })
    }
}

fn make_link_certificate(authority: &Authority) -> Result<Arc<CertifiedKey>> {
    let identity = authority.link_identity()?;
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::Certificate(error.to_string()))?;
    let key = provider()
        .key_provider
        .load_private_key(private_key(&identity)?)
        .map_err(|error| Error::Tls(error.to_string()))?;
    Ok(Arc::new(CertifiedKey::new(chain, key)))
}

impl ResolvesServerCert for LinkCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let age = current.1.elapsed().unwrap_or_default();
        if age > crate::authority::SERVER_LIFE / 2 {
            match make_link_certificate(&self.authority.0) {
                Ok(made) => *current = (made, SystemTime::now()),
                Err(error) => {
                    tracing::error!(%error, "the link's certificate could not be renewed")
                }
            }
        }
        Some(current.0.clone())
    }
}

/// Believes certificates that an authority made for clients, whenever: what ends them is the record
/// that the server keeps of each.
#[derive(Debug)]
struct ClientVerifier(Arc<dyn ClientCertVerifier>);

/// Believes phones' certificates of this authority, and lets phones in that show none. Whether one
/// is still good is asked at each request, of the record that is kept of it.
///
/// # Errors
/// When the library refuses it.
pub fn device_verifier(authority: &Authority) -> Result<Arc<dyn ClientCertVerifier>> {
    clients(authority, true)
}

/// Believes an authority's clients; lets one in that shows no certificate only where that is
/// optional.
fn clients(authority: &Authority, optional: bool) -> Result<Arc<dyn ClientCertVerifier>> {
    let roots = roots(authority.certificate().clone())?;
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let builder = if optional { builder.allow_unauthenticated() } else { builder };
    let verifier = builder.build().map_err(|error| Error::Tls(error.to_string()))?;
    Ok(Arc::new(ClientVerifier(verifier)))
}

impl ClientCertVerifier for ClientVerifier {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.0.verify_client_cert(leaf, others, valid_moment(leaf, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Whom a connector believes to be the server. Whoever shows a certificate must have its key in any
/// case.
#[derive(Debug)]
enum ServerVerifier {
    /// Whom the known authority says it of, whatever the address it was reached at.
    Known(Arc<WebPkiServerVerifier>),
    /// Whoever shows an authority with the fingerprint of the token, and a certificate of that
    /// authority.
    Pinned(Fingerprint),
    /// Anybody: who it is, is proven on the connection.
    Anybody,
}

impl ServerVerifier {
    /// The authority that vouches, of those that were shown; none where nobody need.
    fn authority(
        &self,
        shown: &[CertificateDer<'_>],
    ) -> Result<Option<Arc<WebPkiServerVerifier>>, rustls::Error> {
        let pin = match self {
            Self::Known(verifier) => return Ok(Some(verifier.clone())),
            Self::Pinned(pin) => pin,
            Self::Anybody => return Ok(None),
        };
        let unknown = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let authority = shown
            .iter()
            .find(|der| Fingerprint::of_certificate(der).is_ok_and(|found| found == *pin))
            .ok_or_else(unknown)?;
        let roots = roots(authority.clone().into_owned()).map_err(|_| unknown())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
        verifier.map(Some).map_err(|_| unknown())
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authority) = self.authority(others)? else {
            return Ok(ServerCertVerified::assertion());
        };
        let name = ServerName::try_from(LINK_NAME)
            .map_err(|_| rustls::Error::General("the link's name is no name".into()))?;
        authority.verify_server_cert(leaf, others, &name, ocsp, valid_moment(leaf, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, schemes)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let schemes = &provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, schemes)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
