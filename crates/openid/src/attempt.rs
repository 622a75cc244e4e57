//! One attempt to sign in: what only whoever began it can answer.

use aws_lc_rs::{constant_time, digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dme_model::{Secret, Timestamp};

/// What an attempt is known by, and what shows that an answer is to it. It stays with us, beside the
/// browser's cookie.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Comes back with the answer (RFC 6749 §10.12).
    pub(crate) state: Secret,
    /// Comes back in the token (OpenID Connect Core 1.0 §15.5.2).
    pub(crate) nonce: Secret,
    /// Shows that the code is redeemed by whoever asked for it (RFC 7636 §4.1).
    pub(crate) verifier: Secret,
    /// When it was begun.
    pub(crate) began: Timestamp,
    /// Whether the provider must have asked for the password anew.
    pub(crate) anew: bool,
}

impl Attempt {
    /// A new one; `anew` where the provider is to ask for the password whatever it knows.
    ///
    /// # Errors
    /// Where there is no randomness.
    pub fn new(anew: bool, now: Timestamp) -> std::io::Result<Self> {
        let (state, nonce, verifier) = (random()?, random()?, random()?);
        Ok(Self { state, nonce, verifier, began: now, anew })
    }

    /// Whether an answer is to this one.
    pub fn is_answered_by(&self, state: &str) -> bool {
        let wanted = self.state.expose().as_bytes();
        constant_time::verify_slices_are_equal(wanted, state.as_bytes()).is_ok()
    }

    /// What is shown of the verifier beforehand (RFC 7636 §4.2, `S256`).
    pub(crate) fn challenge(&self) -> String {
        challenge(&self.verifier)
    }
}

fn challenge(verifier: &Secret) -> String {
    let hash = digest::digest(&digest::SHA256, verifier.expose().as_bytes());
    URL_SAFE_NO_PAD.encode(hash)
}

/// 256 bits that nobody guesses, as text.
fn random() -> std::io::Result<Secret> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| std::io::Error::other("no randomness to be had"))?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn an_answer_to_another_attempt_does_not_count() {
        let now = Timestamp::from_seconds(0);
        let [mine, other] = [Attempt::new(false, now).unwrap(), Attempt::new(false, now).unwrap()];
        assert!(mine.is_answered_by(mine.state.expose()));
        assert!(!mine.is_answered_by(other.state.expose()));
        assert!(!mine.is_answered_by(""));
    }
}
