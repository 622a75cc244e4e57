//! The phones' certificate: read from files, read again when they change.

mod about;

pub use about::About;
pub(crate) use about::ends;

use dme_link::{Authority, device_verifier};
use rustls::SignatureScheme;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or holds no PEM of the kind.
    #[error("cannot read the {what} in {path}: {reason}")]
    File {
        /// Certificate or key.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system or the parser said.
        reason: String,
    },
    /// The key does not belong to the certificate, or is of no usable kind.
    #[error("the key in {key} does not fit the certificate in {certificate}: {reason}")]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
        /// What the library said.
        reason: String,
    },
    /// The TLS library refused the configuration.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
    /// Phones' certificates cannot be checked.
    #[error("cannot check phones' certificates: {0}")]
    Devices(#[from] dme_link::Error),
}

/// A certificate chain and its key, from two PEM files that may be the same.
#[derive(Debug)]
pub struct ReloadingCertificate {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

/// How something is signed (RFC 4055, RFC 5758).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignedBy {
    /// RSA by PKCS #1 v1.5, of SHA-256.
    RsaSha256,
    /// ECDSA of SHA-256.
    EcdsaSha256,
    /// ECDSA of SHA-384.
    EcdsaSha384,
}

/// A signature by the phones' certificate.
pub struct Signed {
    /// How it was made.
    pub by: SignedBy,
    /// It, as X.509 has it.
    pub signature: Vec<u8>,
    /// The certificate and those above it, in DER.
    pub chain: Vec<Vec<u8>>,
}

impl ReloadingCertificate {
    /// Until when it and those above it in its file hold, in seconds since the epoch.
    pub fn ends(&self) -> Option<i64> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        about::ends_of(&current.cert)
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used; names the file and what is wrong with it.
    pub fn read(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self {
            current: RwLock::new(Arc::new(certified_key(certificate, key)?)),
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        }))
    }

    /// Looks at the files from time to time, for ever, and takes over what changed. A broken file
    /// is logged and the certificate in use stays.
    pub async fn keep_fresh(self: Arc<Self>) {
        let mut seen = self.modified();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.modified();
            if now == seen {
                continue;
            }
            seen = now;
            match certified_key(&self.certificate, &self.key) {
                Ok(fresh) => {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                    tracing::info!(file = %self.certificate.display(), "certificate reloaded");
                }
                Err(error) => {
                    tracing::error!(%error, "the changed certificate is not used; the old one stays");
                }
            }
        }
    }

    /// Signs a message with the certificate's key, by a way that old phones know too and the message
    /// may depend on; none where
    /// the key is of another kind.
    pub fn sign(&self, message: impl FnOnce(SignedBy) -> Vec<u8>) -> Option<Signed> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let ways = [
            (SignatureScheme::RSA_PKCS1_SHA256, SignedBy::RsaSha256),
            (SignatureScheme::ECDSA_NISTP256_SHA256, SignedBy::EcdsaSha256),
            (SignatureScheme::ECDSA_NISTP384_SHA384, SignedBy::EcdsaSha384),
        ];
        let signer = current.key.choose_scheme(&ways.map(|(scheme, _)| scheme))?;
        let (_, by) = ways.into_iter().find(|(scheme, _)| *scheme == signer.scheme())?;
        let signature = signer.sign(&message(by)).ok()?;
        let chain = current.cert.iter().map(|certificate| certificate.to_vec()).collect();
        Some(Signed { by, signature, chain })
    }

    fn modified(&self) -> [Option<SystemTime>; 2] {
        [&self.certificate, &self.key]
            .map(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok())
    }
}

impl ResolvesServerCert for ReloadingCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The TLS configuration of the phones' listener: HTTP/1.1 with this certificate. Phones may show
/// certificates of the authority for them, where there is one.
///
/// # Errors
/// When the library refuses it.
pub fn phones(
    certificate: Arc<ReloadingCertificate>,
    devices: Option<&Authority>,
) -> Result<rustls::ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?;
    let mut config = match devices {
        Some(devices) => builder.with_client_cert_verifier(device_verifier(devices)?),
        None => builder.with_no_client_auth(),
    }
    .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A parked phone's connection should cost as little memory as it can: small send buffers, and
    // resumption by stateless tickets would need a ticketer kept in step among several servers.
    config.send_tls13_tickets = 1;
    Ok(config)
}

fn certified_key(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let unreadable =
        |what, path: &Path, reason: String| TlsError::File { what, path: path.to_owned(), reason };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable("certificate", certificate, error.to_string()))?;
    if chain.is_empty() {
        let reason = "it holds no CERTIFICATE block".to_owned();
        return Err(unreadable("certificate", certificate, reason));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable("private key", key, error.to_string()))?;
    let mismatch = |reason: rustls::Error| TlsError::Mismatch {
        key: key.to_owned(),
        certificate: certificate.to_owned(),
        reason: reason.to_string(),
    };
    let signer = rustls::crypto::aws_lc_rs::sign::any_supported_type(&private).map_err(mismatch)?;
    let pair = CertifiedKey::new(chain, signer);
    pair.keys_match().map_err(mismatch)?;
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, authority: &Authority, name: &str) -> (PathBuf, PathBuf) {
        let made = authority.listener_identity(&[name.to_owned()]).unwrap();
        let (certificate, key) = (directory.join("phones.pem"), directory.join("phones.key"));
        std::fs::write(&certificate, made.chain).unwrap();
        std::fs::write(&key, made.key.expose()).unwrap();
        (certificate, key)
    }

    /// Times of change that differ, however fast the test is.
    fn touch(paths: &[&Path], second: u64) {
        for path in paths {
            let file = std::fs::File::options().append(true).open(path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_certificate_is_taken_over_and_a_broken_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::open(&directory.path().join("authority")).unwrap();
        let (certificate, key) = write(directory.path(), &authority, "one.example.org");
        touch(&[&certificate, &key], 1);
        let reloading = ReloadingCertificate::read(&certificate, &key).unwrap();
        let now = || reloading.current.read().unwrap().cert.clone();
        let first = now();
        let task = tokio::spawn(reloading.clone().keep_fresh());
        tokio::time::sleep(LOOK_EVERY * 2).await;

        std::fs::write(&certificate, "no certificate").unwrap();
        touch(&[&certificate], 2);
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_eq!(now(), first, "the old one stays");

        write(directory.path(), &authority, "two.example.org");
        touch(&[&certificate, &key], 3);
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_ne!(now(), first, "the new one is served");
        task.abort();
    }
}
