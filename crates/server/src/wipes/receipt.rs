//! The receipt of a wipe: who ordered it, when the device was told, when it said that it does it.
//! Signed with the key of the server's own certificate authority, so that anybody who has the
//! authority's certificate can check it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dme_link::Authority;
use dme_model::Timestamp;
use dme_store::{WipeKind, WipeOrder};
use serde::{Deserialize, Serialize};

/// Stands before what is signed, so that no signature of anything else passes for one.
const WHAT: &str = "DME wipe receipt, version 1\n";

/// What is certified of an order to wipe. Times are seconds since 1970, UTC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The order's number on its server.
    pub order: u64,
    /// The server, by the host phones use.
    pub server: String,
    /// Whose device.
    pub user: String,
    /// Its id.
    pub device: String,
    /// Its type, user agent and protocol version when it was ordered.
    pub client: [String; 3],
    /// Of what.
    pub wipe: WipeKind,
    /// What was said beforehand that it would erase.
    pub foretold: String,
    /// Who ordered it.
    pub ordered_by: String,
    /// When.
    pub ordered_at: i64,
    /// Who confirmed it, where that was needed.
    pub confirmed_by: Option<String>,
    /// When.
    pub confirmed_at: Option<i64>,
    /// When the device was told first.
    pub told_at: Option<i64>,
    /// When it said last that it could not.
    pub failed_at: Option<i64>,
    /// When it said that it does.
    pub acknowledged_at: Option<i64>,
    /// When it was called off.
    pub cancelled_at: Option<i64>,
    /// When this receipt was made.
    pub issued_at: i64,
}

/// A receipt with its signature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedReceipt {
    /// What is certified.
    pub receipt: Receipt,
    /// ECDSA P-256 with SHA-256 in DER, base64, of the receipt as compact JSON.
    pub signature: String,
    /// The authority's certificate in PEM. It proves nothing by being here: whoever checks the
    /// receipt must have it from the server itself.
    pub authority: String,
}

/// Why a receipt is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It is no receipt.
    #[error("this is no receipt of a wipe: {0}")]
    Unreadable(String),
    /// The signature is not the authority's, or the receipt was changed.
    #[error("the signature does not fit: the receipt was changed, or another server signed it")]
    Signature,
}

impl Receipt {
    /// Of an order as it stands.
    pub(super) fn of(order: &WipeOrder, server: &str, now: Timestamp) -> Self {
        let record = &order.record;
        let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_seconds);
        Self {
            order: order.number,
            server: server.to_owned(),
            user: order.device.user.to_string(),
            device: order.device.device.to_string(),
            client: record.client.clone(),
            wipe: record.kind,
            foretold: record.foretold.clone(),
            ordered_by: record.by.clone(),
            ordered_at: order.requested.as_seconds(),
            confirmed_by: record.confirmed.as_ref().map(|(by, _)| by.clone()),
            confirmed_at: seconds(record.confirmed.as_ref().map(|(_, at)| *at)),
            told_at: seconds(record.told),
            failed_at: seconds(record.failed),
            acknowledged_at: seconds(record.acknowledged),
            cancelled_at: seconds(record.cancelled.as_ref().map(|(_, at)| *at)),
            issued_at: now.as_seconds(),
        }
    }

    pub(super) fn sign(self, authority: &Authority) -> dme_link::Result<SignedReceipt> {
        let signature = STANDARD.encode(authority.sign(&self.signed())?);
        let authority = authority.certificate_pem().to_owned();
        Ok(SignedReceipt { receipt: self, signature, authority })
    }

    /// What the signature is of.
    fn signed(&self) -> Vec<u8> {
        // Texts and numbers always have a JSON form.
        [WHAT.as_bytes(), &serde_json::to_vec(self).unwrap_or_default()].concat()
    }
}

/// Reads a receipt and checks that the authority of this certificate signed it.
///
/// # Errors
/// That it is none, or that the signature does not fit.
pub fn verify(text: &str, authority_pem: &str) -> Result<Receipt, ReceiptError> {
    let unreadable = |error: &dyn std::fmt::Display| ReceiptError::Unreadable(error.to_string());
    let signed: SignedReceipt = serde_json::from_str(text).map_err(|e| unreadable(&e))?;
    let signature = STANDARD.decode(&signed.signature).map_err(|e| unreadable(&e))?;
    let fits = dme_link::verify_signature(authority_pem, &signed.receipt.signed(), &signature);
    match fits.map_err(|e| unreadable(&e))? {
        true => Ok(signed.receipt),
        false => Err(ReceiptError::Signature),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            order: 7,
            server: "mail.example.org".into(),
            user: "ann@example.org".into(),
            device: "d1".into(),
            client: ["iPhone".into(), "Apple-iPhone".into(), "16.1".into()],
            wipe: WipeKind::Device,
            foretold: "everything".into(),
            ordered_by: "admin".into(),
            ordered_at: 1,
            confirmed_by: None,
            confirmed_at: None,
            told_at: Some(2),
            failed_at: None,
            acknowledged_at: Some(3),
            cancelled_at: None,
            issued_at: 4,
        }
    }

    #[test]
    fn a_receipt_that_was_changed_or_signed_by_another_server_is_not_accepted() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let authority = Authority::open(one.path()).unwrap();
        let stranger = Authority::open(other.path()).unwrap();
        let signed = receipt().sign(&authority).unwrap();
        let text = serde_json::to_string_pretty(&signed).unwrap();
        assert_eq!(verify(&text, authority.certificate_pem()).unwrap(), receipt());
        let changed = text.replace("\"d1\"", "\"d2\"");
        for (text, pem) in
            [(&changed, authority.certificate_pem()), (&text, stranger.certificate_pem())]
        {
            assert!(matches!(verify(text, pem), Err(ReceiptError::Signature)));
        }
        for text in ["", "{}", "[]"] {
            assert!(matches!(verify(text, ""), Err(ReceiptError::Unreadable(_))), "{text}");
        }
    }
}
