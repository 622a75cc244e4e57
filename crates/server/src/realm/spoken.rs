//! Which directory has spoken for whom.
//!
//! Where groups keep several directories of one realm apart, each says itself who is in its group; one
//! whose key was stolen could say so of anybody. So whoever was one directory's alone stays its own while
//! it says so, and while it is away and cannot say (rule A6).

use dme_model::UserId;
use dme_routing::Scope;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// So many logins are remembered at most: those are names that people have, and a stolen key could make
/// up any number. What comes after them is not remembered.
const MOST_KEPT: usize = 500_000;

/// Whose the logins are that were met since the server began.
#[derive(Default)]
pub(super) struct Spoken(RwLock<HashMap<UserId, Arc<Scope>>>);

impl Spoken {
    /// Nobody but the one with this scope knows somebody of these names, and all were asked.
    pub fn note(&self, names: [&UserId; 2], scope: &Arc<Scope>) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let is_known = |name: &&UserId| known.get(*name).is_some_and(|before| before == scope);
        if names.iter().all(is_known) {
            return;
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if known.len() < MOST_KEPT || known.contains_key(name) {
                known.insert(name.clone(), scope.clone());
            }
        }
    }

    /// The scopes of others than this one that have spoken for somebody of these names.
    pub fn by_others(&self, names: [&UserId; 2], scope: &Arc<Scope>) -> Vec<Arc<Scope>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let others = names.iter().filter_map(|name| known.get(*name));
        others.filter(|other| *other != scope).cloned().collect()
    }
}
