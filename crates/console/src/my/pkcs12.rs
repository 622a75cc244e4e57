//! A key and its certificate as phones take them in (PKCS #12, RFC 7292), under a password.
//!
//! Enciphered by Triple DES and checked by SHA-1, as old as that is: it is what every iOS, Android and
//! desktop reads, while the newer ways fail in the import of many. What protects the key is the
//! password, which is random, for this file alone, and long: nobody who got the file could try out
//! 80 bits.

use super::der::{DATA, FIRST, INTEGER, OCTETS, SEQUENCE, SET, element, object};
use crate::Refusal;
use aws_lc_rs::{digest, hmac, rand};
use des::TdesEde3;
use des::cipher::array::Array;
use des::cipher::{BlockCipherEncrypt, KeyInit};

/// `encryptedData` (PKCS #7).
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
/// `pbeWithSHAAnd3-KeyTripleDES-CBC` (RFC 7292, appendix C).
const TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];
/// `pkcs8ShroudedKeyBag` (§4.2.2).
const KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x02];
/// `certBag` (§4.2.3).
const CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03];
/// `x509Certificate` (§4.2.3).
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];
/// `friendlyName` (PKCS #9).
const NAME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x14];
/// `localKeyID` (PKCS #9): which certificate a key is of.
const LOCAL_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x15];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// Text of 16 bits a character.
const BMP: u8 = 0x1e;

/// How often the password is hashed.
const ROUNDS: u32 = 10_000;
/// Bytes of a block and of an output of SHA-1 (RFC 7292, appendix B.2).
const BLOCK: usize = 64;
const OUTPUT: usize = 20;

/// What is derived from a password (RFC 7292, appendix B.3).
#[derive(Clone, Copy)]
enum Purpose {
    Key = 1,
    Start = 2,
    Check = 3,
}

/// Packs a certificate and its key (PKCS #8), both in DER, under a name.
///
/// # Errors
/// When the system has no randomness to give.
pub(crate) fn pack(
    certificate: &[u8],
    key: &[u8],
    name: &str,
    password: &str,
) -> Result<Vec<u8>, Refusal> {
    let password = bmp(password, true);
    let local = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate);
    let attribute =
        |kind, value: Vec<u8>| element(SEQUENCE, &[&object(kind), &element(SET, &[&value])]);
    let mut attributes = [
        attribute(NAME, element(BMP, &[&bmp(name, false)])),
        attribute(LOCAL_KEY, element(OCTETS, &[local.as_ref()])),
    ];
    attributes.sort();
    let attributes = element(SET, &[&attributes.concat()]);
    let bag = |kind, value: &[u8]| {
        element(SEQUENCE, &[&object(kind), &element(FIRST, &[value]), &attributes])
    };
    let octets = element(FIRST, &[&element(OCTETS, &[certificate])]);
    let certificates = bag(CERTIFICATE, &element(SEQUENCE, &[&object(X509), &octets]));
    let (by, hidden) = encipher(&element(SEQUENCE, &[&certificates]), &password)?;
    // `[0]`, made of bytes: what is hidden is a string that is tagged otherwise.
    let hidden = element(0x80, &[&hidden]);
    let content = element(SEQUENCE, &[&object(DATA), &by, &hidden]);
    let content = element(SEQUENCE, &[&element(INTEGER, &[&[0]]), &content]);
    let certificates = element(SEQUENCE, &[&object(ENCRYPTED_DATA), &element(FIRST, &[&content])]);
    let (by, hidden) = encipher(key, &password)?;
    let shrouded = element(SEQUENCE, &[&by, &element(OCTETS, &[&hidden])]);
    let keys = data(&element(SEQUENCE, &[&bag(KEY, &shrouded)]));
    let safe = element(SEQUENCE, &[&certificates, &keys]);
    let parts = [element(INTEGER, &[&[3]]), data(&safe), check(&safe, &password)?];
    Ok(element(SEQUENCE, &[&parts.concat()]))
}

/// Plain data as content.
fn data(content: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&object(DATA), &element(FIRST, &[&element(OCTETS, &[content])])])
}

/// How something was enciphered, and what came of it.
fn encipher(plain: &[u8], password: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Refusal> {
    let salt = salt()?;
    let key = derive(Purpose::Key, password, &salt, ROUNDS, 24);
    let start = derive(Purpose::Start, password, &salt, ROUNDS, 8);
    let parameters = element(SEQUENCE, &[&element(OCTETS, &[&salt]), &rounds()]);
    let by = element(SEQUENCE, &[&object(TRIPLE_DES), &parameters]);
    Ok((by, triple_des(plain, &key, &start)?))
}

/// Triple DES with blocks chained, the last one filled up (RFC 8018 §6.1.1).
fn triple_des(plain: &[u8], key: &[u8], start: &[u8]) -> Result<Vec<u8>, Refusal> {
    let cipher = TdesEde3::new_from_slice(key).map_err(Refusal::failed)?;
    let missing = 8 - plain.len() % 8;
    let mut padded = plain.to_vec();
    padded.resize(plain.len() + missing, u8::try_from(missing).unwrap_or(8));
    let mut before = [0; 8];
    before.copy_from_slice(start.get(..8).ok_or_else(|| Refusal::failed("no start"))?);
    let mut hidden = Vec::with_capacity(padded.len());
    for piece in padded.as_chunks::<8>().0 {
        let mut block = *piece;
        for (byte, before) in block.iter_mut().zip(before) {
            *byte ^= before;
        }
        let mut block = Array::from(block);
        cipher.encrypt_block(&mut block);
        before = block.0;
        hidden.extend(before);
    }
    Ok(hidden)
}

/// The proof that nothing was changed by somebody without the password (§4, `MacData`).
fn check(safe: &[u8], password: &[u8]) -> Result<Vec<u8>, Refusal> {
    let salt = salt()?;
    let key = derive(Purpose::Check, password, &salt, ROUNDS, OUTPUT);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let mac = hmac::sign(&key, safe);
    let by = element(SEQUENCE, &[&object(SHA1), &[0x05, 0x00]]);
    let digest = element(SEQUENCE, &[&by, &element(OCTETS, &[mac.as_ref()])]);
    Ok(element(SEQUENCE, &[&digest, &element(OCTETS, &[&salt]), &rounds()]))
}

/// [`ROUNDS`] as a number, which has its highest bit clear.
fn rounds() -> Vec<u8> {
    let [_, _, high, low] = ROUNDS.to_be_bytes();
    element(INTEGER, &[&[high, low]])
}

fn salt() -> Result<[u8; 8], Refusal> {
    let mut salt = [0; 8];
    rand::fill(&mut salt).map_err(|_| Refusal::failed("no randomness to be had"))?;
    Ok(salt)
}

/// Text as 16 bits a character; a password ends in a zero (RFC 7292, appendix B.1).
fn bmp(text: &str, ends: bool) -> Vec<u8> {
    let end = ends.then_some(0);
    text.encode_utf16().chain(end).flat_map(u16::to_be_bytes).collect()
}

/// So many bytes from a password (RFC 7292, appendix B.2).
fn derive(purpose: Purpose, password: &[u8], salt: &[u8], rounds: u32, wanted: usize) -> Vec<u8> {
    let filled = |text: &[u8]| -> Vec<u8> {
        let length = text.len().div_ceil(BLOCK) * BLOCK;
        text.iter().copied().cycle().take(length).collect()
    };
    let mut input = [filled(salt), filled(password)].concat();
    let mut derived = Vec::new();
    while derived.len() < wanted {
        let first = [&[purpose as u8; BLOCK][..], &input].concat();
        let mut hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &first);
        for _ in 1..rounds {
            hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, hash.as_ref());
        }
        derived.extend_from_slice(hash.as_ref());
        let next: Vec<u8> = hash.as_ref().iter().copied().cycle().take(BLOCK).collect();
        for block in input.chunks_mut(BLOCK) {
            let mut carried = 1;
            for (byte, added) in block.iter_mut().rev().zip(next.iter().rev()) {
                let sum = u16::from(*byte) + u16::from(*added) + carried;
                *byte = sum.to_le_bytes()[0];
                carried = sum >> 8;
            }
        }
    }
    derived.truncate(wanted);
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digits).collect()
    }

    /// The vectors that implementations of PKCS #12 are tested by since 1999.
    #[test]
    fn keys_are_derived_as_others_do() {
        let (smeg, queeg) = (bmp("smeg", true), bmp("queeg", true));
        for (purpose, password, salt, rounds, derived) in [
            (
                Purpose::Key,
                &smeg,
                "0A58CF64530D823F",
                1,
                "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3",
            ),
            (Purpose::Start, &smeg, "0A58CF64530D823F", 1, "79993DFE048D3B76"),
            (
                Purpose::Key,
                &smeg,
                "642B99AB44FB4B1F",
                1,
                "F3A95FEC48D7711E985CFE67908C5AB79FA3D7C5CAA5D966",
            ),
            (
                Purpose::Check,
                &smeg,
                "3D83C0E4546AC140",
                1,
                "8D967D88F6CAA9D714800AB3D48051D63F73A312",
            ),
            (
                Purpose::Key,
                &queeg,
                "05DEC959ACFF72F7",
                1000,
                "ED2034E36328830FF09DF1E1A07DD357185DAC0D4F9EB3D4",
            ),
            (Purpose::Start, &queeg, "05DEC959ACFF72F7", 1000, "11DEDAD7758D4860"),
        ] {
            let derived = hex(derived);
            assert_eq!(derive(purpose, password, &hex(salt), rounds, derived.len()), derived);
        }
    }

    #[test]
    fn blocks_are_chained_and_the_last_is_filled_up() {
        let key = hex("0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123");
        let hidden = triple_des(b"12345678", &key, &[0; 8]).unwrap();
        assert_eq!(hidden.len(), 16, "what fills its blocks gets one more");
        let again = triple_des(b"1234567812345678", &key, &[0; 8]).unwrap();
        assert_eq!(again[..8], hidden[..8]);
        assert_ne!(again[8..16], hidden[..8]);
    }
}
