//! Secrets that mean nothing by themselves: cookies, links, tokens. They are kept by their hashes,
//! so that a copy of what is kept opens nothing; nobody guesses 256 bits, however fast the hash.

use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dme_model::Secret;

/// What a secret is kept by.
pub(crate) type Hash = [u8; 32];

/// 256 bits that nobody guesses, as text.
pub(crate) fn random() -> std::io::Result<Secret> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| std::io::Error::other("no randomness to be had"))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// The SHA-256 of a secret.
pub(crate) fn hash(secret: &Secret) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret.expose().as_bytes()).as_ref());
    hash
}
