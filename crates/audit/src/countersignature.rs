//! The signature of somebody who is not the server under the newest row.

use crate::Hash;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use dme_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Before what is signed, so that the signature can stand for nothing else.
const PURPOSE: &[u8] = b"DME audit head 1\0";

/// The newest row of a record: all before it follows from its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
    /// When it was recorded.
    pub time: Timestamp,
}

impl Head {
    /// What is signed of it, at that time by the signer's clock.
    pub fn to_be_signed(&self, signed: Timestamp) -> Vec<u8> {
        let (number, time) = (self.number.to_be_bytes(), self.time.as_millis().to_be_bytes());
        let signed = signed.as_millis().to_be_bytes();
        [PURPOSE, &number[..], &self.hash.as_bytes()[..], &time[..], &signed[..]].concat()
    }
}

/// Who signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signer {
    /// A connector, with the key of its link, on its own machine.
    Connector,
    /// The server's own authority. Weaker: who has taken the server over can sign anew.
    Server,
}

impl Signer {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connector => "connector",
            Self::Server => "server",
        }
    }
}

/// A head that was signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Countersignature {
    /// What was signed.
    pub head: Head,
    /// Who signed.
    pub signer: Signer,
    /// The signer's name: the connector's.
    pub name: String,
    /// When, by the signer's clock.
    pub signed: Timestamp,
    /// The public key: `SubjectPublicKeyInfo` of P-256 in DER. It stays here when the connector
    /// has another by now.
    #[serde(with = "crate::base64_text")]
    pub key: Vec<u8>,
    /// ECDSA with SHA-256, in DER.
    #[serde(with = "crate::base64_text")]
    pub signature: Vec<u8>,
}

impl Countersignature {
    /// Whether the key made the signature under this head.
    pub fn is_genuine(&self) -> bool {
        let signed = self.head.to_be_signed(self.signed);
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.key);
        key.verify(&signed, &self.signature).is_ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey};

    pub(crate) fn sign(key: &KeyPair, head: Head) -> Countersignature {
        let signed = Timestamp::from_seconds(5);
        Countersignature {
            head,
            signer: Signer::Connector,
            name: "branch".into(),
            signed,
            key: key.subject_public_key_info(),
            signature: key.sign(&head.to_be_signed(signed)).unwrap(),
        }
    }

    #[test]
    fn a_signature_is_good_for_its_head_time_and_key_alone() {
        let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let (ours, other) = (key(), key());
        let head = Head { number: 3, hash: Hash::new([7; 32]), time: Timestamp::from_seconds(4) };
        let good = sign(&ours, head);
        assert!(good.is_genuine());
        let mut bad: [_; 5] = std::array::from_fn(|_| good.clone());
        bad[0].head.number = 4;
        bad[1].head.hash = Hash::NONE;
        bad[2].signed = Timestamp::from_seconds(6);
        bad[3].key = other.subject_public_key_info();
        bad[4].key.clear();
        assert!(bad.iter().all(|one| !one.is_genuine()));
    }
}
