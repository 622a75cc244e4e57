//! The enrolment token: what an administrator hands to whoever sets up a connector (rule L1).

use crate::{Error, Fingerprint, Result};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dme_model::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const PREFIX: &str = "dme1.";
/// Longer text is no token; it would hold some forty addresses.
const MAX_TEXT: usize = 4096;

/// Where the server is, by which key to know it, and the one-time secret. Its text,
/// `dme1.<base64url>`, is made by [`Token::to_text`] and read by [`FromStr`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// Addresses of the server's link port, `host:port`, in the order to try them.
    pub servers: Vec<String>,
    /// The key of the server's own authority.
    pub authority: Fingerprint,
    /// Known to the server as a hash only.
    pub secret: Secret,
}

/// What the server keeps of a token's secret. The secret is 32 random bytes, so that a plain
/// SHA-256 tells nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

#[derive(Serialize, Deserialize)]
struct Written {
    servers: Vec<String>,
    authority: Fingerprint,
    secret: Secret,
}

impl Token {
    /// A token with a fresh secret.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate(servers: Vec<String>, authority: Fingerprint) -> Result<Self> {
        let mut secret = [0; 32];
        rand::fill(&mut secret)
            .map_err(|_| Error::Certificate("the system gives no random numbers".into()))?;
        Ok(Self { servers, authority, secret: Secret::new(URL_SAFE_NO_PAD.encode(secret)) })
    }

    /// What the server keeps.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.secret)
    }

    /// The text to hand over. It is a secret: show it once, never log it.
    pub fn to_text(&self) -> String {
        let written = Written {
            servers: self.servers.clone(),
            authority: self.authority,
            secret: self.secret.clone(),
        };
        let json = serde_json::to_vec(&written).unwrap_or_default();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }
}

impl TokenHash {
    /// Of a token's secret.
    pub fn of(secret: &Secret) -> Self {
        let mut bytes = [0; 32];
        let hash = digest::digest(&digest::SHA256, secret.expose().as_bytes());
        bytes.copy_from_slice(hash.as_ref());
        Self(bytes)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(Error::Token("it is too long"));
        }
        let body = text.strip_prefix(PREFIX).ok_or(Error::Token("it begins otherwise"))?;
        let json = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| Error::Token("it is cut short or has a wrong character in it"))?;
        let written: Written = serde_json::from_slice(&json)
            .map_err(|_| Error::Token("it does not say what a token says"))?;
        if written.servers.is_empty() {
            return Err(Error::Token("it names no server"));
        }
        Ok(Self { servers: written.servers, authority: written.authority, secret: written.secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        let authority = Fingerprint::of_public_key(b"authority");
        Token::generate(vec!["mail.example.org:4433".into()], authority).unwrap()
    }

    #[test]
    fn a_token_reads_back_from_its_text() {
        let token = token();
        let text = token.to_text();
        assert!(text.starts_with("dme1."));
        assert_eq!(format!(" {text}\n").parse::<Token>().unwrap(), token);
    }

    #[test]
    fn a_damaged_token_is_refused_with_the_reason() {
        let whole = token().to_text();
        for (text, reason) in [
            ("", "begins otherwise"),
            ("dme2.abc", "begins otherwise"),
            (&whole[..whole.len() - 3], "cut short"),
            ("dme1.e30", "does not say"),
            (&format!("dme1.{}", "A".repeat(5000)), "too long"),
        ] {
            let error = text.parse::<Token>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn every_token_has_another_secret_and_debug_does_not_show_it() {
        let (one, other) = (token(), token());
        assert_ne!(one.hash(), other.hash());
        assert!(!format!("{one:?}").contains(one.secret.expose()));
    }
}
