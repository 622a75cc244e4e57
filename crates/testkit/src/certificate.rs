//! A certificate for servers on loopback, signed by an authority made for the one test.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// A server's certificate with its key, and who signed it; all PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The authority to trust.
    pub ca_pem: String,
    /// The server's certificate.
    pub certificate_pem: String,
    /// The server's key.
    pub key_pem: String,
}

impl Certificate {
    /// A certificate for `localhost` and 127.0.0.1.
    ///
    /// # Errors
    /// When keys cannot be made.
    pub fn for_loopback() -> anyhow::Result<Self> {
        Self::for_names(&["localhost", "127.0.0.1"])
    }

    /// Makes an authority and a certificate for these names and addresses, signed by it.
    ///
    /// # Errors
    /// When a name cannot be one, or keys cannot be made.
    pub fn for_names(names: &[&str]) -> anyhow::Result<Self> {
        let ca_key = KeyPair::generate()?;
        let mut ca = CertificateParams::new(Vec::new())?;
        ca.distinguished_name.push(DnType::CommonName, "DME test authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key)?.pem();
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        Ok(Self { ca_pem, certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    /// The server's certificate as one line of base64, without what PEM puts around it.
    pub fn base64(&self) -> String {
        self.certificate_pem.lines().filter(|line| !line.starts_with("-----")).collect()
    }
}
