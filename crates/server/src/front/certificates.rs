//! Certificates of recipients: which of those in the directory mail can be encrypted with.

use dme_model::Timestamp;
use x509_parser::asn1_rs::{Any, Class, Tag};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Those that hold now and may be used for mail, as DER. A value is a certificate (RFC 5280), or a
/// PKCS #7 bag of them, as `userSMIMECertificate` has it (RFC 2798 §2.8).
pub(super) fn usable(values: impl IntoIterator<Item = Vec<u8>>, now: Timestamp) -> Vec<Vec<u8>> {
    let mut usable: Vec<Vec<u8>> = Vec::new();
    for value in values {
        let is_certificate = X509Certificate::from_der(&value).is_ok();
        let certificates = if is_certificate { vec![value] } else { in_bag(&value) };
        for certificate in certificates {
            if is_usable(&certificate, now) && !usable.contains(&certificate) {
                usable.push(certificate);
            }
        }
    }
    usable
}

fn is_usable(der: &[u8], now: Timestamp) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
    let validity = certificate.validity();
    let seconds = now.as_seconds();
    let holds = validity.not_before.timestamp() <= seconds
        && seconds <= validity.not_after.timestamp()
        && !certificate.is_ca();
    let usage = certificate.key_usage().ok().flatten();
    let encrypts =
        usage.is_none_or(|usage| usage.value.key_encipherment() || usage.value.key_agreement());
    let extended = certificate.extended_key_usage().ok().flatten();
    let for_mail = extended.is_none_or(|usage| usage.value.email_protection || usage.value.any);
    holds && encrypts && for_mail
}

/// The certificates of a PKCS #7 `SignedData` (RFC 5652 §5.1):
///
/// ```text
/// SEQUENCE { contentType OID, [0] { SEQUENCE { …, certificates [0] IMPLICIT … , … } } }
/// ```
fn in_bag(value: &[u8]) -> Vec<Vec<u8>> {
    let find = || {
        let (_, outer) = Any::from_der(value).ok()?;
        let content = marked_zero(outer.data)?;
        let (_, signed) = Any::from_der(content).ok()?;
        marked_zero(signed.data)
    };
    let mut certificates = Vec::new();
    let mut rest = find().unwrap_or_default();
    while let Some((certificate, after)) = first(rest) {
        certificates.push(certificate.to_vec());
        rest = after;
    }
    certificates
}

/// The content of the first part that is marked `[0]`.
fn marked_zero(parts: &[u8]) -> Option<&[u8]> {
    let mut rest = parts;
    while !rest.is_empty() {
        let (after, part) = Any::from_der(rest).ok()?;
        if part.class() == Class::ContextSpecific && part.tag() == Tag(0) {
            return Some(part.data);
        }
        rest = after;
    }
    None
}

/// The first part, whole, and what comes after it.
fn first(parts: &[u8]) -> Option<(&[u8], &[u8])> {
    if parts.is_empty() {
        return None;
    }
    let (after, _) = Any::from_der(parts).ok()?;
    parts.split_at_checked(parts.len().saturating_sub(after.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{
        CertificateParams, ExtendedKeyUsagePurpose as Extended, KeyPair, KeyUsagePurpose as Usage,
        date_time_ymd,
    };

    fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 1, 1);
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    /// 2026-07-01.
    fn now() -> Timestamp {
        Timestamp::from_seconds(1_782_864_000)
    }

    #[test]
    fn those_that_hold_and_are_for_encrypting_mail_are_usable() {
        let usable = |der: Vec<u8>| !usable([der], now()).is_empty();
        assert!(usable(certificate(|_| ())));
        assert!(usable(certificate(|p| {
            p.key_usages = vec![Usage::KeyEncipherment];
            p.extended_key_usages = vec![Extended::EmailProtection];
        })));
        assert!(!usable(certificate(|p| p.not_after = date_time_ymd(2026, 6, 1))));
        assert!(!usable(certificate(|p| p.not_before = date_time_ymd(2026, 8, 1))));
        assert!(!usable(certificate(|p| p.key_usages = vec![Usage::DigitalSignature])));
        assert!(!usable(certificate(|p| p.extended_key_usages = vec![Extended::ServerAuth])));
        assert!(!usable(b"no certificate".to_vec()));
        assert!(!usable(Vec::new()));
    }

    fn part(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    #[test]
    fn those_in_a_bag_are_found_and_none_is_given_twice() {
        let (one, other) = (certificate(|_| ()), certificate(|_| ()));
        let bag = part(0xA0, &[&one[..], &other].concat());
        let signed = part(0x30, &[&[0x02, 1, 1][..], &part(0x31, &[]), &bag].concat());
        // The type of the content is not looked at.
        let value = part(0x30, &[&[0x06, 1, 0x2A][..], &part(0xA0, &signed)].concat());
        assert_eq!(usable([value.clone(), one.clone()], now()), [one, other]);
        for cut in 0..value.len() {
            usable([value[..cut].to_vec()], now());
        }
    }
}
