//! Signing the newest row of the record of administrators' acts.

use crate::{Error, Result};
use dme_audit::{Countersignature, Head, Signer};
use dme_model::Timestamp;
use rcgen::SigningKey;

/// Signs a head with a key of the link.
pub(crate) fn sign(
    key: &impl SigningKey,
    signer: Signer,
    name: &str,
    head: Head,
    signed: Timestamp,
) -> Result<Countersignature> {
    let signature = key
        .sign(&head.to_be_signed(signed))
        .map_err(|error| Error::Certificate(format!("nothing can be signed: {error}")))?;
    let (name, key) = (name.to_owned(), key.subject_public_key_info());
    Ok(Countersignature { head, signer, name, signed, key, signature })
}
