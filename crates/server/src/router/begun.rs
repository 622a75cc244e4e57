//! Where acts were begun of which nobody knows yet what came of them.

use dme_mailbox::SubmissionKey;
use dme_model::{ConnectorId, UserId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many are remembered at the most. That many are never unknown at once while anything works.
const REMEMBERED: usize = 10_000;

/// The acts, by whose they are and their names.
#[derive(Default)]
pub(super) struct Begun(Mutex<HashMap<(UserId, SubmissionKey), ConnectorId>>);

impl Begun {
    /// The connector at which it was begun.
    pub fn at(&self, user: &UserId, key: &SubmissionKey) -> Option<ConnectorId> {
        self.lock().get(&(user.clone(), key.clone())).cloned()
    }

    /// It is begun there now.
    pub fn note(&self, user: &UserId, key: &SubmissionKey, at: &ConnectorId) {
        let mut begun = self.lock();
        if begun.len() >= REMEMBERED {
            begun.clear();
        }
        begun.insert((user.clone(), key.clone()), at.clone());
    }

    /// It is known what came of it.
    pub fn forget(&self, user: &UserId, key: &SubmissionKey) {
        self.lock().remove(&(user.clone(), key.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(UserId, SubmissionKey), ConnectorId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
