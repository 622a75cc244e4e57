//! A connector's keys and certificates on its disk, and how they are renewed (rule L2).
//!
//! | file | holds |
//! |---|---|
//! | `identity.pem` | the key in use and its certificate |
//! | `next.pem` | while renewing: the next key, and its certificate once it has come |
//! | `authority.pem` | the server's authority |
//! | `connector.json` | the connector's id and name, and the server's addresses |
//! | `audit-head.json` | what it last countersigned of the server's record of acts |
//!
//! A key and its certificate are one file, so that they change together. Renewing goes so, and
//! may stop after any step, for ever or until repeated:
//!
//! 1. the next key is written;
//! 2. the server is asked for its certificate, *enters the key*, and answers;
//! 3. the certificate is written beside the key;
//! 4. the next link is made with it, at which the server forgets the old key;
//! 5. the next file takes the old one's place.
//!
//! A complete next key is always tried first, and the old one where the server does not know it:
//! whatever the two ends last heard of each other, one of the two keys is good.

use crate::authority::{SigningRequest, new_key};
use crate::{Error, Fingerprint, Identity, Result, Validity, certificate, countersigning, files};
use dme_audit::{Countersignature, Head, Signer};
use dme_model::{ConnectorId, Secret, Timestamp};
use rcgen::{KeyPair, PublicKeyData};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const CURRENT: &str = "identity.pem";
const NEXT: &str = "next.pem";
const AUTHORITY: &str = "authority.pem";
const ABOUT: &str = "connector.json";

/// The part of its life that a certificate is left alone: three quarters of an hour in 30 days.
const EARLIEST: u32 = 1000;

const KEY_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const CERTIFICATE_BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The keys of a connector, in a directory for its owner alone.
#[derive(Clone, Debug)]
pub struct Identities {
    dir: PathBuf,
    about: About,
    authority: String,
}

/// What the connector knows of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct About {
    pub id: ConnectorId,
    pub name: String,
    pub servers: Vec<String>,
}

/// Which of the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Which {
    Current,
    Next,
}

impl Identities {
    /// Opens what enrolment left.
    ///
    /// # Errors
    /// `NotEnrolled` where there is nothing; others where it is damaged.
    pub fn open(dir: &Path) -> Result<Self> {
        let missing = || Error::NotEnrolled(dir.to_path_buf());
        let about_path = dir.join(ABOUT);
        let about = files::read(&about_path)?.ok_or_else(missing)?;
        let about = serde_json::from_str(&about)
            .map_err(|error| Error::Damaged { path: about_path, what: error.to_string() })?;
        let authority = files::read(&dir.join(AUTHORITY))?.ok_or_else(missing)?;
        let opened = Self { dir: dir.to_path_buf(), about, authority };
        if opened.read(Which::Current)?.is_none() {
            return Err(missing());
        }
        Ok(opened)
    }

    /// The id the server gave.
    pub fn id(&self) -> &ConnectorId {
        &self.about.id
    }

    /// The name the server gave.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// The server's addresses, as the token had them or the server said later.
    pub fn servers(&self) -> &[String] {
        &self.about.servers
    }

    /// Of the key in use, for an administrator to compare.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn fingerprint(&self) -> Result<Fingerprint> {
        let identity = self.read(Which::Current)?;
        let identity = identity.ok_or_else(|| Error::NotEnrolled(self.dir.clone()))?;
        Fingerprint::of_certificate(&certificate::from_pem(&identity.chain)?)
    }

    /// Keeps other addresses of the server.
    pub(super) fn moved(&self, servers: &[String]) -> Result<()> {
        let about = About { servers: servers.to_vec(), ..self.about.clone() };
        write_about(&self.dir, &about)
    }

    /// Where it is kept.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Signs the newest row of the server's record of acts with the key in use.
    pub(super) fn countersign(&self, head: Head, now: Timestamp) -> Result<Countersignature> {
        let identity = self.read(Which::Current)?;
        let identity = identity.ok_or_else(|| Error::NotEnrolled(self.dir.clone()))?;
        let key = parse_key(&self.dir.join(CURRENT), identity.key.expose())?;
        countersigning::sign(&key, Signer::Connector, self.name(), head, now)
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// The key of an enrolment, made once and kept until the enrolment succeeds: where the answer
    /// is lost, the token is good for this key again.
    pub(super) fn enrolling_key(dir: &Path) -> Result<KeyPair> {
        if files::read(&dir.join(ABOUT))?.is_some() {
            return Err(Error::AlreadyEnrolled(dir.to_path_buf()));
        }
        files::make_dir(dir)?;
        key_in(&dir.join(NEXT))
    }

    /// The key with which a connector comes back, beside what it may have; made once and kept until
    /// it is certified.
    pub(super) fn returning_key(dir: &Path) -> Result<KeyPair> {
        files::make_dir(dir)?;
        key_in(&dir.join(NEXT))
    }

    /// The authority that was there at the enrolment, if it is known, in PEM.
    pub(super) fn authority_in(dir: &Path) -> Result<Option<String>> {
        files::read(&dir.join(AUTHORITY))
    }

    /// Keeps what an enrolment brought. `connector.json` is last: without it there is no identity.
    pub(super) fn enrolled(
        dir: &Path,
        about: &About,
        authority: &str,
        certificate: &str,
    ) -> Result<()> {
        let key = files::read(&dir.join(NEXT))?;
        let key = key.ok_or_else(|| Error::NotEnrolled(dir.to_path_buf()))?;
        files::write(&dir.join(CURRENT), &join(&key, certificate))?;
        files::write(&dir.join(AUTHORITY), authority)?;
        write_about(dir, about)?;
        files::remove(&dir.join(NEXT))
    }

    /// The identities to try, in this order; never none.
    pub(super) fn candidates(&self) -> Result<Vec<(Which, Identity)>> {
        let mut all = Vec::new();
        for which in [Which::Next, Which::Current] {
            if let Some(identity) = self.read(which)? {
                all.push((which, identity));
            }
        }
        Ok(all)
    }

    /// Begins a renewal, or goes on with one: answers the request to send, in PEM.
    pub(super) fn renew(&self) -> Result<String> {
        SigningRequest::make(&key_in(&self.dir.join(NEXT))?)
    }

    /// Keeps the certificate for the next key.
    pub(super) fn renewed(&self, chain: &str) -> Result<()> {
        let path = self.dir.join(NEXT);
        let Some(text) = files::read(&path)? else {
            return Err(Error::Protocol("a certificate that was not asked for".into()));
        };
        let key = parse_key(&path, &text)?;
        let wanted = Fingerprint::of_public_key(&key.subject_public_key_info());
        if Fingerprint::of_certificate(&certificate::from_pem(chain)?)? != wanted {
            return Err(Error::Protocol("a certificate for another key".into()));
        }
        files::write(&path, &join(&text, chain))
    }

    /// The server took one of the candidates, the others before it having been unknown to it:
    /// what is left of another goes.
    pub(super) fn accepted(&self, which: Which) -> Result<()> {
        let next = self.dir.join(NEXT);
        match which {
            Which::Next => files::rename(&next, &self.dir.join(CURRENT)),
            // A next key without a certificate was not tried, and may yet get one.
            Which::Current if self.read(Which::Next)?.is_some() => files::remove(&next),
            Which::Current => Ok(()),
        }
    }

    /// How long until the certificate in use should be renewed: at two thirds of its life, but
    /// never at once, or a connector whose clock is ahead would do nothing else.
    pub(super) fn renewal_due(&self, now: SystemTime) -> Result<Duration> {
        let identity = self.read(Which::Current)?;
        let identity = identity.ok_or_else(|| Error::NotEnrolled(self.dir.clone()))?;
        let validity = Validity::of_certificate(&certificate::from_pem(&identity.chain)?)?;
        let moment = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let made = moment(validity.made);
        let life = moment(validity.ends).saturating_sub(made);
        let due = made.saturating_add(life.saturating_mul(2) / 3);
        let left = due.saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        Ok(left.max(life / EARLIEST))
    }

    /// An identity, if its key and certificate are both there.
    fn read(&self, which: Which) -> Result<Option<Identity>> {
        let path = self.dir.join(match which {
            Which::Current => CURRENT,
            Which::Next => NEXT,
        });
        let Some(text) = files::read(&path)? else { return Ok(None) };
        let Some(at) = text.find(CERTIFICATE_BEGIN) else { return Ok(None) };
        let (key, chain) = text.split_at(at);
        if !key.contains(KEY_BEGIN) {
            return Err(Error::Damaged { path, what: "there is no private key in it".into() });
        }
        Ok(Some(Identity { chain: chain.into(), key: Secret::new(key) }))
    }
}

fn write_about(dir: &Path, about: &About) -> Result<()> {
    let json =
        serde_json::to_string_pretty(about).map_err(|error| Error::Protocol(error.to_string()))?;
    files::write(&dir.join(ABOUT), &json)
}

fn join(key: &str, certificate: &str) -> String {
    let key = key.find(CERTIFICATE_BEGIN).and_then(|at| key.get(..at)).unwrap_or(key);
    format!("{}\n{certificate}", key.trim_end())
}

/// The key in a file, made where there is none.
fn key_in(path: &Path) -> Result<KeyPair> {
    if let Some(text) = files::read(path)? {
        return parse_key(path, &text);
    }
    let key = new_key()?;
    files::write(path, &key.serialize_pem())?;
    Ok(key)
}

fn parse_key(path: &Path, text: &str) -> Result<KeyPair> {
    let damaged =
        |error: rcgen::Error| Error::Damaged { path: path.to_path_buf(), what: error.to_string() };
    KeyPair::from_pem(text).map_err(damaged)
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
