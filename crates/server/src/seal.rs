//! What the database keeps for a while and nobody else may read is sealed before it reaches it, by a
//! key that lies in the server's directory: waiting messages, and what second factors are made of. A
//! copy of the database alone, or a page of it on a disk that was given away, tells nothing of them.
//! Whoever reads the server's whole directory has the keys too (decision 19).

use crate::private_files::write_private;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use bytes::Bytes;
use std::io;
use std::path::Path;

/// The file with the key that waiting messages are sealed by, in the server's directory: 32 bytes.
pub const OUTBOX: &str = "outbox.key";
/// That of what second factors are made of.
pub const SECOND_FACTORS: &str = "second-factors.key";
/// Bytes of the key.
const KEY: usize = 32;
/// What a sealed message begins with; a mail never begins with a zero byte.
const SEALED: &[u8] = b"\0dme1";

/// Seals by the key of one file.
pub struct Seal {
    key: RandomizedNonceKey,
    file: &'static str,
}

/// It does not open: another key, another's, or damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it does not open with {0}: another key, or it is damaged")]
pub struct NotOpened(&'static str);

impl Seal {
    /// With the key in this file of the directory; made there where there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds no key.
    pub fn open(directory: &Path, file: &'static str) -> io::Result<Self> {
        let path = directory.join(file);
        let wrong = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let key = match std::fs::read(&path) {
            Ok(key) => key,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = vec![0; KEY];
                rand::fill(&mut key).map_err(|_| wrong("the system gives no random numbers"))?;
                write_private(&path, &key)?;
                key
            }
            Err(error) => return Err(error),
        };
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key);
        let key = key.map_err(|_| wrong("it does not hold 32 bytes"))?;
        Ok(Self { key, file })
    }

    /// Seals what is of this act, or of whatever else it opens with alone. Nothing where it cannot be
    /// sealed, which does not happen.
    pub fn seal(&self, act: &str, message: &[u8]) -> Option<Bytes> {
        let mut sealed = message.to_vec();
        let nonce = self.key.seal_in_place_append_tag(Aad::from(act), &mut sealed).ok()?;
        Some([SEALED, nonce.as_ref(), &sealed].concat().into())
    }

    /// Opens it again. A message from before messages were sealed is as it was.
    ///
    /// # Errors
    /// When it does not open.
    pub fn unseal(&self, act: &str, kept: &Bytes) -> Result<Bytes, NotOpened> {
        let Some(sealed) = kept.strip_prefix(SEALED) else { return Ok(kept.clone()) };
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(NotOpened(self.file))?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOpened(self.file))?;
        let mut message = sealed.to_vec();
        let opened = self.key.open_in_place(nonce, Aad::from(act), &mut message);
        let length = opened.map_err(|_| NotOpened(self.file))?.len();
        message.truncate(length);
        Ok(message.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_opens_with_its_key_as_its_own_and_not_otherwise() {
        let directory = tempfile::tempdir().unwrap();
        let seal = Seal::open(directory.path(), OUTBOX).unwrap();
        let sealed = seal.seal("act", b"Subject: secret\r\n\r\nwords").unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(seal.seal("act", b"Subject: secret\r\n\r\nwords").unwrap(), sealed);
        let again = Seal::open(directory.path(), OUTBOX).unwrap();
        assert_eq!(again.unseal("act", &sealed).unwrap(), "Subject: secret\r\n\r\nwords");
        assert_eq!(again.unseal("other", &sealed), Err(NotOpened(OUTBOX)));
        let mut damaged = sealed.to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(again.unseal("act", &damaged.into()), Err(NotOpened(OUTBOX)));
        assert_eq!(again.unseal("act", &sealed.slice(..SEALED.len() + 3)), Err(NotOpened(OUTBOX)));
        let other = tempfile::tempdir().unwrap();
        assert_eq!(
            Seal::open(other.path(), OUTBOX).unwrap().unseal("act", &sealed),
            Err(NotOpened(OUTBOX))
        );
    }

    #[test]
    fn what_was_kept_before_messages_were_sealed_is_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let plain = Bytes::from_static(b"Subject: old\r\n\r\n");
        let seal = Seal::open(directory.path(), OUTBOX).unwrap();
        assert_eq!(seal.unseal("act", &plain).unwrap(), plain);
    }

    #[test]
    fn a_key_of_another_length_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(OUTBOX), b"short").unwrap();
        assert!(Seal::open(directory.path(), OUTBOX).is_err());
    }
}
