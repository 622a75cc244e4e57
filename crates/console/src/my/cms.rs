//! Signed data (CMS, RFC 5652) by the phones' certificate, so that phones show whose a profile is.

use super::der::{DATA, FIRST, INTEGER, OCTETS, SEQUENCE, SET, element, object};
use aws_lc_rs::digest;
use dme_model::{Timestamp, civil};
use dme_server::tls::{ReloadingCertificate, Signed, SignedBy};
use x509_parser::prelude::{FromDer, X509Certificate};

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];

/// The content, signed; none where the certificate's key is of no kind that old phones know.
pub(crate) fn sign(
    content: &[u8],
    certificate: &ReloadingCertificate,
    now: Timestamp,
) -> Option<Vec<u8>> {
    // What is signed is a SET; in the message it is tagged otherwise (RFC 5652 §5.4).
    let signed = certificate.sign(|by| element(SET, &[&attributes(content, by, now)]))?;
    message(content, &signed, now)
}

fn message(content: &[u8], signed: &Signed, now: Timestamp) -> Option<Vec<u8>> {
    let Signed { by, signature, chain } = signed;
    let (_, own) = X509Certificate::from_der(chain.first()?).ok()?;
    let signer = element(
        SEQUENCE,
        &[own.issuer().as_raw(), &element(INTEGER, &[own.tbs_certificate.raw_serial()])],
    );
    let one = element(INTEGER, &[&[1]]);
    let hashed_by = algorithm(hash(*by).0, false);
    let signed_by = match by {
        SignedBy::RsaSha256 => algorithm(RSA_SHA256, true),
        SignedBy::EcdsaSha256 => algorithm(ECDSA_SHA256, false),
        SignedBy::EcdsaSha384 => algorithm(ECDSA_SHA384, false),
    };
    let attributes = element(FIRST, &[&attributes(content, *by, now)]);
    let signature = element(OCTETS, &[signature]);
    let parts: [&[u8]; 6] = [&one, &signer, &hashed_by, &attributes, &signed_by, &signature];
    let signer = element(SEQUENCE, &parts);
    let wrapped = element(FIRST, &[&element(OCTETS, &[content])]);
    let content = element(SEQUENCE, &[&object(DATA), &wrapped]);
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let parts: [&[u8]; 5] = [
        &one,
        &element(SET, &[&hashed_by]),
        &content,
        &element(FIRST, &chain),
        &element(SET, &[&signer]),
    ];
    let data = element(FIRST, &[&element(SEQUENCE, &parts)]);
    Some(element(SEQUENCE, &[&object(SIGNED_DATA), &data]))
}

/// What is signed beside the content's hash, in DER's order of sets.
fn attributes(content: &[u8], by: SignedBy, now: Timestamp) -> Vec<u8> {
    let hash = digest::digest(hash(by).1, content);
    let attribute =
        |kind, value: Vec<u8>| element(SEQUENCE, &[&object(kind), &element(SET, &[&value])]);
    let mut all = [
        attribute(CONTENT_TYPE, object(DATA)),
        attribute(SIGNING_TIME, time(now)),
        attribute(MESSAGE_DIGEST, element(OCTETS, &[hash.as_ref()])),
    ];
    all.sort();
    all.concat()
}

fn hash(by: SignedBy) -> (&'static [u8], &'static digest::Algorithm) {
    match by {
        SignedBy::RsaSha256 | SignedBy::EcdsaSha256 => (SHA256, &digest::SHA256),
        SignedBy::EcdsaSha384 => (SHA384, &digest::SHA384),
    }
}

/// An algorithm's name; RSA's has an empty parameter (RFC 4055 §5).
fn algorithm(id: &[u8], with_null: bool) -> Vec<u8> {
    let null: &[u8] = if with_null { &[0x05, 0x00] } else { &[] };
    element(SEQUENCE, &[&object(id), null])
}

/// A moment; two digits of the year until 2049 (RFC 5652 §11.3).
fn time(at: Timestamp) -> Vec<u8> {
    let seconds = at.as_seconds();
    let (year, month, day) = civil::date(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let rest =
        format!("{month:02}{day:02}{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60);
    match year {
        1950..2050 => element(0x17, &[format!("{:02}{rest}", year % 100).as_bytes()]),
        _ => element(0x18, &[format!("{year:04}{rest}").as_bytes()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_two_digits_of_the_year_until_2049() {
        let at = |seconds| String::from_utf8(time(Timestamp::from_seconds(seconds))).unwrap();
        assert_eq!(at(1_795_737_845), "\u{17}\r261127000405Z");
        assert_eq!(at(2_524_608_000), "\u{18}\u{f}20500101000000Z");
    }
}
