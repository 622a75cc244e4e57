//! The server's own certificate authority: the root of every link (rule L1).
//!
//! It is made once, in a directory of the server's, and signs three sorts of certificates: the
//! connectors', for client authentication only; the server's own on the link, for the one fixed
//! name [`LINK_NAME`]; and, for trial installations, one for the phones' listener.
//!
//! Phones that show certificates have an authority of their own, so that nothing on a phone is ever
//! believed on a link.

use crate::{Error, Fingerprint, Result, certificate, countersigning, files};
use dme_audit::{Countersignature, Head, Signer};
use dme_model::{ConnectorId, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The name in the server's link certificate. It is the same for every server: connectors know
/// their server by its authority's key, not by a name that NAT or a move could change. No other
/// certificate of the authority has it.
pub const LINK_NAME: &str = "link.dme.invalid";

/// How long the authority's own certificate holds.
const AUTHORITY_LIFE: Duration = Duration::from_secs(20 * 365 * 86_400);
/// How long the server's certificates hold.
pub(crate) const SERVER_LIFE: Duration = Duration::from_secs(365 * 86_400);
/// Certificates hold from this long before they were made, for clocks that are behind.
const BACKDATED: Duration = Duration::from_secs(86_400);

/// A certificate chain and its private key, as files have them.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, then the authority's, in PEM.
    pub chain: String,
    /// The private key in PEM (PKCS #8).
    pub key: dme_model::Secret,
}

/// A certificate that was made for one phone, and its key.
pub struct DeviceIdentity {
    /// The certificate alone, in DER.
    pub certificate: Vec<u8>,
    /// The private key in PEM (PKCS #8).
    pub key: dme_model::Secret,
    /// By which the certificate is known.
    pub fingerprint: Fingerprint,
    /// The certificate's serial number, in hexadecimal digits.
    pub serial: String,
    /// How long it holds.
    pub validity: Validity,
}

/// How long a certificate holds, in seconds since the epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// When it was made.
    pub made: i64,
    /// When it ends.
    pub ends: i64,
}

impl Validity {
    /// Of a connector's certificate in DER, as the authority made it.
    pub(crate) fn of_certificate(der: &[u8]) -> Result<Self> {
        let certificate = certificate::parse(der)?;
        let validity = certificate.validity();
        let backdated = i64::try_from(BACKDATED.as_secs()).unwrap_or(0);
        let made = validity.not_before.timestamp().saturating_add(backdated);
        Ok(Self { made, ends: validity.not_after.timestamp() })
    }
}

/// The server's own certificate authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    fingerprint: Fingerprint,
}

impl Authority {
    /// Opens the authority in the directory, or makes it there where there is none:
    /// `authority.pem`, and `authority.key` readable by the owner alone.
    ///
    /// # Errors
    /// When the files cannot be read, written, or do not belong together.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_as(dir, "DME authority")
    }

    /// The same for an authority of another name.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as(dir: &Path, name: &str) -> Result<Self> {
        let (key_path, pem_path) = (dir.join("authority.key"), dir.join("authority.pem"));
        match (files::read(&key_path)?, files::read(&pem_path)?) {
            (Some(key), Some(pem)) => Self::of(&key_path, &key, &pem_path, pem),
            (Some(_), None) => Err(damaged(
                &pem_path,
                "it is missing, while authority.key is there; restore both or remove both",
            )),
            // The key is written last: a certificate alone is what a crash in between leaves.
            (None, _) => {
                files::make_dir(dir)?;
                let key = new_key()?;
                let key_pem = key.serialize_pem();
                let certificate = authority_params(name)?.self_signed(&key).map_err(made)?;
                files::write(&pem_path, &certificate.pem())?;
                files::write(&key_path, &key_pem)?;
                Self::assemble(key, certificate.pem())
            }
        }
    }

    /// An authority that somebody else made, which signs what the server makes for phones: its
    /// certificate and its key in PEM files.
    ///
    /// # Errors
    /// When a file is not there, cannot be read, or they do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self> {
        let held = |path: &Path| files::read(path)?.ok_or_else(|| damaged(path, "it is not there"));
        Self::of(key, &held(key)?, certificate, held(certificate)?)
    }

    fn of(key_path: &Path, key: &str, pem_path: &Path, pem: String) -> Result<Self> {
        let key = KeyPair::from_pem(key).map_err(|e| damaged(key_path, e.to_string()))?;
        let key_fingerprint = Fingerprint::of_public_key(&key.subject_public_key_info());
        let authority = Self::assemble(key, pem).map_err(|e| damaged(pem_path, e.to_string()))?;
        match authority.fingerprint == key_fingerprint {
            true => Ok(authority),
            false => {
                let what = format!("it does not belong to {}", key_path.display());
                Err(damaged(pem_path, what))
            }
        }
    }

    fn assemble(key: KeyPair, pem: String) -> Result<Self> {
        let certificate = certificate::from_pem(&pem)?;
        let fingerprint = Fingerprint::of_certificate(&certificate)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key).map_err(made)?;
        Ok(Self { issuer, certificate, pem, fingerprint })
    }

    /// Of the authority's key: what tokens carry and connectors pin.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The authority's certificate in PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Signs a connector's request. Of the request only the key is taken; the certificate says
    /// what the server knows of the connector. Answers it in PEM.
    ///
    /// # Errors
    /// When the request is not one, is not signed by its own key, or the key is not P-256.
    pub fn sign_connector(
        &self,
        request: &SigningRequest,
        id: &ConnectorId,
        life: Duration,
    ) -> Result<String> {
        let mut params = leaf_params(id.as_str(), life)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate =
            params.signed_by(&request.params.public_key, &self.issuer).map_err(made)?;
        Ok(certificate.pem())
    }

    /// Signs a text with the authority's own key: ECDSA P-256 with SHA-256, in DER. What is signed
    /// begins with what it is, so that it passes for nothing else; certificates never do.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn sign(&self, text: &[u8]) -> Result<Vec<u8>> {
        use rcgen::SigningKey;
        self.issuer.key().sign(text).map_err(made)
    }

    /// Signs the newest row of the server's own record of acts, where no connector does.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn countersign(&self, head: Head, now: Timestamp) -> Result<Countersignature> {
        countersigning::sign(self.issuer.key(), Signer::Server, "server", head, now)
    }

    /// A new key and certificate for the server's side of links, held for a year.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn link_identity(&self) -> Result<Identity> {
        self.server_identity("DME link", &[LINK_NAME.to_owned()])
    }

    /// A new key and certificate for the phones' listener under these DNS names and addresses,
    /// held for a year. For trials: phones know the authority only where they were told of it.
    ///
    /// # Errors
    /// When a name is neither a DNS name nor an address, or is the link's own.
    pub fn listener_identity(&self, names: &[String]) -> Result<Identity> {
        if names.iter().any(|name| name.to_ascii_lowercase().ends_with("dme.invalid")) {
            return Err(Error::Certificate("names under dme.invalid are kept for links".into()));
        }
        self.server_identity(names.first().map_or("DME", String::as_str), names)
    }

    /// A new key and certificate for one phone of this user: for client authentication, and for
    /// nothing that a link believes.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn device_identity(&self, user: &str, life: Duration) -> Result<DeviceIdentity> {
        let key = new_key()?;
        let mut params = leaf_params(user, life)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(made)?.der().to_vec();
        let read = certificate::parse(&certificate)?;
        Ok(DeviceIdentity {
            fingerprint: Fingerprint::of_public_key(&key.subject_public_key_info()),
            serial: read.tbs_certificate.raw_serial_as_string().replace(':', ""),
            validity: Validity::of_certificate(&certificate)?,
            key: dme_model::Secret::new(key.serialize_pem()),
            certificate,
        })
    }

    fn server_identity(&self, name: &str, names: &[String]) -> Result<Identity> {
        let key = new_key()?;
        let mut params = leaf_params(name, SERVER_LIFE)?;
        params.subject_alt_names = CertificateParams::new(names).map_err(made)?.subject_alt_names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer).map_err(made)?;
        Ok(Identity {
            chain: format!("{}{}", certificate.pem(), self.pem),
            key: dme_model::Secret::new(key.serialize_pem()),
        })
    }
}

/// Whether the authority of this certificate, in PEM, signed a text by [`Authority::sign`].
///
/// # Errors
/// When the certificate cannot be read.
pub fn verify_signature(certificate_pem: &str, text: &[u8], signature: &[u8]) -> Result<bool> {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
    let der = certificate::from_pem(certificate_pem)?;
    let certificate = certificate::parse(&der)?;
    let key = &certificate.public_key().subject_public_key.data;
    Ok(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(text, signature).is_ok())
}

/// A connector's request for a certificate (PKCS #10, RFC 2986) whose signature was verified.
pub struct SigningRequest {
    params: CertificateSigningRequestParams,
    /// Of the key it was made with.
    pub fingerprint: Fingerprint,
}

impl SigningRequest {
    /// Makes the request for a key.
    pub(crate) fn make(key: &KeyPair) -> Result<String> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.serialize_request(key).and_then(|request| request.pem()).map_err(made)
    }

    /// Reads and verifies a request in PEM.
    ///
    /// # Errors
    /// When it is not one, is not signed by its own key, or the key is not P-256.
    pub fn from_pem(pem: &str) -> Result<Self> {
        let wrong = |why: String| Error::Certificate(format!("request for a certificate: {why}"));
        let der = CertificateSigningRequestDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| wrong(error.to_string()))?;
        let params = CertificateSigningRequestParams::from_der(&der)
            .map_err(|error| wrong(error.to_string()))?;
        if params.public_key.algorithm() != &PKCS_ECDSA_P256_SHA256 {
            return Err(wrong("the key is not P-256".into()));
        }
        let fingerprint = Fingerprint::of_public_key(&params.public_key.subject_public_key_info());
        Ok(Self { params, fingerprint })
    }
}

/// A new P-256 key.
pub(crate) fn new_key() -> Result<KeyPair> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(made)
}

fn damaged(path: &Path, what: impl Into<String>) -> Error {
    Error::Damaged { path: path.to_path_buf(), what: what.into() }
}

fn made(error: rcgen::Error) -> Error {
    Error::Certificate(error.to_string())
}

fn authority_params(name: &str) -> Result<CertificateParams> {
    let mut params = leaf_params(name, AUTHORITY_LIFE)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn leaf_params(name: &str, life: Duration) -> Result<CertificateParams> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| Error::Certificate("the clock stands before 1970".into()))?;
    // `time`'s type is reached through rcgen alone.
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let mut params = CertificateParams::default();
    params.not_before = epoch + now.saturating_sub(BACKDATED);
    params.not_after = epoch + now.saturating_add(life);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_authority_is_made_once_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let first = Authority::open(dir.path()).unwrap().fingerprint();
        assert_eq!(Authority::open(dir.path()).unwrap().fingerprint(), first);
        let mode = std::fs::metadata(dir.path().join("authority.key")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }

    #[test]
    fn an_authority_without_its_certificate_is_not_replaced_in_silence() {
        let dir = tempfile::tempdir().unwrap();
        Authority::open(dir.path()).unwrap();
        std::fs::remove_file(dir.path().join("authority.pem")).unwrap();
        assert!(matches!(Authority::open(dir.path()), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_certificate_of_another_authority_is_noticed() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Authority::open(one.path()).unwrap();
        Authority::open(other.path()).unwrap();
        std::fs::copy(other.path().join("authority.pem"), one.path().join("authority.pem"))
            .unwrap();
        assert!(matches!(Authority::open(one.path()), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_connector_gets_a_certificate_for_its_key_and_the_id_the_server_gave() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(dir.path()).unwrap();
        let key = new_key().unwrap();
        let request = SigningRequest::from_pem(&SigningRequest::make(&key).unwrap()).unwrap();
        let pem = authority
            .sign_connector(&request, &ConnectorId::from("c7"), Duration::from_secs(3600))
            .unwrap();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        assert_eq!(Fingerprint::of_certificate(&der).unwrap(), request.fingerprint);
        let certificate = certificate::parse(&der).unwrap();
        assert_eq!(certificate.subject().to_string(), "CN=c7");
        let Validity { made, ends } = Validity::of_certificate(&der).unwrap();
        assert_eq!(ends - made, 3600);
        assert!(!certificate.is_ca());
    }

    #[test]
    fn a_phone_gets_a_key_and_certificate_by_which_it_is_known_of_an_authority_that_was_made() {
        let dir = tempfile::tempdir().unwrap();
        let made = Authority::open_as(dir.path(), "Company devices").unwrap();
        let path = |name: &str| dir.path().join(name);
        let read = Authority::read(&path("authority.pem"), &path("authority.key")).unwrap();
        assert_eq!(read.fingerprint(), made.fingerprint());
        let phone = read.device_identity("ann@example.org", Duration::from_secs(3600)).unwrap();
        let certificate = certificate::parse(&phone.certificate).unwrap();
        assert_eq!(certificate.subject().to_string(), "CN=ann@example.org");
        assert_eq!(certificate.issuer().to_string(), "CN=Company devices");
        assert_eq!(Fingerprint::of_certificate(&phone.certificate).unwrap(), phone.fingerprint);
        assert_eq!(phone.validity.ends - phone.validity.made, 3600);
        assert_eq!(phone.serial.len() % 2, 0);
        assert!(Authority::read(&path("authority.pem"), &path("none")).is_err());
        let other = tempfile::tempdir().unwrap();
        Authority::open(other.path()).unwrap();
        let strange = other.path().join("authority.key");
        assert!(Authority::read(&path("authority.pem"), &strange).is_err());
    }

    #[test]
    fn a_request_that_was_tampered_with_or_has_another_sort_of_key_is_refused() {
        let pem = SigningRequest::make(&new_key().unwrap()).unwrap();
        let mut tampered: Vec<char> = pem.chars().collect();
        let middle = tampered.len() / 2;
        tampered[middle] = if tampered[middle] == 'A' { 'B' } else { 'A' };
        assert!(SigningRequest::from_pem(&tampered.iter().collect::<String>()).is_err());
        let other = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        assert!(SigningRequest::from_pem(&SigningRequest::make(&other).unwrap()).is_err());
        assert!(SigningRequest::from_pem("").is_err());
    }

    #[test]
    fn no_listener_certificate_can_stand_for_the_link() {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::open(dir.path()).unwrap();
        for name in [LINK_NAME.to_uppercase(), "*.dme.invalid".to_owned()] {
            assert!(authority.listener_identity(&[name]).is_err());
        }
        let names = ["mail.example.org".to_owned(), "192.0.2.1".to_owned()];
        assert!(authority.listener_identity(&names).is_ok());
    }
}
