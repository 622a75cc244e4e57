//! The short code by which a connector comes back that its server does not know any more: it was
//! away for long, its directory was lost, or the server was restored from an old copy (rule L1).
//!
//! A token is too long to be read out on the telephone; a code is ten characters. That is little
//! enough that it must not be shown to whoever answers the connector's call, for a connector whose
//! directory was lost has nothing to know its server by. So the code is never sent: each end proves
//! that it has it, over what only the two ends of one TLS connection have in common. Whoever stands
//! between two connections gets a proof that fits the other one nowhere, and to try all codes
//! against it takes 2^50 times [`ITERATIONS`] hashes, within the minutes that a code is good.

use crate::{Error, Result, TokenHash};
use aws_lc_rs::{hmac, pbkdf2, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dme_model::Secret;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// Crockford's 32 characters, which leave out those that are taken for others.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code: 50 bits.
const LENGTH: usize = 10;
/// Rounds of PBKDF2 (RFC 8018 §5.2), some tenth of a second of one processor.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(200_000).unwrap();
/// All codes have the same salt: each is random, and good for minutes.
const SALT: &[u8] = b"dme connector code 1";
/// What the proofs are over, beside what is said: RFC 8446 §7.5 with this label.
const EXPORTER: &[u8] = b"EXPORTER-dme-connector-code";

/// A code, for people to read out and to type: `7KQ2M-XPA9R`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Code(Secret);

/// What both ends make of a code. The server keeps it, until the code expires, in the place of the
/// hash of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeKey([u8; 32]);

/// What only the two ends of one TLS connection know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding([u8; 32]);

/// Which end proves that it has the code: the proof of one is none for the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Prover {
    Connector,
    Server,
}

impl Code {
    /// A fresh one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        let mut random = [0; LENGTH];
        rand::fill(&mut random)
            .map_err(|_| Error::Certificate("the system gives no random numbers".into()))?;
        let character = |byte: u8| ALPHABET.get(usize::from(byte % 32)).map(|c| char::from(*c));
        Ok(Self(Secret::new(random.into_iter().filter_map(character).collect::<String>())))
    }

    /// The text to read out. It is a secret: show it once, never log it.
    pub fn to_text(&self) -> String {
        let (first, second) = self.0.expose().split_at_checked(LENGTH / 2).unwrap_or_default();
        format!("{first}-{second}")
    }

    /// What both ends make of it, with some work on purpose: a tenth of a second.
    pub fn key(&self) -> CodeKey {
        let mut key = [0; 32];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, ITERATIONS, SALT, self.0.expose().as_bytes(), &mut key);
        CodeKey(key)
    }
}

impl FromStr for Code {
    type Err = Error;

    /// Reads what somebody typed: in either case, with or without hyphens and spaces, and with the
    /// letters that are taken for digits.
    fn from_str(text: &str) -> Result<Self> {
        let characters = text.chars().filter(|c| !matches!(c, '-' | ' ' | '\t' | '\n'));
        let read = |c: char| match c.to_ascii_uppercase() {
            'O' => Ok('0'),
            'I' | 'L' => Ok('1'),
            upper if u8::try_from(upper).is_ok_and(|byte| ALPHABET.contains(&byte)) => Ok(upper),
            _ => Err(Error::Code("it has a character that is in none")),
        };
        // One more than there may be, so that foreign text is not read to its end.
        let code = characters.take(LENGTH + 1).map(read).collect::<Result<String>>()?;
        if code.len() != LENGTH {
            return Err(Error::Code("it has ten characters"));
        }
        Ok(Self(Secret::new(code)))
    }
}

impl CodeKey {
    /// As the server keeps it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(self.0)
    }

    /// As the server kept it.
    pub(crate) fn kept(hash: &TokenHash) -> Self {
        Self(hash.0)
    }

    /// Proves that this end has the code, on one connection, and that it said this.
    pub(crate) fn prove(&self, prover: Prover, binding: &Binding, said: &[&str]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, &proven(prover, binding, said)))
    }

    /// Whether the other end has the code, and said this.
    pub(crate) fn is_proven(
        &self,
        proof: &str,
        prover: Prover,
        binding: &Binding,
        said: &[&str],
    ) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let Ok(proof) = URL_SAFE_NO_PAD.decode(proof) else { return false };
        hmac::verify(&key, &proven(prover, binding, said), &proof).is_ok()
    }
}

impl fmt::Debug for CodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeKey(…)")
    }
}

impl Binding {
    /// Of a connection whose handshake is over.
    pub(crate) fn of<Data>(connection: &rustls::ConnectionCommon<Data>) -> Result<Self> {
        let bytes = connection
            .export_keying_material([0; 32], EXPORTER, None)
            .map_err(|error| Error::Tls(error.to_string()))?;
        Ok(Self(bytes))
    }

    #[cfg(test)]
    pub(crate) const fn fixed(byte: u8) -> Self {
        Self([byte; 32])
    }
}

/// Each part with its length before it, so that none can be taken for the end of another.
fn proven(prover: Prover, binding: &Binding, said: &[&str]) -> Vec<u8> {
    let name: &[u8] = match prover {
        Prover::Connector => b"connector",
        Prover::Server => b"server",
    };
    let parts = [name, &binding.0].into_iter().chain(said.iter().map(|text| text.as_bytes()));
    parts
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.to_vec()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        let code = Code::generate().unwrap();
        let text = code.to_text();
        assert_eq!(text.len(), LENGTH + 1);
        for typed in
            [text.clone(), text.to_lowercase(), text.replace('-', " "), format!(" {text}\n")]
        {
            assert_eq!(typed.parse::<Code>().unwrap(), code);
        }
        let spelt: Code = "OIL23-45678".parse().unwrap();
        assert_eq!(spelt, "0112345678".parse().unwrap());
    }

    #[test]
    fn what_is_no_code_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "ten characters"),
            ("7KQ2M-XPA9", "ten characters"),
            ("7KQ2M-XPA9RR", "ten characters"),
            ("7KQ2M-XPA9U", "in none"),
            ("dme1.eyJzZXJ2ZXJzIjpbXX0", "in none"),
        ] {
            let error = text.parse::<Code>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn codes_differ_and_debug_shows_none() {
        let (one, other) = (Code::generate().unwrap(), Code::generate().unwrap());
        assert_ne!(one, other);
        assert!(!format!("{one:?}{:?}", one.key()).contains(one.0.expose()));
    }

    #[test]
    fn a_proof_is_of_one_code_one_end_one_connection_and_what_was_said() {
        let (key, other) = (CodeKey([1; 32]), CodeKey([2; 32]));
        let (here, elsewhere) = (Binding([3; 32]), Binding([4; 32]));
        let proof = key.prove(Prover::Connector, &here, &["a", "bc"]);
        assert!(key.is_proven(&proof, Prover::Connector, &here, &["a", "bc"]));
        assert!(!other.is_proven(&proof, Prover::Connector, &here, &["a", "bc"]));
        assert!(!key.is_proven(&proof, Prover::Server, &here, &["a", "bc"]));
        assert!(!key.is_proven(&proof, Prover::Connector, &elsewhere, &["a", "bc"]));
        assert!(!key.is_proven(&proof, Prover::Connector, &here, &["ab", "c"]));
        assert!(!key.is_proven("?", Prover::Connector, &here, &["a", "bc"]));
    }
}
