//! The tokens and codes the server has handed out (rule L1).

use crate::{BookError, Fingerprint, TokenHash};
use async_trait::async_trait;
use dme_model::{ConnectorId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Whether a connector that enrolled with a token may serve at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// It may: the administrator trusts whoever holds the token.
    Given,
    /// It waits locked until an administrator compared its fingerprint.
    Needed,
}

/// A token handed out, as the server remembers it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enrolment {
    /// Of its secret.
    pub hash: TokenHash,
    /// The name the connector will have.
    pub name: String,
    /// Whether the connector may serve at once.
    pub approval: Approval,
    /// From then on it is refused.
    pub expires: Timestamp,
    /// The key it was redeemed for, once it was.
    pub used_by: Option<Fingerprint>,
    /// The connector that comes back with it: it is a [`crate::Code`], and no token, and the hash is
    /// its [`crate::CodeKey`].
    pub again: Option<ConnectorId>,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rejection {
    /// The server never gave it out, or has forgotten it.
    Unknown,
    /// Its time is over.
    Expired,
    /// Another key was enrolled with it.
    Used,
}

/// The tokens the server has handed out. Kept by the store.
#[async_trait]
pub trait Enrolments: Send + Sync {
    /// Remembers a new token.
    async fn create(&self, enrolment: Enrolment) -> Result<(), BookError>;

    /// Redeems a token for a key, in one transaction: of two keys that come at once, one wins.
    /// The same key may redeem its token again until it expires, because the first answer may
    /// have been lost.
    async fn redeem(
        &self,
        hash: &TokenHash,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<Result<Enrolment, Rejection>, BookError>;

    /// All that are remembered, by name.
    async fn list(&self) -> Result<Vec<Enrolment>, BookError>;

    /// Forgets the tokens of this name that were not redeemed, so that they are refused.
    async fn revoke(&self, name: &str) -> Result<(), BookError>;
}

impl Enrolment {
    /// What `redeem` has to answer; the rule, for every implementation to share.
    ///
    /// # Errors
    /// When the token is not accepted for this key now.
    pub fn check(&self, key: &Fingerprint, now: Timestamp) -> Result<(), Rejection> {
        match self.used_by {
            _ if now >= self.expires => Err(Rejection::Expired),
            Some(user) if user != *key => Err(Rejection::Used),
            _ => Ok(()),
        }
    }
}

/// [`Enrolments`] in memory, for tests and the demonstration.
#[derive(Default, Debug)]
pub struct MemoryEnrolments(Mutex<BTreeMap<TokenHash, Enrolment>>);

#[async_trait]
impl Enrolments for MemoryEnrolments {
    async fn create(&self, enrolment: Enrolment) -> Result<(), BookError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(enrolment.hash, enrolment);
        Ok(())
    }

    async fn redeem(
        &self,
        hash: &TokenHash,
        key: &Fingerprint,
        now: Timestamp,
    ) -> Result<Result<Enrolment, Rejection>, BookError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(enrolment) = all.get_mut(hash) else { return Ok(Err(Rejection::Unknown)) };
        Ok(enrolment.check(key, now).map(|()| {
            enrolment.used_by = Some(*key);
            enrolment.clone()
        }))
    }

    async fn list(&self) -> Result<Vec<Enrolment>, BookError> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<Enrolment> = all.values().cloned().collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    async fn revoke(&self, name: &str) -> Result<(), BookError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, enrolment| enrolment.name != name || enrolment.used_by.is_some());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(43_200);

    #[test]
    fn a_token_serves_one_key_until_it_expires() {
        let (ours, theirs) = (Fingerprint::of_public_key(b"a"), Fingerprint::of_public_key(b"b"));
        let before = Timestamp::from_seconds(43_199);
        for (used_by, now, expected) in [
            (None, before, Ok(())),
            (Some(ours), before, Ok(())),
            (Some(theirs), before, Err(Rejection::Used)),
            (None, NOON, Err(Rejection::Expired)),
            (Some(ours), NOON, Err(Rejection::Expired)),
        ] {
            let enrolment = Enrolment {
                hash: TokenHash([0; 32]),
                name: "branch".into(),
                approval: Approval::Needed,
                expires: NOON,
                used_by,
                again: None,
            };
            assert_eq!(enrolment.check(&ours, now), expected);
        }
    }
}
