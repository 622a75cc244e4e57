//! Secrets sealed to one connector, so that only that connector reads them (HPKE, RFC 9180).
//!
//! The suite is DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, in base mode: whoever has the
//! public key can seal, and nobody but the connector can open. What is sealed is bound to the text of
//! the configuration it belongs to: with any other text, a changed host among it, it does not open.

use crate::{Error, Fingerprint, Result, files};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dme_model::Secret;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_128 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// The file with a connector's sealing key, in its directory: private and public half, a line each.
const FILE: &str = "sealing.key";
/// What the key is for; other uses of it would say something else.
const INFO: &[u8] = b"dme connector configuration 1";
/// Bytes of an X25519 key, and of the encapsulated secret (RFC 9180 §7.1).
const KEY: usize = 32;

/// Secrets by the path of the setting they stand in, `people.ldap.bind_password`.
pub type Secrets = BTreeMap<String, Secret>;

/// The public half of a connector's sealing key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SealingKey([u8; KEY]);

impl SealingKey {
    /// For people to compare, and to find out whether a connector has another key by now.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_public_key(&self.0)
    }

    /// Seals secrets to this key, for a configuration of this text. Answers base64.
    ///
    /// # Errors
    /// When the key is none, or the system has no randomness to give.
    pub fn seal(&self, secrets: &Secrets, text: &str) -> Result<String> {
        let plain = serde_json::to_string(secrets).map(Secret::new);
        let plain = plain.map_err(|error| Error::Sealing(error.to_string()))?;
        let (encapsulated, mut sealed) = SUITE
            .seal(INFO, text.as_bytes(), plain.expose().as_bytes(), &HpkePublicKey(self.0.to_vec()))
            .map_err(|error| Error::Sealing(error.to_string()))?;
        let mut all = encapsulated.0;
        all.append(&mut sealed);
        Ok(STANDARD.encode(all))
    }
}

impl fmt::Display for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<SealingKey> for String {
    fn from(key: SealingKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for SealingKey {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| Error::Sealing("that is no sealing key".into()))
    }
}

/// A connector's sealing key. Its private half never leaves the connector.
pub struct SealingPair {
    public: SealingKey,
    private: HpkePrivateKey,
}

impl SealingPair {
    /// The one in this directory; made there where there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let pair = match files::read(&path)? {
            Some(text) => Self::parse(&text),
            None => {
                let pair = Self::make()?;
                let private = Secret::new(STANDARD.encode(pair.private.secret_bytes()));
                let text = Secret::new(format!("{}\n{}\n", private.expose(), pair.public));
                files::write(&path, text.expose())?;
                Some(pair)
            }
        };
        let damaged = |what: &str| Error::Damaged { path: path.clone(), what: what.to_owned() };
        let pair = pair.ok_or_else(|| damaged("there are no two keys in it"))?;
        let tried = pair.public.seal(&Secrets::new(), "").and_then(|it| pair.unseal(&it, ""));
        tried.map_err(|_| damaged("its keys do not belong together"))?;
        Ok(pair)
    }

    fn make() -> Result<Self> {
        let made = SUITE.generate_key_pair().map_err(|error| Error::Sealing(error.to_string()))?;
        let (HpkePublicKey(public), private) = made;
        let public = public.try_into().map(SealingKey);
        let public = public.map_err(|_| Error::Sealing("a key of another length".into()))?;
        Ok(Self { public, private })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let private = HpkePrivateKey::from(STANDARD.decode(lines.next()?).ok()?);
        let public = SealingKey::try_from(lines.next()?.to_owned()).ok()?;
        (private.secret_bytes().len() == KEY).then_some(Self { public, private })
    }

    /// The public half, for whoever seals.
    pub fn key(&self) -> &SealingKey {
        &self.public
    }

    /// Opens what was sealed to this key for a configuration of this text.
    ///
    /// # Errors
    /// When it was sealed to another key, for another text, or is damaged.
    pub fn unseal(&self, sealed: &str, text: &str) -> Result<Secrets> {
        let other = || {
            Error::Sealing(
                "the secrets were sealed to another key, or for another configuration; on the \
                 server, `dme connector configure` seals them anew"
                    .into(),
            )
        };
        let mut encapsulated = STANDARD.decode(sealed).map_err(|_| other())?;
        if encapsulated.len() < KEY {
            return Err(other());
        }
        let sealed = encapsulated.split_off(KEY);
        let encapsulated = EncapsulatedSecret(encapsulated);
        let plain = SUITE.open(&encapsulated, INFO, text.as_bytes(), &sealed, &self.private);
        let plain = plain.ok().and_then(|plain| String::from_utf8(plain).ok());
        let plain = Secret::new(plain.ok_or_else(other)?);
        serde_json::from_str(plain.expose()).map_err(|_| other())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt;

    fn secrets() -> Secrets {
        Secrets::from([("people.ldap.bind_password".to_owned(), Secret::new("pässwörd"))])
    }

    fn pair() -> (tempfile::TempDir, SealingPair) {
        let dir = tempfile::tempdir().unwrap();
        let pair = SealingPair::open(dir.path()).unwrap();
        (dir, pair)
    }

    #[test]
    fn a_connector_opens_what_was_sealed_to_it_also_after_a_restart() {
        let (dir, pair) = pair();
        let sealed = pair.key().seal(&secrets(), "text").unwrap();
        assert_eq!(pair.unseal(&sealed, "text").unwrap(), secrets());
        let again = SealingPair::open(dir.path()).unwrap();
        assert_eq!(again.unseal(&sealed, "text").unwrap(), secrets());
        let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn another_connector_cannot_open_it() {
        let ((_one, one), (_other, other)) = (pair(), pair());
        let sealed = one.key().seal(&secrets(), "text").unwrap();
        assert!(other.unseal(&sealed, "text").is_err());
    }

    #[test]
    fn with_another_text_it_does_not_open() {
        let (_dir, pair) = pair();
        let sealed = pair.key().seal(&secrets(), "host = \"ldap.example.org\"").unwrap();
        let error = pair.unseal(&sealed, "host = \"ldap.example.net\"").unwrap_err();
        assert!(error.to_string().contains("dme connector configure"), "{error}");
    }

    #[test]
    fn what_was_sealed_shows_nothing() {
        let (_dir, pair) = pair();
        let sealed = pair.key().seal(&secrets(), "text").unwrap();
        let bytes = STANDARD.decode(&sealed).unwrap();
        for plain in ["pässwörd", "bind_password"] {
            assert!(!bytes.windows(plain.len()).any(|part| part == plain.as_bytes()));
        }
        assert_ne!(sealed, pair.key().seal(&secrets(), "text").unwrap(), "each time anew");
    }

    #[test]
    fn a_damaged_key_is_not_replaced_in_silence() {
        let (dir, pair) = pair();
        let path = dir.path().join(FILE);
        let other = SealingPair::make().unwrap();
        let mixed = format!("{}\n{}", STANDARD.encode(pair.private.secret_bytes()), other.public);
        for text in ["", "AAAA\nAAAA", &mixed] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(SealingPair::open(dir.path()), Err(Error::Damaged { .. })), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_opening_panic(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
            let pair = SealingPair::make().unwrap();
            prop_assert!(pair.unseal(&STANDARD.encode(bytes), "").is_err());
        }
    }
}
